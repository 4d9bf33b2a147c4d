/* Events between the user's struct and their encoding. */
#include "sdk/src/event_io.h"

#include <stdlib.h>

static struct span text(const char *given)
{
    return given != NULL ? span_text(given) : span_of(NULL, 0);
}

static const char *check(const struct event *e, const weir_event *given)
{
    if (e->topic.size == 0) return "an event needs a topic";
    if (e->key.size > EVENT_KEY_MAX || e->session.size > EVENT_SESSION_MAX || e->token.size > EVENT_TOKEN_MAX ||
        e->type.size > EVENT_TYPE_MAX)
        return "key, session, token and type are at most 255 bytes";
    if (given->header_count > EVENT_HEADERS_MAX) return "an event has at most 64 headers";
    if (given->priority > 3) return "priority is 0 to 3";
    if (given->semantics != WEIR_AT_LEAST_ONCE && given->semantics != WEIR_AT_MOST_ONCE) return "semantics are not known";
    if (given->data == NULL && given->data_size != 0) return "data is NULL but data_size is not 0";
    return NULL;
}

weir_status event_prepare(struct outgoing *outgoing, const weir_event *given, uint64_t now_ms, const char **out_why)
{
    struct event *e = &outgoing->event;
    *e = (struct event){
        .topic = text(given->topic),
        .key = text(given->key),
        .session = text(given->session),
        .token = text(given->token),
        .type = text(given->type),
        .content_type = text(given->content_type),
        .data = span_of(given->data, given->data_size),
        .traceparent = text(given->traceparent),
        .tracestate = text(given->tracestate),
        .reply_to = text(given->reply_to),
        .time_ms = given->time_ms != 0 ? given->time_ms : now_ms,
        .ttl_ms = given->ttl_ms,
        .deadline_ms = given->deadline_ms,
        .priority = given->priority,
        .semantics = (uint32_t)given->semantics,
        .delay_ms = given->delay_ms,
        .not_before_ms = given->not_before_ms,
    };
    *out_why = check(e, given);
    if (*out_why != NULL) return WEIR_INVALID;
    outgoing->header_count = given->header_count;
    for (size_t i = 0; i < given->header_count; i++)
        outgoing->headers[i] = (struct event_header){ text(given->headers[i].name), text(given->headers[i].value) };
    *out_why = "an event is at most 64 MiB, and without its data 64 KiB";
    if (e->data.size > EVENT_LARGE_BYTES_MAX) return WEIR_TOO_LARGE;
    outgoing->size = event_encoded_size(e, outgoing->headers, outgoing->header_count);
    bool fits = outgoing->size <= EVENT_LARGE_BYTES_MAX && outgoing->size - e->data.size <= EVENT_BYTES_MAX;
    return fits ? WEIR_OK : WEIR_TOO_LARGE;
}

/* Ends the string in place. What it overwrites, the next field's tag, has been read already. */
static const char *end_text(uint8_t *bytes, struct span part)
{
    uint8_t *at;
    if (part.size == 0) return "";
    at = bytes + (part.data - bytes);
    at[part.size] = '\0';
    return (const char *)at;
}

static bool collect_headers(const struct event *event, weir_header **out_headers, struct span *parts)
{
    size_t cursor = 0, count = 0;
    weir_header *headers = calloc(event->header_count, sizeof *headers);
    if (headers == NULL) return false;
    while (count < event->header_count && event_header_next(event, &cursor, &parts[2 * count], &parts[2 * count + 1]))
        count++;
    *out_headers = headers;
    return true;
}

bool event_view(uint8_t *bytes, size_t size, weir_event *view, weir_header **out_headers, struct event *e)
{
    struct span parts[2 * EVENT_HEADERS_MAX];
    weir_header *headers = NULL;
    if (event_scan(span_of(bytes, size), e) != EVENT_OK) return false;
    if (e->header_count != 0 && !collect_headers(e, &headers, parts)) return false;
    for (size_t i = 0; i < e->header_count; i++)
        headers[i] = (weir_header){ end_text(bytes, parts[2 * i]), end_text(bytes, parts[2 * i + 1]) };
    *view = (weir_event){
        .size = sizeof *view,
        .topic = end_text(bytes, e->topic),
        .key = end_text(bytes, e->key),
        .session = end_text(bytes, e->session),
        .token = end_text(bytes, e->token),
        .type = end_text(bytes, e->type),
        .content_type = end_text(bytes, e->content_type),
        .traceparent = end_text(bytes, e->traceparent),
        .tracestate = end_text(bytes, e->tracestate),
        .reply_to = end_text(bytes, e->reply_to),
        .headers = headers,
        .header_count = e->header_count,
        .data = end_text(bytes, e->data),
        .data_size = e->data.size,
        .time_ms = e->time_ms,
        .ttl_ms = e->ttl_ms,
        .deadline_ms = e->deadline_ms,
        .priority = e->priority,
        .semantics = (weir_semantics)e->semantics,
        .delay_ms = e->delay_ms,
        .not_before_ms = e->not_before_ms,
    };
    *out_headers = headers;
    return true;
}
