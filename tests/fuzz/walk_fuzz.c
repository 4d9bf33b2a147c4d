/* The walk (tests/walk) with tapes that the fuzzer writes. */
#include "tests/fuzz/fuzz.h"
#include "tests/walk/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk(data, size < 4096 ? size : 4096);
    return 0;
}
