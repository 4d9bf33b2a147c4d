/* The scanner against protobuf-c: both take or both refuse, both find the same fields, and what the scanner found encodes to the same
 * bytes. */
#include "proto/event.h"

#include <stdlib.h>

#include "sdk/base/topic.h"
#include "tests/fuzz/fuzz.h"
#include "weir.pb-c.h"

static bool same(struct span found, ProtobufCBinaryData wanted)
{
    return span_equal(found, span_of(wanted.data, wanted.len));
}

static enum event_scan expected(const Weir__V1__Event *e)
{
    if (!topic_is_valid(span_of(e->topic.data, e->topic.len))) return EVENT_BAD_TOPIC;
    if (e->key.len > EVENT_KEY_MAX || e->session.len > EVENT_SESSION_MAX || e->token.len > EVENT_TOKEN_MAX) return EVENT_BAD_FIELD;
    if (e->type.len > EVENT_TYPE_MAX || e->content_type.len > EVENT_TYPE_MAX || e->n_headers > EVENT_HEADERS_MAX) return EVENT_BAD_FIELD;
    if (e->priority > 3 || (uint32_t)e->semantics > EVENT_AT_MOST_ONCE) return EVENT_BAD_FIELD;
    if (e->reply_to.len > 0 && !topic_is_valid(span_of(e->reply_to.data, e->reply_to.len))) return EVENT_BAD_FIELD;
    return EVENT_OK;
}

static void compare(const struct event *found, const Weir__V1__Event *wanted)
{
    must(same(found->topic, wanted->topic) && same(found->key, wanted->key) && same(found->session, wanted->session));
    must(same(found->token, wanted->token) && same(found->type, wanted->type) && same(found->content_type, wanted->content_type));
    must(same(found->data, wanted->data) && same(found->traceparent, wanted->traceparent) && same(found->tracestate, wanted->tracestate));
    must(same(found->reply_to, wanted->reply_to) && same(found->parts, wanted->parts));
    must(found->time_ms == wanted->time_ms && found->ttl_ms == wanted->ttl_ms && found->delay_ms == wanted->delay_ms);
    must(found->not_before_ms == wanted->not_before_ms && found->deadline_ms == wanted->deadline_ms);
    must(found->priority == wanted->priority && found->semantics == (uint32_t)wanted->semantics);
    must(found->reply == wanted->reply && found->code == wanted->code);
    must(found->header_count == wanted->n_headers);
}

static void compare_headers(const struct event *found, const Weir__V1__Event *wanted, struct event_header *out)
{
    size_t cursor = 0;
    for (size_t i = 0; i < wanted->n_headers; i++) {
        must(event_header_next(found, &cursor, &out[i].name, &out[i].value));
        must(same(out[i].name, wanted->headers[i]->name) && same(out[i].value, wanted->headers[i]->value));
    }
    struct span name, value;
    must(!event_header_next(found, &cursor, &name, &value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[64 * 1024 * 1024];
    struct reference reference;
    struct event found;
    enum event_scan result = event_scan(span_of(data, size), &found);
    must(size <= EVENT_LARGE_BYTES_MAX && result != EVENT_TOO_LARGE);
    reference_init(&reference, memory, sizeof memory);
    Weir__V1__Event *wanted = weir__v1__event__unpack(&reference.allocator, size, data);
    must(!reference.full);
    must((wanted == NULL) == (result == EVENT_MALFORMED));
    if (wanted == NULL) return 0;
    must(result == expected(wanted));
    if (result != EVENT_OK) return 0;
    struct event_header headers[EVENT_HEADERS_MAX];
    compare(&found, wanted);
    compare_headers(&found, wanted, headers);
    reference_strip(&wanted->base);
    size_t packed_size = weir__v1__event__get_packed_size(wanted);
    uint8_t *packed = malloc(packed_size + 1), *encoded = malloc(packed_size + 1);
    weir__v1__event__pack(wanted, packed);
    must(event_encoded_size(&found, headers, found.header_count) == packed_size);
    must(event_encode(&found, headers, found.header_count, encoded) == packed_size);
    must(memcmp(encoded, packed, packed_size) == 0);
    struct span token = event_token(span_of(data, size)); /* a guess, but never beyond the event */
    must(token.size == 0 || (token.data >= data && token.data + token.size <= data + size));
    must(span_equal(event_token(span_of(encoded, packed_size)), found.token));
    free(packed);
    free(encoded);
    return 0;
}
