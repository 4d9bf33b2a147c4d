/* A client on the web: it connects to some gateway, subscribes and publishes; it may read slowly, leave and come again, to the same gateway
 * or another, and goes on from its cursors. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/frames.h"
#include "tests/sim/web.h"

enum { LARGE_DATA = 66 << 10, FRAME_MAX = 128 << 10 };

static bool habit(struct client *c, enum knob which)
{
    return !c->sim->healing && chance(&c->random, knob(c->sim, which));
}

static uint64_t in_ms(struct client *c, uint64_t least, uint64_t most)
{
    return c->sim->now_ns + chance_between(&c->random, least, most) * NS_PER_MS;
}

static void plan_subs(struct client *c)
{
    c->sub_count = knob(c->sim, KNOB_client_subs) < CLIENT_SUBS_MAX ? knob(c->sim, KNOB_client_subs) : CLIENT_SUBS_MAX;
    for (uint32_t i = 0; i < c->sub_count; i++) {
        struct client_sub *sub = &c->subs[i];
        sub->filter = filter_pick(&c->random);
        for (uint32_t k = 0; k < i; k++)
            if (filters_overlap(c->subs[k].filter, sub->filter)) c->sub_count = i; /* it could not tell whose an event is */
        if (c->sub_count == i) return;
        uint32_t credit = 1 + random_below(&c->random, knob(c->sim, KNOB_client_credit) + 1);
        sub->credit = knob(c->sim, KNOB_client_credit) && chance(&c->random, 50) ? credit : 0;
        sub->ack_ns = NEVER;
        sub->viewer = oracle_viewer(c->sim->oracle, sub->filter);
    }
}

void web_init(struct sim *sim)
{
    uint32_t wanted = knob(sim, KNOB_gateways) ? knob(sim, KNOB_clients) : 0;
    sim->web = calloc(1, sizeof *sim->web);
    for (uint32_t i = 0; i < knob(sim, KNOB_gateways); i++)
        peer_add(sim, &gateway_kind);
    sim->web->client_count = wanted < CLIENTS_MAX ? wanted : CLIENTS_MAX;
    for (uint32_t i = 0; i < sim->web->client_count; i++) {
        struct client *c = &sim->web->clients[i];
        *c = (struct client){ .sim = sim, .random = chance_of(sim->plan.seed, 300 + i), .leave_ns = NEVER };
        snprintf(c->name, sizeof c->name, "c%u", i + 1);
        c->left = knob(sim, KNOB_client_events);
        c->connect_ns = in_ms(c, 0, 1000);
        c->publish_ns = in_ms(c, 0, 2000);
        plan_subs(c);
    }
}

void web_free(struct sim *sim)
{
    for (uint32_t i = 0; sim->web && i < SOCKETS_MAX; i++) {
        pipe_cut(&sim->web->sockets[i].up, 0);
        pipe_cut(&sim->web->sockets[i].down, 0);
    }
    free(sim->web);
}

/* -- its connection -- */

static void disconnect(struct client *c)
{
    socket_leave(c->sim, c->socket, &c->random);
    c->socket = NULL;
    client_loses(c);
    c->connect_ns = in_ms(c, 1, c->sim->healing || chance(&c->random, 70) ? 500 : 5000);
}

static void connect_somewhere(struct client *c)
{
    struct sim *sim = c->sim;
    struct peer *peers[PEERS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < sim->peer_count; i++)
        if (sim->peers[i].kind == &gateway_kind) peers[count++] = &sim->peers[i];
    struct peer *gateway = peers[random_below(&c->random, count)];
    c->connect_ns = in_ms(c, 50, 1000);
    c->socket = gateway->alive ? socket_open(sim, c, gateway) : NULL;
    c->slowed = false;
    c->leave_ns = habit(c, KNOB_client_leaves) ? in_ms(c, 1, 8000) : NEVER;
    if (c->leave_ns != NEVER) return;
    c->leave_ns = habit(c, KNOB_client_breaks) ? in_ms(c, 1, 8000) : NEVER;
}

static void read_chunk(struct client *c)
{
    struct sim *sim = c->sim;
    struct socket *s = c->socket;
    struct message *chunk = wire_take(sim, &s->down);
    struct span bytes = span_of(chunk->bytes, chunk->head_size);
    struct socket_frame frame;
    sim_note_bytes(sim, chunk->bytes, chunk->head_size);
    s->unread -= chunk->head_size < s->unread ? chunk->head_size : s->unread;
    c->read_ns = habit(c, KNOB_client_slow) ? in_ms(c, 1, 4000) : sim->now_ns;
    while (c->socket == s && frame_next(&bytes, &frame)) {
        if (frame.is_close) {
            oracle_client_closed(sim->oracle, frame.code, c->slowed);
            disconnect(c);
        } else {
            client_hears(c, frame.payload);
        }
    }
    wire_done(sim);
}

static void hear(struct client *c)
{
    struct sim *sim = c->sim;
    struct socket *s = c->socket;
    while (c->socket && c->socket == s && s->down.first && s->down.first->due_ns <= sim->now_ns &&
           (c->read_ns <= sim->now_ns || sim->healing))
        read_chunk(c);
    if (c->socket && !s->down.first && s->client_news_ns <= sim->now_ns) disconnect(c);
}

/* -- what it says -- */

static void say(struct client *c, const char *frame, int size)
{
    story_says(c->sim, "%s says %.*s", c->name, size < STORY_FRAME ? size : STORY_FRAME, frame);
    socket_send(c->sim, c->socket, frame, (size_t)size);
}

static void subscribe(struct client *c, struct client_sub *sub)
{
    char frame[256], place[80] = "", credit[32] = "";
    enum oracle_since since = ORACLE_SINCE_NEW;
    uint32_t kind = random_below(&c->random, 3);
    if (sub->cursor[0]) {
        since = ORACLE_SINCE_SEQ;
        snprintf(place, sizeof place, ",\"since\":\"%s\"", sub->cursor);
    } else if (kind == 1) {
        since = ORACLE_SINCE_FIRST;
        snprintf(place, sizeof place, ",\"since\":\"start\"");
    } else if (kind == 2) {
        since = ORACLE_SINCE_LAST;
        snprintf(place, sizeof place, ",\"last\":%u", ORACLE_LAST);
    }
    if (sub->credit) snprintf(credit, sizeof credit, ",\"credit\":%u", sub->credit);
    sub->id = ++c->last_id;
    sub->state = SUB_ASKED;
    sub->unacked = 0;
    sub->ack_ns = NEVER;
    oracle_viewer_asks(c->sim->oracle, sub->viewer, since, sub->cursor_seq, sub->credit);
    say(c, frame,
        snprintf(frame, sizeof frame, "{\"type\":\"subscribe\",\"id\":%llu,\"topic\":\"%s\"%s%s}", (unsigned long long)sub->id, sub->filter,
                 place, credit));
}

static void ack(struct client *c, struct client_sub *sub)
{
    char frame[256];
    sub->ack_ns = NEVER;
    sub->unacked = 0;
    oracle_viewer_acks(c->sim->oracle, sub->viewer);
    say(c, frame, snprintf(frame, sizeof frame, "{\"type\":\"ack\",\"event\":\"%s\",\"topic\":\"%s\"}", sub->cursor, sub->filter));
}

static void cancel(struct client *c, uint32_t i)
{
    char frame[128];
    uint64_t request = c->calls[i].id;
    c->calls[i].cancel_ns = NEVER;
    if (c->call_count == CALLS_MAX) return;
    c->calls[c->call_count++] =
        (struct client_call){ .kind = CALL_CANCEL, .id = ++c->last_id, .event = c->calls[i].event, .cancel_ns = NEVER };
    oracle_user_cancels(c->sim->oracle, c->calls[i].event);
    say(c, frame,
        snprintf(frame, sizeof frame, "{\"type\":\"cancel\",\"id\":%llu,\"request\":%llu}", (unsigned long long)c->last_id,
                 (unsigned long long)request));
}

/* A request has a time limit, after which it is given up. */
static int add_request(struct client *c, struct client_call *call, char *frame, size_t room)
{
    uint32_t timeout_ms = 1 + random_below(&c->random, 2 * knob(c->sim, KNOB_request_ms));
    call->kind = CALL_REQUEST;
    if (habit(c, KNOB_cancels)) call->cancel_ns = in_ms(c, 0, timeout_ms);
    oracle_requests(c->sim->oracle, call->event, c->sim->now_ns + (timeout_ms - 1) * NS_PER_MS); /* a gateway's clock ticks in ms */
    return snprintf(frame, room, ",\"timeout_ms\":%u", timeout_ms);
}

static int add_name(struct client *c, const struct client_call *call, char *frame, size_t room)
{
    char name[LARGE_NAME];
    snprintf(name, sizeof name, "%s large %u", c->name, c->written);
    large_is_named(c->sim, name, call->event);
    return snprintf(frame, room, ",\"event_type\":\"%s\"", name);
}

/* Its data is unlike every other's, and like nothing else at any place. */
static int write_data(struct client *c, char *data, size_t room)
{
    size_t pad = chance(&c->random, 20) ? random_below(&c->random, 500) : 1;
    if (habit(c, KNOB_larges)) pad = LARGE_DATA + random_below(&c->random, LARGE_DATA / 2);
    size_t size = (size_t)snprintf(data, room, "{\"by\":\"%s\",\"n\":%u,\"pad\":\"", c->name, ++c->written);
    for (size_t i = 0; i < pad; i++)
        data[size++] = (char)('a' + (i * 7 + i / 26 + c->written) % 26);
    return (int)(size + (size_t)snprintf(data + size, room - size, "\"}"));
}

static void publish(struct client *c)
{
    static char frame[FRAME_MAX], data[FRAME_MAX];
    struct sim *sim = c->sim;
    static const char letters[] = "abcdefghijkl";
    char key[2] = { letters[random_below(&c->random, knob(sim, KNOB_keys))] };
    char session[2] = { letters[random_below(&c->random, knob(sim, KNOB_keys))] };
    const char *topic = topic_pick(sim, &c->random);
    int size = write_data(c, data, sizeof data);
    struct oracle_event intent = { .topic = topic, .data = (const uint8_t *)data, .data_size = (size_t)size };
    intent.key = chance(&c->random, 80) ? key[0] : 0;
    intent.session = chance(&c->random, 60) ? session[0] : 0;
    struct client_call *call = &c->calls[c->call_count++];
    *call = (struct client_call){ .id = ++c->last_id, .event = oracle_writes(sim->oracle, &intent), .cancel_ns = NEVER };
    bool asks = habit(c, KNOB_requests);
    size = snprintf(frame, sizeof frame, "{\"type\":\"%s\",\"id\":%llu,\"topic\":\"%s\",\"data\":%s", asks ? "request" : "publish",
                    (unsigned long long)call->id, topic, data);
    if (intent.key) size += snprintf(frame + size, sizeof frame - (size_t)size, ",\"key\":\"%s\"", key);
    if (size > LARGE_DATA) size += add_name(c, call, frame + size, sizeof frame - (size_t)size);
    if (intent.session) size += snprintf(frame + size, sizeof frame - (size_t)size, ",\"session\":\"%s\"", session);
    if (asks) size += add_request(c, call, frame + size, sizeof frame - (size_t)size);
    size += snprintf(frame + size, sizeof frame - (size_t)size, "}");
    say(c, frame, size);
    c->left--;
}

static void act(struct client *c)
{
    struct sim *sim = c->sim;
    if (c->leave_ns <= sim->now_ns) {
        c->leave_ns = NEVER;
        if (chance(&c->random, 50))
            socket_break(sim, c->socket, &c->random);
        else
            disconnect(c);
        return;
    }
    for (uint32_t i = 0; i < c->sub_count; i++) {
        struct client_sub *sub = &c->subs[i];
        if (sub->state == SUB_CLOSED && sub->retry_ns <= sim->now_ns) subscribe(c, sub);
        if (sub->ack_ns <= sim->now_ns) ack(c, sub);
    }
    for (uint32_t i = 0; i < c->call_count; i++)
        if (c->calls[i].cancel_ns <= sim->now_ns) cancel(c, i);
    if (sim->healing) c->left = 0;
    if (c->left == 0 || c->publish_ns > sim->now_ns || c->call_count == CALLS_MAX) return;
    c->publish_ns = in_ms(c, 1, 2 * knob(sim, KNOB_client_pace_ms));
    publish(c);
}

/* -- time -- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t next_of(const struct client *c)
{
    const struct socket *s = c->socket;
    if (!s) return c->connect_ns;
    uint64_t next = s->down.first ? later(s->down.first->due_ns, c->sim->healing ? 0 : c->read_ns) : s->client_news_ns;
    if (!c->greeted) return next;
    next = earlier(next, c->leave_ns);
    for (uint32_t i = 0; i < c->sub_count; i++) {
        if (c->subs[i].state == SUB_CLOSED) next = earlier(next, c->subs[i].retry_ns);
        next = earlier(next, c->subs[i].ack_ns);
    }
    for (uint32_t i = 0; i < c->call_count; i++)
        next = earlier(next, c->calls[i].cancel_ns);
    return c->left > 0 && c->call_count < CALLS_MAX ? earlier(next, c->publish_ns) : next;
}

uint64_t web_next_ns(const struct sim *sim)
{
    uint64_t next = NEVER;
    for (uint32_t i = 0; i < sim->web->client_count; i++)
        next = earlier(next, next_of(&sim->web->clients[i]));
    return next;
}

void web_run(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->web->client_count; i++) {
        struct client *c = &sim->web->clients[i];
        if (!c->socket && c->connect_ns <= sim->now_ns) connect_somewhere(c);
        if (c->socket) hear(c);
        if (c->socket && c->greeted) act(c);
    }
}

static bool is_idle(const struct client *c)
{
    if (!c->socket || !c->greeted || c->call_count > 0 || c->left > 0) return false;
    for (uint32_t i = 0; i < c->sub_count; i++)
        if (c->subs[i].state != SUB_OPEN || oracle_viewer_is_behind(c->sim->oracle, c->subs[i].viewer)) return false;
    return true;
}

const char *web_waits(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->web->client_count; i++)
        if (!is_idle(&sim->web->clients[i])) return sim->web->clients[i].name;
    return NULL;
}
