/* A client's frame: which messages are in it, and who takes each. */
#include "gateway/core/gate_parts.h"

static void take_ping(struct gate *g, const struct request_context *ctx)
{
    send_pong(g, ctx->conn, ctx->id);
}

static void take_auth(struct gate *g, const struct request_context *ctx)
{
    struct conn *c = conn_at(g, ctx->conn);
    struct span credential;
    if (!field_text(g, ctx, "credential", 8192, &credential)) return;
    const struct gate_identity *identity = gate_identify(g, credential);
    if (c->authorized && (identity == c->identity || identity == NULL) && (identity != NULL || g->config.dev)) {
        send_ok(g, ctx->conn, ctx->id);
        return;
    }
    if (c->authorized) {
        refuse(g, ctx, CODE_CONFLICT, "this connection has another credential already");
        return;
    }
    if (identity == NULL) {
        refuse(g, ctx, CODE_UNAUTHORIZED, "the credential is not known");
        conn_end(g, ctx->conn, 4401, "unauthorized");
        return;
    }
    c->identity = identity;
    c->tenant = g->tenant_of[identity - g->config.identities];
    c->authorized = true;
    heap_remove(&g->auth_deadlines, ctx->conn);
    send_ok(g, ctx->conn, ctx->id);
}

static void take_later(struct gate *g, const struct request_context *ctx)
{
    refuse(g, ctx, CODE_UNSUPPORTED, "this message is not served yet");
}

typedef void take(struct gate *g, const struct request_context *ctx);
static const struct {
    const char *type;
    take *take;
    bool before_auth;
} messages[] = {
    { "publish", take_publish, false },
    { "ack", take_ack, false },
    { "subscribe", take_subscribe, false },
    { "unsubscribe", take_unsubscribe, false },
    { "request", take_request, false },
    { "cancel", take_cancel, false },
    { "history", take_history, false },
    { "ping", take_ping, true },
    { "auth", take_auth, true },
    { "presence", take_later, true },
    { "deliver", take_later, true },
    { "settle", take_later, true },
    { "poll", take_later, true },
};

/* False: an error has been sent. */
static bool read_id(struct gate *g, struct request_context *ctx)
{
    struct jscan_value id = jscan_get(ctx->object, "id");
    if (id.kind == JSCAN_NONE || id.kind == JSCAN_NULL) return true;
    if (id.kind != JSCAN_NUMBER && id.kind != JSCAN_STRING) return refuse(g, ctx, CODE_BAD_REQUEST, "id must be a number or a string");
    if (id.raw.size > ID_BYTES_MAX) return refuse(g, ctx, CODE_BAD_REQUEST, "id must be at most 64 bytes");
    ctx->id = id.raw;
    return true;
}

void take_message(struct gate *g, uint32_t conn, const struct jscan_object *object)
{
    struct request_context ctx = { .conn = conn, .object = object };
    g->strings_used = 0;
    if (!read_id(g, &ctx)) return;
    struct jscan_value type = jscan_get(object, "type");
    struct span name;
    if (type.kind != JSCAN_STRING) {
        refuse(g, &ctx, CODE_BAD_REQUEST, "type is missing");
        return;
    }
    if (!field_text(g, &ctx, "type", 64, &name)) return;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        if (!span_equal(name, span_text(messages[i].type))) continue;
        if (!conn_at(g, conn)->authorized && !messages[i].before_auth) {
            refuse(g, &ctx, CODE_UNAUTHORIZED, "the first message has to be auth");
            return;
        }
        messages[i].take(g, &ctx);
        return;
    }
    refuse(g, &ctx, CODE_UNSUPPORTED, "unknown type");
}

void gate_bad_frame(struct gate *g, uint32_t conn, const char *message)
{
    g->stats.frames_in++;
    if (conn_at(g, conn)->close_code == 0) send_error(g, conn, span_of(NULL, 0), CODE_BAD_FRAME, span_text(message), 0);
}

static void bad_frame(struct gate *g, uint32_t conn, enum jscan_result result)
{
    send_error(g, conn, span_of(NULL, 0), CODE_BAD_FRAME, span_text(jscan_result_text(result)), 0);
}

static void take_one(struct gate *g, uint32_t conn, struct span text)
{
    struct jscan_object object;
    enum jscan_result result = jscan_object(text, &object);
    if (result != JSCAN_OK) {
        bad_frame(g, conn, result);
        return;
    }
    take_message(g, conn, &object);
}

/* A batch is checked whole before its first message counts: a broken frame does nothing. */
static void take_batch(struct gate *g, uint32_t conn, struct span text)
{
    enum jscan_result result = jscan_check(text);
    if (result != JSCAN_OK) {
        bad_frame(g, conn, result);
        return;
    }
    size_t offset = 0;
    struct jscan_value value;
    while (jscan_array_next(text, &offset, &value) && conn_at(g, conn)->close_code == 0) {
        if (value.kind == JSCAN_OBJECT) {
            take_one(g, conn, value.raw);
        } else {
            send_error(g, conn, span_of(NULL, 0), CODE_BAD_FRAME, span_text("a message is an object"), 0);
        }
    }
}

void gate_text(struct gate *g, uint32_t conn, struct span text)
{
    g->stats.frames_in++;
    g->stats.bytes_in += text.size;
    if (conn_at(g, conn)->close_code != 0) return;
    size_t i = 0;
    while (i < text.size && strchr(" \t\r\n", text.data[i]) != NULL && text.data[i] != 0)
        i++;
    if (i < text.size && text.data[i] == '[') {
        take_batch(g, conn, text);
    } else {
        take_one(g, conn, text);
    }
}
