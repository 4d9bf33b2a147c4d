/* ZeroMQ, by the rules that were each broken once before they were written down here:
 *   - connections are known by the routing ids that the ROUTER gives (five bytes, the first 0); a peer that sets its own is cut [R-WIRE-1];
 *   - the monitor has its reader before bind, only the events that are used, and is always read: a full monitor stops the I/O thread;
 *   - sends are MANDATORY and DONTWAIT; after a failed id frame nothing more of that message is sent;
 *   - a ROUTER cannot close one connection: shutdown() of the descriptor its first frame came from does;
 *   - MAXMSGSIZE counts per frame; high-water marks count messages and are the fuse, credit is the limit. */
#include "coordinator/shell/router.h"

#include "coordinator/shell/connections.h"
#include "proto/codec.h"
#include "sdk/base/must.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    FRAME_BYTES_MAX = 4 * 1024 * 1024, /* [R-WIRE-6] */
    ID_BYTES = 5,
    HEARTBEAT_MS = 5000,
    HEARTBEAT_TIMEOUT_MS = 15000,
    HANDSHAKE_MS = 5000,
    CONNECTIONS_EXTRA = 256, /* beyond the core's peers: those that have not said hello, or are being cut */
    TESTS_MAX = 10,          /* of a suspect: 1, 2, 4, … ms apart, a second in all */
    MONITOR_EVENTS = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
};
#define NS_PER_MS       1000000ULL
#define CUT_AFTER_NS    (250 * NS_PER_MS) /* for the last packets to leave */
#define EMPTY_WITHIN_NS (250 * NS_PER_MS) /* a busy ROUTER may never be read empty: an ended connection is reported then at the latest */

struct router {
    void *context;
    bool own_context;
    void *socket, *monitor;
    struct connections *connections;
    const struct access *access;
    bool curve;
    struct router_counters counters;
    char addresses[CONFIG_ADDRESSES_MAX * 260];
    uint64_t deadline_ns;
    /* of the tick under way */
    uint64_t now_ns;
    bool drained;
    uint32_t *gone;
    size_t gone_count, gone_max;
};

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

/* A subscriber that catches up gets a packet per turn, thousands in a second: the send mark has to leave it time to read them. */
static bool set_options(void *socket, uint32_t unsent_packets)
{
    int64_t frame_max = FRAME_BYTES_MAX;
    return set_int(socket, ZMQ_ROUTER_MANDATORY, 1) && set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_RCVHWM, 1000) &&
           set_int(socket, ZMQ_SNDHWM, (int)unsent_packets) && set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) && set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
           set_int(socket, ZMQ_BACKLOG, 1024) && zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) == 0;
}

static bool open_monitor(struct router *router)
{
    static const char address[] = "inproc://weir-router-monitor";
    router->monitor = zmq_socket(router->context, ZMQ_PAIR);
    return router->monitor && set_int(router->monitor, ZMQ_LINGER, 0) && zmq_socket_monitor(router->socket, address, MONITOR_EVENTS) == 0 &&
           zmq_connect(router->monitor, address) == 0;
}

static bool bind_all(struct router *router, const struct config *config, char *error, size_t error_size)
{
    size_t used = 0;
    for (size_t i = 0; i < config->listen_count; i++) {
        char real[256];
        size_t size = sizeof real;
        if (strchr(config->listen[i], '[')) set_int(router->socket, ZMQ_IPV6, 1);
        if (zmq_bind(router->socket, config->listen[i]) != 0 || zmq_getsockopt(router->socket, ZMQ_LAST_ENDPOINT, real, &size) != 0) {
            snprintf(error, error_size, "%s: %s", config->listen[i], zmq_strerror(errno));
            return false;
        }
        used += (size_t)snprintf(router->addresses + used, sizeof router->addresses - used, "%s%s", i ? "," : "", real);
    }
    return true;
}

struct router *router_open(const struct config *config, const struct access *access, struct curve *curve, char *error, size_t error_size)
{
    struct router *router = calloc(1, sizeof *router);
    if (!router) return NULL;
    router->access = access;
    router->curve = curve != NULL;
    router->own_context = !curve;
    router->deadline_ns = UINT64_MAX;
    router->context = curve ? curve_context(curve) : zmq_ctx_new();
    router->connections = connections_new(config->core.limits.peers_max + CONNECTIONS_EXTRA);
    router->socket = router->context ? zmq_socket(router->context, ZMQ_ROUTER) : NULL;
    if (!router->socket || !router->connections || !set_options(router->socket, config->unsent_packets) ||
        (curve && !curve_apply(curve, router->socket)) || !open_monitor(router)) {
        snprintf(error, error_size, "the ROUTER cannot be made: %s", zmq_strerror(errno));
        router_close(&router, 0);
        return NULL;
    }
    if (!bind_all(router, config, error, error_size)) router_close(&router, 0);
    return router;
}

const char *router_addresses(const struct router *router)
{
    return router->addresses;
}

void *router_socket(struct router *router)
{
    return router->socket;
}

void *router_monitor(struct router *router)
{
    return router->monitor;
}

static uint32_t routing_of(const uint8_t id[ID_BYTES])
{
    return (uint32_t)id[1] << 24 | (uint32_t)id[2] << 16 | (uint32_t)id[3] << 8 | id[4];
}

/* What a certificate's metadata says; without any, what everybody may. */
static void find_grant(const struct router *router, struct connection *connection, const zmq_msg_t *frame)
{
    connection->grant = access_initial(router->access);
    if (!router->curve) return;
    const char *tenant = zmq_msg_gets(frame, "tenant"), *roles = zmq_msg_gets(frame, "roles");
    if (!tenant || strlen(tenant) > ACCESS_TENANT_MAX) return;
    strcpy(connection->tenant, tenant);
    struct core_grant grant;
    if (access_by_names(connection->tenant, roles, &grant)) connection->grant = grant;
}

/* A first packet: NULL when there is no room; then the peer is cut. */
static struct connection *open_connection(struct router *router, uint32_t routing, const zmq_msg_t *frame, uint64_t now_ns)
{
    int fd = zmq_msg_get(frame, ZMQ_SRCFD);
    struct connection *connection = connections_add(router->connections, routing, fd, now_ns);
    if (!connection) {
        router->counters.refused++;
        if (fd >= 0) shutdown(fd, SHUT_RDWR);
        return NULL;
    }
    router->counters.opened++;
    find_grant(router, connection, frame);
    return connection;
}

/* Reads the frames after the id. The first two are kept, the rest is thrown away and makes it malformed. */
static void read_frames(struct router *router, struct router_packet *packet)
{
    bool more = true;
    packet->malformed = packet->has_body = false;
    zmq_msg_init(&packet->head);
    zmq_msg_init(&packet->body);
    for (int frame = 0; more; frame++) {
        zmq_msg_t rest;
        zmq_msg_t *into = frame == 0 ? &packet->head : frame == 1 ? &packet->body : &rest;
        if (frame > 1) {
            zmq_msg_init(&rest);
            packet->malformed = true;
        }
        int size = zmq_msg_recv(into, router->socket, ZMQ_DONTWAIT);
        must(size >= 0); /* a message arrives as a whole */
        router->counters.bytes_in += (uint64_t)size;
        more = zmq_msg_more(into);
        if (frame == 1) packet->has_body = true;
        if (frame > 1) zmq_msg_close(&rest);
    }
    router->counters.packets_in++;
}

enum router_read router_receive(struct router *router, uint64_t now_ns, struct router_packet *out)
{
    zmq_msg_t id;
    zmq_msg_init(&id);
    if (zmq_msg_recv(&id, router->socket, ZMQ_DONTWAIT) < 0) {
        must(errno == EAGAIN || errno == EINTR);
        zmq_msg_close(&id);
        return ROUTER_EMPTY;
    }
    const uint8_t *bytes = zmq_msg_data(&id);
    bool has_frames = zmq_msg_more(&id);
    bool ours = has_frames && zmq_msg_size(&id) == ID_BYTES && bytes[0] == 0;
    uint32_t routing = ours ? routing_of(bytes) : 0;
    if (has_frames) read_frames(router, out);
    zmq_msg_close(&id);
    struct connection *connection = NULL;
    if (ours) {
        connection = connections_by_routing(router->connections, routing);
        if (!connection) connection = open_connection(router, routing, &out->head, now_ns);
    } else if (has_frames) {
        int fd = zmq_msg_get(&out->head, ZMQ_SRCFD);
        router->counters.refused++;
        if (fd >= 0) shutdown(fd, SHUT_RDWR);
    }
    if (!connection || connection->forgotten) {
        if (has_frames) router_release(out);
        return ROUTER_SKIPPED;
    }
    out->connection = connection->number;
    return ROUTER_PACKET;
}

void router_release(struct router_packet *packet)
{
    zmq_msg_close(&packet->head);
    zmq_msg_close(&packet->body);
}

struct core_grant router_grant(struct router *router, uint32_t connection)
{
    struct connection *c = connections_by_number(router->connections, connection);
    return c ? c->grant : (struct core_grant){ 0 };
}

void router_set_grant(struct router *router, uint32_t connection, const struct core_grant *grant)
{
    struct connection *c = connections_by_number(router->connections, connection);
    if (c) c->grant = *grant;
}

static void cut(struct connection *connection)
{
    if (connection->fd >= 0) shutdown(connection->fd, SHUT_RDWR);
    connection->cut = true;
}

/* Sends the id frame; what follows cannot fail any more. False: the connection is gone or stuck, and taken so. */
static bool begin_send(struct router *router, struct connection *connection, uint64_t now_ns)
{
    uint32_t routing = connection->routing;
    const uint8_t id[ID_BYTES] = { 0, (uint8_t)(routing >> 24), (uint8_t)(routing >> 16), (uint8_t)(routing >> 8), (uint8_t)routing };
    if (zmq_send(router->socket, id, sizeof id, ZMQ_SNDMORE | ZMQ_DONTWAIT) == ID_BYTES) return true;
    must(errno == EHOSTUNREACH || errno == EAGAIN || errno == EINTR);
    if (errno == EAGAIN) {
        router->counters.stuck++;
        cut(connection);
    }
    connection->unreachable = true;
    connections_watch(router->connections, connection, now_ns + EMPTY_WITHIN_NS);
    return false;
}

void router_send(struct router *router, uint32_t connection, struct span head, const struct packet *packet, uint64_t now_ns)
{
    struct connection *c = connections_by_number(router->connections, connection);
    if (!c || c->forgotten || c->unreachable || !begin_send(router, c, now_ns)) {
        router->counters.unreachable++;
        return;
    }
    size_t body_size = codec_body_size(packet);
    bool more = packet->piece_count > 0;
    zmq_send(router->socket, head.data, head.size, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    if (more) {
        zmq_msg_t body;
        must(zmq_msg_init_size(&body, body_size) == 0);
        uint8_t *to = zmq_msg_data(&body);
        for (size_t i = 0; i < packet->piece_count; i++) {
            const struct span *piece = &packet->pieces[i];
            if (piece->size > 0) memcpy(to, piece->data, piece->size);
            to += piece->size;
        }
        if (zmq_msg_send(&body, router->socket, ZMQ_DONTWAIT) < 0) zmq_msg_close(&body);
    }
    router->counters.packets_out++;
    router->counters.bytes_out += head.size + body_size;
}

void router_forget(struct router *router, uint32_t connection, uint64_t now_ns)
{
    struct connection *c = connections_by_number(router->connections, connection);
    if (!c) return;
    c->forgotten = true;
    router->counters.forgotten++;
    connections_watch(router->connections, c, now_ns + (c->unreachable ? 0 : CUT_AFTER_NS));
}

static void end_connection(struct router *router, struct connection *connection)
{
    if (!connection->forgotten) {
        if (router->gone_count == router->gone_max) return; /* the next tick has room again */
        router->gone[router->gone_count++] = connection->number;
        router->counters.ended++;
    }
    connections_remove(router->connections, connection);
}

/* An empty packet: says nothing to a living peer, fails for a dead one. */
static void test(struct router *router, struct connection *connection)
{
    if (!begin_send(router, connection, router->now_ns)) return;
    zmq_send(router->socket, "", 0, ZMQ_DONTWAIT);
    if (++connection->tests < TESTS_MAX)
        connections_watch(router->connections, connection, router->now_ns + (NS_PER_MS << connection->tests));
    else if (connection->forgotten)
        connections_remove(router->connections, connection);
    else
        connections_unwatch(router->connections, connection);
}

static void look(void *arg, struct connection *connection)
{
    struct router *router = arg;
    bool due = router->now_ns >= connection->due_ns;
    if (connection->unreachable) {
        if (router->drained || due) end_connection(router, connection);
    } else if (!due)
        return;
    else if (connection->forgotten && !connection->cut) {
        cut(connection);
        connection->tests = 0;
        connections_watch(router->connections, connection, router->now_ns + NS_PER_MS);
    } else
        test(router, connection);
}

/* One event: a first frame with {16 bits kind, 32 bits value}, a second with the address. */
static bool read_monitor(struct router *router)
{
    uint8_t event[6];
    char address[512];
    if (zmq_recv(router->monitor, event, sizeof event, ZMQ_DONTWAIT) != sizeof event) return false;
    zmq_recv(router->monitor, address, sizeof address, ZMQ_DONTWAIT);
    uint16_t kind;
    int32_t value;
    memcpy(&kind, event, sizeof kind);
    memcpy(&value, event + 2, sizeof value);
    if (kind == ZMQ_EVENT_DISCONNECTED)
        connections_closed(router->connections, value, router->now_ns);
    else if (kind == ZMQ_EVENT_ACCEPT_FAILED)
        router->counters.accept_failures++;
    else
        router->counters.handshake_failures++;
    return true;
}

size_t router_tick(struct router *router, uint64_t now_ns, bool drained, uint32_t *gone, size_t gone_max)
{
    router->now_ns = now_ns;
    router->drained = drained;
    router->gone = gone;
    router->gone_count = 0;
    router->gone_max = gone_max;
    while (read_monitor(router))
        continue;
    router->deadline_ns = connections_tick(router->connections, look, router);
    return router->gone_count;
}

uint64_t router_deadline_ns(const struct router *router)
{
    return router->deadline_ns;
}

void router_counters(const struct router *router, struct router_counters *out)
{
    *out = router->counters;
    out->connections = connections_count(router->connections);
}

void router_close(struct router **router, int linger_ms)
{
    struct router *r = *router;
    if (!r) return;
    if (r->socket) {
        zmq_setsockopt(r->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
        zmq_socket_monitor(r->socket, NULL, 0); /* before its reader is closed */
        zmq_close(r->socket);
    }
    if (r->monitor) zmq_close(r->monitor);
    if (r->own_context && r->context) zmq_ctx_term(r->context);
    connections_free(&r->connections);
    free(r);
    *router = NULL;
}
