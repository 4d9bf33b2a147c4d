/* Routing needs a few fields of each event, its bytes go on untouched: so an event is scanned where it lies, in one pass, instead of being
 * unpacked. This is the hottest code there is besides memcpy: one table look-up per field, no call per field but for headers.
 * What is syntax: exactly what protobuf-c accepts for Event. The last one of a repeated singular field wins, unknown fields are skipped. */
#include "proto/event.h"

#include <stddef.h>

#include "proto/field.h"
#include "sdk/base/topic.h"

enum kind { KIND_UNKNOWN, KIND_BYTES, KIND_U32, KIND_U64, KIND_HEADER };
enum { FIELD_TOPIC = 1, FIELD_TOKEN = 4, FIELD_HEADERS = 7, FIELD_LAST = 21, HEADER_NAME = 1, HEADER_VALUE = 2 };

/* What each field number of Event is, and where it goes. In number order; event_encode walks it too. */
static const struct {
    uint8_t kind;
    uint16_t offset; /* in struct event */
} fields[FIELD_LAST + 1] = {
    [1] = { KIND_BYTES, offsetof(struct event, topic) },
    [2] = { KIND_BYTES, offsetof(struct event, key) },
    [3] = { KIND_BYTES, offsetof(struct event, session) },
    [4] = { KIND_BYTES, offsetof(struct event, token) },
    [5] = { KIND_BYTES, offsetof(struct event, type) },
    [6] = { KIND_BYTES, offsetof(struct event, content_type) },
    [FIELD_HEADERS] = { KIND_HEADER, offsetof(struct event, headers) },
    [8] = { KIND_BYTES, offsetof(struct event, data) },
    [9] = { KIND_BYTES, offsetof(struct event, traceparent) },
    [10] = { KIND_BYTES, offsetof(struct event, tracestate) },
    [11] = { KIND_U64, offsetof(struct event, time_ms) },
    [12] = { KIND_U64, offsetof(struct event, ttl_ms) },
    [13] = { KIND_U64, offsetof(struct event, delay_ms) },
    [14] = { KIND_U64, offsetof(struct event, not_before_ms) },
    [15] = { KIND_U32, offsetof(struct event, priority) },
    [16] = { KIND_BYTES, offsetof(struct event, reply_to) },
    [17] = { KIND_U64, offsetof(struct event, deadline_ms) },
    [18] = { KIND_U32, offsetof(struct event, semantics) },
    [19] = { KIND_U32, offsetof(struct event, reply) },
    [20] = { KIND_U32, offsetof(struct event, code) },
    [21] = { KIND_BYTES, offsetof(struct event, parts) },
};

static inline void *place(struct event *event, uint32_t number)
{
    return (uint8_t *)event + fields[number].offset;
}

/* Name and value of an encoded Header. False when malformed. */
static bool read_header(struct span header, struct span *out_name, struct span *out_value)
{
    const uint8_t *at = header.data, *end = at + header.size;
    struct field field = { 0 };
    *out_name = *out_value = (struct span){ 0 };
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        if (field.number != HEADER_NAME && field.number != HEADER_VALUE) continue;
        if (field.wire != WIRE_BYTES) return false;
        *(field.number == HEADER_NAME ? out_name : out_value) = field.bytes;
    }
    return true;
}

/* Takes a field of a known number behind its tag; field_start is where the tag began. NULL when malformed. */
static inline const uint8_t *take_field(struct event *event, uint32_t number, uint32_t wire, const uint8_t *field_start, const uint8_t *at,
                                        const uint8_t *end)
{
    struct span bytes, name, value;
    uint64_t varint;
    switch (fields[number].kind) {
    case KIND_BYTES:
        if (wire != WIRE_BYTES) return NULL;
        at = field_bytes(at, end, &bytes);
        if (at != NULL) *(struct span *)place(event, number) = bytes;
        return at;
    case KIND_U32:
        if (wire != WIRE_VARINT) return NULL;
        at = field_varint(at, end, FIELD_VARINT_BYTES_MAX, &varint);
        if (at != NULL) *(uint32_t *)place(event, number) = (uint32_t)varint;
        return at;
    case KIND_U64:
        if (wire != WIRE_VARINT) return NULL;
        at = field_varint(at, end, FIELD_VARINT_BYTES_MAX, &varint);
        if (at != NULL) *(uint64_t *)place(event, number) = varint;
        return at;
    default: /* KIND_HEADER */
        if (wire != WIRE_BYTES) return NULL;
        at = field_bytes(at, end, &bytes);
        if (at == NULL || !read_header(bytes, &name, &value)) return NULL;
        if (event->header_count++ == 0) event->headers.data = field_start;
        event->headers.size = (size_t)(at - event->headers.data);
        return at;
    }
}

static bool scan_fields(struct span bytes, struct event *event)
{
    const uint8_t *at = bytes.data, *end = field_end(bytes);
    struct field unknown;
    while (at < end) {
        const uint8_t *start = at;
        uint32_t number, wire;
        at = field_tag(at, end, &number, &wire);
        if (at == NULL) return false;
        if (number >= FIELD_TOPIC && number <= FIELD_LAST)
            at = take_field(event, number, wire, start, at, end);
        else
            at = field_read(start, end, &unknown);
        if (at == NULL) return false;
    }
    return true;
}

enum event_scan event_scan(struct span bytes, struct event *out)
{
    if (bytes.size > EVENT_LARGE_BYTES_MAX) return EVENT_TOO_LARGE;
    memset(out, 0, sizeof *out);
    if (!scan_fields(bytes, out)) return EVENT_MALFORMED;
    if (!topic_is_valid(out->topic)) return EVENT_BAD_TOPIC;
    bool sizes = out->key.size <= EVENT_KEY_MAX && out->session.size <= EVENT_SESSION_MAX && out->token.size <= EVENT_TOKEN_MAX &&
                 out->type.size <= EVENT_TYPE_MAX && out->content_type.size <= EVENT_TYPE_MAX && out->header_count <= EVENT_HEADERS_MAX;
    if (!sizes || out->priority > 3 || out->semantics > EVENT_AT_MOST_ONCE) return EVENT_BAD_FIELD;
    if (out->reply_to.size > 0 && !topic_is_valid(out->reply_to)) return EVENT_BAD_FIELD;
    return EVENT_OK;
}

struct span event_token(struct span bytes)
{
    const uint8_t *at = bytes.data, *end = field_end(bytes);
    struct field field = { 0 };
    while (at < end && field.number < FIELD_TOKEN) {
        at = field_read(at, end, &field);
        if (at == NULL) break;
    }
    return field.number == FIELD_TOKEN && field.wire == WIRE_BYTES ? field.bytes : (struct span){ 0 };
}

bool event_header_next(const struct event *event, size_t *cursor, struct span *out_name, struct span *out_value)
{
    const uint8_t *end = field_end(event->headers);
    while (*cursor < event->headers.size) {
        struct field field = { 0 };
        const uint8_t *at = field_read(event->headers.data + *cursor, end, &field);
        if (at == NULL) return false;
        *cursor = (size_t)(at - event->headers.data);
        if (field.number == FIELD_HEADERS && field.wire == WIRE_BYTES) return read_header(field.bytes, out_name, out_value);
    }
    return false;
}

static size_t header_size(const struct event_header *header)
{
    return field_span_size(HEADER_NAME, header->name) + field_span_size(HEADER_VALUE, header->value);
}

static uint64_t number_in(const struct event *event, uint32_t number)
{
    const uint8_t *at = (const uint8_t *)event + fields[number].offset;
    return fields[number].kind == KIND_U64 ? *(const uint64_t *)(const void *)at : *(const uint32_t *)(const void *)at;
}

static struct span span_in(const struct event *event, uint32_t number)
{
    return *(const struct span *)(const void *)((const uint8_t *)event + fields[number].offset);
}

size_t event_encoded_size(const struct event *event, const struct event_header *headers, size_t header_count)
{
    size_t size = 0;
    for (uint32_t number = FIELD_TOPIC; number <= FIELD_LAST; number++) {
        if (fields[number].kind == KIND_BYTES)
            size += field_span_size(number, span_in(event, number));
        else if (fields[number].kind != KIND_HEADER)
            size += field_number_size(number, number_in(event, number));
    }
    for (size_t i = 0; i < header_count; i++) {
        size_t header = header_size(&headers[i]);
        size += 1 + field_varint_size(header) + header;
    }
    return size;
}

static uint8_t *put_header(uint8_t *out, const struct event_header *header)
{
    out = field_put_tag(out, FIELD_HEADERS, WIRE_BYTES);
    out = field_put_varint(out, header_size(header)); /* also when empty: a header with nothing in it is still one */
    out = field_put_span(out, HEADER_NAME, header->name);
    return field_put_span(out, HEADER_VALUE, header->value);
}

size_t event_encode(const struct event *event, const struct event_header *headers, size_t header_count, uint8_t *out)
{
    uint8_t *at = out;
    for (uint32_t number = FIELD_TOPIC; number <= FIELD_LAST; number++) {
        switch (fields[number].kind) {
        case KIND_BYTES:
            at = field_put_span(at, number, span_in(event, number));
            break;
        case KIND_HEADER:
            for (size_t i = 0; i < header_count; i++)
                at = put_header(at, &headers[i]);
            break;
        default:
            at = field_put_number(at, number, number_in(event, number));
        }
    }
    return (size_t)(at - out);
}
