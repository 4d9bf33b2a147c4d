/* Storing, loading and following blocks is the same for every backend: it is here, so that the memory backend exercises the bytes that
 * RocksDB will hold. */
#include "coordinator/log/log_chain.h"
#include "coordinator/log/log_ops.h"
#include "sdk/base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void log_place_after(struct log_place *place, const struct block_header *header, struct span stored)
{
    place->position = block_header_last(header);
    place->number = header->number;
    place->time_ms = header->time_ms;
    place->term = header->term;
    block_hash(stored, place->hash);
}

bool log_coder_init(struct log_coder *coder)
{
    const struct block fullest = {
        .record_count = BLOCK_RECORDS_MAX,
        .topic_count = BLOCK_TOPICS_MAX,
        .publisher_count = BLOCK_PUBLISHERS_MAX,
        .names_size = BLOCK_NAMES_MAX,
        .bodies_size = BLOCK_BODIES_MAX,
    };
    *coder = (struct log_coder){ .out_size = block_store_bound(&fullest) };
    coder->out = malloc(coder->out_size);
    void *scratch = malloc(BLOCK_SCRATCH_BYTES);
    if (coder->out == NULL || scratch == NULL) {
        free(coder->out);
        free(scratch);
        *coder = (struct log_coder){ 0 };
        return false;
    }
    arena_init(&coder->scratch, scratch, BLOCK_SCRATCH_BYTES);
    return true;
}

void log_coder_free(struct log_coder *coder)
{
    free(coder->out);
    free(coder->scratch.memory);
}

size_t log_coder_store(struct log_coder *coder, const struct block *block, uint64_t log_id, struct log_place *place)
{
    uint8_t hash[BLOCK_HASH_BYTES];
    size_t size = block_store(block, log_id, place->hash, &coder->scratch, coder->out, coder->out_size, hash);
    must(size > 0); /* every block fits: the bound and the scratch are for the fullest */
    memcpy(place->hash, hash, sizeof hash);
    place->position = block_last_position(block);
    place->number = block->number;
    place->time_ms = block->time_ms;
    place->term = block->term;
    return size;
}

static enum log_status load_status(enum block_load load, char *why)
{
    switch (load) {
    case BLOCK_LOADED:
        return LOG_OK;
    case BLOCK_NEWER:
        snprintf(why, LOG_WHY_BYTES, "it was written by a newer version of weir");
        return LOG_NEWER;
    case BLOCK_SHORT:
        snprintf(why, LOG_WHY_BYTES, "it is shorter than its header says");
        return LOG_DAMAGED;
    case BLOCK_DAMAGED:
        snprintf(why, LOG_WHY_BYTES, "its bytes do not fit its checksum");
        return LOG_DAMAGED;
    case BLOCK_NO_ROOM:
        snprintf(why, LOG_WHY_BYTES, "it is larger than any block may be");
        return LOG_DAMAGED;
    }
    must(false);
}

enum log_status log_coder_load(struct log_coder *coder, struct span stored, uint64_t log_id, struct block *into,
                               struct block_header *out_header, char *why)
{
    arena_reset(&coder->scratch);
    enum log_status status = load_status(block_load(stored, &coder->scratch, into, out_header), why);
    if (status == LOG_OK && out_header->log_id != log_id) {
        snprintf(why, LOG_WHY_BYTES, "it belongs to another log, %016llx", (unsigned long long)out_header->log_id);
        status = LOG_DAMAGED;
    }
    return status;
}

/* NULL: the block is the one after the place. */
static const char *chain_break(const struct log_place *place, const struct block_header *header, bool from_snapshot)
{
    if (!from_snapshot && header->number != place->number + 1)
        return "its number does not follow the block before: blocks between them are missing";
    if (!from_snapshot && header->first_position <= place->position) return "its position does not rise above the block before";
    if (memcmp(header->hash_before, place->hash, BLOCK_HASH_BYTES) != 0) return "it does not name the hash of the block before";
    return NULL;
}

static enum log_status refuse_block(const struct log_recovery *recovery, enum log_status status, uint64_t position, bool from_snapshot,
                                    const char *why)
{
    static const char *const todo[] = {
        [LOG_NEWER] = "start that version, or a later one", [LOG_DAMAGED] = "put back a copy of the data directory"
    };
    char file[LOG_FILE_BYTES];
    recovery->file_of(recovery->owner, position, from_snapshot, file);
    return log_refuse(recovery->error, status, "%.280s: %s %llu at position %llu: %s; %s", file, from_snapshot ? "slice" : "block",
                      (unsigned long long)recovery->place.number + 1, (unsigned long long)position, why, todo[status]);
}

enum log_status log_recovery_block(struct log_recovery *recovery, struct span stored, uint64_t position, bool from_snapshot)
{
    char why[LOG_WHY_BYTES];
    struct block_header header;
    enum log_status status = log_coder_load(recovery->coder, stored, recovery->log_id, recovery->into, &header, why);
    if (status != LOG_OK) return refuse_block(recovery, status, position, from_snapshot, why);
    const char *broken = chain_break(&recovery->place, &header, from_snapshot);
    if (broken != NULL) return refuse_block(recovery, LOG_DAMAGED, position, from_snapshot, broken);
    uint64_t bad = header.first_position;
    if (!recovery->call(recovery->arg, recovery->into, from_snapshot, &bad))
        return refuse_block(recovery, LOG_DAMAGED, bad, from_snapshot, "the record there cannot be applied");
    log_place_after(&recovery->place, &header, stored);
    return LOG_OK;
}
