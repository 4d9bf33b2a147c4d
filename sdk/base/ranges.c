/* Acknowledged positions, settled events and the like come nearly in order: as ranges they cost 16 bytes per hole, not a bit per number.
 * Invariant: items rise, and between two neighbours at least one number is missing (items[i].last + 1 < items[i + 1].first). */
#include "sdk/base/ranges.h"

#include <string.h>

#include "sdk/base/must.h"

void ranges_init(struct ranges *set, struct range *items, uint32_t capacity)
{
    set->items = items;
    set->count = 0;
    set->capacity = capacity;
}

/* Index of the first range that ends at or after number; count when there is none. */
static uint32_t first_ending_from(const struct ranges *set, uint64_t number)
{
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->items[middle].last < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void move_tail(struct ranges *set, uint32_t from, uint32_t to)
{
    memmove(&set->items[to], &set->items[from], (size_t)(set->count - from) * sizeof *set->items);
    set->count = set->count - from + to;
}

enum ranges_result ranges_add(struct ranges *set, uint64_t first, uint64_t last)
{
    must(first <= last);
    uint32_t begin = first_ending_from(set, first == 0 ? 0 : first - 1); /* a range that ends right before touches too */
    uint32_t end = begin;
    while (end < set->count && (last == UINT64_MAX || set->items[end].first <= last + 1))
        end++;
    if (begin == end) {
        if (set->count == set->capacity) return RANGES_FULL;
        move_tail(set, begin, begin + 1);
        set->items[begin] = (struct range){ first, last };
        return RANGES_ADDED;
    }
    struct range *merged = &set->items[begin];
    if (first < merged->first) merged->first = first;
    uint64_t reach = set->items[end - 1].last;
    merged->last = last > reach ? last : reach;
    if (end - begin > 1) move_tail(set, end, begin + 1);
    return RANGES_ADDED;
}

bool ranges_hold(const struct ranges *set, uint64_t first, uint64_t last)
{
    must(first <= last);
    uint32_t at = first_ending_from(set, first);
    return at < set->count && set->items[at].first <= first && last <= set->items[at].last;
}

void ranges_drop_through(struct ranges *set, uint64_t last)
{
    uint32_t at = first_ending_from(set, last);
    if (at < set->count && set->items[at].last == last)
        at++;
    else if (at < set->count && set->items[at].first <= last)
        set->items[at].first = last + 1;
    if (at > 0) move_tail(set, at, 0);
}

uint64_t ranges_next_hole(const struct ranges *set, uint64_t from)
{
    uint32_t at = first_ending_from(set, from);
    if (at == set->count || set->items[at].first > from) return from;
    uint64_t last = set->items[at].last;
    return last == UINT64_MAX ? last : last + 1;
}
