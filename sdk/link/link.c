/* The link's memory, its inputs and its one output. What each message means stands in the file of its subject; here is only who is called
 * when. The order inside a packet is the order of field numbers [R-WIRE-3], taken and made alike. */
#include "sdk/link/state.h"

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static uint64_t power_of_two(uint64_t at_least)
{
    uint64_t size = 1;
    while (size < at_least)
        size *= 2;
    return size;
}

static struct link_options fill_defaults(const struct link_options *given)
{
    struct link_options o = *given;
    bool gateway = o.role == ROLE_GATEWAY, worker = o.role == ROLE_WORKER, publishes = o.publisher.size != 0;
    o.publish_window = publishes ? or_default(o.publish_window, WINDOW_MAX) : 1;
    o.publish_bytes = publishes ? or_default(o.publish_bytes, 32 << 20) : EVENT_BYTES_MAX;
    if (o.publish_bytes < 4 * EVENT_BYTES_MAX) o.publish_bytes = 4 * EVENT_BYTES_MAX;
    o.event_bytes_max = or_default(o.event_bytes_max, 8 << 20);
    o.deliveries_credit = worker ? or_default(o.deliveries_credit, 64) : 0;
    if (o.deliveries_credit_bytes == 0) o.deliveries_credit_bytes = 32 << 20;
    o.events_credit = or_default(o.events_credit, 4096);
    if (o.events_credit_bytes == 0) o.events_credit_bytes = 32 << 20;
    o.tenants_max = or_default(o.tenants_max, gateway ? 64 : 1);
    o.subscriptions_max = or_default(o.subscriptions_max, 64);
    o.queries_max = or_default(o.queries_max, 8);
    o.cancels_max = or_default(o.cancels_max, 64);
    o.partial_bytes = worker ? or_default(o.partial_bytes, 256 << 10) : 0;
    o.unstarted_ms = or_default(o.unstarted_ms, 60000);
    o.backoff_min_ms = or_default(o.backoff_min_ms, 100);
    o.backoff_max_ms = or_default(o.backoff_max_ms, 10000);
    must(o.publish_window <= WINDOW_MAX && o.deliveries_credit <= WINDOW_MAX && o.tenants_max < UINT16_MAX);
    must(o.event_bytes_max <= EVENT_LARGE_BYTES_MAX);
    must(o.instance.size == INSTANCE_BYTES && (!publishes || o.publisher.size == PUBLISHER_BYTES));
    return o;
}

/* Hands out parts of one region; with base NULL only measures. */
struct carver {
    uint8_t *base;
    size_t used;
};

static void *carve(struct carver *carver, size_t count, size_t size)
{
    size_t at = carver->used;
    carver->used += (count * size + 15) & ~(size_t)15;
    return carver->base != NULL ? carver->base + at : NULL;
}

static struct span copy_span(struct carver *carver, struct span text)
{
    uint8_t *copy = carve(carver, text.size, 1);
    if (copy != NULL && text.size != 0) memcpy(copy, text.data, text.size);
    return span_of(copy, text.size);
}

static void carve_texts(struct link_options *o, struct carver *carver)
{
    struct span *filters = carve(carver, o->group.filter_count, sizeof *filters);
    for (size_t i = 0; i < o->group.filter_count; i++) {
        struct span copy = copy_span(carver, o->group.filters[i]);
        if (filters != NULL) filters[i] = copy;
    }
    o->group.filters = filters;
    o->group.name = copy_span(carver, o->group.name);
    o->group.options.limit_by = copy_span(carver, o->group.options.limit_by);
    o->name = copy_span(carver, o->name);
    o->tenant = copy_span(carver, o->tenant);
    o->credential = copy_span(carver, o->credential);
    o->instance = copy_span(carver, o->instance);
    o->publisher = copy_span(carver, o->publisher);
}

static uint32_t slots_of(uint32_t credit)
{
    uint32_t ahead = credit < SETTLES_AHEAD_MOST / 4 ? credit * 4 : SETTLES_AHEAD_MOST;
    return credit != 0 ? credit + (ahead > SETTLES_AHEAD ? ahead : SETTLES_AHEAD) : 0;
}

uint32_t link_slots(const struct link_options *options)
{
    return options->role == ROLE_WORKER ? slots_of(or_default(options->deliveries_credit, 64)) : 0;
}

/* The data, rounded up to whole parts, and the event that comes after it with the places of its parts. */
static size_t assembly_room(const struct link_options *o)
{
    uint32_t count = parts_count(o->event_bytes_max);
    return PARTS_FRONT + (size_t)count * PART_BYTES + EVENT_BYTES_MAX + parts_field_bound(count);
}

static void lay_out(struct link *link, struct carver *carver)
{
    struct link_options *o = &link->options;
    struct publishing *p = &link->publishing;
    struct leasing *l = &link->leasing;
    carve_texts(o, carver);
    p->window = o->publish_window;
    p->mask = (uint32_t)power_of_two(p->window) - 1;
    p->bytes_size = power_of_two(o->publish_bytes);
    p->entries = carve(carver, (size_t)p->mask + 1, sizeof *p->entries);
    p->bytes = carve(carver, p->bytes_size, 1);
    l->slots = slots_of(o->deliveries_credit);
    l->settle_mask = (uint32_t)power_of_two(l->slots) - 1;
    l->held = carve(carver, (size_t)l->slots + 1, sizeof *l->held);
    l->by_lease.slots = carve(carver, l->slots != 0 ? map_memory(l->slots) : 0, 1);
    l->scratch = carve(carver, l->slots, sizeof *l->scratch);
    l->settles = carve(carver, (size_t)l->settle_mask + 1, sizeof *l->settles);
    l->extends = carve(carver, l->slots, sizeof *l->extends);
    l->releases = carve(carver, (size_t)l->slots * 2, sizeof *l->releases);
    link->partials.size = o->partial_bytes != 0 ? power_of_two(o->partial_bytes) : 0;
    link->partials.bytes = carve(carver, link->partials.size, 1);
    link->assembling.data_max = o->event_bytes_max > EVENT_BYTES_MAX ? o->event_bytes_max : 0;
    link->assembling.room = carve(carver, link->assembling.data_max != 0 ? assembly_room(o) : 0, 1);
    link->tenants = carve(carver, o->tenants_max, sizeof *link->tenants);
    link->subscribing.max = o->subscriptions_max;
    link->subscribing.items = carve(carver, (size_t)o->subscriptions_max + 1, sizeof *link->subscribing.items);
    link->subscribing.by_id.slots = carve(carver, map_memory(o->subscriptions_max), 1);
    link->queries = carve(carver, o->queries_max, sizeof *link->queries);
    link->cancels = carve(carver, o->cancels_max, sizeof *link->cancels);
}

size_t link_memory(const struct link_options *options)
{
    struct link probe = { .options = fill_defaults(options) };
    struct carver carver = { NULL, 0 };
    carve(&carver, 1, sizeof(struct link));
    lay_out(&probe, &carver);
    return carver.used;
}

static void name_inbox(struct link *link)
{
    inbox_name(link->options.instance.data, link->inbox);
    link->terms.inbox = span_of(link->inbox, INBOX_BYTES);
}

struct link *link_init(void *zeroed_memory, const struct link_options *options, uint64_t now_ns)
{
    struct carver carver = { zeroed_memory, 0 };
    struct link *link = carve(&carver, 1, sizeof *link);
    link->options = fill_defaults(options);
    lay_out(link, &carver);
    link->now_ns = now_ns;
    link->random = options->seed;
    link->terms.max_event_bytes = 8 << 20;
    link->terms.large_events = LARGE_MAX;
    link->terms.max_packet_bytes = 256 << 10;
    link->terms.emit_credit_bytes = 1 << 20;
    link->terms.heartbeat_ms = 5000;
    link->terms.lease_ms = 30000;
    name_inbox(link);
    link->publishing.first = link->publishing.next_send = link->publishing.next = 1;
    link->publish_window = link->publishing.window;
    link_lease_init(link);
    link_subscribe_init(link);
    (void)link_tenant_find(link, span_of(NULL, 0), true);
    link->state = LINK_CONNECTING;
    link_want_connection(link);
    return link;
}

void link_tell(struct link *link, const struct link_fact *fact)
{
    must(!link->telling);
    link->telling = true;
    link->options.on_fact(link->options.arg, fact);
    link->telling = false;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t link_random(struct link *link, uint64_t below)
{
    uint64_t z = link->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static void take_answers(struct link *link, const struct packet *packet)
{
    for (size_t i = 0; i < packet->credit_count; i++)
        link_take_credit(link, &packet->credits[i]);
    for (size_t i = 0; i < packet->accepted_count; i++)
        link_take_accepted(link, &packet->accepted[i]);
    for (size_t i = 0; i < packet->refused_count; i++)
        link_take_refused(link, &packet->refused[i]);
    for (size_t i = 0; i < packet->subscribed_count; i++)
        link_take_subscribed(link, &packet->subscribed[i]);
}

static size_t sum(const uint32_t *sizes, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += sizes[i];
    return total;
}

/* The part of the body that the next `size` bytes of columns measure. The codec has checked that all of them add up. */
static struct span next_body(struct span *body, size_t size)
{
    struct span part = span_of(body->data, size);
    must(size <= body->size);
    if (size != 0) *body = span_of(body->data + size, body->size - size);
    return part;
}

static void take_bodies(struct link *link, const struct packet *packet)
{
    struct span body = packet->body, deliver = { NULL, 0 };
    for (size_t i = 0; i < packet->publish_count; i++)
        (void)next_body(&body, sum(packet->publishes[i].size, packet->publishes[i].count));
    for (size_t i = 0; i < packet->events_count; i++)
        link_take_events(link, &packet->events[i], next_body(&body, sum(packet->events[i].size, packet->events[i].count)));
    for (size_t i = 0; i < packet->caught_up_count; i++)
        link_take_caught_up(link, &packet->caught_up[i]);
    for (size_t i = 0; i < packet->ended_count; i++)
        link_take_ended(link, &packet->ended[i]);
    if (packet->deliver != NULL) {
        deliver = next_body(&body, sum(packet->deliver->size, packet->deliver->count));
        link_take_deliver(link, packet->deliver, deliver);
    }
    for (size_t i = 0; i < packet->settled_count; i++)
        link_take_settled(link, &packet->settled[i]);
    if (packet->revoke != NULL) link_take_revoke(link, packet->revoke);
    if (packet->settle != NULL) (void)next_body(&body, sum(packet->settle->emit_size, packet->settle->emit_count));
    for (size_t i = 0; i < packet->partial_count; i++)
        link_take_partial(link, &packet->partials[i], next_body(&body, packet->partials[i].size));
    for (size_t i = 0; i < packet->part_count; i++)
        link_take_part(link, &packet->parts[i], next_body(&body, packet->parts[i].size));
}

static void take_drain(struct link *link, const struct msg_drain *drain)
{
    uint32_t wait_ms = (uint32_t)link_random(link, (uint64_t)drain->reconnect_ms + 1);
    link->leasing.left = link->leasing.leave_said; /* the answer; or the coordinator leaves too, then nothing is delivered either */
    if (link->leasing.left || link->drain_ns != 0) return;
    link->drain_ns = link->now_ns + wait_ms * NS_PER_MS + 1; /* [R-DRAIN-1] */
    link_tell(link, &(struct link_fact){ .kind = LINK_FACT_DRAIN, .drain_ms = wait_ms });
}

static void note_head(struct link *link, uint64_t seq)
{
    if (seq > link->known_head) link->known_head = seq;
}

/* Not of cursors: a subscription's may be what somebody has asked for, above the head. */
static void note_heads(struct link *link, const struct packet *packet)
{
    if (packet->welcome != NULL) note_head(link, packet->welcome->head);
    for (size_t i = 0; i < packet->accepted_count; i++)
        note_head(link, packet->accepted[i].first_seq);
    for (size_t i = 0; i < packet->events_count; i++)
        if (packet->events[i].count != 0) note_head(link, packet->events[i].seq[packet->events[i].count - 1]);
}

void link_packet(struct link *link, uint64_t now_ns, const struct packet *packet)
{
    link->now_ns = now_ns;
    if (link->state != LINK_GREETING && link->state != LINK_UP) return; /* a connection that is not wanted any more still talks */
    link->heard_ns = now_ns;
    if (packet->welcome != NULL && link->state == LINK_GREETING) link_take_welcome(link, packet->welcome);
    for (size_t i = 0; i < packet->error_count; i++) {
        link_take_error(link, &packet->errors[i]);
        if (link->state != LINK_GREETING && link->state != LINK_UP) return;
    }
    if (link->state != LINK_UP) return;
    note_heads(link, packet);
    take_answers(link, packet);
    take_bodies(link, packet);
    for (size_t i = 0; link->state == LINK_UP && i < packet->cancel_count; i++)
        link_take_cancel(link, &packet->cancels[i]);
    for (size_t i = 0; i < packet->answer_count; i++)
        link_take_answer(link, &packet->answers[i]);
    if (packet->drain != NULL && link->state == LINK_UP) take_drain(link, packet->drain);
}

static uint64_t silence_ns(const struct link *link)
{
    return 3 * (uint64_t)link->terms.heartbeat_ms * NS_PER_MS; /* [R-BEAT-2] */
}

void link_tick(struct link *link, uint64_t now_ns)
{
    link->now_ns = now_ns;
    switch (link->state) {
    case LINK_STOPPED:
        break;
    case LINK_WAITING:
        if (now_ns >= link->wake_ns) link_resume(link, now_ns);
        break;
    case LINK_CONNECTING:
        if (now_ns >= link->wake_ns) link_retry(link, CODE_TIMEOUT, 0, span_text("no connection could be made"));
        break;
    case LINK_GREETING:
    case LINK_UP:
        if (now_ns >= link->heard_ns + silence_ns(link))
            link_retry(link, CODE_TIMEOUT, 0, span_text("the coordinator was silent for three heartbeats"));
        else if (link->drain_ns != 0 && now_ns >= link->drain_ns)
            link_retry(link, CODE_DRAINING, 0, span_text("the coordinator is leaving"));
        else
            link_lease_tick(link);
        break;
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t link_deadline_ns(const struct link *link)
{
    uint64_t deadline;
    if (link->state == LINK_STOPPED) return UINT64_MAX;
    if (link->state == LINK_WAITING || link->state == LINK_CONNECTING) return link->wake_ns;
    deadline = earlier(link->heard_ns + silence_ns(link), link->sent_ns + link->terms.heartbeat_ms * NS_PER_MS);
    if (link->state != LINK_UP) return deadline;
    deadline = earlier(deadline, link_lease_deadline_ns(link));
    deadline = earlier(deadline, link_publish_deadline_ns(link));
    deadline = earlier(deadline, link_settle_deadline_ns(link));
    return link->drain_ns != 0 ? earlier(deadline, link->drain_ns) : deadline;
}

void *link_take(struct flush *flush, size_t count, size_t size)
{
    void *memory = arena_take_zeroed(flush->arena, count != 0 ? count : 1, size);
    must(memory != NULL); /* LINK_FLUSH_ARENA is chosen for the largest packet */
    return memory;
}

void *link_take_raw(struct flush *flush, size_t count, size_t size)
{
    void *memory = arena_take(flush->arena, count * size);
    must(memory != NULL);
    return memory;
}

void link_add_piece(struct flush *flush, struct span piece)
{
    struct packet *packet = flush->packet;
    struct span *last = packet->piece_count != 0 ? &flush->pieces[packet->piece_count - 1] : NULL;
    flush->room -= piece.size <= flush->room ? piece.size : flush->room;
    if (last != NULL && last->data + last->size == piece.data) {
        last->size += piece.size;
        return;
    }
    must(packet->piece_count < flush->pieces_max);
    flush->pieces[packet->piece_count++] = piece;
}

bool link_flush(struct link *link, uint64_t now_ns, struct arena *arena, struct packet **out_packet)
{
    struct flush flush = { .arena = arena, .pieces_max = FLUSH_PIECES_MAX, .room = link->terms.max_packet_bytes };
    link->now_ns = now_ns;
    if (link->state != LINK_GREETING && link->state != LINK_UP) return false;
    flush.packet = link_take(&flush, 1, sizeof *flush.packet);
    flush.pieces = link_take_raw(&flush, flush.pieces_max, sizeof *flush.pieces);
    flush.packet->pieces = flush.pieces;
    if (link->state == LINK_GREETING) {
        link_flush_hello(link, &flush);
    } else {
        link_flush_credit(link, &flush);
        link_flush_publish(link, &flush);
        link_flush_subscribe(link, &flush);
        link_flush_settle(link, &flush);
        link_flush_leases(link, &flush);
        link_flush_partials(link, &flush);
        link_flush_ask(link, &flush);
        link_flush_parts(link, &flush);
    }
    if (!flush.any && link->hello_sent && now_ns >= link->sent_ns + link->terms.heartbeat_ms * NS_PER_MS) {
        struct msg_heartbeat *heartbeat = link_take(&flush, 1, sizeof *heartbeat);
        heartbeat->echo = now_ns;
        flush.packet->heartbeat = heartbeat; /* [R-BEAT-1] */
        flush.any = true;
    }
    if (!flush.any) return false;
    link->sent_ns = now_ns;
    *out_packet = flush.packet;
    return true;
}

const struct link_terms *link_terms(const struct link *link)
{
    return &link->terms;
}

enum link_state link_state(const struct link *link)
{
    return link->state;
}

uint32_t link_connection(const struct link *link)
{
    return link->connection;
}
