/* An in-process stand-in for the part of libzmq that weir's shells use, so that ThreadSanitizer sees every hand-over between threads: it
 * cannot see inside the packaged library, and calls what goes through it a race.
 *
 * As there, a socket belongs to one thread at a time. Its fields have no lock, on purpose: two threads on one socket are a race that the
 * sanitizer should report. What other threads touch of it is its end (standin_wire.h). Every call is non-blocking but for zmq_poll; socket
 * options change nothing; there is no CURVE. */
#include "tests/tsan/standin_wire.h"

#include "sdk/base/must.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

static_assert(sizeof(struct frame) <= sizeof(zmq_msg_t), "a frame lives in a zmq_msg_t");

enum { MONITORS_MAX = 4, ADDRESS_BYTES = 64, POLL_ITEMS_MAX = 8 };

struct context {
    pthread_mutex_t lock; /* for all of it: contexts may be shared by threads */
    unsigned sockets;
    struct {
        char address[ADDRESS_BYTES];
        struct end *end; /* a reference, until its reader connects */
    } monitors[MONITORS_MAX];
};

struct socket {
    struct context *context;
    int type;
    struct end *end;               /* a reference */
    struct connection *connection; /* of a DEALER; a reference, or NULL */
    struct connection *to;         /* of a ROUTER: whom the message in the making is for; a reference, or NULL */
    bool sending;                  /* its first frame was taken */
    struct chain message;          /* in the making */
    char endpoint[128];
};

static int fail(int error)
{
    errno = error;
    return -1;
}

/* -- contexts and sockets -- */

void *zmq_ctx_new(void)
{
    struct context *context = calloc(1, sizeof *context);
    must(context != NULL && pthread_mutex_init(&context->lock, NULL) == 0);
    return context;
}

/* The real one waits until every socket is closed; one that is still open here would be waited for for ever. */
int zmq_ctx_term(void *context_)
{
    struct context *context = context_;
    pthread_mutex_lock(&context->lock);
    must(context->sockets == 0);
    pthread_mutex_unlock(&context->lock);
    for (int i = 0; i < MONITORS_MAX; i++)
        if (context->monitors[i].end != NULL) end_unref(context->monitors[i].end);
    pthread_mutex_destroy(&context->lock);
    free(context);
    return 0;
}

static void count_socket(struct context *context, bool opened)
{
    pthread_mutex_lock(&context->lock);
    context->sockets += opened ? 1u : -1u;
    pthread_mutex_unlock(&context->lock);
}

void *zmq_socket(void *context, int type)
{
    struct socket *socket = calloc(1, sizeof *socket);
    must(socket != NULL && (type == ZMQ_ROUTER || type == ZMQ_DEALER || type == ZMQ_PAIR));
    *socket = (struct socket){ .context = context, .type = type, .end = end_new() };
    count_socket(context, true);
    return socket;
}

int zmq_close(void *socket_)
{
    struct socket *socket = socket_;
    if (socket->connection != NULL) {
        connection_cut(socket->connection);
        connection_unref(socket->connection);
    }
    if (socket->to != NULL) connection_unref(socket->to);
    chain_free(&socket->message);
    wire_unbind(socket->end);
    end_close(socket->end);
    end_unref(socket->end);
    count_socket(socket->context, false);
    free(socket);
    return 0;
}

int zmq_setsockopt(void *socket, int option, const void *value, size_t size)
{
    (void)socket;
    (void)option;
    (void)value;
    (void)size;
    return 0;
}

int zmq_getsockopt(void *socket_, int option, void *value, size_t *size)
{
    struct socket *socket = socket_;
    size_t needed = strlen(socket->endpoint) + 1;
    if (option != ZMQ_LAST_ENDPOINT || *size < needed) return fail(EINVAL);
    memcpy(value, socket->endpoint, needed);
    *size = needed;
    return 0;
}

int zmq_bind(void *socket_, const char *endpoint)
{
    struct socket *socket = socket_;
    if (strlen(endpoint) >= sizeof socket->endpoint) return fail(EINVAL);
    if (!wire_bind(endpoint, socket->end)) return fail(EADDRINUSE);
    strcpy(socket->endpoint, endpoint);
    return 0;
}

/* A monitor's reader takes over the end that the monitored socket's events go to. */
static int connect_monitor(struct socket *socket, const char *address)
{
    struct context *context = socket->context;
    struct end *found = NULL;
    pthread_mutex_lock(&context->lock);
    for (int i = 0; i < MONITORS_MAX && found == NULL; i++) {
        if (context->monitors[i].end == NULL || strcmp(context->monitors[i].address, address) != 0) continue;
        found = context->monitors[i].end;
        context->monitors[i].end = NULL;
    }
    pthread_mutex_unlock(&context->lock);
    if (found == NULL) return fail(ECONNREFUSED);
    end_unref(socket->end);
    socket->end = found;
    return 0;
}

int zmq_connect(void *socket_, const char *endpoint)
{
    struct socket *socket = socket_;
    if (socket->type == ZMQ_PAIR) return connect_monitor(socket, endpoint);
    must(socket->type == ZMQ_DEALER && socket->connection == NULL);
    socket->connection = wire_connect(endpoint, socket->end);
    end_tell(socket->end, socket->connection != NULL ? ZMQ_EVENT_HANDSHAKE_SUCCEEDED : ZMQ_EVENT_CONNECT_RETRIED, 0);
    return 0;
}

int zmq_socket_monitor(void *socket_, const char *address, int events)
{
    struct socket *socket = socket_;
    struct context *context = socket->context;
    if (address == NULL) {
        end_watch(socket->end, NULL, 0);
        return 0;
    }
    struct end *monitor = end_new();
    end_watch(socket->end, monitor, events);
    pthread_mutex_lock(&context->lock);
    int i = 0;
    while (context->monitors[i].end != NULL)
        must(++i < MONITORS_MAX);
    must(strlen(address) < ADDRESS_BYTES);
    strcpy(context->monitors[i].address, address);
    context->monitors[i].end = monitor;
    pthread_mutex_unlock(&context->lock);
    return 0;
}

/* -- messages -- */

static struct frame *frame_of(zmq_msg_t *message)
{
    return (struct frame *)message;
}

static const struct frame *frame_in(const zmq_msg_t *message)
{
    return (const struct frame *)message;
}

int zmq_msg_init(zmq_msg_t *message)
{
    *frame_of(message) = (struct frame){ .fd = -1 };
    return 0;
}

int zmq_msg_init_size(zmq_msg_t *message, size_t size)
{
    uint8_t *data = malloc(size != 0 ? size : 1);
    if (data == NULL) return fail(ENOMEM);
    *frame_of(message) = (struct frame){ .data = data, .size = size, .fd = -1 };
    return 0;
}

int zmq_msg_close(zmq_msg_t *message)
{
    frame_free(frame_of(message));
    return 0;
}

void *zmq_msg_data(zmq_msg_t *message)
{
    return frame_of(message)->data;
}

size_t zmq_msg_size(const zmq_msg_t *message)
{
    return frame_in(message)->size;
}

int zmq_msg_more(const zmq_msg_t *message)
{
    return frame_in(message)->more;
}

int zmq_msg_get(const zmq_msg_t *message, int property)
{
    return property == ZMQ_SRCFD ? frame_in(message)->fd : fail(EINVAL);
}

const char *zmq_msg_gets(const zmq_msg_t *message, const char *property)
{
    (void)message;
    (void)property;
    errno = EINVAL;
    return NULL;
}

/* -- receiving -- */

static bool take_frame(struct socket *socket, int flags, struct frame *out)
{
    must((flags & ZMQ_DONTWAIT) != 0);
    if (end_take(socket->end, out)) return true;
    errno = EAGAIN;
    return false;
}

int zmq_msg_recv(zmq_msg_t *message, void *socket, int flags)
{
    struct frame frame;
    if (!take_frame(socket, flags, &frame)) return -1;
    frame_free(frame_of(message));
    *frame_of(message) = frame;
    return (int)frame.size;
}

int zmq_recv(void *socket, void *to, size_t size, int flags)
{
    struct frame frame;
    if (!take_frame(socket, flags, &frame)) return -1;
    int whole = (int)frame.size;
    if (frame.size != 0) memcpy(to, frame.data, frame.size < size ? frame.size : size);
    frame_free(&frame);
    return whole;
}

/* -- sending -- */

/* The first frame of a ROUTER's message says to whom, and goes no further. */
static int begin_to_dealer(struct socket *socket, struct frame *id)
{
    const uint8_t *bytes = id->data;
    if (id->size != WIRE_ID_BYTES || bytes[0] != 0) return fail(EHOSTUNREACH);
    uint32_t number = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 | bytes[4];
    struct connection *to = connection_find(socket->end, number);
    enum wire_result room = to != NULL ? connection_look(to, SIDE_DEALER) : WIRE_GONE;
    if (room != WIRE_SENT) {
        if (to != NULL) connection_unref(to);
        return fail(room == WIRE_FULL ? EAGAIN : EHOSTUNREACH);
    }
    socket->to = to;
    socket->sending = true;
    frame_free(id);
    return 0;
}

static void add_own_id(struct socket *socket)
{
    uint32_t id = socket->connection->id;
    uint8_t *bytes = malloc(WIRE_ID_BYTES);
    must(bytes != NULL);
    bytes[0] = 0;
    for (int i = 1; i < WIRE_ID_BYTES; i++)
        bytes[i] = (uint8_t)(id >> (8 * (WIRE_ID_BYTES - 1 - i)));
    chain_add(&socket->message, (struct frame){ .data = bytes, .size = WIRE_ID_BYTES, .more = true });
}

/* Takes the frame unless it fails. What is on its way when the connection ends is lost, and nobody is told. */
static int send_frame(struct socket *socket, struct frame *frame, int flags)
{
    must((flags & ZMQ_DONTWAIT) != 0 || socket->sending);
    bool more = (flags & ZMQ_SNDMORE) != 0, dealer = socket->type == ZMQ_DEALER;
    if (!socket->sending && !dealer) return begin_to_dealer(socket, frame);
    if (!socket->sending) {
        if (socket->connection == NULL || connection_look(socket->connection, SIDE_ROUTER) != WIRE_SENT) return fail(EAGAIN);
        add_own_id(socket);
    }
    frame->more = more;
    chain_add(&socket->message, *frame);
    socket->sending = more;
    if (more) return 0;
    (void)connection_send(dealer ? socket->connection : socket->to, dealer ? SIDE_ROUTER : SIDE_DEALER, &socket->message);
    if (!dealer) connection_unref(socket->to);
    socket->to = NULL;
    return 0;
}

int zmq_msg_send(zmq_msg_t *message, void *socket, int flags)
{
    int size = (int)frame_of(message)->size;
    if (send_frame(socket, frame_of(message), flags) != 0) return -1;
    *frame_of(message) = (struct frame){ .fd = -1 };
    return size;
}

int zmq_send(void *socket, const void *data, size_t size, int flags)
{
    zmq_msg_t message;
    must(zmq_msg_init_size(&message, size) == 0);
    if (size != 0) memcpy(zmq_msg_data(&message), data, size);
    int sent = zmq_msg_send(&message, socket, flags);
    int error = errno;
    (void)zmq_msg_close(&message);
    errno = error;
    return sent;
}

/* -- waiting -- */

static short look_at_socket(const zmq_pollitem_t *item)
{
    struct socket *socket = item->socket;
    short found = 0;
    if ((item->events & ZMQ_POLLIN) != 0 && end_has_message(socket->end)) found = ZMQ_POLLIN;
    if ((item->events & ZMQ_POLLOUT) != 0 && socket->connection != NULL && connection_look(socket->connection, SIDE_ROUTER) == WIRE_SENT)
        found |= ZMQ_POLLOUT;
    return found;
}

/* Forgets what woke it before it looks, so that what comes later wakes again. Returns how many sockets are ready. */
static int look_at_sockets(zmq_pollitem_t *items, int count)
{
    int ready = 0;
    for (int i = 0; i < count; i++) {
        uint64_t changes;
        if (items[i].socket == NULL) continue;
        (void)!read(((struct socket *)items[i].socket)->end->fd, &changes, sizeof changes);
        items[i].revents = look_at_socket(&items[i]);
        ready += items[i].revents != 0;
    }
    return ready;
}

static int look_at_descriptors(zmq_pollitem_t *items, const struct pollfd *fds, int count)
{
    int ready = 0;
    for (int i = 0; i < count; i++) {
        if (items[i].socket != NULL) continue;
        items[i].revents = (short)((fds[i].revents & POLLIN ? ZMQ_POLLIN : 0) | (fds[i].revents & POLLOUT ? ZMQ_POLLOUT : 0));
        ready += items[i].revents != 0;
    }
    return ready;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int zmq_poll(zmq_pollitem_t *items, int count, long timeout_ms)
{
    struct pollfd fds[POLL_ITEMS_MAX];
    long until = now_ms() + timeout_ms;
    must(count <= POLL_ITEMS_MAX && timeout_ms >= 0);
    for (int i = 0; i < count; i++) {
        bool is_socket = items[i].socket != NULL;
        short wanted = (short)((items[i].events & ZMQ_POLLIN ? POLLIN : 0) | (items[i].events & ZMQ_POLLOUT ? POLLOUT : 0));
        fds[i] = (struct pollfd){ .fd = is_socket ? ((struct socket *)items[i].socket)->end->fd : items[i].fd,
                                  .events = is_socket ? POLLIN : wanted };
    }
    for (;;) {
        int ready = look_at_sockets(items, count);
        long left = until - now_ms();
        int woken = poll(fds, (nfds_t)count, ready != 0 || left < 0 ? 0 : (int)left);
        if (woken < 0) return -1;
        ready += look_at_descriptors(items, fds, count);
        if (ready != 0 || (woken == 0 && left <= 0)) return ready;
    }
}

/* -- the rest -- */

const char *zmq_strerror(int error)
{
    return strerror(error);
}

/* No key is one here, so options with keys are refused. */
uint8_t *zmq_z85_decode(uint8_t *to, const char *text)
{
    (void)to;
    (void)text;
    errno = EINVAL;
    return NULL;
}
