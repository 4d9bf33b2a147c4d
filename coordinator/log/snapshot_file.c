/* Snapshots are written from front to back, synced once, and believed only when their end is there and right. */
#include "coordinator/log/snapshot_file.h"
#include "coordinator/log/log_directory.h"
#include "coordinator/log/log_ops.h"
#include "sdk/base/must.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 64, END_BYTES = 96, CHECK_BYTES = BLOCK_HASH_BYTES };

static void put_u64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_u64(const uint8_t *at)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

static void seal(uint8_t *bytes, size_t size)
{
    block_hash(span_of(bytes, size - CHECK_BYTES), bytes + size - CHECK_BYTES);
}

static bool sealed(const uint8_t *bytes, size_t size, const char *magic)
{
    uint8_t check[CHECK_BYTES];
    block_hash(span_of(bytes, size - CHECK_BYTES), check);
    return memcmp(bytes, magic, 8) == 0 && memcmp(bytes + size - CHECK_BYTES, check, CHECK_BYTES) == 0;
}

static bool append(int fd, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = write(fd, bytes + done, size - done);
        if (written < 0 && errno != EINTR) return false;
        done += written > 0 ? (size_t)written : 0;
    }
    return true;
}

static void temporary_name(const char *path, char *out, size_t size)
{
    snprintf(out, size, "%s.new", path);
}

bool snapshot_writer_begin(struct snapshot_writer *writer, const char *folder, uint64_t log_id, uint64_t position)
{
    *writer = (struct snapshot_writer){ .fd = -1, .position = position };
    must(snprintf(writer->path, sizeof writer->path, "%s/%020" PRIu64 ".snapshot", folder, position) < (int)sizeof writer->path);
    if (!log_folder_make(folder)) return false;
    char temporary[PATH_MAX + 8];
    temporary_name(writer->path, temporary, sizeof temporary);
    writer->fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    uint8_t head[HEAD_BYTES] = "WEIRSNAP";
    put_u64(head + 8, SNAPSHOT_FORMAT);
    put_u64(head + 16, log_id);
    put_u64(head + 24, position);
    seal(head, sizeof head);
    return writer->fd >= 0 && append(writer->fd, head, sizeof head);
}

bool snapshot_writer_slice(struct snapshot_writer *writer, struct log_coder *coder, uint64_t log_id, const struct block *slice)
{
    size_t size = log_coder_store(coder, slice, log_id, &writer->chain);
    writer->slices++;
    return append(writer->fd, coder->out, size);
}

bool snapshot_writer_end(struct snapshot_writer *writer, const struct log_place *place)
{
    uint8_t end[END_BYTES] = "WEIRSEND";
    put_u64(end + 8, writer->slices);
    put_u64(end + 16, place->position);
    put_u64(end + 24, place->number);
    put_u64(end + 32, place->time_ms);
    memcpy(end + 40, place->hash, BLOCK_HASH_BYTES);
    memcpy(end + 56, writer->chain.hash, BLOCK_HASH_BYTES);
    seal(end, sizeof end);
    if (!append(writer->fd, end, sizeof end) || fsync(writer->fd) != 0) return false;
    char temporary[PATH_MAX + 8];
    temporary_name(writer->path, temporary, sizeof temporary);
    if (rename(temporary, writer->path) != 0 || !log_file_sync_folder(writer->path)) return false;
    close(writer->fd);
    writer->fd = -1;
    return true;
}

void snapshot_writer_abandon(struct snapshot_writer *writer)
{
    if (writer->fd < 0) return;
    char temporary[PATH_MAX + 8];
    temporary_name(writer->path, temporary, sizeof temporary);
    unlink(temporary);
    close(writer->fd);
    writer->fd = -1;
}

/* 20 digits and ".snapshot" */
static bool parse_name(const char *name, uint64_t *out_position)
{
    if (strlen(name) != 29 || strspn(name, "0123456789") != 20 || strcmp(name + 20, ".snapshot") != 0) return false;
    *out_position = strtoull(name, NULL, 10);
    return true;
}

bool snapshots_newest(const char *folder, uint64_t out_positions[2])
{
    out_positions[0] = out_positions[1] = 0;
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL) return errno == ENOENT;
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        uint64_t position;
        if (!parse_name(entry->d_name, &position)) continue;
        if (position > out_positions[0]) {
            out_positions[1] = out_positions[0];
            out_positions[0] = position;
        } else if (position > out_positions[1]) {
            out_positions[1] = position;
        }
    }
    closedir(open_folder);
    return true;
}

bool snapshots_tidy(const char *folder)
{
    uint64_t newest[2];
    if (!snapshots_newest(folder, newest)) return false;
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL) return errno == ENOENT;
    bool tidied = true;
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        uint64_t position;
        size_t size = strlen(entry->d_name);
        bool old = parse_name(entry->d_name, &position) && position < newest[1];
        bool unfinished = size > 4 && strcmp(entry->d_name + size - 4, ".new") == 0;
        if (old || unfinished) tidied &= unlinkat(dirfd(open_folder), entry->d_name, 0) == 0;
    }
    closedir(open_folder);
    return tidied;
}

static enum log_status refuse_snapshot(const struct snapshot_reader *reader, uint64_t offset, const char *why, struct log_error *error)
{
    return log_refuse(error, LOG_DAMAGED,
                      "%s: at byte %" PRIu64 ", %s; move this file away to start from the snapshot before it, or put back a copy",
                      reader->path, offset, why);
}

static bool read_at(int fd, uint8_t *out, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t read = pread(fd, out + done, size - done, (off_t)(offset + done));
        if (read == 0 || (read < 0 && errno != EINTR)) return false;
        done += read > 0 ? (size_t)read : 0;
    }
    return true;
}

static enum log_status read_ends(struct snapshot_reader *reader, uint64_t log_id, struct log_error *error)
{
    uint8_t head[HEAD_BYTES], end[END_BYTES];
    struct stat file;
    if (fstat(reader->fd, &file) != 0 || file.st_size < HEAD_BYTES + END_BYTES) return refuse_snapshot(reader, 0, "it is too short", error);
    reader->next = HEAD_BYTES;
    reader->end = (uint64_t)file.st_size - END_BYTES;
    if (!read_at(reader->fd, head, sizeof head, 0) || !sealed(head, sizeof head, "WEIRSNAP"))
        return refuse_snapshot(reader, 0, "its head does not fit its check", error);
    if (get_u64(head + 8) > SNAPSHOT_FORMAT)
        return log_refuse(error, LOG_NEWER,
                          "%s: the snapshot has format %" PRIu64
                          ", this version knows formats up to %d; start the version of weir that wrote "
                          "it, or a later one",
                          reader->path, get_u64(head + 8), SNAPSHOT_FORMAT);
    if (get_u64(head + 16) != log_id) return refuse_snapshot(reader, 16, "it belongs to another log", error);
    if (get_u64(head + 24) != reader->position) return refuse_snapshot(reader, 24, "its position is not the one in its name", error);
    if (!read_at(reader->fd, end, sizeof end, reader->end) || !sealed(end, sizeof end, "WEIRSEND"))
        return refuse_snapshot(reader, reader->end, "its end does not fit its check", error);
    reader->place = (struct log_place){ .position = get_u64(end + 16), .number = get_u64(end + 24), .time_ms = get_u64(end + 32) };
    memcpy(reader->place.hash, end + 40, BLOCK_HASH_BYTES);
    memcpy(reader->last_hash, end + 56, BLOCK_HASH_BYTES);
    return LOG_OK;
}

enum log_status snapshot_reader_open_newest(struct snapshot_reader *reader, const char *folder, uint64_t log_id, struct log_error *error)
{
    enum { TRIES = 8 }; /* beside a writer the newest may be gone before it is opened */
    *reader = (struct snapshot_reader){ .fd = -1 };
    for (int i = 0; i < TRIES && reader->fd < 0; i++) {
        uint64_t newest[2];
        if (!snapshots_newest(folder, newest)) return log_refuse_errno(error, "cannot read", folder, errno);
        if (newest[0] == 0) return LOG_OK;
        reader->position = newest[0];
        must(snprintf(reader->path, sizeof reader->path, "%s/%020" PRIu64 ".snapshot", folder, newest[0]) < (int)sizeof reader->path);
        reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC);
    }
    if (reader->fd < 0) return log_refuse_errno(error, "cannot open", reader->path, errno);
    enum log_status status = read_ends(reader, log_id, error);
    if (status != LOG_OK) snapshot_reader_close(reader);
    return status;
}

enum log_status snapshot_reader_next(struct snapshot_reader *reader, uint8_t *buffer, size_t buffer_size, struct span *out,
                                     struct log_error *error)
{
    struct block_header header;
    *out = span_of(NULL, 0);
    if (reader->next == reader->end) return LOG_OK;
    if (reader->end - reader->next < BLOCK_HEADER_BYTES || !read_at(reader->fd, buffer, BLOCK_HEADER_BYTES, reader->next))
        return refuse_snapshot(reader, reader->next, "a slice is cut off", error);
    enum block_load load = block_read_header(span_of(buffer, BLOCK_HEADER_BYTES), &header);
    if (load != BLOCK_LOADED && load != BLOCK_SHORT) return refuse_snapshot(reader, reader->next, "a slice's header is damaged", error);
    size_t size = block_header_stored(&header);
    if (size > buffer_size || size > reader->end - reader->next || !read_at(reader->fd, buffer, size, reader->next))
        return refuse_snapshot(reader, reader->next, "a slice is cut off", error);
    reader->next += size;
    *out = span_of(buffer, size);
    return LOG_OK;
}

void snapshot_reader_close(struct snapshot_reader *reader)
{
    if (reader->fd >= 0) close(reader->fd);
    reader->fd = -1;
}
