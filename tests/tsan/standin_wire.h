/* The connections of the stand-in for libzmq: what its sockets share across threads, and nothing else. Kind: tests.
 *
 * Each end of a connection has a lock of its own, because a common one would order threads that nothing orders in the real program, and
 * so hide their races. What a lock guards is said at the field. Locks are taken in this order: a connection's, a socket's end, a monitor's
 * end. */
#ifndef WEIR_TESTS_STANDIN_WIRE_H
#define WEIR_TESTS_STANDIN_WIRE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_ID_BYTES = 5 };

struct frame {
    uint8_t *data; /* malloc; NULL: empty, never filled */
    size_t size;
    int fd; /* of the connection it came from; -1: none */
    bool more;
};

struct piece { /* of a queue: the frames of its messages, one after another */
    struct piece *next;
    struct frame frame;
    struct connection *from; /* with the last frame of a message: who counts it; a reference */
};

struct chain { /* a message in the making */
    struct piece *first, **last;
};

struct end { /* what other threads may touch of a socket */
    atomic_uint refs;
    int fd; /* an eventfd, written when something changed; like ZMQ_FD it says no more than that */
    pthread_mutex_t lock;
    bool closed;                    /* by lock, all from here */
    struct chain inbox;             /* whole messages */
    struct end *monitor;            /* a reference, or NULL */
    int monitor_events;             /* which it wants */
    struct connection *connections; /* of a ROUTER; references */
    uint32_t last_id;
};

enum side { SIDE_ROUTER, SIDE_DEALER };
struct connection {
    atomic_uint refs;
    struct end *sides[2]; /* references; for ever */
    uint32_t id;
    int fd; /* a number that nobody else has while it is open */
    pthread_mutex_t lock;
    bool open;               /* by lock, held while a message is handed over: none comes after the end */
    size_t waiting[2];       /* messages at a side, by that end's lock */
    struct connection *next; /* by the ROUTER end's lock */
};

void frame_free(struct frame *frame);

void chain_add(struct chain *chain, struct frame frame); /* takes it; zeroed memory is an empty chain */
void chain_free(struct chain *chain);

struct end *end_new(void);
void end_unref(struct end *end);
void end_close(struct end *end); /* its socket is closed: cuts what it has, drops what it holds */
bool end_has_message(struct end *end);
bool end_take(struct end *end, struct frame *out); /* the next frame; false: none there */
void end_watch(struct end *end, struct end *monitor, int events);
void end_tell(struct end *end, int event, int value); /* its monitor, if that wants to hear of it */

/* Names are the whole process's, as addresses of a machine are. */
bool wire_bind(const char *name, struct end *router); /* false: in use */
void wire_unbind(struct end *router);
struct connection *wire_connect(const char *name, struct end *dealer); /* a reference; NULL: nobody there */

enum wire_result { WIRE_SENT, WIRE_FULL, WIRE_GONE };
struct connection *connection_find(struct end *router, uint32_t id); /* a reference, or NULL */
enum wire_result connection_look(struct connection *connection, enum side to);
enum wire_result connection_send(struct connection *connection, enum side to, struct chain *message); /* empties it in any case */
void connection_cut(struct connection *connection);                                                   /* both monitors hear of it */
void connection_unref(struct connection *connection);

#endif
