/* How a group keeps up: what comes for it, what it settles, how far behind it is, how many workers that takes. Nothing is counted per
 * event: about ten times a second one committed block is looked through, and stands for all that came since the one before (so with few
 * blocks every event is counted); once a second the counters that there are anyway become rates. */
#include "coordinator/core/rates.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/retry_budget.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"

enum {
    SAMPLE_EVERY_MS = 100,
    SAMPLE_TOPICS_MAX = 512,
    TICK_EVERY_MS = 1000,
    SMOOTH_MS = 10000,          /* a rate follows its changes in about so long */
    DONE = 1000,                /* one event in what is done */
    DONE_KEPT = 16 * DONE,      /* how long a worker takes is known by so many events at least, however long ago they were */
    CATCH_UP_S = 60,            /* the workers wanted also do the backlog within so long */
    COUNTED_PER_TICK = 1 << 16, /* records looked at for exact numbers, all groups together */
    COUNTED_PER_GROUP = 1 << 10,
    FETCHES_PER_TICK = 2,
};
#define PER_MS 1000000u

/* ---- what comes ---- */

static void count_topic(struct core *c, const struct block *block, uint32_t topic, uint64_t events)
{
    uint32_t tenant = tenant_find(c, block_topic_tenant(block, topic));
    uint32_t found = tenant ? filters_match(c->filters, tenant, block_topic_name(block, topic), c->matches, c->matches_max) : 0;
    for (uint32_t i = 0; i < found && i < c->matches_max && !(c->matches[i] & SUBSCRIPTION_BIT); i++)
        group_at(c, c->matches[i])->rates.matched += events;
}

void rates_sample(struct core *c, const struct slot *slot)
{
    const struct block *block = &slot->block;
    if (c->now_ns < c->rates.sample_ns || c->groups.taken == 0) return;
    uint64_t all = c->stats.published + c->stats.emitted - c->rates.events, here = 0;
    memset(c->topic_match, 0, block->topic_count * sizeof c->topic_match[0]);
    for (uint32_t i = 0; i < block->record_count; i++) {
        if ((block->records[i].kind & ~RECORD_MUST_UNDERSTAND) != RECORD_EVENT) continue;
        c->topic_match[block->records[i].topic - 1u]++;
        here++;
    }
    if (here == 0) return;
    if (all < here) all = here;
    uint32_t stride = block->topic_count / SAMPLE_TOPICS_MAX + 1;
    for (uint32_t t = 0; t < block->topic_count; t += stride)
        if (block->topics[t].mark > 1) count_topic(c, block, t, c->topic_match[t] * stride * all / here);
    c->rates.events += all;
    c->rates.sample_ns = c->now_ns + SAMPLE_EVERY_MS * PER_MS;
}

/* ---- how far behind ---- */

bool group_is_live(const struct group *g)
{
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        if (!g->levels[k].live) return false;
    return true;
}

/* The lowest place that is still to be read. */
static uint64_t first_unread(const struct core *c, const struct group *g)
{
    uint64_t first = c->head + 1;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        if (!g->levels[k].live && g->levels[k].fresh.cursor < first) first = g->levels[k].fresh.cursor;
    return first;
}

/* When what comes next was written, as far as its block is in memory; what was known of it before else. */
static void look_at_next(struct core *c, struct group *g, uint32_t *fetches)
{
    uint64_t cursor = first_unread(c, g);
    const struct slot *slot = blocks_peek(c, cursor);
    bool end;
    if (!slot && *fetches > 0 && g->rates.behind_ms == 0) { /* it is there at the next tick */
        (*fetches)--;
        blocks_find_after(c, cursor, &end);
    }
    if (!slot) return;
    uint64_t index = cursor > slot->block.first_position ? cursor - slot->block.first_position : 0;
    g->rates.behind_ms = slot->block.time_ms + slot->block.records[index].time_delta_ms;
    g->rates.behind_term = slot->block.term;
}

static uint64_t count_level(struct core *c, uint32_t handle, uint32_t level, uint32_t *budget, bool *exact)
{
    uint64_t count = 0, position = group_at(c, handle)->levels[level].fresh.cursor;
    while (position <= c->head && *exact) {
        const struct slot *slot = blocks_peek(c, position);
        *exact = slot && slot->block.record_count <= *budget;
        if (!*exact) break;
        *budget -= slot->block.record_count;
        uint32_t index = position > slot->block.first_position ? (uint32_t)(position - slot->block.first_position) : 0;
        while ((index = reader_match(c, slot, index, handle, level)) < slot->block.record_count)
            count++, index++;
        position = block_last_position(&slot->block) + 1;
    }
    return count;
}

/* Places from `from` on that hold records: each start of the coordinator jumped ahead. */
static uint64_t places(const struct core *c, const struct group *g, uint64_t from, uint64_t to)
{
    uint64_t count = to >= from ? to - from + 1 : 0;
    uint64_t jumps = g->rates.behind_term && c->term > g->rates.behind_term ? (c->term - g->rates.behind_term) * START_JUMP : 0;
    return count > jumps ? count - jumps : count < START_JUMP ? count : 1;
}

/* From what was read since the group was opened, or live last, and what came since then. */
static uint64_t estimate(const struct core *c, const struct group *g)
{
    const struct group_rates *r = &g->rates;
    uint64_t cursor = first_unread(c, g), given = g->taken - r->from_taken, came = r->matched - r->from_matched;
    if (r->from_live) return came > given ? came - given : 0;
    uint64_t scanned = cursor > r->from_cursor ? places(c, g, r->from_cursor, cursor - 1) : 0;
    uint64_t rest = cursor <= r->from_head ? places(c, g, cursor, r->from_head) : 0;
    return (scanned > 0 ? rest * given / scanned : rest) + came;
}

uint64_t rates_lag(struct core *c, uint32_t handle, uint32_t *budget, bool *out_estimate)
{
    const struct group *g = group_at(c, handle);
    uint64_t open = 0, unread = 0;
    bool exact = true;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        open += g->levels[k].open;
        if (!g->levels[k].live && exact) unread += count_level(c, handle, k, budget, &exact);
    }
    *out_estimate = !exact;
    if (!exact) unread = estimate(c, g);
    return (open > g->leased ? open - g->leased : 0) + unread;
}

uint64_t rates_lag_ms(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    uint32_t none = 0;
    if (group_is_live(g)) return 0;
    look_at_next(c, g, &none);
    return g->rates.behind_ms && c->log_ms > g->rates.behind_ms ? c->log_ms - g->rates.behind_ms : 0;
}

void rates_restart(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    g->rates = (struct group_rates){ .matched = g->rates.matched,
                                     .matched_before = g->rates.matched,
                                     .settled_before = g->acked + g->rejected + g->expired,
                                     .done_before = g->acked + g->rejected,
                                     .from_cursor = first_unread(c, g),
                                     .from_head = c->head,
                                     .from_taken = g->taken,
                                     .from_matched = g->rates.matched,
                                     .idle_ms = c->log_ms,
                                     .alone_ms = c->log_ms };
}

/* ---- once a second ---- */

static uint64_t smooth(uint64_t rate, uint64_t now, uint64_t dt_ms)
{
    if (now >= rate) return rate + ((now - rate) * dt_ms + SMOOTH_MS + dt_ms - 1) / (SMOOTH_MS + dt_ms);
    return rate - ((rate - now) * dt_ms + SMOOTH_MS + dt_ms - 1) / (SMOOTH_MS + dt_ms);
}

static uint32_t workers_wanted(const struct group *g)
{
    const struct group_rates *r = &g->rates;
    uint64_t needed = r->arrivals + r->lag * 1000 / CATCH_UP_S;
    if (needed == 0 && g->leased == 0) return 0;
    uint64_t wanted = r->per_worker > 0 ? (needed + r->per_worker - 1) / r->per_worker : g->workers;
    return wanted == 0 ? 1 : wanted > UINT32_MAX ? UINT32_MAX : (uint32_t)wanted;
}

/* What one worker does: what was done, by the time in which workers had something to do. So it does not matter whether they have enough to
 * do, nor whether an event takes a millisecond or minutes: of slow ones the last few count, of fast ones the last seconds. */
static void learn_worker(struct group *g, uint64_t dt_ms)
{
    struct group_rates *r = &g->rates;
    uint64_t done = g->acked + g->rejected;
    uint32_t busy = g->leased < g->workers ? g->leased : g->workers;
    r->done += (done - r->done_before) * DONE;
    r->done_before = done;
    r->busy_ms += (r->busy + busy) * dt_ms / 2;
    r->busy = busy;
    if (r->done > 0) r->per_worker = r->done * 1000 / (r->busy_ms + 1);
    if (r->done <= DONE_KEPT) return;
    r->done -= r->done * dt_ms / (SMOOTH_MS + dt_ms);
    r->busy_ms -= r->busy_ms * dt_ms / (SMOOTH_MS + dt_ms);
}

static void tick_group(struct core *c, uint32_t handle, uint64_t dt_ms, uint32_t *budget, uint32_t *fetches)
{
    struct group *g = group_at(c, handle);
    struct group_rates *r = &g->rates;
    uint64_t settled = g->acked + g->rejected + g->expired;
    uint32_t own = *budget < COUNTED_PER_GROUP ? *budget : COUNTED_PER_GROUP, left = own;
    r->arrivals = smooth(r->arrivals, (r->matched - r->matched_before) * 1000 * 1000 / dt_ms, dt_ms);
    r->settles = smooth(r->settles, (settled - r->settled_before) * 1000 * 1000 / dt_ms, dt_ms);
    r->matched_before = r->matched;
    r->settled_before = settled;
    r->lag = rates_lag(c, handle, &left, &r->lag_is_estimate);
    *budget -= own - left;
    learn_worker(g, dt_ms);
    r->wanted = workers_wanted(g);
    if (!group_is_live(g)) {
        look_at_next(c, g, fetches);
        return;
    }
    r->behind_ms = 0;
    r->from_live = true;
    r->from_taken = g->taken;
    r->from_matched = r->matched;
}

void rates_tick(struct core *c)
{
    uint64_t dt_ms = (c->now_ns - c->rates.tick_ns) / PER_MS;
    if (dt_ms < TICK_EVERY_MS) return;
    uint32_t budget = COUNTED_PER_TICK, fetches = FETCHES_PER_TICK;
    c->rates.tick_ns = c->now_ns;
    for (uint32_t h = 1; h <= c->groups.touched; h++)
        if (slab_is_taken(&c->groups, h)) tick_group(c, h, dt_ms, &budget, &fetches);
}

static void copy_name(char to[256], struct span name)
{
    memcpy(to, name.data, name.size);
    to[name.size] = 0;
}

size_t core_groups(const struct core *c, struct core_group_stats *out, size_t max)
{
    size_t count = 0;
    for (uint32_t h = 1; h <= c->groups.touched && count < max; h++) {
        if (!slab_is_taken(&c->groups, h)) continue;
        const struct group *g = group_at(c, h);
        const struct group_rates *r = &g->rates;
        struct core_group_stats *s = &out[count++];
        copy_name(s->tenant, tenant_name(c, g->tenant));
        copy_name(s->name, group_name(g));
        s->lag = r->lag;
        s->lag_ms = !group_is_live(g) && r->behind_ms && c->log_ms > r->behind_ms ? c->log_ms - r->behind_ms : 0;
        s->arrivals = r->arrivals;
        s->settles = r->settles;
        s->workers = g->workers;
        s->workers_wanted = r->wanted;
        s->leased = g->leased;
        s->failed = g->failed_count;
        s->retries_waiting = budget_waiting(c, g);
        s->lag_is_estimate = r->lag_is_estimate;
        s->paused = g->paused_ms > 0;
    }
    return count;
}
