/* Held events: those with a delay or a time before which they may not be seen. They are logged at once as RECORD_HELD, which no reader
 * shows, and stand here by the time they are due. Then the event is written again, as RECORD_EVENT with RECORD_AGAIN and its first position
 * for a number: at that place it enters the order, under the id it always had. Only the record of that ends the entry, so it happens once
 * however often the coordinator is killed. Invariant: an entry is in by_held and, unless it has just been found lost, in held_due. */
#include "coordinator/core/held.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/carry.h"
#include "coordinator/core/publish.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/snapshot.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "proto/event.h"

enum { HELD_PER_STEP = 256, HELD_LOOKED_AT = 16384, HELD_PER_SLICE = 4096, HELD_AHEAD = 8 };

/* ---- deciding ---- */

uint64_t held_due(const struct core *c, const struct event *event, uint64_t born_ms)
{
    if (c->config.replay.on) return 0;
    uint64_t due_ms = event->delay_ms ? born_ms + event->delay_ms : 0;
    if (event->not_before_ms > due_ms) due_ms = event->not_before_ms;
    return due_ms > born_ms ? due_ms : 0;
}

bool held_is_allowed(const struct core *c, const struct event *event)
{
    if (!event->delay_ms && !event->not_before_ms) return true;
    bool near = event->delay_ms <= DELAY_MAX_MS && event->not_before_ms <= c->log_ms + DELAY_MAX_MS;
    return near && event->semantics != EVENT_AT_MOST_ONCE && event->reply_to.size == 0 && event->topic.data[0] != '$';
}

bool held_has_room(const struct core *c, uint32_t tenant, uint32_t ahead)
{
    const struct core_limits *l = &c->config.limits;
    return c->held.taken + ahead < l->held_max && c->tenants[tenant].held_count + ahead < l->held_per_tenant;
}

/* ---- applying ---- */

/* The window is to be held for its parts, too: if the pass has been there, it looks again. */
static void set_place(struct core *c, struct held *h, uint64_t position, uint64_t parts_from)
{
    h->position = position;
    h->parts_from = parts_from;
    if (parts_from == 0 || parts_from >= c->carry.wish) return;
    c->carry.next = 1;
    if (c->carry.done > parts_from) c->carry.done = parts_from;
}

static bool put(struct core *c, uint32_t tenant, const struct record_delay *delay)
{
    uint32_t handle = slab_take(&c->held);
    if (!handle || !map_put(&c->by_held, delay->first, handle)) return false;
    struct held *h = held_at(c, handle);
    h->first = delay->first;
    set_place(c, h, delay->position, delay->parts_from);
    h->due_ms = delay->due_ms;
    h->tenant = tenant;
    c->tenants[tenant].held_count++;
    heap_put(&c->held_due, handle, h->due_ms);
    return true;
}

static void save_entry(struct core *c, uint32_t handle);

/* A snapshot under way takes what it has not come to yet before that changes. */
static void touch(struct core *c, uint32_t handle)
{
    if (snapshot_is_open(c) && handle >= c->snapshot.next_held && held_at(c, handle)->position <= c->snapshot.position)
        save_entry(c, handle);
}

/* Until that is committed a crash brings the entry back, and with it the need for its place. */
static void note_left(struct core *c, const struct held *h)
{
    if (!c->started) return;
    c->carry.left = filling_slot(c)->block.number;
    if (carry_is_due(c, c->carry.wish, h->position, h->parts_from)) c->carry.block = c->carry.left;
}

void apply_again(struct core *c, uint64_t first)
{
    uint32_t handle = map_get(&c->by_held, first);
    if (!handle) return; /* it comes again for another reason */
    touch(c, handle);
    note_left(c, held_at(c, handle));
    c->tenants[held_at(c, handle)->tenant].held_count--;
    map_remove(&c->by_held, first);
    heap_remove(&c->held_due, handle);
    slab_free(&c->held, handle);
}

/* With RECORD_AGAIN: carried to a new place, or, without a body, over. */
bool apply_held(struct core *c, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    uint64_t position = block->first_position + index;
    if (record->flags & RECORD_AGAIN) {
        uint32_t handle = map_get(&c->by_held, record->number);
        if (!handle) return true;
        if (record->size == 0) {
            apply_again(c, record->number);
            return true;
        }
        touch(c, handle);
        set_place(c, held_at(c, handle), position, carry_parts_from(block, index));
        return true;
    }
    struct event event;
    uint32_t tenant = tenant_get(c, block_topic_tenant(block, record->topic - 1u));
    if (!tenant) return true; /* it is not configured any more, and its events go nowhere */
    if (event_scan(block_body(block, record), &event) != EVENT_OK) return false;
    struct record_delay delay = { .first = position, .position = position, .parts_from = carry_parts_from(block, index) };
    delay.due_ms = held_due(c, &event, block->time_ms + record->time_delta_ms);
    return put(c, tenant, &delay);
}

bool apply_delays(struct core *c, struct span body)
{
    struct record_delay *delays = arena_take(&c->scratch, HELD_PER_SLICE * sizeof *delays);
    struct record_delays read;
    bool good = delays && record_delays_read(body, delays, HELD_PER_SLICE, &read);
    for (uint32_t i = 0; good && i < read.count; i++) {
        uint32_t tenant = tenant_get(c, read.tenants[delays[i].tenant]);
        good = !tenant || put(c, tenant, &delays[i]);
    }
    arena_reset(&c->scratch); /* recovery has no steps that would */
    return good;
}

/* ---- when they are due ---- */

/* The next of them lie in the first places of the heap: their blocks are asked for together. */
static void ask_ahead(struct core *c)
{
    bool end;
    for (uint32_t i = 1; i < HELD_AHEAD && i < c->held_due.count; i++)
        if (c->held_due.entries[i].key <= c->log_ms) blocks_find_after(c, held_at(c, c->held_due.entries[i].handle)->position, &end);
    c->held_waits = true;
    reader_wait(c);
}

/* Its block is not there any more, which only damage explains. */
static void give_up(struct core *c, const struct held *held)
{
    struct record record = { .kind = RECORD_HELD | RECORD_MUST_UNDERSTAND, .number = held->first, .flags = RECORD_AGAIN };
    blocks_append(c, record, span_of(NULL, 0));
    c->stats.lost++;
}

/* With the parts of its data, so that it is whole for as long as any event. */
static enum carry_state write_again(struct core *c, enum carrier_of who, enum record_kind kind, const struct held *held)
{
    const struct block *from;
    uint32_t index;
    struct span event;
    enum carry_state state = carry_parts(c, who, held->position, &from, &index, &event);
    if (state == CARRY_GONE) give_up(c, held);
    if (state != CARRY_READY || !blocks_have_room_in_turn(c, event.size)) return state == CARRY_GONE ? state : CARRY_LATER;
    const struct record *was = &from->records[index];
    struct record record = { .kind = (uint8_t)(kind | RECORD_MUST_UNDERSTAND), .number = held->first, .cause = was->cause };
    record.flags = (uint16_t)((was->flags & ~RECORD_TOKEN) | RECORD_AGAIN);
    publish_write(c, held->tenant, block_topic_name(from, was->topic - 1u), record, event);
    return state;
}

static bool is_due(const struct core *c, uint32_t *out_handle)
{
    uint64_t due_ms;
    return heap_first(&c->held_due, out_handle, &due_ms) && due_ms <= c->log_ms;
}

void held_fire(struct core *c)
{
    uint32_t handle;
    if (c->held_waits || c->draining || c->config.replay.on) return;
    for (uint32_t i = 0; i < HELD_PER_STEP && is_due(c, &handle); i++) {
        enum carry_state state = write_again(c, CARRIER_DUE, RECORD_EVENT, held_at(c, handle));
        c->stats.came_due += state == CARRY_READY;
        if (state != CARRY_LATER) continue;
        ask_ahead(c);
        return;
    }
}

/* ---- when the window is about to drop them ---- */

void held_wish(struct core *c, uint64_t trim_wish)
{
    if (trim_wish == c->carry.wish) return;
    c->carry.wish = trim_wish;
    if (c->carry.block < c->carry.left) c->carry.block = c->carry.left;
    c->carry.next = 1;
}

static bool carry_is_wanted(const struct core *c)
{
    return c->carry.wish > c->carry.done && !c->config.replay.on;
}

void held_carry(struct core *c)
{
    uint32_t looked = 0;
    if (!carry_is_wanted(c) || c->held_waits) return;
    for (; c->carry.next <= c->held.touched && looked < HELD_LOOKED_AT; c->carry.next++, looked++) {
        const struct held *held = held_at(c, c->carry.next);
        if (!slab_is_taken(&c->held, c->carry.next) || !carry_is_due(c, c->carry.wish, held->position, held->parts_from)) continue;
        enum carry_state state = write_again(c, CARRIER_HELD, RECORD_HELD, held);
        if (state == CARRY_LATER) {
            c->held_waits = true;
            reader_wait(c);
            return;
        }
        c->stats.carried += state == CARRY_READY;
        c->carry.block = filling_slot(c)->block.number;
    }
    if (c->carry.next > c->held.touched && c->carry.block <= c->committed_block) c->carry.done = c->carry.wish;
}

uint64_t held_keep_from(const struct core *c)
{
    return c->held.taken == 0 && c->carry.left <= c->committed_block ? UINT64_MAX : c->carry.done;
}

void held_wake(struct core *c)
{
    c->held_waits = false;
}

uint64_t held_deadline(const struct core *c)
{
    uint32_t handle;
    uint64_t due_ms;
    if (carry_is_wanted(c) && !c->held_waits && c->carry.next <= c->held.touched) return c->now_ns;
    if (c->held_waits || c->draining || c->config.replay.on || !heap_first(&c->held_due, &handle, &due_ms)) return UINT64_MAX;
    return due_ms <= c->log_ms ? c->now_ns : c->now_ns + (due_ms - c->log_ms) * 1000000u;
}

/* ---- snapshots ---- */

static void save(struct core *c, struct record_delays *table, uint32_t entries)
{
    size_t bound = record_table_bound(entries);
    uint8_t *body = arena_take(&c->scratch, bound);
    snapshot_record(c, RECORD_DELAYS, span_of(body, body ? record_delays_write(table, body, bound) : 0));
}

static void save_entry(struct core *c, uint32_t handle)
{
    const struct held *h = held_at(c, handle);
    struct record_delay delay = { .first = h->first, .position = h->position, .due_ms = h->due_ms, .parts_from = h->parts_from };
    struct record_delays table = { .tenants = { tenant_name(c, h->tenant) }, .tenant_count = 1, .delays = &delay, .count = 1 };
    save(c, &table, 1);
}

bool held_save_slice(struct core *c)
{
    struct record_delay *delays = c->held.taken > 0 ? arena_take(&c->scratch, HELD_PER_SLICE * sizeof *delays) : NULL;
    struct record_delays table = { .delays = delays };
    struct table_tenants tenants = { 0 };
    uint32_t *next = &c->snapshot.next_held;
    for (; delays && snapshot_is_open(c) && table.count < HELD_PER_SLICE && *next <= c->held.touched; ++*next) {
        const struct held *h = held_at(c, *next);
        if (!slab_is_taken(&c->held, *next) || h->position > c->snapshot.position) continue;
        uint32_t tenant = table_tenant(c, &tenants, h->tenant, table.tenants);
        if (tenant == RECORD_TABLE_TENANTS_MAX) break;
        delays[table.count++] = (struct record_delay){
            .first = h->first, .position = h->position, .due_ms = h->due_ms, .parts_from = h->parts_from, .tenant = tenant
        };
    }
    table.tenant_count = tenants.count;
    if (table.count > 0) save(c, &table, table.count);
    return !delays || *next > c->held.touched;
}

uint64_t held_digest(const struct core *c)
{
    uint64_t sum = 0;
    for (uint32_t h = 1; h <= c->held.touched; h++) {
        if (!slab_is_taken(&c->held, h)) continue;
        const struct held *held = held_at(c, h);
        const uint64_t fields[4] = { held->first, held->position, held->due_ms, held->parts_from };
        sum += map_hash((const uint64_t[2]){ 11, 12 }, fields, sizeof fields);
    }
    return sum;
}
