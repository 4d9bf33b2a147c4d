/* A recovery reads the newest snapshot and the blocks after it; this reads all of them. The oldest block that is left has nothing before it
 * to be held against, so the chain begins with what it says of its predecessor. */
#include "coordinator/log/log_verify.h"
#include "coordinator/log/rocks_log.h"
#include "coordinator/log/verify_parts.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct verifying {
    struct log_verified *out;
    struct verify_parts parts;
};

static bool count_slice(void *arg, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    struct log_verified *out = arg;
    (void)block;
    (void)out_bad;
    out->snapshot_slices += from_snapshot;
    return true;
}

static bool count_block(void *arg, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    struct verifying *v = arg;
    struct log_verified *out = v->out;
    (void)from_snapshot;
    if (out->blocks == 0) v->parts.first_position = block->first_position;
    if (!verify_parts_block(&v->parts, block, out_bad)) return false;
    out->large_events = v->parts.events;
    if (out->blocks++ == 0) {
        out->first_position = block->first_position;
        out->first_number = block->number;
    }
    out->records += block->record_count;
    out->last_position = block_last_position(block);
    out->last_number = block->number;
    return true;
}

static void file_of(void *owner, uint64_t position, bool from_snapshot, char *out)
{
    struct rocks_log *r = owner;
    (void)from_snapshot;
    rocks_store_file_of(&r->store, position, out);
}

/* Before the first block: where the log would stand if that block is right about it. */
static void begin_chain(struct log_place *place, struct span stored)
{
    struct block_header header;
    if (block_read_header(stored, &header) != BLOCK_LOADED || header.number <= 1) return; /* damage is told by the load that follows */
    place->number = header.number - 1;
    place->position = header.first_position - 1;
    memcpy(place->hash, header.hash_before, sizeof place->hash);
}

static enum log_status follow_all(struct rocks_log *r, struct log_recovery *recovery, struct log_verified *out)
{
    char why[ROCKS_ERROR_BYTES];
    struct rocks_cursor cursor;
    struct span stored;
    uint64_t position;
    enum log_status status = LOG_OK;
    rocks_cursor_open(&cursor, &r->store, r->source_last);
    rocks_cursor_seek(&cursor, 0);
    while (status == LOG_OK && rocks_cursor_block(&cursor, &position, &stored, why)) {
        if (out->blocks == 0) begin_chain(&recovery->place, stored);
        status = log_recovery_block(recovery, stored, position, false);
        if (status == LOG_OK) out->stored_bytes += stored.size;
        rocks_cursor_next(&cursor);
    }
    if (status == LOG_OK && why[0] != 0) {
        char file[PATH_MAX];
        rocks_store_file_of(&r->store, out->last_position + 1, file);
        status = log_refuse(recovery->error, LOG_DAMAGED, "%.200s: after position %" PRIu64 ": %s", file, out->last_position, why);
    }
    rocks_cursor_close(&cursor);
    return status;
}

enum log_status log_verify_rocksdb(const char *directory, struct log_verified *out, struct log_error *error)
{
    struct log_config config = { .directory = directory, .read_only = true };
    *out = (struct log_verified){ 0 };
    error->status = LOG_OK;
    struct log *log = log_open_rocksdb(&config, error);
    if (!log) return error->status;
    struct rocks_log *r = rocks_of(log);
    struct block into;
    struct verifying verifying = { .out = out };
    struct log_recovery recovery = {
        .coder = &r->reader_coder,
        .into = &into,
        .log_id = log->identity.log_id,
        .call = count_block,
        .arg = &verifying,
        .error = error,
        .file_of = file_of,
        .owner = r,
    };
    memcpy(out->epoch, log->identity.epoch, sizeof out->epoch);
    void *memory = malloc(block_memory());
    enum log_status status = memory ? LOG_OK : log_refuse(error, LOG_IO, "no memory to verify with");
    if (memory) block_init(&into, memory);
    uint64_t snapshot_number = r->newest.fd >= 0 ? r->newest.place.number : 0;
    if (status == LOG_OK) status = log_recover(log, count_slice, out, error); /* the snapshot; the blocks after it are read twice */
    if (status == LOG_OK) status = follow_all(r, &recovery, out);
    if (verifying.parts.no_memory) status = log_refuse(error, LOG_IO, "no memory to verify with");
    if (status == LOG_OK && out->last_number < snapshot_number) /* a trim leaves what is after the second newest snapshot */
        status = log_refuse(error, LOG_LOST,
                            "%.250s: the newest snapshot was made after block %" PRIu64 ", but the last block there is %" PRIu64
                            ": blocks are missing",
                            directory, snapshot_number, out->last_number);
    verify_parts_free(&verifying.parts);
    free(memory);
    log_close(&log);
    return status;
}
