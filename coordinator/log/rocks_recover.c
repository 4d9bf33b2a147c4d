/* Handing over what the log holds. Nothing is skipped: a block that is missing, changed or foreign ends the start
 * with the file and the position, since everything after it would stand on a hole. */
#include "coordinator/log/rocks_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum log_status rocks_refuse_read(struct rocks_log *r, const char *why, struct log_error *error)
{
    enum log_status status = strncmp(why, "Corruption", 10) == 0 ? LOG_DAMAGED : LOG_IO;
    return log_refuse(error, status, "%.150s: %s; put back a copy of the data directory", r->store.path, why);
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
    if (status == LOG_OK && why[0] != 0) status = rocks_refuse_read(r, why, recovery->error);
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
