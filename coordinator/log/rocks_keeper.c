/* The keeper thread: what is slow and not urgent. Snapshots are written slice by slice as they come, and counted only when every block up
 * to their end is on the disk: a snapshot must never know what the log has lost. */
#include "coordinator/log/rocks_log.h"
#include "sdk/base/must.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void add_job_locked(struct rocks_log *r, struct keeper_job job)
{
    must(r->job_count < KEEPER_JOBS);
    r->jobs[(r->job_head + r->job_count++) % KEEPER_JOBS] = job;
    pthread_cond_signal(&r->keeper_due);
}

void rocks_snapshot_begin(struct log *log, uint64_t position)
{
    struct rocks_log *r = rocks_of(log);
    pthread_mutex_lock(&r->lock);
    add_job_locked(r, (struct keeper_job){ .kind = KEEPER_BEGIN, .position = position });
    pthread_mutex_unlock(&r->lock);
}

static void copy_block(struct block *to, const struct block *from)
{
    block_open(to, from->number, from->first_position, from->time_ms, from->term);
    to->record_count = from->record_count;
    to->topic_count = from->topic_count;
    to->publisher_count = from->publisher_count;
    to->names_size = from->names_size;
    to->bodies_size = from->bodies_size;
    memcpy(to->records, from->records, from->record_count * sizeof *from->records);
    memcpy(to->topics, from->topics, from->topic_count * sizeof *from->topics);
    memcpy(to->publishers, from->publishers, from->publisher_count * sizeof *from->publishers);
    memcpy(to->names, from->names, from->names_size);
    memcpy(to->bodies, from->bodies, from->bodies_size);
}

void rocks_snapshot_slice(struct log *log, const struct block *slice)
{
    struct rocks_log *r = rocks_of(log);
    pthread_mutex_lock(&r->lock);
    while (r->slice_count == KEEPER_SLICES)
        pthread_cond_wait(&r->keeper_room, &r->lock);
    struct block *copy = &r->slices[(r->slice_head + r->slice_count) % KEEPER_SLICES];
    pthread_mutex_unlock(&r->lock);
    copy_block(copy, slice); /* nobody looks at it before its job is there */
    pthread_mutex_lock(&r->lock);
    r->slice_count++;
    add_job_locked(r, (struct keeper_job){ .kind = KEEPER_SLICE });
    pthread_mutex_unlock(&r->lock);
}

void rocks_snapshot_abandon(struct log *log)
{
    struct rocks_log *r = rocks_of(log);
    pthread_mutex_lock(&r->lock);
    while (r->job_count - r->slice_count > KEEPER_OTHERS)
        pthread_cond_wait(&r->keeper_room, &r->lock);
    add_job_locked(r, (struct keeper_job){ .kind = KEEPER_ABANDON });
    pthread_mutex_unlock(&r->lock);
}

void rocks_snapshot_end(struct log *log, uint64_t last_number)
{
    struct rocks_log *r = rocks_of(log);
    pthread_mutex_lock(&r->lock);
    add_job_locked(r, (struct keeper_job){ .kind = KEEPER_END, .number = last_number });
    pthread_mutex_unlock(&r->lock);
}

void rocks_trim_place(struct log *log, uint64_t position)
{
    struct rocks_log *r = rocks_of(log);
    pthread_mutex_lock(&r->lock);
    r->place_position = position;
    r->place_due = true;
    pthread_cond_signal(&r->keeper_due);
    pthread_mutex_unlock(&r->lock);
}

void rocks_trim(struct log *log, uint64_t position)
{
    struct rocks_log *r = rocks_of(log);
    pthread_mutex_lock(&r->lock);
    r->trim_position = position;
    r->trim_due = true;
    pthread_cond_signal(&r->keeper_due);
    pthread_mutex_unlock(&r->lock);
}

/* Snapshots and trims stop the log like a block when they fail: a disk that refuses one of them is not to be trusted with the next. */
static void stop(struct rocks_log *r, const char *path, const char *doing, const char *why)
{
    log_fail(&r->log.shared, 0, "%.110s: %s: %s", path, doing, why);
}

static void stop_snapshot(struct rocks_log *r)
{
    const char *why = strerror(errno);
    stop(r, r->snapshot.path, "writing a snapshot", why);
    snapshot_writer_abandon(&r->snapshot);
}

static void folder_of(const struct rocks_log *r, char *out)
{
    log_directory_path(&r->directory, "snapshots", out);
}

static bool committed(struct rocks_log *r, uint64_t number)
{
    struct log_tail tail;
    log_tail(&r->log, &tail);
    return tail.last_number >= number;
}

/* False: it will never be. */
static bool wait_for_commit(struct rocks_log *r, uint64_t number)
{
    pthread_mutex_lock(&r->lock);
    while (!committed(r, number) && !log_failed(&r->log.shared) && !r->keeper_stops)
        pthread_cond_wait(&r->keeper_due, &r->lock);
    pthread_mutex_unlock(&r->lock);
    return committed(r, number) && !log_failed(&r->log.shared);
}

/* The log's place at the snapshot's position. Without a block that ends there or before: what the snapshot before it says. */
static bool place_at(struct rocks_log *r, uint64_t position, struct log_place *out, char *why)
{
    struct rocks_cursor cursor;
    struct span stored;
    uint64_t first;
    struct block_header header;
    *out = (struct log_place){ 0 };
    rocks_cursor_open(&cursor, &r->store, position);
    rocks_cursor_seek_before(&cursor, position);
    bool found = rocks_cursor_block(&cursor, &first, &stored, why);
    if (found) {
        must(block_read_header(stored, &header) == BLOCK_LOADED && block_header_last(&header) <= position);
        log_place_after(out, &header, stored);
    }
    rocks_cursor_close(&cursor);
    if (found || why[0] != 0) return found;
    char folder[PATH_MAX];
    struct snapshot_reader before;
    struct log_error error;
    folder_of(r, folder);
    if (snapshot_reader_open_newest(&before, folder, r->log.identity.log_id, &error) != LOG_OK) {
        snprintf(why, ROCKS_ERROR_BYTES, "%.190s", error.text);
        return false;
    }
    if (before.fd >= 0) *out = before.place;
    snapshot_reader_close(&before);
    return true;
}

static void end_snapshot(struct rocks_log *r, uint64_t number)
{
    if (!wait_for_commit(r, number) || (r->log.config.durability != LOG_FSYNC && !rocks_sync(r))) {
        snapshot_writer_abandon(&r->snapshot);
        return;
    }
    char why[ROCKS_ERROR_BYTES], folder[PATH_MAX];
    struct log_place place;
    if (!place_at(r, r->snapshot.position, &place, why)) {
        stop(r, r->store.path, "finding the place of a snapshot", why);
        snapshot_writer_abandon(&r->snapshot);
        return;
    }
    folder_of(r, folder);
    if (!snapshot_writer_end(&r->snapshot, &place) || !snapshots_tidy(folder)) {
        stop_snapshot(r);
        return;
    }
    log_push(&r->log.shared, &(struct log_event){ .kind = LOG_SNAPSHOT_SAVED, .position = r->snapshot.position });
}

static void do_job(struct rocks_log *r, const struct keeper_job *job, const struct block *slice)
{
    char folder[PATH_MAX];
    uint64_t log_id = r->log.identity.log_id;
    if (log_failed(&r->log.shared)) {
        snapshot_writer_abandon(&r->snapshot);
        return;
    }
    switch (job->kind) {
    case KEEPER_BEGIN:
        folder_of(r, folder);
        if (!snapshot_writer_begin(&r->snapshot, folder, log_id, job->position)) stop_snapshot(r);
        break;
    case KEEPER_SLICE:
        if (!snapshot_writer_slice(&r->snapshot, &r->keeper_coder, log_id, slice)) stop_snapshot(r);
        break;
    case KEEPER_ABANDON:
        snapshot_writer_abandon(&r->snapshot);
        break;
    case KEEPER_END:
        end_snapshot(r, job->number);
        break;
    }
}

/* The first block that a trim must keep. */
static bool first_kept(struct rocks_log *r, uint64_t position, uint64_t *out, char *why)
{
    char folder[PATH_MAX];
    uint64_t newest[2];
    folder_of(r, folder);
    if (!snapshots_newest(folder, newest)) {
        snprintf(why, ROCKS_ERROR_BYTES, "%s", strerror(errno));
        return false;
    }
    *out = newest[1] == 0 ? 0 : newest[1] + 1;
    if (position < *out) *out = position;
    struct rocks_cursor cursor;
    struct span stored;
    uint64_t first;
    rocks_cursor_open(&cursor, &r->store, UINT64_MAX);
    rocks_cursor_seek(&cursor, *out);
    if (rocks_cursor_block(&cursor, &first, &stored, why) && first < *out) *out = first;
    rocks_cursor_close(&cursor);
    return why[0] == 0;
}

static void find_trim_place(struct rocks_log *r, uint64_t position)
{
    char why[ROCKS_ERROR_BYTES];
    uint64_t kept, place;
    if (log_failed(&r->log.shared)) return;
    if (!first_kept(r, position, &kept, why) || !rocks_store_trim_place(&r->store, kept, &place, why)) {
        stop(r, r->store.path, "looking for old files", why);
        return;
    }
    log_push(&r->log.shared, &(struct log_event){ .kind = LOG_TRIM_PLACE, .position = place });
}

static void do_trim(struct rocks_log *r, uint64_t position)
{
    char why[ROCKS_ERROR_BYTES];
    uint64_t kept, first = UINT64_MAX;
    struct rocks_cursor cursor;
    struct span stored;
    struct log_shared *shared = &r->log.shared;
    if (log_failed(shared) || (r->log.config.durability != LOG_FSYNC && !rocks_sync(r))) return;
    if (!first_kept(r, position, &kept, why) || !rocks_store_trim(&r->store, kept, why)) {
        stop(r, r->store.path, "dropping old files", why);
        return;
    }
    rocks_cursor_open(&cursor, &r->store, UINT64_MAX);
    rocks_cursor_seek(&cursor, 0);
    bool found = rocks_cursor_block(&cursor, &first, &stored, why);
    rocks_cursor_close(&cursor);
    uint64_t bytes = rocks_store_bytes(&r->store);

    pthread_mutex_lock(&shared->lock);
    if (!found || first > shared->tail.last_position) first = shared->tail.last_position + 1;
    shared->tail.first_position = first;
    shared->tail.bytes = bytes;
    pthread_mutex_unlock(&shared->lock);
    log_push(shared, &(struct log_event){ .kind = LOG_TRIMMED, .position = first });
}

struct keeper_work {
    enum { WORK_NONE, WORK_JOB, WORK_TRIM_PLACE, WORK_TRIM } kind;
    struct keeper_job what;
    const struct block *slice;
    uint64_t position;
};

static bool wait_for_work(struct rocks_log *r, struct keeper_work *out)
{
    *out = (struct keeper_work){ .kind = WORK_NONE };
    pthread_mutex_lock(&r->lock);
    while (r->job_count == 0 && !r->place_due && !r->trim_due && !r->keeper_stops)
        pthread_cond_wait(&r->keeper_due, &r->lock);
    if (r->job_count > 0) {
        out->kind = WORK_JOB;
        out->what = r->jobs[r->job_head];
        out->slice = out->what.kind == KEEPER_SLICE ? &r->slices[r->slice_head] : NULL;
    } else if (r->place_due) {
        *out = (struct keeper_work){ .kind = WORK_TRIM_PLACE, .position = r->place_position };
        r->place_due = false;
    } else if (r->trim_due) {
        *out = (struct keeper_work){ .kind = WORK_TRIM, .position = r->trim_position };
        r->trim_due = false;
    }
    pthread_mutex_unlock(&r->lock);
    return out->kind != WORK_NONE;
}

static void finish_job(struct rocks_log *r, const struct keeper_work *work)
{
    pthread_mutex_lock(&r->lock);
    r->job_head = (r->job_head + 1) % KEEPER_JOBS;
    r->job_count--;
    if (work->slice != NULL) {
        r->slice_head = (r->slice_head + 1) % KEEPER_SLICES;
        r->slice_count--;
    }
    pthread_cond_signal(&r->keeper_room);
    pthread_mutex_unlock(&r->lock);
}

void *rocks_keeper_run(void *rocks_log)
{
    struct rocks_log *r = rocks_log;
    struct keeper_work work;
    while (wait_for_work(r, &work)) {
        if (work.kind == WORK_JOB) {
            do_job(r, &work.what, work.slice);
            finish_job(r, &work);
        } else if (work.kind == WORK_TRIM_PLACE) {
            find_trim_place(r, work.position);
        } else {
            do_trim(r, work.position);
        }
    }
    snapshot_writer_abandon(&r->snapshot);
    return NULL;
}
