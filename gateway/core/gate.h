/* The gateway's core: connections, subscriptions, fan-out, requests, pressure. It holds no socket and reads no clock: a shell tells it what
 * came in and takes what has to go out. Pure: one region of memory, cut up at the start from the limits; nothing is allocated afterwards.
 *
 *     clients  --gate_open, gate_text, gate_closed-->  core  --gate_uplink (publish, subscribe, …)-->   coordinator
 *              <--gate_dirty, gate_output, gate_close_code--  <--gate_fact--
 *
 * Kept at all times:
 * - every message of a client that asks for an answer gets exactly one final one; who is gone gets none, and what it asked is cleaned up;
 * - an event is framed once per distinct (tenant, filter), however many sockets it goes to; they share the bytes by reference;
 * - a subscription gets its events in the order of their seq, none twice, none left out, also across the change from its private
 *   (catching up) to the shared (live) stream;
 * - what waits for a socket is bounded in bytes; at half of it the client is told, at the limit its connection ends (4529). */
#ifndef WEIR_GATEWAY_GATE_H
#define WEIR_GATEWAY_GATE_H

#include "sdk/link/link.h"

struct gate; /* lives in the caller's memory */

struct gate_limits {
    uint32_t connections_max;
    uint32_t subscriptions_max;     /* of all clients together */
    uint32_t topics_max;            /* subscriptions held at the coordinator: distinct live filters, streams that catch up, inboxes */
    uint32_t operations_max;        /* messages of clients without their answer */
    uint32_t own_subscriptions_max; /* per connection */
    uint32_t own_operations_max;    /* per connection */
    uint64_t pool_bytes;            /* frames that wait for their sockets, all together */
    uint32_t queue_bytes;           /* per socket */
    uint32_t frame_bytes_max;       /* a client's frame; the shell refuses larger ones */
    uint32_t auth_ms;               /* a connection without a credential is closed after that */
    uint32_t answer_ms;             /* a subscribe or history that the coordinator does not answer is given up after that */
    uint32_t lease_ms;              /* told in hello: the client hears something at least that often */
};
enum { GATE_TENANTS_MAX = 1024, GATE_TOPICS_MAX = (1 << 20) - 1, GATE_OUTPUT_BYTES = 64 * 1024, GATE_FRAME_OUT_MAX = 1024 * 1024 };

/* Who a credential is. Lent for ever. */
struct gate_identity {
    struct span token, tenant, client;
};

/* How the core reaches the coordinator: the link's calls (sdk/link/link.h) without the link and its clock. */
struct gate_uplink {
    void *self;
    enum link_result (*publish)(void *self, struct span tenant, size_t size, size_t data_size, uint8_t **out_bytes, uint64_t *out_number);
    enum link_result (*subscribe)(void *self, const struct link_subscription *subscription);
    void (*unsubscribe)(void *self, uint64_t subscription);
    void (*grant)(void *self, uint64_t subscription, uint64_t events);
    void (*consumed)(void *self, struct span tenant, uint64_t events, uint64_t bytes);
    void (*cancel)(void *self, struct span tenant, uint64_t seq);
};

struct gate_config {
    struct gate_limits limits;
    const struct gate_identity *identities; /* static tokens; lent for ever */
    uint32_t identity_count;
    bool dev;           /* no credential is asked for; who shows none is in tenant `dev` */
    const char *server; /* told in hello: "weir/0.1.0" */
    uint64_t secret[2]; /* random: names connections, keys the hash tables */
    struct gate_uplink uplink;
};

size_t gate_memory(const struct gate_config *config);
struct gate *gate_init(void *zeroed_memory, const struct gate_config *config);

/* Before each batch of inputs. monotonic_ms never runs back; unix_ms stamps what clients publish. */
void gate_now(struct gate *gate, uint64_t monotonic_ms, uint64_t unix_ms);

/* When gate_tick wants to be called next (monotonic ms); UINT64_MAX: nothing is due. */
uint64_t gate_deadline(const struct gate *gate);
void gate_tick(struct gate *gate);

/* The identity of a token, NULL when nobody has it. */
const struct gate_identity *gate_identify(const struct gate *gate, struct span token);

/* A new WebSocket; identity NULL: the first frame has to be `auth` (dev: nothing). Gives a handle, 0 when the table is full. */
uint32_t gate_open(struct gate *gate, const struct gate_identity *identity);
void gate_text(struct gate *gate, uint32_t connection, struct span text); /* one whole text frame */
void gate_bad_frame(struct gate *gate, uint32_t connection, const char *message);
void gate_close(struct gate *gate, uint32_t connection, uint16_t code,
                const char *reason);                      /* as if the core had decided it; text lent for ever */
void gate_closed(struct gate *gate, uint32_t connection); /* the socket is gone, the handle with it */

/* The next connection with something to write or to close, each once per change; 0: none. */
uint32_t gate_dirty(struct gate *gate);
/* Moves whole frames into out, at most GATE_OUTPUT_BYTES or one frame; room: GATE_OUTPUT_BYTES + GATE_FRAME_OUT_MAX. 0: nothing waits. */
size_t gate_output(struct gate *gate, uint32_t connection, uint8_t *out);
bool gate_has_output(const struct gate *gate, uint32_t connection);
/* 0: stays open. The socket is to be closed once gate_output has nothing left. */
uint16_t gate_close_code(const struct gate *gate, uint32_t connection, const char **out_reason);

/* What the link tells: facts go in as they come. As none of the link's calls is allowed meanwhile, what the core wants from it as a result
 * (unsubscribe, grant, consumed) waits for gate_settle_uplink. */
void gate_fact(struct gate *gate, const struct link_fact *fact);
void gate_settle_uplink(struct gate *gate);
/* At each LINK_UP: the epoch that event ids begin with. */
void gate_set_epoch(struct gate *gate, struct span epoch);

/* Tells every client to reconnect within reconnect_ms (each its own time below it); gate_drain_end closes those that stayed (1001). */
void gate_drain(struct gate *gate, uint32_t reconnect_ms);
void gate_drain_end(struct gate *gate);

struct gate_stats {
    uint64_t connections, subscriptions, topics, operations, pool_bytes;                                         /* now */
    uint64_t opened, frames_in, bytes_in, frames_out, bytes_out, events_in, events_out, slow_downs, slow_closes; /* since the start */
    uint64_t errors[CODE_COUNT]; /* told to clients, by code */
};
const struct gate_stats *gate_stats(struct gate *gate);

#endif
