/* Filling a block: the dictionary gives each (tenant, topic) and each publisher an index once, so that a record's head stays at 40 bytes
 * and a reader matches a filter once per topic. Invariants: names, bodies, records, topics and publishers never pass their limits;
 * topic_slots holds index + 1 of every topic and, behind those, of every publisher, each found by linear probing from its hash. The hash is
 * no secret: strangers who aim at it can make a look-up walk the dictionary, which is bounded by its size. */
#include "proto/block.h"

#include "sdk/base/must.h"

enum {
    TOPIC_SLOTS = 2 * BLOCK_TOPICS_MAX,
    PUBLISHER_SLOTS = 2 * BLOCK_PUBLISHERS_MAX,
    SLOT_BYTES = (TOPIC_SLOTS + PUBLISHER_SLOTS) * (int)sizeof(uint16_t),
    NAME_BYTES_MAX = 255, /* of a tenant, of a topic */
};
_Static_assert(BLOCK_TOPICS_MAX < UINT16_MAX && BLOCK_PUBLISHERS_MAX < UINT16_MAX, "an index + 1 must fit 16 bits");
_Static_assert(sizeof(struct record) == 40, "heads are counted on to be small");

size_t block_memory(void)
{
    return BLOCK_RECORDS_MAX * sizeof(struct record) + BLOCK_TOPICS_MAX * sizeof(struct block_topic) + BLOCK_PUBLISHERS_MAX * (size_t)16 +
           SLOT_BYTES + BLOCK_NAMES_MAX + BLOCK_BODIES_MAX;
}

void block_init(struct block *block, void *memory)
{
    uint8_t *at = memory;
    memset(block, 0, sizeof *block);
    block->records = (struct record *)(void *)at;
    at += BLOCK_RECORDS_MAX * sizeof(struct record);
    block->topics = (struct block_topic *)(void *)at;
    at += BLOCK_TOPICS_MAX * sizeof(struct block_topic);
    block->publishers = (uint8_t(*)[16])(void *)at;
    at += BLOCK_PUBLISHERS_MAX * (size_t)16;
    block->topic_slots = (uint16_t *)(void *)at;
    at += SLOT_BYTES;
    block->names = at;
    at += BLOCK_NAMES_MAX;
    block->bodies = at;
    block_open(block, 0, 0, 0, 0);
}

void block_open(struct block *block, uint64_t number, uint64_t first_position, uint64_t time_ms, uint64_t term)
{
    block->number = number;
    block->first_position = first_position;
    block->time_ms = time_ms;
    block->term = term;
    block->seed = first_position ^ time_ms << 24;
    block->record_count = block->topic_count = block->publisher_count = block->names_size = block->bodies_size = 0;
    memset(block->topic_slots, 0, SLOT_BYTES);
}

bool block_has_room(const struct block *block, uint32_t records, size_t bytes)
{
    return records <= BLOCK_RECORDS_MAX - block->record_count && records <= BLOCK_TOPICS_MAX - block->topic_count &&
           records <= BLOCK_PUBLISHERS_MAX - block->publisher_count && bytes <= BLOCK_BODIES_MAX - block->bodies_size &&
           (size_t)records * 2 * NAME_BYTES_MAX <= BLOCK_NAMES_MAX - block->names_size;
}

/* 8 bytes at a time, multiplied and folded; good spread over short names is all it is for. */
static inline uint64_t mix_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 32;
}

static uint64_t mix(uint64_t hash, const uint8_t *data, size_t size)
{
    uint64_t word;
    for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
        memcpy(&word, data, sizeof word); /* of a fixed size: no call */
        hash = mix_word(hash, word);
    }
    word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)data[i] << (8 * i);
    return size > 0 ? mix_word(hash, word) : hash;
}

static uint32_t append_name(struct block *block, struct span name)
{
    uint32_t at = block->names_size;
    if (name.size > 0) memcpy(block->names + at, name.data, name.size);
    block->names_size += (uint32_t)name.size;
    return at;
}

/* Adds the pair; neighbours mostly share their tenant, whose name then stands once. */
static uint16_t add_topic(struct block *block, struct span tenant, struct span topic, uint16_t *slot)
{
    uint32_t last = block->topic_count - 1;
    bool shared = block->topic_count > 0 && span_equal(block_topic_tenant(block, last), tenant);
    size_t needed = topic.size + (shared ? 0 : tenant.size);
    if (block->topic_count == BLOCK_TOPICS_MAX || needed > BLOCK_NAMES_MAX - block->names_size) return UINT16_MAX;
    struct block_topic *added = &block->topics[block->topic_count];
    added->tenant = shared ? block->topics[last].tenant : append_name(block, tenant);
    added->topic = append_name(block, topic);
    added->tenant_size = (uint16_t)tenant.size;
    added->topic_size = (uint16_t)topic.size;
    added->mark = 0;
    *slot = (uint16_t)(block->topic_count + 1);
    return (uint16_t)block->topic_count++;
}

uint16_t block_topic(struct block *block, struct span tenant, struct span topic)
{
    must(tenant.size <= NAME_BYTES_MAX && topic.size <= NAME_BYTES_MAX);
    uint64_t hash = mix(mix(block->seed + tenant.size, tenant.data, tenant.size), topic.data, topic.size);
    for (uint32_t at = (uint32_t)hash % TOPIC_SLOTS;; at = (at + 1) % TOPIC_SLOTS) {
        uint16_t *slot = &block->topic_slots[at];
        if (*slot == 0) return add_topic(block, tenant, topic, slot);
        uint32_t index = *slot - 1u;
        if (span_equal(block_topic_name(block, index), topic) && span_equal(block_topic_tenant(block, index), tenant))
            return (uint16_t)index;
    }
}

uint16_t block_publisher(struct block *block, const uint8_t id[16])
{
    uint64_t hash = mix(block->seed, id, 16);
    uint16_t *slots = block->topic_slots + TOPIC_SLOTS;
    for (uint32_t at = (uint32_t)hash % PUBLISHER_SLOTS;; at = (at + 1) % PUBLISHER_SLOTS) {
        if (slots[at] != 0) {
            uint32_t index = slots[at] - 1u;
            if (memcmp(block->publishers[index], id, 16) == 0) return (uint16_t)index;
            continue;
        }
        if (block->publisher_count == BLOCK_PUBLISHERS_MAX) return UINT16_MAX;
        memcpy(block->publishers[block->publisher_count], id, 16);
        slots[at] = (uint16_t)(block->publisher_count + 1);
        return (uint16_t)block->publisher_count++;
    }
}

uint32_t block_append_in_place(struct block *block, struct record record, uint32_t size, uint8_t **out_body)
{
    must(block->record_count < BLOCK_RECORDS_MAX && size <= BLOCK_BODIES_MAX - block->bodies_size);
    must(record.topic <= block->topic_count && record.publisher <= block->publisher_count);
    record.body = block->bodies_size;
    record.size = size;
    block->bodies_size += size;
    *out_body = block->bodies + record.body;
    block->records[block->record_count] = record;
    return block->record_count++;
}

uint32_t block_append(struct block *block, struct record record, struct span body)
{
    must(body.size <= BLOCK_BODIES_MAX);
    uint8_t *at;
    uint32_t index = block_append_in_place(block, record, (uint32_t)body.size, &at);
    if (body.size > 0) memcpy(at, body.data, body.size);
    return index;
}
