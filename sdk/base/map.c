/* The one hash map: flat, bounded, without tombstones, so that its cost does not creep up with the number of removals.
 * Invariants: as long as not all slots are homes there are four homes per key, so that those not split yet, which have twice as many keys
 * as others, have half a key each; at most two thirds of all slots are used; between a key's home slot and the slot it stands in none is
 * empty. */
#include "sdk/base/map.h"

#include <string.h>

#include "sdk/base/must.h"

enum { HOMES_PER_KEY = 4, HOMES_LEAST = 8 };

static uint32_t slots_for(uint32_t limit)
{
    uint64_t wanted = (uint64_t)limit + limit / 2 + 1;
    uint64_t slots = HOMES_LEAST;
    while (slots < wanted)
        slots *= 2;
    must(slots <= UINT32_MAX);
    return (uint32_t)slots;
}

size_t map_memory(uint32_t limit)
{
    return (size_t)slots_for(limit) * sizeof(struct map_slot);
}

void map_init(struct map *map, void *zeroed_memory, uint32_t limit)
{
    map->slots = zeroed_memory;
    map->mask = slots_for(limit) - 1;
    map->half = HOMES_LEAST - 1;
    map->split = 0;
    map->count = 0;
    map->limit = limit;
    map->near = false;
}

void map_init_near(struct map *map, void *zeroed_memory, uint32_t limit)
{
    map_init(map, zeroed_memory, limit);
    map->near = true;
}

/* The finalizer of MurmurHash3 (Appleby): every bit of the key reaches every bit of the place. */
static uint64_t mix(uint64_t key)
{
    key ^= key >> 33;
    key *= UINT64_C(0xff51afd7ed558ccd);
    key ^= key >> 33;
    key *= UINT64_C(0xc4ceb9fe1a85ec53);
    return key ^ key >> 33;
}

/* Near: eight keys in a row share two cache lines. Longer runs would make one cluster, which a removal must walk to its end. */
static uint32_t home_of(const struct map *map, uint64_t key)
{
    uint32_t hash = (uint32_t)(map->near ? mix(key >> 3) << 3 | (key & 7) : mix(key)), home = hash & map->half;
    return home < map->split ? hash & (2 * map->half + 1) : home;
}

/* The slot that holds key, else the empty one where it would go. */
static uint32_t find(const struct map *map, uint64_t key)
{
    uint32_t at = home_of(map, key);
    while (map->slots[at].value != 0 && map->slots[at].key != key)
        at = (at + 1) & map->mask;
    return at;
}

/* What comes behind it moves up, as far as its home allows. */
static void empty(struct map *map, uint32_t hole)
{
    for (uint32_t at = (hole + 1) & map->mask; map->slots[at].value != 0; at = (at + 1) & map->mask) {
        uint32_t home = home_of(map, map->slots[at].key);
        if (((at - home) & map->mask) < ((at - hole) & map->mask)) continue; /* its home lies behind the hole */
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole] = (struct map_slot){ 0 };
}

/* One home becomes two, and the keys of the second one, which stand behind the first, go there. */
static void grow(struct map *map)
{
    uint32_t first = map->split++, second = first + map->half + 1;
    for (uint32_t at = first; at < second && map->slots[at].value != 0;) {
        struct map_slot slot = map->slots[at];
        if (home_of(map, slot.key) != second) {
            at++;
            continue;
        }
        empty(map, at);
        map->slots[find(map, slot.key)] = slot;
    }
    if (map->split <= map->half) return;
    map->half = 2 * map->half + 1;
    map->split = 0;
}

static bool is_dense(const struct map *map)
{
    uint64_t homes = (uint64_t)map->half + 1 + map->split;
    return homes <= map->mask && homes < (uint64_t)map->count * HOMES_PER_KEY;
}

bool map_put(struct map *map, uint64_t key, uint32_t value)
{
    must(value != 0);
    struct map_slot *slot = &map->slots[find(map, key)];
    if (slot->value == 0) {
        if (map->count == map->limit) return false;
        map->count++;
        slot->key = key;
        slot->value = value;
        while (is_dense(map))
            grow(map);
    } else
        slot->value = value;
    return true;
}

uint32_t map_get(const struct map *map, uint64_t key)
{
    return map->slots[find(map, key)].value;
}

void map_prefetch(const struct map *map, uint64_t key)
{
    __builtin_prefetch(&map->slots[home_of(map, key)]);
}

bool map_remove(struct map *map, uint64_t key)
{
    uint32_t hole = find(map, key);
    if (map->slots[hole].value == 0) return false;
    empty(map, hole);
    map->count--;
    return true;
}

/* SipHash-2-4: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012. */
struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t little_endian(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static struct sip sip_begin(const uint64_t secret[2])
{
    return (struct sip){ secret[0] ^ UINT64_C(0x736f6d6570736575), secret[1] ^ UINT64_C(0x646f72616e646f6d),
                         secret[0] ^ UINT64_C(0x6c7967656e657261), secret[1] ^ UINT64_C(0x7465646279746573) };
}

static void sip_bytes(struct sip *s, const uint8_t *bytes, size_t size)
{
    size_t whole = size & ~(size_t)7;
    for (size_t at = 0; at < whole; at += 8)
        sip_word(s, little_endian(bytes + at, 8));
    uint64_t last = (uint64_t)size << 56;
    if (size > whole) last |= little_endian(bytes + whole, size - whole);
    sip_word(s, last);
}

static uint64_t sip_end(struct sip *s)
{
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t map_hash(const uint64_t secret[2], const void *data, size_t size)
{
    struct sip s = sip_begin(secret);
    sip_bytes(&s, data, size);
    s.v2 ^= 0xff;
    return sip_end(&s);
}

void map_hash_wide(const uint64_t secret[2], const void *data, size_t size, uint64_t out[2])
{
    struct sip s = sip_begin(secret);
    s.v1 ^= 0xee;
    sip_bytes(&s, data, size);
    s.v2 ^= 0xee;
    out[0] = sip_end(&s);
    s.v1 ^= 0xdd;
    out[1] = sip_end(&s);
}
