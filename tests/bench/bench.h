/* What the benchmark programs of all systems share, so that they differ only in the system: command line, pacing of the publisher,
 * latency, CPU, result. One run is one publisher process (the parent) and one worker process (the child, forked before any library
 * is used); they meet in a page of shared memory.
 *
 *   bench_SYSTEM --url URL --events N [--rate PER_SECOND] [--window N] [--pid SERVER]… [--publish-only | --work-only]
 *
 * --rate: open loop; without it as fast as the window allows. Prints one JSON object; exit code 1 if an event was lost. A system may know
 * more options. */
#ifndef WEIR_BENCH_H
#define WEIR_BENCH_H

#include <getopt.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/payload.h"

enum { BENCH_PIDS_MAX = 4, BENCH_SUB_BITS = 5, BENCH_BUCKETS = 64 << BENCH_SUB_BITS };

struct bench_shared { /* written by one process, read by the other */
    _Atomic bool worker_ready;
    _Atomic uint64_t handled; /* different events that reached the handler */
    _Atomic uint64_t repeated;
    _Atomic uint64_t acked; /* their acks were sent (or, where the system says so, answered) */
    _Atomic uint64_t worker_cpu_ns;
    _Atomic uint64_t first_ns, last_ns; /* when the handler saw its first and last event */
    uint64_t latency[BENCH_BUCKETS];    /* publish call -> handler; log-linear in ns */
};

struct bench {
    const char *url;
    uint64_t events, rate;
    uint32_t window, parties; /* parties: how many shall handle each event; 1 */
    bool publish_only, work_only;
    int pids[BENCH_PIDS_MAX];
    int pid_count;
    struct bench_shared *shared;
    uint64_t started_ns, made; /* the publisher's */
    uint64_t *seen;            /* the worker's: one bit per event and party */
    char payload[PAYLOAD_BYTES];
};

/* How to talk to one system. Both return 0, or 1 after they wrote to stderr what failed. */
struct bench_system {
    const char *name;
    const struct option *options; /* its own, each with an argument; NULL: none */
    bool (*option)(struct bench *bench, int option, const char *argument);
    int (*publish)(struct bench *bench); /* returns when every event is accepted */
    int (*work)(struct bench *bench);    /* calls bench_worker_ready, then returns when bench_done */
};
int bench_main(int argc, char **argv, const struct bench_system *system);

uint64_t bench_now_ns(void);
/* Publisher. How many events are due now, at most `most`; 0 when the next is due later (see bench_next_ns) or all are made. */
uint32_t bench_due(const struct bench *bench, uint32_t most);
uint64_t bench_next_ns(const struct bench *bench); /* UINT64_MAX: none is left */
const char *bench_make(struct bench *bench);       /* the next event's data; lent until the next call */
void bench_sleep_until(uint64_t ns);

/* Worker */
void bench_worker_ready(struct bench *bench);
/* At the beginning of the handler; parties count from 0. One thread at a time. */
void bench_handle(struct bench *bench, uint32_t party, const void *data, size_t size);
void bench_acked(struct bench *bench, uint64_t count);
bool bench_done(const struct bench *bench);

#endif
