/* Letters: an event that a group gives up goes onto $dlq.GROUP, whole, in the block that settles it [R-DEAD-1]. Given up are failed events
 * whose last failure was one too many: they stand in their group's queue `dying` until their bytes are at hand, the table has a row, and
 * the block has room. Nothing is dropped where one of these is missing; it waits. */
#include "coordinator/core/letter.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "coordinator/core/text.h"
#include "proto/event.h"
#include "sdk/base/topic.h"

#define LETTER_TOPIC "$dlq."
enum { LETTER_TOPIC_SIZE = sizeof LETTER_TOPIC - 1, LETTER_HEADERS_MAX = 6 };
_Static_assert(LETTER_ROUND_MAX >= 3 * (NAME_MAX + 3) + NOTE_WORKER_MAX + NOTE_ERROR_MAX + 3 * TEXT_NUMBER_MAX + 256,
               "all around the event");

/* ---- what is known of a failure ---- */

static void note_fill(uint8_t *out, uint8_t *out_size, struct span text, size_t size_max)
{
    text = text_cut(text, size_max);
    *out_size = (uint8_t)text_put(out, 0, text);
}

uint32_t note_make(struct core *c, uint32_t peer, struct span error)
{
    uint32_t handle = slab_take(&c->notes);
    if (!handle) return 0; /* the letter will say less */
    struct note *note = note_at(c, handle);
    const struct peer *p = peer_at(c, peer);
    note_fill(note->worker, &note->worker_size, span_of(p->name, p->name_size), NOTE_WORKER_MAX);
    note_fill(note->error, &note->error_size, error, NOTE_ERROR_MAX);
    return handle;
}

void note_forget(struct core *c, uint32_t *note)
{
    if (*note) slab_free(&c->notes, *note);
    *note = 0;
}

enum dead_reason letter_verdict(const struct group *g, const struct record_failed *failure)
{
    const struct group_options *o = &g->options;
    if (!g->has_letters) return DEAD_UNKNOWN;
    if (failure->cause == FAILURE_REJECT) return DEAD_REJECTED;
    if (failure->deaths >= (o->max_deaths ? o->max_deaths : DEATHS_MAX)) return DEAD_MAX_DEATHS;
    return o->max_deliveries && failure->attempts >= o->max_deliveries ? DEAD_MAX_DELIVERIES : DEAD_UNKNOWN;
}

static enum dead_reason verdict_of(const struct core *c, const struct failed *f)
{
    return letter_verdict(group_at(c, f->group),
                          &(struct record_failed){ .attempts = f->attempts, .deaths = f->deaths, .cause = f->cause });
}

bool letter_is_due(const struct core *c, uint32_t failed)
{
    return verdict_of(c, failed_at(c, failed)) != DEAD_UNKNOWN;
}

/* ---- reading ---- */

struct span letter_topic(struct span group, uint8_t room[NAME_MAX + 1])
{
    if (LETTER_TOPIC_SIZE + group.size > NAME_MAX) return span_of(NULL, 0);
    struct span topic = span_of(room, text_put(room, text_put(room, 0, span_text(LETTER_TOPIC)), group));
    return topic_is_valid(topic) ? topic : span_of(NULL, 0);
}

static uint64_t number_of(struct span digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.size && digits.data[i] >= '0' && digits.data[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(digits.data[i] - '0');
    return value;
}

static uint32_t reason_of(struct span word)
{
    for (uint32_t reason = 0; reason < DEAD_REASONS; reason++)
        if (span_equal(word, span_text(dead_reason_word(reason)))) return reason;
    return DEAD_UNKNOWN;
}

bool letter_open(struct span bytes, struct letter *out)
{
    struct event event;
    struct span name, value;
    size_t cursor = 0;
    if (event_scan(bytes, &event) != EVENT_OK || event.topic.size <= LETTER_TOPIC_SIZE) return false;
    *out = (struct letter){ .group = span_of(event.topic.data + LETTER_TOPIC_SIZE, event.topic.size - LETTER_TOPIC_SIZE),
                            .event = event.data,
                            .time_ms = event.time_ms };
    while (event_header_next(&event, &cursor, &name, &value)) {
        if (span_equal(name, span_text("weir-attempts"))) out->attempts = (uint32_t)number_of(value);
        if (span_equal(name, span_text("weir-reason"))) out->reason = reason_of(value);
        if (span_equal(name, span_text("weir-cause"))) out->cause = number_of(value);
    }
    return true;
}

struct stored_event event_at(const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    struct letter letter;
    if (record->flags & RECORD_DEAD && letter_open(block_body(block, record), &letter))
        return (
            struct stored_event){ .bytes = letter.event, .first = event_first(record), .time_ms = letter.time_ms, .cause = letter.cause };
    return (struct stored_event){ .bytes = block_body(block, record),
                                  .first = record_first(record),
                                  .time_ms = block->time_ms + record->time_delta_ms,
                                  .cause = record->cause };
}

/* ---- writing ---- */

static const char *const failure_words[FAILURES] = {
    [FAILURE_NACK] = "nack",
    [FAILURE_TIMEOUT] = "the lease ran out",
    [FAILURE_LOST] = "the worker was lost",
    [FAILURE_REJECT] = "rejected",
    [FAILURE_RESTART] = "no worker claimed it after a restart of the coordinator",
};

/* The letter of a failed event, in scratch. */
static struct span write_letter(struct core *c, const struct failed *f, const struct stored_event *source, uint64_t first)
{
    static const struct note nothing;
    const struct note *note = f->note ? note_at(c, f->note) : &nothing;
    uint8_t topic[NAME_MAX + 1], numbers[3][TEXT_NUMBER_MAX];
    struct span error = note->error_size ? span_of(note->error, note->error_size) : span_text(failure_words[f->cause]);
    struct event_header headers[LETTER_HEADERS_MAX] = {
        { span_text("weir-reason"), span_text(dead_reason_word(verdict_of(c, f))) },
        { span_text("weir-attempts"), span_of(numbers[0], text_put_number(numbers[0], 0, f->attempts)) },
        { span_text("weir-seq"), span_of(numbers[1], text_put_number(numbers[1], 0, first)) },
        { span_text("weir-error"), error },
    };
    size_t count = 4;
    if (note->worker_size) headers[count++] = (struct event_header){ span_text("weir-worker"), span_of(note->worker, note->worker_size) };
    if (source->cause)
        headers[count++] =
            (struct event_header){ span_text("weir-cause"), span_of(numbers[2], text_put_number(numbers[2], 0, source->cause)) };
    struct event inner, event = { .topic = letter_topic(group_name(group_at(c, f->group)), topic),
                                  .content_type = span_text("application/x-protobuf"),
                                  .data = source->bytes,
                                  .time_ms = source->time_ms };
    if (event_scan(source->bytes, &inner) == EVENT_OK) {
        event.key = inner.key;
        event.session = inner.session;
    }
    uint8_t *body = arena_take(&c->scratch, event_encoded_size(&event, headers, count));
    must(body);
    return span_of(body, event_encode(&event, headers, count, body));
}

struct span letter_around(struct core *c, struct span letter, struct span inner)
{
    struct event event;
    struct event_header headers[LETTER_HEADERS_MAX];
    size_t count = 0, cursor = 0;
    if (event_scan(letter, &event) != EVENT_OK || span_equal(event.data, inner)) return letter;
    while (count < LETTER_HEADERS_MAX && event_header_next(&event, &cursor, &headers[count].name, &headers[count].value))
        count++;
    event.data = inner;
    uint8_t *body = arena_take(&c->scratch, event_encoded_size(&event, headers, count));
    must(body);
    return span_of(body, event_encode(&event, headers, count, body));
}

static void append_letter(struct core *c, const struct group *g, struct record record, struct span letter)
{
    uint8_t room[NAME_MAX + 1];
    uint16_t topic = block_topic(blocks_fill(c), tenant_name(c, g->tenant), letter_topic(group_name(g), room));
    must(topic != UINT16_MAX);
    record.kind = RECORD_EVENT | RECORD_MUST_UNDERSTAND;
    record.topic = (uint16_t)(topic + 1); /* no group may match it: nothing to mark in the block */
    blocks_append(c, record, letter);
}

/* Without a letter. */
static void settle(struct core *c, uint32_t handle)
{
    const struct failed *f = failed_at(c, handle);
    failed_unqueue(c, handle);
    group_event_over(c, f->group, f->level, handle, f->position, f->position);
}

/* False: it waits, and with it those of its group behind it. */
static bool bury(struct core *c, uint32_t handle)
{
    struct failed *f = failed_at(c, handle);
    struct group *g = group_at(c, f->group);
    bool end, again = f->dead != 0;
    if (verdict_of(c, f) == DEAD_UNKNOWN) { /* the group may more than when it was queued */
        failed_unqueue(c, handle);
        failed_queue(c, handle);
        group_wake(c, f->group);
        return true;
    }
    if (!again && !dead_has_room(c, g)) return false; /* [R-DEAD-5] */
    if (f->position > c->head) return false;          /* carried forward a moment ago */
    struct slot *slot = blocks_find_after(c, f->position, &end);
    if (!slot && !end) {
        reader_wait(c);
        return false;
    }
    bool lost = !slot || !block_holds(&slot->block, f->position); /* it has left the window before it could be written */
    uint32_t index = lost ? 0 : (uint32_t)(f->position - slot->block.first_position);
    if (lost || (slot->block.records[index].flags & RECORD_AT_MOST_ONCE)) { /* its worker kept it over a restart [R-ONCE-1] */
        c->stats.lost += lost;
        settle(c, handle);
        return true;
    }
    struct stored_event source = event_at(&slot->block, index);
    if (!blocks_have_room(c, source.bytes.size + LETTER_ROUND_MAX)) return false;
    uint64_t position = f->position, first = source.first ? source.first : position;
    uint32_t group = f->group, level = f->level, letter_there = dead_find(c, group, first);
    if (!again && letter_there && dead_at(c, letter_there)->failed) {
        /* after a seek: the event comes from its own place, and its letter of before is being delivered. That one goes on. */
        failed_unqueue(c, handle);
        group_pend_settled(c, group, level, position, position);
        return true;
    }
    uint16_t flags = slot->block.records[index].flags & (RECORD_PRIORITY | RECORD_REQUEST | RECORD_PARTS);
    struct span letter = write_letter(c, f, &source, first);
    failed_unqueue(c, handle);
    append_letter(c, g, (struct record){ .flags = flags | RECORD_DEAD, .cause = first }, letter);
    if (!again) group_pend_settled(c, group, level, position, position);
    c->stats.dead_lettered++;
    return true;
}

void letters_write(struct core *c)
{
    for (uint32_t h = 1; h <= c->groups.touched && c->dying_count > 0; h++)
        while (slab_is_taken(&c->groups, h) && group_at(c, h)->dying.list.first)
            if (!bury(c, group_at(c, h)->dying.list.first)) break;
}
