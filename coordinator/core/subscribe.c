/* Subscriptions: readers without a group. Live ones are fed at the commit; one without credit, or one that began earlier, reads the log
 * (catching) until it is at the head again: no gap, no repeat [R-SUB-2]. Invariants: a live subscription has been sent all that matches up
 * to the head; core.catching holds those that have credit and something to read. */
#include "coordinator/core/subscribe.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/seek.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "coordinator/core/transfer.h"
#include "proto/inbox.h"
#include "sdk/base/topic.h"

enum { EVENTS_PER_VISIT = 64 };

static uint64_t sub_key(uint32_t peer, uint64_t id)
{
    return (uint64_t)peer << 32 | id;
}

static uint32_t sub_find(const struct core *c, uint32_t peer, uint64_t id)
{
    return id <= UINT32_MAX ? map_get(&c->by_sub, sub_key(peer, id)) : 0;
}

static bool lane_has_credit(const struct lane *lane)
{
    return lane->event_sent_events < lane->event_limit_events && lane->event_sent_bytes < lane->event_limit_bytes;
}

static bool has_credit(const struct core *c, const struct sub *s)
{
    if (s->own_credit && s->sent_events >= s->credit_events) return false;
    return lane_has_credit(lane_at(c, s->lane));
}

#define OF_QUEUE LIST_OF(&c->subs, struct sub, of_queue)

static void activate(struct core *c, uint32_t handle)
{
    struct sub *s = sub_at(c, handle);
    if (s->active) return;
    s->active = true;
    list_put_last(&c->catching, OF_QUEUE, handle);
    c->catching_count++;
}

static void deactivate(struct core *c, uint32_t handle)
{
    sub_at(c, handle)->active = false;
    list_take_out(&c->catching, OF_QUEUE, handle);
    c->catching_count--;
}

static bool is_own_inbox(const struct peer *p, struct span filter)
{
    uint8_t own[INBOX_BYTES];
    if (p->role == ROLE_GATEWAY) return topic_is_valid(filter) && filter.size > 7;
    inbox_name(p->instance, own);
    return span_equal(filter, span_of(own, sizeof own));
}

/* [R-SUB-1, R-SUB-6] */
static enum error_code check(struct core *c, uint32_t peer, const struct msg_subscribe *m, uint32_t *out_tenant)
{
    const struct peer *p = peer_at(c, peer);
    if (m->subscription == 0 || m->subscription > UINT32_MAX || !filter_is_valid(m->filter) || m->start > START_LAST)
        return CODE_BAD_REQUEST;
    if (sub_find(c, peer, m->subscription)) return CODE_CONFLICT;
    *out_tenant = peer_tenant(c, peer, m->tenant);
    if (!*out_tenant) return CODE_FORBIDDEN;
    if (m->filter.data[0] != '$') return CODE_OK;
    if (m->filter.size > 7 && memcmp(m->filter.data, "$inbox.", 7) == 0) return is_own_inbox(p, m->filter) ? CODE_OK : CODE_FORBIDDEN;
    return p->role == ROLE_ADMIN ? CODE_OK : CODE_FORBIDDEN;
}

/* Where it begins. */
static void place(const struct core *c, struct sub *s, const struct msg_subscribe *m, bool *out_gap)
{
    uint64_t oldest = c->trimmed_below > 0 ? c->trimmed_below : 1;
    *out_gap = false;
    s->state = SUB_CATCHING;
    s->cursor = oldest;
    switch (m->start) {
    case START_NEW:
        s->cursor = c->head + 1;
        break;
    case START_SEQ: {
        bool ours = m->epoch.size == 0 || (m->epoch.size == EPOCH_BYTES && memcmp(m->epoch.data, c->epoch, EPOCH_BYTES) == 0);
        *out_gap = !ours || m->start_at + 1 < oldest;
        if (!*out_gap) s->cursor = m->start_at + 1;
        break;
    }
    case START_TIME:
        s->state = SUB_SEEKING_TIME;
        seek_begin(&s->seek, SEEK_TIME, m->start_at, oldest, c->head);
        break;
    case START_LAST:
        s->cursor = c->head + 1;
        s->left = m->start_at;
        if (s->left > 0 && c->head > 0) s->state = SUB_SEEKING_LAST;
        break;
    default:
        break;
    }
}

static uint32_t open_sub(struct core *c, uint32_t peer, uint32_t tenant, const struct msg_subscribe *m)
{
    struct lane *lane = lane_of(c, peer, tenant);
    bool full = peer_at(c, peer)->role < ROLE_GATEWAY && peer_at(c, peer)->subscription_count == PEER_SUBSCRIPTIONS_MAX; /* [R-SUB-8] */
    uint32_t handle = lane && !full ? slab_take(&c->subs) : 0;
    if (!handle) return 0;
    struct sub *s = sub_at(c, handle);
    if (!filters_add(c->filters, tenant, m->filter, handle | SUBSCRIPTION_BIT)) {
        slab_free(&c->subs, handle);
        return 0;
    }
    must(map_put(&c->by_sub, sub_key(peer, m->subscription), handle));
    struct peer *p = peer_at(c, peer);
    s->id = (uint32_t)m->subscription;
    s->peer = peer;
    s->lane = lane->self;
    s->tenant = tenant;
    s->end = UINT64_MAX;
    s->own_credit = m->credit_events > 0;
    s->credit_events = m->credit_events;
    memcpy(s->filter, m->filter.data, m->filter.size);
    s->filter_size = (uint32_t)m->filter.size;
    list_put_first(&p->subscriptions, LIST_OF(&c->subs, struct sub, of_peer), handle);
    p->subscription_count++;
    return handle;
}

static void say_ended(struct core *c, uint32_t peer, uint64_t id, uint64_t cursor, enum error_code code, bool more)
{
    struct item *item = out_item(c, peer, ITEM_ENDED);
    item->a = id;
    item->b = cursor;
    item->x = code;
    item->y = more;
}

/* [R-SUB-1] Only when the cursor is known: what comes is after it. */
static void say_subscribed(struct core *c, struct sub *s, bool gap)
{
    struct item *item = out_item(c, s->peer, ITEM_SUBSCRIBED);
    item->a = s->id;
    item->b = s->cursor - 1;
    item->x = gap;
}

void subscribe_take(struct core *c, uint32_t peer, const struct msg_subscribe *m)
{
    uint32_t tenant = 0;
    enum error_code code = check(c, peer, m, &tenant);
    uint32_t handle = code == CODE_OK ? open_sub(c, peer, tenant, m) : 0;
    if (!handle) {
        if (code == CODE_OK) code = CODE_OVERLOADED;
        out_error(c, peer, code, FIELD_SUBSCRIBE, m->subscription,
                  code == CODE_FORBIDDEN ? "not your topic" : "the subscription is refused");
        return;
    }
    struct sub *s = sub_at(c, handle);
    bool gap;
    place(c, s, m, &gap);
    s->limited = m->limit > 0;
    if (s->limited) {
        s->end = c->head;
        s->limit = m->limit;
    }
    if (s->state == SUB_CATCHING) say_subscribed(c, s, gap);
    activate(c, handle);
}

void sub_end(struct core *c, uint32_t handle)
{
    struct sub *s = sub_at(c, handle);
    if (s->transfer) transfer_drop(c, s->transfer);
    filters_remove(c->filters, s->tenant, span_of(s->filter, s->filter_size), handle | SUBSCRIPTION_BIT);
    matches_forget(c);
    map_remove(&c->by_sub, sub_key(s->peer, s->id));
    peer_at(c, s->peer)->subscription_count--;
    list_take_out(&peer_at(c, s->peer)->subscriptions, LIST_OF(&c->subs, struct sub, of_peer), handle);
    if (s->active)
        deactivate(c, handle);
    else if (s->waits_fetch)
        list_take_out(&c->waiting, OF_QUEUE, handle);
    slab_free(&c->subs, handle);
}

void unsubscribe_take(struct core *c, uint32_t peer, const struct msg_unsubscribe *m)
{
    uint32_t handle = sub_find(c, peer, m->subscription);
    say_ended(c, peer, m->subscription, handle ? sub_at(c, handle)->cursor - 1 : 0, handle ? CODE_OK : CODE_NOT_FOUND,
              false); /* [R-SUB-5] */
    if (handle) sub_end(c, handle);
}

static void say_event(struct core *c, struct sub *s, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    struct lane *lane = lane_at(c, s->lane);
    struct item *item = out_item(c, s->peer, ITEM_EVENT);
    item->a = s->id;
    item->b = block->first_position + index;
    item->c = block->time_ms + record->time_delta_ms;
    item->d = record->cause;
    item->first = record_first(record);
    item->body = block_body(block, record);
    lane->event_sent_events++;
    lane->event_sent_bytes += record->size;
    s->sent_events++;
    c->stats.events_sent++;
    c->stats.events_sent_bytes += record->size;
}

/* ---- live: at the commit ---- */

/* The subscriptions of a topic: an index into core.matches, where their number and they themselves stand. */
static const uint32_t *topic_subs(struct core *c, const struct block *block, uint32_t topic, uint32_t tenant, uint32_t *out_count)
{
    if (!c->topic_match[topic]) {
        if (c->match_count + 1 + c->matches_most > c->matches_max) { /* begin again: the rest is found anew */
            memset(c->topic_match, 0, block->topic_count * sizeof c->topic_match[0]);
            c->match_count = 0;
        }
        uint32_t room = c->matches_max - c->match_count - 1;
        uint32_t *into = c->matches + c->match_count + 1;
        uint32_t found = filters_match(c->filters, tenant, block_topic_name(block, topic), into, room);
        must(found <= room);
        c->matches[c->match_count] = found;
        c->topic_match[topic] = c->match_count + 1;
        c->match_count += 1 + found;
    }
    const uint32_t *at = c->matches + c->topic_match[topic] - 1;
    *out_count = at[0];
    return at + 1;
}

static void feed(struct core *c, uint32_t handle, const struct block *block, uint32_t index)
{
    struct sub *s = sub_at(c, handle);
    bool once = block->records[index].flags & RECORD_AT_MOST_ONCE;
    bool large = record_is_large(&block->records[index]); /* is sent from the log, in parts */
    if (s->state == SUB_LIVE && !large && has_credit(c, s) && out_has_room(c, 1)) {
        say_event(c, s, block, index);
        return;
    }
    if (once && !s->limited) c->stats.undeliverable++; /* [R-ONCE-3] */
    if (once || s->state != SUB_LIVE) return;
    s->state = SUB_CATCHING; /* falls behind here */
    s->cursor = block->first_position + index;
    activate(c, handle);
}

void subs_committed(struct core *c, struct slot *slot)
{
    const struct block *block = &slot->block;
    if (c->subs.taken == 0) return;
    memset(c->topic_match, 0, block->topic_count * sizeof c->topic_match[0]);
    c->match_count = 0;
    uint32_t tenant = 0, tenant_of = UINT32_MAX;
    for (uint32_t i = 0; i < block->record_count; i++) {
        const struct record *record = &block->records[i];
        if ((record->kind & ~RECORD_MUST_UNDERSTAND) != RECORD_EVENT) continue;
        uint32_t topic = record->topic - 1u, count;
        if (topic != tenant_of) {
            tenant = tenant_find(c, block_topic_tenant(block, topic));
            tenant_of = topic;
        }
        const uint32_t *values = topic_subs(c, block, topic, tenant, &count);
        for (uint32_t k = 0; k < count; k++)
            if (values[k] & SUBSCRIPTION_BIT) feed(c, values[k] & ~SUBSCRIPTION_BIT, block, i);
    }
}

/* ---- catching up ---- */

enum progress { PROGRESS_MORE, PROGRESS_PARKED, PROGRESS_ENDED };

static enum progress park(struct core *c, struct sub *s, bool for_fetch)
{
    s->waits_fetch = for_fetch;
    if (for_fetch) reader_wait(c);
    return PROGRESS_PARKED;
}

static enum progress end_limited(struct core *c, uint32_t handle, bool more)
{
    const struct sub *s = sub_at(c, handle);
    say_ended(c, s->peer, s->id, s->cursor - 1, CODE_OK, more); /* [R-SUB-4] */
    sub_end(c, handle);
    return PROGRESS_ENDED;
}

/* What it had still to be sent has left the window [R-SUB-2]. */
static enum progress end_gone(struct core *c, uint32_t handle)
{
    const struct sub *s = sub_at(c, handle);
    say_ended(c, s->peer, s->id, s->cursor - 1, CODE_GONE, false);
    sub_end(c, handle);
    return PROGRESS_ENDED;
}

/* Backwards from the head, block by block, until `left` matches lie at or after the cursor. */
static enum progress seek_last(struct core *c, uint32_t handle)
{
    struct sub *s = sub_at(c, handle);
    while (s->left > 0 && s->cursor > 1) {
        bool end;
        struct slot *slot = blocks_find_before(c, s->cursor - 1, &end);
        if (end) break;
        if (!slot) return park(c, s, true);
        const struct block *block = &slot->block;
        uint64_t last = block_last_position(block);
        if (s->cursor - 1 < last) last = s->cursor - 1;
        while (s->left > 0 && last >= block->first_position) {
            if (record_matches(c, block, (uint32_t)(last - block->first_position), handle | SUBSCRIPTION_BIT)) s->left--;
            s->cursor = last--;
        }
        if (c->scan_budget == 0) return PROGRESS_MORE;
        c->scan_budget--;
    }
    if (!out_has_room(c, 1)) return PROGRESS_MORE;
    say_subscribed(c, s, false);
    s->state = SUB_CATCHING;
    return PROGRESS_MORE;
}

/* The first event of a time or later. */
static enum progress seek_time(struct core *c, uint32_t handle)
{
    struct sub *s = sub_at(c, handle);
    switch (reader_seek(c, &s->seek)) {
    case SCAN_WAIT:
        return park(c, s, true);
    case SCAN_LATER:
        return PROGRESS_MORE;
    default:
        break;
    }
    if (!out_has_room(c, 1)) return PROGRESS_MORE;
    s->cursor = s->seek.low < c->trimmed_below ? c->trimmed_below : s->seek.low;
    say_subscribed(c, s, false);
    s->state = SUB_CATCHING;
    return PROGRESS_MORE;
}

/* Sends the event at the cursor. */
static void pass(struct core *c, struct sub *s, const struct block *block, uint32_t index)
{
    s->cursor = block->first_position + index + 1;
    say_event(c, s, block, index);
    if (s->limited) s->limit--;
}

/* One that its peer does not take goes without its data [R-PART-7]. */
static enum progress catch_up_large(struct core *c, uint32_t handle, const struct block *block, uint32_t index)
{
    struct sub *s = sub_at(c, handle);
    uint32_t size = transfer_size(c, block, index);
    if (size == 0) {
        s->cursor++;
        return end_gone(c, handle);
    }
    if (size > peer_at(c, s->peer)->max_event_bytes) {
        pass(c, s, block, index);
        return PROGRESS_MORE;
    }
    s->waits_transfer = !transfer_is_possible(c, s->peer, size);
    if (!s->waits_transfer) transfer_sub(c, handle, block, index);
    return park(c, s, false);
}

void sub_large(struct core *c, uint32_t handle, const struct block *block, uint32_t index)
{
    pass(c, sub_at(c, handle), block, index);
    activate(c, handle);
}

void sub_gone(struct core *c, uint32_t handle)
{
    struct sub *s = sub_at(c, handle);
    say_ended(c, s->peer, s->id, s->cursor, CODE_GONE, false); /* the event too: a subscription from before it would come to it again */
    sub_end(c, handle);
}

void sub_next_large(struct core *c, uint32_t handle)
{
    struct sub *s = sub_at(c, handle);
    if (s->waits_transfer) activate(c, handle);
    s->waits_transfer = false;
}

static enum progress catch_up_one(struct core *c, uint32_t handle)
{
    struct sub *s = sub_at(c, handle);
    s->waits_transfer = false; /* it may wait for something else from here on */
    if (s->transfer) return park(c, s, false);
    if (s->limited && s->limit == 0) return end_limited(c, handle, s->cursor <= s->end);
    if (s->cursor < c->trimmed_below) return end_gone(c, handle);
    if (!has_credit(c, s)) {
        struct lane *lane = lane_at(c, s->lane);
        lane->awaited = lane->awaited || !lane_has_credit(lane);
        return park(c, s, false);
    }
    if (!out_has_room(c, 4)) return PROGRESS_MORE;
    struct reader reader = { .cursor = s->cursor, .end = s->end };
    struct slot *slot;
    uint32_t index;
    enum scan scan = reader_next(c, &reader, handle | SUBSCRIPTION_BIT, ANY_LEVEL, &slot, &index);
    s->cursor = reader.cursor;
    if (scan == SCAN_WAIT) return park(c, s, true);
    if (scan == SCAN_LATER) return PROGRESS_MORE;
    if (scan == SCAN_END) {
        if (s->limited) return end_limited(c, handle, false);
        s->state = SUB_LIVE;
        s->cursor = c->head + 1;
        struct item *item = out_item(c, s->peer, ITEM_CAUGHT_UP); /* [R-SUB-3] */
        item->a = s->id;
        item->b = c->head;
        return PROGRESS_PARKED;
    }
    if (record_is_large(&slot->block.records[index])) return catch_up_large(c, handle, &slot->block, index);
    pass(c, s, &slot->block, index);
    return PROGRESS_MORE;
}

static enum progress visit(struct core *c, uint32_t handle)
{
    for (uint32_t i = 0; i < EVENTS_PER_VISIT; i++) {
        enum sub_state state = sub_at(c, handle)->state;
        enum progress progress = state == SUB_SEEKING_LAST   ? seek_last(c, handle)
                                 : state == SUB_SEEKING_TIME ? seek_time(c, handle)
                                                             : catch_up_one(c, handle);
        if (progress != PROGRESS_MORE) return progress;
    }
    return PROGRESS_MORE;
}

void subs_catch_up(struct core *c)
{
    for (bool again = true; again && out_has_room(c, 4 * EVENTS_PER_VISIT) && c->scan_budget > 0;) {
        again = false;
        for (uint32_t left = c->catching_count; left > 0 && c->catching.first && out_has_room(c, EVENTS_PER_VISIT); left--) {
            uint32_t handle = c->catching.first;
            enum progress progress = visit(c, handle);
            if (progress == PROGRESS_ENDED) continue;
            deactivate(c, handle);
            again = again || progress == PROGRESS_MORE;
            if (progress == PROGRESS_MORE)
                activate(c, handle); /* behind the others */
            else if (sub_at(c, handle)->waits_fetch)
                list_put_last(&c->waiting, OF_QUEUE, handle);
        }
    }
}

void subs_wake_waiting(struct core *c)
{
    for (uint32_t h; (h = c->waiting.first) != 0;) {
        list_take_out(&c->waiting, OF_QUEUE, h);
        sub_at(c, h)->waits_fetch = false;
        activate(c, h);
    }
}

void subs_credit(struct core *c, uint32_t peer, struct lane *lane, const struct msg_credit *credit)
{
    if (credit->events > lane->event_limit_events) lane->event_limit_events = credit->events;
    if (credit->bytes > lane->event_limit_bytes) lane->event_limit_bytes = credit->bytes;
    if (!lane->awaited) return; /* a gateway has many subscriptions, and gives credit often */
    lane->awaited = false;
    for (uint32_t h = peer_at(c, peer)->subscriptions.first; h; h = sub_at(c, h)->of_peer.next) {
        struct sub *s = sub_at(c, h);
        if (s->lane == lane->self && s->state != SUB_LIVE && !s->waits_fetch) activate(c, h);
    }
}

void sub_own_credit(struct core *c, uint32_t peer, uint64_t id, uint64_t events)
{
    uint32_t handle = sub_find(c, peer, id);
    if (!handle) return; /* it has just ended */
    struct sub *s = sub_at(c, handle);
    if (events > s->credit_events) s->credit_events = events;
    if (s->state != SUB_LIVE && !s->waits_fetch) activate(c, handle);
}
