/* The coordinator's CURVE module without CZMQ, which would bring libzmq back: there is none to be had. */
#include "coordinator/shell/curve.h"

#include "sdk/base/must.h"

#include <stdio.h>

struct curve *curve_open(const char *certificates, const char *key, char *error, size_t error_size)
{
    (void)certificates;
    (void)key;
    snprintf(error, error_size, "this program has no CURVE");
    return NULL;
}

void *curve_context(struct curve *curve)
{
    must(curve == NULL);
    return NULL;
}

bool curve_apply(struct curve *curve, void *socket)
{
    must(curve == NULL && socket != NULL);
    return false;
}

void *curve_watch(struct curve *curve)
{
    must(curve == NULL);
    return NULL;
}

void curve_close(struct curve **curve)
{
    must(*curve == NULL);
}
