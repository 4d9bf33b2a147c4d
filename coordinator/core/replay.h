/* Replays: which events are shown, and at which pace. */
#ifndef WEIR_CORE_REPLAY_H
#define WEIR_CORE_REPLAY_H

#include "coordinator/core/group.h"

bool replay_wants(const struct core *c, const struct block *block, uint32_t index);
bool replay_must_wait(struct core *c, struct group *g, const struct block *block, uint32_t index); /* its turn, or the time, wakes the group */

#endif
