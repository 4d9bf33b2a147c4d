/* One DEALER is one connection [R-WIRE-1]: ZeroMQ never reconnects by itself; when the connection ends, what had arrived is read, then the
 * socket is closed, and the link says when to open the next. ZMQ_FD is edge-like: a send may swallow the edge of what arrived. So after
 * each batch of sends, and before the loop sleeps, ZMQ_EVENTS is asked; if there is something, an idle handle keeps the loop from sleeping.
 */
#include "gateway/shell/uplink_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <zmq.h>

#include "proto/codec.h"
#include "sdk/base/must.h"

enum {
    TURN_PACKETS = 64,       /* taken before clients get their turn again, or so many bytes: */
    TURN_BYTES = 128 * 1024, /* else one turn could fill the queue of a client that reads well */
    DECODE_BYTES = 8 * 1024 * 1024,
    FRAME_BYTES_MAX = 4 * 1024 * 1024, /* [R-WIRE-6] */
    MONITOR_EVENTS = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_CONNECT_RETRIED,
};

static uint64_t now_ns(void)
{
    return uv_hrtime();
}

void uplink_tell_time(struct gate *gate)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    gate_now(gate, now_ns() / 1000000, (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000);
}

/* -- The socket -- */

static void on_watch(uv_poll_t *poll, int status, int events);

static struct watch *watch_open(struct uplink *u, void *socket)
{
    int fd;
    size_t size = sizeof fd;
    struct watch *watch = calloc(1, sizeof *watch);
    must(watch != NULL && zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0);
    watch->uplink = u;
    must(uv_poll_init(u->loop, &watch->poll, fd) == 0);
    uv_poll_start(&watch->poll, UV_READABLE, on_watch);
    return watch;
}

static void watch_freed(uv_handle_t *handle)
{
    free((struct watch *)(void *)handle);
}

static void watch_close(struct watch **watch)
{
    if (*watch == NULL) return;
    uv_poll_stop(&(*watch)->poll);
    uv_close((uv_handle_t *)&(*watch)->poll, watch_freed);
    *watch = NULL;
}

static void set_int(void *socket, int option, int value)
{
    must(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

static void set_options(struct uplink *u)
{
    set_int(u->socket, ZMQ_LINGER, 0);
    set_int(u->socket, ZMQ_RECONNECT_IVL, 3600000); /* never: -1 would throw away what has arrived */
    set_int(u->socket, ZMQ_HEARTBEAT_IVL, 5000);
    set_int(u->socket, ZMQ_HEARTBEAT_TIMEOUT, 15000);
    set_int(u->socket, ZMQ_HANDSHAKE_IVL, 5000);
    set_int(u->socket, ZMQ_SNDHWM, 0); /* the link's windows are the limit; a packet dropped here would be a hole */
    set_int(u->socket, ZMQ_RCVHWM, 1000);
    int64_t frame_max = FRAME_BYTES_MAX;
    must(zmq_setsockopt(u->socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) == 0);
    if (u->config->server_key == NULL) return;
    must(zmq_setsockopt(u->socket, ZMQ_CURVE_SERVERKEY, u->config->server_key, 41) == 0);
    must(zmq_setsockopt(u->socket, ZMQ_CURVE_PUBLICKEY, u->config->public_key, 41) == 0);
    must(zmq_setsockopt(u->socket, ZMQ_CURVE_SECRETKEY, u->config->secret_key, 41) == 0);
}

/* The monitor's reader is connected before anything can happen on the socket: else connect could block. */
static bool open_socket(struct uplink *u)
{
    char monitor_name[64];
    snprintf(monitor_name, sizeof monitor_name, "inproc://uplink-monitor-%u", ++u->sockets_made);
    u->socket = zmq_socket(u->context, ZMQ_DEALER);
    u->monitor = zmq_socket(u->context, ZMQ_PAIR);
    if (u->socket == NULL || u->monitor == NULL) return false;
    set_options(u);
    set_int(u->monitor, ZMQ_LINGER, 0);
    if (zmq_socket_monitor(u->socket, monitor_name, MONITOR_EVENTS) != 0 || zmq_connect(u->monitor, monitor_name) != 0) return false;
    u->socket_watch = watch_open(u, u->socket);
    u->monitor_watch = watch_open(u, u->monitor);
    u->connected = false;
    u->stats.connects++;
    return zmq_connect(u->socket, u->config->coordinator) == 0;
}

static void close_socket(struct uplink *u)
{
    watch_close(&u->socket_watch);
    watch_close(&u->monitor_watch);
    if (u->socket != NULL) {
        zmq_socket_monitor(u->socket, NULL, 0); /* before its reader goes, else the I/O thread may block */
        zmq_close(u->socket);
    }
    if (u->monitor != NULL) zmq_close(u->monitor);
    u->socket = NULL;
    u->monitor = NULL;
    u->connection = 0;
    u->connected = false;
}

static void lose(struct uplink *u, uint32_t code, const char *message)
{
    if (u->socket == NULL) return;
    close_socket(u);
    link_lost(u->link, now_ns(), code, span_text(message));
}

/* -- In -- */

/* Receives one message; 1: got it, 0: there is none, -1: not one or two frames. */
static int receive(void *socket, zmq_msg_t frames[2])
{
    if (zmq_msg_recv(&frames[0], socket, ZMQ_DONTWAIT) < 0) return 0;
    if (!zmq_msg_more(&frames[0])) return 1;
    if (zmq_msg_recv(&frames[1], socket, ZMQ_DONTWAIT) < 0) return -1;
    int result = 1;
    while (zmq_msg_more(&frames[1]) && zmq_msg_recv(&frames[1], socket, ZMQ_DONTWAIT) >= 0)
        result = -1;
    return result;
}

/* False: there is none. */
static bool take_packet(struct uplink *u)
{
    zmq_msg_t frames[2];
    zmq_msg_init(&frames[0]);
    zmq_msg_init(&frames[1]);
    int got = receive(u->socket, frames);
    if (got > 0) {
        struct span head = span_of(zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0]));
        struct span body = span_of(zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1]));
        struct packet *packet;
        arena_reset(&u->decode);
        u->stats.packets_in++;
        u->stats.bytes_in += head.size + body.size;
        if (codec_decode(&u->decode, head, body, &packet) == CODEC_OK) {
            link_packet(u->link, now_ns(), packet);
        } else {
            got = -1;
        }
    }
    zmq_msg_close(&frames[0]);
    zmq_msg_close(&frames[1]);
    if (got < 0) lose(u, CODE_BAD_FRAME, "a packet that is none");
    return got > 0;
}

static void take_packets(struct uplink *u, unsigned most, uint64_t most_bytes)
{
    uint64_t before = u->stats.bytes_in;
    uplink_tell_time(u->gate);
    for (unsigned i = 0; i < most && u->stats.bytes_in - before < most_bytes && u->socket != NULL && take_packet(u); i++) {
    }
}

/* One event of the monitor; 0: there is none. */
static int monitor_event(void *monitor)
{
    zmq_msg_t event;
    zmq_msg_t address;
    int kind = 0;
    zmq_msg_init(&event);
    zmq_msg_init(&address);
    if (zmq_msg_recv(&event, monitor, ZMQ_DONTWAIT) >= 2) {
        uint16_t number;
        memcpy(&number, zmq_msg_data(&event), sizeof number);
        kind = number;
        (void)zmq_msg_recv(&address, monitor, ZMQ_DONTWAIT);
    }
    zmq_msg_close(&event);
    zmq_msg_close(&address);
    return kind;
}

static void take_monitor(struct uplink *u)
{
    int kind;
    while (u->monitor != NULL && (kind = monitor_event(u->monitor)) != 0) {
        switch (kind) {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            u->connected = true;
            link_connected(u->link, now_ns());
            break;
        case ZMQ_EVENT_DISCONNECTED:
            take_packets(u, UINT32_MAX, UINT64_MAX); /* what had arrived counts */
            lose(u, CODE_OK, "the connection has ended");
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            lose(u, CODE_UNAUTHORIZED, "the coordinator refused our key");
            break;
        default:
            if (!u->connected)
                lose(u, CODE_OK,
                     kind == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ? "it speaks another security mechanism" : "nobody answers there");
            break;
        }
    }
}

static bool is_readable(void *socket)
{
    int events;
    size_t size = sizeof events;
    return socket != NULL && zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

static void take_all(struct uplink *u)
{
    uplink_tell_time(u->gate);
    take_monitor(u);
    take_packets(u, TURN_PACKETS, TURN_BYTES);
}

static void on_watch(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    take_all(((struct watch *)(void *)poll)->uplink);
}

static void on_again(uv_idle_t *again)
{
    struct uplink *u = again->data;
    uv_idle_stop(again);
    take_all(u);
}

static void on_timer(uv_timer_t *timer)
{
    struct uplink *u = timer->data;
    uplink_tell_time(u->gate);
    link_tick(u->link, now_ns());
}

/* -- Out -- */

static bool send_packet(struct uplink *u, const struct packet *packet)
{
    struct span head;
    if (codec_encode(&u->encode, packet, &head) != CODEC_OK) return false;
    size_t body_size = codec_body_size(packet);
    zmq_msg_t frame;
    if (zmq_msg_init_size(&frame, head.size) != 0) return false;
    memcpy(zmq_msg_data(&frame), head.data, head.size);
    if (zmq_msg_send(&frame, u->socket, ZMQ_DONTWAIT | (body_size > 0 ? ZMQ_SNDMORE : 0)) < 0) {
        zmq_msg_close(&frame);
        return false;
    }
    u->stats.packets_out++;
    u->stats.bytes_out += head.size + body_size;
    if (body_size == 0) return true;
    if (zmq_msg_init_size(&frame, body_size) != 0) return false;
    uint8_t *at = zmq_msg_data(&frame);
    for (size_t i = 0; i < packet->piece_count; i++) {
        if (packet->pieces[i].size > 0) memcpy(at, packet->pieces[i].data, packet->pieces[i].size);
        at += packet->pieces[i].size;
    }
    if (zmq_msg_send(&frame, u->socket, ZMQ_DONTWAIT) >= 0) return true;
    zmq_msg_close(&frame);
    return false;
}

static void flush(struct uplink *u)
{
    struct packet *packet;
    for (;;) {
        arena_reset(&u->encode);
        if (!link_flush(u->link, now_ns(), &u->encode, &packet)) return;
        if (u->socket != NULL && send_packet(u, packet)) continue;
        lose(u, CODE_OK, "a packet could not be sent");
        return;
    }
}

static void follow_link(struct uplink *u)
{
    uint32_t wanted = link_connection(u->link);
    if (wanted == u->connection) return;
    close_socket(u);
    if (wanted == 0) return;
    u->connection = wanted;
    if (open_socket(u)) return;
    journal_error("uplink_socket", "message=%s", zmq_strerror(errno));
    lose(u, CODE_OK, "no socket");
}

static void arm(struct uplink *u)
{
    uint64_t deadline = link_deadline_ns(u->link);
    uint64_t now = now_ns();
    if (deadline == UINT64_MAX) {
        uv_timer_stop(&u->timer);
        return;
    }
    uint64_t wait_ms = deadline <= now ? 0 : (deadline - now + 999999) / 1000000;
    uv_update_time(u->loop);
    uv_timer_start(&u->timer, on_timer, wait_ms, 0);
}

void uplink_turn(struct uplink *u)
{
    if (u->gate == NULL || u->closing) return;
    flush(u);
    follow_link(u);
    arm(u);
    if (is_readable(u->socket) || is_readable(u->monitor)) uv_idle_start(&u->again, on_again);
}

/* -- Life -- */

struct uplink *uplink_open(uv_loop_t *loop, const struct config *config)
{
    struct uplink *u = calloc(1, sizeof *u);
    if (u == NULL) return NULL;
    u->loop = loop;
    u->config = config;
    u->context = zmq_ctx_new();
    arena_init(&u->decode, uplink_reserve(DECODE_BYTES), DECODE_BYTES);
    arena_init(&u->encode, uplink_reserve(2 * LINK_FLUSH_ARENA), 2 * LINK_FLUSH_ARENA);
    if (u->context == NULL || u->decode.memory == NULL || u->encode.memory == NULL || !uplink_make_link(u)) {
        journal_error("no_memory", "what=%s", "uplink");
        uplink_free(&u);
        return NULL;
    }
    uv_timer_init(loop, &u->timer);
    uv_idle_init(loop, &u->again);
    u->timer.data = u;
    u->again.data = u;
    return u;
}

void uplink_start(struct uplink *u, struct gate *gate)
{
    u->gate = gate;
}

bool uplink_is_up(const struct uplink *u)
{
    return u->state == LINK_UP;
}

const struct uplink_stats *uplink_stats(const struct uplink *u)
{
    return &u->stats;
}

void uplink_close(struct uplink *u)
{
    u->closing = true;
    close_socket(u);
    uv_close((uv_handle_t *)&u->timer, NULL);
    uv_close((uv_handle_t *)&u->again, NULL);
}

void uplink_free(struct uplink **uplink)
{
    struct uplink *u = *uplink;
    if (u == NULL) return;
    if (u->context != NULL) zmq_ctx_term(u->context);
    if (u->link != NULL) munmap(u->link, u->link_size);
    if (u->decode.memory != NULL) munmap(u->decode.memory, DECODE_BYTES);
    if (u->encode.memory != NULL) munmap(u->encode.memory, 2 * LINK_FLUSH_ARENA);
    free(u);
    *uplink = NULL;
}
