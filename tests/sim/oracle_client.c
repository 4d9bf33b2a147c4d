/* Clients behind a gateway: whoever resumes with its cursor sees every matching event once and in order, or is told of the gap; never more
 * than its credit; and who is cut for being slow was told so. */
#include "tests/sim/oracle_parts.h"

#include <string.h>

uint32_t oracle_viewer(struct oracle *o, const char *filter)
{
    *list_add(o->viewers) = (struct viewer){ .reader = reader_add(o, filter) };
    return o->viewers.count;
}

static struct reader *reader_of(const struct oracle *o, const struct viewer *v)
{
    return &o->readers.items[v->reader];
}

/* 0: none yet. */
static uint64_t first_since_asked(const struct reader *reader, const struct viewer *v)
{
    return reader->seqs.count > v->shown_before ? reader->seqs.items[v->shown_before + 1] : 0;
}

static void may_miss(struct oracle *o, struct reader *reader, uint64_t first, uint64_t last)
{
    if (first <= last) *list_add(reader->holes) = (struct hole){ first, last, o->window };
}

void oracle_viewer_asks(struct oracle *o, uint32_t viewer, enum oracle_since since, uint64_t seq, uint32_t credit)
{
    struct viewer *v = &o->viewers.items[viewer];
    struct reader *reader = reader_of(o, v);
    v->asked = true;
    v->confirmed = false;
    v->since = since;
    v->since_seq = seq;
    v->credit = credit;
    v->unacked = 0;
    v->shown_before = reader->seqs.count;
    reader->begun = since != ORACLE_SINCE_NEW;
}

void oracle_viewer_event(struct oracle *o, uint32_t viewer, uint64_t seq)
{
    struct viewer *v = &o->viewers.items[viewer];
    struct reader *reader = reader_of(o, v);
    if (!v->asked) broken(o, "only_what_matches", "%s is not subscribed to, and seq %llu comes", reader->filter, U(seq));
    if (v->misses) may_miss(o, reader, reader->last + 1, seq - 1);
    v->misses = false;
    reader_take(o, reader, seq, oracle_event_at(o, seq));
    if (v->credit && ++v->unacked > v->credit)
        broken(o, "credit_of_clients", "seq %llu on %s comes beyond the credit of %u", U(seq), reader->filter, v->credit);
}

void oracle_viewer_confirmed(struct oracle *o, uint32_t viewer, const struct oracle_subscribed *s)
{
    struct viewer *v = &o->viewers.items[viewer];
    struct reader *reader = reader_of(o, v);
    uint64_t first = first_since_asked(reader, v);
    uint32_t came = reader->seqs.count - v->shown_before;
    v->confirmed = true;
    if (s->cursor < reader->last)
        broken(o, "readers_go_forward", "%s is confirmed at %llu after seq %llu", reader->filter, U(s->cursor), U(reader->last));
    if (s->recovered != came)
        broken(o, "recovered_is_counted", "%s is told of %llu recovered events and has seen %u", reader->filter, U(s->recovered), came);
    if (v->since == ORACLE_SINCE_NEW || v->since == ORACLE_SINCE_LAST) reader->cursor = first ? first - 1 : s->cursor;
    if (s->gap) may_miss(o, reader, v->since_seq + 1, s->cursor); /* somewhere */
    if (v->since == ORACLE_SINCE_FIRST) may_miss(o, reader, 1, first ? first - 1 : s->cursor);
    reader->begun = true;
    if (reader->complete_to < s->cursor) reader->complete_to = s->cursor;
}

void oracle_viewer_acks(struct oracle *o, uint32_t viewer)
{
    o->viewers.items[viewer].unacked = 0;
}

void oracle_viewer_misses(struct oracle *o, uint32_t viewer)
{
    o->viewers.items[viewer].misses = true;
}

void oracle_viewer_skips(struct oracle *o, uint32_t viewer, uint64_t seq)
{
    struct reader *reader = reader_of(o, &o->viewers.items[viewer]);
    may_miss(o, reader, reader->last + 1, seq);
    if (reader->complete_to < seq) reader->complete_to = seq;
}

void oracle_viewer_leaves(struct oracle *o, uint32_t viewer)
{
    struct viewer *v = &o->viewers.items[viewer];
    struct reader *reader = reader_of(o, v);
    uint64_t first = first_since_asked(reader, v);
    if (v->asked && !v->confirmed && first) { /* a gap is told with the confirmation */
        if (v->since == ORACLE_SINCE_LAST) reader->cursor = first - 1;
        may_miss(o, reader, v->since_seq + 1, reader->last);
    }
    v->asked = false;
}

bool oracle_viewer_is_behind(const struct oracle *o, uint32_t viewer)
{
    const struct viewer *v = &o->viewers.items[viewer];
    const struct reader *reader = reader_of(o, v);
    uint64_t here = reader->last > reader->complete_to ? reader->last : reader->complete_to;
    if (v->misses && here + 1 < o->window) here = o->window - 1; /* the gap that it was told of */
    for (uint32_t i = o->log.count; i > 0 && o->log.items[i].seq > here; i--)
        if (!may_miss_it(o, o->log.items[i].seq) && oracle_fits(reader->filter, o->events.items[o->log.items[i].event].topic)) return true;
    return false;
}

void oracle_client_closed(struct oracle *o, uint32_t code, bool slowed)
{
    enum { TOO_SLOW = 4529 };
    if (code == TOO_SLOW && !slowed) broken(o, "slow_ones_are_told", "a client is cut as too slow and was never told so");
    if (code != TOO_SLOW) broken(o, "only_slow_ones_are_cut", "a client is cut with code %u", code);
    o->counts.cut++;
}
