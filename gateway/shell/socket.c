/* One WebSocket. What libwebsockets 4.1.6 needs from us, as measured: nothing is written while it still holds a rest of the last write (its
 * buffer has no bound); frames are made by the core and go out raw, many in one call, also outside of its WRITEABLE callback (asking for
 * that costs two epoll_ctl each); close frames are written raw, too, since its own are lost with libuv. */
#include <stdlib.h>
#include <string.h>

#include "gateway/shell/server_parts.h"

enum {
    WRITES_PER_TURN = 4, /* of 64 KiB to one socket, then others have their turn */
    CLOSE_GRACE_S = 3,   /* for the client to read its close frame and answer it */
    FIRST_ROOM = 4096,
};

int socket_established(struct server *server, struct lws *wsi, struct session *session)
{
    const struct gate_identity *identity = lws_get_opaque_user_data(wsi);
    uplink_tell_time(server->gateway->gate);
    uint32_t conn = gate_open(server->gateway->gate, identity);
    if (conn == 0) return -1;
    memset(session, 0, sizeof *session);
    session->wsi = wsi;
    session->conn = conn;
    session->heard_s = server_now_s(server);
    server->sessions[conn] = session;
    return 0;
}

static void drop_assembly(struct server *server, struct session *session)
{
    if (session->assembly == NULL) return;
    server->stats.assembly_bytes -= session->assembly->room;
    free(session->assembly);
    session->assembly = NULL;
}

void socket_closed(struct server *server, struct session *session)
{
    if (session->conn == 0) return;
    drop_assembly(server, session);
    server->sessions[session->conn] = NULL;
    gate_closed(server->gateway->gate, session->conn);
    session->conn = 0;
}

/* Room for size more bytes; false: all clients together have too much unfinished. */
static bool assembly_grow(struct server *server, struct session *session, size_t size)
{
    size_t have = session->assembly != NULL ? session->assembly->size : 0;
    size_t room = session->assembly != NULL ? session->assembly->room : 0;
    if (session->assembly != NULL && have + size <= room) return true;
    size_t wanted = room * 2 > have + size ? room * 2 : have + size;
    if (wanted < FIRST_ROOM) wanted = FIRST_ROOM;
    if (server->stats.assembly_bytes + (wanted - room) > server->gateway->config->assembly_bytes) return false;
    struct assembly *larger = realloc(session->assembly, sizeof *larger + wanted);
    if (larger == NULL) return false;
    larger->size = have;
    larger->room = wanted;
    server->stats.assembly_bytes += wanted - room;
    session->assembly = larger;
    return true;
}

static void refuse_frame(struct server *server, struct session *session, uint16_t code, const char *reason)
{
    drop_assembly(server, session);
    session->skipping = true;
    gate_close(server->gateway->gate, session->conn, code, reason);
}

static void take_frame(struct server *server, struct session *session, const uint8_t *bytes, size_t size)
{
    uplink_tell_time(server->gateway->gate);
    if (session->binary) {
        gate_bad_frame(server->gateway->gate, session->conn, "binary frames are not served");
    } else {
        gate_text(server->gateway->gate, session->conn, span_of(bytes, size));
    }
}

int socket_receive(struct server *server, struct session *session, const uint8_t *piece, size_t size)
{
    struct lws *wsi = session->wsi;
    if (session->conn == 0) return -1;
    session->heard_s = server_now_s(server);
    bool first = lws_is_first_fragment(wsi) && session->assembly == NULL;
    size_t rest = lws_remaining_packet_payload(wsi);
    bool whole = lws_is_final_fragment(wsi) && rest == 0;
    if (session->skipping || session->closing_s != 0) {
        if (whole && session->closing_s == 0) session->skipping = false;
        return 0;
    }
    if (first) session->binary = lws_frame_is_binary(wsi);
    size_t have = session->assembly != NULL ? session->assembly->size : 0;
    if (have + size + rest > server->gateway->config->limits.frame_bytes_max) {
        refuse_frame(server, session, 1009, "frame too large");
        return 0;
    }
    if (whole && session->assembly == NULL) {
        take_frame(server, session, piece, size);
        return 0;
    }
    if (!assembly_grow(server, session, size + (have == 0 ? rest : 0))) {
        refuse_frame(server, session, 4529, "too many unfinished frames");
        return 0;
    }
    if (size > 0) memcpy(session->assembly->bytes + have, piece, size);
    session->assembly->size = have + size;
    if (!whole) return 0;
    take_frame(server, session, session->assembly->bytes, session->assembly->size);
    drop_assembly(server, session);
    return 0;
}

/* It is broken, or never reads: no close frame reaches it. */
static void kill_session(struct server *server, struct session *session)
{
    server->stats.kills++;
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void socket_write(struct server *server, struct session *session)
{
    struct gate *gate = server->gateway->gate;
    struct lws *wsi = session->wsi;
    if (session->close_sent) return;
    for (int i = 0; i < WRITES_PER_TURN; i++) {
        if (lws_partial_buffered(wsi)) break;
        size_t size = gate_output(gate, session->conn, server->out);
        if (size == 0) break;
        if (lws_write(wsi, server->out, size, LWS_WRITE_RAW) < 0) {
            kill_session(server, session);
            return;
        }
    }
    const char *reason;
    bool close = gate_close_code(gate, session->conn, &reason) != 0;
    if (close && session->closing_s == 0) session->closing_s = server_now_s(server);
    if (close || gate_has_output(gate, session->conn) || lws_partial_buffered(wsi)) lws_callback_on_writable(wsi);
}

static int send_close(struct server *server, struct session *session, uint16_t code, const char *reason)
{
    uint8_t frame[2 + 125];
    size_t text = strlen(reason);
    if (text > 123) text = 123;
    frame[0] = 0x88;
    frame[1] = (uint8_t)(2 + text);
    frame[2] = (uint8_t)(code >> 8);
    frame[3] = (uint8_t)code;
    memcpy(frame + 4, reason, text);
    session->close_sent = true;
    session->closing_s = server_now_s(server);
    return lws_write(session->wsi, frame, 4 + text, LWS_WRITE_RAW) < 0 ? -1 : 0;
}

/* After the close frame the connection stays for a moment: closing it with unread bytes in the kernel would reset it, and the client might
 * lose the frame. It ends by the client's own close, or by the clock. */
int socket_writeable(struct server *server, struct session *session)
{
    if (session->conn == 0) return -1;
    if (session->close_sent) return 0;
    socket_write(server, session);
    const char *reason;
    uint16_t code = gate_close_code(server->gateway->gate, session->conn, &reason);
    if (code == 0 || gate_has_output(server->gateway->gate, session->conn) || lws_partial_buffered(session->wsi)) return 0;
    return send_close(server, session, code, reason);
}

static void ping(struct server *server, struct session *session)
{
    uint8_t frame[2 + 4] = { 0x89, 4, 'w', 'e', 'i', 'r' }; /* an empty one would come back as a pong that lws does not tell us */
    if (lws_partial_buffered(session->wsi)) return;         /* it does not read; its silence counts all the same */
    session->pinged_s = server_now_s(server);
    server->stats.pings++;
    if (lws_write(session->wsi, frame, sizeof frame, LWS_WRITE_RAW) < 0) kill_session(server, session);
}

void socket_look(struct server *server, struct session *session)
{
    uint32_t now = server_now_s(server);
    uint32_t lease = (server->gateway->config->limits.lease_ms + 999) / 1000;
    if (session->closing_s != 0) {
        if (now - session->closing_s > CLOSE_GRACE_S) kill_session(server, session);
        return;
    }
    uint32_t silent = now - session->heard_s;
    if (silent > lease) {
        gate_close(server->gateway->gate, session->conn, 4508, "no pong");
    } else if (silent >= (lease + 2) / 3 && now - session->pinged_s >= (lease + 2) / 3) {
        ping(server, session);
    }
}
