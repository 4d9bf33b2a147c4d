/* An array with a copy of each block's bytes: small, and easy to damage on purpose, which is what the memory backend is for. */
#include "coordinator/log/stored_blocks.h"
#include "sdk/base/must.h"

#include <stdlib.h>
#include <string.h>

void stored_blocks_init(struct stored_blocks *set, uint64_t bytes_max)
{
    *set = (struct stored_blocks){ .bytes_max = bytes_max };
}

void stored_blocks_free(struct stored_blocks *set)
{
    stored_blocks_drop_newest(set, set->count);
    free(set->items);
    *set = (struct stored_blocks){ 0 };
}

static bool grow(struct stored_blocks *set)
{
    size_t capacity = set->capacity == 0 ? 16 : set->capacity * 2;
    struct stored_block *items = realloc(set->items, capacity * sizeof *items);
    if (items == NULL) return false;
    set->items = items;
    set->capacity = capacity;
    return true;
}

bool stored_blocks_append(struct stored_blocks *set, uint64_t first, uint64_t last, struct span stored)
{
    must(stored.size > 0 && first <= last + 1);
    must(set->count == 0 || first > set->items[set->count - 1].last);
    if (set->bytes + stored.size > set->bytes_max || (set->count == set->capacity && !grow(set))) return false;
    uint8_t *bytes = malloc(stored.size);
    if (bytes == NULL) return false;
    memcpy(bytes, stored.data, stored.size);
    set->items[set->count++] = (struct stored_block){ .first = first, .last = last, .bytes = bytes, .size = stored.size };
    set->bytes += stored.size;
    return true;
}

size_t stored_blocks_find(const struct stored_blocks *set, uint64_t position)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->items[middle].last < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct stored_block *stored_blocks_wanted(const struct stored_blocks *set, uint64_t position, bool before, uint64_t seen)
{
    if (before && position > seen) position = seen;
    size_t index = stored_blocks_find(set, position);
    if (before && (index == set->count || set->items[index].first > position)) {
        if (index == 0) return NULL;
        index--;
    }
    return index < set->count && set->items[index].first <= seen ? &set->items[index] : NULL;
}

void stored_blocks_drop_oldest(struct stored_blocks *set, size_t count)
{
    must(count <= set->count);
    for (size_t i = 0; i < count; i++) {
        set->bytes -= set->items[i].size;
        free(set->items[i].bytes);
    }
    set->count -= count;
    if (count > 0) memmove(set->items, set->items + count, set->count * sizeof *set->items);
}

void stored_blocks_drop_newest(struct stored_blocks *set, size_t count)
{
    must(count <= set->count);
    for (size_t i = 0; i < count; i++) {
        set->bytes -= set->items[--set->count].size;
        free(set->items[set->count].bytes);
    }
}

void stored_blocks_tear_newest(struct stored_blocks *set)
{
    must(set->count > 0);
    struct stored_block *block = &set->items[set->count - 1];
    size_t left = block->size / 2;
    set->bytes -= block->size - left;
    block->size = left;
}
