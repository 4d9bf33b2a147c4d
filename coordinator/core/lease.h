/* Leases: one event on loan to one worker, until a deadline. */
#ifndef WEIR_CORE_LEASE_H
#define WEIR_CORE_LEASE_H

#include "coordinator/core/state.h"

enum {
    EXTEND_MAX_MS = 3600 * 1000, /* [R-LEASE-2] */
};

struct lease {
    uint32_t group, level, peer, failed;
    uint32_t attempt;
    uint64_t position, from; /* settles [from, position] */
    uint64_t first;          /* its first position, when it stands here again */
    uint64_t expires_ms;     /* of the event; 0: not known since a restart */
    uint64_t deadline_ns;
    struct list_link of_peer, of_group;
    bool in_group_list; /* else in core.extended */
    bool request;
    bool cancelled; /* and who has it is to be told with the delivery, or with its welcome */
    bool once;      /* its end, whatever it is, is the end of the event for the group, and stands nowhere [P6] */
    bool returned;  /* given back unstarted, or not sent yet: goes out with the same attempt */
    uint32_t large; /* bytes of a large event; 0: it is none */
    uint32_t transfer;
    uint32_t note;         /* orphaned: who had it */
    uint64_t orphan_of;    /* instance key; 0: it is in no list of core.orphans */
    bool found;            /* read back */
    bool unread;           /* claimed, and not read back yet: counts in its group's `unread` */
    bool of_nobody;        /* it may be with a worker since before the restart; until one says so */
    uint8_t parts_refused; /* why a part of its settle's emits was: the answer to that settle */
    uint32_t key;          /* the KEY_ORDER it holds, else the KEY_LIMIT; 0: none */
};

struct lease_terms {
    uint32_t group, level, peer /* 0: of nobody yet */, attempt, failed;
    uint64_t position, from;
    uint64_t first;    /* adopted: as its worker says; 0: the same */
    bool once, letter; /* letter: adopted, and its worker says it is a dead letter that was delivered again */
};

static inline struct lease *lease_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->leases, h);
}

bool failed_has_room(const struct core *c);
bool lease_has_room(struct core *c, bool may_fail);
/* What names the event: what it leads to has this as its cause. */
static inline uint64_t lease_event(const struct lease *l)
{
    return l->first ? l->first : l->position;
}
uint32_t lease_give(struct core *c, const struct lease_terms *terms); /* 0: no room */
void lease_hold(struct core *c, uint32_t lease, uint32_t peer);       /* it is that peer's */
void lease_start(struct core *c, uint32_t lease);                     /* its time begins */
void lease_hand(struct core *c, uint32_t lease, uint32_t peer);       /* both */
void lease_end(struct core *c, uint32_t lease);                       /* frees it */
void lease_was_found(struct core *c, uint32_t lease);                 /* it is read back */
uint64_t lease_wire(const struct core *c, uint32_t lease);
uint32_t lease_from_wire(const struct core *c, uint64_t wire, uint32_t peer); /* 0: not this peer's living one */
void lease_fail(struct core *c, uint32_t lease, enum failure cause, struct span reason, uint64_t due_ms);
void lease_orphan(struct core *c, uint32_t lease);
void leases_give_back(struct core *c, uint64_t instance_key); /* the orphans of a worker that has come back and does not hold them */
/* The failure that a lease is about has left the table, with the window: it goes on as one that never failed. */
void lease_lost_failure(struct core *c, uint32_t group, uint64_t position, uint32_t failed);
void lease_await(struct core *c, uint32_t lease, uint64_t deadline_ns); /* one of nobody: its worker has so long to come for it */
void lease_extend(struct core *c, uint32_t lease, uint64_t deadline_ns);
void lease_take_away(struct core *c, uint32_t lease);       /* stale from now on */
void leases_revoke(struct core *c, uint32_t group);         /* all of the group's: they are stale from now on */
void leases_keep_deadlines(struct core *c, uint32_t group); /* before the group's lease_ms changes */
void lease_return(struct core *c, uint32_t lease);          /* unstarted: no attempt is counted */
void leases_fire(struct core *c);
uint64_t leases_deadline(const struct core *c);
uint32_t lease_adopt(struct core *c, const struct lease_terms *held); /* 0: not kept */

#endif
