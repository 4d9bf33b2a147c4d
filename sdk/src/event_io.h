/* Events between the user's struct and their encoding. */
#ifndef WEIR_SDK_EVENT_IO_H
#define WEIR_SDK_EVENT_IO_H

#include <weir/weir.h>

#include "proto/event.h"

/* An event of the user's, ready to be encoded: all is lent by the user's struct. */
struct outgoing {
    struct event event;
    struct event_header headers[EVENT_HEADERS_MAX];
    size_t header_count, size; /* size: encoded */
};

/* now_ms: for an author who does not say the time. WEIR_OK | WEIR_INVALID | WEIR_TOO_LARGE; *out_why says what is wrong, a constant. The
 * topic is not checked: see topic_is_valid. Up to EVENT_LARGE_BYTES_MAX, without its data up to EVENT_BYTES_MAX; what a coordinator takes may
 * be less. */
weir_status event_prepare(struct outgoing *outgoing, const weir_event *event, uint64_t now_ms, const char **out_why);

/* A weir_event over encoded bytes, made in place: every string gets its NUL in the byte after it, so the bytes cannot be scanned again, and
 * there must be one byte more than size. *out_headers is NULL or the user's to free. False: no event, or no memory. An event whose data did
 * not come with it has the field `parts`. */
bool event_view(uint8_t *bytes, size_t size, weir_event *out_view, weir_header **out_headers, struct event *out_scanned);

#endif
