/* walk_seeds FIRST COUNT [LENGTH]: random tapes, each walked twice; the same seed must give the same outputs. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/walk/walk.h"

static uint64_t next_random(uint64_t *state) /* splitmix64, Steele et al. 2014 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: walk_seeds FIRST COUNT [LENGTH]\n");
        return 2;
    }
    uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
    size_t size = argc > 3 ? strtoull(argv[3], NULL, 10) : 3000;
    uint8_t *tape = malloc(size);
    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t state = seed;
        for (size_t i = 0; i < size; i++)
            tape[i] = (uint8_t)next_random(&state);
        fprintf(stderr, "\rseed %llu", (unsigned long long)seed); /* the last one printed is the one that failed */
        if (walk(tape, size) != walk(tape, size)) {
            fprintf(stderr, ": two walks differ\n");
            return 1;
        }
    }
    fprintf(stderr, "\r");
    printf("%llu seeds of %zu bytes, nothing broken\n", (unsigned long long)count, size);
    free(tape);
    return 0;
}
