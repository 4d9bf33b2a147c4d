/* What a step says: items, chained per peer in the order they arose; at the end of the step out_packet.c makes packets of them.
 * Part of the item table is kept back for answers that a step cannot put off; what can wait asks out_has_room first. */
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/state.h"

static uint32_t reserve(const struct core *c)
{
    return 4 * CORE_PACKET_ITEMS_MAX + 2 * c->config.limits.peers_max;
}

bool out_has_room(const struct core *c, uint32_t items)
{
    return c->item_count + items + reserve(c) <= c->config.limits.turn_items_max;
}

struct item *out_item(struct core *c, uint32_t handle, enum item_kind kind)
{
    must(c->item_count < c->config.limits.turn_items_max);
    struct peer *p = peer_at(c, handle);
    uint32_t index = ++c->item_count;
    struct item *item = &c->items[index];
    *item = (struct item){ .kind = kind };
    if (p->dirty)
        c->items[p->out_last].next = index;
    else {
        p->out_first = index;
        p->dirty = true;
        c->dirty[c->dirty_count++] = handle;
    }
    p->out_last = index;
    return item;
}

void out_error(struct core *c, uint32_t peer, enum error_code code, uint32_t about, uint64_t id, const char *message)
{
    c->stats.errors[code]++;
    if (!out_has_room(c, 1) && c->item_count + 64 >= c->config.limits.turn_items_max)
        return; /* a flood of mistakes is counted, not all answered */
    struct item *item = out_item(c, peer, ITEM_ERROR);
    item->x = code;
    item->y = about;
    item->a = id;
    item->body = span_text(message);
}

struct core_out *out_add(struct core *c, enum core_out_kind kind)
{
    must(c->out_count < c->out_max);
    struct core_out *out = &c->outs[c->out_count++];
    *out = (struct core_out){ .kind = kind };
    return out;
}
