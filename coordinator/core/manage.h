/* Manage: what admins ask, and the answers once that is committed. */
#ifndef WEIR_CORE_MANAGE_H
#define WEIR_CORE_MANAGE_H

#include "coordinator/core/blocks.h"

void manage_answer(struct core *c, uint32_t peer, uint64_t id, enum error_code code, const char *message);
void manage_done(struct core *c, uint32_t peer, uint64_t id, uint64_t place); /* answered when all that is written so far is committed */
void manage_paid(struct core *c, const struct ticket *ticket);
void manage_take(struct core *c, uint32_t peer, const struct msg_manage *manage);

#endif
