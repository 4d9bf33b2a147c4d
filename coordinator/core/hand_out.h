/* Handing out: from a lease to a worker. */
#ifndef WEIR_CORE_HAND_OUT_H
#define WEIR_CORE_HAND_OUT_H

#include "coordinator/core/group.h"

bool delivery_has_expired(const struct core *c, const struct block *block, const struct record *record);
/* It may not go out again. An at_most_once one is here only when a worker claimed it after a restart and let it go. */
bool delivery_is_over(const struct core *c, const struct block *block, const struct record *record);
void delivery_expired(struct core *c, uint32_t group, uint32_t level, uint32_t failed, uint64_t from, uint64_t position); /* settles it */
/* Whose turn it is of those that can take one; 0: none can. */
uint32_t worker_for_large(const struct core *c, const struct group *g, uint32_t size);
bool too_many_large(const struct core *c, const struct group *g); /* wait for such a worker: the group's reader waits with them */
/* To whom; 0: nobody yet. worker: 0: whose turn it is. */
uint32_t hand_out(struct core *c, uint32_t lease, uint32_t worker, const struct block *block, uint32_t index);
void deliver_large(struct core *c, uint32_t lease, const struct block *block, uint32_t index); /* its parts are sent */
void deliver_gone(struct core *c, uint32_t lease); /* its parts have left the window: revoked and settled */

#endif
