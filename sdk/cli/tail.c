/* `weir tail`: the last events of everything and what follows, a line each, for somebody who watches. */
#include "sdk/cli/subscribe.h"

#include <string.h>

enum { DATA_SHOWN = 120 };

/* In one line, whatever is in it. */
static void print_start_of_data(FILE *to, const weir_event *event)
{
    char line[DATA_SHOWN * 4 + 64];
    FILE *text = fmemopen(line, sizeof line, "w");
    if (!text) return;
    cli_print_data(text, event->data, event->data_size, DATA_SHOWN);
    fclose(text);
    for (char *c = line; *c; c++)
        fputc(*c == '\n' || *c == '\r' || *c == '\t' ? ' ' : *c, to);
}

static void print_field(FILE *to, const char *name, const char *value)
{
    if (value[0]) fprintf(to, " %s=%s", name, value);
}

void cli_print_readable(FILE *to, bool colour, const weir_stored_event *stored)
{
    const weir_event *event = stored->event;
    const char *dim = colour ? "\033[2m" : "", *bright = colour ? "\033[36m" : "", *plain = colour ? "\033[0m" : "";
    char time[32];
    cli_time(stored->time_ms, time);
    if (stored->gap) fprintf(to, "%s… a gap: events are not there any more%s\n", dim, plain);
    fprintf(to, "%s%.12s %llu%s %s%s%s", dim, time + 11, (unsigned long long)stored->seq, plain, bright, event->topic, plain);
    print_field(to, "key", event->key);
    print_field(to, "session", event->session);
    print_field(to, "type", event->type);
    if (stored->cause_seq) fprintf(to, " cause=%llu", (unsigned long long)stored->cause_seq);
    fputc(' ', to);
    print_start_of_data(to, event);
    fputc('\n', to);
    fflush(to);
}

static void show_readable(const struct cli *cli, const weir_stored_event *stored)
{
    cli_print_readable(stdout, cli->colour, stored);
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
    reading.show = cli->json ? cli_show_json : show_readable;
    return cli_read_events(cli, verb, &reading);
}
