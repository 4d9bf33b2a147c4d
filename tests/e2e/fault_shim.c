/* Makes the n-th call of one kind under a directory fail; loaded by LD_PRELOAD into a program that knows nothing of it.
 *
 *   WEIR_FAULT_DIR   only files below this directory count
 *   WEIR_FAULT_CALL  write | fdatasync | open | rename | none   (write: pwrite and writev too; fdatasync: fsync too)
 *   WEIR_FAULT_AT    which call fails, from 1; later ones succeed
 *   WEIR_FAULT_WITH  EIO | ENOSPC | EINTR | short               (short: half of the bytes are written; only for write)
 *   WEIR_FAULT_LOG   a file outside the directory: gets a line per kind of call with how many there were, at exit, and one when the fault
 * fires
 *
 * It keeps no state but counters; everything but the one call is passed on. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { CALL_WRITE, CALL_FDATASYNC, CALL_OPEN, CALL_RENAME, CALL_KINDS };
static const char *const call_names[CALL_KINDS] = { "write", "fdatasync", "open", "rename" };

static atomic_ulong calls[CALL_KINDS];
static char directory[4096];
static enum call fault_call = CALL_KINDS;
static unsigned long fault_at;
static int fault_errno; /* 0: short */
static int log_fd = -1;

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

__attribute__((constructor)) static void begin(void)
{
    static const struct {
        const char *word;
        int number;
    } kinds[] = { { "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EINTR", EINTR }, { "short", 0 } };
    const char *root = getenv("WEIR_FAULT_DIR"), *call = getenv("WEIR_FAULT_CALL"), *at = getenv("WEIR_FAULT_AT"),
               *with = getenv("WEIR_FAULT_WITH"), *log = getenv("WEIR_FAULT_LOG");
    if (root == NULL) return;
    snprintf(directory, sizeof directory, "%s", root);
    for (int i = 0; call != NULL && i < CALL_KINDS; i++)
        if (strcmp(call, call_names[i]) == 0) fault_call = (enum call)i;
    for (size_t i = 0; with != NULL && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(with, kinds[i].word) == 0) fault_errno = kinds[i].number;
    fault_at = at != NULL ? strtoul(at, NULL, 10) : 0;
    if (log != NULL) log_fd = ((int (*)(const char *, int, ...))real("open"))(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void say(const char *word, const char *path, unsigned long count)
{
    char line[4400];
    int size = snprintf(line, sizeof line, "%s %lu %s\n", word, count, path);
    if (log_fd >= 0 && ((ssize_t(*)(int, const void *, size_t))real("write"))(log_fd, line, (size_t)size) != size) abort();
}

__attribute__((destructor)) static void end(void)
{
    for (int i = 0; i < CALL_KINDS; i++)
        say(call_names[i], "", calls[i]);
}

static bool below_directory(const char *path)
{
    size_t size = strlen(directory);
    return size > 0 && path != NULL && strncmp(path, directory, size) == 0;
}

/* True: this is the call that fails. */
static bool fires(enum call call, const char *path)
{
    if (!below_directory(path)) return false;
    unsigned long count = atomic_fetch_add(&calls[call], 1) + 1;
    if (call != fault_call || count != fault_at) return false;
    say("fault", path, count);
    errno = fault_errno;
    return true;
}

static bool fires_at(enum call call, int fd)
{
    char link[64], path[4096];
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = directory[0] != '\0' ? readlink(link, path, sizeof path - 1) : -1;
    errno = kept;
    if (size <= 0) return false;
    path[size] = '\0';
    return fires(call, path);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))real("write");
    if (!fires_at(CALL_WRITE, fd)) return next(fd, data, size);
    return fault_errno != 0 || size < 2 ? -1 : next(fd, data, size / 2);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    ssize_t (*next)(int, const void *, size_t, off64_t) = (ssize_t(*)(int, const void *, size_t, off64_t))real("pwrite64");
    if (!fires_at(CALL_WRITE, fd)) return next(fd, data, size, at);
    return fault_errno != 0 || size < 2 ? -1 : next(fd, data, size / 2, at);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return pwrite64(fd, data, size, at);
}

EXPORT ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    ssize_t (*next)(int, const struct iovec *, int) = (ssize_t(*)(int, const struct iovec *, int))real("writev");
    if (!fires_at(CALL_WRITE, fd)) return next(fd, pieces, count);
    return fault_errno != 0 ? -1 : next(fd, pieces, 1);
}

EXPORT int fdatasync(int fd)
{
    int (*next)(int) = (int (*)(int))real("fdatasync");
    return fires_at(CALL_FDATASYNC, fd) ? -1 : next(fd);
}

EXPORT int fsync(int fd)
{
    int (*next)(int) = (int (*)(int))real("fsync");
    return fires_at(CALL_FDATASYNC, fd) ? -1 : next(fd);
}

#define OPEN_LIKE(name)                                                                                                                    \
    EXPORT int name(const char *path, int flags, ...)                                                                                      \
    {                                                                                                                                      \
        va_list arguments;                                                                                                                 \
        va_start(arguments, flags);                                                                                                        \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;                                                \
        va_end(arguments);                                                                                                                 \
        int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))real(#name);                                                \
        return fires(CALL_OPEN, path) ? -1 : next(path, flags, mode);                                                                      \
    }
OPEN_LIKE(open)
OPEN_LIKE(open64)

EXPORT FILE *fopen(const char *path, const char *mode)
{
    FILE *(*next)(const char *, const char *) = (FILE * (*)(const char *, const char *)) real("fopen");
    return fires(CALL_OPEN, path) ? NULL : next(path, mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode)
{
    FILE *(*next)(const char *, const char *) = (FILE * (*)(const char *, const char *)) real("fopen64");
    return fires(CALL_OPEN, path) ? NULL : next(path, mode);
}

EXPORT int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *) = (int (*)(const char *, const char *))real("rename");
    return fires(CALL_RENAME, to) ? -1 : next(from, to);
}
