/* The budget of retries of a group [R-RETRY-1]. */
#ifndef WEIR_CORE_RETRY_BUDGET_H
#define WEIR_CORE_RETRY_BUDGET_H

#include "coordinator/core/state.h"

enum {
    RETRY_PERCENT = 100, /* of first deliveries; a group's 0 means this */
    RETRY_FLOOR = 100,   /* in a second; the same */
    RETRY_PERCENT_MAX = 10000,
    RETRY_FLOOR_UNLIMITED = 1000000, /* the most: there is no budget */
};

struct group;

struct retry_budget {
    uint64_t left, since_ns; /* in billionths of a retry, and when it was so much */
    uint64_t firsts;         /* first deliveries since then */
    bool waits;              /* what is queued for a retry waits, or has waited, for it */
};

void budget_open(const struct core *c, struct group *g);     /* full */
bool budget_allows(struct core *c, uint32_t group);          /* one retry; else the group is woken when it may */
void budget_spend(struct group *g);                          /* that one */
void budget_bring_up(const struct core *c, struct group *g); /* before the group's terms change */
/* When it allows one behind `ahead` others, if nothing is delivered first meanwhile; 0: now. */
uint64_t budget_until_ns(const struct core *c, const struct group *g, uint32_t ahead);
uint32_t budget_waiting(const struct core *c, const struct group *g); /* retries that it does not allow yet */
void budget_fire(struct core *c);

#endif
