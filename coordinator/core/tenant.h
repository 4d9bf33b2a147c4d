/* Tenants: found, or made, by their name. */
#ifndef WEIR_CORE_TENANT_H
#define WEIR_CORE_TENANT_H

#include "coordinator/core/state.h"

struct tenant {
    uint8_t name[NAME_MAX + 1];
    uint32_t name_size;
    uint32_t held_count;
    uint32_t token_count;                /* not known to be dead */
    uint64_t token_oldest, token_newest; /* numbers in the ring of tokens, while there are any */
    uint64_t token_key[2];               /* of the hash of its tokens */
};

static inline struct span tenant_name(const struct core *c, uint32_t t)
{
    return span_of(c->tenants[t].name, c->tenants[t].name_size);
}

uint32_t tenant_find(const struct core *c, struct span name);
uint32_t tenant_add(struct core *c, struct span name); /* 0: full or a bad name */
uint32_t tenant_get(struct core *c, struct span name); /* found, or added */

#endif
