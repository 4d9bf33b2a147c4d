/* The inbox of a peer: the topic that answers to its requests go to [R-HELLO-7]. Pure. */
#ifndef WEIR_PROTO_INBOX_H
#define WEIR_PROTO_INBOX_H

#include "proto/packet.h"

enum { INBOX_BYTES = 7 + 32 };

/* "$inbox." and a hash of the instance in hex, the same for ever: who learns an inbox, as every worker does from a request, cannot greet as its
 * owner. Two SipHash-2-4 (Aumasson, Bernstein 2012) under the keys (0x77656972, 1) and (0x77656972, 2). */
void inbox_name(const uint8_t instance[INSTANCE_BYTES], uint8_t out[INBOX_BYTES]);

#endif
