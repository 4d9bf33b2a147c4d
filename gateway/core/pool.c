/* One event's frame goes to a thousand sockets: they hold references. A handle is the class in its upper three bits and the slot below, so
 * no table of buffers is needed. (Not sdk/base/slab.h: that clears what it gives, and a buffer of 1 MiB is not worth clearing.) */
#include "gateway/core/pool.h"

#include <assert.h>

#include "sdk/base/must.h"

enum { CLASS_SHIFT = 29, SMALLEST = 256, HEAD_BYTES = 16 };

struct head {
    uint32_t references;
    uint32_t size; /* of a free one: the next free slot */
};
static_assert(sizeof(struct head) <= HEAD_BYTES, "the head stands before the bytes");

static size_t class_bytes(uint32_t class)
{
    return (size_t)SMALLEST << (2 * class);
}
static_assert((SMALLEST << (2 * (POOL_CLASSES - 1))) == POOL_BUFFER_MAX, "the largest class holds the largest frame");

static uint32_t class_slots(uint32_t class, uint64_t limit)
{
    uint64_t slots = limit / class_bytes(class) + 1;
    uint64_t most = (1u << CLASS_SHIFT) - 1;
    return (uint32_t)(slots < most ? slots : most);
}

static size_t stride(uint32_t class)
{
    return class_bytes(class) + HEAD_BYTES;
}

size_t pool_memory(uint64_t limit)
{
    size_t size = 0;
    for (uint32_t c = 0; c < POOL_CLASSES; c++)
        size += (class_slots(c, limit) + 1) * stride(c);
    return size;
}

void pool_init(struct pool *pool, void *memory, uint64_t limit)
{
    uint8_t *at = memory;
    for (uint32_t c = 0; c < POOL_CLASSES; c++) {
        pool->classes[c] = (struct pool_class){ .slots = at, .capacity = class_slots(c, limit) };
        at += (pool->classes[c].capacity + 1) * stride(c);
    }
    pool->limit = limit;
    pool->used = 0;
}

static uint32_t class_of(uint32_t buffer)
{
    return buffer >> CLASS_SHIFT;
}

static uint32_t slot_of(uint32_t buffer)
{
    return buffer & ((1u << CLASS_SHIFT) - 1);
}

static struct head *head_of(const struct pool *pool, uint32_t buffer)
{
    must(buffer != 0);
    uint32_t class = class_of(buffer);
    return (struct head *)(void *)(pool->classes[class].slots + slot_of(buffer) * stride(class));
}

uint32_t pool_take(struct pool *pool, size_t size)
{
    must(size > 0 && size <= POOL_BUFFER_MAX);
    uint32_t class = 0;
    while (class_bytes(class) < size)
        class ++;
    if (pool->used + class_bytes(class) > pool->limit) return 0;
    struct pool_class *from = &pool->classes[class];
    uint32_t slot = from->first_free;
    if (slot == 0 && from->touched == from->capacity) return 0;
    uint32_t buffer = class << CLASS_SHIFT | (slot != 0 ? slot : ++from->touched);
    struct head *head = head_of(pool, buffer);
    if (slot != 0) from->first_free = head->size;
    *head = (struct head){ 1, 0 };
    pool->used += class_bytes(class);
    return buffer;
}

void pool_ref(struct pool *pool, uint32_t buffer)
{
    head_of(pool, buffer)->references++;
}

void pool_unref(struct pool *pool, uint32_t buffer)
{
    struct head *head = head_of(pool, buffer);
    must(head->references > 0);
    if (--head->references > 0) return;
    struct pool_class *to = &pool->classes[class_of(buffer)];
    head->size = to->first_free;
    to->first_free = slot_of(buffer);
    pool->used -= class_bytes(class_of(buffer));
}

uint8_t *pool_data(const struct pool *pool, uint32_t buffer)
{
    return (uint8_t *)head_of(pool, buffer) + HEAD_BYTES;
}

size_t pool_capacity(const struct pool *pool, uint32_t buffer)
{
    (void)pool;
    return class_bytes(class_of(buffer));
}

uint32_t pool_size(const struct pool *pool, uint32_t buffer)
{
    return head_of(pool, buffer)->size;
}

void pool_set_size(struct pool *pool, uint32_t buffer, size_t size)
{
    must(size <= pool_capacity(pool, buffer));
    head_of(pool, buffer)->size = (uint32_t)size;
}
