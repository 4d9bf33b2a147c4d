/* The simulator's command line: seeds, one or many, and what became of them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/runner.h"

static const char usage[] = "usage: sim [--seeds FIRST COUNT | --seed N | --hours N | --mutants] [option…]\n"
                            "  --seeds FIRST COUNT  these seeds (1 100)\n"
                            "  --seed N             one seed, with what happened in it\n"
                            "  --hours N            seeds from --seeds FIRST on until N hours have passed\n"
                            "  --jobs N             so many processes at once (1)\n"
                            "  --set KNOB=VALUE     another value for a knob of the plan; --knobs lists them\n"
                            "  --shrink             leaves out of a failing seed all that it can fail without\n"
                            "  --trace FILE         writes what passed the coordinator as a story\n"
                            "  --hash               prints each seed's trace hash\n"
                            "  --mutants            each mutant of the core has to be caught (sim_mutants)\n"
                            "  --mutant NAME        this one alone: its seeds fail\n";

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of a core, our own and those of the processes that have ended. */
static double core_seconds(void)
{
    struct rusage own, others;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &others);
    time_t whole = own.ru_utime.tv_sec + own.ru_stime.tv_sec + others.ru_utime.tv_sec + others.ru_stime.tv_sec;
    suseconds_t rest = own.ru_utime.tv_usec + own.ru_stime.tv_usec + others.ru_utime.tv_usec + others.ru_stime.tv_usec;
    return (double)whole + (double)rest / 1e6;
}

/* A process that dies names its seed. */
static volatile uint64_t seed_now;
void __asan_on_error(void);
void __asan_on_error(void)
{
    fprintf(stderr, "in seed %" PRIu64 "\n", seed_now);
}
void __ubsan_on_report(void);
void __ubsan_on_report(void)
{
    fprintf(stderr, "in seed %" PRIu64 "\n", seed_now);
}

void run_seed(const struct runner *runner, uint64_t seed, struct verdict *out)
{
    struct plan plan;
    seed_now = seed;
    plan_draw(&plan, seed);
    for (size_t i = 0; i < runner->set_count; i++)
        (void)plan_set(&plan, runner->sets[i]);
    FILE *story = runner->trace ? fopen(runner->trace, "w") : NULL;
    sim_run(&plan, story, out);
    if (story) fclose(story);
}

static void say_failure(const struct runner *runner, uint64_t seed, const struct verdict *verdict)
{
    printf("seed %" PRIu64 " breaks %s: %s\n  again: %s --seed %" PRIu64, seed, verdict->check, verdict->text, runner->program, seed);
    for (size_t i = 0; i < runner->set_count; i++)
        printf(" --set %s", runner->sets[i]);
    printf("\n");
    fflush(stdout);
}

/* Seeds first, first + step, …; false: one failed. */
static bool run_some(const struct runner *runner, uint64_t first, uint64_t step, struct tally *tally)
{
    double until = seconds() + runner->hours * 3600;
    bool good = true;
    for (uint64_t seed = first; runner->hours > 0 ? seconds() < until : seed < runner->first + runner->count; seed += step) {
        struct verdict verdict;
        run_seed(runner, seed, &verdict);
        tally_add(tally, &verdict.tally);
        if (runner->hash) printf("%" PRIu64 " %016" PRIx64 "\n", seed, verdict.trace);
        if (!verdict.broken) continue;
        good = false;
        say_failure(runner, seed, &verdict);
        if (runner->shrink) shrink(runner, seed, &verdict);
    }
    return good;
}

/* Each process takes every jobs-th seed and hands its tally back through a pipe. */
static bool run_jobs(const struct runner *runner, struct tally *tally)
{
    bool good = true;
    int pipes[2];
    if (runner->jobs == 1) return run_some(runner, runner->first, 1, tally);
    if (pipe(pipes) != 0) return false;
    for (uint32_t i = 0; i < runner->jobs; i++) {
        if (fork() != 0) continue;
        struct tally own = { 0 };
        bool fine = run_some(runner, runner->first + i, runner->jobs, &own);
        fflush(stdout);
        if (write(pipes[1], &own, sizeof own) != sizeof own) fine = false;
        _exit(fine ? 0 : 1);
    }
    close(pipes[1]);
    struct tally part;
    while (read(pipes[0], &part, sizeof part) == sizeof part)
        tally_add(tally, &part);
    close(pipes[0]);
    for (uint32_t i = 0; i < runner->jobs; i++) {
        int status;
        if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) good = false;
    }
    return good;
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end;
    if (!text) return false;
    *out = strtoull(text, &end, 10);
    return *text && !*end;
}

static bool read_option(struct runner *r, char **argv, int *at)
{
    const char *option = argv[*at];
    uint64_t jobs;
    struct plan probe = { 0 };
    if (strcmp(option, "--shrink") == 0) return r->shrink = true;
    if (strcmp(option, "--hash") == 0) return r->hash = true;
    if (strcmp(option, "--mutants") == 0) return r->mutants = true;
    if (strcmp(option, "--knobs") == 0) return r->knobs = true;
    const char *value = argv[++*at];
    if (!value) return false;
    if (strcmp(option, "--seed") == 0) {
        r->count = 1;
        return r->one = read_number(value, &r->first);
    }
    if (strcmp(option, "--seeds") == 0) return read_number(value, &r->first) && read_number(argv[++*at], &r->count);
    if (strcmp(option, "--hours") == 0) return (r->hours = strtod(value, NULL)) > 0;
    if (strcmp(option, "--mutant") == 0) return choose_mutant(r->mutant = value);
    if (strcmp(option, "--trace") == 0) return (r->trace = value) != NULL;
    if (strcmp(option, "--jobs") == 0) return read_number(value, &jobs) && jobs > 0 && (r->jobs = (uint32_t)jobs) > 0;
    if (strcmp(option, "--set") == 0 && r->set_count < SETS_MAX && plan_set(&probe, value))
        return (r->sets[r->set_count++] = value) != NULL;
    return false;
}

static void print_knobs(void)
{
#define X(name, percent, least, most) printf("%-16s %3d %% of the seeds, %d to %d\n", #name, percent, least, most);
    PLAN_KNOBS(X)
#undef X
}

int main(int argc, char **argv)
{
    struct runner runner = { .program = argv[0], .first = 1, .count = 100, .jobs = 1 };
    struct tally tally = { 0 };
    for (int i = 1; i < argc; i++)
        if (!read_option(&runner, argv, &i)) {
            fputs(usage, stderr);
            return 2;
        }
    if (runner.knobs) {
        print_knobs();
        return 0;
    }
    bool good = runner.mutants ? catch_mutants(&runner) : run_jobs(&runner, &tally);
    if (!runner.mutants) tally_print(&tally, core_seconds());
    return good ? 0 : 1;
}
