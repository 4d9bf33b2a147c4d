/* Opening what is on the disk, in an order that makes sense of it: first the newest snapshot, then the database, so that it is never the
 * older of the two; then where they end, against the completed mark. */
#include "coordinator/log/rocks_log.h"

#include <inttypes.h>

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
        status = rocks_refuse_read(r, why, error);
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

static enum log_status find_tail(struct rocks_log *r, struct rocks_found *out, struct log_error *error)
{
    bool found;
    r->place = (struct log_place){ 0 };
    enum log_status status = find_last(r, &found, error);
    if (status != LOG_OK) return status;
    bool snapshot = r->newest.fd >= 0;
    if (snapshot && !found) /* all blocks were trimmed */
        r->place = r->newest.place;
    uint64_t expected = r->directory.mark, last = r->place.position;
    if (snapshot && r->newest.place.position > expected) expected = r->newest.place.position;
    out->lost = last < expected;
    if (out->lost && !r->log.config.accept_loss)
        return log_refuse(error, LOG_LOST,
                          "%.250s: the log was complete up to position %" PRIu64 ", but its last block ends at %" PRIu64
                          ": blocks that were confirmed are missing; put back a copy, or start once with the loss accepted",
                          r->directory.path, expected, last);
    out->lost |= r->directory.mark_wrong;
    r->source_last = last;
    if (snapshot && r->newest.place.position > last) r->place = r->newest.place; /* the state is there all the same: go on after it */
    out->tail = (struct log_tail){
        .first_position = find_first(r),
        .last_position = r->place.position,
        .last_number = r->place.number,
        .last_time_ms = r->place.time_ms,
        .last_term = r->place.term,
        .bytes = rocks_store_bytes(&r->store),
        .empty = !found && !snapshot,
    };
    return LOG_OK;
}

enum log_status rocks_open(struct rocks_log *r, const char *db, struct rocks_found *out, struct log_error *error)
{
    char path[PATH_MAX];
    log_directory_path(&r->directory, "snapshots", path);
    enum log_status status = snapshot_reader_open_newest(&r->newest, path, r->log.identity.log_id, error);
    if (status != LOG_OK) return status;
    status = rocks_store_open(&r->store, db, &r->log.config, error);
    return status == LOG_OK ? find_tail(r, out, error) : status;
}
