/* What a machine's power loss leaves of a directory; loaded by LD_PRELOAD into a program that knows nothing of it.
 *
 *   WEIR_POWER_DIR   the directory; what is in it when the program starts counts as written long ago
 *   WEIR_POWER_DISK  a directory outside of it, made here: what would still be there if the power went now
 *
 * The program works on the real files. A file's bytes reach the disk only with its own fsync or fdatasync, a name (new, renamed, removed)
 * only with the fsync of its folder; sync_file_range and close promise nothing. So the harness kills the program, puts the disk in the
 * place of the directory (power.py), and starts it again.
 *
 * The disk keeps contents and names apart, both under the inode numbers of the real ones:
 *   files/INODE            the bytes
 *   folders/INODE/NAME     a hard link to the file's bytes, or a symbolic link to its folder
 *   root                   a symbolic link to the folder of WEIR_POWER_DIR; missing until that was synced
 * Writes through mmap are not seen: nothing here makes any (RocksDB's allow_mmap_writes is off). */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES_MAX = 1024, PATH_BYTES = 4096, NAME_BYTES = 64, COPY_BYTES = 1 << 16 };

/* One file with bytes that are not on the disk: all of them lie in [from, to). */
struct unsynced {
    ino_t inode;
    off_t from, to;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct unsynced unsynced[FILES_MAX];
static size_t unsynced_count;
static char directory[PATH_BYTES];
static int disk = -1; /* WEIR_POWER_DISK; every path on the disk is relative to it */

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

/* The disk itself must not fail: the run would say nothing. */
static void need(bool fine, const char *what)
{
    if (fine) return;
    perror(what);
    abort();
}

static bool below_directory(const char *path)
{
    size_t size = strlen(directory);
    return size > 0 && strncmp(path, directory, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static bool fd_below_directory(int fd, char path[PATH_BYTES])
{
    char link[NAME_BYTES];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = disk >= 0 ? readlink(link, path, PATH_BYTES - 1) : -1;
    if (size <= 0) return false;
    path[size] = '\0';
    return below_directory(path);
}

static void name_of(const char *kind, ino_t inode, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "%s/%llu", kind, (unsigned long long)inode);
}

/* The bytes of a file on the disk; a file of which only the name is there has none. */
static int open_on_disk(ino_t inode)
{
    char name[NAME_BYTES];
    name_of("files", inode, name);
    int fd = openat(disk, name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    need(fd >= 0, "power_shim: a file on the disk");
    return fd;
}

static void copy_bytes(int from_fd, int to_fd, off_t from, off_t to)
{
    static char buffer[COPY_BYTES]; /* under the lock */
    while (from < to) {
        size_t want = to - from < COPY_BYTES ? (size_t)(to - from) : COPY_BYTES;
        ssize_t got = pread(from_fd, buffer, want, from);
        need(got >= 0 && pwrite(to_fd, buffer, (size_t)got, from) == got, "power_shim: copying to the disk");
        if (got == 0) return;
        from += got;
    }
}

/* Everything the file holds now is on the disk: what was written since the last time, and what stands beyond its old end. */
static void sync_file(int fd, const struct stat *file)
{
    char link[NAME_BYTES];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int readable = open(link, O_RDONLY | O_CLOEXEC), there = open_on_disk(file->st_ino);
    struct stat old;
    need(readable >= 0 && fstat(there, &old) == 0, "power_shim: reading a file");
    for (size_t i = 0; i < unsynced_count; i++)
        if (unsynced[i].inode == file->st_ino) {
            copy_bytes(readable, there, unsynced[i].from, unsynced[i].to);
            unsynced[i] = unsynced[--unsynced_count];
            break;
        }
    copy_bytes(readable, there, old.st_size, file->st_size);
    need(ftruncate(there, file->st_size) == 0, "power_shim: the size of a file");
    close(readable);
    close(there);
}

/* name in the folder of the disk is this file or folder; a renamed one takes the place of the old in one step. */
static void put_name(int folder, const char *name, const struct stat *entry)
{
    char target[NAME_BYTES], up[NAME_BYTES + 8];
    if (S_ISDIR(entry->st_mode)) {
        name_of("folders", entry->st_ino, target);
        need(mkdirat(disk, target, 0755) == 0 || errno == EEXIST, "power_shim: a folder on the disk");
        snprintf(up, sizeof up, "../../%s", target);
        need(symlinkat(up, folder, ".new") == 0, "power_shim: the name of a folder");
    } else {
        struct stat old, now;
        close(open_on_disk(entry->st_ino));
        name_of("files", entry->st_ino, target);
        need(fstatat(disk, target, &now, 0) == 0, "power_shim: a file on the disk");
        if (fstatat(folder, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && old.st_ino == now.st_ino) return;
        need(linkat(disk, target, folder, ".new", 0) == 0, "power_shim: the name of a file");
    }
    need(renameat(folder, ".new", folder, name) == 0, "power_shim: a name on the disk");
}

static void drop_names(int folder, int live)
{
    DIR *names = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    need(names != NULL, "power_shim: a folder on the disk");
    for (struct dirent *entry; (entry = readdir(names)) != NULL;)
        if (entry->d_name[0] != '.' && faccessat(live, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            need(unlinkat(folder, entry->d_name, 0) == 0, "power_shim: a removed name");
    closedir(names);
}

/* The folder on the disk gets the names that the real one has now. */
static void sync_folder(const char *path, const struct stat *self)
{
    char name[NAME_BYTES];
    name_of("folders", self->st_ino, name);
    need(mkdirat(disk, name, 0755) == 0 || errno == EEXIST, "power_shim: a folder on the disk");
    if (strcmp(path, directory) == 0 && symlinkat(name, disk, "root") != 0) need(errno == EEXIST, "power_shim: the root");
    int folder = openat(disk, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = opendir(path);
    need(folder >= 0 && names != NULL, "power_shim: reading a folder");
    for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
        struct stat what;
        if (entry->d_name[0] == '.' || fstatat(dirfd(names), entry->d_name, &what, AT_SYMLINK_NOFOLLOW) != 0) continue;
        put_name(folder, entry->d_name, &what);
    }
    drop_names(folder, dirfd(names));
    closedir(names);
    close(folder);
}

static int keep_old(const char *path, const struct stat *what, int kind, struct FTW *place)
{
    (void)place;
    if (kind == FTW_DP) {
        sync_folder(path, what);
    } else {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        need(fd >= 0, "power_shim: reading a file");
        sync_file(fd, what);
        close(fd);
    }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *root = getenv("WEIR_POWER_DIR"), *to = getenv("WEIR_POWER_DISK");
    if (root == NULL || to == NULL) return;
    need((mkdir(to, 0755) == 0 || errno == EEXIST), "power_shim: WEIR_POWER_DISK");
    int opened = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    need(opened >= 0 && mkdirat(opened, "files", 0755) == 0 && mkdirat(opened, "folders", 0755) == 0, "power_shim: WEIR_POWER_DISK");
    snprintf(directory, sizeof directory, "%s", root);
    disk = opened;
    if (access(directory, F_OK) == 0) need(nftw(directory, keep_old, 16, FTW_PHYS | FTW_DEPTH) == 0, "power_shim: WEIR_POWER_DIR");
}

/* size bytes were written that end at end; -1: at the file's place. */
static void note_write(int fd, ssize_t size, off_t end)
{
    char path[PATH_BYTES];
    struct stat file;
    int kept = errno;
    if (size > 0 && fd_below_directory(fd, path) && fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) {
        if (end < 0) end = lseek(fd, 0, SEEK_CUR);
        pthread_mutex_lock(&lock);
        size_t at = 0;
        while (at < unsynced_count && unsynced[at].inode != file.st_ino)
            at++;
        need(at < FILES_MAX, "power_shim: too many files that were never synced");
        if (at == unsynced_count) unsynced[unsynced_count++] = (struct unsynced){ file.st_ino, end - size, end };
        if (end - size < unsynced[at].from) unsynced[at].from = end - size;
        if (end > unsynced[at].to) unsynced[at].to = end;
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
}

static void note_sync(int fd)
{
    char path[PATH_BYTES];
    struct stat what;
    int kept = errno;
    if (fd_below_directory(fd, path)) {
        pthread_mutex_lock(&lock);
        need(fstat(fd, &what) == 0, "power_shim: a synced file");
        if (S_ISDIR(what.st_mode))
            sync_folder(path, &what);
        else
            sync_file(fd, &what);
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
}

/* A new file or folder may have the inode number of one that is gone, whose bytes the disk still has under its old name. */
static void note_new(const char *path)
{
    struct stat what;
    char name[NAME_BYTES];
    int kept = errno;
    if (disk >= 0 && below_directory(path) && stat(path, &what) == 0) {
        pthread_mutex_lock(&lock);
        name_of(S_ISDIR(what.st_mode) ? "folders" : "files", what.st_ino, name);
        need(unlinkat(disk, name, S_ISDIR(what.st_mode) ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT, "power_shim: an inode used again");
        for (size_t i = 0; i < unsynced_count; i++)
            if (unsynced[i].inode == what.st_ino) unsynced[i--] = unsynced[--unsynced_count];
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
}

#define EXPORT __attribute__((visibility("default")))

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t written = ((ssize_t(*)(int, const void *, size_t))real("write"))(fd, data, size);
    note_write(fd, written, -1);
    return written;
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    ssize_t written = ((ssize_t(*)(int, const void *, size_t, off64_t))real("pwrite64"))(fd, data, size, at);
    note_write(fd, written, at + written);
    return written;
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return pwrite64(fd, data, size, at);
}

EXPORT ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    ssize_t written = ((ssize_t(*)(int, const struct iovec *, int))real("writev"))(fd, pieces, count);
    note_write(fd, written, -1);
    return written;
}

EXPORT int fdatasync(int fd)
{
    int status = ((int (*)(int))real("fdatasync"))(fd);
    if (status == 0) note_sync(fd);
    return status;
}

EXPORT int fsync(int fd)
{
    int status = ((int (*)(int))real("fsync"))(fd);
    if (status == 0) note_sync(fd);
    return status;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    int status = ((int (*)(const char *, mode_t))real("mkdir"))(path, mode);
    if (status == 0) note_new(path);
    return status;
}

#define OPEN_LIKE(name)                                                                                                                    \
    EXPORT int name(const char *path, int flags, ...)                                                                                      \
    {                                                                                                                                      \
        va_list arguments;                                                                                                                 \
        va_start(arguments, flags);                                                                                                        \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;                                                \
        va_end(arguments);                                                                                                                 \
        bool makes = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;                                                                    \
        int fd = ((int (*)(const char *, int, ...))real(#name))(path, flags, mode);                                                        \
        if (makes && fd >= 0) note_new(path);                                                                                              \
        return fd;                                                                                                                         \
    }
OPEN_LIKE(open)
OPEN_LIKE(open64)
