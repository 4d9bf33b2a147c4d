/* Hello: who a peer is, and the welcome it gets. */
#ifndef WEIR_CORE_HELLO_H
#define WEIR_CORE_HELLO_H

#include "coordinator/core/state.h"

uint64_t peer_key(const struct core *c, uint32_t peer); /* of its instance and tenant */
void hello_take(struct core *c, uint32_t peer, const struct core_packet *in);
void hello_go_on(struct core *c, uint32_t peer, const struct group_spec *spec); /* where its group is to begin was looked up */
void peer_welcome(struct core *c, uint32_t peer);                               /* keeps the leases it has by now */

#endif
