/* libwebsockets on our own libuv loop. One protocol serves HTTP and WebSocket; its callback only tells the reasons apart. */
#include "gateway/shell/server.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/shell/server_parts.h"

enum {
    RX_BYTES = 1024,      /* per connection and piece; the default of 4096 would be most of an idle socket's memory */
    TX_BYTES = 64 * 1024, /* else rx_buffer_size caps a send, too */
    HEADER_BYTES = 8192,  /* all known headers of a request; a bearer token is long */
};

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    struct session *session = user;
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return http_confirm_upgrade(server, wsi);
    case LWS_CALLBACK_HTTP:
        return http_request(server, wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        return socket_established(server, wsi, session);
    case LWS_CALLBACK_RECEIVE:
        return socket_receive(server, session, in, size);
    case LWS_CALLBACK_RECEIVE_PONG:
        session->heard_s = server_now_s(server);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return socket_writeable(server, session);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return session->close_sent ? -1 : 0; /* 0: lws echoes it */
    case LWS_CALLBACK_CLOSED:
        socket_closed(server, session);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    { .name = "weir.v1.json",
      .callback = callback,
      .per_session_data_size = sizeof(struct session),
      .rx_buffer_size = RX_BYTES,
      .tx_packet_size = TX_BYTES },
    { 0 },
};

uint32_t server_now_s(const struct server *server)
{
    return (uint32_t)(uv_now(&server->gateway->loop) / 1000) + 1;
}

void server_turn(struct server *server)
{
    uint32_t conn;
    while ((conn = gate_dirty(server->gateway->gate)) != 0) {
        struct session *session = server->sessions[conn];
        if (session != NULL) socket_write(server, session);
    }
}

static void on_clock(uv_timer_t *timer)
{
    struct server *server = timer->data;
    for (uint32_t conn = 1; conn <= server->gateway->config->limits.connections_max; conn++) {
        if (server->sessions[conn] != NULL) socket_look(server, server->sessions[conn]);
    }
}

static void to_journal(int level, const char *line)
{
    size_t size = strcspn(line, "\n");
    if (level == LLL_ERR) {
        journal_warning("libwebsockets", "message=%.*s", (int)size, line);
    } else {
        journal_debug("libwebsockets", "message=%.*s", (int)size, line);
    }
}

static bool open_lws(struct server *server)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = server->loops,
        .user = server,
        .pcontext = &server->lws, /* lws clears it when it is destroyed at last */
        .max_http_header_data2 = HEADER_BYTES,
        .gid = -1,
        .uid = -1,
    };
    lws_set_log_level(LLL_ERR | LLL_WARN, to_journal);
    server->loops[0] = &server->gateway->loop;
    server->lws = lws_create_context(&info);
    if (server->lws == NULL) return false;
    server->vhost = lws_create_vhost(server->lws, &info);
    return server->vhost != NULL;
}

struct server *server_open(struct gateway *gateway)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) return NULL;
    server->gateway = gateway;
    server->listener = -1;
    server->sessions = calloc(gateway->config->limits.connections_max + 1ull, sizeof *server->sessions);
    server->out = malloc(OUT_BYTES);
    if (server->sessions == NULL || server->out == NULL || !open_lws(server)) {
        journal_error("server_failed", "message=%s", "libwebsockets does not start (is libwebsockets-evlib-uv installed?)");
        return NULL;
    }
    uv_timer_init(&gateway->loop, &server->clock);
    server->clock.data = server;
    uv_timer_start(&server->clock, on_clock, 1000, 1000);
    return listen_open(server) ? server : NULL;
}

const char *server_address(const struct server *server)
{
    return server->address;
}

void server_stop_listening(struct server *server)
{
    listen_close(server);
}

const struct server_stats *server_stats(const struct server *server)
{
    return &server->stats;
}

void server_close(struct server *server)
{
    listen_close(server);
    uv_close((uv_handle_t *)&server->clock, NULL);
    lws_context_destroy(server->lws);
}

/* On a loop of our own libwebsockets destroys itself in two parts, between which its handles have to be closed by the loop. */
void server_free(struct server **server)
{
    struct server *s = *server;
    if (s->lws != NULL) lws_context_destroy(s->lws);
    free(s->sessions);
    free(s->out);
    free(s);
    *server = NULL;
}
