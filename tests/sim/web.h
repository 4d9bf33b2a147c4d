/* The web in front of the gateways: sockets, and the clients behind them. */
#ifndef WEIR_SIM_WEB_H
#define WEIR_SIM_WEB_H

#include "tests/sim/sim.h"

enum {
    CLIENTS_MAX = 8,
    SOCKETS_MAX = 64, /* with those that one end has left and the other has not noticed */
    CLIENT_SUBS_MAX = 3,
    CALLS_MAX = 64, /* of a client without their answer */
    CURSOR_MAX = 48,
    GATEWAY_CONNECTIONS = 24,
    GATEWAY_LEASE_MS = 15000,
    STORY_FRAME = 200, /* so much of a frame stands in the story */
};

struct client;

/* A WebSocket: frames go up, the bytes of the gateway's writes come down. A break loses any suffix, each way on its own. */
struct socket {
    bool used;
    struct client *client; /* NULL: it has closed its end */
    struct peer *gateway;  /* NULL: its end is gone, with its process or by itself */
    uint32_t conn;         /* the gate's handle, once it has shaken hands */
    uint64_t ready_ns;     /* the client knocks until then */
    struct pipe up, down;
    uint32_t window, unread; /* no more than a window is written ahead of the client */
    bool broken, wants_write, close_sent;
    uint64_t client_news_ns, gateway_news_ns; /* when each end learns that it is over; NEVER */
};

struct client_sub {
    const char *filter;
    uint32_t viewer; /* the oracle's number */
    uint32_t credit; /* 0: without */
    enum { SUB_CLOSED, SUB_ASKED, SUB_OPEN } state;
    uint64_t id, retry_ns;
    char cursor[CURSOR_MAX]; /* where to resume; empty: never begun */
    uint64_t cursor_seq;
    uint32_t unacked; /* events since the last ack */
    uint64_t ack_ns;
};
enum call_kind { CALL_PUBLISH, CALL_REQUEST, CALL_CANCEL };
struct client_call {
    enum call_kind kind;
    uint64_t id;
    uint32_t event;     /* the oracle's number */
    uint64_t cancel_ns; /* a request: its user takes it back then; NEVER */
};
struct client {
    struct sim *sim;
    char name[12];
    struct random random;
    struct socket *socket;
    uint64_t connect_ns, read_ns, publish_ns, leave_ns; /* not before; NEVER */
    uint64_t last_id;
    uint32_t left, written;
    bool greeted, slowed;
    struct client_sub subs[CLIENT_SUBS_MAX];
    uint32_t sub_count;
    struct client_call calls[CALLS_MAX];
    uint32_t call_count;
};

struct web {
    struct socket sockets[SOCKETS_MAX];
    struct client clients[CLIENTS_MAX];
    uint32_t client_count;
    uint8_t room[1 << 20]; /* of one write, of one frame's data */
};

/* socket.c */
struct socket *socket_open(struct sim *sim, struct client *client, struct peer *gateway);
void socket_send(struct sim *sim, struct socket *socket, const char *frame, size_t size);
void socket_write(struct sim *sim, struct socket *socket, struct span bytes);
void socket_break(struct sim *sim, struct socket *socket, struct random *random);
void socket_leave(struct sim *sim, struct socket *socket, struct random *random); /* the client's end closes */
void socket_drop(struct socket *socket, uint64_t news_ns);                        /* the gateway's end is gone; the client learns it then */
static inline bool socket_has_room(const struct socket *socket)
{
    return socket->unread < socket->window;
}

/* client_hear.c */
void client_hears(struct client *client, struct span frame);
void client_loses(struct client *client); /* its connection is over: what had no answer has none */

#endif
