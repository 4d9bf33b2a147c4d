/* The window: what leaves the log, and when. */
#ifndef WEIR_CORE_WINDOW_H
#define WEIR_CORE_WINDOW_H

#include "coordinator/core/state.h"

void window_begin(struct core *c, uint64_t trimmed_below); /* nothing is there below it */
void window_lost(struct core *c, uint32_t group, uint64_t position); /* what stands there cannot be given out any more */
void window_move(struct core *c, uint64_t trim_wish);      /* as far as what must outlive it has been carried forward */

#endif
