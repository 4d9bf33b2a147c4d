/* Plain HTTP. Every answer is one head and one body known in full; refusals are RFC 9457 problem documents. */
#include "gateway/shell/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/shell/server_parts.h"

#define CONTENT_POLICY                                                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "                         \
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

#define PROBLEM "{\"type\":\"about:blank\",\"status\":%u,\"title\":\"%s\",\"detail\":\"%s\"}\n"

struct answer {
    unsigned status;
    const char *type;
    const void *body;
    size_t size;
    const char *allow; /* with 405; else NULL */
    bool head, close;
};

static int add(struct lws *wsi, const char *name, const char *value, uint8_t **at, uint8_t *end)
{
    return value == NULL ? 0 : lws_add_http_header_by_name(wsi, (const uint8_t *)name, (const uint8_t *)value, (int)strlen(value), at, end);
}

/* 0: fine, go on with keep-alive; -1: close. */
static int respond(struct lws *wsi, const struct answer *answer)
{
    uint8_t room[LWS_PRE + 2048];
    uint8_t *at = room + LWS_PRE;
    uint8_t *end = room + sizeof room;
    if (lws_add_http_common_headers(wsi, answer->status, answer->type, answer->size, &at, end) != 0 ||
        add(wsi, "content-security-policy:", CONTENT_POLICY, &at, end) != 0 ||
        add(wsi, "x-content-type-options:", "nosniff", &at, end) != 0 || add(wsi, "referrer-policy:", "no-referrer", &at, end) != 0 ||
        add(wsi, "cache-control:", "no-cache", &at, end) != 0 || add(wsi, "allow:", answer->allow, &at, end) != 0 ||
        lws_finalize_write_http_header(wsi, room + LWS_PRE, &at, end) != 0)
        return -1;
    if (!answer->head && answer->size > 0) {
        uint8_t *body = malloc(LWS_PRE + answer->size); /* lws may write before it */
        if (body == NULL) return -1;
        memcpy(body + LWS_PRE, answer->body, answer->size);
        int written = lws_write(wsi, body + LWS_PRE, answer->size, LWS_WRITE_HTTP_FINAL);
        free(body);
        if (written < 0) return -1;
    }
    if (answer->close || lws_http_transaction_completed(wsi) != 0) return -1;
    return 0;
}

static int problem(struct lws *wsi, struct answer answer, const char *title, const char *detail)
{
    char body[512];
    int size = snprintf(body, sizeof body, PROBLEM, answer.status, title, detail);
    answer.type = "application/problem+json";
    answer.body = body;
    answer.size = (size_t)size;
    return respond(wsi, &answer);
}

/* The answer to an upgrade that is refused: the connection ends with it. Made by hand, as lws would say HTTP/1.0 here, which some clients
 * do not take for an answer at all. extra: header lines. */
static int refuse_upgrade(struct server *server, struct lws *wsi, unsigned status, const char *title, const char *detail, const char *extra)
{
    char body[512];
    char text[LWS_PRE + 1024];
    server->stats.refused_upgrades++;
    int body_size = snprintf(body, sizeof body, PROBLEM, status, title, detail);
    int size = snprintf(text + LWS_PRE, sizeof text - LWS_PRE,
                        "HTTP/1.1 %u %s\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n%s\r\n%s",
                        status, title, body_size, extra, body);
    (void)lws_write(wsi, (unsigned char *)text + LWS_PRE, (size_t)size, LWS_WRITE_RAW);
    return -1;
}

static bool header(struct lws *wsi, enum lws_token_indexes token, char *room, size_t size)
{
    return lws_hdr_total_length(wsi, token) > 0 && lws_hdr_copy(wsi, room, (int)size, token) > 0;
}

/* "a, b" has the word. */
static bool list_has(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = list; *at != 0;) {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, " \t,");
        if (length == size && memcmp(at, word, size) == 0) return true;
        at += length;
    }
    return false;
}

static bool page_may_connect(struct server *server, struct lws *wsi)
{
    char origin[512];
    char host[256] = "";
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) <= 0) return true; /* no browser */
    if (!header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof origin)) return false;
    (void)header(wsi, WSI_TOKEN_HOST, host, sizeof host);
    return config_allows_origin(server->gateway->config, origin, host);
}

int http_confirm_upgrade(struct server *server, struct lws *wsi)
{
    char text[8192];
    const struct gateway *g = server->gateway;
    if (!header(wsi, WSI_TOKEN_GET_URI, text, sizeof text) || strcmp(text, "/v1/ws") != 0)
        return refuse_upgrade(server, wsi, 404, "Not Found", "WebSocket is served at /v1/ws", "");
    if (!header(wsi, WSI_TOKEN_VERSION, text, sizeof text) || strcmp(text, "13") != 0)
        return refuse_upgrade(server, wsi, 426, "Upgrade Required", "WebSocket version 13 is served", "sec-websocket-version: 13\r\n");
    if (header(wsi, WSI_TOKEN_PROTOCOL, text, sizeof text) && !list_has(text, "weir.v1.json"))
        return refuse_upgrade(server, wsi, 400, "Bad Request", "the subprotocol served here is weir.v1.json", "");
    if (!page_may_connect(server, wsi))
        return refuse_upgrade(server, wsi, 403, "Forbidden", "pages of this origin may not connect; see [gateway] origins", "");
    if (g->draining || gate_stats(g->gate)->connections >= g->config->limits.connections_max)
        return refuse_upgrade(server, wsi, 503, "Service Unavailable", "no more connections now", "retry-after: 1\r\n");
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_AUTHORIZATION) <= 0) return 0;
    const struct gate_identity *identity = NULL;
    if (header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, text, sizeof text) && strncasecmp(text, "Bearer ", 7) == 0)
        identity = gate_identify(g->gate, span_text(text + 7));
    if (identity == NULL && !g->config->dev)
        return refuse_upgrade(server, wsi, 401, "Unauthorized", "the credential is not known", "www-authenticate: Bearer\r\n");
    lws_set_opaque_user_data(wsi, (void *)(uintptr_t)identity);
    return 0;
}

static const char *content_type(const char *name)
{
    static const char *const types[][2] = { { ".html", "text/html; charset=utf-8" },
                                            { ".js", "text/javascript; charset=utf-8" },
                                            { ".css", "text/css; charset=utf-8" },
                                            { ".json", "application/json" },
                                            { ".svg", "image/svg+xml" },
                                            { ".txt", "text/plain; charset=utf-8" },
                                            { ".png", "image/png" },
                                            { ".ico", "image/x-icon" },
                                            { ".woff2", "font/woff2" } };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(dot, types[i][0]) == 0) return types[i][1];
    }
    return "application/octet-stream";
}

static const struct asset *find_asset(const char *path)
{
    const char *name = NULL;
    if (strcmp(path, "/") == 0 || strcmp(path, "/console/") == 0 || strcmp(path, "/console") == 0) name = "index.html";
    if (name == NULL && strncmp(path, "/console/", 9) == 0) name = path + 9;
    for (size_t i = 0; name != NULL && i < asset_count; i++) {
        if (strcmp(assets[i].name, name) == 0) return &assets[i];
    }
    return NULL;
}

static int respond_text(struct lws *wsi, struct answer answer, const char *text)
{
    answer.type = "text/plain; charset=utf-8";
    answer.body = text;
    answer.size = strlen(text);
    return respond(wsi, &answer);
}

static int respond_metrics(struct server *server, struct lws *wsi, struct answer answer)
{
    struct metrics metrics = { 0 };
    stats_write(server->gateway, &metrics);
    answer.type = METRICS_CONTENT_TYPE;
    answer.body = metrics.data;
    answer.size = metrics.size;
    int result = metrics.failed ? -1 : respond(wsi, &answer);
    metrics_free(&metrics);
    return result;
}

static int respond_ready(struct server *server, struct lws *wsi, struct answer answer)
{
    const char *reason = server->gateway->draining ? "draining\n" : uplink_is_up(server->gateway->uplink) ? "ready\n" : "no coordinator\n";
    if (reason[0] != 'r') answer.status = 503;
    return respond_text(wsi, answer, reason);
}

int http_request(struct server *server, struct lws *wsi, const char *path)
{
    struct answer answer = { .status = 200, .head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0 };
    bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
    server->stats.http_requests++;
    const struct asset *asset = find_asset(path);
    bool metrics = strcmp(path, "/metrics") == 0;
    bool health = strcmp(path, "/healthz") == 0;
    bool ready = strcmp(path, "/readyz") == 0;
    bool socket = strcmp(path, "/v1/ws") == 0;
    if (asset == NULL && !metrics && !health && !ready && !socket) {
        return problem(wsi, (struct answer){ .status = 404, .head = answer.head, .close = !get && !answer.head }, "Not Found",
                       "there is nothing here");
    }
    if (!get && !answer.head) /* its body is not read: the connection cannot go on */
        return problem(wsi, (struct answer){ .status = 405, .allow = "GET, HEAD", .close = true }, "Method Not Allowed", "GET or HEAD");
    if (socket) return problem(wsi, (struct answer){ .status = 426, .head = answer.head }, "Upgrade Required", "this is a WebSocket");
    if (metrics) return respond_metrics(server, wsi, answer);
    if (health) return respond_text(wsi, answer, "ok\n");
    if (ready) return respond_ready(server, wsi, answer);
    answer.type = content_type(asset->name);
    answer.body = asset->begin;
    answer.size = (size_t)(asset->end - asset->begin);
    return respond(wsi, &answer);
}
