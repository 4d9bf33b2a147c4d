/* The caller of a log sleeps on one eventfd; its threads put events in a ring that can hold all that can ever be under way, so a push never
 * waits. */
#include "coordinator/log/log_shared.h"
#include "sdk/base/must.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

bool log_shared_init(struct log_shared *shared, uint32_t capacity)
{
    *shared = (struct log_shared){ .capacity = capacity, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
    if (shared->fd < 0) return false;
    shared->ring = calloc(capacity, sizeof *shared->ring);
    if (shared->ring == NULL) {
        close(shared->fd);
        return false;
    }
    must(pthread_mutex_init(&shared->lock, NULL) == 0);
    return true;
}

void log_shared_free(struct log_shared *shared)
{
    pthread_mutex_destroy(&shared->lock);
    free(shared->ring);
    close(shared->fd);
}

static void signal_locked(struct log_shared *shared)
{
    if (shared->signalled) return;
    uint64_t one = 1;
    must(write(shared->fd, &one, sizeof one) == (ssize_t)sizeof one);
    shared->signalled = true;
}

static void push_locked(struct log_shared *shared, const struct log_event *event)
{
    must(shared->count < shared->capacity);
    shared->ring[(shared->head + shared->count) % shared->capacity] = *event;
    shared->count++;
    signal_locked(shared);
}

void log_push(struct log_shared *shared, const struct log_event *event)
{
    pthread_mutex_lock(&shared->lock);
    push_locked(shared, event);
    pthread_mutex_unlock(&shared->lock);
}

void log_wake(struct log_shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    signal_locked(shared);
    pthread_mutex_unlock(&shared->lock);
}

bool log_pop(struct log_shared *shared, struct log_event *out_event)
{
    pthread_mutex_lock(&shared->lock);
    bool found = shared->count > 0;
    if (found) {
        *out_event = shared->ring[shared->head];
        shared->head = (shared->head + 1) % shared->capacity;
        shared->count--;
    } else if (shared->signalled) { /* only an empty ring may end the signal: else an event would wait unseen */
        uint64_t wakes;
        must(read(shared->fd, &wakes, sizeof wakes) == (ssize_t)sizeof wakes);
        shared->signalled = false;
    }
    pthread_mutex_unlock(&shared->lock);
    return found;
}

void log_describe(struct log_event *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(event->text, sizeof event->text, format, arguments);
    va_end(arguments);
}

void log_fail(struct log_shared *shared, uint64_t number, const char *format, ...)
{
    struct log_event event = { .kind = LOG_FAILED, .number = number };
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(event.text, sizeof event.text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&shared->lock);
    if (!shared->failed) {
        shared->failed = true;
        push_locked(shared, &event);
    }
    pthread_mutex_unlock(&shared->lock);
}

bool log_failed(struct log_shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    bool failed = shared->failed;
    pthread_mutex_unlock(&shared->lock);
    return failed;
}

static uint64_t bytes_in(const struct block *block)
{
    return (uint64_t)block->record_count * sizeof *block->records + block->names_size + block->bodies_size;
}

void log_commit(struct log_shared *shared, const struct log_commit *commit)
{
    const struct block *block = commit->block;
    struct log_event event = { .kind = LOG_COMMITTED, .number = block->number };
    pthread_mutex_lock(&shared->lock);
    if (!shared->failed) {
        struct log_tail *tail = &shared->tail;
        if (tail->first_position > tail->last_position || tail->empty) /* no block is there */
            tail->first_position = block->first_position;
        tail->empty = false;
        tail->last_position = block_last_position(block);
        tail->last_number = block->number;
        tail->last_time_ms = block->time_ms;
        tail->last_term = block->term;
        tail->bytes += commit->stored_bytes;
        shared->stats.blocks++;
        shared->stats.bytes_in += bytes_in(block);
        shared->stats.bytes_stored += commit->stored_bytes;
        shared->stats.write_ns_total += commit->write_ns;
        push_locked(shared, &event);
    }
    pthread_mutex_unlock(&shared->lock);
}

void log_count_sync(struct log_shared *shared, uint64_t ns)
{
    pthread_mutex_lock(&shared->lock);
    shared->stats.syncs++;
    shared->stats.sync_ns_total += ns;
    if (ns > shared->stats.sync_ns_max) shared->stats.sync_ns_max = ns;
    pthread_mutex_unlock(&shared->lock);
}

void log_count_fetch(struct log_shared *shared, uint64_t ns)
{
    pthread_mutex_lock(&shared->lock);
    shared->stats.fetches++;
    shared->stats.fetch_ns_total += ns;
    pthread_mutex_unlock(&shared->lock);
}

void log_shared_tail(struct log_shared *shared, struct log_tail *out)
{
    pthread_mutex_lock(&shared->lock);
    *out = shared->tail;
    pthread_mutex_unlock(&shared->lock);
}

uint64_t log_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
