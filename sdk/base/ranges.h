/* An ordered set of 64-bit numbers kept as disjoint, non-adjacent ranges in memory of the caller. Pure. */
#ifndef WEIR_BASE_RANGES_H
#define WEIR_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t first;
    uint64_t last; /* inclusive */
};

struct ranges {
    struct range *items; /* rising; the caller's array */
    uint32_t count;
    uint32_t capacity;
};

enum ranges_result { RANGES_ADDED, RANGES_FULL };

void ranges_init(struct ranges *set, struct range *items, uint32_t capacity);

/* Adds [first, last], merging what touches. RANGES_FULL (nothing changed) when it would need one range too many. */
enum ranges_result ranges_add(struct ranges *set, uint64_t first, uint64_t last);

/* Sorts ranges and joins those that touch or overlap; returns how many are left. `room`: for `count` of them. One walk if they come
 * sorted, else one per byte of their spread (radix sort: Knuth, The Art of Computer Programming, volume 3, 5.2.5). */
uint32_t ranges_sort(struct range *items, uint32_t count, struct range *room);

/* Adds what ranges_sort has sorted, in one walk over both. RANGES_FULL: those before the one that had no room were added. */
enum ranges_result ranges_add_sorted(struct ranges *set, const struct range *sorted, uint32_t count);

/* True when every number of [first, last] is in the set. */
bool ranges_hold(const struct ranges *set, uint64_t first, uint64_t last);

/* Takes away everything up to and including last. */
void ranges_drop_through(struct ranges *set, uint64_t last);

/* The lowest number >= from that is not in the set. */
uint64_t ranges_next_hole(const struct ranges *set, uint64_t from);

#endif
