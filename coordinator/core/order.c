/* What an event waits for before it may go to a worker, in this order: the end of the event of its key (session, group) before it [P4]; the
 * worker that has its session warm; a place among the `limit_each` that run for its header's or topic word's value. It waits for one at a
 * time, parked, and keeps what it has passed. So the reader goes on past it to other keys.
 *
 * Who holds a KEY_ORDER is always one of: a lease, a failure (or the pend that will be it), a parked event that waits for something after
 * it. When that event is settled the key is SETTLING until the block of the settle is committed; only then it is passed on [R-ORDER-2]. A
 * KEY_LIMIT is held by leases alone: what does not run does not count. */
#include "coordinator/core/order.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/keys.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/state.h"
#include "proto/event.h"
#include "proto/limit_by.h"

enum { KEYS_PER_TURN = KEY_KINDS }; /* that one event may need */

bool order_is_on(const struct group *g)
{
    const struct group_options *o = &g->options;
    return o->ordering != ORDERING_NONE || o->affinity != AFFINITY_NONE || o->limit_each > 0;
}

bool order_reads_back(const struct group *g)
{
    return order_is_on(g) || g->options.limit > 0;
}

/* ---- values ---- */

static uint64_t hash_value(const struct core *c, const struct turn *t, enum key_kind kind, struct span value)
{
    uint32_t level = kind == KEY_ORDER ? t->level : 0; /* order holds within a priority, the others over all */
    uint64_t secret[2] = { c->config.secret[0] ^ ((uint64_t)t->group << 8 | level << 4 | kind), c->config.secret[1] };
    return map_hash(secret, value.data, value.size) | 1; /* 0 means none */
}

/* False: this event waits for no other. */
static bool order_value(const struct group *g, const struct event *event, struct span *out)
{
    *out = g->options.ordering == ORDERING_KEY ? event->key : event->session;
    if (g->options.ordering == ORDERING_GROUP) *out = span_of(NULL, 0);
    return g->options.ordering == ORDERING_GROUP || (g->options.ordering != ORDERING_NONE && out->size > 0);
}

static struct key_hashes find_hashes(const struct core *c, const struct turn *t, struct span body)
{
    struct key_hashes hashes = { 0 };
    const struct group *g = group_at(c, t->group);
    struct event event;
    struct span value;
    if (event_scan(body, &event) != EVENT_OK) return hashes;
    if (order_value(g, &event, &value)) hashes.of[KEY_ORDER] = hash_value(c, t, KEY_ORDER, value);
    if (g->options.affinity == AFFINITY_SESSION && event.session.size > 0) hashes.of[KEY_WARM] = hash_value(c, t, KEY_WARM, event.session);
    struct limit_by by;
    value = g->options.limit_each && limit_by_read(g->options.limit_by, &by) ? limit_by_value(&by, &event) : span_of(NULL, 0);
    if (value.size > 0) hashes.of[KEY_LIMIT] = hash_value(c, t, KEY_LIMIT, value);
    return hashes;
}

/* Found in this step: before another a group's options may change. */
static bool is_found(const struct core *c, const struct ahead *a, const struct turn *t)
{
    return a->step == c->step && a->position == t->position && a->group == t->group;
}

struct key_hashes order_hashes(const struct core *c, const struct turn *t, struct span body)
{
    const struct ahead *a = &c->ahead[t->position % HASHES_AHEAD];
    return is_found(c, a, t) ? a->hashes : find_hashes(c, t, body);
}

void order_look_ahead(struct core *c, uint32_t group, uint32_t level, const struct block *block, uint32_t index)
{
    index += HASH_AHEAD_BY;
    if (index >= block->record_count || record_level(&block->records[index]) != level || !record_matches(c, block, index, group)) return;
    struct turn t = { .group = group, .level = level, .position = block->first_position + index };
    struct ahead *a = &c->ahead[t.position % HASHES_AHEAD];
    if (is_found(c, a, &t)) return;
    *a = (struct ahead){ c->step, t.position, group, find_hashes(c, &t, block_body(block, &block->records[index])) };
    for (uint32_t kind = 0; kind < KEY_KINDS; kind++)
        if (a->hashes.of[kind]) map_prefetch(&c->by_key, a->hashes.of[kind]);
}

/* ---- passing ---- */

/* A part of both tables is kept for those that are on their way: else keys that wait for another key could fill them. */
static bool room_for_new(struct core *c)
{
    return keys_have_room(c, KEYS_PER_TURN + c->keys.capacity / 8) && c->parked.taken + c->parked.capacity / 8 < c->parked.capacity;
}

bool order_has_room(struct core *c, const struct group *g, enum turn_kind kind)
{
    bool room = kind == TURN_NEW ? room_for_new(c) : keys_have_room(c, KEYS_PER_TURN);
    if (kind == TURN_AGAIN) room = room && c->parked.taken < c->parked.capacity;
    if (!room) c->short_of_keys = true;
    return room && (kind != TURN_NEW || g->parked < c->config.limits.parked_per_group_max);
}

bool order_shortage_is_over(struct core *c)
{
    if (!c->short_of_keys || !room_for_new(c)) return false;
    c->short_of_keys = false;
    return true;
}

static enum pass pass_order(struct core *c, struct turn *t, uint64_t hash)
{
    if (t->order || !hash) return PASS_GO;
    uint32_t key = key_find(c, hash);
    if (!key) {
        t->order = key_take(c, t->group, KEY_ORDER, hash);
        key_at(c, t->order)->holder = t->position;
        return PASS_GO;
    }
    if (group_at(c, t->group)->options.ordering == ORDERING_GROUP && !t->failed) return PASS_FULL; /* all that follow wait as well */
    key_park(c, key, t);
    return PASS_PARKED;
}

/* 0: it has none that lives and stays. */
static uint32_t warm_worker(const struct core *c, const struct key *k)
{
    bool lives = k->worker && slab_is_taken(&c->peers, k->worker) && slab_generation(&c->peers, k->worker) == k->worker_generation;
    return lives && peer_at(c, k->worker)->group == k->group && !peer_at(c, k->worker)->leaving ? k->worker : 0;
}

static uint64_t wait_until(const struct core *c, const struct key *k)
{
    return c->now_ns + (uint64_t)group_at(c, k->group)->options.affinity_wait_ms * 1000000u;
}

static void await_worker(struct core *c, uint32_t key)
{
    heap_put(&c->key_waits, key, key_at(c, key)->until);
    key_move(c, key, KEY_AWAITING);
}

static enum pass pass_warm(struct core *c, struct turn *t, uint64_t hash)
{
    if (t->warm || !hash) return PASS_GO;
    uint32_t key = key_find(c, hash);
    if (!key || t->failed) { /* what has failed goes to whoever's turn it is, and takes the session with it */
        t->warm = key ? key : key_take(c, t->group, KEY_WARM, hash);
        return PASS_GO;
    }
    struct key *k = key_at(c, key);
    uint32_t worker = warm_worker(c, k);
    bool at_once = worker && peer_at(c, worker)->in_ring;
    if (!t->waited && (k->parked.first || (worker && !at_once))) {
        key_park(c, key, t);
        if (k->state != KEY_UNUSED) return PASS_PARKED;
        k->until = wait_until(c, k);
        await_worker(c, key);
        return PASS_PARKED;
    }
    t->warm = key;
    t->worker = at_once ? worker : 0;
    return PASS_GO;
}

/* What is claimed and not read back may be of this value. */
static bool limit_is_reached(const struct core *c, const struct key *k)
{
    const struct group *g = group_at(c, k->group);
    return k->held + g->unread >= g->options.limit_each;
}

static enum pass pass_limit(struct core *c, struct turn *t, uint64_t hash)
{
    if (t->limit || !hash) return PASS_GO;
    uint32_t key = key_find(c, hash);
    if (!key) key = key_take(c, t->group, KEY_LIMIT, hash);
    struct key *k = key_at(c, key);
    if (k->parked.first || limit_is_reached(c, k)) {
        key_park(c, key, t);
        return PASS_PARKED;
    }
    k->held++;
    t->limit = key;
    return PASS_GO;
}

/* A session's key that nobody is parked at is kept while there is room. */
static void warm_left(struct core *c, uint32_t key)
{
    if (key && !key_at(c, key)->parked.first) key_move(c, key, KEY_UNUSED);
}

enum pass order_pass(struct core *c, struct turn *t, struct span body)
{
    const struct group_options *o = &group_at(c, t->group)->options;
    if (t->order && o->affinity == AFFINITY_NONE && o->limit_each == 0) return PASS_GO; /* the key was all, and it has it */
    struct key_hashes hashes = order_hashes(c, t, body);
    enum pass pass = pass_order(c, t, hashes.of[KEY_ORDER]);
    if (pass == PASS_GO) pass = pass_warm(c, t, hashes.of[KEY_WARM]);
    if (pass == PASS_GO) pass = pass_limit(c, t, hashes.of[KEY_LIMIT]);
    if (pass != PASS_GO) warm_left(c, t->warm);
    return pass;
}

bool order_pass_once(struct core *c, struct turn *t, struct span body)
{
    const struct group *g = group_at(c, t->group);
    if (g->options.limit && group_out(g) >= g->options.limit) return false;
    if (!order_is_on(g)) return true;
    if (!keys_have_room(c, KEYS_PER_TURN)) return false;
    struct key_hashes hashes = order_hashes(c, t, body);
    uint32_t warm = hashes.of[KEY_WARM] ? key_find(c, hashes.of[KEY_WARM]) : 0;
    uint32_t worker = warm ? warm_worker(c, key_at(c, warm)) : 0;
    uint32_t limit = hashes.of[KEY_LIMIT] ? key_find(c, hashes.of[KEY_LIMIT]) : 0;
    if (limit ? key_at(c, limit)->parked.first || limit_is_reached(c, key_at(c, limit)) : hashes.of[KEY_LIMIT] && g->unread >= g->options.limit_each)
        return false;
    t->worker = worker && peer_at(c, worker)->in_ring ? worker : 0;
    return pass_limit(c, t, hashes.of[KEY_LIMIT]) == PASS_GO;
}

void order_hold(struct core *c, const struct turn *t, uint32_t lease)
{
    lease_at(c, lease)->key = t->order ? t->order : t->limit;
    if (t->order) key_at(c, t->order)->limit = t->limit;
}

void order_went(struct core *c, const struct turn *t, uint32_t worker)
{
    if (!t->warm) return;
    struct key *warm = key_at(c, t->warm);
    if (worker) {
        if (warm->state == KEY_AWAITING) key_ready(c, t->warm); /* the session moves: who waits for its worker waits for another now */
        warm->worker = worker;
        warm->worker_generation = slab_generation(&c->peers, worker);
        warm->until = wait_until(c, warm);
    }
    warm_left(c, t->warm);
}

/* ---- letting go ---- */

static void pass_on(struct core *c, uint32_t key)
{
    struct key *k = key_at(c, key);
    group_wake(c, k->group);
    if (k->parked.first)
        key_ready(c, key);
    else
        key_free(c, key);
}

static void limit_release(struct core *c, uint32_t key)
{
    struct key *k = key_at(c, key);
    k->held--;
    if (k->parked.first && !limit_is_reached(c, k))
        key_ready(c, key);
    else if (!k->parked.first && k->held == 0)
        key_free(c, key);
}

static void let_limit_go(struct core *c, struct key *k)
{
    if (k->limit) limit_release(c, k->limit);
    k->limit = 0;
}

void order_settled(struct core *c, uint32_t key)
{
    struct key *k = key_at(c, key);
    if (k->kind == KEY_LIMIT) {
        limit_release(c, key);
        return;
    }
    let_limit_go(c, k);
    k->until = c->next_block; /* the one that is filling, or that will: pends are written into it at its close */
    key_move(c, key, KEY_SETTLING);
}

void order_given_up(struct core *c, uint32_t key, uint64_t block)
{
    if (block <= c->committed_block) {
        pass_on(c, key);
        return;
    }
    key_at(c, key)->until = block;
    key_move(c, key, KEY_SETTLING);
}

/* It went nowhere, but is not settled before the commit: after a crash it would be there again, before those of its key that followed. */
void order_passed_over(struct core *c, const struct turn *t, struct span body)
{
    uint64_t hash = order_is_on(group_at(c, t->group)) ? order_hashes(c, t, body).of[KEY_ORDER] : 0;
    uint32_t key = hash ? key_find(c, hash) : 0;
    if (!hash || (key && key_at(c, key)->state != KEY_SETTLING)) return; /* whoever holds it is settled no sooner */
    if (!key) {
        key = key_take(c, t->group, KEY_ORDER, hash);
        key_at(c, key)->holder = t->position;
    }
    order_settled(c, key);
}

uint32_t order_failed(struct core *c, uint32_t key)
{
    struct key *k = key_at(c, key);
    if (k->kind == KEY_LIMIT) {
        limit_release(c, key);
        return 0;
    }
    let_limit_go(c, k);
    return key;
}

/* What failed before the restart and did not come back with a worker does not run. */
void order_end_adoption(struct core *c, uint32_t group)
{
    for (uint32_t h = group_at(c, group)->failed_list.first; h; h = failed_at(c, h)->of_group.next)
        if (failed_at(c, h)->key) failed_at(c, h)->key = order_failed(c, failed_at(c, h)->key);
}

void order_committed(struct core *c)
{
    while (c->settling.first && key_at(c, c->settling.first)->until <= c->committed_block) {
        key_prefetch(c, key_at(c, c->settling.first)->in_list.next);
        pass_on(c, c->settling.first);
    }
}

/* ---- those that were parked ---- */

/* Its session's worker has given its credit to others meanwhile: it waits again, for what is left of its time. Or its limit was lowered. */
static bool waits_again(struct core *c, uint32_t key)
{
    const struct key *k = key_at(c, key);
    if (k->kind == KEY_LIMIT && limit_is_reached(c, k)) {
        key_move(c, key, KEY_HELD);
        return true;
    }
    if (k->kind != KEY_WARM || k->until <= c->now_ns) return false;
    uint32_t worker = warm_worker(c, k);
    if (!worker || peer_at(c, worker)->in_ring) return false;
    await_worker(c, key);
    return true;
}

uint32_t order_first_ready(struct core *c, const struct level *level)
{
    while (level->ready.first && waits_again(c, level->ready.first)) {
    }
    return level->ready.first ? key_at(c, level->ready.first)->parked.first : 0;
}

struct turn order_take(struct core *c, uint32_t handle)
{
    const struct parked *p = parked_at(c, handle);
    uint32_t key = p->at;
    struct key *k = key_at(c, key);
    struct turn t = {
        .group = p->group, .level = p->level, .failed = p->failed, .position = p->position, .from = p->from, .order = p->order
    };
    key_unpark(c, handle);
    t.waited = k->kind != KEY_ORDER;
    if (k->kind == KEY_ORDER) {
        t.order = key;
        k->holder = t.position;
    } else if (k->kind == KEY_WARM) {
        uint32_t worker = warm_worker(c, k);
        t.warm = key;
        t.worker = worker && peer_at(c, worker)->in_ring ? worker : 0;
    } else {
        t.limit = key;
        k->held++;
    }
    bool next_too = k->kind == KEY_WARM || (k->kind == KEY_LIMIT && !limit_is_reached(c, k));
    if (k->parked.first && next_too)
        key_ready(c, key);
    else
        key_move(c, key, KEY_HELD);
    return t;
}

void order_give_up(struct core *c, const struct turn *t)
{
    if (t->limit) limit_release(c, t->limit);
    warm_left(c, t->warm);
    if (t->order) order_settled(c, t->order);
}

/* Somebody has left a key's queue without going on. */
static void queue_changed(struct core *c, uint32_t key)
{
    const struct key *k = key_at(c, key);
    if (k->parked.first) {
        if (k->state == KEY_READY) key_ready(c, key);
        return;
    }
    if (k->state == KEY_AWAITING) heap_remove(&c->key_waits, key);
    if (k->kind == KEY_WARM)
        key_move(c, key, KEY_UNUSED);
    else if (k->state == KEY_READY && k->held > 0)
        key_move(c, key, KEY_HELD);
    else if (k->state == KEY_READY || (k->kind == KEY_LIMIT && k->held == 0))
        key_free(c, key);
}

void order_trim(struct core *c, uint32_t group, uint32_t level, uint64_t first_left)
{
    for (uint32_t h = group_at(c, group)->parked_list.first, next; h; h = next) {
        const struct parked *p = parked_at(c, h);
        uint32_t at = p->at, order = p->order;
        next = p->of_group.next;
        bool retried = p->failed && failed_at(c, p->failed)->dead; /* its letter is carried forward */
        if (p->level != level || p->position >= first_left || retried) continue;
        key_unpark(c, h);
        queue_changed(c, at);
        if (order) order_settled(c, order);
    }
}

/* Who waits for an event of its key waits behind those that stand before its new place, who holds the key holds it on. */
void order_moved(struct core *c, uint32_t failed)
{
    const struct failed *f = failed_at(c, failed);
    uint32_t h = f->state == FAILED_PARKED ? group_at(c, f->group)->parked_list.first : 0, held = f->key;
    while (h && parked_at(c, h)->failed != failed)
        h = parked_at(c, h)->of_group.next;
    if (h) {
        struct parked *p = parked_at(c, h);
        p->position = p->from = f->position;
        held = p->order;
        if (key_at(c, p->at)->kind == KEY_ORDER) {
            key_park_last(c, h);
            queue_changed(c, p->at);
        }
    }
    if (held && key_at(c, held)->kind == KEY_ORDER) key_at(c, held)->holder = f->position;
}

/* ---- workers and time ---- */

void order_worker_changed(struct core *c, uint32_t peer)
{
    while (peer_at(c, peer)->awaited.first)
        key_ready(c, peer_at(c, peer)->awaited.first);
}

void order_fire(struct core *c)
{
    uint32_t key;
    uint64_t until;
    while (heap_first(&c->key_waits, &key, &until) && until <= c->now_ns)
        key_ready(c, key); /* to whoever's turn it is */
}

/* ---- changes of the group ---- */

void order_limits_changed(struct core *c, uint32_t group)
{
    for (uint32_t h = 1; h <= c->keys.touched; h++) {
        if (!slab_is_taken(&c->keys, h) || key_at(c, h)->group != group) continue;
        const struct key *k = key_at(c, h);
        if (k->kind == KEY_LIMIT && k->state == KEY_HELD && k->parked.first && !limit_is_reached(c, k)) key_ready(c, h);
    }
}

void order_forget(struct core *c, uint32_t group)
{
    struct group *g = group_at(c, group);
    while (g->parked_list.first)
        key_unpark(c, g->parked_list.first);
    for (uint32_t h = g->failed_list.first; h; h = failed_at(c, h)->of_group.next)
        failed_at(c, h)->key = 0;
    for (uint32_t h = 1; h <= c->keys.touched; h++) {
        if (!slab_is_taken(&c->keys, h) || key_at(c, h)->group != group) continue;
        heap_remove(&c->key_waits, h);
        key_free(c, h);
    }
}

void order_read_again(struct core *c, uint32_t group)
{
    struct group *g = group_at(c, group);
    uint64_t first[PRIORITY_LEVELS] = { 0 };
    for (uint32_t h = g->parked_list.first; h; h = parked_at(c, h)->of_group.next) {
        const struct parked *p = parked_at(c, h);
        if (!first[p->level] || p->position < first[p->level]) first[p->level] = p->position;
    }
    order_forget(c, group);
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        struct level *l = &g->levels[k];
        if (!first[k]) continue;
        uint64_t next = l->live ? c->head + 1 : l->fresh.cursor;
        if (l->old.end < next - 1) l->old.end = next - 1;
        l->fresh.cursor = l->fresh.from = first[k];
        l->live = false;
    }
}
