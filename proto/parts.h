/* Large events: over EVENT_BYTES_MAX the data of an event travels and is stored in parts, each but the last of PART_BYTES, and the event itself
 * without its data. What ties them together is the event's field `parts`, which the coordinator appends: the size of the data and the
 * positions of the parts. Pure. */
#ifndef WEIR_PROTO_PARTS_H
#define WEIR_PROTO_PARTS_H

#include "proto/event.h"

enum {
    PART_BYTES = 64 * 1024,
    PARTS_MAX = EVENT_LARGE_BYTES_MAX / PART_BYTES,
    PARTS_FRONT = 6, /* room that parts_join needs in front of the data */
    PARTS_POSITION_BYTES = 8, /* of a position, which is below 2^53 */
    PARTS_FIELD_ROUND = 15,
};

static inline uint32_t parts_count(uint64_t data_size)
{
    return (uint32_t)((data_size + PART_BYTES - 1) / PART_BYTES);
}

/* True when a part of this size may stand at this place [R-PART-1]. */
static inline bool parts_fit(uint32_t index, uint32_t count, uint32_t size)
{
    return index < count && size > 0 && size <= PART_BYTES && (size == PART_BYTES || index + 1 == count);
}

struct parts {
    uint64_t size;  /* of the data */
    uint64_t first; /* position of the first part */
    uint32_t count;
};

/* Reads the field. False: malformed, no part, more than `most`, positions that do not rise, or a size that is not of so many parts.
 * positions has room for `most`; NULL: only looks. */
bool parts_read(struct span field, uint64_t *positions, uint32_t most, struct parts *out);

/* What the author wrote of an event that is stored with the field, which stands at its end, where the coordinator put it. False: it does
 * not. */
bool parts_author(struct span event, struct span *out_author, struct span *out_field);

/* The whole field `parts` of an event, tag and length with it: its size at most, and writing it. */
size_t parts_field_bound(uint32_t count);
size_t parts_field_write(uint64_t size, const uint64_t *positions, uint32_t count, uint8_t *out);

/* Cuts an encoded event into its data and what stands around it. False: no event, no data, or its length is written longer than it need be. */
bool parts_cut(struct span event, struct span *out_before, struct span *out_data, struct span *out_after);

/* Puts a received large event together: `data` of data_size bytes lies at room + PARTS_FRONT, behind it is room for event.size bytes. Returns
 * the whole as one encoded Event, the data in front. False: the event does not belong to this data. */
bool parts_join(uint8_t *room, uint64_t data_size, struct span event, struct span *out);

#endif
