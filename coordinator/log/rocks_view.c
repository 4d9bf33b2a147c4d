/* A view of a directory that another process may be writing. RocksDB reads its list of files, opens them, then reads the write-ahead logs;
 * a flush in between takes a write-ahead log away whose blocks are in a file that is not on the list: a hole, or an end that comes too
 * early, without a word. A trim in between takes a file away. So a view that came about while the writer changed its list is opened once
 * more, and when it fails, or is not whole, or that happens again, over links: first to the write-ahead logs, which therefore stay, then a
 * copy of the list, then links to the files. Such a view cannot have a hole: what the logs lack was flushed before the list was copied. The
 * links are removed when RocksDB has opened them. What is wrong with a directory that nobody changes is wrong for good, and the recovery
 * will say where. */
#include "coordinator/log/rocks_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VIEWS_MAX = 16 }; /* a file on the list may be dropped before it is linked */

/* Changes with every flush, compaction and trim: which list of files is current, and its size. */
struct version {
    char manifest[64];
    long long size;
};

static struct version version_now(const struct rocks_log *r)
{
    struct version version = { .size = 0 };
    char name[128], path[PATH_MAX];
    log_directory_path(&r->directory, "db/CURRENT", path);
    FILE *file = fopen(path, "re");
    if (file == NULL) return version;
    size_t size = fread(version.manifest, 1, sizeof version.manifest - 1, file);
    fclose(file);
    version.manifest[size] = 0;
    version.manifest[strcspn(version.manifest, "\n")] = 0;
    snprintf(name, sizeof name, "db/%s", version.manifest);
    log_directory_path(&r->directory, name, path);
    struct stat status;
    if (stat(path, &status) == 0) version.size = (long long)status.st_size;
    return version;
}

static bool same_version(const struct version *a, const struct version *b)
{
    return a->size == b->size && strcmp(a->manifest, b->manifest) == 0;
}

/* From place on, up to the end, each block follows the one before. */
static bool follows_on(struct rocks_cursor *cursor, struct log_place place)
{
    char why[ROCKS_ERROR_BYTES];
    uint64_t position;
    struct span stored;
    struct block_header header;
    for (; rocks_cursor_block(cursor, &position, &stored, why); rocks_cursor_next(cursor)) {
        if (block_read_header(stored, &header) != BLOCK_LOADED || header.number != place.number + 1) return false;
        log_place_after(&place, &header, stored);
    }
    return why[0] == 0;
}

/* The files are without a hole, since one list names them all. So is what comes after the snapshot, if it begins right there; and what was
 * only in the write-ahead logs, if it begins right after the last file. */
static bool view_is_whole(struct rocks_log *r)
{
    char why[ROCKS_ERROR_BYTES];
    uint64_t position, filed = rocks_store_last_filed(&r->store);
    struct span stored;
    struct block_header header;
    struct log_place place = r->newest.fd >= 0 ? r->newest.place : (struct log_place){ 0 };
    struct rocks_cursor cursor;
    rocks_cursor_open(&cursor, &r->store, UINT64_MAX);
    rocks_cursor_seek(&cursor, place.position + 1);
    bool whole = true;
    if (filed > place.position && rocks_cursor_block(&cursor, &position, &stored, why)) {
        whole = block_read_header(stored, &header) == BLOCK_LOADED && header.number == place.number + 1;
        rocks_cursor_seek_before(&cursor, filed);
        if (whole && rocks_cursor_block(&cursor, &position, &stored, why) && block_read_header(stored, &header) == BLOCK_LOADED) {
            place.number = header.number;
            rocks_cursor_next(&cursor);
        }
    }
    whole = whole && follows_on(&cursor, place);
    rocks_cursor_close(&cursor);
    return whole;
}

/* Links every file of DIR/db that ends so into the folder. One that is gone before that is no matter. */
static bool link_files(const struct rocks_log *r, const char *suffix, const char *folder)
{
    char db[PATH_MAX];
    log_directory_path(&r->directory, "db", db);
    int to = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *from = opendir(db);
    bool linked = to >= 0 && from != NULL;
    for (struct dirent *entry; linked && (entry = readdir(from)) != NULL;) {
        size_t length = strlen(entry->d_name), end = strlen(suffix);
        if (length > end && strcmp(entry->d_name + length - end, suffix) == 0)
            linked = linkat(dirfd(from), entry->d_name, to, entry->d_name, 0) == 0 || errno == ENOENT;
    }
    int code = errno;
    if (from != NULL) closedir(from);
    if (to >= 0) close(to);
    errno = code;
    return linked;
}

static bool copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t copied = in >= 0 && out >= 0 ? 1 : -1;
    while (copied > 0)
        copied = sendfile(out, in, NULL, 1 << 20);
    int code = errno;
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    errno = code;
    return copied == 0;
}

/* CURRENT names the manifest that was current a moment ago: it is still there, and says the same up to then. */
static bool copy_list(const struct rocks_log *r, const char *folder)
{
    struct version version = version_now(r);
    char name[128], from[PATH_MAX], to[PATH_MAX + 80];
    snprintf(name, sizeof name, "db/%s", version.manifest);
    log_directory_path(&r->directory, name, from);
    snprintf(to, sizeof to, "%s/%s", folder, version.manifest);
    if (!copy_file(from, to)) return false;
    snprintf(to, sizeof to, "%s/CURRENT", folder);
    snprintf(name, sizeof name, "%s\n", version.manifest);
    return log_file_replace(to, span_text(name));
}

static void remove_links(const char *folder)
{
    DIR *open_folder = opendir(folder);
    for (struct dirent *entry; open_folder != NULL && (entry = readdir(open_folder)) != NULL;)
        unlinkat(dirfd(open_folder), entry->d_name, 0);
    if (open_folder != NULL) closedir(open_folder);
    rmdir(folder);
}

void rocks_remove_old_views(struct rocks_log *r)
{
    char folder[PATH_MAX];
    DIR *directory = opendir(r->directory.path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, "view-", 5) != 0 || strlen(entry->d_name) > sizeof "view-XXXXXX") continue;
        log_directory_path(&r->directory, entry->d_name, folder);
        remove_links(folder);
    }
    if (directory != NULL) closedir(directory);
}

static enum log_status open_linked(struct rocks_log *r, struct rocks_found *out, struct log_error *error)
{
    char folder[PATH_MAX];
    log_directory_path(&r->directory, "view-XXXXXX", folder);
    if (mkdtemp(folder) == NULL)
        return log_refuse(error, LOG_IO,
                          "%.200s: its coordinator writes too fast to be read in place, and links to its files cannot be made: %s; "
                          "read it as its owner, or stop the coordinator",
                          r->directory.path, strerror(errno));
    enum log_status status = LOG_IO;
    if (link_files(r, ".log", folder) && copy_list(r, folder) && link_files(r, ".sst", folder))
        status = rocks_open(r, folder, out, error);
    else
        log_refuse_errno(error, "cannot link the files of", r->directory.path, errno);
    remove_links(folder);
    log_directory_path(&r->directory, "db", r->store.path); /* for texts: the links are gone */
    return status;
}

enum log_status rocks_open_view(struct rocks_log *r, struct rocks_found *out, struct log_error *error)
{
    char db[PATH_MAX];
    log_directory_path(&r->directory, "db", db);
    struct version before = version_now(r);
    enum log_status status = rocks_open(r, db, out, error);
    bool linked = false;
    for (int i = 0; i < VIEWS_MAX; i++) {
        struct version after = version_now(r);
        bool same = same_version(&before, &after), whole = status == LOG_OK && view_is_whole(r);
        bool gone = status == LOG_IO && strstr(error->text, "No such file") != NULL; /* the writer was about to forget it */
        if (whole ? linked || same : same && !gone) break; /* an end that comes too early shows by the version alone */
        linked = !whole || i > 0;
        before = after;
        rocks_store_close(&r->store);
        snapshot_reader_close(&r->newest);
        status = linked ? open_linked(r, out, error) : rocks_open(r, db, out, error);
    }
    return status;
}
