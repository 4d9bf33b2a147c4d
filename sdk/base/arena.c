/* Packets, blocks and turns need many small pieces of memory that all die together. An arena gives them at the price of an addition and
 * makes the limit on what one input may cost plain: the size of the arena.
 * Invariant: used <= size; everything given lies below memory + used. */
#include "sdk/base/arena.h"

#include <string.h>

enum { ALIGNMENT = 16 };

void arena_init(struct arena *arena, void *memory, size_t size)
{
    arena->memory = memory;
    arena->size = size;
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
}

void *arena_take(struct arena *arena, size_t size)
{
    uintptr_t at = (uintptr_t)arena->memory + arena->used;
    size_t padding = (size_t)(-at & (ALIGNMENT - 1));
    size_t left = arena->size - arena->used;
    if (padding > left || size > left - padding) return NULL;
    arena->used += padding + size;
    return arena->memory + arena->used - size;
}

void *arena_take_zeroed(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    void *memory = arena_take(arena, count * size);
    if (memory != NULL) memset(memory, 0, count * size);
    return memory;
}
