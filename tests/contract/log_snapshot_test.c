/* The contract of coordinator/log/log.h, over every backend: snapshots and trims. */
#include "tests/contract/log_suite.h"

#include <string.h>

static void recovery_begins_with_the_newest_snapshot_and_goes_on_with_the_blocks_after_it(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 3);
    rig_snapshot(rig, rig_last_position(rig), 1);
    rig_commit(rig, 3);
    rig_snapshot(rig, rig_last_position(rig), 5);
    rig_commit(rig, 2);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 7);
    for (size_t i = 0; i < 5; i++) {
        assert_true(rig->seen[i].from_snapshot);
        assert_int_equal(rig->seen[i].number, i + 1);
    }
    assert_false(rig->seen[5].from_snapshot);
    assert_int_equal(rig->seen[5].number, 7);
    assert_int_equal(rig->seen[6].number, 8);
}

static void a_snapshot_may_have_more_slices_than_wait_at_once(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 1);
    rig_snapshot(rig, rig_last_position(rig), 100);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 100);
    assert_int_equal(rig->seen[99].number, 100);
}

static void a_snapshot_without_its_end_does_not_count(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 2);
    log_snapshot_begin(rig->log, rig_last_position(rig));
    struct block *slice = &rig->blocks[0];
    log_snapshot_slice(rig->log, slice);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 2);
    assert_false(rig->seen[0].from_snapshot);
}

static void a_snapshot_that_was_given_up_leaves_nothing_and_another_counts(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 2);
    for (int i = 0; i < 50; i++) {
        log_snapshot_begin(rig->log, rig_last_position(rig));
        for (int k = 0; k < i % 4; k++)
            log_snapshot_slice(rig->log, &rig->blocks[0]);
        log_snapshot_abandon(rig->log);
    }
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 2);
    assert_false(rig->seen[0].from_snapshot);
    log_snapshot_begin(rig->log, rig_last_position(rig));
    log_snapshot_slice(rig->log, &rig->blocks[0]);
    log_snapshot_abandon(rig->log);
    rig_snapshot(rig, rig_last_position(rig), 3);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 3);
    assert_true(rig->seen[2].from_snapshot);
}

static void a_snapshot_may_be_taken_while_blocks_are_under_way(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    rig_open(rig);
    uint64_t position = 0;
    for (int i = 0; i < RIG_SUBMITS; i++) {
        rig_submit(rig);
        if (i == 1) position = rig->next_position - 1;
    }
    log_snapshot_begin(rig->log, position);
    log_snapshot_end(rig->log);
    for (int i = 0; i < RIG_SUBMITS; i++)
        rig_await(rig, LOG_COMMITTED, &event);
    rig_await(rig, LOG_SNAPSHOT_SAVED, &event);
    assert_int_equal(event.position, position);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 2);
    assert_int_equal(rig->seen[0].number, 3);
}

static void a_snapshot_of_an_empty_log_is_harmless(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_snapshot(rig, 0, 0);
    rig_commit(rig, 2);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 2);
}

/* Enough for several files, with a snapshot after every `every` blocks. Returns the position of the second newest. */
static uint64_t fill_files(struct rig *rig, int rounds, uint32_t every)
{
    uint64_t position = 0, before = 0;
    rig->body_bytes = 3000;
    for (int i = 0; i < rounds; i++) {
        rig_commit(rig, every);
        before = position;
        position = rig_last_position(rig);
        rig_snapshot(rig, position, 2);
    }
    return before;
}

/* Files reach the levels a trim can drop them from in the background: ask until it has found some. */
static uint64_t trim_until_something_goes(struct rig *rig, uint64_t position)
{
    uint64_t first = 1;
    for (int i = 0; i < 200000 && first == 1; i++)
        first = rig_trim(rig, position);
    assert_true(first > 1);
    return first;
}

static void a_trim_drops_what_ends_below_and_keeps_the_rest(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    uint64_t second = fill_files(rig, 4, 60);
    uint64_t wanted = second / 2;
    uint64_t first = trim_until_something_goes(rig, wanted);
    const struct block *holding = rig_fetch(rig, wanted);
    assert_true(block_holds(holding, wanted));
    assert_true(first <= holding->first_position);
    assert_int_equal(rig_fetch(rig, 1)->first_position, first);
    for (uint64_t position = wanted; position <= rig_last_position(rig); position += 13)
        assert_true(block_holds(rig_fetch(rig, position), position));
    struct log_tail tail;
    log_tail(rig->log, &tail);
    assert_int_equal(tail.first_position, first);
}

static void what_was_committed_before_a_trim_is_synced_before_it(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_stats before, after;
    rig->config.durability = LOG_OS;
    rig_open(rig);
    fill_files(rig, 4, 60);
    rig_commit(rig, 1);
    log_stats(rig->log, &before);
    rig_trim(rig, UINT64_MAX);
    log_stats(rig->log, &after);
    assert_true(after.syncs > before.syncs);
}

static void a_trim_never_passes_the_second_newest_snapshot(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    uint64_t second = fill_files(rig, 4, 60);
    trim_until_something_goes(rig, UINT64_MAX);
    for (int i = 0; i < 10; i++)
        assert_true(rig_trim(rig, UINT64_MAX) <= second + 1);
    assert_true(block_holds(rig_fetch(rig, second + 1), second + 1));
}

static void a_trim_without_two_snapshots_drops_nothing(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    fill_files(rig, 1, 120);
    for (int i = 0; i < 10; i++)
        assert_int_equal(rig_trim(rig, UINT64_MAX), 1);
    rig_commit(rig, 1);
    assert_int_equal(rig_fetch(rig, 1)->number, 1);
}

/* Readers are told of it in between: what goes then must not be more. */
static void the_place_of_a_trim_is_where_the_log_begins_after_it(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    uint64_t second = fill_files(rig, 4, 60), wanted = second / 2, place = 1;
    assert_int_equal(rig_trim_place(rig, 1), 1);
    for (int i = 0; i < 200000 && place == 1; i++) /* as in trim_until_something_goes */
        place = rig_trim_place(rig, wanted);
    assert_true(place > 1 && place <= wanted);
    assert_int_equal(rig_fetch(rig, 1)->first_position, 1); /* asking drops nothing */
    rig_commit(rig, 60);
    uint64_t first = 1;
    for (int i = 0; i < 200000 && first < place; i++) /* RocksDB leaves a file that it is just moving */
        first = rig_trim(rig, place);
    assert_int_equal(first, place);
    assert_int_equal(rig_fetch(rig, 1)->first_position, place);
    assert_true(rig_trim_place(rig, UINT64_MAX) <= second + 1);
}

static void a_trim_of_a_log_without_blocks_has_a_place(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    assert_true(rig_trim_place(rig, UINT64_MAX) <= 1);
}

static void trims_under_way_are_joined(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    rig_open(rig);
    rig_commit(rig, 2);
    for (uint64_t i = 0; i < 50; i++)
        log_trim(rig->log, i);
    rig_await(rig, LOG_TRIMMED, &event);
    rig_await(rig, LOG_TRIMMED, &event);
    assert_int_equal(event.position, 1);
    assert_false(log_poll(rig->log, &event));
}

static void recovery_needs_no_block_before_the_snapshot(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    fill_files(rig, 4, 60);
    uint64_t newest = rig_last_position(rig);
    rig_commit(rig, 5);
    uint64_t first = trim_until_something_goes(rig, UINT64_MAX);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 2 + 5);
    assert_true(rig->seen[1].from_snapshot);
    assert_int_equal(rig->seen[2].first, newest + 1);
    struct log_tail tail;
    log_tail(rig->log, &tail);
    assert_int_equal(tail.first_position, first);
    rig_commit(rig, 3);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 2 + 8);
}

static void a_damaged_snapshot_is_refused(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 3);
    rig_snapshot(rig, rig_last_position(rig), 3);
    log_close(&rig->log);
    rig_damage_snapshot(rig);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_DAMAGED);
    assert_non_null(strstr(rig->error.text, "snapshot"));
    assert_int_equal(rig->seen_count, 0);
}

static void a_loss_behind_a_snapshot_is_noticed_too(void **state)
{
    struct rig *rig = rig_of(state);
    rig->config.durability = LOG_OS; /* the snapshot's end syncs and marks */
    rig_open(rig);
    rig_commit(rig, 6);
    rig_snapshot(rig, rig_last_position(rig), 2);
    log_close(&rig->log);
    rig_lose_newest(rig, 1);
    assert_false(rig_try_open(rig));
    assert_int_equal(rig->error.status, LOG_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(recovery_begins_with_the_newest_snapshot_and_goes_on_with_the_blocks_after_it),
        ON_BOTH(a_snapshot_may_have_more_slices_than_wait_at_once),
        ON_BOTH(a_snapshot_without_its_end_does_not_count),
        ON_BOTH(a_snapshot_that_was_given_up_leaves_nothing_and_another_counts),
        ON_BOTH(a_snapshot_may_be_taken_while_blocks_are_under_way),
        ON_BOTH(a_snapshot_of_an_empty_log_is_harmless),
        ON_BOTH(a_trim_drops_what_ends_below_and_keeps_the_rest),
        ON_BOTH(what_was_committed_before_a_trim_is_synced_before_it),
        ON_BOTH(a_trim_never_passes_the_second_newest_snapshot),
        ON_BOTH(a_trim_without_two_snapshots_drops_nothing),
        ON_BOTH(the_place_of_a_trim_is_where_the_log_begins_after_it),
        ON_BOTH(a_trim_of_a_log_without_blocks_has_a_place),
        ON_BOTH(trims_under_way_are_joined),
        ON_BOTH(recovery_needs_no_block_before_the_snapshot),
        ON_BOTH(a_damaged_snapshot_is_refused),
        ON_BOTH(a_loss_behind_a_snapshot_is_noticed_too),
    };
    return cmocka_run_group_tests_name("log_snapshots", tests, NULL, NULL);
}
