/* What the shell's parts share: one loop thread owns all of it. Kind: shell. */
#ifndef WEIR_GATEWAY_GATEWAY_H
#define WEIR_GATEWAY_GATEWAY_H

#include <libwebsockets.h>
#include <uv.h>

#include "gateway/core/gate.h"
#include "gateway/shell/config.h"
#include "gateway/shell/uplink.h"

struct server;

struct gateway {
    const struct config *config;
    uv_loop_t loop;
    struct gate *gate;
    struct uplink *uplink;
    struct server *server;
    bool draining;
};

/* Per socket: lws keeps one for each connection, HTTP ones included. Small on purpose: thousands are idle. */
struct session {
    struct lws *wsi;
    uint32_t conn;              /* the core's handle; 0: not a WebSocket, or not one any more */
    uint32_t heard_s, pinged_s; /* seconds of the loop's clock */
    uint32_t closing_s;         /* since when the core wants it closed; 0: it does not */
    bool close_sent, skipping /* the rest of a frame that is refused */, binary;
    struct assembly *assembly; /* a frame that came in pieces */
};

#endif
