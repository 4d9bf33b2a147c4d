/* Answers to requests: events and partials that come to a connection's inbox. Which request they are for is said by their cause, the
 * request's seq. The first answer counts; a partial of an older attempt, or behind a hole, is not passed on [R-REQ-1, R-REQ-2]. */
#include "gateway/core/gate_parts.h"

static void send_reply(struct gate *g, const struct op *op, const struct event *event)
{
    struct writer w;
    frame_begin(g, &w);
    write_head(&w, "reply", op_id(op));
    write_event_data(&w, event, event_data_max(g));
    write_text(&w, "}");
    send_frame(g, op->conn, &w);
}

/* A worker's words for a refusal: a JSON string, or text as it is. */
static void send_refusal(struct gate *g, const struct op *op, const struct event *event)
{
    struct span message = event->data;
    if (message.size > 1024) message.size = 1024;
    bool quoted = message.size >= 2 && message.data[0] == '"' && jscan_check(message) == JSCAN_OK;
    if (quoted) {
        size_t size = jscan_unescape(message, g->strings);
        message = span_of(g->strings, size);
    }
    uint32_t code = event->code == CODE_OK ? CODE_INTERNAL : event->code;
    send_error(g, op->conn, op_id(op), code, message, 0);
}

static void take_answer(struct gate *g, uint64_t cause, struct span bytes)
{
    uint32_t handle = map_get(&g->requests, cause);
    struct event event;
    if (handle == 0 || event_scan(bytes, &event) != EVENT_OK || event.reply == EVENT_REPLY_NONE) return;
    struct op *op = op_at(g, handle);
    if (event.reply == EVENT_REPLY_OK) {
        send_reply(g, op, &event);
    } else {
        send_refusal(g, op, &event);
    }
    op_close(g, handle);
}

void inbox_events(struct gate *g, struct topic *t, const struct link_fact *fact)
{
    const uint8_t *at = fact->events.body.data;
    for (size_t i = 0; i < fact->events.count; i++) {
        struct span bytes = span_of(at, fact->events.size[i]);
        at += bytes.size;
        if (fact->events.cause != NULL && !t->leaving) take_answer(g, fact->events.cause[i], bytes);
    }
}

void inbox_partial(struct gate *g, const struct link_fact *fact)
{
    uint32_t handle = map_get(&g->requests, fact->partial.cause);
    if (handle == 0) return;
    struct op *op = op_at(g, handle);
    if (op->attempt == 0) op->group = fact->partial.group; /* of several that answer the one that spoke first */
    if (fact->partial.group != op->group) return;
    if (fact->partial.attempt > op->attempt) {
        op->attempt = fact->partial.attempt;
        op->index = 0;
    }
    if (fact->partial.attempt < op->attempt || fact->partial.index != op->index) return;
    op->index++;
    struct writer w;
    frame_begin(g, &w);
    write_head(&w, "partial", op_id(op));
    write_text(&w, ",\"attempt\":");
    write_uint(&w, fact->partial.attempt);
    write_text(&w, ",\"index\":");
    write_uint(&w, fact->partial.index);
    write_data(&w, span_of(NULL, 0), fact->partial.data);
    write_text(&w, "}");
    send_frame(g, op->conn, &w);
}
