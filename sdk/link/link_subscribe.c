/* Subscriptions: a slot each, opened again after a lost connection from the last event seen, so that the user sees each event once and in
 * order [R-SUB-2]. Own credit is counted over the subscription's life here, and from its (last) opening on the wire. */
#include "sdk/link/state.h"

void link_subscribe_init(struct link *link)
{
    map_init(&link->subscribing.by_id, link->subscribing.by_id.slots, link->subscribing.max);
}

static struct subscription *find(struct link *link, uint64_t id)
{
    uint32_t at = map_get(&link->subscribing.by_id, id);
    return at != 0 ? &link->subscribing.items[at] : NULL;
}

static uint32_t take_slot(struct subscribing *s)
{
    uint32_t at = s->free;
    if (at != 0)
        s->free = s->items[at].next_free;
    else if (s->touched < s->max)
        at = ++s->touched;
    return at;
}

/* What waits on the wire is counted, so that a flush with nothing to say does not walk the table. */
static void become(struct subscribing *s, struct subscription *sub, uint8_t state)
{
    bool waited = sub->state == SUBSCRIPTION_NEW || sub->state == SUBSCRIPTION_CLOSING;
    bool waits = state == SUBSCRIPTION_NEW || state == SUBSCRIPTION_CLOSING;
    s->unsent = s->unsent + waits - waited;
    sub->state = state;
}

static void set_grant_waits(struct subscribing *s, struct subscription *sub, bool waits)
{
    s->grants = s->grants + waits - sub->grant_waits;
    sub->grant_waits = waits;
}

static void free_slot(struct link *link, struct subscription *sub)
{
    struct subscribing *s = &link->subscribing;
    set_grant_waits(s, sub, false);
    become(s, sub, SUBSCRIPTION_FREE);
    (void)map_remove(&s->by_id, sub->id);
    sub->next_free = s->free;
    s->free = (uint32_t)(sub - s->items);
}

static void tell_ended(struct link *link, struct subscription *sub, uint32_t code, bool more, struct span message)
{
    struct link_fact fact = { .kind = LINK_FACT_ENDED };
    fact.subscription.id = sub->id;
    fact.subscription.cursor = sub->cursor;
    fact.subscription.code = code;
    fact.subscription.more = more;
    fact.subscription.message = message;
    link_part_ended(link, 0, sub->id);
    free_slot(link, sub);
    link_tell(link, &fact);
}

enum link_result link_subscribe(struct link *link, const struct link_subscription *wanted)
{
    struct subscribing *s = &link->subscribing;
    struct subscription *sub;
    uint32_t tenant = link_tenant_find(link, wanted->tenant, true), at;
    must(!link->telling && wanted->id != 0 && find(link, wanted->id) == NULL);
    if (wanted->filter.size > NAME_BYTES_MAX || wanted->epoch.size > EPOCH_BYTES) return LINK_TOO_LARGE;
    if (link->state == LINK_STOPPED) return LINK_IS_STOPPED;
    at = tenant != UINT32_MAX ? take_slot(s) : 0;
    if (at == 0) return LINK_FULL;
    sub = &s->items[at];
    *sub = (struct subscription){
        .id = wanted->id,
        .start = wanted->start,
        .start_at = wanted->start_at,
        .limit = wanted->limit,
        .granted = wanted->credit_events,
        .own_credit = wanted->credit_events != 0,
        .tenant = (uint16_t)tenant,
        .filter_size = (uint8_t)wanted->filter.size,
        .epoch_size = (uint8_t)wanted->epoch.size,
    };
    memcpy(sub->filter, wanted->filter.data, wanted->filter.size);
    if (wanted->epoch.size != 0) memcpy(sub->epoch, wanted->epoch.data, wanted->epoch.size);
    must(map_put(&s->by_id, sub->id, at));
    become(s, sub, SUBSCRIPTION_NEW);
    link->tenants[tenant].subscribed = true;
    return LINK_OK;
}

enum link_result link_unsubscribe(struct link *link, uint64_t id)
{
    struct subscription *sub = find(link, id);
    must(!link->telling);
    if (sub == NULL) return LINK_UNKNOWN;
    if (sub->state != SUBSCRIPTION_CLOSED) become(&link->subscribing, sub, SUBSCRIPTION_CLOSING);
    return LINK_OK;
}

enum link_result link_grant(struct link *link, uint64_t id, uint64_t events)
{
    struct subscription *sub = find(link, id);
    must(!link->telling);
    if (sub == NULL || !sub->own_credit) return LINK_UNKNOWN;
    sub->granted += events;
    if (sub->state == SUBSCRIPTION_OPENING || sub->state == SUBSCRIPTION_OPEN) set_grant_waits(&link->subscribing, sub, true);
    return LINK_OK;
}

void link_subscribe_forget_connection(struct link *link)
{
    struct subscribing *s = &link->subscribing;
    for (uint32_t i = 1; i <= s->touched; i++) {
        struct subscription *sub = &s->items[i];
        if (sub->state == SUBSCRIPTION_FREE) continue;
        set_grant_waits(s, sub, false);
        if (sub->state == SUBSCRIPTION_CLOSING || sub->state == SUBSCRIPTION_CLOSED)
            tell_ended(link, sub, CODE_OK, false, span_of(NULL, 0)); /* the connection has closed it */
        else if (sub->limit != 0 && sub->received >= sub->limit)
            tell_ended(link, sub, CODE_OK, true, span_of(NULL, 0));
        else
            become(s, sub, SUBSCRIPTION_NEW);
    }
}

void link_subscribe_stop(struct link *link, uint32_t code, struct span message)
{
    struct subscribing *s = &link->subscribing;
    for (uint32_t i = 1; i <= s->touched; i++)
        if (s->items[i].state != SUBSCRIPTION_FREE) tell_ended(link, &s->items[i], code, false, message);
}

/* -- packets -- */

void link_take_subscribed(struct link *link, const struct msg_subscribed *subscribed)
{
    struct subscription *sub = find(link, subscribed->subscription);
    struct link_fact fact = { .kind = LINK_FACT_SUBSCRIBED };
    if (sub == NULL || (sub->state != SUBSCRIPTION_OPENING && sub->state != SUBSCRIPTION_CLOSING && sub->state != SUBSCRIPTION_CLOSED))
        return;
    sub->cursor = subscribed->cursor;
    sub->has_cursor = true;
    memcpy(sub->epoch, link->terms.epoch, EPOCH_BYTES);
    sub->epoch_size = EPOCH_BYTES;
    if (sub->state != SUBSCRIPTION_OPENING) return;
    become(&link->subscribing, sub, SUBSCRIPTION_OPEN);
    fact.subscription.id = sub->id;
    fact.subscription.cursor = sub->cursor;
    fact.subscription.gap = subscribed->gap != 0;
    fact.subscription.resumed = sub->resumed;
    sub->resumed = true;
    link_tell(link, &fact);
}

struct link_tenant *link_subscription_tenant(struct link *link, uint64_t id)
{
    const struct subscription *sub = find(link, id);
    return sub != NULL ? &link->tenants[sub->tenant] : NULL;
}

/* Events [begin, end) of the message, whose bytes are body. */
static void tell_events(struct link *link, struct subscription *sub, const struct msg_events *events, size_t begin, size_t end,
                        struct span body, const uint32_t *size)
{
    struct link_tenant *tenant = &link->tenants[sub->tenant];
    struct link_fact fact = { .kind = LINK_FACT_EVENTS };
    if (begin == end) return;
    sub->received += end - begin;
    sub->cursor = events->seq[end - 1];
    tenant->events_held += end - begin;
    tenant->events_held_bytes += body.size;
    fact.events.id = sub->id;
    fact.events.seq = events->seq + begin;
    fact.events.time_ms = events->time_ms + begin;
    fact.events.cause = events->cause != NULL ? events->cause + begin : NULL;
    fact.events.first = events->first != NULL ? events->first + begin : NULL;
    fact.events.size = size;
    fact.events.count = end - begin;
    fact.events.body = body;
    link_tell(link, &fact);
}

void link_take_events(struct link *link, const struct msg_events *events, struct span body)
{
    struct subscription *sub = find(link, events->subscription);
    struct link_tenant *tenant;
    size_t begin = 0, at;
    const uint8_t *from = body.data, *to;
    if (sub == NULL || events->count == 0) return;
    tenant = &link->tenants[sub->tenant];
    tenant->events_received += events->count;
    tenant->events_received_bytes += body.size;
    if (sub->state != SUBSCRIPTION_OPEN) return; /* being closed: nobody holds them, so their credit is free again at once */
    for (; begin < events->count && events->seq[begin] <= sub->cursor; begin++)
        from += events->size[begin]; /* seen before [R-SUB-2] */
    if (link->assembling.count == 0 || link->assembling.subscription != sub->id) {
        tell_events(link, sub, events, begin, events->count, span_of(from, (size_t)(body.data + body.size - from)), events->size + begin);
        return;
    }
    for (at = begin, to = from; at < events->count; at++) {
        uint64_t data_size;
        struct span event = span_of(to, events->size[at]);
        struct span whole = link_part_join(link, 0, sub->id, events->seq[at], event, &data_size);
        to += event.size;
        if (whole.size == 0) continue;
        uint32_t size = (uint32_t)whole.size;
        tell_events(link, sub, events, begin, at, span_of(from, (size_t)(event.data - from)), events->size + begin);
        tenant->events_held_bytes -= data_size; /* it is in the whole */
        tell_events(link, sub, events, at, at + 1, whole, &size);
        begin = at + 1;
        from = to;
    }
    tell_events(link, sub, events, begin, events->count, span_of(from, (size_t)(to - from)), events->size + begin);
}

void link_take_caught_up(struct link *link, const struct msg_caught_up *caught_up)
{
    struct subscription *sub = find(link, caught_up->subscription);
    struct link_fact fact = { .kind = LINK_FACT_CAUGHT_UP };
    if (sub == NULL || sub->state != SUBSCRIPTION_OPEN) return;
    if (caught_up->cursor > sub->cursor) sub->cursor = caught_up->cursor;
    fact.subscription.id = sub->id;
    fact.subscription.cursor = sub->cursor;
    link_tell(link, &fact);
}

void link_take_ended(struct link *link, const struct msg_ended *ended)
{
    struct subscription *sub = find(link, ended->subscription);
    if (sub == NULL || sub->state == SUBSCRIPTION_NEW) return;
    if (ended->cursor > sub->cursor) sub->cursor = ended->cursor;
    tell_ended(link, sub, ended->code, ended->more != 0, span_of(NULL, 0));
}

bool link_take_subscribe_error(struct link *link, const struct msg_error *error)
{
    struct subscription *sub = find(link, error->id);
    if (sub == NULL || sub->state == SUBSCRIPTION_NEW) return false;
    tell_ended(link, sub, error->code, false, error->message);
    return true;
}

/* -- sending -- */

static uint64_t own_left(const struct subscription *sub)
{
    return sub->granted > sub->received ? sub->granted - sub->received : 0;
}

/* Requests that are on their way with the first `subscribe` of their inbox may be answered before it is heard that it was taken. If that is
 * lost, the inbox is opened again from what was known of the log when it was asked for [R-SUB-9]. */
static void keep_place_of_inbox(const struct link *link, struct subscription *sub)
{
    static const char inbox[] = "$inbox.";
    size_t size = sizeof inbox - 1;
    if (sub->has_cursor || sub->start != START_NEW || sub->filter_size < size || memcmp(sub->filter, inbox, size) != 0) return;
    sub->cursor = link->known_head;
    sub->has_cursor = true;
    memcpy(sub->epoch, link->terms.epoch, EPOCH_BYTES);
    sub->epoch_size = EPOCH_BYTES;
}

static void add_subscribe(struct link *link, struct subscription *sub, struct msg_subscribe *message)
{
    bool again = sub->has_cursor;
    *message = (struct msg_subscribe){
        .subscription = sub->id,
        .tenant = link->options.role == ROLE_GATEWAY ? link_tenant_name(link, sub->tenant) : span_of(NULL, 0),
        .filter = span_of(sub->filter, sub->filter_size),
        .start = again ? START_SEQ : sub->start,
        .start_at = again ? sub->cursor : sub->start_at,
        .epoch = span_of(sub->epoch, sub->epoch_size),
        .limit = sub->limit != 0 ? sub->limit - sub->received : 0,
        .credit_events = sub->own_credit ? own_left(sub) : 0,
    };
    sub->granted_base = sub->received;
    become(&link->subscribing, sub, SUBSCRIPTION_OPENING);
    keep_place_of_inbox(link, sub);
}

/* With own credit of which nothing is left a subscription waits for link_grant: 0 on the wire would mean "none of its own". */
static bool may_open(const struct subscription *sub)
{
    return sub->state == SUBSCRIPTION_NEW && (!sub->own_credit || own_left(sub) != 0);
}

void link_flush_subscribe(struct link *link, struct flush *flush)
{
    struct subscribing *s = &link->subscribing;
    struct msg_subscribe *opens;
    struct msg_unsubscribe *closes;
    size_t open = 0, closed = 0;
    if (s->unsent == 0) return;
    opens = link_take(flush, SUBSCRIBES_PER_PACKET, sizeof *opens);
    closes = link_take(flush, SUBSCRIBES_PER_PACKET, sizeof *closes);
    for (uint32_t i = 1; i <= s->touched && open < SUBSCRIBES_PER_PACKET && closed < SUBSCRIBES_PER_PACKET; i++) {
        struct subscription *sub = &s->items[i];
        if (may_open(sub)) {
            add_subscribe(link, sub, &opens[open++]);
        } else if (sub->state == SUBSCRIPTION_CLOSING) {
            closes[closed++].subscription = sub->id;
            become(s, sub, SUBSCRIPTION_CLOSED);
        }
    }
    flush->packet->subscribes = opens;
    flush->packet->subscribe_count = open;
    flush->packet->unsubscribes = closes;
    flush->packet->unsubscribe_count = closed;
    flush->any = flush->any || open + closed != 0;
}

void link_flush_grants(struct link *link, struct msg_credit *credits, size_t *count)
{
    struct subscribing *s = &link->subscribing;
    size_t told = 0;
    for (uint32_t i = 1; s->grants != 0 && i <= s->touched && told < GRANTS_PER_PACKET; i++) {
        struct subscription *sub = &s->items[i];
        if (!sub->grant_waits) continue;
        set_grant_waits(s, sub, false);
        credits[*count + told++] = (struct msg_credit){
            .kind = CREDIT_EVENTS,
            .tenant = link->options.role == ROLE_GATEWAY ? link_tenant_name(link, sub->tenant) : span_of(NULL, 0),
            .subscription = sub->id,
            .events = sub->granted - sub->granted_base,
            .bytes = UINT64_MAX, /* its bytes are under the tenant's credit */
        };
    }
    *count += told;
}
