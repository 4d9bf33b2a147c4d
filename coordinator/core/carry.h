/* What is written again at the end of the log, as its own place leaves the window or because it is due, takes the parts of its data along. */
#ifndef WEIR_CORE_CARRY_H
#define WEIR_CORE_CARRY_H

#include "coordinator/core/state.h"
#include "proto/event.h"
#include "proto/parts.h"

enum { CARRY_PARTS_PER_STEP = 4 }; /* of all who carry */

/* Who carries; each one event at a time. */
enum carrier_of { CARRIER_LETTERS, CARRIER_HELD, CARRIER_DUE, CARRIERS };

/* The parts of a large event that is being carried. */
struct carrier {
    uint64_t place, size; /* place: of the event, 0: of none; size: of its data */
    uint32_t count, done;
    uint64_t from[PARTS_MAX], to[PARTS_MAX];
};

enum carry_state {
    CARRY_READY, /* its parts are carried: now it can be written */
    CARRY_LATER, /* the end of a fetch, or a commit, lets it go on */
    CARRY_GONE   /* it is not there any more, which only damage explains */
};
/* The parts of what stands at `place` go to the end of the log, as many as this step may. READY: *out_block and *out_index say where it is,
 * *out_event is the event (of a dead letter the one in it) as it is to be stored, lent for the step. The caller writes it in this step or
 * asks again. */
enum carry_state carry_parts(struct core *c, enum carrier_of who, uint64_t place, const struct block **out_block, uint32_t *out_index,
                             struct span *out_event);

/* Where the first of its parts stands, of an event or of the one in a dead letter; 0: it has none. */
uint64_t carry_parts_from(const struct block *block, uint32_t index);

/* The window is to end below `wish`: does what stands at `place`, with parts from parts_from on, have to be written again? */
static inline bool carry_is_due(const struct core *c, uint64_t wish, uint64_t place, uint64_t parts_from)
{
    return place < wish || (parts_from >= c->trimmed_below && parts_from > 0 && parts_from < wish);
}

#endif
