/* Subscriptions: a peer's own readers. */
#ifndef WEIR_CORE_SUBSCRIBE_H
#define WEIR_CORE_SUBSCRIBE_H

#include "coordinator/core/seek.h"
#include "coordinator/core/state.h"

struct lane;

enum {
    PEER_SUBSCRIPTIONS_MAX = 4096, /* of a peer that speaks for one tenant [R-SUB-8] */
};

enum sub_state {
    SUB_LIVE,
    SUB_CATCHING,
    SUB_SEEKING_LAST, /* looks for the last n */
    SUB_SEEKING_TIME
};
struct sub {
    uint32_t id, peer, lane, tenant;
    struct list_link of_peer;
    enum sub_state state;
    struct list_link of_queue; /* core.catching or core.waiting */
    bool active;               /* in core.catching */
    bool waits_fetch;          /* in core.waiting */
    bool waits_transfer;       /* of another subscription, or lease, of the peer */
    uint32_t transfer;         /* the event at the cursor is being sent */
    bool own_credit;
    bool limited;
    uint64_t cursor, end; /* end: last position of a limited one */
    uint64_t limit;       /* events still to send of a limited one */
    uint64_t left;        /* matches still to find while seeking */
    struct seek seek;     /* SEEKING_TIME */
    uint64_t credit_events, sent_events;
    uint32_t filter_size;
    uint8_t filter[NAME_MAX + 1];
};

static inline struct sub *sub_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->subs, h);
}

void subscribe_take(struct core *c, uint32_t peer, const struct msg_subscribe *subscribe);
void unsubscribe_take(struct core *c, uint32_t peer, const struct msg_unsubscribe *unsubscribe);
void subs_committed(struct core *c, struct slot *slot);
void subs_catch_up(struct core *c);
void subs_wake_waiting(struct core *c);
void subs_credit(struct core *c, uint32_t peer, struct lane *lane, const struct msg_credit *credit); /* more has come */
void sub_own_credit(struct core *c, uint32_t peer, uint64_t id, uint64_t events);
void sub_end(struct core *c, uint32_t sub);
void sub_large(struct core *c, uint32_t sub, const struct block *block, uint32_t index); /* the parts of the event at its cursor are sent */
void sub_gone(struct core *c, uint32_t sub);                                             /* they have left the window */
void sub_next_large(struct core *c, uint32_t sub);                                       /* its peer can be sent another */

#endif
