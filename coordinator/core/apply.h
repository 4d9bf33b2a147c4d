/* Apply: the only way durable state changes, live and in recovery [P9]; and what publishers were answered. */
#ifndef WEIR_CORE_APPLY_H
#define WEIR_CORE_APPLY_H

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

bool apply_record(struct core *c, const struct block *block, uint32_t index);
uint32_t publisher_find(const struct core *c, const uint8_t id[PUBLISHER_BYTES]);
uint64_t publisher_answer(const struct publisher *p, uint64_t number); /* position, or … */
#define PUBLISHER_NEVER     0                                          /* … it was not accepted */
#define PUBLISHER_FORGOTTEN UINT64_MAX                                 /* … it may have been */

#endif
