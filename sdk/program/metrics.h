/* Writes metrics in the Prometheus text format into a buffer that grows. Kind: shell. One buffer belongs to one thread.
 *
 *     struct metrics metrics = { 0 };
 *     metrics_family(&metrics, "weir_gateway_sockets", METRICS_GAUGE, "open WebSocket connections");
 *     metrics_uint(&metrics, "weir_gateway_sockets", 12, NULL);
 *     metrics_family(&metrics, "weir_gateway_errors_total", METRICS_COUNTER, "errors told to clients");
 *     metrics_uint(&metrics, "weir_gateway_errors_total", 3, "code", "throttled", NULL);
 *     … metrics.data, metrics.size …
 *     metrics_free(&metrics);
 *
 * Names: weir_<program>_<what>_<unit>, units _total (counters), _bytes, _seconds. */
#ifndef WEIR_PROGRAM_METRICS_H
#define WEIR_PROGRAM_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metrics {
    char *data; /* owned; not NUL-terminated */
    size_t size, capacity;
    bool failed; /* no memory: what followed is missing, answer with an error */
};

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

/* The HELP and TYPE lines; the samples of a family follow right after it. */
void metrics_family(struct metrics *metrics, const char *name, enum metrics_type type, const char *help);

/* One sample. Labels are pairs of name and value (any bytes; escaped), ended by NULL. */
__attribute__((sentinel)) void metrics_uint(struct metrics *metrics, const char *name, uint64_t value, ... /* labels */);
__attribute__((sentinel)) void metrics_double(struct metrics *metrics, const char *name, double value, ... /* labels */);

/* The samples of a histogram: counts[i] of values <= bounds[i] and above bounds[i-1]; counts[count] of those above all. */
__attribute__((sentinel)) void metrics_histogram(struct metrics *metrics, const char *name, const double *bounds, const uint64_t *counts,
                                                 size_t count, double sum, ... /* labels */);

void metrics_free(struct metrics *metrics);

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
