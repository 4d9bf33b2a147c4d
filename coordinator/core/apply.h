/* Apply: the only way durable state changes, live and in recovery [P9]. */
#ifndef WEIR_CORE_APPLY_H
#define WEIR_CORE_APPLY_H

#include "coordinator/core/state.h"

bool apply_record(struct core *c, const struct block *block, uint32_t index);

#endif
