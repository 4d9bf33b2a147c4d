/* Events with a delay: never before they are due, never lost, once, at a new place in the order of their times, under the id they had
 * [R-DELAY]. */
#include "tests/sim/oracle_parts.h"

struct span_ms due_of(const struct known *known)
{
    uint64_t from = known->taken_first_ms + known->delay_ms, to = known->taken_last_ms + known->delay_ms;
    return (struct span_ms){ from > known->not_before_ms ? from : known->not_before_ms,
                             to > known->not_before_ms ? to : known->not_before_ms };
}

void oracle_delay_table(struct oracle *o, uint32_t limit)
{
    o->delay_limit = limit;
}

/* A time that may have been over when it was taken is none. */
static bool may_go_at_once(const struct known *known)
{
    return !known->delay_ms && known->not_before_ms <= known->taken_last_ms;
}

static bool may_be_held(const struct known *known)
{
    return known->delay_ms || known->not_before_ms > known->taken_first_ms;
}

static void comes_again(struct oracle *o, uint32_t event, const struct oracle_shown *shown)
{
    struct known *known = &o->events.items[event];
    uint32_t other = oracle_event_at(o, shown->seq);
    if (oracle_is_gone(o, shown->seq)) return;
    uint64_t due_ms = due_of(known).from;
    if (!may_be_held(known)) broken(o, "only_delayed_come_again", "event %u is at seq %llu, again", event, U(shown->seq));
    if (known->again_seq && known->again_seq != shown->seq)
        broken(o, "comes_once", "event %u came when it was due at seq %llu, and at %llu", event, U(known->again_seq), U(shown->seq));
    if (other && other != event) broken(o, "one_event_per_place", "seq %llu holds the events %u and %u", U(shown->seq), other, event);
    if (shown->time_ms < due_ms || o->log_ms < due_ms)
        broken(o, "never_before_due", "event %u at seq %llu comes at %llu ms, %llu ms too early", event, U(shown->seq), U(shown->time_ms),
               U(due_ms - (shown->time_ms < o->log_ms ? shown->time_ms : o->log_ms)));
    known->again_seq = shown->seq;
    known->again_ms = shown->time_ms;
    table_put(&o->by_seq, shown->seq, event);
}

void event_is_shown(struct oracle *o, uint32_t event, const struct oracle_shown *shown)
{
    struct known *known = &o->events.items[event];
    event_is_at(o, event, shown->first ? shown->first : shown->seq);
    if (shown->first && shown->first != shown->seq)
        comes_again(o, event, shown);
    else if (!may_go_at_once(known))
        broken(o, "never_before_due", "event %u with a delay is shown where it was accepted, at seq %llu", event, U(shown->seq));
}

void delay_refused(struct oracle *o, uint32_t event, enum oracle_refusal why)
{
    uint32_t most = 0;
    if (why != ORACLE_OVERLOADED || !may_be_held(&o->events.items[event])) return;
    o->counts.overloaded++;
    for (uint32_t i = 1; i <= o->events.count; i++) {
        const struct known *known = &o->events.items[i];
        most += known->taken && !known->refused && may_be_held(known) && !known->again_seq;
    }
    if (most < o->delay_limit)
        broken(o, "overloaded_when_full", "event %u was refused with at most %u of %u events held", event, most, o->delay_limit);
}

/* -- the end -- */

static bool is_held_at(const struct known *known, uint64_t ms)
{
    return known->again_seq && known->taken_last_ms < ms && known->again_ms > ms;
}

static void judge_limit(struct oracle *o, uint64_t ms)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= o->events.count; i++)
        count += is_held_at(&o->events.items[i], ms);
    if (count > o->delay_limit) broken(o, "delays_have_a_limit", "%u events are held at %llu ms, %u may", count, U(ms), o->delay_limit);
}

void judge_delays(struct oracle *o)
{
    uint64_t due_ms = 0;
    for (uint32_t i = 1; i <= o->log.count; i++) {
        const struct known *known = &o->events.items[o->log.items[i].event];
        struct span_ms due = due_of(known);
        if (!known->again_seq) continue;
        o->counts.delayed++;
        if (due.to < due_ms)
            broken(o, "delays_in_order", "seq %llu, due at %llu ms, comes after one that was due at %llu ms", U(known->again_seq),
                   U(due.to), U(due_ms));
        if (due.from > due_ms) due_ms = due.from;
        judge_limit(o, known->again_ms - 1);
    }
}
