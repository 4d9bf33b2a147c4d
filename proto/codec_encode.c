/* Packet -> bytes. A Weir__V1__Packet is laid out in the caller's arena, its columns and names pointing at the packet's own, and packed
 * behind it. Nothing is checked: a packet to send was made by our own code. */
#include "proto/codec_encode.h"

static void put_hello(struct encoder *e, const struct msg_hello *from, Weir__V1__Hello *to)
{
    to->protocol = from->protocol;
    to->features = from->features;
    to->role = (Weir__V1__Role)from->role;
    to->name = bytes(from->name);
    to->instance = bytes(from->instance);
    to->tenant = bytes(from->tenant);
    to->credential = bytes(from->credential);
    to->publisher = bytes(from->publisher);
    to->first_unanswered = from->first_unanswered;
    to->epoch = bytes(from->epoch);
    to->n_held_seq = to->n_held_attempt = from->held_count;
    to->held_seq = wide(from->held_seq);
    to->held_attempt = narrow(from->held_attempt);
    to->n_held_priority = from->held_priority != NULL ? from->held_count : 0;
    to->held_priority = narrow(from->held_priority);
    to->n_held_first = from->held_first != NULL ? from->held_count : 0;
    to->held_first = wide(from->held_first);
    to->n_held_letter = from->held_letter != NULL ? from->held_count : 0;
    to->held_letter = narrow(from->held_letter);
    to->held_generation = from->held_generation;
    to->max_packet_bytes = from->max_packet_bytes;
    to->max_event_bytes = from->max_event_bytes;
    if (from->has_group) to->group = new_group(e, &from->group);
}

static void put_welcome(struct encoder *e, const struct msg_welcome *from, Weir__V1__Welcome *to)
{
    (void)e;
    to->protocol = from->protocol;
    to->features = from->features;
    to->server = bytes(from->server);
    to->epoch = bytes(from->epoch);
    to->term = from->term;
    to->peer = from->peer;
    to->tenant = bytes(from->tenant);
    to->inbox = bytes(from->inbox);
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
    to->n_kept_seq = to->n_kept_attempt = to->n_kept_lease = from->kept_count;
    to->kept_seq = wide(from->kept_seq);
    to->kept_attempt = narrow(from->kept_attempt);
    to->kept_lease = wide(from->kept_lease);
}

static void put_error(struct encoder *e, const struct msg_error *from, Weir__V1__Error *to)
{
    (void)e;
    to->code = (Weir__V1__ErrorCode)from->code;
    to->message = bytes(from->message);
    to->about = from->about;
    to->id = from->id;
    to->retry_ms = from->retry_ms;
}

static void put_heartbeat(struct encoder *e, const struct msg_heartbeat *from, Weir__V1__Heartbeat *to)
{
    (void)e;
    to->echo = from->echo;
}

static void put_credit(struct encoder *e, const struct msg_credit *from, Weir__V1__Credit *to)
{
    (void)e;
    to->kind = (Weir__V1__CreditKind)from->kind;
    to->tenant = bytes(from->tenant);
    to->subscription = from->subscription;
    to->events = from->events;
    to->bytes = from->bytes;
}

static void put_publish(struct encoder *e, const struct msg_publish *from, Weir__V1__Publish *to)
{
    (void)e;
    to->tenant = bytes(from->tenant);
    to->first_number = from->first_number;
    to->n_size = from->count;
    to->size = narrow(from->size);
}

static void put_accepted(struct encoder *e, const struct msg_accepted *from, Weir__V1__Accepted *to)
{
    (void)e;
    to->first_number = from->first_number;
    to->count = from->count;
    to->first_seq = from->first_seq;
    to->duplicate = from->duplicate;
}

static void put_refused(struct encoder *e, const struct msg_refused *from, Weir__V1__Refused *to)
{
    (void)e;
    to->first_number = from->first_number;
    to->count = from->count;
    to->code = (Weir__V1__ErrorCode)from->code;
    to->retry_ms = from->retry_ms;
    to->message = bytes(from->message);
}

static void put_subscribe(struct encoder *e, const struct msg_subscribe *from, Weir__V1__Subscribe *to)
{
    (void)e;
    to->subscription = from->subscription;
    to->tenant = bytes(from->tenant);
    to->filter = bytes(from->filter);
    to->start = (Weir__V1__Start)from->start;
    to->start_at = from->start_at;
    to->epoch = bytes(from->epoch);
    to->limit = from->limit;
    to->credit_events = from->credit_events;
}

static void put_subscribed(struct encoder *e, const struct msg_subscribed *from, Weir__V1__Subscribed *to)
{
    (void)e;
    to->subscription = from->subscription;
    to->cursor = from->cursor;
    to->gap = from->gap;
}

static void put_unsubscribe(struct encoder *e, const struct msg_unsubscribe *from, Weir__V1__Unsubscribe *to)
{
    (void)e;
    to->subscription = from->subscription;
}

static void put_events(struct encoder *e, const struct msg_events *from, Weir__V1__Events *to)
{
    (void)e;
    to->subscription = from->subscription;
    to->n_seq = to->n_time_ms = to->n_size = from->count;
    to->seq = wide(from->seq);
    to->time_ms = wide(from->time_ms);
    to->size = narrow(from->size);
    to->n_cause = from->cause != NULL ? from->count : 0;
    to->cause = wide(from->cause);
    to->n_first = from->first != NULL ? from->count : 0;
    to->first = wide(from->first);
}

static void put_caught_up(struct encoder *e, const struct msg_caught_up *from, Weir__V1__CaughtUp *to)
{
    (void)e;
    to->subscription = from->subscription;
    to->cursor = from->cursor;
}

static void put_ended(struct encoder *e, const struct msg_ended *from, Weir__V1__Ended *to)
{
    (void)e;
    to->subscription = from->subscription;
    to->code = (Weir__V1__ErrorCode)from->code;
    to->cursor = from->cursor;
    to->more = from->more;
}

static void put_deliver(struct encoder *e, const struct msg_deliver *from, Weir__V1__Deliver *to)
{
    (void)e;
    to->n_lease = to->n_seq = to->n_time_ms = to->n_attempt = to->n_size = from->count;
    to->lease = wide(from->lease);
    to->seq = wide(from->seq);
    to->time_ms = wide(from->time_ms);
    to->attempt = narrow(from->attempt);
    to->size = narrow(from->size);
    to->n_cause = from->cause != NULL ? from->count : 0;
    to->cause = wide(from->cause);
    to->n_first = from->first != NULL ? from->count : 0;
    to->first = wide(from->first);
    to->lease_ms = from->lease_ms;
    to->n_priority = from->priority != NULL ? from->count : 0;
    to->priority = narrow(from->priority);
    to->n_letter = from->letter != NULL ? from->count : 0;
    to->letter = narrow(from->letter);
    to->generation = from->generation;
}

static void put_settle(struct encoder *e, const struct msg_settle *from, Weir__V1__Settle *to)
{
    to->first_number = from->first_number;
    to->n_lease = to->n_verb = from->count;
    to->lease = wide(from->lease);
    to->verb = narrow(from->verb);
    to->n_delay_ms = from->delay_ms != NULL ? from->count : 0;
    to->delay_ms = narrow(from->delay_ms);
    to->n_reason = from->reason != NULL ? from->count : 0;
    to->reason = many_bytes(e, to->n_reason, from->reason);
    to->n_emits = from->emits != NULL ? from->count : 0;
    to->emits = narrow(from->emits);
    to->n_emit_size = from->emit_count;
    to->emit_size = narrow(from->emit_size);
    to->n_emit_parts = from->emit_parts != NULL ? from->emit_count : 0;
    to->emit_parts = narrow(from->emit_parts);
}

static void put_settled(struct encoder *e, const struct msg_settled *from, Weir__V1__Settled *to)
{
    (void)e;
    to->first_number = from->first_number;
    to->count = from->count;
    to->code = (Weir__V1__ErrorCode)from->code;
}

static void put_extend(struct encoder *e, const struct msg_extend *from, Weir__V1__Extend *to)
{
    (void)e;
    to->n_lease = to->n_lease_ms = from->count;
    to->lease = wide(from->lease);
    to->lease_ms = narrow(from->lease_ms);
}

static void put_release(struct encoder *e, const struct msg_release *from, Weir__V1__Release *to)
{
    (void)e;
    to->n_lease = from->count;
    to->lease = wide(from->lease);
}

static void put_revoke(struct encoder *e, const struct msg_revoke *from, Weir__V1__Revoke *to)
{
    (void)e;
    to->n_lease = to->n_code = from->count;
    to->lease = wide(from->lease);
    to->code = narrow(from->code);
}

static void put_partial(struct encoder *e, const struct msg_partial *from, Weir__V1__Partial *to)
{
    (void)e;
    to->lease = from->lease;
    to->topic = bytes(from->topic);
    to->subscription = from->subscription;
    to->cause = from->cause;
    to->attempt = from->attempt;
    to->index = from->index;
    to->size = from->size;
    to->group = from->group;
}

static void put_cancel(struct encoder *e, const struct msg_cancel *from, Weir__V1__Cancel *to)
{
    (void)e;
    to->lease = from->lease;
    to->tenant = bytes(from->tenant);
    to->seq = from->seq;
}

static void put_replay(struct encoder *e, const struct msg_replay *from, Weir__V1__Replay *to)
{
    (void)e;
    to->filter = bytes(from->filter);
    to->from = from->from;
    to->until = from->until;
}

static void put_drain(struct encoder *e, const struct msg_drain *from, Weir__V1__Drain *to)
{
    (void)e;
    to->reconnect_ms = from->reconnect_ms;
}

static void put_moved(struct encoder *e, const struct msg_moved *from, Weir__V1__Moved *to)
{
    to->n_endpoints = from->endpoint_count;
    to->endpoints = many_bytes(e, from->endpoint_count, from->endpoints);
    to->term = from->term;
}

static void put_part(struct encoder *e, const struct msg_part *from, Weir__V1__Part *to)
{
    (void)e;
    to->number = from->number;
    to->index = from->index;
    to->count = from->count;
    to->size = from->size;
    to->tenant = bytes(from->tenant);
    to->lease = from->lease;
    to->subscription = from->subscription;
    to->seq = from->seq;
}

DEFINE_LIST(hello, struct msg_hello, Weir__V1__Hello)
DEFINE_LIST(welcome, struct msg_welcome, Weir__V1__Welcome)
DEFINE_LIST(error, struct msg_error, Weir__V1__Error)
DEFINE_LIST(heartbeat, struct msg_heartbeat, Weir__V1__Heartbeat)
DEFINE_LIST(credit, struct msg_credit, Weir__V1__Credit)
DEFINE_LIST(publish, struct msg_publish, Weir__V1__Publish)
DEFINE_LIST(accepted, struct msg_accepted, Weir__V1__Accepted)
DEFINE_LIST(refused, struct msg_refused, Weir__V1__Refused)
DEFINE_LIST(subscribe, struct msg_subscribe, Weir__V1__Subscribe)
DEFINE_LIST(subscribed, struct msg_subscribed, Weir__V1__Subscribed)
DEFINE_LIST(unsubscribe, struct msg_unsubscribe, Weir__V1__Unsubscribe)
DEFINE_LIST(events, struct msg_events, Weir__V1__Events)
DEFINE_LIST(caught_up, struct msg_caught_up, Weir__V1__CaughtUp)
DEFINE_LIST(ended, struct msg_ended, Weir__V1__Ended)
DEFINE_LIST(deliver, struct msg_deliver, Weir__V1__Deliver)
DEFINE_LIST(settle, struct msg_settle, Weir__V1__Settle)
DEFINE_LIST(settled, struct msg_settled, Weir__V1__Settled)
DEFINE_LIST(extend, struct msg_extend, Weir__V1__Extend)
DEFINE_LIST(release, struct msg_release, Weir__V1__Release)
DEFINE_LIST(revoke, struct msg_revoke, Weir__V1__Revoke)
DEFINE_LIST(partial, struct msg_partial, Weir__V1__Partial)
DEFINE_LIST(cancel, struct msg_cancel, Weir__V1__Cancel)
DEFINE_LIST(query, struct msg_query, Weir__V1__Query)
DEFINE_LIST(answer, struct msg_answer, Weir__V1__Answer)
DEFINE_LIST(replay, struct msg_replay, Weir__V1__Replay)
DEFINE_LIST(drain, struct msg_drain, Weir__V1__Drain)
DEFINE_LIST(moved, struct msg_moved, Weir__V1__Moved)
DEFINE_LIST(part, struct msg_part, Weir__V1__Part)
DEFINE_LIST(manage, struct msg_manage, Weir__V1__Manage)

static void *first(void *list)
{
    void *message = NULL;
    if (list != NULL) memcpy(&message, list, sizeof message);
    return message;
}

/* A message that stands in a packet once goes through the same list, of one or none. */
#define PUT_ONE(name)               to->name = first(name##_list(e, from->name != NULL, from->name))
#define PUT_MANY(name, list, count) (to->name = name##_list(e, from->count, from->list), to->n_##name = from->count)

static void put_packet(struct encoder *e, const struct packet *from, Weir__V1__Packet *to)
{
    PUT_ONE(hello);
    PUT_ONE(welcome);
    PUT_MANY(error, errors, error_count);
    PUT_ONE(heartbeat);
    PUT_MANY(credit, credits, credit_count);
    PUT_MANY(publish, publishes, publish_count);
    PUT_MANY(accepted, accepted, accepted_count);
    PUT_MANY(refused, refused, refused_count);
    PUT_MANY(subscribe, subscribes, subscribe_count);
    PUT_MANY(subscribed, subscribed, subscribed_count);
    PUT_MANY(unsubscribe, unsubscribes, unsubscribe_count);
    PUT_MANY(events, events, events_count);
    PUT_MANY(caught_up, caught_up, caught_up_count);
    PUT_MANY(ended, ended, ended_count);
    PUT_ONE(deliver);
    PUT_ONE(settle);
    PUT_MANY(settled, settled, settled_count);
    PUT_ONE(extend);
    PUT_ONE(release);
    PUT_ONE(revoke);
    PUT_MANY(partial, partials, partial_count);
    PUT_MANY(cancel, cancels, cancel_count);
    PUT_MANY(query, queries, query_count);
    PUT_MANY(answer, answers, answer_count);
    PUT_ONE(replay);
    PUT_ONE(drain);
    PUT_ONE(moved);
    PUT_MANY(part, parts, part_count);
    PUT_MANY(manage, manages, manage_count);
}

enum codec_result codec_encode(struct arena *arena, const struct packet *packet, struct span *out_head)
{
    struct encoder e = { .arena = arena };
    Weir__V1__Packet message = WEIR__V1__PACKET__INIT;
    put_packet(&e, packet, &message);
    if (e.full) return CODEC_NO_ROOM;
    size_t size = weir__v1__packet__get_packed_size(&message);
    uint8_t *head = arena_take(arena, size);
    if (head == NULL) return CODEC_NO_ROOM;
    weir__v1__packet__pack(&message, head);
    *out_head = span_of(head, size);
    return CODEC_OK;
}

size_t codec_body_size(const struct packet *packet)
{
    size_t size = 0;
    for (size_t i = 0; i < packet->piece_count; i++)
        size += packet->pieces[i].size;
    return size;
}
