/* Latencies in buckets that grow with the value: 64 to each power of two, so every answer is right to 1.6 %, from 1 ns to centuries, in 30
 * KiB and without allocation. One writer; merge to join several. */
#ifndef WEIR_CLI_HISTOGRAM_H
#define WEIR_CLI_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB_BITS = 6, HISTOGRAM_SUBS = 1 << HISTOGRAM_SUB_BITS, HISTOGRAM_BUCKETS = (65 - HISTOGRAM_SUB_BITS) * HISTOGRAM_SUBS };

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
    uint64_t max;
};

void histogram_add(struct histogram *h, uint64_t value);
/* The value that `per_million` of all values do not exceed; 0 when there are none. */
uint64_t histogram_at(const struct histogram *h, uint32_t per_million);

#endif
