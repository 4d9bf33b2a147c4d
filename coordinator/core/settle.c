/* What ends or moves a lease: settle (with its emits in the same block [P5]), extend, release. */
#include "coordinator/core/settle.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/held.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/out.h"
#include "coordinator/core/part.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/publish.h"
#include "coordinator/core/state.h"
#include "coordinator/core/token.h"
#include "proto/event.h"

static void answer_now(struct core *c, uint32_t peer, uint64_t number, enum error_code code)
{
    struct item *item = out_item(c, peer, ITEM_SETTLED);
    item->a = number;
    item->x = 1;
    item->y = code;
}

struct settle_one {
    uint64_t number, lease;
    uint32_t verb, delay_ms, emit_count;
    const uint32_t *emit_sizes, *emit_parts; /* emit_parts: NULL, or as in msg_settle */
    const uint8_t *body;
    struct span reason;
};

/* Of emit i: *out is what its parts have become, 0: it has none. False: they are not all there. */
static bool find_parts(const struct core *c, uint32_t peer, const struct settle_one *s, uint32_t i, uint32_t *out)
{
    *out = 0;
    if (!s->emit_parts || !s->emit_parts[i]) return true;
    *out = part_find(c, peer, s->lease, i + 1u);
    return *out != 0;
}

/* One emit, but for what it shares with the others. */
static enum error_code check_emit(const struct core *c, uint32_t peer, const struct settle_one *s, uint32_t i, struct span bytes,
                                  struct event *out)
{
    uint32_t parts;
    if (!find_parts(c, peer, s, i, &parts)) return CODE_BAD_REQUEST; /* [R-PART-12] */
    enum error_code code = publish_check(c, peer_at(c, peer)->tenant, bytes, true, out);
    return code == CODE_OK && parts ? part_check(c, parts, s->emit_parts[i], out, bytes) : code;
}

/* The emits of one settle: all good, or the code that refuses the settle [R-SETTLE-4]. */
static enum error_code check_emits(struct core *c, uint32_t peer, const struct settle_one *s, uint64_t *out_bytes)
{
    const struct peer *p = peer_at(c, peer);
    uint64_t bytes = 0;
    uint32_t tokens = 0, held = 0;
    if (s->emit_count > EMITS_PER_SETTLE_MAX) return CODE_TOO_LARGE;
    for (uint32_t i = 0; i < s->emit_count; i++) {
        struct event event;
        enum error_code code = check_emit(c, peer, s, i, span_of(s->body + bytes, s->emit_sizes[i]), &event);
        if (code != CODE_OK) return code;
        struct token_answer token = token_ask(c, p->tenant, event.token, tokens);
        if (token.wait_ms) return CODE_THROTTLED;
        tokens += event.token.size > 0 && !token.position;
        if (held_due(c, &event, c->log_ms) && !held_has_room(c, p->tenant, held++)) return CODE_OVERLOADED; /* [R-DELAY-3] */
        bytes += s->emit_sizes[i];
    }
    *out_bytes = bytes;
    return p->emit_bytes + bytes > c->config.emit_credit_bytes ? CODE_TOO_LARGE : CODE_OK;
}

/* The position of the last one, or of the first with its token: what the settle's answer must wait for. 0: there are none. */
static uint64_t append_emits(struct core *c, uint32_t peer, const struct settle_one *s, uint64_t cause)
{
    uint32_t tenant = peer_at(c, peer)->tenant, parts;
    const uint8_t *body = s->body;
    uint64_t last = 0;
    for (uint32_t i = 0; i < s->emit_count; i++) {
        struct event event;
        struct span bytes = span_of(body, s->emit_sizes[i]);
        must(event_scan(bytes, &event) == EVENT_OK && find_parts(c, peer, s, i, &parts));
        body += s->emit_sizes[i];
        uint64_t position = token_ask(c, tenant, event.token, 0).position;
        if (position) { /* [R-TOKEN-4] */
            c->stats.duplicates++;
        } else {
            if (parts) bytes = part_seal(c, parts, bytes, &event);
            position = publish_append(c, tenant, &event, bytes, NULL, 0, cause);
            c->stats.emitted++;
        }
        if (position > last) last = position;
    }
    return last;
}

/* A request whose requester is told: by a reply among the emits. */
static bool is_answered(const struct lease *l, const struct settle_one *s)
{
    const uint8_t *at = s->body;
    struct event event;
    for (uint32_t i = 0; i < s->emit_count && l->request; at += s->emit_sizes[i], i++)
        if (event_scan(span_of(at, s->emit_sizes[i]), &event) == EVENT_OK && event.reply != EVENT_REPLY_NONE) return true;
    return false;
}

static void end_well(struct core *c, uint32_t lease)
{
    const struct lease *l = lease_at(c, lease);
    uint64_t floor = group_at(c, l->group)->levels[l->level].floor;
    uint64_t from = l->from > floor ? l->from : floor + 1;
    if (!l->once) group_event_over(c, l->group, l->level, l->failed, from < l->position ? from : l->position, l->position);
    lease_end(c, lease);
}

/* *out_block: whose commit the answer waits for; 0: none. */
static enum error_code settle_one(struct core *c, uint32_t peer, const struct settle_one *s, uint64_t *out_bytes, uint64_t *out_block)
{
    *out_bytes = 0;
    uint32_t lease = lease_from_wire(c, s->lease, peer);
    if (!lease) {
        c->stats.stale++;
        return CODE_STALE; /* [R-SETTLE-3] */
    }
    if (s->emit_parts && lease_at(c, lease)->parts_refused) return lease_at(c, lease)->parts_refused;
    if (s->verb < VERB_ACK || s->verb > VERB_REJECT || (s->verb == VERB_NACK && s->emit_count)) return CODE_BAD_REQUEST;
    enum error_code code = check_emits(c, peer, s, out_bytes);
    if (code != CODE_OK) return code;
    struct lease *l = lease_at(c, lease);
    struct group *g = group_at(c, l->group);
    uint64_t emitted = append_emits(c, peer, s, lease_event(l));
    if (l->once)
        *out_block = emitted ? blocks_number_of(c, emitted) : 0; /* its own end stands nowhere */
    else
        *out_block = blocks_fill(c)->number;
    if (s->verb == VERB_NACK) {
        g->nacked++;
        c->stats.nacked++;
        lease_fail(c, lease, FAILURE_NACK, s->reason, c->log_ms + (s->delay_ms ? s->delay_ms : group_backoff_ms(c, g, l->attempt)));
        return CODE_OK;
    }
    if (s->verb == VERB_ACK)
        g->acked++, c->stats.acked++;
    else
        g->rejected++, c->stats.rejected++;
    if (s->verb == VERB_REJECT && g->has_letters && !is_answered(l, s)) /* [R-DEAD-3] */
        lease_fail(c, lease, FAILURE_REJECT, s->reason, c->log_ms);
    else
        end_well(c, lease);
    return CODE_OK;
}

/* The lease goes on; parts that came for this settle are to be sent again [R-PART-12]. */
static void forget_parts(struct core *c, uint32_t peer, uint64_t wire)
{
    uint32_t lease = lease_from_wire(c, wire, peer);
    if (!lease) return;
    lease_at(c, lease)->parts_refused = CODE_OK;
    if (peer_at(c, peer)->emit_assemblies) parts_forget_emits(c, peer, wire);
}

/* Stale ones come by the thousand when a worker was stopped past its leases; more than it can have held come from none. [R-CREDIT-8] */
static void count_refusal(struct core *c, uint32_t peer, enum error_code code)
{
    if (code == CODE_TOO_LARGE) publish_violation(c, peer);
    if (code == CODE_STALE && ++peer_at(c, peer)->stale >= STALE_MAX) peer_forget(c, peer);
}

void settle_take(struct core *c, uint32_t peer, const struct msg_settle *settle, const uint8_t **body)
{
    struct peer *p = peer_at(c, peer);
    const uint8_t *at = *body;
    for (size_t i = 0; i < settle->emit_count; i++)
        *body += settle->emit_size[i];
    if (settle->first_number != p->settle_next) { /* [R-SETTLE-1] */
        out_error(c, peer, CODE_BAD_REQUEST, FIELD_SETTLE, settle->first_number, "settles are numbered consecutively");
        p->mistakes++;
        return;
    }
    p->settle_next += settle->count;
    size_t emit = 0;
    for (size_t i = 0; i < settle->count && p->state != PEER_ENDING; i++) {
        uint32_t emits = settle->emits ? settle->emits[i] : 0;
        struct settle_one one = { .number = settle->first_number + i,
                                  .lease = settle->lease[i],
                                  .verb = settle->verb[i],
                                  .delay_ms = settle->delay_ms ? settle->delay_ms[i] : 0,
                                  .reason = settle->reason ? settle->reason[i] : span_of(NULL, 0),
                                  .emit_count = emits,
                                  .emit_sizes = emits ? settle->emit_size + emit : NULL,
                                  .emit_parts = emits && settle->emit_parts ? settle->emit_parts + emit : NULL,
                                  .body = at };
        uint64_t bytes, block = 0;
        enum error_code code = emit + emits > settle->emit_count ? CODE_BAD_REQUEST : settle_one(c, peer, &one, &bytes, &block);
        if (block == 0) {
            answer_now(c, peer, one.number, code);
            if (code != CODE_OK) forget_parts(c, peer, one.lease);
            count_refusal(c, peer, code);
        } else {
            p->violations = p->stale = 0;
            p->emit_bytes += bytes;
            ticket_add(c, (struct ticket){
                              .peer = peer, .kind = TICKET_SETTLED, .count = 1, .number = one.number, .block = block, .bytes = bytes });
        }
        for (uint32_t k = 0; k < emits && emit < settle->emit_count; k++)
            at += settle->emit_size[emit++];
    }
}

void extend_take(struct core *c, uint32_t peer, const struct msg_extend *extend)
{
    for (size_t i = 0; i < extend->count && peer_at(c, peer)->state != PEER_ENDING; i++) {
        uint32_t handle = lease_from_wire(c, extend->lease[i], peer);
        if (!handle) {
            count_refusal(c, peer, CODE_STALE);
            if (!out_has_room(c, 1)) continue; /* its settle would be told */
            struct item *item = out_item(c, peer, ITEM_REVOKE);
            item->a = extend->lease[i];
            item->x = CODE_STALE;
            continue;
        }
        peer_at(c, peer)->stale = 0;
        struct lease *l = lease_at(c, handle);
        uint32_t wait_ms = extend->lease_ms[i] ? extend->lease_ms[i] : group_at(c, l->group)->options.lease_ms;
        if (wait_ms > EXTEND_MAX_MS) wait_ms = EXTEND_MAX_MS;
        lease_extend(c, handle, c->now_ns + (uint64_t)wait_ms * 1000000u);
    }
}

void release_take(struct core *c, uint32_t peer, const struct msg_release *release)
{
    for (size_t i = 0; i < release->count; i++) {
        uint32_t handle = lease_from_wire(c, release->lease[i], peer);
        if (handle) lease_return(c, handle); /* [R-LEASE-4] */
    }
}
