/* The window: what leaves the log, and when. */
#ifndef WEIR_CORE_WINDOW_H
#define WEIR_CORE_WINDOW_H

#include "coordinator/core/state.h"

/* The group was told that it is lost: what ends it may be still to be written, and its block in memory. */
static inline bool window_has_left(const struct core *c, uint32_t group, uint64_t position)
{
    bool told = c->trim_group == 0 || group < c->trim_group;
    return position < c->trimmed_below && told;
}
void window_begin(struct core *c, uint64_t trimmed_below); /* nothing is there below it */
void window_lost(struct core *c, uint32_t group, uint64_t position); /* what stands there cannot be given out any more */
void window_move(struct core *c, uint64_t trim_wish);      /* as far as what must outlive it has been carried forward */

#endif
