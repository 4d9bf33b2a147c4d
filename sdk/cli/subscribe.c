/* `weir subscribe`: events of a filter as they stand in the log, then as they come. */
#include "sdk/cli/subscribe.h"

#include <string.h>

enum { LOOK_MS = 200 };

void cli_show_json(const struct cli *cli, const weir_stored_event *stored)
{
    (void)cli;
    json_t *line = cli_event_json(stored->event, stored->event_id, stored->seq, stored->time_ms);
    if (stored->cause_seq) json_object_set_new(line, "cause_seq", json_integer((json_int_t)stored->cause_seq));
    if (strcmp(stored->cursor, stored->event_id) != 0) json_object_set_new(line, "cursor", json_string(stored->cursor));
    if (stored->gap) json_object_set_new(line, "gap", json_true());
    if (stored->too_large) json_object_set_new(line, "size", json_integer((json_int_t)stored->too_large));
    if (stored->too_large) json_object_set_new(line, "too_large", json_true());
    cli_json_line(line, stored->event->data, stored->event->data_size);
}

static void show_plain(const struct cli *cli, const weir_stored_event *stored)
{
    if (stored->gap) fputs("weir: a gap: events before this one are not there any more\n", stderr);
    printf("%s%s%s ", cli->colour ? "\033[36m" : "", stored->event->topic, cli->colour ? "\033[0m" : "");
    cli_print_data(stdout, stored->event->data, stored->event->data_size, SIZE_MAX);
    if (stored->too_large) printf("(%llu bytes: too large)", (unsigned long long)stored->too_large);
    putchar('\n');
    fflush(stdout);
}

/* Puts the place to begin into the options. Returns -1 to go on. */
static int set_start(const struct cli_verb *verb, const struct cli_reading *reading, weir_subscriber_options *options)
{
    struct cli_place place;
    if (reading->last) {
        options->start = WEIR_START_LAST;
        options->start_at = reading->last;
        return -1;
    }
    if (!reading->since) {
        options->start = reading->stored ? WEIR_START_FIRST : WEIR_START_NEW;
        return -1;
    }
    if (!cli_place(reading->since, &place)) return cli_usage(verb, "--since takes an event id, a seq, `start`, a time or e.g. 15m");
    options->start_at = place.value;
    switch (place.kind) {
    case CLI_PLACE_START:
        options->start = WEIR_START_FIRST;
        break;
    case CLI_PLACE_ID:
        options->start = WEIR_START_SEQ;
        options->since = place.id;
        break;
    case CLI_PLACE_SEQ:
        options->start = WEIR_START_SEQ;
        break;
    case CLI_PLACE_TIME:
        options->start = WEIR_START_TIME;
        break;
    }
    return -1;
}

static int read_until_end(const struct cli *cli, weir_subscriber *subscriber, const struct cli_reading *reading)
{
    uint64_t seen = 0;
    while (!cli_stopping()) {
        const weir_stored_event *event = NULL;
        weir_status status = weir_subscriber_next(subscriber, LOOK_MS, &event);
        if (status == WEIR_TIMED_OUT) continue;
        if (status == WEIR_ENDED) return CLI_OK;
        if (status != WEIR_OK) return cli_report(cli, subscriber, status);
        reading->show(cli, event);
        if (ferror(stdout)) return CLI_FAILED; /* nobody reads on */
        if (++seen == reading->count) return CLI_OK;
    }
    return CLI_OK;
}

int cli_read_events(const struct cli *cli, const struct cli_verb *verb, const struct cli_reading *reading)
{
    weir_subscriber_options options = WEIR_SUBSCRIBER_OPTIONS_INIT;
    CLI_CONNECT(cli, options);
    options.connect_timeout_ms = CLI_CONNECT_MS;
    options.max_event_bytes = CLI_EVENT_BYTES_MAX;
    options.topics = &reading->filter;
    options.topic_count = 1;
    if (reading->stored) options.limit = reading->count ? reading->count : UINT64_MAX;
    int code = set_start(verb, reading, &options);
    if (code >= 0) return code;

    weir_subscriber *subscriber = NULL;
    weir_status status = weir_subscriber_open(&options, &subscriber);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);
    cli_catch_signals();
    code = read_until_end(cli, subscriber, reading);
    weir_subscriber_close(&subscriber);
    return code;
}

int cli_subscribe(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_reading reading = { 0 };
    const struct cli_option options[] = {
        { "since", CLI_TEXT, &reading.since, "PLACE after an event id or seq, `start`, a time (2026-01-31T12:00:00Z) or e.g. 15m" },
        { "last", CLI_NUMBER, &reading.last, "N the last N stored events first" },
        { "count", CLI_NUMBER, &reading.count, "N stop after N events" },
        { "stored", CLI_FLAG, &reading.stored, "stop at the end of what is stored now" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 1, 1, &args);
    if (code >= 0) return code;
    if (reading.since && reading.last) return cli_usage(verb, "--since and --last do not go together");
    reading.filter = args.items[0];
    reading.show = cli->json ? cli_show_json : show_plain;
    return cli_read_events(cli, verb, &reading);
}
