/* One run of `weir bench`: what was asked, what both processes count, what came out. */
#ifndef WEIR_CLI_BENCH_H
#define WEIR_CLI_BENCH_H

#include "sdk/cli/cli.h"
#include "sdk/cli/histogram.h"

#include <stdatomic.h>

struct bench {
    const struct cli *cli;
    const char *topic; /* new for each run */
    uint64_t events, size, rate, window, credit;
};

struct bench_shared { /* between the two processes; the histogram has one writer, and is read after its end */
    _Atomic bool ready, stop;
    _Atomic uint64_t accepted, refused;       /* the publisher's */
    _Atomic uint64_t settled, lost, repeated; /* the worker's */
    _Atomic uint64_t last_ns;                 /* of the last settle's answer */
    struct histogram latency;                 /* ns from publish call (or due time) to handler */
};

enum { BENCH_STATS = 128 };

struct bench_stats { /* of the coordinator, as `weir stats` gives them; empty where that is not allowed */
    size_t count;
    char names[BENCH_STATS][64];
    uint64_t values[BENCH_STATS];
};

struct bench_result {
    uint64_t sent;
    double publish_s; /* until every publish was answered */
    double total_s;   /* until every settle was answered */
    double cpu_s;     /* of publisher and worker; the coordinator's is not in it */
    struct bench_stats before, after;
};

/* bench_report.c */
void bench_ask(const struct cli *cli, struct bench_stats *out_stats);
int bench_print(const struct bench *bench, const struct bench_shared *shared, const struct bench_result *result);

#endif
