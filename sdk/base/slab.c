/* One slab per type: no allocation while stepping, handles of four bytes instead of pointers, and the same handles for the same calls,
 * which makes a run repeatable.
 * Invariant: slots 1..touched have been given at least once; of these the free ones form a list that ends in 0. */
#include "sdk/base/slab.h"

#include <string.h>

#include "sdk/base/must.h"

static const uint32_t SLAB_TAKEN = UINT32_MAX;

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

size_t slab_memory(uint32_t capacity, uint32_t slot_size)
{
    size_t slots = (size_t)capacity + 1;
    return rounded(slots * slot_size) + 2 * rounded(slots * sizeof(uint32_t));
}

void slab_init(struct slab *slab, void *memory, uint32_t capacity, uint32_t slot_size)
{
    must(capacity < SLAB_TAKEN && slot_size > 0);
    size_t slots = (size_t)capacity + 1;
    uint8_t *at = memory;
    *slab = (struct slab){ .slot_size = slot_size, .capacity = capacity };
    slab->slots = at;
    at += rounded(slots * slot_size);
    slab->next_free = (uint32_t *)(void *)at;
    at += rounded(slots * sizeof(uint32_t));
    slab->generation = (uint32_t *)(void *)at;
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t handle = slab->first_free;
    if (handle != 0) {
        slab->first_free = slab->next_free[handle];
        slab->generation[handle]++;
    } else {
        if (slab->touched == slab->capacity) return 0;
        handle = ++slab->touched;
        slab->generation[handle] = 1;
    }
    slab->next_free[handle] = SLAB_TAKEN;
    slab->taken++;
    memset(slab_at(slab, handle), 0, slab->slot_size);
    return handle;
}

void slab_free(struct slab *slab, uint32_t handle)
{
    must(slab_is_taken(slab, handle));
    slab->next_free[handle] = slab->first_free;
    slab->first_free = handle;
    slab->taken--;
}

bool slab_is_taken(const struct slab *slab, uint32_t handle)
{
    return handle != 0 && handle <= slab->touched && slab->next_free[handle] == SLAB_TAKEN;
}

uint32_t slab_generation(const struct slab *slab, uint32_t handle)
{
    return handle != 0 && handle <= slab->touched ? slab->generation[handle] : 0;
}
