/* `weir tail`: the last events of everything and what follows, a line each, for somebody who watches. */
#include "sdk/cli/subscribe.h"

#include <string.h>

enum { DATA_SHOWN = 120 };

/* In one line, whatever is in it. */
static void print_start_of_data(const weir_event *event)
{
    char line[DATA_SHOWN * 4 + 64];
    FILE *to = fmemopen(line, sizeof line, "w");
    if (!to) return;
    cli_print_data(to, event->data, event->data_size, DATA_SHOWN);
    fclose(to);
    for (char *c = line; *c; c++)
        putchar(*c == '\n' || *c == '\r' || *c == '\t' ? ' ' : *c);
}

static void print_field(const char *name, const char *value)
{
    if (value[0]) printf(" %s=%s", name, value);
}

void cli_show_readable(const struct cli *cli, const weir_stored_event *stored)
{
    const weir_event *event = stored->event;
    const char *dim = cli->colour ? "\033[2m" : "", *bright = cli->colour ? "\033[36m" : "", *plain = cli->colour ? "\033[0m" : "";
    char time[32];
    cli_time(stored->time_ms, time);
    if (stored->gap) printf("%s… a gap: events are not there any more%s\n", dim, plain);
    printf("%s%.12s %llu%s %s%s%s", dim, time + 11, (unsigned long long)stored->seq, plain, bright, event->topic, plain);
    print_field("key", event->key);
    print_field("session", event->session);
    print_field("type", event->type);
    if (stored->cause_seq) printf(" cause=%llu", (unsigned long long)stored->cause_seq);
    putchar(' ');
    print_start_of_data(event);
    putchar('\n');
    fflush(stdout);
}

int cli_tail(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_reading reading = { .filter = ">", .last = 10 };
    const struct cli_option options[] = {
        { "last", CLI_NUMBER, &reading.last, "N stored events first (10)" },
        { "count", CLI_NUMBER, &reading.count, "N stop after N events" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 0, 1, &args);
    if (code >= 0) return code;
    if (args.count > 0) reading.filter = args.items[0];
    reading.show = cli->json ? cli_show_json : cli_show_readable;
    return cli_read_events(cli, verb, &reading);
}
