#include "sdk/base/topic.h"
#include "tests/support/check.h"

static void plain_and_wide_words_are_topics(void **state)
{
    (void)state;
    const char *good[] = { "a",
                           "docs.42.uploaded",
                           "$sys.group.lost",
                           "gr\xc3\xb6\xc3\x9f.\xe6\x96\x87",
                           "a/b:c-d_e,f#~!",
                           "\xf0\x9f\x8c\x8a.x",
                           "\xc2\xa0",
                           "\xed\x9f\xbf",
                           "\xee\x80\x80",
                           "\xf4\x8f\xbf\xbf",
                           "\xe0\xa0\x80",
                           "\xf0\x90\x80\x80" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(topic_is_valid(span_text(good[i])));
        assert_true(filter_is_valid(span_text(good[i])));
    }
}

static void what_could_confuse_is_no_topic(void **state)
{
    (void)state;
    const char *bad[] = { "",
                          ".",
                          ".a",
                          "a.",
                          "a..b",
                          "a b",
                          "a\tb",
                          "a\x7f",
                          "a\x01",
                          "\xc2\x80",
                          "\xc2\x9f", /* controls */
                          "\x80",
                          "\xc3",
                          "a.\xc3",
                          "\xc0\xaf",
                          "\xc1\x80",
                          "\xe0\x80\x80",
                          "\xe2\x82",
                          "\xed\xa0\x80", /* no UTF-8 */
                          "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80",
                          "\xff",
                          "\xe2\x28\xa1",
                          "\xf0\x9f\x8c" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(topic_is_valid(span_text(bad[i])));
        assert_false(filter_is_valid(span_text(bad[i])));
    }
    assert_false(topic_is_valid(span_of("a\0b", 3)));
}

static void wildcards_are_whole_words_of_filters_only(void **state)
{
    (void)state;
    const char *good[] = { "*", ">", "a.*", "*.b", "a.*.c", "a.>", "*.>", "*.*", "$sys.>" };
    const char *bad[] = { "a*", "*a", "**", ">>", ">.a", "a.>.b", "a>", ">a", "a.*b", "*.", "a.*.>.", "a.b*.c" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(filter_is_valid(span_text(good[i])));
        if (strpbrk(good[i], "*>") != NULL) assert_false(topic_is_valid(span_text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(filter_is_valid(span_text(bad[i])));
}

static void the_limits_are_255_bytes_and_32_words(void **state)
{
    (void)state;
    char long_name[TOPIC_BYTES_MAX + 2];
    memset(long_name, 'x', sizeof long_name);
    assert_true(topic_is_valid(span_of(long_name, TOPIC_BYTES_MAX)));
    assert_false(topic_is_valid(span_of(long_name, TOPIC_BYTES_MAX + 1)));
    char words[2 * (TOPIC_WORDS_MAX + 1)];
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = i % 2 == 0 ? 'w' : '.';
    assert_true(topic_is_valid(span_of(words, 2 * TOPIC_WORDS_MAX - 1)));
    assert_false(topic_is_valid(span_of(words, 2 * TOPIC_WORDS_MAX + 1)));
}

static void filters_match_word_by_word(void **state)
{
    (void)state;
    const struct {
        const char *filter, *topic;
        bool matches;
    } cases[] = {
        { "a.b", "a.b", true },       { "a.b", "a.bc", false },     { "a.bc", "a.b", false },    { "a", "a.b", false },
        { "a.b", "a", false },        { "*", "a", true },           { "*", "a.b", false },       { "*.b", "a.b", true },
        { "a.*", "a.b", true },       { "a.*", "a", false },        { "a.>", "a", false },       { "a.>", "a.b", true },
        { "a.>", "a.b.c", true },     { "a.>", "b.b", false },      { ">", "a", true },          { ">", "a.b.c", true },
        { "*.>", "a", false },        { "*.>", "a.b", true },       { ">", "$sys.x", false },    { "*.x", "$sys.x", false },
        { "$sys.>", "$sys.x", true }, { "$sys.*", "$sys.x", true }, { "a.>", "a.$x", true },     { "a.*", "a.$x", true },
        { "ab", "a", false },         { "a.*.c", "a.b.c", true },   { "a.*.c", "a.b.d", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(filter_matches(span_text(cases[i].filter), span_text(cases[i].topic)), cases[i].matches);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_wide_words_are_topics),
        cmocka_unit_test(what_could_confuse_is_no_topic),
        cmocka_unit_test(wildcards_are_whole_words_of_filters_only),
        cmocka_unit_test(the_limits_are_255_bytes_and_32_words),
        cmocka_unit_test(filters_match_word_by_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
