/* The end: the log as it was read back, against all that was said. The log is the witness of order, so no search is needed. */
#include "tests/sim/oracle_parts.h"

#include <stdio.h>
#include <string.h>

void oracle_log(struct oracle *o, const struct oracle_shown *shown)
{
    uint64_t seq = shown->seq;
    uint32_t event = oracle_event_of(o, shown->bytes, shown->size);
    if (!event) broken(o, "nothing_from_nowhere", "the log holds seq %llu, which nobody wrote", U(seq));
    if (oracle_is_gone(o, seq)) return;
    event_is_shown(o, event, shown);
    struct known *known = &o->events.items[event];
    if (known->log_seq) broken(o, "logged_once", "event %u stands in the log at seq %llu and %llu", event, U(known->log_seq), U(seq));
    known->log_seq = seq;
    known->stamp_ms = shown->first ? 0 : shown->time_ms;
    *list_add(o->log) = (struct logged){ .seq = seq, .cause = shown->cause, .event = event };
    o->counts.emits += known->settle != 0;
}

void oracle_lost(struct oracle *o, const char *group, uint64_t first, uint64_t last)
{
    for (uint32_t i = 1; i <= o->groups.count; i++)
        if (strcmp(o->groups.items[i].spec.name, group) == 0) *list_add(o->groups.items[i].lost) = (struct lost){ first, last };
    o->counts.lost++;
}

void oracle_dead(struct oracle *o, const char *group, uint64_t seq, const uint8_t *bytes, size_t size)
{
    for (uint32_t i = 1; i <= o->groups.count; i++) {
        if (strcmp(o->groups.items[i].spec.name, group) != 0) continue;
        uint32_t event = table_get(&o->by_seq, seq);
        uint64_t again_seq = event ? o->events.items[event].again_seq : 0;
        uint32_t place = table_get(&o->by_place, pair_key(i, again_seq ? again_seq : seq));
        if (!place) broken(o, "only_what_failed_dies", "seq %llu is dead in %s, where it was never delivered", U(seq), group);
        if (oracle_event_of(o, bytes, size) != event)
            broken(o, "letters_are_copies", "the dead letter of seq %llu in %s holds something else", U(seq), group);
        o->places.items[place].dead = true;
        o->counts.dead++;
    }
}

void oracle_lost_unheard(struct oracle *o)
{
    o->lost_below = o->window;
}

/* -- is all done? -- */

bool group_has_to_get(const struct oracle *o, uint32_t group, const struct known *known)
{
    const struct group *g = &o->groups.items[group];
    if (!group_wants(g, known->topic)) return false;
    if (g->moved) return known->log_seq > g->place && known->log_seq >= g->begins;
    if (g->spec.from_first && g->exists) return known->log_seq >= g->begins;
    for (uint32_t i = 1; i <= known->born; i++)
        if (o->born.items[i] == group) return true;
    return false;
}

bool group_has_lost(const struct group *group, uint64_t seq)
{
    for (uint32_t i = 1; i <= group->lost.count; i++)
        if (seq >= group->lost.items[i].first && seq <= group->lost.items[i].last) return true;
    return false;
}

/* Rejected, and no letter says so. */
static bool lacks_letter(const struct oracle *o, const struct place *place)
{
    if (may_miss_it(o, place->seq) || !place->settled || o->settles.items[place->settled].verb != ORACLE_REJECT || place->dead)
        return false;
    if (o->settles.items[place->settled].answers) return false; /* [R-DEAD-3] */
    return place->seq >= o->lost_below && !group_has_lost(&o->groups.items[place->group], place->seq);
}

/* The first event of the log that a group has not done with; 0: none. */
static uint64_t open_event(const struct oracle *o, uint32_t group, const struct place **out_place)
{
    for (uint32_t i = 1; i <= o->log.count; i++) {
        const struct known *known = &o->events.items[o->log.items[i].event];
        uint64_t seq = o->log.items[i].seq;
        uint32_t place = table_get(&o->by_place, pair_key(group, seq));
        *out_place = place ? &o->places.items[place] : NULL;
        bool offered = place && ((*out_place)->attempt || (*out_place)->life == 0); /* in this life of the group */
        if (!offered && !group_has_to_get(o, group, known)) continue;
        if (place && lacks_letter(o, *out_place)) return seq;
        if (place && ((*out_place)->settled || (*out_place)->maybe || (*out_place)->dead)) continue;
        if (may_expire(known) || known->once || seq < o->lost_below || group_has_lost(&o->groups.items[group], seq)) continue;
        return seq;
    }
    return 0;
}

static uint32_t accepted_not_read(const struct oracle *o)
{
    for (uint32_t i = 1; i <= o->events.count; i++) {
        const struct known *known = &o->events.items[i];
        if (known->accepted && !known->log_seq && !known->once && known->topic[0] != '$') return i;
    }
    return 0;
}

bool oracle_is_drained(const struct oracle *o)
{
    const struct place *place;
    if (accepted_not_read(o) || answer_waits(o) || letter_waits(o)) return false;
    for (uint32_t g = 1; g <= o->groups.count; g++)
        if (open_event(o, g, &place)) return false;
    return true;
}

void oracle_why(const struct oracle *o, char *out, size_t size)
{
    const struct place *place = NULL;
    uint32_t event = accepted_not_read(o);
    snprintf(out, size, "all events are settled");
    if (answer_waits(o))
        snprintf(out, size, "event %u, an answer to event %u, waits on its inbox", answer_waits(o),
                 o->events.items[answer_waits(o)].answers_event);
    if (letter_waits(o)) snprintf(out, size, "the dead letter of seq %llu is to be delivered again", U(letter_waits(o)));
    if (event) snprintf(out, size, "event %u was accepted at seq %llu and is not in the log", event, U(o->events.items[event].seq));
    for (uint32_t g = 1; !event && g <= o->groups.count; g++) {
        uint64_t seq = open_event(o, g, &place);
        if (!seq) continue;
        snprintf(out, size, "seq %llu is not settled in %s: %s", U(seq), o->groups.items[g].spec.name,
                 !place ? "it was never offered" : "it was offered");
        if (place)
            snprintf(out + strlen(out), size - strlen(out), ", attempt %u last%s", place->attempt,
                     lacks_letter(o, place) ? ", rejected without a letter" : "");
        return;
    }
}

/* -- verdicts -- */

static void judge_event(struct oracle *o, uint32_t index)
{
    const struct known *known = &o->events.items[index];
    if (known->topic[0] == '$') return;                /* an inbox: only its owner reads it */
    if (known->once && known->seq < o->window) return; /* the history that would show it is gone */
    if (known->accepted && !known->log_seq)
        broken(o, "accepted_is_stored", "event %u was accepted at seq %llu and is not in the log", index, U(known->seq));
    if (known->shown && !known->log_seq)
        broken(o, "shown_is_stored", "event %u was shown at seq %llu and is not in the log", index, U(known->seq));
    if (known->log_seq && !known->taken) broken(o, "nothing_from_nowhere", "event %u was never sent", index);
}

/* [P5] */
static void judge_settle(struct oracle *o, uint32_t index)
{
    const struct settle *s = &o->settles.items[index];
    if (s->undone || s->emit_count == 0 || o->events.items[o->emits.items[s->first_emit]].settle != index)
        return; /* none, or it was sent again */
    uint32_t stored = 0, visible = 0;
    for (uint32_t i = 0; i < s->emit_count; i++) {
        uint32_t event = o->emits.items[s->first_emit + i];
        const struct known *known = &o->events.items[event];
        visible += known->topic[0] != '$' && (known->log_seq || !token_drops(o, event));
        stored += known->log_seq != 0;
    }
    const struct place *place = s->lease ? &o->places.items[o->leases.items[s->lease].place] : NULL;
    if (stored != 0 && stored != visible)
        broken(o, "emits_with_their_settle", "of %u emits of one settle %u are in the log", visible, stored);
    if (s->ok && stored != visible)
        broken(o, "emits_with_their_settle", "a settle was answered ok and %u of its emits are missing", visible - stored);
    if (!s->living && !s->again && stored) broken(o, "emits_with_their_settle", "a settle without a lease has its emits in the log");
    if (s->answered && !s->ok && !s->again && stored)
        broken(o, "emits_with_their_settle", "a settle was refused and its emits are in the log");
    bool same_life = place && o->leases.items[s->lease].life == place->life;
    if (stored && same_life && place->settled && place->settled != index)
        broken(o, "effects_once", "seq %llu has emits of two settles in the log", U(place->seq));
}

static void judge_cause(struct oracle *o, const struct logged *entry)
{
    const struct known *known = &o->events.items[entry->event];
    const struct settle *s = known->settle ? &o->settles.items[known->settle] : NULL;
    const struct place *of = s && s->lease ? &o->places.items[o->leases.items[s->lease].place] : NULL;
    uint64_t cause = of ? of->first ? of->first : of->seq : 0;
    if (cause && oracle_is_gone(o, cause)) return;                     /* its worker kept it */
    if (cause) cause = o->events.items[oracle_event_at(o, cause)].seq; /* where it was first */
    if (entry->cause != cause)
        broken(o, "emits_name_their_cause", "seq %llu has the cause %llu instead of %llu", U(entry->seq), U(entry->cause), U(cause));
}

/* In the log, where its settle is. */
static bool stands_there(const struct known *known)
{
    return known->log_seq && !known->again_seq;
}

/* The next of its settle's emits that stands there; 0: it was the last one. */
static uint32_t next_emit(const struct oracle *o, const struct settle *s, uint32_t event)
{
    uint32_t at = 0;
    while (at < s->emit_count && o->emits.items[s->first_emit + at] != event)
        at++;
    while (++at < s->emit_count)
        if (stands_there(&o->events.items[o->emits.items[s->first_emit + at]])) return o->emits.items[s->first_emit + at];
    return 0;
}

static void judge_order_of_emits(struct oracle *o)
{
    for (uint32_t i = 2; i <= o->log.count; i++) {
        const struct logged *before = &o->log.items[i - 1], *entry = &o->log.items[i];
        uint32_t settle = stands_there(&o->events.items[before->event]) ? o->events.items[before->event].settle : 0;
        const struct settle *s = settle ? &o->settles.items[settle] : NULL;
        if (!s) continue;
        uint32_t next = next_emit(o, s, before->event);
        if (next && next != entry->event)
            broken(o, "emits_stand_together", "seq %llu stands between the emits of one settle", U(entry->seq));
    }
}

void oracle_judge(struct oracle *o)
{
    for (uint32_t i = 1; i <= o->events.count; i++)
        judge_event(o, i);
    for (uint32_t i = 1; i <= o->settles.count; i++)
        judge_settle(o, i);
    for (uint32_t i = 1; i <= o->log.count; i++)
        judge_cause(o, &o->log.items[i]);
    judge_order_of_emits(o);
    if (letter_waits(o)) broken(o, "retried_letters_go_out", "the dead letter of seq %llu was not delivered again", U(letter_waits(o)));
    judge_tokens(o);
    judge_delays(o);
    for (uint32_t i = 1; i <= o->readers.count; i++)
        reader_check(o, &o->readers.items[i]);
    for (uint32_t g = 1; g <= o->groups.count; g++) {
        const struct place *place;
        uint64_t seq = open_event(o, g, &place);
        if (seq && place && lacks_letter(o, place))
            broken(o, "rejected_is_dead", "seq %llu was rejected in %s and has no dead letter", U(seq), o->groups.items[g].spec.name);
        if (seq) broken(o, "accepted_is_settled", "seq %llu was never settled in %s", U(seq), o->groups.items[g].spec.name);
    }
}
