/* The writer thread: one block at a time, so that while one syncs the core fills the next. A block is answered only after it is as durable
 * as configured and the completed mark says so. */
#include "coordinator/log/rocks_log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

void rocks_submit(struct log *log, struct block *block)
{
    struct rocks_log *r = rocks_of(log);
    pthread_mutex_lock(&r->lock);
    r->writes[(r->write_head + r->write_count++) % log->config.submits_max] = block;
    pthread_cond_signal(&r->writer_due);
    pthread_mutex_unlock(&r->lock);
}

static void wait_until(struct rocks_log *r, uint64_t due_ns)
{
    struct timespec due = { .tv_sec = (time_t)(due_ns / 1000000000u), .tv_nsec = (long)(due_ns % 1000000000u) };
    pthread_cond_timedwait(&r->writer_due, &r->lock, &due);
}

enum writer_turn { WRITER_BLOCK, WRITER_SYNC, WRITER_STOP };

/* The block leaves the queue only when it is written: its slot is the caller's right to submit. */
static enum writer_turn wait_for_work(struct rocks_log *r, struct block **out_block)
{
    enum writer_turn turn;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        bool sync_due = r->sync_due_ns != 0 && log_clock_ns() >= r->sync_due_ns;
        if (sync_due) {
            turn = WRITER_SYNC;
            break;
        }
        if (r->write_count > 0) {
            *out_block = r->writes[r->write_head];
            r->write_head = (r->write_head + 1) % r->log.config.submits_max;
            r->write_count--;
            turn = WRITER_BLOCK;
            break;
        }
        if (r->writer_stops) {
            turn = WRITER_STOP;
            break;
        }
        if (r->sync_due_ns != 0)
            wait_until(r, r->sync_due_ns);
        else
            pthread_cond_wait(&r->writer_due, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return turn;
}

static void stop(struct rocks_log *r, uint64_t number, const char *doing, const char *why)
{
    log_fail(&r->log.shared, number, "%.60s: %s %" PRIu64 " failed, its outcome is unknown until the next start: %s", r->store.path, doing,
             number, why);
}

static bool mark(struct rocks_log *r, uint64_t position, uint64_t number)
{
    if (log_directory_mark(&r->directory, position)) return true;
    stop(r, number, "writing the completed mark after block", strerror(errno));
    return false;
}

bool rocks_sync(struct rocks_log *r)
{
    char why[ROCKS_ERROR_BYTES];
    struct log_tail tail;
    log_tail(&r->log, &tail);
    uint64_t begun = log_clock_ns();
    if (!rocks_store_sync(&r->store, why)) {
        stop(r, tail.last_number, "syncing up to block", why);
        return false;
    }
    log_count_sync(&r->log.shared, log_clock_ns() - begun);
    return mark(r, tail.last_position, tail.last_number);
}

static bool write_above(struct rocks_log *r, const struct block *block, struct span stored)
{
    pthread_mutex_lock(&r->overlay_lock);
    bool fits = stored_blocks_append(&r->overlay, block->first_position, block_last_position(block), stored);
    pthread_mutex_unlock(&r->overlay_lock);
    if (!fits) stop(r, block->number, "keeping block", "what is written above a read-only log has reached its limit of 1 GiB");
    return fits;
}

static bool write_below(struct rocks_log *r, const struct block *block, struct span stored)
{
    char why[ROCKS_ERROR_BYTES];
    bool sync = r->log.config.durability == LOG_FSYNC;
    uint64_t begun = log_clock_ns();
    if (!rocks_store_put(&r->store, block->first_position, stored, sync, why)) {
        stop(r, block->number, "writing block", why);
        return false;
    }
    if (!sync) {
        if (r->log.config.durability == LOG_INTERVAL && r->sync_due_ns == 0)
            r->sync_due_ns = begun + r->log.config.interval_ms * UINT64_C(1000000);
        return true;
    }
    log_count_sync(&r->log.shared, log_clock_ns() - begun);
    return mark(r, block_last_position(block), block->number);
}

static void write_block(struct rocks_log *r, const struct block *block)
{
    if (log_failed(&r->log.shared)) return;
    uint64_t begun = log_clock_ns();
    size_t size = log_coder_store(&r->writer_coder, block, r->log.identity.log_id, &r->place);
    struct span stored = span_of(r->writer_coder.out, size);
    if (!(r->log.config.read_only ? write_above(r, block, stored) : write_below(r, block, stored))) return;
    struct log_commit commit = { .block = block, .stored_bytes = size, .write_ns = log_clock_ns() - begun };
    log_commit(&r->log.shared, &commit);
}

static void tell_keeper(struct rocks_log *r)
{
    pthread_mutex_lock(&r->lock);
    pthread_cond_signal(&r->keeper_due);
    pthread_mutex_unlock(&r->lock);
}

void *rocks_writer_run(void *rocks_log)
{
    struct rocks_log *r = rocks_log;
    struct block *block = NULL;
    for (enum writer_turn turn; (turn = wait_for_work(r, &block)) != WRITER_STOP;) {
        if (turn == WRITER_BLOCK) {
            write_block(r, block);
        } else {
            r->sync_due_ns = 0;
            if (!log_failed(&r->log.shared)) rocks_sync(r);
        }
        tell_keeper(r);
    }
    if (!r->log.config.read_only && r->log.config.durability != LOG_FSYNC && !log_failed(&r->log.shared)) rocks_sync(r);
    return NULL;
}
