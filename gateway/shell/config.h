/* The gateway's settings. Kind: shell. */
#ifndef WEIR_GATEWAY_CONFIG_H
#define WEIR_GATEWAY_CONFIG_H

#include "gateway/core/gate.h"
#include "sdk/program/journal.h"
#include "sdk/program/options.h"

struct config {
    const char *listen; /* host:port; [host]:port for IPv6 */
    const char *coordinator;
    const char *name, *credential;                    /* credential: NULL none */
    const char *server_key, *public_key, *secret_key; /* CURVE; NULL: none */
    bool dev;
    struct gate_identity *identities; /* owned, with the text behind them */
    uint32_t identity_count;
    char *tokens_text;
    struct gate_limits limits;
    uint64_t assembly_bytes; /* unfinished frames of all clients together */
    uint32_t drain_ms, reconnect_ms;
    enum journal_format log_format;
    enum journal_level log_level;
    struct options *options; /* owns the texts */
};

/* OPTIONS_RUN, or the exit code (all has been printed). */
int config_read(int argc, char *const argv[], struct config *out_config);
void config_free(struct config *config);

/* May a page of this origin connect? Without the list: only one that this gateway served (the origin's authority is the Host). */
bool config_allows_origin(const struct config *config, const char *origin, const char *host);

#endif
