/* Failed events: they go out again, or are given up. */
#ifndef WEIR_CORE_FAILED_H
#define WEIR_CORE_FAILED_H

#include "coordinator/core/state.h"

enum failed_state {
    FAILED_WAITING, /* in core.due */
    FAILED_READY,   /* in the group's retry, or its uncertain */
    FAILED_DYING,   /* in its dying */
    FAILED_LEASED,
    FAILED_PARKED /* waits for a key */
};
struct failed {
    uint64_t position, due_ms;
    struct list_link of_group, in_queue;
    uint32_t group, level, attempts;
    uint32_t deaths, cause; /* attempts whose worker was lost; of the last one: enum failure */
    uint32_t dead;          /* retried from its dead letter: its place lies outside of the level's floor and ranges */
    uint32_t note;          /* volatile */
    enum failed_state state;
    uint64_t block; /* of its record: goes out again only when that is committed [R-LEASE-5] */
    uint32_t key;   /* volatile: the KEY_ORDER that it holds; while read back, what a lease holds */
    bool found;     /* volatile: read back, and with a worker perhaps */
};

static inline struct failed *failed_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->failed, h);
}

/* It never failed, but for a restart of the coordinator while a worker may have had it: its retry is outside the budget [R-RETRY-3]. */
static inline bool failed_is_uncertain(const struct failed *f)
{
    return f->cause == FAILURE_RESTART && f->attempts == 1;
}

uint32_t failed_find(const struct core *c, uint32_t group, uint64_t position);
/* Its time has come: behind the others of its group, for a worker or for its letter. */
void failed_queue(struct core *c, uint32_t failed);
void failed_wait(struct core *c, uint32_t failed);    /* until it is due */
void failed_unqueue(struct core *c, uint32_t failed); /* out of its queue */
bool failed_apply(struct core *c, uint32_t group, uint32_t level, const struct record_failed *read, uint64_t block);
void failed_move(struct core *c, uint32_t failed, uint64_t place, uint64_t block); /* its letter was carried forward */
void failed_drop(struct core *c, uint32_t failed);
void failed_drop_all(struct core *c, uint32_t group);
void failed_drop_range(struct core *c, uint32_t group, uint32_t level, uint64_t first, uint64_t last);

#endif
