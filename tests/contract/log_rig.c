/* Bodies are noise made from the position, so that a block of the wrong place, or with a wrong byte, cannot pass. */
#include "tests/contract/log_rig.h"
#include "tests/contract/log_files.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BODY_MAX = 8192, DEADLINE_MS = 60000 };

static struct rig *rig_with_blocks(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig->config = (struct log_config){ .submits_max = RIG_SUBMITS };
    for (int i = 0; i < RIG_BLOCKS; i++) {
        rig->memory[i] = malloc(block_memory());
        assert_non_null(rig->memory[i]);
        block_init(&rig->blocks[i], rig->memory[i]);
    }
    return rig;
}

struct rig *rig_new_at(const char *directory)
{
    struct rig *rig = rig_with_blocks();
    rig->rocks = true;
    snprintf(rig->directory, sizeof rig->directory, "%s", directory);
    rig->config.directory = rig->directory;
    rig->config.write_buffer_bytes = 64 * 1024; /* small files, so that a trim finds some to drop */
    return rig;
}

struct rig *rig_new(bool rocks)
{
    if (rocks) {
        char directory[200];
        const char *base = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/weir-log-XXXXXX", base != NULL ? base : "/tmp");
        assert_non_null(mkdtemp(directory));
        return rig_new_at(directory);
    }
    struct rig *rig = rig_with_blocks();
    rig->disk = memory_disk_new(42, 0);
    assert_non_null(rig->disk);
    return rig;
}

void rig_free(struct rig *rig)
{
    if (rig->recovering) return; /* a check in the callback failed: the log's cursor is open for ever */
    log_close(&rig->log);
    if (rig->rocks && getenv("WEIR_TEST_KEEP") == NULL) files_remove_tree(rig->directory);
    rig_leave(rig);
}

void rig_leave(struct rig *rig)
{
    log_close(&rig->log);
    memory_disk_free(&rig->disk);
    for (int i = 0; i < RIG_BLOCKS; i++)
        free(rig->memory[i]);
    free(rig);
}

void rig_path(const struct rig *rig, const char *name, char *out, size_t size)
{
    assert_true(snprintf(out, size, "%s/%s", rig->directory, name) < (int)size);
}

bool rig_try_open(struct rig *rig)
{
    assert_null(rig->log);
    memset(&rig->error, 0, sizeof rig->error);
    rig->log = rig->rocks ? log_open_rocksdb(&rig->config, &rig->error) : log_open_memory_disk(rig->disk, &rig->config, &rig->error);
    if (rig->log == NULL) {
        assert_int_not_equal(rig->error.status, LOG_OK);
        assert_true(strlen(rig->error.text) > 20);
        return false;
    }
    struct log_tail tail;
    log_tail(rig->log, &tail);
    rig->next_number = tail.last_number + 1;
    rig->next_position = tail.last_position + 1;
    return true;
}

void rig_open(struct rig *rig)
{
    if (!rig_try_open(rig)) fail_msg("open: %s", rig->error.text);
}

bool rig_accept(void *arg, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    struct rig *rig = arg;
    if (!rig->accept_bodies) rig_check_block(rig, block);
    if (rig->seen_count < RIG_SEEN_MAX)
        rig->seen[rig->seen_count] = (struct rig_seen){
            .number = block->number, .first = block->first_position, .last = block_last_position(block), .from_snapshot = from_snapshot
        };
    rig->seen_count++;
    *out_bad = rig->refuse_at;
    return rig->refuse_at == 0 || from_snapshot || !block_holds(block, rig->refuse_at);
}

enum log_status rig_recover(struct rig *rig)
{
    rig->seen_count = 0;
    rig->recovering = true;
    enum log_status status = log_recover(rig->log, rig_accept, rig, &rig->error);
    rig->recovering = false;
    return status;
}

void rig_reopen(struct rig *rig)
{
    log_close(&rig->log);
    rig_open(rig);
    if (rig_recover(rig) != LOG_OK) fail_msg("recovery: %s", rig->error.text);
}

static uint32_t body_of(const struct rig *rig, uint64_t position, uint8_t *out)
{
    uint32_t size = 8 + (uint32_t)(position * 7 % 90) + rig->body_bytes;
    uint64_t noise = position * UINT64_C(0x9e3779b97f4a7c15) + 1;
    assert_true(size <= BODY_MAX);
    for (uint32_t i = 0; i < size; i++) {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        out[i] = (uint8_t)(noise >> 32);
    }
    return size;
}

static void fill(const struct rig *rig, struct block *block, uint64_t number, uint64_t first, uint32_t records)
{
    uint8_t body[BODY_MAX];
    char topic[32];
    struct log_identity identity;
    log_identity(rig->log, &identity);
    block_open(block, number, first, 1000 + number, identity.term);
    for (uint32_t i = 0; i < records; i++) {
        snprintf(topic, sizeof topic, "docs.%d.uploaded", (int)(number % 3));
        uint16_t index = block_topic(block, span_text("dev"), span_text(topic));
        uint32_t size = body_of(rig, first + i, body);
        block_append(block, (struct record){ .kind = RECORD_EVENT, .topic = (uint16_t)(index + 1), .number = first + i },
                     span_of(body, size));
    }
}

void rig_check_block(const struct rig *rig, const struct block *block)
{
    uint8_t body[BODY_MAX];
    assert_true(block->record_count > 0);
    assert_int_equal(block->time_ms, 1000 + block->number);
    for (uint32_t i = 0; i < block->record_count; i++) {
        uint64_t position = block->first_position + i;
        assert_int_equal(block->records[i].number, position);
        uint32_t size = body_of(rig, position, body);
        assert_true(span_equal(block_body(block, &block->records[i]), span_of(body, size)));
    }
}

static struct block *take_block(struct rig *rig)
{
    return &rig->blocks[rig->next_block++ % RIG_BLOCKS];
}

static struct block *rig_next_block(struct rig *rig)
{
    struct block *block = take_block(rig);
    fill(rig, block, rig->next_number, rig->next_position, 1 + (uint32_t)(rig->next_number % 5));
    rig->next_number++;
    rig->next_position += block->record_count;
    return block;
}

uint64_t rig_submit(struct rig *rig)
{
    struct block *block = rig_next_block(rig);
    log_submit(rig->log, block);
    return block->number;
}

void rig_skip(struct rig *rig, uint64_t positions)
{
    rig->next_position += positions;
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rig_await(struct rig *rig, enum log_event_kind kind, struct log_event *out)
{
    struct log_event event;
    long long deadline = now_ms() + DEADLINE_MS;
    while (!log_poll(rig->log, &event)) {
        struct pollfd wait = { .fd = log_fd(rig->log), .events = POLLIN };
        if (now_ms() > deadline) fail_msg("no event in time, one of kind %d was awaited", kind);
        poll(&wait, 1, 1000);
    }
    if (event.kind != kind)
        fail_msg("event of kind %d came, not %d: number %llu position %llu %s", event.kind, kind, (unsigned long long)event.number,
                 (unsigned long long)event.position, event.kind == LOG_FAILED || event.kind == LOG_FETCH_FAILED ? event.text : "");
    *out = event;
}

void rig_commit(struct rig *rig, uint32_t count)
{
    struct log_event event;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = rig_submit(rig);
        rig_await(rig, LOG_COMMITTED, &event);
        assert_int_equal(event.number, number);
    }
}

static const struct block *await_fetched(struct rig *rig, uint64_t position, struct block *into)
{
    struct log_event event;
    struct pollfd wait = { .fd = log_fd(rig->log), .events = POLLIN };
    while (!log_poll(rig->log, &event))
        assert_true(poll(&wait, 1, DEADLINE_MS) > 0);
    if (event.kind == LOG_FETCH_FAILED) fail_msg("fetch: %s", event.text);
    assert_true(event.kind == LOG_FETCHED || event.kind == LOG_FETCH_NOTHING);
    assert_int_equal(event.position, position);
    assert_ptr_equal(event.block, into);
    if (event.kind == LOG_FETCH_NOTHING) return NULL;
    rig_check_block(rig, into);
    return into;
}

const struct block *rig_fetch(struct rig *rig, uint64_t position)
{
    struct block *into = take_block(rig);
    log_fetch(rig->log, position, into);
    return await_fetched(rig, position, into);
}

const struct block *rig_fetch_before(struct rig *rig, uint64_t position)
{
    struct block *into = take_block(rig);
    log_fetch_before(rig->log, position, into);
    return await_fetched(rig, position, into);
}

void rig_snapshot(struct rig *rig, uint64_t position, uint32_t slices)
{
    struct log_event event;
    log_snapshot_begin(rig->log, position);
    for (uint32_t i = 0; i < slices; i++) {
        struct block *slice = take_block(rig);
        fill(rig, slice, 1 + i, position, 3);
        log_snapshot_slice(rig->log, slice);
        fill(rig, slice, 999, 999, 1); /* it was copied: this must not matter */
    }
    log_snapshot_end(rig->log);
    rig_await(rig, LOG_SNAPSHOT_SAVED, &event);
    assert_int_equal(event.position, position);
}

uint64_t rig_trim_place(struct rig *rig, uint64_t position)
{
    struct log_event event;
    log_trim_place(rig->log, position);
    rig_await(rig, LOG_TRIM_PLACE, &event);
    return event.position;
}

uint64_t rig_trim(struct rig *rig, uint64_t position)
{
    struct log_event event;
    log_trim(rig->log, position);
    rig_await(rig, LOG_TRIMMED, &event);
    return event.position;
}

uint64_t rig_last_position(const struct rig *rig)
{
    struct log_tail tail;
    log_tail(rig->log, &tail);
    return tail.last_position;
}

void rig_lose_newest(struct rig *rig, size_t blocks)
{
    assert_null(rig->log);
    if (rig->rocks)
        files_delete_newest_blocks(rig->directory, blocks);
    else
        memory_disk_lose(rig->disk, blocks);
}

void rig_delete_through(struct rig *rig, uint64_t position)
{
    assert_null(rig->log);
    files_delete_blocks_through(rig->directory, position);
}

void rig_damage(struct rig *rig, uint64_t position)
{
    assert_null(rig->log);
    if (rig->rocks)
        files_damage_block(rig->directory, position);
    else
        assert_true(memory_disk_damage(rig->disk, position, false));
}

void rig_damage_snapshot(struct rig *rig)
{
    assert_null(rig->log);
    if (rig->rocks)
        files_damage_snapshot(rig->directory);
    else
        assert_true(memory_disk_damage(rig->disk, 0, true));
}
