/* Large events that are being published: their parts are records, the event itself comes last. */
#ifndef WEIR_CORE_PART_H
#define WEIR_CORE_PART_H

#include "coordinator/core/state.h"
#include "proto/event.h"

enum {
    PEER_LARGE_EVENTS = 16, /* of a peer, under way as parts [R-PART-3] */
    PARTS_RESERVED_MAX = 128 * 1024,
    PARTS_CREDIT_STEP = 256 * 1024,
};

/* A large event that is being published: its parts so far are records, the event itself comes last. */
struct assembly {
    uint64_t number, size; /* size: of the data so far */
    uint32_t next;         /* of the peer */
    uint32_t count, taken; /* parts: all, and those that are there */
    uint64_t positions[];
};

size_t part_assembly_bytes(const struct core_config *config);
void part_take(struct core *c, uint32_t peer, const struct msg_part *part, const uint8_t **body);
uint32_t part_find(const struct core *c, uint32_t peer, uint64_t number); /* the assembly; 0: the number is not open */
enum error_code part_check(const struct core *c, uint32_t assembly, const struct event *event, struct span bytes); /* does it end it? */
struct span part_seal(struct core *c, uint32_t assembly, struct span bytes, struct event *event);                  /* what is stored */
void part_close(struct core *c, uint32_t peer, uint32_t assembly);
void parts_forget(struct core *c, uint32_t peer);

#endif
