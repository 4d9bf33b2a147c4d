/* Subscribers, slow ones too; and the auditor, an admin whose own connection never breaks: what it reads is the log. */
#include <stdlib.h>
#include <string.h>

#include "proto/event.h"
#include "tests/sim/sim.h"

enum { SUBSCRIPTION_LOG = 1, SUBSCRIPTION_SYSTEM, SUBSCRIPTION_DEAD, SUBSCRIPTION_AGAIN, AGAIN_USER = ORACLE_USERS - 1 };

struct subscriber {
    const char *filter;
    uint64_t next_ns, events, bytes; /* taken and not told as consumed yet */
    uint64_t log_from, again_from;   /* the auditor's readings */
    bool open, again_open, system_open, dead_open;
};

static void init_subscriber(struct peer *peer, struct link_options *options)
{
    struct subscriber *s = peer->app;
    options->role = ROLE_CLIENT;
    options->events_credit = 1 + random_below(&peer->random, 200);
    s->filter = filter_pick(&peer->random);
    if (knob(peer->sim, KNOB_larges) && chance(&peer->random, 40)) options->event_bytes_max = LARGE_TAKEN;
    s->next_ns = peer->sim->now_ns;
}

static void consume_some(struct peer *peer)
{
    struct subscriber *s = peer->app;
    if (s->events) link_consumed(peer->link, span_of(NULL, 0), s->events, s->bytes);
    s->events = s->bytes = 0;
}

static void took_events(struct peer *peer, const struct link_fact *fact)
{
    struct subscriber *s = peer->app;
    for (size_t i = 0; i < fact->events.count; i++) {
        s->bytes += fact->events.size[i];
        s->events++;
    }
    uint64_t wait_ms = chance(&peer->random, 20) && !peer->sim->healing ? 3000 : 20;
    if (s->next_ns == NEVER) s->next_ns = peer->sim->now_ns + chance_between(&peer->random, 0, wait_ms) * NS_PER_MS;
}

static struct oracle_shown shown_at(struct peer *peer, const struct link_fact *fact, size_t i, const uint8_t *bytes)
{
    struct span whole = large_heard(peer, fact->events.seq[i], span_of(bytes, fact->events.size[i]));
    return (struct oracle_shown){ .seq = fact->events.seq[i],
                                  .first = fact->events.first ? fact->events.first[i] : 0,
                                  .time_ms = fact->events.time_ms[i],
                                  .cause = fact->events.cause ? fact->events.cause[i] : 0,
                                  .bytes = whole.data,
                                  .size = whole.size };
}

static void fact_subscriber(struct peer *peer, const struct link_fact *fact)
{
    struct subscriber *s = peer->app;
    struct oracle *o = peer->sim->oracle;
    const uint8_t *at = fact->kind == LINK_FACT_EVENTS ? fact->events.body.data : NULL;
    switch (fact->kind) {
    case LINK_FACT_SUBSCRIBED:
        oracle_user_subscribed(o, peer->of_kind, s->filter, fact->subscription.cursor, fact->subscription.resumed, fact->subscription.gap);
        break;
    case LINK_FACT_EVENTS:
        for (size_t i = 0; i < fact->events.count; at += fact->events.size[i++]) {
            struct oracle_shown shown = shown_at(peer, fact, i, at);
            oracle_user_event(o, peer->of_kind, &shown);
        }
        took_events(peer, fact);
        break;
    case LINK_FACT_CAUGHT_UP:
        oracle_user_caught_up(o, peer->of_kind, fact->subscription.cursor);
        break;
    case LINK_FACT_ENDED: /* what it had still to read has left the window */
        s->open = false;
        s->next_ns = peer->sim->now_ns;
        break;
    default:
        break;
    }
}

static void act_subscriber(struct peer *peer)
{
    struct subscriber *s = peer->app;
    s->next_ns = NEVER;
    consume_some(peer);
    if (s->open) return;
    static const uint32_t starts[] = { START_NEW, START_FIRST, START_LAST };
    struct link_subscription subscription = {
        .id = 1, .filter = span_text(s->filter), .start = starts[random_below(&peer->random, 3)], .start_at = 5
    };
    if (subscription.start != START_LAST) subscription.start_at = 0;
    s->open = link_subscribe(peer->link, &subscription) == LINK_OK;
}

static uint64_t next_ns(const struct peer *peer)
{
    return ((const struct subscriber *)peer->app)->next_ns;
}

static bool always_idle(const struct peer *peer)
{
    (void)peer;
    return true;
}

const struct peer_kind subscriber_kind = {
    "s", sizeof(struct subscriber), init_subscriber, fact_subscriber, act_subscriber, next_ns, always_idle, NULL
};

/* ---- the auditor ---- */

static void init_auditor(struct peer *peer, struct link_options *options)
{
    struct subscriber *s = peer->app;
    options->role = ROLE_ADMIN;
    options->events_credit = 1000;
    s->filter = ">";
    s->next_ns = peer->sim->now_ns;
}

/* {"group":"g1","first":1,"last":2} */
static void hear_system(struct sim *sim, const uint8_t *bytes, uint32_t size)
{
    struct event event;
    char text[256] = "", group[64];
    unsigned long long first, last;
    if (event_scan(span_of(bytes, size), &event) != EVENT_OK || event.data.size >= sizeof text) return;
    memcpy(text, event.data.data, event.data.size);
    if (sscanf(text, "{\"group\":\"%63[^\"]\",\"first\":%llu,\"last\":%llu}", group, &first, &last) == 3)
        oracle_lost(sim->oracle, group, first, last);
}

/* On $dlq.GROUP: its data is the dead event. */
static void hear_letter(struct sim *sim, uint64_t cause, const uint8_t *bytes, uint32_t size)
{
    struct event event;
    char topic[64] = "";
    if (event_scan(span_of(bytes, size), &event) != EVENT_OK || event.topic.size >= sizeof topic) return;
    memcpy(topic, event.topic.data, event.topic.size);
    struct span copy = large_copied(sim, cause, event.data);
    oracle_dead(sim->oracle, topic + strlen("$dlq."), cause, copy.data, copy.size);
    uint32_t at = sim->letter_count++ % LETTERS_SEEN;
    sim->letters[at].group = (uint32_t)(topic[strlen("$dlq.g")] - '1') /* g1, g2, … */;
    sim->letters[at].seq = cause;
}

static void audit(struct peer *peer, const struct link_fact *fact)
{
    struct sim *sim = peer->sim;
    const uint8_t *at = fact->events.body.data;
    for (size_t i = 0; i < fact->events.count; at += fact->events.size[i++]) {
        struct oracle_shown shown = shown_at(peer, fact, i, at);
        if (fact->events.id == SUBSCRIPTION_LOG) oracle_log(sim->oracle, &shown);
        if (fact->events.id == SUBSCRIPTION_AGAIN) oracle_user_event(sim->oracle, AGAIN_USER, &shown);
        if (fact->events.id == SUBSCRIPTION_SYSTEM) hear_system(sim, at, fact->events.size[i]);
        if (fact->events.id == SUBSCRIPTION_DEAD) hear_letter(sim, shown.cause, at, fact->events.size[i]);
        if (fact->events.id == SUBSCRIPTION_LOG) sim->audited = fact->events.seq[i];
    }
    took_events(peer, fact);
}

static bool is_of_system(uint64_t id)
{
    return id == SUBSCRIPTION_SYSTEM || id == SUBSCRIPTION_DEAD;
}

/* Its place was lost with the power, and what there is now is higher. */
static bool goes_on_behind(const struct sim *sim, const struct link_fact *fact)
{
    return fact->subscription.id == SUBSCRIPTION_LOG && fact->subscription.code == CODE_GONE && knob(sim, KNOB_interval_ms);
}

static void auditor_is_ended(struct peer *peer, const struct link_fact *fact)
{
    struct subscriber *s = peer->app;
    struct sim *sim = peer->sim;
    s->next_ns = sim->now_ns;
    if (is_of_system(fact->subscription.id)) { /* what it had not looked through yet has left the window */
        *(fact->subscription.id == SUBSCRIPTION_DEAD ? &s->dead_open : &s->system_open) = false;
        oracle_lost_unheard(sim->oracle);
    } else if (goes_on_behind(sim, fact)) {
        s->open = false;
        s->log_from = fact->subscription.cursor;
    } else if (fact->subscription.id != SUBSCRIPTION_AGAIN) {
        sim_fail(sim, "readers_go_forward", "the auditor's subscription %llu has ended with code %u",
                 (unsigned long long)fact->subscription.id, fact->subscription.code);
    } else if (fact->subscription.code == CODE_GONE) { /* it goes on behind what is gone */
        s->again_open = false;
        s->again_from = fact->subscription.cursor;
    } else {
        s->again_open = false;
        sim->audited_again = true;
    }
}

static void fact_auditor(struct peer *peer, const struct link_fact *fact)
{
    struct sim *sim = peer->sim;
    switch (fact->kind) {
    case LINK_FACT_EVENTS:
        audit(peer, fact);
        break;
    case LINK_FACT_SUBSCRIBED:
        if (is_of_system(fact->subscription.id) && fact->subscription.gap) oracle_lost_unheard(sim->oracle);
        if (fact->subscription.id != SUBSCRIPTION_AGAIN) break;
        oracle_user_subscribed(sim->oracle, AGAIN_USER, ">", fact->subscription.cursor, fact->subscription.resumed, fact->subscription.gap);
        oracle_user_reads_history(sim->oracle, AGAIN_USER);
        break;
    case LINK_FACT_ENDED:
        auditor_is_ended(peer, fact);
        break;
    default:
        break;
    }
}

static void open_from(struct peer *peer, uint64_t id, const char *filter, uint64_t after, uint64_t limit)
{
    struct link_subscription subscription = {
        .id = id, .filter = span_text(filter), .start = after ? START_SEQ : START_FIRST, .start_at = after, .limit = limit
    };
    if (link_subscribe(peer->link, &subscription) != LINK_OK) sim_fail(peer->sim, "readers_go_forward", "the auditor cannot subscribe");
}

static void act_auditor(struct peer *peer)
{
    struct subscriber *s = peer->app;
    s->next_ns = NEVER;
    consume_some(peer);
    if (!s->open) {
        s->open = true;
        open_from(peer, SUBSCRIPTION_LOG, ">", s->log_from, 0);
    }
    if (!s->system_open) {
        s->system_open = true;
        open_from(peer, SUBSCRIPTION_SYSTEM, "$sys.>", 0, 0);
    }
    if (!s->dead_open) {
        s->dead_open = true;
        open_from(peer, SUBSCRIPTION_DEAD, "$dlq.>", 0, 0);
    }
    if (peer->sim->audit_again && !s->again_open) {
        s->again_open = true;
        open_from(peer, SUBSCRIPTION_AGAIN, ">", s->again_from, 1000000);
    }
}

static uint64_t next_ns_auditor(const struct peer *peer)
{
    const struct subscriber *s = peer->app;
    return peer->sim->audit_again && !s->again_open ? peer->sim->now_ns : s->next_ns;
}

const struct peer_kind auditor_kind = { "a",         sizeof(struct subscriber), init_auditor, fact_auditor,
                                        act_auditor, next_ns_auditor,           always_idle,  NULL };
