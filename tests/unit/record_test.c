#include "proto/record.h"
#include "tests/support/check.h"

static const uint8_t id[16] = "0123456789abcdef";

static void a_group_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct record_group group = {
        .tenant = span_text("acme"),
        .name = span_text("ocr"),
        .id = 7,
        .options = { .ordering = 1, .lease_ms = 30000, .max_deliveries = 5, .backoff_ms = 1000 },
        .filters = { span_text("docs.>"), span_text("mail.*") },
        .filter_count = 2,
        .generation = 3,
        .floor = { UINT64_MAX, 1, 2, 3 },
        .handed = { 12, 13, 14, UINT64_MAX },
        .paused_ms = 1700000000000,
        .old_filters = { span_text("scans.>") },
        .old_filter_count = 1,
        .filters_from = 99,
        .deleted = true,
    };
    uint8_t bytes[RECORD_GROUP_BOUND];
    size_t size = record_group_write(&group, bytes, sizeof bytes);
    struct record_group found;
    assert_true(size > 0);
    assert_true(record_group_read(span_of(bytes, size), &found));
    assert_text(found.tenant, "acme");
    assert_text(found.name, "ocr");
    assert_int_equal(found.filter_count, 2);
    assert_text(found.filters[1], "mail.*");
    assert_int_equal(found.old_filter_count, 1);
    assert_text(found.old_filters[0], "scans.>");
    assert_true(found.filters_from == 99 && found.paused_ms == 1700000000000 && found.deleted);
    assert_true(found.floor[0] == UINT64_MAX && found.floor[3] == 3 && found.handed[3] == UINT64_MAX);
    uint8_t again[RECORD_GROUP_BOUND];
    assert_int_equal(record_group_write(&found, again, sizeof again), size);
    assert_memory_equal(again, bytes, size);
    assert_int_equal(record_group_write(&group, again, size - 1), 0);
}

static void the_largest_group_fits_its_bound(void **state)
{
    (void)state;
    static char name[255];
    static uint8_t bytes[RECORD_GROUP_BOUND];
    struct span longest = span_of(memset(name, 'x', sizeof name), sizeof name);
    struct record_group group = {
        .tenant = longest,
        .name = longest,
        .id = UINT32_MAX,
        .options = { .limit_by = longest },
        .filter_count = GROUP_FILTERS_MAX,
        .generation = UINT64_MAX,
        .paused_ms = UINT64_MAX,
        .old_filter_count = GROUP_FILTERS_MAX,
        .filters_from = UINT64_MAX,
        .deleted = true,
    };
    for (int i = 0; i < PRIORITY_LEVELS; i++)
        group.floor[i] = group.handed[i] = UINT64_MAX;
    for (uint32_t *option = &group.options.ordering; option <= &group.options.retry_floor; option++)
        *option = UINT32_MAX;
    for (int i = 0; i < GROUP_FILTERS_MAX; i++)
        group.filters[i] = group.old_filters[i] = longest;
    assert_true(record_group_write(&group, bytes, sizeof bytes) > 0);
}

enum { MANY = 50 };

static void a_settle_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct range settled[MANY], settled_room[MANY];
    struct record_failed failed[MANY], failed_room[MANY];
    for (uint64_t i = 0; i < MANY; i++) {
        settled[i] = (struct range){ UINT64_MAX - 1000 + i * 10, UINT64_MAX - 1000 + i * 10 + i % 3 };
        failed[i] = (struct record_failed){ .seq = UINT64_MAX - i,
                                            .due_ms = UINT64_MAX - i,
                                            .attempts = UINT32_MAX - (uint32_t)i,
                                            .deaths = UINT32_MAX,
                                            .cause = i == MANY - 1 ? UINT32_MAX : 0 };
    }
    struct record_settle settle = { .id = UINT32_MAX,
                                    .level = UINT32_MAX,
                                    .generation = UINT64_MAX,
                                    .handed = UINT64_MAX,
                                    .settled = settled,
                                    .settled_count = MANY,
                                    .failed = failed,
                                    .failed_count = MANY };
    uint8_t bytes[8192], again[8192];
    size_t size = record_settle_write(&settle, bytes, sizeof bytes);
    assert_true(size > 0 && size <= record_settle_bound(MANY, MANY));
    assert_int_equal(record_settle_write(&settle, again, record_settle_bound(MANY, MANY)), size);
    struct record_settle found;
    assert_true(record_settle_read(span_of(bytes, size), settled_room, MANY, failed_room, MANY, &found));
    assert_int_equal(found.settled_count, MANY);
    assert_int_equal(found.failed_count, MANY);
    assert_int_equal(record_settle_write(&found, again, sizeof again), size);
    assert_memory_equal(again, bytes, size);
    assert_true(found.failed[0].cause == 0 && found.failed[MANY - 1].cause == UINT32_MAX && found.failed[3].deaths == UINT32_MAX);
    assert_false(record_settle_read(span_of(bytes, size), settled_room, MANY - 1, failed_room, MANY, &found));
    assert_false(record_settle_read(span_of(bytes, size), settled_room, MANY, failed_room, MANY - 1, &found));
    assert_false(record_settle_read(span_of(bytes, size - 1), settled_room, MANY, failed_room, MANY, &found));
}

static void a_settle_without_columns_needs_no_arrays(void **state)
{
    (void)state;
    struct record_settle settle = { .id = 3, .handed = 9 }, found;
    uint8_t bytes[64];
    size_t size = record_settle_write(&settle, bytes, sizeof bytes);
    assert_true(record_settle_read(span_of(bytes, size), NULL, 0, NULL, 0, &found));
    assert_int_equal(found.handed, 9);
    assert_int_equal(found.settled_count + found.failed_count, 0);
}

static void columns_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    struct range settled[4];
    struct record_failed failed[4];
    struct record_settle found;
    assert_false(record_settle_read(span_of("\x22\x03\x01\x02\x03", 5), settled, 4, failed, 4, &found)); /* half a range */
    assert_false(record_settle_read(span_of("\x22\x02\x05\x02", 4), settled, 4, failed, 4, &found));     /* backwards */
    assert_false(record_settle_read(span_of("\x2a\x01\x05", 3), settled, 4, failed, 4, &found));         /* no attempts */
    assert_false(record_settle_read(span_of("\x2d"
                                            "1234",
                                            5),
                                    settled, 4, failed, 4, &found)); /* wrong wire type */
    /* not packed, as any protobuf writer may do */
    assert_true(record_settle_read(span_of("\x20\x01\x20\x02\x28\x05\x30\x01\x38\x09", 10), settled, 4, failed, 4, &found));
    assert_int_equal(settled[0].last, 2);
    assert_int_equal(failed[0].due_ms, 9);
}

static void what_is_rare_of_failures_is_absent_or_whole(void **state)
{
    (void)state;
    struct record_failed failed[2] = { { .seq = 5, .due_ms = 6, .attempts = 7 }, { .seq = 8, .due_ms = 9, .attempts = 1 } }, room[2];
    struct record_settle settle = { .id = 3, .failed = failed, .failed_count = 2 }, found;
    uint8_t bytes[64], rare[64];
    size_t size = record_settle_write(&settle, bytes, sizeof bytes);
    memset(room, 0xff, sizeof room);
    assert_true(record_settle_read(span_of(bytes, size), NULL, 0, room, 2, &found));
    assert_int_equal(room[0].deaths + room[1].deaths + room[0].cause + room[1].cause, 0);
    failed[1].deaths = 1;
    size_t with_deaths = record_settle_write(&settle, rare, sizeof rare);
    assert_int_equal(with_deaths, size + 4);
    rare[with_deaths - 3] = 1; /* the column's length: one value for two failures */
    assert_false(record_settle_read(span_of(rare, with_deaths - 1), NULL, 0, room, 2, &found));
}

static void dead_letters_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct record_dead letters[MANY], room[MANY];
    for (uint64_t i = 0; i < MANY; i++)
        letters[i] = (struct record_dead){ .event = UINT64_MAX - i,
                                           .place = UINT64_MAX,
                                           .time_ms = UINT64_MAX,
                                           .parts_from = UINT64_MAX,
                                           .attempts = UINT32_MAX,
                                           .reason = UINT32_MAX - (uint32_t)i,
                                           .level = UINT32_MAX,
                                           .state = UINT32_MAX };
    struct record_dead_letters dead = { .group = UINT32_MAX, .letters = letters, .count = MANY }, found;
    uint8_t bytes[8192], again[8192];
    size_t size = record_dead_letters_write(&dead, bytes, record_dead_letters_bound(MANY));
    assert_true(size > 0);
    assert_true(record_dead_letters_read(span_of(bytes, size), room, MANY, &found));
    assert_int_equal(found.count, MANY);
    assert_int_equal(record_dead_letters_write(&found, again, sizeof again), size);
    assert_memory_equal(again, bytes, size);
    assert_false(record_dead_letters_read(span_of(bytes, size), room, MANY - 1, &found));
    assert_false(record_dead_letters_read(span_of(bytes, size - 1), room, MANY, &found));
    for (uint32_t i = 0; i < MANY; i++)
        letters[i].parts_from = 0;
    assert_int_equal(record_dead_letters_write(&dead, bytes, sizeof bytes), size - MANY * 10 - 3); /* the column is absent */
    assert_true(record_dead_letters_read(span_of(bytes, size - MANY * 10 - 3), room, MANY, &found));
    assert_true(room[3].parts_from == 0 && room[3].event == UINT64_MAX - 3);
    dead.count = 0;
    size = record_dead_letters_write(&dead, bytes, sizeof bytes);
    assert_true(record_dead_letters_read(span_of(bytes, size), NULL, 0, &found));
    assert_false(record_dead_letters_read(span_of("\x12\x01\x05", 3), room, MANY, &found)); /* an event without a place */
}

static void a_publisher_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct record_run runs[MANY], room[MANY];
    for (uint64_t i = 0; i < MANY; i++)
        runs[i] = (struct record_run){ .number = UINT64_MAX - i, .position = UINT64_MAX, .count = UINT32_MAX };
    struct record_publisher publisher = { .id = span_of(id, 16),
                                          .tenant = span_text("acme"),
                                          .highest = UINT64_MAX,
                                          .forgotten = 4,
                                          .used = UINT64_MAX,
                                          .runs = runs,
                                          .run_count = MANY };
    uint8_t bytes[4096], again[4096];
    size_t size = record_publisher_write(&publisher, bytes, sizeof bytes);
    struct record_publisher found;
    assert_true(size > 0);
    assert_true(record_publisher_read(span_of(bytes, size), room, MANY, &found));
    assert_int_equal(record_publisher_write(&found, again, sizeof again), size);
    assert_memory_equal(again, bytes, size);
    assert_false(record_publisher_read(span_of(bytes, size), room, MANY - 1, &found));
    publisher.id.size = 15;
    size = record_publisher_write(&publisher, bytes, sizeof bytes);
    assert_false(record_publisher_read(span_of(bytes, size), room, MANY, &found));
}

static void a_start_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct record_start start = { span_text("0011223344556677"), UINT64_MAX, UINT64_MAX, UINT64_MAX }, found;
    uint8_t bytes[RECORD_START_BOUND];
    size_t size = record_start_write(&start, bytes, sizeof bytes);
    assert_true(size > 0);
    assert_true(record_start_read(span_of(bytes, size), &found));
    assert_text(found.epoch, "0011223344556677");
    assert_true(found.term == UINT64_MAX && found.first_position == UINT64_MAX && found.time_ms == UINT64_MAX);
    assert_false(record_start_read(span_of(bytes, size - 1), &found));
}

static void a_piece_of_the_token_table_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct record_token tokens[MANY], room[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        tokens[i] = (struct record_token){ .position = 7 + 3 * (uint64_t)i, .time_ms = i / 2, .tenant = i % 2 };
        memset(tokens[i].hash, (int)(0xf0 + i), RECORD_TOKEN_BYTES);
    }
    tokens[MANY - 1].position = tokens[MANY - 1].time_ms = UINT64_MAX;
    struct record_tokens found,
        table = { .tenants = { span_text("acme"), span_text("dev") }, .tenant_count = 2, .tokens = tokens, .count = MANY };
    static uint8_t bytes[32 * 1024], again[sizeof bytes];
    size_t size = record_tokens_write(&table, bytes, sizeof bytes);
    assert_true(size > 0 && size <= record_table_bound(MANY) && record_table_bound(MANY) <= sizeof bytes);
    assert_true(record_tokens_read(span_of(bytes, size), room, MANY, &found));
    assert_text(found.tenants[1], "dev");
    assert_int_equal(found.count, MANY);
    assert_int_equal(room[1].position, 10);
    assert_int_equal(room[1].tenant, 1);
    assert_memory_equal(room[3].hash, tokens[3].hash, RECORD_TOKEN_BYTES);
    assert_int_equal(record_tokens_write(&found, again, sizeof again), size);
    assert_memory_equal(again, bytes, size);
    assert_false(record_tokens_read(span_of(bytes, size), room, MANY - 1, &found));
    assert_int_equal(record_tokens_write(&table, again, size - 1), 0);
    tokens[4].tenant = 2; /* there is none */
    size = record_tokens_write(&table, bytes, sizeof bytes);
    assert_false(record_tokens_read(span_of(bytes, size), room, MANY, &found));
}

static void a_piece_of_the_table_of_held_events_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct record_delay delays[MANY], room[MANY];
    for (uint32_t i = 0; i < MANY; i++)
        delays[i] = (struct record_delay){ .first = UINT64_MAX - i, .position = 9 - i % 3, .due_ms = i, .parts_from = i % 2 };
    struct record_delays found, table = { .tenants = { span_text("acme") }, .tenant_count = 1, .delays = delays, .count = MANY };
    static uint8_t bytes[32 * 1024], again[sizeof bytes];
    size_t size = record_delays_write(&table, bytes, sizeof bytes);
    assert_true(size > 0);
    assert_true(record_delays_read(span_of(bytes, size), room, MANY, &found));
    assert_true(room[5].first == UINT64_MAX - 5 && room[5].position == 7 && room[5].due_ms == 5 && room[5].parts_from == 1);
    assert_int_equal(record_delays_write(&found, again, sizeof again), size);
    assert_memory_equal(again, bytes, size);
    assert_false(record_delays_read(span_of(bytes, size), room, MANY - 1, &found));
    assert_false(record_delays_read(span_of(bytes, size - 1), room, MANY, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_read_as_it_was_written),
        cmocka_unit_test(the_largest_group_fits_its_bound),
        cmocka_unit_test(a_settle_is_read_as_it_was_written),
        cmocka_unit_test(a_settle_without_columns_needs_no_arrays),
        cmocka_unit_test(columns_that_do_not_fit_together_are_refused),
        cmocka_unit_test(what_is_rare_of_failures_is_absent_or_whole),
        cmocka_unit_test(dead_letters_are_read_as_they_were_written),
        cmocka_unit_test(a_publisher_is_read_as_it_was_written),
        cmocka_unit_test(a_start_is_read_as_it_was_written),
        cmocka_unit_test(a_piece_of_the_token_table_is_read_as_it_was_written),
        cmocka_unit_test(a_piece_of_the_table_of_held_events_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
