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
static int set_numbers(const struct cli_verb *verb, const uint64_t values[4], uint32_t *const targets[4])
{
    static const char *const names[4] = { "lease-ms", "credit", "max-deliveries", "handlers" };
    for (int i = 0; i < 4; i++) {
        if (values[i] > UINT32_MAX) return cli_usage(verb, "--%s is too large", names[i]);
        *targets[i] = (uint32_t)values[i];
    }
    return -1;
}

int cli_worker(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_working working = { .cli = cli, .options = WEIR_WORKER_OPTIONS_INIT, .exec_timeout_ms = 600000 };
    weir_worker_options *o = &working.options;
    struct cli_list topics = { 0 };
    const char *ordering = "none", *start = "new", *name = NULL;
    bool lines = false;
    uint64_t numbers[4] = { 0 };
    const struct cli_option options[] = {
        { "group", CLI_TEXT, &o->group, "G the group; made if it is new, its options are then fixed" },
        { "topic", CLI_LIST, &topics, "FILTER may be repeated" },
        { "exec", CLI_TEXT, &working.command, "CMD run by sh per event: exit 0 acks (output = reply), 75 = again, others reject" },
        { "json-lines", CLI_FLAG, &lines, "deliveries as lines on standard output, verbs on standard input" },
        { "lease-ms", CLI_NUMBER, &numbers[0], "MS a delivery is on loan (30000)" },
        { "credit", CLI_NUMBER, &numbers[1], "N deliveries held here at most (64)" },
        { "max-deliveries", CLI_NUMBER, &numbers[2], "N attempts; refused by this version's coordinator" },
        { "handlers", CLI_NUMBER, &numbers[3], "N commands at once (1)" },
        { "ordering", CLI_TEXT, &ordering, "WORD none, key, session or group; this version serves none (none)" },
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
    if (code < 0) code = set_start(verb, start, o);
    if (code < 0) code = set_numbers(verb, numbers, (uint32_t *const[4]){ &o->lease_ms, &o->credit, &o->max_deliveries, &o->handlers });
    if (code >= 0) return code;
    return lines ? cli_work_lines(&working) : cli_work_exec(&working);
}
