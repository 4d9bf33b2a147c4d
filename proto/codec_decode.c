/* Bytes -> packet. protobuf-c unpacks into the caller's arena (its `free` does nothing, the arena goes as a whole), and the packet's
 * columns point at what it unpacked. What a peer may cost is the arena's size: protobuf-c has no limits of its own. Everything that the
 * core would otherwise have to check column by column is checked here: a decoded packet's columns are of equal length, the optional ones
 * absent or of that length, emits add up, and all sizes together are the body. [R-WIRE-2] */
#include "proto/codec_decode.h"

static void check(struct decoder *d, bool fits)
{
    if (!fits && d->result == CODEC_OK) d->result = CODEC_MALFORMED;
}

static void check_optional(struct decoder *d, size_t column, size_t count)
{
    check(d, column == 0 || column == count);
}

static uint64_t sum(const uint32_t *sizes, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += sizes[i];
    return total;
}

static void take_hello(struct decoder *d, const Weir__V1__Hello *from, struct msg_hello *to)
{
    to->protocol = from->protocol;
    to->features = from->features;
    to->role = (uint32_t)from->role;
    to->name = span(from->name);
    to->instance = span(from->instance);
    to->tenant = span(from->tenant);
    to->credential = span(from->credential);
    to->publisher = span(from->publisher);
    to->first_unanswered = from->first_unanswered;
    to->has_group = from->group != NULL;
    if (from->group != NULL) take_group(d, from->group, &to->group);
    to->epoch = span(from->epoch);
    check(d, from->n_held_attempt == from->n_held_seq);
    check_optional(d, from->n_held_priority, from->n_held_seq);
    check_optional(d, from->n_held_first, from->n_held_seq);
    check_optional(d, from->n_held_letter, from->n_held_seq);
    to->held_seq = from->held_seq;
    to->held_attempt = from->held_attempt;
    to->held_priority = from->n_held_priority > 0 ? from->held_priority : NULL;
    to->held_first = from->n_held_first > 0 ? from->held_first : NULL;
    to->held_letter = from->n_held_letter > 0 ? from->held_letter : NULL;
    to->held_generation = from->held_generation;
    to->held_count = from->n_held_seq;
    to->max_packet_bytes = from->max_packet_bytes;
    to->max_event_bytes = from->max_event_bytes;
}

static void take_welcome(struct decoder *d, const Weir__V1__Welcome *from, struct msg_welcome *to)
{
    to->protocol = from->protocol;
    to->features = from->features;
    to->server = span(from->server);
    to->epoch = span(from->epoch);
    to->term = from->term;
    to->peer = from->peer;
    to->tenant = span(from->tenant);
    to->inbox = span(from->inbox);
    to->publisher_known = from->publisher_known;
    to->highest_number = from->highest_number;
    to->max_event_bytes = from->max_event_bytes;
    to->max_packet_bytes = from->max_packet_bytes;
    to->publish_window = from->publish_window;
    to->heartbeat_ms = from->heartbeat_ms;
    to->lease_ms = from->lease_ms;
    to->emit_credit_bytes = from->emit_credit_bytes;
    to->generation = from->generation;
    to->replay = from->replay;
    to->max_deliveries = from->max_deliveries;
    to->large_events = from->large_events;
    to->head = from->head;
    check(d, from->n_kept_attempt == from->n_kept_seq && from->n_kept_lease == from->n_kept_seq);
    to->kept_seq = from->kept_seq;
    to->kept_attempt = from->kept_attempt;
    to->kept_lease = from->kept_lease;
    to->kept_count = from->n_kept_seq;
}

static void take_error(struct decoder *d, const Weir__V1__Error *from, struct msg_error *to)
{
    (void)d;
    *to = (struct msg_error){ (uint32_t)from->code, from->about, from->retry_ms, from->id, span(from->message) };
}

static void take_heartbeat(struct decoder *d, const Weir__V1__Heartbeat *from, struct msg_heartbeat *to)
{
    (void)d;
    to->echo = from->echo;
}

static void take_credit(struct decoder *d, const Weir__V1__Credit *from, struct msg_credit *to)
{
    (void)d;
    *to = (struct msg_credit){ (uint32_t)from->kind, span(from->tenant), from->subscription, from->events, from->bytes };
}

static void take_publish(struct decoder *d, const Weir__V1__Publish *from, struct msg_publish *to)
{
    *to = (struct msg_publish){ span(from->tenant), from->first_number, from->size, from->n_size };
    d->body_size += sum(from->size, from->n_size);
}

static void take_accepted(struct decoder *d, const Weir__V1__Accepted *from, struct msg_accepted *to)
{
    (void)d;
    *to = (struct msg_accepted){ from->first_number, from->first_seq, from->count, from->duplicate };
}

static void take_refused(struct decoder *d, const Weir__V1__Refused *from, struct msg_refused *to)
{
    (void)d;
    *to = (struct msg_refused){ from->first_number, from->count, (uint32_t)from->code, from->retry_ms, span(from->message) };
}

static void take_subscribe(struct decoder *d, const Weir__V1__Subscribe *from, struct msg_subscribe *to)
{
    (void)d;
    to->subscription = from->subscription;
    to->tenant = span(from->tenant);
    to->filter = span(from->filter);
    to->start = (uint32_t)from->start;
    to->start_at = from->start_at;
    to->epoch = span(from->epoch);
    to->limit = from->limit;
    to->credit_events = from->credit_events;
}

static void take_subscribed(struct decoder *d, const Weir__V1__Subscribed *from, struct msg_subscribed *to)
{
    (void)d;
    *to = (struct msg_subscribed){ from->subscription, from->cursor, from->gap };
}

static void take_unsubscribe(struct decoder *d, const Weir__V1__Unsubscribe *from, struct msg_unsubscribe *to)
{
    (void)d;
    to->subscription = from->subscription;
}

static void take_events(struct decoder *d, const Weir__V1__Events *from, struct msg_events *to)
{
    check(d, from->n_time_ms == from->n_seq && from->n_size == from->n_seq);
    check_optional(d, from->n_cause, from->n_seq);
    check_optional(d, from->n_first, from->n_seq);
    to->subscription = from->subscription;
    to->seq = from->seq;
    to->time_ms = from->time_ms;
    to->cause = from->n_cause > 0 ? from->cause : NULL;
    to->first = from->n_first > 0 ? from->first : NULL;
    to->size = from->size;
    to->count = from->n_seq;
    d->body_size += sum(from->size, from->n_size);
}

static void take_caught_up(struct decoder *d, const Weir__V1__CaughtUp *from, struct msg_caught_up *to)
{
    (void)d;
    *to = (struct msg_caught_up){ from->subscription, from->cursor };
}

static void take_ended(struct decoder *d, const Weir__V1__Ended *from, struct msg_ended *to)
{
    (void)d;
    *to = (struct msg_ended){ from->subscription, from->cursor, (uint32_t)from->code, from->more };
}

static void take_deliver(struct decoder *d, const Weir__V1__Deliver *from, struct msg_deliver *to)
{
    size_t count = from->n_lease;
    check(d, from->n_seq == count && from->n_time_ms == count && from->n_attempt == count && from->n_size == count);
    check_optional(d, from->n_cause, count);
    check_optional(d, from->n_first, count);
    check_optional(d, from->n_priority, count);
    check_optional(d, from->n_letter, count);
    to->lease = from->lease;
    to->seq = from->seq;
    to->time_ms = from->time_ms;
    to->cause = from->n_cause > 0 ? from->cause : NULL;
    to->first = from->n_first > 0 ? from->first : NULL;
    to->attempt = from->attempt;
    to->size = from->size;
    to->count = count;
    to->lease_ms = from->lease_ms;
    to->priority = from->n_priority > 0 ? from->priority : NULL;
    to->letter = from->n_letter > 0 ? from->letter : NULL;
    to->generation = from->generation;
    d->body_size += sum(from->size, from->n_size);
}

static void take_settle(struct decoder *d, const Weir__V1__Settle *from, struct msg_settle *to)
{
    size_t count = from->n_lease;
    check(d, from->n_verb == count);
    check_optional(d, from->n_delay_ms, count);
    check_optional(d, from->n_reason, count);
    check_optional(d, from->n_emits, count);
    check(d, sum(from->emits, from->n_emits) == from->n_emit_size);
    to->first_number = from->first_number;
    to->lease = from->lease;
    to->verb = from->verb;
    to->count = count;
    to->delay_ms = from->n_delay_ms > 0 ? from->delay_ms : NULL;
    to->reason = spans(d, from->n_reason, from->reason);
    to->emits = from->n_emits > 0 ? from->emits : NULL;
    to->emit_size = from->emit_size;
    to->emit_count = from->n_emit_size;
    check_optional(d, from->n_emit_parts, from->n_emit_size);
    to->emit_parts = from->n_emit_parts > 0 ? from->emit_parts : NULL;
    d->body_size += sum(from->emit_size, from->n_emit_size);
}

static void take_settled(struct decoder *d, const Weir__V1__Settled *from, struct msg_settled *to)
{
    (void)d;
    *to = (struct msg_settled){ from->first_number, from->count, (uint32_t)from->code };
}

static void take_extend(struct decoder *d, const Weir__V1__Extend *from, struct msg_extend *to)
{
    check(d, from->n_lease_ms == from->n_lease);
    *to = (struct msg_extend){ from->lease, from->lease_ms, from->n_lease };
}

static void take_release(struct decoder *d, const Weir__V1__Release *from, struct msg_release *to)
{
    (void)d;
    *to = (struct msg_release){ from->lease, from->n_lease };
}

static void take_revoke(struct decoder *d, const Weir__V1__Revoke *from, struct msg_revoke *to)
{
    check(d, from->n_code == from->n_lease);
    *to = (struct msg_revoke){ from->lease, from->code, from->n_lease };
}

static void take_partial(struct decoder *d, const Weir__V1__Partial *from, struct msg_partial *to)
{
    to->lease = from->lease;
    to->subscription = from->subscription;
    to->cause = from->cause;
    to->topic = span(from->topic);
    to->attempt = from->attempt;
    to->index = from->index;
    to->size = from->size;
    to->group = from->group;
    d->body_size += from->size;
}

static void take_cancel(struct decoder *d, const Weir__V1__Cancel *from, struct msg_cancel *to)
{
    (void)d;
    *to = (struct msg_cancel){ from->lease, from->seq, span(from->tenant) };
}

static void take_replay(struct decoder *d, const Weir__V1__Replay *from, struct msg_replay *to)
{
    (void)d;
    *to = (struct msg_replay){ span(from->filter), from->from, from->until };
}

static void take_drain(struct decoder *d, const Weir__V1__Drain *from, struct msg_drain *to)
{
    (void)d;
    to->reconnect_ms = from->reconnect_ms;
}

static void take_moved(struct decoder *d, const Weir__V1__Moved *from, struct msg_moved *to)
{
    *to = (struct msg_moved){ spans(d, from->n_endpoints, from->endpoints), from->n_endpoints, from->term };
}

static void take_part(struct decoder *d, const Weir__V1__Part *from, struct msg_part *to)
{
    *to = (struct msg_part){ from->number,       from->lease, from->subscription, from->seq,
                             span(from->tenant), from->index, from->count,        from->size };
    d->body_size += from->size;
}

DEFINE_LIST(hello, Weir__V1__Hello, struct msg_hello)
DEFINE_LIST(welcome, Weir__V1__Welcome, struct msg_welcome)
DEFINE_LIST(error, Weir__V1__Error, struct msg_error)
DEFINE_LIST(heartbeat, Weir__V1__Heartbeat, struct msg_heartbeat)
DEFINE_LIST(credit, Weir__V1__Credit, struct msg_credit)
DEFINE_LIST(publish, Weir__V1__Publish, struct msg_publish)
DEFINE_LIST(accepted, Weir__V1__Accepted, struct msg_accepted)
DEFINE_LIST(refused, Weir__V1__Refused, struct msg_refused)
DEFINE_LIST(subscribe, Weir__V1__Subscribe, struct msg_subscribe)
DEFINE_LIST(subscribed, Weir__V1__Subscribed, struct msg_subscribed)
DEFINE_LIST(unsubscribe, Weir__V1__Unsubscribe, struct msg_unsubscribe)
DEFINE_LIST(events, Weir__V1__Events, struct msg_events)
DEFINE_LIST(caught_up, Weir__V1__CaughtUp, struct msg_caught_up)
DEFINE_LIST(ended, Weir__V1__Ended, struct msg_ended)
DEFINE_LIST(deliver, Weir__V1__Deliver, struct msg_deliver)
DEFINE_LIST(settle, Weir__V1__Settle, struct msg_settle)
DEFINE_LIST(settled, Weir__V1__Settled, struct msg_settled)
DEFINE_LIST(extend, Weir__V1__Extend, struct msg_extend)
DEFINE_LIST(release, Weir__V1__Release, struct msg_release)
DEFINE_LIST(revoke, Weir__V1__Revoke, struct msg_revoke)
DEFINE_LIST(partial, Weir__V1__Partial, struct msg_partial)
DEFINE_LIST(cancel, Weir__V1__Cancel, struct msg_cancel)
DEFINE_LIST(query, Weir__V1__Query, struct msg_query)
DEFINE_LIST(answer, Weir__V1__Answer, struct msg_answer)
DEFINE_LIST(replay, Weir__V1__Replay, struct msg_replay)
DEFINE_LIST(drain, Weir__V1__Drain, struct msg_drain)
DEFINE_LIST(moved, Weir__V1__Moved, struct msg_moved)
DEFINE_LIST(part, Weir__V1__Part, struct msg_part)
DEFINE_LIST(manage, Weir__V1__Manage, struct msg_manage)

/* A message that stands in a packet once is a list of one or none. */
#define TAKE_ONE(name)               to->name = name##_list(d, from->name != NULL, &from->name)
#define TAKE_MANY(name, list, count) (to->list = name##_list(d, from->n_##name, from->name), to->count = from->n_##name)

static void take_packet(struct decoder *d, const Weir__V1__Packet *from, struct packet *to)
{
    TAKE_ONE(hello);
    TAKE_ONE(welcome);
    TAKE_MANY(error, errors, error_count);
    TAKE_ONE(heartbeat);
    TAKE_MANY(credit, credits, credit_count);
    TAKE_MANY(publish, publishes, publish_count);
    TAKE_MANY(accepted, accepted, accepted_count);
    TAKE_MANY(refused, refused, refused_count);
    TAKE_MANY(subscribe, subscribes, subscribe_count);
    TAKE_MANY(subscribed, subscribed, subscribed_count);
    TAKE_MANY(unsubscribe, unsubscribes, unsubscribe_count);
    TAKE_MANY(events, events, events_count);
    TAKE_MANY(caught_up, caught_up, caught_up_count);
    TAKE_MANY(ended, ended, ended_count);
    TAKE_ONE(deliver);
    TAKE_ONE(settle);
    TAKE_MANY(settled, settled, settled_count);
    TAKE_ONE(extend);
    TAKE_ONE(release);
    TAKE_ONE(revoke);
    TAKE_MANY(partial, partials, partial_count);
    TAKE_MANY(cancel, cancels, cancel_count);
    TAKE_MANY(query, queries, query_count);
    TAKE_MANY(answer, answers, answer_count);
    TAKE_ONE(replay);
    TAKE_ONE(drain);
    TAKE_ONE(moved);
    TAKE_MANY(part, parts, part_count);
    TAKE_MANY(manage, manages, manage_count);
    to->unknown_fields = from->base.n_unknown_fields;
}

static void *allocate(void *arg, size_t size)
{
    struct decoder *d = arg;
    void *memory = arena_take(d->arena, size);
    if (memory == NULL) d->result = CODEC_NO_ROOM;
    return memory;
}

static void release_nothing(void *arg, void *memory)
{
    (void)arg;
    (void)memory;
}

enum codec_result codec_decode(struct arena *arena, struct span head, struct span body, struct packet **out_packet)
{
    struct decoder d = { .arena = arena, .result = CODEC_OK };
    ProtobufCAllocator allocator = { .alloc = allocate, .free = release_nothing, .allocator_data = &d };
    const Weir__V1__Packet *unpacked = weir__v1__packet__unpack(&allocator, head.size, head.data);
    if (unpacked == NULL) return d.result == CODEC_OK ? CODEC_MALFORMED : d.result;
    struct packet *packet = take(&d, 1, sizeof *packet);
    if (packet == NULL) return CODEC_NO_ROOM;
    take_packet(&d, unpacked, packet);
    packet->body = body;
    check(&d, d.body_size == body.size);
    if (d.result == CODEC_OK) *out_packet = packet;
    return d.result;
}
