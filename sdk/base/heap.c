/* Deadlines: what is due next, with the right to change one's mind about any of them. A plain binary heap that also knows where each
 * handle stands.
 * Invariants: no entry comes before its parent; place[entries[i].handle] == i + 1, and place of a handle that is not in it is 0. */
#include "sdk/base/heap.h"

#include "sdk/base/must.h"

static size_t entries_bytes(uint32_t handle_max)
{
    return (size_t)handle_max * sizeof(struct heap_entry);
}

size_t heap_memory(uint32_t handle_max)
{
    size_t places = ((size_t)handle_max + 1) * sizeof(uint32_t);
    return entries_bytes(handle_max) + ((places + 15) & ~(size_t)15);
}

void heap_init(struct heap *heap, void *zeroed_memory, uint32_t handle_max)
{
    uint8_t *memory = zeroed_memory;
    heap->entries = zeroed_memory;
    heap->place = (uint32_t *)(void *)(memory + entries_bytes(handle_max));
    heap->count = 0;
    heap->capacity = handle_max;
    heap->ties = NULL;
}

void heap_tie(struct heap *heap, const void *ties, uint32_t stride)
{
    must(heap->count == 0);
    heap->ties = ties;
    heap->tie_stride = stride;
}

static uint64_t tie(const struct heap *heap, uint32_t handle)
{
    return heap->ties == NULL ? 0 : *(const uint64_t *)(const void *)(heap->ties + (size_t)handle * heap->tie_stride);
}

static bool comes_before(const struct heap *heap, struct heap_entry a, struct heap_entry b)
{
    if (a.key != b.key) return a.key < b.key;
    uint64_t tie_a = tie(heap, a.handle), tie_b = tie(heap, b.handle);
    return tie_a != tie_b ? tie_a < tie_b : a.handle < b.handle;
}

static void set(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    heap->entries[at] = entry;
    heap->place[entry.handle] = at + 1;
}

/* Puts entry at `at` or as far above as it belongs. */
static void rise(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!comes_before(heap, entry, heap->entries[parent])) break;
        set(heap, at, heap->entries[parent]);
        at = parent;
    }
    set(heap, at, entry);
}

/* Puts entry at `at` or as far below as it belongs. */
static void sink(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    for (;;) {
        uint64_t left = (uint64_t)at * 2 + 1;
        if (left >= heap->count) break;
        uint32_t child = (uint32_t)left;
        if (child + 1 < heap->count && comes_before(heap, heap->entries[child + 1], heap->entries[child])) child++;
        if (!comes_before(heap, heap->entries[child], entry)) break;
        set(heap, at, heap->entries[child]);
        at = child;
    }
    set(heap, at, entry);
}

static void settle(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    if (at > 0 && comes_before(heap, entry, heap->entries[(at - 1) / 2]))
        rise(heap, at, entry);
    else
        sink(heap, at, entry);
}

void heap_put(struct heap *heap, uint32_t handle, uint64_t key)
{
    must(handle != 0 && handle <= heap->capacity);
    struct heap_entry entry = { .key = key, .handle = handle };
    uint32_t place = heap->place[handle];
    if (place != 0)
        settle(heap, place - 1, entry);
    else
        rise(heap, heap->count++, entry);
}

bool heap_remove(struct heap *heap, uint32_t handle)
{
    must(handle != 0 && handle <= heap->capacity);
    uint32_t place = heap->place[handle];
    if (place == 0) return false;
    heap->place[handle] = 0;
    heap->count--;
    if (place - 1 != heap->count) settle(heap, place - 1, heap->entries[heap->count]);
    return true;
}

bool heap_first(const struct heap *heap, uint32_t *out_handle, uint64_t *out_key)
{
    if (heap->count == 0) return false;
    *out_handle = heap->entries[0].handle;
    *out_key = heap->entries[0].key;
    return true;
}
