/* What bench_weir can do beyond the common frame; one run takes what it needs of it.
 *
 *   --group G --filter F      the worker's; bench, bench.>
 *   --topic T                 the events'; bench.events. With --topics N: T.0 to T.(N-1) in turn
 *   --parties N               workers of N groups (G-0, G-1, …) in one process, each to handle every event; with --topics N each its
 * topic's
 *   --ordering N --start N    of the group, as in weir.h; none, first
 *   --keys N                  a key of N, uniform, on each event
 *   --tokens FIRST            an own idempotency token on each event: FIRST + its number
 *   --churn SECONDS           a second worker of the first group joins for so long, leaves for so long, and so on
 *   --large BYTES             beside it, one event of this size a second, with a worker of its own
 *   --slow MS                 the handler takes so long and nothing is measured: a worker to be killed; it prints "ready"
 *   --delay MS                every event is published with a delay
 *   --take N                  nothing is measured: each party acks N events that it has in their first attempt; last_ns says when all had
 */
#ifndef WEIR_BENCH_WEIR_H
#define WEIR_BENCH_WEIR_H

#include <weir/weir.h>

#include "tests/bench/bench.h"

enum { BENCH_CREDIT = 4096, BENCH_WAIT_MS = 60000, BENCH_PARTIES_MAX = 64 };
#define BENCH_LARGE_TOPIC "large.events"

struct bench_how {
    const char *group, *filter, *topic;
    uint32_t topics, keys, ordering, start, churn_s, slow_ms;
    uint64_t tokens_from, large_bytes, take, delay_ms;
    bool tokens;
};
extern struct bench_how bench_how;

int bench_weir_failed(const void *handle, weir_status status, const char *what); /* 1 after it wrote why to stderr, else 0 */
int bench_weir_work(struct bench *bench);

#endif
