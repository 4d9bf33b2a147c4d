/* Requests: pieces of an answer in order and of one attempt at a time, one final answer, which is the first that was committed; a cancel
 * reaches whoever holds the event [R-REQ-1, R-REQ-2, R-REQ-3]. */
#include "tests/sim/oracle_parts.h"

#include <string.h>

static struct request *request_of(const struct oracle *o, uint32_t event)
{
    uint32_t index = table_get(&o->by_request, event);
    return index ? &o->requests.items[index] : NULL;
}

void oracle_requests(struct oracle *o, uint32_t event, uint64_t until_ns)
{
    *list_add(o->requests) = (struct request){ .event = event, .until_ns = until_ns, .open = true };
    table_put(&o->by_request, event, o->requests.count);
}

void oracle_told_answer(struct oracle *o, uint64_t cause, const uint8_t *bytes, size_t size)
{
    struct request *r = request_of(o, oracle_event_at(o, cause));
    uint32_t event = oracle_event_of(o, bytes, size);
    if (!event) broken(o, "nothing_from_nowhere", "an answer to seq %llu, which nobody wrote", U(cause));
    uint32_t asked = o->events.items[event].answers_event;
    if (oracle_is_gone(o, cause)) return;
    if (!r || r->event != asked)
        broken(o, "answers_name_their_request", "an answer to event %u comes as one to event %u", asked, r ? r->event : 0);
    if (!r->first_answer) r->first_answer = event;
}

static void look_whether_heard(struct request *r, uint64_t now_ns)
{
    if (r->has_seq && r->came && r->open && !r->cancel_ns && now_ns < r->until_ns) r->heard = true;
}

void oracle_heard_accepted(struct oracle *o, uint64_t seq, uint64_t now_ns)
{
    struct request *r = request_of(o, oracle_event_at(o, seq));
    if (!r) return;
    r->has_seq = true;
    look_whether_heard(r, now_ns);
}

void oracle_heard_answer(struct oracle *o, uint64_t cause, uint64_t now_ns)
{
    struct request *r = request_of(o, oracle_event_at(o, cause));
    if (!r) return;
    r->came = true;
    look_whether_heard(r, now_ns);
}

void oracle_user_cancels(struct oracle *o, uint32_t event)
{
    request_of(o, event)->cancel_ns = o->now_ns + 1;
}

/* A piece comes from who holds the event, in order. */
void oracle_told_partial(struct oracle *o, uint32_t connection, uint64_t cause, const struct oracle_partial *p)
{
    uint32_t place = table_get(&o->by_place, pair_key(p->of_group, cause));
    const struct place *held = place ? &o->places.items[place] : NULL;
    struct connection *c = connection_of(o, connection);
    uint64_t key = pair_key(cause, p->of_group);
    uint32_t index = table_get(&o->by_pieces, key);
    if (c && ++c->events_sent > c->event_credit)
        broken(o, "credit_of_events", "connection %u was sent a piece beyond its credit", connection);
    if (!held || p->of_seq != cause || p->of_attempt != p->attempt || p->of_index != p->index)
        broken(o, "pieces_are_what_was_written", "a piece of %llu/%u #%u comes as %llu/%u #%u", U(p->of_seq), p->of_attempt, p->of_index,
               U(cause), p->attempt, p->index);
    if (held->attempt != p->attempt)
        broken(o, "pieces_of_the_holder", "seq %llu: a piece of attempt %u, attempt %u is out", U(cause), p->attempt, held->attempt);
    if (!index) {
        *list_add(o->pieces) = (struct pieces){ 0 };
        table_put(&o->by_pieces, key, index = o->pieces.count);
    }
    struct pieces *before = &o->pieces.items[index];
    if (p->attempt < before->attempt || (p->attempt == before->attempt && p->index < before->index))
        broken(o, "pieces_in_order", "seq %llu: piece %u/%u after %u/%u", U(cause), p->attempt, p->index, before->attempt, before->index);
    *before = (struct pieces){ p->attempt, p->index };
}

void oracle_user_partial(struct oracle *o, uint32_t event, const struct oracle_partial *p)
{
    struct request *r = request_of(o, event);
    const struct known *known = &o->events.items[event];
    if (!r->open) broken(o, "one_answer_per_call", "event %u has its answer, and a piece comes", event);
    bool is_of_it = p->of_seq == known->seq || oracle_is_gone(o, p->of_seq);
    if (!is_of_it || p->of_attempt != p->attempt || p->of_index != p->index)
        broken(o, "pieces_are_what_was_written", "event %u: a piece of %llu/%u #%u comes as %u #%u", event, U(p->of_seq), p->of_attempt,
               p->of_index, p->attempt, p->index);
    if (r->attempt && r->group != p->of_group)
        broken(o, "pieces_never_mix", "event %u: pieces of group %u after those of %u", event, p->of_group, r->group);
    if (p->attempt < r->attempt)
        broken(o, "pieces_never_mix", "event %u: a piece of attempt %u after one of %u", event, p->attempt, r->attempt);
    if (p->index != (p->attempt == r->attempt ? r->index : 0))
        broken(o, "pieces_in_order", "event %u: piece %u of attempt %u, after %u of attempt %u", event, p->index, p->attempt, r->index,
               r->attempt);
    r->group = p->of_group;
    r->attempt = p->attempt;
    r->index = p->index + 1;
    o->counts.partials++;
}

static struct request *end_request(struct oracle *o, uint32_t event)
{
    struct request *r = request_of(o, event);
    if (!r->open) broken(o, "one_answer_per_call", "event %u has two final answers", event);
    r->open = false;
    return r;
}

void oracle_user_replied(struct oracle *o, uint32_t event, const uint8_t *data, size_t size)
{
    const struct request *r = end_request(o, event);
    uint32_t answer = oracle_event_with(o, data, size);
    bool unsure = r->unsure || o->events.items[event].gone_seq; /* its own place was lost with the power, or that of an answer */
    if (!answer || (answer != r->first_answer && !unsure))
        broken(o, "the_first_answer_counts", "event %u is answered by event %u, event %u came first", event, answer, r->first_answer);
    o->counts.replies++;
}

void oracle_user_unanswered(struct oracle *o, uint32_t event, enum oracle_no_answer why, uint64_t now_ns)
{
    const struct request *r = end_request(o, event);
    const struct known *known = &o->events.items[event];
    if (why == ORACLE_DECLINED && known->accepted)
        broken(o, "users_hear_what_was_said", "the user of event %u heard a refusal, the coordinator accepted it", event);
    if (why == ORACLE_TIMEOUT && now_ns < r->until_ns) broken(o, "requests_have_their_time", "event %u is given up too early", event);
    if (why == ORACLE_CANCELLED && !r->cancel_ns) broken(o, "requests_have_their_time", "event %u is cancelled by nobody", event);
    if (why != ORACLE_GONE && r->heard)
        broken(o, "answers_reach_their_requester", "event %u has an answer that came, and its user was told of none", event);
    o->counts.unanswered++;
}

/* -- cancel -- */

void oracle_took_cancel(struct oracle *o, uint32_t connection, uint64_t seq)
{
    if (!connection_of(o, connection)) return; /* it is not listened to any more */
    for (uint32_t g = 1; g <= o->groups.count; g++) {
        uint32_t place = table_get(&o->by_place, pair_key(g, seq)), lease = place ? o->places.items[place].lease : 0;
        const struct lease *l = lease ? &o->leases.items[lease] : NULL;
        if (!l || l->state != HOLDER_LIVE || l->settle || !connection_of(o, l->connection)) continue;
        *list_add(o->must_cancel) = lease;
    }
}

void oracle_told_cancel(struct oracle *o, uint32_t connection, uint64_t number)
{
    uint32_t lease = table_get(&o->by_lease, pair_key(connection, number));
    for (uint32_t i = 1; i <= o->must_cancel.count; i++) {
        if (o->must_cancel.items[i] != lease) continue;
        o->must_cancel.items[i] = o->must_cancel.items[o->must_cancel.count--];
        o->counts.cancels++;
        return;
    }
    if (!lease && connection_of(o, connection)) /* else a newer hello ended it in this turn, and its welcome with it */
        broken(o, "cancel_reaches_the_holder", "connection %u is told to cancel lease %llx, which it never had", connection, U(number));
}

void cancels_end_turn(struct oracle *o)
{
    for (uint32_t i = 1; i <= o->must_cancel.count; i++) {
        const struct lease *l = &o->leases.items[o->must_cancel.items[i]];
        if (l->state == HOLDER_LIVE && connection_of(o, l->connection)) /* else its connection ended in this turn */
            broken(o, "cancel_reaches_the_holder", "seq %llu was cancelled and its worker not told", U(o->places.items[l->place].seq));
    }
    o->must_cancel.count = 0;
}

/* -- answers wait on their inbox -- */

static bool has_reader(const struct oracle *o, const char *inbox)
{
    for (uint32_t i = 1; i <= o->readers.count; i++)
        if (o->readers.items[i].is_user && strcmp(o->readers.items[i].filter, inbox) == 0) return true;
    return false;
}

uint32_t answer_waits(const struct oracle *o)
{
    for (uint32_t i = 1; i <= o->events.count; i++) {
        const struct known *known = &o->events.items[i];
        if (!known->answers_event || known->heard || !known->settle || !o->settles.items[known->settle].ok) continue;
        if (o->events.items[known->answers_event].seq < o->window) continue; /* the answer may have left it, too */
        if (has_reader(o, known->topic)) return i;
    }
    return 0;
}
