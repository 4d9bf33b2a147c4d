/* Blocks and fetches pass through; two things are decided here: when the state is written as a snapshot, and what the window drops.
 *
 * Invariants: one snapshot at a time; one search for the window's edge at a time, with a block of its own, so the core's fetches never wait
 * for it; every fetch has a block lent to it, so there are never more than blocks_cached + 1. */
#include "coordinator/shell/store.h"

#include "coordinator/core/seek.h"
#include "coordinator/shell/history_file.h"
#include "sdk/base/must.h"
#include "sdk/program/journal.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

enum { TRIM_EVERY_S = 60, SNAPSHOT_EVERY_H = 6, SNAPSHOT_AGAIN_PART = 8, SIZE_SNAPSHOT_BLOCKS = 64 };
#define NS_PER_S 1000000000ULL

const double store_commit_bounds[STORE_COMMIT_BUCKETS] = { 0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002,
                                                           0.003,   0.005,  0.01,   0.025,  0.1,    0.5,   2 };

struct store {
    struct log *log;
    struct memory_disk *disk; /* a history file, read into memory; NULL: the log has a store of its own */
    bool read_only;
    uint64_t window_ms, window_bytes, snapshot_blocks;
    uint64_t committed, first_position; /* of the log, when it was trimmed last */
    uint64_t trim_wish;                 /* what a trim will drop lies below: told to the core, which lets go of it; 0: none */
    bool failed;
    struct core_fetched *fetched;
    size_t fetched_count, fetches_max;
    uint64_t submitted_ns[CORE_SUBMITS_MAX]; /* by block number modulo */
    uint64_t submitted;                 /* number of the last one */
    struct store_counters counters;
    /* snapshots */
    bool snapshot_wanted, snapshot_begun;  /* by the core; begun in the log and not yet saved */
    uint64_t snapshot_number, snapshot_ns; /* block number and time at the last one */
    uint64_t snapshot_bytes, logged_bytes; /* of the last one; of the blocks since it began */
    /* the window */
    struct block seek_block;
    void *seek_memory;
    struct seek seek;
    double seek_share; /* over 0: this share of the blocks is to go, and the first block's number is being asked for */
    bool seeking /* for the edge, then for the place of a trim */, trimming;
    uint64_t trim_due_ns;
};

static struct store *fail_open(struct store *store, struct log_error *error)
{
    if (error->status == LOG_OK) *error = (struct log_error){ .status = LOG_IO, .text = "no memory to open the log" };
    store_close(&store);
    return NULL;
}

/* --read-only takes a history file as well as a directory. */
static struct log *open_log(struct store *store, const struct config *config, const struct log_config *log, struct log_error *error)
{
    if (config->in_memory) return log_open_memory(log, error);
    if (!log->read_only || !history_file_is(config->data)) return log_open_rocksdb(log, error);
    store->disk = history_file_read(config->data, error);
    return store->disk ? log_open_memory_disk(store->disk, log, error) : NULL;
}

struct store *store_open(const struct config *config, struct log_error *error)
{
    *error = (struct log_error){ .status = LOG_OK };
    struct store *store = calloc(1, sizeof *store);
    if (!store) return fail_open(store, error);
    struct log_config log = config->log;
    log.submits_max = CORE_SUBMITS_MAX;
    store->fetches_max = config->core.limits.blocks_cached + 1;
    log.fetches_max = (uint32_t)store->fetches_max;
    store->read_only = log.read_only;
    store->window_ms = config->window_ms;
    store->window_bytes = config->window_bytes;
    store->snapshot_blocks = config->snapshot_blocks;
    store->fetched = calloc(store->fetches_max, sizeof *store->fetched);
    store->seek_memory = malloc(block_memory());
    if (!store->fetched || !store->seek_memory) return fail_open(store, error);
    block_init(&store->seek_block, store->seek_memory);
    store->log = open_log(store, config, &log, error);
    if (!store->log) return fail_open(store, error);
    struct log_tail tail;
    log_tail(store->log, &tail);
    store->committed = store->submitted = store->snapshot_number = tail.last_number;
    store->first_position = tail.first_position;
    return store;
}

void store_identity(const struct store *store, struct log_identity *out)
{
    log_identity(store->log, out);
}

void store_tail(const struct store *store, struct log_tail *out)
{
    log_tail(store->log, out);
}

void store_log_stats(const struct store *store, struct log_stats *out)
{
    log_stats(store->log, out);
}

void store_counters(const struct store *store, struct store_counters *out)
{
    *out = store->counters;
}

struct recovery {
    struct core *core;
    uint64_t blocks, slices;
};

static bool recover_block(void *arg, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    struct recovery *recovery = arg;
    if (from_snapshot)
        recovery->slices++;
    else
        recovery->blocks++;
    return core_recover(recovery->core, block, from_snapshot, out_bad);
}

bool store_recover(struct store *store, struct core *core, struct log_error *error)
{
    struct recovery recovery = { .core = core };
    if (log_recover(store->log, recover_block, &recovery, error) != LOG_OK) return false;
    store->snapshot_number -= recovery.blocks < store->snapshot_number ? recovery.blocks : store->snapshot_number;
    journal_info("recovered", "snapshot_slices=%" PRIu64 " blocks=%" PRIu64 " digest=%" PRIx64, recovery.slices, recovery.blocks,
                 core_digest(core));
    return true;
}

int store_fd(const struct store *store)
{
    return log_fd(store->log);
}

/* Before the loop runs: the answer to the one fetch there is. */
static bool wait_for_fetch(struct store *store, struct log_event *event)
{
    struct pollfd news = { .fd = log_fd(store->log), .events = POLLIN };
    while (!log_poll(store->log, event))
        poll(&news, 1, 1000);
    return event->kind == LOG_FETCHED || event->kind == LOG_FETCH_NOTHING;
}

bool store_find_time(struct store *store, uint64_t time_ms, uint64_t *out_position, struct log_error *error)
{
    struct log_tail tail;
    struct seek seek;
    uint64_t position;
    log_tail(store->log, &tail);
    seek_begin(&seek, SEEK_TIME, time_ms, tail.first_position, tail.last_position);
    while (seek_next(&seek, &position)) {
        struct log_event event;
        log_fetch(store->log, position, &store->seek_block);
        if (!wait_for_fetch(store, &event)) {
            error->status = LOG_DAMAGED;
            memcpy(error->text, event.text, sizeof event.text);
            return false;
        }
        seek_take(&seek, event.kind == LOG_FETCHED ? event.block : NULL);
    }
    *out_position = seek.low;
    return true;
}

static void seek_step(struct store *store)
{
    uint64_t position;
    if (seek_next(&store->seek, &position)) {
        log_fetch(store->log, position, &store->seek_block);
        return;
    }
    if (store->seek.low > store->first_position)
        log_trim_place(store->log, store->seek.low);
    else
        store->seeking = false;
}

/* How far a trim would really go: what stays is not lost, however old it is. */
static void take_trim_place(struct store *store, uint64_t position)
{
    store->seeking = false;
    if (position > store->first_position) store->trim_wish = position;
}

void store_let_go(struct store *store, uint64_t let_go)
{
    if (store->trim_wish == 0 || let_go < store->trim_wish || store->trimming) return;
    store->trimming = true;
    log_trim(store->log, store->trim_wish);
    store->trim_wish = 0;
}

/* Block numbers have no gaps, positions have: so a share of the log is a share of its numbers. */
static void seek_take_first(struct store *store, const struct block *first)
{
    struct log_tail tail;
    log_tail(store->log, &tail);
    uint64_t number = first->number + (uint64_t)((double)(tail.last_number - first->number) * store->seek_share);
    store->seek_share = 0;
    seek_begin(&store->seek, SEEK_NUMBER, number, tail.first_position, tail.last_position);
}

static void take_window(struct store *store, const struct log_event *event, enum core_fetch result)
{
    if (result == CORE_FETCH_FAILED || (result == CORE_FETCH_NOTHING && store->seek_share > 0)) {
        store->seeking = false; /* tried again when the next trim is due */
        return;
    }
    if (store->seek_share > 0)
        seek_take_first(store, event->block);
    else
        seek_take(&store->seek, result == CORE_FETCHED ? event->block : NULL);
    seek_step(store);
}

static void take_fetch(struct store *store, const struct log_event *event, enum core_fetch result)
{
    if (result == CORE_FETCH_FAILED) {
        store->counters.fetch_failures++;
        journal_error("fetch_failed", "position=%" PRIu64 " reason=%s", event->position, event->text);
    }
    if (event->block == &store->seek_block) {
        take_window(store, event, result);
        return;
    }
    must(store->fetched_count < store->fetches_max);
    store->fetched[store->fetched_count++] = (struct core_fetched){ .position = event->position, .block = event->block, .result = result };
}

static void take_commit(struct store *store, uint64_t number, uint64_t now_ns)
{
    store->committed = number;
    double seconds = (double)(now_ns - store->submitted_ns[number % CORE_SUBMITS_MAX]) / 1e9;
    size_t bucket = 0;
    while (bucket < STORE_COMMIT_BUCKETS && seconds > store_commit_bounds[bucket])
        bucket++;
    store->counters.commit_counts[bucket]++;
    store->counters.commit_seconds += seconds;
}

static void take_event(struct store *store, const struct log_event *event, uint64_t now_ns)
{
    switch (event->kind) {
    case LOG_COMMITTED:
        take_commit(store, event->number, now_ns);
        break;
    case LOG_FAILED:
        store->failed = true;
        journal_error("log_failed", "block=%" PRIu64 " reason=%s", event->number, event->text);
        break;
    case LOG_FETCHED:
        take_fetch(store, event, CORE_FETCHED);
        break;
    case LOG_FETCH_NOTHING:
        take_fetch(store, event, CORE_FETCH_NOTHING);
        break;
    case LOG_FETCH_FAILED:
        take_fetch(store, event, CORE_FETCH_FAILED);
        break;
    case LOG_SNAPSHOT_SAVED:
        store->snapshot_begun = false;
        store->counters.snapshots++;
        journal_info("snapshot_saved", "position=%" PRIu64, event->position);
        break;
    case LOG_TRIM_PLACE:
        take_trim_place(store, event->position);
        break;
    case LOG_TRIMMED:
        store->trimming = false;
        store->counters.trims++;
        if (event->position > store->first_position) journal_info("trimmed", "first_position=%" PRIu64, event->position);
        store->first_position = event->position;
        break;
    }
}

void store_poll(struct store *store, uint64_t now_ns, struct core_in *in)
{
    struct log_event event;
    store->fetched_count = 0;
    while (log_poll(store->log, &event))
        take_event(store, &event, now_ns);
    in->committed = store->committed;
    in->log_failed = store->failed;
    in->fetched = store->fetched;
    in->fetched_count = store->fetched_count;
    in->trim_wish = store->trim_wish;
}

static void take_snapshot_slice(struct store *store, const struct core_out *out)
{
    if (!store->snapshot_begun) {
        log_snapshot_begin(store->log, out->position);
        store->snapshot_bytes = 0;
    }
    store->snapshot_begun = true;
    store->snapshot_bytes += out->block->bodies_size;
    log_snapshot_slice(store->log, out->block);
    if (!out->last) return;
    log_snapshot_end(store->log);
    store->snapshot_wanted = false;
}

/* Too much of the state changed at once for what a step may write. The next try is not far: a start reads what was logged until then. */
static void abandon_snapshot(struct store *store)
{
    if (store->snapshot_begun) log_snapshot_abandon(store->log);
    store->snapshot_begun = store->snapshot_wanted = false;
    store->counters.snapshots_abandoned++;
    uint64_t again = store->submitted + store->snapshot_blocks / SNAPSHOT_AGAIN_PART;
    store->snapshot_number = again > store->snapshot_blocks ? again - store->snapshot_blocks : 0;
    store->snapshot_bytes = 0;
    journal_warning("snapshot_abandoned", "blocks_until_next=%" PRIu64, store->snapshot_blocks / SNAPSHOT_AGAIN_PART);
}

void store_take(struct store *store, const struct core_out *out, uint64_t now_ns)
{
    switch (out->kind) {
    case CORE_SUBMIT:
        store->submitted_ns[out->block->number % CORE_SUBMITS_MAX] = now_ns;
        store->submitted = out->block->number;
        store->logged_bytes += out->block->bodies_size;
        log_submit(store->log, out->block);
        break;
    case CORE_FETCH:
        if (out->before)
            log_fetch_before(store->log, out->position, out->block);
        else
            log_fetch(store->log, out->position, out->block);
        break;
    case CORE_SNAPSHOT_ABANDONED:
        abandon_snapshot(store);
        break;
    default:
        must(out->kind == CORE_SNAPSHOT);
        take_snapshot_slice(store, out);
    }
}

static bool snapshot_is_free(const struct store *store)
{
    return !store->read_only && !store->snapshot_wanted && !store->snapshot_begun && !store->failed;
}

static void begin_snapshot(struct store *store, struct core *core, uint64_t now_ns)
{
    if (!core_snapshot(core)) return;
    store->snapshot_wanted = true;
    store->snapshot_number = store->submitted;
    store->snapshot_ns = now_ns;
    store->logged_bytes = 0;
}

/* A trim goes no further than the second newest snapshot, so a log that is over its size needs them more often. A large state (millions of
 * tokens) is not written again before twice as much was logged: reading that at a start takes no longer than reading the snapshot did. */
static void maybe_snapshot(struct store *store, struct core *core, uint64_t now_ns, const struct log_tail *tail)
{
    if (!snapshot_is_free(store)) return;
    uint64_t blocks = store->submitted - store->snapshot_number;
    bool too_large = store->window_bytes > 0 && tail->bytes > store->window_bytes && blocks >= SIZE_SNAPSHOT_BLOCKS;
    bool too_old = blocks > 0 && now_ns - store->snapshot_ns >= (uint64_t)SNAPSHOT_EVERY_H * 3600 * NS_PER_S;
    bool too_early = store->logged_bytes < 2 * store->snapshot_bytes;
    if (((blocks >= store->snapshot_blocks || too_large) && !too_early) || too_old) begin_snapshot(store, core, now_ns);
}

/* Over its size, the log loses as large a share of its blocks as it is over, and a little more; else it loses what is older than the
 * window. */
static void maybe_trim(struct store *store, uint64_t log_time_ms, const struct log_tail *tail)
{
    if (store->read_only || store->seeking || store->trimming || tail->empty || tail->first_position > tail->last_position) return;
    store->seek_share = 0;
    if (store->window_bytes > 0 && tail->bytes > store->window_bytes) {
        double over = 1 - (double)store->window_bytes / (double)tail->bytes;
        store->seek_share = over + (1 - over) / 16;
        store->seeking = true;
        log_fetch(store->log, tail->first_position, &store->seek_block);
        return;
    }
    if (store->window_ms > 0 && log_time_ms > store->window_ms)
        seek_begin(&store->seek, SEEK_TIME, log_time_ms - store->window_ms, tail->first_position, tail->last_position);
    else
        return;
    store->seeking = true;
    seek_step(store);
}

void store_tick(struct store *store, struct core *core, uint64_t now_ns, uint64_t log_time_ms)
{
    if (store->snapshot_ns == 0) store->snapshot_ns = now_ns;
    if (store->submitted - store->snapshot_number >= store->snapshot_blocks || now_ns >= store->trim_due_ns) {
        struct log_tail tail;
        log_tail(store->log, &tail);
        maybe_snapshot(store, core, now_ns, &tail);
        if (now_ns >= store->trim_due_ns) {
            maybe_trim(store, log_time_ms, &tail);
            store->trim_due_ns = now_ns + TRIM_EVERY_S * NS_PER_S;
        }
    }
}

uint64_t store_deadline_ns(const struct store *store)
{
    return store->trim_due_ns;
}

bool store_want_snapshot(struct store *store, struct core *core)
{
    if (!snapshot_is_free(store) || store->submitted == store->snapshot_number) return false;
    begin_snapshot(store, core, store->snapshot_ns);
    return store->snapshot_wanted;
}

bool store_is_quiet(const struct store *store)
{
    return store->committed == store->submitted && !store->snapshot_wanted && !store->snapshot_begun;
}

void store_close(struct store **store)
{
    struct store *s = *store;
    if (!s) return;
    if (s->log) log_close(&s->log);
    if (s->disk) memory_disk_free(&s->disk);
    free(s->fetched);
    free(s->seek_memory);
    free(s);
    *store = NULL;
}
