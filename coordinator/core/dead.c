/* The table of dead letters: which events each group has given up, where the letter that holds each stands, and whether it is being
 * delivered again. Durable: a letter's own record makes its row or moves it, a record of dead letters says that it is retried or over.
 * Invariants: a group has one row per event at most; its list is in the order of places, since a place that is new is always the highest;
 * a row that is retried has a failed event at its place, which knows it. */
#include "coordinator/core/dead.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/carry.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/snapshot.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"

uint32_t dead_find(const struct core *c, uint32_t group, uint64_t event)
{
    return map_get(&c->by_dead, place_key(group, event));
}

bool dead_has_room(const struct core *c, const struct group *g)
{
    return c->dead.taken < c->dead.capacity && g->dead_count < c->config.limits.dead_per_group_max;
}

static uint32_t add(struct core *c, uint32_t group, uint64_t event)
{
    uint32_t handle = slab_take(&c->dead);
    if (!handle || !map_put(&c->by_dead, place_key(group, event), handle)) return 0;
    struct dead *d = dead_at(c, handle);
    d->group = group;
    d->event = event;
    list_put_last(&group_at(c, group)->dead_list, LIST_OF(&c->dead, struct dead, of_group), handle);
    group_at(c, group)->dead_count++;
    return handle;
}

/* What has parts needs the log from there on, wherever its letter stands. */
static void set_parts(struct core *c, struct dead *d, uint64_t from)
{
    struct group *g = group_at(c, d->group);
    g->dead_large -= d->parts_from > 0;
    g->dead_large += from > 0;
    d->parts_from = from;
    letters_need(c, from);
}

/* Until that is committed a crash brings the letter back, and with it the need for its place. */
static void note_left(struct core *c, const struct dead *d)
{
    if (!c->started) return;
    c->letters.left = filling_slot(c)->block.number;
    if (carry_is_due(c, c->letters.wish, d->place, d->parts_from)) c->letters.block = c->letters.left;
}

static void drop(struct core *c, uint32_t handle)
{
    struct dead *d = dead_at(c, handle);
    struct group *g = group_at(c, d->group);
    note_left(c, d);
    if (d->failed) failed_drop(c, d->failed);
    set_parts(c, d, 0);
    list_take_out(&g->dead_list, LIST_OF(&c->dead, struct dead, of_group), handle);
    g->dead_count--;
    map_remove(&c->by_dead, place_key(d->group, d->event));
    slab_free(&c->dead, handle);
}

void dead_drop_all(struct core *c, uint32_t group)
{
    while (group_at(c, group)->dead_list.first)
        drop(c, group_at(c, group)->dead_list.first);
}

/* A letter on $dlq.GROUP: a new one, also of an event that was retried and failed for good once more; or one that is carried forward. */
bool dead_apply_letter(struct core *c, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    struct letter letter;
    if (!letter_open(block_body(block, record), &letter)) return false;
    uint32_t tenant = tenant_find(c, block_topic_tenant(block, record->topic - 1u));
    uint32_t group = tenant ? group_find(c, tenant, letter.group) : 0;
    if (!group) return true; /* it is gone, its letters with it */
    snapshot_touch_group(c, group);
    uint32_t handle = dead_find(c, group, record->cause);
    bool again = record->flags & RECORD_AGAIN;
    if (!handle) handle = add(c, group, record->cause);
    if (!handle) return false;
    struct dead *d = dead_at(c, handle);
    d->place = block->first_position + index;
    set_parts(c, d, carry_parts_from(block, index));
    list_take_out(&group_at(c, group)->dead_list, LIST_OF(&c->dead, struct dead, of_group), handle);
    list_put_last(&group_at(c, group)->dead_list, LIST_OF(&c->dead, struct dead, of_group), handle);
    if (again) {
        if (d->failed) failed_move(c, d->failed, d->place, c->started ? block->number : 0);
        return true;
    }
    if (d->failed) failed_drop(c, d->failed);
    d->time_ms = block->time_ms + record->time_delta_ms;
    d->attempts = letter.attempts;
    d->reason = letter.reason;
    d->level = record_level(record);
    return true;
}

static bool apply_row(struct core *c, uint32_t group, const struct record_dead *row, uint64_t block)
{
    if (row->state >= DEAD_STATES || row->level >= PRIORITY_LEVELS) return false;
    uint32_t handle = dead_find(c, group, row->event);
    if (row->state == DEAD_ENDED) {
        if (handle) drop(c, handle);
        return true;
    }
    if (!handle) handle = add(c, group, row->event);
    if (!handle) return false;
    struct dead *d = dead_at(c, handle);
    d->place = row->place;
    d->time_ms = row->time_ms;
    d->attempts = row->attempts;
    d->reason = row->reason;
    d->level = row->level;
    set_parts(c, d, row->parts_from);
    if (row->state == DEAD_LIES || d->failed) return true;
    struct record_failed anew = { .seq = row->place, .due_ms = row->time_ms }; /* in a snapshot more is said of it behind this */
    if (!failed_apply(c, group, row->level, &anew, block)) return false;
    d->failed = failed_find(c, group, row->place);
    failed_at(c, d->failed)->dead = handle;
    return true;
}

bool dead_apply_rows(struct core *c, struct span body, uint64_t block)
{
    struct record_dead_letters read;
    if (!record_dead_letters_read(body, c->dead_rows, DEAD_PER_RECORD, &read)) return false;
    uint32_t group = group_by_id(c, read.group);
    if (!group) return true;
    snapshot_touch_group(c, group);
    for (uint32_t i = 0; i < read.count; i++)
        if (!apply_row(c, group, &c->dead_rows[i], block)) return false;
    return true;
}

struct record_dead dead_row(const struct core *c, uint32_t handle)
{
    const struct dead *d = dead_at(c, handle);
    return (struct record_dead){ .event = d->event,
                                 .place = d->place,
                                 .time_ms = d->time_ms,
                                 .parts_from = d->parts_from,
                                 .attempts = d->attempts,
                                 .reason = d->reason,
                                 .level = d->level,
                                 .state = d->failed ? DEAD_RETRIED : DEAD_LIES };
}

void dead_change(struct core *c, uint32_t group, const struct record_dead *rows, uint32_t count)
{
    struct record_dead_letters dead = { .group = group_at(c, group)->id, .letters = rows, .count = count };
    size_t bound = record_dead_letters_bound(count);
    uint8_t *body = arena_take(&c->scratch, bound);
    must(body);
    size_t size = record_dead_letters_write(&dead, body, bound);
    must(size > 0);
    blocks_append(c, (struct record){ .kind = RECORD_DEAD_LETTERS | RECORD_MUST_UNDERSTAND }, span_of(body, size));
}

void dead_end(struct core *c, uint32_t handle)
{
    struct record_dead row = dead_row(c, handle);
    row.state = DEAD_ENDED;
    dead_change(c, dead_at(c, handle)->group, &row, 1);
}
