/* What holds a group's events back by its terms and by its administrator: at most so many with workers at a time, in all and of one first
 * word of the topic [R-LIMIT]; none while it is paused [R-CHANGE-3]. */
#include "tests/sim/oracle_parts.h"

#include <string.h>

/* Its end is that of its connection [R-ONCE-1]: what goes out in the turn in which that is given up has its place. */
static bool ends_now(struct oracle *o, const struct lease *lease)
{
    const struct connection *c = connection_of(o, lease->connection);
    return c && c->ends && may_miss_it(o, o->places.items[lease->place].seq);
}

/* With a worker, or perhaps still with one that was lost; what its worker has settled is over or has failed. */
static bool is_out(struct oracle *o, const struct lease *lease)
{
    const struct place *p = &o->places.items[lease->place];
    if (lease->settle || p->seq < o->window) return false;
    if (ends_now(o, lease)) return false;
    return lease->state == HOLDER_LIVE || (lease->state == HOLDER_AWAITED && o->now_ns < lease->until_ns);
}

static const char *topic_of(const struct oracle *o, const struct place *place)
{
    uint32_t event = oracle_event_at(o, place->seq);
    return event ? oracle_topic(o, event) : ""; /* lost with the power, and kept */
}

/* A topic that is not known, that of an event whose bytes were changed, is like no other. */
static bool same_first_word(const char *a, const char *b)
{
    size_t size = strcspn(a, ".");
    return size > 0 && size == strcspn(b, ".") && memcmp(a, b, size) == 0;
}

void check_limits(struct oracle *o, const struct place *place)
{
    const struct group *g = &o->groups.items[place->group];
    uint32_t all = 0, alike = 0;
    if (g->paused) broken(o, "paused_groups_rest", "seq %llu goes out while %s is paused", U(place->seq), g->spec.name);
    if (!g->spec.limit && !g->spec.limit_each) return;
    for (uint32_t i = 1; i <= o->leases.count; i++) {
        const struct place *other = &o->places.items[o->leases.items[i].place];
        if (other->group != place->group || !is_out(o, &o->leases.items[i])) continue;
        all++;
        alike += same_first_word(topic_of(o, other), topic_of(o, place));
    }
    if (g->spec.limit && all > g->spec.limit)
        broken(o, "limits_hold", "%u events of %s are out, seq %llu among them, and %u may be", all, g->spec.name, U(place->seq),
               g->spec.limit);
    if (g->spec.limit_each && alike > g->spec.limit_each)
        broken(o, "limits_hold", "%u events of %s like seq %llu on %s are out, and %u may be", alike, g->spec.name, U(place->seq),
               topic_of(o, place), g->spec.limit_each);
}

/* -- administration -- */

void oracle_took_manage(struct oracle *o, uint32_t connection, uint64_t id, const char *group, enum oracle_change what, uint64_t seq)
{
    if (!connection_of(o, connection)) return;
    for (uint32_t i = 1; i <= o->groups.count; i++) {
        if (strcmp(o->groups.items[i].spec.name, group) != 0) continue;
        struct group *g = &o->groups.items[i];
        *list_add(o->changes) = (struct change){ .group = i, .turn = o->turn, .what = what, .seq = seq };
        table_put(&o->by_change, pair_key(connection, id), o->changes.count);
        if (what == ORACLE_SEEK && g->exists) group_moves(o, i);
        if (what == ORACLE_RETRY) letter_is_asked_for(o, i, seq);
        if (what != ORACLE_RESUME) continue;
        g->paused = false; /* perhaps not yet */
        g->resume_turn = o->turn;
    }
}

void oracle_told_changed(struct oracle *o, uint32_t connection, uint64_t id, uint64_t seq, uint32_t count)
{
    uint32_t index = table_get(&o->by_change, pair_key(connection, id));
    const struct change *change = index ? &o->changes.items[index] : NULL;
    if (!change) return;
    struct group *g = &o->groups.items[change->group];
    if (change->what == ORACLE_SEEK) {
        if (!g->moving) group_moves(o, change->group); /* it was just being made */
        group_has_moved(o, change->group, seq);
    }
    bool lies_again = g->life > 0 && g->moved_turn >= change->turn; /* the group was moved since */
    if (change->what == ORACLE_RETRY && count > 0 && !lies_again) letter_will_come(o, change->group, change->seq);
    if (change->what != ORACLE_PAUSE || g->resume_turn >= change->turn) return;
    g->paused = true;
    o->counts.pauses++;
}
