/* The listening socket, libwebsockets, and the life of each connection on it. Kind: shell; loop thread. */
#ifndef WEIR_GATEWAY_SERVER_H
#define WEIR_GATEWAY_SERVER_H

#include "gateway/shell/gateway.h"

/* Listens, and serves from then on. NULL: an error line has been written. */
struct server *server_open(struct gateway *gateway);
const char *server_address(const struct server *server); /* the one it really has */

/* Writes to every connection that has something. At the end of each turn of the loop. */
void server_turn(struct server *server);

void server_stop_listening(struct server *server);
void server_close(struct server *server); /* kills what is left; then the loop has to run once more, then: */
void server_free(struct server **server);

struct server_stats {
    uint64_t accepted, accept_failures, refused_upgrades, http_requests, pings, kills, assembly_bytes;
};
const struct server_stats *server_stats(const struct server *server);

#endif
