/* Why: what an event, a session or a group waits for. */
#ifndef WEIR_CORE_WHY_H
#define WEIR_CORE_WHY_H

#include "coordinator/core/lookup.h"
#include "coordinator/core/reader.h"

enum scan why_event(struct core *c, struct lookup *lookup); /* SCAN_EVENT: it was answered */
enum scan why_session(struct core *c, struct lookup *lookup);
void groups_answer(struct core *c, uint32_t tenant, struct span name, struct msg_answer *answer);

#endif
