/* The core: all decisions of a coordinator, as a state machine without I/O. Pure: imports mem*, str* and our panic; the same inputs
 * give the same outputs, byte for byte.
 *
 * How a shell drives it
 *   1. core_init in core_memory() bytes, then (with a log that has content) core_recover with every record of the newest snapshot
 *      and of each block after it, in order, then core_start.
 *   2. Each turn: gather what has happened (packets, peers gone, blocks committed, blocks fetched) into one core_in, call core_step
 *      once, carry out its outputs in order. Call again at core_deadline_ns() at the latest.
 *   3. While core_wants_packets() is false, leave packets where they are (ZeroMQ holds them): the next block is full and waits for those
 *      being written. Everything else goes on. While it is true, gather packets into a turn until core_turn_add says that it is full.
 *      The packets live until the step's outputs are carried out.
 *
 * Promises: a step decides, appends records, applies them; whatever promises something (accepted, settled, a lease) is sent only in the step that
 * hears of the commit of its block. A step never fails, never allocates; what an answer needs later is reserved before it is given. */
#ifndef WEIR_CORE_H
#define WEIR_CORE_H

#include "proto/block.h"
#include "proto/packet.h"

struct core;

enum {
    CORE_PACKET_BYTES_MAX = 256 * 1024, /* of body */
    CORE_PACKET_ITEMS_MAX = 2048,       /* publishes, emits and settles in one packet */
    CORE_MANAGE_ITEMS = 64,             /* that a manage counts as: its record may be large */
    CORE_HELD_PER_ITEM = 8,             /* held leases in a hello that count as one item: 16,384 at most */
    CORE_TURN_BYTES = 128 * 1024,       /* a turn is full from here on */
    CORE_TURN_ITEMS = 2048,
    CORE_SUBMITS_MAX = 2,               /* blocks under way to the log */
};

enum { /* the most that a configuration may ask for */
    CORE_GROUPS_MOST = (1 << 11) - 1,
    CORE_LEASES_MOST = (1 << 24) - 1,
    CORE_SUBSCRIPTIONS_MOST = 1 << 24,
    CORE_TURN_ITEMS_LEAST = 8 * CORE_PACKET_ITEMS_MAX, /* and two for each peer */
};

/* What a turn has gathered so far, and with how much it is full; see core_begin_turn. */
struct core_turn { size_t bytes, items, packets, bytes_max, items_max; };

struct core_limits { /* each 0 = the default behind it */
    uint32_t peers_max;            /* 4096 */
    uint32_t tenants_max;          /* 64 */
    uint32_t groups_max;           /* 1024 */
    uint32_t leases_max;           /* 262144 */
    uint32_t failed_max;           /* 262144, all groups together */
    uint32_t dead_max;             /* 65536 dead letters, all groups together */
    uint32_t dead_per_group_max;   /* 16384 */
    uint32_t busy_keys_max;        /* 262144: keys, sessions and limited values that are held or waited for, all groups together */
    uint32_t parked_max;           /* 262144: events that wait for one of them */
    uint32_t parked_per_group_max; /* 8192: of one group; then it reads no further */
    uint32_t subscriptions_max;    /* 65536 */
    uint32_t publishers_max;       /* 4096 */
    uint32_t held_max;             /* 1048576 events with a delay, all tenants together */
    uint32_t held_per_tenant;      /* 262144 */
    uint32_t tokens_max;           /* 4194304 application tokens, all tenants together */
    uint32_t tokens_per_tenant;    /* 1048576 */
    uint32_t large_events_max;     /* 1024: events over 64 KiB that are being published at a time, all peers together */
    uint32_t blocks_cached;        /* 128; a little over 1.5 MiB each; at least 8 */
    uint32_t ranges_per_group_max; /* 16384: also the most events a group has on loan or failed at once */
    uint32_t turn_items_max;       /* 65536: answers and deliveries that one step may put out */
};

struct core_config {
    struct core_limits limits;
    uint64_t secret[2];         /* for hash tables; from the shell's random source; same secret, same outputs */
    uint32_t heartbeat_ms;      /* 5000; a peer silent for three of them is gone */
    uint32_t lease_ms;          /* 30000 */
    uint32_t adopt_grace_ms;    /* 5000 */
    uint32_t backoff_ms;        /* 1000 */
    uint32_t token_life_ms;     /* 600000; an application's token is accepted once in this time */
    uint32_t settle_wait_us;    /* 2000: a block that would hold nothing but settles waits so long for company */
    bool settle_at_once;        /* it does not wait at all */
    uint32_t block_full_bytes;  /* a block of so many bytes goes to the log behind one that is being written; 0: a full one */
    uint32_t publish_credit_events; /* 65536: unanswered publishes of a peer */
    uint32_t publish_credit_bytes;  /* 16 MiB */
    uint32_t emit_credit_bytes;     /* 1 MiB */
    uint32_t max_event_bytes;       /* 8 MiB; not above EVENT_LARGE_BYTES_MAX */
    uint32_t max_packet_bytes;      /* 256 KiB of body; not above CORE_PACKET_BYTES_MAX */
    const struct span *tenants;     /* lent during core_init; at least one */
    size_t tenant_count;
    struct span server;             /* "weir/0.1.0"; lent for ever */
    bool any_tenant;                /* hellos may name new tenants, up to tenants_max (--dev) */
    struct core_replay {            /* a private coordinator that feeds stored events to workers again */
        bool on;
        uint64_t from, until;       /* positions, inclusive; groups read only these */
        struct span filter, session, key; /* empty = all; lent for ever */
        uint32_t speed_percent;     /* of the original pace; 0 = as fast as possible */
        bool step;                  /* one event at a time: the next only after the settle of the one before */
    } replay;
};

/* What the connection's credential allows, found by the shell (CURVE key, token, --dev). */
struct core_grant {
    uint32_t roles;       /* bit 1 << enum role */
    struct span tenant;   /* the only one allowed; empty with any_tenant */
    bool any_tenant;
};

struct core_packet {
    uint32_t connection;  /* the shell's number of a connection; new for each; not 0 */
    struct core_grant grant;
    const struct packet *packet; /* NULL: the bytes were no Packet; answered with bad_frame */
};

struct core_fetched {
    uint64_t position; /* as asked */
    struct block *block;
    enum core_fetch { CORE_FETCHED, CORE_FETCH_NOTHING /* no block at or after it */, CORE_FETCH_FAILED } result;
};

enum { CORE_SHELL_STATS_MAX = 10 };

/* A group that the configuration asks for. */
struct core_group {
    struct span tenant;
    struct group_spec spec;
};

struct core_in {
    uint64_t now_ns;       /* monotonic, never falls */
    uint64_t log_time_ms;  /* Unix; never falls */
    const struct core_packet *packets;
    size_t packet_count;
    const uint32_t *gone;  /* connections that have ended */
    size_t gone_count;
    uint64_t committed;    /* the highest block number committed so far */
    bool log_failed;       /* a write failed: outcome unknown */
    const struct core_fetched *fetched;
    size_t fetched_count;
    uint64_t trim_wish;             /* the shell would like to trim below this; 0: no wish. See core_let_go */
    const struct core_group *group; /* to be made, unless there is one of that name; NULL: none. Lent for the step */
    bool draining;         /* SIGTERM was heard: no new publishes, no new leases */
    const struct stat_row *shell_stats; /* told after the core's own to whoever asks for statistics; lent for the step */
    size_t shell_stat_count;            /* at most CORE_SHELL_STATS_MAX */
};

enum core_out_kind {
    CORE_SEND,     /* packet to connection */
    CORE_FORGET,   /* cut connection after its packets so far are sent */
    CORE_SUBMIT,   /* write block; lent until its commit */
    CORE_FETCH,    /* read a block into `block`, lent until fetched: the one that holds position, else the first after it;
                      with `before`: the last one that begins at or before position */
    CORE_SNAPSHOT, /* append block (records only) to the snapshot under way; lent until the next step; last: it is complete */
    CORE_SNAPSHOT_ABANDONED, /* what was appended so far is of no use: ask for another later */
    CORE_HALT      /* stop at once, tell nobody */
};

struct core_out {
    enum core_out_kind kind;
    uint32_t connection;
    const struct packet *packet; /* lent until the next step */
    struct block *block;
    uint64_t position;           /* FETCH: wanted; SNAPSHOT: state as of */
    bool last;
    bool before;
};

struct core_outs {
    const struct core_out *items; /* lent until the next step */
    size_t count;
};

size_t core_memory(const struct core_config *config);            /* bytes; multiple of 4096 */
struct core *core_init(void *zeroed_memory, const struct core_config *config); /* config is copied (see what is lent) */

/* One block, of a snapshot or of the log, in order, before core_start. False: a record that cannot be applied (damage); position in *out_bad. */
bool core_recover(struct core *core, const struct block *block, bool from_snapshot, uint64_t *out_bad);

/* After recovery. epoch: 16 hex digits. first_position: of the next block (the last + 2^20, or 1 in a new log). block_number: of the next block. */
void core_start(struct core *core, uint64_t now_ns, uint64_t log_time_ms, const char epoch[16], uint64_t term, uint64_t first_position,
                uint64_t block_number, uint64_t trimmed_below);

void core_step(struct core *core, const struct core_in *in, struct core_outs *outs);
uint64_t core_deadline_ns(const struct core *core); /* UINT64_MAX: none */
/* What is wrong with it in itself; NULL: nothing. A text for people, lent for ever. */
const char *core_group_check(const struct group_spec *spec);
enum core_group_state { CORE_GROUP_MISSING, CORE_GROUP_SAME, CORE_GROUP_DIFFERS /* *out_why says in what */ };
enum core_group_state core_group_state(const struct core *core, const struct core_group *group, const char **out_why);

bool core_wants_packets(const struct core *core);
void core_begin_turn(const struct core *core, struct core_turn *turn); /* after the last step, when it wants packets */
bool core_turn_add(struct core_turn *turn, const struct packet *packet); /* counts a packet (NULL: a broken one); false: take no more this turn */
bool core_is_quiet(const struct core *core);        /* nothing unwritten and nothing unsent: a drain is done */

/* Nothing below it is read any more. It follows core_in.trim_wish: what must outlive the window has been written again above it, what a
 * group has not settled below it is lost and announced, and both are committed. A shell trims no further. 0: wait. */
uint64_t core_let_go(const struct core *core);

/* Begins a snapshot of the state as of the last closed block; slices come out of the following steps. False: one is under way. */
bool core_snapshot(struct core *core);

/* XXH-like digest of the durable state in a canonical order: equal states, equal digests [P9]. */
uint64_t core_digest(const struct core *core);

struct core_stats { /* counters since start; gauges where said */
    uint64_t packets, bad_packets, silent /* peers forgotten for it */, published, published_bytes, refused, duplicates, delivered,
        delivered_bytes, redelivered, retries_delayed, acked, nacked, rejected, stale, expired, lost, emitted, came_due, carried, events_sent,
        events_sent_bytes, partials, undeliverable, blocks, records, fetches, dead_lettered, dead_retried, dead_dropped, errors[CODE_COUNT];
    uint64_t parts, parts_dropped, parts_sent, parts_carried; /* of large events */
    uint64_t peers, groups, leases, failed, dead, dying, busy_keys, parked, subscriptions, publishers, tokens, held, large_events /* being published */, blocks_pinned; /* gauges */
    uint64_t head; /* the highest committed position */
};
void core_stats(const struct core *core, struct core_stats *out);

struct core_group_stats { /* as of the last second */
    char tenant[256], name[256];
    uint64_t lag, lag_ms, arrivals, settles; /* the rates per 1,000 s */
    uint32_t workers, workers_wanted, leased, failed, retries_waiting;
    bool lag_is_estimate, paused;
};
size_t core_groups(const struct core *core, struct core_group_stats *out, size_t max); /* how many it wrote */

#endif
