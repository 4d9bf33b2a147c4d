/* Acknowledged positions, settled events and the like come nearly in order: as ranges they cost 16 bytes per hole, not a bit per number.
 * Invariant: items rise, and between two neighbours at least one number is missing (items[i].last + 1 < items[i + 1].first). */
#include "sdk/base/ranges.h"

#include <string.h>

#include "sdk/base/must.h"

enum {
    MERGED_MIN = 4,  /* fewer are added one by one */
    DIGITS_MIN = 32, /* fewer are sorted where they stand */
    DIGIT_BITS = 8,
    DIGITS = 1 << DIGIT_BITS
};

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

/* Appends a range that begins after all of `out`. */
static uint32_t append(struct range *out, uint32_t count, struct range next)
{
    if (count == 0 || (next.first > out[count - 1].last && next.first - out[count - 1].last > 1))
        out[count++] = next;
    else if (next.last > out[count - 1].last)
        out[count - 1].last = next.last;
    return count;
}

static bool is_sorted(const struct range *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (items[i - 1].first > items[i].first) return false;
    return true;
}

static void sort_few(struct range *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct range item = items[i];
        uint32_t at = i;
        for (; at > 0 && items[at - 1].first > item.first; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

static uint32_t digit_of(const struct range *item, uint64_t lowest, uint32_t shift)
{
    return (uint32_t)((item->first - lowest) >> shift) & (DIGITS - 1);
}

/* Stable: in the order of this digit, and within it as they came. */
static void sort_by_digit(struct range *out, const struct range *items, uint32_t count, uint64_t lowest, uint32_t shift)
{
    uint32_t next[DIGITS] = { 0 }; /* first how many have a digit, then where the next of them goes */
    for (uint32_t i = 0; i < count; i++)
        next[digit_of(&items[i], lowest, shift)]++;
    for (uint32_t digit = 0, begin = 0; digit < DIGITS; digit++) {
        uint32_t many = next[digit];
        next[digit] = begin;
        begin += many;
    }
    for (uint32_t i = 0; i < count; i++)
        out[next[digit_of(&items[i], lowest, shift)]++] = items[i];
}

/* By as many digits as lie between the lowest and the highest. */
static void sort_many(struct range *items, uint32_t count, struct range *room)
{
    uint64_t lowest = items[0].first, highest = lowest;
    for (uint32_t i = 1; i < count; i++) {
        if (items[i].first < lowest) lowest = items[i].first;
        if (items[i].first > highest) highest = items[i].first;
    }
    struct range *from = items, *to = room;
    for (uint32_t shift = 0; shift < 64 && (highest - lowest) >> shift; shift += DIGIT_BITS) {
        sort_by_digit(to, from, count, lowest, shift);
        struct range *swap = from;
        from = to;
        to = swap;
    }
    if (from != items) memcpy(items, from, count * sizeof *items);
}

uint32_t ranges_sort(struct range *items, uint32_t count, struct range *room)
{
    if (!is_sorted(items, count)) {
        if (count < DIGITS_MIN)
            sort_few(items, count);
        else
            sort_many(items, count, room);
    }
    uint32_t joined = 0;
    for (uint32_t i = 0; i < count; i++)
        joined = append(items, joined, items[i]);
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
