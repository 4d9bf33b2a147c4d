/* A publisher: so many events, one after the other or a handful at once, each with one answer in the end. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

enum { NUMBERS_MAX = 4096 };

struct publisher {
    uint32_t left, written;
    uint64_t next_ns;
    uint32_t event_of[NUMBERS_MAX]; /* by number */
    uint32_t unanswered;
};

static void init(struct peer *peer, struct link_options *options)
{
    struct publisher *p = peer->app;
    options->role = ROLE_CLIENT;
    options->publisher = span_of(peer->publisher, sizeof peer->publisher);
    options->publish_window = 256;
    options->publish_bytes = knob(peer->sim, KNOB_larges) ? 4 * knob(peer->sim, KNOB_large_kb) << 10 : 256 << 10;
    p->left = knob(peer->sim, KNOB_events);
    p->next_ns = peer->sim->now_ns + chance_between(&peer->random, 0, 2000) * NS_PER_MS;
}

static void answer(struct peer *peer, const struct link_fact *fact)
{
    struct publisher *p = peer->app;
    for (uint64_t i = 0; i < fact->publish.count; i++) {
        uint64_t number = fact->publish.first_number + i, seq = fact->publish.first_seq + i;
        if (number >= NUMBERS_MAX || !p->event_of[number])
            sim_fail(peer->sim, "answers_what_was_asked", "%s hears of number %llu", peer->name, (unsigned long long)number);
        if (fact->kind == LINK_FACT_REFUSED) seq = fact->publish.code == CODE_GONE ? UINT64_MAX : 0;
        if (fact->kind == LINK_FACT_UNKNOWN) seq = UINT64_MAX;
        oracle_user_answer(peer->sim->oracle, p->event_of[number], seq);
        p->unanswered--;
    }
}

static void fact(struct peer *peer, const struct link_fact *fact)
{
    if (fact->kind == LINK_FACT_ACCEPTED || fact->kind == LINK_FACT_REFUSED || fact->kind == LINK_FACT_UNKNOWN) answer(peer, fact);
}

static bool publish_large(struct peer *peer, const char *text)
{
    struct publisher *p = peer->app;
    struct large_event large;
    const char *topic = topic_pick(peer->sim, &peer->random);
    uint64_t number;
    uint8_t *room;
    large_event_write(peer->sim, &peer->random, topic, text, &large);
    bool sent = link_publish(peer->link, span_of(NULL, 0), large.size, large.data_size, &room, &number) == LINK_OK;
    if (sent) {
        memcpy(room, large.bytes, large.size);
        p->event_of[number] = large_event_known(peer->sim, topic, &large);
        p->unanswered++;
        p->left--;
    }
    free(large.bytes);
    return sent;
}

static bool publish_one(struct peer *peer)
{
    struct publisher *p = peer->app;
    struct sim *sim = peer->sim;
    struct written written;
    uint8_t *room;
    char data[64];
    uint64_t number = link_next_number(peer->link);
    if (number >= NUMBERS_MAX || !link_has_room(peer->link)) return false;
    snprintf(data, sizeof data, "%s.%u event %u", peer->name, peer->lives, ++p->written);
    if (knob(sim, KNOB_larges) && chance(&peer->random, knob(sim, KNOB_larges))) return publish_large(peer, data);
    uint64_t ttl_ms = chance(&peer->random, knob(sim, KNOB_ttls)) ? chance_between(&peer->random, 1, 4000) : 0;
    event_write(sim, &peer->random, AUTHOR_PUBLISHER, topic_pick(sim, &peer->random), data, ttl_ms, &written);
    if (link_publish(peer->link, span_of(NULL, 0), written.size, written.data_size, &room, &number) != LINK_OK) return false;
    memcpy(room, written.bytes, written.size);
    p->event_of[number] = written.event;
    p->unanswered++;
    p->left--;
    return true;
}

static void act(struct peer *peer)
{
    struct publisher *p = peer->app;
    uint32_t burst = chance(&peer->random, 20) ? 1 + random_below(&peer->random, 20) : 1;
    p->next_ns = peer->sim->now_ns + chance_between(&peer->random, 1, 2 * knob(peer->sim, KNOB_pace_ms)) * NS_PER_MS;
    if (peer->sim->healing) p->left = 0;
    while (burst-- > 0 && p->left > 0 && publish_one(peer))
        continue;
}

static uint64_t next_ns(const struct peer *peer)
{
    const struct publisher *p = peer->app;
    return p->left > 0 ? p->next_ns : NEVER;
}

static bool is_idle(const struct peer *peer)
{
    const struct publisher *p = peer->app;
    return p->left == 0 && p->unanswered == 0;
}

const struct peer_kind publisher_kind = { "p", sizeof(struct publisher), init, fact, act, next_ns, is_idle, NULL };
