/* A bump allocator over memory that the caller owns. Full is an answer (NULL), not an error. Pure. */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *memory;
    size_t size;
    size_t used;
};

void arena_init(struct arena *arena, void *memory, size_t size);
void arena_reset(struct arena *arena); /* everything given before is gone */

/* Lends size bytes, aligned to 16, until the next reset. NULL when they do not fit. */
void *arena_take(struct arena *arena, size_t size);

/* Lends count * size zeroed bytes. NULL when they do not fit or the product overflows. */
void *arena_take_zeroed(struct arena *arena, size_t count, size_t size);

#endif
