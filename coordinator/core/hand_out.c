/* From a lease to a worker's hands: which worker, and what is said to it. Whether an event may go out at all is deliver.c's business. */
#include "coordinator/core/hand_out.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/request.h"
#include "coordinator/core/state.h"
#include "coordinator/core/transfer.h"
#include "coordinator/core/window.h"
#include "proto/event.h"

enum { WORKERS_LOOKED_AT = 64, LARGE_WAITING_MAX = 8 };

/* Log time from which on it is not delivered; UINT64_MAX: there is none. */
static uint64_t expires_ms(const struct block *block, const struct record *record)
{
    struct event event;
    if (!(record->flags & RECORD_EXPIRES) || event_scan(block_body(block, record), &event) != EVENT_OK) return UINT64_MAX;
    uint64_t born_ms = block->time_ms + record->time_delta_ms;
    uint64_t old_ms = event.ttl_ms && event.ttl_ms < UINT64_MAX - born_ms ? born_ms + event.ttl_ms : UINT64_MAX;
    return event.deadline_ms && event.deadline_ms < old_ms ? event.deadline_ms : old_ms;
}

bool delivery_has_expired(const struct core *c, const struct block *block, const struct record *record)
{
    return c->log_ms >= expires_ms(block, record);
}

bool delivery_is_over(const struct core *c, const struct block *block, const struct record *record)
{
    return delivery_has_expired(c, block, record) || ((record->flags & RECORD_AT_MOST_ONCE) && !c->config.replay.on);
}

static void say_delivery(struct core *c, uint32_t lease, const struct block *block, uint32_t index)
{
    struct lease *l = lease_at(c, lease);
    struct peer *p = peer_at(c, l->peer);
    struct stored_event event = event_at(block, index);
    struct item *item = out_item(c, l->peer, ITEM_DELIVER);
    item->a = lease_wire(c, lease);
    item->b = block->first_position + index;
    item->c = event.time_ms;
    item->d = event.cause;
    item->first = event.first;
    item->x = l->attempt;
    item->y = group_at(c, l->group)->options.lease_ms;
    item->z = l->level;
    item->letter = l->failed && failed_at(c, l->failed)->dead;
    item->body = event.bytes;
    p->deliver_sent_events++;
    p->deliver_sent_bytes += event.bytes.size;
    c->stats.delivered++;
    c->stats.delivered_bytes += event.bytes.size;
    if (l->attempt > 1) c->stats.redelivered++;
    if (l->cancelled) cancel_say(c, lease);
}

void delivery_expired(struct core *c, uint32_t handle, uint32_t level, uint32_t failed, uint64_t from, uint64_t position)
{
    group_event_over(c, handle, level, failed, from, position);
    group_at(c, handle)->expired++;
    c->stats.expired++;
}

/* ---- large events: parts first, to a worker that is not being sent another ---- */

uint32_t worker_for_large(const struct core *c, const struct group *g, uint32_t size)
{
    uint32_t peer = g->ring;
    for (uint32_t i = 0; peer && i < WORKERS_LOOKED_AT; i++) {
        if (transfer_is_possible(c, peer, size)) return peer;
        peer = peer_at(c, peer)->ring_next;
        if (peer == g->ring) break;
    }
    return 0;
}

/* So many wait for such a worker that the group's reader waits with them. */
bool too_many_large(const struct core *c, const struct group *g)
{
    uint32_t count = 0;
    for (uint32_t h = g->returned; h && count < LARGE_WAITING_MAX; h = lease_at(c, h)->of_group.next)
        count += lease_at(c, h)->large > 0;
    return count == LARGE_WAITING_MAX;
}

static void wait_for_worker(struct core *c, struct group *g, uint32_t lease)
{
    uint32_t *at = &g->returned;
    while (*at)
        at = &lease_at(c, *at)->of_group.next;
    *at = lease;
    lease_at(c, lease)->of_group.next = 0;
    lease_at(c, lease)->returned = true;
}

/* It stands in the window, but its first parts do not any more: it is lost with them [R-GROUP-3]. */
static void lose_with_its_parts(struct core *c, uint32_t lease)
{
    const struct lease *l = lease_at(c, lease);
    group_event_over(c, l->group, l->level, l->failed, l->from, l->position);
    window_lost(c, l->group, l->position);
    lease_end(c, lease);
}

/* Returns the worker; 0: it waits for one, or was over. */
static uint32_t hand_out_large(struct core *c, struct group *g, uint32_t lease, uint32_t worker, const struct block *block, uint32_t index)
{
    struct lease *l = lease_at(c, lease);
    l->large = transfer_size(c, block, index);
    if (l->large == 0) {
        lose_with_its_parts(c, lease);
        return 0;
    }
    uint32_t peer = worker && transfer_is_possible(c, worker, l->large) ? worker : worker_for_large(c, g, l->large);
    if (!peer) {
        wait_for_worker(c, g, lease);
        return 0;
    }
    transfer_lease(c, lease, peer, block, index);
    g->ring = peer_at(c, peer)->ring_next;
    worker_ring_update(c, peer);
    return peer;
}

void deliver_large(struct core *c, uint32_t lease, const struct block *block, uint32_t index)
{
    struct lease *l = lease_at(c, lease);
    lease_start(c, lease);
    say_delivery(c, lease, block, index);
    group_at(c, l->group)->delivered++;
    worker_ring_update(c, l->peer);
}

void deliver_gone(struct core *c, uint32_t lease)
{
    struct lease *l = lease_at(c, lease);
    struct item *item = out_item(c, l->peer, ITEM_REVOKE);
    item->a = lease_wire(c, lease);
    item->x = CODE_GONE;
    lose_with_its_parts(c, lease);
}

uint32_t hand_out(struct core *c, uint32_t lease, uint32_t worker, const struct block *block, uint32_t index)
{
    struct group *g = group_at(c, lease_at(c, lease)->group);
    uint32_t peer = worker ? worker : g->ring;
    lease_at(c, lease)->request = (block->records[index].flags & RECORD_REQUEST) != 0;
    lease_at(c, lease)->first = event_first(&block->records[index]);
    lease_at(c, lease)->expires_ms = expires_ms(block, &block->records[index]);
    if (block->records[index].flags & RECORD_PARTS) return hand_out_large(c, g, lease, worker, block, index);
    lease_hand(c, lease, peer);
    say_delivery(c, lease, block, index);
    g->delivered++;
    if (peer == g->ring) g->ring = peer_at(c, peer)->ring_next;
    worker_ring_update(c, peer);
    return peer;
}
