/* A gateway: its core between clients' sockets and the link, as gateway/shell drives it. Its process may be stopped, killed and born again
 * as any other; its clients are somebody else's (client.c). */
#include <stdlib.h>
#include <string.h>

#include "gateway/core/gate.h"
#include "proto/event.h"
#include "tests/sim/web.h"

enum { CLOSE_GRACE_MS = 3000 };

struct gateway {
    struct gate *gate;
    struct socket *socket_of[GATEWAY_CONNECTIONS + 1]; /* by the gate's handle */
    bool heard;                                        /* facts have come that the next turn has to act upon */
};

/* -- the core's calls: the link's, for the one tenant that there is -- */

static enum link_result call_publish(void *self, struct span tenant, size_t size, size_t data_size, uint8_t **out_bytes,
                                     uint64_t *out_number)
{
    (void)tenant;
    return link_publish(((struct peer *)self)->link, span_of(NULL, 0), size, data_size, out_bytes, out_number);
}

static enum link_result call_subscribe(void *self, const struct link_subscription *subscription)
{
    struct link_subscription own = *subscription;
    own.tenant = span_of(NULL, 0);
    return link_subscribe(((struct peer *)self)->link, &own);
}

static void call_unsubscribe(void *self, uint64_t subscription)
{
    (void)link_unsubscribe(((struct peer *)self)->link, subscription);
}

static void call_grant(void *self, uint64_t subscription, uint64_t events)
{
    (void)link_grant(((struct peer *)self)->link, subscription, events);
}

static void call_consumed(void *self, struct span tenant, uint64_t events, uint64_t bytes)
{
    (void)tenant;
    link_consumed(((struct peer *)self)->link, span_of(NULL, 0), events, bytes);
}

static void call_cancel(void *self, struct span tenant, uint64_t seq)
{
    (void)tenant;
    (void)link_cancel(((struct peer *)self)->link, span_of(NULL, 0), seq);
}

/* -- its life -- */

static void init(struct peer *peer, struct link_options *options)
{
    struct gateway *g = peer->app;
    struct sim *sim = peer->sim;
    struct gate_config config = {
        .limits = { .connections_max = GATEWAY_CONNECTIONS,
                    .subscriptions_max = 64,
                    .topics_max = 64,
                    .operations_max = 256,
                    .own_subscriptions_max = 8,
                    .own_operations_max = 64,
                    .pool_bytes = 4 << 20,
                    .queue_bytes = knob(sim, KNOB_queue_kb) << 10,
                    .frame_bytes_max = 128 << 10,
                    .auth_ms = 5000,
                    .answer_ms = 30000,
                    .lease_ms = GATEWAY_LEASE_MS },
        .dev = true,
        .server = "weir/sim",
        .uplink = { peer, call_publish, call_subscribe, call_unsubscribe, call_grant, call_consumed, call_cancel },
    };
    config.secret[0] = random_next(&peer->random);
    config.secret[1] = random_next(&peer->random);
    options->role = ROLE_GATEWAY;
    options->publisher = span_of(peer->publisher, sizeof peer->publisher);
    options->publish_bytes = 1 << 20;
    options->events_credit = 1 + random_below(&peer->random, 1000);
    options->tenants_max = 2;
    options->subscriptions_max = config.limits.topics_max;
    g->gate = gate_init(calloc(1, gate_memory(&config)), &config);
}

static void tell_time(const struct peer *peer)
{
    gate_now(((struct gateway *)peer->app)->gate, peer->sim->now_ns / NS_PER_MS, log_ms(peer->sim));
}

static void note_accepted(struct sim *sim, const struct link_fact *fact)
{
    for (uint64_t i = 0; i < fact->publish.count; i++)
        oracle_heard_accepted(sim->oracle, fact->publish.first_seq + i, sim->now_ns);
}

static void note_answers(struct sim *sim, const struct link_fact *fact)
{
    const uint8_t *at = fact->events.body.data;
    struct event event;
    for (size_t i = 0; i < fact->events.count; at += fact->events.size[i++])
        if (event_scan(span_of(at, fact->events.size[i]), &event) == EVENT_OK && event.reply)
            oracle_heard_answer(sim->oracle, fact->events.cause[i], sim->now_ns);
}

static void fact(struct peer *peer, const struct link_fact *fact)
{
    struct gateway *g = peer->app;
    tell_time(peer);
    if (fact->kind == LINK_FACT_STATE && fact->state.state == LINK_UP)
        gate_set_epoch(g->gate, span_of(link_terms(peer->link)->epoch, EPOCH_BYTES));
    if (fact->kind == LINK_FACT_ACCEPTED) note_accepted(peer->sim, fact);
    if (fact->kind == LINK_FACT_EVENTS && fact->events.cause) note_answers(peer->sim, fact);
    gate_fact(g->gate, fact);
    g->heard = true;
}

static void forget_socket(struct gateway *g, struct socket *s, uint64_t client_news_ns)
{
    if (s->conn) {
        g->socket_of[s->conn] = NULL;
        gate_closed(g->gate, s->conn);
    }
    socket_drop(s, client_news_ns);
}

static void accept(struct peer *peer, struct socket *s)
{
    struct gateway *g = peer->app;
    s->conn = gate_open(g->gate, NULL);
    if (s->conn)
        g->socket_of[s->conn] = s;
    else
        socket_drop(s, peer->sim->now_ns); /* 503 */
}

/* What has come, then perhaps the news that nothing more will. */
static void read_socket(struct peer *peer, struct socket *s)
{
    struct gateway *g = peer->app;
    struct sim *sim = peer->sim;
    while (s->up.first && s->up.first->due_ns <= sim->now_ns) {
        struct message *message = wire_take(sim, &s->up);
        sim_note_bytes(sim, message->bytes, message->head_size);
        if (!s->close_sent) gate_text(g->gate, s->conn, span_of(message->bytes, message->head_size));
        wire_done(sim);
    }
    if (s->gateway_news_ns <= sim->now_ns) forget_socket(g, s, sim->now_ns);
}

static void write_close(struct peer *peer, struct socket *s, uint16_t code, const char *reason)
{
    uint8_t frame[2 + 125] = { 0x88, (uint8_t)(2 + strlen(reason)), (uint8_t)(code >> 8), (uint8_t)code };
    memcpy(frame + 4, reason, strlen(reason));
    socket_write(peer->sim, s, span_of(frame, 4 + strlen(reason)));
    s->close_sent = true;
    uint64_t end_ns = peer->sim->now_ns + CLOSE_GRACE_MS * NS_PER_MS;
    if (s->gateway_news_ns > end_ns) s->gateway_news_ns = end_ns;
}

static void write_socket(struct peer *peer, struct socket *s)
{
    struct gateway *g = peer->app;
    struct web *web = peer->sim->web;
    const char *reason;
    size_t size;
    while (socket_has_room(s) && (size = gate_output(g->gate, s->conn, web->room)) > 0)
        socket_write(peer->sim, s, span_of(web->room, size));
    s->wants_write = gate_has_output(g->gate, s->conn);
    uint16_t code = gate_close_code(g->gate, s->conn, &reason);
    if (code == 0 || s->wants_write) return;
    if (socket_has_room(s))
        write_close(peer, s, code, reason);
    else
        s->wants_write = true;
}

static void write_sockets(struct peer *peer)
{
    struct gateway *g = peer->app;
    uint32_t conn;
    for (conn = 1; conn <= GATEWAY_CONNECTIONS; conn++) {
        struct socket *s = g->socket_of[conn];
        if (s && s->wants_write && !s->close_sent && socket_has_room(s)) write_socket(peer, s);
    }
    while ((conn = gate_dirty(g->gate)) != 0) {
        struct socket *s = g->socket_of[conn];
        if (s && !s->close_sent) write_socket(peer, s);
    }
}

static void act(struct peer *peer)
{
    struct gateway *g = peer->app;
    struct sim *sim = peer->sim;
    g->heard = false;
    tell_time(peer);
    for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
        struct socket *s = &sim->web->sockets[i];
        if (!s->used || s->gateway != peer) continue;
        if (s->conn == 0 && s->ready_ns <= sim->now_ns) accept(peer, s);
        if (s->conn) read_socket(peer, s);
    }
    if (gate_deadline(g->gate) <= sim->now_ns / NS_PER_MS) gate_tick(g->gate);
    gate_settle_uplink(g->gate);
    write_sockets(peer);
    gate_settle_uplink(g->gate);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_ns(const struct peer *peer)
{
    const struct gateway *g = peer->app;
    const struct sim *sim = peer->sim;
    if (g->heard) return sim->now_ns;
    uint64_t deadline_ms = gate_deadline(g->gate), next = deadline_ms < NEVER / NS_PER_MS ? deadline_ms * NS_PER_MS : NEVER;
    for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
        const struct socket *s = &sim->web->sockets[i];
        if (!s->used || s->gateway != peer) continue;
        if (s->conn == 0) next = earlier(next, s->ready_ns);
        if (s->conn && s->up.first) next = earlier(next, s->up.first->due_ns);
        if (s->conn && s->wants_write && socket_has_room(s)) return sim->now_ns;
        if (s->conn) next = earlier(next, s->gateway_news_ns);
    }
    return next;
}

/* Nothing of what clients wanted is left behind. */
static bool is_idle(const struct peer *peer)
{
    return gate_stats(((struct gateway *)peer->app)->gate)->operations == 0;
}

static void end(struct peer *peer)
{
    struct gateway *g = peer->app;
    struct sim *sim = peer->sim;
    for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
        struct socket *s = &sim->web->sockets[i];
        if (s->used && s->gateway == peer) socket_drop(s, sim->now_ns + chance_between(&peer->random, 0, 200) * NS_PER_MS);
    }
    free(g->gate);
}

const struct peer_kind gateway_kind = { "gw", sizeof(struct gateway), init, fact, act, next_ns, is_idle, end };
