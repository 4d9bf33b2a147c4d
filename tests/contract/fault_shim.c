/* Interposed by the linker's search order alone: the program's own symbols come first, for librocksdb too, so nothing has to be preloaded,
 * and the same program works under a sanitizer. */
#include "tests/contract/fault_shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static struct {
    pthread_mutex_t lock;
    char folder[PATH_MAX];
    enum fault_call call;
    uint64_t remaining; /* 0 = not armed, or fired */
    int code;
    bool fired;
    struct synced_file *synced;
} fault = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

void fault_arm(const char *folder, enum fault_call call, uint64_t nth, int code)
{
    pthread_mutex_lock(&fault.lock);
    snprintf(fault.folder, sizeof fault.folder, "%s/", folder);
    fault.call = call;
    fault.remaining = nth;
    fault.code = code;
    pthread_mutex_unlock(&fault.lock);
}

bool fault_fired(void)
{
    pthread_mutex_lock(&fault.lock);
    bool fired = fault.fired;
    pthread_mutex_unlock(&fault.lock);
    return fired;
}

void fault_record_synced(const char *folder, const char *table_path)
{
    size_t size = SYNCED_FILES_MAX * sizeof *fault.synced;
    int fd = open(table_path, O_RDWR | O_CREAT, 0644);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0) abort();
    void *table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (table == MAP_FAILED) abort();
    close(fd);
    pthread_mutex_lock(&fault.lock);
    snprintf(fault.folder, sizeof fault.folder, "%s/", folder);
    fault.synced = table;
    pthread_mutex_unlock(&fault.lock);
}

/* The path concerns us. */
static bool ours(const char *path)
{
    const char *name = strrchr(path, '/');
    return fault.folder[0] != 0 && strncmp(path, fault.folder, strlen(fault.folder)) == 0 && strncmp(name + 1, "LOG", 3) != 0;
}

/* This call fails; *out_code says how. */
static bool fails(enum fault_call call, const char *path, int *out_code)
{
    pthread_mutex_lock(&fault.lock);
    bool hit = fault.remaining > 0 && fault.call == call && ours(path) && --fault.remaining == 0;
    if (hit) {
        fault.fired = true;
        *out_code = fault.code;
    }
    pthread_mutex_unlock(&fault.lock);
    return hit;
}

static bool path_of(int fd, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = 0;
    return size > 0;
}

static bool fd_fails(enum fault_call call, int fd, int *out_code)
{
    char path[PATH_MAX];
    return path_of(fd, path) && fails(call, path, out_code);
}

static void note_synced(int fd)
{
    char path[PATH_MAX];
    struct stat status;
    if (fault.synced == NULL || !path_of(fd, path) || !ours(path) || fstat(fd, &status) != 0) return;
    const char *name = strrchr(path, '/') + 1;
    pthread_mutex_lock(&fault.lock);
    for (int i = 0; i < SYNCED_FILES_MAX; i++) {
        struct synced_file *file = &fault.synced[i];
        if (file->name[0] != 0 && strcmp(file->name, name) != 0) continue;
        snprintf(file->name, sizeof file->name, "%.31s", name);
        file->bytes = (uint64_t)status.st_size;
        break;
    }
    pthread_mutex_unlock(&fault.lock);
}

EXPORTED ssize_t write(int fd, const void *data, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);
    int code;
    if (real == NULL) real = (ssize_t(*)(int, const void *, size_t))next("write");
    if (!fd_fails(FAULT_WRITE, fd, &code)) return real(fd, data, size);
    if (code == FAULT_SHORT) return real(fd, data, (size + 1) / 2);
    errno = code;
    return -1;
}

EXPORTED ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    int code;
    if (real == NULL) real = (ssize_t(*)(int, const void *, size_t, off_t))next("pwrite");
    if (!fd_fails(FAULT_PWRITE, fd, &code)) return real(fd, data, size, offset);
    if (code == FAULT_SHORT) return real(fd, data, (size + 1) / 2, offset);
    errno = code;
    return -1;
}

/* The size before the sync is what is surely there after it. */
static int synced(enum fault_call call, int fd, int (*real)(int))
{
    int code;
    if (fd_fails(call, fd, &code)) {
        errno = code;
        return -1;
    }
    int result = real(fd);
    if (result == 0) note_synced(fd);
    return result;
}

EXPORTED int fdatasync(int fd)
{
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))next("fdatasync");
    return synced(FAULT_FDATASYNC, fd, real);
}

EXPORTED int fsync(int fd)
{
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))next("fsync");
    return synced(FAULT_FSYNC, fd, real);
}

EXPORTED int open(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    int code;
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    if (real == NULL) real = (int (*)(const char *, int, ...))next("open");
    if ((flags & O_ACCMODE) == O_RDONLY || !fails(FAULT_OPEN, path, &code)) return real(path, flags, mode);
    errno = code;
    return -1;
}

EXPORTED int rename(const char *from, const char *to)
{
    static int (*real)(const char *, const char *);
    int code;
    if (real == NULL) real = (int (*)(const char *, const char *))next("rename");
    if (!fails(FAULT_RENAME, from, &code)) return real(from, to);
    errno = code;
    return -1;
}
