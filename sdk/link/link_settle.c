/* Settles: a ring of entries in the order of the user's calls, numbered from 1 on each connection [R-SETTLE-1]. An entry and what it lends
 * stay until the answer; the ring is freed from its front.
 *
 * Invariant: places from settle_base on that are below settle_next_send were sent on this connection, under number place - settle_base + 1.
 */
#include "sdk/link/state.h"

static struct settle_entry *entry_at(const struct link *link, uint64_t place)
{
    return &link->leasing.settles[place & link->leasing.settle_mask];
}

static void append(struct link *link, const struct settle_entry *entry)
{
    struct leasing *l = &link->leasing;
    must(l->settle_next - l->settle_first <= l->settle_mask);
    *entry_at(link, l->settle_next++) = *entry;
}

static void count_settle(struct link *link, const struct settle_entry *entry)
{
    link->leasing.settles_unanswered++;
    link->leasing.emit_bytes += entry->emit_wire;
}

/* The ring has a place for every slot; after answers out of order its front may still be taken while its middle is free. */
static bool ring_is_full(const struct leasing *l)
{
    return l->settle_next - l->settle_first > l->settle_mask;
}

enum link_result link_settle(struct link *link, uint32_t handle, const struct link_settle *settle)
{
    struct leasing *l = &link->leasing;
    struct held *held = link_held(link, handle);
    must(!link->telling && held->state != HELD_SETTLING);
    if (held->state == HELD_ENDED) {
        link_held_free(link, handle);
        return LINK_STALE;
    }
    struct settle_entry entry = { .what = *settle, .after_partials = link->partials.head, .handle = handle };
    uint32_t large;
    if (settle->emit_count > EMITS_MAX || link_emit_measure(link, settle, &large, &entry.emit_wire) != LINK_OK)
        return LINK_TOO_LARGE; /* [R-CREDIT-7] */
    if (entry.emit_wire != 0 && l->emit_bytes + entry.emit_wire > link->terms.emit_credit_bytes) return LINK_FULL;
    if (large != 0 ? !link_emit_has_room(link, large) : ring_is_full(l)) return LINK_FULL;
    link_held_become(link, handle, HELD_SETTLING);
    count_settle(link, &entry);
    if (large != 0)
        link_emit_begin(link, &entry);
    else
        append(link, &entry);
    return LINK_OK;
}

uint32_t link_unanswered_settles(const struct link *link)
{
    return link->leasing.settles_unanswered;
}

/* The lease goes on although its delivery is out of the user's hands: fail it now rather than by its timeout. [R-SETTLE-4] [R-CREDIT-7] */
static void fail_instead(struct link *link, uint32_t handle, uint32_t code)
{
    struct settle_entry nack = { .what = { .verb = VERB_NACK, .reason = span_text(error_code_word(code)) }, .handle = handle, .own = true };
    if (ring_is_full(&link->leasing)) {
        link_held_free(link, handle);
        return;
    }
    count_settle(link, &nack);
    append(link, &nack);
}

static bool lease_goes_on(uint32_t code)
{
    return code == CODE_TOO_LARGE || code == CODE_BAD_REQUEST || code == CODE_FORBIDDEN || code == CODE_UNSUPPORTED ||
           code == CODE_THROTTLED || code == CODE_OVERLOADED || code == CODE_CREDIT_EXCEEDED; /* [R-TOKEN-4] [R-PART-12] */
}

void link_settle_end(struct link *link, const struct settle_entry *entry, uint32_t code)
{
    struct link_fact fact = { .kind = LINK_FACT_SETTLED, .lease = { .handle = entry->handle, .code = code, .user = entry->what.user } };
    uint32_t handle = entry->handle;
    bool own = entry->own, again = !own && lease_goes_on(code);
    link->leasing.settles_unanswered--;
    link->leasing.emit_bytes -= entry->emit_wire;
    if (entry->large != 0) link_emit_end(link, entry->large - 1u);
    if (again) fail_instead(link, handle, code);
    if (!own) link_tell(link, &fact);
    if (!again) link_held_free(link, handle);
}

void link_settle_answer(struct link *link, uint64_t place, uint32_t code)
{
    struct leasing *l = &link->leasing;
    struct settle_entry *entry = entry_at(link, place), ended = *entry;
    if (entry->answered) return;
    entry->answered = true;
    while (l->settle_first != l->settle_next && entry_at(link, l->settle_first)->answered)
        l->settle_first++;
    if (l->settle_next_send < l->settle_first) l->settle_next_send = l->settle_first;
    link_settle_end(link, &ended, code);
}

void link_settle_restart(struct link *link)
{
    struct leasing *l = &link->leasing;
    uint64_t kept = l->settle_first;
    for (uint64_t place = l->settle_first; place != l->settle_next; place++) {
        if (entry_at(link, place)->answered) continue;
        if (entry_at(link, place)->large != 0) {
            link_emit_out_of_ring(link, entry_at(link, place));
            continue;
        }
        *entry_at(link, kept) = *entry_at(link, place);
        entry_at(link, kept++)->after_partials = 0; /* partials do not outlive a connection */
    }
    l->settle_next = kept;
    l->settle_base = l->settle_next_send = l->settle_first;
}

/* A worker with much credit has more in its tables than the cache holds: what comes soon is asked for, step by step. */
static void prefetch(struct link *link, uint64_t place, uint64_t end)
{
    const struct leasing *l = &link->leasing;
    if (place + AHEAD < end) __builtin_prefetch(&l->held[entry_at(link, place + AHEAD)->handle]);
    if (place + AHEAD / 2 < end) map_prefetch(&l->by_lease, l->held[entry_at(link, place + AHEAD / 2)->handle].lease);
}

void link_take_settled(struct link *link, const struct msg_settled *settled)
{
    struct leasing *l = &link->leasing;
    uint64_t first = l->settle_base + settled->first_number - 1, end = first + settled->count, sent = l->settle_next_send;
    if (settled->first_number == 0 || end < first) return;
    if (end > sent) end = sent;
    for (uint64_t place = first < l->settle_first ? l->settle_first : first; place < end; place++) {
        prefetch(link, place, end);
        link_settle_answer(link, place, settled->code);
    }
}

/* -- sending -- */

/* While handlers have more to do, a few settles wait a moment for company. */
static bool waits_for_company(struct link *link)
{
    struct leasing *l = &link->leasing;
    if (l->seen_ns == 0) l->seen_ns = link->now_ns;
    return l->waiting_count != 0 && l->settle_next - l->settle_next_send < PUBLISH_EVENTS_MAX && link->now_ns - l->seen_ns < COMPANY_NS;
}

struct columns {
    uint64_t *lease;
    uint32_t *verb, *delay_ms, *emits, *emit_size, *emit_parts;
    struct span *reason;
    bool delays, reasons, parts;
};

static struct columns take_columns(struct flush *flush, size_t count, size_t emits)
{
    return (struct columns){
        .lease = link_take_raw(flush, count, sizeof(uint64_t)),
        .verb = link_take_raw(flush, count, sizeof(uint32_t)),
        .delay_ms = link_take_raw(flush, count, sizeof(uint32_t)),
        .emits = link_take_raw(flush, count, sizeof(uint32_t)),
        .emit_size = link_take_raw(flush, emits, sizeof(uint32_t)),
        .emit_parts = link_take(flush, emits, sizeof(uint32_t)),
        .reason = link_take_raw(flush, count, sizeof(struct span)),
    };
}

static bool fits(const struct link *link, const struct flush *flush, const struct settle_entry *entry, size_t emits_before)
{
    if (entry->after_partials > link->partials.sent)
        return false; /* a settle before its partials would cut them off: within a packet settles come first [R-WIRE-3] */
    if (entry->what.emit_count == 0) return true;
    return entry->emit_wire <= flush->room && emits_before + entry->what.emit_count <= EMITS_PER_PACKET;
}

static void add_settle(struct link *link, struct flush *flush, struct msg_settle *message, struct columns *c, struct settle_entry *entry)
{
    size_t i = message->count++;
    entry->sent = true;
    if (entry->what.once && entry->what.emit_count > 0) link_held(link, entry->handle)->unnamed = true; /* [R-ONCE-6] */
    c->lease[i] = link_held(link, entry->handle)->lease;
    c->verb[i] = entry->what.verb;
    c->delay_ms[i] = entry->what.delay_ms;
    c->reason[i] = entry->what.reason;
    c->emits[i] = entry->what.emit_count;
    c->delays = c->delays || entry->what.delay_ms != 0;
    c->reasons = c->reasons || entry->what.reason.size != 0;
    if (entry->what.emit_count == 0) return;
    if (entry->large != 0) {
        c->parts = true;
        link_emit_add(flush, entry, c->emit_size + message->emit_count, c->emit_parts + message->emit_count);
    } else {
        memcpy(c->emit_size + message->emit_count, entry->what.emit_sizes, entry->what.emit_count * sizeof(uint32_t));
        link_add_piece(flush, entry->what.emits);
    }
    message->emit_count += entry->what.emit_count;
}

/* Those whose parts are out come behind the others. */
static void take_into_ring(struct link *link)
{
    struct settle_entry *entry;
    while (!ring_is_full(&link->leasing) && (entry = link_emit_next_out(link)) != NULL) {
        link_stop_extending(link, entry->handle);
        append(link, entry);
    }
}

static size_t count_emits(const struct link *link, uint64_t first, size_t count)
{
    size_t emits = 0;
    for (size_t i = 0; i < count && emits < EMITS_PER_PACKET; i++)
        emits += entry_at(link, first + i)->what.emit_count;
    return emits < EMITS_PER_PACKET ? emits : EMITS_PER_PACKET;
}

void link_flush_settle(struct link *link, struct flush *flush)
{
    struct leasing *l = &link->leasing;
    struct msg_settle *message;
    struct columns c;
    if (l->emit_send_count != 0) take_into_ring(link);
    size_t waiting = (size_t)(l->settle_next - l->settle_next_send);
    l->held_back = waiting != 0 && waits_for_company(link);
    if (waiting == 0 || l->held_back) return;
    waiting = waiting < SETTLES_PER_PACKET ? waiting : SETTLES_PER_PACKET;
    if (!fits(link, flush, entry_at(link, l->settle_next_send), 0)) return;
    message = link_take(flush, 1, sizeof *message);
    c = take_columns(flush, waiting, count_emits(link, l->settle_next_send, waiting));
    message->first_number = l->settle_next_send - l->settle_base + 1;
    while (message->count < waiting && fits(link, flush, entry_at(link, l->settle_next_send), message->emit_count))
        add_settle(link, flush, message, &c, entry_at(link, l->settle_next_send++));
    message->lease = c.lease;
    message->verb = c.verb;
    message->delay_ms = c.delays ? c.delay_ms : NULL;
    message->reason = c.reasons ? c.reason : NULL;
    message->emits = message->emit_count != 0 ? c.emits : NULL;
    message->emit_size = c.emit_size;
    message->emit_parts = c.parts ? c.emit_parts : NULL;
    l->seen_ns = l->settle_next_send != l->settle_next ? link->now_ns : 0;
    flush->packet->settle = message;
    flush->any = true;
}

uint64_t link_settle_deadline_ns(const struct link *link)
{
    return link->leasing.held_back ? link->leasing.seen_ns + COMPANY_NS : UINT64_MAX;
}
