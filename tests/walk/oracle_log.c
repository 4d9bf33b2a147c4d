/* The oracle over the committed log: what the group wants from now on, and what must not stand there. */
#include "proto/parts.h"
#include "tests/walk/world.h"

uint32_t oracle_event(const struct walk *w, uint64_t seq)
{
    uint32_t low = 0, high = w->event_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (w->events[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->event_count && w->events[low].seq == seq ? low : UINT32_MAX;
}

static uint32_t token_in(const struct block *block, uint32_t index)
{
    struct event event;
    bool good = event_scan(block_body(block, &block->records[index]), &event) == EVENT_OK && event.token.size == 2;
    return good ? event.token.data[1] - 'A' + 1u : 0;
}

bool is_once(struct span bytes)
{
    struct event event;
    return event_scan(bytes, &event) == EVENT_OK && event.semantics == EVENT_AT_MOST_ONCE;
}

/* [P3] */
static void saw_token(struct walk *w, const struct block *block, uint32_t index)
{
    uint32_t token = token_in(block, index);
    uint64_t time_ms = block->time_ms + block->records[index].time_delta_ms;
    if (!token) return;
    if (w->tokens[token].seq && time_ms - w->tokens[token].time_ms < TOKEN_LIFE_MS) broken(w, "a token accepted twice", token);
    w->tokens[token].seq = block->first_position + index;
    w->tokens[token].time_ms = time_ms;
}

void oracle_check_token(struct walk *w, uint64_t seq, uint32_t token)
{
    for (uint32_t i = 0; token && i < w->block_count; i++)
        if (block_holds(w->blocks[i], seq)) {
            if (token_in(w->blocks[i], (uint32_t)(seq - w->blocks[i]->first_position)) != token)
                broken(w, "a token answered with the place of another", seq);
            return;
        }
}

/* What the event's order goes by; the walk's keys and sessions are one letter. */
static uint8_t lane_of(const struct walk *w, const struct event *event)
{
    struct span by = w->options.ordering == ORDERING_KEY ? event->key : event->session;
    if (w->options.ordering == ORDERING_NONE || w->options.ordering == ORDERING_GROUP) return w->options.ordering == ORDERING_GROUP;
    return by.size ? by.data[0] : 0;
}

static struct span stored(const void *walk, uint64_t seq)
{
    const struct walk *w = walk;
    for (uint32_t i = 0; i < w->block_count; i++)
        if (block_holds(w->blocks[i], seq)) return block_body(w->blocks[i], &w->blocks[i]->records[seq - w->blocks[i]->first_position]);
    return span_of(NULL, 0);
}

/* A delayed event enters the order once, and not before its time [R-DELAY-1, R-DELAY-2]. */
static void saw_delay(struct walk *w, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    uint32_t kind = record->kind & ~(uint32_t)RECORD_MUST_UNDERSTAND;
    uint64_t time_ms = block->time_ms + record->time_delta_ms;
    struct event event;
    if ((kind != RECORD_EVENT && kind != RECORD_HELD) || event_scan(block_body(block, record), &event) != EVENT_OK || !event.delay_ms)
        return;
    if (record->flags & RECORD_AGAIN && !large_same(block_body(block, record), stored(w, record->number), stored, w))
        broken(w, "a delayed event comes again as another", record->number);
    if (kind == RECORD_HELD) {
        if (w->delay_count == EVENTS || record->flags & RECORD_AGAIN /* carried forward */) return;
        w->delays[w->delay_count].seq = block->first_position + index;
        w->delays[w->delay_count++].due_ms = time_ms + event.delay_ms;
        return;
    }
    for (uint32_t i = 0; i < w->delay_count; i++) {
        if (w->delays[i].seq != record->number) continue;
        if (w->delays[i].came) broken(w, "a delayed event that came twice", record->number);
        if (time_ms < w->delays[i].due_ms) broken(w, "a delayed event before its time", record->number);
        w->delays[i].came = true;
        return;
    }
    broken(w, "an event with a delay that nobody held", record->number);
}

static char topic_of(const struct block *block, uint32_t index)
{
    return (char)block_topic_name(block, block->records[index].topic - 1u).data[0];
}

/* The place of the event, or of the first of its parts. */
static uint64_t begins_at(const struct walk *w, uint64_t seq)
{
    struct event event;
    struct parts parts;
    bool large = event_scan(stored(w, seq), &event) == EVENT_OK && parts_read(event.parts, NULL, PARTS_MAX, &parts);
    return large ? parts.first : seq;
}

/* An event that the group takes, as its newest record says it. */
static void saw_event(struct walk *w, const struct block *block, uint32_t index)
{
    uint64_t seq = block->first_position + index;
    bool takes_b = seq < w->filters_from ? w->took_b : w->takes_b;
    char topic = topic_of(block, index);
    if (is_once(block_body(block, &block->records[index]))) return;
    if (!w->group_exists || w->event_count == EVENTS || (topic != 'a' && (topic != 'b' || !takes_b))) return;
    struct event event;
    if (event_scan(block_body(block, &block->records[index]), &event) != EVENT_OK) broken(w, "an event that cannot be read", seq);
    bool settled = seq <= w->floor;
    uint64_t begin = begins_at(w, seq);
    w->events[w->event_count++] =
        (struct wanted){ .seq = seq,
                         .first = record_first(&block->records[index]) ? record_first(&block->records[index]) : seq,
                         .tried = begin < w->trim_wish || begin < w->trimmed_below, /* a seek goes back to it while it leaves */
                         .settled = settled ? SETTLED_BY_ACK : SETTLED_NOT,
                         .ended = settled,
                         .topic = topic,
                         .level = (uint8_t)event.priority,
                         .lane = lane_of(w, &event),
                         .word = event.topic.data[2] };
}

/* A generation begins: what its filters take is open from its floor on, whatever became of it before. */
static void begin_generation(struct walk *w, const struct block *last, uint32_t index)
{
    w->event_count = 0;
    for (uint32_t i = 0; i < w->block_count && w->blocks[i]->number <= last->number; i++)
        for (uint32_t k = 0; k < (w->blocks[i] == last ? index : w->blocks[i]->record_count); k++)
            if ((w->blocks[i]->records[k].kind & ~(uint32_t)RECORD_MUST_UNDERSTAND) == RECORD_EVENT) saw_event(w, w->blocks[i], k);
}

static void saw_group(struct walk *w, const struct block *block, uint32_t index)
{
    struct record_group group;
    if (!record_group_read(block_body(block, &block->records[index]), &group)) broken(w, "a record of a group that cannot be read", index);
    if (group.deleted) letters_forget(&w->letters);
    bool begins = !group.deleted && (!w->group_exists || group.generation != w->generation);
    if (begins && group.generation <= w->generation) broken(w, "a generation that has been there", group.generation);
    w->group_exists = !group.deleted;
    w->generation = group.generation;
    w->paused = group.paused_ms > 0;
    w->takes_b = group.filter_count == 2;
    w->took_b = group.old_filter_count == 2;
    w->filters_from = group.filters_from;
    w->floor = group.floor[0];
    if (begins) letters_begin_generation(&w->letters);
    if (begins) begin_generation(w, block, index);
    if (begins) retries_begin(&w->retries, &w->options, w->now_ns);
}

/* It will be a dead letter: it is in nobody's way. */
static bool is_given_up(const struct walk *w, const struct record_failed *failed)
{
    uint32_t deliveries = w->options.max_deliveries, deaths = w->options.max_deaths ? w->options.max_deaths : 5;
    return failed->cause == FAILURE_REJECT || (deliveries && failed->attempts >= deliveries) || failed->deaths >= deaths;
}

static void end_settled(struct walk *w, struct span body)
{
    static struct range settled[1 << 15];
    static struct record_failed failed[1 << 15];
    struct record_settle read;
    if (!record_settle_read(body, settled, 1 << 15, failed, 1 << 15, &read)) broken(w, "a settle record that cannot be read", 0);
    if (read.generation != w->generation) return;
    for (uint32_t i = 0; i < read.settled_count; i++)
        for (uint32_t k = 0; k < w->event_count; k++)
            if (w->events[k].level == read.level && w->events[k].seq >= settled[i].first && w->events[k].seq <= settled[i].last)
                w->events[k].ended = 1;
    for (uint32_t i = 0; i < read.failed_count; i++) {
        uint32_t event = oracle_event(w, failed[i].seq);
        struct letter_seen *letter = letters_at(&w->letters, failed[i].seq);
        bool uncertain = failed[i].cause == FAILURE_RESTART && failed[i].attempts == 1;
        if (letter) letter->uncertain = uncertain;
        if (event == UINT32_MAX) continue;
        w->events[event].uncertain = uncertain;
        if (is_given_up(w, &failed[i])) w->events[event].ended = 1;
    }
}

static void saw_letters(struct walk *w, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    uint32_t event = record->flags & RECORD_DEAD ? oracle_event(w, record->cause) : UINT32_MAX; /* of one that did not come again */
    if (event != UINT32_MAX && w->events[event].settled == SETTLED_BY_ACK && !letters_newest(&w->letters, record->cause))
        broken(w, "given up after its ack was answered", record->cause);
    const char *wrong = letters_take(&w->letters, block, index, stored, w);
    if (wrong) broken(w, wrong, block->first_position + index);
}

bool oracle_is_over(struct walk *w, const struct wanted *event)
{
    return event->settled || event->tried || letters_newest(&w->letters, event->first);
}

uint64_t oracle_needed_from(struct walk *w)
{
    uint64_t from = w->head;
    for (uint32_t i = 0; i < w->event_count; i++) {
        const struct wanted *event = &w->events[i];
        if (event->ended && oracle_is_over(w, event)) continue; /* it may be given up, and wait for room among the letters */
        if (begins_at(w, event->seq) < from) from = begins_at(w, event->seq);
    }
    return from;
}

/* A committed record: it counts from here on. */
void oracle_committed(struct walk *w, const struct block *block, uint32_t index)
{
    uint32_t kind = block->records[index].kind & ~(uint32_t)RECORD_MUST_UNDERSTAND;
    if (kind == RECORD_GROUP) saw_group(w, block, index);
    if ((kind == RECORD_EVENT || kind == RECORD_HELD) && !(block->records[index].flags & RECORD_AGAIN)) saw_token(w, block, index);
    if (kind == RECORD_SETTLE) end_settled(w, block_body(block, &block->records[index]));
    saw_delay(w, block, index);
    saw_letters(w, block, index);
    if (kind == RECORD_EVENT) saw_event(w, block, index);
}
