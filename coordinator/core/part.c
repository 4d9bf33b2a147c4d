/* Large events on their way in: their parts become records as they come, an assembly remembers where, and the event that ends them is
 * accepted as any other, under the same number. What is never ended costs log space and nothing else [R-PART-5].
 * Invariant: parts_reserved is the room that the field `parts` of every open assembly may take in the filling block. */
#include "coordinator/core/part.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/publish.h"
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

uint32_t part_find(const struct core *c, uint32_t peer, uint64_t number)
{
    uint32_t h = peer_at(c, peer)->assemblies;
    while (h && assembly_at(c, h)->number != number)
        h = assembly_at(c, h)->next;
    return h;
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
    p->assembly_count--;
    assembly_free(c, handle);
}

void parts_forget(struct core *c, uint32_t peer)
{
    struct peer *p = peer_at(c, peer);
    for (uint32_t h = p->assemblies, next; h; h = next) {
        next = assembly_at(c, h)->next;
        assembly_free(c, h);
    }
    p->assemblies = p->assembly_count = 0;
}

/* ---- the event that ends them ---- */

enum error_code part_check(const struct core *c, uint32_t handle, const struct event *event, struct span bytes)
{
    const struct assembly *a = assembly_at(c, handle);
    if (a->taken < a->count || event->data.size > 0) return CODE_BAD_REQUEST;
    if (a->size + bytes.size > c->config.max_event_bytes || event->semantics == EVENT_AT_MOST_ONCE) return CODE_TOO_LARGE; /* [R-ONCE-5] */
    return a->positions[0] < c->trimmed_below ? CODE_OVERLOADED : CODE_OK; /* its first parts have left the window already */
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
    c->stats.published_bytes += data.size;
    ticket_add(c, (struct ticket){ .peer = peer, .lane = lane->self, .kind = TICKET_PART, .block = filling_slot(c)->block.number,
                                   .bytes = data.size });
}

static enum error_code check_first(const struct core *c, const struct peer *p, const struct msg_part *m)
{
    if (c->draining) return CODE_DRAINING;
    if (m->count > parts_count(c->config.max_event_bytes)) return CODE_TOO_LARGE;
    if (p->assembly_count == PEER_LARGE_EVENTS) return CODE_THROTTLED;
    if (c->assemblies.taken == c->assemblies.capacity || c->parts_reserved + parts_field_bound(m->count) > PARTS_RESERVED_MAX)
        return CODE_OVERLOADED;
    return CODE_OK;
}

/* A number is open from its first part on; it may stand below numbers that went past it on an earlier connection [R-PART-5]. */
static void take_first(struct core *c, uint32_t peer, struct lane *lane, const struct msg_part *m, struct span data)
{
    struct peer *p = peer_at(c, peer);
    uint32_t publisher = publisher_find(c, p->publisher);
    p->number_seen = m->number;
    if (publisher && publisher_answer(publisher_at(c, publisher), m->number) != PUBLISHER_NEVER) {
        publish_again(c, peer, lane, m->number, span_of(NULL, 0), m->size);
        return;
    }
    enum error_code code = check_first(c, p, m);
    if (code != CODE_OK) {
        publish_refuse(c, peer, lane, m->number, code, m->size);
        return;
    }
    uint32_t handle = slab_take(&c->assemblies);
    struct assembly *a = assembly_at(c, handle);
    a->number = m->number;
    a->count = m->count;
    a->next = p->assemblies;
    p->assemblies = handle;
    p->assembly_count++;
    c->parts_reserved += parts_field_bound(m->count);
    take(c, peer, lane, a, data);
}

/* The number is used up, and what was open under it gone. */
static void refuse(struct core *c, uint32_t peer, struct lane *lane, const struct msg_part *m, uint32_t open, enum error_code code)
{
    struct peer *p = peer_at(c, peer);
    if (open) part_close(c, peer, open);
    if (m->number > p->number_seen) p->number_seen = m->number;
    publish_refuse(c, peer, lane, m->number, code, m->size);
}

void part_take(struct core *c, uint32_t peer, const struct msg_part *m, const uint8_t **body)
{
    struct peer *p = peer_at(c, peer);
    struct span data = span_of(*body, m->size);
    *body += m->size;
    uint32_t tenant = peer_tenant(c, peer, m->tenant), open = part_find(c, peer, m->number);
    struct lane *lane = tenant ? lane_of(c, peer, tenant) : NULL;
    struct assembly *a = open ? assembly_at(c, open) : NULL;
    bool first = !open && m->index == 0 && m->number > p->number_seen;
    if (!a && !first) {
        if (lane) lane->publish_used_bytes += m->size;
        drop(c, peer, lane, m->size);
        return;
    }
    if (!lane || !p->publishes) {
        refuse(c, peer, lane, m, open, !tenant ? CODE_FORBIDDEN : !lane ? CODE_OVERLOADED : CODE_BAD_REQUEST);
        return;
    }
    bool over = lane->publish_used_bytes >= lane->publish_limit_bytes || (first && lane->publish_used_events >= lane->publish_limit_events);
    bool wrong = !parts_fit(m->index, m->count, m->size) || (a && (m->index != a->taken || m->count != a->count));
    lane->publish_used_bytes += m->size;
    lane->publish_used_events += first;
    if (over || wrong) { /* [R-PART-4] */
        refuse(c, peer, lane, m, open, over ? CODE_CREDIT_EXCEEDED : CODE_BAD_REQUEST);
        publish_violation(c, peer);
    } else if (first) {
        take_first(c, peer, lane, m, data);
    } else {
        take(c, peer, lane, a, data);
    }
}
