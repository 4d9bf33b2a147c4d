/* Application tokens: each is accepted once in its life, whoever repeats it and whatever is restarted in between; a repeat is answered with
 * the first one's place; a full table refuses new ones and forgets none [P3, R-TOKEN]. The log is the witness: it says what stands where,
 * and since when. */
#include "tests/sim/oracle_parts.h"

#include <stdlib.h>

/* The stamp that the coordinator gave it is one of its turns' times; the log says which. */
static struct span_ms stamp_of(const struct known *known)
{
    return known->stamp_ms ? (struct span_ms){ known->stamp_ms, known->stamp_ms }
                           : (struct span_ms){ known->taken_first_ms, known->taken_last_ms };
}

void oracle_token_table(struct oracle *o, uint64_t life_ms, uint32_t limit)
{
    o->token_life_ms = life_ms;
    o->token_limit = limit;
}

void token_written(struct oracle *o, uint32_t event)
{
    struct known *known = &o->events.items[event];
    if (!known->token) return;
    while (o->tokens.count < known->token)
        *list_add(o->tokens) = 0;
    known->token_before = o->tokens.items[known->token];
    o->tokens.items[known->token] = event;
}

bool token_repeated(struct oracle *o, uint32_t event, uint64_t seq)
{
    struct known *known = &o->events.items[event];
    if (!known->token || oracle_event_at(o, seq) == event) return false;
    known->repeat_seq = seq;
    *list_add(o->repeats) = (struct repeat){ .event = event, .seq = seq, .taken_ms = known->taken_last_ms };
    o->counts.repeats++;
    return true;
}

/* It may have been taken, with a time that is not over; what was answered as a repeat of another added nothing. */
static bool may_live(const struct oracle *o, uint32_t token)
{
    for (uint32_t i = o->tokens.items[token]; i; i = o->events.items[i].token_before) {
        const struct known *known = &o->events.items[i];
        uint32_t first = known->repeat_seq ? oracle_event_at(o, known->repeat_seq) : 0;
        bool added = known->taken && !known->refused && (first == 0 || first == i);
        if (added && known->taken_last_ms + o->token_life_ms > o->log_ms) return true;
    }
    return false;
}

static uint32_t living_at_most(const struct oracle *o)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= o->tokens.count; i++)
        count += may_live(o, i);
    return count;
}

/* Another event was accepted with this token, and its time is not over. */
static bool surely_lives(const struct oracle *o, uint32_t event)
{
    for (uint32_t i = o->tokens.items[o->events.items[event].token]; i; i = o->events.items[i].token_before) {
        const struct known *known = &o->events.items[i];
        if (i != event && known->accepted && stamp_of(known).from + o->token_life_ms > o->log_ms) return true;
    }
    return false;
}

void token_refused(struct oracle *o, uint32_t event, enum oracle_refusal why)
{
    if (!o->events.items[event].token || (why != ORACLE_THROTTLED && why != ORACLE_STALE)) return;
    if (surely_lives(o, event)) broken(o, "repeats_are_answered", "event %u was refused while its token lives", event);
    if (why != ORACLE_THROTTLED) return;
    o->counts.throttled++;
    uint32_t most = living_at_most(o);
    if (most < o->token_limit)
        broken(o, "throttled_when_full", "event %u was throttled with at most %u of %u tokens living", event, most, o->token_limit);
}

/* -- the end -- */

/* They may have met: this one was taken at a time when that one's token lived. */
static bool may_have_met(const struct oracle *o, const struct known *known, const struct known *first)
{
    struct span_ms stamp = stamp_of(first);
    return known->taken_last_ms >= stamp.from && known->taken_first_ms < stamp.to + o->token_life_ms;
}

bool token_drops(const struct oracle *o, uint32_t event)
{
    const struct known *known = &o->events.items[event];
    for (uint32_t i = known->token ? o->tokens.items[known->token] : 0; i; i = o->events.items[i].token_before)
        if (i != event && o->events.items[i].log_seq && may_have_met(o, known, &o->events.items[i])) return true;
    return false;
}

static void judge_repeat(struct oracle *o, const struct repeat *repeat)
{
    const struct known *known = &o->events.items[repeat->event];
    uint32_t event = oracle_event_at(o, repeat->seq);
    const struct known *first = &o->events.items[event];
    if (!event || !first->log_seq)
        broken(o, "repeats_name_the_first", "event %u was answered as a repeat of seq %llu, which is not in the log", repeat->event,
               U(repeat->seq));
    if (first->token != known->token)
        broken(o, "repeats_name_the_first", "event %u with t%u was answered as a repeat of seq %llu with t%u", repeat->event, known->token,
               U(repeat->seq), first->token);
    struct span_ms stamp = stamp_of(first);
    if (event != repeat->event && repeat->taken_ms >= stamp.to + o->token_life_ms)
        broken(o, "tokens_end", "event %u was answered as a repeat of seq %llu, %llu ms after that one's time", repeat->event,
               U(repeat->seq), U(repeat->taken_ms - stamp.to - o->token_life_ms));
}

static void judge_life(struct oracle *o, uint32_t event)
{
    const struct known *known = &o->events.items[event];
    struct span_ms stamp = stamp_of(known);
    for (uint32_t i = known->log_seq ? known->token_before : 0; i; i = o->events.items[i].token_before) {
        struct span_ms other = stamp_of(&o->events.items[i]);
        uint64_t last = stamp.to > other.to ? stamp.to : other.to, first = stamp.from < other.from ? stamp.from : other.from;
        if (o->events.items[i].log_seq && last - first < o->token_life_ms)
            broken(o, "tokens_once_in_their_life", "t%u stands in the log at seq %llu and %llu, at most %llu ms apart", known->token,
                   U(known->log_seq), U(o->events.items[i].log_seq), U(last - first));
    }
}

/* Those of which the log says the time. */
static void judge_limit(struct oracle *o)
{
    uint64_t *stamps = calloc(o->log.count + 1, sizeof *stamps);
    uint32_t first = 0, end = 0;
    for (uint32_t i = 1; i <= o->log.count; i++) {
        const struct known *known = &o->events.items[o->log.items[i].event];
        if (!known->token || !known->stamp_ms) continue;
        stamps[end++] = known->stamp_ms;
        while (known->stamp_ms - stamps[first] >= o->token_life_ms)
            first++;
        if (end - first <= o->token_limit) continue;
        free(stamps);
        broken(o, "tokens_have_a_limit", "%u tokens live at seq %llu, %u may", end - first, U(known->log_seq), o->token_limit);
    }
    free(stamps);
}

void judge_tokens(struct oracle *o)
{
    for (uint32_t i = 1; i <= o->repeats.count; i++)
        judge_repeat(o, &o->repeats.items[i]);
    for (uint32_t i = 1; i <= o->events.count; i++)
        if (o->events.items[i].token) judge_life(o, i);
    judge_limit(o);
}
