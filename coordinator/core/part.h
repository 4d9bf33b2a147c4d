/* Large events on their way in, published or emitted: their parts are records, the event itself comes last. */
#ifndef WEIR_CORE_PART_H
#define WEIR_CORE_PART_H

#include "coordinator/core/state.h"
#include "proto/event.h"

enum {
    PEER_LARGE_EVENTS = 16, /* of a peer, under way as parts: published ones, and as many emits [R-PART-3] */
    PARTS_RESERVED_MAX = 128 * 1024,
    PARTS_CREDIT_STEP = 256 * 1024,
};

struct assembly {
    uint64_t lease, number, size; /* lease: 0, or, of an emit, as on the wire; size: of the data so far */
    uint32_t next;                /* of the peer */
    uint32_t count, taken; /* parts: all, and those that are there */
    uint64_t positions[];
};

size_t part_assembly_bytes(const struct core_config *config);
void part_take(struct core *c, uint32_t peer, const struct msg_part *part, const uint8_t **body);
uint32_t part_find(const struct core *c, uint32_t peer, uint64_t lease, uint64_t number); /* the assembly; 0: the number is not open */
/* Does the event end it? count: of how many parts it is said to be; 0: not said. */
enum error_code part_check(const struct core *c, uint32_t assembly, uint32_t count, const struct event *event, struct span bytes);
struct span part_seal(struct core *c, uint32_t assembly, struct span bytes, struct event *event); /* what is stored */
void part_close(struct core *c, uint32_t peer, uint32_t assembly);
void parts_forget(struct core *c, uint32_t peer);
void parts_forget_emits(struct core *c, uint32_t peer, uint64_t lease); /* of its settle, which was answered, or will never come */

#endif
