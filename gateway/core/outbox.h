/* What waits for one socket: an ordered list of whole frames, most of them shared with other sockets by reference. Pure. */
#ifndef WEIR_GATEWAY_OUTBOX_H
#define WEIR_GATEWAY_OUTBOX_H

#include "gateway/core/pool.h"
#include "sdk/base/slab.h"
#include "sdk/base/span.h"

/* Memory of all outboxes together. */
struct outboxes {
    struct pool *pool;
    struct slab nodes;
};

struct outbox {
    uint32_t first, last; /* nodes; 0: none */
    uint16_t first_used;  /* entries of the first node that are gone */
    uint16_t last_count;  /* entries in the last one */
    uint32_t own_tail;    /* the last entry's buffer when only this outbox has it: it takes more frames; else 0 */
    uint32_t bytes;       /* of all that waits */
};

enum { OUTBOX_NODE_BYTES = 64 };
void outboxes_init(struct outboxes *all, void *memory, uint32_t nodes_max, struct pool *pool);

/* Appends the buffer's bytes from skip on (a frame's boundary); takes a reference of its own. False: no room, nothing changed. */
bool outbox_share(struct outboxes *all, struct outbox *box, uint32_t buffer, uint32_t skip);
/* Appends a copy of frames. False: no room. */
bool outbox_copy(struct outboxes *all, struct outbox *box, struct span frames);
/* The same, before everything that waits. */
bool outbox_copy_first(struct outboxes *all, struct outbox *box, struct span frames);

/* Moves entries into out until the next would pass room (the first is moved whatever its size); returns the bytes. */
size_t outbox_gather(struct outboxes *all, struct outbox *box, uint8_t *out, size_t room);
void outbox_clear(struct outboxes *all, struct outbox *box);

#endif
