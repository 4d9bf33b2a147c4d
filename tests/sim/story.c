/* What passed the coordinator, in the words of tests/stories: a start for a story, and the way to see what a seed did. One line per turn in
 * which something was said; heartbeats and credit from the coordinator are left out. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "tests/sim/sim.h"

static const char *name_of(struct sim *sim, uint32_t connection)
{
    const struct connection *c = wire_find(sim, connection);
    return c && c->peer ? c->peer->name : "x1";
}

/* e7 is what its author wrote as the seventh of all; s77 stands for a seq that nobody was told of yet. */
static const char *event_at(struct sim *sim, uint64_t seq)
{
    static char names[4][24];
    static uint32_t turn;
    char *name = names[turn++ % 4];
    uint32_t event = oracle_event_at(sim->oracle, seq);
    snprintf(name, sizeof names[0], event ? "e%" PRIu64 : "s%" PRIu64, event ? event : seq);
    return name;
}

static const char *verb_word(uint32_t verb)
{
    return verb == VERB_ACK ? "ack" : verb == VERB_NACK ? "nack" : verb == VERB_REJECT ? "reject" : "settle";
}

static void say_hello(struct sim *sim, FILE *out, const struct msg_hello *m)
{
    fprintf(out, "hello");
    if (m->has_group) fprintf(out, " group=%.*s", (int)m->group.name.size, (const char *)m->group.name.data);
    for (size_t i = 0; m->has_group && i < m->group.filter_count; i++)
        fprintf(out, "%s%.*s", i ? "," : " filters=", (int)m->group.filters[i].size, (const char *)m->group.filters[i].data);
    if (m->has_group && m->group.start == START_FIRST) fprintf(out, " start=first");
    for (size_t i = 0; i < m->held_count; i++)
        fprintf(out, "%s%s/%u", i ? "," : " holds=", event_at(sim, m->held_seq[i]), m->held_attempt[i]);
    if (m->first_unanswered > 1) fprintf(out, " unanswered=%" PRIu64, m->first_unanswered);
}

static void say_publishes(struct sim *sim, FILE *out, const struct packet *packet)
{
    const uint8_t *body = packet->body.data;
    for (size_t i = 0; i < packet->publish_count; i++)
        for (size_t k = 0; k < packet->publishes[i].count; body += packet->publishes[i].size[k++])
            fprintf(out, " ; publish number=%" PRIu64 " e%u topic=%s", packet->publishes[i].first_number + k,
                    oracle_event_of(sim->oracle, body, packet->publishes[i].size[k]),
                    oracle_topic(sim->oracle, oracle_event_of(sim->oracle, body, packet->publishes[i].size[k])));
}

static void say_settles(struct sim *sim, FILE *out, uint32_t connection, const struct msg_settle *m)
{
    for (size_t i = 0; i < m->count; i++) {
        fprintf(out, " ; %s %s", verb_word(m->verb[i]), event_at(sim, oracle_lease_seq(sim->oracle, connection, m->lease[i])));
        if (m->delay_ms && m->delay_ms[i]) fprintf(out, " delay=%ums", m->delay_ms[i]);
        if (m->emits && m->emits[i]) fprintf(out, " emits=%u", m->emits[i]);
    }
}

static void say_manage(struct sim *sim, FILE *out, const struct msg_manage *m)
{
    static const char *const words[] = {
        [ACTION_GROUP_PAUSE] = "group_pause", [ACTION_GROUP_RESUME] = "group_resume", [ACTION_GROUP_SEEK] = "group_seek",
        [ACTION_DEAD_RETRY] = "dead_retry",   [ACTION_DEAD_DROP] = "dead_drop",
    };
    fprintf(out, " ; manage %s group=%.*s", words[m->action], (int)m->group.name.size, (const char *)m->group.name.data);
    if (m->seq) fprintf(out, " %s", event_at(sim, m->seq));
    if (m->action != ACTION_GROUP_SEEK) return;
    if (m->group.start == START_SEQ)
        fprintf(out, " start=%s", event_at(sim, m->group.start_at));
    else
        fprintf(out, " start=%s", m->group.start == START_FIRST ? "first" : "new");
}

void story_took(struct sim *sim, uint32_t connection, const struct packet *packet)
{
    FILE *out = sim->story;
    if (!out || !packet) return;
    fprintf(out, "%" PRIu64 ".%03" PRIu64 " %s:", sim->now_ns / 1000000000, sim->now_ns / NS_PER_MS % 1000, name_of(sim, connection));
    if (packet->hello) fprintf(out, " "), say_hello(sim, out, packet->hello);
    if (packet->heartbeat) fprintf(out, " ; heartbeat");
    for (size_t i = 0; i < packet->credit_count; i++)
        fprintf(out, " ; credit %s=%" PRIu64, packet->credits[i].kind == CREDIT_DELIVER ? "deliver" : "events", packet->credits[i].events);
    say_publishes(sim, out, packet);
    for (size_t i = 0; i < packet->subscribe_count; i++)
        fprintf(out, " ; subscribe s%" PRIu64 " filter=%.*s start=%u", packet->subscribes[i].subscription,
                (int)packet->subscribes[i].filter.size, (const char *)packet->subscribes[i].filter.data, packet->subscribes[i].start);
    for (size_t i = 0; i < packet->unsubscribe_count; i++)
        fprintf(out, " ; unsubscribe s%" PRIu64, packet->unsubscribes[i].subscription);
    if (packet->settle) say_settles(sim, out, connection, packet->settle);
    for (size_t i = 0; i < packet->partial_count; i++)
        fprintf(out, " ; partial %s index=%u", event_at(sim, packet->partials[i].cause), packet->partials[i].index);
    for (size_t i = 0; i < packet->cancel_count; i++)
        fprintf(out, " ; cancel %s", event_at(sim, packet->cancels[i].seq));
    for (size_t i = 0; packet->extend && i < packet->extend->count; i++)
        fprintf(out, " ; extend %s for=%ums", event_at(sim, oracle_lease_seq(sim->oracle, connection, packet->extend->lease[i])),
                packet->extend->lease_ms[i]);
    for (size_t i = 0; i < packet->manage_count; i++)
        say_manage(sim, out, &packet->manages[i]);
    for (size_t i = 0; packet->release && i < packet->release->count; i++)
        fprintf(out, " ; release %s", event_at(sim, oracle_lease_seq(sim->oracle, connection, packet->release->lease[i])));
    fprintf(out, "\n");
}

static void say_answers(struct sim *sim, FILE *out, const struct packet *packet)
{
    for (size_t i = 0; i < packet->error_count; i++)
        fprintf(out, " ; error %s about=%u", error_code_word(packet->errors[i].code), packet->errors[i].about);
    for (size_t i = 0; i < packet->accepted_count; i++)
        fprintf(out, " ; accepted number=%" PRIu64 "+%u first=%s%s", packet->accepted[i].first_number, packet->accepted[i].count,
                event_at(sim, packet->accepted[i].first_seq), packet->accepted[i].duplicate ? " duplicate" : "");
    for (size_t i = 0; i < packet->refused_count; i++)
        fprintf(out, " ; refused number=%" PRIu64 "+%u %s", packet->refused[i].first_number, packet->refused[i].count,
                error_code_word(packet->refused[i].code));
    for (size_t i = 0; i < packet->settled_count; i++)
        fprintf(out, " ; %s settle=%" PRIu64 "+%u", packet->settled[i].code ? error_code_word(packet->settled[i].code) : "settled",
                packet->settled[i].first_number, packet->settled[i].count);
}

static void say_work(struct sim *sim, FILE *out, uint32_t connection, const struct packet *packet)
{
    for (size_t i = 0; packet->deliver && i < packet->deliver->count; i++)
        fprintf(out, " ; deliver %s attempt=%u", event_at(sim, packet->deliver->seq[i]), packet->deliver->attempt[i]);
    for (size_t i = 0; i < packet->partial_count; i++)
        fprintf(out, " ; partial %s attempt=%u index=%u", event_at(sim, packet->partials[i].cause), packet->partials[i].attempt,
                packet->partials[i].index);
    for (size_t i = 0; i < packet->cancel_count; i++)
        fprintf(out, " ; cancel %s", event_at(sim, oracle_lease_seq(sim->oracle, connection, packet->cancels[i].lease)));
    for (size_t i = 0; packet->revoke && i < packet->revoke->count; i++)
        fprintf(out, " ; revoke %s %s", event_at(sim, oracle_lease_seq(sim->oracle, connection, packet->revoke->lease[i])),
                error_code_word(packet->revoke->code[i]));
}

void story_told(struct sim *sim, uint32_t connection, const struct packet *packet)
{
    FILE *out = sim->story;
    if (!out) return;
    fprintf(out, "        -> %s", name_of(sim, connection));
    if (packet->welcome) fprintf(out, " welcome term=%" PRIu64, packet->welcome->term);
    for (size_t i = 0; packet->welcome && i < packet->welcome->kept_count; i++)
        fprintf(out, "%s%s/%u", i ? "," : " kept=", event_at(sim, packet->welcome->kept_seq[i]), packet->welcome->kept_attempt[i]);
    say_answers(sim, out, packet);
    for (size_t i = 0; i < packet->subscribed_count; i++)
        fprintf(out, " ; subscribed s%" PRIu64 " cursor=%" PRIu64 "%s", packet->subscribed[i].subscription, packet->subscribed[i].cursor,
                packet->subscribed[i].gap ? " gap" : "");
    for (size_t i = 0; i < packet->events_count; i++)
        for (size_t k = 0; k < packet->events[i].count; k++)
            fprintf(out, " ; event s%" PRIu64 " %s", packet->events[i].subscription, event_at(sim, packet->events[i].seq[k]));
    for (size_t i = 0; i < packet->caught_up_count; i++)
        fprintf(out, " ; caught_up s%" PRIu64, packet->caught_up[i].subscription);
    for (size_t i = 0; i < packet->ended_count; i++)
        fprintf(out, " ; ended s%" PRIu64 " %s", packet->ended[i].subscription,
                packet->ended[i].code ? error_code_word(packet->ended[i].code) : "ok");
    say_work(sim, out, connection, packet);
    fprintf(out, "\n");
}

void story_says(struct sim *sim, const char *format, ...)
{
    va_list arguments;
    if (!sim->story) return;
    fprintf(sim->story, "%" PRIu64 ".%03" PRIu64 " ", sim->now_ns / 1000000000, sim->now_ns / NS_PER_MS % 1000);
    va_start(arguments, format);
    vfprintf(sim->story, format, arguments);
    va_end(arguments);
    fprintf(sim->story, "\n");
}
