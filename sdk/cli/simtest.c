/* weir simtest: loads the handler, runs it without faults, then once for each seed, and says where the outcome differs. */
#include "sdk/cli/simtest.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "sdk/cli/cli.h"

enum { EVENTS = 8, SEEDS = 200 };

struct tally {
    size_t seeds, events, deliveries, faults, failed;
};

static bool find(const struct simtest_subject *subject, const char *name, void *out_function)
{
    void *found = dlsym(subject->object, name);
    memcpy(out_function, &found, sizeof found); /* POSIX means the same by both kinds of pointer */
    return found != NULL;
}

static int load(const char *path, struct simtest_subject *subject)
{
    char full[PATH_MAX];
    if (realpath(path, full) == NULL) return cli_fail("%s: %s", path, strerror(errno));
    subject->object = dlopen(full, RTLD_NOW | RTLD_LOCAL);
    if (subject->object == NULL) return cli_fail("%s", dlerror());
    (void)find(subject, "weir_simtest_options", &subject->options);
    (void)find(subject, "weir_simtest_event", &subject->event);
    (void)find(subject, "weir_simtest_begin", &subject->begin);
    (void)find(subject, "weir_simtest_end", &subject->end);
    if (find(subject, "weir_simtest_handler", &subject->handler)) return CLI_OK;
    return cli_fail("%s has no function weir_simtest_handler (weir/mock.h says what it is)", path);
}

/* -- judging: every difference of two outcomes -- */

static size_t times_of(const struct simtest_outcome *outcome, const struct simtest_count *like)
{
    for (size_t i = 0; i < outcome->count_count; i++)
        if (outcome->counts[i].event == like->event && strcmp(outcome->counts[i].what, like->what) == 0) return outcome->counts[i].times;
    return 0;
}

/* What is wrong in one seed's run, and what happened in it: every fault, and the deliveries of the events that are wrong. */
struct verdict {
    json_t *wrong; /* texts */
    bool event_is_wrong[SIMTEST_EVENTS_MAX], all;
};

static void compare(struct verdict *verdict, const struct simtest_outcome *want, const struct simtest_outcome *got,
                    const struct simtest_count *count)
{
    size_t wanted = times_of(want, count), had = times_of(got, count);
    if (wanted == had) return;
    verdict->event_is_wrong[count->event] = true;
    (void)json_array_append_new(verdict->wrong,
                                json_sprintf("event %zu: %s was done %zu time%s, without faults %zu: %s", count->event, count->what, had,
                                             had == 1 ? "" : "s", wanted, had > wanted ? "done twice" : "lost"));
}

static json_t *what_happened(const struct verdict *verdict, const struct simtest_outcome *got)
{
    json_t *happened = json_array();
    for (size_t i = 0; i < got->note_count; i++) {
        const struct simtest_note *note = &got->notes[i];
        if (verdict->all || note->event < 0 || verdict->event_is_wrong[note->event])
            (void)json_array_append_new(happened, json_string(note->text));
    }
    return happened;
}

static void tell(const struct cli *cli, const struct verdict *verdict, const struct simtest_outcome *got, uint64_t seed)
{
    json_t *happened = what_happened(verdict, got), *line;
    size_t i;
    if (cli->json) {
        cli_json_print(json_pack("{s:I,s:O,s:o}", "seed", (json_int_t)seed, "wrong", verdict->wrong, "happened", happened));
        return;
    }
    json_array_foreach(verdict->wrong, i, line) printf("seed %llu: %s\n", (unsigned long long)seed, json_string_value(line));
    if (json_array_size(verdict->wrong) == 0) printf("seed %llu: nothing is wrong\n", (unsigned long long)seed);
    json_array_foreach(happened, i, line) printf("    %s\n", json_string_value(line));
    json_decref(happened);
}

/* True: as without faults. */
static bool judge(const struct cli *cli, const struct simtest_outcome *want, const struct simtest_outcome *got, uint64_t seed, bool say_all)
{
    struct verdict verdict = { .wrong = json_array(), .all = say_all || got->trouble[0] != '\0' };
    if (got->trouble[0] != '\0') {
        (void)json_array_append_new(verdict.wrong, json_string(got->trouble));
    } else {
        for (size_t i = 0; i < want->count_count; i++)
            compare(&verdict, want, got, &want->counts[i]);
        for (size_t i = 0; i < got->count_count; i++)
            if (times_of(want, &got->counts[i]) == 0) compare(&verdict, want, got, &got->counts[i]);
    }
    bool fine = json_array_size(verdict.wrong) == 0;
    if (!fine || say_all) tell(cli, &verdict, got, seed);
    json_decref(verdict.wrong);
    return fine;
}

/* -- the verb -- */

static void run_seed(const struct cli *cli, const struct simtest_subject *subject, const struct simtest_outcome *want, uint64_t seed,
                     struct tally *tally, bool say_all)
{
    struct simtest_outcome got;
    simtest_run(subject, seed, want->events, true, &got);
    bool fine = judge(cli, want, &got, seed, say_all);
    tally->seeds++;
    tally->events += got.events;
    tally->deliveries += got.deliveries;
    tally->faults += got.faults;
    tally->failed += !fine;
    simtest_outcome_free(&got);
}

static int conclude(const struct cli *cli, const char *path, const struct tally *tally, uint64_t failed_seed)
{
    if (cli->json)
        cli_json_print(json_pack("{s:I,s:I,s:I,s:I,s:I}", "seeds", (json_int_t)tally->seeds, "events", (json_int_t)tally->events,
                                 "deliveries", (json_int_t)tally->deliveries, "faults", (json_int_t)tally->faults, "failed",
                                 (json_int_t)tally->failed));
    else if (tally->failed == 0)
        printf("%zu seeds, %zu events, %zu deliveries, %zu faults: no effect done twice, no event lost\n", tally->seeds, tally->events,
               tally->deliveries, tally->faults);
    else
        printf("%zu seeds, %zu events, %zu deliveries, %zu faults: stopped at the first seed that failed; again: weir simtest %s --seed "
               "%llu\n",
               tally->seeds, tally->events, tally->deliveries, tally->faults, path, (unsigned long long)failed_seed);
    return tally->failed == 0 ? CLI_OK : CLI_FAILED;
}

static int run_all(const struct cli *cli, const char *path, const struct simtest_subject *subject, uint64_t first, uint64_t seeds,
                   uint64_t events)
{
    struct simtest_outcome want;
    struct tally tally = { 0 };
    uint64_t seed = first;
    simtest_run(subject, 0, (size_t)events, false, &want);
    if (want.trouble[0] != '\0') {
        int code = cli_fail("without any fault: %s", want.trouble);
        simtest_outcome_free(&want);
        return code;
    }
    for (; seed < first + seeds && tally.failed == 0; seed++)
        run_seed(cli, subject, &want, seed, &tally, seeds == 1);
    simtest_outcome_free(&want);
    return conclude(cli, path, &tally, seed - 1);
}

int cli_simtest(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    uint64_t seeds = 0, first = 0, events = EVENTS;
    const struct cli_option options[] = {
        { "seeds", CLI_NUMBER, &seeds, "N seeds to run, each with faults of its own (200)" },
        { "seed", CLI_NUMBER, &first, "S run this one, and say what happened in it; with --seeds the first of them" },
        { "events", CLI_NUMBER, &events, "N events in each run (8)" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct simtest_subject subject = { 0 };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 1, 1, &args);
    if (code >= 0) return code;
    if (events == 0 || events > SIMTEST_EVENTS_MAX) return cli_usage(verb, "--events takes 1 to %d", SIMTEST_EVENTS_MAX);
    if (seeds == 0) seeds = first != 0 ? 1 : SEEDS;
    if (first == 0) first = 1;
    code = load(args.items[0], &subject);
    if (code == CLI_OK) code = run_all(cli, args.items[0], &subject, first, seeds, events);
    return code; /* the object stays: what it keeps in static variables is in use until the end */
}
