/* Finds a place in the log by reading single blocks: a binary search over positions, one block at a time. Pure, and without any I/O of its
 * own: the core looks for a time with it (a group's or a subscription's start), the shell for the edge of the window.
 *
 * All records of the log are either *before* the place or not, and those before it come first; `low` ends as the position of the first that
 * is not, or one past the last position. */
#ifndef WEIR_COORDINATOR_SEEK_H
#define WEIR_COORDINATOR_SEEK_H

#include "proto/block.h"

enum seek_by {
    SEEK_TIME,   /* before: written before the time */
    SEEK_NUMBER, /* before: in a block of a lower number */
};

struct seek {
    enum seek_by by;
    uint64_t target;
    uint64_t low, high; /* the place is in [low, high] */
};

void seek_begin(struct seek *seek, enum seek_by by, uint64_t target, uint64_t first_position, uint64_t last_position);

/* True: the block at *out_position (or the first after it) is wanted, then seek_take. False: it is done. */
bool seek_next(const struct seek *seek, uint64_t *out_position);

/* The answer; NULL: there is no block at or after the position. */
void seek_take(struct seek *seek, const struct block *block);

#endif
