/* The block reader. The first byte says how much of the header is put right before the bytes are loaded: a checksum keeps a fuzzer out
 * otherwise. A block that loads keeps every promise of block.h, every record body can be handed to its reader, and stored again it loads as
 * the same. */
#include "proto/block_codec.h"

#include <stdlib.h>

#include <isa-l/crc.h>

#include "tests/fuzz/fuzz.h"

enum { MAX = 256 * 1024 };
static struct block block, copy;
static struct arena scratch;

static void set_up(void)
{
    if (block.records != NULL) return;
    block_init(&block, malloc(block_memory()));
    block_init(&copy, malloc(block_memory()));
    arena_init(&scratch, malloc(BLOCK_SCRATCH_BYTES), BLOCK_SCRATCH_BYTES);
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Magic, format, codec, the two stored sizes (split where the header says) and the checksum, so that the heads are reached. */
static void mend(uint8_t *bytes, size_t size, bool raw)
{
    uint32_t parts = (uint32_t)(size - BLOCK_HEADER_BYTES), heads = get32(bytes + 60);
    if (heads > parts) heads = parts > 0 ? heads % parts : 0;
    memcpy(bytes, "WBLK", 4);
    put32(bytes + 4, BLOCK_FORMAT);
    put32(bytes + 8, BLOCK_CODEC_LZ4);
    put32(bytes + 60, heads);
    put32(bytes + 68, parts - heads);
    if (raw) { /* both parts stand uncompressed */
        put32(bytes + 64, heads);
        put32(bytes + 72, parts - heads);
    }
    put32(bytes + 76, 0);
    put32(bytes + 76, ~crc32_iscsi(bytes, (int)size, UINT32_MAX));
}

static void read_body(uint8_t kind, struct span body)
{
    struct record_group group;
    struct range settled[16];
    struct record_failed failed[16];
    struct record_settle settle;
    struct record_run runs[16];
    struct record_publisher publisher;
    struct record_start start;
    struct record_token tokens[16];
    struct record_delay delays[16];
    struct record_tokens token_table;
    struct record_delays delay_table;
    uint8_t *bytes = malloc(body.size > 0 ? body.size : 1); /* its end is watched */
    if (body.size > 0) memcpy(bytes, body.data, body.size);
    body.data = bytes;
    if (kind == RECORD_GROUP) record_group_read(body, &group);
    if (kind == RECORD_SETTLE) record_settle_read(body, settled, 16, failed, 16, &settle);
    if (kind == RECORD_PUBLISHER) record_publisher_read(body, runs, 16, &publisher);
    if (kind == RECORD_START) record_start_read(body, &start);
    if (kind == RECORD_TOKENS) record_tokens_read(body, tokens, 16, &token_table);
    if (kind == RECORD_DELAYS) record_delays_read(body, delays, 16, &delay_table);
    free(bytes);
}

static void walk(void)
{
    uint32_t body = 0;
    for (uint32_t i = 0; i < block.record_count; i++) {
        const struct record *record = &block.records[i];
        must(record->topic <= block.topic_count && record->publisher <= block.publisher_count);
        must(record->body == body && record->size <= block.bodies_size - body);
        body += record->size;
        read_body(record->kind, block_body(&block, record));
    }
    must(body == block.bodies_size);
    for (uint32_t i = 0; i < block.topic_count; i++) {
        struct span topic = block_topic_name(&block, i), tenant = block_topic_tenant(&block, i);
        must(topic.data + topic.size <= block.names + block.names_size && tenant.data + tenant.size <= block.names + block.names_size);
    }
}

static void store_again(const struct block_header *header)
{
    size_t bound = block_store_bound(&block);
    uint8_t *out = malloc(bound), hash[BLOCK_HASH_BYTES];
    struct block_header again;
    size_t size = block_store(&block, header->log_id, header->hash_before, &scratch, out, bound, hash);
    must(size > 0);
    must(block_load(span_of(out, size), &scratch, &copy, &again) == BLOCK_LOADED);
    must(copy.record_count == block.record_count && copy.topic_count == block.topic_count && copy.names_size == block.names_size);
    must(memcmp(copy.records, block.records, block.record_count * sizeof *block.records) == 0);
    must(memcmp(copy.bodies, block.bodies, block.bodies_size) == 0 && memcmp(copy.names, block.names, block.names_size) == 0);
    must(memcmp(copy.publishers, block.publishers, block.publisher_count * sizeof *block.publishers) == 0);
    must(again.number == header->number && again.first_position == header->first_position && again.count == header->count);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MAX) return 0;
    set_up();
    uint8_t *bytes = malloc(size - 1 > 0 ? size - 1 : 1); /* its end is watched */
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & 1) != 0 && size - 1 >= BLOCK_HEADER_BYTES) mend(bytes, size - 1, (data[0] & 2) != 0);
    struct block_header header;
    if (block_load(span_of(bytes, size - 1), &scratch, &block, &header) == BLOCK_LOADED) {
        walk();
        store_again(&header);
    }
    free(bytes);
    return 0;
}
