/* In `sim`, whose core is the real one. */
#include "tests/sim/mutants.h"
#include "tests/sim/runner.h"

bool choose_mutant(const char *name)
{
    (void)name;
    return false;
}

bool catch_mutants(const struct runner *runner)
{
    (void)runner;
    fprintf(stderr, "this program has no mutants: sim_mutants has\n");
    return false;
}
