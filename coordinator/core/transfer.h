/* Large events that are being sent: part by part, over many steps. */
#ifndef WEIR_CORE_TRANSFER_H
#define WEIR_CORE_TRANSFER_H

#include "coordinator/core/state.h"
#include "proto/parts.h"

/* A large event that is being sent, to a worker (lease) or for a subscription. */
struct transfer {
    uint32_t peer, lease, sub;
    uint32_t count, sent;
    uint64_t position, said; /* said: the step of the last part */
    bool waits_log;
    uint64_t parts[PARTS_MAX]; /* positions: also of events that were stored when larger ones were taken than now */
};

uint32_t transfer_size(const struct core *c, const struct block *block, uint32_t index); /* of the whole event; 0: it has left the window */
bool transfer_is_possible(const struct core *c, uint32_t peer, uint32_t size);
void transfer_lease(struct core *c, uint32_t lease, uint32_t peer, const struct block *block, uint32_t index);
void transfer_sub(struct core *c, uint32_t sub, const struct block *block, uint32_t index);
void transfer_drop(struct core *c, uint32_t transfer);
void transfer_abandon(struct core *c, uint32_t transfer);
void transfer_leave(struct core *c, uint32_t transfer);
void transfers_go(struct core *c);
void transfers_wake_waiting(struct core *c);
bool transfers_can_go(const struct core *c);

#endif
