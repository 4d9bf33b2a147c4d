/* Ready events meet free credit. A group is pulled by its workers: nothing is looked at before one of them can take it. What goes first:
 * leases given back, then failed events that are due, then what was handed out before a restart, then new events.
 * Invariants: nothing above the committed `handed` goes out [R-DELIV-1]; a failed event only after its record is committed [R-LEASE-5]. */
#include "coordinator/core/state.h"

enum { DELIVERIES_PER_VISIT = 64, OLD_PER_VISIT = 16, WORKERS_LOOKED_AT = 64, LARGE_WAITING_MAX = 8 };

enum progress { PROGRESS_DONE, PROGRESS_BLOCKED, PROGRESS_COMMIT /* blocked, until a commit wakes the group */, PROGRESS_LATER };

static uint64_t handed_now(const struct core *c, const struct level *l)
{
    return l->handed_block <= c->committed_block ? l->handed : l->handed_before;
}

static enum progress wait_for_fetch(struct core *c, struct group *g)
{
    g->waits_fetch = true;
    reader_wait(c);
    return PROGRESS_BLOCKED;
}

static bool has_expired(const struct core *c, const struct block *block, const struct record *record)
{
    struct event event;
    if (!(record->flags & RECORD_EXPIRES) || event_scan(block_body(block, record), &event) != EVENT_OK) return false;
    uint64_t born = block->time_ms + record->time_delta_ms;
    return (event.ttl_ms && c->log_ms - born >= event.ttl_ms && c->log_ms >= born) || (event.deadline_ms && c->log_ms >= event.deadline_ms);
}

/* It may not go out again. An at_most_once one is here only when a worker claimed it after a restart and let it go. */
static bool is_over(const struct core *c, const struct block *block, const struct record *record)
{
    return has_expired(c, block, record) || ((record->flags & RECORD_AT_MOST_ONCE) && !c->config.replay.on);
}

static void say_delivery(struct core *c, uint32_t lease, const struct block *block, uint32_t index)
{
    struct lease *l = lease_at(c, lease);
    struct peer *p = peer_at(c, l->peer);
    struct stored_event event = event_at(block, index);
    struct item *item = out_item(c, l->peer, ITEM_DELIVER);
    item->a = lease_wire(c, lease);
    item->b = block->first_position + index;
    item->c = event.time_ms;
    item->d = event.cause;
    item->first = event.first;
    item->x = l->attempt;
    item->y = group_at(c, l->group)->options.lease_ms;
    item->z = l->level;
    item->body = event.bytes;
    p->deliver_sent_events++;
    p->deliver_sent_bytes += event.bytes.size;
    c->stats.delivered++;
    c->stats.delivered_bytes += event.bytes.size;
    if (l->attempt > 1) c->stats.redelivered++;
}

static void settle_expired(struct core *c, uint32_t handle, uint32_t level, uint32_t failed, uint64_t from, uint64_t position)
{
    group_event_over(c, handle, level, failed, from, position);
    group_at(c, handle)->expired++;
    c->stats.expired++;
}

/* ---- large events: parts first, to a worker that is not being sent another ---- */

static uint32_t worker_for_large(const struct core *c, const struct group *g, uint32_t size)
{
    uint32_t peer = g->ring;
    for (uint32_t i = 0; peer && i < WORKERS_LOOKED_AT; i++) {
        if (transfer_is_possible(c, peer, size)) return peer;
        peer = peer_at(c, peer)->ring_next;
        if (peer == g->ring) break;
    }
    return 0;
}

/* So many wait for such a worker that the group's reader waits with them. */
static bool too_many_large(const struct core *c, const struct group *g)
{
    uint32_t count = 0;
    for (uint32_t h = g->returned; h && count < LARGE_WAITING_MAX; h = lease_at(c, h)->group_next)
        count += lease_at(c, h)->large > 0;
    return count == LARGE_WAITING_MAX;
}

static void wait_for_worker(struct core *c, struct group *g, uint32_t lease)
{
    uint32_t *at = &g->returned;
    while (*at)
        at = &lease_at(c, *at)->group_next;
    *at = lease;
    lease_at(c, lease)->group_next = 0;
    lease_at(c, lease)->returned = true;
}

static void hand_out_large(struct core *c, struct group *g, uint32_t lease, const struct block *block, uint32_t index)
{
    struct lease *l = lease_at(c, lease);
    l->large = transfer_size(c, block, index);
    if (l->large == 0) {
        settle_expired(c, l->group, l->level, l->failed, l->from, l->position);
        lease_end(c, lease);
        return;
    }
    uint32_t peer = worker_for_large(c, g, l->large);
    if (!peer) {
        wait_for_worker(c, g, lease);
        return;
    }
    transfer_lease(c, lease, peer, block, index);
    g->ring = peer_at(c, peer)->ring_next;
    worker_ring_update(c, peer);
}

void deliver_large(struct core *c, uint32_t lease, const struct block *block, uint32_t index)
{
    struct lease *l = lease_at(c, lease);
    lease_start(c, lease);
    say_delivery(c, lease, block, index);
    group_at(c, l->group)->delivered++;
    worker_ring_update(c, l->peer);
}

void deliver_gone(struct core *c, uint32_t lease)
{
    struct lease *l = lease_at(c, lease);
    struct item *item = out_item(c, l->peer, ITEM_REVOKE);
    item->a = lease_wire(c, lease);
    item->x = CODE_GONE;
    settle_expired(c, l->group, l->level, l->failed, l->from, l->position);
    lease_end(c, lease);
}

/* To the worker whose turn it is. */
void hand_out(struct core *c, struct group *g, uint32_t lease, const struct block *block, uint32_t index)
{
    uint32_t peer = g->ring;
    lease_at(c, lease)->request = (block->records[index].flags & RECORD_REQUEST) != 0;
    lease_at(c, lease)->first = event_first(&block->records[index]);
    if (block->records[index].flags & RECORD_PARTS) {
        hand_out_large(c, g, lease, block, index);
        return;
    }
    lease_hand(c, lease, peer);
    say_delivery(c, lease, block, index);
    g->delivered++;
    g->ring = peer_at(c, peer)->ring_next;
    worker_ring_update(c, peer);
}

/* The first of those given back that a worker can take: the place in the list. */
static uint32_t *ready_returned(struct core *c, struct group *g)
{
    uint32_t *at = &g->returned;
    while (*at && lease_at(c, *at)->large && !worker_for_large(c, g, lease_at(c, *at)->large))
        at = &lease_at(c, *at)->group_next;
    return *at ? at : NULL;
}

static enum progress deliver_returned(struct core *c, uint32_t handle, uint32_t *at)
{
    struct group *g = group_at(c, handle);
    uint32_t lease = *at;
    struct lease *l = lease_at(c, lease);
    bool end;
    struct slot *slot = blocks_find_after(c, l->position, &end);
    if (!slot && !end) return wait_for_fetch(c, g);
    *at = l->group_next;
    l->returned = false;
    bool gone = !slot || !block_holds(&slot->block, l->position); /* it has left the window */
    uint32_t index = gone ? 0 : (uint32_t)(l->position - slot->block.first_position);
    if (gone || is_over(c, &slot->block, &slot->block.records[index])) {
        settle_expired(c, handle, l->level, l->failed, l->from, l->position);
        lease_end(c, lease);
        return PROGRESS_DONE;
    }
    hand_out(c, g, lease, &slot->block, index);
    return PROGRESS_DONE;
}

/* Due before this start and not failed since: a worker may have had it, so that attempt counts and the next one is another [R-ADOPT-2]. */
static bool may_have_been_out(const struct core *c, const struct failed *f)
{
    return f->block == 0 && f->due_ms <= c->start_ms;
}

static enum progress deliver_retry(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    struct failed *f = failed_at(c, g->retry.first);
    bool end;
    struct slot *slot = blocks_find_after(c, f->position, &end);
    if (!slot && !end) return wait_for_fetch(c, g);
    uint32_t failed = g->retry.first;
    failed_unqueue(c, failed);
    if (letter_is_due(c, failed)) { /* the group may fewer than when it was queued */
        failed_queue(c, failed);
        return PROGRESS_DONE;
    }
    if (may_have_been_out(c, f)) {
        struct record_failed failure = {
            .seq = f->position, .due_ms = c->log_ms, .attempts = f->attempts + 1, .deaths = f->deaths, .cause = FAILURE_RESTART
        };
        group_pend_failed(c, handle, f->level, &failure, 0);
        return PROGRESS_DONE;
    }
    bool gone = !slot || !block_holds(&slot->block, f->position);
    uint32_t index = gone ? 0 : (uint32_t)(f->position - slot->block.first_position);
    if (gone || is_over(c, &slot->block, &slot->block.records[index])) {
        settle_expired(c, handle, f->level, failed, f->position, f->position);
        return PROGRESS_DONE;
    }
    uint32_t lease = lease_give(c, &(struct lease_terms){ .group = handle,
                                                          .level = f->level,
                                                          .attempt = f->attempts + 1,
                                                          .failed = failed,
                                                          .position = f->position,
                                                          .from = f->position });
    if (!lease) {
        f->state = FAILED_WAITING;
        heap_put(&c->due, failed, c->log_ms + 1000);
        return PROGRESS_DONE;
    }
    hand_out(c, g, lease, &slot->block, index);
    return PROGRESS_DONE;
}

/* What lay between the last match and this place matches nothing: settled with it. */
static void settle_gap(struct core *c, uint32_t handle, uint32_t level, uint64_t from, uint64_t to)
{
    const struct level *l = &group_at(c, handle)->levels[level];
    if (from <= to && to > l->floor && !ranges_hold(&l->settled, from, to)) group_pend_settled(c, handle, level, from, to);
}

/* Handed out before the restart, and nobody came back with it: failed once more, then it goes the way of all failed events [R-ADOPT-2]. */
static enum progress reopen_old(struct core *c, uint32_t handle, uint32_t level)
{
    struct group *g = group_at(c, handle);
    struct level *l = &g->levels[level];
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
        if (!known && !failed_has_room(c)) {
            c->short_of_failed = true;
            return PROGRESS_BLOCKED;
        }
        if (!known) {
            c->failed_pending++;
            struct record_failed failure = { .seq = position, .due_ms = c->log_ms, .attempts = 1, .cause = FAILURE_RESTART };
            group_pend_failed(c, handle, level, &failure, 0);
        }
        l->old.cursor = l->old.from = position + 1;
    }
    return PROGRESS_DONE;
}

/* Replays show only what was asked for, at the pace that was asked for. */
static bool replay_wants(const struct core *c, const struct block *block, uint32_t index)
{
    const struct core_replay *r = &c->config.replay;
    struct event event;
    if (event_scan(block_body(block, &block->records[index]), &event) != EVENT_OK) return false;
    if (r->filter.size && !filter_matches(r->filter, event.topic)) return false;
    if (r->session.size && !span_equal(r->session, event.session)) return false;
    return r->key.size == 0 || span_equal(r->key, event.key);
}

static bool replay_must_wait(struct core *c, struct group *g, const struct block *block, uint32_t index)
{
    const struct core_replay *r = &c->config.replay;
    if (r->step && g->leased > 0) return true; /* its settle wakes the group */
    if (r->speed_percent == 0) return false;
    uint64_t time_ms = block->time_ms + block->records[index].time_delta_ms;
    if (!g->replay_started) {
        g->replay_started = true;
        g->replay_started_ns = c->now_ns;
        g->replay_first_ms = time_ms;
    }
    uint64_t due_ns = g->replay_started_ns + (time_ms - g->replay_first_ms) * 100 / r->speed_percent * 1000000u;
    if (c->now_ns >= due_ns) return false;
    g->waits_fetch = true;
    if (due_ns < c->pace_ns) c->pace_ns = due_ns;
    return true;
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
    if (position > handed_now(c, l)) return PROGRESS_COMMIT;
    if (g->old_filter_count > 0) pass_filters_from(c, handle, level);
    if (has_expired(c, &slot->block, &slot->block.records[index])) {
        settle_expired(c, handle, level, 0, l->fresh.from, position);
    } else {
        bool large = slot->block.records[index].flags & RECORD_PARTS;
        if (large && too_many_large(c, g)) return PROGRESS_BLOCKED; /* the end of a transfer wakes the group */
        uint32_t lease = lease_give(
            c, &(struct lease_terms){ .group = handle, .level = level, .attempt = 1, .position = position, .from = l->fresh.from });
        if (!lease) return PROGRESS_BLOCKED; /* all leases are out: a settle wakes the group */
        hand_out(c, g, lease, &slot->block, index);
    }
    l->fresh.cursor = l->fresh.from = position + 1;
    g->turns++;
    return PROGRESS_DONE;
}

/* Half of the turns ask the highest priority first, a quarter the next, an eighth each of the others: so none starves. What is asked first
 * and has nothing leaves its turn to the highest that has. [R-PRIO-1] */
static enum progress deliver_by_priority(struct core *c, uint32_t handle)
{
    static const uint8_t first[] = { 3, 2, 3, 1, 3, 2, 3, 0 };
    struct group *g = group_at(c, handle);
    enum progress best = PROGRESS_BLOCKED;
    for (uint32_t i = 0, favourite = first[g->turns % sizeof first]; i <= PRIORITY_LEVELS; i++) {
        uint32_t level = i == 0 ? favourite : PRIORITY_LEVELS - i;
        const struct level *l = &g->levels[level];
        if (l->live || (i > 0 && level == favourite) || l->open + 4 >= l->settled.capacity) continue;
        enum progress progress = deliver_fresh(c, handle, level);
        if (progress == PROGRESS_DONE) return progress;
        if (progress == PROGRESS_COMMIT) return PROGRESS_BLOCKED; /* or a lower one would take its worker meanwhile */
        if (progress == PROGRESS_LATER) best = progress;
    }
    return best;
}

static enum progress deliver_one(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    if (!g->ring || g->paused_ms) return PROGRESS_BLOCKED;
    bool unpaid = c->ticket_count > 0 && c->tickets[c->ticket_first].block <= c->committed_block; /* an accept goes before its delivery */
    if (unpaid || !out_has_room(c, 8) || !blocks_room_for_failure(c)) return PROGRESS_LATER;
    uint32_t *returned = ready_returned(c, g);
    if (returned) return deliver_returned(c, handle, returned);
    if (g->retry.first && failed_at(c, g->retry.first)->block <= c->committed_block) return deliver_retry(c, handle);
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        if (!g->levels[k].old_open || g->pending || g->retry.first) continue;
        enum progress progress = reopen_old(c, handle, k);
        bool found_nothing = progress == PROGRESS_DONE && !g->pending; /* no commit will wake the group: it goes on at once */
        if (progress == PROGRESS_LATER || found_nothing) return progress;
    }
    return deliver_by_priority(c, handle);
}

static enum progress visit(struct core *c, uint32_t handle)
{
    for (uint32_t i = 0; i < DELIVERIES_PER_VISIT; i++) {
        enum progress progress = deliver_one(c, handle);
        if (progress != PROGRESS_DONE) return progress;
    }
    return PROGRESS_DONE;
}

/* Groups that stopped because others' failures filled the table go on when there is room again. */
static void wake_after_shortage(struct core *c)
{
    if (!c->short_of_failed || !failed_has_room(c)) return;
    c->short_of_failed = false;
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
            if (progress == PROGRESS_BLOCKED) {
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
