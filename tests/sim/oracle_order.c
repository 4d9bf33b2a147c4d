/* Order: in a group with an ordering one event of a key (session, group) at a time is out, in the order of their seqs [P4]. */
#include "tests/sim/oracle_parts.h"

/* 0: it waits for no other. */
static int lane_of(const struct oracle *o, const struct place *p)
{
    uint32_t event = oracle_event_at(o, p->seq), ordering = o->groups.items[p->group].spec.ordering;
    if (!event || !ordering) return 0;
    const struct known *known = &o->events.items[event];
    if (known->once) return 0;
    int key = ordering == 1 ? known->key : ordering == 2 ? known->session : 1;
    return key ? (int)known->priority << 8 | key : 0; /* order holds within a priority */
}

/* A settle that was taken on a connection which lives, and has no answer yet: it is not committed, or it would have one. */
static bool is_settling(struct oracle *o, const struct place *p)
{
    const struct lease *lease = p->lease ? &o->leases.items[p->lease] : NULL;
    const struct connection *c = lease && p->pending ? connection_of(o, lease->connection) : NULL;
    return c && c->is_there && lease->settle && o->settles.items[lease->settle].living && !o->settles.items[lease->settle].answered;
}

/* Over, or perhaps: it expires, it left the window, or its parts may have, a settle of it had no answer, or so many workers were lost with
 * it that it is a dead letter. */
static bool may_be_over(const struct oracle *o, const struct place *p)
{
    enum { DEATHS = 5 };
    const struct known *known = &o->events.items[oracle_event_at(o, p->seq)];
    bool parts_gone = known->size > ORACLE_PART_BYTES && o->window > known->taken_window;
    bool lost = p->seq < o->lost_below || p->seq < o->window || parts_gone;
    return p->settled || p->maybe || p->attempt >= DEATHS || lost || may_expire(known);
}

void check_key_order(struct oracle *o, const struct place *place)
{
    int lane = lane_of(o, place);
    for (uint32_t i = 1; lane && i <= o->places.count; i++) {
        const struct place *other = &o->places.items[i];
        if (other->group != place->group || other->seq == place->seq || !other->attempt || lane_of(o, other) != lane) continue;
        if (place->twice) continue; /* its settle was lost with the power, and workers kept what came after it */
        if (other->seq > place->seq && !place->attempt)
            broken(o, "keys_in_order", "seq %llu goes out after seq %llu of its key", U(place->seq), U(other->seq));
        if (is_settling(o, other) || !may_be_over(o, other))
            broken(o, "one_of_a_key", "seq %llu goes out while seq %llu of its key is open", U(place->seq), U(other->seq));
    }
}
