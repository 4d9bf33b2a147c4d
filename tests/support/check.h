/* What every unit test includes: cmocka in its order, and a panic that expect_assert_failure() catches. */
#ifndef WEIR_TESTS_CHECK_H
#define WEIR_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/span.h"

#define assert_text(span, text) assert_true(span_equal((span), span_text(text)))

#endif
