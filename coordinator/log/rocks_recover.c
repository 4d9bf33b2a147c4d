/* What the database holds at the open, and handing it over. Nothing is skipped: a block that is missing, changed or foreign ends the start
 * with the file and the position, since everything after it would stand on a hole. */
#include "coordinator/log/rocks_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum log_status refuse_read(struct rocks_log *r, const char *why, struct log_error *error)
{
    enum log_status status = strncmp(why, "Corruption", 10) == 0 ? LOG_DAMAGED : LOG_IO;
    return log_refuse(error, status, "%.150s: %s; put back a copy of the data directory", r->store.path, why);
}

/* The last block of the database, if any, becomes r->place. */
static enum log_status find_last(struct rocks_log *r, bool *out_found, struct log_error *error)
{
    char why[ROCKS_ERROR_BYTES], file[PATH_MAX];
    struct rocks_cursor cursor;
    struct span stored;
    uint64_t position;
    struct block_header header;
    enum log_status status = LOG_OK;
    rocks_cursor_open(&cursor, &r->store, UINT64_MAX);
    rocks_cursor_seek_before(&cursor, UINT64_MAX);
    *out_found = rocks_cursor_block(&cursor, &position, &stored, why);
    if (*out_found && block_read_header(stored, &header) == BLOCK_LOADED && header.first_position == position) {
        log_place_after(&r->place, &header, stored);
    } else if (*out_found) {
        rocks_store_file_of(&r->store, position, file);
        status = log_refuse(error, LOG_DAMAGED,
                            "%.250s: the last block, at position %" PRIu64 ", has a damaged header; put back a copy of the data directory",
                            file, position);
    } else if (why[0] != 0) {
        status = refuse_read(r, why, error);
    }
    rocks_cursor_close(&cursor);
    return status;
}

static uint64_t find_first(struct rocks_log *r)
{
    char why[ROCKS_ERROR_BYTES];
    struct rocks_cursor cursor;
    struct span stored;
    uint64_t position = r->place.position + 1;
    rocks_cursor_open(&cursor, &r->store, UINT64_MAX);
    rocks_cursor_seek(&cursor, 0);
    rocks_cursor_block(&cursor, &position, &stored, why); /* whatever cannot be read there, the recovery will find */
    rocks_cursor_close(&cursor);
    return position;
}

enum log_status rocks_find_tail(struct rocks_log *r, struct log_tail *out_tail, bool *out_lost, struct log_error *error)
{
    bool found;
    enum log_status status = find_last(r, &found, error);
    if (status != LOG_OK) return status;
    bool snapshot = r->newest.fd >= 0;
    if (snapshot && !found) /* all blocks were trimmed */
        r->place = r->newest.place;
    uint64_t expected = r->directory.mark, last = r->place.position;
    if (snapshot && r->newest.place.position > expected) expected = r->newest.place.position;
    *out_lost = last < expected;
    if (*out_lost && !r->log.config.accept_loss)
        return log_refuse(error, LOG_LOST,
                          "%.250s: the log was complete up to position %" PRIu64 ", but its last block ends at %" PRIu64
                          ": blocks that were confirmed are missing; put back a copy, or start once with the loss accepted",
                          r->directory.path, expected, last);
    *out_lost |= r->directory.mark_wrong;
    r->source_last = last;
    if (snapshot && r->newest.place.position > last) r->place = r->newest.place; /* the state is there all the same: go on after it */
    *out_tail = (struct log_tail){
        .first_position = find_first(r),
        .last_position = r->place.position,
        .last_number = r->place.number,
        .last_time_ms = r->place.time_ms,
        .bytes = rocks_store_bytes(&r->store),
        .empty = !found && !snapshot,
    };
    return LOG_OK;
}

static enum log_status recover_snapshot(struct rocks_log *r, struct log_recovery *recovery)
{
    uint8_t *buffer = r->reader_coder.out; /* not storing: its room is free */
    struct span slice;
    for (;;) {
        enum log_status status = snapshot_reader_next(&r->newest, buffer, r->reader_coder.out_size, &slice, recovery->error);
        if (status != LOG_OK || slice.size == 0) break;
        status = log_recovery_block(recovery, slice, r->newest.position, true);
        if (status != LOG_OK) return status;
    }
    if (recovery->error->status == LOG_OK && memcmp(recovery->place.hash, r->newest.last_hash, BLOCK_HASH_BYTES) != 0)
        log_refuse(recovery->error, LOG_DAMAGED, "%s: slices are missing; move this file away to start from the snapshot before it",
                   r->newest.path);
    return recovery->error->status;
}

static enum log_status recover_blocks(struct rocks_log *r, struct log_recovery *recovery, uint64_t after)
{
    char why[ROCKS_ERROR_BYTES];
    struct rocks_cursor cursor;
    struct span stored;
    uint64_t position;
    enum log_status status = LOG_OK;
    rocks_cursor_open(&cursor, &r->store, r->source_last);
    rocks_cursor_seek(&cursor, after + 1);
    while (status == LOG_OK && rocks_cursor_block(&cursor, &position, &stored, why)) {
        status = log_recovery_block(recovery, stored, position, false);
        rocks_cursor_next(&cursor);
    }
    if (status == LOG_OK && why[0] != 0) status = refuse_read(r, why, recovery->error);
    rocks_cursor_close(&cursor);
    return status;
}

static void file_of(void *owner, uint64_t position, bool from_snapshot, char *out)
{
    struct rocks_log *r = owner;
    if (from_snapshot)
        snprintf(out, LOG_FILE_BYTES, "%s", r->newest.path);
    else
        rocks_store_file_of(&r->store, position, out);
}

enum log_status rocks_recover(struct log *log, log_recover_block call, void *arg, struct log_error *error)
{
    struct rocks_log *r = rocks_of(log);
    void *memory = malloc(block_memory());
    if (memory == NULL) return log_refuse(error, LOG_IO, "no memory to recover with");
    struct block into;
    block_init(&into, memory);
    struct log_recovery recovery = {
        .coder = &r->reader_coder,
        .into = &into,
        .log_id = log->identity.log_id,
        .call = call,
        .arg = arg,
        .error = error,
        .file_of = file_of,
        .owner = r,
    };
    error->status = LOG_OK;
    uint64_t after = 0;
    enum log_status status = LOG_OK;
    if (r->newest.fd >= 0) {
        status = recover_snapshot(r, &recovery);
        after = r->newest.position;
        recovery.place = r->newest.place;
    }
    if (status == LOG_OK) status = recover_blocks(r, &recovery, after);
    snapshot_reader_close(&r->newest);
    free(memory);
    return status;
}
