/* `weir publish`: one event and its answer, or a line per event with a window of answers under way. */
#include "sdk/cli/cli.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_WAIT_MS = 30000 };

/* What became of the lines. Filled on the SDK's thread. */
struct tally {
    const struct cli *cli;
    pthread_mutex_t lock;
    uint64_t accepted, duplicates, refused;
    uint64_t first_refused; /* number of the line */
    weir_status why;
};

static void print_accepted(const weir_result *result, uint64_t line)
{
    char id[WEIR_EVENT_ID_SIZE];
    const char *dash = strchr(result->event_id, '-');
    for (uint64_t i = 0; i < result->count; i++) {
        snprintf(id, sizeof id, "%.*s-%llu", dash ? (int)(dash - result->event_id) : 0, result->event_id,
                 (unsigned long long)(result->first_seq + i));
        json_t *object =
            json_pack("{s:s,s:I,s:b}", "event", id, "seq", (json_int_t)(result->first_seq + i), "duplicate", (int)result->duplicate);
        if (line) json_object_set_new(object, "line", json_integer((json_int_t)(line + i)));
        cli_json_print(object);
    }
}

static void print_refused(const weir_result *result, uint64_t line)
{
    for (uint64_t i = 0; i < result->count; i++)
        cli_json_print(
            json_pack("{s:s,s:s,s:I}", "type", "error", "code", weir_status_text(result->status), "line", (json_int_t)(line + i)));
}

/* Numbers of a publisher begin at 1 and follow the calls, so a number is a line's number. */
static void on_result(const weir_result *result, void *arg)
{
    struct tally *tally = arg;
    pthread_mutex_lock(&tally->lock);
    if (result->status == WEIR_OK) {
        tally->accepted += result->count;
        if (result->duplicate) tally->duplicates += result->count;
        if (tally->cli->json) print_accepted(result, result->first_number);
    } else {
        if (tally->refused == 0 || result->first_number < tally->first_refused) {
            tally->first_refused = result->first_number;
            tally->why = result->status;
        }
        tally->refused += result->count;
        if (tally->cli->json) print_refused(result, result->first_number);
    }
    pthread_mutex_unlock(&tally->lock);
}

/* Sends every line of standard input. A line that cannot be sent at all ends it. */
static weir_status send_lines(weir_publisher *publisher, weir_event *event, uint64_t *out_lines)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size = 0;
    weir_status status = WEIR_OK;
    while (status == WEIR_OK && !cli_stopping() && (size = getline(&line, &room, stdin)) >= 0) {
        if (size > 0 && line[size - 1] == '\n') size--;
        event->data = line;
        event->data_size = (size_t)size;
        event->time_ms = 0;
        do
            status = weir_publish_async(publisher, event, 1000, NULL); /* a full window is back pressure, not an error */
        while (status == WEIR_FULL && !cli_stopping());
        if (status == WEIR_OK) ++*out_lines;
    }
    free(line);
    return status;
}

static int publish_lines(const struct cli *cli, weir_event *event)
{
    struct tally tally = { .cli = cli, .lock = PTHREAD_MUTEX_INITIALIZER };
    weir_publisher_options options = WEIR_PUBLISHER_OPTIONS_INIT;
    CLI_CONNECT(cli, options);
    options.connect_timeout_ms = CLI_CONNECT_MS;
    options.close_timeout_ms = ANSWER_WAIT_MS;
    options.on_result = on_result;
    options.arg = &tally;
    weir_publisher *publisher = NULL;
    weir_status status = weir_publisher_open(&options, &publisher);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);

    cli_catch_signals();
    uint64_t lines = 0;
    int code = CLI_OK;
    status = send_lines(publisher, event, &lines);
    if (status != WEIR_OK) {
        code = cli_report(cli, publisher, status);
        cli_fail("stopped at line %llu", (unsigned long long)lines + 1);
    }
    status = weir_publisher_flush(publisher, ANSWER_WAIT_MS);
    if (status != WEIR_OK) code = cli_report(cli, publisher, status);
    weir_publisher_close(&publisher); /* the last answers; after it the tally stands still */
    if (!cli->json)
        printf("%llu accepted (%llu of them before), %llu refused\n", (unsigned long long)tally.accepted,
               (unsigned long long)tally.duplicates, (unsigned long long)tally.refused);
    if (tally.refused > 0) return cli_fail("line %llu: %s", (unsigned long long)tally.first_refused, weir_status_text(tally.why));
    return code;
}

static int publish_one(const struct cli *cli, const weir_event *event)
{
    weir_publisher_options options = WEIR_PUBLISHER_OPTIONS_INIT;
    CLI_CONNECT(cli, options);
    options.connect_timeout_ms = CLI_CONNECT_MS;
    weir_publisher *publisher = NULL;
    weir_status status = weir_publisher_open(&options, &publisher);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);

    weir_result result = { 0 };
    int code = CLI_OK;
    status = weir_publish(publisher, event, ANSWER_WAIT_MS, &result);
    if (status != WEIR_OK)
        code = cli_report(cli, publisher, status);
    else if (cli->json)
        print_accepted(&result, 0);
    else
        printf("%s%s\n", result.event_id, result.duplicate ? " (accepted before)" : "");
    weir_publisher_close(&publisher);
    return code;
}

int cli_publish(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    bool lines = false;
    struct cli_event_options fields = { 0 };
    const struct cli_option options[] = {
        { "lines", CLI_FLAG, &lines, "one event per line of standard input" },
        CLI_EVENT_OPTIONS(fields),
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 1, 2, &args);
    if (code >= 0) return code;
    if (lines && args.count > 1) return cli_usage(verb, "DATA and --lines do not go together");
    weir_event event = WEIR_EVENT_INIT;
    event.topic = args.items[0];
    code = cli_event_fill(verb, &fields, &event);
    if (code >= 0) return code;
    if (lines) return publish_lines(cli, &event);

    char *input;
    if (!cli_event_data(&args, &event, &input)) return CLI_FAILED;
    code = publish_one(cli, &event);
    free(input);
    return code;
}
