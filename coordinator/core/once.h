/* At-most-once events: offered at once, or to nobody [P6]. */
#ifndef WEIR_CORE_ONCE_H
#define WEIR_CORE_ONCE_H

#include "coordinator/core/state.h"
#include "proto/event.h"

void once_offer(struct core *c, uint32_t tenant, const struct event *event, uint64_t position);
bool once_is_read(const struct core *c, uint32_t owner); /* does this reader show at_most_once events? */

#endif
