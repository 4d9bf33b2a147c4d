/* The numbers that the loop publishes for everyone else: the only thing the HTTP thread sees of the coordinator. Kind: shell. */
#ifndef WEIR_COORDINATOR_STATS_H
#define WEIR_COORDINATOR_STATS_H

#include "coordinator/shell/router.h"
#include "coordinator/shell/store.h"
#include "sdk/program/metrics.h"

#include <pthread.h>

struct stats {
    uint64_t turns, turn_packets, busy_ns; /* busy: not waiting for anything to come */
    uint64_t malformed, unauthorized_credentials;
    struct router_counters router;
    struct store_counters store;
    struct core_stats core;
    struct log_stats log;
    struct log_tail tail;
    uint64_t alive_ns; /* monotonic: when the loop last came round */
    uint64_t log_time_ms, core_memory_bytes, term;
    bool ready, draining;
    char durability[32], version[32], epoch[17];
};

struct stats_board {
    pthread_mutex_t lock;
    struct stats stats;
    struct core_group_stats *groups; /* room for group_max; both set before the board is shared */
    size_t group_max, group_count;
};

void stats_publish(struct stats_board *board, const struct stats *stats);
void stats_publish_groups(struct stats_board *board, const struct core *core);
void stats_read(struct stats_board *board, struct stats *out);

/* Appends the numbers of each group. */
void stats_write_groups(struct stats_board *board, struct metrics *metrics);

/* Appends all of it in the Prometheus text format. */
void stats_write(const struct stats *stats, uint64_t now_ns, struct metrics *metrics);

#endif
