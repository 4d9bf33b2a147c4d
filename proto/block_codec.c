/* A block as it is stored: one header of 160 bytes, the heads (BlockHeads of log.proto), the bodies. Numbers are little-endian.
 *
 *   offset size                        offset size
 *        0    4  magic "WBLK"              60    4  heads_stored: bytes of the heads here
 *        4    4  format (1)                64    4  heads_size: bytes of the heads uncompressed
 *        8    4  codec (1 = lz4)           68    4  bodies_stored
 *       12    4  shard                     72    4  bodies_size
 *       16    8  term                      76    4  checksum
 *       24    8  log_id                    80   16  hash_before
 *       32    8  number                    96   32  merkle_root, zero
 *       40    8  first_position           128    8  key_id, zero
 *       48    8  time_ms                  136   24  reserved, zero
 *       56    4  count                    160       heads, then bodies
 *
 * A part that lz4 does not make smaller is stored as it is: stored == size says so.
 * checksum: CRC-32C (RFC 3720, B.4) over all bytes, its own four taken as zero. isa-l's crc32_iscsi neither inverts its start value nor its
 * result, as the standard does, so both are done here. hash: XXH3-128 over all bytes, in canonical (big-endian) form. The heads are written
 * and read over field.h: straight from and into the records, without a copy that protobuf-c would need. */
#include "proto/block_codec.h"

#include <limits.h>
#include <stddef.h>

#include <isa-l/crc.h>
#include <lz4.h>
#include <xxhash.h>

#include "proto/field.h"

enum {
    AT_MAGIC = 0,
    AT_FORMAT = 4,
    AT_CODEC = 8,
    AT_SHARD = 12,
    AT_TERM = 16,
    AT_LOG_ID = 24,
    AT_NUMBER = 32,
    AT_FIRST_POSITION = 40,
    AT_TIME = 48,
    AT_COUNT = 56,
    AT_HEADS_STORED = 60,
    AT_HEADS_SIZE = 64,
    AT_BODIES_STORED = 68,
    AT_BODIES_SIZE = 72,
    AT_CHECKSUM = 76,
    AT_HASH_BEFORE = 80,
    AT_MERKLE_ROOT = 96,
    AT_KEY_ID = 128,
};
static const uint8_t magic[4] = { 'W', 'B', 'L', 'K' };

/* What stands for one of each in the heads, at most: its fields with their tags and lengths. */
enum {
    NAME_BYTES_MAX = 255,
    TOPIC_HEAD = 16,
    PUBLISHER_HEAD = 16 + 2,
    RECORD_HEAD = 48,
    COLUMNS_HEAD = 8 * (FIELD_TAG_BYTES_MAX + FIELD_LENGTH_BYTES_MAX),
    HEADS_MAX = BLOCK_TOPICS_MAX * (2 * NAME_BYTES_MAX + TOPIC_HEAD) + BLOCK_PUBLISHERS_MAX * PUBLISHER_HEAD +
                BLOCK_RECORDS_MAX * RECORD_HEAD + COLUMNS_HEAD,
};
_Static_assert(HEADS_MAX + 64 * 1024 <= BLOCK_SCRATCH_BYTES, "scratch must hold the largest heads and lz4's state");

/* The columns of BlockHeads: field number, place and width in struct record. */
enum { HEADS_TOPIC = 1, HEADS_PUBLISHER = 2, COLUMN_FIRST = 3, COLUMN_LAST = 10 };
static const struct {
    uint8_t offset, width;
} columns[COLUMN_LAST + 1] = {
    [3] = { offsetof(struct record, kind), 1 },          [4] = { offsetof(struct record, topic), 2 },
    [5] = { offsetof(struct record, publisher), 2 },     [6] = { offsetof(struct record, number), 8 },
    [7] = { offsetof(struct record, cause), 8 },         [8] = { offsetof(struct record, flags), 2 },
    [9] = { offsetof(struct record, time_delta_ms), 4 }, [10] = { offsetof(struct record, size), 4 },
};

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)value);
    put32(at + 4, (uint32_t)(value >> 32));
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t get64(const uint8_t *at)
{
    return (uint64_t)get32(at) | (uint64_t)get32(at + 4) << 32;
}

static uint32_t crc_add(uint32_t crc, const uint8_t *data, size_t size)
{
    while (size > 0) {
        int step = size > INT_MAX ? INT_MAX : (int)size;
        crc = crc32_iscsi((unsigned char *)data, step, crc);
        data += step;
        size -= (size_t)step;
    }
    return crc;
}

static uint32_t checksum_of(const uint8_t *stored, size_t size)
{
    static const uint8_t zero[4];
    uint32_t crc = crc_add(UINT32_MAX, stored, AT_CHECKSUM);
    crc = crc_add(crc, zero, sizeof zero);
    return ~crc_add(crc, stored + AT_HASH_BEFORE, size - AT_HASH_BEFORE);
}

void block_hash(struct span stored, uint8_t out_hash[BLOCK_HASH_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(stored.data, stored.size));
    memcpy(out_hash, canonical.digest, BLOCK_HASH_BYTES);
}

static inline uint64_t value_at(const uint8_t *at, uint32_t width)
{
    if (width == 2) return *(const uint16_t *)(const void *)at;
    if (width == 4) return *(const uint32_t *)(const void *)at;
    if (width == 8) return *(const uint64_t *)(const void *)at;
    bool known = *at > RECORD_NONE && *at < RECORD_KIND_COUNT; /* the one column of bytes is the kind */
    return known ? *at | RECORD_MUST_UNDERSTAND : *at;
}

/* Called with each width by itself, so that the loops are made for it. */
static inline uint8_t *put_values(uint8_t *out, const struct block *block, uint32_t column, uint32_t width)
{
    const uint8_t *records = (const uint8_t *)block->records + columns[column].offset;
    size_t size = 0, end = block->record_count * sizeof *block->records;
    uint64_t any = 0;
    for (size_t i = 0; i < end; i += sizeof *block->records) {
        uint64_t value = value_at(records + i, width);
        size += field_varint_size(value);
        any |= value;
    }
    if (any == 0) return out;
    out = field_put_varint(field_put_tag(out, column, WIRE_BYTES), size);
    for (size_t i = 0; i < end; i += sizeof *block->records)
        out = field_put_varint(out, value_at(records + i, width));
    return out;
}

static uint8_t *put_column(uint8_t *out, const struct block *block, uint32_t column)
{
    switch (columns[column].width) {
    case 1:
        return put_values(out, block, column, 1);
    case 2:
        return put_values(out, block, column, 2);
    case 4:
        return put_values(out, block, column, 4);
    default:
        return put_values(out, block, column, 8);
    }
}

static size_t put_heads(uint8_t *out, const struct block *block)
{
    uint8_t *at = out;
    for (uint32_t i = 0; i < block->topic_count; i++) {
        struct span tenant = block_topic_tenant(block, i), topic = block_topic_name(block, i);
        at = field_put_tag(at, HEADS_TOPIC, WIRE_BYTES);
        at = field_put_varint(at, field_span_size(1, tenant) + field_span_size(2, topic));
        at = field_put_span(field_put_span(at, 1, tenant), 2, topic);
    }
    for (uint32_t i = 0; i < block->publisher_count; i++)
        at = field_put_span(at, HEADS_PUBLISHER, span_of(block->publishers[i], 16));
    for (uint32_t column = COLUMN_FIRST; column <= COLUMN_LAST; column++)
        at = put_column(at, block, column);
    return (size_t)(at - out);
}

static size_t heads_bound(const struct block *block)
{
    /* names may be shared in memory, here each topic has its tenant */
    return block->names_size + (size_t)block->topic_count * (NAME_BYTES_MAX + TOPIC_HEAD) +
           (size_t)block->publisher_count * PUBLISHER_HEAD + (size_t)block->record_count * RECORD_HEAD + COLUMNS_HEAD;
}

size_t block_store_bound(const struct block *block)
{
    return BLOCK_HEADER_BYTES + heads_bound(block) + block->bodies_size;
}

/* Compresses `from` into out if that makes it smaller, else copies it. Returns the bytes written; SIZE_MAX when out is too small. */
static size_t put_part(void *state, struct span from, uint8_t *out, size_t out_size)
{
    if (from.size == 0) return 0;
    size_t room = from.size - 1 < out_size ? from.size - 1 : out_size;
    int size = LZ4_compress_fast_extState(state, (const char *)from.data, (char *)out, (int)from.size, (int)room, 1);
    if (size > 0) return (size_t)size;
    if (from.size > out_size) return SIZE_MAX;
    memcpy(out, from.data, from.size);
    return from.size;
}

static void put_header(uint8_t *out, const struct block_header *header)
{
    memset(out, 0, BLOCK_HEADER_BYTES);
    memcpy(out + AT_MAGIC, magic, sizeof magic);
    put32(out + AT_FORMAT, header->format);
    put32(out + AT_CODEC, header->codec);
    put32(out + AT_SHARD, header->shard);
    put64(out + AT_TERM, header->term);
    put64(out + AT_LOG_ID, header->log_id);
    put64(out + AT_NUMBER, header->number);
    put64(out + AT_FIRST_POSITION, header->first_position);
    put64(out + AT_TIME, header->time_ms);
    put32(out + AT_COUNT, header->count);
    put32(out + AT_HEADS_STORED, header->heads_stored);
    put32(out + AT_HEADS_SIZE, header->heads_size);
    put32(out + AT_BODIES_STORED, header->bodies_stored);
    put32(out + AT_BODIES_SIZE, header->bodies_size);
    memcpy(out + AT_HASH_BEFORE, header->hash_before, BLOCK_HASH_BYTES);
    memcpy(out + AT_MERKLE_ROOT, header->merkle_root, sizeof header->merkle_root);
    memcpy(out + AT_KEY_ID, header->key_id, sizeof header->key_id);
}

/* Writes both parts behind the header and fills in its sizes. Returns the end, NULL when scratch or out is too small. */
static uint8_t *put_parts(const struct block *block, struct arena *scratch, struct block_header *header, uint8_t *out, uint8_t *end)
{
    void *state = arena_take(scratch, (size_t)LZ4_sizeofState());
    uint8_t *heads = arena_take(scratch, heads_bound(block));
    if (state == NULL || heads == NULL) return NULL;
    header->heads_size = (uint32_t)put_heads(heads, block);
    size_t size = put_part(state, span_of(heads, header->heads_size), out, (size_t)(end - out));
    if (size == SIZE_MAX) return NULL;
    header->heads_stored = (uint32_t)size;
    out += size;
    header->bodies_size = block->bodies_size;
    size = put_part(state, span_of(block->bodies, block->bodies_size), out, (size_t)(end - out));
    if (size == SIZE_MAX) return NULL;
    header->bodies_stored = (uint32_t)size;
    return out + size;
}

size_t block_store(const struct block *block, uint64_t log_id, const uint8_t hash_before[BLOCK_HASH_BYTES], struct arena *scratch,
                   uint8_t *out, size_t out_size, uint8_t out_hash[BLOCK_HASH_BYTES])
{
    struct block_header header = {
        .format = BLOCK_FORMAT,
        .codec = BLOCK_CODEC_LZ4,
        .term = block->term,
        .log_id = log_id,
        .number = block->number,
        .first_position = block->first_position,
        .time_ms = block->time_ms,
        .count = block->record_count,
    };
    if (out_size < BLOCK_HEADER_BYTES) return 0;
    memcpy(header.hash_before, hash_before, BLOCK_HASH_BYTES);
    arena_reset(scratch);
    const uint8_t *end = put_parts(block, scratch, &header, out + BLOCK_HEADER_BYTES, out + out_size);
    arena_reset(scratch);
    if (end == NULL) return 0;
    size_t size = (size_t)(end - out);
    put_header(out, &header);
    put32(out + AT_CHECKSUM, checksum_of(out, size));
    block_hash(span_of(out, size), out_hash);
    return size;
}

enum block_load block_read_header(struct span stored, struct block_header *out)
{
    const uint8_t *at = stored.data;
    if (stored.size < BLOCK_HEADER_BYTES) return BLOCK_SHORT;
    if (memcmp(at + AT_MAGIC, magic, sizeof magic) != 0 || get32(at + AT_FORMAT) == 0) return BLOCK_DAMAGED;
    if (get32(at + AT_FORMAT) > BLOCK_FORMAT) return BLOCK_NEWER;
    *out = (struct block_header){
        .format = get32(at + AT_FORMAT),
        .codec = get32(at + AT_CODEC),
        .shard = get32(at + AT_SHARD),
        .term = get64(at + AT_TERM),
        .log_id = get64(at + AT_LOG_ID),
        .number = get64(at + AT_NUMBER),
        .first_position = get64(at + AT_FIRST_POSITION),
        .time_ms = get64(at + AT_TIME),
        .count = get32(at + AT_COUNT),
        .heads_stored = get32(at + AT_HEADS_STORED),
        .heads_size = get32(at + AT_HEADS_SIZE),
        .bodies_stored = get32(at + AT_BODIES_STORED),
        .bodies_size = get32(at + AT_BODIES_SIZE),
        .checksum = get32(at + AT_CHECKSUM),
    };
    memcpy(out->hash_before, at + AT_HASH_BEFORE, sizeof out->hash_before);
    memcpy(out->merkle_root, at + AT_MERKLE_ROOT, sizeof out->merkle_root);
    memcpy(out->key_id, at + AT_KEY_ID, sizeof out->key_id);
    return BLOCK_LOADED;
}

/* Unpacks a part of `stored` bytes into `size` bytes. */
static bool get_part(const uint8_t *from, uint32_t stored, uint8_t *to, uint32_t size)
{
    if (stored == size) {
        memcpy(to, from, size);
        return true;
    }
    if (stored > INT_MAX || size > INT_MAX) return false;
    return LZ4_decompress_safe((const char *)from, (char *)to, (int)stored, (int)size) == (int)size;
}

static bool get_topic(struct span encoded, struct block *into)
{
    const uint8_t *at = encoded.data, *end = field_end(encoded);
    struct span tenant = { 0 }, topic = { 0 };
    struct field field;
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        if (field.number > 2 || field.number == 0) continue;
        if (field.wire != WIRE_BYTES) return false;
        *(field.number == 1 ? &tenant : &topic) = field.bytes;
    }
    if (tenant.size > NAME_BYTES_MAX || topic.size > NAME_BYTES_MAX) return false;
    uint32_t count = into->topic_count;
    return block_topic(into, tenant, topic) == count; /* neither full nor there already */
}

static bool get_publisher(struct span id, struct block *into)
{
    uint32_t count = into->publisher_count;
    return id.size == 16 && block_publisher(into, id.data) == count;
}

static bool set_value(struct record *record, uint32_t column, uint64_t value)
{
    void *at = (uint8_t *)record + columns[column].offset;
    uint8_t width = columns[column].width;
    if (width < 8 && value >> (8 * width) != 0) return false;
    if (width == 1)
        *(uint8_t *)at = (uint8_t)value;
    else if (width == 2)
        *(uint16_t *)at = (uint16_t)value;
    else if (width == 4)
        *(uint32_t *)at = (uint32_t)value;
    else
        *(uint64_t *)at = value;
    return true;
}

/* A column comes whole and packed, since our writer is the only one; an empty one stays zero. */
static bool get_column(const struct field *field, uint32_t count, struct block *into)
{
    const uint8_t *at = field->bytes.data, *end = field_end(field->bytes);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value;
        at = field_varint(at, end, FIELD_VARINT_BYTES_MAX, &value);
        if (at == NULL || !set_value(&into->records[i], field->number, value)) return false;
    }
    return at == end;
}

static bool get_heads(struct span heads, uint32_t count, struct block *into)
{
    const uint8_t *at = heads.data, *end = field_end(heads);
    struct field field = { 0 };
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        if (field.number == 0 || field.number > COLUMN_LAST) continue;
        if (field.wire != WIRE_BYTES) return false;
        bool fits = field.number == HEADS_TOPIC       ? get_topic(field.bytes, into)
                    : field.number == HEADS_PUBLISHER ? get_publisher(field.bytes, into)
                                                      : get_column(&field, count, into);
        if (!fits) return false;
    }
    return true;
}

/* Gives each record its place among the bodies and checks what the columns say against the rest. */
static enum block_load settle_records(struct block *into, uint32_t bodies_size)
{
    uint64_t body = 0;
    for (uint32_t i = 0; i < into->record_count; i++) {
        struct record *record = &into->records[i];
        uint8_t kind = record->kind & (uint8_t)~RECORD_MUST_UNDERSTAND;
        if (kind >= RECORD_KIND_COUNT && (record->kind & RECORD_MUST_UNDERSTAND) != 0) return BLOCK_NEWER;
        record->kind = kind;
        if (record->topic > into->topic_count || record->publisher > into->publisher_count) return BLOCK_DAMAGED;
        record->body = (uint32_t)body;
        body += record->size;
        if (body > bodies_size) return BLOCK_DAMAGED;
    }
    return body == bodies_size ? BLOCK_LOADED : BLOCK_DAMAGED;
}

/* That the header's own numbers fit together and the bytes behind it. */
static enum block_load check_stored(struct span stored, const struct block_header *header)
{
    uint64_t size = (uint64_t)BLOCK_HEADER_BYTES + header->heads_stored + header->bodies_stored;
    if (stored.size < size) return BLOCK_SHORT;
    if (stored.size > size || checksum_of(stored.data, stored.size) != header->checksum) return BLOCK_DAMAGED;
    if (header->codec != BLOCK_CODEC_LZ4) return BLOCK_NEWER;
    bool fits = header->count <= BLOCK_RECORDS_MAX && header->heads_size <= HEADS_MAX && header->bodies_size <= BLOCK_BODIES_MAX &&
                header->heads_stored <= header->heads_size && header->bodies_stored <= header->bodies_size &&
                header->first_position <= UINT64_MAX - header->count;
    return fits ? BLOCK_LOADED : BLOCK_DAMAGED;
}

static enum block_load load_parts(const uint8_t *parts, const struct block_header *header, struct arena *scratch, struct block *into)
{
    uint8_t *heads = arena_take(scratch, header->heads_size);
    if (heads == NULL) return BLOCK_NO_ROOM;
    if (!get_part(parts, header->heads_stored, heads, header->heads_size)) return BLOCK_DAMAGED;
    block_open(into, header->number, header->first_position, header->time_ms, header->term);
    memset(into->records, 0, header->count * sizeof *into->records);
    if (!get_heads(span_of(heads, header->heads_size), header->count, into)) return BLOCK_DAMAGED;
    if (!get_part(parts + header->heads_stored, header->bodies_stored, into->bodies, header->bodies_size)) return BLOCK_DAMAGED;
    into->record_count = header->count;
    into->bodies_size = header->bodies_size;
    return settle_records(into, header->bodies_size);
}

enum block_load block_load(struct span stored, struct arena *scratch, struct block *into, struct block_header *out_header)
{
    struct block_header header;
    enum block_load result = block_read_header(stored, &header);
    if (result == BLOCK_LOADED) result = check_stored(stored, &header);
    if (result != BLOCK_LOADED) return result;
    arena_reset(scratch);
    result = load_parts(stored.data + BLOCK_HEADER_BYTES, &header, scratch, into);
    arena_reset(scratch);
    if (result == BLOCK_LOADED) *out_header = header;
    return result;
}
