/* The contract of coordinator/log/log.h, over every backend. */
#include "tests/contract/log_rig.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static struct rig *rig_of(void **state)
{
    return *state;
}

static int set_up(void **state, bool rocks)
{
    *state = rig_new(rocks);
    return 0;
}

static int set_up_memory(void **state)
{
    return set_up(state, false);
}

static int set_up_rocks(void **state)
{
    return set_up(state, true);
}

static int tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

static void a_new_log_is_empty(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 0);
    struct log_tail tail;
    log_tail(rig->log, &tail);
    assert_true(tail.empty);
    assert_int_equal(tail.last_number, 0);
    assert_int_equal(tail.last_position, 0);
    assert_int_equal(tail.first_position, 1);
    struct log_identity identity;
    log_identity(rig->log, &identity);
    assert_true(identity.log_id != 0);
    assert_int_equal(identity.restore_count, 0);
    assert_int_equal(identity.term, 1);
    assert_int_equal(strlen(identity.epoch), 16);
    assert_null(rig_fetch(rig, 1));
    assert_null(rig_fetch_before(rig, 100));
}

static void blocks_complete_in_the_order_of_their_submission(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    rig_open(rig);
    uint64_t committed = 0;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < RIG_SUBMITS; i++)
            rig_submit(rig);
        for (int i = 0; i < RIG_SUBMITS; i++) {
            rig_await(rig, LOG_COMMITTED, &event);
            assert_int_equal(event.number, ++committed);
        }
    }
    struct log_tail tail;
    log_tail(rig->log, &tail);
    assert_int_equal(tail.last_number, committed);
    assert_int_equal(tail.last_position, rig->next_position - 1);
    assert_int_equal(tail.last_time_ms, 1000 + committed);
    assert_false(tail.empty);
    assert_true(tail.bytes > 0);
}

static void nothing_completes_before_it_is_polled(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    rig_open(rig);
    assert_false(log_poll(rig->log, &event));
    rig_submit(rig);
    rig_await(rig, LOG_COMMITTED, &event);
    assert_false(log_poll(rig->log, &event));
    struct pollfd quiet = { .fd = log_fd(rig->log), .events = POLLIN };
    assert_int_equal(poll(&quiet, 1, 0), 0);
}

static void a_fetch_finds_the_block_that_holds_a_position_or_the_next(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 3);
    uint64_t gap = rig->next_position;
    rig_skip(rig, 1 << 20);
    rig_commit(rig, 3);
    struct log_tail tail;
    log_tail(rig->log, &tail);

    for (uint64_t position = 1; position < gap; position++)
        assert_true(block_holds(rig_fetch(rig, position), position));
    const struct block *after_gap = rig_fetch(rig, gap);
    assert_int_equal(after_gap->number, 4);
    assert_int_equal(after_gap->first_position, gap + (1 << 20));
    assert_int_equal(rig_fetch(rig, gap + 77)->number, 4);
    assert_int_equal(rig_fetch(rig, 0)->number, 1);
    assert_int_equal(rig_fetch(rig, tail.last_position)->number, 6);
    assert_null(rig_fetch(rig, tail.last_position + 1));
    assert_null(rig_fetch(rig, UINT64_MAX));
}

static void a_fetch_before_finds_the_last_block_that_begins_there_or_earlier(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_skip(rig, 9);
    rig_commit(rig, 3);
    uint64_t gap = rig->next_position;
    rig_skip(rig, 1000);
    rig_commit(rig, 2);

    assert_null(rig_fetch_before(rig, 9));
    assert_int_equal(rig_fetch_before(rig, 10)->number, 1);
    assert_true(block_holds(rig_fetch_before(rig, gap - 1), gap - 1));
    assert_int_equal(rig_fetch_before(rig, gap + 500)->number, 3);
    assert_int_equal(rig_fetch_before(rig, gap + 1000)->number, 4);
    assert_int_equal(rig_fetch_before(rig, UINT64_MAX)->number, 5);
}

static void all_fetches_under_way_are_answered(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    rig_open(rig);
    rig_commit(rig, 8);
    for (uint64_t i = 0; i < 16; i++)
        log_fetch(rig->log, 1 + i, &rig->blocks[i]);
    for (uint64_t i = 0; i < 16; i++) {
        rig_await(rig, LOG_FETCHED, &event);
        assert_true(block_holds(event.block, event.position));
        rig_check_block(rig, event.block);
    }
}

static void what_is_committed_is_there_after_a_reopen(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 7);
    struct log_identity before, after;
    log_identity(rig->log, &before);
    uint64_t last = rig_last_position(rig);

    rig_reopen(rig);
    log_identity(rig->log, &after);
    assert_int_equal(rig->seen_count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(rig->seen[i].number, i + 1);
    assert_int_equal(rig_last_position(rig), last);
    assert_string_equal(before.epoch, after.epoch);
    assert_int_equal(after.term, before.term + 1);

    rig_skip(rig, 1 << 20);
    rig_commit(rig, 2);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 9);
    assert_int_equal(rig_fetch(rig, last + 1)->number, 8);
}

static void blocks_under_way_are_written_by_the_close(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    for (int i = 0; i < RIG_SUBMITS; i++)
        rig_submit(rig);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, RIG_SUBMITS);
}

static void every_durability_keeps_what_a_clean_close_leaves(void **state)
{
    struct rig *rig = rig_of(state);
    for (int d = LOG_FSYNC; d <= LOG_OS; d++) {
        rig->config.durability = (enum log_durability)d;
        rig->config.interval_ms = 3600 * 1000;
        rig_open(rig);
        rig_commit(rig, 5);
        log_close(&rig->log);
    }
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 15);
}

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

static void a_second_writer_is_refused(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 1);
    struct log *first = rig->log;
    rig->log = NULL;
    assert_false(rig_try_open(rig));
    assert_int_equal(rig->error.status, LOG_IN_USE);
    if (rig->rocks) assert_non_null(strstr(rig->error.text, rig->directory));
    rig->log = first;
    rig_commit(rig, 1); /* the first is unharmed */
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 2);
}

static void a_read_only_log_takes_writes_above_what_it_reads(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 4);
    uint64_t source_last = rig_last_position(rig);
    struct log_identity writer, reader;
    log_identity(rig->log, &writer);
    log_close(&rig->log);

    rig->config.read_only = true;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 4);
    log_identity(rig->log, &reader);
    assert_int_equal(reader.term, writer.term);
    assert_string_equal(reader.epoch, writer.epoch);
    rig_skip(rig, 1 << 20);
    rig_commit(rig, 3);
    assert_int_equal(rig_fetch(rig, source_last)->number, 4);
    assert_int_equal(rig_fetch(rig, source_last + 1)->number, 5);
    assert_int_equal(rig_fetch(rig, rig_last_position(rig))->number, 7);
    assert_null(rig_fetch(rig, rig_last_position(rig) + 1));
    assert_int_equal(rig_fetch_before(rig, UINT64_MAX)->number, 7);
    assert_int_equal(rig_fetch_before(rig, source_last + 9)->number, 4);
    log_snapshot_begin(rig->log, rig_last_position(rig)); /* ignored, like a trim */
    log_snapshot_end(rig->log);
    log_trim(rig->log, UINT64_MAX);
    struct log_event event;
    assert_false(log_poll(rig->log, &event));
    log_close(&rig->log);

    rig->config.read_only = false;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 4); /* the source knows nothing of it */
}

static void a_read_only_log_sees_a_moment_of_one_that_is_written(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 4);
    rig_snapshot(rig, rig_last_position(rig), 1);
    rig_commit(rig, 2);
    struct log *writer = rig->log;
    uint64_t number = rig->next_number, position = rig->next_position;
    rig->log = NULL;
    rig->config.read_only = true;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 1 + 2);
    struct log *reader = rig->log;

    rig->log = writer;
    rig->next_number = number;
    rig->next_position = position;
    rig_commit(rig, 3);
    rig->log = reader;
    assert_int_equal(rig_last_position(rig), position - 1);
    assert_null(rig_fetch(rig, position));
    assert_int_equal(rig_fetch(rig, 1)->number, 1);
    log_close(&rig->log);
    rig->log = writer;
    rig->config.read_only = false;
}

static void a_damaged_block_is_refused_with_its_position(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 9);
    uint64_t position = rig_fetch(rig, 12)->first_position;
    uint64_t number = rig_fetch(rig, 12)->number;
    log_close(&rig->log);
    rig_damage(rig, position);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_DAMAGED);
    assert_int_equal(rig->seen_count, number - 1);
    char expected[64];
    snprintf(expected, sizeof expected, "position %llu", (unsigned long long)position);
    assert_non_null(strstr(rig->error.text, expected));
    if (rig->rocks) assert_non_null(strstr(rig->error.text, rig->directory));

    struct log_event event;
    log_fetch(rig->log, position, &rig->blocks[0]);
    rig_await(rig, LOG_FETCH_FAILED, &event);
    assert_ptr_equal(event.block, &rig->blocks[0]);
    assert_non_null(strstr(event.text, expected));
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

static void a_record_that_cannot_be_applied_ends_the_recovery_with_its_position(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 5);
    log_close(&rig->log);
    rig->refuse_at = 4;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_DAMAGED);
    assert_non_null(strstr(rig->error.text, "position 4"));
}

static void lost_blocks_are_noticed_and_may_be_accepted(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 6);
    struct log_identity before, after;
    log_identity(rig->log, &before);
    log_close(&rig->log);
    rig_lose_newest(rig, 2);
    assert_false(rig_try_open(rig));
    assert_int_equal(rig->error.status, LOG_LOST);
    rig->config.accept_loss = true;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 4);
    log_identity(rig->log, &after);
    assert_int_equal(after.log_id, before.log_id);
    assert_int_equal(after.restore_count, before.restore_count + 1);
    assert_string_not_equal(after.epoch, before.epoch);
    rig_commit(rig, 1);
    log_close(&rig->log);
    rig->config.accept_loss = false;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_int_equal(rig->seen_count, 5);
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

static void the_figures_count(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 5);
    rig_fetch(rig, 1);
    struct log_stats stats;
    log_stats(rig->log, &stats);
    assert_int_equal(stats.blocks, 5);
    assert_int_equal(stats.syncs, 5);
    assert_int_equal(stats.fetches, 1);
    assert_true(stats.bytes_in > 0 && stats.bytes_stored > 0);
}

#define ON(backend, test)                                                                                                                  \
    {                                                                                                                                      \
#test " (" #backend ")", test, set_up_##backend, tear_down, NULL                                                                   \
    }
#define ON_BOTH(test) ON(memory, test), ON(rocks, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_new_log_is_empty),
        ON_BOTH(blocks_complete_in_the_order_of_their_submission),
        ON_BOTH(nothing_completes_before_it_is_polled),
        ON_BOTH(a_fetch_finds_the_block_that_holds_a_position_or_the_next),
        ON_BOTH(a_fetch_before_finds_the_last_block_that_begins_there_or_earlier),
        ON_BOTH(all_fetches_under_way_are_answered),
        ON_BOTH(what_is_committed_is_there_after_a_reopen),
        ON_BOTH(blocks_under_way_are_written_by_the_close),
        ON_BOTH(every_durability_keeps_what_a_clean_close_leaves),
        ON_BOTH(recovery_begins_with_the_newest_snapshot_and_goes_on_with_the_blocks_after_it),
        ON_BOTH(a_snapshot_may_have_more_slices_than_wait_at_once),
        ON_BOTH(a_snapshot_without_its_end_does_not_count),
        ON_BOTH(a_snapshot_may_be_taken_while_blocks_are_under_way),
        ON_BOTH(a_snapshot_of_an_empty_log_is_harmless),
        ON_BOTH(a_trim_drops_what_ends_below_and_keeps_the_rest),
        ON_BOTH(a_trim_never_passes_the_second_newest_snapshot),
        ON_BOTH(a_trim_without_two_snapshots_drops_nothing),
        ON_BOTH(trims_under_way_are_joined),
        ON_BOTH(recovery_needs_no_block_before_the_snapshot),
        ON_BOTH(a_second_writer_is_refused),
        ON_BOTH(a_read_only_log_takes_writes_above_what_it_reads),
        ON_BOTH(a_read_only_log_sees_a_moment_of_one_that_is_written),
        ON_BOTH(a_damaged_block_is_refused_with_its_position),
        ON_BOTH(a_damaged_snapshot_is_refused),
        ON_BOTH(a_record_that_cannot_be_applied_ends_the_recovery_with_its_position),
        ON_BOTH(lost_blocks_are_noticed_and_may_be_accepted),
        ON_BOTH(a_loss_behind_a_snapshot_is_noticed_too),
        ON_BOTH(the_figures_count),
    };
    return cmocka_run_group_tests_name("log_contract", tests, NULL, NULL);
}
