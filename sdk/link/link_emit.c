/* Settles with emits over EVENT_BYTES_MAX: the data of those goes first, as parts, in turn with the parts of published events (link_part.c).
 * When all of it is out the settle takes its place in the ring, behind those that went past it [R-PART-10]. It stays here until its answer,
 * as after a lost connection all of it goes again, under its new lease.
 * Invariants: a settle is in the ring or still sending its parts; each of its large emits has an entry in emit_sends while it is here. */
#include "sdk/link/state.h"

enum link_result link_emit_measure(const struct link *link, const struct link_settle *settle, uint32_t *out_large, uint32_t *out_wire)
{
    const uint8_t *at = settle->emits.data;
    uint64_t wire = settle->emits.size;
    *out_large = 0;
    for (uint32_t i = 0; i < settle->emit_count && settle->emits.size > EVENT_BYTES_MAX; at += settle->emit_sizes[i++]) {
        struct span before, data, after;
        if (settle->emit_sizes[i] <= EVENT_BYTES_MAX) continue;
        if (settle->emit_sizes[i] > link->terms.max_event_bytes) return LINK_TOO_LARGE;
        if (!parts_cut(span_of(at, settle->emit_sizes[i]), &before, &data, &after)) return LINK_TOO_LARGE;
        if (before.size + after.size > EVENT_BYTES_MAX) return LINK_TOO_LARGE;
        wire -= data.size;
        ++*out_large;
    }
    bool fits = *out_large <= link->terms.large_events && wire <= link->terms.emit_credit_bytes && wire <= link->terms.max_packet_bytes;
    *out_wire = (uint32_t)wire;
    return fits ? LINK_OK : LINK_TOO_LARGE;
}

bool link_emit_has_room(const struct link *link, uint32_t large)
{
    return link->leasing.emit_send_count + large <= link->terms.large_events; /* [R-PART-11] */
}

void link_emit_begin(struct link *link, const struct settle_entry *entry)
{
    struct leasing *l = &link->leasing;
    const uint8_t *at = entry->what.emits.data;
    uint32_t slot = 0;
    while (l->large[slot].used)
        slot++;
    l->large[slot] = (struct large_settle){ .entry = *entry, .used = true };
    l->large[slot].entry.large = (uint8_t)(slot + 1);
    for (uint32_t i = 0; i < entry->what.emit_count; at += entry->what.emit_sizes[i++]) {
        struct span before, after;
        if (entry->what.emit_sizes[i] <= EVENT_BYTES_MAX) continue;
        must(l->emit_send_count < LARGE_MAX);
        struct emit_send *send = &l->emit_sends[l->emit_send_count++];
        *send = (struct emit_send){ .slot = slot, .number = i + 1 };
        must(parts_cut(span_of(at, entry->what.emit_sizes[i]), &before, &send->data, &after)); /* it was measured */
        send->count = parts_count(send->data.size);
    }
    link_keep_extended(link, entry->handle);
}

static bool is_out(const struct leasing *l, uint32_t slot)
{
    for (uint32_t i = 0; i < l->emit_send_count; i++)
        if (l->emit_sends[i].slot == slot && l->emit_sends[i].next < l->emit_sends[i].count) return false;
    return true;
}

struct settle_entry *link_emit_next_out(struct link *link)
{
    struct leasing *l = &link->leasing;
    for (uint32_t slot = 0; l->emit_send_count != 0 && slot < LARGE_MAX; slot++) {
        struct large_settle *large = &l->large[slot];
        if (!large->used || large->in_ring || !is_out(l, slot)) continue;
        large->in_ring = true;
        return &large->entry;
    }
    return NULL;
}

void link_emit_end(struct link *link, uint32_t slot)
{
    struct leasing *l = &link->leasing;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < l->emit_send_count; i++)
        if (l->emit_sends[i].slot != slot) l->emit_sends[kept++] = l->emit_sends[i];
    l->emit_send_count = kept;
    l->large[slot].used = false;
}

void link_emit_out_of_ring(struct link *link, const struct settle_entry *entry)
{
    struct large_settle *large = &link->leasing.large[entry->large - 1];
    large->in_ring = false;
    large->entry.sent = entry->sent;
}

void link_emit_lose(struct link *link, bool all, uint32_t code)
{
    for (uint32_t slot = 0; link->leasing.emit_send_count != 0 && slot < LARGE_MAX; slot++) {
        struct large_settle *large = &link->leasing.large[slot];
        if (!large->used || large->in_ring || (!all && link_held(link, large->entry.handle)->kept)) continue;
        link_settle_end(link, &large->entry, !all && large->entry.sent ? CODE_GONE : code); /* [R-ADOPT-3] */
    }
}

void link_emit_revoked(struct link *link, uint32_t handle)
{
    for (uint32_t slot = 0; link->leasing.emit_send_count != 0 && slot < LARGE_MAX; slot++) {
        const struct large_settle *large = &link->leasing.large[slot];
        if (large->used && !large->in_ring && large->entry.handle == handle) link_settle_end(link, &large->entry, CODE_STALE);
    }
}

void link_emit_forget_connection(struct link *link)
{
    struct leasing *l = &link->leasing;
    for (uint32_t i = 0; i < l->emit_send_count; i++) {
        l->emit_sends[i].next = 0;
        l->large[l->emit_sends[i].slot].entry.after_partials = 0; /* partials do not outlive a connection */
    }
}

/* -- sending -- */

/* Its own connection carries nothing but a few of them ahead of their commit, as with published ones. */
bool link_emit_send_part(struct link *link, struct flush *flush, uint32_t index, struct msg_part *part)
{
    struct emit_send *send = &link->leasing.emit_sends[index];
    size_t begin = (size_t)send->next * PART_BYTES, left = send->data.size - begin;
    size_t size = left < PART_BYTES ? left : PART_BYTES;
    if (send->next == send->count || !link_may_send_part(&link->tenants[0], flush, size, send->next == 0)) return false;
    *part = (struct msg_part){ .number = send->number,
                               .lease = link_held(link, link->leasing.large[send->slot].entry.handle)->lease,
                               .index = send->next++,
                               .count = send->count,
                               .size = (uint32_t)size };
    link->tenants[0].publish_sent_bytes += size;
    link_add_piece(flush, span_of(send->data.data + begin, size));
    return true;
}

void link_emit_add(struct flush *flush, const struct settle_entry *entry, uint32_t *sizes, uint32_t *parts)
{
    const uint8_t *at = entry->what.emits.data;
    for (uint32_t i = 0; i < entry->what.emit_count; at += entry->what.emit_sizes[i++]) {
        struct span before = span_of(at, entry->what.emit_sizes[i]), data = { NULL, 0 }, after = { NULL, 0 };
        if (before.size > EVENT_BYTES_MAX) must(parts_cut(before, &before, &data, &after));
        sizes[i] = (uint32_t)(before.size + after.size);
        parts[i] = parts_count(data.size);
        if (before.size != 0) link_add_piece(flush, before);
        if (after.size != 0) link_add_piece(flush, after);
    }
}
