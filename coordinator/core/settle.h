/* Settles, extensions and releases of leases. */
#ifndef WEIR_CORE_SETTLE_H
#define WEIR_CORE_SETTLE_H

#include "coordinator/core/state.h"

enum {
    EMITS_PER_SETTLE_MAX = 256, /* [R-CREDIT-7] */
};

void settle_take(struct core *c, uint32_t peer, const struct msg_settle *settle, const uint8_t **body);
void extend_take(struct core *c, uint32_t peer, const struct msg_extend *extend);
void release_take(struct core *c, uint32_t peer, const struct msg_release *release);

#endif
