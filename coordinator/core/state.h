/* Inside the core: the whole vocabulary on one page. Only files of this folder include it.
 *
 * Durable state (changed by apply.c and what it calls): publishers; groups' options, generation, failed, dead letters, and for each priority
 * floor, handed, ranges.
 * Volatile: everything else. Handles are slab handles, 0 = none. */
#ifndef WEIR_CORE_STATE_H
#define WEIR_CORE_STATE_H

#include "coordinator/core/core.h"
#include "coordinator/core/seek.h"
#include "proto/event.h"
#include "proto/limit_by.h"
#include "proto/parts.h"
#include "sdk/base/arena.h"
#include "sdk/base/filters.h"
#include "sdk/base/heap.h"
#include "sdk/base/map.h"
#include "sdk/base/must.h"
#include "sdk/base/slab.h"
#include "sdk/base/topic.h"

enum {
    NAME_MAX = 255,
    GROUP_TEXT_MAX = 2048, /* a group's name and filters together */
    PUBLISHER_RUNS_MAX = 128,
    PUBLISH_WINDOW = 16384,     /* [R-PUB-5] */
    EMITS_PER_SETTLE_MAX = 256, /* [R-CREDIT-7] */
    HANDED_AHEAD_MIN = 16,      /* positions; while a group catches up */
    HANDED_AHEAD_MAX = 1 << 16,
    HANDED_SWEEP = 1 << 16,      /* an idle group's floor follows the head at this distance */
    EXTEND_MAX_MS = 3600 * 1000, /* [R-LEASE-2] */
    AFFINITY_WAIT_MS = 2000,     /* [R-ORDER-5] */
    AFFINITY_WAIT_MAX_MS = 600 * 1000,
    BACKOFF_MAX_MS = 60 * 1000,  /* [R-LEASE-5] */
    CREDIT_VIOLATIONS_MAX = 100, /* [R-CREDIT-3] */
    MISTAKES_MAX = 100,          /* [R-WIRE-8] */
    STALE_MAX = 1 << 16,         /* [R-CREDIT-8] */
    PEER_SUBSCRIPTIONS_MAX = 4096, /* of a peer that speaks for one tenant [R-SUB-8] */
    PACKET_OUT_BYTES = 256 * 1024,
    DELAY_DAYS_MAX = 400, /* [R-DELAY-4] */
    DRAIN_RECONNECT_MS = 5000,
    PEER_LARGE_EVENTS = 16, /* of a peer, under way as parts [R-PART-3] */
    PARTS_RESERVED_MAX = 128 * 1024,
    PARTS_CREDIT_STEP = 256 * 1024,
    TICKETS_MAX = 1 << 17,
    PENDS_MAX = 1 << 15,
    SNAPSHOT_BLOCKS = 8,
    SCAN_BLOCKS_PER_STEP = 64,
    PEND_BYTES = 56, /* of a pend, or of what a settle record has besides, or of the record of a dead letter that is over */
    DEAD_PER_RECORD = 4096,
    DEATHS_MAX = 5,              /* [R-DEAD-2] */
    NOTE_WORKER_MAX = 62,        /* bytes of a worker's name, and of what it said of a failure, that reach a dead letter */
    NOTE_ERROR_MAX = 192,
    LETTER_ROUND_MAX = 1536,     /* bytes of a dead letter around its event */
    TEXT_NUMBER_MAX = 20,
    LOOKUPS_MAX = 64,
    TOKENS_EXPECTED = 16,
    WHY_EVENTS_MAX = 16,  /* of a session, in one answer */
    START_JUMP = 1 << 20, /* positions that each start jumps ahead, at least */
    SCRATCH_BYTES = 24 * 1024 * 1024,
};

struct key_list { uint32_t first, last; }; /* of struct key */

/* ---- tenants, peers, credit ---- */
struct tenant {
    uint8_t name[NAME_MAX + 1];
    uint32_t name_size;
    uint32_t held_count;
    uint32_t token_count;                /* not known to be dead */
    uint64_t token_oldest, token_newest; /* numbers in the ring of tokens, while there are any */
    uint64_t token_key[2];               /* of the hash of its tokens */
};

#define SUBSCRIPTION_BIT 0x80000000u /* of a handle in the filter index: a subscription's, else a group's */

/* What one peer may send and be sent in one tenant [R-CREDIT-2, R-CREDIT-4]. */
struct lane {
    uint32_t peer, tenant, self, next; /* self: its own handle; next: of the peer */
    uint64_t publish_limit_events, publish_limit_bytes, publish_used_events, publish_used_bytes, publish_done_events, publish_done_bytes;
    uint64_t event_limit_events, event_limit_bytes, event_sent_events, event_sent_bytes;
};

enum peer_state { PEER_NONE, PEER_SILENT /* no hello yet */, PEER_JOINING /* hello taken, welcome waits for a commit */, PEER_READY, PEER_ENDING };
struct peer {
    uint32_t connection;
    enum peer_state state;
    uint32_t role, tenant, lanes, group;
    uint64_t generation; /* the group's, as the welcome told it */
    struct core_grant grant;
    uint8_t instance[INSTANCE_BYTES];
    uint8_t publisher[PUBLISHER_BYTES];
    uint8_t name[NOTE_WORKER_MAX], name_size; /* for people */
    bool publishes;
    uint64_t first_unanswered, number_seen; /* the highest number on this connection */
    uint64_t heard_ns, said_ns;
    uint64_t deliver_limit_events, deliver_limit_bytes, deliver_sent_events, deliver_sent_bytes;
    uint64_t settle_next; /* [R-SETTLE-1] */
    uint64_t emit_bytes;  /* in settles without an answer [R-CREDIT-7] */
    uint32_t violations, parts_dropped, mistakes, stale; /* in a row */
    uint32_t assemblies, assembly_count; /* large events it is publishing */
    uint32_t transfer;                   /* the large event it is being sent */
    uint64_t max_event_bytes;            /* the largest it takes */
    uint32_t packet_bytes; /* the bodies of one packet to it; a larger event still goes, alone */
    uint32_t leases;                      /* list */
    uint32_t subscriptions;               /* list */
    uint32_t subscription_count;
    struct key_list awaited;              /* sessions that are warm here and wait for credit */
    uint32_t ring_next, ring_prev;        /* workers of a group with credit */
    uint32_t out_first, out_last;         /* items of this step */
    bool dirty, in_ring, forget;
    bool leaving; /* a worker that takes no more [R-DRAIN-2] */
};

/* ---- publishers ---- */
struct publisher { /* durable */
    uint8_t id[PUBLISHER_BYTES];
    uint64_t highest, forgotten, used; /* used: position of its last event */
    uint32_t run_first, run_count;     /* ring */
    uint32_t saved;                    /* number of the last snapshot that has it */
    struct record_run runs[PUBLISHER_RUNS_MAX];
};

/* ---- application tokens ---- */
struct token { /* durable, but for next */
    uint64_t hash[2];
    uint64_t position, time_ms; /* where and when it was accepted */
    uint32_t tenant, next;      /* next: how much further on the tenant's next one stands; 0: none */
};

/* Where a look ahead at the tokens of a publish is. */
struct token_look {
    const struct msg_publish *publish;
    const uint8_t *body; /* of the next event */
    size_t next;
};

struct token_answer {
    uint64_t position; /* of the first one: this is a repeat; 0: it is new */
    uint32_t wait_ms;  /* over 0: new, but there is no room before */
};

/* A large event that is being published: its parts so far are records, the event itself comes last. */
struct assembly {
    uint64_t number, size; /* size: of the data so far */
    uint32_t next;         /* of the peer */
    uint32_t count, taken; /* parts: all, and those that are there */
    uint64_t positions[];
};

/* A large event that is being sent, to a worker (lease) or for a subscription. */
struct transfer {
    uint32_t peer, lease, sub;
    uint32_t count, sent;
    uint64_t position, said; /* said: the step of the last part */
    bool waits_fetch;
    uint64_t parts[PARTS_MAX]; /* positions: also of events that were stored when larger ones were taken than now */
};

/* ---- events with a delay ---- */
#define DELAY_MAX_MS (UINT64_C(86400000) * DELAY_DAYS_MAX)
struct held {                 /* durable */
    uint64_t first, position; /* its id; where it stands now */
    uint64_t due_ms;          /* log time */
    uint32_t tenant, unused;
};

/* ---- blocks ---- */
enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_WRITING, SLOT_COMMITTED, SLOT_FETCHING };
#define TOUCHED_RECORD_ONLY 0x80000000u
struct slot {
    struct block block;
    enum slot_state state;
    uint64_t used;     /* step of its last use */
    uint64_t wanted;   /* FETCHING: the position asked for; later: the block is the next one for all positions from here */
    bool before;       /* FETCHING: the last block that begins at or before `wanted` */
    uint64_t before_to; /* the block is the last one before all positions up to here */
    uint8_t levels;        /* bit per priority that an event in it has */
    uint32_t touched_count;
    uint32_t *touched; /* groups with an event in it, or (| TOUCHED_RECORD_ONLY) just with a record of their own */
};

/* ---- groups ---- */
struct reader {
    uint64_t cursor; /* the next position to look at */
    uint64_t from;   /* after the last matching position: what lies between belongs to the next match */
    uint64_t end;    /* last position to read; UINT64_MAX: none */
};

/* ---- order: what events wait for (order.c) ---- */
enum key_kind { /* an event waits for one at a time, in this order, and keeps what it has passed */
    KEY_ORDER, /* a key, session or group of one priority: one event at a time, in log order [P4] */
    KEY_WARM,  /* a session and the worker that has it warm */
    KEY_LIMIT, /* a header's or topic word's value: `limit_each` at a time */
    KEY_KINDS
};
enum key_state {
    KEY_FREE,
    KEY_HELD,     /* ORDER: its event is leased, failed, or waits for something else; LIMIT: full, or nobody waits */
    KEY_SETTLING, /* ORDER: its event is settled, in a block that is not committed; in core.settling */
    KEY_READY,    /* who is parked first may go on; in the level's list */
    KEY_AWAITING, /* WARM: for its worker to have credit, until a time; in the worker's list and core.key_waits */
    KEY_UNUSED,   /* WARM: nobody is parked; in core.unused_keys, the one not used for longest first */
    KEY_STATES
};
struct key {
    uint64_t hash;   /* of group, kind and value. Only this is kept: two values with one hash only make order stricter */
    uint64_t holder; /* ORDER: position of its event */
    uint64_t until;  /* SETTLING: the block; WARM: when who is parked goes to another worker */
    uint32_t group;
    uint32_t first, last; /* parked */
    uint32_t next, prev;  /* the list of its state */
    uint32_t held;        /* LIMIT: how many run */
    uint32_t limit;       /* ORDER: the KEY_LIMIT that its event holds besides */
    uint32_t worker, worker_generation; /* WARM */
    uint8_t kind, state;
    uint8_t level; /* READY: in whose list */
};

struct parked {
    uint64_t position, from;
    uint32_t group, level;
    uint32_t at, order; /* the key at which it waits; the KEY_ORDER that it holds meanwhile, 0: none */
    uint32_t failed;    /* its failure; 0: it never went out */
    uint32_t next;      /* of the key */
    uint32_t group_next, group_prev;
};

/* An event on its way to a worker, and what it has passed so far. */
struct turn {
    uint32_t group, level, failed;
    uint64_t position, from;
    uint32_t order, warm, limit; /* keys; 0: not yet, or none */
    bool waited;                 /* for its session's worker: it goes now */
    uint32_t worker;             /* that it goes to; 0: whose turn it is */
};

/* The events of one priority in a group: read, handed out and settled by themselves, so that one that goes first is found at once however
 * long the backlog of the others is. Positions of other priorities are to a level what events that do not match are. */
struct level {
    /* durable */
    uint64_t floor, handed;
    struct ranges settled;
    /* volatile */
    struct reader fresh, old; /* old: what was handed out before a restart */
    bool live;                /* fresh is at the head: only a block that touches the group wakes it */
    bool old_open;            /* old is being read */
    uint64_t handed_wanted;   /* a raise that is pending; 0: none */
    uint64_t handed_at_start; /* of a recovered level: what lies above was with nobody before the restart */
    uint64_t handed_more;     /* where the reader, while it catches up, asks for the next one */
    uint64_t handed_block, handed_before; /* the block of the last raise, and the value until that is committed */
    uint32_t pend_last;       /* of the filling block: newest pend, chained by .before */
    uint32_t open;            /* leased, failed or parked */
    struct key_list ready;    /* keys whose first parked event may go on */
};

struct queue { uint32_t first, last; }; /* of failed events */

/* How the group keeps up (rates.c); rates are per 1,000 s. */
struct group_rates {
    uint64_t matched, matched_before, settled_before; /* matched: events that came, an estimate where blocks are left out */
    uint64_t arrivals, settles, per_worker;           /* per_worker: what one does when there is enough to do; 0: not known */
    uint64_t from_cursor, from_head, from_matched;    /* as they were when the group was opened, or, with from_live, live last */
    uint32_t from_turns;
    bool from_live, lag_is_estimate;
    uint32_t wanted;
    uint64_t behind_ms, behind_term; /* of the event at the lowest cursor, when its block was in memory last; 0: not known */
    uint64_t lag;
    uint64_t idle_ms, alone_ms;      /* since when no worker has credit; since when there is no worker */
};

struct group {
    /* durable */
    uint32_t id, tenant;
    struct group_options options; /* limit_by points into text */
    uint64_t generation;
    uint64_t paused_ms; /* log time since when nothing goes out; 0: not paused */
    struct level levels[PRIORITY_LEVELS];
    uint32_t failed_list, failed_count;
    uint32_t dead_first, dead_last, dead_count; /* by place */
    uint32_t name_size, text_size, filter_count, old_filter_count;
    uint32_t saved;
    uint64_t filters_from; /* what lies below is matched by the old filters; those are kept until all of it is settled */
    uint16_t filter_offset[GROUP_FILTERS_MAX], filter_size[GROUP_FILTERS_MAX];
    uint16_t old_filter_offset[GROUP_FILTERS_MAX], old_filter_size[GROUP_FILTERS_MAX];
    uint8_t text[GROUP_TEXT_MAX], old_text[GROUP_TEXT_MAX];
    bool has_letters;         /* its name leaves room for $dlq. before it */
    /* volatile */
    bool adopting;            /* old waits for adopt_until_ns */
    uint32_t reading_back;    /* stages that are still to be read before anything goes out (read_back.c) */
    uint32_t parked, parked_first, parked_last;
    bool active;              /* in core.active */
    bool waits_fetch;
    bool pending;             /* in core.pend_groups */
    bool touched_now;         /* in the filling block's list */
    uint64_t adopt_until_ns;
    uint64_t created_block;   /* of its record; 0: recovered */
    uint32_t ring;            /* a worker with credit */
    uint32_t workers, leased;
    uint32_t lease_first, lease_last; /* by deadline: all have the same lease_ms */
    struct queue retry;               /* failed and due */
    struct queue dying;               /* failed once too often: to be written as dead letters */
    uint32_t returned;                /* leases given back unstarted, by group_next */
    uint32_t next_pending;            /* groups with pends */
    uint32_t turns;                   /* new events given out; says which priority is asked first */
    uint64_t replay_started_ns, replay_first_ms;
    bool replay_started;
    uint64_t delivered, acked, nacked, rejected, expired;
    struct group_rates rates;
};

enum failed_state { FAILED_WAITING /* in core.due */, FAILED_READY /* in the group's retry */, FAILED_DYING /* in its dying */, FAILED_LEASED, FAILED_PARKED /* waits for a key */ };
struct failed {
    uint64_t position, due_ms;
    uint32_t group, level, attempts, next, prev; /* the group's list */
    uint32_t queue_next, queue_prev;
    uint32_t deaths, cause; /* attempts whose worker was lost; of the last one: enum failure */
    uint32_t dead;          /* retried from its dead letter: its place lies outside of the level's floor and ranges */
    uint32_t note;          /* volatile */
    enum failed_state state;
    uint64_t block; /* of its record: goes out again only when that is committed [R-LEASE-5] */
    uint32_t key;   /* volatile: the KEY_ORDER that it holds; while read back, what a lease holds */
    bool found;     /* volatile: read back, and with a worker perhaps */
};

/* Who had a failed event last, and what it said: for the dead letter, with failures that may be the last one. */
struct note {
    uint8_t worker_size, error_size;
    uint8_t worker[NOTE_WORKER_MAX], error[NOTE_ERROR_MAX];
};

/* An event that its group has given up. */
struct dead { /* durable */
    uint64_t event, place, time_ms; /* its first position; of its letter on $dlq.GROUP; when it was given up */
    uint32_t group, next, prev;     /* the group's list */
    uint32_t attempts, reason, level;
    uint32_t failed; /* it is being delivered again: a failed event at `place`; 0: it lies */
};

/* What a letter says. */
struct letter {
    struct span group, event;
    uint64_t time_ms, cause; /* of the event */
    uint32_t attempts, reason;
};

/* An event as it was given to the log first, be it in a dead letter. */
struct stored_event {
    struct span bytes;
    uint64_t first, time_ms, cause; /* first: 0 = where it stands */
};

/* What happened to a group since the last block was closed; becomes its one settle record [P5]. */
struct pend {
    uint32_t before;        /* the level's pend before this one, index + 1 */
    uint64_t first, last;   /* settled range; or failed position in first */
    uint64_t due_ms;
    uint32_t attempts;      /* > 0: a failure */
    uint32_t deaths, cause, note;
    uint32_t key;           /* that the failure goes on to hold */
};

struct lease {
    uint32_t group, level, peer, failed;
    uint32_t attempt;
    uint64_t position, from; /* settles [from, position] */
    uint64_t first;          /* its first position, when it stands here again */
    uint64_t expires_ms;     /* of the event; 0: not known since a restart */
    uint64_t deadline_ns;
    uint32_t peer_next, peer_prev, group_next, group_prev;
    bool in_group_list;      /* else in core.extended */
    bool request;
    bool once;               /* its end, whatever it is, is the end of the event for the group, and stands nowhere [P6] */
    bool returned;           /* given back unstarted, or not sent yet: goes out with the same attempt */
    uint32_t large;          /* bytes of a large event; 0: it is none */
    uint32_t transfer;
    uint32_t note;           /* orphaned: who had it */
    bool found;              /* read back */
    bool of_nobody;          /* it may be with a worker since before the restart; until one says so */
    uint32_t key;            /* the KEY_ORDER it holds, else the KEY_LIMIT; 0: none */
};

/* ---- answers that wait for a commit ---- */
enum ticket_kind { TICKET_ACCEPTED, TICKET_SETTLED, TICKET_WELCOME, TICKET_PART, TICKET_ANSWER /* of a manage; duplicate: there is more */ };
struct ticket {
    uint32_t peer, generation;
    uint32_t lane;
    uint16_t kind, duplicate;
    uint32_t count;
    uint64_t number, seq, block;
    uint64_t bytes;
};

/* ---- subscriptions ---- */
enum sub_state { SUB_LIVE, SUB_CATCHING, SUB_SEEKING_LAST /* looks for the last n */, SUB_SEEKING_TIME };
struct sub {
    uint32_t id, peer, lane, tenant;
    uint32_t peer_next, peer_prev;
    enum sub_state state;
    bool active;    /* in core.catching */
    bool waits_fetch;
    bool waits_transfer; /* of another subscription, or lease, of the peer */
    uint32_t transfer;   /* the event at the cursor is being sent */
    bool own_credit;
    bool limited;
    uint64_t cursor, end; /* end: last position of a limited one */
    uint64_t limit;       /* events still to send of a limited one */
    uint64_t left;        /* matches still to find while seeking */
    struct seek seek;     /* SEEKING_TIME */
    uint64_t credit_events, sent_events;
    uint32_t filter_size;
    uint8_t filter[NAME_MAX + 1];
};

/* ---- what somebody waits for while the log is read ---- */
enum lookup_kind { LOOKUP_NONE, LOOKUP_HELLO /* its group begins at a time */, LOOKUP_CONFIGURED /* so does a configured one */, LOOKUP_SEEK, LOOKUP_WHY, LOOKUP_WHY_SESSION /* its name is the spec's */ };
struct lookup {
    enum lookup_kind kind;
    uint32_t peer, peer_generation; /* who waits; 0: nobody */
    uint32_t tenant;
    uint64_t id;                    /* of its manage or query */
    uint64_t position;              /* WHY: of the event; WHY_SESSION: so far back it was looked for */
    uint64_t places[WHY_EVENTS_MAX]; uint32_t found, blocks; /* WHY_SESSION: of what was found; blocks looked through */
    struct seek seek;
    struct group_spec spec; /* its texts are copied into `text` */
    struct span filters[GROUP_FILTERS_MAX];
    uint8_t text[GROUP_TEXT_MAX];
};

/* ---- outputs of a step ---- */
enum item_kind {
    ITEM_WELCOME, ITEM_ERROR, ITEM_HEARTBEAT, ITEM_CREDIT, ITEM_ACCEPTED, ITEM_REFUSED, ITEM_SUBSCRIBED, ITEM_EVENT, ITEM_CAUGHT_UP, ITEM_ENDED,
    ITEM_DELIVER, ITEM_SETTLED, ITEM_REVOKE, ITEM_PARTIAL, ITEM_PART, ITEM_CANCEL, ITEM_ANSWER, ITEM_DRAIN, ITEM_KINDS
};
struct item { /* one entry of a packet to be; what a..d mean is said in out.c */
    uint32_t next;
    uint32_t kind;
    uint32_t x, y, z;
    uint64_t a, b, c, d, first;
    struct span body;
    const void *more; /* in scratch */
};

struct memo { /* which topics of one block match one filter set */
    const struct block *block;
    uint64_t number;
    uint32_t owner; /* group handle, or sub handle | SUBSCRIPTION_BIT */
    uint32_t old_until; /* records before this index are matched by the group's old filters, and not remembered */
    uint8_t known[BLOCK_TOPICS_MAX]; /* 0 = not looked at, 1 = no, 2 = yes */
};

struct core {
    struct core_config config;
    uint64_t now_ns, log_ms, start_ms /* log time of core_start */, step, head, next_position, next_block, trimmed_below, term;
    char epoch[EPOCH_BYTES];
    bool started, draining, drain_said, halted, trim_due;
    const struct stat_row *shell_stats; /* of this step */
    size_t shell_stat_count;
    uint64_t random;

    struct tenant *tenants; /* [tenants_max + 1], 1-based */
    uint32_t tenant_count;
    struct filters *filters; /* of all tenants */
    struct slab peers, lanes, publishers, groups, failed, leases, subs, keys, parked, assemblies, transfers, dead, notes;
    struct map by_connection, by_publisher, by_failed, by_lease, by_sub, by_instance, by_key, by_dead;
    uint32_t *group_handles;    /* [groups_max + 1], by id */
    uint64_t group_generations; /* durable: the highest that a group which is gone ever had */
    uint32_t groups_changing;   /* with old filters */
    struct range *group_ranges; /* [groups_max + 1][PRIORITY_LEVELS][ranges_per_group_max] */

    struct {
        struct token *ring;  /* [tokens_max] */
        uint64_t first, end; /* number n stands in ring[n % tokens_max] */
        struct map by_hash;  /* place in the ring + 1 */
        struct {
            const uint8_t *text;
            uint64_t hash[2], position;
        } hint; /* the token last asked for, and where its event stands */
        struct {
            struct span text;
            uint64_t hash[2];
        } expected[TOKENS_EXPECTED]; /* of the events that follow in the packet at hand */
        uint32_t expected_now;       /* place of the event at hand */
        bool in_use;                 /* the last event had one, so the next ones may, too */
    } tokens;

    struct slab held;
    struct map by_held;   /* by first position */
    struct heap held_due; /* by due_ms, then by first position */
    struct {
        uint64_t wish, done; /* held events below `wish` are to stand above it; none is below `done` */
        uint64_t block;      /* of the last one that was written again */
        uint32_t next;       /* the next entry to look at */
    } carry;
    struct {
        uint64_t wish, done, block; /* as in carry, of dead letters */
        uint32_t next_group;
    } letters;
    bool held_waits;      /* for a fetch or a commit */

    struct slot *slots;
    uint32_t slot_count, filling, writing; /* slot index + 1; 0 = none */
    uint64_t committed_block;
    uint64_t nothing_from, nothing_to; /* a fetch found no block in here */
    uint64_t fetch_again_ns;           /* after a failed read */
    uint32_t publisher_hint;          /* the last one found */
    uint32_t fetching, slot_hint; /* slot index + 1 of the last look-up */
    uint32_t scan_budget;         /* blocks that readers may still look through in this step */

    size_t parts_reserved; /* bytes that open assemblies may add to the events that end them */
    struct ticket *tickets; /* ring */
    uint32_t ticket_first, ticket_count;
    struct pend *pends;
    uint64_t pend_since_ns; /* the oldest pend */
    bool pend_urgent;       /* deliveries wait for them */
    uint32_t pend_count, pend_groups; /* pend_groups: list of groups with pends or a handed raise */
    uint32_t pend_records;  /* the settle records that they will be */

    uint32_t *active; uint32_t active_count;     /* groups that may have something to hand out; queue order */
    uint32_t *catching; uint32_t catching_count; /* subscriptions that read the log and have credit */
    uint32_t *sending; uint32_t sending_count;   /* transfers; queue order */
    uint32_t failed_reserved, failed_pending;    /* places in the failed table: for leases that may fail; for failures not yet applied */
    uint32_t dying_count;                        /* in all groups */
    bool short_of_failed, short_of_keys;
    struct key_list settling, unused_keys;
    struct heap key_waits;                       /* KEY_AWAITING, by the time when the session moves */
    uint32_t reading_groups;                     /* that read back what they had handed out before the restart */
    bool read_back_more;                         /* there is more than the last step looked at */
    struct heap group_timers, extended, due;     /* lease deadlines; extended or orphaned leases; failed events by due_ms */
    uint64_t sweep_ns, adopt_ns, pace_ns; /* next sweep of peers; end of adoption; next event of a paced replay; UINT64_MAX: none */
    uint32_t sweep_group;

    struct { uint64_t sample_ns, tick_ns, events; } rates; /* next sample; last tick; events up to the last sample */
    struct lookup *lookups; uint32_t lookup_count; /* [LOOKUPS_MAX] */
    bool lookup_again; /* one goes on in the next step, without waiting for anything */

    uint32_t *matches; uint32_t match_count;     /* results of filters_match, per topic of the block at hand */
    uint32_t matches_most, matches_max;          /* that one topic can have; room for all kept at a time */
    uint32_t *topic_match;                       /* [BLOCK_TOPICS_MAX]: index + 1 into matches; there: count, values */
    struct memo memo;
    struct range *settle_ranges;          /* [PENDS_MAX], for reading and writing settle records */
    struct record_failed *settle_failed;  /* [PENDS_MAX] */
    struct record_dead *dead_rows;        /* [DEAD_PER_RECORD], for reading */

    struct item *items; uint32_t item_count;
    uint32_t *dirty; uint32_t dirty_count;       /* peers with items */
    uint32_t *ending; uint32_t ending_count;     /* peers whose slots are freed at the end of the step */
    struct core_out *outs; uint32_t out_count, out_max;
    struct arena scratch;                        /* of this step's outputs */

    struct { /* snapshot under way */
        bool wanted, running;
        uint32_t number;
        uint64_t position;
        uint32_t next_group, next_publisher;
        uint64_t next_token, token_end; /* the numbers still to be saved */
        uint32_t next_held;
        struct record_failed *failures; /* [PENDS_MAX]: its own, as it writes while a settle record is being applied */
        struct record_dead *dead_rows;  /* [DEAD_PER_RECORD]: the same */
        struct block *blocks; uint32_t block_now; bool failed, reopen; /* reopen: the last step's slices are out, begin anew */
    } snapshot;

    struct core_stats stats;
};

/* ---- handles to things ---- */
static inline struct peer *peer_at(const struct core *c, uint32_t h) { return slab_at(&c->peers, h); }
static inline struct lane *lane_at(const struct core *c, uint32_t h) { return slab_at(&c->lanes, h); }
static inline struct group *group_at(const struct core *c, uint32_t h) { return slab_at(&c->groups, h); }
static inline struct lease *lease_at(const struct core *c, uint32_t h) { return slab_at(&c->leases, h); }
static inline struct failed *failed_at(const struct core *c, uint32_t h) { return slab_at(&c->failed, h); }
static inline struct dead *dead_at(const struct core *c, uint32_t h) { return slab_at(&c->dead, h); }
static inline struct note *note_at(const struct core *c, uint32_t h) { return slab_at(&c->notes, h); }
static inline struct key *key_at(const struct core *c, uint32_t h) { return slab_at(&c->keys, h); }
static inline struct parked *parked_at(const struct core *c, uint32_t h) { return slab_at(&c->parked, h); }
static inline struct sub *sub_at(const struct core *c, uint32_t h) { return slab_at(&c->subs, h); }
static inline struct held *held_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->held, h);
}
static inline struct publisher *publisher_at(const struct core *c, uint32_t h) { return slab_at(&c->publishers, h); }
static inline struct slot *filling_slot(const struct core *c) { return c->filling ? &c->slots[c->filling - 1] : NULL; }
static inline struct span tenant_name(const struct core *c, uint32_t t) { return span_of(c->tenants[t].name, c->tenants[t].name_size); }
static inline uint32_t record_level(const struct record *record) { return (record->flags & RECORD_PRIORITY) >> RECORD_PRIORITY_SHIFT; }
/* The same of the event in a dead letter, if it is one. */
static inline uint64_t event_first(const struct record *record) { return record->flags & RECORD_DEAD ? record->cause : record_first(record); }
/* Its data stands in parts of its own. A dead letter's does not, though that of the event in it may. */
static inline bool record_is_large(const struct record *record) { return (record->flags & (RECORD_PARTS | RECORD_DEAD)) == RECORD_PARTS; }
static inline struct span group_name(const struct group *g) { return span_of(g->text, g->name_size); }
static inline struct span group_old_filter(const struct group *g, uint32_t i) { return span_of(g->old_text + g->old_filter_offset[i], g->old_filter_size[i]); }
static inline struct span group_filter(const struct group *g, uint32_t i) { return span_of(g->text + g->filter_offset[i], g->filter_size[i]); }
/* Positions end here, so that a place (group, position) is one number. What peers say is checked against it. */
#define POSITION_END (UINT64_C(1) << 53)
static inline uint64_t place_key(uint32_t group, uint64_t position) { return position ^ ((uint64_t)group << 53); }

/* tenant.c */
uint32_t tenant_find(const struct core *c, struct span name);
uint32_t tenant_add(struct core *c, struct span name); /* 0: full or a bad name */
uint32_t tenant_get(struct core *c, struct span name); /* found, or added */

/* out.c: entries of this step's packets */
bool out_has_room(const struct core *c, uint32_t items);
struct item *out_item(struct core *c, uint32_t peer, enum item_kind kind);
void out_error(struct core *c, uint32_t peer, enum error_code code, uint32_t about, uint64_t id, const char *message);
void out_assemble(struct core *c);
struct core_out *out_add(struct core *c, enum core_out_kind kind);

/* peer.c */
void peers_packet(struct core *c, const struct core_packet *in);
void peers_gone(struct core *c, uint32_t connection);
void peers_sweep(struct core *c);
void peer_move(struct peer *peer, enum peer_state to);
void peer_end(struct core *c, uint32_t peer);    /* state goes; its slot too, after the step */
void peer_forget(struct core *c, uint32_t peer); /* cut it after what it is sent in this step */
struct lane *lane_of(struct core *c, uint32_t peer, uint32_t tenant); /* made when missing; NULL: full */
void lane_publish_done(struct core *c, struct lane *lane, uint64_t events, uint64_t bytes);
uint32_t peer_tenant(struct core *c, uint32_t peer, struct span name); /* 0: not allowed */

/* hello.c */
uint64_t peer_instance_key(const struct core *c, const uint8_t instance[INSTANCE_BYTES], uint32_t tenant);
void hello_take(struct core *c, uint32_t peer, const struct core_packet *in);
void hello_go_on(struct core *c, uint32_t peer, const struct group_spec *spec); /* where its group is to begin was looked up */
void peer_welcome(struct core *c, uint32_t peer); /* keeps the leases it has by now */

/* publish.c */
void publish_take(struct core *c, uint32_t peer, const struct msg_publish *publish, const uint8_t **body);
enum error_code publish_check(const struct core *c, uint32_t tenant, struct span bytes, bool emit, struct event *out);
uint64_t publish_write(struct core *c, uint32_t tenant, struct span topic, struct record record,
                       struct span bytes); /* its position; the room is there */
uint64_t publish_append(struct core *c, uint32_t tenant, const struct event *event, struct span bytes, const uint8_t *publisher, uint64_t number,
                        uint64_t cause); /* its position; the room is there */

/* ---- publish.c, for numbers that are answered elsewhere ---- */
void publish_refuse(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, enum error_code code, uint32_t size);
void publish_again(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, struct span bytes, uint32_t size);
void publish_violation(struct core *c, uint32_t peer); /* [R-CREDIT-3] */

/* part.c */
size_t part_assembly_bytes(const struct core_config *config);
void part_take(struct core *c, uint32_t peer, const struct msg_part *part, const uint8_t **body);
uint32_t part_find(const struct core *c, uint32_t peer, uint64_t number); /* the assembly; 0: the number is not open */
enum error_code part_check(const struct core *c, uint32_t assembly, const struct event *event, struct span bytes); /* does it end it? */
struct span part_seal(struct core *c, uint32_t assembly, struct span bytes, struct event *event); /* what is stored */
void part_close(struct core *c, uint32_t peer, uint32_t assembly);
void parts_forget(struct core *c, uint32_t peer);

/* transfer.c */
uint32_t transfer_size(const struct core *c, const struct block *block, uint32_t index); /* of the whole event; 0: it has left the window */
bool transfer_is_possible(const struct core *c, uint32_t peer, uint32_t size);
void transfer_lease(struct core *c, uint32_t lease, uint32_t peer, const struct block *block, uint32_t index);
void transfer_sub(struct core *c, uint32_t sub, const struct block *block, uint32_t index);
void transfer_drop(struct core *c, uint32_t transfer);
void transfer_abandon(struct core *c, uint32_t transfer);
void transfer_leave(struct core *c, uint32_t transfer);
void transfers_go(struct core *c);
void transfers_wake_waiting(struct core *c);
bool transfers_can_go(const struct core *c);

/* blocks.c */
bool blocks_want_packets(const struct core *c);
bool blocks_room_for_failure(const struct core *c);
bool blocks_have_room(const struct core *c, size_t bytes);        /* for a record of so much */
bool blocks_have_room_in_turn(const struct core *c, size_t bytes); /* the same beside all that this turn's packets may need */
struct block *blocks_fill(struct core *c); /* the filling block, opened when there is none */
uint64_t blocks_append(struct core *c, struct record record, struct span body);
uint64_t blocks_number_of(const struct core *c,
                          uint64_t position); /* of the block that holds it; if that is committed, of a committed one */
void blocks_close(struct core *c);         /* closes and submits when the log is free and there is something */
uint64_t blocks_settles_deadline(const struct core *c); /* when settles without company are written; UINT64_MAX: none wait */
void blocks_committed(struct core *c, uint64_t number);
void blocks_fetched(struct core *c, const struct core_fetched *fetched);
struct slot *blocks_find_after(struct core *c, uint64_t position, bool *out_end); /* holds position or is known to be the next after it; NULL: fetch under way; *out_end: nothing there */
struct slot *blocks_peek(struct core *c, uint64_t position); /* the same, but only what is in memory */
struct slot *blocks_find_before(struct core *c, uint64_t position, bool *out_end); /* the last that begins at or before position */
void blocks_touch_topic(struct core *c, struct slot *slot, uint32_t topic, uint32_t tenant);
void ticket_add(struct core *c, struct ticket ticket);
void tickets_pay(struct core *c); /* as many as there is room to say */

/* apply.c: the only way durable state changes [P9] */
bool apply_record(struct core *c, const struct block *block, uint32_t index);
uint32_t publisher_find(const struct core *c, const uint8_t id[PUBLISHER_BYTES]);
uint64_t publisher_answer(const struct publisher *p, uint64_t number); /* position, or … */
#define PUBLISHER_NEVER     0          /* … it was not accepted */
#define PUBLISHER_FORGOTTEN UINT64_MAX /* … it may have been */

/* failed.c */
uint32_t failed_find(const struct core *c, uint32_t group, uint64_t position);
void failed_queue(struct core *c, uint32_t failed);   /* its time has come: behind the others of its group, for a worker or for its letter */
void failed_unqueue(struct core *c, uint32_t failed); /* out of its queue */
bool failed_apply(struct core *c, uint32_t group, uint32_t level, const struct record_failed *read, uint64_t block);
void failed_move(struct core *c, uint32_t failed, uint64_t place, uint64_t block); /* its letter was carried forward */
void failed_drop(struct core *c, uint32_t failed);
void failed_drop_all(struct core *c, uint32_t group);
void failed_drop_range(struct core *c, uint32_t group, uint32_t level, uint64_t first, uint64_t last);

/* group.c */
uint32_t group_find(const struct core *c, uint32_t tenant, struct span name);
uint32_t group_by_id(const struct core *c, uint32_t id);
void group_opened(struct core *c, uint32_t group, bool recovered); /* sets the volatile part */
void group_wake(struct core *c, uint32_t group);
void group_pend_settled(struct core *c, uint32_t group, uint32_t level, uint64_t first, uint64_t last);
void group_pend_failed(struct core *c, uint32_t group, uint32_t level, const struct record_failed *failure, uint32_t note, uint32_t key);
bool group_pends(const struct core *c, uint32_t group, uint32_t level, uint64_t position); /* settled or failed in a record to come */
void group_event_over(struct core *c, uint32_t group, uint32_t level, uint32_t failed, uint64_t from, uint64_t position); /* settled; or its dead letter is over */
void group_touch(struct core *c, uint32_t group); /* the commit of the filling block wakes it */
void group_want_handed(struct core *c, uint32_t group, uint32_t level, uint64_t position);
void group_write_pending(struct core *c, uint32_t group); /* of this group alone, now */
void groups_write_pending(struct core *c); /* one settle record per group and priority, into the filling block */
void groups_follow_head(struct core *c);
void groups_trim(struct core *c);          /* what has left the window is lost, counted and announced [P1] */
void groups_wake_waiting(struct core *c);  /* a fetch has ended */
void groups_end_adoption(struct core *c);
void group_join(struct core *c, uint32_t group, uint32_t peer);
void group_leave(struct core *c, uint32_t peer);
void worker_ring_update(struct core *c, uint32_t peer); /* in the ring exactly while it has credit */
uint64_t group_backoff_ms(struct core *c, const struct group *g, uint32_t attempts);

/* group_change.c */
void group_record(const struct core *c, const struct group *g, struct record_group *out); /* all of it, as it stands */
uint64_t group_create(struct core *c, uint32_t tenant, const struct group_spec *spec); /* block number of its record; 0: no room */
void group_configure(struct core *c, uint32_t tenant, const struct group_spec *spec); /* makes it when it is new and there is room */
/* Each: OK and *out_place, or the refusal and *out_message; nothing is changed then. */
enum error_code group_set(struct core *c, uint32_t group, const struct msg_manage *m, uint64_t *out_place, const char **out_message);
enum error_code group_pause(struct core *c, uint32_t group, bool pause, uint64_t *out_place);
enum error_code group_seek(struct core *c, uint32_t group, const struct group_spec *spec, uint64_t *out_place);
enum error_code group_delete(struct core *c, uint32_t group, uint64_t *out_place, const char **out_message);

/* group_spec.c */
enum error_code group_spec_check(const struct group_spec *spec, const char **out_message); /* can it be served? */
const char *group_conflict(const struct group *g, const struct group_spec *spec); /* what it asks for that the group has otherwise; NULL: nothing */
bool group_has_filters(const struct group *g, const struct group_spec *spec);     /* these and no others, in any order */

/* why.c */
enum scan why_event(struct core *c, struct lookup *lookup); /* SCAN_EVENT: it was answered */
enum scan why_session(struct core *c, struct lookup *lookup);
void groups_answer(struct core *c, uint32_t tenant, struct span name, struct msg_answer *answer);

/* rates.c */
void rates_sample(struct core *c, const struct slot *slot); /* a committed block */
void rates_tick(struct core *c);
void rates_restart(struct core *c, uint32_t group); /* it begins to read somewhere */
bool group_is_live(const struct group *g);
uint64_t rates_lag(struct core *c, uint32_t group, uint32_t *budget, bool *out_estimate); /* budget: records that may be looked at */
uint64_t rates_lag_ms(struct core *c, uint32_t group);

/* reader.c: the one way to read in order */
enum scan { SCAN_EVENT, SCAN_END /* nothing there (yet) */, SCAN_WAIT /* for a fetch */, SCAN_LATER /* this step has looked enough */ };
enum { ANY_LEVEL = PRIORITY_LEVELS };
enum scan reader_next(struct core *c, struct reader *reader, uint32_t owner, uint32_t level, struct slot **out_slot, uint32_t *out_index); /* leaves the cursor on the event */
uint32_t reader_match(struct core *c, const struct slot *slot, uint32_t index, uint32_t owner, uint32_t level); /* the first from index on that the owner reads; record_count: none */
bool record_matches(struct core *c, const struct block *block, uint32_t index, uint32_t owner);
void matches_forget(struct core *c); /* the filters of an owner have changed, or its handle is free for another */
enum scan reader_seek(struct core *c, struct seek *seek); /* goes on with it: SCAN_EVENT: seek->low is the place */
void reader_wait(struct core *c); /* a fetch that could not begin is tried again soon */

/* hand_out.c: from a lease to a worker */
bool delivery_has_expired(const struct core *c, const struct block *block, const struct record *record);
bool delivery_is_over(const struct core *c, const struct block *block, const struct record *record); /* it may not go out again. An at_most_once one is here only when a worker claimed it after a restart and let it go */
void delivery_expired(struct core *c, uint32_t group, uint32_t level, uint32_t failed, uint64_t from, uint64_t position); /* settles it */
uint32_t worker_for_large(const struct core *c, const struct group *g, uint32_t size); /* whose turn it is of those that can take one; 0: none can */
bool too_many_large(const struct core *c, const struct group *g); /* wait for such a worker: the group's reader waits with them */
uint32_t hand_out(struct core *c, uint32_t lease, uint32_t worker /* 0: whose turn it is */, const struct block *block, uint32_t index); /* to whom; 0: nobody yet */
void deliver_large(struct core *c, uint32_t lease, const struct block *block, uint32_t index); /* its parts are sent */
void deliver_gone(struct core *c, uint32_t lease); /* its parts have left the window: revoked and settled */

/* once.c */
void once_offer(struct core *c, uint32_t tenant, const struct event *event, uint64_t position);
bool once_is_read(const struct core *c, uint32_t owner); /* does this reader show at_most_once events? */

/* deliver.c */
void deliver_all(struct core *c);
void settle_gap(struct core *c, uint32_t group, uint32_t level, uint64_t from, uint64_t to); /* matches nothing, or is not to be delivered */

/* keys.c: the table of what events wait for, and the queues of parked ones */
uint32_t key_find(const struct core *c, uint64_t hash); /* 0: nobody holds it or waits for it */
uint32_t key_take(struct core *c, uint32_t group, enum key_kind kind, uint64_t hash); /* HELD; the room is there */
void key_move(struct core *c, uint32_t key, enum key_state to);
void key_ready(struct core *c, uint32_t key); /* who is parked first may go on: wakes the group */
void key_free(struct core *c, uint32_t key);
bool keys_have_room(struct core *c, uint32_t count); /* makes it, as far as unused keys go */
void key_park(struct core *c, uint32_t key, const struct turn *turn); /* last in the key's queue; the room is there */
void key_unpark(struct core *c, uint32_t parked);

/* order.c */
struct key_hashes { uint64_t of[KEY_KINDS]; }; /* 0: does not wait for that */
enum pass { PASS_GO, PASS_PARKED, PASS_FULL /* nothing was changed; ordering = group */ };
bool order_is_on(const struct group *g);      /* its events pass here before they go out */
bool order_reads_back(const struct group *g); /* after a restart it must know what is out before anything goes out */
struct key_hashes order_hashes(const struct core *c, const struct turn *turn, struct span body);
enum turn_kind { TURN_NEW, TURN_AGAIN /* has failed */, TURN_PARKED };
bool order_has_room(struct core *c, const struct group *g, enum turn_kind kind); /* for one turn, whatever it has to wait for */
bool order_shortage_is_over(struct core *c); /* said once */
enum pass order_pass(struct core *c, struct turn *turn, struct span body);
bool order_pass_once(struct core *c, struct turn *turn, struct span body); /* at_most_once: it waits for no key and no worker, and goes when no limit is reached */
void order_hold(struct core *c, const struct turn *turn, uint32_t lease); /* what the turn has passed is the lease's */
void order_went(struct core *c, const struct turn *turn, uint32_t worker); /* its session is warm there now; 0: it waits for one */
uint32_t order_first_ready(struct core *c, const struct level *level); /* parked; 0: none */
struct turn order_take(struct core *c, uint32_t parked);
void order_give_up(struct core *c, const struct turn *turn);  /* settled without going out */
void order_passed_over(struct core *c, const struct turn *turn, struct span body); /* a new event that is over */
void order_settled(struct core *c, uint32_t key);             /* of a lease or failure; passed on when that is committed */
void order_given_up(struct core *c, uint32_t key, uint64_t block); /* of a failure that becomes a dead letter; the record of it is in this block */
uint32_t order_failed(struct core *c, uint32_t key);          /* of a lease; returns what its failure holds */
void order_committed(struct core *c);
void order_end_adoption(struct core *c, uint32_t group);
void order_trim(struct core *c, uint32_t group, uint32_t level, uint64_t first_left); /* parked ones before it are lost */
void order_worker_changed(struct core *c, uint32_t peer); /* it has credit, or is gone: who waits for it looks again */
void order_fire(struct core *c);
void order_limits_changed(struct core *c, uint32_t group);
void order_read_again(struct core *c, uint32_t group); /* another order comes, nothing is out: what is parked is read once more */
void order_forget(struct core *c, uint32_t group);     /* all of it; no lease is out */

struct lease_terms {
    uint32_t group, level, peer /* 0: of nobody yet */, attempt, failed;
    uint64_t position, from;
    bool once;
};

/* read_back.c */
enum { READ_STAGES = PRIORITY_LEVELS + 2 }; /* claimed ones that were dead letters, the priorities, others that were dead letters */
static inline bool is_unread(const struct group *g, uint32_t level) { return g->reading_back >= level + 2; }
void groups_read_back(struct core *c);
void read_back_end(struct core *c, uint32_t group); /* the group begins anew, or ends */
bool read_back_may_adopt(const struct core *c, const struct lease_terms *held);
bool read_back_late(struct core *c, struct turn *turn, struct span body); /* of an event past where it stopped: it is not new */

/* lease.c */
bool failed_has_room(const struct core *c);
bool lease_has_room(struct core *c, bool may_fail);
/* What names the event: what it leads to has this as its cause. */
static inline uint64_t lease_event(const struct lease *l)
{
    return l->first ? l->first : l->position;
}
uint32_t lease_give(struct core *c, const struct lease_terms *terms); /* 0: no room */
void lease_hold(struct core *c, uint32_t lease, uint32_t peer); /* it is that peer's */
void lease_start(struct core *c, uint32_t lease);               /* its time begins */
void lease_hand(struct core *c, uint32_t lease, uint32_t peer); /* both */
void lease_end(struct core *c, uint32_t lease);  /* frees it */
uint64_t lease_wire(const struct core *c, uint32_t lease);
uint32_t lease_from_wire(const struct core *c, uint64_t wire, uint32_t peer); /* 0: not this peer's living one */
void lease_fail(struct core *c, uint32_t lease, enum failure cause, struct span reason, uint64_t due_ms);
void lease_orphan(struct core *c, uint32_t lease);
void lease_await(struct core *c, uint32_t lease, uint64_t deadline_ns); /* one of nobody: its worker has so long to come for it */
void lease_extend(struct core *c, uint32_t lease, uint64_t deadline_ns);
void leases_revoke(struct core *c, uint32_t group); /* all of the group's: they are stale from now on */
void leases_keep_deadlines(struct core *c, uint32_t group); /* before the group's lease_ms changes */
void lease_return(struct core *c, uint32_t lease); /* unstarted: no attempt is counted */
void leases_fire(struct core *c);
uint64_t leases_deadline(const struct core *c);
uint32_t lease_adopt(struct core *c, const struct lease_terms *held); /* 0: not kept */

/* dead.c */
uint32_t dead_find(const struct core *c, uint32_t group, uint64_t event);
bool dead_has_room(const struct core *c, const struct group *g);
bool dead_apply_letter(struct core *c, const struct block *block, uint32_t index);
bool dead_apply_rows(struct core *c, struct span body, uint64_t block);
struct record_dead dead_row(const struct core *c, uint32_t dead);
void dead_change(struct core *c, uint32_t group, const struct record_dead *rows, uint32_t count); /* appends that they are as said */
void dead_end(struct core *c, uint32_t dead);
void dead_drop_all(struct core *c, uint32_t group); /* in apply */

/* dead_change.c */
struct dead_changes {
    uint32_t count; /* letters */
    bool more;      /* that one call does not take */
};
enum error_code dead_manage(struct core *c, uint32_t group, const struct msg_manage *m, struct dead_changes *out, const char **out_message);

/* letter.c */
uint32_t note_make(struct core *c, uint32_t peer, struct span error); /* 0: no room */
void note_forget(struct core *c, uint32_t *note);
enum dead_reason letter_verdict(const struct group *g, const struct record_failed *failure); /* DEAD_UNKNOWN: it goes out again */
bool letter_is_due(const struct core *c, uint32_t failed);
struct span letter_topic(struct span group, uint8_t room[NAME_MAX + 1]); /* empty: the name is too long */
bool letter_open(struct span bytes, struct letter *out);
struct stored_event event_at(const struct block *block, uint32_t index);
void letters_write(struct core *c);

/* letter_carry.c */
void letters_carry(struct core *c, uint64_t trim_wish); /* to the end of the log, what the window is about to drop */
uint64_t letters_keep_from(const struct core *c);

/* text.c */
size_t text_put(uint8_t *out, size_t at, struct span text); /* gives where it ends */
size_t text_put_number(uint8_t *out, size_t at, uint64_t value); /* decimal; at most TEXT_NUMBER_MAX */
struct span text_cut(struct span text, size_t size_max); /* not within a character of UTF-8 */

/* settle.c */
void settle_take(struct core *c, uint32_t peer, const struct msg_settle *settle, const uint8_t **body);
void extend_take(struct core *c, uint32_t peer, const struct msg_extend *extend);
void release_take(struct core *c, uint32_t peer, const struct msg_release *release);

/* subscribe.c */
void subscribe_take(struct core *c, uint32_t peer, const struct msg_subscribe *subscribe);
void unsubscribe_take(struct core *c, uint32_t peer, const struct msg_unsubscribe *unsubscribe);
void subs_committed(struct core *c, struct slot *slot);
void subs_catch_up(struct core *c);
void subs_wake_waiting(struct core *c);
void subs_credit(struct core *c, uint32_t peer, struct lane *lane); /* credit has come */
void sub_own_credit(struct core *c, uint32_t peer, uint64_t id, uint64_t events);
void sub_end(struct core *c, uint32_t sub);
void sub_large(struct core *c, uint32_t sub, const struct block *block, uint32_t index); /* the parts of the event at its cursor are sent */
void sub_gone(struct core *c, uint32_t sub);       /* they have left the window */
void sub_next_large(struct core *c, uint32_t sub); /* its peer can be sent another */

/* lookup.c */
struct lookup *lookup_begin(struct core *c, enum lookup_kind kind, uint32_t peer, uint32_t tenant, const struct group_spec *spec); /* NULL: too many */
bool lookup_is_under_way(const struct core *c, uint32_t tenant, struct span name); /* for a configured group */
void lookups_step(struct core *c);

/* request.c */
void partial_take(struct core *c, uint32_t peer, const struct msg_partial *partial, const uint8_t **body);
void cancel_take(struct core *c, uint32_t peer, const struct msg_cancel *cancel);
bool scratch_has_room(const struct core *c); /* for a large answer */
void query_take(struct core *c, uint32_t peer, const struct msg_query *query);

/* manage.c */
void manage_answer(struct core *c, uint32_t peer, uint64_t id, enum error_code code, const char *message);
void manage_done(struct core *c, uint32_t peer, uint64_t id, uint64_t place); /* answered when all that is written so far is committed */
void manage_paid(struct core *c, const struct ticket *ticket);
void manage_take(struct core *c, uint32_t peer, const struct msg_manage *manage);

/* token.c */
void token_tenant_init(struct tenant *tenant);
void token_look_ahead(struct core *c, uint32_t tenant, struct token_look *look, size_t at); /* before event `at` of the publish */
void token_look_end(struct core *c);
struct token_answer token_ask(struct core *c, uint32_t tenant, struct span text, uint32_t ahead); /* ahead: new ones that come before it */
uint64_t token_find(struct core *c, uint32_t tenant, struct span text); /* the position of a living one; 0: none */
bool token_mark(struct core *c, struct span text, uint64_t position);   /* the event just asked for is appended there; false: no token */
bool apply_token(struct core *c, const struct block *block, uint32_t index);
bool apply_tokens(struct core *c, struct span body);
void tokens_save_before(struct core *c, uint64_t number); /* it is about to go: a snapshot under way takes it first */
bool tokens_save_slice(struct core *c);                   /* false: there are more */
uint64_t tokens_digest(const struct core *c);

/* held.c */
uint64_t held_due(const struct core *c, const struct event *event, uint64_t born_ms); /* 0: it is not held */
bool held_is_allowed(const struct core *c, const struct event *event);                /* if it is, a delay fits the rest of it */
bool held_has_room(const struct core *c, uint32_t tenant, uint32_t ahead);            /* for one more behind `ahead` others */
void held_wish(struct core *c, uint64_t trim_wish);
void held_carry(struct core *c); /* to the end of the log, what the window is about to drop */
uint64_t held_keep_from(const struct core *c);
void held_fire(struct core *c);                                                       /* what is due enters the order */
void held_wake(struct core *c);                                                       /* a fetch has ended, or a block was committed */
uint64_t held_deadline(const struct core *c);
bool apply_held(struct core *c, const struct block *block, uint32_t index);
void apply_again(struct core *c, uint64_t first); /* an event has come again: it is not held any more */
bool apply_delays(struct core *c, struct span body);
bool held_save_slice(struct core *c); /* false: there are more */
uint64_t held_digest(const struct core *c);

/* snapshot.c */
struct table_tenants {
    uint32_t handles[RECORD_TABLE_TENANTS_MAX], count;
};
uint32_t table_tenant(const struct core *c, struct table_tenants *tenants, uint32_t tenant,
                      struct span names[RECORD_TABLE_TENANTS_MAX]); /* its index, named when new; RECORD_TABLE_TENANTS_MAX: no room */
bool snapshot_is_open(const struct core *c);
void snapshot_record(struct core *c, enum record_kind kind, struct span body); /* empty: it could not be written, so the snapshot fails */
void snapshot_touch_group(struct core *c, uint32_t group);
void snapshot_touch_publisher(struct core *c, uint32_t publisher);
void snapshot_begin_step(struct core *c);
void snapshot_step(struct core *c);

#endif
