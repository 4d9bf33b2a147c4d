/* The log beside the core: what the core puts out goes in, what the log tells becomes core input; snapshots and the window. Kind: shell.
 * One thread, the loop's. */
#ifndef WEIR_COORDINATOR_STORE_H
#define WEIR_COORDINATOR_STORE_H

#include "coordinator/core/core.h"
#include "coordinator/shell/config.h"

struct store;

enum { STORE_COMMIT_BUCKETS = 14 };
extern const double store_commit_bounds[STORE_COMMIT_BUCKETS]; /* seconds */

struct store_counters {
    uint64_t snapshots, snapshots_abandoned, trims, fetch_failures;
    uint64_t commit_counts[STORE_COMMIT_BUCKETS + 1]; /* from a block's submission to the news of its commit */
    double commit_seconds;
};

/* Opens the log. NULL: *error says why and what to do. */
struct store *store_open(const struct config *config, struct log_error *error);

void store_identity(const struct store *store, struct log_identity *out);
void store_tail(const struct store *store, struct log_tail *out);
void store_log_stats(const struct store *store, struct log_stats *out);
void store_counters(const struct store *store, struct store_counters *out);

/* Gives the core everything that is stored: newest snapshot, then blocks. False: *error. */
bool store_recover(struct store *store, struct core *core, struct log_error *error);

/* First position of a block that was opened at or after the time; waits for the log. False: a block cannot be read, *error says which. */
bool store_find_time(struct store *store, uint64_t time_ms, uint64_t *out_position, struct log_error *error);

int store_fd(const struct store *store);

/* Takes all news of the log into the input (committed, log_failed, fetched, trim_wish). What it lends there ends with the next call. */
void store_poll(struct store *store, uint64_t now_ns, struct core_in *in);

/* Carries out one of the core's outputs: CORE_SUBMIT, CORE_FETCH, CORE_SNAPSHOT and CORE_SNAPSHOT_ABANDONED. */
void store_take(struct store *store, const struct core_out *out, uint64_t now_ns);

/* Once a turn: what the window wants dropped is dropped when the core has let go of it (core_let_go). */
void store_let_go(struct store *store, uint64_t let_go);

/* Once a turn: begins a snapshot or looks for the window's edge when it is time. */
void store_tick(struct store *store, struct core *core, uint64_t now_ns, uint64_t log_time_ms);
uint64_t store_deadline_ns(const struct store *store);

/* At the end: asks the core for a last snapshot if anything was written since the one before. False: none is needed, or one is under way.
 */
bool store_want_snapshot(struct store *store, struct core *core);
bool store_is_quiet(const struct store *store); /* no block and no snapshot under way */

void store_close(struct store **store);

#endif
