/* The block being filled, those on their way to the log, and the blocks kept in memory for readers.
 * Invariants: one block at most is filling; a second one is closed behind the one being written only when it is full, so that the log need
 * not wait for the loop, while one that has room goes on taking company; a slot that this step's outputs point into is not reused before
 * the next step; one slot is always left for the next filling block. */
#include "coordinator/core/blocks.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/group.h"
#include "coordinator/core/held.h"
#include "coordinator/core/hello.h"
#include "coordinator/core/manage.h"
#include "coordinator/core/order.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/rates.h"
#include "coordinator/core/state.h"
#include "coordinator/core/subscribe.h"
#include "coordinator/core/transfer.h"

enum {
    FETCHES_AT_ONCE = 12,
    TURN_BYTES_WORST = CORE_TURN_BYTES + CORE_PACKET_BYTES_MAX,
    TURN_ITEMS_WORST = CORE_TURN_ITEMS + CORE_PACKET_ITEMS_MAX,
    TURN_ITEMS_LEAST = 64, /* else a turn is one packet */
    CLOSE_RESERVE = 64 * 1024
};

static size_t pending_bytes(const struct core *c)
{
    return (size_t)c->pend_count * PEND_BYTES + c->parts_reserved;
}

static bool filling_has_room(const struct core *c, uint32_t items, size_t bytes)
{
    const struct slot *slot = filling_slot(c);
    if (c->pend_count + items > PENDS_MAX || c->ticket_count + items > TICKETS_MAX) return false;
    if (!slot) return true;
    uint32_t records = items + c->pend_records + slot->touched_count; /* a touched group may want its `handed` raised */
    return block_has_room(&slot->block, records, bytes + pending_bytes(c) + (size_t)items * PEND_BYTES + CLOSE_RESERVE);
}

bool blocks_want_packets(const struct core *c)
{
    return !c->halted && filling_has_room(c, CORE_PACKET_ITEMS_MAX + 1, CORE_PACKET_BYTES_MAX);
}

/* A turn is full when another packet, however large, might not fit behind it. The fuller the block, the smaller the turns that end it. */
void blocks_begin_turn(const struct core *c, struct core_turn *turn)
{
    uint32_t bytes = CORE_TURN_BYTES, items = CORE_TURN_ITEMS;
    while (items > 0 && !filling_has_room(c, items + CORE_PACKET_ITEMS_MAX, bytes + CORE_PACKET_BYTES_MAX)) {
        bytes /= 2;
        items = items > TURN_ITEMS_LEAST ? items / 2 : 0;
    }
    *turn = (struct core_turn){ .bytes_max = bytes, .items_max = items };
}

bool blocks_room_for_failure(const struct core *c)
{
    return filling_has_room(c, 1 + TURN_ITEMS_WORST / 4, 0);
}

bool blocks_have_room(const struct core *c, size_t bytes)
{
    return filling_has_room(c, 2 + TURN_ITEMS_WORST / 4, bytes);
}

bool blocks_have_room_in_turn(const struct core *c, size_t bytes)
{
    return filling_has_room(c, TURN_ITEMS_WORST, TURN_BYTES_WORST + bytes);
}

static bool evictable(const struct core *c, const struct slot *slot)
{
    return slot->state == SLOT_FREE || (slot->state == SLOT_COMMITTED && slot->used < c->step);
}

/* The slot that was not used for longest; NULL when fewer than `spare` others would be left. */
static struct slot *pick_slot(struct core *c, uint32_t spare)
{
    struct slot *best = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->slot_count; i++) {
        struct slot *slot = &c->slots[i];
        if (!evictable(c, slot)) continue;
        count++;
        if (!best || (slot->state == SLOT_FREE && best->state != SLOT_FREE) || (slot->state == best->state && slot->used < best->used))
            best = slot;
    }
    return count > spare ? best : NULL;
}

struct block *blocks_fill(struct core *c)
{
    struct slot *slot = filling_slot(c);
    if (slot) return &slot->block;
    slot = pick_slot(c, 0);
    must(slot); /* fetches always leave one, and a step uses fewer than there are */
    slot->state = SLOT_FILLING;
    slot->used = c->step;
    slot->wanted = c->next_position;
    slot->before_to = 0;
    slot->touched_count = 0;
    slot->levels = 0;
    block_open(&slot->block, c->next_block, c->next_position, c->log_ms, c->term);
    c->filling = (uint32_t)(slot - c->slots) + 1;
    return &slot->block;
}

uint64_t blocks_append(struct core *c, struct record record, struct span body)
{
    struct block *block = blocks_fill(c);
    uint64_t delta = c->log_ms - block->time_ms;
    record.time_delta_ms = delta > UINT32_MAX ? UINT32_MAX : (uint32_t)delta;
    uint32_t index = block_append(block, record, body);
    must(apply_record(c, block, index));
    c->stats.records++;
    return block->first_position + index;
}

static uint8_t levels_in(const struct block *block)
{
    uint32_t levels = 0;
    for (uint32_t i = 0; i < block->record_count; i++)
        levels |= 1u << record_level(&block->records[i]);
    return (uint8_t)levels;
}

uint64_t blocks_number_of(const struct core *c, uint64_t position)
{
    const struct slot *filling = filling_slot(c);
    if (position <= c->head) return c->committed_block;
    if (filling && position >= filling->block.first_position) return filling->block.number;
    for (uint32_t i = 0; i < c->writing_count; i++)
        if (position <= block_last_position(&writing_slot(c, i)->block)) return writing_slot(c, i)->block.number;
    return c->next_block - 1;
}

void blocks_touch_group(struct core *c, uint32_t handle)
{
    struct slot *slot = filling_slot(c);
    if (group_at(c, handle)->touched_now) return;
    group_at(c, handle)->touched_now = true;
    slot->touched[slot->touched_count++] = handle;
}

/* Marks the groups that match a topic when the block sees it first: what they need at the close is found here, not per event. */
void blocks_touch_topic(struct core *c, struct slot *slot, uint32_t topic, uint32_t tenant)
{
    struct block_topic *entry = &slot->block.topics[topic];
    if (entry->mark) return;
    uint32_t found = filters_match(c->filters, tenant, block_topic_name(&slot->block, topic), c->matches, c->matches_max);
    if (found > c->matches_max) found = c->matches_max;
    entry->mark = 1;
    for (uint32_t i = 0; i < found && !(c->matches[i] & SUBSCRIPTION_BIT); i++) {
        entry->mark = 2;
        blocks_touch_group(c, c->matches[i]);
    }
}

void ticket_add(struct core *c, struct ticket ticket)
{
    ticket.generation = slab_generation(&c->peers, ticket.peer);
    if (c->ticket_count > 0) {
        struct ticket *last = &c->tickets[(c->ticket_first + c->ticket_count - 1) % TICKETS_MAX];
        bool follows = last->peer == ticket.peer && last->generation == ticket.generation && last->kind == ticket.kind &&
                       last->block == ticket.block && last->lane == ticket.lane && last->duplicate == ticket.duplicate &&
                       last->number + last->count == ticket.number;
        if (follows && (ticket.kind == TICKET_SETTLED || ticket.kind == TICKET_PART ||
                        (ticket.kind == TICKET_ACCEPTED && last->seq + last->count == ticket.seq))) {
            last->count += ticket.count;
            last->bytes += ticket.bytes;
            return;
        }
    }
    must(c->ticket_count < TICKETS_MAX);
    c->tickets[(c->ticket_first + c->ticket_count++) % TICKETS_MAX] = ticket;
}

static void ticket_pay(struct core *c, const struct ticket *ticket)
{
    if (!slab_is_taken(&c->peers, ticket->peer) || slab_generation(&c->peers, ticket->peer) != ticket->generation) return;
    struct peer *peer = peer_at(c, ticket->peer);
    if (peer->state == PEER_ENDING) return;
    if (ticket->kind == TICKET_WELCOME) {
        peer_welcome(c, ticket->peer);
        return;
    }
    if (ticket->kind == TICKET_PART) {
        lane_publish_done(c, lane_at(c, ticket->lane), 0, ticket->bytes);
        return;
    }
    if (ticket->kind == TICKET_ANSWER) {
        manage_paid(c, ticket);
        return;
    }
    struct item *item = out_item(c, ticket->peer, ticket->kind == TICKET_ACCEPTED ? ITEM_ACCEPTED : ITEM_SETTLED);
    item->a = ticket->number;
    item->b = ticket->seq;
    item->x = ticket->count;
    item->y = ticket->kind == TICKET_ACCEPTED ? ticket->duplicate : CODE_OK;
    if (ticket->kind == TICKET_SETTLED)
        peer->emit_bytes -= ticket->bytes;
    else
        lane_publish_done(c, lane_at(c, ticket->lane), ticket->count, ticket->bytes);
}

void tickets_pay(struct core *c)
{
    while (c->ticket_count > 0 && c->tickets[c->ticket_first].block <= c->committed_block && out_has_room(c, 4)) {
        ticket_pay(c, &c->tickets[c->ticket_first]);
        c->ticket_first = (c->ticket_first + 1) % TICKETS_MAX;
        c->ticket_count--;
    }
}

static void wake_touched(struct core *c, struct slot *slot)
{
    for (uint32_t i = 0; i < slot->touched_count; i++) {
        uint32_t handle = slot->touched[i] & ~TOUCHED_RECORD_ONLY;
        struct group *group = group_at(c, handle);
        for (uint32_t k = 0; k < PRIORITY_LEVELS && !(slot->touched[i] & TOUCHED_RECORD_ONLY); k++) {
            struct level *level = &group->levels[k];
            if (!level->live || !(slot->levels & 1u << k)) continue;
            level->live = false;
            level->fresh.cursor = slot->block.first_position > level->fresh.from ? slot->block.first_position : level->fresh.from;
        }
        group_wake(c, handle);
    }
}

static void oldest_committed(struct core *c)
{
    struct slot *slot = writing_slot(c, 0);
    slot->state = SLOT_COMMITTED;
    slot->used = c->step;
    c->writing_count--;
    memmove(c->writing, c->writing + 1, c->writing_count * sizeof *c->writing);
    c->committed_block = slot->block.number;
    c->head = block_last_position(&slot->block);
    order_committed(c);
    wake_touched(c, slot);
    held_wake(c);
    subs_committed(c, slot);
    rates_sample(c, slot);
}

void blocks_committed(struct core *c, uint64_t number)
{
    while (c->writing_count > 0 && number >= writing_slot(c, 0)->block.number)
        oldest_committed(c);
}

uint64_t blocks_settles_deadline(const struct core *c)
{
    const struct slot *slot = filling_slot(c);
    bool company = slot && slot->block.record_count > 0;
    if (c->writing_count > 0 || !c->pend_groups || company) return UINT64_MAX;
    if (c->pend_urgent || c->draining || c->config.settle_at_once) return c->now_ns;
    return c->pend_since_ns + (uint64_t)c->config.settle_wait_us * 1000u;
}

static bool is_full(const struct core *c)
{
    const struct slot *slot = filling_slot(c);
    bool stated = slot && c->config.block_full_bytes > 0 && slot->block.bodies_size >= c->config.block_full_bytes;
    return stated || !blocks_want_packets(c);
}

void blocks_close(struct core *c)
{
    if (c->writing_count == CORE_SUBMITS_MAX || (c->writing_count > 0 && !is_full(c))) return;
    uint64_t wait_until_ns = blocks_settles_deadline(c);
    if (wait_until_ns != UINT64_MAX && wait_until_ns > c->now_ns) return; /* fewer syncs: publishes need not queue behind lone settles */
    struct slot *slot = filling_slot(c);
    if (c->pend_groups)
        blocks_fill(c);
    else if (!slot || slot->block.record_count == 0)
        return;
    slot = filling_slot(c);
    groups_write_pending(c);
    if (slot->block.record_count == 0) return;
    slot->state = SLOT_WRITING;
    slot->used = c->step;
    for (uint32_t i = 0; i < slot->touched_count; i++)
        group_at(c, slot->touched[i] & ~TOUCHED_RECORD_ONLY)->touched_now = false;
    c->writing[c->writing_count++] = c->filling - 1;
    c->filling = 0;
    c->next_position += slot->block.record_count;
    c->submitted = c->next_position - 1;
    c->next_block++;
    c->stats.blocks++;
    out_add(c, CORE_SUBMIT)->block = &slot->block;
}

static struct slot *fetch(struct core *c, uint64_t position, bool before)
{
    if (c->fetching >= FETCHES_AT_ONCE || c->now_ns < c->fetch_again_ns) return NULL;
    struct slot *slot = pick_slot(c, 3);
    if (!slot) return NULL;
    slot->state = SLOT_FETCHING;
    slot->wanted = position;
    slot->before = before;
    slot->used = c->step;
    slot->touched_count = 0;
    c->fetching++;
    c->stats.fetches++;
    struct core_out *out = out_add(c, CORE_FETCH);
    out->block = &slot->block;
    out->position = position;
    out->before = before;
    return slot;
}

void blocks_fetched(struct core *c, const struct core_fetched *fetched)
{
    struct slot *slot = NULL;
    for (uint32_t i = 0; i < c->slot_count && !slot; i++)
        if (c->slots[i].state == SLOT_FETCHING && &c->slots[i].block == fetched->block) slot = &c->slots[i];
    must(slot && c->fetching > 0);
    c->fetching--;
    slot->used = c->step - 1;
    groups_wake_waiting(c);
    subs_wake_waiting(c);
    held_wake(c);
    transfers_wake_waiting(c);
    if (fetched->result == CORE_FETCHED && slot->block.record_count > 0) {
        slot->state = SLOT_COMMITTED;
        slot->levels = levels_in(&slot->block);
        slot->before_to = slot->before ? slot->wanted : 0;
        if (slot->before || slot->wanted > slot->block.first_position) slot->wanted = slot->block.first_position;
        return;
    }
    slot->state = SLOT_FREE;
    if (fetched->result == CORE_FETCH_FAILED)
        c->fetch_again_ns = c->now_ns + 1000000000u;
    else if (slot->before && slot->wanted > c->nothing_before)
        c->nothing_before = slot->wanted;
    else if (!slot->before) {
        c->nothing_from = slot->wanted;
        c->nothing_to = c->head;
    }
}

/* Marks a slot as used in this step; false when it is the last one that a filling block could still take. */
static bool use(struct core *c, struct slot *slot)
{
    bool spare = c->filling || slot->used == c->step;
    for (uint32_t i = 0; i < c->slot_count && !spare; i++)
        spare = &c->slots[i] != slot && evictable(c, &c->slots[i]);
    if (spare) slot->used = c->step;
    return spare;
}

static bool is_next_for(const struct slot *slot, uint64_t position)
{
    return slot->state == SLOT_COMMITTED && position >= slot->wanted && position <= block_last_position(&slot->block);
}

static uint32_t hint_of(uint64_t position)
{
    return (uint32_t)(position / SLOT_HINT_POSITIONS % SLOT_HINTS);
}

static struct slot *hinted_slot(const struct core *c, uint64_t position)
{
    uint32_t hint = c->slot_hints[hint_of(position)];
    return hint && is_next_for(&c->slots[hint - 1], position) ? &c->slots[hint - 1] : NULL;
}

struct slot *blocks_find_after(struct core *c, uint64_t position, bool *out_end)
{
    *out_end = false;
    if (position >= c->nothing_from && position <= c->nothing_to) position = c->nothing_to + 1;
    if (position > c->head) {
        *out_end = true;
        return NULL;
    }
    struct slot *hinted = hinted_slot(c, position);
    if (hinted) return use(c, hinted) ? hinted : NULL;
    for (uint32_t i = 0; i < c->slot_count; i++) {
        struct slot *slot = &c->slots[i];
        if (is_next_for(slot, position)) {
            c->slot_hints[hint_of(position)] = i + 1;
            return use(c, slot) ? slot : NULL;
        }
        if (slot->state == SLOT_FETCHING && slot->wanted == position && !slot->before) return NULL;
    }
    fetch(c, position, false);
    return NULL;
}

void blocks_prefetch(const struct core *c, uint64_t position)
{
    const struct slot *slot = hinted_slot(c, position);
    if (slot && position >= slot->block.first_position) __builtin_prefetch(&slot->block.records[position - slot->block.first_position]);
}

struct slot *blocks_peek(struct core *c, uint64_t position)
{
    for (uint32_t i = 0; i < c->slot_count; i++)
        if (is_next_for(&c->slots[i], position)) return &c->slots[i];
    return NULL;
}

struct slot *blocks_find_before(struct core *c, uint64_t position, bool *out_end)
{
    *out_end = position < c->trimmed_below || position <= c->nothing_before;
    if (*out_end) return NULL;
    for (uint32_t i = 0; i < c->slot_count; i++) {
        struct slot *slot = &c->slots[i];
        uint64_t last = block_last_position(&slot->block) > slot->before_to ? block_last_position(&slot->block) : slot->before_to;
        if (slot->state == SLOT_COMMITTED && position >= slot->block.first_position && position <= last) {
            return use(c, slot) ? slot : NULL;
        }
        if (slot->state == SLOT_FETCHING && slot->wanted == position && slot->before) return NULL;
    }
    fetch(c, position, true);
    return NULL;
}
