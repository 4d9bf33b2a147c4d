/* What the weir command does without a coordinator: histogram, raw members of JSON, base64, places. */
#include "sdk/cli/cli.h"
#include "sdk/cli/histogram.h"
#include "sdk/cli/json_raw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_percentile_is_right_to_two_percent(void **state)
{
    (void)state;
    static struct histogram h;
    for (uint64_t i = 1; i <= 100000; i++)
        histogram_add(&h, i * 1000);
    assert_int_equal(h.total, 100000);
    assert_int_equal(h.max, 100000000);
    assert_in_range(histogram_at(&h, 500000), 50000000, 51000000);
    assert_in_range(histogram_at(&h, 990000), 99000000, 100000000);
    assert_int_equal(histogram_at(&h, 1000000), 100000000);
}

static void the_ends_of_the_range_have_buckets(void **state)
{
    (void)state;
    static struct histogram h;
    assert_int_equal(histogram_at(&h, 500000), 0);
    histogram_add(&h, 0);
    assert_int_equal(histogram_at(&h, 999000), 0);
    histogram_add(&h, UINT64_MAX);
    assert_true(histogram_at(&h, 1000000) == UINT64_MAX);
}

static void assert_member(const char *text, const char *name, const char *wanted)
{
    const char *value = NULL;
    size_t size = 0;
    bool found = json_raw_member(text, strlen(text), name, &value, &size);
    assert_int_equal(found, wanted != NULL);
    if (!wanted) return;
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(value, wanted, size);
}

static void a_member_comes_out_byte_for_byte(void **state)
{
    (void)state;
    assert_member("{\"data\":1.0e2}", "data", "1.0e2");
    assert_member(" { \"a\" : [1,{\"data\":0}] , \"data\" : { \"x\" : \"}\\\"\" , \"y\":[ ] } } ", "data",
                  "{ \"x\" : \"}\\\"\" , \"y\":[ ] }");
    assert_member("{\"s\":\"\\\\\",\"data\":\"\\u00e9\"}", "data", "\"\\u00e9\"");
    assert_member("{\"data\":true,\"b\":null}", "data", "true");
    assert_member("{\"b\":{\"data\":1}}", "data", NULL);
    assert_member("{}", "data", NULL);
    assert_member("[1]", "data", NULL);
}

static void bytes_survive_base64(void **state)
{
    (void)state;
    unsigned char bytes[64];
    for (size_t size = 0; size < sizeof bytes; size++) {
        for (size_t i = 0; i < size; i++)
            bytes[i] = (unsigned char)(i * 37 + size);
        char *text = cli_base64(bytes, size);
        size_t back_size = 0;
        unsigned char *back = cli_base64_decode(text, strlen(text), &back_size);
        assert_non_null(back);
        assert_int_equal(back_size, size);
        assert_memory_equal(back, bytes, size);
        free(back);
        free(text);
    }
}

static void what_is_not_base64_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "A", "AB=C", "AB!D", "====", "ABCDE" };
    size_t size = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(cli_base64_decode(bad[i], strlen(bad[i]), &size));
}

static void a_place_is_an_id_a_seq_a_time_or_a_length_of_time(void **state)
{
    (void)state;
    struct cli_place place;
    assert_true(cli_place("start", &place));
    assert_int_equal(place.kind, CLI_PLACE_START);
    assert_true(cli_place("00ff00ff00ff00ff-1048577", &place));
    assert_int_equal(place.kind, CLI_PLACE_ID);
    assert_int_equal(place.value, 1048577);
    assert_true(cli_place("120", &place));
    assert_int_equal(place.kind, CLI_PLACE_SEQ);
    assert_int_equal(place.value, 120);
    assert_true(cli_place("2026-01-31T12:00:00.5Z", &place));
    assert_int_equal(place.kind, CLI_PLACE_TIME);
    assert_true(place.value == UINT64_C(1769860800500));
    uint64_t now = cli_wall_ms();
    assert_true(cli_place("15m", &place));
    assert_int_equal(place.kind, CLI_PLACE_TIME);
    assert_in_range(place.value, now - 900000, now - 900000 + 10000);
    assert_false(cli_place("yesterday", &place));
    assert_false(cli_place("12x", &place));
    assert_false(cli_place("", &place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_percentile_is_right_to_two_percent), cmocka_unit_test(the_ends_of_the_range_have_buckets),
        cmocka_unit_test(a_member_comes_out_byte_for_byte),     cmocka_unit_test(bytes_survive_base64),
        cmocka_unit_test(what_is_not_base64_is_refused),        cmocka_unit_test(a_place_is_an_id_a_seq_a_time_or_a_length_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
