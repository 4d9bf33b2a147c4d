/* What the fake coordinator says to whom. */
#include "sdk/tests/fake_parts.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "proto/codec.h"
#include "proto/event.h"
#include "sdk/base/must.h"
#include "sdk/base/topic.h"

static void send_packet(struct fake *f, const struct peer *peer, const struct packet *packet)
{
    struct span head;
    zmq_msg_t body;
    size_t size = codec_body_size(packet);
    must(codec_encode(&f->out, packet, &head) == CODEC_OK);
    (void)zmq_send(f->router, peer->id, peer->id_size, ZMQ_SNDMORE);
    (void)zmq_send(f->router, head.data, head.size, size != 0 ? ZMQ_SNDMORE : 0);
    if (size == 0) return;
    (void)zmq_msg_init_size(&body, size);
    size = 0;
    for (size_t i = 0; i < packet->piece_count; i++) {
        memcpy((uint8_t *)zmq_msg_data(&body) + size, packet->pieces[i].data, packet->pieces[i].size);
        size += packet->pieces[i].size;
    }
    (void)zmq_msg_send(&body, f->router, 0);
}

static void send_error(struct fake *f, const struct peer *peer, uint32_t code, uint32_t about, uint64_t id)
{
    struct msg_error error = { .code = code, .about = about, .id = id, .message = span_text("as the test wants it") };
    send_packet(f, peer, &(struct packet){ .errors = &error, .error_count = 1 });
}

static void take_hello(struct fake *f, struct peer *peer, const struct msg_hello *hello)
{
    uint64_t *seq = arena_take_zeroed(&f->out, hello->held_count + 1, 8), *lease = arena_take_zeroed(&f->out, hello->held_count + 1, 8);
    uint32_t *attempt = arena_take_zeroed(&f->out, hello->held_count + 1, 4);
    struct msg_credit credit = { .kind = CREDIT_PUBLISH, .events = 65536, .bytes = 16 << 20 };
    struct msg_welcome welcome = { .protocol = 1,
                                   .publisher_known = !f->forget,
                                   .publish_window = 16384,
                                   .heartbeat_ms = 5000,
                                   .lease_ms = 30000,
                                   .epoch = span_text("00000000000000fa"),
                                   .max_event_bytes = EVENT_BYTES_MAX,
                                   .max_packet_bytes = 512 << 10,
                                   .emit_credit_bytes = 1 << 20,
                                   .kept_seq = seq,
                                   .kept_attempt = attempt,
                                   .kept_lease = lease };
    f->counts.hellos++;
    if (f->hello_code != CODE_OK) {
        send_error(f, peer, f->hello_code, FIELD_HELLO, 0);
        return;
    }
    peer->role = hello->role;
    if (hello->publisher.size == 16) memcpy(peer->publisher, hello->publisher.data, 16);
    for (size_t i = 0; i < hello->held_count; i++) {
        struct stored *event = &f->events[hello->held_seq[i]];
        if (event->done || event->attempt != hello->held_attempt[i]) continue;
        event->holder = peer;
        event->held = true;
        event->lease = ++f->next_lease;
        seq[welcome.kept_count] = hello->held_seq[i];
        attempt[welcome.kept_count] = event->attempt;
        lease[welcome.kept_count++] = event->lease;
    }
    peer->sent = welcome.kept_count;
    send_packet(f, peer, &(struct packet){ .welcome = &welcome, .credits = &credit, .credit_count = 1 });
}

static uint64_t store(struct fake *f, struct span bytes, uint64_t cause)
{
    struct stored *event = &f->events[f->next_seq];
    must(f->next_seq < EVENTS_MAX - 1);
    event->bytes = malloc(bytes.size + 1);
    must(event->bytes != NULL);
    memcpy(event->bytes, bytes.data, bytes.size);
    event->size = (uint32_t)bytes.size;
    event->cause = cause;
    event->attempt = 1;
    return f->next_seq++;
}

static uint64_t find_published(const struct fake *f, const uint8_t *publisher, uint64_t number)
{
    for (uint64_t seq = 1; seq < f->next_seq; seq++)
        if (f->events[seq].number == number && memcmp(f->events[seq].publisher, publisher, 16) == 0) return seq;
    return 0;
}

static void take_publish(struct fake *f, struct peer *peer, const struct msg_publish *publish, struct span body, bool may_be_resent)
{
    struct msg_accepted *accepted = arena_take_zeroed(&f->out, publish->count, sizeof *accepted);
    struct msg_refused refused = { .first_number = publish->first_number,
                                   .count = (uint32_t)publish->count,
                                   .code = f->publish_code,
                                   .retry_ms = 7,
                                   .message = span_text("as the test wants it") };
    const uint8_t *at = body.data;
    if (f->publish_code != CODE_OK) {
        send_packet(f, peer, &(struct packet){ .refused = &refused, .refused_count = 1 });
        return;
    }
    for (size_t i = 0; i < publish->count; at += publish->size[i], i++) {
        uint64_t number = publish->first_number + i, seq = may_be_resent ? find_published(f, peer->publisher, number) : 0;
        accepted[i] = (struct msg_accepted){ .first_number = number, .count = 1, .first_seq = seq, .duplicate = seq != 0 };
        f->counts.resent += seq != 0;
        f->counts.accepted += seq == 0;
        if (seq != 0) continue;
        accepted[i].first_seq = store(f, span_of(at, publish->size[i]), 0);
        f->events[accepted[i].first_seq].number = number;
        memcpy(f->events[accepted[i].first_seq].publisher, peer->publisher, 16);
    }
    if (!f->keep_answers) send_packet(f, peer, &(struct packet){ .accepted = accepted, .accepted_count = publish->count });
}

/* One packet of what a worker has credit for. */
static void deliver_to(struct fake *f, struct peer *peer)
{
    uint64_t lease[256], seq[256], time[256], cause[256];
    uint32_t attempt[256], size[256];
    struct span pieces[256];
    struct msg_deliver d = {
        .lease = lease, .seq = seq, .time_ms = time, .cause = cause, .attempt = attempt, .size = size, .lease_ms = 30000
    };
    for (uint64_t s = 1; s < f->next_seq && d.count < 256 && !peer->leaving && peer->sent < peer->credit; s++) {
        struct stored *event = &f->events[s];
        if (event->done || event->held || event->cause != 0) continue;
        event->held = true;
        event->holder = peer;
        event->lease = ++f->next_lease;
        lease[d.count] = event->lease;
        seq[d.count] = s;
        time[d.count] = 1000 + s;
        cause[d.count] = 0;
        attempt[d.count] = event->attempt;
        size[d.count] = event->size;
        pieces[d.count++] = span_of(event->bytes, event->size);
        peer->sent++;
        f->counts.delivered++;
    }
    if (d.count != 0) send_packet(f, peer, &(struct packet){ .deliver = &d, .pieces = pieces, .piece_count = d.count });
}

static struct stored *find_lease(struct fake *f, uint64_t lease)
{
    for (uint64_t seq = 1; seq < f->next_seq; seq++)
        if (f->events[seq].lease == lease && f->events[seq].held) return &f->events[seq];
    return NULL;
}

static const uint8_t *settle_one(struct fake *f, const struct msg_settle *settle, size_t i, size_t *emit, const uint8_t *at,
                                 uint32_t *out_code)
{
    struct stored *event = find_lease(f, settle->lease[i]);
    uint32_t emits = settle->emits != NULL ? settle->emits[i] : 0;
    *out_code = event != NULL ? CODE_OK : CODE_STALE;
    for (uint32_t k = 0; k < emits; k++) {
        uint32_t size = settle->emit_size[(*emit)++];
        if (event != NULL) (void)store(f, span_of(at, size), (uint64_t)(event - f->events));
        at += size;
    }
    if (event == NULL) return at;
    event->held = false;
    event->done = settle->verb[i] != VERB_NACK;
    event->attempt++;
    f->counts.acked += settle->verb[i] == VERB_ACK;
    f->counts.nacked += settle->verb[i] == VERB_NACK;
    f->counts.rejected += settle->verb[i] == VERB_REJECT;
    return at;
}

static void take_settle(struct fake *f, struct peer *peer, const struct msg_settle *settle, const uint8_t *at)
{
    struct msg_settled *settled = arena_take_zeroed(&f->out, settle->count, sizeof *settled);
    size_t emit = 0;
    for (size_t i = 0; i < settle->count; i++) {
        settled[i].first_number = settle->first_number + i;
        settled[i].count = 1;
        at = settle_one(f, settle, i, &emit, at, &settled[i].code);
    }
    if (!f->keep_answers) send_packet(f, peer, &(struct packet){ .settled = settled, .settled_count = settle->count });
}

static void take_subscribe(struct fake *f, struct peer *peer, const struct msg_subscribe *s)
{
    struct sub *sub = &f->subs[f->sub_count++];
    struct msg_subscribed subscribed = { .subscription = s->subscription, .gap = f->gap };
    must(f->sub_count < SUBSCRIPTIONS_MAX);
    f->gap = false;
    *sub =
        (struct sub){ .peer = peer, .id = s->subscription, .filter_size = s->filter.size, .left = s->limit != 0 ? s->limit : UINT64_MAX };
    memcpy(sub->filter, s->filter.data, s->filter.size);
    sub->next = s->start == START_SEQ ? s->start_at + 1 : s->start == START_FIRST ? 1 : f->next_seq;
    subscribed.cursor = sub->next - 1;
    send_packet(f, peer, &(struct packet){ .subscribed = &subscribed, .subscribed_count = 1 });
}

static bool sub_wants(const struct sub *sub, const struct stored *stored)
{
    struct event event;
    struct span filter = span_of(sub->filter, sub->filter_size);
    if (event_scan(span_of(stored->bytes, stored->size), &event) != EVENT_OK) return false;
    return filter.data[0] == '$' ? span_equal(filter, event.topic) : filter_matches(filter, event.topic);
}

static void send_event(struct fake *f, const struct sub *sub, uint64_t seq)
{
    uint64_t time = 1000 + seq;
    struct stored *stored = &f->events[seq];
    struct span piece = span_of(stored->bytes, stored->size);
    struct msg_events events = {
        .subscription = sub->id, .seq = &seq, .time_ms = &time, .cause = &stored->cause, .size = &stored->size, .count = 1
    };
    send_packet(f, sub->peer, &(struct packet){ .events = &events, .events_count = 1, .pieces = &piece, .piece_count = 1 });
}

static void serve_sub(struct fake *f, struct sub *sub)
{
    struct msg_caught_up caught_up = { sub->id, f->next_seq - 1 };
    struct msg_ended ended = { .subscription = sub->id, .cursor = f->next_seq - 1 };
    for (; sub->next < f->next_seq && sub->left != 0; sub->next++) {
        if (!sub_wants(sub, &f->events[sub->next])) continue;
        send_event(f, sub, sub->next);
        sub->left -= sub->left != UINT64_MAX;
    }
    if (sub->left != UINT64_MAX) {
        ended.more = sub->left == 0;
        send_packet(f, sub->peer, &(struct packet){ .ended = &ended, .ended_count = 1 });
        sub->peer = NULL;
    } else if (!sub->told) {
        sub->told = true;
        send_packet(f, sub->peer, &(struct packet){ .caught_up = &caught_up, .caught_up_count = 1 });
    }
}

static void pass_partial(struct fake *f, const struct msg_partial *partial, struct span data)
{
    f->counts.partials++;
    for (size_t i = 0; i < f->sub_count; i++) {
        struct sub *sub = &f->subs[i];
        struct msg_partial out = *partial;
        if (sub->peer == NULL || !span_equal(span_of(sub->filter, sub->filter_size), partial->topic)) continue;
        out.subscription = sub->id;
        out.topic = span_of(NULL, 0);
        out.lease = 0;
        send_packet(f, sub->peer, &(struct packet){ .partials = &out, .partial_count = 1, .pieces = &data, .piece_count = 1 });
    }
}

static void pass_cancel(struct fake *f, uint64_t seq)
{
    struct msg_cancel cancel = { .lease = f->events[seq].lease };
    f->counts.cancels++;
    if (f->events[seq].held && f->events[seq].holder != NULL)
        send_packet(f, f->events[seq].holder, &(struct packet){ .cancels = &cancel, .cancel_count = 1 });
}

static void answer_query(struct fake *f, const struct peer *peer, const struct msg_query *query)
{
    struct stat_row stat = { span_text("accepted"), f->counts.accepted };
    struct span filter = span_text("a.>");
    struct group_row group = {
        .tenant = span_text("dev"), .name = span_text("g"), .filters = &filter, .filter_count = 1, .acked = f->counts.acked
    };
    struct msg_answer answer = { .id = query->id };
    if (query->ask == ASK_STATS) {
        answer.stats = &stat;
        answer.stat_count = 1;
    } else if (query->ask == ASK_GROUPS) {
        answer.groups = &group;
        answer.group_count = 1;
    } else {
        answer.code = CODE_UNSUPPORTED;
    }
    send_packet(f, peer, &(struct packet){ .answers = &answer, .answer_count = 1 });
}

static size_t total(const uint32_t *sizes, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += sizes[i];
    return sum;
}

static void take_rest(struct fake *f, struct peer *peer, const struct packet *p, const uint8_t *at)
{
    for (size_t i = 0; p->extend != NULL && i < p->extend->count; i++)
        f->counts.extended++;
    for (size_t i = 0; p->release != NULL && i < p->release->count; i++) {
        struct stored *event = find_lease(f, p->release->lease[i]);
        f->counts.released++;
        if (event != NULL) event->held = false;
    }
    if (p->drain != NULL) {
        peer->leaving = true;
        send_packet(f, peer, &(struct packet){ .drain = &(struct msg_drain){ 0 } });
    }
    for (size_t i = 0; i < p->partial_count; at += p->partials[i].size, i++)
        if (find_lease(f, p->partials[i].lease) != NULL) pass_partial(f, &p->partials[i], span_of(at, p->partials[i].size));
    for (size_t i = 0; i < p->cancel_count; i++)
        pass_cancel(f, p->cancels[i].seq);
    for (size_t i = 0; i < p->query_count; i++)
        answer_query(f, peer, &p->queries[i]);
}

void fake_take(struct fake *f, struct peer *peer, const struct packet *p)
{
    const uint8_t *at = p->body.data;
    f->counts.packets++;
    if (p->hello != NULL) take_hello(f, peer, p->hello);
    if (peer->role == 0) return;
    for (size_t i = 0; i < p->credit_count; i++)
        if (p->credits[i].kind == CREDIT_DELIVER) peer->credit = p->credits[i].events;
    for (size_t i = 0; i < p->publish_count; i++) {
        size_t size = total(p->publishes[i].size, p->publishes[i].count);
        take_publish(f, peer, &p->publishes[i], span_of(at, size), f->counts.hellos > 1);
        at += size;
    }
    for (size_t i = 0; i < p->subscribe_count; i++)
        take_subscribe(f, peer, &p->subscribes[i]);
    if (p->settle != NULL) {
        take_settle(f, peer, p->settle, at);
        at += total(p->settle->emit_size, p->settle->emit_count);
    }
    take_rest(f, peer, p, at);
}

void fake_serve(struct fake *f)
{
    for (size_t i = 0; i < f->peer_count; i++)
        if (f->peers[i].role == ROLE_WORKER) deliver_to(f, &f->peers[i]);
    for (size_t i = 0; i < f->sub_count; i++)
        if (f->subs[i].peer != NULL) serve_sub(f, &f->subs[i]);
}
