/* Reading a client's fields. A field of a wrong kind is the client's mistake and answered here, once, so that callers only say `return`. */
#include "gateway/core/gate_parts.h"

bool refuse(struct gate *g, const struct request_context *ctx, uint32_t code, const char *message)
{
    send_error(g, ctx->conn, ctx->id, code, span_text(message), 0);
    return false;
}

/* "NAME must be WHAT" */
static bool refuse_field(struct gate *g, const struct request_context *ctx, const char *name, const char *what)
{
    char text[96];
    struct writer w;
    writer_init(&w, text, sizeof text);
    write_text(&w, name);
    write_text(&w, " must be ");
    write_text(&w, what);
    send_error(g, ctx->conn, ctx->id, CODE_BAD_REQUEST, span_of(text, writer_size(&w)), 0);
    return false;
}

bool field_text(struct gate *g, const struct request_context *ctx, const char *name, size_t size_max, struct span *out)
{
    struct jscan_value value = jscan_get(ctx->object, name);
    *out = span_of(NULL, 0);
    if (value.kind == JSCAN_NONE || value.kind == JSCAN_NULL) return true;
    if (value.kind != JSCAN_STRING) return refuse_field(g, ctx, name, "a string");
    must(g->strings_used + value.raw.size <= g->config.limits.frame_bytes_max); /* fields of one frame do not overlap */
    uint8_t *text = g->strings + g->strings_used;
    size_t size = jscan_unescape(value.raw, text);
    if (size > size_max) return refuse_field(g, ctx, name, "shorter");
    g->strings_used += (uint32_t)size;
    *out = span_of(text, size);
    return true;
}

bool field_uint(struct gate *g, const struct request_context *ctx, const char *name, uint64_t max, uint64_t initial, uint64_t *out)
{
    struct jscan_value value = jscan_get(ctx->object, name);
    *out = initial;
    if (value.kind == JSCAN_NONE || value.kind == JSCAN_NULL) return true;
    if (!jscan_to_uint(value, out)) return refuse_field(g, ctx, name, "a whole number");
    return *out <= max ? true : refuse_field(g, ctx, name, "smaller");
}

bool field_filter(struct gate *g, const struct request_context *ctx, struct span *out)
{
    if (!field_text(g, ctx, "topic", TOPIC_BYTES_MAX, out)) return false;
    if (!filter_is_valid(*out)) return refuse_field(g, ctx, "topic", "a topic or a filter");
    if (out->data[0] == '$') return refuse(g, ctx, CODE_FORBIDDEN, "topics that begin with $ are the system's own");
    return true;
}

static bool is_epoch(struct span text)
{
    if (text.size != EPOCH_BYTES) return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return false;
    }
    return true;
}

static bool place_of_text(struct gate *g, const struct request_context *ctx, struct place *out)
{
    struct span text;
    if (!field_text(g, ctx, "since", 64, &text)) return false;
    if (span_equal(text, span_text("start"))) {
        out->start = START_FIRST;
        return true;
    }
    if (time_parse(text, &out->at)) {
        out->start = START_TIME;
        return true;
    }
    if (event_id_parse(text, &out->epoch, &out->at) && is_epoch(out->epoch)) {
        out->start = START_SEQ;
        return true;
    }
    return refuse_field(g, ctx, "since", "an event id, \"start\" or a time");
}

bool field_place(struct gate *g, const struct request_context *ctx, uint32_t initial, struct place *out)
{
    *out = (struct place){ .start = initial };
    uint64_t last;
    if (!field_uint(g, ctx, "last", HISTORY_MAX, 0, &last)) return false;
    struct jscan_value since = jscan_get(ctx->object, "since");
    bool has_since = since.kind != JSCAN_NONE && since.kind != JSCAN_NULL;
    if (last > 0) {
        if (has_since) return refuse(g, ctx, CODE_BAD_REQUEST, "since and last exclude each other");
        *out = (struct place){ .start = START_LAST, .at = last };
        return true;
    }
    if (!has_since) return true;
    if (since.kind == JSCAN_STRING) return place_of_text(g, ctx, out);
    if (!field_uint(g, ctx, "since", UINT64_MAX, 0, &out->at)) return false;
    out->start = START_TIME;
    return true;
}

bool same_id(struct span a, struct span b)
{
    return a.size > 0 && span_equal(a, b);
}
