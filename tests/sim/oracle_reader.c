/* Subscriptions, at the wire and behind the SDK: in order, each once, nothing left out, within their credit [R-SUB-2, R-CREDIT-4]. What was
 * left out shows at the end, when the log is known. */
#include "tests/sim/oracle_parts.h"

#include <string.h>

static uint64_t wire_key(uint32_t connection, uint64_t subscription)
{
    return pair_key(connection, subscription);
}
static uint64_t user_key(uint32_t user)
{
    return pair_key(UINT64_MAX, user);
}

uint32_t reader_add(struct oracle *o, const char *filter)
{
    *list_add(o->readers) = (struct reader){ .filter = strdup(filter) };
    return o->readers.count;
}

static struct reader *reader_new(struct oracle *o, uint64_t key, const char *filter)
{
    uint32_t reader = reader_add(o, filter);
    table_put(&o->by_reader, key, reader);
    return &o->readers.items[reader];
}

static struct reader *reader_find(struct oracle *o, uint64_t key)
{
    uint32_t index = table_get(&o->by_reader, key);
    return index ? &o->readers.items[index] : NULL;
}

struct reader *reader_of_user(struct oracle *o, uint32_t user)
{
    return reader_find(o, user_key(user));
}

static void take_event(struct oracle *o, struct reader *reader, const struct oracle_shown *shown)
{
    uint64_t seq = shown->seq;
    uint32_t event = oracle_event_of(o, shown->bytes, shown->size);
    if (!event && reader->filter[0] == '$') return; /* the system's own */
    if (!event) broken(o, "nothing_from_nowhere", "seq %llu was shown, but nobody wrote it", U(seq));
    event_is_shown(o, event, shown);
    if (reader->history && o->events.items[event].once) o->events.items[event].log_seq = seq;
    reader_take(o, reader, seq, event);
}

void reader_take(struct oracle *o, struct reader *reader, uint64_t seq, uint32_t event)
{
    struct known *known = &o->events.items[event];
    bool gone = oracle_is_gone(o, seq);
    if (!gone) known->shown = true;
    if (!gone && !oracle_fits(reader->filter, known->topic) && !is_of_no_topic(known))
        broken(o, "only_what_matches", "seq %llu on %s was shown to %s", U(seq), known->topic, reader->filter);
    if (!reader->begun || seq <= reader->cursor || seq <= reader->last)
        broken(o, "readers_go_forward", "%s was shown seq %llu after seq %llu", reader->filter, U(seq),
               U(reader->last ? reader->last : reader->cursor));
    reader->last = seq;
    *list_add(reader->seqs) = seq;
    o->counts.seen++;
}

void oracle_took_subscribe(struct oracle *o, uint32_t connection, uint64_t subscription, const char *filter, uint64_t credit)
{
    struct connection *c = connection_of(o, connection);
    if (!c || !c->honest) return;
    struct reader *reader = reader_new(o, wire_key(connection, subscription), filter);
    reader->own_credit = credit > 0;
    reader->credit = credit;
}

void oracle_took_event_credit(struct oracle *o, uint32_t connection, uint64_t subscription, uint64_t events)
{
    struct connection *c = connection_of(o, connection);
    if (!c) return;
    struct reader *reader = subscription ? reader_find(o, wire_key(connection, subscription)) : NULL;
    if (reader && events > reader->credit) reader->credit = events;
    if (!subscription && events > c->event_credit) c->event_credit = events;
}

void oracle_told_subscribed(struct oracle *o, uint32_t connection, uint64_t subscription, uint64_t cursor)
{
    struct reader *reader = reader_find(o, wire_key(connection, subscription));
    if (!reader) return;
    reader->begun = true;
    reader->cursor = cursor;
}

void oracle_told_event(struct oracle *o, uint32_t connection, uint64_t subscription, const struct oracle_shown *shown)
{
    struct connection *c = connection_of(o, connection);
    struct reader *reader = reader_find(o, wire_key(connection, subscription));
    if (!c || !reader) return;
    take_event(o, reader, shown);
    c->events_sent++;
    reader->sent++;
    if (c->events_sent > c->event_credit || (reader->own_credit && reader->sent > reader->credit))
        broken(o, "credit_of_events", "connection %u was sent event %llu of a subscription beyond its credit", connection,
               U(c->events_sent));
}

static void caught_up(struct oracle *o, struct reader *reader, uint64_t cursor)
{
    if (!reader) return;
    if (cursor < reader->last)
        broken(o, "readers_go_forward", "%s has caught up with %llu after seq %llu", reader->filter, U(cursor), U(reader->last));
    reader->complete_to = cursor;
}

void oracle_told_caught_up(struct oracle *o, uint32_t connection, uint64_t subscription, uint64_t cursor)
{
    caught_up(o, reader_find(o, wire_key(connection, subscription)), cursor);
}

void oracle_user_caught_up(struct oracle *o, uint32_t user, uint64_t cursor)
{
    caught_up(o, reader_find(o, user_key(user)), cursor);
}

void oracle_user_subscribed(struct oracle *o, uint32_t user, const char *filter, uint64_t cursor, bool again, bool gap)
{
    struct reader *reader = reader_find(o, user_key(user));
    if (!again || !reader || gap) {
        reader = reader_new(o, user_key(user), filter);
        reader->cursor = cursor;
        reader->begun = true;
        reader->is_user = true;
        return;
    }
    uint64_t here = reader->last > reader->cursor ? reader->last : reader->cursor;
    if (reader->complete_to > here) here = reader->complete_to;
    if (cursor > here)
        broken(o, "readers_go_forward", "%s was resumed after seq %llu, though only %llu had been shown", filter, U(cursor), U(here));
}

void oracle_user_event(struct oracle *o, uint32_t user, const struct oracle_shown *shown)
{
    struct reader *reader = reader_find(o, user_key(user));
    if (!reader) broken(o, "readers_go_forward", "an event for user %u, who has no subscription", user);
    take_event(o, reader, shown);
    o->events.items[oracle_event_of(o, shown->bytes, shown->size)].heard = true;
}

static bool was_shown(const struct reader *reader, uint32_t at, uint64_t seq)
{
    return at < reader->seqs.count && reader->seqs.items[at + 1] == seq;
}

static bool is_in_a_hole(const struct oracle *o, const struct reader *reader, const struct logged *entry)
{
    bool is_large = o->events.items[entry->event].size > ORACLE_PART_BYTES;
    for (uint32_t i = 1; i <= reader->holes.count; i++) {
        const struct hole *hole = &reader->holes.items[i];
        if (entry->seq >= hole->first && entry->seq <= hole->last && (entry->seq < hole->window || is_large)) return true;
    }
    return false;
}

static bool may_be_missing(const struct oracle *o, uint64_t seq)
{
    return may_miss_it(o, seq) || oracle_is_gone(o, seq);
}

/* Those before `below` that its log did not have to show. */
static void pass_over(const struct oracle *o, const struct reader *reader, uint32_t *at, uint64_t below)
{
    while (*at < reader->seqs.count && reader->seqs.items[*at + 1] < below && may_be_missing(o, reader->seqs.items[*at + 1]))
        ++*at;
}

/* Exactly what the log holds between its first place and its last. */
void reader_check(struct oracle *o, const struct reader *reader)
{
    uint64_t to = reader->last > reader->complete_to ? reader->last : reader->complete_to;
    uint32_t at = 0;
    for (uint32_t i = 1; i <= o->log.count; i++) {
        const struct logged *entry = &o->log.items[i];
        pass_over(o, reader, &at, entry->seq);
        if (entry->seq <= reader->cursor || entry->seq > to ||
            (!oracle_fits(reader->filter, o->events.items[entry->event].topic) && !was_shown(reader, at, entry->seq)))
            continue;
        if (!was_shown(reader, at, entry->seq) && (is_in_a_hole(o, reader, entry) || may_miss_it(o, entry->seq))) continue;
        if (at == reader->seqs.count || reader->seqs.items[at + 1] != entry->seq)
            broken(o, "gaps_only_where_told", "%s after seq %llu: seq %llu was left out", reader->filter, U(reader->cursor), U(entry->seq));
        at++;
    }
    pass_over(o, reader, &at, UINT64_MAX);
    if (at != reader->seqs.count && reader->filter[0] != '$')
        broken(o, "shown_is_stored", "%s was shown seq %llu, which is not in the log", reader->filter, U(reader->seqs.items[at + 1]));
}
