#include "samples/summarize/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool valid(const char *text)
{
    return utf8_valid(text, strlen(text));
}

static void every_length_of_character_is_valid_and_read_back(void **state)
{
    (void)state;
    static const uint32_t characters[] = { 'a', 0x7F, 0x80, 0xE9, 0x7FF, 0x800, 0x20AC, 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x10FFFF };
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        char bytes[4];
        unsigned size = utf8_put(characters[i], bytes), read = 0;
        assert_true(utf8_valid(bytes, size));
        assert_int_equal(utf8_at(bytes, 0, &read), characters[i]);
        assert_int_equal(read, size);
        for (unsigned cut = 1; cut < size; cut++)
            assert_false(utf8_valid(bytes, cut));
    }
}

static void overlong_forms_surrogates_and_stray_bytes_are_not_valid(void **state)
{
    (void)state;
    assert_false(valid("\xC0\x80"));
    assert_false(valid("\xC1\xBF"));
    assert_false(valid("\xE0\x9F\xBF"));
    assert_false(valid("\xF0\x8F\xBF\xBF"));
    assert_false(valid("\xED\xA0\x80"));
    assert_false(valid("\xF4\x90\x80\x80"));
    assert_false(valid("\xF5\x80\x80\x80"));
    assert_false(valid("a\x80"));
    assert_false(valid("caf\xE9"));
    assert_true(valid("caf\xC3\xA9"));
}

static void folding_makes_small_letters_in_three_scripts(void **state)
{
    (void)state;
    assert_int_equal(utf8_fold('Q'), 'q');
    assert_int_equal(utf8_fold(0xC9), 0xE9);   /* É */
    assert_int_equal(utf8_fold(0xD7), 0xD7);   /* × */
    assert_int_equal(utf8_fold(0x160), 0x161); /* Š */
    assert_int_equal(utf8_fold(0x17D), 0x17E); /* Ž, of the odd pairs */
    assert_int_equal(utf8_fold(0x178), 0xFF);  /* Ÿ */
    assert_int_equal(utf8_fold(0x3A3), 0x3C3); /* Σ */
    assert_int_equal(utf8_fold(0x416), 0x436); /* Ж */
    assert_int_equal(utf8_fold(0x404), 0x454); /* Є */
    assert_int_equal(utf8_fold(0x6587), 0x6587);
}

static void folding_never_takes_more_bytes(void **state)
{
    (void)state;
    char bytes[4];
    for (uint32_t c = 1; c < 0x20000; c++)
        if (c < 0xD800 || c > 0xDFFF) assert_true(utf8_put(utf8_fold(c), bytes) <= utf8_put(c, bytes));
}

static void a_letter_is_not_a_space_and_a_capital_is_not_small(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x20000; c++) {
        assert_false(utf8_is_letter(c) && utf8_is_space(c));
        assert_false(utf8_is_upper(c) && utf8_is_lower(c));
    }
    assert_false(utf8_is_letter(0x2014)); /* em dash */
    assert_false(utf8_is_letter(0x201C));
    assert_true(utf8_is_letter(0x4E2D));
    assert_true(utf8_is_space(0x3000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_of_character_is_valid_and_read_back),
        cmocka_unit_test(overlong_forms_surrogates_and_stray_bytes_are_not_valid),
        cmocka_unit_test(folding_makes_small_letters_in_three_scripts),
        cmocka_unit_test(folding_never_takes_more_bytes),
        cmocka_unit_test(a_letter_is_not_a_space_and_a_capital_is_not_small),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
