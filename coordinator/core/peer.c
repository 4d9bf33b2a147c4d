/* Peers: a connection from its first packet to its end, and the credit lanes it has in tenants.
 * Life: silent -> (hello) joining -> ready -> ending. A peer's slot is freed at the end of the step in which it ends. */
#include "coordinator/core/peer.h"
#include "coordinator/core/group.h"
#include "coordinator/core/hello.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/manage.h"
#include "coordinator/core/order.h"
#include "coordinator/core/out.h"
#include "coordinator/core/part.h"
#include "coordinator/core/publish.h"
#include "coordinator/core/request.h"
#include "coordinator/core/settle.h"
#include "coordinator/core/state.h"
#include "coordinator/core/subscribe.h"
#include "coordinator/core/tenant.h"
#include "coordinator/core/transfer.h"

#define PER_MS 1000000u

static bool may_move(enum peer_state from, enum peer_state to)
{
    static const bool allowed[PEER_ENDING + 1][PEER_ENDING + 1] = {
        [PEER_NONE] = { [PEER_SILENT] = true },
        [PEER_SILENT] = { [PEER_JOINING] = true, [PEER_ENDING] = true },
        [PEER_JOINING] = { [PEER_READY] = true, [PEER_ENDING] = true },
        [PEER_READY] = { [PEER_ENDING] = true },
    };
    return allowed[from][to];
}

void peer_move(struct peer *peer, enum peer_state to)
{
    must(may_move(peer->state, to));
    peer->state = to;
}

static uint32_t peer_open(struct core *c, const struct core_packet *in)
{
    uint32_t handle = slab_take(&c->peers);
    if (!handle) return 0;
    must(map_put(&c->by_connection, in->connection, handle));
    struct peer *p = peer_at(c, handle);
    peer_move(p, PEER_SILENT);
    p->connection = in->connection;
    p->grant = in->grant;
    p->settle_next = 1;
    p->said_ns = c->now_ns;
    p->heard_ns = c->listened_ns;
    return handle;
}

/* ---- lanes ---- */

struct lane *lane_of(struct core *c, uint32_t peer, uint32_t tenant)
{
    struct peer *p = peer_at(c, peer);
    for (uint32_t h = p->lanes; h; h = lane_at(c, h)->next)
        if (lane_at(c, h)->tenant == tenant) return lane_at(c, h);
    uint32_t handle = slab_take(&c->lanes);
    if (!handle) return NULL;
    struct lane *lane = lane_at(c, handle);
    lane->peer = peer;
    lane->tenant = tenant;
    lane->self = handle;
    lane->next = p->lanes;
    p->lanes = handle;
    if (p->state == PEER_READY) lane_welcome(c, lane);
    return lane;
}

void lane_welcome(struct core *c, struct lane *lane)
{
    const struct peer *p = peer_at(c, lane->peer);
    if (p->publishes || p->role == ROLE_WORKER) lane_publish_done(c, lane, 0, 0); /* a worker's emits may come in parts [R-PART-11] */
}

/* Answers free credit; it is told in steps of a quarter of the window [R-CREDIT-2], in smaller ones to who sends parts: so it can keep few
 * of them under way, and small events behind them do not wait for long. */
void lane_publish_done(struct core *c, struct lane *lane, uint64_t events, uint64_t bytes)
{
    uint64_t window_events = c->config.publish_credit_events, window_bytes = c->config.publish_credit_bytes;
    lane->publish_done_events += events;
    lane->publish_done_bytes += bytes;
    uint64_t limit_events = lane->publish_done_events + window_events, limit_bytes = lane->publish_done_bytes + window_bytes;
    uint64_t step_bytes = peer_at(c, lane->peer)->assemblies && window_bytes / 4 > PARTS_CREDIT_STEP ? PARTS_CREDIT_STEP : window_bytes / 4;
    if (limit_events - lane->publish_limit_events < window_events / 4 && limit_bytes - lane->publish_limit_bytes < step_bytes) return;
    lane->publish_limit_events = limit_events;
    lane->publish_limit_bytes = limit_bytes;
    struct item *item = out_item(c, lane->peer, ITEM_CREDIT);
    item->x = CREDIT_PUBLISH;
    if (lane->tenant != peer_at(c, lane->peer)->tenant) item->body = tenant_name(c, lane->tenant);
    item->b = limit_events;
    item->c = limit_bytes;
}

uint32_t peer_tenant(struct core *c, uint32_t peer, struct span name)
{
    const struct peer *p = peer_at(c, peer);
    if (name.size == 0 || span_equal(name, tenant_name(c, p->tenant))) return p->tenant;
    if (!p->grant.any_tenant || (p->role != ROLE_GATEWAY && p->role != ROLE_ADMIN)) return 0;
    uint32_t tenant = tenant_find(c, name);
    return tenant || !c->config.any_tenant ? tenant : tenant_add(c, name);
}

/* ---- the end ---- */

static void peer_end(struct core *c, uint32_t handle)
{
    struct peer *p = peer_at(c, handle);
    if (p->state == PEER_ENDING) return;
    if (p->transfer) transfer_abandon(c, p->transfer);
    while (p->leases.first)
        lease_orphan(c, p->leases.first);
    while (p->subscriptions.first)
        sub_end(c, p->subscriptions.first);
    group_leave(c, handle);
    parts_forget(c, handle);
    for (uint32_t h = p->lanes, next; h; h = next) {
        next = lane_at(c, h)->next;
        slab_free(&c->lanes, h);
    }
    p->lanes = 0;
    uint64_t key = peer_key(c, handle);
    if (map_get(&c->by_instance, key) == handle) map_remove(&c->by_instance, key);
    peer_move(p, PEER_ENDING);
    c->ending[c->ending_count++] = handle;
}

void peer_forget(struct core *c, uint32_t handle)
{
    peer_at(c, handle)->forget = true;
    peer_end(c, handle);
}

void peers_gone(struct core *c, uint32_t connection)
{
    uint32_t handle = map_get(&c->by_connection, connection);
    if (handle) peer_end(c, handle);
}

static uint64_t beat_ns(const struct core *c)
{
    return (uint64_t)c->config.heartbeat_ms * PER_MS;
}

/* While the log is busy packets stay where they are, and a process that was stopped finds them late: what peers said then is still to be
 * read. A step that comes late counts as one heartbeat at most. */
void peers_listened(struct core *c, uint64_t ns)
{
    c->listened_ns += ns < beat_ns(c) ? ns : beat_ns(c);
}

/* Silence of three heartbeats is the end; our own silence of one is broken [R-BEAT-1, R-BEAT-2]. */
void peers_sweep(struct core *c)
{
    if (c->now_ns < c->sweep_ns) return;
    c->sweep_ns = c->now_ns + beat_ns(c) / 4;
    for (uint32_t h = 1; h <= c->peers.touched; h++) {
        if (!slab_is_taken(&c->peers, h)) continue;
        struct peer *p = peer_at(c, h);
        if (p->state == PEER_ENDING) continue;
        if (c->listened_ns - p->heard_ns > 3 * beat_ns(c)) {
            c->stats.silent++;
            peer_forget(c, h);
        } else if (p->state == PEER_READY && !p->dirty && c->now_ns - p->said_ns >= beat_ns(c) * 3 / 4)
            out_item(c, h, ITEM_HEARTBEAT);
    }
}

/* ---- a packet ---- */

/* What only a broken peer says [R-WIRE-8]. */
static void mistake(struct core *c, uint32_t handle, enum error_code code, uint32_t about, const char *message)
{
    out_error(c, handle, code, about, 0, message);
    peer_at(c, handle)->mistakes++;
}

static void take_credit(struct core *c, uint32_t handle, const struct msg_credit *credit)
{
    struct peer *p = peer_at(c, handle);
    if (credit->kind == CREDIT_DELIVER) {
        if (credit->events > p->deliver_limit_events) p->deliver_limit_events = credit->events;
        if (credit->bytes > p->deliver_limit_bytes) p->deliver_limit_bytes = credit->bytes;
        worker_ring_update(c, handle);
        return;
    }
    if (credit->kind != CREDIT_EVENTS) {
        mistake(c, handle, CODE_BAD_REQUEST, FIELD_CREDIT, "this kind of credit is the coordinator's to give");
        return;
    }
    if (credit->subscription) {
        sub_own_credit(c, handle, credit->subscription, credit->events);
        return;
    }
    uint32_t tenant = peer_tenant(c, handle, credit->tenant);
    struct lane *lane = tenant ? lane_of(c, handle, tenant) : NULL;
    if (!lane) {
        out_error(c, handle, tenant ? CODE_OVERLOADED : CODE_FORBIDDEN, FIELD_CREDIT, 0,
                  tenant ? "no room for more tenants" : "not your tenant");
        return;
    }
    subs_credit(c, handle, lane, credit);
}

/* [R-DRAIN-2] Packets are taken before anything is handed out: no delivery follows the answer. */
static void take_drain(struct core *c, uint32_t handle)
{
    struct peer *p = peer_at(c, handle);
    p->leaving = true;
    if (p->transfer) transfer_leave(c, p->transfer);
    worker_ring_update(c, handle);
    order_worker_changed(c, handle);
    out_item(c, handle, ITEM_DRAIN);
}

static void refuse_misplaced(struct core *c, uint32_t handle, const struct packet *p)
{
    const struct {
        bool there;
        uint32_t field;
        enum error_code code;
    } misplaced[] = {
        { p->welcome != NULL, FIELD_WELCOME, CODE_BAD_REQUEST },
        { p->accepted_count > 0, FIELD_ACCEPTED, CODE_BAD_REQUEST },
        { p->refused_count > 0, FIELD_REFUSED, CODE_BAD_REQUEST },
        { p->subscribed_count > 0, FIELD_SUBSCRIBED, CODE_BAD_REQUEST },
        { p->events_count > 0, FIELD_EVENTS, CODE_BAD_REQUEST },
        { p->caught_up_count > 0, FIELD_CAUGHT_UP, CODE_BAD_REQUEST },
        { p->ended_count > 0, FIELD_ENDED, CODE_BAD_REQUEST },
        { p->deliver != NULL, FIELD_DELIVER, CODE_BAD_REQUEST },
        { p->settled_count > 0, FIELD_SETTLED, CODE_BAD_REQUEST },
        { p->revoke != NULL, FIELD_REVOKE, CODE_BAD_REQUEST },
        { p->answer_count > 0, FIELD_ANSWER, CODE_BAD_REQUEST },
        { p->drain != NULL && !peer_at(c, handle)->group, FIELD_DRAIN, CODE_BAD_REQUEST },
        { p->replay != NULL, FIELD_REPLAY, CODE_UNSUPPORTED },
        { p->moved != NULL, FIELD_MOVED, CODE_UNSUPPORTED },
        { p->unknown_fields > 0, 0, CODE_UNSUPPORTED },
    };
    for (size_t i = 0; i < sizeof misplaced / sizeof misplaced[0]; i++)
        if (misplaced[i].there && misplaced[i].code == CODE_UNSUPPORTED)
            out_error(c, handle, CODE_UNSUPPORTED, misplaced[i].field, 0, "not served"); /* [R-WIRE-5]: a newer peer is none that is broken */
        else if (misplaced[i].there)
            mistake(c, handle, CODE_BAD_REQUEST, misplaced[i].field, "a coordinator's message"); /* [R-LATER-1] */
}

static bool fits(const struct core *c, const struct packet *packet)
{
    struct core_turn turn = { 0 };
    core_turn_add(&turn, packet);
    return packet->body.size <= c->config.max_packet_bytes && turn.items <= CORE_PACKET_ITEMS_MAX + 1;
}

static void take_messages(struct core *c, uint32_t handle, const struct packet *packet)
{
    static const uint8_t nothing[1];
    const uint8_t *body = packet->body.data ? packet->body.data : nothing;
    struct peer *p = peer_at(c, handle);
    if (packet->heartbeat) out_item(c, handle, ITEM_HEARTBEAT)->a = packet->heartbeat->echo;
    for (size_t i = 0; i < packet->credit_count; i++)
        take_credit(c, handle, &packet->credits[i]);
    for (size_t i = 0; i < packet->publish_count && p->state != PEER_ENDING; i++)
        publish_take(c, handle, &packet->publishes[i], &body);
    if (p->state == PEER_ENDING) return;
    for (size_t i = 0; i < packet->subscribe_count; i++)
        subscribe_take(c, handle, &packet->subscribes[i]);
    for (size_t i = 0; i < packet->unsubscribe_count; i++)
        unsubscribe_take(c, handle, &packet->unsubscribes[i]);
    for (size_t i = 0; i < packet->events_count; i++)
        for (size_t k = 0; k < packet->events[i].count; k++)
            body += packet->events[i].size[k];
    if (packet->deliver)
        for (size_t k = 0; k < packet->deliver->count; k++)
            body += packet->deliver->size[k];
    if (packet->settle) settle_take(c, handle, packet->settle, &body);
    if (packet->extend && p->state != PEER_ENDING) extend_take(c, handle, packet->extend);
    if (p->state == PEER_ENDING) return;
    if (packet->release) release_take(c, handle, packet->release);
    if (packet->drain && p->group) take_drain(c, handle);
    for (size_t i = 0; i < packet->partial_count; i++)
        partial_take(c, handle, &packet->partials[i], &body);
    for (size_t i = 0; i < packet->cancel_count; i++)
        cancel_take(c, handle, &packet->cancels[i]);
    for (size_t i = 0; i < packet->query_count; i++)
        query_take(c, handle, &packet->queries[i]);
    for (size_t i = 0; i < packet->part_count && p->state != PEER_ENDING; i++)
        part_take(c, handle, &packet->parts[i], &body);
    for (size_t i = 0; i < packet->manage_count && p->state != PEER_ENDING; i++)
        manage_take(c, handle, &packet->manages[i]);
}

static void take_packet(struct core *c, uint32_t handle, const struct core_packet *in)
{
    struct peer *p = peer_at(c, handle);
    if (!in->packet) {
        c->stats.bad_packets++;
        mistake(c, handle, CODE_BAD_FRAME, 0, "not a packet"); /* [R-WIRE-4] */
        return;
    }
    if (!fits(c, in->packet)) {
        mistake(c, handle, CODE_TOO_LARGE, 0, "the packet is too large"); /* [R-WIRE-6] */
        return;
    }
    if (in->packet->hello && p->state != PEER_SILENT)
        mistake(c, handle, CODE_BAD_REQUEST, FIELD_HELLO, "a second hello");
    else if (in->packet->hello)
        hello_take(c, handle, in);
    else if (p->state == PEER_SILENT)
        mistake(c, handle, CODE_UNAUTHORIZED, FIELD_HELLO, "say hello first"); /* [R-HELLO-1] */
    if (p->state == PEER_SILENT || p->state == PEER_ENDING) return;
    refuse_misplaced(c, handle, in->packet);
    take_messages(c, handle, in->packet);
}

void peers_packet(struct core *c, const struct core_packet *in)
{
    uint32_t handle = map_get(&c->by_connection, in->connection);
    c->stats.packets++;
    if (!handle) handle = peer_open(c, in);
    if (!handle) { /* no seat: it is cut and may try again */
        c->stats.errors[CODE_OVERLOADED]++;
        out_add(c, CORE_FORGET)->connection = in->connection;
        return;
    }
    struct peer *p = peer_at(c, handle);
    if (p->state == PEER_ENDING) return;
    if (p->state != PEER_SILENT)
        p->heard_ns = c->listened_ns; /* who only makes noise is not heard: it has three heartbeats for its hello */
    uint32_t before = p->mistakes;
    take_packet(c, handle, in);
    if (p->mistakes == before)
        p->mistakes = 0;
    else if (p->mistakes >= MISTAKES_MAX && p->state != PEER_ENDING)
        peer_forget(c, handle);
}
