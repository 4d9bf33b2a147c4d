/* Hello and welcome: who is this, what may it do, what does it still hold. A refused hello leaves no state [R-HELLO-8]. */
#include "coordinator/core/hello.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/group_change.h"
#include "coordinator/core/group_spec.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/lookup.h"
#include "coordinator/core/out.h"
#include "coordinator/core/part.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/publisher.h"
#include "coordinator/core/request.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "coordinator/core/text.h"
#include "proto/inbox.h"

static void refuse(struct core *c, uint32_t peer, enum error_code code, const char *message)
{
    out_error(c, peer, code, FIELD_HELLO, 0, message);
    peer_forget(c, peer);
}

static uint32_t hello_tenant(struct core *c, const struct core_packet *in)
{
    struct span wanted = in->packet->hello->tenant;
    const struct core_grant *grant = &in->grant;
    if (!grant->any_tenant) return wanted.size == 0 || span_equal(wanted, grant->tenant) ? tenant_find(c, grant->tenant) : 0;
    if (wanted.size == 0) return 1;
    uint32_t tenant = tenant_find(c, wanted);
    return tenant || !c->config.any_tenant ? tenant : tenant_add(c, wanted);
}

/* What is wrong with the hello in itself, before anything is looked up. */
static enum error_code check(const struct core_packet *in, const char **out_message)
{
    const struct msg_hello *h = in->packet->hello;
    *out_message = "";
    if (h->protocol != PROTOCOL_VERSION) return *out_message = "this coordinator speaks protocol 1", CODE_BAD_VERSION;
    if (in->grant.roles == 0) return *out_message = "a credential is needed", CODE_UNAUTHORIZED;
    if (h->role == ROLE_UNKNOWN || h->role >= ROLE_COUNT) return *out_message = "the role is unknown", CODE_BAD_REQUEST;
    if (!(in->grant.roles & 1u << h->role)) return *out_message = "the credential does not allow this role", CODE_FORBIDDEN;
    if (h->instance.size != INSTANCE_BYTES) return *out_message = "instance must have 16 bytes", CODE_BAD_REQUEST;
    if (h->publisher.size != 0 && h->publisher.size != PUBLISHER_BYTES)
        return *out_message = "publisher must have 16 bytes", CODE_BAD_REQUEST;
    if (h->has_group != (h->role == ROLE_WORKER)) return *out_message = "a worker names a group, others do not", CODE_BAD_REQUEST;
    return !h->has_group ? CODE_OK : group_spec_check(&h->group, out_message);
}

enum join { JOIN_REFUSED, JOIN_DONE, JOIN_LATER /* its place is to be looked up */ };

/* The group, made when new. *out_block: of its record when that is not committed yet. */
static enum join join_group(struct core *c, uint32_t peer, uint32_t tenant, const struct group_spec *spec, uint32_t *out_group,
                            uint64_t *out_block)
{
    *out_block = 0;
    uint32_t handle = *out_group = group_find(c, tenant, spec->name);
    if (!handle && spec->start == START_TIME && !c->config.replay.on) {
        if (lookup_begin(c, LOOKUP_HELLO, peer, tenant, spec)) return JOIN_LATER; /* [R-GROUP-4] */
        refuse(c, peer, CODE_OVERLOADED, "too many look for a time");
        return JOIN_REFUSED;
    }
    if (!handle) {
        if (group_create(c, tenant, spec) == 0) {
            refuse(c, peer, CODE_OVERLOADED, "no room for another group");
            return JOIN_REFUSED;
        }
        handle = *out_group = group_find(c, tenant, spec->name);
    } else {
        const char *conflict = c->config.replay.on ? NULL : group_conflict(group_at(c, handle), spec);
        if (conflict) {
            refuse(c, peer, CODE_CONFLICT, conflict); /* [R-GROUP-1] */
            return JOIN_REFUSED;
        }
    }
    if (group_at(c, handle)->created_block > c->committed_block) *out_block = group_at(c, handle)->created_block;
    return JOIN_DONE;
}

static void replace_older(struct core *c, uint32_t peer)
{
    struct peer *p = peer_at(c, peer);
    uint64_t key = peer_key(c, peer);
    uint32_t older = map_get(&c->by_instance, key);
    if (older && peer_at(c, older)->tenant == p->tenant && memcmp(peer_at(c, older)->instance, p->instance, INSTANCE_BYTES) == 0) {
        out_error(c, older, CODE_STALE, FIELD_HELLO, 0, "this instance has said hello on another connection"); /* [R-HELLO-3] */
        peer_forget(c, older);
    }
    must(map_put(&c->by_instance, key, peer));
}

static bool holds_of_this_log(const struct core *c, const struct peer *p, const struct msg_hello *h)
{
    if (h->epoch.size != EPOCH_BYTES || memcmp(h->epoch.data, c->epoch, EPOCH_BYTES) != 0) return false;
    return !h->held_generation || h->held_generation == group_at(c, p->group)->generation; /* [R-ADOPT-1] */
}

/* What it had been given and does not name it has never begun: that goes out again at once [R-GONE-1]. */
static void adopt_held(struct core *c, uint32_t peer, const struct msg_hello *h)
{
    struct peer *p = peer_at(c, peer);
    if (!p->group || h->held_count > c->config.limits.ranges_per_group_max) return;
    size_t held_count = holds_of_this_log(c, p, h) ? h->held_count : 0;
    for (size_t i = 0; i < held_count; i++)
        lease_adopt(c, &(struct lease_terms){ .group = p->group,
                                              .level = h->held_priority ? h->held_priority[i] : 0,
                                              .peer = peer,
                                              .attempt = h->held_attempt[i],
                                              .position = h->held_seq[i],
                                              .first = h->held_first ? h->held_first[i] : 0,
                                              .letter = h->held_letter && h->held_letter[i] });
    leases_give_back(c, peer_key(c, peer));
}

/* All leases that a peer has before its welcome are kept ones. */
static void say_kept(struct core *c, uint32_t peer, struct msg_welcome *welcome)
{
    struct peer *p = peer_at(c, peer);
    size_t count = 0;
    for (uint32_t h = p->leases.first; h; h = lease_at(c, h)->of_peer.next)
        count++;
    uint64_t *seq = arena_take(&c->scratch, count * sizeof *seq), *lease = arena_take(&c->scratch, count * sizeof *lease);
    uint32_t *attempt = arena_take(&c->scratch, count * sizeof *attempt);
    must(count == 0 || (seq && lease && attempt));
    welcome->kept_count = count;
    for (uint32_t h = p->leases.first; h; h = lease_at(c, h)->of_peer.next) { /* the newest first */
        uint64_t until_ns = c->now_ns + (uint64_t)group_at(c, p->group)->options.lease_ms * 1000000u;
        if (lease_at(c, h)->deadline_ns < until_ns) lease_extend(c, h, until_ns); /* its time begins with the welcome [R-LEASE-1] */
        count--;
        seq[count] = lease_at(c, h)->position;
        attempt[count] = lease_at(c, h)->attempt;
        lease[count] = lease_wire(c, h);
    }
    for (size_t i = 0; i < welcome->kept_count; i++)
        lease_start(c, lease_from_wire(c, lease[i], peer));
    welcome->kept_seq = seq;
    welcome->kept_attempt = attempt;
    welcome->kept_lease = lease;
    p->deliver_sent_events += welcome->kept_count; /* [R-ADOPT-4] */
}

uint64_t peer_key(const struct core *c, uint32_t peer)
{
    const struct peer *p = peer_at(c, peer);
    uint8_t text[INSTANCE_BYTES + sizeof p->tenant];
    memcpy(text, p->instance, INSTANCE_BYTES);
    memcpy(text + INSTANCE_BYTES, &p->tenant, sizeof p->tenant);
    return map_hash(c->config.secret, text, sizeof text);
}

void peer_welcome(struct core *c, uint32_t handle)
{
    struct peer *p = peer_at(c, handle);
    struct msg_welcome *w = arena_take_zeroed(&c->scratch, 1, sizeof *w);
    must(w);
    if (p->group) say_kept(c, handle, w);
    uint32_t publisher = p->publishes ? publisher_find(c, p->publisher) : 0;
    w->protocol = PROTOCOL_VERSION;
    w->server = c->config.server;
    w->epoch = span_of(c->epoch, EPOCH_BYTES);
    w->term = c->term;
    w->peer = p->connection;
    w->tenant = tenant_name(c, p->tenant);
    uint8_t *inbox = arena_take(&c->scratch, INBOX_BYTES);
    must(inbox);
    inbox_name(p->instance, inbox);
    w->inbox = span_of(inbox, INBOX_BYTES);
    w->publisher_known = publisher != 0 || (p->first_unanswered <= 1 && !publishers_are_full(c));
    w->highest_number = publisher ? publisher_at(c, publisher)->highest : 0;
    w->max_event_bytes = c->config.max_event_bytes;
    w->max_packet_bytes = c->config.max_packet_bytes;
    w->publish_window = PUBLISH_WINDOW;
    w->large_events = PEER_LARGE_EVENTS;
    w->heartbeat_ms = c->config.heartbeat_ms;
    w->emit_credit_bytes = c->config.emit_credit_bytes;
    w->replay = c->config.replay.on;
    w->head = c->head;
    if (p->group) {
        w->lease_ms = group_at(c, p->group)->options.lease_ms;
        w->max_deliveries = group_at(c, p->group)->options.max_deliveries;
        w->generation = p->generation = group_at(c, p->group)->generation;
    }
    out_item(c, handle, ITEM_WELCOME)->more = w;
    peer_move(p, PEER_READY);
    for (uint32_t h = p->leases.first; h; h = lease_at(c, h)->of_peer.next)
        cancel_say(c, h);
    for (uint32_t lane = p->lanes; lane; lane = lane_at(c, lane)->next)
        lane_welcome(c, lane_at(c, lane));                                    /* not before: nobody would hear it [R-CREDIT-2] */
    if (c->draining) out_item(c, handle, ITEM_DRAIN)->x = DRAIN_RECONNECT_MS; /* [R-DRAIN-1] */
    worker_ring_update(c, handle);
}

/* Welcome now, or when the group's record is committed [R-HELLO-5]. */
static void enter(struct core *c, uint32_t peer, uint32_t group, uint64_t block, const struct msg_hello *hello)
{
    if (group) group_join(c, group, peer);
    if (block)
        ticket_add(c, (struct ticket){ .peer = peer, .kind = TICKET_WELCOME, .block = block, .count = 1 });
    else if (hello)
        adopt_held(c, peer, hello);
    if (!block && !(group && group_at(c, group)->reading_back)) peer_welcome(c, peer); /* [R-ORDER-3] */
}

void hello_go_on(struct core *c, uint32_t peer, const struct group_spec *spec)
{
    uint32_t group;
    uint64_t block;
    if (join_group(c, peer, peer_at(c, peer)->tenant, spec, &group, &block) == JOIN_DONE) enter(c, peer, group, block, NULL);
}

void hello_take(struct core *c, uint32_t handle, const struct core_packet *in)
{
    struct peer *p = peer_at(c, handle);
    const struct msg_hello *h = in->packet->hello;
    const char *message;
    enum error_code code = check(in, &message);
    if (code != CODE_OK) {
        refuse(c, handle, code, message);
        return;
    }
    uint32_t tenant = hello_tenant(c, in);
    if (!tenant) {
        bool foreign = !in->grant.any_tenant && h->tenant.size && !span_equal(h->tenant, in->grant.tenant);
        refuse(c, handle, foreign ? CODE_FORBIDDEN : CODE_NOT_FOUND, foreign ? "not the credential's tenant" : "no such tenant");
        return;
    }
    uint64_t block = 0;
    uint32_t group = 0;
    enum join join = h->has_group ? join_group(c, handle, tenant, &h->group, &group, &block) : JOIN_DONE;
    if (join == JOIN_REFUSED) return;
    p->role = h->role;
    p->tenant = tenant;
    p->grant.any_tenant = in->grant.any_tenant;
    p->grant.tenant = span_of(NULL, 0); /* lent for this step only; the tenant is known now */
    memcpy(p->instance, h->instance.data, INSTANCE_BYTES);
    p->name_size = (uint8_t)text_put(p->name, 0, text_cut(h->name, sizeof p->name));
    p->publishes = h->publisher.size == PUBLISHER_BYTES;
    if (p->publishes) memcpy(p->publisher, h->publisher.data, PUBLISHER_BYTES);
    p->first_unanswered = h->first_unanswered;
    /* it had answers that are forgotten: its old numbers are not taken for new ones [R-PUB-6] */
    uint32_t publisher = p->publishes ? publisher_find(c, p->publisher) : 0;
    if (publisher) p->number_known = publisher_at(c, publisher)->highest;
    if (p->publishes && !publisher && h->first_unanswered > 1) p->number_seen = h->first_unanswered - 1;
    p->packet_bytes = h->max_packet_bytes > 0 && h->max_packet_bytes < PACKET_OUT_BYTES ? (uint32_t)h->max_packet_bytes : PACKET_OUT_BYTES;
    p->max_event_bytes = h->max_event_bytes;
    peer_move(p, PEER_JOINING);
    replace_older(c, handle);
    lane_of(c, handle, tenant);
    if (join == JOIN_DONE) enter(c, handle, group, block, h);
}
