/* The seam itself: hands each call to the backend, after the rules that hold for all of them. Everything here runs on the caller's thread.
 */
#include "coordinator/log/log.h"
#include "coordinator/log/log_ops.h"
#include "sdk/base/must.h"

#include <stdarg.h>
#include <stdio.h>

#define START_POSITIONS (UINT64_C(1) << 20) /* more than a start shows before a block of it is committed */
enum { SUBMITS_DEFAULT = 2, FETCHES_DEFAULT = 16, OTHER_EVENTS = 5 /* failed, saved, place, trimmed, and one to spare */ };

bool log_init(struct log *log, const struct log_ops *ops, const struct log_config *config)
{
    log->ops = ops;
    log->config = *config;
    log->config.directory = NULL;
    if (log->config.submits_max == 0) log->config.submits_max = SUBMITS_DEFAULT;
    if (log->config.fetches_max == 0) log->config.fetches_max = FETCHES_DEFAULT;
    if (log->config.cache_bytes == 0) log->config.cache_bytes = 64u << 20;
    if (log->config.write_buffer_bytes == 0) log->config.write_buffer_bytes = 64u << 20;
    return log_shared_init(&log->shared, log->config.submits_max + log->config.fetches_max + OTHER_EVENTS);
}

void log_starts_at(struct log *log, const struct log_tail *tail)
{
    log->shared.tail = *tail;
    log->next_number = tail->last_number + 1;
    log->next_position_min = tail->last_position + 1;
}

uint64_t log_start_position(const struct log_tail *tail, uint64_t term)
{
    uint64_t starts = term > tail->last_term ? term - tail->last_term : 1; /* since the one that wrote the last block */
    return tail->last_position > 0 ? tail->last_position + starts * START_POSITIONS : 1 + (starts - 1) * START_POSITIONS;
}

void log_free_common(struct log *log)
{
    log_shared_free(&log->shared);
}

void log_identity_epoch(struct log_identity *identity)
{
    snprintf(identity->epoch, sizeof identity->epoch, "%016llx", (unsigned long long)(identity->log_id + identity->restore_count));
}

enum log_status log_refuse(struct log_error *error, enum log_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

void log_identity(const struct log *log, struct log_identity *out)
{
    *out = log->identity;
}

enum log_status log_recover(struct log *log, log_recover_block call, void *arg, struct log_error *error)
{
    must(!log->recovered && log->submits == 0 && log->fetches == 0);
    log->recovered = true;
    return log->ops->recover(log, call, arg, error);
}

void log_tail(const struct log *log, struct log_tail *out)
{
    log_shared_tail((struct log_shared *)&log->shared, out); /* its lock is no part of the log's state */
}

void log_submit(struct log *log, struct block *block)
{
    must(block->record_count > 0);
    must(block->number == log->next_number && block->first_position >= log->next_position_min);
    log->next_number++;
    log->next_position_min = block_last_position(block) + 1;
    if (log_failed(&log->shared)) /* its answer has been given: no block comes back any more */
        return;
    must(log->submits < log->config.submits_max);
    log->submits++;
    log->ops->submit(log, block);
}

static void fetch(struct log *log, struct log_wanted wanted)
{
    must(log->fetches < log->config.fetches_max);
    log->fetches++;
    log->ops->fetch(log, &wanted);
}

void log_fetch(struct log *log, uint64_t position, struct block *into)
{
    fetch(log, (struct log_wanted){ .position = position, .into = into });
}

void log_fetch_before(struct log *log, uint64_t position, struct block *into)
{
    fetch(log, (struct log_wanted){ .position = position, .into = into, .before = true });
}

void log_snapshot_begin(struct log *log, uint64_t position)
{
    if (log->config.read_only) return;
    must(log->snapshot == LOG_SNAPSHOT_NONE);
    log->snapshot = LOG_SNAPSHOT_FILLING;
    log->ops->snapshot_begin(log, position);
}

void log_snapshot_slice(struct log *log, const struct block *slice)
{
    if (log->config.read_only) return;
    must(log->snapshot == LOG_SNAPSHOT_FILLING);
    log->ops->snapshot_slice(log, slice);
}

void log_snapshot_end(struct log *log)
{
    if (log->config.read_only) return;
    must(log->snapshot == LOG_SNAPSHOT_FILLING);
    log->snapshot = LOG_SNAPSHOT_SAVING;
    log->ops->snapshot_end(log, log->next_number - 1);
}

void log_snapshot_abandon(struct log *log)
{
    if (log->config.read_only) return;
    must(log->snapshot == LOG_SNAPSHOT_FILLING);
    log->snapshot = LOG_SNAPSHOT_NONE;
    log->ops->snapshot_abandon(log);
}

void log_trim_place(struct log *log, uint64_t position)
{
    if (log->config.read_only) return;
    must(!log->placing);
    log->placing = true;
    log->ops->trim_place(log, position);
}

void log_trim(struct log *log, uint64_t position)
{
    if (log->config.read_only) return;
    if (log->trimming) {
        if (position > log->trim_next) log->trim_next = position;
        return;
    }
    log->trimming = true;
    log->ops->trim(log, position);
}

int log_fd(const struct log *log)
{
    return log->shared.fd;
}

static void account(struct log *log, const struct log_event *event)
{
    switch (event->kind) {
    case LOG_COMMITTED:
        log->submits--;
        break;
    case LOG_FAILED:
        break;
    case LOG_FETCHED:
    case LOG_FETCH_NOTHING:
    case LOG_FETCH_FAILED:
        log->fetches--;
        break;
    case LOG_SNAPSHOT_SAVED:
        log->snapshot = LOG_SNAPSHOT_NONE;
        break;
    case LOG_TRIM_PLACE:
        log->placing = false;
        break;
    case LOG_TRIMMED:
        log->trimming = false;
        if (log->trim_next != 0) {
            uint64_t position = log->trim_next;
            log->trim_next = 0;
            log_trim(log, position);
        }
        break;
    }
}

bool log_poll(struct log *log, struct log_event *out_event)
{
    if (log->ops->pump != NULL) log->ops->pump(log);
    if (!log_pop(&log->shared, out_event)) return false;
    account(log, out_event);
    return true;
}

void log_stats(const struct log *log, struct log_stats *out)
{
    struct log_shared *shared = (struct log_shared *)&log->shared; /* as in log_tail */
    pthread_mutex_lock(&shared->lock);
    *out = shared->stats;
    pthread_mutex_unlock(&shared->lock);
}

void log_close(struct log **log)
{
    if (*log == NULL) return;
    (*log)->ops->close(*log);
    *log = NULL;
}
