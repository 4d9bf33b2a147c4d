/* Streams of random numbers: each thing that decides has its own, so that leaving one out does not change what the others do. */
#ifndef WEIR_SIM_CHANCE_H
#define WEIR_SIM_CHANCE_H

#include <stdbool.h>

#include "tests/support/random.h"

static inline struct random chance_of(uint64_t seed, uint64_t stream)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + stream * UINT64_C(0xd1b54a32d192ed03) + 1;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return (struct random){ x ? x : 1 };
}

static inline bool chance(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

static inline uint64_t chance_between(struct random *random, uint64_t least, uint64_t most)
{
    return least + random_next(random) % (most - least + 1);
}

#endif
