/* Parts are copied from the blocks in memory to the filling block, a few per step, so that small events wait behind little; when all stand
 * at the end of the log, their event is written behind them, with their new places. What was copied for nothing (the event was settled
 * meanwhile, or the coordinator killed) costs log space and nothing else. */
#include "coordinator/core/carry.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/reader.h"

static bool read_parts(const struct block *block, uint32_t index, uint64_t *positions, struct parts *out)
{
    struct event event;
    if (!(block->records[index].flags & RECORD_PARTS)) return false;
    return event_scan(event_at(block, index).bytes, &event) == EVENT_OK && parts_read(event.parts, positions, PARTS_MAX, out);
}

uint64_t carry_parts_from(const struct block *block, uint32_t index)
{
    struct parts parts;
    return read_parts(block, index, NULL, &parts) ? parts.first : 0;
}

/* Without parts, or with parts that have left the window, it is carried as it stands. */
static void begin(const struct core *c, struct carrier *carrier, uint64_t place, const struct block *block, uint32_t index)
{
    struct parts parts;
    carrier->place = place;
    carrier->count = carrier->done = 0;
    if (!read_parts(block, index, carrier->from, &parts) || parts.first < c->trimmed_below) return;
    carrier->size = parts.size;
    carrier->count = parts.count;
}

/* The slot that holds `position`; NULL: *out_state says why not. */
static struct slot *find(struct core *c, uint64_t position, enum carry_state *out_state)
{
    bool end = false;
    struct slot *slot = position <= c->head ? blocks_find_after(c, position, &end) : NULL;
    *out_state = end || (slot && !block_holds(&slot->block, position)) ? CARRY_GONE : CARRY_LATER;
    if (!slot && !end && position <= c->head) reader_wait(c);
    return *out_state == CARRY_GONE ? NULL : slot;
}

static enum carry_state copy_some(struct core *c, struct carrier *carrier)
{
    for (; carrier->done < carrier->count; carrier->done++) {
        enum carry_state state = CARRY_LATER;
        if (c->carry_budget == 0 || !blocks_have_room_in_turn(c, PART_BYTES)) return CARRY_LATER;
        uint64_t position = carrier->from[carrier->done];
        struct slot *slot = find(c, position, &state);
        if (!slot) return state;
        struct record record = { .kind = RECORD_PART | RECORD_MUST_UNDERSTAND, .number = carrier->done };
        carrier->to[carrier->done] =
            blocks_append(c, record, block_body(&slot->block, &slot->block.records[position - slot->block.first_position]));
        c->carry_budget--;
        c->stats.parts_carried++;
    }
    return CARRY_READY;
}

/* What is stored: the author's event, and where its parts are now. */
static struct span seal(struct core *c, const struct carrier *carrier, struct span event)
{
    struct span author, field;
    if (carrier->count == 0 || !parts_author(event, &author, &field)) return event;
    uint8_t *sealed = arena_take(&c->scratch, author.size + parts_field_bound(carrier->count));
    must(sealed);
    memcpy(sealed, author.data, author.size);
    return span_of(sealed, author.size + parts_field_write(carrier->size, carrier->to, carrier->count, sealed + author.size));
}

enum carry_state carry_parts(struct core *c, enum carrier_of who, uint64_t place, const struct block **out_block, uint32_t *out_index,
                             struct span *out_event)
{
    struct carrier *carrier = &c->carriers[who];
    enum carry_state state;
    bool stale = carrier->done > 0 && carrier->to[0] < c->trimmed_below; /* it was left alone for so long */
    if (carrier->place != place || stale) carrier->place = 0;
    if (carrier->place && copy_some(c, carrier) == CARRY_LATER) return CARRY_LATER;
    struct slot *slot = find(c, place, &state);
    if (!slot) return state;
    uint32_t index = (uint32_t)(place - slot->block.first_position);
    if (!carrier->place) begin(c, carrier, place, &slot->block, index);
    state = copy_some(c, carrier);
    if (state == CARRY_LATER) return state;
    if (state == CARRY_GONE) carrier->count = carrier->done = 0; /* its parts have left the window meanwhile */
    *out_block = &slot->block;
    *out_index = index;
    *out_event = seal(c, carrier, event_at(&slot->block, index).bytes);
    return CARRY_READY;
}
