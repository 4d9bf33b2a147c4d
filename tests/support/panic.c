/* In place of the real panic: must() becomes an assertion that a test can expect. */
#include "sdk/base/must.h"
#include "tests/support/check.h"

_Noreturn void weir_panic(const char *file, int line, const char *text)
{
    mock_assert(0, text, file, line);
    abort();
}
