/* A block <-> its stored bytes: fixed header, heads (protobuf, lz4), bodies (lz4), CRC32C over all, XXH3-128 of the block before. Kind: wire. */
#ifndef WEIR_PROTO_BLOCK_CODEC_H
#define WEIR_PROTO_BLOCK_CODEC_H

#include "sdk/base/arena.h"
#include "proto/block.h"

enum { BLOCK_HEADER_BYTES = 160, BLOCK_FORMAT = 1, BLOCK_CODEC_LZ4 = 1, BLOCK_HASH_BYTES = 16 };
enum { BLOCK_SCRATCH_BYTES = 8 * 1024 * 1024 }; /* a scratch arena of this size is enough for every store and load; touched only as far as needed */

struct block_header { /* as stored, little-endian, in this order; see docs in block_codec.c for offsets */
    uint32_t format, codec, shard;
    uint64_t term, log_id, number, first_position, time_ms;
    uint32_t count, heads_stored, heads_size, bodies_stored, bodies_size;
    uint32_t checksum;
    uint8_t hash_before[BLOCK_HASH_BYTES];
    uint8_t merkle_root[32]; /* zero until used */
    uint8_t key_id[8];       /* zero until used */
};

enum block_load {
    BLOCK_LOADED,
    BLOCK_SHORT,       /* fewer bytes than the header says */
    BLOCK_DAMAGED,     /* magic, checksum, or contents that do not fit together */
    BLOCK_NEWER,       /* a format, or a must-understand record kind, that this version does not know */
    BLOCK_NO_ROOM,     /* the arena is too small */
};

/* The most bytes that block_store writes; looks at the counts and sizes alone. */
size_t block_store_bound(const struct block *block);
/* Stores; scratch is reset, used and left reset. A record's kind is stored with RECORD_MUST_UNDERSTAND and loaded without it. Returns the bytes written (<= bound), 0 when scratch or out is too small. out_hash: of these bytes, for the next block. */
size_t block_store(const struct block *block, uint64_t log_id, const uint8_t hash_before[BLOCK_HASH_BYTES], struct arena *scratch,
                   uint8_t *out, size_t out_size, uint8_t out_hash[BLOCK_HASH_BYTES]);
/* Reads the header alone: BLOCK_LOADED, BLOCK_SHORT (not even a header), BLOCK_DAMAGED (magic), BLOCK_NEWER. Nothing else is checked. */
enum block_load block_read_header(struct span stored, struct block_header *out);
/* Fills `into` (block_init was called); unless BLOCK_LOADED its contents are undefined. Scratch is reset, used and left reset. Checks the checksum,
 * that sizes add up, that indexes are within the dictionary. Kinds it does not know are kept unless they must be understood. */
enum block_load block_load(struct span stored, struct arena *scratch, struct block *into, struct block_header *out_header);
void block_hash(struct span stored, uint8_t out_hash[BLOCK_HASH_BYTES]);

#endif
