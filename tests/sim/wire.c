/* Virtual ZeroMQ: whole packets, in order, none twice, within one connection. A break loses any suffix, each way on its own; each end
 * learns of it late or never; what had arrived may be read after the news, and after the hello of the next connection. */
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "tests/sim/sim.h"

static void put(struct sim *sim, struct pipe *pipe, struct span head, const struct span *pieces, size_t piece_count, size_t body_size)
{
    struct message *message = malloc(sizeof *message + head.size + body_size);
    uint64_t latency_us = knob(sim, KNOB_latency_us);
    *message = (struct message){ .head_size = (uint32_t)head.size, .body_size = (uint32_t)body_size };
    message->due_ns = sim->now_ns + chance_between(&sim->wire_random, latency_us / 4 + 1, latency_us + 1) * 1000;
    if (pipe->last && pipe->last->due_ns > message->due_ns) message->due_ns = pipe->last->due_ns;
    memcpy(message->bytes, head.data, head.size);
    uint8_t *at = message->bytes + head.size;
    for (size_t i = 0; i < piece_count; at += pieces[i++].size)
        if (pieces[i].size) memcpy(at, pieces[i].data, pieces[i].size);
    if (pipe->last)
        pipe->last->next = message;
    else
        pipe->first = message;
    pipe->last = message;
    pipe->count++;
    sim->tally.packets++;
    sim->tally.bytes += head.size + body_size;
}

static void send_packet(struct sim *sim, struct pipe *pipe, const struct packet *packet)
{
    struct span head;
    arena_reset(&sim->encode);
    if (codec_encode(&sim->encode, packet, &head) != CODEC_OK) sim_fail(sim, "packets_encode", "a packet cannot be encoded");
    put(sim, pipe, head, packet->pieces, packet->piece_count, codec_body_size(packet));
}

void pipe_put(struct sim *sim, struct pipe *pipe, struct span bytes)
{
    put(sim, pipe, bytes, NULL, 0, 0);
}

struct message *pipe_take(struct pipe *pipe)
{
    struct message *message = pipe->first;
    pipe->first = message->next;
    if (!pipe->first) pipe->last = NULL;
    pipe->count--;
    return message;
}

struct message *wire_take(struct sim *sim, struct pipe *pipe)
{
    struct message *message = pipe_take(pipe);
    if (sim->in_hand_count == IN_HAND_MAX) sim_fail(sim, "room_in_the_world", "more than %d messages in hand", IN_HAND_MAX);
    sim->in_hand[sim->in_hand_count++] = message;
    return message;
}

void wire_done(struct sim *sim)
{
    while (sim->in_hand_count > 0)
        free(sim->in_hand[--sim->in_hand_count]);
}

void pipe_cut(struct pipe *pipe, uint32_t kept)
{
    struct pipe rest = *pipe;
    *pipe = (struct pipe){ 0 };
    while (rest.first) {
        struct message *message = pipe_take(&rest);
        message->next = NULL;
        if (pipe->count >= kept) {
            free(message);
            continue;
        }
        if (pipe->last)
            pipe->last->next = message;
        else
            pipe->first = message;
        pipe->last = message;
        pipe->count++;
    }
}

struct connection *wire_open(struct sim *sim, struct peer *peer)
{
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &sim->connections[i];
        if (c->used) continue;
        *c = (struct connection){ .used = true, .peer = peer, .peer_news_ns = NEVER, .host_news_ns = NEVER };
        if (peer) c->takes = peer->takes;
        c->ready_ns = sim->now_ns + chance_between(&sim->wire_random, 1, 2 * knob(sim, KNOB_latency_us) + 1) * 1000;
        return c;
    }
    sim_fail(sim, "room_on_the_wire", "more than %d connections", CONNECTIONS_MAX);
}

struct connection *wire_find(struct sim *sim, uint32_t number)
{
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
        if (sim->connections[i].used && sim->connections[i].number == number) return &sim->connections[i];
    return NULL;
}

void wire_up(struct sim *sim, struct connection *c, const struct packet *packet)
{
    if (!c->broken) send_packet(sim, &c->up, packet);
}

void wire_up_bytes(struct sim *sim, struct connection *c, struct span head, struct span body)
{
    if (!c->broken) put(sim, &c->up, head, &body, 1, body.size);
}

void wire_down(struct sim *sim, struct connection *c, const struct packet *packet)
{
    if (!c->broken && !c->left) send_packet(sim, &c->down, packet);
}

static uint64_t news_ns(const struct sim *sim, struct random *random)
{
    uint32_t kind = random_below(random, 4);
    if (kind == 0) return sim->healing ? sim->now_ns : NEVER;
    return sim->now_ns + chance_between(random, 0, kind == 1 ? 5000 : 50) * NS_PER_MS;
}

void wire_break(struct sim *sim, struct connection *c, struct random *random)
{
    if (c->broken) return;
    c->broken = true;
    pipe_cut(&c->up, random_below(random, c->up.count + 1));
    pipe_cut(&c->down, random_below(random, c->down.count + 1));
    c->peer_news_ns = news_ns(sim, random);
    c->host_news_ns = news_ns(sim, random);
    if (chance(random, 30)) wire_stall(sim, c, chance_between(random, 1, 3000) * NS_PER_MS);
}

void wire_stall(struct sim *sim, struct connection *c, uint64_t ns)
{
    for (struct message *m = c->up.first; m; m = m->next)
        if (m->due_ns < sim->now_ns + ns) m->due_ns = sim->now_ns + ns;
}

void wire_leave(struct sim *sim, struct connection *c, struct random *random, bool killed)
{
    c->left = true;
    pipe_cut(&c->down, 0);
    if (c->broken) return;
    c->broken = true;
    if (killed) pipe_cut(&c->up, random_below(random, c->up.count + 1));
    c->host_news_ns = news_ns(sim, random);
}

void wire_host_dies(struct sim *sim)
{
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &sim->connections[i];
        if (!c->used || c->ready_ns > sim->now_ns) continue; /* those that still knock wait for the next start */
        if (!c->broken) {
            pipe_cut(&c->down, random_below(&sim->wire_random, c->down.count + 1));
            c->peer_news_ns = news_ns(sim, &sim->wire_random);
        }
        c->broken = true;
        pipe_cut(&c->up, 0);
        c->known = false;
        c->number = 0;
        c->host_news_ns = NEVER;
    }
}

void wire_sweep(struct sim *sim)
{
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &sim->connections[i];
        if (c->used && c->left && c->up.count == 0 && (!c->known || c->forgotten)) c->used = false;
    }
}

void wire_free(struct sim *sim)
{
    wire_done(sim);
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        pipe_cut(&sim->connections[i].up, 0);
        pipe_cut(&sim->connections[i].down, 0);
    }
}
