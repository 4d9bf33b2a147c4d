/* The chain of stored blocks: numbers without gaps, rising positions, each block naming the hash of the one before. Following it is how a
 * lost, foreign or changed block is found. Private to coordinator/log. */
#ifndef WEIR_LOG_CHAIN_H
#define WEIR_LOG_CHAIN_H

#include "coordinator/log/log.h"
#include "proto/block_codec.h"

struct log_place {     /* where the log stands after a block; all zero before the first */
    uint64_t position; /* the block's last */
    uint64_t number, time_ms, term;
    uint8_t hash[BLOCK_HASH_BYTES]; /* of its stored bytes */
};

static inline uint64_t block_header_last(const struct block_header *header)
{
    return header->first_position + header->count - 1;
}
static inline size_t block_header_stored(const struct block_header *header)
{
    return (size_t)BLOCK_HEADER_BYTES + header->heads_stored + header->bodies_stored;
}

/* The place after a block. */
void log_place_after(struct log_place *place, const struct block_header *header, struct span stored);

/* What a coder needs to store and load blocks, allocated once. One thread at a time. */
struct log_coder {
    struct arena scratch;
    uint8_t *out; /* room for any block's stored bytes */
    size_t out_size;
};
bool log_coder_init(struct log_coder *coder);
void log_coder_free(struct log_coder *coder);

/* Stores block as the one after *place into coder->out (lent until the next) and moves the place on. Returns the size. */
size_t log_coder_store(struct log_coder *coder, const struct block *block, uint64_t log_id, struct log_place *place);

/* Loads; false: the reason, without file or position, in `why` (LOG_WHY_BYTES). */
enum { LOG_WHY_BYTES = 96 };
enum log_status log_coder_load(struct log_coder *coder, struct span stored, uint64_t log_id, struct block *into,
                               struct block_header *out_header, char *why);

/* A recovery under way: loads block after block, follows the chain, hands them on. */
struct log_recovery {
    struct log_coder *coder;
    struct block *into;
    uint64_t log_id;
    struct log_place place;
    log_recover_block call;
    void *arg;
    struct log_error *error;
    void (*file_of)(void *owner, uint64_t position, bool from_snapshot, char *out); /* for a refusal's text; out has LOG_FILE_BYTES */
    void *owner;
};
enum { LOG_FILE_BYTES = 4096 };
/* `position` is the one it is kept under. Slices of a snapshot are chained by their hashes alone. */
enum log_status log_recovery_block(struct log_recovery *recovery, struct span stored, uint64_t position, bool from_snapshot);

#endif
