/* metrics.h: the text that Prometheus reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sdk/program/metrics.h"

static void a_family_has_help_type_and_samples(void **state)
{
    (void)state;
    struct metrics m = { 0 };
    metrics_family(&m, "weir_x_total", METRICS_COUNTER, "things\nseen");
    metrics_uint(&m, "weir_x_total", UINT64_MAX, NULL);
    metrics_uint(&m, "weir_x_total", 2, "a", "q\"\\\n", "b", "", NULL);
    metrics_double(&m, "weir_x_total", 0.25, NULL);
    static const char want[] = "# HELP weir_x_total things\\nseen\n# TYPE weir_x_total counter\nweir_x_total 18446744073709551615\n"
                               "weir_x_total{a=\"q\\\"\\\\\\n\",b=\"\"} 2\nweir_x_total 0.25\n";
    assert_int_equal(m.size, sizeof want - 1);
    assert_memory_equal(m.data, want, m.size);
    metrics_free(&m);
}

static void a_histogram_is_cumulative(void **state)
{
    (void)state;
    struct metrics m = { 0 };
    const double bounds[] = { 0.001, 1 };
    const uint64_t counts[] = { 1, 2, 4 };
    metrics_histogram(&m, "h", bounds, counts, 2, 9.5, "k", "v", NULL);
    static const char want[] = "h_bucket{k=\"v\",le=\"0.001\"} 1\nh_bucket{k=\"v\",le=\"1\"} 3\nh_bucket{k=\"v\",le=\"+Inf\"} 7\n"
                               "h_sum{k=\"v\"} 9.5\nh_count{k=\"v\"} 7\n";
    assert_int_equal(m.size, sizeof want - 1);
    assert_memory_equal(m.data, want, m.size);
    metrics_free(&m);
}

static void the_buffer_grows(void **state)
{
    (void)state;
    struct metrics m = { 0 };
    for (int i = 0; i < 10000; i++)
        metrics_uint(&m, "weir_n", 1, NULL);
    assert_int_equal(m.size, 90000);
    assert_false(m.failed);
    metrics_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_has_help_type_and_samples),
        cmocka_unit_test(a_histogram_is_cumulative),
        cmocka_unit_test(the_buffer_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
