/* `weir replay ENDPOINT`: the history of a running coordinator, read as anybody may read it, kept byte for byte and with its positions in a
 * file (its form: coordinator/shell/history_file.h). The source sees a subscriber, nothing else. */
#include "sdk/cli/replay.h"

#include <errno.h>
#include <string.h>
#include <weir/admin.h>

enum { WAIT_MS = 30000 };

static void put_number(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static bool write_event(FILE *file, const char *tenant, const weir_raw_event *event, bool first)
{
    uint8_t head[32];
    if (first) fprintf(file, "weir history 1\n%s %s\n", event->epoch, tenant);
    put_number(head, event->seq);
    put_number(head + 8, event->time_ms);
    put_number(head + 16, event->cause_seq);
    put_number(head + 24, event->data_size);
    return fwrite(head, 1, sizeof head, file) == sizeof head && fwrite(event->data, 1, event->data_size, file) == event->data_size;
}

static int read_all(const struct cli *cli, weir_subscriber *subscriber, const struct replay_range *range, FILE *file, uint64_t *out_count)
{
    const char *tenant = cli->tenant ? cli->tenant : "dev";
    while (!cli_stopping()) {
        const weir_raw_event *event = NULL;
        weir_status status = weir_subscriber_next_raw(subscriber, WAIT_MS, &event);
        if (status == WEIR_ENDED || (status == WEIR_OK && range->until && event->seq > range->until)) return CLI_OK;
        if (status != WEIR_OK) return cli_report(cli, subscriber, status);
        if (event->gap) fputs("weir: a gap: events from the place asked for are not there any more\n", stderr);
        if (!write_event(file, tenant, event, *out_count == 0)) return cli_fail("cannot write the history: %s", strerror(errno));
        ++*out_count;
    }
    return CLI_FAILED;
}

int cli_replay_fetch(const struct cli *cli, const struct replay_range *range, const char *endpoint, const char *path, uint64_t *out_count)
{
    const char *filter = range->filter ? range->filter : ">";
    weir_subscriber_options options = WEIR_SUBSCRIBER_OPTIONS_INIT;
    CLI_CONNECT(cli, options);
    options.endpoint = endpoint;
    options.connect_timeout_ms = CLI_CONNECT_MS;
    options.topics = &filter;
    options.topic_count = 1;
    options.limit = UINT64_MAX; /* to the end of what is stored now */
    options.max_event_bytes = CLI_EVENT_BYTES_MAX;
    options.start = range->from ? WEIR_START_SEQ : range->since_ms ? WEIR_START_TIME : WEIR_START_FIRST;
    options.start_at = range->from ? range->from - 1 : range->since_ms;
    weir_subscriber *subscriber = NULL;
    weir_status status = weir_subscriber_open(&options, &subscriber);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);
    FILE *file = fopen(path, "wbe");
    int code = file ? read_all(cli, subscriber, range, file, out_count) : cli_fail("cannot write %s: %s", path, strerror(errno));
    if (file && fclose(file) != 0 && code == CLI_OK) code = cli_fail("cannot write %s: %s", path, strerror(errno));
    weir_subscriber_close(&subscriber);
    return code;
}
