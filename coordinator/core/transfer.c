/* Large events on their way out: their parts are read through the blocks in memory and sent a few per step, then the event itself, as any
 * other is. A peer is sent one at a time; everything else goes past it, but a subscription waits, for it keeps its order [R-PART-6].
 * Invariants: a transfer belongs to a lease or to a subscription, and its peer, lease or subscription name it; core.sending holds all. */
#include "coordinator/core/transfer.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/hand_out.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/state.h"
#include "coordinator/core/subscribe.h"
#include "proto/event.h"
#include "proto/parts.h"

enum { PARTS_PER_STEP = 4 /* of all transfers together: what small events may have to wait for */ };

static struct transfer *transfer_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->transfers, h);
}

static bool read_parts(const struct block *block, uint32_t index, uint64_t *positions, struct parts *out)
{
    struct event event;
    return event_scan(event_at(block, index).bytes, &event) == EVENT_OK && parts_read(event.parts, positions, PARTS_MAX, out);
}

uint32_t transfer_size(const struct core *c, const struct block *block, uint32_t index)
{
    uint64_t positions[PARTS_MAX];
    struct parts parts;
    struct span bytes = event_at(block, index).bytes, author, field;
    if (!read_parts(block, index, positions, &parts) || positions[0] < c->trimmed_below) return 0;
    size_t ours = parts_author(bytes, &author, &field) ? bytes.size - author.size : 0; /* [R-PART-1] does not count it */
    return (uint32_t)(block->records[index].size - ours + parts.size);
}

bool transfer_is_possible(const struct core *c, uint32_t peer, uint32_t size)
{
    return !peer_at(c, peer)->transfer && size <= peer_at(c, peer)->max_event_bytes;
}

static uint32_t begin(struct core *c, uint32_t peer, const struct block *block, uint32_t index)
{
    struct parts parts;
    uint32_t handle = slab_take(&c->transfers);
    must(handle && !peer_at(c, peer)->transfer); /* there are as many as peers */
    struct transfer *t = transfer_at(c, handle);
    must(read_parts(block, index, t->parts, &parts));
    t->peer = peer;
    t->count = parts.count;
    t->position = block->first_position + index;
    peer_at(c, peer)->transfer = handle;
    c->sending[c->sending_count++] = handle;
    return handle;
}

/* The credit for the event is taken now, as others go past it; its bytes count as they are sent. */
void transfer_lease(struct core *c, uint32_t lease, uint32_t peer, const struct block *block, uint32_t index)
{
    uint32_t handle = begin(c, peer, block, index);
    lease_hold(c, lease, peer);
    lease_at(c, lease)->transfer = handle;
    transfer_at(c, handle)->lease = lease;
    peer_at(c, peer)->deliver_sent_events++;
}

void transfer_sub(struct core *c, uint32_t sub, const struct block *block, uint32_t index)
{
    struct sub *s = sub_at(c, sub);
    uint32_t handle = begin(c, s->peer, block, index);
    s->transfer = handle;
    transfer_at(c, handle)->sub = sub;
    lane_at(c, s->lane)->event_sent_events++;
}

/* ---- the end of one ---- */

static void finish(struct core *c, uint32_t handle)
{
    struct transfer *t = transfer_at(c, handle);
    struct peer *p = peer_at(c, t->peer);
    uint32_t i = 0;
    while (c->sending[i] != handle)
        i++;
    c->sending_count--;
    memmove(c->sending + i, c->sending + i + 1, (c->sending_count - i) * sizeof c->sending[0]);
    if (t->lease) lease_at(c, t->lease)->transfer = 0;
    if (t->sub) sub_at(c, t->sub)->transfer = 0;
    p->transfer = 0;
    slab_free(&c->transfers, handle);
    if (p->group) group_wake(c, p->group);
    for (uint32_t h = p->subscriptions.first; h; h = sub_at(c, h)->of_peer.next)
        sub_next_large(c, h);
}

/* Its lease or subscription ends. */
void transfer_drop(struct core *c, uint32_t handle)
{
    struct transfer *t = transfer_at(c, handle);
    uint32_t worker = t->lease ? t->peer : 0;
    if (worker)
        peer_at(c, worker)->deliver_sent_events--;
    else
        lane_at(c, sub_at(c, t->sub)->lane)->event_sent_events--;
    finish(c, handle);
    if (worker) worker_ring_update(c, worker); /* it may have been its last credit */
}

/* Its peer has gone: of a lease it knows nothing yet, so that goes to another at once. */
void transfer_abandon(struct core *c, uint32_t handle)
{
    uint32_t lease = transfer_at(c, handle)->lease;
    transfer_drop(c, handle);
    if (lease) lease_return(c, lease);
}

/* Its worker leaves [R-DRAIN-2]. */
void transfer_leave(struct core *c, uint32_t handle)
{
    if (transfer_at(c, handle)->lease) transfer_abandon(c, handle);
}

/* ---- a step ---- */

enum progress { PROGRESS_SENT, PROGRESS_ENDED, PROGRESS_WAITS };

/* Until a block is read; when none is being read, for a moment. */
static enum progress wait_for_log(struct core *c, struct transfer *t)
{
    t->waits_log = true;
    reader_wait(c);
    return PROGRESS_WAITS;
}

/* What it needs has left the window meanwhile. */
static enum progress end_gone(struct core *c, struct transfer *t)
{
    if (t->lease && !blocks_room_for_failure(c)) return wait_for_log(c, t);
    if (t->lease)
        deliver_gone(c, t->lease);
    else
        sub_gone(c, t->sub);
    return PROGRESS_ENDED;
}

static void say_part(struct core *c, struct transfer *t, struct span body)
{
    struct item *item = out_item(c, t->peer, ITEM_PART);
    item->a = t->lease ? lease_wire(c, t->lease) : 0;
    item->b = t->position;
    item->c = t->sub ? sub_at(c, t->sub)->id : 0;
    item->x = t->sent++;
    item->y = t->count;
    item->body = body;
    if (t->lease) {
        peer_at(c, t->peer)->deliver_sent_bytes += body.size;
        c->stats.delivered_bytes += body.size;
        worker_ring_update(c, t->peer);
    } else {
        lane_at(c, sub_at(c, t->sub)->lane)->event_sent_bytes += body.size;
        c->stats.events_sent_bytes += body.size;
    }
    t->said = c->step;
    c->stats.parts_sent++;
}

/* In a later packet than the last part: within a packet the event would go first [R-WIRE-3]. */
static enum progress say_event(struct core *c, uint32_t handle, const struct block *block)
{
    struct transfer *t = transfer_at(c, handle);
    uint32_t lease = t->lease, sub = t->sub, index = (uint32_t)(t->position - block->first_position);
    if (t->said == c->step || (lease && c->draining)) return PROGRESS_WAITS;
    transfer_drop(c, handle);
    if (lease)
        deliver_large(c, lease, block, index);
    else
        sub_large(c, sub, block, index);
    return PROGRESS_ENDED;
}

/* Of a paused group nothing goes out: what was not sent to its end waits with the rest [R-CHANGE-2]. Nor does what has expired. */
static bool may_go_on(const struct core *c, uint32_t lease)
{
    return !group_at(c, lease_at(c, lease)->group)->paused_ms && c->log_ms < lease_at(c, lease)->expires_ms;
}

static enum progress take_back(struct core *c, uint32_t handle)
{
    const struct transfer *t = transfer_at(c, handle);
    struct item *item = out_item(c, t->peer, ITEM_REVOKE);
    item->a = lease_wire(c, t->lease);
    item->x = CODE_STALE;
    transfer_abandon(c, handle);
    return PROGRESS_ENDED;
}

static enum progress send_next(struct core *c, uint32_t handle)
{
    struct transfer *t = transfer_at(c, handle);
    bool last = t->sent == t->count, end;
    uint64_t position = last ? t->position : t->parts[t->sent];
    if (!out_has_room(c, 8)) return PROGRESS_WAITS;
    if (t->lease && !may_go_on(c, t->lease)) return take_back(c, handle);
    if (t->waits_log) return PROGRESS_WAITS;
    struct slot *slot = blocks_find_after(c, position, &end);
    if (!slot && !end) return wait_for_log(c, t);
    if (!slot || !block_holds(&slot->block, position)) return end_gone(c, t);
    if (last) return say_event(c, handle, &slot->block);
    say_part(c, t, block_body(&slot->block, &slot->block.records[position - slot->block.first_position]));
    return PROGRESS_SENT;
}

void transfers_go(struct core *c)
{
    uint32_t left = PARTS_PER_STEP;
    for (bool moved = true; moved && left > 0;) {
        moved = false;
        for (uint32_t i = 0; i < c->sending_count && left > 0;) {
            enum progress progress = send_next(c, c->sending[i]);
            left -= progress == PROGRESS_SENT;
            moved = moved || progress == PROGRESS_SENT;
            i += progress != PROGRESS_ENDED;
        }
    }
    if (c->sending_count > 1) { /* who was first this time is last next time */
        uint32_t first = c->sending[0];
        memmove(c->sending, c->sending + 1, (c->sending_count - 1) * sizeof c->sending[0]);
        c->sending[c->sending_count - 1] = first;
    }
}

void transfers_wake_waiting(struct core *c)
{
    for (uint32_t i = 0; i < c->sending_count; i++)
        transfer_at(c, c->sending[i])->waits_log = false;
}

bool transfers_can_go(const struct core *c)
{
    for (uint32_t i = 0; i < c->sending_count; i++)
        if (!transfer_at(c, c->sending[i])->waits_log && !(c->draining && transfer_at(c, c->sending[i])->lease)) return true;
    return false;
}
