/* What HTTP serves besides the upgrade: the page, /metrics, /healthz, /readyz. Kind: shell. */
#ifndef WEIR_GATEWAY_HTTP_H
#define WEIR_GATEWAY_HTTP_H

#include <stddef.h>

#include "gateway/shell/gateway.h"
#include "sdk/program/metrics.h"

/* A file of gateway/console, built into the program. */
struct asset {
    const char *name;
    const unsigned char *begin, *end;
};
extern const struct asset assets[];
extern const size_t asset_count;

/* Fills metrics with everything there is to know. */
void stats_write(struct gateway *gateway, struct metrics *metrics);

#endif
