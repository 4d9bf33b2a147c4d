/* The table of all settings: where each stands, what is allowed, and what single settings cannot say. */
#include "coordinator/shell/config_table.h"
#include "coordinator/shell/config.h"
#include "coordinator/shell/config_groups.h"

#include "proto/event.h"
#include "sdk/base/topic.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool check_endpoint(const char *value)
{
    if (strncmp(value, "ipc://", 6) == 0) return value[6] != 0;
    if (strncmp(value, "tcp://", 6) != 0) return false;
    const char *colon = strrchr(value + 6, ':');
    uint64_t port;
    return colon && colon > value + 6 && options_parse_uint(colon + 1, &port) && port <= 65535;
}

static bool check_http(const char *value)
{
    const char *colon = strrchr(value, ':');
    uint64_t port;
    if (strcmp(value, "off") == 0) return true;
    return colon && colon > value && options_parse_uint(colon + 1, &port) && port <= 65535;
}

static bool check_durability(const char *value)
{
    enum log_durability durability;
    uint32_t interval_ms;
    return config_parse_durability(value, &durability, &interval_ms);
}

static bool check_tenant(const char *value)
{
    size_t size = strlen(value);
    return size > 0 && size <= 64 && strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == size;
}

static bool check_filter(const char *value)
{
    return filter_is_valid(span_text(value));
}

bool config_parse_speed(const char *value, uint32_t *out_percent, bool *out_step)
{
    *out_percent = 0;
    *out_step = strcmp(value, "step") == 0;
    if (*out_step || strcmp(value, "max") == 0) return true;
    if (strcmp(value, "original") == 0) {
        *out_percent = 100;
        return true;
    }
    char *end;
    double factor = strtod(value, &end);
    if (*end || !(factor >= 0.01 && factor <= 1e6)) return false;
    *out_percent = (uint32_t)(factor * 100 + 0.5);
    return true;
}

static bool check_speed(const char *value)
{
    uint32_t percent;
    bool step;
    return config_parse_speed(value, &percent, &step);
}

#define LOG(name)   .section = "log", .key = name
#define NET(name)   .section = "net", .key = name
#define PEER(name)  .section = "peers", .key = name
#define LIMIT(name) .section = "limits", .key = name, .type = OPTION_UINT
#define U32         .max = UINT32_MAX

static const struct option table[OPT_COUNT] = {
    [OPT_DATA] = { LOG("data"), .flag = "data", .argument = "DIR", .type = OPTION_TEXT, .initial = "weir-data",
                   .text = "directory of the commit log" },
    [OPT_DURABILITY] = { LOG("durability"), .flag = "durability", .argument = "HOW", .type = OPTION_TEXT, .initial = "fsync",
                         .check = check_durability, .allowed = "fsync, os, interval:MS with MS from 1 to 60000",
                         .text = "what an ok has survived: fsync, interval:MS or os" },
    [OPT_WINDOW] = { LOG("window"), .flag = "window", .type = OPTION_DURATION, .initial = "72h",
                     .text = "how long events are kept; 0 = for ever" },
    [OPT_WINDOW_BYTES] = { LOG("window_bytes"), .flag = "window-bytes", .type = OPTION_BYTES, .initial = "0",
                           .text = "how much of them is kept; 0 = no limit" },
    [OPT_SNAPSHOT_BLOCKS] = { LOG("snapshot_blocks"), .type = OPTION_UINT, .initial = "2048", .min = 1,
                              .text = "blocks between two snapshots of the state" },
    [OPT_CACHE] = { LOG("cache"), .type = OPTION_BYTES, .initial = "64MiB", .min = 1 << 20, .text = "memory for reading old blocks" },
    [OPT_WRITE_BUFFER] = { LOG("write_buffer"), .type = OPTION_BYTES, .initial = "64MiB", .min = 1 << 20,
                           .text = "size of the files that the window drops" },
    [OPT_BACKEND] = { LOG("backend"), .flag = "backend", .type = OPTION_ENUM, .allowed = "rocksdb|memory", .initial = "rocksdb",
                      .hidden = true, .text = "memory: nothing outlives the process" },
    [OPT_READ_ONLY] = { LOG("read_only"), .flag = "read-only", .type = OPTION_BOOL,
                        .text = "serve what is stored to workers again; write nothing" },
    [OPT_VERIFY] = { .flag = "verify", .type = OPTION_BOOL, .text = "read all of the log, check every block, say what was found, and end" },
    [OPT_ACCEPT_LOSS] = { .flag = "accept-loss", .type = OPTION_BOOL, .text = "start although the last stored blocks are missing" },
    [OPT_ACCEPT_CLOCK] = { .flag = "accept-clock", .type = OPTION_BOOL, .text = "start although the clock is far from the last block's" },
    [OPT_LISTEN] = { NET("listen"), .flag = "listen", .argument = "ADDRESS", .type = OPTION_LIST, .initial = "tcp://127.0.0.1:7400",
                     .min = 1, .max = CONFIG_ADDRESSES_MAX, .check = check_endpoint, .allowed = "tcp://HOST:PORT or ipc://PATH",
                     .text = "where workers and gateways connect; repeatable" },
    [OPT_HTTP] = { NET("http"), .flag = "http", .argument = "ADDRESS", .type = OPTION_TEXT, .initial = "127.0.0.1:7401",
                   .check = check_http, .allowed = "HOST:PORT, or off", .text = "/metrics /healthz /readyz" },
    [OPT_INSECURE] = { NET("insecure"), .flag = "insecure", .type = OPTION_BOOL, .text = "allow an address beyond loopback without CURVE" },
    [OPT_DEV] = { .flag = "dev", .type = OPTION_BOOL, .text = "for trying: every peer may do everything, in any tenant" },
    [OPT_TENANTS] = { .section = "tenants",
                      .key = "names",
                      .type = OPTION_LIST,
                      .max = CONFIG_TENANTS_MAX,
                      .check = check_tenant,
                      .allowed = "names of 1 to 64 letters, digits, _ and -",
                      .text = "the tenants there are" },
    [OPT_TOKENS] = { .section = "tokens",
                     .key = "file",
                     .type = OPTION_TEXT,
                     .argument = "FILE",
                     .text = "credentials, a line each: TOKEN TENANT ROLES (worker,client,gateway,admin; tenant * = any)" },
    [OPT_CURVE_CERTIFICATES] = { .section = "curve",
                                 .key = "certificates",
                                 .type = OPTION_TEXT,
                                 .argument = "DIR",
                                 .text = "public certificates of peers; their metadata tenant and roles say what each may do" },
    [OPT_CURVE_KEY] = { .section = "curve",
                        .key = "key",
                        .type = OPTION_TEXT,
                        .argument = "FILE",
                        .text = "certificate of the coordinator, with its secret key" },
    [OPT_HEARTBEAT] = { PEER("heartbeat"), .type = OPTION_DURATION, .initial = "5s", .min = 100, .max = 600000,
                        .text = "a peer silent for three of them is gone" },
    [OPT_LEASE] = { PEER("lease"), .type = OPTION_DURATION, .initial = "30s", .min = 100, .max = 3600000,
                    .text = "how long a worker has for an event" },
    [OPT_ADOPT_GRACE] = { PEER("adopt_grace"), .type = OPTION_DURATION, .initial = "5s", .min = 1, .max = 600000,
                          .text = "how long a lost worker may take to come back for what it holds" },
    [OPT_BACKOFF] = { PEER("backoff"), .type = OPTION_DURATION, .initial = "1s", .min = 1, .max = 60000,
                      .text = "wait before an event goes out again; doubles" },
    [OPT_PUBLISH_EVENTS] = { PEER("publish_credit_events"), .type = OPTION_UINT, .initial = "65536", .min = 1, U32,
                             .text = "unanswered publishes of a peer" },
    [OPT_PUBLISH_BYTES] = { PEER("publish_credit_bytes"), .type = OPTION_BYTES, .initial = "16MiB", .min = EVENT_BYTES_MAX, U32,
                            .text = "the same in bytes" },
    [OPT_EMIT_BYTES] = { PEER("emit_credit_bytes"), .type = OPTION_BYTES, .initial = "1MiB", .min = EVENT_BYTES_MAX, U32,
                         .text = "bytes of emits in settles without an answer" },
    [OPT_EVENT_BYTES] = { PEER("max_event_bytes"), .type = OPTION_BYTES, .initial = "8MiB", .min = 1024, .max = EVENT_LARGE_BYTES_MAX,
                          .text = "the largest event; over 64 KiB they come in parts" },
    [OPT_PACKET_BYTES] = { PEER("max_packet_bytes"), .type = OPTION_BYTES, .initial = "256KiB", .min = EVENT_BYTES_MAX,
                           .max = CORE_PACKET_BYTES_MAX, .text = "the largest body of a packet" },
    [OPT_TOKEN_LIFE] = { .section = "idempotency",
                         .key = "life",
                         .type = OPTION_DURATION,
                         .initial = "10m",
                         .min = 1000,
                         .max = 7 * 86400000,
                         .text = "how long a repeat of an event's token is answered as the first one was" },
    [OPT_PEERS] = { LIMIT("peers"), .initial = "4096", .min = 1, .max = 1 << 20, .text = "peers at once" },
    [OPT_GROUPS] = { LIMIT("groups"), .initial = "1024", .min = 1, .max = CORE_GROUPS_MOST, .text = "groups of all tenants" },
    [OPT_LEASES] = { LIMIT("leases"), .initial = "262144", .min = 1, .max = CORE_LEASES_MOST, .text = "deliveries on loan" },
    [OPT_FAILED] = { LIMIT("failed"), .initial = "262144", .min = 1, .max = 1 << 26,
                     .text = "failed events that wait for their next attempt" },
    [OPT_DEAD] = { LIMIT("dead_letters"), .initial = "65536", .min = 1, .max = 1 << 26, .text = "dead letters of all groups" },
    [OPT_DEAD_PER_GROUP] = { LIMIT("dead_letters_per_group"), .initial = "16384", .min = 1, .max = 1 << 26, .text = "of one of them" },
    [OPT_BUSY_KEYS] = { LIMIT("busy_keys"), .initial = "262144", .min = 64, .max = 1 << 24,
                        .text = "keys, sessions and limited values that events hold or wait for" },
    [OPT_PARKED] = { LIMIT("parked"), .initial = "262144", .min = 64, .max = 1 << 24,
                     .text = "events that wait for a key, a session's worker or a limit" },
    [OPT_PARKED_PER_GROUP] = { LIMIT("parked_per_group"), .initial = "8192", .min = 1, .max = 1 << 20,
                               .text = "the same of a group; then it reads no further" },
    [OPT_SUBSCRIPTIONS] = { LIMIT("subscriptions"), .initial = "65536", .min = 1, .max = CORE_SUBSCRIPTIONS_MOST,
                            .text = "subscriptions of all peers" },
    [OPT_PUBLISHERS] = { LIMIT("publishers"), .initial = "4096", .min = 1, .max = 1 << 20, .text = "publishers whose answers are kept" },
    [OPT_HELD] = { LIMIT("held"), .initial = "1048576", .min = 1, .max = 1 << 28,
                   .text = "events with a delay, all tenants; 92 bytes each; not below what is held" },
    [OPT_HELD_PER_TENANT] = { LIMIT("held_per_tenant"), .initial = "262144", .min = 1, .max = 1 << 28, .text = "the same of a tenant" },
    [OPT_TOKENS_KEPT] = { LIMIT("tokens"), .initial = "4194304", .min = 1, .max = 1 << 28,
                          .text = "tokens of events in their life, all tenants; 72 bytes each" },
    [OPT_TOKENS_PER_TENANT] = { LIMIT("tokens_per_tenant"), .initial = "1048576", .min = 1, .max = 1 << 28,
                                .text = "the same of a tenant" },
    [OPT_LARGE_EVENTS] = { LIMIT("large_events"), .initial = "1024", .min = 1, .max = 1 << 16,
                           .text = "events over 64 KiB being published at once" },
    [OPT_BLOCKS_CACHED] = { LIMIT("blocks_cached"), .initial = "128", .min = 8, .max = 65536,
                            .text = "blocks in memory, about 1.5 MiB each" },
    [OPT_RANGES] = { LIMIT("ranges_per_group"), .initial = "16384", .min = 16, .max = 1 << 20,
                     .text = "events of a group on loan or failed at once" },
    [OPT_TURN_ITEMS] = { LIMIT("turn_items"), .initial = "65536", .min = CORE_TURN_ITEMS_LEAST + 2, .max = 1 << 24,
                         .text = "answers and deliveries of one turn; two per peer and 16384 at least" },
    [OPT_UNSENT_PACKETS] = { LIMIT("unsent_packets"), .initial = "16384", .min = 16, .max = 1 << 20,
                             .text = "packets that wait for a peer that does not read; one more and it is cut" },
    [OPT_TENANTS_MAX] = { LIMIT("tenants"), .initial = "64", .min = 1, .max = 65536,
                          .text = "tenants with --dev, where peers may name new ones" },
    [OPT_REPLAY_FILTER] = { .flag = "replay-filter",
                            .argument = "FILTER",
                            .type = OPTION_TEXT,
                            .check = check_filter,
                            .allowed = "a topic filter",
                            .hidden = true,
                            .text = "only topics that match" },
    [OPT_REPLAY_SESSION] = { .flag = "replay-session", .type = OPTION_TEXT, .hidden = true, .text = "only this session" },
    [OPT_REPLAY_KEY] = { .flag = "replay-key", .type = OPTION_TEXT, .hidden = true, .text = "only this key" },
    [OPT_REPLAY_FROM] = { .flag = "replay-from", .argument = "SEQ", .type = OPTION_UINT, .hidden = true, .text = "first event" },
    [OPT_REPLAY_UNTIL] = { .flag = "replay-until", .argument = "SEQ", .type = OPTION_UINT, .hidden = true, .text = "last event" },
    [OPT_REPLAY_SINCE] = { .flag = "replay-since-time",
                           .argument = "MS",
                           .type = OPTION_UINT,
                           .hidden = true,
                           .text = "from this Unix time in ms on" },
    [OPT_REPLAY_SPEED] = { .flag = "replay-speed",
                           .argument = "SPEED",
                           .type = OPTION_TEXT,
                           .initial = "max",
                           .check = check_speed,
                           .allowed = "original, max, step, or a factor from 0.01 to 1000000",
                           .hidden = true,
                           .text = "how fast" },
    [OPT_LOG_FORMAT] = { .section = "program",
                         .key = "log_format",
                         .flag = "log-format",
                         .type = OPTION_ENUM,
                         .allowed = JOURNAL_FORMATS,
                         .initial = "text",
                         .text = "log lines on stderr" },
    [OPT_LOG_LEVEL] = { .section = "program",
                        .key = "log_level",
                        .type = OPTION_ENUM,
                        .allowed = JOURNAL_LEVELS,
                        .initial = "info",
                        .text = "the least level logged" },
    [OPT_DRAIN] = { .section = "program",
                    .key = "drain",
                    .type = OPTION_DURATION,
                    .initial = "10s",
                    .max = 3600000,
                    .text = "how long SIGTERM lets work end" },
};

bool config_parse_durability(const char *text, enum log_durability *out_durability, uint32_t *out_interval_ms)
{
    uint64_t ms;
    if (strcmp(text, "fsync") == 0 || strcmp(text, "os") == 0) {
        *out_durability = text[0] == 'f' ? LOG_FSYNC : LOG_OS;
        *out_interval_ms = 0;
        return true;
    }
    if (strncmp(text, "interval:", 9) != 0) return false;
    if (!options_parse_uint(text + 9, &ms) && !options_parse_duration(text + 9, &ms)) return false;
    if (ms < 1 || ms > 60000) return false;
    *out_durability = LOG_INTERVAL;
    *out_interval_ms = (uint32_t)ms;
    return true;
}

bool config_is_local(const char *endpoint)
{
    if (strncmp(endpoint, "tcp://", 6) != 0) return true;
    const char *host = endpoint + 6;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost:", 10) == 0 || strncmp(host, "[::1]:", 6) == 0 ||
           strncmp(host, "lo:", 3) == 0;
}

/* What single settings cannot say. */
static bool check_together(struct options *options)
{
    bool fine = true;
    bool curve = options_text(options, OPT_CURVE_KEY) != NULL;
    if (curve != (options_text(options, OPT_CURVE_CERTIFICATES) != NULL)) {
        options_complain(options, curve ? OPT_CURVE_CERTIFICATES : OPT_CURVE_KEY, "CURVE needs both: [curve] certificates and [curve] key");
        fine = false;
    }
    for (size_t i = 0; i < options_count(options, OPT_LISTEN); i++)
        if (!config_is_local(options_item(options, OPT_LISTEN, i)) && !curve && !options_true(options, OPT_INSECURE)) {
            options_complain(options, OPT_LISTEN,
                             "%s is beyond loopback and without CURVE; set [curve] certificates and key, or say --insecure",
                             options_item(options, OPT_LISTEN, i));
            fine = false;
        }
    if (!options_true(options, OPT_DEV) && !options_true(options, OPT_VERIFY) && options_count(options, OPT_TENANTS) == 0) {
        options_complain(options, OPT_TENANTS, "name at least one tenant, or say --dev");
        fine = false;
    }
    uint64_t turn_items_min = CORE_TURN_ITEMS_LEAST + 2 * options_number(options, OPT_PEERS);
    if (options_number(options, OPT_TURN_ITEMS) < turn_items_min) {
        options_complain(options, OPT_TURN_ITEMS, "with so many peers at least %" PRIu64, turn_items_min);
        fine = false;
    }
    if (options_sections(options) > options_number(options, OPT_GROUPS)) {
        options_complain(options, OPT_GROUPS, "there are %zu sections [group NAME]", options_sections(options));
        fine = false;
    }
    for (size_t i = OPT_REPLAY_FILTER; i <= OPT_REPLAY_SPEED; i++)
        if (options_given(options, i) && !options_true(options, OPT_READ_ONLY)) {
            options_complain(options, i, "a replay needs --read-only");
            fine = false;
        }
    if (options_true(options, OPT_READ_ONLY) && options_number(options, OPT_BACKEND) == 1) {
        options_complain(options, OPT_BACKEND, "memory has nothing to be read only");
        fine = false;
    }
    return fine;
}

const struct program config_program = {
    .name = "weir-coordinator",
    .version = WEIR_VERSION,
    .text = "routes events between publishers and workers, and keeps them",
    .env_prefix = "WEIR_COORDINATOR_",
    .options = table,
    .option_count = OPT_COUNT,
    .named_section = "group",
    .named = &config_group_program,
    .check_name = config_group_name,
    .check = check_together,
    .help_end =
        "With --read-only: --replay-filter --replay-session --replay-key --replay-from --replay-until --replay-since-time --replay-speed.\n"
        "Settings without a flag are in --print-config. Exit codes: 0 fine, 1 failed, 2 usage or configuration.",
};
