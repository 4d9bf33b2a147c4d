/* What the SDK's tests share: handles on a fake coordinator, and waiting for a condition with a deadline. */
#ifndef WEIR_SDK_TRY_H
#define WEIR_SDK_TRY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <time.h>
#include <weir/weir.h>

#include "proto/packet.h"
#include "sdk/tests/fake_coordinator.h"

enum { LONG_MS = 30000 };

static inline bool in_time(const struct timespec *began)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - began->tv_sec < LONG_MS / 1000;
}

/* Waits until the condition holds; fails the test after LONG_MS. */
#define await(condition)                                                                                                                   \
    do {                                                                                                                                   \
        struct timespec began_;                                                                                                            \
        (void)clock_gettime(CLOCK_MONOTONIC, &began_);                                                                                     \
        while (!(condition)) {                                                                                                             \
            assert_true(in_time(&began_));                                                                                                 \
            sched_yield();                                                                                                                 \
        }                                                                                                                                  \
    } while (0)

weir_publisher *try_publisher(struct fake *fake, weir_result_fn *on_result, void *arg);
weir_worker *try_worker(struct fake *fake, weir_settled_fn *on_settled, void *arg); /* one handler, credit 64, topics a.> */
weir_event try_event(const char *topic, const char *data);

#endif
