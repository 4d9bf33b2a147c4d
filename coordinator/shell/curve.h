/* CURVE: certificates of peers by CZMQ's ZAP actor. Kind: shell. */
#ifndef WEIR_COORDINATOR_CURVE_H
#define WEIR_COORDINATOR_CURVE_H

#include <stdbool.h>
#include <stddef.h>

struct curve;

/* Starts the actor in CZMQ's context, before anything is bound. NULL: *error says why. */
struct curve *curve_open(const char *certificates, const char *key, char *error, size_t error_size);

void *curve_context(struct curve *curve);            /* the ZeroMQ context that sockets must be made in */
bool curve_apply(struct curve *curve, void *socket); /* makes the socket a CURVE server; before bind */

/* A socket that becomes readable when the actor has ended; then nobody checks certificates and the program must stop. */
void *curve_watch(struct curve *curve);

void curve_close(struct curve **curve); /* after its sockets */

#endif
