/* One DEALER is one connection [R-WIRE-1]: ZeroMQ's own reconnect is put off for an hour, so that nothing is sent on a connection before
 * its hello, and a monitor tells when the connection stands and when it is gone. A packet that the socket does not take at once is kept;
 * nothing is built behind it. */
#include "sdk/src/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WATCHED = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
              ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_CONNECT_RETRIED
};
enum { FRAME_BYTES_MAX = 4 << 20 }; /* [R-WIRE-6] */

static void set_int(void *socket, int option, int value)
{
    (void)zmq_setsockopt(socket, option, &value, sizeof value);
}

static bool set_up(const struct session *session, void *socket)
{
    int64_t frame_max = FRAME_BYTES_MAX;
    set_int(socket, ZMQ_LINGER, 0);
    set_int(socket, ZMQ_RECONNECT_IVL, 3600000);
    set_int(socket, ZMQ_RECONNECT_IVL_MAX, 0);
    set_int(socket, ZMQ_CONNECT_TIMEOUT, 5000);
    set_int(socket, ZMQ_HANDSHAKE_IVL, 5000);
    set_int(socket, ZMQ_HEARTBEAT_IVL, 5000);
    set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, 15000);
    set_int(socket, ZMQ_RCVHWM, 0); /* credit is the limit */
    (void)zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max);
    if (session->server_key[0] == '\0') return true;
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, session->server_key, KEY_TEXT + 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, session->public_key, KEY_TEXT + 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, session->secret_key, KEY_TEXT + 1) == 0;
}

bool transport_check(struct session *session)
{
    void *socket = zmq_socket(session->context, ZMQ_DEALER);
    bool fine = socket != NULL && set_up(session, socket) && zmq_connect(socket, session->endpoint) == 0;
    int error = errno;
    if (socket != NULL) (void)zmq_close(socket);
    errno = error;
    return fine;
}

/* The monitor's reader is connected before the socket is: else its first event could be lost. */
static bool watch(struct session *session)
{
    char address[64];
    (void)snprintf(address, sizeof address, "inproc://weir-monitor-%u", ++session->monitors);
    if (zmq_socket_monitor(session->socket, address, WATCHED) != 0) return false;
    session->monitor = zmq_socket(session->context, ZMQ_PAIR);
    if (session->monitor == NULL) return false;
    set_int(session->monitor, ZMQ_LINGER, 0);
    return zmq_connect(session->monitor, address) == 0;
}

bool transport_open(struct session *session)
{
    session->socket = zmq_socket(session->context, ZMQ_DEALER);
    if (session->socket == NULL) return false;
    if (set_up(session, session->socket) && watch(session) && zmq_connect(session->socket, session->endpoint) == 0) return true;
    transport_close(session);
    return false;
}

void transport_close(struct session *session)
{
    if (session->hold) {
        (void)zmq_msg_close(&session->hold_head);
        if (session->hold_has_body) (void)zmq_msg_close(&session->hold_body);
        session->hold = false;
    }
    if (session->socket != NULL) {
        (void)zmq_socket_monitor(session->socket, NULL, 0); /* before its reader goes: else the I/O thread would stand still */
        (void)zmq_close(session->socket);
    }
    if (session->monitor != NULL) (void)zmq_close(session->monitor);
    session->socket = session->monitor = NULL;
}

bool transport_send_held(struct session *session)
{
    if (!session->hold) return true;
    if (zmq_msg_send(&session->hold_head, session->socket, ZMQ_DONTWAIT | (session->hold_has_body ? ZMQ_SNDMORE : 0)) < 0) return false;
    if (session->hold_has_body)
        (void)zmq_msg_send(&session->hold_body, session->socket, ZMQ_DONTWAIT); /* the rest of a message is always taken */
    session->hold = false;
    return true;
}

static bool fill(zmq_msg_t *message, const struct span *pieces, size_t count, size_t size)
{
    uint8_t *at;
    if (zmq_msg_init_size(message, size) != 0) return false;
    at = zmq_msg_data(message);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size != 0) memcpy(at, pieces[i].data, pieces[i].size);
        at += pieces[i].size;
    }
    return true;
}

bool transport_send(struct session *session, const struct packet *packet, struct span head)
{
    size_t body = 0;
    for (size_t i = 0; i < packet->piece_count; i++)
        body += packet->pieces[i].size;
    if (!fill(&session->hold_head, &head, 1, head.size)) return false;
    session->hold_has_body = body != 0;
    if (body != 0 && !fill(&session->hold_body, packet->pieces, packet->piece_count, body)) {
        (void)zmq_msg_close(&session->hold_head);
        return false;
    }
    session->hold = true;
    (void)transport_send_held(session);
    return true;
}

static enum transport_news judge(uint16_t event, uint32_t value, const char **out_text)
{
    switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return NEWS_CONNECTED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        *out_text = "the coordinator does not know this CURVE key";
        return value >= 500 ? NEWS_LOST : NEWS_REFUSED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        *out_text = "the handshake failed: one side wants CURVE keys and the other has none, or the server key is wrong";
        return NEWS_LOST;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        *out_text = "the handshake failed; is this a weir coordinator?";
        return NEWS_LOST;
    case ZMQ_EVENT_DISCONNECTED:
        *out_text = "the connection was lost";
        return NEWS_LOST;
    default:
        *out_text = "no connection could be made; does the coordinator run there?";
        return NEWS_LOST;
    }
}

static void drop_frame(void *socket, zmq_msg_t *frame)
{
    (void)zmq_msg_init(frame);
    (void)zmq_msg_recv(frame, socket, ZMQ_DONTWAIT);
}

enum transport_news transport_news(struct session *session, const char **out_text)
{
    zmq_msg_t frame;
    uint8_t raw[6];
    uint16_t event;
    uint32_t value;
    drop_frame(session->monitor, &frame);
    if (zmq_msg_size(&frame) < sizeof raw) {
        (void)zmq_msg_close(&frame);
        return NEWS_NONE;
    }
    memcpy(raw, zmq_msg_data(&frame), sizeof raw);
    (void)zmq_msg_close(&frame);
    drop_frame(session->monitor, &frame); /* the address */
    (void)zmq_msg_close(&frame);
    memcpy(&event, raw, 2);
    memcpy(&value, raw + 2, 4);
    return judge(event, value, out_text);
}

static bool has_more(zmq_msg_t *frame)
{
    return zmq_msg_more(frame) != 0;
}

bool transport_receive(struct session *session, zmq_msg_t *head, zmq_msg_t *body, bool *out_broken)
{
    zmq_msg_t extra;
    bool more;
    *out_broken = false;
    (void)zmq_msg_init(head);
    (void)zmq_msg_init(body);
    if (zmq_msg_recv(head, session->socket, ZMQ_DONTWAIT) < 0) return false;
    more = has_more(head);
    if (more && zmq_msg_recv(body, session->socket, ZMQ_DONTWAIT) < 0) *out_broken = true;
    more = more && has_more(body);
    while (more) { /* more than two frames are no packet [R-WIRE-2] */
        *out_broken = true;
        drop_frame(session->socket, &extra);
        more = has_more(&extra);
        (void)zmq_msg_close(&extra);
    }
    return true;
}
