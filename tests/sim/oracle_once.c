/* At-most-once events: offered in the turn that takes them, before the disk, once in a group, and never after a restart; the history shows
 * them all the same [P6, R-ONCE]. Whoever reads live may miss them. */
#include "tests/sim/oracle_parts.h"

void check_once(struct oracle *o, struct known *known, const struct place *place)
{
    uint32_t group = 1u << place->group;
    if (!known->once) return;
    if (place->attempt || (known->once_groups & group))
        broken(o, "at_most_once", "seq %llu goes out to %s again", U(place->seq), o->groups.items[place->group].spec.name);
    if (known->taken_turn != o->turn)
        broken(o, "now_or_never", "seq %llu was taken before this turn and goes out to %s", U(place->seq),
               o->groups.items[place->group].spec.name);
    known->once_groups |= group;
    o->counts.once++;
}

void oracle_user_reads_history(struct oracle *o, uint32_t user)
{
    reader_of_user(o, user)->history = true;
}

/* What a live reader was not shown it has not missed. */
bool may_miss_it(const struct oracle *o, uint64_t seq)
{
    return o->events.items[oracle_event_at(o, seq)].once;
}
