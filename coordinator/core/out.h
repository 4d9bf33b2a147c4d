/* What a step puts out: packets to peers, item by item, and calls to the shell. */
#ifndef WEIR_CORE_OUT_H
#define WEIR_CORE_OUT_H

#include "coordinator/core/state.h"

enum {
    PACKET_OUT_BYTES = 256 * 1024,
    DRAIN_RECONNECT_MS = 5000,
};

enum item_kind {
    ITEM_WELCOME,
    ITEM_ERROR,
    ITEM_HEARTBEAT,
    ITEM_CREDIT,
    ITEM_ACCEPTED,
    ITEM_REFUSED,
    ITEM_SUBSCRIBED,
    ITEM_EVENT,
    ITEM_CAUGHT_UP,
    ITEM_ENDED,
    ITEM_DELIVER,
    ITEM_SETTLED,
    ITEM_REVOKE,
    ITEM_PARTIAL,
    ITEM_PART,
    ITEM_CANCEL,
    ITEM_ANSWER,
    ITEM_DRAIN,
    ITEM_KINDS
};
struct item { /* one entry of a packet to be; what a..d mean is said in out.c */
    uint32_t next;
    uint32_t kind;
    uint32_t x, y, z;
    bool letter; /* DELIVER: a dead one that goes out again */
    uint64_t a, b, c, d, first;
    struct span body;
    const void *more; /* in scratch */
};

bool out_has_room(const struct core *c, uint32_t items);
struct item *out_item(struct core *c, uint32_t peer, enum item_kind kind);
void out_error(struct core *c, uint32_t peer, enum error_code code, uint32_t about, uint64_t id, const char *message);
void out_assemble(struct core *c);
struct core_out *out_add(struct core *c, enum core_out_kind kind);

#endif
