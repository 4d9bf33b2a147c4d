/* A program that asks through the SDK's link: its requests name its inbox, on which it listens as long as it lives, and again when it is
 * born anew: what was answered meanwhile waits there. */
#include <stdlib.h>
#include <string.h>

#include "proto/event.h"
#include "tests/sim/sim.h"

enum { NUMBERS_MAX = 4096, FIRST_USER = 32 };

struct requester {
    char inbox[64];
    uint32_t left, written, unanswered;
    uint64_t next_ns, events, bytes; /* taken and not told as consumed yet */
    uint32_t event_of[NUMBERS_MAX];  /* by number */
    uint64_t recent;                 /* the seq of a request that was accepted, for cancels */
    bool was_open;                   /* what was answered since then waits */
    bool open, listening;            /* a request before its inbox is confirmed may have an answer that the inbox does not show */
};

static void init(struct peer *peer, struct link_options *options)
{
    struct requester *r = peer->app;
    options->role = ROLE_CLIENT;
    options->publisher = span_of(peer->publisher, sizeof peer->publisher);
    options->publish_window = 256;
    options->publish_bytes = 256 << 10;
    options->events_credit = 1 + random_below(&peer->random, 100);
    memset(peer->instance, 0xc0 + (int)peer->of_kind, sizeof peer->instance); /* the inbox is its own in each life */
    r->left = knob(peer->sim, KNOB_client_events);
    r->next_ns = peer->sim->now_ns;
}

static void listen(struct peer *peer)
{
    struct requester *r = peer->app;
    struct span inbox = link_terms(peer->link)->inbox;
    struct link_subscription subscription = { .id = 1, .filter = inbox, .start = peer->lives > 1 || r->was_open ? START_FIRST : START_NEW };
    memcpy(r->inbox, inbox.data, inbox.size < sizeof r->inbox ? inbox.size : sizeof r->inbox - 1);
    r->open = link_subscribe(peer->link, &subscription) == LINK_OK;
}

static void ask(struct peer *peer)
{
    struct requester *r = peer->app;
    struct sim *sim = peer->sim;
    struct written written;
    uint8_t *room;
    uint64_t number = link_next_number(peer->link);
    if (number >= NUMBERS_MAX || !link_has_room(peer->link)) return;
    request_write(peer, topic_pick(sim, &peer->random), r->inbox, ++r->written, &written);
    if (link_publish(peer->link, span_of(NULL, 0), written.size, written.data_size, &room, &number) != LINK_OK) return;
    memcpy(room, written.bytes, written.size);
    r->event_of[number] = written.event;
    r->unanswered++;
    r->left--;
}

static void act(struct peer *peer)
{
    struct requester *r = peer->app;
    struct sim *sim = peer->sim;
    r->next_ns = sim->now_ns + chance_between(&peer->random, 1, 2 * knob(sim, KNOB_client_pace_ms)) * NS_PER_MS;
    if (r->events) link_consumed(peer->link, span_of(NULL, 0), r->events, r->bytes);
    r->events = r->bytes = 0;
    if (!r->open) listen(peer);
    if (r->recent && !sim->healing && chance(&peer->random, knob(sim, KNOB_cancels)))
        (void)link_cancel(peer->link, span_of(NULL, 0), r->recent);
    if (sim->healing) r->left = 0;
    if (r->listening && r->left > 0) ask(peer);
    if (r->open && r->left == 0) r->next_ns = NEVER;
}

static void answer(struct peer *peer, const struct link_fact *fact)
{
    struct requester *r = peer->app;
    for (uint64_t i = 0; i < fact->publish.count; i++) {
        uint64_t number = fact->publish.first_number + i, seq = fact->publish.first_seq + i;
        if (fact->kind == LINK_FACT_ACCEPTED) r->recent = seq;
        if (fact->kind == LINK_FACT_REFUSED) seq = fact->publish.code == CODE_GONE ? UINT64_MAX : 0;
        if (fact->kind == LINK_FACT_UNKNOWN) seq = UINT64_MAX;
        oracle_user_answer(peer->sim->oracle, r->event_of[number], seq);
        r->unanswered--;
    }
}

static void hear(struct peer *peer, const struct link_fact *fact)
{
    struct requester *r = peer->app;
    const uint8_t *at = fact->events.body.data;
    for (size_t i = 0; i < fact->events.count; at += fact->events.size[i++]) {
        struct oracle_shown shown = {
            .seq = fact->events.seq[i], .time_ms = fact->events.time_ms[i], .bytes = at, .size = fact->events.size[i]
        };
        oracle_user_event(peer->sim->oracle, FIRST_USER + peer->of_kind, &shown);
    }
    r->events += fact->events.count;
    r->bytes += fact->events.body.size;
    if (r->next_ns == NEVER) r->next_ns = peer->sim->now_ns + 5 * NS_PER_MS;
}

static void fact(struct peer *peer, const struct link_fact *fact)
{
    struct requester *r = peer->app;
    switch (fact->kind) {
    case LINK_FACT_ACCEPTED:
    case LINK_FACT_REFUSED:
    case LINK_FACT_UNKNOWN:
        answer(peer, fact);
        break;
    case LINK_FACT_SUBSCRIBED:
        r->listening = true;
        oracle_user_subscribed(peer->sim->oracle, FIRST_USER + peer->of_kind, r->inbox, fact->subscription.cursor,
                               fact->subscription.resumed, fact->subscription.gap);
        break;
    case LINK_FACT_CAUGHT_UP:
        oracle_user_caught_up(peer->sim->oracle, FIRST_USER + peer->of_kind, fact->subscription.cursor);
        break;
    case LINK_FACT_EVENTS:
        hear(peer, fact);
        break;
    case LINK_FACT_ENDED:
        r->open = r->listening = false;
        r->was_open = true;
        r->next_ns = peer->sim->now_ns;
        break;
    default:
        break;
    }
}

static uint64_t next_ns(const struct peer *peer)
{
    return ((const struct requester *)peer->app)->next_ns;
}

static bool is_idle(const struct peer *peer)
{
    const struct requester *r = peer->app;
    return r->left == 0 && r->unanswered == 0;
}

const struct peer_kind requester_kind = { "r", sizeof(struct requester), init, fact, act, next_ns, is_idle, NULL };
