/* Events with a delay: held until they are due [R-DELAY-1]. */
#ifndef WEIR_CORE_HELD_H
#define WEIR_CORE_HELD_H

#include "coordinator/core/state.h"
#include "proto/event.h"

enum {
    DELAY_DAYS_MAX = 400, /* [R-DELAY-4] */
};
#define DELAY_MAX_MS (UINT64_C(86400000) * DELAY_DAYS_MAX)

struct held {                 /* durable */
    uint64_t first, position; /* its id; where it stands now */
    uint64_t due_ms;          /* log time */
    uint64_t parts_from;      /* where the first part of its data stands; 0: it has none */
    uint32_t tenant, unused;
};

static inline struct held *held_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->held, h);
}

uint64_t held_due(const struct core *c, const struct event *event, uint64_t born_ms); /* 0: it is not held */
bool held_is_allowed(const struct core *c, const struct event *event);                /* if it is, a delay fits the rest of it */
bool held_has_room(const struct core *c, uint32_t tenant, uint32_t ahead);            /* for one more behind `ahead` others */
void held_wish(struct core *c, uint64_t trim_wish);
void held_carry(struct core *c); /* to the end of the log, what the window is about to drop */
uint64_t held_keep_from(const struct core *c);
void held_fire(struct core *c); /* what is due enters the order */
void held_wake(struct core *c); /* a fetch has ended, or a block was committed */
uint64_t held_deadline(const struct core *c);
bool apply_held(struct core *c, const struct block *block, uint32_t index);
void apply_again(struct core *c, uint64_t first); /* an event has come again: it is not held any more */
bool apply_delays(struct core *c, struct span body);
bool held_save_slice(struct core *c); /* false: there are more */
uint64_t held_digest(const struct core *c);

#endif
