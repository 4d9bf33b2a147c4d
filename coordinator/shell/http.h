/* /metrics, /healthz and /readyz, on a thread of their own. Kind: shell. */
#ifndef WEIR_COORDINATOR_HTTP_H
#define WEIR_COORDINATOR_HTTP_H

#include "coordinator/shell/stats.h"

struct http;

/* address: HOST:PORT, [HOST]:PORT; port 0 takes a free one. The board is lent until http_close. NULL: *error says why. */
struct http *http_open(const char *address, struct stats_board *board, char *error, size_t error_size);
const char *http_address(const struct http *http); /* the real one */
void http_close(struct http **http);

#endif
