/* What `weir bench` prints: a header that says under which conditions, then figures. */
#include "sdk/cli/admin.h"
#include "sdk/cli/bench.h"

#include <string.h>

void bench_ask(const struct cli *cli, struct bench_stats *out_stats)
{
    weir_admin *admin = NULL;
    weir_answer_rows *rows = NULL;
    out_stats->count = 0;
    if (cli_admin_open(cli, &admin) != WEIR_OK) return;
    if (weir_admin_stats(admin, NULL, CLI_CONNECT_MS, &rows) == WEIR_OK)
        for (size_t i = 0; i < rows->stat_count && i < BENCH_STATS; i++) {
            snprintf(out_stats->names[i], sizeof out_stats->names[i], "%s", rows->stats[i].name);
            out_stats->values[i] = rows->stats[i].value;
            out_stats->count = i + 1;
        }
    weir_admin_free(&rows);
    weir_admin_close(&admin);
}

static bool value_of(const struct bench_stats *stats, const char *name, uint64_t *out_value)
{
    for (size_t i = 0; i < stats->count; i++) {
        if (strcmp(stats->names[i], name) != 0) continue;
        *out_value = stats->values[i];
        return true;
    }
    return false;
}

/* How much a counter rose during the run; 0 when the coordinator does not tell. */
static uint64_t rise(const struct bench_result *result, const char *name)
{
    uint64_t before = 0, after = 0;
    value_of(&result->before, name, &before);
    value_of(&result->after, name, &after);
    return after > before ? after - before : 0;
}

static const struct {
    const char *name;
    uint32_t per_million;
} points[] = { { "p50", 500000 }, { "p90", 900000 }, { "p99", 990000 }, { "p999", 999000 } };
enum { POINT_COUNT = sizeof points / sizeof *points };

static const char *durability_text(const struct bench_result *result, char room[48])
{
    uint64_t mode = 0, interval_ms = 0;
    if (!value_of(&result->after, "durability", &mode)) return "not told";
    value_of(&result->after, "durability_interval_ms", &interval_ms);
    if (mode == 0) return "fsync before ok";
    if (mode == 2) return "os (no fsync)";
    snprintf(room, 48, "interval of %llu ms", (unsigned long long)interval_ms);
    return room;
}

static void print_json(const struct bench *bench, const struct bench_shared *shared, const struct bench_result *result)
{
    char room[48];
    uint64_t syncs = rise(result, "log_syncs"), settled = atomic_load(&shared->settled);
    json_t *line = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "version", weir_version(), "durability", durability_text(result, room),
                             "events", (json_int_t)bench->events, "size", (json_int_t)bench->size, "rate", (json_int_t)bench->rate,
                             "window", (json_int_t)bench->window, "credit", (json_int_t)bench->credit);
    json_object_set_new(line, "accepted", json_integer((json_int_t)atomic_load(&shared->accepted)));
    json_object_set_new(line, "refused", json_integer((json_int_t)atomic_load(&shared->refused)));
    json_object_set_new(line, "settled", json_integer((json_int_t)settled));
    json_object_set_new(line, "repeated", json_integer((json_int_t)atomic_load(&shared->repeated)));
    json_object_set_new(line, "published_per_s", json_real(result->publish_s > 0 ? (double)result->sent / result->publish_s : 0));
    json_object_set_new(line, "settled_per_s", json_real(result->total_s > 0 ? (double)settled / result->total_s : 0));
    json_object_set_new(line, "clients_cpu_s", json_real(result->cpu_s));
    if (syncs) {
        json_object_set_new(line, "syncs", json_integer((json_int_t)syncs));
        json_object_set_new(line, "sync_us", json_real((double)rise(result, "log_sync_ns") / (double)syncs / 1e3));
    }
    json_t *latency = json_object();
    for (size_t i = 0; i < POINT_COUNT; i++)
        json_object_set_new(latency, points[i].name, json_real((double)histogram_at(&shared->latency, points[i].per_million) / 1e3));
    json_object_set_new(latency, "max", json_real((double)shared->latency.max / 1e3));
    json_object_set_new(line, "latency_us", latency);
    cli_json_print(line);
}

static void print_plain(const struct bench *bench, const struct bench_shared *shared, const struct bench_result *result)
{
    char room[48];
    uint64_t syncs = rise(result, "log_syncs"), settled = atomic_load(&shared->settled);
    printf("weir %s; durability: %s", weir_version(), durability_text(result, room));
    if (syncs)
        printf("; %llu fsyncs of %.0f us, %.0f events each", (unsigned long long)syncs,
               (double)rise(result, "log_sync_ns") / (double)syncs / 1e3, (double)atomic_load(&shared->accepted) / (double)syncs);
    printf("\n%llu events of %llu bytes, window %llu, credit %llu, ", (unsigned long long)bench->events, (unsigned long long)bench->size,
           (unsigned long long)bench->window, (unsigned long long)bench->credit);
    if (bench->rate)
        printf("open loop at %llu/s\n", (unsigned long long)bench->rate);
    else
        printf("closed loop\n");
    printf("  published  %9.0f /s  (%llu accepted, %llu refused)\n", result->publish_s > 0 ? (double)result->sent / result->publish_s : 0,
           (unsigned long long)atomic_load(&shared->accepted), (unsigned long long)atomic_load(&shared->refused));
    printf("  settled    %9.0f /s  (%llu, of them %llu more than once)\n", result->total_s > 0 ? (double)settled / result->total_s : 0,
           (unsigned long long)settled, (unsigned long long)atomic_load(&shared->repeated));
    printf("  clients' CPU %.2f s per million events\n", settled ? result->cpu_s * 1e6 / (double)settled : 0);
    printf("  publish call -> handler, us:");
    for (size_t i = 0; i < POINT_COUNT; i++)
        printf("  %s %.0f", points[i].name, (double)histogram_at(&shared->latency, points[i].per_million) / 1e3);
    printf("  max %.0f%s\n", (double)shared->latency.max / 1e3, bench->rate ? "" : "  (a full window: see --rate for latency)");
}

int bench_print(const struct bench *bench, const struct bench_shared *shared, const struct bench_result *result)
{
    if (bench->cli->json)
        print_json(bench, shared, result);
    else
        print_plain(bench, shared, result);
    uint64_t settled = atomic_load(&shared->settled), accepted = atomic_load(&shared->accepted);
    if (settled < accepted) return cli_fail("%llu accepted events were not settled", (unsigned long long)(accepted - settled));
    return atomic_load(&shared->refused) ? cli_fail("publishes were refused") : CLI_OK;
}
