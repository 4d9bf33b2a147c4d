/* The event scanner: finds the fields of an encoded Event (weir.proto) without copying or allocating. Pure.
 * Accepts exactly what protobuf-c accepts for Event, within the limits below; the fuzzer holds the two against each other. */
#ifndef WEIR_PROTO_EVENT_H
#define WEIR_PROTO_EVENT_H

#include "sdk/base/span.h"

enum {
    EVENT_KEY_MAX = 255,
    EVENT_SESSION_MAX = 255,
    EVENT_TOKEN_MAX = 255,
    EVENT_TYPE_MAX = 255,
    EVENT_HEADERS_MAX = 64,
    EVENT_BYTES_MAX = 64 * 1024,              /* encoded; larger ones travel and are stored as parts (parts.h) */
    EVENT_LARGE_BYTES_MAX = 64 * 1024 * 1024, /* with them */
};

enum event_semantics { EVENT_AT_LEAST_ONCE = 0, EVENT_AT_MOST_ONCE = 1 };
enum event_reply { EVENT_REPLY_NONE = 0, EVENT_REPLY_OK = 1, EVENT_REPLY_ERROR = 2 };

/* Every span points into the scanned bytes. */
struct event {
    struct span topic, key, session, token, type, content_type, data, traceparent, tracestate, reply_to, parts;
    uint64_t time_ms, ttl_ms, delay_ms, not_before_ms, deadline_ms;
    uint32_t priority, semantics, reply, code;
    uint32_t header_count;
    struct span headers; /* from the first to the end of the last header field, walked by event_header_next */
};

enum event_scan { EVENT_OK, EVENT_MALFORMED, EVENT_BAD_TOPIC, EVENT_TOO_LARGE, EVENT_BAD_FIELD };

/* Scans and checks: size (EVENT_LARGE_BYTES_MAX), syntax, topic validity, field sizes (content type as type), priority <= 3, known semantics, reply_to empty or a valid topic.
 * Unless EVENT_OK, *out is undefined. Other fields are free: sizes only, no UTF-8 check; an unknown reply or code is kept. */
enum event_scan event_scan(struct span bytes, struct event *out);

/* The token of bytes that were not scanned yet, if its field is where fields in the order of their numbers have it; a guess. */
struct span event_token(struct span bytes);

/* Walks headers: *cursor starts at 0. False at the end. */
bool event_header_next(const struct event *event, size_t *cursor, struct span *out_name, struct span *out_value);

struct event_header {
    struct span name, value;
};

/* Encoded size of an event with these headers (event->headers and header_count are ignored). */
size_t event_encoded_size(const struct event *event, const struct event_header *headers, size_t header_count);

/* Encodes into out, which has event_encoded_size bytes; returns the bytes written. Fields in number order, zero and empty ones left out. */
size_t event_encode(const struct event *event, const struct event_header *headers, size_t header_count, uint8_t *out);

#endif
