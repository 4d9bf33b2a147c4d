/* What `weir subscribe` and `weir tail` share: reading events in order, stored and live, and showing each. */
#ifndef WEIR_CLI_SUBSCRIBE_H
#define WEIR_CLI_SUBSCRIBE_H

#include "sdk/cli/cli.h"

typedef void cli_show_event(const struct cli *cli, const weir_stored_event *event);

struct cli_reading {
    const char *filter;
    const char *since; /* NULL: not given */
    uint64_t last;     /* 0: none */
    uint64_t count;    /* stop after so many; 0: never */
    bool stored;       /* stop at the end of what is stored now */
    cli_show_event *show;
};

/* Until the count is reached, the stored end, or a signal. */
int cli_read_events(const struct cli *cli, const struct cli_verb *verb, const struct cli_reading *reading);
/* One event as a line of JSON. */
void cli_show_json(const struct cli *cli, const weir_stored_event *event);
/* One event as a line for people: time, topic, what it belongs to, the beginning of its data. */
void cli_print_readable(FILE *to, bool colour, const weir_stored_event *event);

#endif
