/* The RocksDB backend's parts: one struct, three threads. Private to coordinator/log.
 *
 *   writer  takes submitted blocks: stores, writes, syncs, marks, commits        rocks_writer.c
 *   reader  answers fetches                                                      rocks_reader.c
 *   keeper  writes snapshots and trims                                           rocks_keeper.c
 *
 * `lock` guards the three queues and is held for a few instructions; none of the threads waits for another, but for the keeper, whose
 * snapshot's end waits for the commits before it. Opened read-only, the writer writes to memory above the source, and there is no keeper.
 */
#ifndef WEIR_LOG_ROCKS_LOG_H
#define WEIR_LOG_ROCKS_LOG_H

#include "coordinator/log/log_directory.h"
#include "coordinator/log/log_ops.h"
#include "coordinator/log/rocks_store.h"
#include "coordinator/log/snapshot_file.h"
#include "coordinator/log/stored_blocks.h"

enum { KEEPER_SLICES = 16, KEEPER_OTHERS = 2 /* jobs that may wait when one is given up */,
       KEEPER_JOBS = KEEPER_SLICES + KEEPER_OTHERS + 5 /* that abandon, a begin and an end, a begin and an end */, OVERLAY_BYTES_MAX = 1 << 30 };

struct keeper_job {
    enum keeper_job_kind { KEEPER_BEGIN, KEEPER_SLICE, KEEPER_ABANDON, KEEPER_END } kind;
    uint64_t position; /* BEGIN */
    uint64_t number;   /* END: the last block submitted before it */
};

struct rocks_log {
    struct log log;
    struct log_directory directory;
    struct rocks_store store;
    struct snapshot_reader newest; /* until the recovery */
    uint64_t source_last;          /* the last position of the database at the open */

    pthread_mutex_t lock;
    uint32_t threads; /* started so far: writer, reader, keeper */

    pthread_t writer;
    pthread_cond_t writer_due;
    struct block **writes; /* ring */
    uint32_t write_head, write_count;
    bool writer_stops;
    struct log_coder writer_coder; /* writer only, from here */
    struct log_place place;        /* after the last block */
    uint64_t sync_due_ns;          /* LOG_INTERVAL; 0 = nothing unsynced */

    pthread_t reader;
    pthread_cond_t reader_due;
    struct log_wanted *fetches; /* ring */
    uint32_t fetch_head, fetch_count;
    bool reader_stops;
    struct log_coder reader_coder; /* reader only; before it starts: the open and the recovery */

    pthread_t keeper;
    pthread_cond_t keeper_due, keeper_room;
    struct keeper_job jobs[KEEPER_JOBS]; /* ring */
    uint32_t job_head, job_count;
    struct block slices[KEEPER_SLICES]; /* ring, in the order of the slice jobs */
    void *slice_memory[KEEPER_SLICES];
    uint32_t slice_head, slice_count;
    uint64_t place_position, trim_position;
    bool place_due, trim_due, keeper_stops;
    struct log_coder keeper_coder; /* keeper only, from here */
    struct snapshot_writer snapshot;

    pthread_mutex_t overlay_lock;
    struct stored_blocks overlay; /* read-only: written by the writer, read by the reader */
};

static inline struct rocks_log *rocks_of(struct log *log)
{
    return (struct rocks_log *)log; /* its first member */
}

void *rocks_writer_run(void *rocks_log);
void rocks_submit(struct log *log, struct block *block);

void *rocks_reader_run(void *rocks_log);
void rocks_fetch(struct log *log, const struct log_wanted *wanted);

void *rocks_keeper_run(void *rocks_log);
void rocks_snapshot_begin(struct log *log, uint64_t position);
void rocks_snapshot_slice(struct log *log, const struct block *slice);
void rocks_snapshot_abandon(struct log *log);
void rocks_snapshot_end(struct log *log, uint64_t last_number);
void rocks_trim_place(struct log *log, uint64_t position);
void rocks_trim(struct log *log, uint64_t position);

/* Syncs all that is committed and raises the mark. False: the log has been stopped. Writer or keeper. */
bool rocks_sync(struct rocks_log *r);

/* Opens the newest snapshot and the database, and finds where they end. Before the threads start. */
struct rocks_found {
    struct log_tail tail;
    bool lost; /* and accepted */
};
enum log_status rocks_open(struct rocks_log *r, const char *db, struct rocks_found *out, struct log_error *error);
enum log_status rocks_open_view(struct rocks_log *r, struct rocks_found *out, struct log_error *error); /* read-only */

void rocks_remove_old_views(struct rocks_log *r); /* of readers that were killed while they opened one */
enum log_status rocks_refuse_read(struct rocks_log *r, const char *why, struct log_error *error);
enum log_status rocks_recover(struct log *log, log_recover_block call, void *arg, struct log_error *error);
#endif
