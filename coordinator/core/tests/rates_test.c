/* How a group keeps up, second by second: what comes and what workers do is written into its counters, as the rest of the core does. */
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/rates.h"
#include "coordinator/core/tenant.h"
#include "sdk/base/must.h"
#include "tests/support/check.h"

static struct core *c;
static struct group *g;
static struct slot slot;
static void *groups_memory, *filters_room, *block_room;

static int open_core(void **state)
{
    (void)state;
    const uint64_t secret[2] = { 1, 2 };
    c = calloc(1, sizeof *c);
    groups_memory = malloc(slab_memory(2, sizeof *g));
    slab_init(&c->groups, groups_memory, 2, sizeof *g);
    filters_room = calloc(1, filters_memory(8, 1));
    c->filters = filters_init(filters_room, 8, 1, secret);
    c->tenants = calloc(2, sizeof *c->tenants);
    memcpy(c->tenants[1].name, "dev", 3);
    c->tenants[1].name_size = 3;
    c->tenant_count = 1;
    c->matches_max = 8;
    c->matches = calloc(c->matches_max, sizeof *c->matches);
    c->topic_match = calloc(BLOCK_TOPICS_MAX, sizeof *c->topic_match);
    block_room = malloc(block_memory());
    block_init(&slot.block, block_room);
    c->now_ns = c->rates.tick_ns = 1000000000;
    uint32_t group = slab_take(&c->groups);
    g = group_at(c, group);
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        g->levels[k].live = true;
    must(filters_add(c->filters, 1, span_text("docs.>"), group));
    return 0;
}

static int close_core(void **state)
{
    (void)state;
    free(groups_memory);
    free(filters_room);
    free(block_room);
    free(c->tenants);
    free(c->matches);
    free(c->topic_match);
    free(c);
    return 0;
}

/* Seconds in which so much comes and is acked; `open`: events that are with workers or wait, `leased`: with workers. */
static void seconds(uint32_t count, uint32_t come, uint32_t acked, uint32_t open, uint32_t leased)
{
    for (uint32_t i = 0; i < count; i++) {
        g->rates.matched += come;
        g->acked += acked;
        g->levels[0].open = open;
        g->leased = leased;
        c->now_ns += 1000000000;
        rates_tick(c);
    }
}

static struct core_group_stats stats(void)
{
    struct core_group_stats s;
    assert_int_equal(core_groups(c, &s, 1), 1);
    return s;
}

static void assert_about(uint64_t value, uint64_t wanted)
{
    assert_in_range(value, wanted - wanted / 20, wanted + wanted / 20);
}

static void block_of(const char *const topics[], uint32_t count)
{
    block_open(&slot.block, 1, 1, 0, 1);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t topic = block_topic(&slot.block, span_text("dev"), span_text(topics[i]));
        slot.block.topics[topic].mark = 2; /* a group matches it: blocks.c */
        struct record record = { .kind = RECORD_EVENT | RECORD_MUST_UNDERSTAND, .topic = (uint16_t)(topic + 1) };
        block_append(&slot.block, record, span_of(NULL, 0));
    }
}

static void a_block_that_is_looked_at_stands_for_all_since_the_last(void **state)
{
    (void)state;
    static const char *const topics[] = { "docs.a", "other.a", "docs.b", "docs.a" };
    block_of(topics, 4);
    c->stats.published = 35;
    c->stats.emitted = 5; /* 40 since the last one, of which 4 are here and 3 match */
    rates_sample(c, &slot);
    assert_int_equal(g->rates.matched, 30);
    c->stats.published += 4;
    rates_sample(c, &slot); /* too soon */
    assert_int_equal(g->rates.matched, 30);
    c->now_ns += 100000000;
    rates_sample(c, &slot);
    assert_int_equal(g->rates.matched, 33);
}

static void the_rate_of_arrivals_follows_what_comes_within_seconds(void **state)
{
    (void)state;
    seconds(10, 200, 200, 0, 0);
    assert_in_range(stats().arrivals, 110 * 1000, 140 * 1000); /* more than half of the way */
    seconds(50, 200, 200, 0, 0);
    assert_about(stats().arrivals, 200 * 1000);
    assert_about(stats().settles, 200 * 1000);
    seconds(100, 0, 0, 0, 0);
    assert_in_range(stats().arrivals, 0, 100);
    assert_int_equal(stats().lag, 0);
}

static void less_than_a_second_is_no_tick(void **state)
{
    (void)state;
    g->rates.matched = 100;
    c->now_ns += 999999999;
    rates_tick(c);
    assert_int_equal(stats().arrivals, 0);
    c->now_ns++;
    rates_tick(c);
    assert_true(stats().arrivals > 0);
}

static void workers_are_wanted_for_what_comes_and_the_backlog_in_a_minute(void **state)
{
    (void)state;
    g->workers = 2;
    seconds(60, 300, 100, 6000 + 4, 4); /* each does 50 a second; 300 come, and 6,000 wait: 100 a second more */
    assert_about(g->rates.per_worker, 50 * 1000);
    assert_int_equal(stats().lag, 6000);
    assert_in_range(stats().workers_wanted, 8, 9);
}

static void slow_work_wants_about_as_many_workers_as_it_takes(void **state)
{
    (void)state;
    g->workers = 2;
    for (uint32_t second = 1; second <= 1800; second++) { /* two workers, a minute for each event; one comes every ten seconds */
        seconds(1, second % 10 == 0, second % 30 == 0, 2, 2);
        if (second >= 120) assert_in_range(stats().workers_wanted, 4, 11); /* six; an event each ten seconds is no steady rate */
    }
    assert_about(g->rates.per_worker, 1000 / 60);
}

static void workers_with_little_to_do_are_known_by_the_time_they_take(void **state)
{
    (void)state;
    g->workers = 10;
    seconds(60, 10, 10, 1, 1); /* a tenth of a second each: one worker would do */
    assert_about(g->rates.per_worker, 10 * 1000);
    assert_in_range(stats().workers_wanted, 1, 2);
}

static void workers_that_grow_slower_are_known_again(void **state)
{
    (void)state;
    g->workers = 4;
    seconds(60, 100, 100, 4, 4);
    assert_about(g->rates.per_worker, 25 * 1000);
    seconds(120, 100, 20, 1000, 4);
    assert_about(g->rates.per_worker, 5 * 1000);
}

static void nothing_to_do_wants_nobody_and_something_somebody(void **state)
{
    (void)state;
    seconds(1, 0, 0, 0, 0);
    assert_int_equal(stats().workers_wanted, 0);
    seconds(1, 0, 0, 1, 0); /* nobody has done anything yet */
    assert_int_equal(stats().workers_wanted, 1);
    g->workers = 3;
    seconds(1, 0, 0, 3, 3);
    assert_int_equal(stats().workers_wanted, 3);
}

static void what_is_with_a_worker_does_not_lag(void **state)
{
    (void)state;
    g->workers = 1;
    seconds(1, 5, 0, 5, 3);
    assert_int_equal(stats().lag, 2);
    assert_false(stats().lag_is_estimate);
    assert_int_equal(stats().lag_ms, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_core, close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_block_that_is_looked_at_stands_for_all_since_the_last),
        TEST(the_rate_of_arrivals_follows_what_comes_within_seconds),
        TEST(less_than_a_second_is_no_tick),
        TEST(workers_are_wanted_for_what_comes_and_the_backlog_in_a_minute),
        TEST(slow_work_wants_about_as_many_workers_as_it_takes),
        TEST(workers_with_little_to_do_are_known_by_the_time_they_take),
        TEST(workers_that_grow_slower_are_known_again),
        TEST(nothing_to_do_wants_nobody_and_something_somebody),
        TEST(what_is_with_a_worker_does_not_lag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
