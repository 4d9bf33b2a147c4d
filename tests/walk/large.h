/* Large events in a walk: what a peer sends of one, and what the oracle demands of the parts that it is sent. */
#ifndef WEIR_WALK_LARGE_H
#define WEIR_WALK_LARGE_H

#include "proto/packet.h"
#include "proto/parts.h"

struct large_sending { /* count 0: nothing is under way */
    uint64_t number, lease; /* lease: 0, or of an emit, whose settle comes instead of the event */
    uint32_t index, count;
    uint32_t delay; /* 100 ms each; 0: none */
};

/* The next packet of it, its body in room (PART_BYTES + 64): a part, then the event on topic. Moves it on. A wrong one names a place that is
 * not the next. */
struct large_packet {
    struct packet packet;
    struct msg_part part;
    struct msg_publish publish;
    uint32_t size;
};
void large_next(struct large_sending *sending, uint32_t peer, bool wrong, uint8_t *room, struct large_packet *out);

struct large_receiving { /* count 0: nothing is coming */
    uint64_t lease, subscription, seq, mark;
    uint32_t next, count;
};

/* Each gives the promise that is broken, or NULL. */
const char *large_part(struct large_receiving *receiving, const struct msg_part *part, struct span data);
/* takes: it said in its hello that it takes parts; an event without them is a subscription's right else. */
const char *large_event(struct large_receiving *receiving, bool takes, uint64_t lease, uint64_t subscription, uint64_t seq, struct span event);
/* Are two stored events what one author wrote, with the same data, wherever it stands? look: the bytes at a position. */
typedef struct span large_look(const void *log, uint64_t position);
bool large_same(struct span a, struct span b, large_look *look, const void *log);
void large_ended(struct large_receiving *receiving, uint64_t lease);

#endif
