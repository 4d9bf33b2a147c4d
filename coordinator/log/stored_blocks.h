/* Stored blocks in memory, by rising position: the whole store of the memory backend, and what a replay writes above a read-only log.
 * Not synchronized. Private to coordinator/log. */
#ifndef WEIR_LOG_STORED_BLOCKS_H
#define WEIR_LOG_STORED_BLOCKS_H

#include "sdk/base/span.h"

struct stored_block {
    uint64_t first, last;
    uint8_t *bytes; /* stays where it is until the block is dropped */
    size_t size;
};

struct stored_blocks {
    struct stored_block *items;
    size_t count, capacity;
    uint64_t bytes, bytes_max;
};

void stored_blocks_init(struct stored_blocks *set, uint64_t bytes_max);
void stored_blocks_free(struct stored_blocks *set);

/* Copies the bytes. False: over bytes_max, or no memory; nothing changed. */
bool stored_blocks_append(struct stored_blocks *set, uint64_t first, uint64_t last, struct span stored);

/* Index of the block that holds position, else of the first after it; count when there is none. */
size_t stored_blocks_find(const struct stored_blocks *set, uint64_t position);

/* That block, or with `before` the last that begins at or before position; among those that begin at `seen` or before. NULL: none. */
const struct stored_block *stored_blocks_wanted(const struct stored_blocks *set, uint64_t position, bool before, uint64_t seen);

void stored_blocks_drop_oldest(struct stored_blocks *set, size_t count);
void stored_blocks_drop_newest(struct stored_blocks *set, size_t count);
void stored_blocks_tear_newest(struct stored_blocks *set); /* takes the second half of its bytes away */

static inline struct span stored_block_span(const struct stored_block *block)
{
    return span_of(block->bytes, block->size);
}

#endif
