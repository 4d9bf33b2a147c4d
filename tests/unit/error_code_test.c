#include "proto/packet.h"
#include "tests/support/check.h"

static void every_code_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < CODE_COUNT; code++) {
        assert_non_null(error_code_word(code));
        for (uint32_t other = 0; other < code; other++)
            assert_string_not_equal(error_code_word(other), error_code_word(code));
    }
    assert_string_equal(error_code_word(CODE_BAD_FRAME), "bad_frame");
    assert_string_equal(error_code_word(CODE_INTERNAL), "internal");
}

static void a_number_from_the_future_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(error_code_word(CODE_COUNT), "unknown");
    assert_string_equal(error_code_word(UINT32_MAX), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_word_of_its_own),
        cmocka_unit_test(a_number_from_the_future_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
