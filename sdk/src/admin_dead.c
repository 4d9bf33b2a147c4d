/* Dead letters: asking for them, what is done with them, and the event that a letter holds. */
#include <stdlib.h>

#include "sdk/src/admin_parts.h"
#include "sdk/src/event_io.h"

static weir_status on_letters(weir_admin *admin, uint32_t action, const weir_letter_choice *which, int timeout_ms, weir_change *out_change)
{
    struct msg_manage m = {
        .action = action, .tenant = session_span(which->tenant), .has_group = true, .group = { .name = session_span(which->group) }
    };
    uint8_t epoch[EPOCH_BYTES];
    m.seq = which->seq;
    if (which->event != NULL && !session_parse_event_id(which->event, epoch, &m.seq))
        return admin_refuse(admin, "event: no event id (<epoch>-<position>)");
    if (which->event != NULL) m.epoch = span_of(epoch, sizeof epoch);
    return admin_manage(admin, &m, timeout_ms, out_change);
}

weir_status weir_admin_dead_retry(weir_admin *admin, const weir_letter_choice *which, int timeout_ms, weir_change *out_change)
{
    return on_letters(admin, ACTION_DEAD_RETRY, which, timeout_ms, out_change);
}

weir_status weir_admin_dead_drop(weir_admin *admin, const weir_letter_choice *which, int timeout_ms, weir_change *out_change)
{
    return on_letters(admin, ACTION_DEAD_DROP, which, timeout_ms, out_change);
}

struct weir_decoded {
    weir_event event; /* first: what the caller sees */
    weir_header *headers;
    uint8_t bytes[];
};

weir_status weir_event_decode(const void *bytes, size_t size, weir_decoded **out_decoded)
{
    struct event scanned;
    weir_decoded *decoded = malloc(sizeof *decoded + size + 1);
    if (decoded == NULL) return WEIR_NO_MEMORY;
    if (size != 0) memcpy(decoded->bytes, bytes, size);
    if (!event_view(decoded->bytes, size, &decoded->event, &decoded->headers, &scanned)) {
        free(decoded);
        return WEIR_INVALID;
    }
    *out_decoded = decoded;
    return WEIR_OK;
}

const weir_event *weir_decoded_event(const weir_decoded *decoded)
{
    return &decoded->event;
}

void weir_decoded_free(weir_decoded **decoded)
{
    if (*decoded == NULL) return;
    free((*decoded)->headers);
    free(*decoded);
    *decoded = NULL;
}
