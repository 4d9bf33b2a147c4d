/* The ROUTER: packets in, packets out, and which connections have ended. Kind: shell. One thread, the loop's. */
#ifndef WEIR_COORDINATOR_ROUTER_H
#define WEIR_COORDINATOR_ROUTER_H

#include "coordinator/shell/access.h"
#include "coordinator/shell/config.h"
#include "coordinator/shell/curve.h"

#include <zmq.h>

struct router;

struct router_counters {
    uint64_t packets_in, bytes_in, packets_out, bytes_out;
    uint64_t opened;      /* connections that sent a first packet */
    uint64_t ended;       /* reported gone */
    uint64_t refused;     /* the table was full, or the peer chose its own routing id: cut */
    uint64_t forgotten;   /* cut because the core said so */
    uint64_t unreachable; /* packets for a connection that had ended */
    uint64_t stuck;       /* packets for a connection that takes none: cut */
    uint64_t handshake_failures, accept_failures;
    uint64_t connections; /* gauge */
};

/* Binds all addresses of the configuration. NULL: *error says which one and why. curve NULL: none. */
struct router *router_open(const struct config *config, const struct access *access, struct curve *curve, char *error, size_t error_size);

/* The addresses it really has, joined by commas; lent by the router. */
const char *router_addresses(const struct router *router);

void *router_socket(struct router *router);  /* to poll for ZMQ_POLLIN */
void *router_monitor(struct router *router); /* to poll for ZMQ_POLLIN */

/* A packet as it came. Both frames are owned by the caller once given; router_release closes them. */
struct router_packet {
    uint32_t connection;
    zmq_msg_t head, body;
    bool has_body;
    bool malformed; /* not one or two frames */
};
enum router_read { ROUTER_PACKET, ROUTER_SKIPPED /* something came that is nobody's business above */, ROUTER_EMPTY };

/* Never blocks. ROUTER_PACKET gives *out. */
enum router_read router_receive(struct router *router, uint64_t now_ns, struct router_packet *out);
void router_release(struct router_packet *packet);

/* What this connection may do. */
struct core_grant router_grant(struct router *router, uint32_t connection);
void router_set_grant(struct router *router, uint32_t connection, const struct core_grant *grant);

/* Sends head and, when there are pieces, their bytes as a second frame; both are copied. Never blocks: a connection that is gone or takes
 * nothing more is counted, cut, and reported gone later. */
void router_send(struct router *router, uint32_t connection, struct span head, const struct packet *packet, uint64_t now_ns);

/* Ends a connection: from now on what it sends is dropped; it is cut when what was sent to it had time to leave. */
void router_forget(struct router *router, uint32_t connection, uint64_t now_ns);

/* Once a turn, after the reading: takes the monitor's news and finds out who is gone. drained: the ROUTER was read empty in this turn.
 * Writes at most gone_max numbers of ended connections, which belong into the *next* step. Returns how many. */
size_t router_tick(struct router *router, uint64_t now_ns, bool drained, uint32_t *gone, size_t gone_max);
uint64_t router_deadline_ns(const struct router *router); /* when it wants the next tick; UINT64_MAX: never */

void router_counters(const struct router *router, struct router_counters *out);

/* Closes; packets already sent get linger_ms to leave. */
void router_close(struct router **router, int linger_ms);

#endif
