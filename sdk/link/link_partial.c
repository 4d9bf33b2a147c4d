/* Partials on their way out: copied into a ring, sent in order, dropped with the connection [R-REQ-2]. Bytes that the last packet points to
 * are free again when the next one is built. */
#include "sdk/link/state.h"

static uint64_t padded(uint64_t size)
{
    return (size + 7) & ~UINT64_C(7);
}

static struct partial_entry *entry_at(const struct partials *p, uint64_t place)
{
    return (struct partial_entry *)(void *)(p->bytes + (place & (p->size - 1)));
}

/* An entry does not go around the corner; what is left there is an empty entry, or too small for one. */
static uint64_t skip_corner(const struct partials *p, uint64_t place, uint64_t total)
{
    uint64_t left = p->size - (place & (p->size - 1));
    return total > left ? place + left : place;
}

enum link_result link_partial(struct link *link, uint32_t handle, struct span topic, struct span data)
{
    struct partials *p = &link->partials;
    struct held *held = link_held(link, handle);
    uint64_t total = padded(sizeof(struct partial_entry) + topic.size + data.size), place;
    struct partial_entry *entry;
    must(!link->telling && held->state != HELD_SETTLING);
    if (held->state == HELD_ENDED) return LINK_STALE;
    if (data.size > EVENT_BYTES_MAX || topic.size > TOPIC_BYTES_MAX || total > p->size / 2) return LINK_TOO_LARGE;
    if (link->state != LINK_UP) return LINK_FULL;
    place = skip_corner(p, p->head, total);
    if (place + total - p->tail > p->size) return LINK_FULL;
    if (place != p->head && p->size - (p->head & (p->size - 1)) >= sizeof(struct partial_entry))
        *entry_at(p, p->head) = (struct partial_entry){ 0 };
    entry = entry_at(p, place);
    *entry = (struct partial_entry){ held->lease,          held->seq,           handle,         held->attempt, held->partial_index++,
                                     (uint32_t)topic.size, (uint32_t)data.size, (uint32_t)total };
    memcpy(entry + 1, topic.data, topic.size);
    if (data.size != 0) memcpy((uint8_t *)(entry + 1) + topic.size, data.data, data.size);
    p->head = place + total;
    return LINK_OK;
}

void link_partial_forget_connection(struct link *link)
{
    link->partials.tail = link->partials.sent = link->partials.head = 0;
}

static bool is_living(const struct link *link, const struct partial_entry *entry)
{
    const struct held *held = &link->leasing.held[entry->handle];
    return held->lease == entry->lease && held->state != HELD_FREE && held->state != HELD_ENDED;
}

/* The entry at the sent mark; NULL when there is none. */
static const struct partial_entry *next_entry(struct partials *p)
{
    uint64_t left = p->size - (p->sent & (p->size - 1));
    if (p->sent == p->head) return NULL;
    if (left < sizeof(struct partial_entry) || entry_at(p, p->sent)->total == 0) p->sent += left;
    return p->sent == p->head ? NULL : entry_at(p, p->sent);
}

void link_flush_partials(struct link *link, struct flush *flush)
{
    struct partials *p = &link->partials;
    const struct partial_entry *entry;
    struct msg_partial *messages;
    size_t count = 0;
    p->tail = p->sent;
    if (p->size == 0 || p->sent == p->head) return;
    messages = link_take(flush, PARTIALS_PER_PACKET, sizeof *messages);
    while (count < PARTIALS_PER_PACKET && (entry = next_entry(p)) != NULL) {
        const uint8_t *topic = (const uint8_t *)(entry + 1);
        if (entry->data_size > flush->room) break;
        p->sent += entry->total;
        if (!is_living(link, entry)) continue;
        messages[count++] = (struct msg_partial){
            .lease = entry->lease,
            .topic = span_of(topic, entry->topic_size),
            .cause = entry->cause,
            .attempt = entry->attempt,
            .index = entry->index,
            .size = entry->data_size,
        };
        link_add_piece(flush, span_of(topic + entry->topic_size, entry->data_size));
    }
    flush->packet->partials = messages;
    flush->packet->partial_count = count;
    flush->any = flush->any || count != 0;
}

void link_take_partial(struct link *link, const struct msg_partial *partial, struct span data)
{
    struct link_fact fact = { .kind = LINK_FACT_PARTIAL };
    struct link_tenant *tenant = link_subscription_tenant(link, partial->subscription);
    if (tenant != NULL) { /* it has used up credit as an event does, and nobody holds it */
        tenant->events_received++;
        tenant->events_received_bytes += data.size;
    }
    fact.partial.subscription = partial->subscription;
    fact.partial.cause = partial->cause;
    fact.partial.attempt = partial->attempt;
    fact.partial.index = partial->index;
    fact.partial.group = partial->group;
    fact.partial.data = data;
    link_tell(link, &fact);
}
