/* Fixed-size slots of one type in one region, addressed by 32-bit handles; slot 0 is never given, so 0 means none.
 * Free slots are handed out lowest-last-freed first: the order is a function of the calls alone. Pure. */
#ifndef WEIR_BASE_SLAB_H
#define WEIR_BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slab {
    uint8_t *slots;
    uint32_t *next_free;  /* per slot: next free one, or SLAB_TAKEN */
    uint32_t *generation; /* per slot: how often it has been taken; never falls */
    uint32_t slot_size;
    uint32_t capacity; /* usable slots */
    uint32_t taken;
    uint32_t first_free;
    uint32_t touched; /* slots never used lie above, untouched, so their pages cost nothing */
};

/* Bytes of memory that slab_init needs. */
size_t slab_memory(uint32_t capacity, uint32_t slot_size);
void slab_init(struct slab *slab, void *memory, uint32_t capacity, uint32_t slot_size);

/* Gives a zeroed slot; 0 when all are taken. */
uint32_t slab_take(struct slab *slab);
void slab_free(struct slab *slab, uint32_t handle); /* must be taken */
bool slab_is_taken(const struct slab *slab, uint32_t handle);
uint32_t slab_generation(const struct slab *slab, uint32_t handle);

static inline void *slab_at(const struct slab *slab, uint32_t handle)
{
    return slab->slots + (size_t)handle * slab->slot_size;
}

#endif
