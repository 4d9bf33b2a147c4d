/* A packet as text, one line per message, zero fields left out: for golden files, and to compare packets by what they mean. */
#ifndef WEIR_TESTS_PACKET_TEXT_H
#define WEIR_TESTS_PACKET_TEXT_H

#include <stdio.h>

#include "proto/packet.h"


/* The same in memory that the caller frees. */
char *packet_text(const struct packet *packet);

#endif
