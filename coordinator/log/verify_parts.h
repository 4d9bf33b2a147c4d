/* Of a log that is read from its beginning: that every large event's parts are there, of their sizes, before it. Kind: shell. */
#ifndef WEIR_LOG_VERIFY_PARTS_H
#define WEIR_LOG_VERIFY_PARTS_H

#include "proto/block.h"

/* Begins zeroed. */
struct verify_parts {
    struct stored_part {
        uint64_t position;
        uint32_t size, unused;
    } * items; /* by position */
    size_t count, room;
    uint64_t first_position; /* of the log: parts before it have left the window, and their events with them */
    uint64_t events;         /* large ones whose parts are there */
    bool no_memory;
};

/* False: the record at *out_bad is a large event without its parts (no_memory: it is not known). */
bool verify_parts_block(struct verify_parts *parts, const struct block *block, uint64_t *out_bad);
void verify_parts_free(struct verify_parts *parts);

#endif
