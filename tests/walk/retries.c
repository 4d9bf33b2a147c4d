#include "tests/walk/retries.h"

#define RETRY INT64_C(1000000000)

static int64_t floor_of(const struct group_options *terms)
{
    return terms->retry_floor ? terms->retry_floor : 100;
}

static int64_t full(const struct group_options *terms)
{
    return 10 * floor_of(terms) * RETRY;
}

void retries_begin(struct retries *r, const struct group_options *terms, uint64_t now_ns)
{
    r->left = full(terms);
    r->since_ns = now_ns;
}

const char *retries_step(struct retries *r, const struct group_options *terms, uint64_t now_ns)
{
    int64_t percent = terms->retry_percent ? terms->retry_percent : 100;
    r->left += (int64_t)(now_ns - r->since_ns) * floor_of(terms);
    if (r->left > full(terms)) r->left = full(terms);
    r->left += r->firsts * percent * (RETRY / 100) - r->again * RETRY;
    if (r->left > full(terms)) r->left = full(terms);
    r->since_ns = now_ns;
    r->firsts = r->again = 0;
    return r->left < -RETRY ? "more retries than the budget allows" : NULL; /* large events count as first ones when all of them was sent */
}
