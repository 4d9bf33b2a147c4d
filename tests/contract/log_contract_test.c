/* The contract of coordinator/log/log.h, over every backend. */
#include "tests/contract/log_suite.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

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

static uint64_t start_position(struct rig *rig)
{
    struct log_identity identity;
    struct log_tail tail;
    log_identity(rig->log, &identity);
    log_tail(rig->log, &tail);
    return log_start_position(&tail, identity.term);
}

/* What a start showed before its first commit, and lost, is nobody else's place. */
static void each_start_has_positions_of_its_own(void **state)
{
    enum { RANGE = 1 << 20 };
    struct rig *rig = rig_of(state);
    rig_open(rig);
    assert_int_equal(start_position(rig), 1);
    rig_reopen(rig);
    assert_int_equal(start_position(rig), 1 + RANGE);
    rig_commit(rig, 3);
    uint64_t last = rig_last_position(rig);
    for (uint64_t starts = 1; starts <= 3; starts++) {
        rig_reopen(rig);
        assert_int_equal(start_position(rig), last + starts * RANGE);
    }
    rig_commit(rig, 1);
    rig_reopen(rig);
    assert_int_equal(start_position(rig), rig_last_position(rig) + RANGE);
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
    log_trim_place(rig->log, UINT64_MAX);
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

/* Every limit of a block reached at once: distinct topics of full length, distinct publishers, bodies that do not compress. */
static void fill_to_the_brim(struct rig *rig, struct block *block)
{
    uint64_t noise = 88172645463325252u;
    uint8_t body[BLOCK_BODIES_MAX / BLOCK_RECORDS_MAX], publisher[16];
    char topic[256];
    block_open(block, rig->next_number, rig->next_position, 1, 1);
    for (uint32_t i = 0; i < BLOCK_RECORDS_MAX; i++) {
        for (size_t j = 0; j < sizeof body; j++) {
            noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
            body[j] = (uint8_t)noise;
            publisher[j % sizeof publisher] = (uint8_t)(noise >> 8);
        }
        memset(topic, 'a' + (int)(noise % 26), 255);
        topic[snprintf(topic, sizeof topic, "t%u", i)] = '.';
        uint16_t topic_index = i < BLOCK_TOPICS_MAX ? block_topic(block, span_text("dev"), span_of(topic, 255)) : 0;
        uint16_t publisher_index = i < BLOCK_PUBLISHERS_MAX ? block_publisher(block, publisher) : 0;
        assert_true(topic_index != UINT16_MAX && publisher_index != UINT16_MAX);
        block_append(block,
                     (struct record){ .kind = RECORD_EVENT,
                                      .topic = (uint16_t)(topic_index + 1),
                                      .publisher = (uint16_t)(publisher_index + 1),
                                      .number = UINT64_MAX - i,
                                      .cause = UINT64_MAX - i,
                                      .time_delta_ms = UINT32_MAX },
                     span_of(body, sizeof body));
    }
}

static void the_fullest_block_fits(void **state)
{
    struct rig *rig = rig_of(state);
    struct log_event event;
    struct block *full = &rig->blocks[0], *read = &rig->blocks[1];
    rig_open(rig);
    fill_to_the_brim(rig, full);
    log_submit(rig->log, full);
    rig_await(rig, LOG_COMMITTED, &event);
    log_fetch(rig->log, rig->next_position + 5000, read);
    rig_await(rig, LOG_FETCHED, &event);
    assert_int_equal(read->record_count, BLOCK_RECORDS_MAX);
    assert_int_equal(read->bodies_size, full->bodies_size);
    assert_memory_equal(read->bodies, full->bodies, full->bodies_size);
    assert_memory_equal(read->publishers, full->publishers, full->publisher_count * 16);
    assert_true(span_equal(block_topic_name(read, read->topic_count - 1), block_topic_name(full, full->topic_count - 1)));
    assert_int_equal(read->records[BLOCK_RECORDS_MAX - 1].cause, full->records[BLOCK_RECORDS_MAX - 1].cause);
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
        ON_BOTH(each_start_has_positions_of_its_own),
        ON_BOTH(blocks_under_way_are_written_by_the_close),
        ON_BOTH(every_durability_keeps_what_a_clean_close_leaves),
        ON_BOTH(a_second_writer_is_refused),
        ON_BOTH(a_read_only_log_takes_writes_above_what_it_reads),
        ON_BOTH(a_read_only_log_sees_a_moment_of_one_that_is_written),
        ON_BOTH(a_damaged_block_is_refused_with_its_position),
        ON_BOTH(a_record_that_cannot_be_applied_ends_the_recovery_with_its_position),
        ON_BOTH(lost_blocks_are_noticed_and_may_be_accepted),
        ON_BOTH(the_fullest_block_fits),
        ON_BOTH(the_figures_count),
    };
    return cmocka_run_group_tests_name("log_contract", tests, NULL, NULL);
}
