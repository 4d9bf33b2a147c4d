/* A list of small nodes and not a ring per socket: most sockets have nothing waiting, and that has to cost nothing.
 * Invariant: first == 0 exactly when last == 0; then bytes == 0. */
#include "gateway/core/outbox.h"

#include <assert.h>


enum { ENTRIES = 7 };

struct entry {
    uint32_t buffer;
    uint32_t skip;
};

struct node {
    uint32_t next;
    uint32_t unused;
    struct entry entries[ENTRIES];
};
static_assert(sizeof(struct node) == OUTBOX_NODE_BYTES, "a node is a cache line");

void outboxes_init(struct outboxes *all, void *memory, uint32_t nodes_max, struct pool *pool)
{
    slab_init(&all->nodes, memory, nodes_max, OUTBOX_NODE_BYTES);
    all->pool = pool;
}

static struct node *node_at(const struct outboxes *all, uint32_t handle)
{
    return slab_at(&all->nodes, handle);
}

static uint32_t entry_bytes(const struct outboxes *all, const struct entry *entry)
{
    return pool_size(all->pool, entry->buffer) - entry->skip;
}

/* Room for one more entry at the end; NULL when the nodes are used up. */
static struct entry *entry_last(struct outboxes *all, struct outbox *box)
{
    if (box->last == 0 || box->last_count == ENTRIES) {
        uint32_t handle = slab_take(&all->nodes);
        if (handle == 0) return NULL;
        if (box->last == 0) {
            box->first = handle;
            box->first_used = 0;
        } else {
            node_at(all, box->last)->next = handle;
        }
        box->last = handle;
        box->last_count = 0;
    }
    return &node_at(all, box->last)->entries[box->last_count++];
}

bool outbox_share(struct outboxes *all, struct outbox *box, uint32_t buffer, uint32_t skip)
{
    struct entry *entry = entry_last(all, box);
    if (entry == NULL) return false;
    *entry = (struct entry){ buffer, skip };
    pool_ref(all->pool, buffer);
    box->own_tail = 0;
    box->bytes += entry_bytes(all, entry);
    return true;
}

static void append(struct pool *pool, uint32_t buffer, struct span frames)
{
    size_t size = pool_size(pool, buffer);
    memcpy(pool_data(pool, buffer) + size, frames.data, frames.size);
    pool_set_size(pool, buffer, size + frames.size);
}

bool outbox_copy(struct outboxes *all, struct outbox *box, struct span frames)
{
    struct pool *pool = all->pool;
    uint32_t tail = box->own_tail;
    if (tail != 0 && pool_size(pool, tail) + frames.size <= pool_capacity(pool, tail)) {
        append(pool, tail, frames);
        box->bytes += (uint32_t)frames.size;
        return true;
    }
    uint32_t buffer = pool_take(pool, frames.size);
    if (buffer == 0) return false;
    append(pool, buffer, frames);
    bool placed = outbox_share(all, box, buffer, 0);
    pool_unref(pool, buffer);
    if (placed) box->own_tail = buffer;
    return placed;
}

bool outbox_copy_first(struct outboxes *all, struct outbox *box, struct span frames)
{
    if (box->first == 0) return outbox_copy(all, box, frames);
    uint32_t buffer = pool_take(all->pool, frames.size);
    if (buffer == 0) return false;
    if (box->first_used == 0) {
        uint32_t handle = slab_take(&all->nodes);
        if (handle == 0) {
            pool_unref(all->pool, buffer);
            return false;
        }
        node_at(all, handle)->next = box->first;
        box->first = handle;
        box->first_used = ENTRIES;
    }
    append(all->pool, buffer, frames);
    node_at(all, box->first)->entries[--box->first_used] = (struct entry){ buffer, 0 };
    box->bytes += (uint32_t)frames.size;
    return true;
}

static struct entry *entry_first(const struct outboxes *all, const struct outbox *box)
{
    return box->first == 0 ? NULL : &node_at(all, box->first)->entries[box->first_used];
}

static void drop_first(struct outboxes *all, struct outbox *box)
{
    struct entry *entry = entry_first(all, box);
    if (entry->buffer == box->own_tail) box->own_tail = 0;
    pool_unref(all->pool, entry->buffer);
    box->first_used++;
    bool last = box->first == box->last;
    if (box->first_used < (last ? box->last_count : ENTRIES)) return;
    uint32_t next = last ? 0 : node_at(all, box->first)->next;
    slab_free(&all->nodes, box->first);
    box->first = next;
    box->first_used = 0;
    if (last) box->last = 0;
}

size_t outbox_gather(struct outboxes *all, struct outbox *box, uint8_t *out, size_t room)
{
    size_t size = 0;
    struct entry *entry;
    while ((entry = entry_first(all, box)) != NULL) {
        uint32_t bytes = entry_bytes(all, entry);
        if (size > 0 && size + bytes > room) break;
        memcpy(out + size, pool_data(all->pool, entry->buffer) + entry->skip, bytes);
        size += bytes;
        box->bytes -= bytes;
        drop_first(all, box);
    }
    return size;
}

void outbox_clear(struct outboxes *all, struct outbox *box)
{
    while (box->first != 0)
        drop_first(all, box);
    box->bytes = 0;
}
