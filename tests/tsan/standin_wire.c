/* A connection is two queues and a descriptor that nobody reads: it stands for the one whose shutdown() cuts a real connection. Sender and
 * receiver meet at the receiver's queue alone, as they do in libzmq. */
#include "tests/tsan/standin_wire.h"

#include "sdk/base/must.h"
#include "tests/tsan/standin.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

/* The way to the coordinator is short, so that a sender often finds it full; the other way a full one is cut, as a stuck peer is. */
static const size_t waiting_max[2] = { [SIDE_ROUTER] = 16, [SIDE_DEALER] = 4096 };

enum { NAMES_MAX = 16, NAME_BYTES = 128 };
static struct {
    pthread_mutex_t lock;
    struct {
        char name[NAME_BYTES];
        struct end *end; /* a reference */
    } bound[NAMES_MAX];
} names = { .lock = PTHREAD_MUTEX_INITIALIZER };

void frame_free(struct frame *frame)
{
    free(frame->data);
    *frame = (struct frame){ .fd = -1 };
}

void chain_add(struct chain *chain, struct frame frame)
{
    struct piece *piece = calloc(1, sizeof *piece);
    must(piece != NULL);
    piece->frame = frame;
    if (chain->first == NULL) chain->last = &chain->first;
    *chain->last = piece;
    chain->last = &piece->next;
}

void chain_free(struct chain *chain)
{
    while (chain->first != NULL) {
        struct piece *piece = chain->first;
        chain->first = piece->next;
        frame_free(&piece->frame);
        if (piece->from != NULL) connection_unref(piece->from);
        free(piece);
    }
}

/* -- ends -- */

struct end *end_new(void)
{
    struct end *end = calloc(1, sizeof *end);
    must(end != NULL);
    atomic_init(&end->refs, 1);
    end->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(end->fd >= 0 && pthread_mutex_init(&end->lock, NULL) == 0);
    return end;
}

static struct end *end_ref(struct end *end)
{
    atomic_fetch_add_explicit(&end->refs, 1, memory_order_relaxed);
    return end;
}

void end_unref(struct end *end)
{
    if (atomic_fetch_sub_explicit(&end->refs, 1, memory_order_acq_rel) != 1) return;
    chain_free(&end->inbox);
    close(end->fd);
    pthread_mutex_destroy(&end->lock);
    free(end);
}

static void wake(struct end *end)
{
    uint64_t one = 1;
    (void)!write(end->fd, &one, sizeof one);
}

bool end_has_message(struct end *end)
{
    pthread_mutex_lock(&end->lock);
    bool any = end->inbox.first != NULL;
    pthread_mutex_unlock(&end->lock);
    return any;
}

bool end_take(struct end *end, struct frame *out)
{
    struct connection *roomy = NULL, *from = NULL;
    pthread_mutex_lock(&end->lock);
    struct piece *piece = end->inbox.first;
    if (piece != NULL) {
        end->inbox.first = piece->next;
        from = piece->from;
        if (from != NULL) {
            enum side side = from->sides[SIDE_ROUTER] == end ? SIDE_ROUTER : SIDE_DEALER;
            if (from->waiting[side]-- == waiting_max[side]) roomy = from;
        }
    }
    pthread_mutex_unlock(&end->lock);
    if (piece == NULL) return false;
    *out = piece->frame;
    free(piece);
    if (roomy != NULL) wake(roomy->sides[roomy->sides[SIDE_ROUTER] == end ? SIDE_DEALER : SIDE_ROUTER]);
    if (from != NULL) connection_unref(from);
    return true;
}

/* Appends a message; empties the chain. By end->lock. */
static void append(struct end *end, struct chain *message)
{
    if (end->inbox.first == NULL) end->inbox.last = &end->inbox.first;
    *end->inbox.last = message->first;
    end->inbox.last = message->last;
    message->first = NULL;
}

void end_watch(struct end *end, struct end *monitor, int events)
{
    pthread_mutex_lock(&end->lock);
    struct end *before = end->monitor;
    end->monitor = monitor != NULL ? end_ref(monitor) : NULL;
    end->monitor_events = events;
    pthread_mutex_unlock(&end->lock);
    if (before != NULL) end_unref(before);
}

static struct frame make_frame(const void *data, size_t size, bool more)
{
    struct frame frame = { .data = malloc(size != 0 ? size : 1), .size = size, .fd = -1, .more = more };
    must(frame.data != NULL);
    if (size != 0) memcpy(frame.data, data, size);
    return frame;
}

/* As libzmq does: {16 bits event, 32 bits value}, then an address. */
void end_tell(struct end *end, int event, int value)
{
    uint8_t bytes[6];
    uint16_t kind = (uint16_t)event;
    struct chain message = { 0 };
    memcpy(bytes, &kind, 2);
    memcpy(bytes + 2, &value, 4);
    chain_add(&message, make_frame(bytes, sizeof bytes, true));
    chain_add(&message, make_frame("", 0, false));
    pthread_mutex_lock(&end->lock);
    struct end *monitor = end->monitor != NULL && (end->monitor_events & event) != 0 ? end_ref(end->monitor) : NULL;
    if (monitor != NULL) {
        pthread_mutex_lock(&monitor->lock);
        if (!monitor->closed) append(monitor, &message);
        pthread_mutex_unlock(&monitor->lock);
    }
    pthread_mutex_unlock(&end->lock);
    chain_free(&message);
    if (monitor == NULL) return;
    wake(monitor);
    end_unref(monitor);
}

void end_close(struct end *end)
{
    struct chain inbox;
    end_watch(end, NULL, 0);
    pthread_mutex_lock(&end->lock);
    end->closed = true;
    inbox = end->inbox;
    end->inbox.first = NULL;
    struct connection *first;
    while ((first = end->connections) != NULL) {
        atomic_fetch_add_explicit(&first->refs, 1, memory_order_relaxed);
        pthread_mutex_unlock(&end->lock);
        connection_cut(first);
        connection_unref(first);
        pthread_mutex_lock(&end->lock);
    }
    pthread_mutex_unlock(&end->lock);
    chain_free(&inbox);
}

/* -- names -- */

bool wire_bind(const char *name, struct end *router)
{
    bool bound = false;
    must(strlen(name) < NAME_BYTES);
    pthread_mutex_lock(&names.lock);
    for (int i = 0; i < NAMES_MAX; i++)
        if (names.bound[i].end != NULL && strcmp(names.bound[i].name, name) == 0) goto out;
    for (int i = 0; i < NAMES_MAX && !bound; i++) {
        if (names.bound[i].end != NULL) continue;
        strcpy(names.bound[i].name, name);
        names.bound[i].end = end_ref(router);
        bound = true;
    }
    must(bound);
out:
    pthread_mutex_unlock(&names.lock);
    return bound;
}

void wire_unbind(struct end *router)
{
    unsigned count = 0;
    pthread_mutex_lock(&names.lock);
    for (int i = 0; i < NAMES_MAX; i++) {
        if (names.bound[i].end != router) continue;
        names.bound[i].end = NULL;
        count++;
    }
    pthread_mutex_unlock(&names.lock);
    for (; count > 0; count--)
        end_unref(router);
}

static struct end *find_name(const char *name)
{
    struct end *end = NULL;
    pthread_mutex_lock(&names.lock);
    for (int i = 0; i < NAMES_MAX && end == NULL; i++)
        if (names.bound[i].end != NULL && strcmp(names.bound[i].name, name) == 0) end = end_ref(names.bound[i].end);
    pthread_mutex_unlock(&names.lock);
    return end;
}

/* -- connections -- */

static struct connection *make_connection(struct end *router, struct end *dealer)
{
    struct connection *c = calloc(1, sizeof *c);
    must(c != NULL);
    atomic_init(&c->refs, 2); /* the ROUTER's list, and the caller's */
    c->sides[SIDE_ROUTER] = end_ref(router);
    c->sides[SIDE_DEALER] = end_ref(dealer);
    c->fd = eventfd(0, EFD_CLOEXEC);
    c->open = true;
    must(c->fd >= 0 && pthread_mutex_init(&c->lock, NULL) == 0);
    return c;
}

struct connection *wire_connect(const char *name, struct end *dealer)
{
    struct end *router = find_name(name);
    if (router == NULL) return NULL;
    struct connection *c = make_connection(router, dealer);
    pthread_mutex_lock(&router->lock);
    bool closed = router->closed;
    if (!closed) {
        c->id = ++router->last_id;
        c->next = router->connections;
        router->connections = c;
    }
    pthread_mutex_unlock(&router->lock);
    end_unref(router);
    if (!closed) return c;
    close(c->fd);
    connection_unref(c);
    connection_unref(c);
    return NULL;
}

void connection_unref(struct connection *c)
{
    if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1) return;
    end_unref(c->sides[SIDE_ROUTER]);
    end_unref(c->sides[SIDE_DEALER]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void unlink_connection(struct connection *c)
{
    struct end *router = c->sides[SIDE_ROUTER];
    pthread_mutex_lock(&router->lock);
    struct connection **at = &router->connections;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    pthread_mutex_unlock(&router->lock);
    connection_unref(c);
}

void connection_cut(struct connection *c)
{
    pthread_mutex_lock(&c->lock);
    bool was_open = c->open;
    c->open = false;
    pthread_mutex_unlock(&c->lock);
    if (!was_open) return;
    end_tell(c->sides[SIDE_ROUTER], ZMQ_EVENT_DISCONNECTED, c->fd);
    end_tell(c->sides[SIDE_DEALER], ZMQ_EVENT_DISCONNECTED, c->fd);
    close(c->fd);
    unlink_connection(c);
}

static struct connection *find_where(struct end *router, bool by_id, uint32_t id, int fd)
{
    pthread_mutex_lock(&router->lock);
    struct connection *c = router->connections;
    while (c != NULL && (by_id ? c->id != id : c->fd != fd))
        c = c->next;
    if (c != NULL) atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&router->lock);
    return c;
}

struct connection *connection_find(struct end *router, uint32_t id)
{
    return find_where(router, true, id, -1);
}

/* By connection->lock. */
static enum wire_result look(struct connection *c, enum side to)
{
    if (!c->open) return WIRE_GONE;
    pthread_mutex_lock(&c->sides[to]->lock);
    bool full = c->waiting[to] >= waiting_max[to];
    pthread_mutex_unlock(&c->sides[to]->lock);
    return full ? WIRE_FULL : WIRE_SENT;
}

enum wire_result connection_look(struct connection *c, enum side to)
{
    pthread_mutex_lock(&c->lock);
    enum wire_result result = look(c, to);
    pthread_mutex_unlock(&c->lock);
    return result;
}

enum wire_result connection_send(struct connection *c, enum side to, struct chain *message)
{
    struct end *end = c->sides[to];
    pthread_mutex_lock(&c->lock);
    enum wire_result result = look(c, to);
    if (result == WIRE_SENT) {
        for (struct piece *piece = message->first; piece != NULL; piece = piece->next) {
            piece->frame.fd = c->fd;
            if (piece->next != NULL) continue;
            piece->from = c;
            atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
        }
        pthread_mutex_lock(&end->lock);
        if (!end->closed) {
            c->waiting[to]++;
            append(end, message);
        }
        pthread_mutex_unlock(&end->lock);
        wake(end);
    }
    pthread_mutex_unlock(&c->lock);
    chain_free(message);
    return result;
}

/* -- cutting from outside -- */

size_t standin_cut(const char *endpoint)
{
    size_t count = 0;
    struct end *router = find_name(endpoint);
    if (router == NULL) return 0;
    pthread_mutex_lock(&router->lock);
    uint32_t last = router->last_id; /* those that connect again meanwhile are spared */
    pthread_mutex_unlock(&router->lock);
    for (uint32_t id = 1; id <= last; id++) {
        struct connection *c = connection_find(router, id);
        if (c == NULL) continue;
        connection_cut(c);
        connection_unref(c);
        count++;
    }
    end_unref(router);
    return count;
}

/* The linker leads shutdown() here (--wrap): the coordinator cuts a peer by the descriptor that its frames came from. */
int __real_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how)
{
    struct connection *c = NULL;
    for (int i = 0; i < NAMES_MAX && c == NULL; i++) {
        pthread_mutex_lock(&names.lock);
        struct end *router = names.bound[i].end != NULL ? end_ref(names.bound[i].end) : NULL;
        pthread_mutex_unlock(&names.lock);
        if (router == NULL) continue;
        c = find_where(router, false, 0, fd);
        end_unref(router);
    }
    if (c == NULL) return __real_shutdown(fd, how);
    connection_cut(c);
    connection_unref(c);
    return 0;
}
