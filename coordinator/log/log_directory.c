/* The small files of a data directory. They are text where a person may want to look, checked where a wrong byte would do harm, and
 * replaced whole, except for the mark, which is written too often for that. */
#include "coordinator/log/log_directory.h"
#include "coordinator/log/log_ops.h"
#include "proto/block_codec.h"
#include "sdk/base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARK_BYTES = 16, TEXT_BYTES = 256 };

void log_directory_path(const struct log_directory *directory, const char *name, char *out)
{
    int size = snprintf(out, PATH_MAX, "%s%s%s", directory->path, name[0] != 0 ? "/" : "", name);
    must(size > 0 && size < PATH_MAX); /* checked for the longest name when the directory was opened */
}

enum log_status log_refuse_errno(struct log_error *error, const char *what, const char *path, int code)
{
    if (code == EACCES || code == EPERM || code == EROFS || code == ENOTDIR)
        return log_refuse(error, LOG_NOT_WRITABLE,
                          "%s %s: %s; give the coordinator's user the right to write there, or name another directory", what, path,
                          strerror(code));
    if (code == ENOSPC || code == EDQUOT)
        return log_refuse(error, LOG_IO, "%s %s: %s; free space on that disk", what, path, strerror(code));
    return log_refuse(error, LOG_IO, "%s %s: %s", what, path, strerror(code));
}

static bool write_all(int fd, struct span content)
{
    while (content.size > 0) {
        ssize_t written = write(fd, content.data, content.size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        content = span_of(content.data + written, content.size - (size_t)written);
    }
    return true;
}

bool log_file_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) slash[slash == folder] = 0;
    int fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool synced = fsync(fd) == 0;
    int code = errno;
    close(fd);
    errno = code;
    return synced;
}

bool log_file_replace(const char *path, struct span content)
{
    char temporary[PATH_MAX + 8];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    bool written = write_all(fd, content) && fsync(fd) == 0;
    int code = errno;
    close(fd);
    if (!written) {
        errno = code;
        return false;
    }
    return rename(temporary, path) == 0 && log_file_sync_folder(path);
}

bool log_folder_make(const char *path)
{
    return mkdir(path, 0755) == 0 ? log_file_sync_folder(path) : errno == EEXIST;
}

/* Reads a small text file. Returns its size, -1 with errno. */
static ssize_t read_text(const char *path, char *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t size = read(fd, text, TEXT_BYTES - 1);
    int code = errno;
    close(fd);
    errno = code;
    if (size >= 0) text[size] = 0;
    return size;
}

static uint64_t check_of(struct span bytes)
{
    uint8_t hash[BLOCK_HASH_BYTES];
    block_hash(bytes, hash);
    uint64_t check = 0;
    for (int i = 7; i >= 0; i--)
        check = check << 8 | hash[i];
    return check;
}

static enum log_status make_folders(const char *path, struct log_error *error)
{
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) *slash = 0;
        if (!log_folder_make(part)) return log_refuse_errno(error, "cannot make the data directory", part, errno);
        if (slash == NULL) return LOG_OK;
        *slash = '/';
    }
}

static enum log_status refuse_in_use(int fd, const char *path, struct log_error *error)
{
    char pid[32];
    ssize_t size = pread(fd, pid, sizeof pid - 1, 0);
    pid[size > 0 ? size : 0] = 0;
    pid[strcspn(pid, "\n")] = 0;
    return log_refuse(error, LOG_IN_USE, "%s: the data directory is in use by process %s; stop that one first, or name another directory",
                      path, pid[0] != 0 ? pid : "(unknown)");
}

static enum log_status take_lock(struct log_directory *directory, struct log_error *error)
{
    char path[PATH_MAX], pid[32];
    log_directory_path(directory, "LOCK", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return log_refuse_errno(error, "cannot write", path, errno);
    enum log_status status = LOG_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        status = errno == EWOULDBLOCK ? refuse_in_use(fd, directory->path, error) : log_refuse_errno(error, "cannot lock", path, errno);
    if (status != LOG_OK) {
        close(fd);
        return status;
    }
    int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || !write_all(fd, span_of(pid, (size_t)size))) {
        status = log_refuse_errno(error, "cannot write", path, errno);
        close(fd);
        return status;
    }
    directory->lock_fd = fd;
    return LOG_OK;
}

/* LOG_OK with *out_missing when there is no FORMAT. */
static enum log_status read_format(const struct log_directory *directory, bool *out_missing, struct log_error *error)
{
    char path[PATH_MAX], text[TEXT_BYTES];
    log_directory_path(directory, "FORMAT", path);
    *out_missing = false;
    if (read_text(path, text) < 0) {
        if (errno != ENOENT && errno != ENOTDIR) return log_refuse_errno(error, "cannot read", path, errno);
        *out_missing = true;
        return LOG_OK;
    }
    char *end;
    unsigned long format = strtoul(text, &end, 10);
    if (end == text || format == 0 || (*end != '\n' && *end != 0))
        return log_refuse(error, LOG_DAMAGED, "%s: at position 0 is no format number; put back a copy of the data directory", path);
    if (format > LOG_FORMAT)
        return log_refuse(error, LOG_NEWER,
                          "%s: the directory has format %lu, this version knows formats up to %d; start the version of weir that wrote it, "
                          "or a later one",
                          path, format, LOG_FORMAT);
    return LOG_OK;
}

enum log_status log_directory_write_identity(const struct log_directory *directory, const struct log_identity *identity,
                                             struct log_error *error)
{
    char path[PATH_MAX], text[TEXT_BYTES];
    log_directory_path(directory, "identity", path);
    int size = snprintf(text, sizeof text, "log_id=%016" PRIx64 "\nrestore_count=%" PRIu64 "\nterm=%" PRIu64 "\n", identity->log_id,
                        identity->restore_count, identity->term);
    uint64_t check = check_of(span_of(text, (size_t)size));
    size += snprintf(text + size, sizeof text - (size_t)size, "check=%016" PRIx64 "\n", check);
    if (!log_file_replace(path, span_of(text, (size_t)size))) return log_refuse_errno(error, "cannot write", path, errno);
    return LOG_OK;
}

static enum log_status read_identity(const struct log_directory *directory, struct log_identity *out, struct log_error *error)
{
    char path[PATH_MAX], text[TEXT_BYTES];
    log_directory_path(directory, "identity", path);
    if (read_text(path, text) < 0)
        return log_refuse(error, LOG_DAMAGED, "%s: %s; put back a copy of the data directory", path, strerror(errno));
    struct log_identity identity = { 0 };
    uint64_t check = 0;
    int read = sscanf(text, "log_id=%" SCNx64 "\nrestore_count=%" SCNu64 "\nterm=%" SCNu64 "\ncheck=%" SCNx64, &identity.log_id,
                      &identity.restore_count, &identity.term, &check);
    const char *checked = strstr(text, "check=");
    if (read != 4 || checked == NULL || check_of(span_of(text, (size_t)(checked - text))) != check)
        return log_refuse(error, LOG_DAMAGED, "%s: at position 0, its text does not fit its check; put back a copy of the data directory",
                          path);
    *out = identity;
    return LOG_OK;
}

/* A directory without FORMAT becomes a log, unless a database is in it. */
static enum log_status make_log(struct log_directory *directory, struct log_error *error)
{
    char path[PATH_MAX], text[16];
    log_directory_path(directory, "db/CURRENT", path);
    if (access(path, F_OK) == 0)
        return log_refuse(error, LOG_DAMAGED, "%s/FORMAT: missing, but %s is there; put back a copy of the data directory", directory->path,
                          path);
    struct log_identity identity = { 0 };
    while (identity.log_id == 0)
        if (getrandom(&identity.log_id, sizeof identity.log_id, 0) != (ssize_t)sizeof identity.log_id)
            return log_refuse(error, LOG_IO, "cannot draw a random log id: %s", strerror(errno));
    enum log_status status = log_directory_write_identity(directory, &identity, error);
    if (status != LOG_OK) return status;
    log_directory_path(directory, "FORMAT", path);
    int size = snprintf(text, sizeof text, "%d\n", LOG_FORMAT);
    if (!log_file_replace(path, span_of(text, (size_t)size))) return log_refuse_errno(error, "cannot write", path, errno);
    return LOG_OK;
}

static bool write_mark(struct log_directory *directory, uint64_t position)
{
    uint8_t bytes[MARK_BYTES];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(position >> (8 * i));
    uint64_t check = check_of(span_of(bytes, 8));
    for (int i = 0; i < 8; i++)
        bytes[8 + i] = (uint8_t)(check >> (8 * i));
    /* a short count is gone on with: half a mark would refuse the next start */
    for (size_t at = 0; at < sizeof bytes;) {
        ssize_t written = pwrite(directory->mark_fd, bytes + at, sizeof bytes - at, (off_t)at);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            errno = written == 0 ? EIO : errno;
            return false;
        }
        at += (size_t)written;
    }
    directory->mark = position;
    return true;
}

bool log_directory_mark(struct log_directory *directory, uint64_t position)
{
    pthread_mutex_lock(&directory->mark_lock);
    bool marked = position <= directory->mark || write_mark(directory, position);
    int code = errno;
    pthread_mutex_unlock(&directory->mark_lock);
    errno = code;
    return marked;
}

bool log_directory_reset_mark(struct log_directory *directory, uint64_t position)
{
    return write_mark(directory, position) && fdatasync(directory->mark_fd) == 0;
}

/* False: it does not fit its check. A mark that never reached the disk is all zero. */
static bool parse_mark(const uint8_t *bytes, uint64_t *out)
{
    uint64_t position = 0, check = 0;
    for (int i = 7; i >= 0; i--) {
        position = position << 8 | bytes[i];
        check = check << 8 | bytes[8 + i];
    }
    *out = position;
    return (position == 0 && check == 0) || check == check_of(span_of(bytes, 8));
}

static enum log_status open_mark(struct log_directory *directory, const struct log_config *config, struct log_error *error)
{
    enum { TRIES = 4 }; /* of a reader beside a writer: it may see half of a mark */
    char path[PATH_MAX];
    log_directory_path(directory, "completed", path);
    int fd = open(path, (config->read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0644);
    if (fd < 0 && config->read_only && errno == ENOENT) return LOG_OK;
    if (fd < 0) return log_refuse_errno(error, "cannot open", path, errno);
    directory->mark_fd = fd;
    for (int i = 0; i < TRIES; i++) {
        uint8_t bytes[MARK_BYTES] = { 0 };
        if (pread(fd, bytes, sizeof bytes, 0) < 0) return log_refuse_errno(error, "cannot read", path, errno);
        if (parse_mark(bytes, &directory->mark)) return LOG_OK;
    }
    directory->mark = 0;
    directory->mark_wrong = true;
    if (config->accept_loss) return LOG_OK;
    return log_refuse(
        error, LOG_DAMAGED,
        "%s: at position 0, the mark does not fit its check, so lost blocks would not be noticed; accept the loss to start all "
        "the same",
        path);
}

static enum log_status open_for_writing(struct log_directory *directory, struct log_error *error)
{
    bool missing;
    enum log_status status = make_folders(directory->path, error);
    if (status == LOG_OK) status = take_lock(directory, error);
    if (status == LOG_OK) status = read_format(directory, &missing, error);
    if (status == LOG_OK && missing) status = make_log(directory, error);
    return status;
}

static enum log_status open_for_reading(const struct log_directory *directory, struct log_error *error)
{
    bool missing;
    enum log_status status = read_format(directory, &missing, error);
    if (status == LOG_OK && missing)
        return log_refuse(error, LOG_IO, "%s: there is no log here (no file FORMAT in it); name a coordinator's data directory",
                          directory->path);
    return status;
}

enum log_status log_directory_open(struct log_directory *directory, const struct log_config *config, struct log_identity *out_identity,
                                   struct log_error *error)
{
    enum { LONGEST_NAME = 64 };
    if (config->directory == NULL || config->directory[0] == 0 || strlen(config->directory) + LONGEST_NAME >= PATH_MAX)
        return log_refuse(error, LOG_IO, "the data directory's name is empty or too long");
    *directory = (struct log_directory){ .lock_fd = -1, .mark_fd = -1 };
    snprintf(directory->path, sizeof directory->path, "%s", config->directory);
    must(pthread_mutex_init(&directory->mark_lock, NULL) == 0);
    enum log_status status = config->read_only ? open_for_reading(directory, error) : open_for_writing(directory, error);
    if (status == LOG_OK) status = read_identity(directory, out_identity, error);
    if (status == LOG_OK) status = open_mark(directory, config, error);
    if (status != LOG_OK) log_directory_close(directory);
    return status;
}

void log_directory_close(struct log_directory *directory)
{
    if (directory->mark_fd >= 0) close(directory->mark_fd);
    if (directory->lock_fd >= 0) close(directory->lock_fd); /* ends the lock */
    directory->mark_fd = directory->lock_fd = -1;
    pthread_mutex_destroy(&directory->mark_lock);
}
