/* Readers: the one way to read in order. */
#ifndef WEIR_CORE_READER_H
#define WEIR_CORE_READER_H

#include "coordinator/core/blocks.h"
#include "coordinator/core/seek.h"

enum { SCAN_BLOCKS_PER_STEP = 64 };

struct reader {
    uint64_t cursor; /* the next position to look at */
    uint64_t from;   /* after the last matching position: what lies between belongs to the next match */
    uint64_t end;    /* last position to read; UINT64_MAX: none */
};

enum scan {
    SCAN_EVENT,
    SCAN_END,  /* nothing there (yet) */
    SCAN_WAIT, /* for a fetch */
    SCAN_LATER /* this step has looked enough */
};
enum { ANY_LEVEL = PRIORITY_LEVELS };
/* Leaves the cursor on the event. */
enum scan reader_next(struct core *c, struct reader *reader, uint32_t owner, uint32_t level, struct slot **out_slot, uint32_t *out_index);
/* The first from index on that the owner reads; record_count: none. */
uint32_t reader_match(struct core *c, const struct slot *slot, uint32_t index, uint32_t owner, uint32_t level);
bool topic_matches(struct core *c, const struct block *block, uint32_t index, uint32_t owner); /* of a record that has one */
bool record_matches(struct core *c, const struct block *block, uint32_t index, uint32_t owner);
void matches_forget(struct core *c);                      /* the filters of an owner have changed, or its handle is free for another */
enum scan reader_seek(struct core *c, struct seek *seek); /* goes on with it: SCAN_EVENT: seek->low is the place */
void reader_wait(struct core *c);                         /* a fetch that could not begin is tried again soon */

#endif
