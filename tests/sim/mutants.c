/* Each check must bite: every mutant has to be caught within 200 seeds, by a check that its table names. One whose place the core has moved
 * is said; with CI=true that fails, too. */
#include "tests/sim/mutants.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/runner.h"

enum { SEEDS_MOST = 200 };

static bool names(const char *checks, const char *check)
{
    size_t size = strlen(check);
    for (const char *at = strstr(checks, check); at; at = strstr(at + 1, check))
        if ((at == checks || at[-1] == ' ') && (at[size] == 0 || at[size] == ' ')) return true;
    return false;
}

static bool catch_one(const struct runner *runner, const struct mutant *mutant)
{
    struct verdict verdict = { .broken = false };
    struct runner own = *runner;
    char knobs[256], *rest = knobs;
    snprintf(knobs, sizeof knobs, "%s", mutant->knobs);
    for (char *knob; (knob = strtok_r(rest, " ", &rest)) && own.set_count < SETS_MAX;)
        own.sets[own.set_count++] = knob;
    uint64_t seed = 0;
    if (!mutant->found) {
        printf("%-28s HAS LOST ITS PLACE: the core has changed there, mutants.txt:%u\n", mutant->name, mutant->line);
        const char *ci = getenv("CI");
        return !ci || strcmp(ci, "true") != 0;
    }
    while (!verdict.broken && seed < SEEDS_MOST)
        run_seed(&own, ++seed, &verdict);
    bool good = verdict.broken && names(mutant->checks, verdict.check);
    if (!verdict.broken)
        printf("%-28s SURVIVES %d seeds, mutants.txt:%u\n", mutant->name, SEEDS_MOST, mutant->line);
    else
        printf("%-28s %s by %s in seed %" PRIu64 "\n", mutant->name, good ? "caught" : "CAUGHT BY ANOTHER CHECK,", verdict.check, seed);
    fflush(stdout);
    return good;
}

static bool is_chosen(const struct runner *runner, const struct mutant *mutant)
{
    return !runner->mutant || strcmp(runner->mutant, mutant->name) == 0;
}

bool choose_mutant(const char *name)
{
    for (unsigned i = 0; i < mutant_count; i++)
        if (strcmp(mutants[i].name, name) == 0) sim_mutant = i + 1;
    return sim_mutant != 0;
}

bool catch_mutants(const struct runner *runner)
{
    bool good = true;
    unsigned caught = 0, tried = 0;
    for (unsigned i = 0; i < mutant_count; i++) {
        if (!is_chosen(runner, &mutants[i])) continue;
        sim_mutant = i + 1;
        tried++;
        bool fine = catch_one(runner, &mutants[i]);
        caught += fine;
        good = good && fine;
    }
    printf("%u of %u mutants caught\n", caught, tried);
    return good && tried > 0;
}
