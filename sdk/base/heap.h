/* A binary min-heap of (key, handle) in memory of the caller; equal keys leave in the order of their handles, so the order is
 * a function of the contents alone. Each handle is in it at most once and can be moved or taken out. Pure. */
#ifndef WEIR_BASE_HEAP_H
#define WEIR_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_entry {
    uint64_t key;
    uint32_t handle;
    uint32_t unused;
};

struct heap {
    struct heap_entry *entries; /* [capacity] */
    uint32_t *place;            /* [handle_max + 1]: index + 1 in entries; 0 = not in it */
    uint32_t count;
    uint32_t capacity;
    const uint8_t *ties; /* see heap_tie; NULL: handles decide */
    uint32_t tie_stride;
};

size_t heap_memory(uint32_t handle_max);
void heap_init(struct heap *heap, void *zeroed_memory, uint32_t handle_max);
/* Of equal keys the one whose number is lower leaves first: the uint64_t at ties + handle * stride, which must not change while it is in.
 */
void heap_tie(struct heap *heap, const void *ties, uint32_t stride);
void heap_put(struct heap *heap, uint32_t handle, uint64_t key); /* moves it when it is already in */
bool heap_remove(struct heap *heap, uint32_t handle);            /* false: was not in */
bool heap_first(const struct heap *heap, uint32_t *out_handle, uint64_t *out_key);

#endif
