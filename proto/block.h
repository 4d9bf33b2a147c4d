/* A block in memory: record heads, a dictionary of topics and publishers, and the bodies, in one piece of memory of fixed size. The core fills
 * it, the log stores it (block_codec.h), readers read it. Pure. */
#ifndef WEIR_PROTO_BLOCK_H
#define WEIR_PROTO_BLOCK_H

#include "proto/record.h"

enum {
    BLOCK_BODIES_MAX = 1024 * 1024,
    BLOCK_RECORDS_MAX = 8192,
    BLOCK_TOPICS_MAX = 8192,
    BLOCK_NAMES_MAX = 2 * 1024 * 1024, /* bytes of tenants and topics */
    BLOCK_PUBLISHERS_MAX = 8192,
};

struct record { /* 40 bytes */
    uint64_t number;
    uint64_t cause;
    uint32_t body; /* offset in bodies */
    uint32_t size;
    uint32_t time_delta_ms;
    uint16_t topic;     /* index + 1; 0 = none */
    uint16_t publisher; /* index + 1; 0 = none */
    uint8_t kind;
    uint8_t unused;
    uint16_t flags;
    uint32_t unused2;
};

struct block_topic {
    uint32_t tenant, topic; /* offsets in names */
    uint16_t tenant_size, topic_size;
    uint32_t mark; /* the filler's own use, 0 when added; not stored */
};

struct block {
    uint64_t number; /* without gaps in a log, from 1 */
    uint64_t first_position;
    uint64_t time_ms; /* log time of its opening */
    uint64_t term;
    uint64_t seed; /* of topic_slots */
    uint32_t record_count, topic_count, publisher_count, names_size, bodies_size;
    struct record *records;
    struct block_topic *topics;
    uint8_t (*publishers)[16];
    uint8_t *names;
    uint8_t *bodies;
    uint16_t *topic_slots; /* hash table over topics while filling */
};

/* Bytes of memory behind one block, and setting it up in them. */
size_t block_memory(void);
void block_init(struct block *block, void *memory);

/* Empties it. */
void block_open(struct block *block, uint64_t number, uint64_t first_position, uint64_t time_ms, uint64_t term);

/* True when `records` more records, all with new topics and publishers, with `bytes` of bodies fit. */
bool block_has_room(const struct block *block, uint32_t records, size_t bytes);

/* Index of (tenant, topic), each at most 255 bytes, in the dictionary, added when new. UINT16_MAX when full. */
uint16_t block_topic(struct block *block, struct span tenant, struct span topic);
uint16_t block_publisher(struct block *block, const uint8_t id[16]); /* the same for a publisher */

/* Appends a record and copies its body; returns its index. The room must be there. record->body is set here. */
uint32_t block_append(struct block *block, struct record record, struct span body);

/* As block_append, but lends `size` bytes of body in place to be written before the next append. */
uint32_t block_append_in_place(struct block *block, struct record record, uint32_t size, uint8_t **out_body);

static inline uint64_t block_last_position(const struct block *block)
{
    return block->first_position + block->record_count - 1;
}
static inline bool block_holds(const struct block *block, uint64_t position)
{
    return block->record_count > 0 && position >= block->first_position && position <= block_last_position(block);
}
/* The first position of an event that stands here again; 0: it stands here first. */
static inline uint64_t record_first(const struct record *record)
{
    return record->flags & RECORD_AGAIN ? record->number : 0;
}
static inline struct span block_body(const struct block *block, const struct record *record)
{
    return span_of(block->bodies + record->body, record->size);
}
static inline struct span block_topic_name(const struct block *block, uint32_t index)
{
    return span_of(block->names + block->topics[index].topic, block->topics[index].topic_size);
}
static inline struct span block_topic_tenant(const struct block *block, uint32_t index)
{
    return span_of(block->names + block->topics[index].tenant, block->topics[index].tenant_size);
}

#endif
