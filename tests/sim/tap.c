/* The tap: packets at the coordinator's end of the wire, in the oracle's plain words. */
#include <stdlib.h>
#include <string.h>

#include "proto/event.h"
#include "tests/sim/frames.h"
#include "tests/sim/sim.h"

static const char *text_of(struct span span, char *out, size_t room)
{
    size_t size = span.size < room - 1 ? span.size : room - 1;
    if (size) memcpy(out, span.data, size);
    out[size] = 0;
    return out;
}

static bool is_honest(struct sim *sim, uint32_t connection)
{
    const struct connection *c = wire_find(sim, connection);
    return c && c->peer; /* a liar's is nobody's */
}

static void took_hello(struct sim *sim, uint32_t connection, const struct msg_hello *hello)
{
    char group[64];
    struct oracle_hello plain = { .held_seq = hello->held_seq,
                                  .held_attempt = hello->held_attempt,
                                  .held_count = hello->held_count,
                                  .generation = hello->held_generation,
                                  .honest = is_honest(sim, connection) };
    if (hello->instance.size != INSTANCE_BYTES) return;
    plain.instance = hello->instance.data;
    plain.publisher = hello->publisher.size == PUBLISHER_BYTES ? hello->publisher.data : NULL;
    plain.group = hello->has_group ? text_of(hello->group.name, group, sizeof group) : NULL;
    oracle_took_hello(sim->oracle, connection, &plain);
}

static const uint8_t *took_publishes(struct sim *sim, uint32_t connection, const struct packet *packet, const uint8_t *body)
{
    for (size_t i = 0; i < packet->publish_count; i++)
        for (size_t k = 0; k < packet->publishes[i].count; k++) {
            uint32_t size = packet->publishes[i].size[k];
            uint64_t number = packet->publishes[i].first_number + k;
            struct span whole = large_took(sim, connection, 0, number, span_of(body, size));
            client_event_met(sim, whole);
            oracle_took_publish(sim->oracle, connection, number, whole.data, whole.size);
            body += size;
        }
    return body;
}

static void took_settles(struct sim *sim, uint32_t connection, const struct msg_settle *settle, const uint8_t *body)
{
    size_t emit = 0;
    for (size_t i = 0; i < settle->count; i++) {
        uint32_t emits = settle->emits ? settle->emits[i] : 0;
        const uint32_t *sizes = settle->emit_size + emit;
        const uint8_t *wholes = large_emits(sim, connection, settle->lease[i], body, &sizes, emits);
        struct oracle_settle plain = { .number = settle->first_number + i,
                                       .lease = settle->lease[i],
                                       .verb = settle->verb[i],
                                       .delay_ms = settle->delay_ms ? settle->delay_ms[i] : 0,
                                       .emits = wholes,
                                       .emit_sizes = sizes,
                                       .emit_count = emits };
        oracle_took_settle(sim->oracle, connection, &plain);
        for (uint32_t k = 0; k < emits && emit < settle->emit_count; k++)
            body += settle->emit_size[emit++];
    }
}

/* They stand last in the body, which ends at `end`. */
static void parts_pass(struct sim *sim, bool up, uint32_t connection, const struct packet *packet, const uint8_t *end)
{
    const uint8_t *at = end;
    for (size_t i = 0; i < packet->part_count; i++)
        at -= packet->parts[i].size;
    for (size_t i = 0; i < packet->part_count; at += packet->parts[i++].size)
        large_part(sim, up, connection, &packet->parts[i], at);
}

static enum oracle_change change_of(uint32_t action)
{
    switch (action) {
    case ACTION_GROUP_PAUSE:
        return ORACLE_PAUSE;
    case ACTION_GROUP_RESUME:
        return ORACLE_RESUME;
    case ACTION_GROUP_SEEK:
        return ORACLE_SEEK;
    case ACTION_DEAD_RETRY:
        return ORACLE_RETRY;
    default:
        return ORACLE_DROP;
    }
}

void tap_took(struct sim *sim, uint32_t connection, const struct packet *packet)
{
    struct oracle *o = sim->oracle;
    char text[256];
    if (!packet) return;
    story_took(sim, connection, packet);
    if (packet->hello) took_hello(sim, connection, packet->hello);
    for (size_t i = 0; i < packet->credit_count; i++) {
        const struct msg_credit *m = &packet->credits[i];
        if (m->kind == CREDIT_DELIVER) oracle_took_delivery_credit(o, connection, m->events);
        if (m->kind == CREDIT_EVENTS) oracle_took_event_credit(o, connection, m->subscription, m->events);
    }
    const uint8_t *body = took_publishes(sim, connection, packet, packet->body.data);
    for (size_t i = 0; i < packet->subscribe_count; i++) {
        const struct msg_subscribe *m = &packet->subscribes[i];
        oracle_took_subscribe(o, connection, m->subscription, text_of(m->filter, text, sizeof text), m->credit_events);
    }
    if (packet->settle) took_settles(sim, connection, packet->settle, body);
    for (size_t i = 0; packet->extend && i < packet->extend->count; i++)
        oracle_took_extend(o, connection, packet->extend->lease[i],
                           packet->extend->lease_ms[i] ? packet->extend->lease_ms[i] : knob(sim, KNOB_lease_ms));
    for (size_t i = 0; i < packet->manage_count; i++)
        oracle_took_manage(o, connection, packet->manages[i].id, text_of(packet->manages[i].group.name, text, sizeof text),
                           change_of(packet->manages[i].action), packet->manages[i].seq);
    for (size_t i = 0; packet->release && i < packet->release->count; i++)
        oracle_took_release(o, connection, packet->release->lease[i]);
    for (size_t i = 0; i < packet->cancel_count; i++)
        oracle_took_cancel(o, connection, packet->cancels[i].seq);
    parts_pass(sim, true, connection, packet, packet->body.data + packet->body.size);
}

static enum oracle_refusal refusal_of(uint32_t code)
{
    switch (code) {
    case CODE_GONE:
        return ORACLE_UNKNOWN;
    case CODE_STALE:
        return ORACLE_STALE;
    case CODE_THROTTLED:
        return ORACLE_THROTTLED;
    case CODE_OVERLOADED:
        return ORACLE_OVERLOADED;
    default:
        return ORACLE_REFUSED;
    }
}

void tap_told_answers(struct sim *sim, uint32_t connection, const struct packet *packet)
{
    struct oracle *o = sim->oracle;
    if (packet->welcome) {
        const struct msg_welcome *m = packet->welcome;
        struct oracle_kept kept = { m->kept_seq, m->kept_lease, m->kept_attempt, m->kept_count };
        oracle_told_welcome(o, connection, m->lease_ms, m->generation, &kept);
    }
    for (size_t i = 0; i < packet->accepted_count; i++)
        for (uint32_t k = 0; k < packet->accepted[i].count; k++)
            oracle_told_accepted(o, connection, packet->accepted[i].first_number + k, packet->accepted[i].first_seq + k,
                                 packet->accepted[i].duplicate);
    for (size_t i = 0; i < packet->refused_count; i++)
        for (uint32_t k = 0; k < packet->refused[i].count; k++)
            oracle_told_refused(o, connection, packet->refused[i].first_number + k, refusal_of(packet->refused[i].code));
    for (size_t i = 0; i < packet->settled_count; i++)
        for (uint32_t k = 0; k < packet->settled[i].count; k++)
            oracle_told_settled(o, connection, packet->settled[i].first_number + k, packet->settled[i].code == CODE_OK,
                                packet->settled[i].code == CODE_STALE);
    for (size_t i = 0; i < packet->answer_count; i++)
        if (packet->answers[i].code == CODE_OK)
            oracle_told_changed(o, connection, packet->answers[i].id, packet->answers[i].seq, packet->answers[i].count);
    for (size_t i = 0; packet->revoke && i < packet->revoke->count; i++)
        oracle_told_revoked(o, connection, packet->revoke->lease[i], packet->revoke->code[i] == CODE_TIMEOUT);
    for (size_t i = 0; i < packet->subscribed_count; i++)
        oracle_told_subscribed(o, connection, packet->subscribed[i].subscription, packet->subscribed[i].cursor);
}

/* Bodies lie behind the pieces of an outgoing packet: joined again as the receiver will see them. */
static const uint8_t *join(struct sim *sim, const struct packet *packet, size_t *out_size)
{
    size_t size = 0;
    for (size_t i = 0; i < packet->piece_count; i++)
        size += packet->pieces[i].size;
    arena_reset(&sim->encode);
    uint8_t *body = arena_take(&sim->encode, size ? size : 1), *at = body;
    if (!body) sim_fail(sim, "packets_encode", "a body of %zu bytes", size);
    for (size_t i = 0; i < packet->piece_count; at += packet->pieces[i++].size)
        if (packet->pieces[i].size) memcpy(at, packet->pieces[i].data, packet->pieces[i].size);
    *out_size = size;
    return body;
}

static void told_event(struct sim *sim, uint32_t connection, const struct msg_events *m, size_t k, const uint8_t *at)
{
    struct event event;
    struct large_place place = { .subscription = m->subscription, .seq = m->seq[k] };
    struct span whole = large_told(sim, connection, &place, span_of(at, m->size[k]));
    struct oracle_shown plain = {
        .seq = m->seq[k], .first = m->first ? m->first[k] : 0, .time_ms = m->time_ms[k], .bytes = whole.data, .size = whole.size
    };
    oracle_told_event(sim->oracle, connection, m->subscription, &plain);
    if (m->cause && m->cause[k] && event_scan(span_of(at, m->size[k]), &event) == EVENT_OK && event.reply)
        oracle_told_answer(sim->oracle, m->cause[k], at, m->size[k]);
}

struct oracle_partial piece_read(uint32_t attempt, uint32_t index, struct span data)
{
    return (struct oracle_partial){ .attempt = attempt,
                                    .index = index,
                                    .of_seq = frame_number(data, "seq"),
                                    .of_attempt = (uint32_t)frame_number(data, "attempt"),
                                    .of_group = (uint32_t)frame_number(data, "group"),
                                    .of_index = (uint32_t)frame_number(data, "index") };
}

static void told_partials(struct sim *sim, uint32_t connection, const struct packet *packet, const uint8_t *at)
{
    for (size_t i = 0; i < packet->partial_count; at += packet->partials[i++].size) {
        const struct msg_partial *m = &packet->partials[i];
        struct oracle_partial plain = piece_read(m->attempt, m->index, span_of(at, m->size));
        oracle_told_partial(sim->oracle, connection, m->cause, &plain);
    }
}

void tap_told_events(struct sim *sim, uint32_t connection, const struct packet *packet)
{
    size_t size;
    story_told(sim, connection, packet);
    if (packet->events_count == 0 && packet->caught_up_count == 0 && packet->partial_count == 0 && packet->cancel_count == 0 &&
        packet->part_count == 0 && !packet->deliver)
        return;
    const uint8_t *body = join(sim, packet, &size), *at = body;
    for (size_t i = 0; i < packet->events_count; i++)
        for (size_t k = 0; k < packet->events[i].count; at += packet->events[i].size[k++])
            told_event(sim, connection, &packet->events[i], k, at);
    for (size_t i = 0; i < packet->caught_up_count; i++)
        oracle_told_caught_up(sim->oracle, connection, packet->caught_up[i].subscription, packet->caught_up[i].cursor);
    for (size_t k = 0; packet->deliver && k < packet->deliver->count; at += packet->deliver->size[k++]) {
        const struct msg_deliver *m = packet->deliver;
        struct large_place place = { .lease = m->lease[k], .seq = m->seq[k] };
        struct span whole = large_told(sim, connection, &place, span_of(at, m->size[k]));
        struct oracle_delivery plain = { .lease = m->lease[k],
                                         .seq = m->seq[k],
                                         .first = m->first ? m->first[k] : 0,
                                         .time_ms = m->time_ms[k],
                                         .attempt = m->attempt[k],
                                         .priority = m->priority ? m->priority[k] : 0,
                                         .lease_ms = m->lease_ms,
                                         .generation = m->generation,
                                         .bytes = whole.data,
                                         .size = whole.size };
        sim->leases_seen[sim->lease_count++ % LEASES_SEEN] = m->lease[k];
        oracle_told_delivery(sim->oracle, connection, &plain);
    }
    told_partials(sim, connection, packet, at);
    for (size_t i = 0; i < packet->cancel_count; i++)
        oracle_told_cancel(sim->oracle, connection, packet->cancels[i].lease);
    parts_pass(sim, false, connection, packet, body + size);
}
