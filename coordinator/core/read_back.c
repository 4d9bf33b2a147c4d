/* After a restart a group whose events wait for one another reads what it had handed out before, in log order, and so finds again who holds
 * what. Of a key only the first unsettled event can have been with a worker, as the next goes out after the commit of its settle [P4]; so
 * it alone may be kept by a worker that says so, and the others are parked behind it. What may be with a worker becomes a lease of nobody,
 * which waits adopt_grace_ms for its worker as that of a lost one does [R-ADOPT-2].
 * Workers that say hello meanwhile are welcomed when the reading is done: what they hold is believed until it is read.
 * Where a table is full the reading stops, and the reader of new events goes on with it as room comes: it takes none of it for new that may
 * have been with a worker. */
#include "coordinator/core/read_back.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/deliver.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/hello.h"
#include "coordinator/core/keys.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/order.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/state.h"
#include "sdk/base/ranges.h"

enum { READ_BACK_PER_STEP = 4096 };

static bool is_settled(const struct level *l, uint64_t position)
{
    return position <= l->floor || ranges_hold(&l->settled, position, position);
}

/* The lease of a worker that says it holds this event; one that names another priority does not know it. */
static uint32_t claimed(struct core *c, const struct turn *t)
{
    uint32_t lease = map_get(&c->by_lease, place_key(t->group, t->position));
    if (lease && lease_at(c, lease)->level != t->level) {
        lease_end(c, lease);
        lease = 0;
    }
    if (lease) lease_was_found(c, lease);
    return lease;
}

/* It was not handed out, whatever a worker says: it comes after another of its key. */
static void park_behind(struct core *c, uint32_t key, struct turn *t, uint32_t lease)
{
    if (lease) lease_take_away(c, lease);
    if (t->failed) {
        failed_unqueue(c, t->failed);
        heap_remove(&c->due, t->failed);
    }
    key_park(c, key, t);
}

static uint32_t hold_limit(struct core *c, uint32_t group, uint64_t hash)
{
    uint32_t key = key_find(c, hash);
    if (!key) key = key_take(c, group, KEY_LIMIT, hash);
    key_at(c, key)->held++; /* over the limit, too: it may run */
    return key;
}

static void keep_warm(struct core *c, uint32_t group, uint64_t hash, uint32_t peer)
{
    uint32_t key = key_find(c, hash);
    if (!key) key = key_take(c, group, KEY_WARM, hash);
    if (key_at(c, key)->parked.first) return;
    key_at(c, key)->worker = peer;
    key_at(c, key)->worker_generation = slab_generation(&c->peers, peer);
    key_move(c, key, KEY_UNUSED);
}

/* What a lease, or a failure of which a worker may have the next attempt, holds from now on. */
static void hold(struct core *c, struct turn *t, const struct key_hashes *hashes, uint32_t lease)
{
    if (hashes->of[KEY_ORDER]) {
        t->order = key_take(c, t->group, KEY_ORDER, hashes->of[KEY_ORDER]);
        key_at(c, t->order)->holder = t->position;
    }
    if (hashes->of[KEY_LIMIT] && (lease || group_at(c, t->group)->adopting)) t->limit = hold_limit(c, t->group, hashes->of[KEY_LIMIT]);
    if (t->order) key_at(c, t->order)->limit = t->limit;
    uint32_t *holder = lease ? &lease_at(c, lease)->key : &failed_at(c, t->failed)->key;
    *holder = t->order ? t->order : t->limit;
    if (!lease) failed_at(c, t->failed)->found = true;
    if (lease && lease_at(c, lease)->peer && hashes->of[KEY_WARM]) keep_warm(c, t->group, hashes->of[KEY_WARM], lease_at(c, lease)->peer);
}

static uint32_t lease_of_nobody(struct core *c, const struct turn *t)
{
    struct lease_terms terms = { .group = t->group, .level = t->level, .attempt = 1, .position = t->position, .from = t->from };
    uint32_t lease = lease_give(c, &terms);
    if (!lease) return 0;
    lease_at(c, lease)->found = lease_at(c, lease)->of_nobody = true;
    lease_await(c, lease, group_at(c, t->group)->adopt_until_ns);
    return lease;
}

bool read_back_may_adopt(const struct core *c, const struct lease_terms *held)
{
    const struct group *g = group_at(c, held->group);
    const struct level *l = &g->levels[held->level];
    if (held->failed) {
        const struct failed *f = failed_at(c, held->failed);
        if (f->found || f->state == FAILED_PARKED) return f->found;
        if (f->dead) return g->reading_back > 0;
    }
    return held->position >= (is_unread(g, held->level) ? l->old.cursor : l->fresh.cursor);
}

/* One unsettled event. False: there is no room for it. */
static bool take_back(struct core *c, struct turn *t, struct span body)
{
    struct group *g = group_at(c, t->group);
    struct level *l = &g->levels[t->level];
    if (!order_has_room(c, g, TURN_NEW) || l->open + 4 >= l->settled.capacity) return false;
    struct key_hashes hashes = order_hashes(c, t, body);
    uint32_t key = hashes.of[KEY_ORDER] ? key_find(c, hashes.of[KEY_ORDER]) : 0;
    if (key && g->options.ordering == ORDERING_GROUP) return false;
    uint32_t lease = claimed(c, t);
    t->failed = failed_find(c, t->group, t->position);
    if (t->failed && !lease && letter_is_due(c, t->failed)) return true; /* given up: it holds nothing */
    if (!key && !lease && !t->failed) {
        lease = lease_of_nobody(c, t);
        if (!lease) return false;
    }
    if (key)
        park_behind(c, key, t, lease);
    else
        hold(c, t, &hashes, lease);
    return true;
}

/* Nobody has claimed it, and it may have been out, unless it comes after another of its key: as in the reading back. */
static bool take_late(struct core *c, struct turn *t, struct span body)
{
    if (group_at(c, t->group)->options.ordering == ORDERING_GROUP) return false; /* the one that was out has been read back */
    struct key_hashes hashes = order_hashes(c, t, body);
    if (hashes.of[KEY_ORDER] && key_find(c, hashes.of[KEY_ORDER])) return false;
    uint32_t lease = lease_of_nobody(c, t);
    must(lease); /* there was room */
    hold(c, t, &hashes, lease);
    return true;
}

bool read_back_late(struct core *c, struct turn *t, struct span body)
{
    const struct level *l = &group_at(c, t->group)->levels[t->level];
    if (is_settled(l, t->position)) return true;
    uint32_t lease = claimed(c, t);
    t->failed = failed_find(c, t->group, t->position);
    if (!lease && !t->failed) return t->position <= l->handed_at_start && take_late(c, t, body);
    bool known = lease ? lease_at(c, lease)->key : failed_at(c, t->failed)->key || failed_at(c, t->failed)->state == FAILED_PARKED;
    if (known) return true; /* it went out again before this reader came here */
    if (!lease && letter_is_due(c, t->failed)) return true;
    struct key_hashes hashes = order_hashes(c, t, body);
    uint32_t key = hashes.of[KEY_ORDER] ? key_find(c, hashes.of[KEY_ORDER]) : 0;
    if (key)
        park_behind(c, key, t, lease);
    else
        hold(c, t, &hashes, lease);
    return true;
}

/* The rest of the level is left to the reader of new events. */
static void stop_here(struct level *l)
{
    l->fresh.cursor = l->old.cursor;
    l->fresh.from = l->old.from;
    l->live = false;
}

static enum scan read_level(struct core *c, uint32_t handle, uint32_t level, uint32_t *budget)
{
    struct level *l = &group_at(c, handle)->levels[level];
    for (; *budget > 0 && blocks_room_for_failure(c); (*budget)--) {
        struct slot *slot;
        uint32_t index;
        enum scan scan = reader_next(c, &l->old, handle, level, &slot, &index);
        if (scan == SCAN_END) settle_gap(c, handle, level, l->old.from, l->old.end);
        if (scan != SCAN_EVENT) return scan;
        uint64_t position = l->old.cursor;
        struct turn t = { .group = handle, .level = level, .position = position, .from = position };
        settle_gap(c, handle, level, l->old.from, position - 1);
        l->old.from = position;
        if (!is_settled(l, position) && !take_back(c, &t, event_at(&slot->block, index).bytes)) {
            stop_here(l);
            return SCAN_END;
        }
        l->old.cursor = l->old.from = position + 1;
    }
    return SCAN_LATER;
}

static bool is_read(const struct core *c, const struct failed *f, uint32_t lease)
{
    return f->found || f->state == FAILED_PARKED || (lease && lease_at(c, lease)->found);
}

/* Events that are retried from dead letters stand outside of what is read by level: those that a worker claims are read before all others,
 * the rest after them. */
static enum scan read_retried(struct core *c, uint32_t handle, bool claimed_ones)
{
    for (uint32_t h = group_at(c, handle)->failed_list.first; h; h = failed_at(c, h)->of_group.next) {
        struct failed *f = failed_at(c, h);
        uint32_t lease = map_get(&c->by_lease, place_key(handle, f->position));
        bool given_up = !lease && letter_is_due(c, h); /* it holds nothing */
        if (!f->dead || is_read(c, f, lease) || (claimed_ones && !lease) || given_up) continue;
        bool end;
        const struct slot *slot = blocks_find_after(c, f->position, &end);
        if (!slot && !end) return SCAN_WAIT;
        struct turn t = { .group = handle, .level = f->level, .position = f->position, .from = f->position };
        bool there = slot && block_holds(&slot->block, f->position);
        if (there && take_back(c, &t, event_at(&slot->block, (uint32_t)(f->position - slot->block.first_position)).bytes)) continue;
        if (lease)
            lease_was_found(c, lease); /* it has left the window, or the tables are full: it goes its way without a key */
        else
            f->found = true;
    }
    return SCAN_END;
}

/* What a worker said it holds, and is of another priority, no event of the group, or has left the window before it was read. */
static void end_unfound(struct core *c, uint32_t group)
{
    for (uint32_t h = 1; h <= c->leases.touched; h++) {
        if (!slab_is_taken(&c->leases, h) || lease_at(c, h)->group != group || lease_at(c, h)->found) continue;
        const struct level *l = &group_at(c, group)->levels[lease_at(c, h)->level];
        bool unread = lease_at(c, h)->position >= l->fresh.cursor; /* past where the reading stopped */
        const struct failed *failed = lease_at(c, h)->failed ? failed_at(c, lease_at(c, h)->failed) : NULL;
        bool lost = lease_at(c, h)->position < c->trimmed_below && !(failed && failed->dead);
        if (lost || (!unread && !failed)) lease_end(c, h);
    }
}

static void welcome_all(struct core *c, uint32_t group)
{
    for (uint32_t h = 1; h <= c->peers.touched; h++)
        if (slab_is_taken(&c->peers, h) && peer_at(c, h)->state == PEER_JOINING && peer_at(c, h)->group == group) peer_welcome(c, h);
}

/* False: more is to be read in a later step. */
static bool read_group(struct core *c, uint32_t handle, uint32_t *budget)
{
    struct group *g = group_at(c, handle);
    while (g->reading_back > 0) {
        bool of_level = g->reading_back > 1 && g->reading_back < READ_STAGES;
        enum scan scan = of_level ? read_level(c, handle, g->reading_back - 2, budget) : read_retried(c, handle, g->reading_back > 1);
        if (scan == SCAN_WAIT) reader_wait(c);
        if (scan == SCAN_LATER) c->read_back_more = true;
        if (scan != SCAN_END) return false;
        g->reading_back--;
    }
    end_unfound(c, handle);
    welcome_all(c, handle);
    group_wake(c, handle);
    return true;
}

void read_back_end(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    if (!g->reading_back) return;
    g->reading_back = 0;
    c->reading_groups--;
    welcome_all(c, handle);
}

void groups_read_back(struct core *c)
{
    uint32_t budget = READ_BACK_PER_STEP;
    c->read_back_more = false;
    if (!c->reading_groups) return;
    for (uint32_t h = 1; h <= c->groups.touched; h++)
        if (slab_is_taken(&c->groups, h) && group_at(c, h)->reading_back && read_group(c, h, &budget)) c->reading_groups--;
}
