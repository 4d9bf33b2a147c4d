/* `weir replay`: stored events to a worker program, unchanged. A private coordinator opens the source read-only on a free port (an
 * endpoint's history is fetched into a file first); the program is started with WEIR_ENDPOINT pointing there. What it settles and emits
 * stays in the private coordinator's memory and is shown here: on standard error, since standard output is the program's; with --json on
 * standard output.
 *
 * The program keeps the terminal, so that it can be a debugger: Ctrl-C is for it, and when it ends, so do we. */
#include "sdk/cli/replay.h"
#include "sdk/cli/admin.h"
#include "sdk/cli/subscribe.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 100, ASK_MS = 5000 };

struct replay {
    const struct cli *cli;
    struct replay_range range;
    const char *source; /* a directory, or an endpoint; later the file of its history */
    char directory[64]; /* of our own files; removed at the end */
    char history[96];
    struct cli_child coordinator, program;
    char endpoint[256];
    weir_admin *admin;
    weir_subscriber *emitted;
    uint64_t last; /* the last position of the source */
    uint64_t emits;
};

/* Position of --since, --until, --event. Returns -1 to go on. */
static int set_places(const struct cli_verb *verb, struct replay *replay, const char *since, const char *until, const char *event)
{
    struct cli_place place;
    if (event) {
        if (since || until) return cli_usage(verb, "--event goes without --since and --until");
        if (!cli_place(event, &place) || (place.kind != CLI_PLACE_ID && place.kind != CLI_PLACE_SEQ))
            return cli_usage(verb, "--event takes an event id or a seq");
        replay->range.from = replay->range.until = place.value;
    }
    if (since) {
        if (!cli_place(since, &place)) return cli_usage(verb, "--since takes a seq, an event id, a time or e.g. 15m");
        if (place.kind == CLI_PLACE_TIME)
            replay->range.since_ms = place.value;
        else
            replay->range.from = place.kind == CLI_PLACE_START ? 0 : place.value + 1; /* what came after it */
    }
    if (until) {
        if (!cli_place(until, &place) || place.kind == CLI_PLACE_START)
            return cli_usage(verb, "--until takes a seq, an event id, a time or e.g. 15m");
        if (place.kind == CLI_PLACE_TIME)
            replay->range.until_ms = place.value;
        else
            replay->range.until = place.value;
    }
    return -1;
}

static void add_text(char *argv[], size_t *count, const char *flag, const char *value)
{
    if (!value) return;
    argv[(*count)++] = (char *)(uintptr_t)flag;
    argv[(*count)++] = (char *)(uintptr_t)value;
}

static const char *number_text(char room[24], uint64_t value)
{
    if (value == 0) return NULL;
    snprintf(room, 24, "%llu", (unsigned long long)value);
    return room;
}

static int start_coordinator(struct replay *replay)
{
    char *argv[32], from[24], until[24], since[24], log[128];
    size_t count = 0;
    argv[count++] = "weir-coordinator";
    argv[count++] = "--dev";
    argv[count++] = "--read-only";
    add_text(argv, &count, "--data", replay->source);
    add_text(argv, &count, "--listen", "tcp://127.0.0.1:0");
    add_text(argv, &count, "--http", "off");
    add_text(argv, &count, "--replay-filter", replay->range.filter);
    add_text(argv, &count, "--replay-session", replay->range.session);
    add_text(argv, &count, "--replay-key", replay->range.key);
    add_text(argv, &count, "--replay-from", number_text(from, replay->range.from));
    add_text(argv, &count, "--replay-until", number_text(until, replay->range.until));
    add_text(argv, &count, "--replay-since-time", number_text(since, replay->range.since_ms));
    add_text(argv, &count, "--replay-speed", replay->range.speed);
    argv[count] = NULL;
    snprintf(log, sizeof log, "%s/coordinator.log", replay->directory);
    int code = cli_spawn_sister(replay->cli, &replay->coordinator, "weir-coordinator", argv, log);
    if (code == CLI_OK) code = cli_child_ready(&replay->coordinator, "listen", replay->endpoint, sizeof replay->endpoint);
    return code;
}

/* The tenant whose groups and events these are; a private coordinator lets anybody name any. */
static const char *tenant_of(const struct replay *replay)
{
    return replay->cli->tenant ? replay->cli->tenant : "dev";
}

/* Handles of our own on the private coordinator, before the program starts, so that nothing it emits is missed. */
static int open_handles(struct replay *replay)
{
    static const char *const all[] = { ">" };
    weir_admin_options admin = WEIR_ADMIN_OPTIONS_INIT;
    weir_subscriber_options reading = WEIR_SUBSCRIBER_OPTIONS_INIT;
    weir_answer_rows *rows = NULL;
    admin.endpoint = reading.endpoint = replay->endpoint;
    admin.tenant = reading.tenant = tenant_of(replay);
    admin.connect_timeout_ms = reading.connect_timeout_ms = CLI_CONNECT_MS;
    reading.topics = all;
    reading.topic_count = 1;
    weir_status status = weir_admin_open(&admin, &replay->admin);
    if (status == WEIR_OK) status = weir_admin_stats(replay->admin, NULL, ASK_MS, &rows);
    if (status != WEIR_OK) return cli_report(replay->cli, replay->admin, status);
    for (size_t i = 0; i < rows->stat_count; i++)
        if (strcmp(rows->stats[i].name, "head") == 0) replay->last = rows->stats[i].value;
    weir_admin_free(&rows);
    if (replay->range.until && replay->range.until < replay->last) replay->last = replay->range.until;
    status = weir_subscriber_open(&reading, &replay->emitted);
    return status == WEIR_OK ? CLI_OK : cli_report(replay->cli, NULL, status);
}

static int start_program(struct replay *replay, char **command)
{
    setenv("WEIR_ENDPOINT", replay->endpoint, 1);
    setenv("WEIR_TENANT", tenant_of(replay), 1);
    unsetenv("WEIR_CREDENTIAL"); /* that of the source is not for here */
    return cli_spawn(&replay->program, command[0], command, NULL);
}

static void show_emitted(struct replay *replay)
{
    const weir_stored_event *event = NULL;
    while (weir_subscriber_next(replay->emitted, 0, &event) == WEIR_OK) {
        replay->emits++;
        if (replay->cli->json) {
            json_t *line = cli_event_json(event->event, event->event_id, event->seq, event->time_ms);
            json_object_set_new(line, "type", json_string("emitted"));
            if (event->cause_seq) json_object_set_new(line, "cause_seq", json_integer((json_int_t)event->cause_seq));
            cli_json_line(line, event->event->data, event->event->data_size);
        } else {
            cli_print_readable(stderr, false, event);
        }
    }
}

/* Every group that the program made has come to the end, and nothing is on loan or waits for another attempt. */
static bool is_settled(const struct replay *replay, const weir_answer_rows *rows)
{
    bool any = false;
    for (size_t i = 0; i < rows->group_count; i++) {
        const weir_group_info *g = &rows->groups[i];
        if (g->workers == 0 && g->delivered == 0) continue; /* of the source; nobody works for it here */
        any = true;
        if (g->floor < replay->last && (g->cursor <= replay->last || g->leased > 0 || g->failed > 0)) return false;
    }
    return any;
}

static void print_summary(const struct replay *replay, const weir_answer_rows *rows)
{
    for (size_t i = 0; i < rows->group_count; i++) {
        const weir_group_info *g = &rows->groups[i];
        if (g->workers == 0 && g->delivered == 0) continue;
        if (replay->cli->json)
            cli_json_print(json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "type", "replayed", "group", g->name, "delivered",
                                     (json_int_t)g->delivered, "acked", (json_int_t)g->acked, "nacked", (json_int_t)g->nacked, "rejected",
                                     (json_int_t)g->rejected, "emitted", (json_int_t)replay->emits));
        else
            fprintf(stderr, "weir: replayed to %s: %llu delivered, %llu acked, %llu nacked, %llu rejected; %llu emitted\n", g->name,
                    (unsigned long long)g->delivered, (unsigned long long)g->acked, (unsigned long long)g->nacked,
                    (unsigned long long)g->rejected, (unsigned long long)replay->emits);
    }
}

static int program_result(const struct replay *replay, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return cli_fail("cannot run %s", replay->program.name);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) return cli_fail("%s ended with %d", replay->program.name, WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return cli_fail("%s was ended by signal %d", replay->program.name, WTERMSIG(status));
    return CLI_OK;
}

/* Until all is settled, the program ends, or the coordinator does. */
static int watch(struct replay *replay)
{
    int status = 0;
    weir_answer_rows *rows = NULL;
    for (bool settled = false;;) {
        bool ended = cli_child_ended(&replay->program, &status);
        if (cli_child_ended(&replay->coordinator, &(int){ 0 })) {
            cli_show_log(&replay->coordinator, 15);
            return cli_fail("the private coordinator has ended");
        }
        weir_status asked = weir_admin_groups(replay->admin, NULL, NULL, ASK_MS, &rows);
        if (asked != WEIR_OK) return cli_report(replay->cli, replay->admin, asked);
        settled = is_settled(replay, rows);
        show_emitted(replay);
        if (settled || ended || cli_stopping()) {
            print_summary(replay, rows);
            weir_admin_free(&rows);
            if (ended && !settled) cli_fail("%s ended before the end of the replay", replay->program.name);
            return ended ? program_result(replay, status) : settled ? CLI_OK : CLI_FAILED;
        }
        weir_admin_free(&rows);
        usleep(LOOK_MS * 1000);
    }
}

/* A coordinator takes the end of a replay as a position only: the first event at or after the time is asked for, on a coordinator of its
 * own, since the end is fixed at its start. */
static int resolve_until(struct replay *replay)
{
    static const char *const all[] = { ">" };
    weir_subscriber_options options = WEIR_SUBSCRIBER_OPTIONS_INIT;
    const weir_stored_event *event = NULL;
    weir_subscriber *subscriber = NULL;
    int code = start_coordinator(replay);
    if (code != CLI_OK) return code;
    options.endpoint = replay->endpoint;
    options.tenant = tenant_of(replay);
    options.connect_timeout_ms = CLI_CONNECT_MS;
    options.topics = all;
    options.topic_count = 1;
    options.start = WEIR_START_TIME;
    options.start_at = replay->range.until_ms;
    options.limit = 1;
    weir_status status = weir_subscriber_open(&options, &subscriber);
    if (status == WEIR_OK) status = weir_subscriber_next(subscriber, ASK_MS, &event);
    if (status == WEIR_OK && event->seq == 1)
        code = cli_fail("nothing was stored before that time");
    else if (status == WEIR_OK)
        replay->range.until = event->seq - 1;
    else if (status != WEIR_ENDED) /* ended: all there is was before it */
        code = cli_report(replay->cli, subscriber, status);
    weir_subscriber_close(&subscriber);
    cli_child_stop(&replay->coordinator);
    return code;
}

/* The history of an endpoint becomes the source. */
static int fetch(struct replay *replay)
{
    uint64_t count = 0;
    snprintf(replay->history, sizeof replay->history, "%s/history", replay->directory);
    int code = cli_replay_fetch(replay->cli, &replay->range, replay->source, replay->history, &count);
    replay->source = replay->history;
    replay->range.since_ms = 0; /* the file begins there */
    if (code == CLI_OK && count == 0) return cli_fail("nothing is stored there");
    return code;
}

static int run(struct replay *replay, char **command)
{
    snprintf(replay->directory, sizeof replay->directory, "/tmp/weir-replay-XXXXXX");
    if (!mkdtemp(replay->directory)) return cli_fail("cannot make a directory in /tmp: %s", strerror(errno));
    cli_catch_signals();
    signal(SIGINT, SIG_IGN); /* the program's; its end is ours */
    int code = CLI_OK;
    if (strstr(replay->source, "://")) code = fetch(replay);
    if (code == CLI_OK && replay->range.until_ms) code = resolve_until(replay);
    if (code == CLI_OK) code = start_coordinator(replay);
    if (code == CLI_OK) code = open_handles(replay);
    if (code == CLI_OK) code = start_program(replay, command);
    if (code == CLI_OK) code = watch(replay);
    weir_subscriber_close(&replay->emitted);
    weir_admin_close(&replay->admin);
    cli_child_stop(&replay->program);
    cli_child_stop(&replay->coordinator);
    if (replay->coordinator.log[0]) unlink(replay->coordinator.log);
    if (replay->history[0]) unlink(replay->history);
    rmdir(replay->directory);
    return code;
}

int cli_replay(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    struct replay replay = { .cli = cli, .range.speed = "max" };
    const char *since = NULL, *until = NULL, *event = NULL;
    const struct cli_option options[] = {
        { "topic", CLI_TEXT, &replay.range.filter, "FILTER only these topics" },
        { "session", CLI_TEXT, &replay.range.session, "TEXT only this session" },
        { "key", CLI_TEXT, &replay.range.key, "TEXT only this key" },
        { "event", CLI_TEXT, &event, "ID only this event (or its seq)" },
        { "since", CLI_TEXT, &since, "PLACE from this seq, event id or time on" },
        { "until", CLI_TEXT, &until, "PLACE up to this seq, event id or time" },
        { "speed", CLI_TEXT, &replay.range.speed, "HOW original, a factor, max or step: each after the settle of the one before (max)" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 1, 1, &args);
    if (code >= 0) return code;
    if (!args.command || !args.command[0]) return cli_usage(verb, "the command is missing; it stands behind --");
    code = set_places(verb, &replay, since, until, event);
    if (code >= 0) return code;
    struct stat there;
    replay.source = args.items[0];
    if (!strstr(replay.source, "://") && (stat(replay.source, &there) != 0 || !S_ISDIR(there.st_mode)))
        return cli_fail("%s is neither a data directory nor an endpoint", replay.source);
    return run(&replay, args.command);
}
