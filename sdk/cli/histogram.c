/* See histogram.h. A bucket's index is the value's exponent, then its next six bits. */
#include "sdk/cli/histogram.h"

static unsigned bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_SUBS) return (unsigned)value;
    unsigned exponent = 63U - (unsigned)__builtin_clzll(value);
    unsigned shift = exponent - HISTOGRAM_SUB_BITS;
    return (shift + 1) * HISTOGRAM_SUBS + ((unsigned)(value >> shift) & (HISTOGRAM_SUBS - 1));
}

/* the largest value of a bucket */
static uint64_t top_of(unsigned bucket)
{
    if (bucket < HISTOGRAM_SUBS) return bucket;
    unsigned shift = bucket / HISTOGRAM_SUBS - 1;
    uint64_t first = ((uint64_t)HISTOGRAM_SUBS + bucket % HISTOGRAM_SUBS) << shift;
    return first + (((uint64_t)1 << shift) - 1);
}

void histogram_add(struct histogram *h, uint64_t value)
{
    h->counts[bucket_of(value)]++;
    h->total++;
    if (value > h->max) h->max = value;
}

uint64_t histogram_at(const struct histogram *h, uint32_t per_million)
{
    uint64_t wanted = (h->total * per_million + 999999) / 1000000, seen = 0;
    if (h->total == 0) return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->counts[i];
        if (seen >= wanted && seen > 0) return top_of(i) < h->max ? top_of(i) : h->max;
    }
    return h->max;
}
