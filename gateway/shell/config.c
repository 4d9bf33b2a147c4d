/* The table of all settings, the file of tokens, and what they mean together. */
#include "gateway/shell/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/link/link.h"

enum {
    OPT_LISTEN,
    OPT_ORIGINS,
    OPT_DEV,
    OPT_TOKENS,
    OPT_COORDINATOR,
    OPT_NAME,
    OPT_CREDENTIAL,
    OPT_SERVER_KEY,
    OPT_PUBLIC_KEY,
    OPT_SECRET_KEY,
    OPT_CONNECTIONS,
    OPT_SUBSCRIPTIONS,
    OPT_TOPICS,
    OPT_OPERATIONS,
    OPT_OWN_SUBSCRIPTIONS,
    OPT_OWN_OPERATIONS,
    OPT_MEMORY,
    OPT_ASSEMBLY,
    OPT_QUEUE,
    OPT_FRAME,
    OPT_AUTH,
    OPT_ANSWER,
    OPT_LEASE,
    OPT_DRAIN,
    OPT_RECONNECT,
    OPT_LOG_FORMAT,
    OPT_LOG_LEVEL,
    OPT_COUNT
};

static bool check_listen(const char *value)
{
    const char *colon = strrchr(value, ':');
    uint64_t port;
    return colon != NULL && colon > value && options_parse_uint(colon + 1, &port) && port <= 65535;
}

static bool check_endpoint(const char *value)
{
    if (strncmp(value, "ipc://", 6) == 0) return value[6] != 0;
    return strncmp(value, "tcp://", 6) == 0 && check_listen(value + 6);
}

static bool check_key(const char *value)
{
    return strlen(value) == 40;
}

#define KIB 1024ull
#define MIB (1024 * KIB)
static const struct option table[OPT_COUNT] = {
    [OPT_LISTEN] = { "gateway", "listen", "listen", 0, NULL, "HOST:PORT", OPTION_TEXT, "127.0.0.1:7480", 0, 0,
                     "HOST:PORT, port 0 takes a free one", check_listen, false, "where clients connect (WebSocket and HTTP)" },
    [OPT_ORIGINS] = { "gateway", "origins", NULL, 0, "", NULL, OPTION_LIST, NULL, 0, 64, NULL, NULL, false,
                      "pages of these origins may connect, too (https://app.example.org); * = all" },
    [OPT_DEV] = { "gateway", "dev", "dev", 0, NULL, NULL, OPTION_BOOL, NULL, 0, 0, NULL, NULL, false,
                  "for trying: clients need no credential, all are in tenant dev" },
    [OPT_TOKENS] = { "tokens", "file", "tokens", 0, NULL, "FILE", OPTION_TEXT, NULL, 0, 0, NULL, NULL, false,
                     "clients' tokens, a line each: TOKEN TENANT CLIENT" },
    [OPT_COORDINATOR] = { "coordinator", "endpoint", "coordinator", 0, NULL, "ENDPOINT", OPTION_TEXT, "tcp://127.0.0.1:7400", 0, 0,
                          "tcp://HOST:PORT or ipc://PATH", check_endpoint, false, "the coordinator" },
    [OPT_NAME] = { "coordinator", "name", "name", 0, NULL, NULL, OPTION_TEXT, "gateway", 0, 0, NULL, NULL, false,
                   "how the coordinator's people see this gateway" },
    [OPT_CREDENTIAL] = { "coordinator", "credential", "credential", 0, NULL, NULL, OPTION_TEXT, NULL, 0, 0, NULL, NULL, false,
                         "the gateway's own credential at the coordinator" },
    [OPT_SERVER_KEY] = { "coordinator", "server_key", NULL, 0, NULL, NULL, OPTION_TEXT, NULL, 0, 0, "40 characters (Z85)", check_key, false,
                         "CURVE: the coordinator's public key" },
    [OPT_PUBLIC_KEY] = { "coordinator", "public_key", NULL, 0, NULL, NULL, OPTION_TEXT, NULL, 0, 0, "40 characters (Z85)", check_key, false,
                         "CURVE: our own" },
    [OPT_SECRET_KEY] = { "coordinator", "secret_key", NULL, 0, NULL, NULL, OPTION_TEXT, NULL, 0, 0, "40 characters (Z85)", check_key, false,
                         "CURVE: our own" },
    [OPT_CONNECTIONS] = { "limits", "connections", NULL, 0, "", NULL, OPTION_UINT, "20000", 1, 1000000, NULL, NULL, true,
                          "WebSockets open at a time" },
    [OPT_SUBSCRIPTIONS] = { "limits", "subscriptions", NULL, 0, "", NULL, OPTION_UINT, "200000", 1, 10000000, NULL, NULL, true,
                            "of all clients together" },
    [OPT_TOPICS] = { "limits", "topics", NULL, 0, "", NULL, OPTION_UINT, "4096", 1, GATE_TOPICS_MAX, NULL, NULL, true,
                     "subscriptions held at the coordinator: distinct filters, streams that catch up, inboxes" },
    [OPT_OPERATIONS] = { "limits", "operations", NULL, 0, "", NULL, OPTION_UINT, "65536", 1, 1000000, NULL, NULL, true,
                         "messages without their answer, all clients" },
    [OPT_OWN_SUBSCRIPTIONS] = { "limits", "connection_subscriptions", NULL, 0, "", NULL, OPTION_UINT, "128", 1, 65535, NULL, NULL, true,
                                "subscriptions per connection" },
    [OPT_OWN_OPERATIONS] = { "limits", "connection_operations", NULL, 0, "", NULL, OPTION_UINT, "1024", 1, 16384, NULL, NULL, true,
                             "messages without their answer per connection" },
    [OPT_MEMORY] = { "limits", "memory", NULL, 0, "", NULL, OPTION_BYTES, "256MiB", 16 * MIB, 64 * 1024 * MIB, NULL, NULL, true,
                     "frames that wait for their sockets" },
    [OPT_ASSEMBLY] = { "limits", "assembly", NULL, 0, "", NULL, OPTION_BYTES, "64MiB", MIB, 64 * 1024 * MIB, NULL, NULL, true,
                       "unfinished frames of clients" },
    [OPT_QUEUE] = { "limits", "queue", NULL, 0, "", NULL, OPTION_BYTES, "1MiB", 64 * KIB, 64 * MIB, NULL, NULL, true,
                    "frames that wait for one socket" },
    [OPT_FRAME] = { "limits", "max_frame", NULL, 0, "", NULL, OPTION_BYTES, "128KiB", 4 * KIB, 16 * MIB, NULL, NULL, true,
                    "the largest frame a client may send" },
    [OPT_AUTH] = { "timing", "auth", NULL, 0, "", NULL, OPTION_DURATION, "5s", 100, 60000, NULL, NULL, true,
                   "a connection without a credential is closed after this" },
    [OPT_ANSWER] = { "timing", "answer", NULL, 0, "", NULL, OPTION_DURATION, "30s", 1000, 600000, NULL, NULL, true,
                     "a subscribe or history without the coordinator's answer is given up after this" },
    [OPT_LEASE] = { "timing", "lease", NULL, 0, "", NULL, OPTION_DURATION, "15s", 1000, 600000, NULL, NULL, true,
                    "a client of which nothing is heard for so long, not even a pong, is gone" },
    [OPT_DRAIN] = { "timing", "drain", NULL, 0, "", NULL, OPTION_DURATION, "5s", 0, 600000, NULL, NULL, true,
                    "how long clients have to leave after SIGTERM" },
    [OPT_RECONNECT] = { "timing", "reconnect", NULL, 0, "", NULL, OPTION_DURATION, "3s", 0, 600000, NULL, NULL, true,
                        "a drained client is told a random time below this" },
    [OPT_LOG_FORMAT] = { "log", "format", "log-format", 0, NULL, NULL, OPTION_ENUM, "text", 0, 0, JOURNAL_FORMATS, NULL, false,
                         "of the lines on stderr" },
    [OPT_LOG_LEVEL] = { "log", "level", "log-level", 0, NULL, NULL, OPTION_ENUM, "info", 0, 0, JOURNAL_LEVELS, NULL, false,
                        "lines below are not written" },
};

static bool check_all(struct options *o)
{
    bool fine = true;
    if (!options_true(o, OPT_DEV) && options_text(o, OPT_TOKENS) == NULL) {
        options_complain(o, OPT_TOKENS, "is needed so that clients can be told apart (or --dev, for trying)");
        fine = false;
    }
    int keys =
        (options_text(o, OPT_SERVER_KEY) != NULL) + (options_text(o, OPT_PUBLIC_KEY) != NULL) + (options_text(o, OPT_SECRET_KEY) != NULL);
    if (keys != 0 && keys != 3) {
        options_complain(o, OPT_SERVER_KEY, "server_key, public_key and secret_key are needed all three, or none");
        fine = false;
    }
    return fine;
}

static const struct program program = {
    .name = "weir-gateway",
    .version = WEIR_VERSION,
    .text = "takes WebSocket clients and connects them to a weir coordinator",
    .env_prefix = "WEIR_GATEWAY_",
    .options = table,
    .option_count = OPT_COUNT,
    .check = check_all,
};

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) return NULL;
    char *text = NULL;
    size_t size = 0;
    size_t room = 0;
    for (;;) {
        if (room - size < 4096) {
            room = room * 2 + 8192;
            char *larger = realloc(text, room);
            if (larger == NULL) break;
            text = larger;
        }
        size_t got = fread(text + size, 1, room - size - 1, file);
        size += got;
        if (got == 0) break;
    }
    if (text != NULL) text[size] = 0;
    fclose(file);
    return text;
}

/* A line: TOKEN TENANT CLIENT. False: it has been complained about. */
static bool read_token_line(struct config *config, char *line, unsigned number)
{
    char *save;
    char *token = strtok_r(line, " \t\r", &save);
    if (token == NULL || token[0] == '#') return true;
    char *tenant = strtok_r(NULL, " \t\r", &save);
    char *client = strtok_r(NULL, " \t\r", &save);
    const char *wrong = tenant == NULL || client == NULL || strtok_r(NULL, " \t\r", &save) != NULL ? "must be TOKEN TENANT CLIENT"
                        : strlen(tenant) > 64                                                      ? "has a tenant of more than 64 bytes"
                                                                                                   : NULL;
    for (uint32_t i = 0; wrong == NULL && i < config->identity_count; i++) {
        if (span_equal(config->identities[i].token, span_text(token))) wrong = "repeats a token";
    }
    if (wrong != NULL) {
        options_complain(config->options, OPT_TOKENS, "line %u %s", number, wrong);
        return false;
    }
    config->identities[config->identity_count++] = (struct gate_identity){ span_text(token), span_text(tenant), span_text(client) };
    return true;
}

static size_t count_tenants(const struct config *config)
{
    size_t count = 0;
    for (uint32_t i = 0; i < config->identity_count; i++) {
        uint32_t same = 0;
        while (same < i && !span_equal(config->identities[same].tenant, config->identities[i].tenant))
            same++;
        if (same == i) count++;
    }
    return count;
}

static bool read_tokens(struct config *config, const char *path)
{
    config->tokens_text = read_file(path);
    if (config->tokens_text == NULL) {
        options_complain(config->options, OPT_TOKENS, "cannot be read: %s", path);
        return false;
    }
    size_t lines = 1;
    for (const char *at = config->tokens_text; *at != 0; at++)
        lines += *at == '\n';
    config->identities = calloc(lines, sizeof *config->identities);
    if (config->identities == NULL) return false;
    unsigned number = 0;
    bool fine = true;
    char *rest = config->tokens_text;
    for (char *line = rest; line != NULL; line = rest) {
        rest = strchr(line, '\n');
        if (rest != NULL) *rest++ = 0;
        fine &= read_token_line(config, line, ++number);
    }

    if (count_tenants(config) >= GATE_TENANTS_MAX) {
        options_complain(config->options, OPT_TOKENS, "names more than %d tenants", GATE_TENANTS_MAX - 1);
        fine = false;
    }
    return fine;
}

static void read_limits(struct config *c, const struct options *o)
{
    c->limits = (struct gate_limits){
        .connections_max = (uint32_t)options_number(o, OPT_CONNECTIONS),
        .subscriptions_max = (uint32_t)options_number(o, OPT_SUBSCRIPTIONS),
        .topics_max = (uint32_t)options_number(o, OPT_TOPICS),
        .operations_max = (uint32_t)options_number(o, OPT_OPERATIONS),
        .own_subscriptions_max = (uint32_t)options_number(o, OPT_OWN_SUBSCRIPTIONS),
        .own_operations_max = (uint32_t)options_number(o, OPT_OWN_OPERATIONS),
        .pool_bytes = options_number(o, OPT_MEMORY),
        .queue_bytes = (uint32_t)options_number(o, OPT_QUEUE),
        .frame_bytes_max = (uint32_t)options_number(o, OPT_FRAME),
        .auth_ms = (uint32_t)options_number(o, OPT_AUTH),
        .answer_ms = (uint32_t)options_number(o, OPT_ANSWER),
        .lease_ms = (uint32_t)options_number(o, OPT_LEASE),
    };
    c->assembly_bytes = options_number(o, OPT_ASSEMBLY);
}

int config_read(int argc, char *const argv[], struct config *c)
{
    *c = (struct config){ 0 };
    int code = options_read(&program, argc, argv, &c->options);
    if (code != OPTIONS_RUN) return code;
    const struct options *o = c->options;
    c->listen = options_text(o, OPT_LISTEN);
    c->coordinator = options_text(o, OPT_COORDINATOR);
    c->name = options_text(o, OPT_NAME);
    c->credential = options_text(o, OPT_CREDENTIAL);
    c->server_key = options_text(o, OPT_SERVER_KEY);
    c->public_key = options_text(o, OPT_PUBLIC_KEY);
    c->secret_key = options_text(o, OPT_SECRET_KEY);
    c->dev = options_true(o, OPT_DEV);
    c->drain_ms = (uint32_t)options_number(o, OPT_DRAIN);
    c->reconnect_ms = (uint32_t)options_number(o, OPT_RECONNECT);
    c->log_format = (enum journal_format)options_number(o, OPT_LOG_FORMAT);
    c->log_level = (enum journal_level)options_number(o, OPT_LOG_LEVEL);
    read_limits(c, o);
    const char *tokens = options_text(o, OPT_TOKENS);
    if (tokens == NULL || read_tokens(c, tokens)) return OPTIONS_RUN;
    config_free(c);
    return EXIT_USAGE;
}

void config_free(struct config *c)
{
    free(c->identities);
    free(c->tokens_text);
    options_destroy(&c->options);
}

bool config_allows_origin(const struct config *c, const char *origin, const char *host)
{
    for (size_t i = 0; i < options_count(c->options, OPT_ORIGINS); i++) {
        const char *allowed = options_item(c->options, OPT_ORIGINS, i);
        if (strcmp(allowed, "*") == 0 || strcmp(allowed, origin) == 0) return true;
    }
    const char *authority = strstr(origin, "://");
    return authority != NULL && strcmp(authority + 3, host) == 0;
}
