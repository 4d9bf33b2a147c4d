/* See history_file.h. Positions that do not follow each other cannot stand in one block, so a block ends at each gap. A large event is made
 * of parts again; as every place before it may be taken, its parts stand behind all events, and are written last. */
#include "coordinator/shell/history_file.h"

#include "proto/event.h"
#include "proto/parts.h"
#include "proto/record.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TENANT_MAX = 64 };
#define PARTS_FROM (UINT64_C(1) << 52) /* the position of the first part */

struct large { /* where the data of a large event stands in the file */
    long at;
    uint64_t size;
};

struct reading {
    const char *path;
    FILE *file;
    struct log *log;
    struct block block;
    void *memory;
    bool open; /* the block holds records that are not submitted yet */
    uint64_t blocks, last_seq, last_time_ms, part_count;
    struct large *larges;
    size_t large_count, large_room;
    uint8_t *bytes; /* of one event, and the field that a large one gets */
    size_t bytes_room;
    char tenant[TENANT_MAX + 1];
    struct log_error *error;
};

static bool refuse(struct reading *r, const char *format, ...)
{
    char what[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    r->error->status = LOG_DAMAGED;
    snprintf(r->error->text, sizeof r->error->text, "%.250s: %s", r->path, what);
    return false;
}

bool history_file_is(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && S_ISREG(there.st_mode);
}

/* Hands the block to the log and waits until it has it. */
static bool submit(struct reading *r)
{
    struct log_event event;
    struct pollfd news = { .fd = log_fd(r->log), .events = POLLIN };
    if (!r->open) return true;
    r->open = false;
    log_submit(r->log, &r->block);
    while (!log_poll(r->log, &event))
        poll(&news, 1, 1000);
    return event.kind == LOG_COMMITTED || refuse(r, "it is larger than fits into memory; replay a part of it (--since, --topic)");
}

static uint64_t number_at(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

/* The event without its data and with the places of its parts, made in its own bytes; the data stands in the file at `at`. */
static bool cut(struct reading *r, struct span *body, long at)
{
    struct span before, data, after;
    uint64_t positions[PARTS_MAX];
    if (body->size <= EVENT_BYTES_MAX) return true;
    if (!parts_cut(*body, &before, &data, &after) || before.size + after.size > EVENT_BYTES_MAX) return false;
    if (r->large_count == r->large_room) {
        size_t room = r->large_room != 0 ? r->large_room * 2 : 64;
        struct large *grown = realloc(r->larges, room * sizeof *grown);
        if (grown == NULL) return false;
        r->larges = grown;
        r->large_room = room;
    }
    r->larges[r->large_count++] = (struct large){ at + (data.data - body->data), data.size };
    for (uint32_t i = 0; i < parts_count(data.size); i++)
        positions[i] = PARTS_FROM + r->part_count++;
    uint64_t size = data.size;
    memmove(r->bytes + before.size, after.data, after.size);
    size_t rest = before.size + after.size;
    *body = span_of(r->bytes, rest + parts_field_write(size, positions, parts_count(size), r->bytes + rest));
    return true;
}

static bool take_event(struct reading *r, uint64_t seq, uint64_t time_ms, uint64_t cause, struct span body, long at)
{
    struct event event;
    if (seq <= r->last_seq || !cut(r, &body, at) || event_scan(body, &event) != EVENT_OK)
        return refuse(r, "the event after seq %llu is damaged", (unsigned long long)r->last_seq);
    bool follows = r->open && seq == r->last_seq + 1 && block_has_room(&r->block, 1, body.size) && time_ms >= r->block.time_ms &&
                   time_ms - r->block.time_ms <= UINT32_MAX;
    if (!follows) {
        if (!submit(r)) return false;
        block_open(&r->block, ++r->blocks, seq, time_ms, 1);
    }
    struct record record = { .kind = RECORD_EVENT | RECORD_MUST_UNDERSTAND,
                             .cause = cause,
                             .time_delta_ms = (uint32_t)(time_ms - r->block.time_ms) };
    if (event.reply_to.size) record.flags |= RECORD_REQUEST;
    if (event.ttl_ms || event.deadline_ms) record.flags |= RECORD_EXPIRES;
    if (event.parts.size) record.flags |= RECORD_PARTS;
    record.topic = (uint16_t)(block_topic(&r->block, span_text(r->tenant), event.topic) + 1);
    block_append(&r->block, record, body);
    r->open = true;
    r->last_seq = seq;
    r->last_time_ms = time_ms;
    return true;
}

/* Room for an event and the field of its parts. */
static bool make_room(struct reading *r, uint64_t size)
{
    size_t wanted = size + parts_field_bound(PARTS_MAX);
    if (size > EVENT_LARGE_BYTES_MAX) return false;
    if (wanted <= r->bytes_room) return true;
    uint8_t *grown = realloc(r->bytes, wanted);
    if (grown == NULL) return false;
    r->bytes = grown;
    r->bytes_room = wanted;
    return true;
}

static bool write_part(struct reading *r, uint64_t position, uint32_t index, struct span data)
{
    if (r->open && !block_has_room(&r->block, 1, data.size) && !submit(r)) return false;
    if (!r->open) block_open(&r->block, ++r->blocks, position, r->last_time_ms, 1);
    block_append(&r->block, (struct record){ .kind = RECORD_PART | RECORD_MUST_UNDERSTAND, .number = index }, data);
    r->open = true;
    return true;
}

static bool write_parts(struct reading *r)
{
    uint64_t position = PARTS_FROM;
    if (!submit(r)) return false;
    for (size_t i = 0; i < r->large_count; i++) {
        const struct large *large = &r->larges[i];
        if (fseek(r->file, large->at, SEEK_SET) != 0 || fread(r->bytes, 1, large->size, r->file) != large->size)
            return refuse(r, "%s", strerror(errno));
        for (uint32_t k = 0; k < parts_count(large->size); k++, position++) {
            uint64_t from = (uint64_t)k * PART_BYTES, left = large->size - from;
            if (!write_part(r, position, k, span_of(r->bytes + from, left < PART_BYTES ? left : PART_BYTES))) return false;
        }
    }
    return submit(r);
}

static bool read_events(struct reading *r)
{
    uint8_t head[32];
    size_t got;
    while ((got = fread(head, 1, sizeof head, r->file)) == sizeof head) {
        uint64_t size = number_at(head + 24);
        long at = ftell(r->file);
        if (!make_room(r, size) || fread(r->bytes, 1, size, r->file) != size)
            return refuse(r, "the event after seq %llu is damaged", (unsigned long long)r->last_seq);
        if (!take_event(r, number_at(head), number_at(head + 8), number_at(head + 16), span_of(r->bytes, size), at)) return false;
    }
    return got == 0 ? write_parts(r) : refuse(r, "it ends within an event");
}

static bool read_all(struct reading *r, struct memory_disk **out_disk)
{
    unsigned long long log_id;
    char end;
    r->file = fopen(r->path, "rbe");
    if (!r->file) return refuse(r, "%s", strerror(errno));
    if (fscanf(r->file, "weir history 1\n%16llx %64[A-Za-z0-9_-]%c", &log_id, r->tenant, &end) != 3 || end != '\n')
        return refuse(r, "neither a data directory nor a file of weir's history");
    struct log_config config = { .durability = LOG_OS };
    r->memory = malloc(block_memory());
    *out_disk = memory_disk_new(log_id, 0);
    if (r->memory && *out_disk) r->log = log_open_memory_disk(*out_disk, &config, r->error);
    if (!r->log) return refuse(r, "no memory to read it");
    block_init(&r->block, r->memory);
    return read_events(r);
}

struct memory_disk *history_file_read(const char *path, struct log_error *error)
{
    struct reading r = { .path = path, .error = error };
    struct memory_disk *disk = NULL;
    bool fine = read_all(&r, &disk);
    if (r.log) log_close(&r.log);
    if (!fine && disk) memory_disk_free(&disk);
    if (r.file) fclose(r.file);
    free(r.larges);
    free(r.bytes);
    free(r.memory);
    return disk;
}
