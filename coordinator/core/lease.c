/* Leases: an event on loan to one worker until a deadline. All leases of a group begin with the same time, so a list per group is in the
 * order of their deadlines and costs nothing per event; only those that were extended or orphaned lie in a heap. Invariants: every lease is
 * in by_lease; it is in its peer's list while it has a peer, in its group's list or in core.extended unless it was returned. */
#include "coordinator/core/lease.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/hello.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/order.h"
#include "coordinator/core/out.h"
#include "coordinator/core/part.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/read_back.h"
#include "coordinator/core/retry_budget.h"
#include "coordinator/core/state.h"
#include "coordinator/core/transfer.h"
#include "sdk/base/ranges.h"

/* A lease may end in a failure: its place in the failed table is set aside when it is given. */
bool failed_has_room(const struct core *c)
{
    return c->failed.taken + c->failed_reserved + c->failed_pending < c->failed.capacity;
}

bool lease_has_room(struct core *c, bool may_fail)
{
    if (may_fail && !failed_has_room(c)) {
        c->short_of_failed = true;
        return false;
    }
    return c->leases.taken < c->leases.capacity; /* when one ends, all groups are woken */
}

uint32_t lease_give(struct core *c, const struct lease_terms *terms)
{
    bool may_fail = !terms->failed && !terms->once;
    if (!lease_has_room(c, may_fail)) return 0;
    uint32_t handle = slab_take(&c->leases);
    if (may_fail) c->failed_reserved++;
    must(map_put(&c->by_lease, place_key(terms->group, terms->position), handle));
    struct lease *l = lease_at(c, handle);
    l->group = terms->group;
    l->level = terms->level;
    l->position = terms->position;
    l->from = terms->from;
    l->attempt = terms->attempt;
    l->failed = terms->failed;
    l->once = terms->once;
    struct group *g = group_at(c, terms->group);
    g->leased++;
    if (terms->failed) {
        struct failed *f = failed_at(c, terms->failed);
        f->state = FAILED_LEASED;
        l->key = f->key; /* what it held it holds on */
        l->found = f->found;
        f->key = 0;
        f->found = false;
    } else if (!terms->once)
        g->levels[terms->level].open++;
    if (terms->peer) lease_hand(c, handle, terms->peer);
    return handle;
}

void lease_lost_failure(struct core *c, uint32_t group, uint64_t position, uint32_t failed)
{
    uint32_t handle = map_get(&c->by_lease, place_key(group, position));
    if (!handle || lease_at(c, handle)->failed != failed) return;
    lease_at(c, handle)->failed = 0;
    c->failed_reserved++;
    group_at(c, group)->levels[lease_at(c, handle)->level].open++;
}

static void group_list_append(struct core *c, uint32_t handle)
{
    struct lease *l = lease_at(c, handle);
    struct group *g = group_at(c, l->group);
    list_put_last(&g->leases, LIST_OF(&c->leases, struct lease, of_group), handle);
    l->in_group_list = true;
    if (g->leases.first == handle) heap_put(&c->group_timers, l->group, l->deadline_ns);
}

static void unlist_from_group(struct core *c, uint32_t handle)
{
    struct lease *l = lease_at(c, handle);
    if (l->in_group_list)
        list_take_out(&group_at(c, l->group)->leases, LIST_OF(&c->leases, struct lease, of_group), handle);
    else
        heap_remove(&c->extended, handle);
    l->in_group_list = false;
}

/* In no list when there are orphans of too many instances: then it waits out its grace. */
static void list_orphan(struct core *c, uint32_t handle, uint64_t instance_key)
{
    struct lease *l = lease_at(c, handle);
    uint32_t first = map_get(&c->orphans, instance_key);
    if (!map_put(&c->orphans, instance_key, handle)) return;
    l->orphan_of = instance_key;
    l->of_peer = (struct list_link){ .next = first };
    if (first) lease_at(c, first)->of_peer.prev = handle;
}

static void unlist_orphan(struct core *c, struct lease *l)
{
    struct list_link at = l->of_peer;
    if (!l->orphan_of) return;
    if (at.next) lease_at(c, at.next)->of_peer.prev = at.prev;
    if (at.prev)
        lease_at(c, at.prev)->of_peer.next = at.next;
    else if (at.next)
        must(map_put(&c->orphans, l->orphan_of, at.next));
    else
        must(map_remove(&c->orphans, l->orphan_of));
    l->orphan_of = 0;
    l->of_peer = (struct list_link){ 0 };
}

static void unlist_from_peer(struct core *c, uint32_t handle)
{
    struct lease *l = lease_at(c, handle);
    unlist_orphan(c, l);
    if (!l->peer) return;
    if (peer_at(c, l->peer)->emit_assemblies) parts_forget_emits(c, l->peer, lease_wire(c, handle));
    l->parts_refused = CODE_OK;
    list_take_out(&peer_at(c, l->peer)->leases, LIST_OF(&c->leases, struct lease, of_peer), handle);
    l->peer = 0;
}

void lease_hold(struct core *c, uint32_t handle, uint32_t peer)
{
    struct lease *l = lease_at(c, handle);
    must(!l->peer);
    unlist_orphan(c, l);
    l->peer = peer;
    list_put_first(&peer_at(c, peer)->leases, LIST_OF(&c->leases, struct lease, of_peer), handle);
}

void lease_start(struct core *c, uint32_t handle)
{
    struct lease *l = lease_at(c, handle);
    l->deadline_ns = c->now_ns + (uint64_t)group_at(c, l->group)->options.lease_ms * 1000000u;
    group_list_append(c, handle);
}

void lease_hand(struct core *c, uint32_t handle, uint32_t peer)
{
    lease_hold(c, handle, peer);
    if (peer_at(c, peer)->state == PEER_JOINING)
        lease_at(c, handle)->deadline_ns = UINT64_MAX; /* its time begins with the welcome that tells of it */
    else
        lease_start(c, handle);
}

/* It counts for every limit no more. */
static void end_unread(struct core *c, struct lease *l)
{
    if (!l->unread) return;
    l->unread = false;
    group_at(c, l->group)->unread--;
    order_limits_changed(c, l->group);
}

void lease_was_found(struct core *c, uint32_t handle)
{
    lease_at(c, handle)->found = true;
    end_unread(c, lease_at(c, handle));
}

void lease_end(struct core *c, uint32_t handle)
{
    struct lease *l = lease_at(c, handle);
    struct group *g = group_at(c, l->group);
    end_unread(c, l);
    bool was_full = c->leases.taken == c->leases.capacity;
    uint32_t group = l->group;
    if (l->transfer) transfer_drop(c, l->transfer);
    if (l->key) order_settled(c, l->key);
    unlist_from_peer(c, handle);
    unlist_from_group(c, handle);
    map_remove(&c->by_lease, place_key(l->group, l->position));
    note_forget(c, &l->note);
    if (!l->failed && !l->once) {
        c->failed_reserved--;
        g->levels[l->level].open--;
    }
    slab_free(&c->leases, handle);
    g->leased--;
    if (c->config.replay.step || g->options.limit) group_wake(c, group);
    if (!was_full) return;
    for (uint32_t h = 1; h <= c->groups.touched; h++)
        if (slab_is_taken(&c->groups, h) && group_at(c, h)->ring) group_wake(c, h);
}

uint64_t lease_wire(const struct core *c, uint32_t handle)
{
    return ((uint64_t)slab_generation(&c->leases, handle) << 24) | handle;
}

uint32_t lease_from_wire(const struct core *c, uint64_t wire, uint32_t peer)
{
    uint32_t handle = (uint32_t)(wire & 0xffffff);
    if (!slab_is_taken(&c->leases, handle) || lease_wire(c, handle) != wire) return 0;
    const struct lease *l = lease_at(c, handle);
    return l->peer == peer && !l->transfer ? handle : 0; /* what is still being sent is not the worker's yet */
}

void lease_fail(struct core *c, uint32_t handle, enum failure cause, struct span reason, uint64_t due_ms)
{
    struct lease *l = lease_at(c, handle);
    if (l->once) { /* [R-ONCE-1] */
        lease_end(c, handle);
        return;
    }
    const struct group *g = group_at(c, l->group);
    uint64_t floor = g->levels[l->level].floor;
    uint32_t deaths = (l->failed ? failed_at(c, l->failed)->deaths : 0) + (cause == FAILURE_LOST), note = 0;
    struct record_failed failure = { .seq = l->position, .due_ms = due_ms, .attempts = l->attempt, .deaths = deaths, .cause = cause };
    if (letter_verdict(g, &failure) != DEAD_UNKNOWN) {
        failure.due_ms = c->log_ms;
        note = l->peer ? note_make(c, l->peer, reason) : l->note;
        l->note = 0;
    } else if (l->expires_ms > 0 && l->expires_ms < failure.due_ms) {
        failure.due_ms = l->expires_ms; /* it waits no longer than it lives, nor does what waits for it */
    }
    if (l->from < l->position && l->position - 1 > floor) group_pend_settled(c, l->group, l->level, l->from, l->position - 1);
    if (!l->failed) c->failed_pending++;
    uint32_t key = l->key ? order_failed(c, l->key) : 0;
    l->key = 0;
    group_pend_failed(c, l->group, l->level, &failure, note, key);
    lease_end(c, handle);
}

void lease_orphan(struct core *c, uint32_t handle)
{
    struct lease *l = lease_at(c, handle);
    if (l->once) {
        lease_end(c, handle);
        return;
    }
    uint64_t instance_key = peer_key(c, l->peer);
    l->note = note_make(c, l->peer, span_of(NULL, 0));
    unlist_from_peer(c, handle);
    unlist_from_group(c, handle);
    list_orphan(c, handle, instance_key);
    uint64_t grace_ns = c->now_ns + (uint64_t)c->config.adopt_grace_ms * 1000000u;
    lease_await(c, handle, grace_ns < l->deadline_ns ? grace_ns : l->deadline_ns); /* [R-GONE-1] */
}

void lease_await(struct core *c, uint32_t handle, uint64_t deadline_ns)
{
    lease_at(c, handle)->deadline_ns = deadline_ns;
    heap_put(&c->extended, handle, deadline_ns);
}

void lease_extend(struct core *c, uint32_t handle, uint64_t deadline_ns)
{
    unlist_from_group(c, handle);
    lease_at(c, handle)->deadline_ns = deadline_ns;
    heap_put(&c->extended, handle, deadline_ns);
}

void lease_return(struct core *c, uint32_t handle)
{
    struct lease *l = lease_at(c, handle);
    struct group *g = group_at(c, l->group);
    if (l->once) {
        c->stats.undeliverable++;
        lease_end(c, handle);
        return;
    }
    unlist_from_peer(c, handle);
    unlist_from_group(c, handle);
    l->returned = true;
    l->of_group.next = g->returned;
    g->returned = handle;
    group_wake(c, l->group);
}

void leases_give_back(struct core *c, uint64_t instance_key)
{
    for (uint32_t h = map_get(&c->orphans, instance_key); h; h = map_get(&c->orphans, instance_key)) {
        note_forget(c, &lease_at(c, h)->note);
        lease_return(c, h);
    }
}

static void say_revoked(struct core *c, uint32_t handle, enum error_code code)
{
    struct item *item = out_item(c, lease_at(c, handle)->peer, ITEM_REVOKE);
    item->a = lease_wire(c, handle);
    item->x = code;
}

void lease_take_away(struct core *c, uint32_t handle)
{
    uint32_t peer = lease_at(c, handle)->peer;
    bool knows_it = peer && peer_at(c, peer)->state == PEER_READY;
    if (knows_it && out_has_room(c, 1)) say_revoked(c, handle, CODE_STALE); /* else it hears so when it settles */
    lease_end(c, handle);
}

void leases_revoke(struct core *c, uint32_t group)
{
    group_at(c, group)->returned = 0;
    for (uint32_t h = 1; h <= c->leases.touched && group_at(c, group)->leased > 0; h++)
        if (slab_is_taken(&c->leases, h) && lease_at(c, h)->group == group) lease_take_away(c, h);
}

void leases_keep_deadlines(struct core *c, uint32_t group)
{
    const struct group *g = group_at(c, group);
    while (g->leases.first)
        lease_extend(c, g->leases.first, lease_at(c, g->leases.first)->deadline_ns);
}

static void expire(struct core *c, uint32_t handle)
{
    struct lease *l = lease_at(c, handle);
    struct group *g = group_at(c, l->group);
    enum failure cause = l->peer ? FAILURE_TIMEOUT : l->of_nobody ? FAILURE_RESTART : FAILURE_LOST;
    uint64_t wait_ms = l->of_nobody ? 0 : group_backoff_ms(c, g, l->attempt);
    if (l->peer) say_revoked(c, handle, CODE_TIMEOUT);
    lease_fail(c, handle, cause, span_of(NULL, 0), c->log_ms + wait_ms);
}

static bool may_fire(const struct core *c)
{
    return out_has_room(c, 2) && blocks_room_for_failure(c);
}

static void fire_group_lists(struct core *c)
{
    uint32_t group;
    uint64_t key;
    while (heap_first(&c->group_timers, &group, &key) && key <= c->now_ns && may_fire(c)) {
        struct group *g = group_at(c, group);
        uint32_t first = g->leases.first;
        if (first && lease_at(c, first)->deadline_ns <= c->now_ns) {
            expire(c, first);
            continue;
        }
        if (first)
            heap_put(&c->group_timers, group, lease_at(c, first)->deadline_ns);
        else
            heap_remove(&c->group_timers, group);
    }
}

static void fire_due(struct core *c)
{
    uint32_t handle;
    uint64_t key;
    while (heap_first(&c->due, &handle, &key) && key <= c->log_ms) {
        struct failed *f = failed_at(c, handle);
        struct group *g = group_at(c, f->group);
        heap_remove(&c->due, handle);
        if (g->adopting) { /* its worker may still come back with it */
            heap_put(&c->due, handle, c->log_ms + (g->adopt_until_ns > c->now_ns ? (g->adopt_until_ns - c->now_ns) / 1000000u : 0) + 1);
            continue;
        }
        failed_queue(c, handle);
        group_wake(c, f->group);
    }
}

void leases_fire(struct core *c)
{
    uint32_t handle;
    uint64_t key;
    fire_group_lists(c);
    while (heap_first(&c->extended, &handle, &key) && key <= c->now_ns && may_fire(c))
        expire(c, handle);
    fire_due(c);
    order_fire(c);
    budget_fire(c);
}

uint64_t leases_deadline(const struct core *c)
{
    uint32_t handle;
    uint64_t key, deadline = UINT64_MAX;
    if (heap_first(&c->group_timers, &handle, &key)) deadline = key;
    if (heap_first(&c->key_waits, &handle, &key) && key < deadline) deadline = key;
    if (heap_first(&c->budget_waits, &handle, &key) && key < deadline) deadline = key;
    if (heap_first(&c->extended, &handle, &key) && key < deadline) deadline = key;
    if (heap_first(&c->due, &handle, &key)) {
        uint64_t due_ns = key <= c->log_ms ? c->now_ns : c->now_ns + (key - c->log_ms) * 1000000u;
        if (due_ns < deadline) deadline = due_ns;
    }
    return deadline;
}

/* Of one that was handed out before the restart: only the log knows better than the worker that it was delivered to. */
static uint64_t claimed_first(const struct lease_terms *held)
{
    return held->first < held->position ? held->first : 0;
}

/* What a worker claims to hold may be of no level that it names: then nothing there matches it, and the event goes out again. */
uint32_t lease_adopt(struct core *c, const struct lease_terms *held)
{
    uint64_t position = held->position;
    struct group *g = group_at(c, held->group);
    if (position >= POSITION_END || held->level >= PRIORITY_LEVELS) return 0; /* would name another group's place */
    uint32_t handle = map_get(&c->by_lease, place_key(held->group, position));
    if (handle) {
        struct lease *l = lease_at(c, handle);
        if (l->peer || l->returned || l->attempt != held->attempt) return 0;
        if (l->of_nobody) l->first = claimed_first(held);
        unlist_from_group(c, handle);
        note_forget(c, &l->note);
        l->of_nobody = false;
        lease_hand(c, handle, held->peer);
        return handle;
    }
    struct lease_terms terms = *held;
    terms.from = position;
    terms.failed = failed_find(c, held->group, position);
    if (terms.failed) terms.level = failed_at(c, terms.failed)->level;
    const struct level *level = &g->levels[terms.level];
    if (order_reads_back(g) && !read_back_may_adopt(c, &terms)) return 0; /* [R-ORDER-3] */
    uint32_t dead = terms.failed ? failed_at(c, terms.failed)->dead : 0;
    if (held->letter && !dead) return 0; /* it is over; its place is no event's of the group, so no range says that it is settled */
    bool open = dead || (position > level->floor && position <= level->old.end && !ranges_hold(&level->settled, position, position));
    if (!g->adopting || !open || group_pends(c, held->group, terms.level, position)) return 0; /* [R-ADOPT-1] */
    if (held->attempt != (terms.failed ? failed_at(c, terms.failed)->attempts + 1 : 1)) return 0;
    if (terms.failed) {
        failed_unqueue(c, terms.failed);
        heap_remove(&c->due, terms.failed);
    }
    handle = lease_give(c, &terms);
    if (!handle) return 0;
    struct lease *l = lease_at(c, handle);
    l->first = dead ? dead_at(c, dead)->event : claimed_first(held);
    l->unread = order_reads_back(g) && !l->found;
    g->unread += l->unread;
    return handle;
}
