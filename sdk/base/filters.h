/* An index from filters to the 32-bit values stored under them: finds all filters that match a topic in time that depends on
 * the topic's words, not on the number of filters. A trie of words in fixed slabs. Pure.
 *
 * What is stored in one scope (1 to scopes_max; a tenant's number) is not seen from another; they share the room. */
#ifndef WEIR_BASE_FILTERS_H
#define WEIR_BASE_FILTERS_H

#include "sdk/base/span.h"

struct filters; /* lives in the caller's memory */

size_t filters_memory(uint32_t entries_max, uint32_t scopes_max);
struct filters *filters_init(void *zeroed_memory, uint32_t entries_max, uint32_t scopes_max, const uint64_t secret[2]);

/* Stores value (!= 0) under a valid filter; the same pair twice is stored once. False when full (nothing changed). */
bool filters_add(struct filters *index, uint32_t scope, struct span filter, uint32_t value);
bool filters_remove(struct filters *index, uint32_t scope, struct span filter, uint32_t value); /* false: was not there */

/* Writes the values of all filters that match into out, each value once, rising; returns how many there are
 * (may be more than out_max: then the first out_max found are written). */
uint32_t filters_match(const struct filters *index, uint32_t scope, struct span topic, uint32_t *out, uint32_t out_max);

#endif
