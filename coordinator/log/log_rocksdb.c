/* Opening and closing the RocksDB backend: the directory and its lock, then what is in it, and only when all is well the new term and
 * the threads. */
#include "coordinator/log/rocks_log.h"
#include "sdk/base/must.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void ask_to_stop(struct rocks_log *r, bool *stops, pthread_cond_t *due)
{
    pthread_mutex_lock(&r->lock);
    *stops = true;
    pthread_cond_broadcast(due);
    pthread_mutex_unlock(&r->lock);
}

/* The writer first: the end of a snapshot may wait for its last blocks. */
static void stop_threads(struct rocks_log *r)
{
    if (r->threads > 0) {
        ask_to_stop(r, &r->writer_stops, &r->writer_due);
        pthread_join(r->writer, NULL);
    }
    if (r->threads > 1) {
        ask_to_stop(r, &r->reader_stops, &r->reader_due);
        pthread_join(r->reader, NULL);
    }
    if (r->threads > 2) {
        ask_to_stop(r, &r->keeper_stops, &r->keeper_due);
        pthread_join(r->keeper, NULL);
    }
}

static void free_parts(struct rocks_log *r)
{
    snapshot_reader_close(&r->newest);
    log_coder_free(&r->writer_coder);
    log_coder_free(&r->reader_coder);
    log_coder_free(&r->keeper_coder);
    for (int i = 0; i < KEEPER_SLICES; i++)
        free(r->slice_memory[i]);
    stored_blocks_free(&r->overlay);
    free(r->writes);
    free(r->fetches);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->overlay_lock);
    pthread_cond_destroy(&r->writer_due);
    pthread_cond_destroy(&r->reader_due);
    pthread_cond_destroy(&r->keeper_due);
    pthread_cond_destroy(&r->keeper_room);
    log_free_common(&r->log);
    free(r);
}

static void rocks_close(struct log *log)
{
    struct rocks_log *r = rocks_of(log);
    stop_threads(r);
    rocks_store_close(&r->store);
    log_directory_close(&r->directory); /* last: it holds the lock */
    free_parts(r);
}

static const struct log_ops rocks_ops = {
    .recover = rocks_recover,
    .submit = rocks_submit,
    .fetch = rocks_fetch,
    .snapshot_begin = rocks_snapshot_begin,
    .snapshot_slice = rocks_snapshot_slice,
    .snapshot_abandon = rocks_snapshot_abandon,
    .snapshot_end = rocks_snapshot_end,
    .trim_place = rocks_trim_place,
    .trim = rocks_trim,
    .close = rocks_close,
};

static bool slices_init(struct rocks_log *r)
{
    for (int i = 0; i < KEEPER_SLICES; i++) {
        r->slice_memory[i] = malloc(block_memory());
        if (r->slice_memory[i] == NULL) return false;
        block_init(&r->slices[i], r->slice_memory[i]);
    }
    return log_coder_init(&r->keeper_coder);
}

static struct rocks_log *rocks_log_new(const struct log_config *config)
{
    struct rocks_log *r = calloc(1, sizeof *r);
    if (r == NULL || !log_init(&r->log, &rocks_ops, config)) {
        free(r);
        return NULL;
    }
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic) == 0 && pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_mutex_init(&r->lock, NULL) == 0 && pthread_mutex_init(&r->overlay_lock, NULL) == 0);
    must(pthread_cond_init(&r->writer_due, &monotonic) == 0 && pthread_cond_init(&r->reader_due, NULL) == 0);
    must(pthread_cond_init(&r->keeper_due, NULL) == 0 && pthread_cond_init(&r->keeper_room, NULL) == 0);
    pthread_condattr_destroy(&monotonic);
    stored_blocks_init(&r->overlay, OVERLAY_BYTES_MAX);
    r->newest.fd = r->snapshot.fd = -1;
    r->writes = calloc(r->log.config.submits_max, sizeof *r->writes);
    r->fetches = calloc(r->log.config.fetches_max, sizeof *r->fetches);
    if (r->writes != NULL && r->fetches != NULL && log_coder_init(&r->writer_coder) && log_coder_init(&r->reader_coder) &&
        (config->read_only || slices_init(r)))
        return r;
    free_parts(r);
    return NULL;
}

/* This open is a new term. A loss that was accepted is a new epoch too: cursors of the old one may point at what is gone. */
static enum log_status begin_writing(struct rocks_log *r, bool lost, struct log_error *error)
{
    rocks_remove_old_views(r);
    r->log.identity.term++;
    if (lost) r->log.identity.restore_count++;
    enum log_status status = log_directory_write_identity(&r->directory, &r->log.identity, error);
    if (status != LOG_OK) return status;
    char path[PATH_MAX];
    log_directory_path(&r->directory, "completed", path);
    if (lost && !log_directory_reset_mark(&r->directory, r->place.position)) return log_refuse_errno(error, "cannot write", path, errno);
    log_directory_path(&r->directory, "snapshots", path);
    if (!snapshots_tidy(path)) return log_refuse_errno(error, "cannot tidy", path, errno);
    return LOG_OK;
}

static enum log_status start_threads(struct rocks_log *r, struct log_error *error)
{
    int code = pthread_create(&r->writer, NULL, rocks_writer_run, r);
    r->threads += code == 0;
    if (code == 0 && (code = pthread_create(&r->reader, NULL, rocks_reader_run, r)) == 0) r->threads++;
    if (code == 0 && !r->log.config.read_only && (code = pthread_create(&r->keeper, NULL, rocks_keeper_run, r)) == 0) r->threads++;
    return code == 0 ? LOG_OK : log_refuse(error, LOG_IO, "%s: cannot start a thread: %s", r->store.path, strerror(code));
}

static enum log_status open_rest(struct rocks_log *r, struct log_error *error)
{
    struct rocks_found found;
    char db[PATH_MAX];
    log_directory_path(&r->directory, "db", db);
    enum log_status status = r->log.config.read_only ? rocks_open_view(r, &found, error) : rocks_open(r, db, &found, error);
    if (status == LOG_OK && !r->log.config.read_only) status = begin_writing(r, found.lost, error);
    if (status != LOG_OK) return status;
    log_identity_epoch(&r->log.identity);
    log_starts_at(&r->log, &found.tail);
    return start_threads(r, error);
}

struct log *log_open_rocksdb(const struct log_config *config, struct log_error *error)
{
    struct rocks_log *r = rocks_log_new(config);
    if (r == NULL) {
        log_refuse(error, LOG_IO, "no memory for a log");
        return NULL;
    }
    if (log_directory_open(&r->directory, config, &r->log.identity, error) != LOG_OK) {
        free_parts(r);
        return NULL;
    }
    if (open_rest(r, error) != LOG_OK) {
        rocks_close(&r->log);
        return NULL;
    }
    error->status = LOG_OK;
    return &r->log;
}
