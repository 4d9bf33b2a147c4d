/* `weir stats`: the coordinator's counters, by name. */
#include "sdk/cli/admin.h"

static void print_stats(const struct cli *cli, const weir_answer_rows *rows)
{
    static const char *const heads[] = { "what", "value:" };
    if (cli->json) {
        json_t *line = json_object();
        for (size_t i = 0; i < rows->stat_count; i++)
            json_object_set_new(line, rows->stats[i].name, json_integer((json_int_t)rows->stats[i].value));
        cli_json_print(line);
        return;
    }
    struct cli_table *table = cli_table_new(heads, 2);
    for (size_t i = 0; i < rows->stat_count; i++) {
        cli_table_cell(table, "%s", rows->stats[i].name);
        cli_table_cell(table, "%llu", (unsigned long long)rows->stats[i].value);
    }
    cli_table_print(table, cli);
}

int cli_stats(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    const struct cli_option none[] = { { NULL, CLI_FLAG, NULL, NULL } };
    struct cli_args args;
    int code = cli_parse(cli, verb, none, argc, argv, 0, 0, &args);
    if (code >= 0) return code;
    weir_admin *admin = NULL;
    weir_status status = cli_admin_open(cli, &admin);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);
    weir_answer_rows *rows = NULL;
    status = weir_admin_stats(admin, cli->tenant, CLI_CONNECT_MS, &rows);
    if (status != WEIR_OK) {
        code = cli_report(cli, admin, status);
    } else {
        print_stats(cli, rows);
        code = CLI_OK;
    }
    weir_admin_free(&rows);
    weir_admin_close(&admin);
    return code;
}
