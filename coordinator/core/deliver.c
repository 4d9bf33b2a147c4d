/* Ready events meet free credit. A group is pulled by its workers: nothing is looked at before one of them can take it. What goes first:
 * leases given back, then failed events that are due, then what was handed out before a restart, then new events.
 * Invariants: nothing above the committed `handed` goes out [R-DELIV-1]; a failed event only after its record is committed [R-LEASE-5]. */
#include "coordinator/core/deliver.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/hand_out.h"
#include "coordinator/core/keys.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/order.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/read_back.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/replay.h"
#include "coordinator/core/retry_budget.h"
#include "coordinator/core/state.h"
#include "coordinator/core/window.h"
#include "sdk/base/ranges.h"

enum { DELIVERIES_PER_VISIT = 64, OLD_PER_VISIT = 16 };

enum progress {
    PROGRESS_DONE,
    PROGRESS_LATER,   /* in another step */
    PROGRESS_BLOCKED, /* until something wakes the group */
    PROGRESS_COMMIT,  /* the same: a commit */
    PROGRESS_FETCH    /* the same: a block that is read */
};

static bool goes_on(enum progress progress)
{
    return progress == PROGRESS_DONE || progress == PROGRESS_LATER;
}

static enum progress wait_for_fetch(struct core *c, struct group *g)
{
    g->waits_fetch = true;
    reader_wait(c);
    return PROGRESS_FETCH;
}

/* More than the limit may have been kept after a restart, or it was lowered: what was given back then waits like others [R-LIMIT-1]. */
static bool is_over_its_limit(const struct core *c, const struct group *g)
{
    uint32_t back = 0;
    if (!g->options.limit || g->leased <= g->options.limit) return false;
    for (uint32_t h = g->returned; h; h = lease_at(c, h)->of_group.next)
        back++;
    return g->leased - back >= g->options.limit;
}

/* The first of those given back that a worker can take: the place in the list. */
static uint32_t *ready_returned(struct core *c, struct group *g)
{
    uint32_t *at = &g->returned;
    if (is_over_its_limit(c, g)) return NULL;
    while (*at && lease_at(c, *at)->large && !worker_for_large(c, g, lease_at(c, *at)->large))
        at = &lease_at(c, *at)->of_group.next;
    return *at ? at : NULL;
}

static bool is_gone(const struct core *c, uint32_t group, const struct slot *slot, uint64_t position)
{
    return !slot || !block_holds(&slot->block, position) || window_has_left(c, group, position);
}

static enum progress deliver_returned(struct core *c, uint32_t handle, uint32_t *at)
{
    struct group *g = group_at(c, handle);
    uint32_t lease = *at;
    struct lease *l = lease_at(c, lease);
    bool end;
    struct slot *slot = blocks_find_after(c, l->position, &end);
    if (!slot && !end) return wait_for_fetch(c, g);
    *at = l->of_group.next;
    l->returned = false;
    bool gone = is_gone(c, handle, slot, l->position);
    uint32_t index = gone ? 0 : (uint32_t)(l->position - slot->block.first_position);
    if (gone || delivery_is_over(c, &slot->block, &slot->block.records[index])) {
        delivery_expired(c, handle, l->level, l->failed, l->from, l->position);
        lease_end(c, lease);
        return PROGRESS_DONE;
    }
    hand_out(c, lease, 0, &slot->block, index);
    return PROGRESS_DONE;
}

/* To a worker, unless it has to wait for something: then it is parked. */
static enum progress give(struct core *c, struct turn *t, const struct block *block, uint32_t index)
{
    struct group *g = group_at(c, t->group);
    if (!lease_has_room(c, !t->failed)) return PROGRESS_BLOCKED; /* a settle wakes the group */
    enum pass pass = order_is_on(g) ? order_pass(c, t, event_at(block, index).bytes) : PASS_GO;
    if (pass != PASS_GO) return pass == PASS_PARKED ? PROGRESS_DONE : PROGRESS_BLOCKED;
    uint32_t lease = lease_give(c, &(struct lease_terms){ .group = t->group,
                                                          .level = t->level,
                                                          .attempt = t->failed ? failed_at(c, t->failed)->attempts + 1 : 1,
                                                          .failed = t->failed,
                                                          .position = t->position,
                                                          .from = t->from });
    must(lease);
    if (!t->failed) g->budget.firsts++;
    order_hold(c, t, lease);
    order_went(c, t, hand_out(c, lease, t->worker, block, index));
    return PROGRESS_DONE;
}

/* Due before this start and not failed since: a worker may have had it, so that attempt counts and the next one is another [R-ADOPT-2]. */
static bool may_have_been_out(const struct core *c, const struct failed *f)
{
    return f->block == 0 && f->due_ms <= c->start_ms;
}

/* The failed event whose turn it is; 0: none, or it waits for the budget. */
static uint32_t next_retry(struct core *c, uint32_t handle)
{
    const struct group *g = group_at(c, handle);
    if (g->uncertain.list.first) return g->uncertain.list.first;
    return g->retry.list.first && budget_allows(c, handle) ? g->retry.list.first : 0;
}

static enum progress deliver_retry(struct core *c, uint32_t handle, uint32_t failed)
{
    struct group *g = group_at(c, handle);
    struct failed *f = failed_at(c, failed);
    bool end;
    struct slot *slot = blocks_find_after(c, f->position, &end);
    if (!slot && !end) return wait_for_fetch(c, g);
    if (!lease_has_room(c, false) || (order_is_on(g) && !order_has_room(c, g, TURN_AGAIN))) return PROGRESS_BLOCKED;
    failed_unqueue(c, failed);
    if (letter_is_due(c, failed)) { /* the group may fewer than when it was queued */
        failed_queue(c, failed);
        return PROGRESS_DONE;
    }
    if (may_have_been_out(c, f)) {
        struct record_failed failure = {
            .seq = f->position, .due_ms = c->log_ms, .attempts = f->attempts + 1, .deaths = f->deaths, .cause = FAILURE_RESTART
        };
        group_pend_failed(c, handle, f->level, &failure, 0, 0);
        return PROGRESS_DONE;
    }
    bool gone = is_gone(c, handle, slot, f->position);
    uint32_t index = gone ? 0 : (uint32_t)(f->position - slot->block.first_position);
    struct turn t = { .group = handle, .level = f->level, .failed = failed, .position = f->position, .from = f->position, .order = f->key };
    f->key = 0;
    if (!gone && !delivery_is_over(c, &slot->block, &slot->block.records[index])) {
        if (!failed_is_uncertain(f)) budget_spend(g);
        return give(c, &t, &slot->block, index);
    }
    delivery_expired(c, handle, t.level, failed, t.position, t.position);
    order_give_up(c, &t);
    return PROGRESS_DONE;
}

/* Those parked next at its key that are over, too: else each would wait for the commit of the one before. As far as their blocks are at
 * hand. */
static void end_followers(struct core *c, uint32_t key)
{
    for (uint32_t i = 0; i < DELIVERIES_PER_VISIT && blocks_room_for_failure(c) && key_at(c, key)->parked.first; i++) {
        uint32_t handle = key_at(c, key)->parked.first;
        struct parked p = *parked_at(c, handle);
        bool end;
        struct slot *slot = p.failed ? NULL : blocks_find_after(c, p.position, &end);
        if (!slot || !block_holds(&slot->block, p.position)) return;
        uint32_t index = (uint32_t)(p.position - slot->block.first_position);
        if (!delivery_is_over(c, &slot->block, &slot->block.records[index])) return;
        key_unpark(c, handle);
        delivery_expired(c, p.group, p.level, 0, p.from, p.position);
    }
}

/* Parked when it was read back after a restart, while its back-off went on: it waits for the end of that with its key. */
static bool waits_on(struct core *c, const struct turn *t)
{
    if (!t->failed || !t->order || t->warm || t->limit || failed_at(c, t->failed)->due_ms <= c->log_ms) return false;
    failed_at(c, t->failed)->key = t->order;
    failed_wait(c, t->failed);
    return true;
}

/* Who was parked and may go on, perhaps only to wait for something else. */
static enum progress deliver_ready(struct core *c, uint32_t handle, uint32_t level)
{
    struct group *g = group_at(c, handle);
    uint32_t parked = order_first_ready(c, &g->levels[level]);
    if (!parked) return PROGRESS_BLOCKED;
    uint64_t position = parked_at(c, parked)->position;
    if (position > c->head) return PROGRESS_COMMIT; /* a letter that was carried forward a moment ago */
    bool end;
    struct slot *slot = blocks_find_after(c, position, &end);
    if (!slot && !end) return wait_for_fetch(c, g);
    if (!lease_has_room(c, !parked_at(c, parked)->failed) || !order_has_room(c, g, TURN_PARKED)) return PROGRESS_BLOCKED;
    bool gone = is_gone(c, handle, slot, position);
    uint32_t index = gone ? 0 : (uint32_t)(position - slot->block.first_position);
    struct turn t = order_take(c, parked);
    if (waits_on(c, &t)) return PROGRESS_DONE;
    if (!gone && !delivery_is_over(c, &slot->block, &slot->block.records[index])) return give(c, &t, &slot->block, index);
    delivery_expired(c, handle, t.level, t.failed, t.from, t.position);
    if (t.order) end_followers(c, t.order);
    order_give_up(c, &t);
    return PROGRESS_DONE;
}

/* What lay between the last match and this place matches nothing: settled with it. */
void settle_gap(struct core *c, uint32_t handle, uint32_t level, uint64_t from, uint64_t to)
{
    const struct level *l = &group_at(c, handle)->levels[level];
    if (from <= to && to > l->floor && !ranges_hold(&l->settled, from, to)) group_pend_settled(c, handle, level, from, to);
}

/* Handed out before the restart, and nobody came back with it: failed once more, then it goes the way of all failed events [R-ADOPT-2]. */
static enum progress reopen_old(struct core *c, uint32_t handle, uint32_t level)
{
    struct group *g = group_at(c, handle);
    struct level *l = &g->levels[level];
    uint64_t pends_from = group_pends_from(c, handle, level, l->old.cursor);
    for (uint32_t i = 0; i < OLD_PER_VISIT; i++) {
        struct slot *slot;
        uint32_t index;
        enum scan scan = reader_next(c, &l->old, handle, level, &slot, &index);
        if (scan == SCAN_WAIT) return wait_for_fetch(c, g);
        if (scan == SCAN_LATER) return PROGRESS_LATER;
        if (!blocks_room_for_failure(c)) return PROGRESS_LATER;
        if (scan == SCAN_END) {
            settle_gap(c, handle, level, l->old.from, l->old.end);
            l->old_open = false;
            return PROGRESS_DONE;
        }
        uint64_t position = l->old.cursor;
        bool known = position <= l->floor || ranges_hold(&l->settled, position, position) ||
                     map_get(&c->by_lease, place_key(handle, position)) || failed_find(c, handle, position);
        settle_gap(c, handle, level, l->old.from, position - 1);
        l->old.from = position;
        if (position >= pends_from) return PROGRESS_COMMIT; /* it was kept, and what became of it is known in a moment */
        if (!known && !failed_has_room(c)) {
            c->short_of_failed = true;
            return PROGRESS_BLOCKED;
        }
        if (!known) {
            c->failed_pending++;
            struct record_failed failure = { .seq = position, .due_ms = c->log_ms, .attempts = 1, .cause = FAILURE_RESTART };
            group_pend_failed(c, handle, level, &failure, 0, 0);
        }
        l->old.cursor = l->old.from = position + 1;
    }
    return PROGRESS_DONE;
}

/* How many positions are handed out ahead of the reader while it catches up: a few times what the workers have and can take at once, so
 * that it need not wait for a commit at each event, and a crash leaves few that nobody may have had. */
static uint64_t handed_ahead(const struct core *c, const struct group *g)
{
    uint64_t credit = g->leased;
    uint32_t peer = g->ring;
    do {
        const struct peer *p = peer_at(c, peer);
        credit += p->deliver_limit_events - p->deliver_sent_events;
        peer = p->ring_next;
    } while (peer != g->ring && credit < HANDED_AHEAD_MAX);
    uint64_t ahead = credit < HANDED_AHEAD_MAX ? credit * 4 : HANDED_AHEAD_MAX;
    return ahead < HANDED_AHEAD_MIN ? HANDED_AHEAD_MIN : ahead < HANDED_AHEAD_MAX ? ahead : HANDED_AHEAD_MAX;
}

/* The first event above a change of filters: what lies between the last match and the change is settled at once, not with this event, so
 * that the old filters are not kept for it. */
static void pass_filters_from(struct core *c, uint32_t handle, uint32_t level)
{
    const struct group *g = group_at(c, handle);
    struct reader *fresh = &group_at(c, handle)->levels[level].fresh;
    if (fresh->cursor < g->filters_from || fresh->from >= g->filters_from) return;
    settle_gap(c, handle, level, fresh->from, g->filters_from - 1);
    fresh->from = g->filters_from;
}

/* A reader that catches up asks for the next raise of `handed` half way through the last one, so that it is committed when it is needed. */
static void want_handed(struct core *c, uint32_t handle, uint32_t level, uint64_t position)
{
    struct group *g = group_at(c, handle);
    struct level *l = &g->levels[level];
    bool needed = position > l->handed;
    if (needed) c->pend_urgent = true;
    if (!needed && (c->head <= l->handed || position < l->handed_more)) return;
    uint64_t ahead = handed_ahead(c, g);
    l->handed_more = position + ahead / 2;
    group_want_handed(c, handle, level, position + ahead);
}

/* What the reader has come to. */
static enum progress take_fresh(struct core *c, struct turn *t, const struct block *block, uint32_t index)
{
    struct group *g = group_at(c, t->group);
    bool late = t->position <= g->levels[t->level].old.end; /* its reading back had to stop, or its order was changed */
    if ((order_is_on(g) || late) && !order_has_room(c, g, TURN_NEW))
        return PROGRESS_BLOCKED;                                                         /* a parked one that goes on wakes the group */
    if (late && !lease_has_room(c, true)) return PROGRESS_BLOCKED;                       /* a settle wakes the group */
    if (late && group_pends(c, t->group, t->level, t->position)) return PROGRESS_COMMIT; /* what failed just now is not in its table yet */
    if ((block->records[index].flags & RECORD_PARTS) && too_many_large(c, g)) return PROGRESS_BLOCKED; /* the end of a transfer wakes it */
    if (late) {
        settle_gap(c, t->group, t->level, t->from, t->position - 1);
        t->from = g->levels[t->level].fresh.from = t->position;
        if (read_back_late(c, t, block_body(block, &block->records[index]))) return PROGRESS_DONE;
    }
    if (!delivery_has_expired(c, block, &block->records[index])) return give(c, t, block, index);
    delivery_expired(c, t->group, t->level, 0, t->from, t->position);
    order_passed_over(c, t, block_body(block, &block->records[index]));
    return PROGRESS_DONE;
}

static enum progress deliver_fresh(struct core *c, uint32_t handle, uint32_t level)
{
    struct group *g = group_at(c, handle);
    struct level *l = &g->levels[level];
    struct slot *slot;
    uint32_t index;
    enum scan scan = reader_next(c, &l->fresh, handle, level, &slot, &index);
    if (scan == SCAN_WAIT) return wait_for_fetch(c, g);
    if (scan == SCAN_LATER) return PROGRESS_LATER;
    if (scan == SCAN_END) {
        if (l->fresh.cursor > l->fresh.end) settle_gap(c, handle, level, l->fresh.from, l->fresh.end);
        if (l->fresh.cursor > l->fresh.end) l->fresh.from = l->fresh.end + 1;
        l->live = !c->config.replay.on;
        return PROGRESS_BLOCKED;
    }
    uint64_t position = l->fresh.cursor;
    bool replay = c->config.replay.on;
    if (replay && !replay_wants(c, &slot->block, index)) {
        l->fresh.cursor = position + 1; /* its place is settled with the next match */
        return PROGRESS_DONE;
    }
    if (replay && replay_must_wait(c, g, &slot->block, index)) return PROGRESS_BLOCKED;
    want_handed(c, handle, level, position);
    if (position > level_handed(c, l)) return PROGRESS_COMMIT;
    if (g->old_filter_count > 0) pass_filters_from(c, handle, level);
    if (order_is_on(g)) order_look_ahead(c, handle, level, &slot->block, index);
    struct turn t = { .group = handle, .level = level, .position = position, .from = l->fresh.from };
    enum progress progress = take_fresh(c, &t, &slot->block, index);
    if (progress == PROGRESS_DONE) l->fresh.cursor = l->fresh.from = position + 1;
    return progress;
}

/* What was parked is older than what is read now, and nothing is read while its block is being fetched: else a reader that goes through a
 * backlog would come so far ahead of what it has parked that each of those costs a fetch. */
static enum progress deliver_level(struct core *c, uint32_t handle, uint32_t level)
{
    const struct level *l = &group_at(c, handle)->levels[level];
    enum progress progress = l->ready.first ? deliver_ready(c, handle, level) : PROGRESS_BLOCKED;
    if (progress == PROGRESS_FETCH && c->fetching > 0) return progress; /* else the log cannot be read: on with what is in memory */
    bool reads = !l->live && l->open + 4 < l->settled.capacity;
    bool may_read = progress == PROGRESS_BLOCKED || progress == PROGRESS_FETCH;
    if (may_read && reads && lease_has_room(c, true)) /* else its block is not kept from others for nothing */
        progress = deliver_fresh(c, handle, level);
    if (progress == PROGRESS_DONE) group_at(c, handle)->taken++;
    return progress;
}

/* Half of the turns ask the highest priority first, a quarter the next, an eighth each of the others: so none starves. What is asked first
 * and has nothing leaves its turn to the highest that has. Who is still looking for its next event, many blocks further on in a backlog, is
 * owed one, and asked before all others, the lowest first: its turn comes seldom. Who has found it is waited for. [R-PRIO-1] */
static enum progress deliver_by_priority(struct core *c, uint32_t handle)
{
    static const uint8_t first[] = { 3, 2, 3, 1, 3, 2, 3, 0 };
    struct group *g = group_at(c, handle);
    uint32_t favourite = first[g->turns % sizeof first], asked = 0;
    enum progress best = PROGRESS_BLOCKED;
    g->owed |= 1u << favourite;
    for (uint32_t i = 0; i < 2 * PRIORITY_LEVELS; i++) {
        uint32_t level = i < PRIORITY_LEVELS ? i : 2 * PRIORITY_LEVELS - 1 - i, bit = 1u << level;
        if ((i < PRIORITY_LEVELS && !(g->owed & bit)) || (asked & bit)) continue;
        asked |= bit;
        uint32_t leased = g->leased;
        enum progress progress = deliver_level(c, handle, level);
        bool went_out = g->leased > leased; /* else it was parked, or over: that is no turn */
        if (went_out || progress == PROGRESS_BLOCKED) g->owed &= ~bit;
        g->turns += went_out;
        if (progress == PROGRESS_DONE) return progress;
        if (progress == PROGRESS_COMMIT) return progress; /* or a lower one would take its worker meanwhile */
        bool found = g->levels[level].fresh.cursor == g->levels[level].next_event;
        if (progress == PROGRESS_FETCH && found && (g->owed & bit) && c->fetching > 0) return progress;
        if (progress == PROGRESS_LATER) best = progress;
    }
    return best;
}

/* A replay shows what happened: in the order of the log, whatever the priorities. */
static enum progress deliver_in_log_order(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    uint32_t first = PRIORITY_LEVELS;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        struct reader *fresh = &g->levels[k].fresh;
        struct slot *slot;
        uint32_t index;
        enum progress progress = g->levels[k].ready.first ? deliver_ready(c, handle, k) : PROGRESS_BLOCKED;
        if (progress != PROGRESS_BLOCKED) return progress;
        enum scan scan = reader_next(c, fresh, handle, k, &slot, &index);
        if (scan == SCAN_WAIT) return wait_for_fetch(c, g);
        if (scan == SCAN_LATER) return PROGRESS_LATER;
        if (scan == SCAN_EVENT && (first == PRIORITY_LEVELS || fresh->cursor < g->levels[first].fresh.cursor)) first = k;
    }
    if (first < PRIORITY_LEVELS) return deliver_level(c, handle, first);
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        deliver_level(c, handle, k); /* settles what lies behind its last event */
    return PROGRESS_BLOCKED;
}

/* While no worker has credit each priority's reader goes on to its next event, once: else a seldom one in a backlog would be looked for only
 * in the moments in which there is credit, and others would always be found sooner. */
static enum progress look_ahead(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    enum progress best = PROGRESS_BLOCKED;
    for (uint32_t k = 0; k < PRIORITY_LEVELS && g->workers > 0 && !c->config.replay.on; k++) {
        struct level *l = &g->levels[k];
        struct slot *slot;
        uint32_t index;
        if (l->live || l->next_event == l->fresh.cursor) continue;
        enum scan scan = reader_next(c, &l->fresh, handle, k, &slot, &index);
        if (scan == SCAN_EVENT) l->next_event = l->fresh.cursor;
        if (scan == SCAN_LATER) best = PROGRESS_LATER;
        if (scan == SCAN_WAIT) (void)wait_for_fetch(c, g);
    }
    return best;
}

static enum progress deliver_one(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    if (g->paused_ms || g->reading_back) return PROGRESS_BLOCKED;
    if (!g->ring) return look_ahead(c, handle);
    if (order_is_on(g) && g->trim_block > c->committed_block) return PROGRESS_COMMIT; /* after a crash what is lost would come after all */
    bool unpaid = c->ticket_count > 0 && c->tickets[c->ticket_first].block <= c->committed_block; /* an accept goes before its delivery */
    if (unpaid || !out_has_room(c, 8) || !blocks_room_for_failure(c)) return PROGRESS_LATER;
    uint32_t *returned = ready_returned(c, g);
    if (returned) return deliver_returned(c, handle, returned);
    if (g->options.limit && group_out(g) >= g->options.limit) return PROGRESS_BLOCKED; /* the end of a lease or the grace wakes it */
    uint32_t retry = next_retry(c, handle);
    if (retry && failed_at(c, retry)->block <= c->committed_block) {
        enum progress progress = deliver_retry(c, handle, retry);
        if (progress != PROGRESS_BLOCKED && progress != PROGRESS_FETCH) return progress; /* else what is parked may make the room it needs */
    }
    bool may_reopen = !retry && (!g->pending || g->reopened < c->step); /* a group that works always has something pending */
    for (uint32_t k = 0; k < PRIORITY_LEVELS && may_reopen; k++) {
        g->reopened = c->step;
        if (!g->levels[k].old_open || !lease_has_room(c, true)) continue;
        enum progress progress = reopen_old(c, handle, k);
        bool found_nothing = progress == PROGRESS_DONE && !g->pending; /* no commit will wake the group: it goes on at once */
        if (progress == PROGRESS_LATER || found_nothing) return progress;
    }
    return c->config.replay.on ? deliver_in_log_order(c, handle) : deliver_by_priority(c, handle);
}

static enum progress visit(struct core *c, uint32_t handle)
{
    for (uint32_t i = 0; i < DELIVERIES_PER_VISIT; i++) {
        enum progress progress = deliver_one(c, handle);
        if (progress != PROGRESS_DONE) return progress;
    }
    return PROGRESS_DONE;
}

/* Groups that stopped because others filled a table go on when there is room again. */
static void wake_after_shortage(struct core *c)
{
    bool failed = c->short_of_failed && failed_has_room(c);
    if (failed) c->short_of_failed = false;
    if (!order_shortage_is_over(c) && !failed) return;
    for (uint32_t h = 1; h <= c->groups.touched; h++)
        if (slab_is_taken(&c->groups, h) && group_at(c, h)->ring) group_wake(c, h);
}

void deliver_all(struct core *c)
{
    wake_after_shortage(c);
    bool moved = true;
    while (moved) {
        moved = false;
        uint32_t kept = 0, count = c->active_count;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t handle = c->active[i];
            enum progress progress = visit(c, handle);
            if (!goes_on(progress)) {
                group_at(c, handle)->active = false;
                continue;
            }
            moved = moved || progress == PROGRESS_DONE;
            c->active[kept++] = handle;
        }
        for (uint32_t i = count; i < c->active_count; i++)
            c->active[kept++] = c->active[i]; /* woken meanwhile */
        c->active_count = kept;
    }
    /* who was first this time is last next time */
    if (c->active_count > 1) {
        uint32_t first = c->active[0];
        memmove(c->active, c->active + 1, (c->active_count - 1) * sizeof c->active[0]);
        c->active[c->active_count - 1] = first;
    }
}
