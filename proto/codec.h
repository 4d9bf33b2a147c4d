/* Packet <-> bytes. The only code that knows protobuf-c. Kind: wire (no I/O, no heap: everything lies in the caller's arena). */
#ifndef WEIR_PROTO_CODEC_H
#define WEIR_PROTO_CODEC_H

#include "sdk/base/arena.h"
#include "proto/packet.h"

enum codec_result {
    CODEC_OK,
    CODEC_MALFORMED,  /* not a Packet, columns of unlike length, sizes that do not add up to the body */
    CODEC_NO_ROOM,    /* the arena is too small: for input from outside this is the limit on what one packet may cost */
};

/* Decodes frame 0 (head) and frame 1 (body; size 0 when absent). *out_packet lies in the arena and points into it, head and body;
 * it is lent until the arena is reset or a frame goes. */
enum codec_result codec_decode(struct arena *arena, struct span head, struct span body, struct packet **out_packet);

/* Encodes everything but the pieces (the caller sends those as frame 1). *out_head is lent by the arena. CODEC_OK | CODEC_NO_ROOM. */
enum codec_result codec_encode(struct arena *arena, const struct packet *packet, struct span *out_head);

/* Sum of the sizes of packet->pieces. */
size_t codec_body_size(const struct packet *packet);

#endif
