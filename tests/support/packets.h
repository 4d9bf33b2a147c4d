/* A packet of every kind of message, every field set and unlike the others: what the golden files were written from, and a start for tests. */
#ifndef WEIR_TESTS_PACKETS_H
#define WEIR_TESTS_PACKETS_H

#include "proto/packet.h"

struct sample_packet {
    const char *name; /* of the kind, as in weir.proto */
    struct packet packet;
    size_t body_size; /* what its size columns add up to */
};

/* Fills out (FIELD_COUNT - 1 of them, by field number); all that they point at is static. */
void sample_packets(struct sample_packet out[FIELD_COUNT - 1]);

#endif
