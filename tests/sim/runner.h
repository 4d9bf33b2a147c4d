/* What the command line asked for, and the parts that carry it out. */
#ifndef WEIR_SIM_RUNNER_H
#define WEIR_SIM_RUNNER_H

#include "tests/sim/sim.h"

enum { SETS_MAX = 64 };

struct runner {
    const char *program, *trace, *mutant;
    uint64_t first, count;
    double hours;
    uint32_t jobs;
    bool one, shrink, hash, mutants, knobs;
    const char *sets[SETS_MAX];
    size_t set_count;
};

void run_seed(const struct runner *runner, uint64_t seed, struct verdict *out);

/* tally.c */
void tally_add(struct tally *sum, const struct tally *more);
void tally_print(const struct tally *tally, double core_seconds);

/* shrink.c: prints the smallest plan that still breaks the same check */
void shrink(const struct runner *runner, uint64_t seed, const struct verdict *verdict);

/* mutants.c, in sim_mutants; no_mutants.c in `sim` */
bool catch_mutants(const struct runner *runner); /* false: one survived */
bool choose_mutant(const char *name);            /* for single seeds; false: there is none of this name */

#endif
