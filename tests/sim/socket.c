/* Virtual WebSockets: a stream each way, which loses a suffix when it breaks. Each end learns of it soon or late; at the latest when the
 * other has been silent for its lease. */
#include <string.h>

#include "tests/sim/web.h"

struct socket *socket_open(struct sim *sim, struct client *client, struct peer *gateway)
{
    uint64_t latency_us = knob(sim, KNOB_latency_us);
    for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
        struct socket *s = &sim->web->sockets[i];
        if (s->used) continue;
        *s = (struct socket){ .used = true, .client = client, .gateway = gateway, .client_news_ns = NEVER, .gateway_news_ns = NEVER };
        s->ready_ns = sim->now_ns + chance_between(&client->random, latency_us, 3 * latency_us + 1) * 1000;
        s->window = 1u << (10 + random_below(&client->random, 7));
        return s;
    }
    return NULL;
}

void socket_send(struct sim *sim, struct socket *s, const char *frame, size_t size)
{
    if (!s->broken && s->gateway) pipe_put(sim, &s->up, span_of(frame, size));
}

void socket_write(struct sim *sim, struct socket *s, struct span bytes)
{
    if (s->broken || !s->client) return;
    pipe_put(sim, &s->down, bytes);
    s->unread += (uint32_t)bytes.size;
}

static uint64_t news_ns(const struct sim *sim, struct random *random)
{
    static const uint32_t at_most_ms[] = { 20, 20, 3000, GATEWAY_LEASE_MS };
    uint32_t kind = random_below(random, 4);
    return sim->now_ns + chance_between(random, kind == 3 ? GATEWAY_LEASE_MS / 2 : 0, at_most_ms[kind]) * NS_PER_MS;
}

/* Keeps a part of what is under way, the last of it perhaps cut in the middle of a frame. */
static void cut_down(struct socket *s, struct random *random)
{
    pipe_cut(&s->down, random_below(random, s->down.count + 1));
    if (s->down.last && chance(random, 50)) s->down.last->head_size = random_below(random, s->down.last->head_size + 1);
}

void socket_break(struct sim *sim, struct socket *s, struct random *random)
{
    if (s->broken) return;
    s->broken = true;
    pipe_cut(&s->up, random_below(random, s->up.count + 1));
    cut_down(s, random);
    s->client_news_ns = news_ns(sim, random);
    s->gateway_news_ns = news_ns(sim, random);
}

void socket_leave(struct sim *sim, struct socket *s, struct random *random)
{
    s->client = NULL;
    pipe_cut(&s->down, 0);
    s->unread = 0;
    if (!s->gateway) s->used = false;
    if (s->broken || !s->used) return;
    s->broken = true;
    if (s->conn == 0) {
        pipe_cut(&s->up, 0);
        s->used = false; /* it never got there */
    }
    s->gateway_news_ns = news_ns(sim, random);
}

void socket_drop(struct socket *s, uint64_t client_news_ns)
{
    s->gateway = NULL;
    s->conn = 0;
    pipe_cut(&s->up, 0);
    if (!s->client) s->used = false;
    if (!s->broken) s->client_news_ns = client_news_ns;
    s->broken = true;
}
