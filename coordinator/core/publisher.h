/* Publishers: what was accepted of each, and where [P3]. */
#ifndef WEIR_CORE_PUBLISHER_H
#define WEIR_CORE_PUBLISHER_H

#include "coordinator/core/state.h"

enum {
    PUBLISHER_RUNS_MAX = 128,
    PUBLISH_WINDOW = 16384, /* [R-PUB-5] */
};

struct publisher { /* durable */
    uint8_t id[PUBLISHER_BYTES];
    uint64_t highest, forgotten, used; /* used: position of its last event */
    uint32_t run_first, run_count;     /* ring */
    uint32_t saved;                    /* number of the last snapshot that has it */
    struct record_run runs[PUBLISHER_RUNS_MAX];
};

static inline struct publisher *publisher_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->publishers, h);
}

/* Some may have been forgotten: who is not known may have had answers. */
static inline bool publishers_are_full(const struct core *c)
{
    return c->publishers.taken == c->config.limits.publishers_max;
}

uint32_t publisher_find(const struct core *c, const uint8_t id[PUBLISHER_BYTES]);
uint64_t publisher_answer(const struct publisher *p, uint64_t number); /* position, or … */
#define PUBLISHER_NEVER     0                                          /* … it was not accepted */
#define PUBLISHER_FORGOTTEN UINT64_MAX                                 /* … it may have been */

/* In apply. False: the number was accepted before, so the log is damaged. */
bool publisher_apply(struct core *c, const uint8_t id[PUBLISHER_BYTES], uint64_t number, uint64_t position);
bool publisher_apply_all(struct core *c, struct span body); /* of a snapshot */

#endif
