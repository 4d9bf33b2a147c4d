/* store.h over the memory log: commits, fetches, and what the window drops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/shell/store.h"

enum { BLOCKS = 20, RECORDS = 3 };
#define NS_PER_S 1000000000ULL
#define GAP      (1 << 20)

static struct config config;
static struct store *store;
static struct core_in in;
static struct block block;
static void *memory;
static uint64_t first_positions[BLOCKS + 1]; /* by block number */

static void open_store(uint64_t window_ms, uint64_t window_bytes)
{
    struct log_error error;
    in = (struct core_in){ 0 };
    config = (struct config){ .in_memory = true, .window_ms = window_ms, .window_bytes = window_bytes, .snapshot_blocks = 1000 };
    config.core.limits.blocks_cached = 8;
    store = store_open(&config, &error);
    assert_non_null(store);
    memory = malloc(block_memory());
    block_init(&block, memory);
}

static int close_store(void **state)
{
    (void)state;
    store_close(&store);
    free(memory);
    return 0;
}

static void save_snapshot(void)
{
    struct core_out out = { .kind = CORE_SNAPSHOT, .block = &block, .position = block_last_position(&block), .last = true };
    struct store_counters before, after;
    store_counters(store, &before);
    store_take(store, &out, 1);
    do {
        store_poll(store, 1, &in);
        store_counters(store, &after);
    } while (after.snapshots == before.snapshots);
}

/* Blocks opened at 1000, 1010, … ms, a gap after each fifth; snapshots after the tenth and the fifteenth. */
static void write_blocks(void)
{
    uint64_t position = 1;
    for (uint64_t number = 1; number <= BLOCKS; number++) {
        block_open(&block, number, position, 1000 + 10 * (number - 1), 1);
        uint16_t topic = block_topic(&block, span_text("t"), span_text("docs"));
        for (int i = 0; i < RECORDS; i++)
            block_append(&block, (struct record){ .kind = RECORD_EVENT, .topic = (uint16_t)(topic + 1), .number = number },
                         span_text("body of an event"));
        first_positions[number] = position;
        position += RECORDS + (number % 5 == 0 ? GAP : 0);
        store_take(store, &(struct core_out){ .kind = CORE_SUBMIT, .block = &block }, number);
        while (in.committed < number)
            store_poll(store, number + 60000, &in);
        if (number == 10 || number == 15) save_snapshot();
    }
}

static uint64_t oldest(void)
{
    struct log_tail tail;
    store_tail(store, &tail);
    return tail.first_position;
}

/* Nothing goes before the core has let go of it; then what was asked for goes, and no more. */
static void await_trim(uint64_t log_time_ms)
{
    struct store_counters counters = { 0 };
    store_tick(store, NULL, 1000 * NS_PER_S, log_time_ms);
    for (int i = 0; i < 10000 && counters.trims == 0; i++) {
        store_poll(store, 1, &in);
        store_let_go(store, in.trim_wish > 0 ? in.trim_wish - 1 : 0); /* the core still needs something */
        store_counters(store, &counters);
        if (in.trim_wish > 0) break;
    }
    assert_int_equal(counters.trims, 0);
    assert_int_equal(oldest(), 1);
    uint64_t wish = in.trim_wish;
    for (int i = 0; i < 10000 && counters.trims == 0; i++) {
        store_let_go(store, wish);
        store_poll(store, 1, &in);
        store_counters(store, &counters);
    }
    assert_int_equal(counters.trims, 1);
    assert_int_equal(oldest(), wish);
}

static void commits_are_told_in_order_and_measured(void **state)
{
    (void)state;
    struct store_counters counters;
    open_store(0, 0);
    write_blocks();
    assert_int_equal(in.committed, BLOCKS);
    assert_false(in.log_failed);
    assert_true(store_is_quiet(store));
    store_counters(store, &counters);
    assert_int_equal(counters.commit_counts[1], BLOCKS); /* 60 us each */
    assert_int_equal(counters.snapshots, 2);
}

static void a_snapshot_that_the_core_gives_up_is_followed_by_another(void **state)
{
    (void)state;
    struct store_counters counters;
    open_store(0, 0);
    write_blocks();
    struct core_out slice = { .kind = CORE_SNAPSHOT, .block = &block, .position = block_last_position(&block) };
    store_take(store, &slice, 1);
    assert_false(store_is_quiet(store));
    store_take(store, &(struct core_out){ .kind = CORE_SNAPSHOT_ABANDONED }, 1);
    assert_true(store_is_quiet(store));
    save_snapshot();
    store_counters(store, &counters);
    assert_int_equal(counters.snapshots, 3);
    assert_int_equal(counters.snapshots_abandoned, 1);
}

static struct core_fetched fetch(uint64_t position, bool before)
{
    struct block *into = &block;
    store_take(store, &(struct core_out){ .kind = CORE_FETCH, .block = into, .position = position, .before = before }, 1);
    do
        store_poll(store, 1, &in);
    while (in.fetched_count == 0);
    assert_int_equal(in.fetched_count, 1);
    assert_ptr_equal(in.fetched[0].block, into);
    return in.fetched[0];
}

static void a_fetch_finds_what_holds_follows_or_precedes(void **state)
{
    (void)state;
    open_store(0, 0);
    write_blocks();
    assert_int_equal(fetch(first_positions[7] + 1, false).block->number, 7);
    assert_int_equal(fetch(first_positions[11] - 9, false).block->number, 11); /* in a gap */
    assert_int_equal(fetch(first_positions[11] - 9, true).block->number, 10);
    assert_int_equal(fetch(first_positions[BLOCKS] + RECORDS, false).result, CORE_FETCH_NOTHING);
}

static void the_window_drops_what_is_too_old(void **state)
{
    (void)state;
    open_store(100, 0);
    write_blocks();
    await_trim(1170); /* keeps what was opened at 1070 or later */
    assert_int_equal(oldest(), first_positions[8]);
}

static void the_window_never_passes_the_second_newest_snapshot(void **state)
{
    (void)state;
    open_store(0, 1);
    write_blocks();
    await_trim(5000);
    assert_int_equal(oldest(), first_positions[11]);
}

static void without_a_window_nothing_is_dropped(void **state)
{
    (void)state;
    struct store_counters counters;
    open_store(0, 0);
    write_blocks();
    store_tick(store, NULL, 1000 * NS_PER_S, UINT64_MAX);
    for (int i = 0; i < 100; i++)
        store_poll(store, 1, &in);
    store_counters(store, &counters);
    assert_int_equal(counters.trims, 0);
    assert_int_equal(oldest(), 1);
}

static void the_first_block_at_or_after_a_time_is_found(void **state)
{
    (void)state;
    struct log_error error;
    uint64_t position;
    open_store(0, 0);
    write_blocks();
    assert_true(store_find_time(store, 1050, &position, &error));
    assert_int_equal(fetch(position, false).block->number, 6);
    assert_true(store_find_time(store, 1, &position, &error));
    assert_int_equal(position, 1);
    assert_true(store_find_time(store, 99999, &position, &error));
    assert_int_equal(position, first_positions[BLOCKS] + RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(commits_are_told_in_order_and_measured, close_store),
        cmocka_unit_test_teardown(a_snapshot_that_the_core_gives_up_is_followed_by_another, close_store),
        cmocka_unit_test_teardown(a_fetch_finds_what_holds_follows_or_precedes, close_store),
        cmocka_unit_test_teardown(the_window_drops_what_is_too_old, close_store),
        cmocka_unit_test_teardown(the_window_never_passes_the_second_newest_snapshot, close_store),
        cmocka_unit_test_teardown(without_a_window_nothing_is_dropped, close_store),
        cmocka_unit_test_teardown(the_first_block_at_or_after_a_time_is_found, close_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
