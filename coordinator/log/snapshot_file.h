/* A snapshot as a file: DIR/snapshots/<position, 20 digits>.snapshot. Private to coordinator/log. Files rather than a column family: a
 * snapshot then never takes part in the log's syncs, flushes and files, and it can be looked at, copied and removed by itself.
 *
 *   head (64 bytes)     "WEIRSNAP", format u32, 0 u32, log id u64, position u64, zeros; its last 16 bytes are the hash of those before
 *   slices              blocks as stored, one after another, chained by their hashes from zero on
 *   end (96 bytes)      "WEIRSEND", slices u32, 0 u32, the log's place: position u64, number u64, time u64, hash 16; hash of the last
 *                       slice 16, zeros; its last 16 bytes are the hash of those before
 * Little-endian. Written under a name that ends in ".new", synced, then renamed: a file with the final name is complete. */
#ifndef WEIR_LOG_SNAPSHOT_FILE_H
#define WEIR_LOG_SNAPSHOT_FILE_H

#include "coordinator/log/log_chain.h"

#include <limits.h>
#include <stdio.h>

enum { SNAPSHOT_FORMAT = 1 };

struct snapshot_writer {
    char path[PATH_MAX]; /* the final name */
    int fd;              /* -1: none under way */
    uint64_t position;
    uint32_t slices;
    struct log_place chain;
};

/* Each: false with errno; abandon then. */
bool snapshot_writer_begin(struct snapshot_writer *writer, const char *folder, uint64_t log_id, uint64_t position);
bool snapshot_writer_slice(struct snapshot_writer *writer, struct log_coder *coder, uint64_t log_id, const struct block *slice);
bool snapshot_writer_end(struct snapshot_writer *writer, const struct log_place *place);
void snapshot_writer_abandon(struct snapshot_writer *writer); /* fine when none is under way */

struct snapshot_reader {
    char path[PATH_MAX];
    int fd;                       /* -1: there is none */
    uint64_t position, next, end; /* next, end: offsets of slices */
    struct log_place place;
    uint8_t last_hash[BLOCK_HASH_BYTES];
};

/* Opens the newest; it can be read to its end even when it is removed meanwhile. LOG_OK with fd -1: there is none. */
enum log_status snapshot_reader_open_newest(struct snapshot_reader *reader, const char *folder, uint64_t log_id, struct log_error *error);
/* The next slice's stored bytes into buffer. LOG_OK with size 0: that was all. */
enum log_status snapshot_reader_next(struct snapshot_reader *reader, uint8_t *buffer, size_t buffer_size, struct span *out,
                                     struct log_error *error);
void snapshot_reader_close(struct snapshot_reader *reader);

/* Positions of the newest two, 0 for those that are not there (a snapshot at 0 is as good as none). False: errno. */
bool snapshots_newest(const char *folder, uint64_t out_positions[2]);
/* Removes all but the newest two, and what was never completed. False: errno. */
bool snapshots_tidy(const char *folder);

#endif
