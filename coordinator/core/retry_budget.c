/* What a group may retry: a share of its first deliveries, and so many in a second whatever else it does, so that a mass failure does not
 * become a storm of retries [R-RETRY-1]. A bucket that both fill, and each retry takes from; it begins full. Nothing is counted in it until
 * somebody asks: first deliveries are only added up, and the clock runs by itself. Volatile: a start begins with a full one. */
#include "coordinator/core/retry_budget.h"

#include "coordinator/core/group.h"

enum { BUCKET_S = 10 /* of the floor */, LEAST_WAIT_NS = 1000000 };
#define ONE     UINT64_C(1000000000) /* retry: a floor of 1 in a second is 1 in each nanosecond */
#define PERCENT (ONE / 100)

static uint64_t floor_of(const struct group *g)
{
    return g->options.retry_floor ? g->options.retry_floor : RETRY_FLOOR;
}

static uint64_t full(const struct group *g)
{
    return floor_of(g) * BUCKET_S * ONE;
}

static uint64_t earned(uint64_t count, uint64_t each, uint64_t most)
{
    return count > most / each ? most : count * each;
}

static uint64_t left_now(const struct core *c, const struct group *g)
{
    const struct retry_budget *b = &g->budget;
    uint64_t percent = g->options.retry_percent ? g->options.retry_percent : RETRY_PERCENT, most = full(g);
    uint64_t left = b->left + earned(c->now_ns - b->since_ns, floor_of(g), most) + earned(b->firsts, percent * PERCENT, most);
    return left < most ? left : most;
}

void budget_open(const struct core *c, struct group *g)
{
    g->budget = (struct retry_budget){ .left = full(g), .since_ns = c->now_ns };
}

void budget_bring_up(const struct core *c, struct group *g)
{
    g->budget.left = left_now(c, g);
    g->budget.since_ns = c->now_ns;
    g->budget.firsts = 0;
}

static bool is_unlimited(const struct group *g)
{
    return g->options.retry_floor == RETRY_FLOOR_UNLIMITED;
}

uint64_t budget_until_ns(const struct core *c, const struct group *g, uint32_t ahead)
{
    uint64_t left = left_now(c, g), wanted = (ahead + UINT64_C(1)) * ONE;
    if (is_unlimited(g) || left >= wanted) return 0;
    return c->now_ns + (wanted - left + floor_of(g) - 1) / floor_of(g);
}

uint32_t budget_waiting(const struct core *c, const struct group *g)
{
    return g->retry.count > 0 && budget_until_ns(c, g, 0) ? g->retry.count : 0;
}

bool budget_allows(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    budget_bring_up(c, g);
    uint64_t until_ns = budget_until_ns(c, g, 0);
    if (!until_ns) return true;
    if (!g->budget.waits) c->stats.retries_delayed += g->retry.count;
    g->budget.waits = true;
    heap_put(&c->budget_waits, handle, until_ns > c->now_ns + LEAST_WAIT_NS ? until_ns : c->now_ns + LEAST_WAIT_NS);
    return false;
}

void budget_spend(struct group *g)
{
    if (is_unlimited(g)) return;
    must(g->budget.left >= ONE);
    g->budget.left -= ONE;
}

void budget_fire(struct core *c)
{
    uint32_t group;
    uint64_t until;
    while (heap_first(&c->budget_waits, &group, &until) && until <= c->now_ns) {
        heap_remove(&c->budget_waits, group);
        group_wake(c, group);
    }
}
