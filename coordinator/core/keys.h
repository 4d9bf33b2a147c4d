/* Keys: the table of what events wait for, and the queues of those that are parked. */
#ifndef WEIR_CORE_KEYS_H
#define WEIR_CORE_KEYS_H

#include "coordinator/core/state.h"

/* An event waits for one at a time, in this order, and keeps what it has passed. */
enum key_kind {
    KEY_ORDER, /* a key, session or group of one priority: one event at a time, in log order [P4] */
    KEY_WARM,  /* a session and the worker that has it warm */
    KEY_LIMIT, /* a header's or topic word's value: `limit_each` at a time */
    KEY_KINDS
};
enum key_state {
    KEY_FREE,
    KEY_HELD,     /* ORDER: its event is leased, failed, or waits for something else; LIMIT: full, or nobody waits */
    KEY_SETTLING, /* ORDER: its event is settled, in a block that is not committed; in core.settling */
    KEY_READY,    /* who is parked first may go on; in the level's list */
    KEY_AWAITING, /* WARM: for its worker to have credit, until a time; in the worker's list and core.key_waits */
    KEY_UNUSED,   /* WARM: nobody is parked; in core.unused_keys, the one not used for longest first */
    KEY_STATES
};
struct key {
    uint64_t hash;   /* of group, kind and value. Only this is kept: two values with one hash only make order stricter */
    uint64_t holder; /* ORDER: position of its event */
    uint64_t until;  /* SETTLING: the block; WARM: when who is parked goes to another worker */
    uint32_t group;
    struct list parked;
    struct list_link in_list;           /* of its state */
    uint32_t held;                      /* LIMIT: how many run */
    uint32_t limit;                     /* ORDER: the KEY_LIMIT that its event holds besides */
    uint32_t worker, worker_generation; /* WARM */
    uint8_t kind, state;
    uint8_t level; /* READY: in whose list */
};

struct parked {
    uint64_t position, from;
    uint32_t group, level;
    uint32_t at, order; /* the key at which it waits; the KEY_ORDER that it holds meanwhile, 0: none */
    uint32_t failed;    /* its failure; 0: it never went out */
    struct list_link of_key, of_group;
};

/* An event on its way to a worker, and what it has passed so far. */
struct turn {
    uint32_t group, level, failed;
    uint64_t position, from;
    uint32_t order, warm, limit; /* keys; 0: not yet, or none */
    bool waited;                 /* for its session's worker: it goes now */
    uint32_t worker;             /* that it goes to; 0: whose turn it is */
};

static inline struct key *key_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->keys, h);
}
static inline struct parked *parked_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->parked, h);
}

uint32_t key_find(const struct core *c, uint64_t hash);                               /* 0: nobody holds it or waits for it */
uint32_t key_take(struct core *c, uint32_t group, enum key_kind kind, uint64_t hash); /* HELD; the room is there */
void key_move(struct core *c, uint32_t key, enum key_state to);
void key_ready(struct core *c, uint32_t key);          /* who is parked first may go on: wakes the group */
void key_prefetch(const struct core *c, uint32_t key); /* of a list: it is the next one */
void key_free(struct core *c, uint32_t key);
bool keys_have_room(struct core *c, uint32_t count);                  /* makes it, as far as unused keys go */
void key_park(struct core *c, uint32_t key, const struct turn *turn); /* last in the key's queue; the room is there */
void key_unpark(struct core *c, uint32_t parked);
void key_park_last(struct core *c, uint32_t parked); /* in the queue it is in */

#endif
