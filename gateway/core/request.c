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

static void take_answer(struct gate *g, uint32_t handle, struct span bytes)
{
    const struct op *op = op_at(g, handle);
    struct event event;
    if (event_scan(bytes, &event) != EVENT_OK || event.reply == EVENT_REPLY_NONE) return;
    if (event.reply == EVENT_REPLY_OK) {
        send_reply(g, op, &event);
    } else {
        send_refusal(g, op, &event);
    }
    op_close(g, handle);
}

static void take_partial(struct gate *g, struct op *op, const struct stray *head, struct span data)
{
    if (op->attempt == 0) op->group = head->group; /* of several that answer the one that spoke first */
    if (head->group != op->group) return;
    if (head->attempt > op->attempt) {
        op->attempt = head->attempt;
        op->index = 0;
    }
    if (head->attempt < op->attempt || head->index != op->index) return;
    op->index++;
    struct writer w;
    frame_begin(g, &w);
    write_head(&w, "partial", op_id(op));
    write_text(&w, ",\"attempt\":");
    write_uint(&w, head->attempt);
    write_text(&w, ",\"index\":");
    write_uint(&w, head->index);
    write_data(&w, span_of(NULL, 0), data);
    write_text(&w, "}");
    send_frame(g, op->conn, &w);
}

void request_answer(struct gate *g, const struct stray *head, struct span bytes)
{
    uint32_t handle = map_get(&g->requests, head->cause);
    if (handle == 0) return;
    if (head->attempt == 0) {
        take_answer(g, handle, bytes);
    } else {
        take_partial(g, op_at(g, handle), head, bytes);
    }
}

static void take(struct gate *g, uint32_t conn, const struct stray *head, struct span bytes)
{
    if (map_get(&g->requests, head->cause) != 0) {
        request_answer(g, head, bytes);
    } else {
        stray_keep(g, conn, head, bytes);
    }
}

void inbox_events(struct gate *g, struct topic *t, const struct link_fact *fact)
{
    const uint8_t *at = fact->events.body.data;
    for (size_t i = 0; i < fact->events.count; i++) {
        struct span bytes = span_of(at, fact->events.size[i]);
        at += bytes.size;
        if (fact->events.cause != NULL) take(g, t->owner, &(struct stray){ .cause = fact->events.cause[i] }, bytes);
    }
}

void inbox_partial(struct gate *g, const struct link_fact *fact)
{
    uint32_t topic = topic_find(g, fact->partial.subscription);
    if (topic == 0 || topic_at(g, topic)->kind != TOPIC_INBOX || topic_at(g, topic)->leaving) return;
    const struct stray head = {
        .cause = fact->partial.cause, .group = fact->partial.group, .attempt = fact->partial.attempt, .index = fact->partial.index
    };
    take(g, topic_at(g, topic)->owner, &head, fact->partial.data);
}
