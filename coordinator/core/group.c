/* Groups: finding and waking them, what happened to them since the last block (pends), and the one record per group and block that says so
 * [P5]. Invariant: a group is in core.pend_groups exactly while it has a pend or wants a raise of `handed`. */
#include "coordinator/core/group.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/keys.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/order.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/publish.h"
#include "coordinator/core/rates.h"
#include "coordinator/core/read_back.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/retry_budget.h"
#include "coordinator/core/state.h"
#include "coordinator/core/text.h"
#include "proto/event.h"
#include "sdk/base/ranges.h"

uint32_t group_find(const struct core *c, uint32_t tenant, struct span name)
{
    for (uint32_t h = 1; h <= c->groups.touched; h++)
        if (slab_is_taken(&c->groups, h) && group_at(c, h)->tenant == tenant && span_equal(group_name(group_at(c, h)), name)) return h;
    return 0;
}

uint32_t group_by_id(const struct core *c, uint32_t id)
{
    if (id <= c->groups.capacity) return c->group_handles[id];
    for (uint32_t h = 1; h <= c->groups.touched; h++) /* of a time when there could be more groups */
        if (slab_is_taken(&c->groups, h) && group_at(c, h)->id == id) return h;
    return 0;
}

/* What may be handed out: what is committed of `handed`. */
uint64_t level_handed(const struct core *c, struct level *l)
{
    uint32_t over = 0;
    while (over < l->raise_count && l->raises[over].block <= c->committed_block)
        l->handed_sure = l->raises[over++].handed;
    l->raise_count -= over;
    if (over > 0) memmove(l->raises, l->raises + over, l->raise_count * sizeof *l->raises);
    return l->handed_sure;
}

void level_raised(const struct core *c, struct level *l, uint64_t handed, uint64_t block)
{
    level_handed(c, l);
    bool again = l->raise_count > 0 && l->raises[l->raise_count - 1].block == block;
    if (!again) l->raise_count++;
    must(l->raise_count <= CORE_SUBMITS_MAX + 1);
    l->raises[l->raise_count - 1] = (struct raise){ block, handed };
}

static void level_opened(const struct core *c, struct level *l, bool recovered)
{
    uint64_t begin = l->floor + 1;
    l->old = (struct reader){ begin, begin, l->handed };
    l->fresh = (struct reader){ begin, begin, UINT64_MAX };
    if (c->config.replay.on) l->fresh.end = c->config.replay.until;
    if (recovered && l->handed > l->floor) l->fresh.cursor = l->fresh.from = l->handed + 1;
    l->handed_sure = l->handed;
    l->raise_count = 0;
    l->handed_at_start = recovered ? l->handed : 0;
    l->handed_more = 0;
    l->old_open = false;
    /* a block being written was closed before the group was there: its commit will not wake it */
    l->live = l->fresh.cursor > c->submitted && !c->config.replay.on;
}

void group_opened(struct core *c, uint32_t handle, bool recovered)
{
    struct group *g = group_at(c, handle);
    g->adopting = false;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        struct level *l = &g->levels[k];
        level_opened(c, l, recovered);
        if (recovered && l->handed > l->floor) g->adopting = true; /* [R-ADOPT-2] */
    }
    if (recovered && g->failed_count > 0) g->adopting = true; /* what came from a dead letter lies outside of the levels */
    if (g->adopting) g->adopt_until_ns = c->adopt_ns;
    rates_restart(c, handle);
    budget_open(c, g);
    if (g->adopting && order_reads_back(g)) {
        g->reading_back = READ_STAGES;
        c->reading_groups++;
    }
    group_wake(c, handle);
}

void groups_end_adoption(struct core *c)
{
    c->adopt_ns = UINT64_MAX;
    for (uint32_t h = 1; h <= c->groups.touched; h++) {
        if (!slab_is_taken(&c->groups, h) || !group_at(c, h)->adopting) continue;
        struct group *g = group_at(c, h);
        g->adopting = false;
        for (uint32_t k = 0; k < PRIORITY_LEVELS && !order_reads_back(g); k++)
            g->levels[k].old_open = g->levels[k].old.cursor <= g->levels[k].old.end;
        order_end_adoption(c, h);
        group_wake(c, h);
    }
}

void group_wake(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    if (g->active) return;
    g->active = true;
    c->active[c->active_count++] = handle;
}

void groups_wake_waiting(struct core *c)
{
    for (uint32_t h = 1; h <= c->groups.touched; h++)
        if (slab_is_taken(&c->groups, h) && group_at(c, h)->waits_fetch) {
            group_at(c, h)->waits_fetch = false;
            group_wake(c, h);
        }
}

/* Until the grace is over: what had failed before the restart may have gone out again just before it [R-LIMIT-1]. */
uint32_t group_out(const struct group *g)
{
    return g->leased + (g->adopting ? g->failed_count : 0);
}

/* ---- pends ---- */

enum { PENDS_LOOKED_AT = 1024 };

static void pend_group(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    if (g->pending) return;
    g->pending = true;
    if (!c->pend_groups) c->pend_since_ns = c->now_ns;
    g->next_pending = c->pend_groups;
    c->pend_groups = handle;
}

/* The level has something to write: one more record, unless it had. */
static void pend_level(struct core *c, uint32_t handle, const struct level *l)
{
    pend_group(c, handle);
    if (!l->pend_last && !l->handed_wanted) c->pend_records++;
}

static void pend_add(struct core *c, uint32_t handle, struct level *l, struct pend pend)
{
    must(c->pend_count < PENDS_MAX);
    pend_level(c, handle, l);
    pend.before = l->pend_last;
    c->pends[c->pend_count++] = pend;
    l->pend_last = c->pend_count;
}

void group_pend_settled(struct core *c, uint32_t handle, uint32_t level, uint64_t first, uint64_t last)
{
    struct level *l = &group_at(c, handle)->levels[level];
    if (l->pend_last) {
        struct pend *newest = &c->pends[l->pend_last - 1];
        if (newest->attempts == 0 && newest->last + 1 == first) {
            newest->last = last;
            return;
        }
    }
    pend_add(c, handle, l, (struct pend){ .first = first, .last = last });
}

void group_pend_failed(struct core *c, uint32_t handle, uint32_t level, const struct record_failed *failure, uint32_t note, uint32_t key)
{
    pend_add(c, handle, &group_at(c, handle)->levels[level],
             (struct pend){ .first = failure->seq,
                            .last = failure->seq,
                            .due_ms = failure->due_ms,
                            .attempts = failure->attempts,
                            .deaths = failure->deaths,
                            .cause = failure->cause,
                            .note = note,
                            .key = key });
}

void group_event_over(struct core *c, uint32_t handle, uint32_t level, uint32_t failed, uint64_t from, uint64_t position)
{
    if (failed && failed_at(c, failed)->dead)
        dead_end(c, failed_at(c, failed)->dead);
    else
        group_pend_settled(c, handle, level, from, position);
}

void group_touch(struct core *c, uint32_t handle)
{
    pend_group(c, handle);
}

bool group_pends(const struct core *c, uint32_t handle, uint32_t level, uint64_t position)
{
    uint32_t i = group_at(c, handle)->levels[level].pend_last;
    for (uint32_t looked = 0; i && looked < PENDS_LOOKED_AT; i = c->pends[i - 1].before, looked++)
        if (position >= c->pends[i - 1].first && position <= c->pends[i - 1].last) return true;
    return i != 0; /* too many to tell: whoever asks takes the careful way */
}

uint64_t group_pends_from(const struct core *c, uint32_t handle, uint32_t level, uint64_t from)
{
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = group_at(c, handle)->levels[level].pend_last; i; i = c->pends[i - 1].before) {
        const struct pend *pend = &c->pends[i - 1];
        if (pend->last >= from && pend->first < lowest) lowest = pend->first > from ? pend->first : from;
    }
    return lowest;
}

void group_want_handed(struct core *c, uint32_t handle, uint32_t level, uint64_t position)
{
    struct level *l = &group_at(c, handle)->levels[level];
    if (position <= l->handed || position <= l->handed_wanted) return;
    pend_level(c, handle, l);
    l->handed_wanted = position;
}

/* The levels that are live, have a match in this block and a worker to take it: their raise of `handed` stands in the block itself, as far
 * as there is room; the others ask for it when they come to the events. All positions up to the block's end and its records to come. */
static void want_handed_for_block(struct core *c, struct slot *slot)
{
    uint64_t next = slot->block.first_position + slot->block.record_count;
    for (uint32_t i = 0; i < slot->touched_count; i++) {
        struct group *g = group_at(c, slot->touched[i]);
        for (uint32_t k = 0; k < PRIORITY_LEVELS && g->ring && !g->paused_ms; k++) {
            struct level *l = &g->levels[k];
            if (!(slot->levels & 1u << k) || !l->live || l->handed >= next) continue;
            if (!block_has_room(&slot->block, c->pend_records + 1, (c->pend_count + c->pend_records + 1) * (size_t)PEND_BYTES)) return;
            pend_level(c, slot->touched[i], l);
            if (l->handed_wanted < next) l->handed_wanted = next;
        }
    }
}

/* A raise that reaches into this block covers all of it, its own record too: the next one is then not asked for within the same block. */
static void stretch_handed(const struct core *c, struct group *g, uint64_t next)
{
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        struct level *l = &g->levels[k];
        if (l->handed_wanted == next) l->handed_wanted = next + c->pend_records - 1;
    }
}

/* What is known of failures that are in the table now, and what their leases held. */
static void keep_notes(struct core *c, uint32_t handle, uint32_t pend_last)
{
    for (uint32_t i = pend_last; i; i = c->pends[i - 1].before) {
        struct pend *pend = &c->pends[i - 1];
        uint32_t failed = pend->note || pend->key ? failed_find(c, handle, pend->first) : 0;
        if (failed) {
            failed_at(c, failed)->note = pend->note;
            if (pend->key) failed_at(c, failed)->key = pend->key;
        } else { /* it left the window meanwhile */
            note_forget(c, &pend->note);
            if (pend->key) order_settled(c, pend->key);
        }
    }
}

static void write_record(struct core *c, uint32_t handle, uint32_t level)
{
    struct group *g = group_at(c, handle);
    struct level *l = &g->levels[level];
    uint32_t settled = 0, failed = 0;
    uint32_t at_settled = PENDS_MAX, at_failed = PENDS_MAX;
    for (uint32_t i = l->pend_last; i; i = c->pends[i - 1].before) { /* newest first, so they are laid out from the end */
        const struct pend *pend = &c->pends[i - 1];
        if (pend->attempts == 0) {
            c->settle_ranges[--at_settled] = (struct range){ pend->first, pend->last };
            settled++;
        } else {
            c->settle_failed[--at_failed] = (struct record_failed){
                .seq = pend->first, .due_ms = pend->due_ms, .attempts = pend->attempts, .deaths = pend->deaths, .cause = pend->cause
            };
            failed++;
        }
    }
    settled = ranges_sort(c->settle_ranges + at_settled, settled, c->settle_room);
    struct record_settle record = { .id = g->id,
                                    .level = level,
                                    .generation = g->generation,
                                    .handed = l->handed_wanted,
                                    .settled = c->settle_ranges + at_settled,
                                    .settled_count = settled,
                                    .failed = c->settle_failed + at_failed,
                                    .failed_count = failed };
    size_t bound = record_settle_bound(settled, failed);
    uint8_t *body = arena_take(&c->scratch, bound);
    must(body);
    size_t size = record_settle_write(&record, body, bound);
    must(size > 0);
    uint32_t last = l->pend_last;
    l->pend_last = 0;
    l->handed_wanted = 0;
    blocks_append(c, (struct record){ .kind = RECORD_SETTLE | RECORD_MUST_UNDERSTAND }, span_of(body, size));
    keep_notes(c, handle, last);
}

static void write_records(struct core *c, uint32_t handle)
{
    const struct group *g = group_at(c, handle);
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        if (!g->levels[k].pend_last && !g->levels[k].handed_wanted) continue;
        write_record(c, handle, k);
        c->pend_records--;
    }
}

void group_write_pending(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    if (!g->pending) return;
    uint32_t *at = &c->pend_groups;
    while (*at != handle)
        at = &group_at(c, *at)->next_pending;
    *at = g->next_pending;
    g->pending = false;
    write_records(c, handle);
    blocks_touch_group(c, handle); /* whatever of it waits for their commit is woken by that */
}

void groups_write_pending(struct core *c)
{
    struct slot *slot = filling_slot(c);
    uint64_t position = slot->block.first_position + slot->block.record_count;
    want_handed_for_block(c, slot);
    for (uint32_t h = c->pend_groups; h; h = group_at(c, h)->next_pending)
        stretch_handed(c, group_at(c, h), position);
    for (uint32_t h = c->pend_groups, next; h; h = next) {
        struct group *g = group_at(c, h);
        next = g->next_pending;
        g->pending = false;
        write_records(c, h);
        if (g->touched_now) continue;
        g->touched_now = true;
        slot->touched[slot->touched_count++] = h | TOUCHED_RECORD_ONLY;
    }
    must(c->pend_records == 0);
    c->pend_groups = 0;
    c->pend_count = 0;
    c->failed_pending = 0;
    c->pend_urgent = false;
}

/* A level with nothing open has settled all there is: its floor follows the head, so that a restart need not read the log for it. At a
 * distance, unless the group waits for it to forget its old filters. */
static void level_follow_head(struct core *c, uint32_t handle, uint32_t level)
{
    struct group *g = group_at(c, handle);
    struct level *l = &g->levels[level];
    uint64_t distance = g->old_filter_count > 0 && l->floor + 1 < g->filters_from ? 1 : HANDED_SWEEP;
    if (!l->live || l->old_open || l->open || l->settled.count > 0 || c->head < l->floor + distance || !blocks_room_for_failure(c)) return;
    group_pend_settled(c, handle, level, l->floor + 1, c->head);
    l->fresh.from = c->head + 1;
}

static void group_follow_head(struct core *c, uint32_t handle)
{
    if (!slab_is_taken(&c->groups, handle)) return;
    const struct group *g = group_at(c, handle);
    if (g->pending || g->adopting || g->reading_back) return;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        level_follow_head(c, handle, k);
}

void groups_follow_head(struct core *c)
{
    for (uint32_t i = 0; i < 4 && c->groups.touched > 0; i++) {
        c->sweep_group = c->sweep_group % c->groups.touched + 1;
        group_follow_head(c, c->sweep_group);
    }
    for (uint32_t h = 1; c->groups_changing > 0 && h <= c->groups.touched; h++)
        if (group_at(c, h)->old_filter_count > 0) group_follow_head(c, h);
}

/* ---- workers ---- */

static bool worker_has_credit(const struct peer *p)
{
    return p->state == PEER_READY && !p->leaving && p->deliver_sent_events < p->deliver_limit_events &&
           p->deliver_sent_bytes < p->deliver_limit_bytes;
}

static void ring_remove(struct core *c, uint32_t handle)
{
    struct peer *p = peer_at(c, handle);
    struct group *g = group_at(c, p->group);
    if (p->ring_next == handle) {
        g->ring = 0;
        g->rates.idle_ms = c->log_ms;
    } else {
        peer_at(c, p->ring_prev)->ring_next = p->ring_next;
        peer_at(c, p->ring_next)->ring_prev = p->ring_prev;
        if (g->ring == handle) g->ring = p->ring_next;
    }
    p->in_ring = false;
}

static void ring_insert(struct core *c, uint32_t handle)
{
    struct peer *p = peer_at(c, handle);
    struct group *g = group_at(c, p->group);
    if (!g->ring) {
        g->ring = p->ring_next = p->ring_prev = handle;
    } else {
        struct peer *at = peer_at(c, g->ring);
        p->ring_next = g->ring;
        p->ring_prev = at->ring_prev;
        peer_at(c, at->ring_prev)->ring_next = handle;
        at->ring_prev = handle;
    }
    p->in_ring = true;
}

void worker_ring_update(struct core *c, uint32_t handle)
{
    struct peer *p = peer_at(c, handle);
    if (!p->group || worker_has_credit(p) == p->in_ring) return;
    if (p->in_ring) {
        ring_remove(c, handle);
        return;
    }
    ring_insert(c, handle);
    order_worker_changed(c, handle);
    group_wake(c, p->group);
}

void group_join(struct core *c, uint32_t group, uint32_t peer)
{
    peer_at(c, peer)->group = group;
    group_at(c, group)->workers++;
}

void group_leave(struct core *c, uint32_t peer)
{
    struct peer *p = peer_at(c, peer);
    if (!p->group) return;
    if (p->in_ring) ring_remove(c, peer);
    struct group *g = group_at(c, p->group);
    if (--g->workers == 0) g->rates.alone_ms = c->log_ms;
    p->group = 0;
    order_worker_changed(c, peer);
}

static uint64_t next_random(struct core *c)
{
    uint64_t x = c->random; /* xorshift64*, Vigna 2016 */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    c->random = x;
    return x * 0x2545F4914F6CDD1Dull;
}

uint64_t group_backoff_ms(struct core *c, const struct group *g, uint32_t attempts)
{
    uint64_t wait = g->options.backoff_ms;
    for (uint32_t i = 1; i < attempts && wait < BACKOFF_MAX_MS; i++)
        wait *= 2;
    if (wait > BACKOFF_MAX_MS) wait = BACKOFF_MAX_MS;
    return wait * 3 / 4 + next_random(c) % (wait / 2 + 1); /* [R-LEASE-5] */
}
