/* `weir worker`: options of the group, then one of the two ways to hand events to a program. */
#include "sdk/cli/worker.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic(weir_worker *) running;

static void on_signal(int number)
{
    (void)number;
    cli_stop();
    weir_worker *worker = atomic_load(&running);
    if (worker) weir_worker_stop(worker);
}

void cli_stop_on_signal(weir_worker *worker)
{
    atomic_store(&running, worker);
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static const char *const ordering_words[] = { "none", "key", "session", "group" };

static int set_ordering(const struct cli_verb *verb, const char *word, weir_ordering *out_ordering)
{
    for (int i = 0; i < 4; i++) {
        if (strcmp(word, ordering_words[i]) != 0) continue;
        *out_ordering = (weir_ordering)i;
        return -1;
    }
    return cli_usage(verb, "--ordering is none, key, session or group, not '%s'", word);
}

static int set_affinity(const struct cli_verb *verb, const char *word, weir_affinity *out_affinity)
{
    *out_affinity = strcmp(word, "session") == 0 ? WEIR_AFFINITY_SESSION : WEIR_AFFINITY_NONE;
    if (*out_affinity == WEIR_AFFINITY_NONE && strcmp(word, "none") != 0)
        return cli_usage(verb, "--affinity is none or session, not '%s'", word);
    return -1;
}

/* --start: `new`, `first`, or a place: a seq, a time, a length of time back */
static int set_start(const struct cli_verb *verb, const char *text, weir_worker_options *options)
{
    struct cli_place place;
    if (strcmp(text, "new") == 0) return -1;
    if (strcmp(text, "first") == 0) text = "start";
    if (!cli_place(text, &place)) return cli_usage(verb, "--start is new, first, a seq, a time or e.g. 15m, not '%s'", text);
    options->start_at = place.value;
    options->start = place.kind == CLI_PLACE_START ? WEIR_START_FIRST : place.kind == CLI_PLACE_TIME ? WEIR_START_TIME : WEIR_START_SEQ;
    return -1;
}

/* The options' numbers are 32 bits wide. */
struct number {
    const char *name;
    uint32_t *target;
    uint64_t value;
};

static int set_numbers(const struct cli_verb *verb, const struct number *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i].value > UINT32_MAX) return cli_usage(verb, "--%s is too large", numbers[i].name);
        *numbers[i].target = (uint32_t)numbers[i].value;
    }
    return -1;
}

int cli_worker(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_working working = { .cli = cli, .options = WEIR_WORKER_OPTIONS_INIT, .exec_timeout_ms = 600000 };
    working.options.max_event_bytes = CLI_EVENT_BYTES_MAX;
    weir_worker_options *o = &working.options;
    struct cli_list topics = { 0 };
    const char *ordering = "none", *affinity = "none", *start = "new", *name = NULL;
    bool lines = false;
    struct number numbers[] = {
        { "lease-ms", &o->lease_ms, 0 },
        { "credit", &o->credit, 0 },
        { "max-deliveries", &o->max_deliveries, 0 },
        { "handlers", &o->handlers, 0 },
        { "affinity-wait-ms", &o->affinity_wait_ms, 0 },
        { "limit", &o->limit, 0 },
        { "limit-each", &o->limit_each, 0 },
        { "max-deaths", &o->max_deaths, 0 },
        { "retry-percent", &o->retry_percent, 0 },
        { "retry-floor", &o->retry_floor, 0 },
    };
    const struct cli_option options[] = {
        { "group", CLI_TEXT, &o->group, "G the group; made if it is new, its options are then fixed" },
        { "topic", CLI_LIST, &topics, "FILTER may be repeated" },
        { "exec", CLI_TEXT, &working.command, "CMD run by sh per event: exit 0 acks (output = reply), 75 = again, others reject" },
        { "json-lines", CLI_FLAG, &lines, "deliveries as lines on standard output, verbs on standard input" },
        { numbers[0].name, CLI_NUMBER, &numbers[0].value, "MS a delivery is on loan (30000)" },
        { numbers[1].name, CLI_NUMBER, &numbers[1].value, "N deliveries held here at most (64)" },
        { numbers[2].name, CLI_NUMBER, &numbers[2].value, "N failed attempts, then an event is a dead letter (no limit)" },
        { numbers[7].name, CLI_NUMBER, &numbers[7].value, "N workers that an event may cost, then the same (5)" },
        { numbers[8].name, CLI_NUMBER, &numbers[8].value, "N retries for 100 first deliveries, at most, and besides (100)" },
        { numbers[9].name, CLI_NUMBER, &numbers[9].value, "N so many in a second; 1000000: no budget (100)" },
        { numbers[3].name, CLI_NUMBER, &numbers[3].value, "N commands at once (1)" },
        { "ordering", CLI_TEXT, &ordering, "WORD events of a key, a session, or all: one at a time (none)" },
        { "affinity", CLI_TEXT, &affinity, "WORD session: it stays with the worker that had it last (none)" },
        { numbers[4].name, CLI_NUMBER, &numbers[4].value, "MS without credit there until it moves (2000)" },
        { numbers[5].name, CLI_NUMBER, &numbers[5].value, "N events out at once in the group (no limit)" },
        { numbers[6].name, CLI_NUMBER, &numbers[6].value, "N the same for each value of --limit-by (no limit)" },
        { "limit-by", CLI_TEXT, &o->limit_by, "WHAT header:NAME, or word:N of the topic" },
        { "start", CLI_TEXT, &start, "PLACE of a new group: new, first, a seq, a time or how far back, such as 15m (new)" },
        { "exec-timeout-ms", CLI_NUMBER, &working.exec_timeout_ms,
          "MS a command may take; then it is ended, its event goes out again (600000)" },
        { "name", CLI_TEXT, &name, "TEXT for people who look at the coordinator" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 0, 0, &args);
    if (code >= 0) return code;
    if (!o->group) return cli_usage(verb, "--group is missing");
    if (topics.count == 0) return cli_usage(verb, "--topic is missing");
    if (lines == (working.command != NULL)) return cli_usage(verb, "either --exec or --json-lines");
    if (working.exec_timeout_ms == 0 || working.exec_timeout_ms > 86400000)
        return cli_usage(verb, "--exec-timeout-ms goes from 1 to 86400000");

    CLI_CONNECT(cli, *o);
    if (name) o->name = name;
    o->topics = topics.items;
    o->topic_count = topics.count;
    code = set_ordering(verb, ordering, &o->ordering);
    if (code < 0) code = set_affinity(verb, affinity, &o->affinity);
    if (code < 0) code = set_start(verb, start, o);
    if (code < 0) code = set_numbers(verb, numbers, sizeof numbers / sizeof numbers[0]);
    if (code >= 0) return code;
    return lines ? cli_work_lines(&working) : cli_work_exec(&working);
}
