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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_set_refuses_an_island_but_takes_a_bridge),
        cmocka_unit_test(one_range_may_swallow_many),
        cmocka_unit_test(the_ends_of_the_number_line_hold),
        cmocka_unit_test(a_range_that_ends_before_it_begins_is_a_bug),
        cmocka_unit_test(a_set_behaves_like_one_bit_per_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
