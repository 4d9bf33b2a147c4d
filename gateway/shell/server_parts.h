/* What the server's files share. */
#ifndef WEIR_GATEWAY_SERVER_PARTS_H
#define WEIR_GATEWAY_SERVER_PARTS_H

#include "gateway/shell/server.h"

/* A client's frame as far as it has come. */
struct assembly {
    size_t size, room;
    uint8_t bytes[];
};

struct server {
    struct gateway *gateway;
    struct lws_context *lws;
    struct lws_vhost *vhost;
    struct session **sessions; /* by the core's handle */
    uint8_t *out;              /* frames gathered for one write */
    char address[128];
    int listener;
    uv_poll_t accepting;
    uv_timer_t accept_again, clock;
    struct server_stats stats;
    void *loops[1];
};

enum { OUT_BYTES = GATE_OUTPUT_BYTES + GATE_FRAME_OUT_MAX };

uint32_t server_now_s(const struct server *server);

/* -- listen.c -- */
bool listen_open(struct server *server);
void listen_close(struct server *server);

/* -- socket.c: what happens on one WebSocket -- */
int socket_established(struct server *server, struct lws *wsi, struct session *session);
int socket_receive(struct server *server, struct session *session, const uint8_t *piece, size_t size);
int socket_writeable(struct server *server, struct session *session); /* -1: close it */
void socket_closed(struct server *server, struct session *session);
void socket_write(struct server *server, struct session *session); /* as much as the socket takes now */
void socket_look(struct server *server, struct session *session);  /* once a second: pings, and what has to be killed */

/* -- http.c -- */
int http_confirm_upgrade(struct server *server, struct lws *wsi);
int http_request(struct server *server, struct lws *wsi, const char *path);

#endif
