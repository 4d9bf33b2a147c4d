/* `weir dlq`: what a group has given up; looking at it, having it delivered again, dropping it. */
#include "sdk/cli/admin.h"

#include <stdlib.h>
#include <string.h>

struct dlq {
    struct cli *cli;
    weir_admin *admin;
    const char *group;
    const char *event; /* an id; NULL: seq, or all */
    uint64_t seq;
    weir_status status; /* why a walk through the letters stopped */
};

/* ---- walking through the letters ---- */

typedef bool each_letter(struct dlq *dlq, const weir_dead *letter, void *arg); /* false: stop */

static weir_status for_each(struct dlq *dlq, each_letter *call, void *arg)
{
    uint64_t after = 0;
    for (bool more = true; more && !cli_stopping();) {
        weir_answer_rows *rows = NULL;
        weir_status status = weir_admin_dead(dlq->admin, dlq->cli->tenant, dlq->group, after, CLI_CONNECT_MS, &rows);
        if (status != WEIR_OK) return status;
        more = rows->more;
        for (size_t i = 0; i < rows->dead_count; i++) {
            after = rows->deads[i].place;
            if (!call(dlq, &rows->deads[i], arg)) more = false;
        }
        weir_admin_free(&rows);
    }
    return WEIR_OK;
}

/* ---- list ---- */

static json_t *letter_json(const weir_dead *letter)
{
    char time[32];
    json_t *line = json_object();
    cli_time(letter->time_ms, time);
    json_object_set_new(line, "seq", json_integer((json_int_t)letter->seq));
    json_object_set_new(line, "place", json_integer((json_int_t)letter->place));
    json_object_set_new(line, "reason", json_string(letter->reason));
    json_object_set_new(line, "attempts", json_integer((json_int_t)letter->attempts));
    json_object_set_new(line, "died", json_string(time));
    json_object_set_new(line, "retried", json_boolean(letter->retried));
    return line;
}

static bool list_one(struct dlq *dlq, const weir_dead *letter, void *arg)
{
    struct cli_table *table = arg;
    char time[32];
    if (dlq->cli->json) {
        cli_json_print(letter_json(letter));
        return true;
    }
    cli_time(letter->time_ms, time);
    cli_table_cell(table, "%llu", (unsigned long long)letter->seq);
    cli_table_cell(table, "%s", letter->reason);
    cli_table_cell(table, "%u", letter->attempts);
    cli_table_cell(table, "%s", time);
    cli_table_cell(table, "%s", letter->retried ? "retried" : "");
    return true;
}

static weir_status list(struct dlq *dlq)
{
    static const char *const heads[] = { "event:", "reason", "attempts:", "died", "state" };
    struct cli_table *table = dlq->cli->json ? NULL : cli_table_new(heads, sizeof heads / sizeof *heads);
    weir_status status = for_each(dlq, list_one, table);
    if (table) cli_table_print(table, dlq->cli);
    return status;
}

/* ---- show ---- */

static const char *header_of(const weir_event *event, const char *name)
{
    for (size_t i = 0; i < event->header_count; i++)
        if (strcmp(event->headers[i].name, name) == 0) return event->headers[i].value;
    return NULL;
}

static void show_json(const weir_dead *letter, const weir_stored_event *stored, const weir_event *event, const char *id)
{
    static const char *const kept[] = { "worker", "error" };
    json_t *line = cli_event_json(event, id, letter->seq, stored->event->time_ms), *about = letter_json(letter);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char name[32];
        snprintf(name, sizeof name, "weir-%s", kept[i]);
        const char *value = header_of(stored->event, name);
        if (value) cli_json_bytes(about, kept[i], value, strlen(value));
    }
    json_object_set_new(line, "dead", about);
    cli_json_line(line, event->data, event->data_size);
}

static void show_readable(const weir_dead *letter, const weir_stored_event *stored, const weir_event *event, const char *id)
{
    const char *worker = header_of(stored->event, "weir-worker"), *error = header_of(stored->event, "weir-error");
    char time[32];
    cli_time(letter->time_ms, time);
    printf("event     %s\ntopic     %s\n", id, event->topic);
    if (event->key[0]) printf("key       %s\n", event->key);
    if (event->session[0]) printf("session   %s\n", event->session);
    printf("given up  %s, %s after %u attempt%s%s\n", time, letter->reason, letter->attempts, letter->attempts == 1 ? "" : "s",
           letter->retried ? "; being delivered again" : "");
    if (worker) printf("worker    %s\n", worker);
    printf("error     %s\n", error ? error : "");
    cli_print_data(stdout, event->data, event->data_size, 1 << 20);
    fputs("\n\n", stdout);
}

/* The letter as it lies on its topic. */
static bool show_letter(struct dlq *dlq, const weir_dead *letter)
{
    char topic[300], id[WEIR_EVENT_ID_SIZE];
    const char *topics[] = { topic };
    weir_subscriber_options o = WEIR_SUBSCRIBER_OPTIONS_INIT;
    weir_subscriber *subscriber = NULL;
    const weir_stored_event *stored;
    weir_decoded *decoded = NULL;
    snprintf(topic, sizeof topic, "$dlq.%s", dlq->group);
    CLI_CONNECT(dlq->cli, o);
    o.as_admin = true;
    o.topics = topics;
    o.topic_count = 1;
    o.start = WEIR_START_SEQ;
    o.start_at = letter->place - 1;
    o.limit = 1;
    dlq->status = weir_subscriber_open(&o, &subscriber);
    if (dlq->status == WEIR_OK) dlq->status = weir_subscriber_next(subscriber, CLI_CONNECT_MS, &stored);
    if (dlq->status == WEIR_OK) dlq->status = weir_event_decode(stored->event->data, stored->event->data_size, &decoded);
    if (dlq->status == WEIR_OK) {
        const char *dash = strchr(stored->event_id, '-');
        snprintf(id, sizeof id, "%.*s-%llu", (int)(dash - stored->event_id), stored->event_id, (unsigned long long)letter->seq);
        (dlq->cli->json ? show_json : show_readable)(letter, stored, weir_decoded_event(decoded), id);
    }
    weir_decoded_free(&decoded);
    weir_subscriber_close(&subscriber);
    return dlq->status == WEIR_OK;
}

static bool show_if_wanted(struct dlq *dlq, const weir_dead *letter, void *arg)
{
    bool *found = arg, wanted = dlq->seq == 0 || dlq->seq == letter->seq;
    if (!wanted) return true;
    *found = true;
    return show_letter(dlq, letter) && dlq->seq == 0;
}

static weir_status show(struct dlq *dlq)
{
    bool found = dlq->seq == 0;
    weir_status status = for_each(dlq, show_if_wanted, &found);
    if (status == WEIR_OK) status = dlq->status;
    return status == WEIR_OK && !found ? WEIR_NOT_FOUND : status;
}

/* ---- retry, drop ---- */

static weir_status change(struct dlq *dlq, bool retry)
{
    weir_change done = { .more = true };
    uint64_t count = 0;
    weir_status status = WEIR_OK;
    while (status == WEIR_OK && done.more && !cli_stopping()) {
        weir_letter_choice which = { dlq->cli->tenant, dlq->group, dlq->event, dlq->event ? 0 : dlq->seq };
        status = (retry ? weir_admin_dead_retry : weir_admin_dead_drop)(dlq->admin, &which, CLI_CONNECT_MS, &done);
        if (status == WEIR_OK) count += done.count;
    }
    if (status != WEIR_OK && count == 0) return status;
    if (dlq->cli->json) {
        json_t *line = json_object();
        json_object_set_new(line, retry ? "retried" : "dropped", json_integer((json_int_t)count));
        cli_json_print(line);
    } else {
        printf("%s %llu\n", retry ? "retried" : "dropped", (unsigned long long)count);
    }
    return status;
}

/* ---- the verb ---- */

/* An event is named by its id or its seq. */
static int take_event(struct dlq *dlq, const struct cli_verb *verb, const struct cli_args *args, bool all)
{
    if (all == (args->count > 2)) return cli_usage(verb, all ? "an event or --all, not both" : "which event? (or --all)");
    if (all) return -1;
    const char *text = args->items[2], *dash = strchr(text, '-');
    if (dash) dlq->event = text;
    if (!cli_number(dash ? dash + 1 : text, &dlq->seq) || dlq->seq == 0) return cli_usage(verb, "'%s' is no event id and no seq", text);
    return -1;
}

int cli_dlq(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    bool all = false;
    const struct cli_option options[] = { { "all", CLI_FLAG, &all, "every dead letter of the group" }, { NULL, CLI_FLAG, NULL, NULL } };
    struct cli_args args;
    struct dlq dlq = { .cli = cli };
    int code = cli_parse(cli, verb, options, argc, argv, 2, 3, &args);
    if (code >= 0) return code;
    const char *what = args.items[0];
    bool lists = strcmp(what, "list") == 0, shows = strcmp(what, "show") == 0, retries = strcmp(what, "retry") == 0;
    if (!lists && !shows && !retries && strcmp(what, "drop") != 0) return cli_usage(verb, "'%s' is not list, show, retry or drop", what);
    dlq.group = args.items[1];
    code = lists ? -1 : take_event(&dlq, verb, &args, all);
    if (code >= 0) return code;
    weir_status status = cli_admin_open(cli, &dlq.admin);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);
    status = lists ? list(&dlq) : shows ? show(&dlq) : change(&dlq, retries);
    code = status == WEIR_OK                   ? CLI_OK
           : status == WEIR_NOT_FOUND && shows ? cli_fail("no dead letter of '%s'", dlq.group)
                                               : cli_report(cli, dlq.admin, status);
    weir_admin_close(&dlq.admin);
    return code;
}
