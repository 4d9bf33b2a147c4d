/* The core's state: its memory, clocks and tables. Each part of the core (a .c here) has a header of its own beside it, with its structs
 * and what others may call; those rest on this page, and this page on none of them. Only files of this folder include any of them.
 *
 * Durable state (changed by apply.c and what it calls): publishers; tokens; held events; dead letters; groups' options, generation, failed,
 * and for each priority floor, handed, ranges. Volatile: everything else. Handles are slab handles, 0 = none. */
#ifndef WEIR_CORE_STATE_H
#define WEIR_CORE_STATE_H

#include "coordinator/core/core.h"
#include "sdk/base/arena.h"
#include "sdk/base/filters.h"
#include "sdk/base/heap.h"
#include "sdk/base/list.h"
#include "sdk/base/map.h"
#include "sdk/base/must.h"
#include "sdk/base/slab.h"

enum {
    NAME_MAX = 255,
    GROUP_TEXT_MAX = 2048, /* a group's name and filters together */
    NOTE_WORKER_MAX = 62,  /* bytes of a worker's name, and of what it said of a failure, that reach a dead letter */
    TOKENS_EXPECTED = 16,
    START_JUMP = 1 << 20, /* positions that each start jumps ahead, at least */
    SCRATCH_BYTES = 24 * 1024 * 1024,
};

enum {
    SLOT_HINT_POSITIONS = 128, /* far fewer than a full block has, as two that share a hint are looked for in turn */
    SLOT_HINTS = 2048
};

#define SUBSCRIPTION_BIT 0x80000000u /* of a handle in the filter index: a subscription's, else a group's */

/* Positions end here, so that a place (group, position) is one number. What peers say is checked against it. */
#define POSITION_END (UINT64_C(1) << 53)
static inline uint64_t place_key(uint32_t group, uint64_t position)
{
    return position ^ ((uint64_t)group << 53);
}

struct memo { /* which topics of one block match one filter set */
    const struct block *block;
    uint64_t number;
    uint32_t owner;                  /* group handle, or sub handle | SUBSCRIPTION_BIT */
    uint32_t old_until;              /* records before this index are matched by the group's old filters, and not remembered */
    uint8_t known[BLOCK_TOPICS_MAX]; /* 0 = not looked at, 1 = no, 2 = yes */
};

struct core {
    struct core_config config;
    uint64_t now_ns, log_ms, start_ms /* log time of core_start */, step, head, next_position, next_block,
        trimmed_below /* nothing is read below it */, term;
    uint32_t trim_group; /* the next one that is to be told so (window.c); 0: all know it */
    uint64_t trim_block; /* where that is written */
    char epoch[EPOCH_BYTES];
    bool started, draining, drain_said, halted;
    const struct stat_row *shell_stats; /* of this step */
    size_t shell_stat_count;
    uint64_t random;

    struct tenant *tenants; /* [tenants_max + 1], 1-based */
    uint32_t tenant_count;
    struct filters *filters; /* of all tenants */
    struct slab peers, lanes, publishers, groups, failed, leases, subs, keys, parked, assemblies, transfers, dead, notes;
    struct map by_connection, by_publisher, by_failed, by_lease, by_sub, by_instance, by_key, by_dead;
    struct map orphans; /* instance of a lost worker -> the first of its leases, which are linked by of_peer */
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
        uint64_t wish, done; /* held events below `wish` are to stand above it, with their parts; none is below `done` */
        uint64_t block;      /* to be committed before `wish` is done: the last one below it was written again there, or ended */
        uint64_t left;       /* the block in which one ended last, wherever it stood */
        uint32_t next;       /* the next entry to look at */
    } carry;
    struct carrier *carriers; /* [CARRIERS] */
    uint32_t carry_budget;    /* parts that may still be carried in this step */
    struct {
        uint64_t wish, done, block, left; /* as in carry, of dead letters */
        uint32_t next_group;
    } letters;
    bool held_waits; /* for a fetch or a commit */

    struct slot *slots;
    uint32_t slot_count, filling /* slot index + 1; 0 = none */;
    uint32_t writing[CORE_SUBMITS_MAX], writing_count; /* slot indexes, the oldest first */
    uint64_t committed_block;
    uint64_t submitted;                /* where the last block that was closed ends; the head at the start */
    uint64_t nothing_from, nothing_to; /* a fetch found no block in here */
    uint64_t nothing_before;           /* nor one that begins here or before */
    uint64_t fetch_again_ns;           /* after a failed read */
    uint32_t publisher_hint;           /* the last one found */
    uint32_t fetching;
    uint32_t slot_hints[SLOT_HINTS];   /* by position / SLOT_HINT_POSITIONS: slot index + 1 of the last look-up */
    uint32_t scan_budget;              /* blocks that readers may still look through in this step */

    size_t parts_reserved;  /* bytes that open assemblies may add to the events that end them */
    struct ticket *tickets; /* ring */
    uint32_t ticket_first, ticket_count;
    struct pend *pends;
    uint64_t pend_since_ns;           /* the oldest pend */
    bool pend_urgent;                 /* deliveries wait for them */
    uint32_t pend_count, pend_groups; /* pend_groups: list of groups with pends or a handed raise */
    uint32_t pend_records;            /* the settle records that they will be */

    uint32_t *active, active_count; /* groups that may have something to hand out; queue order */
    struct list catching, waiting;  /* subscriptions that read the log and have credit; that wait for a fetch */
    uint32_t catching_count;
    uint32_t *sending, sending_count;         /* transfers; queue order */
    uint32_t failed_reserved, failed_pending; /* places in the failed table: for leases that may fail; for failures not yet applied */
    uint32_t dying_count;                     /* in all groups */
    bool short_of_failed, short_of_keys;
    struct list settling, unused_keys;       /* keys */
    struct heap key_waits;                   /* KEY_AWAITING, by the time when the session moves */
    struct heap budget_waits;                /* groups with retries that their budget does not allow yet, by the time when it does */
    uint32_t reading_groups;                 /* that read back what they had handed out before the restart */
    bool read_back_more;                     /* there is more than the last step looked at */
    struct heap group_timers, extended, due; /* lease deadlines; extended or orphaned leases; failed events by due_ms */
    uint64_t listened_ns;                    /* a clock that runs while packets are taken: who is silent then is gone [R-BEAT-2] */
    uint64_t sweep_ns, adopt_ns, pace_ns;    /* next sweep of peers; end of adoption; next event of a paced replay; UINT64_MAX: none */
    uint32_t sweep_group;

    struct {
        uint64_t sample_ns, tick_ns, events; /* next sample; last tick; events up to the last sample */
    } rates;
    struct lookup *lookups; /* [LOOKUPS_MAX] */
    uint32_t lookup_count;
    bool lookup_again; /* one goes on in the next step, without waiting for anything */

    uint32_t *matches, match_count;     /* results of filters_match, per topic of the block at hand */
    uint32_t matches_most, matches_max; /* that one topic can have; room for all kept at a time */
    uint32_t *topic_match;              /* [BLOCK_TOPICS_MAX]: index + 1 into matches; there: count, values */
    struct memo memo;
    struct ahead *ahead;                 /* [HASHES_AHEAD], by position */
    struct range *settle_ranges;         /* [PENDS_MAX], for reading and writing settle records */
    struct range *settle_room;           /* [PENDS_MAX], for sorting them */
    struct record_failed *settle_failed; /* [PENDS_MAX] */
    struct record_dead *dead_rows;       /* [DEAD_PER_RECORD], for reading */

    struct item *items;
    uint32_t item_count;
    uint32_t *dirty, dirty_count;   /* peers with items */
    uint32_t *ending, ending_count; /* peers whose slots are freed at the end of the step */
    struct core_out *outs;
    uint32_t out_count, out_max;
    struct arena scratch; /* of this step's outputs */

    struct { /* snapshot under way */
        bool wanted, running;
        uint32_t number;
        uint64_t position;
        uint32_t next_group, next_publisher;
        uint64_t next_token, token_end; /* the numbers still to be saved */
        uint32_t next_held;
        struct record_failed *failures; /* [PENDS_MAX]: its own, as it writes while a settle record is being applied */
        struct record_dead *dead_rows;  /* [DEAD_PER_RECORD]: the same */
        struct block *blocks;
        uint32_t block_now;
        bool failed, reopen; /* reopen: the last step's slices are out, begin anew */
    } snapshot;

    struct core_stats stats;
};

#endif
