/* What a client hears, held against what was written, and told to the oracle. */
#include <stdlib.h>
#include <string.h>

#include "proto/event.h"
#include "tests/sim/frames.h"
#include "tests/sim/web.h"

static struct client_sub *sub_of_filter(struct client *c, struct span frame)
{
    for (uint32_t i = 0; i < c->sub_count; i++)
        if (frame_is(frame, "topic", c->subs[i].filter)) return &c->subs[i];
    return NULL;
}

static struct client_sub *sub_of_id(struct client *c, uint64_t id)
{
    for (uint32_t i = 0; i < c->sub_count; i++)
        if (c->subs[i].state == SUB_ASKED && c->subs[i].id == id) return &c->subs[i];
    return NULL;
}

static void move_cursor(struct client_sub *sub, struct span frame, const char *name)
{
    struct span text;
    uint64_t seq = frame_cursor(frame, name);
    if (!frame_field(frame, name, &text) || text.size >= CURSOR_MAX || (sub->cursor[0] && seq <= sub->cursor_seq)) return;
    memcpy(sub->cursor, text.data, text.size);
    sub->cursor[text.size] = 0;
    sub->cursor_seq = seq;
}

/* What came between its own place and the one that it is told has left the window. */
static void skip_to_cursor(struct client *c, struct client_sub *sub, struct span frame)
{
    uint64_t seq = frame_cursor(frame, "cursor");
    if (seq == 0) return;
    oracle_viewer_skips(c->sim->oracle, sub->viewer, seq);
    move_cursor(sub, frame, "cursor");
}

static void close_sub(struct client *c, struct client_sub *sub)
{
    if (sub->state != SUB_CLOSED) oracle_viewer_leaves(c->sim->oracle, sub->viewer);
    sub->state = SUB_CLOSED;
    sub->ack_ns = NEVER;
    sub->retry_ns = c->sim->now_ns + 200 * NS_PER_MS;
}

void client_loses(struct client *c)
{
    for (uint32_t i = 0; i < c->sub_count; i++)
        close_sub(c, &c->subs[i]);
    for (uint32_t i = 0; i < c->call_count; i++) {
        if (c->calls[i].kind == CALL_PUBLISH) oracle_user_answer(c->sim->oracle, c->calls[i].event, UINT64_MAX);
        if (c->calls[i].kind == CALL_REQUEST) oracle_user_unanswered(c->sim->oracle, c->calls[i].event, ORACLE_GONE, c->sim->now_ns);
    }
    c->call_count = 0;
    c->greeted = false;
}

/* -- events -- */

void client_event_met(struct sim *sim, struct span bytes)
{
    struct event event;
    if (oracle_event_of(sim->oracle, bytes.data, bytes.size) || event_scan(bytes, &event) != EVENT_OK) return;
    uint32_t intent = oracle_event_with(sim->oracle, event.data.data, event.data.size);
    if (!intent) return;
    if (!span_equal(event.topic, span_text(oracle_topic(sim->oracle, intent))))
        sim_fail(sim, "gateways_say_what_clients_said", "event %u goes to another topic", intent);
    oracle_encoded(sim->oracle, intent, bytes.data, bytes.size, event.deadline_ms);
}

static void same_text(struct client *c, struct span frame, const char *name, struct span written)
{
    struct span read = { NULL, 0 };
    for (size_t i = 0; i < written.size; i++)
        if (written.data[i] < ' ' || written.data[i] == '"' || written.data[i] == '\\') return; /* a liar's: JSON says it otherwise */
    (void)frame_field(frame, name, &read);
    if (!span_equal(read, written)) sim_fail(c->sim, "clients_see_what_was_written", "%s sees another %s", c->name, name);
}

static void check_event(struct client *c, struct span frame, uint64_t seq)
{
    struct sim *sim = c->sim;
    struct event event;
    struct span data, bytes = { NULL, 0 };
    uint32_t known = oracle_event_at(sim->oracle, seq);
    if (!known && oracle_is_gone(sim->oracle, seq)) return;
    if (known) bytes.data = oracle_bytes(sim->oracle, known, &bytes.size);
    if (!known || event_scan(bytes, &event) != EVENT_OK)
        sim_fail(sim, "nothing_from_nowhere", "%s sees seq %llu, which nobody wrote", c->name, (unsigned long long)seq);
    same_text(c, frame, "topic", event.topic);
    same_text(c, frame, "key", event.key);
    same_text(c, frame, "session", event.session);
    if (frame_true(frame, "too_large") && event.data.size > EVENT_BYTES_MAX && frame_number(frame, "size") == event.data.size)
        ; /* it would fill its queue */
    else if (!frame_data(frame, sim->web->room, sizeof sim->web->room, &data) || !span_equal(data, event.data))
        sim_fail(sim, "clients_see_what_was_written", "%s sees other data at seq %llu", c->name, (unsigned long long)seq);
    if (frame_cursor(frame, frame_cursor(frame, "cursor") ? "cursor" : "event") != seq)
        sim_fail(sim, "clients_see_what_was_written", "%s sees seq %llu under another id", c->name, (unsigned long long)seq);
}

static bool matches(const struct client_sub *sub, struct span frame)
{
    char topic[64];
    struct span text;
    if (!frame_field(frame, "topic", &text) || text.size >= sizeof topic) return false;
    memcpy(topic, text.data, text.size);
    topic[text.size] = 0;
    return oracle_fits(sub->filter, topic);
}

/* A frame does not say of which subscription it is: a client that resumes by cursors has filters that do not overlap. */
static struct client_sub *sub_of_event(struct client *c, struct span frame)
{
    for (uint32_t i = 0; i < c->sub_count; i++)
        if (c->subs[i].state != SUB_CLOSED && matches(&c->subs[i], frame)) return &c->subs[i];
    return NULL;
}

static void hear_event(struct client *c, struct span frame)
{
    uint64_t seq = frame_number(frame, "seq");
    struct client_sub *sub = sub_of_event(c, frame);
    check_event(c, frame, seq);
    if (!sub) sim_fail(c->sim, "only_what_matches", "%s sees seq %llu, for which it has no subscription", c->name, (unsigned long long)seq);
    oracle_viewer_event(c->sim->oracle, sub->viewer, seq);
    move_cursor(sub, frame, frame_cursor(frame, "cursor") ? "cursor" : "event");
    if (!sub->credit) return;
    sub->unacked++;
    uint64_t wait_ms = c->sim->healing ? 5 : 500;
    if (sub->ack_ns == NEVER) sub->ack_ns = c->sim->now_ns + chance_between(&c->random, 0, wait_ms) * NS_PER_MS;
}

/* -- answers -- */

static void hear_subscribed(struct client *c, struct client_sub *sub, struct span frame)
{
    struct oracle_subscribed plain = { .cursor = frame_cursor(frame, "cursor"),
                                       .recovered = frame_number(frame, "recovered"),
                                       .gap = frame_true(frame, "gap") };
    sub->state = SUB_OPEN;
    oracle_viewer_confirmed(c->sim->oracle, sub->viewer, &plain);
    move_cursor(sub, frame, "cursor");
}

static struct client_call *call_of_id(struct client *c, struct span frame)
{
    uint64_t id = frame_number(frame, "id");
    for (uint32_t i = 0; i < c->call_count; i++)
        if (c->calls[i].id == id) return &c->calls[i];
    sim_fail(c->sim, "one_answer_per_call", "%s hears an answer to %llu, which waits for none", c->name, (unsigned long long)id);
}

static void hear_partial(struct client *c, struct span frame)
{
    struct span data;
    const struct client_call *call = call_of_id(c, frame);
    if (!frame_field(frame, "data", &data)) sim_fail(c->sim, "pieces_are_what_was_written", "%s hears a piece without data", c->name);
    struct oracle_partial plain = piece_read((uint32_t)frame_number(frame, "attempt"), (uint32_t)frame_number(frame, "index"), data);
    oracle_user_partial(c->sim->oracle, call->event, &plain);
}

/* A worker's refusal comes as the message of an error: the JSON that it wrote, as a string. */
static bool is_declined(struct span frame, uint8_t *room, size_t room_size, struct span *out)
{
    struct span text;
    size_t size = 0;
    if (!frame_field(frame, "message", &text) || text.size == 0 || text.data[0] != '{') return false;
    for (size_t i = 0; i < text.size && size < room_size; i++)
        if (text.data[i] != '\\') room[size++] = text.data[i];
    *out = span_of(room, size);
    return true;
}

static enum oracle_no_answer why_none(struct span frame)
{
    if (frame_is(frame, "code", "timeout")) return ORACLE_TIMEOUT;
    if (frame_is(frame, "code", "cancelled")) return ORACLE_CANCELLED;
    return frame_is(frame, "code", "gone") ? ORACLE_GONE : ORACLE_DECLINED;
}

static void hear_of_request(struct client *c, uint32_t event, struct span frame)
{
    struct oracle *o = c->sim->oracle;
    struct span data;
    bool replied = frame_is(frame, "type", "reply") ? frame_field(frame, "data", &data)
                                                    : is_declined(frame, c->sim->web->room, sizeof c->sim->web->room, &data);
    if (replied)
        oracle_user_replied(o, event, data.data, data.size);
    else
        oracle_user_unanswered(o, event, why_none(frame), c->sim->now_ns);
}

/* Its request has its answer, or has been told that it is cancelled, when the cancel is answered. */
static void hear_of_cancel(struct client *c, uint32_t event)
{
    for (uint32_t i = 0; i < c->call_count; i++)
        if (c->calls[i].kind == CALL_REQUEST && c->calls[i].event == event)
            sim_fail(c->sim, "cancelled_is_told", "%s has cancelled event %u, which goes on", c->name, event);
}

static void hear_answer(struct client *c, struct span frame, bool ok)
{
    uint64_t id = frame_number(frame, "id");
    struct client_sub *sub = sub_of_id(c, id);
    if (sub && ok) hear_subscribed(c, sub, frame);
    if (sub && !ok) skip_to_cursor(c, sub, frame);
    if (sub && !ok) close_sub(c, sub);
    if (sub) return;
    struct client_call *at = call_of_id(c, frame), call = *at;
    *at = c->calls[--c->call_count];
    if (call.kind == CALL_REQUEST) return hear_of_request(c, call.event, frame);
    if (call.kind == CALL_CANCEL) return hear_of_cancel(c, call.event);
    uint64_t seq = ok ? frame_number(frame, "seq") : frame_is(frame, "code", "gone") ? UINT64_MAX : 0;
    if (ok && seq == 0) sim_fail(c->sim, "users_hear_what_was_said", "%s hears an ok without a place", c->name);
    oracle_user_answer(c->sim->oracle, call.event, seq);
}

/* Without an id: of a subscription that goes on with a gap, or has ended. */
static void hear_error(struct client *c, struct span frame)
{
    struct client_sub *sub = sub_of_filter(c, frame);
    if (!sub && frame_is(frame, "code", "not_found")) return; /* an ack crossed the end of its subscription */
    if (!sub) sim_fail(c->sim, "clients_are_understood", "%s is told of an error of its own", c->name);
    if (frame_true(frame, "ended")) {
        skip_to_cursor(c, sub, frame);
        close_sub(c, sub);
    } else {
        oracle_viewer_misses(c->sim->oracle, sub->viewer);
    }
}

void client_hears(struct client *c, struct span frame)
{
    story_says(c->sim, "%s hears %.*s", c->name, frame.size < STORY_FRAME ? (int)frame.size : STORY_FRAME, (const char *)frame.data);
    struct span id;
    bool answers = frame_field(frame, "id", &id);
    sim_note(c->sim, frame.size);
    if (frame_is(frame, "type", "event")) {
        hear_event(c, frame);
    } else if (frame_is(frame, "type", "partial")) {
        hear_partial(c, frame);
    } else if (frame_is(frame, "type", "reply")) {
        hear_answer(c, frame, true);
    } else if (frame_is(frame, "type", "ok") || (frame_is(frame, "type", "error") && answers)) {
        hear_answer(c, frame, frame_is(frame, "type", "ok"));
    } else if (frame_is(frame, "type", "error")) {
        hear_error(c, frame);
    } else if (frame_is(frame, "type", "hello")) {
        c->greeted = true;
    } else if (frame_is(frame, "type", "slow_down")) {
        c->slowed = true;
    }
}
