/* A coordinator for the SDK's tests: its thread, its socket, and the misbehaviour it is asked for. */
#include "sdk/tests/fake_parts.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "proto/codec.h"
#include "sdk/base/must.h"

static struct peer *peer_of(struct fake *f, zmq_msg_t *id)
{
    size_t size = zmq_msg_size(id);
    struct peer *peer;
    for (size_t i = 0; i < f->peer_count; i++)
        if (f->peers[i].id_size == size && memcmp(f->peers[i].id, zmq_msg_data(id), size) == 0) return &f->peers[i];
    must(f->peer_count < PEERS_MAX);
    peer = &f->peers[f->peer_count++];
    memset(peer, 0, sizeof *peer);
    memcpy(peer->id, zmq_msg_data(id), size);
    peer->id_size = size;
    return peer;
}

static bool receive_one(struct fake *f)
{
    zmq_msg_t id, head, body;
    struct packet *packet;
    (void)zmq_msg_init(&id);
    (void)zmq_msg_init(&head);
    (void)zmq_msg_init(&body);
    if (zmq_msg_recv(&id, f->router, ZMQ_DONTWAIT) < 0) return false;
    (void)zmq_msg_recv(&head, f->router, 0);
    if (zmq_msg_more(&head)) (void)zmq_msg_recv(&body, f->router, 0);
    arena_reset(&f->in);
    arena_reset(&f->out);
    must(codec_decode(&f->in, span_of(zmq_msg_data(&head), zmq_msg_size(&head)), span_of(zmq_msg_data(&body), zmq_msg_size(&body)),
                      &packet) == CODEC_OK);
    fake_take(f, peer_of(f, &id), packet);
    (void)zmq_msg_close(&id);
    (void)zmq_msg_close(&head);
    (void)zmq_msg_close(&body);
    return true;
}

static void open_router(struct fake *f)
{
    int zero = 0;
    size_t size = sizeof f->endpoint;
    f->router = zmq_socket(f->context, ZMQ_ROUTER);
    (void)zmq_setsockopt(f->router, ZMQ_LINGER, &zero, sizeof zero);
    while (zmq_bind(f->router, f->endpoint[0] != '\0' ? f->endpoint : "tcp://127.0.0.1:*") != 0) { /* the old one is not quite gone */
    }
    (void)zmq_getsockopt(f->router, ZMQ_LAST_ENDPOINT, f->endpoint, &size);
}

static void cut(struct fake *f)
{
    (void)zmq_close(f->router);
    f->peer_count = f->sub_count = 0;
    for (uint64_t seq = 1; seq < f->next_seq; seq++)
        f->events[seq].holder = NULL; /* still held: they wait for the hello of their worker */
    open_router(f);
    f->cutting = false;
}

static void serve(struct fake *f)
{
    arena_reset(&f->out);
    fake_serve(f);
    for (size_t i = 0; f->nonsense && i < f->peer_count; i++) {
        (void)zmq_send(f->router, f->peers[i].id, f->peers[i].id_size, ZMQ_SNDMORE);
        (void)zmq_send(f->router, "nonsense", 8, 0);
    }
    f->nonsense = false;
}

static void *run(void *argument)
{
    struct fake *f = argument;
    bool goes_on = true;
    while (goes_on) {
        zmq_pollitem_t item = { f->router, 0, ZMQ_POLLIN, 0 };
        (void)zmq_poll(&item, 1, 5);
        (void)pthread_mutex_lock(&f->lock);
        while (receive_one(f)) {
        }
        serve(f);
        if (f->cutting) cut(f);
        goes_on = !f->stopping;
        (void)pthread_cond_broadcast(&f->done);
        (void)pthread_mutex_unlock(&f->lock);
    }
    (void)zmq_close(f->router);
    return NULL;
}

struct fake *fake_start(void)
{
    struct fake *f = calloc(1, sizeof *f);
    must(f != NULL);
    arena_init(&f->in, malloc(ARENA), ARENA);
    arena_init(&f->out, malloc(ARENA), ARENA);
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_cond_init(&f->done, NULL);
    f->next_seq = 1;
    f->context = zmq_ctx_new();
    open_router(f);
    must(pthread_create(&f->thread, NULL, run, f) == 0);
    return f;
}

void fake_stop(struct fake *f)
{
    (void)pthread_mutex_lock(&f->lock);
    f->stopping = true;
    (void)pthread_mutex_unlock(&f->lock);
    (void)pthread_join(f->thread, NULL);
    (void)zmq_ctx_term(f->context);
    for (uint64_t seq = 1; seq < f->next_seq; seq++)
        free(f->events[seq].bytes);
    free(f->in.memory);
    free(f->out.memory);
    free(f);
}

const char *fake_endpoint(const struct fake *f)
{
    return f->endpoint;
}

#define UNDER_LOCK(statement)                                                                                                              \
    do {                                                                                                                                   \
        (void)pthread_mutex_lock(&f->lock);                                                                                                \
        statement;                                                                                                                         \
        (void)pthread_mutex_unlock(&f->lock);                                                                                              \
    } while (0)

void fake_refuse_hello(struct fake *f, uint32_t code)
{
    UNDER_LOCK(f->hello_code = code);
}

void fake_refuse_publishes(struct fake *f, uint32_t code)
{
    UNDER_LOCK(f->publish_code = code);
}

void fake_keep_answers(struct fake *f, bool keep)
{
    UNDER_LOCK(f->keep_answers = keep);
}

void fake_forget_publishers(struct fake *f)
{
    UNDER_LOCK(f->forget = true);
}

void fake_say_gap(struct fake *f)
{
    UNDER_LOCK(f->gap = true);
}

void fake_say_nonsense(struct fake *f)
{
    UNDER_LOCK(f->nonsense = true);
}

void fake_cut(struct fake *f)
{
    (void)pthread_mutex_lock(&f->lock);
    f->cutting = true;
    while (f->cutting)
        (void)pthread_cond_wait(&f->done, &f->lock);
    (void)pthread_mutex_unlock(&f->lock);
}

struct fake_counts fake_counts(struct fake *f)
{
    struct fake_counts counts;
    UNDER_LOCK(counts = f->counts);
    return counts;
}
