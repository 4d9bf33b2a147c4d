/* What the tape may do: hello with held leases, publish, also in parts, resend, settle (good, foreign, twice), emit, extend, release,
 * subscribe, grant credit, leave; commit, wait, crash and restart from the committed blocks. What the oracle holds against the core:
 *   - an answer (accepted, settled) comes only for what stands in a committed block, and a number gets one position for ever [P2, P3];
 *   - a token gets one position within its life [P3];
 *   - an at_most_once event is offered once, whatever happens [P6];
 *   - a delayed event comes once, and not before its time;
 *   - an event is with one worker of a group at a time, and not again after its settle was answered [R-GROUP-2, P5];
 *   - with an ordering an event goes out when every one of its key (session, group) and priority before it is settled in the log [P4];
 *   - no more are out than the group's limits say, in all and of one topic word [R-LIMIT-1, R-LIMIT-2];
 *   - an event that was given up has one letter, whole, and is not offered before that is retried; no attempt is beyond max_deliveries;
 *   - in the end, when all workers work and all letters are retried, every accepted event was acked once by the group that existed before
 *     it, or its letter was dropped [P1];
 *   - a subscription's events rise without gap or repeat [R-SUB-2];
 *   - a large event comes after all its parts, in order, and one at a time [R-PART-6];
 *   - while the group is paused nothing goes out; after a seek all from its place on comes again and what was held before is stale; what
 * its filters do not take, as they stood at the event's place, is never delivered [R-CHANGE-2, R-CHANGE-3, R-CHANGE-4];
 *   - the state recovered from the blocks is the state that made them [P9]. */
#include "tests/walk/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "coordinator/core/core.h"
#include "proto/event.h"
#include "tests/support/block_copy.h"
#include "tests/walk/large.h"
#include "tests/walk/letters.h"

enum {
    PEERS = 6,
    ADMIN = 6,
    WORKERS = 3,
    EVENTS = 20000,
    HELD = 256,
    BLOCKS = 20000,
    NUMBERS = 8192,
    SLICES = 256,
    TOKENS = 24,
    MAX_DELIVERIES = 2,
    TOKEN_LIFE_MS = 8000
};

struct held {
    uint64_t lease, seq;
    uint32_t attempt, priority;
    bool settled; /* a settle was sent; it is kept to be sent once more, or claimed in a hello */
};

enum settled { SETTLED_NOT, SETTLED_BY_ACK, SETTLED_BY_REJECT };
enum once { ONCE_NOT, ONCE_SAID, ONCE_OFFERED };

struct walker {
    uint32_t connection;
    bool ready, leaving;
    uint8_t id[16];
    uint64_t next_number, next_settle, credit;
    uint64_t position_of[NUMBERS]; /* by number; 0 = no answer yet */
    uint8_t token_of[NUMBERS];     /* by number; 0 = none */
    uint8_t delay_of[NUMBERS];     /* by number: 100 ms each */
    uint8_t once_of[NUMBERS];      /* by number: not at_most_once, not offered yet, offered */
    uint32_t life_of[NUMBERS];     /* by number: the core's life that it was sent to first */
    struct held held[HELD];
    uint32_t held_count;
    struct {
        uint64_t number, seq;
        bool rejected;
    } settling[NUMBERS];
    uint32_t settling_count;
    uint64_t generation; /* of what is held */
    bool knows_b;        /* greets with the filters a.> and b.>, else with a.> */
    struct large_sending sending;
    struct large_receiving receiving;
    uint64_t last_event; /* of subscription 1 */
    bool subscribed;
};

struct walk {
    const uint8_t *tape;
    size_t size, at;
    struct core_config config;
    struct core *core;
    void *memory;
    size_t memory_size;
    uint64_t now_ns, log_ms, committed, submitted, trace;
    uint32_t next_connection, life;
    struct walker peers[PEERS + 1]; /* the last one is an admin */
    struct block *blocks[BLOCKS];
    uint32_t block_count;
    uint64_t head; /* of the committed blocks */
    struct core_fetched fetched[32];
    uint32_t fetched_count;
    struct snapshot {
        struct block *slices[SLICES];
        uint32_t count;
        uint64_t position;
    } saved, saving; /* the newest complete snapshot; the one under way */
    struct wanted {
        uint64_t seq, first;           /* first: where it stood first, if it came again */
        uint8_t settled, tried, ended; /* ended: settled in the log */
        char topic;
        uint8_t level, lane, word; /* lane: of its order, 0 = none; word: the second of its topic */
    } * events;                    /* that the group wants; tried: a settle was sent, its outcome may be unknown */
    struct group_options options;  /* of the group */
    uint32_t event_count;
    struct {
        uint64_t seq, time_ms;
    } tokens[TOKENS + 1]; /* where each was accepted last */
    struct {
        uint64_t seq, due_ms;
        bool came;
    } * delays;
    uint32_t delay_count;
    struct letters letters;
    uint64_t trim_wish;
    /* as the newest record of the group says it */
    bool group_exists, paused, takes_b, took_b; /* took_b: below filters_from */
    uint64_t generation, filters_from, floor;
    bool answered; /* the admin's manage */
    uint32_t answer;
};

static _Noreturn void broken(const struct walk *w, const char *promise, uint64_t number)
{
    fprintf(stderr, "broken at byte %zu of %zu: %s (%llu)\n", w->at, w->size, promise, (unsigned long long)number);
    abort();
}

static uint32_t next_byte(struct walk *w)
{
    return w->at < w->size ? w->tape[w->at++] : 0;
}

static void note(struct walk *w, uint64_t value)
{
    w->trace = (w->trace ^ value) * 0x100000001b3ull;
}

/* ---- the log ---- */

static void drop_last_block(struct walk *w)
{
    block_drop(w->blocks[--w->block_count]);
}

static void serve_fetch(struct walk *w, const struct core_out *out)
{
    const struct block *best = NULL;
    for (uint32_t i = 0; i < w->block_count && w->blocks[i]->number <= w->committed; i++) {
        if (out->before ? w->blocks[i]->first_position <= out->position : !best && block_last_position(w->blocks[i]) >= out->position)
            best = w->blocks[i];
    }
    if (best) block_copy_into(out->block, best);
    w->fetched[w->fetched_count++] =
        (struct core_fetched){ .position = out->position, .block = out->block, .result = best ? CORE_FETCHED : CORE_FETCH_NOTHING };
}

/* ---- the oracle ---- */

static uint32_t event_find(const struct walk *w, uint64_t seq)
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

/* Tokens are 't' and a letter. */
static struct span token_text(uint32_t token)
{
    static const uint8_t letters[] = "tAtBtCtDtEtFtGtHtItJtKtLtMtNtOtPtQtRtStTtUtVtWtX";
    return token ? span_of(letters + 2 * (token - 1), 2) : (struct span){ 0 };
}

static uint32_t token_in(const struct block *block, uint32_t index)
{
    struct event event;
    bool good = event_scan(block_body(block, &block->records[index]), &event) == EVENT_OK && event.token.size == 2;
    return good ? event.token.data[1] - 'A' + 1u : 0;
}

static bool is_once(struct span bytes)
{
    struct event event;
    return event_scan(bytes, &event) == EVENT_OK && event.semantics == EVENT_AT_MOST_ONCE;
}

/* An at_most_once event says in its data who published it, and under which number. [P6] */
static void offered_once(struct walk *w, struct span bytes)
{
    struct event event;
    uint32_t said[2];
    if (event_scan(bytes, &event) != EVENT_OK || event.data.size != sizeof said) broken(w, "an event that nobody published", 0);
    memcpy(said, event.data.data, sizeof said);
    uint8_t *once = &w->peers[said[0]].once_of[said[1]];
    if (*once != ONCE_SAID) broken(w, "an at_most_once event offered twice", said[1]);
    *once = ONCE_OFFERED;
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

static void check_token(struct walk *w, uint64_t seq, uint32_t token)
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

/* A delayed event enters the order once, and not before its time [R-DELAY-1, R-DELAY-2]. */
static void saw_delay(struct walk *w, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    uint32_t kind = record->kind & ~(uint32_t)RECORD_MUST_UNDERSTAND;
    uint64_t time_ms = block->time_ms + record->time_delta_ms;
    struct event event;
    if ((kind != RECORD_EVENT && kind != RECORD_HELD) || event_scan(block_body(block, record), &event) != EVENT_OK || !event.delay_ms)
        return;
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
    w->events[w->event_count++] =
        (struct wanted){ .seq = seq,
                         .first = record_first(&block->records[index]) ? record_first(&block->records[index]) : seq,
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
        uint32_t event = is_given_up(w, &failed[i]) ? event_find(w, failed[i].seq) : UINT32_MAX;
        if (event != UINT32_MAX) w->events[event].ended = 1;
    }
}

static struct span stored(const struct walk *w, uint64_t seq)
{
    for (uint32_t i = 0; i < w->block_count; i++)
        if (block_holds(w->blocks[i], seq)) return block_body(w->blocks[i], &w->blocks[i]->records[seq - w->blocks[i]->first_position]);
    return span_of(NULL, 0);
}

static void saw_letters(struct walk *w, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    uint32_t event = record->flags & RECORD_DEAD ? event_find(w, record->cause) : UINT32_MAX; /* of one that did not come again */
    if (event != UINT32_MAX && w->events[event].settled == SETTLED_BY_ACK && !letters_newest(&w->letters, record->cause))
        broken(w, "given up after its ack was answered", record->cause);
    const char *wrong = letters_take(&w->letters, block, index, stored(w, record->cause));
    if (wrong) broken(w, wrong, block->first_position + index);
}

/* Blocks that are committed now: every event in them counts from here on. */
static void commit_until(struct walk *w, uint64_t number)
{
    for (uint32_t i = 0; i < w->block_count; i++) {
        const struct block *block = w->blocks[i];
        if (block->number <= w->committed || block->number > number) continue;
        for (uint32_t k = 0; k < block->record_count; k++) {
            uint32_t kind = block->records[k].kind & ~(uint32_t)RECORD_MUST_UNDERSTAND;
            if (kind == RECORD_GROUP) saw_group(w, block, k);
            if ((kind == RECORD_EVENT || kind == RECORD_HELD) && !(block->records[k].flags & RECORD_AGAIN)) saw_token(w, block, k);
            if (kind == RECORD_SETTLE) end_settled(w, block_body(block, &block->records[k]));
            saw_delay(w, block, k);
            saw_letters(w, block, k);
            if (kind == RECORD_EVENT) saw_event(w, block, k);
        }
        w->head = block_last_position(block);
    }
    w->committed = number;
}

static void saw_accepted(struct walk *w, struct walker *p, const struct msg_accepted *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t number = m->first_number + i, seq = m->first_seq + i;
        if (seq > w->head) broken(w, "an accept before the commit", seq);
        if (number >= NUMBERS) continue;
        check_token(w, seq, p->token_of[number]);
        if (m->duplicate && p->token_of[number] && !p->position_of[number]) continue; /* its token was taken under another number, whose place this is */
        if (p->position_of[number] && p->position_of[number] != seq) broken(w, "two positions for one number", number);
        p->position_of[number] = seq;
    }
}

static void let_go(struct walker *p, uint64_t seq)
{
    for (uint32_t i = 0; i < p->held_count; i++)
        if (p->held[i].seq == seq) p->held[i--] = p->held[--p->held_count];
}

/* [P4] */
static void check_order(const struct walk *w, const struct wanted *event)
{
    for (const struct wanted *e = w->events; e < event && event->lane; e++)
        if (e->lane == event->lane && e->level == event->level && !e->ended)
            broken(w, "out before one of its key before it was settled", event->seq);
}

/* [R-LIMIT-1, R-LIMIT-2]; `event` is out now. */
static void check_limits(const struct walk *w, const struct wanted *event)
{
    uint32_t all = 0, each = 0;
    for (uint32_t i = 0; i < WORKERS; i++)
        for (uint32_t k = 0; k < w->peers[i].held_count && w->peers[i].ready; k++) {
            uint32_t other = w->peers[i].held[k].settled ? UINT32_MAX : event_find(w, w->peers[i].held[k].seq);
            all += other != UINT32_MAX;
            each += other != UINT32_MAX && w->events[other].word == event->word;
        }
    if (w->options.limit && all > w->options.limit) broken(w, "more are out than the group's limit", event->seq);
    if (w->options.limit_each && each > w->options.limit_each) broken(w, "more are out of one word than its limit", event->seq);
}

static void check_alone(const struct walk *w, uint32_t peer, uint64_t seq)
{
    for (uint32_t i = 0; i < WORKERS; i++)
        for (uint32_t k = 0; k < w->peers[i].held_count; k++)
            if (i != peer && w->peers[i].ready && w->peers[i].held[k].seq == seq && !w->peers[i].held[k].settled)
                broken(w, "with two workers at a time", seq);
}

static void took(struct walk *w, uint32_t peer, struct held held, bool kept)
{
    struct walker *p = &w->peers[peer];
    if (p->leaving && !kept) broken(w, "a delivery to a worker that has left", held.seq);
    uint32_t event = event_find(w, held.seq);
    const struct letter_seen *letter = letters_at(&w->letters, held.seq),
                             *given_up = letters_newest(&w->letters, event != UINT32_MAX ? w->events[event].first : held.seq);
    bool settled = letter ? letter->acked : event != UINT32_MAX && w->events[event].settled;
    if (!kept && w->paused) broken(w, "delivered while it is paused", held.seq);
    if (settled) broken(w, kept ? "kept after its settle was answered" : "offered after its settle was answered", held.seq);
    if (letter ? letter->state != LETTER_RETRIED : given_up && !given_up->old && given_up->state != LETTER_OVER)
        broken(w, "offered after it was given up", held.seq);
    if (held.attempt > MAX_DELIVERIES) broken(w, "more attempts than the group may", held.seq);
    check_alone(w, peer, held.seq);
    let_go(p, held.seq);
    if (p->held_count < HELD) p->held[p->held_count++] = held;
    if (event == UINT32_MAX) return;
    check_order(w, &w->events[event]);
    if (!kept) check_limits(w, &w->events[event]); /* what is kept may be over it: its settle was lost, and another had gone out after it */
}

static void saw_settled(struct walk *w, struct walker *p, const struct msg_settled *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t seq = 0;
        bool rejected = false;
        for (uint32_t k = 0; k < p->settling_count; k++)
            if (p->settling[k].number == m->first_number + i) seq = p->settling[k].seq, rejected = p->settling[k].rejected;
        if (m->code != CODE_OK || seq == 0) continue;
        struct letter_seen *letter = letters_at(&w->letters, seq);
        uint32_t event = event_find(w, seq);
        if (letter ? letter->acked : event != UINT32_MAX && w->events[event].settled) broken(w, "settled twice", seq);
        if (letter)
            letter->acked = !rejected;
        else if (event != UINT32_MAX)
            w->events[event].settled = rejected ? SETTLED_BY_REJECT : SETTLED_BY_ACK;
    }
}

static bool takes_parts(const struct walk *w, const struct walker *p)
{
    return (p - w->peers) % WORKERS != 0;
}

static void check_large(const struct walk *w, const char *promise, uint64_t seq)
{
    if (promise) broken(w, promise, seq);
}

static void saw_events(struct walk *w, struct walker *p, const struct msg_events *m, const struct span *bodies)
{
    for (size_t i = 0; i < m->count; i++) {
        check_large(w, large_event(&p->receiving, takes_parts(w, p), 0, m->subscription, m->seq[i], bodies[i]), m->seq[i]);
        if (m->seq[i] > w->head) broken(w, "an event before the commit", m->seq[i]);
        if (m->seq[i] <= p->last_event) broken(w, "a subscription repeats", m->seq[i]);
        uint32_t before = event_find(w, p->last_event), now = event_find(w, m->seq[i]);
        for (uint32_t k = before + 1; before != UINT32_MAX && now != UINT32_MAX && k < now; k++)
            if (w->events[k].topic == 'a') broken(w, "a subscription skips", m->seq[i]);
        p->last_event = m->seq[i];
    }
}

static uint32_t priority_of(const struct held *held, uint32_t count, uint64_t seq)
{
    for (uint32_t i = 0; i < count; i++)
        if (held[i].seq == seq) return held[i].priority;
    return 0;
}

/* What is over in a step is over before what begins in it, whatever the order of the peers. */
static void saw_ends(struct walk *w, uint32_t peer, const struct packet *m)
{
    struct walker *p = &w->peers[peer];
    for (size_t i = 0; i < m->settled_count; i++)
        saw_settled(w, p, &m->settled[i]);
    for (size_t i = 0; m->revoke && i < m->revoke->count; i++)
        large_ended(&p->receiving, m->revoke->lease[i]);
    for (size_t i = 0; m->revoke && i < m->revoke->count; i++)
        for (uint32_t k = 0; k < p->held_count; k++)
            if (p->held[k].lease == m->revoke->lease[i]) let_go(p, p->held[k].seq);
}

static void saw(struct walk *w, uint32_t peer, const struct packet *m)
{
    struct walker *p = &w->peers[peer];
    if (m->welcome) {
        struct held before[HELD];
        uint32_t before_count = p->held_count;
        memcpy(before, p->held, before_count * sizeof before[0]);
        p->ready = true;
        p->held_count = 0;
        p->generation = m->welcome->generation;
        for (size_t i = 0; i < m->welcome->kept_count; i++)
            took(w, peer,
                 (struct held){ .lease = m->welcome->kept_lease[i],
                                .seq = m->welcome->kept_seq[i],
                                .attempt = m->welcome->kept_attempt[i],
                                .priority = priority_of(before, before_count, m->welcome->kept_seq[i]) },
                 true);
    }
    if (m->deliver && m->deliver->generation) p->generation = m->deliver->generation;
    for (size_t i = 0; i < m->error_count; i++)
        if (m->errors[i].code == CODE_CONFLICT && m->errors[i].about == FIELD_HELLO) p->knows_b = !p->knows_b;
    for (size_t i = 0; i < m->answer_count; i++)
        w->answered = true, w->answer = m->answers[i].code;
    for (size_t i = 0; i < m->accepted_count; i++)
        saw_accepted(w, p, &m->accepted[i]);
    const struct span *body = m->pieces;
    for (size_t i = 0; i < m->events_count; body += m->events[i].count, i++)
        saw_events(w, p, &m->events[i], body);
    for (size_t i = 0; m->deliver && i < m->deliver->count; i++, body++) {
        check_large(w, large_event(&p->receiving, takes_parts(w, p), m->deliver->lease[i], 0, m->deliver->seq[i], *body),
                    m->deliver->seq[i]);
        if (is_once(*body))
            offered_once(w, *body);
        else if (m->deliver->seq[i] > w->head)
            broken(w, "a delivery before the commit", m->deliver->seq[i]);
        else if (event_find(w, m->deliver->seq[i]) == UINT32_MAX && !letters_at(&w->letters, m->deliver->seq[i]) && w->event_count < EVENTS)
            broken(w, "delivered what the group does not take", m->deliver->seq[i]);
        took(w, peer,
             (struct held){ .lease = m->deliver->lease[i],
                            .seq = m->deliver->seq[i],
                            .attempt = m->deliver->attempt[i],
                            .priority = m->deliver->priority ? m->deliver->priority[i] : 0 },
             false);
    }
    body += m->partial_count;
    for (size_t i = 0; i < m->part_count; i++) {
        if (m->parts[i].lease) check_alone(w, peer, m->parts[i].seq);
        check_large(w, large_part(&p->receiving, &m->parts[i], body[i]), m->parts[i].seq);
    }
}

/* ---- snapshots ---- */

static void snapshot_drop(struct snapshot *snapshot)
{
    while (snapshot->count > 0)
        block_drop(snapshot->slices[--snapshot->count]);
}

static void keep_slice(struct walk *w, const struct core_out *out)
{
    if (w->saving.position != out->position) snapshot_drop(&w->saving); /* the one before was abandoned */
    w->saving.position = out->position;
    if (w->saving.count < SLICES) w->saving.slices[w->saving.count++] = block_copy(out->block);
    if (!out->last) return;
    if (out->position > w->head) broken(w, "a snapshot of what is not committed", out->position);
    snapshot_drop(&w->saved);
    w->saved = w->saving;
    w->saving = (struct snapshot){ 0 };
}

/* ---- steps ---- */

static void step(struct walk *w, struct core_in *in)
{
    struct core_fetched fetched[32];
    struct core_outs outs;
    memcpy(fetched, w->fetched, sizeof fetched);
    in->now_ns = w->now_ns;
    in->log_time_ms = w->log_ms;
    in->committed = w->committed;
    in->trim_wish = w->trim_wish;
    in->fetched = fetched;
    in->fetched_count = w->fetched_count;
    w->fetched_count = 0;
    core_step(w->core, in, &outs);
    for (size_t i = 0; i < outs.count; i++)
        for (uint32_t k = 0; k < PEERS; k++)
            if (outs.items[i].kind == CORE_SEND && outs.items[i].connection == w->peers[k].connection) saw_ends(w, k, outs.items[i].packet);
    for (size_t i = 0; i < outs.count; i++) {
        const struct core_out *out = &outs.items[i];
        note(w, out->kind);
        note(w, out->connection);
        for (uint32_t k = 0; k <= PEERS; k++) {
            if (out->connection != w->peers[k].connection || !out->connection) continue;
            if (out->kind == CORE_SEND) saw(w, k, out->packet);
            if (out->kind == CORE_FORGET) w->peers[k].connection = 0, w->peers[k].ready = w->peers[k].subscribed = false;
        }
        if (out->kind == CORE_FETCH) serve_fetch(w, out);
        if (out->kind == CORE_SNAPSHOT) keep_slice(w, out);
        if (out->kind != CORE_SUBMIT) continue;
        if (w->block_count == BLOCKS) return;
        w->blocks[w->block_count++] = block_copy(out->block);
        w->submitted = out->block->number;
        note(w, out->block->bodies_size);
    }
}

/* While the block is full packets stay where they are, until the one before it is committed. */
static void make_room(struct walk *w)
{
    while (!core_wants_packets(w->core)) {
        commit_until(w, w->submitted);
        step(w, &(struct core_in){ 0 });
    }
}

static void send_packet(struct walk *w, uint32_t peer, const struct packet *packet)
{
    struct walker *p = &w->peers[peer];
    if (!p->connection && !packet->hello) return; /* its hello was refused */
    if (!p->connection) {
        p->connection = ++w->next_connection;
        p->next_settle = 1;
        p->credit = 0;
        p->settling_count = 0;
        p->sending.count = p->receiving.count = 0;
    }
    struct core_packet one = { .connection = p->connection, .grant = { .roles = ~0u, .any_tenant = true }, .packet = packet };
    step(w, &(struct core_in){ .packets = &one, .packet_count = 1 });
}

static const struct span dev = { (const uint8_t *)"dev", 3 };

/* Fresh zero pages, of which only what is touched is paid for. */
static void *memory_new(const struct walk *w)
{
    void *memory = mmap(NULL, w->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) abort();
    return memory;
}

static struct core *core_new(struct walk *w, void *memory)
{
    w->config.tenants = &dev;
    return core_init(memory, &w->config);
}

/* [P9] */
static struct core *recover(struct walk *w, void *memory)
{
    uint64_t bad;
    struct core *core = core_new(w, memory);
    for (uint32_t i = 0; i < w->block_count && w->blocks[i]->number <= w->committed; i++)
        if (!core_recover(core, w->blocks[i], false, &bad)) broken(w, "its own blocks cannot be applied", bad);
    return core;
}

/* From the newest snapshot and the blocks after it: the same state [P9]. */
static void check_snapshot(struct walk *w, const struct core *whole)
{
    if (w->saved.count == 0) return;
    uint64_t bad;
    void *memory = memory_new(w);
    struct core *core = core_new(w, memory);
    for (uint32_t i = 0; i < w->saved.count; i++)
        if (w->saved.slices[i]->record_count && !core_recover(core, w->saved.slices[i], true, &bad))
            broken(w, "a slice cannot be applied", bad);
    for (uint32_t i = 0; i < w->block_count && w->blocks[i]->number <= w->committed; i++)
        if (w->blocks[i]->first_position > w->saved.position && !core_recover(core, w->blocks[i], false, &bad))
            broken(w, "a block after the snapshot cannot be applied", bad);
    if (core_digest(core) != core_digest(whole)) broken(w, "a snapshot and the blocks after it make another state", w->saved.position);
    munmap(memory, w->memory_size);
}

static void restart(struct walk *w)
{
    while (w->block_count > 0 && w->blocks[w->block_count - 1]->number > w->committed)
        drop_last_block(w);
    munmap(w->memory, w->memory_size);
    w->memory = memory_new(w);
    w->core = recover(w, w->memory);
    check_snapshot(w, w->core);
    snapshot_drop(&w->saving);
    w->submitted = w->committed;
    w->life++;
    w->fetched_count = 0;
    w->now_ns += 1000000;
    core_start(w->core, w->now_ns, w->log_ms, "0123456789abcdef", 2, w->head + (1u << 20), w->committed + 1, 0);
    for (uint32_t i = 0; i <= PEERS; i++)
        w->peers[i].connection = 0, w->peers[i].ready = w->peers[i].subscribed = false;
}

/* ---- what the tape may do ---- */

static const struct span filters[] = { { (const uint8_t *)"a.>", 3 }, { (const uint8_t *)"b.>", 3 } };

static void do_hello(struct walk *w, uint32_t peer)
{
    struct walker *p = &w->peers[peer];
    uint64_t seq[HELD];
    uint32_t attempt[HELD], priority[HELD];
    struct msg_hello hello = { .protocol = 1,
                               .role = peer < WORKERS  ? ROLE_WORKER
                                       : peer == ADMIN ? ROLE_ADMIN
                                                       : ROLE_CLIENT,
                               .instance = span_of(p->id, 16),
                               .publisher = span_of(p->id, 16),
                               .first_unanswered = 1,
                               .epoch = span_text("0123456789abcdef"),
                               .max_event_bytes = takes_parts(w, p) ? 1 << 20 : 0,
                               .has_group = peer < WORKERS };
    hello.group =
        (struct group_spec){ .name = span_text("g"), .filters = filters, .filter_count = p->knows_b ? 2 : 1, .options = w->options };
    for (uint32_t i = 0; i < p->held_count; i++)
        seq[i] = p->held[i].seq, attempt[i] = p->held[i].attempt, priority[i] = p->held[i].priority;
    hello.held_seq = seq;
    hello.held_attempt = attempt;
    hello.held_priority = priority;
    hello.held_count = p->held_count;
    hello.held_generation = p->generation;
    if (p->connection) return;
    p->leaving = false;
    send_packet(w, peer, &(struct packet){ .hello = &hello });
}

struct variant {
    uint32_t token, delay; /* 0: none */
    bool once;
};

static struct variant variant_of(uint32_t how)
{
    return (struct variant){ .token = how % 2 ? how : 0, .delay = how % 8 == 4 ? how : 0, .once = how % 4 == 2 };
}

/* A peer does not send an at_most_once event to another life of the core [R-ONCE-4]. */
static bool may_be_sent_again(const struct walk *w, const struct walker *p, uint64_t number)
{
    return p->once_of[number] == ONCE_NOT || p->position_of[number] != 0 || p->life_of[number] == w->life;
}

static void do_publish(struct walk *w, uint32_t peer, uint32_t count, struct variant variant, bool again)
{
    struct walker *p = &w->peers[peer];
    uint8_t body[64 * 16];
    uint32_t sizes[16];
    struct event event = { .topic = span_text(count % 5 == 4 ? "b.x"
                                              : count % 2    ? "a.x"
                                                             : "a.y.z"),
                           .data = span_of("data", 4),
                           .priority = count % 3 == 2 ? count / 3 % 4 : 0 };
    if (!again && p->next_number + count >= NUMBERS) return;
    uint64_t first = p->next_number;
    if (again)
        first = first > count ? first - count : 1;
    else
        p->next_number += count;
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t said[2] = { peer, (uint32_t)(first + i) };
        if (!again && variant.token) p->token_of[first + i] = (uint8_t)((variant.token + i) % TOKENS + 1);
        if (!again) p->delay_of[first + i] = (uint8_t)variant.delay;
        if (!again && variant.once) p->once_of[first + i] = ONCE_SAID;
        if (!again) p->life_of[first + i] = w->life;
        if (again && !may_be_sent_again(w, p, first + i)) return;
        event.token = token_text(p->token_of[first + i]);
        event.delay_ms = 100 * p->delay_of[first + i];
        event.semantics = p->once_of[first + i] != ONCE_NOT ? EVENT_AT_MOST_ONCE : EVENT_AT_LEAST_ONCE;
        event.data = event.semantics ? span_of(said, sizeof said) : span_of("data", 4);
        event.key = span_of(&"abcd"[(count + i) % 4], (count + i) % 7 > 0);
        event.session = span_of(&"stuv"[count % 4], i % 5 > 0);
        sizes[i] = (uint32_t)event_encode(&event, NULL, 0, body + used);
        used += sizes[i];
    }
    struct msg_publish publish = { .first_number = first, .size = sizes, .count = count };
    if (again && p->sending.count && p->sending.number >= first && p->sending.number < first + count) return; /* that one is under way */
    if (first + count <= p->next_number)
        send_packet(w, peer, &(struct packet){ .publishes = &publish, .publish_count = 1, .body = span_of(body, used) });
}

/* The next packets of a large event that is under way; else of a new one, or of the last one again. */
static void do_large(struct walk *w, uint32_t peer, uint32_t how)
{
    static uint8_t room[PART_BYTES + 64];
    struct walker *p = &w->peers[peer];
    struct large_packet next;
    if (p->sending.count == 0) {
        bool again = how / 8 % 8 == 7 && p->sending.number > 0;
        if (!again && p->next_number + 1 >= NUMBERS) return;
        p->sending = (struct large_sending){ .number = again ? p->sending.number : p->next_number++, .count = 1 + how / 8 % 12 };
        p->life_of[p->sending.number] = w->life;
    }
    for (uint32_t i = 0; i <= how % 8 && p->sending.count > 0; i++) {
        make_room(w);
        if (p->sending.count == 0 || !p->ready) break; /* meanwhile it was forgotten */
        large_next(&p->sending, peer, how == 255, room, &next);
        send_packet(w, peer, &next.packet);
    }
}

static void do_settle(struct walk *w, uint32_t peer, uint32_t verb, uint32_t which, bool emit)
{
    struct walker *p = &w->peers[peer];
    if (!p->ready || p->held_count == 0) return;
    struct held held = p->held[which % p->held_count];
    struct event event = { .topic = span_text("a.out"),
                           .token = token_text(which % (2 * TOKENS) < TOKENS ? which % TOKENS + 1 : 0),
                           .data = span_of("emit", 4) };
    uint8_t body[64];
    uint32_t size = (uint32_t)event_encode(&event, NULL, 0, body), emits = 1;
    struct msg_settle settle = { .first_number = p->next_settle++, .lease = &held.lease, .verb = &verb, .count = 1 };
    if (p->settling_count < NUMBERS && verb != VERB_NACK) {
        p->settling[p->settling_count].number = settle.first_number;
        p->settling[p->settling_count].rejected = verb == VERB_REJECT;
        p->settling[p->settling_count++].seq = held.seq;
    }
    struct packet packet = { .settle = &settle };
    if (emit && verb != VERB_NACK) {
        settle.emits = &emits;
        settle.emit_size = &size;
        settle.emit_count = 1;
        packet.body = span_of(body, size);
    }
    uint32_t known = event_find(w, held.seq);
    struct letter_seen *letter = letters_at(&w->letters, held.seq);
    if (known != UINT32_MAX && verb != VERB_NACK) w->events[known].tried = 1;
    if (letter && verb != VERB_NACK) letter->tried = true;
    if (which % 7 != 6)
        let_go(p, held.seq);
    else
        p->held[which % p->held_count].settled = true; /* once more some day */
    send_packet(w, peer, &packet);
}

static void do_credit(struct walk *w, uint32_t peer, uint32_t more)
{
    struct walker *p = &w->peers[peer];
    p->credit += more;
    struct msg_credit credit = { .kind = peer < WORKERS ? CREDIT_DELIVER : CREDIT_EVENTS, .events = p->credit, .bytes = 1 << 30 };
    send_packet(w, peer, &(struct packet){ .credits = &credit, .credit_count = 1 });
}

static void do_subscribe(struct walk *w, uint32_t peer)
{
    struct walker *p = &w->peers[peer];
    if (p->subscribed) return;
    struct msg_subscribe m = {
        .subscription = 1, .filter = span_text("a.>"), .start = START_SEQ, .start_at = p->last_event, .epoch = span_text("0123456789abcdef")
    };
    p->subscribed = true;
    send_packet(w, peer, &(struct packet){ .subscribes = &m, .subscribe_count = 1 });
}

static void do_lease(struct walk *w, uint32_t peer, bool extend, uint32_t which)
{
    struct walker *p = &w->peers[peer];
    if (!p->ready || p->held_count == 0) return;
    struct held held = p->held[which % p->held_count];
    uint32_t ms = 5000;
    struct msg_extend extension = { &held.lease, &ms, 1 };
    struct msg_release release = { &held.lease, 1 };
    if (!extend) let_go(p, held.seq);
    send_packet(w, peer, extend ? &(struct packet){ .extend = &extension } : &(struct packet){ .release = &release });
}

static void do_leave(struct walk *w, uint32_t peer)
{
    struct msg_drain drain = { 0 };
    if (!w->peers[peer].ready) return;
    w->peers[peer].leaving = true;
    send_packet(w, peer, &(struct packet){ .drain = &drain });
}

static void do_gone(struct walk *w, uint32_t peer)
{
    step(w, &(struct core_in){ .gone = &w->peers[peer].connection, .gone_count = 1 });
    w->peers[peer].connection = 0;
    w->peers[peer].ready = w->peers[peer].subscribed = false;
}

/* All that was asked for is committed and answered. */
static void settle_down(struct walk *w)
{
    for (uint32_t i = 0; i < 8 || (i < 2000 && !w->answered); i++) {
        commit_until(w, w->submitted);
        w->now_ns += 1000000u;
        w->log_ms++;
        step(w, &(struct core_in){ 0 });
    }
}

static uint32_t do_manage(struct walk *w, struct msg_manage *m)
{
    m->id = 1;
    m->has_group = true;
    m->group.name = span_text("g");
    if (!w->peers[ADMIN].connection) do_hello(w, ADMIN);
    w->answered = false;
    send_packet(w, ADMIN, &(struct packet){ .manages = m, .manage_count = 1 });
    settle_down(w);
    if (!w->answered) broken(w, "a manage without an answer", m->action);
    return w->answer;
}

/* Nobody holds anything any more, but may think so. */
static void do_seek(struct walk *w, uint32_t how)
{
    settle_down(w);
    uint64_t place = w->event_count > 0 ? w->events[how % w->event_count].seq : 0;
    struct msg_manage m = { .action = ACTION_GROUP_SEEK, .group = { .start = START_SEQ, .start_at = place } };
    if (how % 4 == 0) m.group.start = START_FIRST;
    if (how % 4 == 1) m.group.start = START_TIME, m.group.start_at = w->log_ms - how;
    if (!w->group_exists || w->block_count + 64 >= BLOCKS) return;
    for (uint32_t i = 0; i < WORKERS; i++) {
        w->peers[i].settling_count = 0;
        for (uint32_t k = 0; k < w->peers[i].held_count; k++)
            w->peers[i].held[k].settled = true;
    }
    if (do_manage(w, &m) != CODE_OK) broken(w, "a seek that is refused", w->answer);
}

static void do_resume(struct walk *w)
{
    w->paused = false; /* it goes on in the step that hears it */
    do_manage(w, &(struct msg_manage){ .action = ACTION_GROUP_RESUME });
}

static void do_delete(struct walk *w)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        if (w->peers[i].connection) step(w, &(struct core_in){ .gone = &w->peers[i].connection, .gone_count = 1 });
        w->peers[i].connection = 0;
        w->peers[i].ready = false;
    }
    do_manage(w, &(struct msg_manage){ .action = ACTION_GROUP_DELETE });
}

/* Of one event, or all that there are. */
static void change_letters(struct walk *w, uint32_t how, bool retry)
{
    struct msg_manage m = { .action = retry ? ACTION_DEAD_RETRY : ACTION_DEAD_DROP };
    if (how % 2 && w->letters.count > 0) m.seq = w->letters.all[how / 2 % w->letters.count].event;
    if (w->group_exists) do_manage(w, &m);
}

static void change_group(struct walk *w, uint32_t how)
{
    static const uint32_t filters_field = 2;
    struct msg_manage m = {
        .action = ACTION_GROUP_SET, .group = { .filters = filters, .filter_count = how / 7 % 2 + 1 }, .set = &filters_field, .set_count = 1
    };
    switch (how % 7) {
    case 0:
        do_manage(w, &(struct msg_manage){ .action = ACTION_GROUP_PAUSE });
        break;
    case 1:
        do_resume(w);
        break;
    case 2:
        do_seek(w, how / 7);
        break;
    case 3:
        do_manage(w, &m);
        break;
    case 4:
        do_delete(w);
        break;
    default:
        change_letters(w, how / 7, how % 7 == 5);
    }
}

static void act(struct walk *w)
{
    make_room(w);
    uint32_t what = next_byte(w), peer = next_byte(w), how = next_byte(w);
    uint32_t worker = peer % WORKERS, client = WORKERS + peer % (PEERS - WORKERS);
    uint32_t anyone = peer % PEERS;
    if (what % 16 != 0 && what % 16 < 11 && !w->peers[what % 16 < 6 ? worker : client].ready) do_hello(w, what % 16 < 6 ? worker : client);
    switch (what % 16) {
    case 0:
        do_hello(w, anyone);
        break;
    case 1:
        do_credit(w, worker, how % 8);
        break;
    case 2:
    case 3:
        do_settle(w, worker, VERB_ACK, how, how % 3 == 0);
        break;
    case 4:
        do_settle(w, worker, how % 2 ? VERB_NACK : VERB_REJECT, how / 2, false);
        break;
    case 5:
        do_lease(w, worker, how % 2, how / 2);
        break;
    case 6:
    case 7:
        do_publish(w, client, 1 + how % 9, variant_of(how / 9), false);
        break;
    case 8:
        if (how < 128)
            do_publish(w, client, 1 + how % 4, (struct variant){ 0 }, true);
        else
            do_large(w, client, how);
        break;
    case 9:
        do_subscribe(w, client);
        break;
    case 10:
        do_credit(w, client, how % 8);
        break;
    case 11:
    case 12:
        commit_until(w, w->submitted);
        step(w, &(struct core_in){ 0 });
        break;
    case 13:
        w->now_ns += (uint64_t)how * 20000000u;
        w->log_ms += how * 20;
        step(w, &(struct core_in){ 0 });
        break;
    case 14:
        if (how % 4 == 1) do_leave(w, worker);
        if (how % 4 || !w->peers[anyone].connection) break;
        do_gone(w, anyone);
        break;
    case 15:
        if (how % 16 == 0) restart(w);
        if (how % 16 == 15) w->trim_wish = w->head; /* what must outlive it is carried forward; nothing is trimmed */
        if (how % 16 < 8)
            core_snapshot(w->core);
        else if (how % 16 < 10)
            change_group(w, next_byte(w));
        break;
    }
}

/* Faults are over: everybody works until nothing is left. */
static void finish(struct walk *w)
{
    do_resume(w);
    for (uint32_t round = 0; round < 40000; round++) {
        for (uint32_t i = 0; i < WORKERS; i++) {
            if (w->peers[i].connection && w->peers[i].leaving) do_gone(w, i);
            if (!w->peers[i].connection) do_hello(w, i);
            do_credit(w, i, 64);
            for (uint32_t k = 0; k < 64 && w->peers[i].held_count; k++)
                do_settle(w, i, VERB_ACK, 0, false);
        }
        commit_until(w, w->submitted);
        w->now_ns += 500000000u;
        w->log_ms += 500;
        step(w, &(struct core_in){ 0 });
        step(w, &(struct core_in){ 0 });
        struct core_stats stats;
        core_stats(w->core, &stats);
        bool all = w->submitted == w->committed && core_is_quiet(w->core) && stats.leases + stats.failed + stats.dead == 0;
        if (stats.dead > 0 && do_manage(w, &(struct msg_manage){ .action = ACTION_DEAD_RETRY }) == CODE_OVERLOADED)
            do_manage(w, &(struct msg_manage){ .action = ACTION_DEAD_DROP }); /* makes room for those that wait to be letters */
        for (uint32_t i = 0; all && i < w->delay_count; i++)
            all = w->delays[i].came;
        for (uint32_t i = 0; all && i < w->event_count; i++)
            all = w->events[i].settled || w->events[i].tried || letters_newest(&w->letters, w->events[i].first);
        if (all) break;
    }
}

static void judge(struct walk *w)
{
    struct core_stats stats;
    core_stats(w->core, &stats);
    if (w->group_exists && w->event_count < EVENTS && w->block_count < BLOCKS) {
        for (uint32_t i = 0; i < w->event_count; i++)
            if (!w->events[i].settled && !w->events[i].tried && !letters_newest(&w->letters, w->events[i].first))
                broken(w, "lost", w->events[i].seq);
        for (uint32_t i = 0; i < w->delay_count; i++)
            if (!w->delays[i].came) broken(w, "a delayed event that never came", w->delays[i].seq);
        if (stats.dead) broken(w, "dead letters are left when all were retried", stats.dead);
        if (stats.leases || stats.failed) broken(w, "leases or failures are left when all was done", stats.leases + stats.failed);
    }
    void *memory = memory_new(w);
    const struct core *again = recover(w, memory);
    uint64_t live = core_digest(w->core), recovered = core_digest(again);
    check_snapshot(w, again);
    munmap(memory, w->memory_size);
    if (core_is_quiet(w->core) && live != recovered) broken(w, "the recovered state differs", recovered);
}

/* Half of the walks have a plain group, the others what the next bytes say. */
static void choose_options(struct walk *w)
{
    uint32_t plain = next_byte(w), order = next_byte(w), limits = next_byte(w);
    w->options = (struct group_options){ .lease_ms = 2000, .backoff_ms = 100, .max_deliveries = MAX_DELIVERIES, .max_deaths = 2 };
    if (plain % 2) return;
    w->options.ordering = order % 4;
    if (order & 16) w->options.affinity = AFFINITY_SESSION, w->options.affinity_wait_ms = 1 + 10 * (order >> 4);
    if (limits & 1) w->options.limit = 1 + (limits >> 4);
    if (limits & 2) w->options.limit_each = 1 + (limits >> 5), w->options.limit_by = span_text("word:2");
}

uint64_t walk(const uint8_t *tape, size_t size)
{
    struct walk *w = calloc(1, sizeof *w);
    w->tape = tape;
    w->size = size;
    w->events = calloc(EVENTS, sizeof *w->events);
    w->delays = calloc(EVENTS, sizeof *w->delays);
    w->config = (struct core_config){
        .limits = { .peers_max = 16,
                    .tenants_max = 1,
                    .groups_max = 4,
                    .leases_max = 512,
                    .failed_max = 48,
                    .busy_keys_max = 40,
                    .parked_max = 24,
                    .parked_per_group_max = 16,
                    .dead_max = 24,
                    .dead_per_group_max = 20,
                    .subscriptions_max = 16,
                    .publishers_max = 8,
                    .tokens_max = 14,
                    .held_max = 24,
                    .held_per_tenant = 24,
                    .tokens_per_tenant = 16,
                    .blocks_cached = 8,
                    .ranges_per_group_max = 256,
                    .turn_items_max = 20480 },
        .secret = { 1, 2 },
        .tenant_count = 1,
        .settle_at_once = true,
        .token_life_ms = TOKEN_LIFE_MS,
        .server = span_text("weir/walk"),
        .adopt_grace_ms = 1000,
        .heartbeat_ms = 100000000,
    };
    choose_options(w);
    w->memory_size = core_memory(&w->config);
    w->memory = memory_new(w);
    w->core = core_new(w, w->memory);
    w->now_ns = w->log_ms = 1000000;
    for (uint32_t i = 0; i < PEERS; i++) {
        w->peers[i].id[0] = (uint8_t)(i + 1);
        w->peers[i].next_number = 1;
    }
    core_start(w->core, w->now_ns, w->log_ms, "0123456789abcdef", 1, 1, 1, 0);
    while (w->at < size)
        act(w);
    finish(w);
    judge(w);
    uint64_t trace = w->trace;
    snapshot_drop(&w->saved);
    snapshot_drop(&w->saving);
    while (w->block_count)
        drop_last_block(w);
    free(w->events);
    free(w->delays);
    munmap(w->memory, w->memory_size);
    free(w);
    return trace;
}
