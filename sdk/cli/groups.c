/* `weir groups`: each group of workers, how far behind it is, what it holds, what it waits for. */
#include "sdk/cli/groups.h"

#include <inttypes.h>

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    return list;
}

static const char *ordering_word(uint32_t ordering)
{
    static const char *const words[] = { "none", "key", "session", "group" };
    return ordering < 4 ? words[ordering] : "unknown";
}

json_t *cli_group_json(const weir_group_info *g)
{
    json_t *line = json_object();
    json_object_set_new(line, "tenant", json_string(g->tenant));
    json_object_set_new(line, "name", json_string(g->name));
    json_object_set_new(line, "filters", texts_json(g->filters, g->filter_count));
    if (g->old_filter_count > 0) {
        json_object_set_new(line, "old_filters", texts_json(g->old_filters, g->old_filter_count));
        json_object_set_new(line, "filters_from", json_integer((json_int_t)g->filters_from));
    }
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        { "workers", g->workers },
        { "workers_wanted", g->workers_wanted },
        { "leased", g->leased },
        { "failed", g->failed },
        { "retries_waiting", g->retries_waiting },
        { "lag", g->lag },
        { "lag_ms", g->lag_ms },
        { "oldest", g->oldest },
        { "service_us", g->service_us },
        { "generation", g->generation },
        { "floor", g->floor },
        { "handed", g->handed },
        { "cursor", g->cursor },
        { "head", g->head },
        { "delivered", g->delivered },
        { "acked", g->acked },
        { "nacked", g->nacked },
        { "rejected", g->rejected },
        { "expired", g->expired },
        { "ranges", g->ranges },
        { "lease_ms", g->lease_ms },
        { "backoff_ms", g->backoff_ms },
        { "max_deliveries", g->max_deliveries },
        { "max_deaths", g->max_deaths },
        { "affinity_wait_ms", g->affinity_wait_ms },
        { "limit", g->limit },
        { "limit_each", g->limit_each },
        { "retry_percent", g->retry_percent },
        { "retry_floor", g->retry_floor },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(line, numbers[i].name, json_integer((json_int_t)numbers[i].value));
    json_object_set_new(line, "lag_is_estimate", json_boolean(g->lag_is_estimate));
    json_object_set_new(line, "arrivals_per_s", json_real(g->arrivals_per_s));
    json_object_set_new(line, "settles_per_s", json_real(g->settles_per_s));
    json_object_set_new(line, "wait", json_string(weir_wait_word(g->wait)));
    json_object_set_new(line, "ordering", json_string(ordering_word(g->ordering)));
    json_object_set_new(line, "affinity", json_string(g->affinity ? "session" : "none"));
    json_object_set_new(line, "limit_by", json_string(g->limit_by));
    char time[32];
    if (g->wait_since_ms) cli_time(g->wait_since_ms, time), json_object_set_new(line, "wait_since", json_string(time));
    return line;
}

static void join(char *out, size_t room, const char *const *texts, size_t count)
{
    size_t size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && size < room; i++)
        size += (size_t)snprintf(out + size, room - size, "%s%s", i ? " " : "", texts[i]);
}

void cli_group_print(const weir_group_info *g)
{
    char filters[2304], old[2304], time[32];
    join(filters, sizeof filters, g->filters, g->filter_count);
    join(old, sizeof old, g->old_filters, g->old_filter_count);
    printf("%s (tenant %s), generation %" PRIu64 "\n  filters    %s\n", g->name, g->tenant, g->generation, filters);
    if (old[0]) printf("             from seq %" PRIu64 " on; before that, until it is settled: %s\n", g->filters_from, old);
    printf("  options    ordering %s, lease %u ms, back-off %u ms", ordering_word(g->ordering), g->lease_ms, g->backoff_ms);
    if (g->max_deliveries) printf(", max-deliveries %u", g->max_deliveries);
    if (g->affinity) printf(", affinity session for %u ms", g->affinity_wait_ms);
    if (g->limit) printf(", limit %u", g->limit);
    if (g->limit_each) printf(", limit %u for each %s", g->limit_each, g->limit_by);
    if (g->retry_floor && g->retry_floor != WEIR_RETRY_FLOOR_UNLIMITED) printf(", retries %u%% and %u/s", g->retry_percent, g->retry_floor);
    printf("\n  workers    %u, wanted %u; %u events on loan, %u failed", g->workers, g->workers_wanted, g->leased, g->failed);
    if (g->retries_waiting) printf(", %u of them wait for the budget of retries", g->retries_waiting);
    putchar('\n');
    printf("  lag        %s%" PRIu64 " events, %.1f s; oldest open place %" PRIu64 ", head %" PRIu64 "\n",
           g->lag_is_estimate ? "about " : "", g->lag, (double)g->lag_ms / 1000, g->oldest, g->head);
    printf("  rates      %.1f come, %.1f are settled in a second", g->arrivals_per_s, g->settles_per_s);
    if (g->service_us) printf("; a worker takes %.3f ms for one", (double)g->service_us / 1000);
    printf("\n  since start  delivered %" PRIu64 ", acked %" PRIu64 ", nacked %" PRIu64 ", rejected %" PRIu64 ", expired %" PRIu64 "\n",
           g->delivered, g->acked, g->nacked, g->rejected, g->expired);
    if (g->wait == WEIR_WAIT_NONE) return;
    printf("  waits for  %s", weir_wait_word(g->wait));
    if (g->wait_since_ms) cli_time(g->wait_since_ms, time), printf(" since %s", time);
    putchar('\n');
}

static void group_row(struct cli_table *table, const weir_group_info *g)
{
    char filters[256];
    join(filters, sizeof filters, g->filters, g->filter_count);
    cli_table_cell(table, "%s", g->tenant);
    cli_table_cell(table, "%s", g->name);
    cli_table_cell(table, "%s", filters);
    const uint32_t numbers[] = { g->workers, g->workers_wanted, g->leased, g->failed };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cli_table_cell(table, "%u", numbers[i]);
    cli_table_cell(table, "%s%llu", g->lag_is_estimate ? "~" : "", (unsigned long long)g->lag);
    cli_table_cell(table, "%.1f", (double)g->lag_ms / 1000);
    cli_table_cell(table, "%.1f", g->arrivals_per_s);
    cli_table_cell(table, "%.1f", g->settles_per_s);
    cli_table_cell(table, "%llu", (unsigned long long)g->acked);
    cli_table_cell(table, "%s", g->wait == WEIR_WAIT_NONE ? "" : weir_wait_word(g->wait));
}

static void print_groups(const struct cli *cli, const weir_answer_rows *rows)
{
    static const char *const heads[] = { "tenant", "group",     "filters", "workers:", "wanted:", "leased:",  "failed:",
                                         "lag:",   "behind s:", "in/s:",   "out/s:",   "acked:",  "waits for" };
    struct cli_table *table = cli->json ? NULL : cli_table_new(heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < rows->group_count; i++) {
        if (cli->json)
            cli_json_print(cli_group_json(&rows->groups[i]));
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
