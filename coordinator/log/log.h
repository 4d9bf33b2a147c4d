/* The commit log's seam. Nothing above it knows about RocksDB. Kind: shell. One thread (the loop) calls; the backend has threads of its
 * own.
 *
 * Contract (one suite, tests/contract, over every backend)
 *   - blocks complete in the order of their submission; a block is all or nothing, also after a crash;
 *   - after a failed write or sync the log stops: one LOG_FAILED, no later completion, nothing is retried, the outcome is unknown;
 *   - reads (fetch, snapshots) run apart from writes and cannot stall them or the caller. */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include "proto/block.h"

enum log_durability { LOG_FSYNC, LOG_INTERVAL, LOG_OS };

struct log_config {
    const char *directory; /* RocksDB: made when missing; memory: ignored */
    enum log_durability durability;
    uint32_t interval_ms;        /* LOG_INTERVAL: at most so long between syncs */
    bool read_only;              /* open what is there, also while another process writes it; submits go to memory above it (replay) */
    bool accept_loss;            /* start although the completed mark says that synced blocks are missing */
    uint32_t submits_max;        /* blocks under way at most; 0 = 2 */
    uint32_t fetches_max;        /* 0 = 16 */
    uint64_t cache_bytes;        /* RocksDB's; 0 = 64 MiB */
    uint64_t write_buffer_bytes; /* RocksDB's, so also the size of the files that a trim drops; 0 = 64 MiB */
};

enum log_status {
    LOG_OK,
    LOG_IN_USE, /* another process has it open for writing */
    LOG_NOT_WRITABLE,
    LOG_NEWER,   /* written by a newer version */
    LOG_DAMAGED, /* file and position are in the text */
    LOG_LOST,    /* the last completed blocks are missing: see accept_loss */
    LOG_IO
};
struct log_error {
    enum log_status status;
    char text[512];
}; /* says what, where, and what to do */

struct log_identity {
    uint64_t log_id;
    uint64_t restore_count;
    char epoch[17];
    uint64_t term;
}; /* term rises at each writable open */

struct log;

/* NULL: *error says why. */
struct log *log_open_rocksdb(const struct log_config *config, struct log_error *error);
struct log *log_open_memory(const struct log_config *config, struct log_error *error);

void log_identity(const struct log *log, struct log_identity *out);

/* Once, right after opening, before anything else: calls back with each block of the newest complete snapshot, then each block of the log
 * after it. A callback that returns false stops it (LOG_DAMAGED with the position it gave). */
typedef bool (*log_recover_block)(void *arg, const struct block *block, bool from_snapshot, uint64_t *out_bad);
enum log_status log_recover(struct log *log, log_recover_block call, void *arg, struct log_error *error);

/* first_position: of the oldest block (last_position + 1 when there is none). empty: neither a block nor a snapshot. */
struct log_tail {
    uint64_t first_position, last_position, last_number, last_time_ms, bytes;
    uint64_t last_term; /* of the last block; 0: not known */
    bool empty;
};
void log_tail(const struct log *log, struct log_tail *out); /* what is committed now */
/* Where the blocks of a start begin: 1 in a new log, else well above all that the starts before it may have shown. At-most-once events show
 * their positions before the commit, so each start has a range of its own, also when none of its blocks was committed. */
uint64_t log_start_position(const struct log_tail *tail, uint64_t term);

/* Lends the block to the log until its LOG_COMMITTED (or LOG_FAILED; blocks under way behind that one stay lent until log_close). Numbers
 * must follow each other, positions rise, records be there. At most submits_max under way (must). */
void log_submit(struct log *log, struct block *block);

/* Lends `into` until LOG_FETCHED. Reads the block that holds position, else the first after it. At most fetches_max under way (must). */
void log_fetch(struct log *log, uint64_t position, struct block *into);
/* The same for the last block that begins at or before position. */
void log_fetch_before(struct log *log, uint64_t position, struct block *into);

/* Snapshots of the state as of `position`, which ends a block: begin, any number of slices (copied before the call returns), end. One at a
 * time (must): the next may begin when LOG_SNAPSHOT_SAVED was polled. It counts only once its end, and every block submitted before its
 * end, is synced. The two newest are kept. A slice waits when 16 are not yet written. A failed write stops the log like one of a block.
 * Read-only: ignored, no event. */
void log_snapshot_begin(struct log *log, uint64_t position);
void log_snapshot_slice(struct log *log, const struct block *slice);
void log_snapshot_end(struct log *log);
/* Gives up the one that has begun and not ended (must): nothing of it stays, and another may begin. No event. */
void log_snapshot_abandon(struct log *log);

/* Where the oldest block would begin if log_trim(position) came now; a log_trim of that place drops nothing at or after it, and as much as
 * the other would. So whoever reads can be told before it goes. Answers LOG_TRIM_PLACE. One at a time (must). Read-only: ignored, no event.
 */
void log_trim_place(struct log *log, uint64_t position);

/* Drops whole files of blocks that end below position, never past the second newest snapshot. Answers LOG_TRIMMED; a call while one is
 * under way is joined with those after it and answered once. What was written last (a few files) may stay. What was committed before is
 * synced first, whatever the durability: it may be what the caller wrote again of what is dropped. Read-only: ignored, no event. */
void log_trim(struct log *log, uint64_t position);

enum log_event_kind {
    LOG_COMMITTED,
    LOG_FAILED,
    LOG_FETCHED,
    LOG_FETCH_NOTHING,
    LOG_FETCH_FAILED,
    LOG_SNAPSHOT_SAVED,
    LOG_TRIM_PLACE,
    LOG_TRIMMED
};
struct log_event {
    enum log_event_kind kind;
    uint64_t number;     /* COMMITTED: block number; FAILED: of the block whose outcome is unknown, 0 when it was not one block's write */
    uint64_t position;   /* FETCH*: as asked; SNAPSHOT_SAVED; TRIM_PLACE; TRIMMED: first position there now */
    struct block *block; /* FETCH*: lent `into` comes back */
    char text[256];      /* FAILED, FETCH_FAILED */
};
int log_fd(const struct log *log);                           /* eventfd, readable when log_poll has something */
bool log_poll(struct log *log, struct log_event *out_event); /* false: nothing more; never blocks */

struct log_stats {                              /* since the open */
    uint64_t blocks;                            /* committed */
    uint64_t bytes_in;                          /* their bodies, names and records, before compression */
    uint64_t bytes_stored;                      /* after it */
    uint64_t syncs, sync_ns_total, sync_ns_max; /* the store's call that returns when the bytes are on disk */
    uint64_t write_ns_total;                    /* all of a block: compression, write, sync */
    uint64_t fetches, fetch_ns_total;
};
void log_stats(const struct log *log, struct log_stats *out);

void log_close(struct log **log); /* waits for what is under way; nulls the handle */

#endif
