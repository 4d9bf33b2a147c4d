/* Blocks: the one that fills, those being written, those kept in memory; and the answers that wait for a commit. */
#ifndef WEIR_CORE_BLOCKS_H
#define WEIR_CORE_BLOCKS_H

#include "coordinator/core/state.h"

enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_WRITING, SLOT_COMMITTED, SLOT_FETCHING };
#define TOUCHED_RECORD_ONLY 0x80000000u
struct slot {
    struct block block;
    enum slot_state state;
    uint64_t used;      /* step of its last use */
    uint64_t wanted;    /* FETCHING: the position asked for; later: the block is the next one for all positions from here */
    bool before;        /* FETCHING: the last block that begins at or before `wanted` */
    uint64_t before_to; /* the block is the last one before all positions up to here */
    uint8_t levels;     /* bit per priority that an event in it has */
    uint32_t touched_count;
    uint32_t *touched; /* groups with an event in it, or (| TOUCHED_RECORD_ONLY) just with a record of their own */
};

enum { TICKETS_MAX = 1 << 17 };

enum ticket_kind {
    TICKET_ACCEPTED,
    TICKET_SETTLED,
    TICKET_WELCOME,
    TICKET_PART,
    TICKET_ANSWER /* of a manage; duplicate: there is more */
};
struct ticket {
    uint32_t peer, generation;
    uint32_t lane;
    uint16_t kind, duplicate;
    uint32_t count;
    uint64_t number, seq, block;
    uint64_t bytes;
};

static inline struct slot *filling_slot(const struct core *c)
{
    return c->filling ? &c->slots[c->filling - 1] : NULL;
}

static inline struct slot *writing_slot(const struct core *c, uint32_t i)
{
    return &c->slots[c->writing[i]];
}

static inline uint32_t record_level(const struct record *record)
{
    return (record->flags & RECORD_PRIORITY) >> RECORD_PRIORITY_SHIFT;
}

/* The first position of its event; of a dead letter: of the event in it. */
static inline uint64_t event_first(const struct record *record)
{
    return record->flags & RECORD_DEAD ? record->cause : record_first(record);
}

/* Its data stands in parts of its own. A dead letter's does not, though that of the event in it may. */
static inline bool record_is_large(const struct record *record)
{
    return (record->flags & (RECORD_PARTS | RECORD_DEAD)) == RECORD_PARTS;
}

void blocks_prefetch(const struct core *c, uint64_t position); /* its record is read soon */
bool blocks_want_packets(const struct core *c);                /* one at least, however large, still fits */
void blocks_begin_turn(const struct core *c, struct core_turn *turn);
bool blocks_room_for_failure(const struct core *c);
bool blocks_have_room(const struct core *c, size_t bytes);         /* for a record of so much */
bool blocks_have_room_in_turn(const struct core *c, size_t bytes); /* the same beside all that this turn's packets may need */
struct block *blocks_fill(struct core *c);                         /* the filling block, opened when there is none */
uint64_t blocks_append(struct core *c, struct record record, struct span body);
/* Of the block that holds it; if that is committed, of a committed one. */
uint64_t blocks_number_of(const struct core *c, uint64_t position);
void blocks_close(struct core *c);                      /* closes and submits when the log is free and there is something */
uint64_t blocks_settles_deadline(const struct core *c); /* when settles without company are written; UINT64_MAX: none wait */
void blocks_committed(struct core *c, uint64_t number);
void blocks_fetched(struct core *c, const struct core_fetched *fetched);
/* Holds position or is known to be the next after it; NULL: fetch under way; *out_end: nothing there. */
struct slot *blocks_find_after(struct core *c, uint64_t position, bool *out_end);
struct slot *blocks_peek(struct core *c, uint64_t position);                       /* the same, but only what is in memory */
struct slot *blocks_find_before(struct core *c, uint64_t position, bool *out_end); /* the last that begins at or before position */
void blocks_touch_group(struct core *c, uint32_t group); /* the filling block may have an event that it is to read */
void blocks_touch_topic(struct core *c, struct slot *slot, uint32_t topic, uint32_t tenant);
void ticket_add(struct core *c, struct ticket ticket);
void tickets_pay(struct core *c); /* as many as there is room to say */

#endif
