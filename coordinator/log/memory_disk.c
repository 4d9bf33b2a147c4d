/* A disk that keeps what it is told, and forgets, tears or changes it when a test asks for that. */
#include "coordinator/log/memory_disk.h"
#include "sdk/base/must.h"

#include <stdlib.h>

enum { DISK_BYTES_DEFAULT = 1 << 30 };

struct memory_disk *memory_disk_new(uint64_t log_id, uint64_t bytes_max)
{
    struct memory_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL) return NULL;
    disk->log_id = log_id;
    disk->bytes_max = bytes_max == 0 ? DISK_BYTES_DEFAULT : bytes_max;
    stored_blocks_init(&disk->blocks, disk->bytes_max);
    return disk;
}

void memory_disk_free(struct memory_disk **disk)
{
    if (*disk == NULL) return;
    must((*disk)->writers == 0 && (*disk)->readers == 0);
    stored_blocks_free(&(*disk)->blocks);
    for (int i = 0; i < 2; i++)
        memory_snapshot_free(&(*disk)->snapshots[i]);
    free(*disk);
    *disk = NULL;
}

void memory_snapshot_free(struct memory_snapshot *snapshot)
{
    stored_blocks_free(&snapshot->slices);
    *snapshot = (struct memory_snapshot){ 0 };
}

const struct memory_snapshot *memory_disk_newest(const struct memory_disk *disk)
{
    return disk->snapshots[1].complete ? &disk->snapshots[1] : NULL;
}

void memory_disk_keep(struct memory_disk *disk, struct memory_snapshot *snapshot)
{
    memory_snapshot_free(&disk->snapshots[0]);
    disk->snapshots[0] = disk->snapshots[1];
    disk->snapshots[1] = *snapshot;
    disk->snapshots[1].complete = true;
    *snapshot = (struct memory_snapshot){ 0 };
}

void memory_disk_synced(struct memory_disk *disk, size_t blocks)
{
    must(blocks <= disk->blocks.count);
    if (blocks <= disk->synced) return;
    disk->synced = blocks;
    disk->mark = disk->blocks.items[blocks - 1].last;
}

size_t memory_disk_whole(const struct memory_disk *disk)
{
    size_t count = disk->blocks.count;
    for (; count > 0; count--) {
        const struct stored_block *last = &disk->blocks.items[count - 1];
        struct block_header header;
        enum block_load load = block_read_header(stored_block_span(last), &header);
        if (load != BLOCK_SHORT && !(load == BLOCK_LOADED && block_header_stored(&header) > last->size)) break;
    }
    return count;
}

bool memory_disk_write_fails(struct memory_disk *disk)
{
    return disk->fail_in > 0 && --disk->fail_in == 0;
}

void memory_disk_fail_write(struct memory_disk *disk, uint64_t nth, bool kept)
{
    disk->fail_in = nth;
    disk->fail_kept = kept;
}

void memory_disk_lose(struct memory_disk *disk, size_t count)
{
    must(disk->writers == 0);
    stored_blocks_drop_newest(&disk->blocks, count < disk->blocks.count ? count : disk->blocks.count);
    if (disk->synced > disk->blocks.count) disk->synced = disk->blocks.count;
}

bool memory_disk_damage(struct memory_disk *disk, uint64_t position, bool snapshot)
{
    must(disk->writers == 0);
    struct stored_blocks *blocks = snapshot ? &disk->snapshots[1].slices : &disk->blocks;
    size_t index = snapshot ? 0 : stored_blocks_find(blocks, position);
    if (index >= blocks->count) return false;
    blocks->items[index].bytes[blocks->items[index].size - 1] ^= 0x40;
    return true;
}
