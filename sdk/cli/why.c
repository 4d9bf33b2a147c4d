/* `weir why EVENT|SESSION`: what it is waiting for, and since when. */
#include "sdk/cli/admin.h"

#include <string.h>

static json_t *why_json(const weir_why *why)
{
    json_t *line = json_pack("{s:s,s:s,s:I,s:s}", "tenant", why->tenant, "group", why->group, "seq", (json_int_t)why->seq, "wait",
                             weir_wait_word(why->wait));
    char time[32];
    if (why->since_ms) cli_time(why->since_ms, time), json_object_set_new(line, "since", json_string(time));
    if (why->until_ms) cli_time(why->until_ms, time), json_object_set_new(line, "until", json_string(time));
    if (why->by_seq) json_object_set_new(line, "by", json_integer((json_int_t)why->by_seq));
    cli_json_bytes(line, "worker", why->worker, strlen(why->worker));
    if (why->attempt) json_object_set_new(line, "attempt", json_integer(why->attempt));
    if (why->reason[0]) json_object_set_new(line, "reason", json_string(why->reason));
    if (why->ahead) json_object_set_new(line, "ahead", json_integer((json_int_t)why->ahead));
    return line;
}

/* How long ago, or how long from now, in its largest unit. */
static void span_text(char *out, size_t size, uint64_t from_ms, uint64_t to_ms)
{
    uint64_t s = to_ms > from_ms ? (to_ms - from_ms) / 1000 : 0;
    if (s >= 86400)
        snprintf(out, size, "%llud", (unsigned long long)(s / 86400));
    else if (s >= 3600)
        snprintf(out, size, "%lluh", (unsigned long long)(s / 3600));
    else if (s >= 120)
        snprintf(out, size, "%llum", (unsigned long long)(s / 60));
    else
        snprintf(out, size, "%llus", (unsigned long long)s);
}

static void why_row(struct cli_table *table, const weir_why *why)
{
    char since[24] = "", until[24] = "";
    uint64_t now = cli_wall_ms();
    if (why->since_ms) span_text(since, sizeof since, why->since_ms, now);
    if (why->until_ms) span_text(until, sizeof until, now, why->until_ms);
    cli_table_cell(table, "%llu", (unsigned long long)why->seq);
    cli_table_cell(table, "%s", why->group);
    if (why->reason[0])
        cli_table_cell(table, "%s (%s)", weir_wait_word(why->wait), why->reason);
    else
        cli_table_cell(table, "%s", weir_wait_word(why->wait));
    cli_table_cell(table, "%s", since);
    cli_table_cell(table, "%s", until);
    cli_table_cell(table, "%s", why->worker);
    if (why->by_seq)
        cli_table_cell(table, "%llu", (unsigned long long)why->by_seq);
    else
        cli_table_cell(table, "%s", "");
    if (why->attempt)
        cli_table_cell(table, "%u", why->attempt);
    else
        cli_table_cell(table, "%s", "");
}

static void print_whys(const struct cli *cli, const weir_answer_rows *rows)
{
    static const char *const heads[] = { "seq:", "group", "waits for", "since", "for another", "worker", "behind:", "attempt:" };
    struct cli_table *table = cli->json ? NULL : cli_table_new(heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < rows->why_count; i++) {
        if (cli->json)
            cli_json_print(why_json(&rows->whys[i]));
        else
            why_row(table, &rows->whys[i]);
    }
    if (table) cli_table_print(table, cli);
}

int cli_why(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    const struct cli_option none[] = { { NULL, CLI_FLAG, NULL, NULL } };
    struct cli_args args;
    struct cli_place place;
    int code = cli_parse(cli, verb, none, argc, argv, 1, 1, &args);
    if (code >= 0) return code;
    bool event = cli_place(args.items[0], &place) && (place.kind == CLI_PLACE_ID || place.kind == CLI_PLACE_SEQ);
    weir_admin *admin = NULL;
    weir_status status = cli_admin_open(cli, &admin);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);
    weir_answer_rows *rows = NULL;
    status = weir_admin_why(admin, cli->tenant, event ? place.value : 0, event ? NULL : args.items[0], CLI_CONNECT_MS, &rows);
    if (status != WEIR_OK)
        code = cli_report(cli, admin, status);
    else {
        print_whys(cli, rows);
        if (rows->why_count == 0) fputs(event ? "no group takes it\n" : "nothing of this session is open\n", stderr);
        if (rows->more) fprintf(stderr, "looked back to seq %llu\n", (unsigned long long)rows->looked_back_to);
        code = CLI_OK;
    }
    weir_admin_free(&rows);
    weir_admin_close(&admin);
    return code;
}
