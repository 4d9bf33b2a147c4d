/* Dead letters that an administrator has delivered again: at the letter's place, as another event of the group, until it is settled or dies
 * once more [R-DEAD-4]. Only what was asked for comes; what was answered goes out. A letter that is written again at the end of the log
 * goes on there, so of its attempts nothing is known. */
#include "tests/sim/oracle_parts.h"

void letter_is_asked_for(struct oracle *o, uint32_t group, uint64_t seq)
{
    *list_add(o->letters) = (struct letter){ .group = group, .seq = seq };
}

void letter_will_come(struct oracle *o, uint32_t group, uint64_t seq)
{
    for (uint32_t i = 1; seq && i <= o->letters.count; i++) {
        struct letter *l = &o->letters.items[i];
        if (l->group != group || l->seq != seq) continue;
        l->due = true;
        return;
    }
}

void letters_lie_again(struct oracle *o, uint32_t group)
{
    for (uint32_t i = 1; i <= o->letters.count; i++)
        if (o->letters.items[i].group == group) o->letters.items[i].due = false;
}

/* A delayed event stands at another place, too, unless it went out where it was accepted: its time was over by then. */
bool is_letter(const struct oracle *o, uint32_t group, const struct known *known, const struct oracle_delivery *d)
{
    bool delayed = (known->delay_ms || known->not_before_ms) && !table_get(&o->by_place, pair_key(group, known->seq));
    return d->first && d->first != d->seq && (known->again_seq ? known->again_seq != d->seq : !delayed);
}

void letter_goes_out(struct oracle *o, struct place *place, const struct known *known, const struct oracle_delivery *d)
{
    bool asked = false;
    for (uint32_t i = 1; i <= o->letters.count; i++) {
        struct letter *l = &o->letters.items[i];
        if (l->group != place->group || (l->seq && l->seq != d->first)) continue;
        asked = true;
        l->due = l->due && l->seq != d->first;
    }
    if (!asked)
        broken(o, "letters_lie_until_asked_for", "the dead letter of seq %llu is delivered in %s", U(d->first),
               o->groups.items[place->group].spec.name);
    if (known->seq != d->first)
        broken(o, "letters_are_copies", "seq %llu is delivered as a letter of seq %llu", U(known->seq), U(d->first));
    uint32_t died = table_get(&o->by_place, pair_key(place->group, known->again_seq ? known->again_seq : known->seq));
    if (died) o->places.items[died].dead = true; /* whether its letter was seen or not: it may leave the window when it is over */
    if (!place->attempt) o->counts.retried++;
    place->first = d->first;
    place->twice = true;
}

uint64_t letter_waits(const struct oracle *o)
{
    for (uint32_t i = 1; i <= o->letters.count; i++)
        if (o->letters.items[i].due) return o->letters.items[i].seq;
    return 0;
}
