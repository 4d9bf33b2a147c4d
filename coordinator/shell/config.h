/* What weir-coordinator was told to do. Kind: shell. */
#ifndef WEIR_COORDINATOR_CONFIG_H
#define WEIR_COORDINATOR_CONFIG_H

#include "coordinator/core/core.h"
#include "coordinator/log/log.h"
#include "sdk/program/journal.h"
#include "sdk/program/options.h"

enum { CONFIG_ADDRESSES_MAX = 16, CONFIG_TENANTS_MAX = 64 };

struct config {
    struct options *options; /* all texts below are lent by it */
    const char *data;
    bool in_memory; /* --backend memory */
    const char *listen[CONFIG_ADDRESSES_MAX];
    size_t listen_count;
    const char *http; /* NULL: none */
    const char *durability;
    struct log_config log;
    struct core_config core; /* tenants, server, limits, replay; secret and positions are found at start */
    struct span tenants[CONFIG_TENANTS_MAX];
    bool dev, accept_clock, verify;
    uint64_t window_ms, window_bytes; /* 0: no limit */
    uint64_t snapshot_blocks;
    uint64_t drain_ms;
    uint32_t unsent_packets;                    /* of a connection; one more and it is cut */
    const char *curve_certificates, *curve_key; /* NULL: none */
    const char *tokens;                         /* NULL: none */
    uint64_t replay_since_ms;                   /* 0: not given */
    struct core_group *groups;                  /* to be made; config_free releases them */
    struct span *group_filters;
    size_t group_count;
    enum journal_format log_format;
    enum journal_level log_level;
};

/* OPTIONS_RUN, then config_free releases it; else the exit code, and all has been told. */
int config_read(int argc, char *const argv[], struct config *out);
void config_free(struct config *config);

/* True for an endpoint that only this machine reaches: ipc, inproc, tcp on a loopback address. */
bool config_is_local(const char *endpoint);

/* "fsync", "os", "interval:MS" (MS 1 to 60000, also with the unit). False: none of them. */
bool config_parse_durability(const char *text, enum log_durability *out_durability, uint32_t *out_interval_ms);

#endif
