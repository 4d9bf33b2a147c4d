/* The faults of the memory disk, and that the log above it keeps the contract under them. */
#include "tests/contract/log_suite.h"

#include <string.h>

static void fail_second_of_three(struct rig *rig, bool kept)
{
    struct log_event event;
    rig_open(rig);
    memory_disk_fail_write(rig->disk, 2, kept);
    for (int i = 0; i < 3; i++)
        rig_submit(rig);
    rig_await(rig, LOG_COMMITTED, &event);
    assert_int_equal(event.number, 1);
    rig_await(rig, LOG_FAILED, &event);
    assert_int_equal(event.number, 2);
    assert_true(strlen(event.text) > 20);
    for (int i = 0; i < 10; i++)
        rig_submit(rig);
    assert_false(log_poll(rig->log, &event));
    assert_int_equal(rig_fetch(rig, 1)->number, 1); /* reads go on */
    assert_null(rig_fetch(rig, rig_last_position(rig) + 1));
}

static void after_a_failed_write_nothing_completes_any_more(void **state)
{
    fail_second_of_three(rig_of(state), false);
}

static void the_block_of_a_failed_write_may_be_there_after_all(void **state)
{
    struct rig *rig = rig_of(state);
    fail_second_of_three(rig, true);
    log_memory_crash(&rig->log, 1, false);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 2);
}

static void the_block_of_a_failed_write_may_be_lost(void **state)
{
    struct rig *rig = rig_of(state);
    fail_second_of_three(rig, true);
    log_memory_crash(&rig->log, 0, true);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 1);
}

static void a_crash_keeps_every_synced_block_and_a_prefix_of_the_others(void **state)
{
    for (int torn = 0; torn <= 1; torn++) {
        for (size_t kept = 0; kept <= 4; kept++) {
            struct rig *rig = rig_new(false);
            rig->config.durability = LOG_OS;
            rig_open(rig);
            rig_commit(rig, 3);
            log_memory_sync(rig->log);
            rig_commit(rig, 4);
            log_memory_crash(&rig->log, kept, torn != 0);
            rig_open(rig);
            assert_int_equal(rig_recover(rig), LOG_OK);
            assert_int_equal(rig->seen_count, 3 + kept);
            rig_commit(rig, 2);
            rig_reopen(rig);
            assert_int_equal(rig->seen_count, 5 + kept);
            rig_free(rig);
        }
    }
    (void)state;
}

static void with_fsync_a_crash_loses_nothing_that_was_committed(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 3);
    rig_submit(rig);
    rig_submit(rig);
    log_memory_crash(&rig->log, 1, true);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 4); /* one of the two under way, the other was torn */
}

static void nothing_is_written_behind_a_block_that_failed(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 3);
    memory_disk_fail_write(rig->disk, 1, false);
    rig_submit(rig);
    rig_submit(rig);
    log_memory_crash(&rig->log, SIZE_MAX, false);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 3);
}

static void a_torn_block_does_not_trouble_a_reader(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 3);
    rig_submit(rig);
    log_memory_crash(&rig->log, 0, true);
    rig->config.read_only = true;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 3);
    rig_commit(rig, 1);
    assert_int_equal(rig_fetch(rig, rig_last_position(rig))->number, 4);
}

static void a_slow_disk_completes_nothing_and_is_read_all_the_same(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    rig_open(rig);
    rig_commit(rig, 2);
    log_memory_hold(rig->log, true);
    rig_submit(rig);
    assert_false(log_poll(rig->log, &event));
    assert_int_equal(rig_fetch(rig, 1)->number, 1);
    assert_null(rig_fetch(rig, rig_last_position(rig) + 1));
    log_memory_hold(rig->log, false);
    rig_await(rig, LOG_COMMITTED, &event);
    assert_int_equal(event.number, 3);
}

static void a_snapshot_waits_for_the_blocks_before_its_end(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    rig_open(rig);
    rig_commit(rig, 2);
    log_memory_hold(rig->log, true);
    rig_submit(rig);
    log_snapshot_begin(rig->log, rig->next_position - 1);
    log_snapshot_end(rig->log);
    assert_false(log_poll(rig->log, &event));
    log_memory_crash(&rig->log, 0, false);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 2); /* it does not know of the lost block, since it does not count */
}

static void a_full_disk_stops_the_log(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    memory_disk_free(&rig->disk);
    rig->disk = memory_disk_new(7, 2000);
    rig_open(rig);
    uint64_t committed = 0;
    for (;;) {
        rig_submit(rig);
        assert_true(log_poll(rig->log, &event));
        if (event.kind == LOG_FAILED) break;
        committed = event.number;
    }
    assert_true(committed > 0);
    assert_int_equal(event.number, committed + 1);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, committed);
}

static void a_log_with_a_disk_of_its_own_starts_empty_each_time(void **state)
{
    struct rig *rig = rig_of(state);
    for (int i = 0; i < 2; i++) {
        rig->log = log_open_memory(&rig->config, &rig->error);
        assert_non_null(rig->log);
        struct log_tail tail;
        log_tail(rig->log, &tail);
        assert_true(tail.empty);
        rig->next_number = rig->next_position = 1;
        rig_commit(rig, 2);
        log_close(&rig->log);
        assert_null(rig->log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(memory, after_a_failed_write_nothing_completes_any_more),
        ON(memory, the_block_of_a_failed_write_may_be_there_after_all),
        ON(memory, the_block_of_a_failed_write_may_be_lost),
        ON(memory, a_crash_keeps_every_synced_block_and_a_prefix_of_the_others),
        ON(memory, with_fsync_a_crash_loses_nothing_that_was_committed),
        ON(memory, a_torn_block_does_not_trouble_a_reader),
        ON(memory, a_slow_disk_completes_nothing_and_is_read_all_the_same),
        ON(memory, a_snapshot_waits_for_the_blocks_before_its_end),
        ON(memory, nothing_is_written_behind_a_block_that_failed),
        ON(memory, a_full_disk_stops_the_log),
        ON(memory, a_log_with_a_disk_of_its_own_starts_empty_each_time),
    };
    return cmocka_run_group_tests_name("log_memory", tests, NULL, NULL);
}
