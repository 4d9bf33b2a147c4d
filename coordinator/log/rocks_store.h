/* The RocksDB database DIR/db as an ordered store of blocks: key = first position, big-endian; value = stored block. All that knows
 * RocksDB's API. No threads of its own beyond RocksDB's; put, sync, cursors and trim may be called at the same time. Private to
 * coordinator/log. */
#ifndef WEIR_LOG_ROCKS_STORE_H
#define WEIR_LOG_ROCKS_STORE_H

#include "coordinator/log/log.h"
#include "coordinator/log/log_chain.h"

#include <limits.h>
#include <rocksdb/c.h>

enum { ROCKS_CF_DEFAULT, ROCKS_CF_LOG, ROCKS_CF_COUNT };
enum { ROCKS_ERROR_BYTES = 200 };

struct rocks_store {
    char path[PATH_MAX];
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[ROCKS_CF_COUNT];
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table;
    rocksdb_cache_t *cache;
    rocksdb_writeoptions_t *synced, *unsynced;
};

/* Read-only: a view of this moment, of a database in use too; it holds all its files open, so a trim takes nothing away from it. A writer
 * that flushes or drops files in that very moment can make it fail, or leave a hole (rocks_view.c). */
enum log_status rocks_store_open(struct rocks_store *store, const char *path, const struct log_config *config, struct log_error *error);
void rocks_store_close(struct rocks_store *store); /* no cursor may be open */

/* False: RocksDB's reason in `why` (ROCKS_ERROR_BYTES); the outcome is unknown, and every later write will fail too. */
bool rocks_store_put(struct rocks_store *store, uint64_t position, struct span stored, bool sync, char *why);
bool rocks_store_sync(struct rocks_store *store, char *why);

/* Drops whole files with blocks that begin before `first_kept` only. Files of level 0 (the newest four) stay. */
bool rocks_store_trim(struct rocks_store *store, uint64_t first_kept, char *why);
/* Where the first block begins that such a trim leaves now: no file that it drops has one from there on. */
bool rocks_store_trim_place(struct rocks_store *store, uint64_t first_kept, uint64_t *out, char *why);

uint64_t rocks_store_bytes(struct rocks_store *store); /* files and memory, about */

/* Where the last block begins that is in a file, not only in the write-ahead log; 0 when there is none. */
uint64_t rocks_store_last_filed(struct rocks_store *store);

/* The file a block is in, for texts. out has PATH_MAX bytes. */
void rocks_store_file_of(struct rocks_store *store, uint64_t position, char *out);

/* Reads blocks that begin at or before `last`. One thread; end it soon: it keeps files alive. */
struct rocks_cursor {
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *iterator;
    uint64_t last;
    char upper[8];
};
void rocks_cursor_open(struct rocks_cursor *cursor, struct rocks_store *store, uint64_t last);
void rocks_cursor_close(struct rocks_cursor *cursor);
void rocks_cursor_seek(struct rocks_cursor *cursor, uint64_t position);        /* the block that holds position, else the first after it */
void rocks_cursor_seek_before(struct rocks_cursor *cursor, uint64_t position); /* the last that begins at or before position */
void rocks_cursor_next(struct rocks_cursor *cursor);
/* The block it stands on, lent until it moves. False: there is none, or (why not empty) it cannot be read. */
bool rocks_cursor_block(struct rocks_cursor *cursor, uint64_t *out_position, struct span *out_stored, char *why);

#endif
