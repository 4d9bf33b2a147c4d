/* The mutants of the core: ways to break it, chosen at run time, in a copy of it that only sim_mutants is built with (mutate, mutants.txt).
 */
#ifndef WEIR_SIM_MUTANTS_H
#define WEIR_SIM_MUTANTS_H

#include <stdbool.h>

struct mutant {
    const char *name, *checks; /* those that may catch it, with blanks between */
    const char *knobs;         /* the plans of its seeds have these values, with blanks between */
    unsigned line;             /* in mutants.txt */
    bool found;                /* its place in the core is there */
};
extern const struct mutant mutants[];
extern const unsigned mutant_count;
extern unsigned sim_mutant; /* the one that is on, from 1; 0: none */

#endif
