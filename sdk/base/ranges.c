/* Acknowledged positions, settled events and the like come nearly in order: as ranges they cost 16 bytes per hole, not a bit per number.
 * Invariant: items rise, and between two neighbours at least one number is missing (items[i].last + 1 < items[i + 1].first). */
#include "sdk/base/ranges.h"

#include <string.h>

#include "sdk/base/must.h"

enum { MERGED_MIN = 4 /* fewer are added one by one */ };

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

/* Behind the last item of the rising run at begin. */
static uint32_t run_end(const struct range *items, uint32_t begin, uint32_t count)
{
    uint32_t end = begin;
    do
        end++;
    while (end < count && items[end - 1].first <= items[end].first);
    return end;
}

static void merge_runs(struct range *out, const struct range *items, uint32_t middle, uint32_t end)
{
    uint32_t left = 0, right = middle;
    for (uint32_t i = 0; i < end; i++)
        out[i] = right == end || (left < middle && items[left].first < items[right].first) ? items[left++] : items[right++];
}

/* Appends a range that begins after all of `out`. */
static uint32_t append(struct range *out, uint32_t count, struct range next)
{
    if (count == 0 || (next.first > out[count - 1].last && next.first - out[count - 1].last > 1))
        out[count++] = next;
    else if (next.last > out[count - 1].last)
        out[count - 1].last = next.last;
    return count;
}

/* Each two neighbouring runs become one. */
static void merge_pairs(struct range *out, const struct range *items, uint32_t count)
{
    for (uint32_t begin = 0, end; begin < count; begin = end) {
        uint32_t middle = run_end(items, begin, count);
        end = middle < count ? run_end(items, middle, count) : count;
        merge_runs(out + begin, items + begin, middle - begin, end - begin);
    }
}

uint32_t ranges_sort(struct range *items, uint32_t count, struct range *room)
{
    struct range *from = items, *to = room;
    while (count > 0 && run_end(from, 0, count) < count) {
        merge_pairs(to, from, count);
        struct range *swap = from;
        from = to;
        to = swap;
    }
    uint32_t joined = 0;
    for (uint32_t i = 0; i < count; i++)
        joined = append(items, joined, from[i]);
    return joined;
}

enum ranges_result ranges_add_sorted(struct ranges *set, const struct range *sorted, uint32_t count)
{
    if (count < MERGED_MIN || set->count + count > set->capacity) {
        for (uint32_t i = 0; i < count; i++)
            if (ranges_add(set, sorted[i].first, sorted[i].last) != RANGES_ADDED) return RANGES_FULL;
        return RANGES_ADDED;
    }
    uint32_t begin = first_ending_from(set, sorted[0].first == 0 ? 0 : sorted[0].first - 1);
    uint32_t tail = set->count - begin, at = set->capacity - tail, added = 0;
    memmove(&set->items[at], &set->items[begin], tail * sizeof *set->items); /* to the end of the room: the walk cannot overtake it */
    set->count = begin;
    while (at < set->capacity || added < count) {
        bool old = added == count || (at < set->capacity && set->items[at].first < sorted[added].first);
        set->count = append(set->items, set->count, old ? set->items[at++] : sorted[added++]);
    }
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
