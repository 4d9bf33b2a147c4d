/* Deliveries: each is a slot from the packet that brings it until its settle is answered or the user gives the handle back. Those that wait
 * unstarted (and, by policy, started ones) stand in a list by the time of their next extend; all intervals are alike, so new ones go to its
 * end. */
#include "sdk/link/state.h"

void link_lease_init(struct link *link)
{
    struct leasing *l = &link->leasing;
    if (l->slots != 0) map_init(&l->by_lease, l->by_lease.slots, l->slots);
    l->free_count = l->slots;
    l->settle_first = l->settle_next = l->settle_next_send = 0;
}

struct held *link_held(struct link *link, uint32_t handle)
{
    must(handle != 0 && handle <= link->leasing.touched && link->leasing.held[handle].state != HELD_FREE);
    return &link->leasing.held[handle];
}

bool link_has_ended(const struct link *link, uint32_t handle)
{
    must(handle != 0 && handle <= link->leasing.touched);
    return link->leasing.held[handle].state == HELD_ENDED;
}

void link_no_more(struct link *link)
{
    link->leasing.no_more = true;
}

bool link_has_left(const struct link *link)
{
    return link->state != LINK_UP || link->leasing.left;
}

/* -- slots and the list -- */

static uint32_t take_slot(struct leasing *l)
{
    uint32_t handle = l->free;
    if (handle != 0)
        l->free = l->held[handle].next;
    else if (l->touched < l->slots)
        handle = ++l->touched;
    else
        return 0;
    l->free_count--;
    l->held[handle] = (struct held){ 0 };
    return handle;
}

static void unlist(struct leasing *l, uint32_t handle)
{
    struct held *held = &l->held[handle];
    if (!held->listed) return;
    *(held->previous != 0 ? &l->held[held->previous].next : &l->first) = held->next;
    *(held->next != 0 ? &l->held[held->next].previous : &l->last) = held->previous;
    held->listed = false;
}

static void list_last(struct link *link, uint32_t handle)
{
    struct leasing *l = &link->leasing;
    struct held *held = &l->held[handle];
    must(!held->listed);
    held->due_ns = link->now_ns + link->terms.lease_ms * NS_PER_MS / 2;
    held->next = 0;
    held->previous = l->last;
    *(l->last != 0 ? &l->held[l->last].next : &l->first) = handle;
    l->last = handle;
    held->listed = true;
}

/* It takes no credit any more. */
static void let_go(struct leasing *l, uint32_t handle)
{
    struct held *held = &l->held[handle];
    unlist(l, handle);
    if (held->state != HELD_WAITING && held->state != HELD_STARTED) return;
    l->held_count--;
    l->held_bytes -= held->size;
    l->waiting_count -= held->state == HELD_WAITING;
}

void link_held_become(struct link *link, uint32_t handle, uint8_t state)
{
    struct leasing *l = &link->leasing;
    let_go(l, handle);
    l->held[handle].state = state;
}

void link_keep_extended(struct link *link, uint32_t handle)
{
    if (!link_held(link, handle)->listed) list_last(link, handle);
}

void link_stop_extending(struct link *link, uint32_t handle)
{
    unlist(&link->leasing, handle);
}

void link_held_free(struct link *link, uint32_t handle)
{
    struct leasing *l = &link->leasing;
    struct held *held = link_held(link, handle);
    let_go(l, handle);
    if (map_get(&l->by_lease, held->lease) == handle) (void)map_remove(&l->by_lease, held->lease);
    held->state = HELD_FREE;
    held->next = l->free;
    l->free = handle;
    l->free_count++;
}

void link_held_end(struct link *link, uint32_t handle, uint32_t code)
{
    struct held *held = link_held(link, handle);
    struct link_fact fact = { .kind = LINK_FACT_REVOKED, .lease = { .handle = handle, .code = code } };
    if (held->state != HELD_WAITING && held->state != HELD_STARTED) return; /* its settle will have its answer */
    link_held_become(link, handle, HELD_ENDED);
    if (map_get(&link->leasing.by_lease, held->lease) == handle) (void)map_remove(&link->leasing.by_lease, held->lease);
    link_tell(link, &fact);
}

/* -- packets -- */

static uint32_t hold_delivery(struct link *link, const struct msg_deliver *d, size_t i)
{
    struct leasing *l = &link->leasing;
    uint32_t handle = map_get(&l->by_lease, d->lease[i]) == 0 ? take_slot(l) : 0;
    struct held *held;
    if (handle == 0) return 0;
    held = &l->held[handle];
    held->lease = d->lease[i];
    held->generation = link->terms.generation;
    held->seq = d->seq[i];
    held->first = d->first != NULL ? d->first[i] : 0;
    held->attempt = d->attempt[i];
    held->size = d->size[i];
    held->priority = d->priority != NULL ? d->priority[i] : 0;
    held->letter = d->letter != NULL && d->letter[i] != 0;
    held->since_ns = link->now_ns;
    held->state = HELD_WAITING;
    must(map_put(&l->by_lease, held->lease, handle));
    l->held_count++;
    l->waiting_count++;
    l->held_bytes += held->size;
    list_last(link, handle);
    return handle;
}

/* Deliveries [begin, end) of the message, whose bytes are body; whole: a large one, put together. */
static void tell_deliveries(struct link *link, const struct msg_deliver *d, size_t begin, size_t end, struct span body, struct span whole)
{
    struct msg_deliver columns = *d;
    struct link_fact fact = { .kind = LINK_FACT_DELIVERIES };
    if (begin == end) return;
    columns.lease += begin;
    columns.seq += begin;
    columns.time_ms += begin;
    columns.attempt += begin;
    columns.size += begin;
    if (columns.cause != NULL) columns.cause += begin;
    if (columns.first != NULL) columns.first += begin;
    if (columns.priority != NULL) columns.priority += begin;
    if (columns.letter != NULL) columns.letter += begin;
    columns.count = end - begin;
    fact.deliveries.handles = link->leasing.scratch + begin;
    fact.deliveries.columns = &columns;
    fact.deliveries.body = body;
    fact.deliveries.whole = whole;
    link_tell(link, &fact);
}

/* The last message of a large event may stand among others. */
static void tell_with_large(struct link *link, const struct msg_deliver *d, size_t count, struct span body)
{
    const uint8_t *from = body.data, *to = body.data;
    size_t begin = 0;
    for (size_t at = 0; at < count; at++) {
        uint64_t data_size = 0;
        struct span event = span_of(to, d->size[at]);
        struct span whole = link_part_join(link, d->lease[at], 0, d->seq[at], event, &data_size);
        to += event.size;
        if (whole.size == 0) continue;
        link->leasing.held[link->leasing.scratch[at]].size += (uint32_t)data_size;
        tell_deliveries(link, d, begin, at, span_of(from, (size_t)(event.data - from)), span_of(NULL, 0));
        tell_deliveries(link, d, at, at + 1, event, whole);
        begin = at + 1;
        from = to;
    }
    tell_deliveries(link, d, begin, count, span_of(from, (size_t)(to - from)), span_of(NULL, 0));
}

void link_take_deliver(struct link *link, const struct msg_deliver *deliver, struct span body)
{
    struct leasing *l = &link->leasing;
    size_t count = 0;
    if (deliver->lease_ms != 0) link->terms.lease_ms = deliver->lease_ms;
    if (deliver->generation != 0) link->terms.generation = deliver->generation;
    for (; count < deliver->count && count < l->slots; count++) {
        if (count + AHEAD < deliver->count) map_prefetch(&l->by_lease, deliver->lease[count + AHEAD]);
        uint32_t handle = hold_delivery(link, deliver, count);
        if (handle == 0) break;
        l->scratch[count] = handle;
        l->received_bytes += deliver->size[count];
    }
    l->received += count;
    if (link->assembling.count != 0)
        tell_with_large(link, deliver, count, body);
    else
        tell_deliveries(link, deliver, 0, count, body, span_of(NULL, 0));
    if (count != deliver->count) /* beyond our credit, or a lease given twice: this end cannot be trusted to count */
        link_retry(link, CODE_CREDIT_EXCEEDED, 0, span_text("more deliveries came than there was credit for"));
}

void link_take_revoke(struct link *link, const struct msg_revoke *revoke)
{
    for (size_t i = 0; link->leasing.slots != 0 && i < revoke->count; i++) {
        uint32_t handle = map_get(&link->leasing.by_lease, revoke->lease[i]);
        link_part_ended(link, revoke->lease[i], 0);
        if (handle == 0) continue;
        link_held_end(link, handle, revoke->code[i]);
        link_emit_revoked(link, handle);
    }
}

void link_take_cancel(struct link *link, const struct msg_cancel *cancel)
{
    uint32_t handle = link->leasing.slots != 0 ? map_get(&link->leasing.by_lease, cancel->lease) : 0;
    struct link_fact fact = { .kind = LINK_FACT_CANCELLED, .lease = { .handle = handle, .code = CODE_CANCELLED } };
    if (handle != 0 && link_held(link, handle)->state != HELD_SETTLING) link_tell(link, &fact);
}

/* -- the user -- */

enum link_result link_start(struct link *link, uint32_t handle)
{
    struct held *held = link_held(link, handle);
    must(!link->telling);
    if (held->state == HELD_ENDED) {
        link_held_free(link, handle);
        return LINK_STALE;
    }
    must(held->state == HELD_WAITING);
    unlist(&link->leasing, handle);
    link->leasing.waiting_count--;
    held->state = HELD_STARTED;
    held->since_ns = link->now_ns;
    if (link->options.auto_extend_ms != 0) list_last(link, handle);
    return LINK_OK;
}

static bool extend(struct link *link, uint32_t handle, uint32_t lease_ms)
{
    struct leasing *l = &link->leasing;
    if (l->extend_count == l->slots || link->state != LINK_UP) return false;
    l->extends[l->extend_count++] = (struct extend_entry){ l->held[handle].lease, handle, lease_ms };
    return true;
}

enum link_result link_extend(struct link *link, uint32_t handle, uint32_t lease_ms)
{
    struct held *held = link_held(link, handle);
    must(!link->telling);
    if (held->state == HELD_ENDED) return LINK_STALE;
    return extend(link, handle, lease_ms) ? LINK_OK : LINK_FULL;
}

void link_give_back(struct link *link, uint64_t lease)
{
    struct leasing *l = &link->leasing;
    if (link->state == LINK_UP && l->release_count < l->slots * 2)
        l->releases[l->release_count++] = lease; /* else it is not in the next hello, and ends by itself */
}

enum link_result link_release(struct link *link, uint32_t handle)
{
    struct held *held = link_held(link, handle);
    bool ended = held->state == HELD_ENDED;
    must(!link->telling && held->state != HELD_SETTLING);
    if (!ended) link_give_back(link, held->lease);
    link_held_free(link, handle);
    return ended ? LINK_STALE : LINK_OK;
}

/* -- time -- */

static void look_at(struct link *link, uint32_t handle)
{
    struct leasing *l = &link->leasing;
    struct held *held = &l->held[handle];
    uint64_t age_ms = (link->now_ns - held->since_ns) / NS_PER_MS;
    unlist(l, handle);
    if (held->state == HELD_WAITING && age_ms >= link->options.unstarted_ms) {
        link_give_back(link, held->lease); /* somebody else may have time for it [R-LEASE-4] */
        link_held_end(link, handle, CODE_TIMEOUT);
        return;
    }
    if (held->state == HELD_STARTED && age_ms >= link->options.auto_extend_ms) return; /* from here on it is the handler's */
    (void)extend(link, handle, 0);
    list_last(link, handle);
}

void link_lease_tick(struct link *link)
{
    struct leasing *l = &link->leasing;
    while (link->state == LINK_UP && l->first != 0 && l->held[l->first].due_ns <= link->now_ns)
        look_at(link, l->first);
}

uint64_t link_lease_deadline_ns(const struct link *link)
{
    return link->leasing.first != 0 ? link->leasing.held[link->leasing.first].due_ns : UINT64_MAX;
}

void link_lease_forget_connection(struct link *link)
{
    struct leasing *l = &link->leasing;
    l->received = l->received_bytes = l->announced = l->announced_bytes = 0;
    l->extend_count = l->release_count = 0;
    l->settle_next_send = l->settle_first;
    l->seen_ns = 0;
    l->held_back = l->leave_said = l->left = false;
    for (uint32_t i = 1; i <= l->touched; i++)
        if (l->held[i].state != HELD_FREE)
            (void)map_remove(&l->by_lease, l->held[i].lease); /* lease numbers belong to the connection that is gone */
}

/* Refused for good: nothing is held any more. */
void link_lease_stop(struct link *link)
{
    struct leasing *l = &link->leasing;
    for (uint32_t i = 1; i <= l->touched; i++)
        if (l->held[i].state == HELD_WAITING || l->held[i].state == HELD_STARTED) link_held_end(link, i, CODE_STALE);
    for (uint64_t place = l->settle_first; place != l->settle_next; place++)
        link_settle_answer(link, place, CODE_STALE);
    link_emit_lose(link, true, CODE_STALE);
}

/* -- sending -- */

static void flush_extends(struct link *link, struct flush *flush)
{
    struct leasing *l = &link->leasing;
    struct msg_extend *extend_message = link_take(flush, 1, sizeof *extend_message);
    uint32_t count = l->extend_count < LIST_PER_PACKET ? l->extend_count : LIST_PER_PACKET;
    uint64_t *leases = link_take(flush, count, sizeof *leases);
    uint32_t *lease_ms = link_take(flush, count, sizeof *lease_ms);
    for (uint32_t i = 0; i < count; i++) {
        const struct extend_entry *entry = &l->extends[i];
        const struct held *held = &l->held[entry->handle];
        bool settling = held->state == HELD_SETTLING && held->listed; /* its emits are still on their way */
        if (held->lease != entry->lease || (held->state != HELD_WAITING && held->state != HELD_STARTED && !settling))
            continue; /* settled since: extending it would only earn a `stale` */
        leases[extend_message->count] = entry->lease;
        lease_ms[extend_message->count++] = entry->lease_ms;
    }
    l->extend_count -= count;
    memmove(l->extends, l->extends + count, l->extend_count * sizeof *l->extends);
    extend_message->lease = leases;
    extend_message->lease_ms = lease_ms;
    if (extend_message->count == 0) return;
    flush->packet->extend = extend_message;
    flush->any = true;
}

static void flush_releases(struct link *link, struct flush *flush)
{
    struct leasing *l = &link->leasing;
    struct msg_release *release = link_take(flush, 1, sizeof *release);
    uint32_t count = l->release_count < LIST_PER_PACKET ? l->release_count : LIST_PER_PACKET;
    uint64_t *leases = link_take(flush, count, sizeof *leases);
    memcpy(leases, l->releases, count * sizeof *leases);
    l->release_count -= count;
    memmove(l->releases, l->releases + count, l->release_count * sizeof *l->releases);
    release->lease = leases;
    release->count = count;
    flush->packet->release = release;
    flush->any = true;
}

/* [R-DRAIN-2] */
static void flush_leave(struct link *link, struct flush *flush)
{
    flush->packet->drain = link_take(flush, 1, sizeof *flush->packet->drain);
    link->leasing.leave_said = true;
    flush->any = true;
}

void link_flush_leases(struct link *link, struct flush *flush)
{
    if (link->leasing.no_more && !link->leasing.leave_said) flush_leave(link, flush);
    if (link->leasing.extend_count != 0) flush_extends(link, flush);
    if (link->leasing.release_count != 0) flush_releases(link, flush);
}
