/* Record by record: the dictionary of the copy is made anew, so offsets in it may differ from the original's. */
#include "tests/support/block_copy.h"

#include <stdlib.h>

void block_copy_into(struct block *to, const struct block *from)
{
    block_open(to, from->number, from->first_position, from->time_ms, from->term);
    for (uint32_t i = 0; i < from->record_count; i++) {
        struct record record = from->records[i];
        uint32_t topic = record.topic - 1u;
        if (record.topic) record.topic = (uint16_t)(block_topic(to, block_topic_tenant(from, topic), block_topic_name(from, topic)) + 1);
        if (record.publisher) record.publisher = (uint16_t)(block_publisher(to, from->publishers[record.publisher - 1]) + 1);
        block_append(to, record, block_body(from, &from->records[i]));
    }
}

struct block *block_copy(const struct block *from)
{
    struct block *copy = malloc(sizeof *copy);
    block_init(copy, calloc(1, block_memory()));
    block_copy_into(copy, from);
    return copy;
}

void block_drop(struct block *block)
{
    free(block->records); /* the whole of block_memory() begins with them */
    free(block);
}
