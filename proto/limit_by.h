/* What a group's limit_each goes by: `header:NAME`, or `word:N`, the N-th word of the topic from 1 [R-LIMIT-2]. Pure. */
#ifndef WEIR_PROTO_LIMIT_BY_H
#define WEIR_PROTO_LIMIT_BY_H

#include "proto/event.h"

struct limit_by {
    struct span header;
    uint32_t word; /* 0: header */
};

/* False: neither of the two. Lends from text. */
bool limit_by_read(struct span text, struct limit_by *out);

/* The event's value; empty: it has none and is not limited. */
struct span limit_by_value(const struct limit_by *by, const struct event *event);

#endif
