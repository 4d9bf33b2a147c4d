/* The table of dead letters: which of them live, and what is asked of them. */
#ifndef WEIR_CORE_DEAD_H
#define WEIR_CORE_DEAD_H

#include "coordinator/core/state.h"

struct group;

enum { DEAD_PER_RECORD = 4096 };

/* An event that its group has given up. */
struct dead {                       /* durable */
    uint64_t event, place, time_ms; /* its first position; of its letter on $dlq.GROUP; when it was given up */
    uint64_t parts_from;            /* where the first part of its data stands; 0: it has none */
    struct list_link of_group;
    uint32_t group;
    uint32_t attempts, reason, level;
    uint32_t failed; /* it is being delivered again: a failed event at `place`; 0: it lies */
};

static inline struct dead *dead_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->dead, h);
}

uint32_t dead_find(const struct core *c, uint32_t group, uint64_t event);
bool dead_has_room(const struct core *c, const struct group *g);
bool dead_apply_letter(struct core *c, const struct block *block, uint32_t index);
bool dead_apply_rows(struct core *c, struct span body, uint64_t block);
struct record_dead dead_row(const struct core *c, uint32_t dead);
void dead_change(struct core *c, uint32_t group, const struct record_dead *rows, uint32_t count); /* appends that they are as said */
void dead_end(struct core *c, uint32_t dead);
void dead_drop_all(struct core *c, uint32_t group); /* in apply */

/* dead_change.c */
struct dead_changes {
    uint32_t count; /* letters */
    bool more;      /* that one call does not take */
};
enum error_code dead_manage(struct core *c, uint32_t group, const struct msg_manage *m, struct dead_changes *out, const char **out_message);

#endif
