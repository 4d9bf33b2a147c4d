/* Large events. Out: each that has begun sends its parts in turn with the others', a few per packet and few of them unanswered, so that
 * small events wait behind little; then the event without its data [R-PART-2]. In: the parts of one event at a time, put together when the
 * event comes [R-PART-6]. What has begun begins anew after a lost connection. */
#include "sdk/link/state.h"

/* -- out -- */

void link_large_begin(struct link *link, struct publish_entry *entry, uint64_t number)
{
    struct publishing *p = &link->publishing;
    struct span whole = span_of(p->bytes + (entry->place & (p->bytes_size - 1)), entry->size);
    must(p->large_count < LARGE_MAX);
    struct large_send *large = &p->large[p->large_count++];
    *large = (struct large_send){ .number = number };
    must(parts_cut(whole, &large->before, &large->data, &large->after)); /* the caller of link_publish wrote it so */
    large->count = parts_count(large->data.size);
}

void link_large_answered(struct link *link, uint64_t number)
{
    struct publishing *p = &link->publishing;
    for (uint32_t i = 0; i < p->large_count; i++) {
        if (p->large[i].number != number) continue;
        p->large_count--;
        memmove(&p->large[i], &p->large[i + 1], (p->large_count - i) * sizeof p->large[0]);
        return;
    }
}

static struct link_tenant *tenant_of(struct link *link, const struct large_send *large, uint32_t *out_index)
{
    *out_index = link->publishing.entries[large->number & link->publishing.mask].tenant;
    return &link->tenants[*out_index];
}

static struct span wire_tenant(const struct link *link, uint32_t tenant)
{
    return link->options.role == ROLE_GATEWAY ? link_tenant_name(link, tenant) : span_of(NULL, 0);
}

static bool has_bytes(const struct link_tenant *tenant)
{
    return tenant->publish_sent_bytes < tenant->publish_limit_bytes;
}

size_t link_flush_large(struct link *link, struct flush *flush, struct msg_publish *messages, uint32_t *sizes)
{
    struct publishing *p = &link->publishing;
    size_t count = 0;
    for (uint32_t i = 0; i < p->large_count && p->message_count < MESSAGES_MAX; i++) {
        struct large_send *large = &p->large[i];
        uint32_t at, size = (uint32_t)(large->before.size + large->after.size);
        struct link_tenant *tenant = tenant_of(link, large, &at);
        if (large->ended || large->next < large->count || !has_bytes(tenant) || size > flush->room) continue;
        large->ended = true;
        tenant->publish_sent_bytes += size;
        sizes[count] = size;
        messages[count] = (struct msg_publish){ wire_tenant(link, at), large->number, &sizes[count], 1 };
        p->messages[p->message_count++] = (struct publish_message){ large->number, 1, 1 };
        if (large->before.size != 0) link_add_piece(flush, large->before);
        if (large->after.size != 0) link_add_piece(flush, large->after);
        count++;
    }
    return count;
}

/* Behind publishes a single part goes, so that a steady stream of them does not keep parts out. A first part goes whatever seems to be
 * under way: while nothing is open credit is told in large steps. */
bool link_may_send_part(const struct link_tenant *tenant, const struct flush *flush, size_t size, bool first)
{
    uint64_t answered = tenant->publish_limit_bytes - tenant->publish_window_bytes;
    uint64_t under_way = tenant->publish_sent_bytes - answered;
    if (!has_bytes(tenant) || size > flush->room) return false;
    return first || under_way == 0 || under_way + size <= PARTS_AHEAD_BYTES || (flush->packet->publish_count != 0 && flush->packet->part_count == 0);
}

static bool send_part(struct link *link, struct flush *flush, struct large_send *large, struct msg_part *part)
{
    uint32_t at;
    struct link_tenant *tenant = tenant_of(link, large, &at);
    size_t begin = (size_t)large->next * PART_BYTES, left = large->data.size - begin;
    size_t size = left < PART_BYTES ? left : PART_BYTES;
    bool first = large->next == 0; /* it was looked at when it began [R-PART-2] */
    if (link->drain_ns != 0 || large->next == large->count || (!first && !link_may_send_part(tenant, flush, size, false))) return false;
    *part = (struct msg_part){
        .number = large->number, .index = large->next++, .count = large->count, .size = (uint32_t)size, .tenant = wire_tenant(link, at)
    };
    tenant->publish_sent_bytes += size;
    link_add_piece(flush, span_of(large->data.data + begin, size));
    return true;
}

static bool send_part_of(struct link *link, struct flush *flush, uint32_t turn, struct msg_part *part)
{
    struct publishing *p = &link->publishing;
    if (turn < p->large_count) return send_part(link, flush, &p->large[turn], part);
    return link_emit_send_part(link, flush, turn - p->large_count, part);
}

void link_flush_parts(struct link *link, struct flush *flush)
{
    struct publishing *p = &link->publishing;
    struct msg_part *parts;
    uint32_t tried = 0, count = p->large_count + link->leasing.emit_send_count;
    if (count == 0) return;
    parts = link_take_raw(flush, PARTS_PER_PACKET, sizeof *parts);
    flush->packet->parts = parts;
    if (p->large_count != 0 && p->large[p->large_count - 1].next == 0) p->large_turn = p->large_count - 1; /* the one that has just begun */
    while (flush->packet->part_count < PARTS_PER_PACKET && tried < count) {
        p->large_turn %= count;
        if (send_part_of(link, flush, p->large_turn, &parts[flush->packet->part_count])) {
            flush->packet->part_count++;
            tried = 0;
        } else {
            tried++;
        }
        p->large_turn++;
    }
    flush->any = flush->any || flush->packet->part_count != 0;
}

/* -- in -- */

/* What has come of it takes no credit any more. */
static void give_up(struct link *link)
{
    struct assembling *a = &link->assembling;
    if (a->count == 0) return;
    if (a->lease != 0)
        link->leasing.held_bytes -= a->size;
    else
        a->tenant->events_held_bytes -= a->size;
    a->count = 0;
}

void link_part_forget_connection(struct link *link)
{
    give_up(link);
    link_emit_forget_connection(link);
}

void link_part_ended(struct link *link, uint64_t lease, uint64_t subscription)
{
    if (link->assembling.lease == lease && link->assembling.subscription == subscription) give_up(link);
}

static bool follows(const struct assembling *a, const struct msg_part *part)
{
    return a->count == part->count && a->next == part->index && a->lease == part->lease && a->subscription == part->subscription &&
           a->seq == part->seq;
}

void link_take_part(struct link *link, const struct msg_part *part, struct span data)
{
    struct assembling *a = &link->assembling;
    struct link_tenant *tenant = part->lease == 0 ? link_subscription_tenant(link, part->subscription) : NULL;
    if (link->state != LINK_UP || (part->lease == 0 && tenant == NULL)) return; /* the subscription has ended */
    if (part->lease != 0)
        link->leasing.received_bytes += data.size;
    else
        tenant->events_received_bytes += data.size;
    if (part->index == 0) {
        give_up(link);
        *a = (struct assembling){ .room = a->room,
                                  .data_max = a->data_max,
                                  .lease = part->lease,
                                  .subscription = part->lease == 0 ? part->subscription : 0,
                                  .seq = part->seq,
                                  .tenant = tenant,
                                  .count = part->count };
    }
    if (!follows(a, part) || !parts_fit(part->index, part->count, part->size) || a->size + data.size > a->data_max) {
        give_up(link); /* the event then comes without its data, or not at all */
        return;
    }
    memcpy(a->room + PARTS_FRONT + a->size, data.data, data.size);
    a->size += data.size;
    a->next++;
    if (part->lease != 0)
        link->leasing.held_bytes += data.size;
    else
        tenant->events_held_bytes += data.size;
}

struct span link_part_join(struct link *link, uint64_t lease, uint64_t subscription, uint64_t seq, struct span event, uint64_t *out_data)
{
    struct assembling *a = &link->assembling;
    struct span whole = { NULL, 0 };
    if (a->count == 0 || a->lease != lease || a->subscription != subscription || a->seq != seq) return whole;
    *out_data = a->size;
    if (a->next != a->count || event.size > EVENT_BYTES_MAX + parts_field_bound(a->count) || !parts_join(a->room, a->size, event, &whole)) {
        give_up(link);
        return span_of(NULL, 0);
    }
    a->count = 0;
    return whole;
}
