/* The memory backend: a log over a disk made of memory, with the faults a real disk has, on request. For the simulator, the stories and the
 * contract suite. Kind: shell; no threads, no clock, no randomness: what is submitted, fetched, saved or trimmed is answered by the
 * log_poll after it.
 *
 * A disk outlives the logs opened on it, so a crash is: log_memory_crash, then open again. A write reaches the disk at log_submit and is
 * synced as it commits (LOG_FSYNC), or at log_memory_sync and log_close (LOG_INTERVAL, LOG_OS). */
#ifndef WEIR_LOG_MEMORY_H
#define WEIR_LOG_MEMORY_H

#include "coordinator/log/log.h"

struct memory_disk;

/* Blocks and snapshots together take at most bytes_max (0 = 1 GiB): then the disk is full and a write fails. NULL: no memory. */
struct memory_disk *memory_disk_new(uint64_t log_id, uint64_t bytes_max);
void memory_disk_free(struct memory_disk **disk); /* no log may be open on it (must) */

/* As log_open_rocksdb; one writable log at a time (LOG_IN_USE), any number of read-only ones, which end before the disk. Lends the disk to
 * the log. log_open_memory (log.h) makes a disk of its own and frees it in log_close. */
struct log *log_open_memory_disk(struct memory_disk *disk, const struct log_config *config, struct log_error *error);

/* The n-th write of a block from now (1 = the next) fails; `kept`: its bytes are on the disk all the same. 0 = none. */
void memory_disk_fail_write(struct memory_disk *disk, uint64_t nth, bool kept);

/* While held, writes do not complete: a slow disk. Reads go on. */
void log_memory_hold(struct log *log, bool held);
/* The oldest write completes all the same; nothing happens when there is none. */
void log_memory_complete(struct log *log);

/* What LOG_INTERVAL's timer does elsewhere. */
void log_memory_sync(struct log *log);

/* The machine stops: of the blocks that are not synced the first `kept` are there at the next open, the one after them is torn when `torn`;
 * nothing is completed, blocks lent to the log are the caller's again. A crash of the process alone is kept = SIZE_MAX, torn = false. */
void log_memory_crash(struct log **log, size_t kept, bool torn);

/* Disks that break their word, while no log is open. lose: the newest `count` blocks are gone, synced or not. damage: one byte of the block
 * that holds position (of the newest snapshot when `snapshot`) is wrong; false: there is none. */
void memory_disk_lose(struct memory_disk *disk, size_t count);
bool memory_disk_damage(struct memory_disk *disk, uint64_t position, bool snapshot);

#endif
