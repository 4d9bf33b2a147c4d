/* Priorities: within one a group's events go out in their order, and none starves [R-PRIO-1]. */
#include "tests/sim/oracle_parts.h"

#define NS_PER_S UINT64_C(1000000000)
enum { STARVES_S = 10, STARVES_TURNS = 24, WAITS_S = 5 };

/* It is there since the coordinator's start, and no time, key or limit holds it back. */
static bool waits(const struct oracle *o, uint32_t group, uint32_t level, const struct known *known)
{
    bool plain =
        known->accepted && known->accepted_starts == o->starts && !known->once && !known->ttl_ms && !known->deadline_ms && !known->foreign;
    if (!plain || known->priority != level || known->delay_ms || known->not_before_ms || known->seq < o->window) return false;
    if (o->groups.items[group].moving || !group_has_to_get(o, group, known)) return false;
    uint32_t place = table_get(&o->by_place, pair_key(group, known->seq));
    return !place || !o->places.items[place].attempt;
}

static void had_its_turn(struct level_seen *seen)
{
    *seen = (struct level_seen){ .last = seen->last, .last_before = seen->last_before, .last_turn = seen->last_turn };
}

static void check_starves(struct oracle *o, uint32_t group, uint32_t level)
{
    struct level_seen *seen = &o->groups.items[group].levels[level];
    for (uint32_t i = 1; i <= o->events.count; i++) {
        const struct known *known = &o->events.items[i];
        if (!waits(o, group, level, known) || known->accepted_ns + WAITS_S * NS_PER_S > seen->since_ns) continue;
        broken(o, "no_priority_starves", "seq %llu of priority %u waits in %s, and %u turns gave others first", U(known->seq), level,
               o->groups.items[group].spec.name, seen->turns);
    }
    had_its_turn(seen);
}

void levels_begin(struct oracle *o)
{
    for (uint32_t g = 1; g <= o->groups.count; g++)
        for (uint32_t k = 0; k < LEVELS; k++)
            o->groups.items[g].levels[k] = (struct level_seen){ 0 };
}

void check_level(struct oracle *o, const struct known *known, const struct place *place)
{
    struct group *g = &o->groups.items[place->group];
    bool was_there = known->taken_starts != o->starts || known->delay_ms || known->not_before_ms; /* or comes from before the restart */
    if (g->spec.parks || place->attempt || known->once || is_of_no_topic(known)) return;
    struct level_seen *own = &g->levels[known->priority];
    if (known->size > ORACLE_PART_BYTES) { /* others go past it while its parts are sent [R-PART-6] */
        had_its_turn(own);
        return;
    }
    if (own->last_turn != o->turn) own->last_before = own->last; /* in a turn they are heard worker by worker */
    if (!was_there && place->seq < own->last_before)
        broken(o, "levels_in_order", "seq %llu goes out after seq %llu of its priority in %s", U(place->seq), U(own->last_before),
               g->spec.name);
    if (!was_there && place->seq > own->last) own->last = place->seq;
    own->last_turn = o->turn;
    had_its_turn(own);
    for (uint32_t k = 0; k < LEVELS; k++) {
        struct level_seen *other = &g->levels[k];
        if (other == own || other->turn == o->turn) continue;
        if (other->turns++ == 0) other->since_ns = o->now_ns;
        other->turn = o->turn;
        if (other->turns >= STARVES_TURNS && o->now_ns >= other->since_ns + STARVES_S * NS_PER_S) check_starves(o, place->group, k);
    }
}
