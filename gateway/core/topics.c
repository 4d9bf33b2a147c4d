/* Subscriptions at the coordinator. Live ones without demands of their own are shared by all sockets with the same (tenant, filter).
 * A topic that nobody wants any more stays until the coordinator has confirmed its end: its id is in use till then. */
#include "gateway/core/gate_parts.h"

uint32_t topic_find(const struct gate *g, uint64_t id)
{
    uint32_t handle = (uint32_t)id & TOPIC_HANDLE_MASK;
    return slab_is_taken(&g->topics, handle) && topic_at(g, handle)->id == id ? handle : 0;
}

void topic_touch(struct gate *g, uint32_t handle)
{
    struct topic *t = topic_at(g, handle);
    if (t->is_dirty) return;
    t->is_dirty = true;
    t->next_dirty = g->first_dirty_topic;
    g->first_dirty_topic = handle;
}

uint32_t topic_open(struct gate *g, enum topic_kind kind, uint16_t tenant, struct span filter, uint32_t owner, const struct place *place,
                    uint64_t limit, uint64_t credit)
{
    uint32_t handle = slab_take(&g->topics);
    if (handle == 0) return 0;
    struct topic *t = topic_at(g, handle);
    t->id = (uint32_t)(slab_generation(&g->topics, handle) << TOPIC_HANDLE_BITS) | handle;
    t->kind = (uint8_t)kind;
    t->tenant = tenant;
    t->owner = owner;
    t->granted = credit;
    t->filter_size = (uint8_t)filter.size;
    memcpy(t->filter, filter.data, filter.size);
    const struct link_subscription subscription = {
        .id = t->id,
        .tenant = g->tenants[tenant].name,
        .filter = filter,
        .epoch = place->epoch,
        .start = place->start,
        .start_at = place->at,
        .limit = limit,
        .credit_events = credit,
    };
    if (g->config.uplink.subscribe(g->config.uplink.self, &subscription) == LINK_OK) return handle;
    slab_free(&g->topics, handle);
    return 0;
}

static uint64_t shared_key(const struct gate *g, uint16_t tenant, struct span filter)
{
    uint8_t name[sizeof tenant + TOPIC_BYTES_MAX];
    memcpy(name, &tenant, sizeof tenant);
    memcpy(name + sizeof tenant, filter.data, filter.size);
    return map_hash(g->config.secret, name, sizeof tenant + filter.size);
}

uint32_t topic_share(struct gate *g, uint16_t tenant, struct span filter)
{
    uint64_t key = shared_key(g, tenant, filter);
    uint32_t found = map_get(&g->shared, key);
    if (found != 0) {
        const struct topic *t = topic_at(g, found);
        return t->tenant == tenant && span_equal(topic_filter(t), filter) ? found : 0; /* two names of one 64-bit hash: refused */
    }
    const struct place now = { .start = START_NEW };
    uint32_t handle = topic_open(g, TOPIC_SHARED, tenant, filter, 0, &now, 0, 0);
    if (handle == 0) return 0;
    topic_at(g, handle)->key = key;
    must(map_put(&g->shared, key, handle)); /* as many entries as topics */
    return handle;
}

void topic_leave(struct gate *g, uint32_t handle)
{
    struct topic *t = topic_at(g, handle);
    if (t->leaving) return;
    t->leaving = true;
    t->unsubscribe = true;
    t->owner = 0;
    if (t->kind == TOPIC_SHARED) map_remove(&g->shared, t->key);
    topic_touch(g, handle);
}

static void untouch(struct gate *g, uint32_t handle)
{
    if (!topic_at(g, handle)->is_dirty) return;
    uint32_t *at = &g->first_dirty_topic;
    while (*at != handle)
        at = &topic_at(g, *at)->next_dirty;
    *at = topic_at(g, handle)->next_dirty;
}

void topic_free(struct gate *g, uint32_t handle)
{
    struct topic *t = topic_at(g, handle);
    if (t->kind == TOPIC_SHARED && !t->leaving) map_remove(&g->shared, t->key);
    untouch(g, handle);
    slab_free(&g->topics, handle);
}

static void settle_topic(struct gate *g, struct topic *t)
{
    const struct gate_uplink *uplink = &g->config.uplink;
    if (t->unsubscribe) {
        uplink->unsubscribe(uplink->self, t->id);
    } else if (t->grant > 0 && !t->leaving) {
        uplink->grant(uplink->self, t->id, t->grant);
    }
    t->unsubscribe = false;
    t->grant = 0;
}

static void settle_consumed(struct gate *g)
{
    if (!g->consumed || pool_is_tight(g)) return; /* what the sockets do not take, the coordinator keeps */
    for (uint32_t i = 0; i < g->tenant_count; i++) {
        struct tenant *t = &g->tenants[i];
        if (!t->dirty) continue;
        g->config.uplink.consumed(g->config.uplink.self, t->name, t->consumed_events, t->consumed_bytes);
        t->consumed_events = 0;
        t->consumed_bytes = 0;
        t->dirty = false;
    }
    g->consumed = false;
}

void gate_settle_uplink(struct gate *g)
{
    while (g->first_dirty_topic != 0) {
        struct topic *t = topic_at(g, g->first_dirty_topic);
        g->first_dirty_topic = t->next_dirty;
        t->is_dirty = false;
        settle_topic(g, t);
    }
    while (g->first_cancel != 0) {
        uint32_t handle = g->first_cancel;
        struct op *op = op_at(g, handle);
        g->first_cancel = op->next;
        g->config.uplink.cancel(g->config.uplink.self, g->tenants[op->tenant].name, op->seq);
        op_close(g, handle);
    }
    conns_relieve(g);
    settle_consumed(g);
}
