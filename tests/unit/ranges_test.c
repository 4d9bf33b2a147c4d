#include "sdk/base/ranges.h"
#include "tests/support/check.h"
#include "tests/support/random.h"

static void a_full_set_refuses_an_island_but_takes_a_bridge(void **state)
{
    (void)state;
    struct range room[2];
    struct ranges set;
    ranges_init(&set, room, 2);
    assert_int_equal(ranges_add(&set, 10, 19), RANGES_ADDED);
    assert_int_equal(ranges_add(&set, 30, 39), RANGES_ADDED);

    assert_int_equal(ranges_add(&set, 50, 59), RANGES_FULL);
    assert_int_equal(ranges_add(&set, 20, 29), RANGES_ADDED);

    assert_int_equal(set.count, 1);
    assert_true(ranges_hold(&set, 10, 39));
    assert_false(ranges_hold(&set, 50, 50));
    assert_false(ranges_hold(&set, 9, 10));
}

static void one_range_may_swallow_many(void **state)
{
    (void)state;
    struct range room[8];
    struct ranges set;
    ranges_init(&set, room, 8);
    for (uint64_t at = 10; at < 80; at += 10)
        ranges_add(&set, at, at + 3);
    assert_int_equal(set.count, 7);
    ranges_add(&set, 24, 59);
    assert_int_equal(set.count, 3);
    assert_true(ranges_hold(&set, 20, 63));
    assert_int_equal(ranges_next_hole(&set, 20), 64);
    assert_int_equal(ranges_next_hole(&set, 15), 15);
}

static void the_ends_of_the_number_line_hold(void **state)
{
    (void)state;
    struct range room[3];
    struct ranges set;
    ranges_init(&set, room, 3);
    ranges_add(&set, UINT64_MAX - 1, UINT64_MAX);
    ranges_add(&set, 0, 0);
    assert_true(ranges_hold(&set, UINT64_MAX, UINT64_MAX));
    assert_int_equal(ranges_next_hole(&set, 0), 1);
    assert_true(ranges_next_hole(&set, UINT64_MAX - 1) == UINT64_MAX);
    ranges_add(&set, 1, UINT64_MAX - 2);
    assert_int_equal(set.count, 1);
    ranges_drop_through(&set, UINT64_MAX);
    assert_int_equal(set.count, 0);
}

static void a_range_that_ends_before_it_begins_is_a_bug(void **state)
{
    (void)state;
    struct range room[1];
    struct ranges set;
    ranges_init(&set, room, 1);
    expect_assert_failure(ranges_add(&set, 5, 4));
}

enum { NUMBERS = 64 };

static bool all_in(const bool *model, uint64_t first, uint64_t last)
{
    for (uint64_t n = first; n <= last; n++) {
        if (!model[n]) return false;
    }
    return true;
}

static uint32_t runs_in(const bool *model)
{
    uint32_t runs = 0;
    for (int n = 0; n < NUMBERS; n++)
        runs += model[n] && (n == 0 || !model[n - 1]);
    return runs;
}

static void a_set_behaves_like_one_bit_per_number(void **state)
{
    (void)state;
    struct random random = { 7 };
    struct range room[6];
    struct ranges set;
    bool model[NUMBERS] = { 0 };
    ranges_init(&set, room, 6);
    for (int round = 0; round < 200000; round++) {
        uint64_t first = random_below(&random, NUMBERS), last = first + random_below(&random, (uint32_t)(NUMBERS - first));
        if (random_below(&random, 4) != 0) last = first + (last - first) % 3 % (NUMBERS - first);
        if (random_below(&random, 8) == 0) {
            ranges_drop_through(&set, last);
            memset(model, 0, last + 1);
        } else {
            bool changed[NUMBERS];
            memcpy(changed, model, sizeof model);
            memset(changed + first, true, last - first + 1);
            bool fits = runs_in(changed) <= 6;
            assert_int_equal(ranges_add(&set, first, last), fits ? RANGES_ADDED : RANGES_FULL);
            if (fits) memcpy(model, changed, sizeof model);
        }
        assert_int_equal(set.count, runs_in(model));
        uint64_t from = random_below(&random, NUMBERS), to = from + random_below(&random, (uint32_t)(NUMBERS - from));
        assert_int_equal(ranges_hold(&set, from, to), all_in(model, from, to));
        uint64_t hole = from;
        while (hole < NUMBERS && model[hole])
            hole++;
        assert_int_equal(ranges_next_hole(&set, from), hole);
    }
}

static void many_ranges_are_sorted_and_added_like_single_ones(void **state)
{
    (void)state;
    enum { MANY = 40, ROOM = 60 };
    struct random random = { 11 };
    for (int round = 0; round < 50000; round++) {
        struct range items[MANY], room[MANY], many_room[ROOM], single_room[ROOM];
        struct ranges many, single;
        ranges_init(&many, many_room, ROOM);
        ranges_init(&single, single_room, ROOM);
        for (uint32_t i = random_below(&random, 30); i > 0; i--) {
            uint64_t first = random_below(&random, 200);
            assert_int_equal(ranges_add(&many, first, first), RANGES_ADDED);
            assert_int_equal(ranges_add(&single, first, first), RANGES_ADDED);
        }
        uint32_t count = random_below(&random, MANY + 1), runs = random_below(&random, 4);
        for (uint32_t i = 0; i < count; i++) { /* nearly rising, as they come, or anyhow; some twice */
            uint64_t first = runs ? (i * runs * 5 + random_below(&random, 4)) % 200 : random_below(&random, 200);
            items[i] = (struct range){ first, first + random_below(&random, 3) };
        }
        bool fits = true;
        for (uint32_t i = 0; i < count; i++)
            fits = ranges_add(&single, items[i].first, items[i].last) == RANGES_ADDED && fits;
        count = ranges_sort(items, count, room);
        for (uint32_t i = 1; i < count; i++)
            assert_true(items[i - 1].last + 1 < items[i].first);
        if (!fits) continue;
        assert_int_equal(ranges_add_sorted(&many, items, count), RANGES_ADDED);
        assert_int_equal(many.count, single.count);
        assert_memory_equal(many_room, single_room, single.count * sizeof *single_room);
    }
}

static void ranges_are_sorted_however_far_apart_they_lie(void **state)
{
    (void)state;
    enum { MANY = 100 };
    struct random random = { 12 };
    for (int round = 0; round < 20000; round++) {
        struct range items[MANY], room[MANY];
        uint64_t firsts[MANY];
        uint32_t count = random_below(&random, MANY + 1), shift = random_below(&random, 63) + 1;
        for (uint32_t i = 0; i < count; i++) {
            firsts[i] = random_next(&random) >> shift;
            items[i] = (struct range){ firsts[i], firsts[i] };
        }
        uint32_t left = ranges_sort(items, count, room);
        for (uint32_t i = 1; i < left; i++)
            assert_true(items[i - 1].last + 1 < items[i].first);
        struct ranges set = { .items = items, .count = left, .capacity = MANY };
        for (uint32_t i = 0; i < count; i++)
            assert_true(ranges_hold(&set, firsts[i], firsts[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_set_refuses_an_island_but_takes_a_bridge),
        cmocka_unit_test(one_range_may_swallow_many),
        cmocka_unit_test(the_ends_of_the_number_line_hold),
        cmocka_unit_test(a_range_that_ends_before_it_begins_is_a_bug),
        cmocka_unit_test(a_set_behaves_like_one_bit_per_number),
        cmocka_unit_test(many_ranges_are_sorted_and_added_like_single_ones),
        cmocka_unit_test(ranges_are_sorted_however_far_apart_they_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
