/* Numbers and their answers: one place per number, in the order of calls, told only when it is there [P2, P3]. */
#include "tests/sim/oracle_parts.h"

static uint64_t number_key(const struct connection *c, uint64_t number)
{
    return pair_key(c->publisher, number);
}

void oracle_took_publish(struct oracle *o, uint32_t connection, uint64_t number, const uint8_t *bytes, size_t size)
{
    struct connection *c = connection_of(o, connection);
    uint32_t event = oracle_event_of(o, bytes, size);
    if (!c || !event) return;
    struct known *known = &o->events.items[event];
    known_taken(o, known);
    bool heard = known->answers > 0 && known->user_seq != UINT64_MAX; /* else a refusal counts on its connection only [R-PUB-4] */
    if (!heard) known->refused = false;
    if (!known->foreign) table_put(&o->by_number, number_key(c, number), event);
}

void oracle_told_accepted(struct oracle *o, uint32_t connection, uint64_t number, uint64_t seq, bool duplicate)
{
    struct connection *c = connection_of(o, connection);
    if (!c || !c->honest) return;
    uint32_t event = table_get(&o->by_number, number_key(c, number));
    if (!event) broken(o, "answers_what_was_asked", "number %llu was accepted, but never sent", U(number));
    if (seq > o->highest_answer) o->highest_answer = seq;
    if (duplicate && token_repeated(o, event, seq)) return;
    event_is_at(o, event, seq);
    struct known *known = &o->events.items[event];
    if (!known->accepted) {
        o->counts.accepted++;
        known->accepted_starts = o->starts;
        known->accepted_ns = o->now_ns;
    }
    if (known->accepted && !duplicate) broken(o, "accepted_once", "event %u was accepted twice, the second time not as a duplicate", event);
    known->accepted = true;
}

void oracle_told_refused(struct oracle *o, uint32_t connection, uint64_t number, enum oracle_refusal why)
{
    struct connection *c = connection_of(o, connection);
    uint32_t event = c && c->honest ? table_get(&o->by_number, number_key(c, number)) : 0;
    if (!event || why == ORACLE_UNKNOWN) return;
    struct known *known = &o->events.items[event];
    if (known->seq) broken(o, "refused_is_refused", "event %u is at seq %llu and was refused", event, U(known->seq));
    known->refused = true;
    token_refused(o, event, why);
    delay_refused(o, event, why);
    o->counts.refused++;
}

void oracle_user_answer(struct oracle *o, uint32_t event, uint64_t seq)
{
    struct known *known = &o->events.items[event];
    if (known->answers++) broken(o, "one_answer_per_call", "the user of event %u got two answers", event);
    if (seq == UINT64_MAX) {
        o->counts.unknown++;
    } else if (seq && (!known->accepted || known->seq != seq) && known->repeat_seq != seq && known->gone_seq != seq &&
               !oracle_is_gone(o, seq)) {
        broken(o, "users_hear_what_was_said", "the user of event %u heard seq %llu, the coordinator said %llu", event, U(seq),
               U(known->seq));
    } else if (!seq && known->accepted) {
        broken(o, "users_hear_what_was_said", "the user of event %u heard a refusal, the coordinator accepted it", event);
    }
    known->user_seq = seq;
}
