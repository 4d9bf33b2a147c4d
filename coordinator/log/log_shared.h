/* What the threads of a log share: the events on their way to the caller, what is committed, the figures, and whether it has failed. One
 * lock, held for a few instructions; one wake of the eventfd per batch of events. Private to coordinator/log. A block becomes visible to
 * readers in the same hold of the lock that queues its LOG_COMMITTED, so no fetch can answer with a block whose commit the caller has not
 * been told. */
#ifndef WEIR_LOG_SHARED_H
#define WEIR_LOG_SHARED_H

#include "coordinator/log/log.h"

#include <pthread.h>

struct log_shared {
    pthread_mutex_t lock;
    struct log_event *ring;
    uint32_t capacity, head, count;
    int fd;
    bool signalled, failed;
    struct log_tail tail;
    struct log_stats stats;
};

/* Room for `capacity` events: the most that can be under way. False: out of memory or file handles. */
bool log_shared_init(struct log_shared *shared, uint32_t capacity);
void log_shared_free(struct log_shared *shared);

void log_push(struct log_shared *shared, const struct log_event *event);
bool log_pop(struct log_shared *shared, struct log_event *out_event);
void log_wake(struct log_shared *shared); /* makes the eventfd readable without an event */

/* Writes event->text; what does not fit is cut off. */
void log_describe(struct log_event *event, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The log stops: one LOG_FAILED, whoever calls first. */
void log_fail(struct log_shared *shared, uint64_t number, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool log_failed(struct log_shared *shared);

struct log_commit {
    const struct block *block;
    uint64_t stored_bytes, write_ns;
};
/* The block is as durable as configured: it counts from now on. Nothing happens when the log has failed. */
void log_commit(struct log_shared *shared, const struct log_commit *commit);

void log_count_sync(struct log_shared *shared, uint64_t ns);
void log_count_fetch(struct log_shared *shared, uint64_t ns);
void log_shared_tail(struct log_shared *shared, struct log_tail *out);

uint64_t log_clock_ns(void); /* monotonic */

#endif
