/* What clients read of the gateway's frames: a naive reader of JSON objects that shares nothing with the gateway's own. It finds fields of
 * the outermost object; what it is given is taken to be one. */
#ifndef WEIR_SIM_FRAMES_H
#define WEIR_SIM_FRAMES_H

#include <stdbool.h>

#include "sdk/base/span.h"

bool frame_field(struct span frame, const char *name, struct span *out_raw); /* false: not there; a string comes without its quotes */
bool frame_is(struct span frame, const char *name, const char *text);
uint64_t frame_number(struct span frame, const char *name); /* 0: not there */
bool frame_true(struct span frame, const char *name);
uint64_t frame_cursor(struct span frame, const char *name); /* the seq of an event id; 0: none */
/* The content of `data`, or of `data_base64` with the base64 undone into room. False: neither, or no base64. */
bool frame_data(struct span frame, uint8_t *room, size_t room_size, struct span *out);

/* The first WebSocket frame of the bytes, which hold whole ones or, at their end, a piece of one. False: no whole one. */
struct socket_frame {
    bool is_close;
    uint16_t code; /* of a close frame */
    struct span payload;
};
bool frame_next(struct span *bytes, struct socket_frame *out);

#endif
