/* Delivery: ready events meet free credit. */
#ifndef WEIR_CORE_DELIVER_H
#define WEIR_CORE_DELIVER_H

#include "coordinator/core/state.h"

void deliver_all(struct core *c);
/* Matches nothing, or is not to be delivered. */
void settle_gap(struct core *c, uint32_t group, uint32_t level, uint64_t from, uint64_t to);

#endif
