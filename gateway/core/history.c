/* history: a subscription with a limit whose events are collected into one answer, which is bounded in number and in bytes. */
#include "gateway/core/gate_parts.h"

enum { HISTORY_CREDIT = 64 };

void take_history(struct gate *g, const struct request_context *ctx)
{
    struct span filter;
    struct place place;
    uint64_t limit;
    if (!field_filter(g, ctx, &filter) || !field_place(g, ctx, START_FIRST, &place) ||
        !field_uint(g, ctx, "limit", UINT64_MAX, HISTORY_DEFAULT, &limit))
        return;
    if (limit > HISTORY_MAX) limit = HISTORY_MAX;
    if (limit == 0) {
        refuse(g, ctx, CODE_BAD_REQUEST, "limit must be at least 1");
        return;
    }
    uint32_t op = op_open(g, ctx, OP_HISTORY, g->now_ms + g->config.limits.answer_ms);
    if (op == 0) return;
    op_at(g, op)->limit = (uint32_t)limit;
    uint64_t credit = limit < HISTORY_CREDIT ? limit : HISTORY_CREDIT;
    uint32_t topic = topic_open(g, TOPIC_HISTORY, conn_at(g, ctx->conn)->tenant, filter, op, &place, limit, credit);
    if (topic == 0) {
        op_error(g, op, CODE_OVERLOADED, span_text("too many subscriptions"), SLOW_RETRY_MS);
        return;
    }
    op_at(g, op)->topic = topic;
}

/* Appends to what the op has; false: no memory. */
static bool collect(struct gate *g, struct op *op, struct span text)
{
    size_t have = op->buffer != 0 ? pool_size(&g->pool, op->buffer) : 0;
    if (op->buffer == 0 || have + text.size > pool_capacity(&g->pool, op->buffer)) {
        uint32_t larger = have + text.size <= POOL_BUFFER_MAX ? pool_take(&g->pool, have + text.size) : 0;
        if (larger == 0) return false;
        if (have > 0) {
            memcpy(pool_data(&g->pool, larger), pool_data(&g->pool, op->buffer), have);
            pool_unref(&g->pool, op->buffer);
        }
        op->buffer = larger;
    }
    memcpy(pool_data(&g->pool, op->buffer) + have, text.data, text.size);
    pool_set_size(&g->pool, op->buffer, have + text.size);
    return true;
}

static bool collect_event(struct gate *g, struct op *op, struct event_stamp stamp, struct span bytes)
{
    struct writer w;
    writer_init(&w, g->scratch, GATE_FRAME_OUT_MAX);
    if (op->count > 0) write_text(&w, ",");
    if (!write_event(g, &w, &stamp, bytes, HISTORY_DATA_MAX)) return true;
    if (!collect(g, op, span_of(g->scratch, writer_size(&w)))) return false;
    op->count++;
    return true;
}
static_assert(HISTORY_BYTES + EVENT_ROOM + 1024 <= GATE_FRAME_OUT_MAX, "the event that passes the bound still fits into the answer");

static void answer(struct gate *g, uint32_t handle, uint64_t cursor, bool more)
{
    struct op *op = op_at(g, handle);
    struct writer w;
    frame_begin(g, &w);
    write_head(&w, "ok", op_id(op));
    write_text(&w, ",\"events\":[");
    if (op->buffer != 0) write_span(&w, span_of(pool_data(&g->pool, op->buffer), pool_size(&g->pool, op->buffer)));
    write_text(&w, op->gap ? "],\"gap\":true" : "],\"gap\":false");
    write_text(&w, more ? ",\"more\":true" : ",\"more\":false");
    write_text(&w, ",\"cursor\":\"");
    write_event_id(&w, epoch_of(g), cursor);
    write_text(&w, "\"}");
    send_frame(g, op->conn, &w);
    op_close(g, handle);
}

void history_events(struct gate *g, uint32_t topic, const struct link_fact *fact)
{
    struct topic *t = topic_at(g, topic);
    uint32_t handle = t->owner;
    struct op *op = op_at(g, handle);
    const uint8_t *at = fact->events.body.data;
    for (size_t i = 0; i < fact->events.count; i++) {
        struct span bytes = span_of(at, fact->events.size[i]);
        at += bytes.size;
        t->cursor = fact->events.seq[i];
        bool fits = collect_event(g, op, event_stamp(fact, i), bytes);
        if (fits && (op->buffer == 0 || pool_size(&g->pool, op->buffer) < HISTORY_BYTES)) continue;
        topic_leave(g, topic);
        if (fits) {
            answer(g, handle, t->cursor, true);
        } else {
            op->topic = 0;
            op_error(g, handle, CODE_OVERLOADED, span_text("no memory for the answer"), SLOW_RETRY_MS);
        }
        return;
    }
    t->received += fact->events.count;
    uint64_t target = t->received + HISTORY_CREDIT;
    if (target > op->limit) target = op->limit;
    if (target <= t->granted) return;
    t->grant += target - t->granted;
    t->granted = target;
    topic_touch(g, topic);
}

void history_end(struct gate *g, uint32_t topic, uint32_t code, bool more)
{
    struct topic *t = topic_at(g, topic);
    op_at(g, t->owner)->topic = 0;
    if (code == CODE_GONE) op_at(g, t->owner)->gap = true; /* what it had is the answer; it goes on behind the gap */
    if (code == CODE_OK || code == CODE_GONE) {
        answer(g, t->owner, t->cursor, more || code == CODE_GONE);
    } else {
        op_error(g, t->owner, code, span_of(NULL, 0), 0);
    }
}
