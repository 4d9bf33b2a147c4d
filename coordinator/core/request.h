/* Requests: partial answers, cancels and questions. */
#ifndef WEIR_CORE_REQUEST_H
#define WEIR_CORE_REQUEST_H

#include "coordinator/core/state.h"

void partial_take(struct core *c, uint32_t peer, const struct msg_partial *partial, const uint8_t **body);
void cancel_take(struct core *c, uint32_t peer, const struct msg_cancel *cancel);
void cancel_say(struct core *c, uint32_t lease); /* to who has it now, if it was cancelled before */
bool scratch_has_room(const struct core *c); /* for a large answer */
void query_take(struct core *c, uint32_t peer, const struct msg_query *query);

#endif
