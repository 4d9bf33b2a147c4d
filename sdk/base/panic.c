/* The end of the road for a broken invariant: say where, and stop before anything false is promised. */
#include <stdio.h>
#include <stdlib.h>

#include "sdk/base/must.h"

_Noreturn void weir_panic(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: must: %s\n", file, line, text);
    abort();
}
