#include "proto/parts.h"
#include "tests/support/check.h"

static void what_is_written_is_read(void **state)
{
    (void)state;
    const uint64_t positions[] = { 1, 2, 300, UINT64_C(9007199254740990) };
    uint64_t found[4];
    uint8_t bytes[64];
    struct event event;
    struct parts parts;
    size_t size = event_encode(&(struct event){ .topic = span_text("t") }, NULL, 0, bytes);
    size += parts_field_write(3 * PART_BYTES + 1, positions, 4, bytes + size);
    assert_true(size <= 3 + parts_field_bound(4));
    assert_int_equal(event_scan(span_of(bytes, size), &event), EVENT_OK);
    assert_true(parts_read(event.parts, found, 4, &parts));
    assert_int_equal(parts.size, 3 * PART_BYTES + 1);
    assert_int_equal(parts.count, 4);
    assert_memory_equal(found, positions, sizeof positions);
    assert_false(parts_read(event.parts, found, 3, &parts)); /* more than there is room for */
}

static bool reads(const char *bytes, size_t size)
{
    struct parts parts;
    return parts_read(span_of(bytes, size), NULL, PARTS_MAX, &parts);
}

static void only_rising_positions_of_the_right_number_are_read(void **state)
{
    (void)state;
    assert_true(reads("\x08\x05\x12\x01\x07", 5));
    assert_false(reads("\x08\x05\x12\x02\x07\x01", 6)); /* 5 bytes are one part */
    assert_false(reads("\x08\x05\x12\x02\x07\x00", 6)); /* twice the same */
    assert_false(reads("\x08\x05", 2));
    assert_false(reads("\x12\x01\x07", 3));
    assert_false(reads("\x08\x05\x12\x02\x07", 5)); /* cut */
    assert_false(reads("\x08\x05\x12\x09\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 13));
    assert_false(reads("", 0));
}

static void a_part_has_the_size_of_its_place(void **state)
{
    (void)state;
    assert_true(parts_fit(0, 2, PART_BYTES) && parts_fit(1, 2, 1) && parts_fit(1, 2, PART_BYTES));
    assert_false(parts_fit(0, 2, PART_BYTES - 1) || parts_fit(1, 2, PART_BYTES + 1) || parts_fit(1, 2, 0) || parts_fit(2, 2, 1));
    assert_int_equal(parts_count(PART_BYTES), 1);
    assert_int_equal(parts_count(PART_BYTES + 1), 2);
}

static size_t fill(uint8_t *out, uint8_t *data, size_t data_size)
{
    for (size_t i = 0; i < data_size; i++)
        data[i] = (uint8_t)(i * 7);
    struct event event = { .topic = span_text("docs.7"), .key = span_text("k"), .data = span_of(data, data_size), .traceparent = span_text("00") };
    return event_encode(&event, NULL, 0, out);
}

static void what_is_cut_is_joined_again(void **state)
{
    (void)state;
    enum { SIZE = 2 * PART_BYTES + 7 };
    static uint8_t data[SIZE], whole[SIZE + 100], small[200], room[PARTS_FRONT + SIZE + 200];
    const uint64_t positions[] = { 5, 6, 9 };
    struct span before, cut, after, joined;
    struct event event;
    size_t size = fill(whole, data, SIZE);
    assert_true(parts_cut(span_of(whole, size), &before, &cut, &after));
    assert_int_equal(cut.size, SIZE);
    memcpy(small, before.data, before.size);
    memcpy(small + before.size, after.data, after.size);
    size_t rest = before.size + after.size;
    size_t sealed = rest + parts_field_write(SIZE, positions, 3, small + rest);
    memcpy(room + PARTS_FRONT, cut.data, cut.size);
    assert_true(parts_join(room, SIZE, span_of(small, sealed), &joined));
    assert_int_equal(event_scan(joined, &event), EVENT_OK);
    assert_int_equal(event.data.size, SIZE);
    assert_memory_equal(event.data.data, data, SIZE);
    assert_text(event.topic, "docs.7");
    assert_text(event.traceparent, "00");
    assert_int_equal(event.parts.size, 0); /* the coordinator's field is gone */
    assert_int_equal(joined.size, size);
    assert_false(parts_join(room, SIZE - 1, span_of(small, sealed), &joined)); /* other data */
    assert_false(parts_join(room, SIZE, span_of(small, rest), &joined));      /* of no parts */
    struct span author, field;
    assert_true(parts_author(span_of(small, sealed), &author, &field));
    assert_int_equal(author.size, rest);
    assert_false(parts_author(span_of(small, rest), &author, &field));
}

static void what_is_written_longer_than_it_need_be_is_not_cut(void **state)
{
    (void)state;
    struct span before, data, after;
    assert_true(parts_cut(span_of("\x0a\x01t\x42\x01x", 6), &before, &data, &after));
    assert_false(parts_cut(span_of("\x0a\x01t\x42\x81\x00x", 7), &before, &data, &after));
    assert_false(parts_cut(span_of("\x0a\x01t", 3), &before, &data, &after));
    assert_false(parts_cut(span_of("\xff", 1), &before, &data, &after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(only_rising_positions_of_the_right_number_are_read),
        cmocka_unit_test(a_part_has_the_size_of_its_place),
        cmocka_unit_test(what_is_cut_is_joined_again),
        cmocka_unit_test(what_is_written_longer_than_it_need_be_is_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
