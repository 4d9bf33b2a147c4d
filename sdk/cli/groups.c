/* `weir groups`: each group of workers, where it reads and what it holds. */
#include "sdk/cli/admin.h"

static json_t *group_json(const weir_group_info *g)
{
    json_t *line = json_object(), *filters = json_array();
    for (size_t i = 0; i < g->filter_count; i++)
        json_array_append_new(filters, json_string(g->filters[i]));
    json_object_set_new(line, "tenant", json_string(g->tenant));
    json_object_set_new(line, "name", json_string(g->name));
    json_object_set_new(line, "filters", filters);
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        { "workers", g->workers },     { "leased", g->leased }, { "failed", g->failed }, { "generation", g->generation },
        { "floor", g->floor },         { "handed", g->handed }, { "cursor", g->cursor }, { "head", g->head },
        { "delivered", g->delivered }, { "acked", g->acked },   { "nacked", g->nacked }, { "rejected", g->rejected },
        { "expired", g->expired },     { "ranges", g->ranges },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(line, numbers[i].name, json_integer((json_int_t)numbers[i].value));
    return line;
}

static void group_row(struct cli_table *table, const weir_group_info *g)
{
    char filters[256];
    size_t size = 0;
    for (size_t i = 0; i < g->filter_count && size < sizeof filters; i++)
        size += (size_t)snprintf(filters + size, sizeof filters - size, "%s%s", i ? " " : "", g->filters[i]);
    cli_table_cell(table, "%s", g->tenant);
    cli_table_cell(table, "%s", g->name);
    cli_table_cell(table, "%s", g->filter_count ? filters : "");
    const uint64_t numbers[] = { g->workers,   g->leased, g->failed, g->floor,    g->head,
                                 g->delivered, g->acked,  g->nacked, g->rejected, g->expired };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cli_table_cell(table, "%llu", (unsigned long long)numbers[i]);
}

static void print_groups(const struct cli *cli, const weir_answer_rows *rows)
{
    static const char *const heads[] = { "tenant", "group",      "filters", "workers:", "leased:",   "failed:", "floor:",
                                         "head:",  "delivered:", "acked:",  "nacked:",  "rejected:", "expired:" };
    struct cli_table *table = cli->json ? NULL : cli_table_new(heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < rows->group_count; i++) {
        if (cli->json)
            cli_json_print(group_json(&rows->groups[i]));
        else
            group_row(table, &rows->groups[i]);
    }
    if (table) cli_table_print(table, cli);
    if (rows->more) cli_fail("there are more groups than fit into an answer; name a --tenant or a group");
}

int cli_groups(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    const struct cli_option none[] = { { NULL, CLI_FLAG, NULL, NULL } };
    struct cli_args args;
    int code = cli_parse(cli, verb, none, argc, argv, 0, 1, &args);
    if (code >= 0) return code;
    weir_admin *admin = NULL;
    weir_status status = cli_admin_open(cli, &admin);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);
    weir_answer_rows *rows = NULL;
    const char *name = args.count > 0 ? args.items[0] : NULL;
    status = weir_admin_groups(admin, cli->tenant, name, CLI_CONNECT_MS, &rows);
    if (status != WEIR_OK)
        code = cli_report(cli, admin, status);
    else if (name && rows->group_count == 0)
        code = cli_fail("no group is called '%s'", name);
    else {
        print_groups(cli, rows);
        code = CLI_OK;
    }
    weir_admin_free(&rows);
    weir_admin_close(&admin);
    return code;
}
