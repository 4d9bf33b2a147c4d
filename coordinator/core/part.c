/* Large events on their way in: their parts become records as they come, an assembly remembers where, and the event that ends them is
 * accepted as any other, under the same number, or stands among the emits of its settle. What is never ended costs log space and nothing
 * else [R-PART-5]. Invariant: parts_reserved is the room that the field `parts` of every open assembly may take in the filling block. */
#include "coordinator/core/part.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/publish.h"
#include "coordinator/core/settle.h"
#include "coordinator/core/publisher.h"
#include "coordinator/core/state.h"
#include "proto/event.h"
#include "proto/parts.h"

static struct assembly *assembly_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->assemblies, h);
}

size_t part_assembly_bytes(const struct core_config *config)
{
    return sizeof(struct assembly) + parts_count(config->max_event_bytes) * sizeof(uint64_t);
}

uint32_t part_find(const struct core *c, uint32_t peer, uint64_t lease, uint64_t number)
{
    uint32_t h = peer_at(c, peer)->assemblies;
    while (h && (assembly_at(c, h)->number != number || assembly_at(c, h)->lease != lease))
        h = assembly_at(c, h)->next;
    return h;
}

static uint32_t *count_of(struct peer *p, uint64_t lease)
{
    return lease ? &p->emit_assemblies : &p->publish_assemblies;
}

static uint32_t open(struct core *c, uint32_t peer, const struct msg_part *m)
{
    struct peer *p = peer_at(c, peer);
    uint32_t handle = slab_take(&c->assemblies);
    struct assembly *a = assembly_at(c, handle);
    a->lease = m->lease;
    a->number = m->number;
    a->count = m->count;
    a->next = p->assemblies;
    p->assemblies = handle;
    ++*count_of(p, m->lease);
    c->parts_reserved += parts_field_bound(m->count);
    return handle;
}

static void assembly_free(struct core *c, uint32_t handle)
{
    c->parts_reserved -= parts_field_bound(assembly_at(c, handle)->count);
    slab_free(&c->assemblies, handle);
}

void part_close(struct core *c, uint32_t peer, uint32_t handle)
{
    struct peer *p = peer_at(c, peer);
    uint32_t *at = &p->assemblies;
    while (*at != handle)
        at = &assembly_at(c, *at)->next;
    *at = assembly_at(c, handle)->next;
    --*count_of(p, assembly_at(c, handle)->lease);
    assembly_free(c, handle);
}

void parts_forget(struct core *c, uint32_t peer)
{
    struct peer *p = peer_at(c, peer);
    for (uint32_t h = p->assemblies, next; h; h = next) {
        next = assembly_at(c, h)->next;
        assembly_free(c, h);
    }
    p->assemblies = p->publish_assemblies = p->emit_assemblies = 0;
}

void parts_forget_emits(struct core *c, uint32_t peer, uint64_t lease)
{
    for (uint32_t h = peer_at(c, peer)->assemblies, next; h; h = next) {
        next = assembly_at(c, h)->next;
        if (assembly_at(c, h)->lease == lease) part_close(c, peer, h);
    }
}

/* ---- the event that ends them ---- */

enum error_code part_check(const struct core *c, uint32_t handle, uint32_t count, const struct event *event, struct span bytes)
{
    const struct assembly *a = assembly_at(c, handle);
    if (a->taken < a->count || (count && a->count != count) || event->data.data) return CODE_BAD_REQUEST;
    if (a->size + bytes.size > c->config.max_event_bytes || event->semantics == EVENT_AT_MOST_ONCE) return CODE_TOO_LARGE; /* [R-ONCE-5] */
    bool leaves = a->positions[0] < c->trimmed_below || a->positions[0] < c->carry.wish; /* or is about to, and would take it along */
    return leaves ? CODE_OVERLOADED : CODE_OK;
}

struct span part_seal(struct core *c, uint32_t handle, struct span bytes, struct event *event)
{
    const struct assembly *a = assembly_at(c, handle);
    uint8_t *sealed = arena_take(&c->scratch, bytes.size + parts_field_bound(a->count));
    must(sealed);
    memcpy(sealed, bytes.data, bytes.size);
    size_t field = parts_field_write(a->size, a->positions, a->count, sealed + bytes.size);
    event->parts = span_of(sealed + bytes.size, field); /* not empty: that is all that is asked of it */
    return span_of(sealed, bytes.size + field);
}

/* ---- parts ---- */

/* More parts than can have been under way when their number was refused are no accident. */
static void drop(struct core *c, uint32_t peer, struct lane *lane, uint32_t size)
{
    struct peer *p = peer_at(c, peer);
    c->stats.parts_dropped++;
    if (lane) lane_publish_done(c, lane, 0, size);
    if (++p->parts_dropped > CREDIT_VIOLATIONS_MAX + c->config.publish_credit_bytes / PART_BYTES) peer_forget(c, peer); /* [R-PART-4] */
}

static void take(struct core *c, uint32_t peer, struct lane *lane, struct assembly *a, struct span data)
{
    uint64_t position =
        blocks_append(c, (struct record){ .kind = RECORD_PART | RECORD_MUST_UNDERSTAND, .number = a->taken }, data);
    a->positions[a->taken++] = position;
    a->size += data.size;
    peer_at(c, peer)->parts_dropped = 0;
    c->stats.parts++;
    if (!a->lease) c->stats.published_bytes += data.size;
    ticket_add(c, (struct ticket){ .peer = peer, .lane = lane->self, .kind = TICKET_PART, .block = filling_slot(c)->block.number,
                                   .bytes = data.size });
}

/* Is there room for another? */
static enum error_code check_room(const struct core *c, struct peer *p, const struct msg_part *m)
{
    if (m->count > parts_count(c->config.max_event_bytes)) return CODE_TOO_LARGE;
    if (*count_of(p, m->lease) == PEER_LARGE_EVENTS) return CODE_THROTTLED;
    if (c->assemblies.taken == c->assemblies.capacity || c->parts_reserved + parts_field_bound(m->count) > PARTS_RESERVED_MAX)
        return CODE_OVERLOADED;
    return CODE_OK;
}

/* A number is open from its first part on; it may stand below numbers that went past it on an earlier connection [R-PART-5]. */
static void take_first(struct core *c, uint32_t peer, struct lane *lane, const struct msg_part *m, struct span data)
{
    struct peer *p = peer_at(c, peer);
    uint32_t publisher = publisher_find(c, p->publisher);
    bool forgotten = !publisher && m->number <= p->number_known; /* since the hello, with what it was told [R-PUB-6] */
    p->number_seen = m->number;
    if (forgotten || (publisher && publisher_answer(publisher_at(c, publisher), m->number) != PUBLISHER_NEVER)) {
        publish_again(c, peer, lane, m->number, span_of(NULL, 0), m->size);
        return;
    }
    enum error_code code = c->draining ? CODE_DRAINING : check_room(c, p, m);
    if (code != CODE_OK) {
        publish_refuse(c, peer, lane, m->number, code, m->size);
        return;
    }
    take(c, peer, lane, assembly_at(c, open(c, peer, m)), data);
}

/* The number is used up, and what was open under it gone. */
static void refuse(struct core *c, uint32_t peer, struct lane *lane, const struct msg_part *m, uint32_t assembly,
                   enum error_code code)
{
    struct peer *p = peer_at(c, peer);
    if (assembly) part_close(c, peer, assembly);
    if (m->number > p->number_seen) p->number_seen = m->number;
    publish_refuse(c, peer, lane, m->number, code, m->size);
}

static bool is_wrong(const struct assembly *a, const struct msg_part *m)
{
    return !parts_fit(m->index, m->count, m->size) || (a && (m->index != a->taken || m->count != a->count));
}

static void take_published(struct core *c, uint32_t peer, const struct msg_part *m, struct span data)
{
    struct peer *p = peer_at(c, peer);
    uint32_t tenant = peer_tenant(c, peer, m->tenant), handle = part_find(c, peer, 0, m->number);
    struct lane *lane = tenant ? lane_of(c, peer, tenant) : NULL;
    struct assembly *a = handle ? assembly_at(c, handle) : NULL;
    bool first = !a && m->index == 0 && m->number > p->number_seen;
    if (!a && !first) {
        if (lane) lane->publish_used_bytes += m->size;
        drop(c, peer, lane, m->size);
        return;
    }
    if (!lane || !p->publishes) {
        refuse(c, peer, lane, m, handle, !tenant ? CODE_FORBIDDEN : !lane ? CODE_OVERLOADED : CODE_BAD_REQUEST);
        return;
    }
    bool over = lane->publish_used_bytes >= lane->publish_limit_bytes || (first && lane->publish_used_events >= lane->publish_limit_events);
    lane->publish_used_bytes += m->size;
    lane->publish_used_events += first;
    if (over || is_wrong(a, m)) { /* [R-PART-4] */
        refuse(c, peer, lane, m, handle, over ? CODE_CREDIT_EXCEEDED : CODE_BAD_REQUEST);
        publish_violation(c, peer);
    } else if (first) {
        take_first(c, peer, lane, m, data);
    } else {
        take(c, peer, lane, a, data);
    }
}

/* What is wrong with a part of an emit is the answer to the settle that it is for; what has come for that is dropped [R-PART-12]. */
static void refuse_emit(struct core *c, uint32_t peer, struct lane *lane, uint32_t lease, const struct msg_part *m, enum error_code code)
{
    lease_at(c, lease)->parts_refused = (uint8_t)code;
    parts_forget_emits(c, peer, m->lease);
    lane_publish_done(c, lane, 0, m->size);
    if (code == CODE_CREDIT_EXCEEDED || code == CODE_BAD_REQUEST) publish_violation(c, peer);
}

static void take_emitted(struct core *c, uint32_t peer, const struct msg_part *m, struct span data)
{
    uint32_t lease = lease_from_wire(c, m->lease, peer), handle = part_find(c, peer, m->lease, m->number);
    struct lane *lane = lane_of(c, peer, peer_at(c, peer)->tenant);
    struct assembly *a = handle ? assembly_at(c, handle) : NULL;
    bool over = lane && lane->publish_used_bytes >= lane->publish_limit_bytes;
    if (lane) lane->publish_used_bytes += m->size;
    if (!lane || !lease || lease_at(c, lease)->parts_refused) {
        drop(c, peer, lane, m->size);
        return;
    }
    bool wrong = is_wrong(a, m) || m->number == 0 || m->number > EMITS_PER_SETTLE_MAX || (!a && m->index != 0);
    enum error_code code = over ? CODE_CREDIT_EXCEEDED : wrong ? CODE_BAD_REQUEST : a ? CODE_OK : check_room(c, peer_at(c, peer), m);
    if (code != CODE_OK)
        refuse_emit(c, peer, lane, lease, m, code);
    else
        take(c, peer, lane, a ? a : assembly_at(c, open(c, peer, m)), data);
}

void part_take(struct core *c, uint32_t peer, const struct msg_part *m, const uint8_t **body)
{
    struct span data = span_of(*body, m->size);
    *body += m->size;
    if (m->lease)
        take_emitted(c, peer, m, data);
    else
        take_published(c, peer, m, data);
}
