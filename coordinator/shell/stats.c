/* Names and meanings of all metrics. Counters count since the start of the process. */
#include "coordinator/shell/stats.h"

#include "proto/packet.h"

#include <stddef.h>

void stats_publish(struct stats_board *board, const struct stats *stats)
{
    pthread_mutex_lock(&board->lock);
    board->stats = *stats;
    pthread_mutex_unlock(&board->lock);
}

void stats_read(struct stats_board *board, struct stats *out)
{
    pthread_mutex_lock(&board->lock);
    *out = board->stats;
    pthread_mutex_unlock(&board->lock);
}

struct number {
    const char *name;
    enum metrics_type type;
    size_t offset;
    const char *help;
};

#define COUNTER(name, field, help)                                                                                                         \
    {                                                                                                                                      \
        "weir_coordinator_" name "_total", METRICS_COUNTER, offsetof(struct stats, field), help                                            \
    }
#define GAUGE(name, field, help)                                                                                                           \
    {                                                                                                                                      \
        "weir_coordinator_" name, METRICS_GAUGE, offsetof(struct stats, field), help                                                       \
    }

static const struct number numbers[] = {
    COUNTER("turns", turns, "turns of the loop"),
    COUNTER("packets_in", router.packets_in, "packets received"),
    COUNTER("packets_in_bytes", router.bytes_in, "bytes received"),
    COUNTER("packets_out", router.packets_out, "packets sent"),
    COUNTER("packets_out_bytes", router.bytes_out, "bytes sent"),
    COUNTER("packets_unreachable", router.unreachable, "packets for connections that had ended"),
    COUNTER("packets_malformed", malformed, "packets that could not be decoded"),
    COUNTER("credentials_refused", unauthorized_credentials, "hellos with a credential that is not known"),
    GAUGE("connections", router.connections, "open connections"),
    COUNTER("connections_opened", router.opened, "connections that sent a packet"),
    COUNTER("connections_ended", router.ended, "connections that ended by themselves"),
    COUNTER("connections_refused", router.refused, "connections cut: too many, or with a routing id of their own"),
    COUNTER("connections_forgotten", router.forgotten, "connections cut after a refusal, for silence or by a newer one"),
    COUNTER("connections_stuck", router.stuck, "connections cut because they take nothing more"),
    COUNTER("handshake_failures", router.handshake_failures, "connections that failed before their first packet"),
    COUNTER("accept_failures", router.accept_failures, "connections that the system refused, for example for lack of descriptors"),
    COUNTER("peers_silent", core.silent, "peers forgotten because nothing was heard of them for three heartbeats"),
    GAUGE("peers", core.peers, "peers that said hello"),
    GAUGE("groups", core.groups, "groups"),
    GAUGE("leases", core.leases, "deliveries on loan"),
    GAUGE("failed_events", core.failed, "failed events that wait for their next attempt"),
    GAUGE("dead_letters", core.dead, "events that their groups have given up, and nobody has retried or dropped"),
    GAUGE("dying_events", core.dying, "given-up events that wait for room among the dead letters, or for their bytes"),
    COUNTER("dead_lettered", core.dead_lettered, "events that became dead letters"),
    COUNTER("dead_retried", core.dead_retried, "dead letters that were delivered again"),
    COUNTER("dead_dropped", core.dead_dropped, "dead letters that were dropped"),
    GAUGE("parked_events", core.parked, "events that wait for a key, a session's worker or a limit"),
    GAUGE("busy_keys", core.busy_keys, "keys, sessions and limited values that events hold or wait for"),
    GAUGE("subscriptions", core.subscriptions, "open subscriptions"),
    GAUGE("publishers", core.publishers, "publishers whose answers are kept"),
    GAUGE("large_events", core.large_events, "events over 64 KiB being published"),
    GAUGE("held_events", core.held, "events with a delay that are not due"),
    GAUGE("tokens", core.tokens, "tokens of events in their life"),
    GAUGE("blocks_pinned", core.blocks_pinned, "blocks of the cache in use"),
    GAUGE("head_seq", core.head, "the newest committed event"),
    COUNTER("published", core.published, "events accepted"),
    COUNTER("published_bytes", core.published_bytes, "bytes of events accepted"),
    COUNTER("refused", core.refused, "events refused"),
    COUNTER("duplicates", core.duplicates, "events that had been accepted before"),
    COUNTER("delivered", core.delivered, "deliveries sent to workers"),
    COUNTER("delivered_bytes", core.delivered_bytes, "bytes of deliveries"),
    COUNTER("redelivered", core.redelivered, "deliveries that were not an event's first"),
    COUNTER("retries_delayed", core.retries_delayed, "failed events that had to wait for their group's budget of retries"),
    COUNTER("acked", core.acked, "deliveries acked"),
    COUNTER("nacked", core.nacked, "deliveries nacked"),
    COUNTER("rejected", core.rejected, "deliveries rejected"),
    COUNTER("stale", core.stale, "settles for leases that had ended"),
    COUNTER("expired", core.expired, "events settled because their time was over"),
    COUNTER("carried", core.carried, "events with a delay that were written again before the window dropped them"),
    COUNTER("came_due", core.came_due, "events with a delay that were shown"),
    COUNTER("emitted", core.emitted, "events emitted with settles"),
    COUNTER("events_sent", core.events_sent, "events sent to subscriptions"),
    COUNTER("events_sent_bytes", core.events_sent_bytes, "bytes of events sent to subscriptions"),
    COUNTER("parts", core.parts, "parts of large events stored"),
    COUNTER("parts_sent", core.parts_sent, "parts of large events sent"),
    COUNTER("parts_carried", core.parts_carried, "parts of large events written again, as the window passed or their delay was over"),
    COUNTER("parts_dropped", core.parts_dropped, "parts of what was refused"),
    COUNTER("partials", core.partials, "partial answers passed on"),
    COUNTER("undeliverable", core.undeliverable, "messages dropped because nobody was there to take them"),
    COUNTER("records", core.records, "records written"),
    COUNTER("blocks", log.blocks, "blocks committed"),
    COUNTER("log_bytes", log.bytes_in, "bytes of blocks before compression"),
    COUNTER("log_stored_bytes", log.bytes_stored, "bytes of blocks after compression"),
    COUNTER("log_syncs", log.syncs, "syncs of the log"),
    COUNTER("log_fetches", log.fetches, "blocks read back"),
    COUNTER("log_fetch_failures", store.fetch_failures, "blocks that could not be read back"),
    COUNTER("snapshots", store.snapshots, "snapshots saved"),
    COUNTER("snapshots_abandoned", store.snapshots_abandoned, "snapshots given up since too much changed at once; they are tried again"),
    COUNTER("trims", store.trims, "times the window dropped something"),
    GAUGE("log_first_seq", tail.first_position, "the oldest event still there"),
    GAUGE("log_size_bytes", tail.bytes, "size of the log"),
    GAUGE("core_memory_bytes", core_memory_bytes, "memory reserved for the core; untouched pages cost nothing"),
    GAUGE("term", term, "how often the log was opened for writing"),
};

static void write_times(const struct stats *stats, uint64_t now_ns, struct metrics *metrics)
{
    static const struct {
        const char *name;
        enum metrics_type type;
        size_t offset;
        const char *help;
    } times[] = {
        { "weir_coordinator_busy_seconds_total", METRICS_COUNTER, offsetof(struct stats, busy_ns), "time the loop worked" },
        { "weir_coordinator_log_sync_seconds_total", METRICS_COUNTER, offsetof(struct stats, log.sync_ns_total), "time spent in syncs" },
        { "weir_coordinator_log_sync_max_seconds", METRICS_GAUGE, offsetof(struct stats, log.sync_ns_max), "the longest sync" },
        { "weir_coordinator_log_write_seconds_total", METRICS_COUNTER, offsetof(struct stats, log.write_ns_total),
          "time spent writing blocks" },
        { "weir_coordinator_log_fetch_seconds_total", METRICS_COUNTER, offsetof(struct stats, log.fetch_ns_total),
          "time spent reading blocks" },
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        uint64_t ns;
        memcpy(&ns, (const char *)stats + times[i].offset, sizeof ns);
        metrics_family(metrics, times[i].name, times[i].type, times[i].help);
        metrics_double(metrics, times[i].name, (double)ns / 1e9, NULL);
    }
    metrics_family(metrics, "weir_coordinator_loop_age_seconds", METRICS_GAUGE, "since the loop last came round");
    metrics_double(metrics, "weir_coordinator_loop_age_seconds", now_ns > stats->alive_ns ? (double)(now_ns - stats->alive_ns) / 1e9 : 0,
                   NULL);
    metrics_family(metrics, "weir_coordinator_commit_seconds", METRICS_HISTOGRAM, "from a block's submission to its commit");
    metrics_histogram(metrics, "weir_coordinator_commit_seconds", store_commit_bounds, stats->store.commit_counts, STORE_COMMIT_BUCKETS,
                      stats->store.commit_seconds, NULL);
}

void stats_write(const struct stats *stats, uint64_t now_ns, struct metrics *metrics)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t value;
        memcpy(&value, (const char *)stats + numbers[i].offset, sizeof value);
        metrics_family(metrics, numbers[i].name, numbers[i].type, numbers[i].help);
        metrics_uint(metrics, numbers[i].name, value, NULL);
    }
    metrics_family(metrics, "weir_coordinator_errors_total", METRICS_COUNTER, "errors and refusals told to peers");
    for (uint32_t code = CODE_OK + 1; code < CODE_COUNT; code++)
        metrics_uint(metrics, "weir_coordinator_errors_total", stats->core.errors[code], "code", error_code_word(code), NULL);
    write_times(stats, now_ns, metrics);
    metrics_family(metrics, "weir_coordinator_info", METRICS_GAUGE, "what this coordinator is; always 1");
    metrics_uint(metrics, "weir_coordinator_info", 1, "version", stats->version, "durability", stats->durability, "epoch", stats->epoch,
                 NULL);
    metrics_family(metrics, "weir_coordinator_ready", METRICS_GAUGE, "1: it serves; 0: it starts or drains");
    metrics_uint(metrics, "weir_coordinator_ready", stats->ready && !stats->draining, NULL);
}

void stats_publish_groups(struct stats_board *board, const struct core *core)
{
    pthread_mutex_lock(&board->lock);
    board->group_count = board->groups ? core_groups(core, board->groups, board->group_max) : 0;
    pthread_mutex_unlock(&board->lock);
}

static double of_group(const struct core_group_stats *g, int which)
{
    const double values[] = { (double)g->lag,
                              (double)g->lag_ms / 1000,
                              (double)g->arrivals / 1000,
                              (double)g->settles / 1000,
                              g->workers,
                              g->workers_wanted,
                              g->leased,
                              g->failed,
                              g->retries_waiting,
                              g->paused };
    return values[which];
}

void stats_write_groups(struct stats_board *board, struct metrics *metrics)
{
    static const char *const families[][2] = {
        { "weir_coordinator_group_lag_events", "events that wait for a worker; an estimate while the group catches up" },
        { "weir_coordinator_group_lag_seconds", "age of the oldest event that was not given out yet" },
        { "weir_coordinator_group_arrivals_per_second", "events that come for the group" },
        { "weir_coordinator_group_settles_per_second", "events that it settles" },
        { "weir_coordinator_group_workers", "workers connected" },
        { "weir_coordinator_group_workers_wanted", "workers that would keep up, and catch up within a minute" },
        { "weir_coordinator_group_leased", "events on loan" },
        { "weir_coordinator_group_failed", "events that failed and go out again" },
        { "weir_coordinator_group_retries_waiting", "those of them that wait for the group's budget of retries" },
        { "weir_coordinator_group_paused", "1: nothing goes out" },
    };
    pthread_mutex_lock(&board->lock);
    for (int f = 0; f < (int)(sizeof families / sizeof *families); f++) {
        metrics_family(metrics, families[f][0], METRICS_GAUGE, families[f][1]);
        for (size_t i = 0; i < board->group_count; i++)
            metrics_double(metrics, families[f][0], of_group(&board->groups[i], f), "tenant", board->groups[i].tenant, "group",
                           board->groups[i].name, NULL);
    }
    pthread_mutex_unlock(&board->lock);
}
