/* What the benchmark programs of all systems share, so that they differ only in the system: command line, pacing of the publisher,
 * latency, CPU, result. One run is its publisher processes and its worker processes, forked before any library is used, which share the
 * events among them and meet in shared memory; the parent watches.
 *
 *   bench_SYSTEM --url URL --events N [--rate PER_SECOND] [--window N] [--publishers N] [--workers N] [--pid SERVER]…
 *                [--publish-only | --work-only]
 *
 * --rate: open loop, of all publishers together; without it as fast as the window of each allows. Prints one JSON object; exit code 1 if an
 * event was lost. A system may know more options. */
#ifndef WEIR_BENCH_H
#define WEIR_BENCH_H

#include <getopt.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/payload.h"

enum { BENCH_PIDS_MAX = 4, BENCH_PROCESSES_MAX = 16 /* of a kind */, BENCH_SUB_BITS = 5, BENCH_BUCKETS = 64 << BENCH_SUB_BITS };

struct bench_counts { /* of a worker process, which alone writes it */
    _Atomic bool ready;
    _Atomic uint64_t ready_cpu_ns; /* what connecting cost */
    _Atomic uint64_t handled;      /* different events that reached the handler */
    _Atomic uint64_t repeated;
    _Atomic uint64_t acked;             /* their acks were sent (or, where the system says so, answered) */
    _Atomic uint64_t first_ns, last_ns; /* when the handler saw its first and last event */
    uint64_t latency[BENCH_BUCKETS];    /* publish call -> handler; log-linear in ns */
};

struct bench_shared {
    struct bench_counts workers[BENCH_PROCESSES_MAX];
    _Atomic uint64_t started_ns; /* when the first publisher was connected */
    _Atomic uint64_t seen[];     /* one bit per event and party */
};

struct bench {
    const char *url;
    uint64_t events, rate;
    uint32_t window, parties;     /* parties: how many shall handle each event; 1 */
    uint32_t publishers, workers; /* processes */
    bool publish_only, work_only;
    int pids[BENCH_PIDS_MAX];
    int pid_count;
    struct bench_shared *shared;
    uint32_t number;                  /* of this process among those of its kind */
    uint64_t started_ns, made, until; /* a publisher's: it makes the events before `until`, and is at `made` */
    struct bench_counts *own;         /* a worker's */
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
/* Publisher. It is connected: the time runs. */
void bench_publisher_ready(struct bench *bench);
/* How many events are due now, at most `most`; 0 when the next is due later (see bench_next_ns) or all are made. */
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
