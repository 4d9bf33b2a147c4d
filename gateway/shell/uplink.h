/* The gateway's one connection to the coordinator: a ZeroMQ DEALER in the libuv loop, driven by the link. Kind: shell; loop thread. */
#ifndef WEIR_GATEWAY_UPLINK_H
#define WEIR_GATEWAY_UPLINK_H

#include <uv.h>

#include "gateway/shell/config.h"

struct uplink;

/* The core's calls reach the link through this; made before the core, which needs it in its config. NULL: no memory, or ZeroMQ does not
 * start (said in the journal). */
struct uplink *uplink_open(uv_loop_t *loop, const struct config *config);
struct gate_uplink uplink_calls(struct uplink *uplink);
/* The core that facts go to; from now on it connects. */
void uplink_start(struct uplink *uplink, struct gate *gate);

/* Sends what is due, opens and closes connections as the link wants. At the end of each turn of the loop. */
void uplink_turn(struct uplink *uplink);

bool uplink_is_up(const struct uplink *uplink); /* there is a welcome */
struct uplink_stats {
    uint64_t connects, packets_in, packets_out, bytes_in, bytes_out;
};
const struct uplink_stats *uplink_stats(const struct uplink *uplink);

/* Ends its handles; uplink_free after the loop has run their close callbacks. */
void uplink_close(struct uplink *uplink);
void uplink_free(struct uplink **uplink);

/* Now, for the core and the link: one clock for both. */
void uplink_tell_time(struct gate *gate);

#endif
