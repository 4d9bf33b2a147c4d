/* `weir group show|set|pause|resume|seek|delete`: one group, all that is known of it, and what an admin may do to it. */
#include "sdk/cli/groups.h"

#include <inttypes.h>
#include <string.h>

static const char *const orderings[] = { "none", "key", "session", "group", NULL };
static const char *const affinities[] = { "none", "session", NULL };

/* What was given; UINT64_MAX or NULL: not given. */
struct given {
    struct cli_list filters;
    const char *ordering, *affinity, *limit_by;
    uint64_t lease_ms, backoff_ms, max_deliveries, max_deaths, affinity_wait_ms, limit, limit_each, retry_percent, retry_floor;
};

static const struct given nothing = { .lease_ms = UINT64_MAX,
                                      .backoff_ms = UINT64_MAX,
                                      .max_deliveries = UINT64_MAX,
                                      .max_deaths = UINT64_MAX,
                                      .affinity_wait_ms = UINT64_MAX,
                                      .limit = UINT64_MAX,
                                      .limit_each = UINT64_MAX,
                                      .retry_percent = UINT64_MAX,
                                      .retry_floor = UINT64_MAX };

static bool set_word(const char *word, const char *const *words, uint32_t *out, uint32_t bit, uint32_t *set)
{
    if (!word) return true;
    *set |= bit;
    for (*out = 0; words[*out]; (*out)++)
        if (strcmp(words[*out], word) == 0) return true;
    return false;
}

static bool set_number(uint64_t value, uint32_t *out, uint32_t bit, uint32_t *set)
{
    if (value == UINT64_MAX) return true;
    *set |= bit;
    *out = (uint32_t)value;
    return value <= UINT32_MAX;
}

static bool fill_settings(const struct given *given, weir_group_settings *s)
{
    s->size = sizeof *s;
    s->filters = given->filters.items;
    s->filter_count = given->filters.count;
    if (given->filters.count > 0) s->set |= WEIR_SET_FILTERS;
    s->limit_by = given->limit_by;
    if (given->limit_by) s->set |= WEIR_SET_LIMIT_BY;
    return set_word(given->ordering, orderings, &s->ordering, WEIR_SET_ORDERING, &s->set) &&
           set_word(given->affinity, affinities, &s->affinity, WEIR_SET_AFFINITY, &s->set) &&
           set_number(given->lease_ms, &s->lease_ms, WEIR_SET_LEASE, &s->set) &&
           set_number(given->backoff_ms, &s->backoff_ms, WEIR_SET_BACKOFF, &s->set) &&
           set_number(given->max_deliveries, &s->max_deliveries, WEIR_SET_MAX_DELIVERIES, &s->set) &&
           set_number(given->max_deaths, &s->max_deaths, WEIR_SET_MAX_DEATHS, &s->set) &&
           set_number(given->affinity_wait_ms, &s->affinity_wait_ms, WEIR_SET_AFFINITY_WAIT, &s->set) &&
           set_number(given->limit, &s->limit, WEIR_SET_LIMIT, &s->set) &&
           set_number(given->limit_each, &s->limit_each, WEIR_SET_LIMIT_EACH, &s->set) &&
           set_number(given->retry_percent, &s->retry_percent, WEIR_SET_RETRY_PERCENT, &s->set) &&
           set_number(given->retry_floor, &s->retry_floor, WEIR_SET_RETRY_FLOOR, &s->set);
}

/* ---- what each does ---- */

static int show(const struct cli *cli, weir_admin *admin, const char *name)
{
    weir_answer_rows *rows = NULL;
    weir_status status = weir_admin_groups(admin, cli->tenant, name, CLI_CONNECT_MS, &rows);
    if (status != WEIR_OK) return cli_report(cli, admin, status);
    int code = rows->group_count > 0 ? CLI_OK : cli_fail("no group is called '%s'", name);
    for (size_t i = 0; i < rows->group_count; i++) {
        if (cli->json)
            cli_json_print(cli_group_json(&rows->groups[i]));
        else
            cli_group_print(&rows->groups[i]);
    }
    weir_admin_free(&rows);
    return code;
}

static int tell(const struct cli *cli, weir_admin *admin, const char *name, const char *done, weir_status status, const weir_change *change)
{
    if (status != WEIR_OK) return cli_report(cli, admin, status);
    if (cli->json)
        cli_json_print(json_pack("{s:s,s:s,s:I}", "group", name, "done", done, "seq", (json_int_t)change->seq));
    else
        printf("%s: %s; it holds for events after seq %" PRIu64 "\n", name, done, change->seq);
    return CLI_OK;
}

static int seek(const struct cli *cli, const struct cli_verb *verb, weir_admin *admin, const char *name, const char *where)
{
    struct cli_place place = { .kind = CLI_PLACE_START };
    weir_change change = { 0 };
    weir_start start = WEIR_START_NEW;
    if (strcmp(where, "new") != 0) {
        if (!cli_place(strcmp(where, "first") == 0 ? "start" : where, &place))
            return cli_usage(verb, "'%s' is no place: new, first, an event id, a seq, a time, or how far back, such as 15m", where);
        start = place.kind == CLI_PLACE_START ? WEIR_START_FIRST : place.kind == CLI_PLACE_TIME ? WEIR_START_TIME : WEIR_START_SEQ;
    }
    const char *since = place.kind == CLI_PLACE_ID && start == WEIR_START_SEQ ? place.id : NULL;
    weir_status status = weir_admin_group_seek(admin, cli->tenant, name, start, place.value, since, CLI_CONNECT_MS, &change);
    return tell(cli, admin, name, "moved", status, &change);
}

static int set(const struct cli *cli, const struct cli_verb *verb, weir_admin *admin, const char *name, const struct given *given)
{
    weir_group_settings settings = { 0 };
    weir_change change = { 0 };
    if (!fill_settings(given, &settings)) return cli_usage(verb, "a word that is not known, or a number that is too large");
    if (settings.set == 0) return cli_usage(verb, "nothing to set");
    weir_status status = weir_admin_group_set(admin, cli->tenant, name, &settings, CLI_CONNECT_MS, &change);
    return tell(cli, admin, name, "changed", status, &change);
}

static int act(const struct cli *cli, const struct cli_verb *verb, weir_admin *admin, const struct cli_args *args,
               const struct given *given)
{
    const char *what = args->items[0], *name = args->items[1];
    weir_change change = { 0 };
    bool pause = strcmp(what, "pause") == 0;
    if (strcmp(what, "show") == 0) return show(cli, admin, name);
    if (strcmp(what, "seek") == 0) return seek(cli, verb, admin, name, args->items[2]);
    if (strcmp(what, "set") == 0) return set(cli, verb, admin, name, given);
    if (strcmp(what, "delete") == 0) {
        weir_status status = weir_admin_group_delete(admin, cli->tenant, name, CLI_CONNECT_MS, &change);
        return tell(cli, admin, name, "deleted", status, &change);
    }
    weir_status status = weir_admin_group_pause(admin, cli->tenant, name, pause, CLI_CONNECT_MS, &change);
    return tell(cli, admin, name, pause ? "paused" : "resumed", status, &change);
}

static bool is_known(const char *what)
{
    static const char *const all[] = { "show", "set", "pause", "resume", "seek", "delete" };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(what, all[i]) == 0) return true;
    return false;
}

int cli_group(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    struct given given = nothing;
    const struct cli_option options[] = {
        { "topic", CLI_LIST, &given.filters, "FILTER set: all it takes from here on; may be repeated" },
        { "ordering", CLI_TEXT, &given.ordering, "WORD set: none, key, session or group" },
        { "lease-ms", CLI_NUMBER, &given.lease_ms, "MS set: how long a worker has for an event (0: the default, in each of these)" },
        { "backoff-ms", CLI_NUMBER, &given.backoff_ms, "MS set: wait before an event goes out again" },
        { "max-deliveries", CLI_NUMBER, &given.max_deliveries, "N set: then it is a dead letter" },
        { "max-deaths", CLI_NUMBER, &given.max_deaths, "N set: workers that may die of an event" },
        { "affinity", CLI_TEXT, &given.affinity, "WORD set: none, or session: it stays with its worker" },
        { "affinity-wait-ms", CLI_NUMBER, &given.affinity_wait_ms, "MS set: how long it waits for that worker" },
        { "limit", CLI_NUMBER, &given.limit, "N set: events at work at once" },
        { "limit-by", CLI_TEXT, &given.limit_by, "WHAT set: header:NAME or word:N of the topic" },
        { "limit-each", CLI_NUMBER, &given.limit_each, "N set: events at work at once for each value of it" },
        { "retry-percent", CLI_NUMBER, &given.retry_percent, "N set: retries for 100 first deliveries, at most, and besides" },
        { "retry-floor", CLI_NUMBER, &given.retry_floor, "N set: so many in a second; 1000000: no budget" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 2, 3, &args);
    if (code >= 0) return code;
    if (!is_known(args.items[0])) return cli_usage(verb, "'%s': show, set, pause, resume, seek or delete", args.items[0]);
    bool moves = strcmp(args.items[0], "seek") == 0;
    if (moves != (args.count == 3)) return cli_usage(verb, moves ? "seek where?" : "'%s' is too much", args.items[args.count - 1]);
    weir_admin *admin = NULL;
    weir_status status = cli_admin_open(cli, &admin);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);
    code = act(cli, verb, admin, &args, &given);
    weir_admin_close(&admin);
    return code;
}
