/* A group is moved to another place: its next life begins there, with nothing settled and nothing failed; what was out is no worker's any
 * more [R-CHANGE-4]. It moves when the coordinator hears of it; that stands when it is answered. After a crash before that nobody knows in
 * which of its lives the group is, until it is asked again and answers. */
#include "tests/sim/oracle_parts.h"

static void forget_life(struct oracle *o, struct place *p)
{
    p->was_over = p->was_over || p->settled || p->maybe;
    p->lease = p->attempt = p->settled = p->maybe = p->pending = 0;
    p->not_before_ns = 0;
    p->same_attempt = p->handed_back = p->unsure = p->twice = false;
    p->life = o->groups.items[p->group].life;
}

void group_moves(struct oracle *o, uint32_t group)
{
    struct group *g = &o->groups.items[group];
    g->life++;
    g->moving = true;
    g->moved_turn = o->turn;
    g->place = 0;
    for (uint32_t i = 1; i <= o->leases.count; i++)
        if (o->places.items[o->leases.items[i].place].group == group) o->leases.items[i].state = HOLDER_OVER;
    for (uint32_t i = 1; i <= o->places.count; i++)
        if (o->places.items[i].group == group) forget_life(o, &o->places.items[i]);
    uint32_t kept = 0;
    for (uint32_t i = 1; i <= o->must_keep.count; i++)
        if (o->places.items[o->must_keep.items[i].place].group != group) o->must_keep.items[++kept] = o->must_keep.items[i];
    o->must_keep.count = kept;
    for (uint32_t k = 0; k < LEVELS; k++)
        g->levels[k] = (struct level_seen){ 0 };
    sessions_forget(o);
    letters_lie_again(o, group);
    g->begins = o->window;
}

void group_has_moved(struct oracle *o, uint32_t group, uint64_t place)
{
    struct group *g = &o->groups.items[group];
    g->moving = false;
    g->moved = true;
    g->place = place;
    for (uint32_t i = 1; i <= o->places.count; i++) {
        struct place *p = &o->places.items[i];
        if (p->group != group) continue;
        p->was_over = false;
        if (p->seq <= place && p->attempt && !may_miss_it(o, p->seq)) /* else it went out when it was taken, perhaps before the move */
            broken(o, "seeks_are_obeyed", "%s was moved behind seq %llu, and seq %llu was given out", g->spec.name, U(place), U(p->seq));
    }
    o->counts.seeks++;
}

/* What was over in the life before may be over, and what was out may be out. */
void moves_crash(struct oracle *o)
{
    for (uint32_t i = 1; i <= o->places.count; i++) {
        struct place *p = &o->places.items[i];
        if (!o->groups.items[p->group].moving) continue;
        p->maybe += p->was_over;
        p->was_over = false;
        p->unsure = p->twice = true;
    }
}

void check_moved(struct oracle *o, const struct place *place)
{
    const struct group *g = &o->groups.items[place->group];
    if (g->moved && !g->moving && place->seq <= g->place && !may_miss_it(o, place->seq))
        broken(o, "seeks_are_obeyed", "seq %llu goes out in %s, which begins behind seq %llu", U(place->seq), g->spec.name, U(g->place));
}
