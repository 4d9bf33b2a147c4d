/* How many retries a group may have sent by now [R-RETRY-1]: part of the walk's oracle. Within a step the order is not known, so it never
 * has less than the core's own budget. */
#ifndef WEIR_WALK_RETRIES_H
#define WEIR_WALK_RETRIES_H

#include <stdint.h>

#include "proto/record.h"

struct retries {
    int64_t left; /* billionths */
    uint64_t since_ns;
    uint32_t firsts, again; /* deliveries of this step: first ones, and those of what has failed */
};

void retries_begin(struct retries *r, const struct group_options *terms, uint64_t now_ns);
/* At the end of a step. NULL, or what is broken. */
const char *retries_step(struct retries *r, const struct group_options *terms, uint64_t now_ns);

#endif
