/* A program with the SDK's link in it, as sdk/src/session.c drives it: connections, flushes, ticks; stopped (SIGSTOP), killed and born
 * again. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/codec.h"
#include "tests/sim/sim.h"

static void on_fact(void *arg, const struct link_fact *fact)
{
    struct peer *peer = arg;
    sim_note(peer->sim, (uint64_t)peer->index << 32 | fact->kind);
    if (peer->kind->fact) peer->kind->fact(peer, fact);
}

static void fill(struct random *random, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)random_next(random);
}

/* A process begins: nothing is left of the one before but what it did. */
static void begin(struct peer *peer)
{
    struct sim *sim = peer->sim;
    struct link_options options = {
        .on_fact = on_fact, .arg = peer, .tenant = span_text("dev"), .backoff_min_ms = 20, .backoff_max_ms = 2000
    };
    peer->alive = true;
    peer->lives++;
    fill(&peer->random, peer->instance, sizeof peer->instance);
    fill(&peer->random, peer->publisher, sizeof peer->publisher);
    options.seed = random_next(&peer->random);
    options.name = span_text(peer->name);
    options.instance = span_of(peer->instance, sizeof peer->instance);
    peer->app = calloc(1, peer->kind->app_size);
    peer->kind->init(peer, &options);
    peer->takes = options.event_bytes_max ? options.event_bytes_max : 8 << 20;
    peer->link = link_init(calloc(1, link_memory(&options)), &options, sim->now_ns);
}

static void end(struct peer *peer)
{
    if (peer->kind->free) peer->kind->free(peer);
    free(peer->app);
    free(peer->link);
    peer->app = NULL;
    peer->link = NULL;
    peer->connection = NULL;
    peer->link_connection = 0;
    peer->alive = false;
}

void peer_add(struct sim *sim, const struct peer_kind *kind)
{
    if (sim->peer_count == PEERS_MAX) return;
    struct peer *peer = &sim->peers[sim->peer_count];
    *peer = (struct peer){ .sim = sim, .kind = kind, .index = sim->peer_count, .wake_ns = sim->now_ns };
    for (uint32_t i = 0; i < sim->peer_count; i++)
        peer->of_kind += sim->peers[i].kind == kind;
    peer->random = chance_of(sim->plan.seed, 100 + sim->peer_count);
    snprintf(peer->name, sizeof peer->name, "%s%u", kind->letter, peer->of_kind + 1);
    sim->peer_count++;
}

void peer_free(struct peer *peer)
{
    if (peer->alive) end(peer);
}

void peer_kill(struct peer *peer, struct random *random, uint64_t down_ns)
{
    if (!peer->alive) return;
    if (peer->connection) wire_leave(peer->sim, peer->connection, random, true);
    end(peer);
    peer->wake_ns = peer->sim->now_ns + down_ns;
}

/* -- the connection -- */

static void follow_link(struct peer *peer)
{
    uint32_t wanted = link_connection(peer->link);
    if (wanted == peer->link_connection) return;
    if (peer->connection) wire_leave(peer->sim, peer->connection, &peer->random, false);
    peer->connection = wanted ? wire_open(peer->sim, peer) : NULL;
    peer->link_connection = wanted;
    peer->told_ready = false;
}

static void read_one(struct peer *peer)
{
    struct sim *sim = peer->sim;
    struct message *message = wire_take(sim, &peer->connection->down);
    struct packet *packet;
    struct span head = span_of(message->bytes, message->head_size), body = span_of(message->bytes + message->head_size, message->body_size);
    arena_reset(&sim->decode);
    sim_note_bytes(sim, message->bytes, message->head_size + message->body_size);
    if (codec_decode(&sim->decode, head, body, &packet) != CODEC_OK)
        sim_fail(sim, "packets_decode", "%s cannot read what it was sent", peer->name);
    link_packet(peer->link, sim->now_ns, packet);
    wire_done(sim);
}

static void hear(struct peer *peer)
{
    struct sim *sim = peer->sim;
    struct connection *c = peer->connection;
    if (!peer->told_ready && c && c->ready_ns <= sim->now_ns && sim->host.up) {
        peer->told_ready = true;
        link_connected(peer->link, sim->now_ns);
    }
    while (c && c == peer->connection && c->down.first && c->down.first->due_ns <= sim->now_ns) {
        read_one(peer);
        follow_link(peer);
    }
    if (c && c == peer->connection && c->peer_news_ns <= sim->now_ns) {
        c->peer_news_ns = NEVER;
        link_lost(peer->link, sim->now_ns, CODE_OK, span_of(NULL, 0));
        follow_link(peer);
    }
}

static void flush(struct peer *peer)
{
    struct sim *sim = peer->sim;
    struct packet *packet;
    for (;;) {
        arena_reset(&sim->decode);
        if (!peer->told_ready || !link_flush(peer->link, sim->now_ns, &sim->decode, &packet)) return;
        wire_up(sim, peer->connection, packet);
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t peer_next_ns(const struct peer *peer)
{
    const struct sim *sim = peer->sim;
    const struct connection *c = peer->connection;
    if (!peer->alive || peer->wake_ns > sim->now_ns) return peer->wake_ns;
    uint64_t next = earlier(link_deadline_ns(peer->link), peer->kind->next_ns(peer));
    if (peer->break_ns) next = earlier(next, peer->break_ns);
    if (!c) return next;
    if (!peer->told_ready) next = earlier(next, sim->host.up ? c->ready_ns : earlier(sim->host.start_ns, NEVER - NS_PER_MS) + NS_PER_MS);
    if (c->down.first) next = earlier(next, c->down.first->due_ns);
    return earlier(next, c->peer_news_ns);
}

void peer_run(struct peer *peer)
{
    struct sim *sim = peer->sim;
    if (peer->wake_ns > sim->now_ns) return;
    if (!peer->alive) begin(peer);
    follow_link(peer);
    if (peer->break_ns && peer->break_ns <= sim->now_ns) {
        peer->break_ns = 0;
        if (peer->connection) wire_break(sim, peer->connection, &peer->random);
    }
    hear(peer);
    if (link_deadline_ns(peer->link) <= sim->now_ns) link_tick(peer->link, sim->now_ns);
    follow_link(peer);
    if (peer->kind->next_ns(peer) <= sim->now_ns) peer->kind->act(peer);
    flush(peer);
}
