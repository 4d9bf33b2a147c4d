/* The log over a memory disk. Without threads, so that the same calls always give the same answers: work is noted by the calls
 * and done in the pump of the next poll, writes first and in order. */
#include "coordinator/log/log_memory.h"
#include "coordinator/log/log_ops.h"
#include "coordinator/log/memory_disk.h"
#include "sdk/base/must.h"

#include <stdio.h>
#include <stdlib.h>

struct pending_write {
    struct block *block;
    size_t size;
    bool fails;
};

struct memory_log {
    struct log log;
    struct memory_disk *disk;
    bool owns_disk, held, write_failed;
    struct log_coder coder;
    struct log_place place;       /* after the last write */
    uint64_t source_last;         /* read-only: what of the disk is seen */
    struct stored_blocks overlay; /* read-only: what is written above it */
    struct pending_write *writes; /* rings */
    uint32_t write_head, write_count;
    struct log_wanted *fetches;
    uint32_t fetch_head, fetch_count;
    struct memory_snapshot filling;
    struct log_place filling_place; /* the chain of its slices */
    uint64_t snapshot_after;        /* the block that its end waits for */
    bool snapshot_full;             /* no room for a slice */
    uint64_t place_position, trim_position;
    bool place_due, trim_due;
};

static struct memory_log *memory_of(struct log *log)
{
    return (struct memory_log *)log;
}

static struct stored_blocks *target(struct memory_log *m)
{
    return m->log.config.read_only ? &m->overlay : &m->disk->blocks;
}

static void memory_submit(struct log *log, struct block *block)
{
    struct memory_log *m = memory_of(log);
    struct pending_write *write = &m->writes[(m->write_head + m->write_count++) % log->config.submits_max];
    write->block = block;
    write->size = log_coder_store(&m->coder, block, log->identity.log_id, &m->place);
    bool stopped = m->write_failed; /* nothing is written behind what failed */
    write->fails = stopped || (!log->config.read_only && memory_disk_write_fails(m->disk));
    bool reaches_disk = !stopped && (!write->fails || m->disk->fail_kept);
    if (reaches_disk &&
        !stored_blocks_append(target(m), block->first_position, block_last_position(block), span_of(m->coder.out, write->size)))
        write->fails = true; /* it is full */
    m->write_failed = write->fails;
    if (!m->held) log_wake(&log->shared);
}

/* Blocks of the disk that are committed. */
static size_t committed(const struct memory_log *m)
{
    struct log_tail tail;
    log_tail(&m->log, &tail);
    return stored_blocks_find(&m->disk->blocks, tail.last_position + 1);
}

static void complete_write(struct memory_log *m, const struct pending_write *write)
{
    struct log *log = &m->log;
    if (log_failed(&log->shared)) return;
    if (write->fails) {
        log_fail(&log->shared, write->block->number, "memory disk: writing block %llu failed, its outcome is unknown until the next start",
                 (unsigned long long)write->block->number);
        return;
    }
    log_commit(&log->shared, &(struct log_commit){ .block = write->block, .stored_bytes = write->size });
    if (!log->config.read_only && log->config.durability == LOG_FSYNC) log_memory_sync(log);
}

static void complete_oldest(struct memory_log *m)
{
    struct pending_write write = m->writes[m->write_head];
    m->write_head = (m->write_head + 1) % m->log.config.submits_max;
    m->write_count--;
    complete_write(m, &write);
}

static void complete_writes(struct memory_log *m)
{
    while (m->write_count > 0 && !m->held)
        complete_oldest(m);
}

static const struct stored_block *find(struct memory_log *m, const struct log_wanted *wanted)
{
    struct log_tail tail;
    log_tail(&m->log, &tail);
    uint64_t source_seen = m->log.config.read_only ? m->source_last : tail.last_position;
    const struct stored_block *below = stored_blocks_wanted(&m->disk->blocks, wanted->position, wanted->before, source_seen);
    if (below != NULL && !wanted->before) return below;
    const struct stored_block *above = stored_blocks_wanted(&m->overlay, wanted->position, wanted->before, tail.last_position);
    return above != NULL ? above : below;
}

static void complete_fetch(struct memory_log *m, const struct log_wanted *fetch)
{
    struct log_event event = { .kind = LOG_FETCH_NOTHING, .position = fetch->position, .block = fetch->into };
    const struct stored_block *found = find(m, fetch);
    if (found != NULL) {
        struct block_header header;
        char why[LOG_WHY_BYTES];
        event.kind = LOG_FETCHED;
        if (log_coder_load(&m->coder, stored_block_span(found), m->log.identity.log_id, fetch->into, &header, why) != LOG_OK) {
            event.kind = LOG_FETCH_FAILED;
            log_describe(&event, "memory disk: the block at position %llu: %s", (unsigned long long)found->first, why);
        }
    }
    log_count_fetch(&m->log.shared, 0);
    log_push(&m->log.shared, &event);
}

static void complete_fetches(struct memory_log *m)
{
    while (m->fetch_count > 0) {
        struct log_wanted fetch = m->fetches[m->fetch_head];
        m->fetch_head = (m->fetch_head + 1) % m->log.config.fetches_max;
        m->fetch_count--;
        complete_fetch(m, &fetch);
    }
}

static void memory_fetch(struct log *log, const struct log_wanted *wanted)
{
    struct memory_log *m = memory_of(log);
    m->fetches[(m->fetch_head + m->fetch_count++) % log->config.fetches_max] = *wanted;
    log_wake(&log->shared);
}

static void memory_snapshot_begin(struct log *log, uint64_t position)
{
    struct memory_log *m = memory_of(log);
    m->filling = (struct memory_snapshot){ .position = position };
    stored_blocks_init(&m->filling.slices, m->disk->bytes_max);
    m->filling_place = (struct log_place){ 0 };
    m->snapshot_full = false;
}

static void memory_snapshot_slice(struct log *log, const struct block *slice)
{
    struct memory_log *m = memory_of(log);
    size_t size = log_coder_store(&m->coder, slice, log->identity.log_id, &m->filling_place);
    uint64_t index = m->filling.slices.count;
    if (!stored_blocks_append(&m->filling.slices, index, index, span_of(m->coder.out, size))) m->snapshot_full = true;
}

static void memory_snapshot_abandon(struct log *log)
{
    memory_snapshot_free(&memory_of(log)->filling);
}

static void memory_snapshot_end(struct log *log, uint64_t last_number)
{
    memory_of(log)->snapshot_after = last_number;
    log_wake(&log->shared);
}

/* The log's place at a position: after the last block that ends there or before. */
static void place_at(struct memory_log *m, uint64_t position, struct log_place *place)
{
    const struct stored_blocks *blocks = &m->disk->blocks;
    size_t after = stored_blocks_find(blocks, position + 1);
    if (after > 0) {
        struct span stored = stored_block_span(&blocks->items[after - 1]);
        struct block_header header;
        must(block_read_header(stored, &header) == BLOCK_LOADED);
        log_place_after(place, &header, stored);
    } else if (memory_disk_newest(m->disk) != NULL) {
        *place = memory_disk_newest(m->disk)->place;
    }
}

static void complete_snapshot(struct memory_log *m)
{
    struct log_tail tail;
    log_tail(&m->log, &tail);
    if (m->log.snapshot != LOG_SNAPSHOT_SAVING || tail.last_number < m->snapshot_after || log_failed(&m->log.shared)) return;
    if (m->snapshot_full) {
        log_fail(&m->log.shared, 0, "memory disk: full while a snapshot was written");
        return;
    }
    uint64_t position = m->filling.position;
    place_at(m, position, &m->filling.place);
    memory_disk_synced(m->disk, committed(m));
    memory_disk_keep(m->disk, &m->filling);
    m->snapshot_after = UINT64_MAX; /* answered, though not polled yet */
    log_push(&m->log.shared, &(struct log_event){ .kind = LOG_SNAPSHOT_SAVED, .position = position });
}

static void memory_trim_place(struct log *log, uint64_t position)
{
    struct memory_log *m = memory_of(log);
    m->place_position = position;
    m->place_due = true;
    log_wake(&log->shared);
}

static void memory_trim(struct log *log, uint64_t position)
{
    struct memory_log *m = memory_of(log);
    m->trim_position = position;
    m->trim_due = true;
    log_wake(&log->shared);
}

/* How many blocks a trim drops. */
static size_t dropped_by(const struct memory_log *m, uint64_t position)
{
    const struct memory_disk *disk = m->disk;
    uint64_t keep_from = disk->snapshots[0].complete ? disk->snapshots[0].position + 1 : 0;
    size_t drop = stored_blocks_find(&disk->blocks, position < keep_from ? position : keep_from);
    return drop < committed(m) ? drop : committed(m);
}

/* Where the oldest block begins when so many are gone. */
static uint64_t first_without(const struct memory_log *m, size_t dropped)
{
    return committed(m) > dropped ? m->disk->blocks.items[dropped].first : m->log.shared.tail.last_position + 1;
}

static void complete_trim_place(struct memory_log *m)
{
    if (!m->place_due) return;
    m->place_due = false;
    struct log_event event = { .kind = LOG_TRIM_PLACE, .position = first_without(m, dropped_by(m, m->place_position)) };
    log_push(&m->log.shared, &event);
}

static void complete_trim(struct memory_log *m)
{
    if (!m->trim_due) return;
    m->trim_due = false;
    struct memory_disk *disk = m->disk;
    struct log_shared *shared = &m->log.shared;
    if (m->log.config.durability != LOG_FSYNC) log_memory_sync(&m->log);
    size_t drop = dropped_by(m, m->trim_position);
    stored_blocks_drop_oldest(&disk->blocks, drop);
    disk->synced -= drop < disk->synced ? drop : disk->synced;

    uint64_t first = first_without(m, 0);
    pthread_mutex_lock(&shared->lock);
    shared->tail.first_position = first;
    shared->tail.bytes = disk->blocks.bytes;
    pthread_mutex_unlock(&shared->lock);
    log_push(shared, &(struct log_event){ .kind = LOG_TRIMMED, .position = first });
}

static void memory_pump(struct log *log)
{
    struct memory_log *m = memory_of(log);
    complete_writes(m);
    complete_fetches(m);
    complete_snapshot(m);
    complete_trim_place(m);
    complete_trim(m);
}

static void file_of(void *owner, uint64_t position, bool from_snapshot, char *out)
{
    (void)owner;
    (void)position;
    snprintf(out, LOG_FILE_BYTES, from_snapshot ? "memory disk, snapshot" : "memory disk");
}

static enum log_status recover_from(struct memory_log *m, struct log_recovery *recovery)
{
    enum log_status status = LOG_OK;
    const struct stored_blocks *blocks = &m->disk->blocks;
    const struct memory_snapshot *snapshot = memory_disk_newest(m->disk);
    size_t next = 0;
    if (snapshot != NULL) {
        for (size_t i = 0; status == LOG_OK && i < snapshot->slices.count; i++)
            status = log_recovery_block(recovery, stored_block_span(&snapshot->slices.items[i]), snapshot->position, true);
        recovery->place = snapshot->place;
        next = stored_blocks_find(blocks, snapshot->position + 1);
    }
    for (; status == LOG_OK && next < blocks->count && blocks->items[next].last <= m->source_last; next++)
        status = log_recovery_block(recovery, stored_block_span(&blocks->items[next]), blocks->items[next].first, false);
    return status;
}

static enum log_status memory_recover(struct log *log, log_recover_block call, void *arg, struct log_error *error)
{
    struct memory_log *m = memory_of(log);
    void *memory = malloc(block_memory());
    if (memory == NULL) return log_refuse(error, LOG_IO, "memory disk: no memory to recover with");
    struct block into;
    block_init(&into, memory);
    struct log_recovery recovery = {
        .coder = &m->coder,
        .into = &into,
        .log_id = log->identity.log_id,
        .call = call,
        .arg = arg,
        .error = error,
        .file_of = file_of,
    };
    error->status = LOG_OK;
    enum log_status status = recover_from(m, &recovery);
    free(memory);
    return status;
}

static void let_go(struct memory_log *m)
{
    if (m->disk != NULL && m->log.config.read_only)
        m->disk->readers--;
    else if (m->disk != NULL)
        m->disk->writers--;
    memory_snapshot_free(&m->filling);
    stored_blocks_free(&m->overlay);
    log_coder_free(&m->coder);
    free(m->writes);
    free(m->fetches);
    if (m->owns_disk) memory_disk_free(&m->disk);
    log_free_common(&m->log);
    free(m);
}

static void memory_close(struct log *log)
{
    struct memory_log *m = memory_of(log);
    m->held = false;
    memory_pump(log);
    if (!log->config.read_only && !log_failed(&log->shared)) memory_disk_synced(m->disk, committed(m));
    let_go(m);
}

static const struct log_ops memory_ops = {
    .recover = memory_recover,
    .submit = memory_submit,
    .fetch = memory_fetch,
    .snapshot_begin = memory_snapshot_begin,
    .snapshot_slice = memory_snapshot_slice,
    .snapshot_abandon = memory_snapshot_abandon,
    .snapshot_end = memory_snapshot_end,
    .trim_place = memory_trim_place,
    .trim = memory_trim,
    .pump = memory_pump,
    .close = memory_close,
};

/* Where the log stands: after the last block, or after the newest snapshot when no block is newer. */
static enum log_status find_tail(struct memory_log *m, struct log_tail *tail, struct log_error *error)
{
    const struct stored_blocks *blocks = &m->disk->blocks;
    const struct memory_snapshot *snapshot = memory_disk_newest(m->disk);
    if (snapshot != NULL) m->place = snapshot->place;
    size_t count = memory_disk_whole(m->disk);
    if (count > 0) {
        struct span stored = stored_block_span(&blocks->items[count - 1]);
        struct block_header header;
        if (block_read_header(stored, &header) != BLOCK_LOADED)
            return log_refuse(error, LOG_DAMAGED, "memory disk: the last block, at position %llu, is damaged",
                              (unsigned long long)blocks->items[count - 1].first);
        log_place_after(&m->place, &header, stored);
    }
    *tail = (struct log_tail){
        .first_position = count > 0 ? blocks->items[0].first : m->place.position + 1,
        .last_position = m->place.position,
        .last_number = m->place.number,
        .last_time_ms = m->place.time_ms,
        .last_term = m->place.term,
        .bytes = blocks->bytes,
        .empty = count == 0 && snapshot == NULL,
    };
    if (tail->last_position < m->disk->mark && !m->log.config.accept_loss)
        return log_refuse(error, LOG_LOST,
                          "memory disk: the log was complete up to position %llu, but ends at %llu; open with accept_loss to go on without",
                          (unsigned long long)m->disk->mark, (unsigned long long)tail->last_position);
    return LOG_OK;
}

static void begin_writing(struct memory_log *m, const struct log_tail *tail)
{
    struct memory_disk *disk = m->disk;
    stored_blocks_drop_newest(&disk->blocks, disk->blocks.count - memory_disk_whole(disk)); /* torn: they were never complete */
    if (tail->last_position < disk->mark) disk->restore_count++; /* the loss was accepted: old cursors may point at what is gone */
    disk->mark = tail->last_position;
    disk->synced = disk->blocks.count;
    disk->term++;
}

static struct memory_log *memory_log_new(struct memory_disk *disk, const struct log_config *config)
{
    struct memory_log *m = calloc(1, sizeof *m);
    if (m == NULL || !log_init(&m->log, &memory_ops, config)) {
        free(m);
        return NULL;
    }
    m->disk = disk;
    stored_blocks_init(&m->overlay, disk->bytes_max);
    m->writes = calloc(m->log.config.submits_max, sizeof *m->writes);
    m->fetches = calloc(m->log.config.fetches_max, sizeof *m->fetches);
    if (config->read_only)
        disk->readers++;
    else
        disk->writers++;
    if (m->writes != NULL && m->fetches != NULL && log_coder_init(&m->coder)) return m;
    let_go(m);
    return NULL;
}

struct log *log_open_memory_disk(struct memory_disk *disk, const struct log_config *config, struct log_error *error)
{
    if (!config->read_only && disk->writers > 0) {
        log_refuse(error, LOG_IN_USE, "memory disk: another log has it open for writing; close that first");
        return NULL;
    }
    struct memory_log *m = memory_log_new(disk, config);
    if (m == NULL) {
        log_refuse(error, LOG_IO, "memory disk: no memory for a log");
        return NULL;
    }
    struct log_tail tail;
    if (find_tail(m, &tail, error) != LOG_OK) {
        let_go(m);
        return NULL;
    }
    if (!config->read_only) begin_writing(m, &tail);
    m->source_last = tail.last_position;
    m->log.identity = (struct log_identity){ .log_id = disk->log_id, .restore_count = disk->restore_count, .term = disk->term };
    log_identity_epoch(&m->log.identity);
    log_starts_at(&m->log, &tail);
    error->status = LOG_OK;
    return &m->log;
}

struct log *log_open_memory(const struct log_config *config, struct log_error *error)
{
    struct memory_disk *disk = memory_disk_new(1, 0);
    if (disk == NULL) {
        log_refuse(error, LOG_IO, "memory disk: no memory for a disk");
        return NULL;
    }
    struct log *log = log_open_memory_disk(disk, config, error);
    if (log == NULL)
        memory_disk_free(&disk);
    else
        memory_of(log)->owns_disk = true;
    return log;
}

void log_memory_hold(struct log *log, bool held)
{
    memory_of(log)->held = held;
    if (!held) log_wake(&log->shared);
}

void log_memory_complete(struct log *log)
{
    struct memory_log *m = memory_of(log);
    if (m->write_count > 0) complete_oldest(m);
}

void log_memory_sync(struct log *log)
{
    struct memory_log *m = memory_of(log);
    if (log->config.read_only) return;
    memory_disk_synced(m->disk, committed(m));
    log_count_sync(&log->shared, 0);
}

void log_memory_crash(struct log **log, size_t kept, bool torn)
{
    struct memory_log *m = memory_of(*log);
    struct memory_disk *disk = m->disk;
    must(!m->owns_disk && !m->log.config.read_only);
    size_t unsynced = disk->blocks.count - disk->synced;
    if (kept < unsynced) {
        stored_blocks_drop_newest(&disk->blocks, unsynced - kept - (torn ? 1 : 0));
        if (torn) stored_blocks_tear_newest(&disk->blocks);
    }
    let_go(m);
    *log = NULL;
}
