/* Peers: connections that have said hello, what they may send and be sent, and the end of them. */
#ifndef WEIR_CORE_PEER_H
#define WEIR_CORE_PEER_H

#include "coordinator/core/state.h"

enum {
    CREDIT_VIOLATIONS_MAX = 100, /* [R-CREDIT-3] */
    MISTAKES_MAX = 100,          /* [R-WIRE-8] */
    STALE_MAX = 1 << 16,         /* [R-CREDIT-8] */
};

/* What one peer may send and be sent in one tenant [R-CREDIT-2, R-CREDIT-4]. */
struct lane {
    uint32_t peer, tenant, self, next; /* self: its own handle; next: of the peer */
    uint64_t publish_limit_events, publish_limit_bytes, publish_used_events, publish_used_bytes, publish_done_events, publish_done_bytes;
    uint64_t event_limit_events, event_limit_bytes, event_sent_events, event_sent_bytes;
    bool awaited; /* a subscription of the peer waits for credit */
};

enum peer_state {
    PEER_NONE,
    PEER_SILENT,  /* no hello yet */
    PEER_JOINING, /* hello taken, welcome waits for a commit */
    PEER_READY,
    PEER_ENDING
};
struct peer {
    uint32_t connection;
    enum peer_state state;
    uint32_t role, tenant, lanes, group;
    uint64_t generation; /* the group's, as the welcome told it */
    struct core_grant grant;
    uint8_t instance[INSTANCE_BYTES];
    uint8_t publisher[PUBLISHER_BYTES];
    uint8_t name[NOTE_WORKER_MAX], name_size; /* for people */
    bool publishes;
    uint64_t first_unanswered, number_seen; /* the highest number on this connection */
    uint64_t number_known;                  /* the highest that had been accepted at the hello: it may be forgotten since */
    uint64_t heard_ns /* in core.listened_ns */, said_ns;
    uint64_t deliver_limit_events, deliver_limit_bytes, deliver_sent_events, deliver_sent_bytes;
    uint64_t settle_next;                                /* [R-SETTLE-1] */
    uint64_t emit_bytes;                                 /* in settles without an answer [R-CREDIT-7] */
    uint32_t violations, parts_dropped, mistakes, stale; /* in a row */
    uint32_t assemblies;                                 /* large events it is publishing or emitting: list */
    uint32_t publish_assemblies, emit_assemblies;        /* how many */
    uint32_t transfer;                                   /* the large event it is being sent */
    uint64_t max_event_bytes;                            /* the largest it takes */
    uint32_t packet_bytes;                               /* the bodies of one packet to it; a larger event still goes, alone */
    struct list leases;                                  /* the newest first */
    struct list subscriptions;
    uint32_t subscription_count;
    struct list awaited;           /* sessions that are warm here and wait for credit */
    uint32_t ring_next, ring_prev; /* workers of a group with credit */
    uint32_t out_first, out_last;  /* items of this step */
    bool dirty, in_ring, forget;
    bool leaving; /* a worker that takes no more [R-DRAIN-2] */
};

static inline struct peer *peer_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->peers, h);
}
static inline struct lane *lane_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->lanes, h);
}

void peers_packet(struct core *c, const struct core_packet *in);
void peers_gone(struct core *c, uint32_t connection);
void peers_sweep(struct core *c);
void peers_listened(struct core *c, uint64_t ns); /* for so long packets were taken */
void peer_move(struct peer *peer, enum peer_state to);
void peer_forget(struct core *c, uint32_t peer);                      /* cut it after what it is sent in this step */
struct lane *lane_of(struct core *c, uint32_t peer, uint32_t tenant); /* made when missing; NULL: full */
void lane_welcome(struct core *c, struct lane *lane);                 /* its first credit */
void lane_publish_done(struct core *c, struct lane *lane, uint64_t events, uint64_t bytes);
uint32_t peer_tenant(struct core *c, uint32_t peer, struct span name); /* 0: not allowed */

#endif
