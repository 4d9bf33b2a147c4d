/* What an event, or a whole group, waits for, and since when: read from what there is, kept nowhere. And the rows of `weir groups`. */
#include "coordinator/core/why.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/hand_out.h"
#include "coordinator/core/held.h"
#include "coordinator/core/keys.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/lookup.h"
#include "coordinator/core/order.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/rates.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/retry_budget.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "proto/event.h"
#include "sdk/base/ranges.h"

enum {
    COUNTED_PER_ANSWER = 1 << 18,
    AHEAD_COUNTED = 4096,
    SESSION_BLOCKS_MAX = 512,
    AGAIN_BLOCKS_MAX = 512,
    WAITS_MAX = 64,
};
#define PER_MS 1000000u

/* Of a moment on the monotonic clock. */
static uint64_t log_time(const struct core *c, uint64_t ns)
{
    return ns >= c->now_ns ? c->log_ms + (ns - c->now_ns) / PER_MS : c->log_ms - (c->now_ns - ns) / PER_MS;
}

/* Why nothing at all goes out; WAIT_NONE: it may. */
static enum wait group_stops(const struct core *c, const struct group *g, uint64_t *out_since)
{
    *out_since = 0;
    if (g->paused_ms) return *out_since = g->paused_ms, WAIT_PAUSED;
    if (c->draining) return WAIT_DRAIN;
    if (g->workers == 0) return *out_since = g->rates.alone_ms, WAIT_NO_WORKER;
    if (!g->ring) return *out_since = g->rates.idle_ms, WAIT_NO_CREDIT;
    if (g->options.limit && group_out(g) >= g->options.limit) return WAIT_LIMIT;
    if (g->parked >= c->config.limits.parked_per_group_max) return WAIT_KEY;
    if (!failed_has_room(c) || c->leases.taken == c->leases.capacity || c->short_of_keys) return WAIT_ROOM;
    return WAIT_NONE;
}

static struct span worker_name(const struct core *c, uint32_t peer)
{
    return peer ? span_of(peer_at(c, peer)->name, peer_at(c, peer)->name_size) : span_of(NULL, 0);
}

static void of_lease(const struct core *c, const struct lease *l, struct why_row *row)
{
    row->attempt = l->attempt;
    row->worker = worker_name(c, l->peer);
    row->wait = l->peer ? WAIT_WORKING : l->returned ? group_stops(c, group_at(c, l->group), &row->since_ms) : WAIT_ADOPTION;
    if (l->returned && row->wait == WAIT_NONE) row->wait = WAIT_RETRY;
    if (l->returned) return;
    row->until_ms = log_time(c, l->deadline_ns);
    uint64_t lease_ms = group_at(c, l->group)->options.lease_ms;
    if (l->in_group_list && row->until_ms > lease_ms) row->since_ms = row->until_ms - lease_ms; /* not extended since it went out */
}

static uint32_t parked_find(const struct core *c, uint32_t group, uint64_t position)
{
    for (uint32_t h = group_at(c, group)->parked_list.first; h; h = parked_at(c, h)->of_group.next)
        if (parked_at(c, h)->position == position) return h;
    return 0;
}

/* Behind a KEY_ORDER: the event that holds it, and who works on that. */
static void of_key(const struct core *c, const struct key *key, struct why_row *row)
{
    uint32_t lease = map_get(&c->by_lease, place_key(key->group, key->holder));
    row->wait = key->state == KEY_SETTLING ? WAIT_COMMIT : WAIT_KEY;
    row->by_seq = key->holder;
    row->worker = worker_name(c, lease ? lease_at(c, lease)->peer : 0);
}

static void of_parked(const struct core *c, uint32_t handle, struct why_row *row)
{
    const struct key *key = key_at(c, parked_at(c, handle)->at);
    row->wait = WAIT_LIMIT;
    if (key->kind == KEY_ORDER) of_key(c, key, row);
    if (key->kind == KEY_WARM) {
        row->wait = WAIT_AFFINITY;
        bool there = slab_is_taken(&c->peers, key->worker) && slab_generation(&c->peers, key->worker) == key->worker_generation;
        row->worker = worker_name(c, there ? key->worker : 0);
        row->until_ms = key->state == KEY_AWAITING ? log_time(c, key->until) : 0;
    }
}

/* A retry that the budget does not allow yet: those queued before it come first, of which no more are counted than a question may cost, so
 * that it may take longer. Log time; 0: it is allowed. */
static uint64_t budget_until_ms(const struct core *c, const struct failed *f)
{
    if (f->state != FAILED_READY || failed_is_uncertain(f)) return 0;
    uint32_t ahead = 0;
    for (uint32_t h = f->in_queue.prev; h && ahead < AHEAD_COUNTED; h = failed_at(c, h)->in_queue.prev)
        ahead++;
    uint64_t until_ns = budget_until_ns(c, group_at(c, f->group), ahead);
    return until_ns ? log_time(c, until_ns) : 0;
}

static void of_failure(const struct core *c, const struct failed *f, struct why_row *row)
{
    const struct group *g = group_at(c, f->group);
    if (f->state == FAILED_DYING) {
        row->attempt = f->attempts;
        row->wait = f->dead || dead_has_room(c, g) ? WAIT_COMMIT : WAIT_DEAD_FULL;
        return;
    }
    row->attempt = f->attempts + 1;
    row->until_ms = f->due_ms > c->log_ms ? f->due_ms : 0;
    row->wait = f->state == FAILED_WAITING && row->until_ms ? WAIT_BACK_OFF
                : g->adopting                               ? WAIT_ADOPTION
                : f->block > c->committed_block             ? WAIT_COMMIT
                                                            : group_stops(c, g, &row->since_ms);
    if (row->wait == WAIT_ADOPTION) row->until_ms = log_time(c, g->adopt_until_ns);
    if (row->wait != WAIT_NONE) return;
    row->until_ms = budget_until_ms(c, f);
    row->wait = row->until_ms ? WAIT_RETRY_BUDGET : WAIT_RETRY;
}

/* With one key for all nothing is parked: the reader stops, so this is what comes before an event that was not read. */
static uint32_t key_before_all(const struct core *c, const struct turn *t, struct span body)
{
    return group_at(c, t->group)->options.ordering == ORDERING_GROUP ? key_find(c, order_hashes(c, t, body).of[KEY_ORDER]) : 0;
}

/* Neither out nor failed nor settled: it is still to be read, again after a restart or for the first time. */
static void of_unread(const struct core *c, const struct turn *t, struct span body, struct why_row *row)
{
    const struct group *g = group_at(c, t->group);
    const struct level *l = &g->levels[t->level];
    row->attempt = 1;
    if (t->position <= l->old.end && t->position >= l->old.cursor && (g->adopting || l->old_open)) {
        row->wait = g->adopting ? WAIT_ADOPTION : WAIT_CATCH_UP;
        row->until_ms = g->adopting ? log_time(c, g->adopt_until_ns) : 0;
        return;
    }
    uint32_t key = key_before_all(c, t, body);
    if (key) {
        of_key(c, key_at(c, key), row);
        return;
    }
    row->wait = group_stops(c, g, &row->since_ms);
    if (row->wait != WAIT_NONE) return;
    bool read = l->live || t->position < l->fresh.cursor;
    row->wait = read || t->position == l->fresh.cursor ? WAIT_COMMIT : WAIT_CATCH_UP;
    row->ahead = row->wait == WAIT_CATCH_UP ? t->position - l->fresh.cursor : 0;
}

static void of_dead(const struct dead *dead, struct why_row *row)
{
    row->wait = WAIT_DEAD;
    row->since_ms = dead->time_ms;
    row->by_seq = dead->place;
    row->attempt = dead->attempts;
    row->reason = dead->reason;
}

/* Nothing of the group's is about it: it is settled, or will be read. Of at_most_once ones there is nothing but their lease. */
static void of_the_rest(struct core *c, const struct turn *t, const struct block *block, uint32_t index, struct why_row *row)
{
    const struct level *l = &group_at(c, t->group)->levels[t->level];
    bool once = (block->records[index].flags & RECORD_AT_MOST_ONCE) && !c->config.replay.on;
    if (once || t->position <= l->floor || ranges_hold(&l->settled, t->position, t->position))
        row->wait = WAIT_SETTLED;
    else if (group_pends(c, t->group, t->level, t->position))
        row->wait = WAIT_COMMIT;
    else
        of_unread(c, t, event_at(block, index).bytes, row);
}

/* One event and one group that takes it. A dead letter that is retried goes its way at the letter's place. */
static void fill_why(struct core *c, uint32_t group, const struct block *block, uint32_t index, struct why_row *row)
{
    struct turn t = { .group = group, .level = record_level(&block->records[index]), .position = block->first_position + index };
    uint64_t first = event_first(&block->records[index]);
    uint32_t dead = dead_find(c, group, first ? first : t.position);
    if (dead && dead_at(c, dead)->failed) t.position = dead_at(c, dead)->place;
    uint32_t lease = map_get(&c->by_lease, place_key(group, t.position)), failed = failed_find(c, group, t.position);
    uint32_t parked = parked_find(c, group, t.position);
    *row = (struct why_row){ .tenant = tenant_name(c, group_at(c, group)->tenant),
                             .group = group_name(group_at(c, group)),
                             .seq = t.position };
    if (lease)
        of_lease(c, lease_at(c, lease), row);
    else if (parked)
        of_parked(c, parked, row);
    else if (failed)
        of_failure(c, failed_at(c, failed), row);
    else if (dead)
        of_dead(dead_at(c, dead), row);
    else
        of_the_rest(c, &t, block, index, row);
    bool waits = row->wait != WAIT_SETTLED && row->wait != WAIT_DEAD && row->wait != WAIT_WORKING;
    if (waits && !dead && delivery_has_expired(c, block, &block->records[index])) row->wait = WAIT_EXPIRED;
}

static uint32_t kind_of(const struct block *block, uint32_t index)
{
    return block->records[index].kind & ~(uint32_t)RECORD_MUST_UNDERSTAND;
}

/* The entry of an event with a delay that is not to be seen yet; 0: it is none, or not held any more. */
static uint32_t held_there(const struct core *c, const struct block *block, uint32_t index)
{
    uint64_t position = block->first_position + index, first = record_first(&block->records[index]);
    return kind_of(block, index) == RECORD_HELD ? map_get(&c->by_held, first ? first : position) : 0;
}

/* No entry: it is being written where it is to be seen. */
static void fill_held(const struct core *c, uint32_t group, uint64_t position, const struct held *held, struct why_row *row)
{
    const struct group *g = group_at(c, group);
    *row = (struct why_row){ .tenant = tenant_name(c, g->tenant), .group = group_name(g), .attempt = 1 };
    row->seq = held ? held->position : position;
    row->wait = held ? WAIT_DELAYED : WAIT_COMMIT;
    row->until_ms = held ? held->due_ms : 0;
}

static uint32_t rows_of_event(struct core *c, uint32_t tenant, const struct block *block, uint32_t index, struct why_row *rows)
{
    uint32_t count = 0, held = held_there(c, block, index);
    for (uint32_t h = 1; h <= c->groups.touched; h++) {
        if (!slab_is_taken(&c->groups, h) || group_at(c, h)->tenant != tenant || !topic_matches(c, block, index, h)) continue;
        if (kind_of(block, index) == RECORD_HELD)
            fill_held(c, h, block->first_position + index, held ? held_at(c, held) : NULL, &rows[count++]);
        else
            fill_why(c, h, block, index, &rows[count++]);
    }
    return count;
}

static struct msg_answer *answer_new(struct core *c, uint64_t id)
{
    struct msg_answer *answer = arena_take_zeroed(&c->scratch, 1, sizeof *answer);
    must(answer);
    answer->id = id;
    return answer;
}

static bool is_of_tenant(const struct core *c, uint32_t tenant, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    return record->topic && span_equal(block_topic_tenant(block, record->topic - 1u), tenant_name(c, tenant));
}

/* ---- an event with a delay that is over: it stands elsewhere, not before it was due ---- */

static void find_again_begin(const struct core *c, struct lookup *l, const struct block *block, uint32_t index)
{
    struct event event;
    uint64_t due_ms = 0, first = record_first(&block->records[index]);
    l->first = first ? first : l->position;
    if (event_scan(block_body(block, &block->records[index]), &event) == EVENT_OK)
        due_ms = held_due(c, &event, block->time_ms + block->records[index].time_delta_ms);
    seek_begin(&l->seek, SEEK_TIME, due_ms, l->position + 1, c->head);
    l->blocks = 0;
}

/* SCAN_EVENT: l->position is where it stands. */
static enum scan find_again(struct core *c, struct lookup *l)
{
    enum scan scan = reader_seek(c, &l->seek);
    if (scan != SCAN_EVENT) return scan;
    while (l->blocks < AGAIN_BLOCKS_MAX) {
        bool end;
        if (c->scan_budget == 0) return SCAN_LATER;
        c->scan_budget--;
        struct slot *slot = blocks_find_after(c, l->seek.low, &end);
        if (!slot) return end ? SCAN_END : SCAN_WAIT;
        const struct block *block = &slot->block;
        for (uint32_t i = 0; i < block->record_count; i++) {
            if (kind_of(block, i) != RECORD_EVENT || record_first(&block->records[i]) != l->first) continue;
            l->position = block->first_position + i;
            return SCAN_EVENT;
        }
        l->seek.low = block_last_position(block) + 1;
        l->blocks++;
    }
    return SCAN_END;
}

enum scan why_event(struct core *c, struct lookup *l)
{
    enum scan scan = l->first ? find_again(c, l) : SCAN_EVENT;
    if (scan == SCAN_WAIT || scan == SCAN_LATER) return scan;
    l->searched = l->first > 0;
    l->first = 0;
    bool end = false;
    struct slot *slot = l->position <= c->head ? blocks_find_after(c, l->position, &end) : NULL;
    if (!slot && !end && l->position <= c->head) return SCAN_WAIT;
    const struct block *block = slot ? &slot->block : NULL;
    uint32_t index = slot && block_holds(block, l->position) ? (uint32_t)(l->position - block->first_position) : UINT32_MAX;
    bool there = index != UINT32_MAX && is_of_tenant(c, l->tenant, block, index);
    bool held = there && kind_of(block, index) == RECORD_HELD;
    if (held && !held_there(c, block, index) && !l->searched) {
        find_again_begin(c, l, block, index);
        return SCAN_LATER;
    }
    struct msg_answer *answer = answer_new(c, l->id);
    if (l->position < c->trimmed_below)
        answer->code = CODE_GONE;
    else if (!held && !(there && kind_of(block, index) == RECORD_EVENT))
        answer->code = CODE_NOT_FOUND;
    else {
        struct why_row *rows = arena_take(&c->scratch, (c->groups.taken + 1) * sizeof *rows);
        must(rows);
        answer->whys = rows;
        answer->why_count = rows_of_event(c, l->tenant, block, index, rows);
    }
    out_item(c, l->peer, ITEM_ANSWER)->more = answer;
    return SCAN_EVENT;
}

/* ---- a session: its newest events that some group has not settled, looked for from the head back ---- */

static bool is_open(const struct why_row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (rows[i].wait != WAIT_SETTLED) return true;
    return false;
}

static bool is_of_session(const struct core *c, const struct lookup *l, const struct block *block, uint32_t index)
{
    struct event event;
    uint32_t held = held_there(c, block, index);
    bool stands_here = kind_of(block, index) == RECORD_EVENT || (held && held_at(c, held)->position == block->first_position + index);
    return stands_here && is_of_tenant(c, l->tenant, block, index) && event_scan(event_at(block, index).bytes, &event) == EVENT_OK &&
           span_equal(event.session, l->spec.name);
}

/* Below this every group has settled all, and nothing is held. */
static uint64_t lowest_floor(const struct core *c, uint32_t tenant)
{
    uint64_t floor = c->tenants[tenant].held_count > 0 ? 0 : c->head;
    for (uint32_t h = 1; h <= c->groups.touched; h++)
        for (uint32_t k = 0; k < PRIORITY_LEVELS && slab_is_taken(&c->groups, h) && group_at(c, h)->tenant == tenant; k++)
            if (group_at(c, h)->levels[k].floor < floor) floor = group_at(c, h)->levels[k].floor;
    return floor;
}

static void look_through(struct core *c, struct lookup *l, const struct block *block, struct why_row *rows)
{
    uint64_t last = block_last_position(block) < l->position ? block_last_position(block) : l->position;
    for (; last >= block->first_position && l->found < WHY_EVENTS_MAX; last--) {
        uint32_t index = (uint32_t)(last - block->first_position);
        if (is_of_session(c, l, block, index) && is_open(rows, rows_of_event(c, l->tenant, block, index, rows)))
            l->places[l->found++] = last;
    }
    l->position = last;
}

/* Their blocks do not come into memory together: few are kept, or others want them, too. So it is less that is told. */
static enum scan wait_for_all(struct lookup *l)
{
    if (++l->waits < WAITS_MAX) return SCAN_WAIT;
    l->waits = 0;
    l->blocks = SESSION_BLOCKS_MAX; /* and looked for no further */
    l->position = l->places[--l->found];
    return SCAN_LATER;
}

/* What was found is asked for again, so that all of the answer is of one moment. */
static enum scan say_session(struct core *c, struct lookup *l)
{
    const struct slot *slots[WHY_EVENTS_MAX];
    for (uint32_t i = 0; i < l->found; i++) {
        bool end;
        slots[i] = blocks_find_after(c, l->places[i], &end);
        if (!slots[i] && !end) return wait_for_all(l);
    }
    struct msg_answer *answer = answer_new(c, l->id);
    struct why_row *rows = arena_take(&c->scratch, ((size_t)l->found * c->groups.taken + 1) * sizeof *rows);
    if (!rows) answer->code = CODE_THROTTLED;
    for (uint32_t i = 0; rows && i < l->found; i++)
        if (slots[i] && block_holds(&slots[i]->block, l->places[i]))
            answer->why_count += rows_of_event(c, l->tenant, &slots[i]->block, (uint32_t)(l->places[i] - slots[i]->block.first_position),
                                               rows + answer->why_count);
    answer->whys = rows;
    answer->seq = l->position;
    answer->more = l->position > lowest_floor(c, l->tenant);
    out_item(c, l->peer, ITEM_ANSWER)->more = answer;
    return SCAN_EVENT;
}

enum scan why_session(struct core *c, struct lookup *l)
{
    struct why_row *rows = arena_take(&c->scratch, (c->groups.taken + 1) * sizeof *rows);
    if (!rows) return SCAN_LATER;
    while (l->found < WHY_EVENTS_MAX && l->blocks < SESSION_BLOCKS_MAX && l->position > lowest_floor(c, l->tenant)) {
        bool end;
        if (c->scan_budget == 0) return SCAN_LATER;
        c->scan_budget--;
        struct slot *slot = blocks_find_before(c, l->position, &end);
        if (end) break;
        if (!slot) return SCAN_WAIT;
        look_through(c, l, &slot->block, rows);
        l->blocks++;
    }
    return say_session(c, l);
}

/* ---- groups ---- */

static const struct span *copy_filters(struct core *c, const struct group *g, bool old)
{
    uint32_t count = old ? g->old_filter_count : g->filter_count;
    struct span *filters = arena_take(&c->scratch, (count + 1) * sizeof *filters);
    must(filters);
    for (uint32_t i = 0; i < count; i++)
        filters[i] = old ? group_old_filter(g, i) : group_filter(g, i);
    return filters;
}

static uint64_t oldest_open(const struct core *c, const struct group *g)
{
    uint64_t oldest = 0;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        const struct level *l = &g->levels[k];
        bool open = l->open > 0 || !l->live || l->old_open || g->adopting;
        if (open && l->floor < c->head && (!oldest || l->floor + 1 < oldest)) oldest = l->floor + 1;
    }
    return oldest;
}

/* Nothing of this priority is unsettled, however far back the last one that was settled lies. */
static bool is_idle(const struct level *l)
{
    return l->live && l->open == 0 && !l->pend_last && l->settled.count == 0;
}

/* Of all priorities: what is settled, what may have been given out, what is still to be read. */
static void fill_places(const struct core *c, const struct group *g, struct group_row *row)
{
    uint64_t highest = 0;
    row->floor = row->cursor = UINT64_MAX;
    row->handed = row->ranges = 0;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        const struct level *l = &g->levels[k];
        uint64_t cursor = l->live ? c->head + 1 : l->fresh.cursor;
        if (l->floor > highest) highest = l->floor;
        if (!is_idle(l) && l->floor < row->floor) row->floor = l->floor;
        if (cursor < row->cursor) row->cursor = cursor;
        if (l->handed > row->handed) row->handed = l->handed;
        row->ranges += l->settled.count;
    }
    if (row->floor == UINT64_MAX) row->floor = highest;
}

static void fill_group_row(struct core *c, uint32_t handle, uint32_t *budget, struct group_row *row)
{
    const struct group *g = group_at(c, handle);
    bool estimate;
    *row = (struct group_row){ .tenant = tenant_name(c, g->tenant),
                               .name = group_name(g),
                               .filters = copy_filters(c, g, false),
                               .filter_count = g->filter_count,
                               .generation = g->generation,
                               .head = c->head,
                               .delivered = g->delivered,
                               .acked = g->acked,
                               .nacked = g->nacked,
                               .rejected = g->rejected,
                               .expired = g->expired,
                               .workers = g->workers,
                               .leased = g->leased,
                               .failed = g->failed_count,
                               .has_options = true,
                               .options = g->options,
                               .old_filters = copy_filters(c, g, true),
                               .old_filter_count = g->old_filter_count,
                               .filters_from = g->filters_from,
                               .lag = rates_lag(c, handle, budget, &estimate),
                               .lag_ms = rates_lag_ms(c, handle),
                               .oldest = oldest_open(c, g),
                               .arrivals = g->rates.arrivals,
                               .settles = g->rates.settles,
                               .service_us = g->rates.per_worker ? 1000000000u / g->rates.per_worker : 0,
                               .workers_wanted = g->rates.wanted };
    row->lag_is_estimate = estimate;
    row->wait = row->lag > 0 || g->paused_ms ? group_stops(c, g, &row->wait_since_ms) : WAIT_NONE;
    row->retries_waiting = budget_waiting(c, g);
    if (row->wait == WAIT_NONE && row->retries_waiting > 0 && group_is_live(g)) row->wait = WAIT_RETRY_BUDGET;
    fill_places(c, g, row);
}

void groups_answer(struct core *c, uint32_t tenant, struct span name, struct msg_answer *answer)
{
    struct group_row *rows = arena_take(&c->scratch, (size_t)c->groups.taken * sizeof *rows + 1);
    uint32_t budget = COUNTED_PER_ANSWER;
    must(rows);
    for (uint32_t h = 1; h <= c->groups.touched; h++) {
        if (!slab_is_taken(&c->groups, h) || (tenant && group_at(c, h)->tenant != tenant)) continue;
        if (name.size && !span_equal(name, group_name(group_at(c, h)))) continue;
        fill_group_row(c, h, &budget, &rows[answer->group_count++]);
    }
    answer->groups = rows;
}
