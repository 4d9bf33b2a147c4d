/* A core alone, with one publisher and one worker that acks what it has: no codec, no sockets, no log. For what is counted or timed of the
 * core itself. A block is committed in the step after it was submitted; whoever needs blocks and fetches plays the log in `out`. */
#ifndef WEIR_TESTS_LONE_CORE_H
#define WEIR_TESTS_LONE_CORE_H

#include "coordinator/core/core.h"

enum { LONE_BATCH = 256, LONE_DATA_BYTES = 200, LONE_CREDIT_MAX = 1024 };

struct lone_core {
    struct core *core;
    size_t memory_size;
    struct core_in in;
    void (*out)(struct lone_core *l, const struct core_out *out); /* told of all that a step puts out; NULL: nobody */
    uint64_t submitted, published, acked, settles, credit, random;
    uint64_t leases[2 * LONE_CREDIT_MAX]; /* held by the worker */
    uint32_t held;
};

/* Begins in zeroed memory. credit: events that the worker holds at most, LONE_CREDIT_MAX. */
void lone_core_open(struct lone_core *l, const struct core_config *config, uint32_t credit);
void lone_core_close(struct lone_core *l);
void lone_core_greet_publisher(struct lone_core *l);
void lone_core_greet_worker(struct lone_core *l, const struct group_spec *group);
void lone_core_rest(struct lone_core *l);                   /* a step with nothing */
void lone_core_publish(struct lone_core *l, uint32_t keys); /* LONE_BATCH events on docs.a, each with one of so many keys */
void lone_core_ack(struct lone_core *l);                    /* what the worker holds, and as much credit again */

#endif
