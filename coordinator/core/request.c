/* What passes between a requester and the worker that has its request, unlogged: partial answers and cancels. And the questions of
 * administration. */
#include "coordinator/core/request.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/group.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/lookup.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/state.h"
#include "coordinator/core/subscribe.h"
#include "coordinator/core/why.h"
#include "proto/event.h"
#include "sdk/base/topic.h"

void partial_take(struct core *c, uint32_t peer, const struct msg_partial *m, const uint8_t **body)
{
    const uint8_t *data = *body;
    *body += m->size;
    uint32_t handle = lease_from_wire(c, m->lease, peer);
    struct peer *p = peer_at(c, peer);
    c->stats.partials++;
    if (!handle || m->size > EVENT_BYTES_MAX || !topic_is_valid(m->topic) || m->topic.size <= 7 ||
        memcmp(m->topic.data, "$inbox.", 7) != 0) { /* [R-REQ-2] */
        c->stats.undeliverable++;
        return;
    }
    const struct lease *l = lease_at(c, handle);
    uint32_t found = filters_match(c->filters, p->tenant, m->topic, c->matches, c->matches_max);
    for (uint32_t i = 0; i < found && i < c->matches_max; i++) {
        if (!(c->matches[i] & SUBSCRIPTION_BIT)) continue;
        struct sub *s = sub_at(c, c->matches[i] & ~SUBSCRIPTION_BIT);
        struct lane *lane = lane_at(c, s->lane);
        bool credit = lane->event_sent_events < lane->event_limit_events && lane->event_sent_bytes < lane->event_limit_bytes;
        if (!credit || !out_has_room(c, 1)) {
            c->stats.undeliverable++;
            continue;
        }
        lane->event_sent_events++;
        lane->event_sent_bytes += m->size;
        struct item *item = out_item(c, s->peer, ITEM_PARTIAL);
        item->a = s->id;
        item->b = lease_event(l);
        item->x = l->attempt;
        item->y = m->index;
        item->z = group_at(c, l->group)->id;
        item->body = span_of(data, m->size);
    }
}

void cancel_say(struct core *c, uint32_t lease)
{
    struct lease *l = lease_at(c, lease);
    if (!l->cancelled || !out_has_room(c, 1)) return;
    l->cancelled = false;
    out_item(c, l->peer, ITEM_CANCEL)->a = lease_wire(c, lease);
}

/* It has not come yet, or its worker is away, or not welcomed yet: a cancel now would name what that does not know. */
static bool is_known_to_its_worker(const struct core *c, const struct lease *l)
{
    return l->peer && !l->transfer && peer_at(c, l->peer)->state == PEER_READY;
}

/* To every worker that holds the event [R-REQ-3]. */
void cancel_take(struct core *c, uint32_t peer, const struct msg_cancel *m)
{
    uint32_t tenant = m->seq < POSITION_END ? peer_tenant(c, peer, m->tenant) : 0;
    for (uint32_t h = 1; tenant && h <= c->groups.touched; h++) {
        if (!slab_is_taken(&c->groups, h) || group_at(c, h)->tenant != tenant) continue;
        uint32_t lease = map_get(&c->by_lease, place_key(h, m->seq));
        if (!lease) continue;
        lease_at(c, lease)->cancelled = true;
        if (is_known_to_its_worker(c, lease_at(c, lease))) cancel_say(c, lease);
    }
}

/* ---- query ---- */

enum { STATS_MAX = 64, DEAD_ROWS_MAX = 1000 };

#define STAT(field)                                                                                                                        \
    {                                                                                                                                      \
#field, offsetof(struct core_stats, field)                                                                                         \
    }
static const struct {
    const char *name;
    size_t offset; /* in core_stats */
} stats[] = {
    STAT(published),     STAT(published_bytes),
    STAT(refused),       STAT(duplicates),
    STAT(delivered),     STAT(delivered_bytes),
    STAT(redelivered),   STAT(retries_delayed),
    STAT(acked),         STAT(nacked),
    STAT(rejected),      STAT(stale),
    STAT(expired),       STAT(lost),
    STAT(came_due),      STAT(emitted),
    STAT(events_sent),   STAT(events_sent_bytes),
    STAT(partials),      STAT(undeliverable),
    STAT(blocks),        STAT(records),
    STAT(fetches),       STAT(packets),
    STAT(bad_packets),   STAT(peers),
    STAT(groups),        STAT(leases),
    STAT(failed),        { "dead_letters", offsetof(struct core_stats, dead) },
    STAT(dying),         STAT(dead_lettered),
    STAT(dead_retried),  STAT(dead_dropped),
    STAT(parked),        STAT(busy_keys),
    STAT(subscriptions), STAT(publishers),
    STAT(held),          STAT(large_events),
    STAT(parts),         STAT(parts_sent),
    STAT(parts_carried), STAT(parts_dropped),
    STAT(tokens),        STAT(head),
};

static void add_stat(struct msg_answer *answer, struct stat_row *rows, const char *name, uint64_t value)
{
    must(answer->stat_count < STATS_MAX);
    rows[answer->stat_count++] = (struct stat_row){ .name = span_text(name), .value = value };
}

static void answer_stats(struct core *c, struct msg_answer *answer)
{
    struct stat_row *rows = arena_take(&c->scratch, STATS_MAX * sizeof *rows);
    must(rows);
    struct core_stats s;
    core_stats(c, &s);
    for (size_t i = 0; i < sizeof stats / sizeof stats[0]; i++)
        add_stat(answer, rows, stats[i].name, *(const uint64_t *)(const void *)((const uint8_t *)&s + stats[i].offset));
    add_stat(answer, rows, "first", c->trimmed_below);
    must(answer->stat_count + c->shell_stat_count <= STATS_MAX);
    for (size_t i = 0; i < c->shell_stat_count; i++)
        rows[answer->stat_count++] = c->shell_stats[i];
    answer->stats = rows;
}

bool scratch_has_room(const struct core *c)
{
    return c->scratch.size - c->scratch.used >= SCRATCH_BYTES / 2;
}

/* What an event or a session waits for: the log is read for it, the answer comes when that is done. */
static enum error_code ask_why(struct core *c, uint32_t peer, uint32_t tenant, const struct msg_query *m)
{
    bool of_session = m->seq == 0;
    if (m->seq >= POSITION_END || m->session.size > NAME_MAX || (of_session && m->session.size == 0)) return CODE_BAD_REQUEST;
    struct lookup *lookup =
        lookup_begin(c, of_session ? LOOKUP_WHY_SESSION : LOOKUP_WHY, peer, tenant, &(struct group_spec){ .name = m->session });
    if (!lookup) return CODE_THROTTLED;
    lookup->id = m->id;
    if (!of_session) lookup->position = m->seq;
    return CODE_OK;
}

/* A group's dead letters behind a place [R-DEAD-4]. */
static void answer_dead(struct core *c, uint32_t tenant, const struct msg_query *m, struct msg_answer *answer)
{
    uint32_t group = group_find(c, tenant, m->name);
    struct dead_row *rows = arena_take(&c->scratch, DEAD_ROWS_MAX * sizeof *rows);
    must(rows);
    if (!group) answer->code = CODE_NOT_FOUND;
    for (uint32_t h = group ? group_at(c, group)->dead_list.first : 0; h && !answer->more; h = dead_at(c, h)->of_group.next) {
        const struct dead *d = dead_at(c, h);
        if (d->place <= m->seq) continue;
        answer->more = answer->dead_count == DEAD_ROWS_MAX;
        if (answer->more) break;
        rows[answer->dead_count++] = (struct dead_row){ .seq = d->event,
                                                        .place = d->place,
                                                        .time_ms = d->time_ms,
                                                        .attempts = d->attempts,
                                                        .reason = d->reason,
                                                        .retried = d->failed != 0 };
    }
    answer->deads = rows;
}

void query_take(struct core *c, uint32_t peer, const struct msg_query *m)
{
    const struct peer *p = peer_at(c, peer);
    struct msg_answer *answer = arena_take_zeroed(&c->scratch, 1, sizeof *answer);
    must(answer);
    answer->id = m->id;
    bool all = m->tenant.size == 0 && p->role == ROLE_ADMIN && p->grant.any_tenant;
    uint32_t tenant = all ? 0 : peer_tenant(c, peer, m->tenant); /* [R-QUERY-1] */
    if (!all && !tenant)
        answer->code = CODE_FORBIDDEN;
    else if (!scratch_has_room(c))
        answer->code = CODE_THROTTLED;
    else if (m->ask == ASK_STATS && p->role != ROLE_ADMIN)
        answer->code = CODE_FORBIDDEN;
    else if (m->ask == ASK_STATS)
        answer_stats(c, answer);
    else if (m->ask == ASK_GROUPS)
        groups_answer(c, tenant, m->name, answer);
    else if (m->ask == ASK_WHY && (answer->code = ask_why(c, peer, tenant ? tenant : p->tenant, m)) == CODE_OK)
        return; /* later */
    else if (m->ask == ASK_DEAD)
        answer_dead(c, tenant ? tenant : p->tenant, m, answer);
    else if (m->ask != ASK_WHY)
        answer->code = CODE_UNSUPPORTED;
    out_item(c, peer, ITEM_ANSWER)->more = answer;
}
