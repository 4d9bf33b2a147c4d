/* 64-bit key -> 32-bit value: open addressing (linear probing, backward-shift delete) in a region for as many as there may ever be, of
 * which it uses as much as it needs: what it costs in memory and cache goes by what it has held at most, not by its limit. It grows by one
 * slot at a time, never all at once (linear hashing: Litwin, "Linear hashing: a new tool for file and table addressing", 1980). Keys that
 * strangers choose are hashed with a secret by the caller first; the map mixes them once more. Several equal keys are not kept. Pure. */
#ifndef WEIR_BASE_MAP_H
#define WEIR_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t key;
    uint32_t value; /* 0 = empty slot */
    uint32_t unused;
};

struct map {
    struct map_slot *slots;
    uint32_t mask; /* of all slots */
    uint32_t half; /* of the slots that are homes, but for those below split, each of which has become two */
    uint32_t split;
    uint32_t count;
    uint32_t limit; /* entries at most */
    bool near;      /* see map_init_near */
};

/* Bytes of (zeroed) memory for `limit` entries. */
size_t map_memory(uint32_t limit);
void map_init(struct map *map, void *zeroed_memory, uint32_t limit);

/* The same for keys of ours that mostly follow one another: eight in a row lie beside each other and share cache lines. Not for keys that
 * strangers choose. */
void map_init_near(struct map *map, void *zeroed_memory, uint32_t limit);

/* value != 0. False when `limit` entries are in. An existing key gets the new value. */
bool map_put(struct map *map, uint64_t key, uint32_t value);
uint32_t map_get(const struct map *map, uint64_t key);  /* 0 = not there */
void map_prefetch(const struct map *map, uint64_t key); /* it will be looked up soon */
bool map_remove(struct map *map, uint64_t key);

/* SipHash-2-4 of bytes under a 128-bit secret: for keys that strangers choose. */
uint64_t map_hash(const uint64_t secret[2], const void *data, size_t size);

/* The 128-bit one: where two that are alike must be the same. */
void map_hash_wide(const uint64_t secret[2], const void *data, size_t size, uint64_t out[2]);

#endif
