/* Order, limits and affinity: whose turn it is, and what an event still waits for [P4]. */
#ifndef WEIR_CORE_ORDER_H
#define WEIR_CORE_ORDER_H

#include "coordinator/core/group.h"
#include "coordinator/core/keys.h"

enum {
    AFFINITY_WAIT_MS = 2000, /* [R-ORDER-5] */
    AFFINITY_WAIT_MAX_MS = 600 * 1000,
};

struct key_hashes {
    uint64_t of[KEY_KINDS]; /* 0: does not wait for that */
};
enum { HASH_AHEAD_BY = 6, HASHES_AHEAD = 8 };
struct ahead { /* the hashes of an event, found before its turn */
    uint64_t step, position;
    uint32_t group;
    struct key_hashes hashes;
};
enum pass { PASS_GO, PASS_PARKED, PASS_FULL /* nothing was changed; ordering = group */ };
bool order_is_on(const struct group *g);      /* its events pass here before they go out */
bool order_reads_back(const struct group *g); /* after a restart it must know what is out before anything goes out */
struct key_hashes order_hashes(const struct core *c, const struct turn *turn, struct span body);
/* Finds the hashes of an event that the group comes to a little later than to this one; its keys' places come into the cache meanwhile. */
void order_look_ahead(struct core *c, uint32_t group, uint32_t level, const struct block *block, uint32_t index);
enum turn_kind { TURN_NEW, TURN_AGAIN /* has failed */, TURN_PARKED };
bool order_has_room(struct core *c, const struct group *g, enum turn_kind kind); /* for one turn, whatever it has to wait for */
bool order_shortage_is_over(struct core *c);                                     /* said once */
enum pass order_pass(struct core *c, struct turn *turn, struct span body);
/* At_most_once: it waits for no key and no worker, and goes when no limit is reached. */
bool order_pass_once(struct core *c, struct turn *turn, struct span body);
void order_hold(struct core *c, const struct turn *turn, uint32_t lease);  /* what the turn has passed is the lease's */
void order_went(struct core *c, const struct turn *turn, uint32_t worker); /* its session is warm there now; 0: it waits for one */
uint32_t order_first_ready(struct core *c, const struct level *level);     /* parked; 0: none */
struct turn order_take(struct core *c, uint32_t parked);
void order_give_up(struct core *c, const struct turn *turn);                       /* settled without going out */
void order_passed_over(struct core *c, const struct turn *turn, struct span body); /* a new event that is over */
void order_settled(struct core *c, uint32_t key); /* of a lease or failure; passed on when that is committed */
/* Of a failure that becomes a dead letter; the record of it is in this block. */
void order_given_up(struct core *c, uint32_t key, uint64_t block);
uint32_t order_failed(struct core *c, uint32_t key); /* of a lease; returns what its failure holds */
void order_committed(struct core *c);
void order_end_adoption(struct core *c, uint32_t group);
void order_moved(struct core *c, uint32_t failed); /* it stands elsewhere now, behind all others */
void order_trim(struct core *c, uint32_t group, uint32_t level, uint64_t first_left); /* parked ones before it are lost */
void order_worker_changed(struct core *c, uint32_t peer); /* it has credit, or is gone: who waits for it looks again */
void order_fire(struct core *c);
void order_limits_changed(struct core *c, uint32_t group);
void order_read_again(struct core *c, uint32_t group); /* another order comes, nothing is out: what is parked is read once more */
void order_forget(struct core *c, uint32_t group);     /* all of it; no lease is out */

#endif
