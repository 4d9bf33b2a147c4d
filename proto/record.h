/* Records: the entries of the log. A head of fixed size in memory (struct record, block.h) and a body of bytes: the author's Event,
 * or one of the messages of log.proto, written and read here by hand so that the core stays free of protobuf-c. Pure. */
#ifndef WEIR_PROTO_RECORD_H
#define WEIR_PROTO_RECORD_H

#include "sdk/base/ranges.h"
#include "sdk/base/span.h"

enum record_kind {
    RECORD_NONE = 0,
    RECORD_EVENT,
    RECORD_GROUP,
    RECORD_SETTLE,
    RECORD_PUBLISHER,
    RECORD_START,
    RECORD_HELD,         /* an event that is not shown yet; it comes as RECORD_EVENT with RECORD_AGAIN when it is due */
    RECORD_PART,         /* a piece of the data of a large event; number: its index */
    RECORD_TOKENS,       /* part of the token table; only in snapshots */
    RECORD_DEAD_LETTERS, /* what is so of some of a group's dead letters: those that are retried or dropped; in snapshots, all of them */
    RECORD_DELAYS,       /* part of the table of held events; only in snapshots */
    RECORD_KIND_COUNT
};
enum { RECORD_MUST_UNDERSTAND = 0x80 }; /* in the stored kind: a reader that does not know the kind must refuse the block */
/* Flags of an event's record. Two bits are the event's priority. Again: the event stood at an earlier position before, `number` is the first of
 * them; the record has no publisher then. Token: its author gave it one, and it counts from here. Parts: its data lies in records of their own
 * (parts.h). Dead: a dead letter on $dlq.GROUP; the event is in its data, `cause` is that event's first position. */
enum {
    RECORD_AT_MOST_ONCE = 1,
    RECORD_REQUEST = 2,
    RECORD_EMIT = 4,
    RECORD_EXPIRES = 8,
    RECORD_PRIORITY = 16 | 32,
    RECORD_AGAIN = 64,
    RECORD_TOKEN = 128,
    RECORD_PARTS = 256,
    RECORD_DEAD = 512
};
enum { RECORD_PRIORITY_SHIFT = 4, PRIORITY_LEVELS = 4 };

enum { GROUP_FILTERS_MAX = 16 };

/* What a group's first worker decides for all that come after it. */
struct group_options {
    uint32_t ordering, lease_ms, max_deliveries, backoff_ms;
    uint32_t affinity, affinity_wait_ms;
    uint32_t limit, limit_each;
    uint32_t max_deaths;
    uint32_t retry_percent, retry_floor;
    struct span limit_by;
};

struct record_group {
    struct span tenant, name;
    uint32_t id;
    struct group_options options;
    struct span filters[GROUP_FILTERS_MAX];
    uint32_t filter_count;
    uint64_t generation;
    uint64_t floor[PRIORITY_LEVELS], handed[PRIORITY_LEVELS];
    uint64_t paused_ms;                         /* log time since when nothing goes out; 0 = not paused */
    struct span old_filters[GROUP_FILTERS_MAX]; /* match below filters_from, those above from there on */
    uint32_t old_filter_count;
    uint64_t filters_from; /* 0 = the filters never changed, or nothing is open from before */
    bool deleted;          /* there is no such group any more; generation: the highest that one ever had */
};

enum failure { FAILURE_NACK = 0, FAILURE_TIMEOUT, FAILURE_LOST /* its worker */, FAILURE_REJECT, FAILURE_RESTART /* of the coordinator */, FAILURES };
struct record_failed {
    uint64_t seq;
    uint64_t due_ms; /* log time */
    uint32_t attempts;
    uint32_t deaths; /* attempts whose worker was lost */
    uint32_t cause;  /* of the last one's end: enum failure */
    uint32_t unused;
};

struct record_settle {
    uint32_t id;
    uint32_t level;
    uint64_t generation;
    uint64_t handed;             /* 0 = unchanged */
    const struct range *settled; /* to write */
    uint32_t settled_count;
    const struct record_failed *failed; /* to write */
    uint32_t failed_count;
};

enum dead_reason { DEAD_UNKNOWN = 0, DEAD_MAX_DELIVERIES, DEAD_MAX_DEATHS, DEAD_REJECTED, DEAD_REASONS };
enum dead_state { DEAD_LIES = 0, DEAD_RETRIED /* a failed event at its place: is delivered again */, DEAD_ENDED, DEAD_STATES };
struct record_dead {
    uint64_t event; /* first position of the event that is dead */
    uint64_t place; /* where its letter stands */
    uint64_t time_ms;
    uint64_t parts_from; /* where the first part of its data stands; 0: it has none */
    uint32_t attempts, reason, level, state;
};

struct record_dead_letters {
    uint32_t group;
    const struct record_dead *letters; /* to write */
    uint32_t count;
};

struct record_run {
    uint64_t number, position;
    uint32_t count;
    uint32_t unused;
};

struct record_publisher {
    struct span id, tenant;
    uint64_t highest, forgotten, used;
    const struct record_run *runs; /* to write; oldest first */
    uint32_t run_count;
};

/* Pieces of the tables of tokens and of held events. A tenant is named once in each. */
enum {
    RECORD_TABLE_TENANTS_MAX = 64,
    RECORD_TOKEN_BYTES = 16,
};

struct record_token {
    uint8_t hash[RECORD_TOKEN_BYTES];
    uint64_t position, time_ms; /* both rise */
    uint32_t tenant;            /* index in tenants */
    uint32_t unused;
};

struct record_tokens {
    struct span tenants[RECORD_TABLE_TENANTS_MAX];
    uint32_t tenant_count, count;
    const struct record_token *tokens; /* to write */
};

struct record_delay {
    uint64_t first, position, due_ms;
    uint64_t parts_from; /* as in record_dead */
    uint32_t tenant;
    uint32_t unused;
};

struct record_delays {
    struct span tenants[RECORD_TABLE_TENANTS_MAX];
    uint32_t tenant_count, count;
    const struct record_delay *delays; /* to write */
};

struct record_start {
    struct span epoch;
    uint64_t term, first_position, time_ms;
};

/* Each *_write returns the bytes written into out, or 0 when they would not fit in out_size. Valid protobuf of the message in log.proto. */
size_t record_group_write(const struct record_group *group, uint8_t *out, size_t out_size);
size_t record_settle_write(const struct record_settle *settle, uint8_t *out, size_t out_size);
size_t record_dead_letters_write(const struct record_dead_letters *dead, uint8_t *out, size_t out_size);
size_t record_publisher_write(const struct record_publisher *publisher, uint8_t *out, size_t out_size);
size_t record_start_write(const struct record_start *start, uint8_t *out, size_t out_size);
size_t record_tokens_write(const struct record_tokens *tokens, uint8_t *out, size_t out_size);
size_t record_delays_write(const struct record_delays *delays, uint8_t *out, size_t out_size);

/* Upper bounds of the above, for reserving room. */
size_t record_settle_bound(uint32_t settled_count, uint32_t failed_count);
size_t record_dead_letters_bound(uint32_t count);
size_t record_table_bound(uint32_t entries); /* of tokens or delays */
enum { RECORD_GROUP_BOUND = 12 * 1024, RECORD_START_BOUND = 128 };

/* Each *_read parses a body. False: malformed, more entries than the arrays hold, a range whose first is above its last, a publisher's id
 * that has not 16 bytes, an entry of a table whose tenant is not named in it. Arrays are the caller's; spans point into body.
 * For settle, dead letters and publisher the array pointers of *out are set to them. */
bool record_group_read(struct span body, struct record_group *out);
bool record_settle_read(struct span body, struct range *settled, uint32_t settled_max, struct record_failed *failed, uint32_t failed_max,
                        struct record_settle *out);
bool record_dead_letters_read(struct span body, struct record_dead *letters, uint32_t letters_max, struct record_dead_letters *out);
bool record_publisher_read(struct span body, struct record_run *runs, uint32_t runs_max, struct record_publisher *out);
bool record_start_read(struct span body, struct record_start *out);
bool record_tokens_read(struct span body, struct record_token *tokens, uint32_t tokens_max, struct record_tokens *out);
bool record_delays_read(struct span body, struct record_delay *delays, uint32_t delays_max, struct record_delays *out);

#endif
