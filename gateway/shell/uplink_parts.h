/* What the uplink's two files share: the socket's side (uplink.c) and the link's (uplink_link.c). */
#ifndef WEIR_GATEWAY_UPLINK_PARTS_H
#define WEIR_GATEWAY_UPLINK_PARTS_H

#include "gateway/shell/uplink.h"
#include "sdk/base/arena.h"

/* A uv_poll on a ZeroMQ descriptor; it outlives its socket until libuv has closed it. */
struct watch {
    uv_poll_t poll;
    struct uplink *uplink;
};

struct uplink {
    uv_loop_t *loop;
    const struct config *config;
    struct gate *gate;
    void *context, *socket, *monitor;
    struct watch *socket_watch, *monitor_watch;
    uv_timer_t timer;
    uv_idle_t again;
    struct link *link;
    size_t link_size;
    struct arena decode, encode;
    uint32_t connection; /* the link's number of the socket we have; 0: none */
    uint32_t sockets_made;
    bool connected; /* handshake done */
    enum link_state state;
    bool closing;
    struct uplink_stats stats;
};

/* Makes u->link; false: no memory. */
bool uplink_make_link(struct uplink *uplink);
void *uplink_reserve(size_t size); /* address space whose pages cost nothing until touched; NULL: none */

#endif
