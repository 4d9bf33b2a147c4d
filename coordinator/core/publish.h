/* Publishing: what comes from authors and goes into the filling block. */
#ifndef WEIR_CORE_PUBLISH_H
#define WEIR_CORE_PUBLISH_H

#include "coordinator/core/state.h"
#include "proto/event.h"

struct lane;

void publish_take(struct core *c, uint32_t peer, const struct msg_publish *publish, const uint8_t **body);
enum error_code publish_check(const struct core *c, uint32_t tenant, struct span bytes, bool emit, struct event *out);
/* Both give its position; the room is there. */
uint64_t publish_write(struct core *c, uint32_t tenant, struct span topic, struct record record, struct span bytes);
uint64_t publish_append(struct core *c, uint32_t tenant, const struct event *event, struct span bytes, const uint8_t *publisher,
                        uint64_t number, uint64_t cause);

/* Numbers that are answered elsewhere. */
void publish_refuse(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, enum error_code code, uint32_t size);
void publish_again(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, struct span bytes, uint32_t size);
void publish_violation(struct core *c, uint32_t peer); /* [R-CREDIT-3] */

#endif
