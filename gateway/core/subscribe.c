/* Clients' subscriptions. Who wants what is live joins the shared topic at once. Who asks for what was before, or goes by credit, gets a
 * stream of its own; without credit it changes to the shared topic when the stream has caught up. That change neither repeats nor leaves
 * out: everything up to `last` has been given by the stream, the shared topic has given nothing above `last` yet (else we wait), so from
 * then on whatever it gives above `last` is new, and complete. */
#include "gateway/core/gate_parts.h"

static void link_member(struct gate *g, uint32_t sub, uint32_t shared)
{
    struct sub *s = sub_at(g, sub);
    struct topic *t = topic_at(g, shared);
    s->shared = shared;
    s->next_member = t->members;
    if (t->members != 0) sub_at(g, t->members)->prev_member = sub;
    t->members = sub;
}

static void unlink_member(struct gate *g, uint32_t sub)
{
    struct sub *s = sub_at(g, sub);
    if (s->shared == 0) return;
    struct topic *t = topic_at(g, s->shared);
    if (s->prev_member != 0) {
        sub_at(g, s->prev_member)->next_member = s->next_member;
    } else {
        t->members = s->next_member;
    }
    if (s->next_member != 0) sub_at(g, s->next_member)->prev_member = s->prev_member;
    if (t->members == 0) topic_leave(g, s->shared);
    s->shared = 0;
}

static void leave_stream(struct gate *g, struct sub *s)
{
    if (s->stream == 0) return;
    topic_leave(g, s->stream);
    s->stream = 0;
    conn_at(g, s->conn)->private_count--;
}

void sub_close(struct gate *g, uint32_t sub)
{
    struct sub *s = sub_at(g, sub);
    struct conn *c = conn_at(g, s->conn);
    uint32_t *at = &c->subs;
    while (*at != sub)
        at = &sub_at(g, *at)->next_of_conn;
    *at = s->next_of_conn;
    c->sub_count--;
    unlink_member(g, sub);
    leave_stream(g, s);
    if (s->unacked != 0) pool_unref(&g->pool, s->unacked);
    slab_free(&g->subs, sub);
}

struct span sub_filter(const struct gate *g, const struct sub *s)
{
    return topic_filter(topic_at(g, s->shared != 0 ? s->shared : s->stream));
}

void sub_error(struct gate *g, uint32_t sub, uint32_t code, struct span message, uint64_t cursor)
{
    uint32_t op = sub_at(g, sub)->op;
    if (op != 0) {
        send_sub_ended(g, sub, op_id(op_at(g, op)), code, message, cursor);
        op_orphan(g, op);
    } else {
        send_sub_ended(g, sub, span_of(NULL, 0), code, span_text("the subscription has ended"), cursor);
    }
    sub_close(g, sub);
}

static void send_subscribed(struct gate *g, uint32_t sub, uint64_t cursor)
{
    struct sub *s = sub_at(g, sub);
    struct writer w;
    frame_begin(g, &w);
    write_head(&w, "ok", op_id(op_at(g, s->op)));
    write_text(&w, ",\"subscription\":\"");
    write_uint(&w, sub);
    write_text(&w, "\",\"cursor\":\"");
    write_event_id(&w, epoch_of(g), cursor);
    write_text(&w, "\",\"recovered\":");
    write_uint(&w, s->recovered);
    write_text(&w, s->gap ? ",\"gap\":true}" : ",\"gap\":false}");
    send_frame(g, s->conn, &w);
    op_close(g, s->op);
    s->op = 0;
}

static uint32_t find_sub(const struct gate *g, uint32_t conn, struct span filter)
{
    uint32_t sub = conn_at(g, conn)->subs;
    while (sub != 0 && !span_equal(sub_filter(g, sub_at(g, sub)), filter))
        sub = sub_at(g, sub)->next_of_conn;
    return sub;
}

static void join_live(struct gate *g, uint32_t sub)
{
    struct sub *s = sub_at(g, sub);
    const struct topic *t = topic_at(g, s->shared);
    s->state = SUB_JOINING;
    if (!t->confirmed) return;
    s->state = SUB_LIVE;
    s->last = t->cursor;
    send_subscribed(g, sub, s->last);
}

/* How many events of such a size may be under way to it. */
static uint64_t stream_window(const struct gate *g, const struct sub *s, uint32_t each)
{
    uint64_t window = g->config.limits.queue_bytes / 2 / (each + 256ull);
    if (window < 1) window = 1;
    if (window > STREAM_EVENTS_MAX) window = STREAM_EVENTS_MAX;
    uint64_t left = (uint64_t)(s->credit - s->unacked_count);
    return s->credit != 0 && window > left ? left : window;
}

static bool open_stream(struct gate *g, uint32_t sub, struct span filter, const struct place *place)
{
    struct sub *s = sub_at(g, sub);
    struct conn *c = conn_at(g, s->conn);
    uint64_t credit = stream_window(g, s, EVENT_BYTES_MAX);
    if (s->credit != 0) {
        s->unacked = pool_take(&g->pool, s->credit * sizeof(struct run_event));
        if (s->unacked == 0) return false;
    }
    s->stream = topic_open(g, TOPIC_STREAM, c->tenant, filter, sub, place, 0, credit);
    if (s->stream == 0) return false;
    c->private_count++;
    s->state = s->credit != 0 ? SUB_CREDITED : SUB_CATCHING;
    return true;
}

/* Everything the subscription needs, or nothing. */
static bool start_sub(struct gate *g, uint32_t sub, struct span filter, const struct place *place)
{
    struct sub *s = sub_at(g, sub);
    if (s->credit == 0) {
        uint32_t shared = topic_share(g, conn_at(g, s->conn)->tenant, filter);
        if (shared == 0) return false;
        link_member(g, sub, shared);
        if (place->start == START_NEW) {
            join_live(g, sub);
            return true;
        }
    }
    return open_stream(g, sub, filter, place);
}

void take_subscribe(struct gate *g, const struct request_context *ctx)
{
    struct span filter;
    struct place place;
    uint64_t credit;
    if (!field_filter(g, ctx, &filter) || !field_place(g, ctx, START_NEW, &place) || !field_uint(g, ctx, "credit", CREDIT_MAX, 0, &credit))
        return;
    if (jscan_get(ctx->object, "presence").kind == JSCAN_TRUE) {
        refuse(g, ctx, CODE_UNSUPPORTED, "presence is not served yet");
        return;
    }
    if (find_sub(g, ctx->conn, filter) != 0) {
        refuse(g, ctx, CODE_CONFLICT, "this connection is subscribed to that topic already");
        return;
    }
    struct conn *c = conn_at(g, ctx->conn);
    uint32_t sub = c->sub_count < g->config.limits.own_subscriptions_max ? slab_take(&g->subs) : 0;
    if (sub == 0) {
        refuse(g, ctx, CODE_OVERLOADED, "too many subscriptions");
        return;
    }
    uint32_t op = op_open(g, ctx, OP_SUBSCRIBE, g->now_ms + g->config.limits.answer_ms);
    if (op == 0) {
        slab_free(&g->subs, sub);
        return;
    }
    struct sub *s = sub_at(g, sub);
    s->conn = ctx->conn;
    s->op = op;
    s->credit = (uint16_t)credit;
    s->next_of_conn = c->subs;
    c->subs = sub;
    c->sub_count++;
    if (start_sub(g, sub, filter, &place)) return;
    op_error(g, op, CODE_OVERLOADED, span_text("too many subscriptions"), SLOW_RETRY_MS);
    sub_close(g, sub);
}

void take_unsubscribe(struct gate *g, const struct request_context *ctx)
{
    struct span filter;
    if (!field_filter(g, ctx, &filter)) return;
    uint32_t sub = find_sub(g, ctx->conn, filter);
    if (sub == 0) {
        refuse(g, ctx, CODE_NOT_FOUND, "no such subscription");
        return;
    }
    if (sub_at(g, sub)->op != 0) op_error(g, sub_at(g, sub)->op, CODE_CANCELLED, span_text("unsubscribed before it began"), 0);
    sub_close(g, sub);
    send_ok(g, ctx->conn, ctx->id);
}

static bool shared_is_not_ahead(const struct gate *g, const struct sub *s)
{
    const struct topic *t = topic_at(g, s->shared);
    return t->confirmed && t->cursor <= s->last;
}

static void try_hand(struct gate *g, uint32_t sub)
{
    struct sub *s = sub_at(g, sub);
    if (s->state != SUB_HANDING || !shared_is_not_ahead(g, s)) return;
    leave_stream(g, s);
    s->state = SUB_LIVE;
}

static void confirm_member(struct gate *g, uint32_t sub, uint64_t cursor)
{
    struct sub *s = sub_at(g, sub);
    if (s->state == SUB_HANDING) try_hand(g, sub);
    if (s->state != SUB_JOINING) return;
    s->state = SUB_LIVE;
    s->last = cursor;
    send_subscribed(g, sub, cursor);
}

void subs_confirmed(struct gate *g, struct topic *t, uint64_t cursor, bool gap)
{
    bool first = !t->confirmed;
    t->confirmed = true;
    if (t->kind == TOPIC_STREAM) {
        struct sub *s = sub_at(g, t->owner);
        s->gap |= gap;
        if (gap && s->op == 0) send_sub_gap(g, s->conn, topic_filter(t)); /* its ok has gone out before */
        if (s->last < cursor) s->last = cursor;
        if (s->state == SUB_CREDITED && s->op != 0) send_subscribed(g, t->owner, cursor);
        return;
    }
    if (first) t->cursor = cursor;
    for (uint32_t sub = t->members; sub != 0; sub = sub_at(g, sub)->next_member) {
        if (first) confirm_member(g, sub, cursor);
        if (gap && sub_at(g, sub)->state == SUB_LIVE) send_sub_gap(g, sub_at(g, sub)->conn, topic_filter(t));
    }
}

/* The run's part above what it has. */
static uint32_t give(struct gate *g, struct sub *s)
{
    const struct run *run = &g->run;
    uint32_t first = 0;
    while (first < run->count && run->events[first].seq <= s->last)
        first++;
    if (first == run->count) return 0;
    conn_share(g, s->conn, run->buffer, run->offset[first], run->count - first, s->state == SUB_LIVE ? 1 : STREAM_SHARE);
    s->last = run->events[run->count - 1].seq;
    return run->count - first;
}

void shared_events(struct gate *g, uint32_t topic, const struct link_fact *fact)
{
    struct topic *t = topic_at(g, topic);
    size_t index = 0;
    size_t offset = 0;
    while (index < fact->events.count && t->members != 0) {
        bool built = run_build(g, fact, &index, &offset);
        for (uint32_t sub = t->members; sub != 0; sub = sub_at(g, sub)->next_member) {
            struct sub *s = sub_at(g, sub);
            if (s->state != SUB_LIVE) continue;
            if (!built) conn_end(g, s->conn, 4529, "no memory for its events"); /* it resumes by its cursor, and nothing is lost silently */
            if (built && g->run.count > 0) give(g, s);
        }
        run_end(g);
    }
    if (fact->events.count > 0) t->cursor = fact->events.seq[fact->events.count - 1];
}

static struct run_event *unacked_at(const struct gate *g, const struct sub *s, uint32_t index)
{
    struct run_event *ring = (struct run_event *)(void *)pool_data(&g->pool, s->unacked);
    return &ring[(s->unacked_first + index) % s->credit];
}

static void remember_unacked(struct gate *g, struct sub *s, uint32_t given)
{
    for (uint32_t i = g->run.count - given; i < g->run.count; i++) {
        must(s->unacked_count < s->credit); /* the coordinator sends no more than was granted */
        *unacked_at(g, s, s->unacked_count++) = g->run.events[i];
        if (g->run.events[i].first != 0) s->unacked_again++;
    }
}

void stream_events(struct gate *g, uint32_t topic, const struct link_fact *fact)
{
    struct topic *t = topic_at(g, topic);
    uint32_t sub = t->owner;
    struct sub *s = sub_at(g, sub);
    size_t index = 0;
    size_t offset = 0;
    if (s->credit != 0 && s->unacked_count + fact->events.count > s->credit) {
        sub_error(g, sub, CODE_INTERNAL, span_text("more events than credit"), 0);
        return;
    }
    while (index < fact->events.count) {
        if (!run_build(g, fact, &index, &offset)) conn_end(g, s->conn, 4529, "no memory for its events");
        if (g->run.buffer != 0) {
            uint32_t given = give(g, s);
            uint32_t each = pool_size(&g->pool, g->run.buffer) / g->run.count;
            if (s->credit != 0) remember_unacked(g, s, given);
            if (s->op != 0) s->recovered += given;
            if (each > t->largest) t->largest = each;
        }
        run_end(g);
    }
    t->received += fact->events.count;
    if (fact->events.count > 0 && s->last < fact->events.seq[fact->events.count - 1]) s->last = fact->events.seq[fact->events.count - 1];
    sub_grant(g, sub);
    try_hand(g, sub);
}

void stream_caught_up(struct gate *g, uint32_t topic, uint64_t cursor)
{
    uint32_t sub = topic_at(g, topic)->owner;
    struct sub *s = sub_at(g, sub);
    if (s->last < cursor) s->last = cursor;
    if (s->state == SUB_CATCHING) {
        s->state = SUB_HANDING;
        send_subscribed(g, sub, s->last);
    }
    try_hand(g, sub);
}

void sub_grant(struct gate *g, uint32_t sub)
{
    struct sub *s = sub_at(g, sub);
    const struct conn *c = conn_at(g, s->conn);
    if (s->stream == 0 || c->close_code != 0 || c->box.bytes > g->config.limits.queue_bytes / 4 || pool_is_tight(g)) return;
    struct topic *t = topic_at(g, s->stream);
    uint64_t window = stream_window(g, s, t->largest);
    uint64_t target = t->received + window;
    if (target <= t->granted) return;
    if (t->granted > t->received && target - t->granted < window / 4) return; /* not a packet per event */
    t->grant += target - t->granted;
    t->granted = target;
    topic_touch(g, s->stream);
}

/* Up to where an ack of `seq` reaches: an event that stands here again is named by the place of its id, too. */
static uint64_t acked_place(const struct gate *g, const struct sub *s, uint64_t seq)
{
    for (uint32_t i = 0; s->unacked_again > 0 && i < s->unacked_count; i++)
        if (unacked_at(g, s, i)->first == seq) return unacked_at(g, s, i)->seq;
    return seq;
}

/* Takes everything up to the event as done. Without an answer: a wrong one is counted by its error. */
void take_ack(struct gate *g, const struct request_context *ctx)
{
    struct span filter;
    struct span event;
    struct span epoch;
    uint64_t seq;
    if (!field_filter(g, ctx, &filter) || !field_text(g, ctx, "event", 64, &event)) return;
    if (!event_id_parse(event, &epoch, &seq)) {
        refuse(g, ctx, CODE_BAD_REQUEST, "event must be an event id");
        return;
    }
    uint32_t sub = find_sub(g, ctx->conn, filter);
    if (sub == 0) {
        refuse(g, ctx, CODE_NOT_FOUND, "no such subscription");
        return;
    }
    struct sub *s = sub_at(g, sub);
    if (s->credit == 0 || !span_equal(epoch, epoch_of(g))) return;
    seq = acked_place(g, s, seq);
    while (s->unacked_count > 0 && unacked_at(g, s, 0)->seq <= seq) {
        if (unacked_at(g, s, 0)->first != 0) s->unacked_again--;
        s->unacked_first = (uint16_t)((s->unacked_first + 1) % s->credit);
        s->unacked_count--;
    }
    sub_grant(g, sub);
}
