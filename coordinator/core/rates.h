/* How groups keep up: rates, lag and the workers they want. */
#ifndef WEIR_CORE_RATES_H
#define WEIR_CORE_RATES_H

#include "coordinator/core/state.h"

struct group;

/* How the group keeps up (rates.c); rates are per 1,000 s. */
struct group_rates {
    uint64_t matched, matched_before, settled_before; /* matched: events that came, an estimate where blocks are left out */
    uint64_t arrivals, settles, per_worker;           /* per_worker: what one does while it has something to do; 0: not known */
    uint64_t done, done_before, busy_ms; /* acked or rejected lately, in thousandths; the time that workers took for it, all together */
    uint32_t busy;                       /* workers with something to do, at the last tick */
    uint64_t from_cursor, from_head, from_matched; /* as they were when the group was opened, or, with from_live, live last */
    uint32_t from_taken;
    bool from_live, lag_is_estimate;
    uint32_t wanted;
    uint64_t behind_ms, behind_term; /* of the event at the lowest cursor, when its block was in memory last; 0: not known */
    uint64_t lag;
    uint64_t idle_ms, alone_ms; /* since when no worker has credit; since when there is no worker */
};

void rates_sample(struct core *c, const struct slot *slot); /* a committed block */
void rates_tick(struct core *c);
void rates_restart(struct core *c, uint32_t group); /* it begins to read somewhere */
bool group_is_live(const struct group *g);
uint64_t rates_lag(struct core *c, uint32_t group, uint32_t *budget, bool *out_estimate); /* budget: records that may be looked at */
uint64_t rates_lag_ms(struct core *c, uint32_t group);

#endif
