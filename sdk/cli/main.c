/* The weir command: finds the verb, hands over. Verbs are a table, here and in the help. */
#include "sdk/cli/cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_verb verbs[] = {
    { "publish", "TOPIC [DATA] | TOPIC --lines", "Publishes one event (without DATA: standard input), or one per line of standard input.",
      cli_publish },
    { "subscribe", "FILTER", "Prints events as they come; with --since or --last stored ones before.", cli_subscribe },
    { "tail", "[FILTER]", "The last 10 events of everything, or of FILTER, and what follows, for reading.", cli_tail },
    { "worker", "--group G --topic FILTER… (--exec CMD | --json-lines)", "Makes a worker of any program.", cli_worker },
    { "request", "TOPIC [DATA]", "Asks the workers, prints partial answers as they come, then the answer (without DATA: standard input).",
      cli_request },
    { "groups", "[NAME]", "The groups of workers: where they are, what they hold, how much waits.", cli_groups },
    { "dlq", "list GROUP | show|retry|drop GROUP EVENT | show|retry|drop GROUP --all",
      "Dead letters: events that a group has given up, and what becomes of them.", cli_dlq },
    { "group", "show|set|pause|resume|delete NAME | seek NAME PLACE", "One group: all that is known of it, and what an admin changes.",
      cli_group },
    { "why", "EVENT|SESSION", "What an event, or a session's newest events, wait for, and since when.", cli_why },
    { "stats", "", "The coordinator's counters.", cli_stats },
    { "replay", "SOURCE [OPTIONS] -- COMMAND…", "Feeds stored events (a data directory, or an endpoint) to a worker program, unchanged.",
      cli_replay },
    { "verify", "DIR", "Reads a data directory and checks every block: checksum, numbers, chain of hashes.", cli_verify },
    { "simtest", "HANDLER.so [--seeds N | --seed S]",
      "Runs a worker's handler against crashes, late acks and restarts, and finds what it does twice.", cli_simtest },
    { "bench", "", "Measures publish to worker to settle on the coordinator it is given.", cli_bench },
    { "keys", "new --name N [--tenant T] [--roles R] DIR", "Makes a CURVE certificate.", cli_keys },
    { "dev", "", "Coordinator, gateway and an echo worker at once, on loopback, for trying.", cli_dev },
    { "help", "[VERB | error [CODE]]", "This page, that of a verb, or what an error word means.", cli_help },
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

static void cli_print_help(FILE *to)
{
    fputs("usage: weir VERB …\n\n", to);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].about);
    fputs("\nThe coordinator is found by --endpoint or WEIR_ENDPOINT (default tcp://127.0.0.1:7400); --tenant, --credential likewise.\n"
          "--json prints one JSON object per line. `weir VERB --help` says more. Exit codes: 0 fine, 1 failed, 2 wrong usage.\n",
          to);
}

static const struct cli_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return NULL;
}

int cli_help(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    const struct cli_option none[] = { { NULL, CLI_FLAG, NULL, NULL } };
    struct cli_args args;
    int code = cli_parse(cli, verb, none, argc, argv, 0, 2, &args);
    if (code >= 0) return code;
    if (args.count == 0) {
        cli_print_help(stdout);
        return CLI_OK;
    }
    if (strcmp(args.items[0], "error") == 0) return cli_help_error(cli, args.count > 1 ? args.items[1] : NULL);
    const struct cli_verb *about = find_verb(args.items[0]);
    if (!about || args.count > 1) return cli_usage(verb, "'%s' is no verb", args.items[args.count - 1]);
    char *help[] = { (char[]){ "--help" } };
    return about->run(cli, about, 1, help);
}

/* Where this executable stands, for the programs that stand beside it. */
static const char *own_directory(void)
{
    static char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0) return ".";
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (slash) *slash = '\0';
    return path;
}

int main(int argc, char **argv)
{
    struct cli cli = {
        .directory = own_directory(),
        .endpoint = getenv("WEIR_ENDPOINT"),
        .tenant = getenv("WEIR_TENANT"),
        .credential = getenv("WEIR_CREDENTIAL"),
        .certificate = getenv("WEIR_CERTIFICATE"),
        .server_key = getenv("WEIR_SERVER_KEY"),
        .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
    };
    if (argc < 2) {
        cli_print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("weir " WEIR_VERSION);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_print_help(stdout);
        return CLI_OK;
    }
    const struct cli_verb *verb = find_verb(argv[1]);
    if (!verb) {
        fprintf(stderr, "weir: '%s' is no verb; `weir help` lists them\n", argv[1]);
        return CLI_USAGE;
    }
    int code = verb->run(&cli, verb, argc - 2, argv + 2);
    if (fflush(stdout) != 0 && code == CLI_OK) return cli_fail("cannot write standard output");
    return code;
}
