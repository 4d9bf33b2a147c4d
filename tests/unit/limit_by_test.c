#include "proto/limit_by.h"
#include "tests/support/check.h"

static void a_header_or_a_word_of_the_topic_is_read(void **state)
{
    (void)state;
    struct limit_by by;
    assert_true(limit_by_read(span_text("header:model"), &by));
    assert_true(span_equal(by.header, span_text("model")) && by.word == 0);
    assert_true(limit_by_read(span_text("word:1"), &by) && by.word == 1);
    assert_true(limit_by_read(span_text("word:32"), &by) && by.word == 32);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    const char *bad[] = { "", "header:", "word:", "word:0", "word:33", "word:100", "word:-1", "word:1 ", "key", "Header:x", "header" };
    struct limit_by by;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(limit_by_read(span_text(bad[i]), &by));
}

static void an_events_value_is_found_and_may_be_missing(void **state)
{
    (void)state;
    const struct event_header headers[] = { { span_text("a"), span_text("1") }, { span_text("model"), span_text("gpt") } };
    uint8_t bytes[128];
    struct event event = { .topic = span_text("docs.42.uploaded") };
    struct limit_by by;
    size_t size = event_encode(&event, headers, 2, bytes);
    assert_int_equal(event_scan(span_of(bytes, size), &event), EVENT_OK);

    assert_true(limit_by_read(span_text("header:model"), &by) && span_equal(limit_by_value(&by, &event), span_text("gpt")));
    assert_true(limit_by_read(span_text("header:mode"), &by) && limit_by_value(&by, &event).size == 0);
    assert_true(limit_by_read(span_text("word:2"), &by) && span_equal(limit_by_value(&by, &event), span_text("42")));
    assert_true(limit_by_read(span_text("word:3"), &by) && span_equal(limit_by_value(&by, &event), span_text("uploaded")));
    assert_true(limit_by_read(span_text("word:4"), &by) && limit_by_value(&by, &event).size == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_or_a_word_of_the_topic_is_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(an_events_value_is_found_and_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
