#include "proto/packet.h"
#include "tests/support/check.h"

static void every_code_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < CODE_COUNT; code++) {
        uint32_t back = UINT32_MAX;
        assert_non_null(error_code_word(code));
        assert_true(error_code_from_word(error_code_word(code), &back));
        assert_int_equal(back, code);
    }
    assert_string_equal(error_code_word(CODE_BAD_FRAME), "bad_frame");
    assert_string_equal(error_code_word(CODE_INTERNAL), "internal");
}

static void a_number_from_the_future_is_unknown(void **state)
{
    (void)state;
    uint32_t code = 77;
    assert_string_equal(error_code_word(CODE_COUNT), "unknown");
    assert_string_equal(error_code_word(UINT32_MAX), "unknown");
    assert_false(error_code_from_word("unknown", &code));
    assert_false(error_code_from_word("", &code));
    assert_int_equal(code, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_word_of_its_own),
        cmocka_unit_test(a_number_from_the_future_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
