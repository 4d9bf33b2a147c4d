/* publish, request, cancel, and what becomes of them. A published event is encoded straight into the link's ring: no copy in between. */
#include "gateway/core/gate_parts.h"

/* What a client's publish says: the event, its headers, and its data before base64 is undone. */
struct draft {
    struct event event;
    struct event_header headers[EVENT_HEADERS_MAX];
    size_t header_count;
};

static bool read_topic(struct gate *g, const struct request_context *ctx, struct span *out)
{
    if (!field_text(g, ctx, "topic", TOPIC_BYTES_MAX, out)) return false;
    if (!topic_is_valid(*out)) return refuse(g, ctx, CODE_BAD_REQUEST, "topic must be dotted words without * and >");
    if (out->data[0] == '$') return refuse(g, ctx, CODE_FORBIDDEN, "topics that begin with $ are the system's own");
    return true;
}

static bool read_semantics(struct gate *g, const struct request_context *ctx, uint32_t *out)
{
    struct span word;
    if (!field_text(g, ctx, "semantics", 16, &word)) return false;
    *out = EVENT_AT_LEAST_ONCE;
    if (word.size == 0 || span_equal(word, span_text("at_least_once"))) return true;
    *out = EVENT_AT_MOST_ONCE;
    if (span_equal(word, span_text("at_most_once"))) return true;
    return refuse(g, ctx, CODE_BAD_REQUEST, "semantics must be at_least_once or at_most_once");
}

static bool read_data(struct gate *g, const struct request_context *ctx, struct event *out)
{
    struct jscan_value data = jscan_get(ctx->object, "data");
    struct jscan_value base64 = jscan_get(ctx->object, "data_base64");
    if (base64.kind == JSCAN_NONE || base64.kind == JSCAN_NULL) {
        if (data.kind == JSCAN_NONE) return true;
        out->data = data.raw;
        out->content_type = span_text("application/json");
        return true;
    }
    if (data.kind != JSCAN_NONE) return refuse(g, ctx, CODE_BAD_REQUEST, "data and data_base64 exclude each other");
    struct span text;
    if (!field_text(g, ctx, "data_base64", SIZE_MAX, &text)) return false;
    size_t size;
    uint8_t *bytes = g->strings + (g->strings_used - text.size); /* decoded in place: it only gets shorter */
    if (!base64_decode(text, bytes, &size)) return refuse(g, ctx, CODE_BAD_REQUEST, "data_base64 is not base64");
    out->data = span_of(bytes, size);
    out->content_type = span_text("application/octet-stream");
    return true;
}

static bool read_headers(struct gate *g, const struct request_context *ctx, struct draft *d)
{
    struct jscan_value value = jscan_get(ctx->object, "headers");
    if (value.kind == JSCAN_NONE || value.kind == JSCAN_NULL) return true;
    struct jscan_object object;
    if (value.kind != JSCAN_OBJECT || jscan_object(value.raw, &object) != JSCAN_OK || object.count > EVENT_HEADERS_MAX)
        return refuse(g, ctx, CODE_BAD_REQUEST, "headers must be an object of at most 64 strings, each name once");
    for (size_t i = 0; i < object.count; i++) {
        if (object.fields[i].value.kind != JSCAN_STRING) return refuse(g, ctx, CODE_BAD_REQUEST, "a header must be a string");
        struct span name = object.fields[i].name;
        struct span raw_name = span_of(name.data - 1, name.size + 2); /* with its quotes */
        uint8_t *room = g->strings + g->strings_used;
        size_t name_size = jscan_unescape(raw_name, room);
        size_t value_size = jscan_unescape(object.fields[i].value.raw, room + name_size);
        g->strings_used += (uint32_t)(name_size + value_size);
        d->headers[d->header_count++] = (struct event_header){ span_of(room, name_size), span_of(room + name_size, value_size) };
    }
    return true;
}

static bool read_event(struct gate *g, const struct request_context *ctx, struct draft *d)
{
    struct event *e = &d->event;
    uint64_t priority;
    if (!read_topic(g, ctx, &e->topic) || !field_text(g, ctx, "key", EVENT_KEY_MAX, &e->key) ||
        !field_text(g, ctx, "session", EVENT_SESSION_MAX, &e->session) || !field_text(g, ctx, "token", EVENT_TOKEN_MAX, &e->token) ||
        !field_text(g, ctx, "event_type", EVENT_TYPE_MAX, &e->type) || !field_text(g, ctx, "traceparent", 255, &e->traceparent) ||
        !field_text(g, ctx, "tracestate", 512, &e->tracestate) || !field_uint(g, ctx, "ttl_ms", UINT64_MAX, 0, &e->ttl_ms) ||
        !field_uint(g, ctx, "delay_ms", UINT64_MAX, 0, &e->delay_ms) || !field_uint(g, ctx, "priority", 3, 0, &priority) ||
        !read_semantics(g, ctx, &e->semantics) || !read_headers(g, ctx, d) || !read_data(g, ctx, e))
        return false;
    e->priority = (uint32_t)priority;
    e->time_ms = g->unix_ms;
    return true;
}

static void refuse_result(struct gate *g, uint32_t op, enum link_result result)
{
    switch (result) {
    case LINK_TOO_LARGE:
        op_error(g, op, CODE_TOO_LARGE, span_text("the event is too large"), 0);
        break;
    case LINK_NO_CREDIT:
        op_error(g, op, g->up ? CODE_THROTTLED : CODE_OVERLOADED, span_text("the tenant publishes faster than is taken"), 200);
        break;
    default:
        op_error(g, op, CODE_OVERLOADED, span_text("the coordinator does not keep up, or is away"), 500);
        break;
    }
}

/* Hands the event to the link under a new number. The op is answered when the link has no room. */
static void submit(struct gate *g, uint32_t handle, const struct draft *d)
{
    struct op *op = op_at(g, handle);
    size_t size = event_encoded_size(&d->event, d->headers, d->header_count);
    uint8_t *room;
    uint64_t number;
    size_t data_size = d->event.data.size;
    enum link_result result =
        g->config.uplink.publish(g->config.uplink.self, g->tenants[op->tenant].name, size, data_size, &room, &number);
    if (result != LINK_OK) {
        op->kind = OP_PUBLISH;
        refuse_result(g, handle, result);
        op_close(g, handle); /* it never got a number: nothing else will */
        return;
    }
    must(event_encode(&d->event, d->headers, d->header_count, room) == size);
    uint32_t *slot = &g->op_of_number[number % PUBLISH_WINDOW];
    must(*slot == 0); /* the link's window is not wider */
    *slot = handle;
    op->sent_on = g->ups;
}

void take_publish(struct gate *g, const struct request_context *ctx)
{
    struct draft d = { 0 };
    if (!read_event(g, ctx, &d)) return;
    uint32_t op = op_open(g, ctx, OP_PUBLISH, 0);
    if (op != 0) submit(g, op, &d);
}

/* $inbox.<connection>, of which every request of the connection gets its answers. */
static struct span inbox_name(struct gate *g, const struct conn *c, uint8_t room[32])
{
    (void)g;
    struct writer w;
    writer_init(&w, room, 32);
    write_text(&w, "$inbox.");
    for (int shift = 60; shift >= 0; shift -= 4)
        write_bytes(&w, &"0123456789abcdef"[c->id >> shift & 15], 1);
    return span_of(room, writer_size(&w));
}

void take_request(struct gate *g, const struct request_context *ctx)
{
    struct draft d = { 0 };
    uint64_t timeout_ms;
    if (!read_event(g, ctx, &d) || !field_uint(g, ctx, "timeout_ms", REQUEST_MS_MAX, REQUEST_MS, &timeout_ms)) return;
    struct conn *c = conn_at(g, ctx->conn);
    uint8_t room[32];
    struct span inbox = inbox_name(g, c, room);
    const struct place now = { .start = START_NEW };
    if (c->inbox == 0) c->inbox = topic_open(g, TOPIC_INBOX, c->tenant, inbox, ctx->conn, &now, 0, 0);
    if (c->inbox == 0) {
        send_error(g, ctx->conn, ctx->id, CODE_OVERLOADED, span_text("too many inboxes"), SLOW_RETRY_MS);
        return;
    }
    d.event.reply_to = inbox;
    d.event.deadline_ms = g->unix_ms + timeout_ms;
    uint32_t op = op_open(g, ctx, OP_REQUEST, g->now_ms + timeout_ms);
    if (op != 0) submit(g, op, &d);
}

/* The worker is told once the event's seq is known. */
static void cancel_op(struct gate *g, uint32_t handle)
{
    struct op *op = op_at(g, handle);
    op_at(g, handle)->cancelled = true;
    struct span name = g->tenants[op->tenant].name;
    if (op->seq != 0) g->config.uplink.cancel(g->config.uplink.self, name, op->seq);
    op_error(g, handle, CODE_CANCELLED, span_text("cancelled by the client"), 0);
}

void take_cancel(struct gate *g, const struct request_context *ctx)
{
    struct jscan_value request = jscan_get(ctx->object, "request");
    if (request.kind != JSCAN_NUMBER && request.kind != JSCAN_STRING) {
        bool session = jscan_get(ctx->object, "session").kind != JSCAN_NONE;
        refuse(g, ctx, session ? CODE_UNSUPPORTED : CODE_BAD_REQUEST,
               session ? "cancel by session is not served yet" : "request is missing");
        return;
    }
    for (uint32_t op = conn_at(g, ctx->conn)->ops; op != 0; op = op_at(g, op)->next) {
        if (op_at(g, op)->kind != OP_REQUEST || !same_id(op_id(op_at(g, op)), request.raw)) continue;
        cancel_op(g, op);
        send_ok(g, ctx->conn, ctx->id);
        return;
    }
    refuse(g, ctx, CODE_NOT_FOUND, "no such request waits");
}

static uint32_t take_number(struct gate *g, uint64_t number)
{
    uint32_t *slot = &g->op_of_number[number % PUBLISH_WINDOW];
    uint32_t op = *slot;
    *slot = 0;
    return op;
}

static void publish_ok(struct gate *g, const struct op *op, uint64_t seq, bool duplicate)
{
    struct writer w;
    frame_begin(g, &w);
    write_head(&w, "ok", op_id(op));
    write_text(&w, ",\"event\":\"");
    write_event_id(&w, epoch_of(g), seq);
    write_text(&w, "\",\"seq\":");
    write_uint(&w, seq);
    write_text(&w, duplicate ? ",\"duplicate\":true}" : ",\"duplicate\":false}");
    send_frame(g, op->conn, &w);
}

static void accepted(struct gate *g, uint32_t handle, uint64_t seq, bool duplicate)
{
    struct op *op = op_at(g, handle);
    if (op->kind == OP_PUBLISH) {
        if (op->conn != 0) publish_ok(g, op, seq, duplicate);
        op_close(g, handle);
        return;
    }
    if (op->cancelled) { /* waits in the list for gate_settle_uplink: a fact may not call the link */
        op->seq = seq;
        op->next = g->first_cancel;
        g->first_cancel = handle;
        return;
    }
    if (op->conn != 0 && map_get(&g->requests, seq) != 0) {
        send_error(g, op->conn, op_id(op), CODE_CONFLICT, span_text("a request with this token waits already: it gets the answer"), 0);
        op_close(g, handle);
        return;
    }
    if (op->conn == 0 || !map_put(&g->requests, seq, handle)) {
        op_close(g, handle);
        return;
    }
    op->seq = seq;
    uint32_t conn = op->conn;
    strays_take(g, conn, seq); /* among them may be its answer */
    strays_drop(g, conn_at(g, conn));
}

void publish_accepted(struct gate *g, const struct link_fact *fact)
{
    for (uint64_t i = 0; i < fact->publish.count; i++) {
        uint32_t op = take_number(g, fact->publish.first_number + i);
        if (op != 0) accepted(g, op, fact->publish.first_seq + i, fact->publish.duplicate);
    }
}

void publish_refused(struct gate *g, const struct link_fact *fact)
{
    bool unknown = fact->kind == LINK_FACT_UNKNOWN;
    uint32_t code = unknown ? CODE_GONE : fact->publish.code;
    struct span message = unknown ? span_text("outcome unknown: it may have been accepted or not") : fact->publish.message;
    for (uint64_t i = 0; i < fact->publish.count; i++) {
        uint32_t op = take_number(g, fact->publish.first_number + i);
        if (op == 0) continue;
        if (op_at(g, op)->conn != 0)
            send_error(g, op_at(g, op)->conn, op_id(op_at(g, op)), code, message, unknown ? 0 : fact->publish.retry_ms);
        op_close(g, op);
    }
}
