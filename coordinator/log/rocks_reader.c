/* The reader thread: answers fetches from the database, and above it from what a read-only log wrote to memory. It sees what is committed
 * and nothing else. */
#include "coordinator/log/rocks_log.h"

#include <inttypes.h>

void rocks_fetch(struct log *log, const struct log_wanted *wanted)
{
    struct rocks_log *r = rocks_of(log);
    pthread_mutex_lock(&r->lock);
    r->fetches[(r->fetch_head + r->fetch_count++) % log->config.fetches_max] = *wanted;
    pthread_cond_signal(&r->reader_due);
    pthread_mutex_unlock(&r->lock);
}

static bool wait_for_fetch(struct rocks_log *r, struct log_wanted *out)
{
    pthread_mutex_lock(&r->lock);
    while (r->fetch_count == 0 && !r->reader_stops)
        pthread_cond_wait(&r->reader_due, &r->lock);
    bool found = r->fetch_count > 0;
    if (found) {
        *out = r->fetches[r->fetch_head];
        r->fetch_head = (r->fetch_head + 1) % r->log.config.fetches_max;
        r->fetch_count--;
    }
    pthread_mutex_unlock(&r->lock);
    return found;
}

static void load(struct rocks_log *r, struct span stored, uint64_t position, const struct log_wanted *wanted, struct log_event *event)
{
    char why[LOG_WHY_BYTES], file[PATH_MAX];
    struct block_header header;
    event->kind = LOG_FETCHED;
    if (log_coder_load(&r->reader_coder, stored, r->log.identity.log_id, wanted->into, &header, why) == LOG_OK) return;
    event->kind = LOG_FETCH_FAILED;
    rocks_store_file_of(&r->store, position, file);
    log_describe(event, "%.120s: the block at position %" PRIu64 " cannot be read: %s", file, position, why);
}

/* False: nothing in the database fits. */
static bool read_below(struct rocks_log *r, const struct log_wanted *wanted, uint64_t seen, struct log_event *event)
{
    struct rocks_cursor cursor;
    uint64_t position;
    struct span stored;
    char why[ROCKS_ERROR_BYTES];
    rocks_cursor_open(&cursor, &r->store, seen);
    if (wanted->before)
        rocks_cursor_seek_before(&cursor, wanted->position);
    else
        rocks_cursor_seek(&cursor, wanted->position);
    bool found = rocks_cursor_block(&cursor, &position, &stored, why);
    if (found) {
        load(r, stored, position, wanted, event);
    } else if (why[0] != 0) {
        found = true;
        event->kind = LOG_FETCH_FAILED;
        log_describe(event, "%.80s: reading at position %" PRIu64 ": %.140s", r->store.path, wanted->position, why);
    }
    rocks_cursor_close(&cursor);
    return found;
}

static bool read_above(struct rocks_log *r, const struct log_wanted *wanted, uint64_t seen, struct log_event *event)
{
    pthread_mutex_lock(&r->overlay_lock);
    const struct stored_block *found = stored_blocks_wanted(&r->overlay, wanted->position, wanted->before, seen);
    struct stored_block block = found != NULL ? *found : (struct stored_block){ 0 };
    pthread_mutex_unlock(&r->overlay_lock);
    if (found == NULL) return false;
    load(r, stored_block_span(&block), block.first, wanted, event); /* its bytes stay where they are */
    return true;
}

static void answer(struct rocks_log *r, const struct log_wanted *wanted)
{
    struct log_event event = { .kind = LOG_FETCH_NOTHING, .position = wanted->position, .block = wanted->into };
    struct log_tail tail;
    log_tail(&r->log, &tail);
    uint64_t begun = log_clock_ns();
    if (!r->log.config.read_only) {
        read_below(r, wanted, tail.last_position, &event);
    } else if (wanted->before) {
        if (!read_above(r, wanted, tail.last_position, &event)) read_below(r, wanted, r->source_last, &event);
    } else if (!read_below(r, wanted, r->source_last, &event)) {
        read_above(r, wanted, tail.last_position, &event);
    }
    log_count_fetch(&r->log.shared, log_clock_ns() - begun);
    log_push(&r->log.shared, &event);
}

void *rocks_reader_run(void *rocks_log)
{
    struct rocks_log *r = rocks_log;
    struct log_wanted wanted;
    while (wait_for_fetch(r, &wanted))
        answer(r, &wanted);
    return NULL;
}
