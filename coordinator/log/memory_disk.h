/* The disk of the memory backend, as its log sees it. Private to coordinator/log. */
#ifndef WEIR_LOG_MEMORY_DISK_H
#define WEIR_LOG_MEMORY_DISK_H

#include "coordinator/log/log_chain.h"
#include "coordinator/log/log_memory.h"
#include "coordinator/log/stored_blocks.h"

struct memory_snapshot {
    bool complete;
    uint64_t position;
    struct log_place place; /* of the log at position */
    struct stored_blocks slices;
};

struct memory_disk {
    uint64_t log_id, restore_count, term, bytes_max;
    struct stored_blocks blocks;
    size_t synced;                       /* so many of the oldest blocks survive a crash */
    uint64_t mark;                       /* the completed position */
    struct memory_snapshot snapshots[2]; /* older, newest; the older first empties */
    uint64_t fail_in;
    bool fail_kept;
    uint32_t writers, readers; /* open logs */
};

/* The newest complete snapshot; NULL when there is none. */
const struct memory_snapshot *memory_disk_newest(const struct memory_disk *disk);
/* Takes the snapshot as the newest; the oldest of three goes. */
void memory_disk_keep(struct memory_disk *disk, struct memory_snapshot *snapshot);
void memory_snapshot_free(struct memory_snapshot *snapshot);
void memory_disk_synced(struct memory_disk *disk, size_t blocks);
/* How many of the oldest blocks are whole. The last bytes of the others are missing: their write never ended. */
size_t memory_disk_whole(const struct memory_disk *disk);
/* Counts a write; true: this is the one that fails. */
bool memory_disk_write_fails(struct memory_disk *disk);

#endif
