/* At-most-once events: offered in the step that takes them, before the disk, to whoever can take them now [P6]. They are logged like all
 * others, so history and a replay show them, but no group's reader does and no subscription that was not there. */
#include "coordinator/core/once.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/hand_out.h"
#include "coordinator/core/keys.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/order.h"
#include "coordinator/core/out.h"
#include "coordinator/core/state.h"
#include "coordinator/core/subscribe.h"
#include "proto/event.h"

bool once_is_read(const struct core *c, uint32_t owner)
{
    if (c->config.replay.on) return true;
    return (owner & SUBSCRIPTION_BIT) && sub_at(c, owner & ~SUBSCRIPTION_BIT)->limited;
}

/* A group that is behind would get it before what was published earlier: it is not there yet. */
static bool offer_to_group(struct core *c, uint32_t handle, const struct event *event, uint64_t position)
{
    struct group *g = group_at(c, handle);
    const struct block *block = &filling_slot(c)->block;
    if (!g->ring || g->paused_ms || g->reading_back || !g->levels[event->priority].live || c->draining || !out_has_room(c, 8)) return false;
    uint32_t index = (uint32_t)(position - block->first_position);
    struct turn t = { .group = handle, .level = event->priority, .position = position, .from = position };
    if (!lease_has_room(c, false) || !order_pass_once(c, &t, block_body(block, &block->records[index]))) return false;
    uint32_t lease = lease_give(c, &(struct lease_terms){ .group = handle,
                                                          .level = event->priority,
                                                          .attempt = 1,
                                                          .position = position,
                                                          .from = position,
                                                          .once = true });
    must(lease);
    order_hold(c, &t, lease);
    hand_out(c, lease, t.worker, block, index);
    return true;
}

void once_offer(struct core *c, uint32_t tenant, const struct event *event, uint64_t position)
{
    if (c->config.replay.on) return;
    uint32_t found = filters_match(c->filters, tenant, event->topic, c->matches, c->matches_max);
    if (found > c->matches_max) found = c->matches_max;
    for (uint32_t i = 0; i < found && !(c->matches[i] & SUBSCRIPTION_BIT); i++)
        if (!offer_to_group(c, c->matches[i], event, position)) c->stats.undeliverable++;
    if (found == 0) c->stats.undeliverable++; /* subscriptions are asked at the commit */
}
