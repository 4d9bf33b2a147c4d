/* RocksDB as weir uses it. Keys only grow, so files move down the levels without being rewritten and a trim drops them whole; blocks are
 * compressed before they come here, so RocksDB does not compress again; its checksums stay on. What was measured to matter: bytes_per_sync
 * (the flush shares the disk with the commits), and max_total_wal_size (else a column family that is seldom flushed keeps every write-ahead
 * log alive). */
#include "coordinator/log/rocks_store.h"
#include "coordinator/log/log_ops.h"
#include "sdk/base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAL_BYTES_MAX = 256 << 20, /* replayed at a start: about a second per 256 MiB */
    SYNC_STEP_BYTES = 1 << 20,
    OPEN_FILES = 512, /* a reader keeps all of them: -1 */
    INFO_LOG_BYTES = 4 << 20,
    INFO_LOG_NONE = 6, /* above all its levels */
    POINT_IN_TIME = 2, /* recovery stops at the first torn write; the completed mark says whether that was too early */
};

static const char *const family_names[ROCKS_CF_COUNT] = { "default", "log" };

static void key_of(uint64_t position, char key[8])
{
    for (int i = 0; i < 8; i++)
        key[i] = (char)(uint8_t)(position >> (56 - 8 * i));
}

static uint64_t position_of(const char *key)
{
    uint64_t position = 0;
    for (int i = 0; i < 8; i++)
        position = position << 8 | (uint8_t)key[i];
    return position;
}

/* Moves RocksDB's text into why. False when there was one. */
static bool fine(char *error, char *why)
{
    if (error == NULL) return true;
    snprintf(why, ROCKS_ERROR_BYTES, "%s", error);
    rocksdb_free(error);
    return false;
}

static void make_options(struct rocks_store *store, const struct log_config *config)
{
    rocksdb_options_t *o = store->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(o, !config->read_only);
    rocksdb_options_set_create_missing_column_families(o, !config->read_only);
    rocksdb_options_set_compression(o, rocksdb_no_compression);
    rocksdb_options_set_write_buffer_size(o, config->write_buffer_bytes);
    rocksdb_options_set_bytes_per_sync(o, SYNC_STEP_BYTES);
    rocksdb_options_set_max_total_wal_size(o, WAL_BYTES_MAX);
    rocksdb_options_set_wal_recovery_mode(o, POINT_IN_TIME);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_keep_log_file_num(o, 4);
    rocksdb_options_set_max_log_file_size(o, INFO_LOG_BYTES);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_max_open_files(o, config->read_only ? -1 : OPEN_FILES);
    /* The second line of its log that finds no room on the disk is a failed assertion, which would end us without a word. */
    rocksdb_options_set_info_log_level(o, INFO_LOG_NONE);
    if (config->read_only) rocksdb_options_set_db_log_dir(o, "/dev/null"); /* no info log: it would take the place of the writer's */
    store->cache = rocksdb_cache_create_lru(config->cache_bytes);
    store->table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(store->table, store->cache);
    rocksdb_options_set_block_based_table_factory(o, store->table);
    store->unsynced = rocksdb_writeoptions_create();
    store->synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(store->synced, 1);
}

static enum log_status refuse_open(const struct rocks_store *store, const char *why, struct log_error *error)
{
    bool held = strstr(why, "Resource temporarily unavailable") != NULL || strstr(why, "lock hold by current process") != NULL;
    if (strstr(why, "/LOCK") != NULL && held)
        return log_refuse(error, LOG_IN_USE, "%s: another process has the database open (%s); stop that one first", store->path, why);
    if (strstr(why, "Permission denied") != NULL || strstr(why, "Read-only file system") != NULL)
        return log_refuse(error, LOG_NOT_WRITABLE, "%s: %s; give the coordinator's user the right to write there", store->path, why);
    if (strncmp(why, "Corruption", 10) == 0)
        return log_refuse(error, LOG_DAMAGED, "%s: %s; put back a copy of the data directory", store->path, why);
    return log_refuse(error, LOG_IO, "%s: %s", store->path, why);
}

static bool open_database(struct rocks_store *store, bool read_only, char *why)
{
    char *failure = NULL;
    const rocksdb_options_t *const options[ROCKS_CF_COUNT] = { store->options, store->options };
    store->db = read_only ? rocksdb_open_for_read_only_column_families(store->options, store->path, ROCKS_CF_COUNT, family_names, options,
                                                                       store->families, 0, &failure)
                          : rocksdb_open_column_families(store->options, store->path, ROCKS_CF_COUNT, family_names, options,
                                                         store->families, &failure);
    return fine(failure, why);
}

static void close_database(struct rocks_store *store)
{
    for (int i = 0; i < ROCKS_CF_COUNT; i++)
        rocksdb_column_family_handle_destroy(store->families[i]);
    rocksdb_close(store->db);
    store->db = NULL;
}

enum log_status rocks_store_open(struct rocks_store *store, const char *path, const struct log_config *config, struct log_error *error)
{
    *store = (struct rocks_store){ 0 };
    snprintf(store->path, sizeof store->path, "%s", path);
    make_options(store, config);
    char why[ROCKS_ERROR_BYTES];
    if (open_database(store, config->read_only, why)) return LOG_OK;
    enum log_status status = refuse_open(store, why, error);
    rocks_store_close(store);
    return status;
}

void rocks_store_close(struct rocks_store *store)
{
    if (store->options == NULL) return;
    if (store->db != NULL) close_database(store);
    rocksdb_writeoptions_destroy(store->synced);
    rocksdb_writeoptions_destroy(store->unsynced);
    rocksdb_options_destroy(store->options);
    rocksdb_block_based_options_destroy(store->table);
    rocksdb_cache_destroy(store->cache);
    store->options = NULL;
}

bool rocks_store_put(struct rocks_store *store, uint64_t position, struct span stored, bool sync, char *why)
{
    char key[8], *failure = NULL;
    key_of(position, key);
    rocksdb_put_cf(store->db, sync ? store->synced : store->unsynced, store->families[ROCKS_CF_LOG], key, sizeof key,
                   (const char *)stored.data, stored.size, &failure);
    return fine(failure, why);
}

bool rocks_store_sync(struct rocks_store *store, char *why)
{
    char *failure = NULL;
    rocksdb_flush_wal(store->db, 1, &failure);
    return fine(failure, why);
}

bool rocks_store_trim(struct rocks_store *store, uint64_t first_kept, char *why)
{
    if (first_kept == 0) return true;
    char first[8], last[8], *failure = NULL;
    key_of(0, first);
    key_of(first_kept - 1, last); /* inclusive */
    rocksdb_delete_file_in_range_cf(store->db, store->families[ROCKS_CF_LOG], first, sizeof first, last, sizeof last, &failure);
    return fine(failure, why);
}

uint64_t rocks_store_bytes(struct rocks_store *store)
{
    uint64_t files = 0, memory = 0;
    rocksdb_property_int_cf(store->db, store->families[ROCKS_CF_LOG], "rocksdb.live-sst-files-size", &files);
    rocksdb_property_int_cf(store->db, store->families[ROCKS_CF_LOG], "rocksdb.cur-size-all-mem-tables", &memory);
    return files + memory;
}

/* The files of the log. */
struct files {
    const rocksdb_livefiles_t *live;
    int next;
    uint64_t first, last; /* positions in the one at hand */
    int level;
    const char *name;
};

static struct files files_list(struct rocks_store *store)
{
    return (struct files){ .live = rocksdb_livefiles(store->db) };
}

/* False: that were all, and the list is freed. */
static bool files_next(struct files *f)
{
    size_t size;
    for (int i = f->next; i < rocksdb_livefiles_count(f->live); i++) {
        if (strcmp(rocksdb_livefiles_column_family_name(f->live, i), family_names[ROCKS_CF_LOG]) != 0) continue;
        f->first = position_of(rocksdb_livefiles_smallestkey(f->live, i, &size));
        f->last = position_of(rocksdb_livefiles_largestkey(f->live, i, &size));
        f->level = rocksdb_livefiles_level(f->live, i);
        f->name = rocksdb_livefiles_name(f->live, i);
        f->next = i + 1;
        return true;
    }
    rocksdb_livefiles_destroy(f->live);
    return false;
}

void rocks_store_file_of(struct rocks_store *store, uint64_t position, char *out)
{
    snprintf(out, PATH_MAX, "the write-ahead log in %.4000s", store->path);
    for (struct files files = files_list(store); files_next(&files);)
        if (position >= files.first && position <= files.last) snprintf(out, PATH_MAX, "%.4000s%.90s", store->path, files.name);
}

uint64_t rocks_store_last_filed(struct rocks_store *store)
{
    uint64_t last = 0;
    for (struct files files = files_list(store); files_next(&files);)
        if (files.last > last) last = files.last;
    return last;
}

void rocks_cursor_open(struct rocks_cursor *cursor, struct rocks_store *store, uint64_t last)
{
    cursor->last = last;
    cursor->options = rocksdb_readoptions_create();
    if (last < UINT64_MAX) {
        key_of(last + 1, cursor->upper);
        rocksdb_readoptions_set_iterate_upper_bound(cursor->options, cursor->upper, sizeof cursor->upper);
    }
    cursor->iterator = rocksdb_create_iterator_cf(store->db, cursor->options, store->families[ROCKS_CF_LOG]);
}

void rocks_cursor_close(struct rocks_cursor *cursor)
{
    rocksdb_iter_destroy(cursor->iterator);
    rocksdb_readoptions_destroy(cursor->options);
}

void rocks_cursor_seek_before(struct rocks_cursor *cursor, uint64_t position)
{
    char key[8];
    key_of(position < cursor->last ? position : cursor->last, key);
    rocksdb_iter_seek_for_prev(cursor->iterator, key, sizeof key);
}

static bool ends_before(struct span stored, uint64_t position)
{
    struct block_header header; /* one that cannot be read counts as holding the position: loading it will say what is wrong */
    enum block_load load = block_read_header(stored, &header);
    return load == BLOCK_LOADED && block_header_last(&header) < position;
}

void rocks_cursor_seek(struct rocks_cursor *cursor, uint64_t position)
{
    char key[8], why[ROCKS_ERROR_BYTES];
    uint64_t first;
    struct span stored;
    rocks_cursor_seek_before(cursor, position);
    if (rocks_cursor_block(cursor, &first, &stored, why)) {
        if (ends_before(stored, position)) rocksdb_iter_next(cursor->iterator);
    } else if (why[0] == 0) {
        key_of(position, key);
        rocksdb_iter_seek(cursor->iterator, key, sizeof key);
    }
}

void rocks_cursor_next(struct rocks_cursor *cursor)
{
    rocksdb_iter_next(cursor->iterator);
}

bool rocks_cursor_block(struct rocks_cursor *cursor, uint64_t *out_position, struct span *out_stored, char *why)
{
    why[0] = 0;
    if (!rocksdb_iter_valid(cursor->iterator)) {
        char *failure = NULL;
        rocksdb_iter_get_error(cursor->iterator, &failure);
        fine(failure, why);
        return false;
    }
    size_t size;
    const char *key = rocksdb_iter_key(cursor->iterator, &size);
    must(size == 8);
    *out_position = position_of(key);
    const char *value = rocksdb_iter_value(cursor->iterator, &size);
    *out_stored = span_of(value, size);
    return true;
}

bool rocks_store_trim_place(struct rocks_store *store, uint64_t first_kept, uint64_t *out, char *why)
{
    uint64_t place = first_kept, last_dropped = 0, next;
    for (struct files files = files_list(store); files_next(&files);) {
        bool dropped = files.level > 0 && files.last < first_kept;
        if (!dropped && files.first < place) place = files.first;
        if (dropped && files.last > last_dropped) last_dropped = files.last;
    }
    struct rocks_cursor cursor; /* what follows the last file to be dropped may be in no file yet */
    struct span stored;
    rocks_cursor_open(&cursor, store, UINT64_MAX);
    rocks_cursor_seek(&cursor, last_dropped);
    if (last_dropped > 0) rocks_cursor_next(&cursor);
    if (rocks_cursor_block(&cursor, &next, &stored, why) && next < place) place = next;
    rocks_cursor_close(&cursor);
    *out = place;
    return why[0] == 0;
}
