/* What stands beside the database in a data directory. Private to coordinator/log.
 *
 *   DIR/FORMAT      the number of the directory's format, as text
 *   DIR/LOCK        flock'ed by the one process that writes; its process id as text
 *   DIR/identity    log id, restore count and term, as text with a check
 *   DIR/completed   the completed mark: the last position known to be on the disk. 8 bytes and 8 of check, written in place after each
 *                   completed sync, not synced itself. RocksDB cannot tell a torn last write from lost synced ones; with the mark we can.
 *   DIR/db          the database
 *   DIR/view-XXXXXX for the moment in which a reader opens a view of a database in use (rocks_view.c)
 *   DIR/snapshots   the snapshots (snapshot_file.h) */
#ifndef WEIR_LOG_DIRECTORY_H
#define WEIR_LOG_DIRECTORY_H

#include "coordinator/log/log.h"

#include <limits.h>
#include <pthread.h>

enum { LOG_FORMAT = 1 };

struct log_directory {
    char path[PATH_MAX];
    int lock_fd, mark_fd;
    pthread_mutex_t mark_lock;
    uint64_t mark;
    bool mark_wrong; /* its check does not fit; the loss it may hide was accepted */
};

/* Opens it: for writing it is made when missing, and locked. Reads identity and mark. A failed open leaves nothing open. */
enum log_status log_directory_open(struct log_directory *directory, const struct log_config *config, struct log_identity *out_identity,
                                   struct log_error *error);
void log_directory_close(struct log_directory *directory);

/* DIR/name, or DIR itself when name is "". out has PATH_MAX bytes. */
void log_directory_path(const struct log_directory *directory, const char *name, char *out);

enum log_status log_directory_write_identity(const struct log_directory *directory, const struct log_identity *identity,
                                             struct log_error *error);

/* Everything up to position is on the disk. Never lowers the mark. Any thread. False: errno. */
bool log_directory_mark(struct log_directory *directory, uint64_t position);
/* An accepted loss lowers it. */
bool log_directory_reset_mark(struct log_directory *directory, uint64_t position);

/* Writes DIR/name by a temporary file, synced, renamed; then syncs the folder it is in. False: errno. */
bool log_file_replace(const char *path, struct span content);
bool log_file_sync_folder(const char *path); /* of the file at path */
/* Makes a folder whose name is on the disk before anything in it is relied on; one that is there is fine. False: errno. */
bool log_folder_make(const char *path);

/* LOG_NOT_WRITABLE or LOG_IO with errno's reason and what to do. */
enum log_status log_refuse_errno(struct log_error *error, const char *what, const char *path, int code);

#endif
