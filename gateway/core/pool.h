/* Reference-counted buffers for frames, in size classes from 256 B to 1 MiB, under one limit in bytes. Pure. */
#ifndef WEIR_GATEWAY_POOL_H
#define WEIR_GATEWAY_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { POOL_CLASSES = 7, POOL_BUFFER_MAX = 1024 * 1024 };

/* Each class could take the whole limit: its address space is reserved, its pages cost nothing until they are touched. */
struct pool {
    struct pool_class {
        uint8_t *slots;
        uint32_t capacity, touched, first_free;
    } classes[POOL_CLASSES];
    uint64_t limit;
    uint64_t used; /* capacities of all buffers taken */
};

size_t pool_memory(uint64_t limit);
void pool_init(struct pool *pool, void *memory, uint64_t limit);

/* Gives a buffer for at least size bytes (1 .. POOL_BUFFER_MAX) with one reference and size 0; 0 when there is no room. */
uint32_t pool_take(struct pool *pool, size_t size);
void pool_ref(struct pool *pool, uint32_t buffer);
void pool_unref(struct pool *pool, uint32_t buffer); /* the last one frees it */

uint8_t *pool_data(const struct pool *pool, uint32_t buffer);
size_t pool_capacity(const struct pool *pool, uint32_t buffer);
uint32_t pool_size(const struct pool *pool, uint32_t buffer); /* bytes written so far */
void pool_set_size(struct pool *pool, uint32_t buffer, size_t size);

#endif
