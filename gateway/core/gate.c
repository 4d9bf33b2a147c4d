/* The core's memory, clock and doors. One region is cut up at the start; a limit in gate_limits is the capacity of a part of it. */
#include "gateway/core/gate_parts.h"

/* Walks the region: with base NULL it only measures. */
struct cutter {
    uint8_t *base;
    size_t used;
};

static void *cut(struct cutter *c, size_t size)
{
    void *at = c->base == NULL ? NULL : c->base + c->used;
    c->used += (size + 63) & ~(size_t)63;
    return at;
}

static uint32_t nodes_max(const struct gate_limits *l)
{
    uint64_t nodes = l->connections_max * 2ull + l->pool_bytes / 256;
    return (uint32_t)(nodes < UINT32_MAX / 2 ? nodes : UINT32_MAX / 2);
}

static void cut_tables(struct gate *g, struct cutter *c, const struct gate_config *config)
{
    const struct gate_limits *l = &config->limits;
    bool real = c->base != NULL;
    void *at = cut(c, slab_memory(l->connections_max, sizeof(struct conn)));
    if (real) slab_init(&g->conns, at, l->connections_max, sizeof(struct conn));
    at = cut(c, slab_memory(l->topics_max, sizeof(struct topic)));
    if (real) slab_init(&g->topics, at, l->topics_max, sizeof(struct topic));
    at = cut(c, slab_memory(l->subscriptions_max, sizeof(struct sub)));
    if (real) slab_init(&g->subs, at, l->subscriptions_max, sizeof(struct sub));
    at = cut(c, slab_memory(l->operations_max, sizeof(struct op)));
    if (real) slab_init(&g->ops, at, l->operations_max, sizeof(struct op));
    at = cut(c, pool_memory(l->pool_bytes));
    if (real) pool_init(&g->pool, at, l->pool_bytes);
    at = cut(c, slab_memory(nodes_max(l), OUTBOX_NODE_BYTES));
    if (real) outboxes_init(&g->boxes, at, nodes_max(l), &g->pool);
}

static void cut_indexes(struct gate *g, struct cutter *c, const struct gate_config *config)
{
    const struct gate_limits *l = &config->limits;
    bool real = c->base != NULL;
    void *at = cut(c, map_memory(config->identity_count + 1));
    if (real) map_init(&g->tokens, at, config->identity_count + 1);
    at = cut(c, map_memory(l->topics_max));
    if (real) map_init(&g->shared, at, l->topics_max);
    at = cut(c, map_memory(l->operations_max));
    if (real) map_init(&g->requests, at, l->operations_max);
    at = cut(c, heap_memory(l->operations_max));
    if (real) heap_init(&g->op_deadlines, at, l->operations_max);
    at = cut(c, heap_memory(l->connections_max));
    if (real) heap_init(&g->auth_deadlines, at, l->connections_max);
    at = cut(c, PUBLISH_WINDOW * sizeof(uint32_t));
    if (real) g->op_of_number = at;
    at = cut(c, (config->identity_count + 1) * sizeof(uint16_t));
    if (real) g->tenant_of = at;
    at = cut(c, l->frame_bytes_max);
    if (real) g->strings = at;
    at = cut(c, GATE_FRAME_OUT_MAX);
    if (real) g->scratch = at;
}

size_t gate_memory(const struct gate_config *config)
{
    must(config->limits.topics_max <= GATE_TOPICS_MAX);
    struct cutter c = { NULL, 0 };
    cut(&c, sizeof(struct gate));
    cut_tables(NULL, &c, config);
    cut_indexes(NULL, &c, config);
    return c.used;
}

static uint16_t tenant_named(struct gate *g, struct span name)
{
    uint32_t i = 0;
    while (i < g->tenant_count && !span_equal(g->tenants[i].name, name))
        i++;
    must(i < GATE_TENANTS_MAX);
    if (i == g->tenant_count) g->tenants[g->tenant_count++].name = name;
    return (uint16_t)i;
}

struct gate *gate_init(void *memory, const struct gate_config *config)
{
    struct cutter c = { memory, 0 };
    struct gate *g = cut(&c, sizeof(struct gate));
    g->config = *config;
    cut_tables(g, &c, config);
    cut_indexes(g, &c, config);
    if (config->dev) tenant_named(g, span_text("dev"));
    for (uint32_t i = 0; i < config->identity_count; i++) {
        const struct gate_identity *who = &config->identities[i];
        g->tenant_of[i] = tenant_named(g, who->tenant);
        must(map_put(&g->tokens, map_hash(config->secret, who->token.data, who->token.size), i + 1));
    }
    return g;
}

const struct gate_identity *gate_identify(const struct gate *g, struct span token)
{
    uint32_t found = token.size == 0 ? 0 : map_get(&g->tokens, map_hash(g->config.secret, token.data, token.size));
    if (found == 0) return NULL;
    const struct gate_identity *who = &g->config.identities[found - 1];
    return span_equal(who->token, token) ? who : NULL;
}

void gate_now(struct gate *g, uint64_t monotonic_ms, uint64_t unix_ms)
{
    must(monotonic_ms >= g->now_ms);
    g->now_ms = monotonic_ms;
    g->unix_ms = unix_ms;
}

uint64_t gate_deadline(const struct gate *g)
{
    uint32_t handle;
    uint64_t op = UINT64_MAX;
    uint64_t auth = UINT64_MAX;
    heap_first(&g->op_deadlines, &handle, &op);
    heap_first(&g->auth_deadlines, &handle, &auth);
    return op < auth ? op : auth;
}

void gate_tick(struct gate *g)
{
    uint32_t handle;
    uint64_t due;
    while (heap_first(&g->op_deadlines, &handle, &due) && due <= g->now_ms)
        ops_expire(g, handle);
    while (heap_first(&g->auth_deadlines, &handle, &due) && due <= g->now_ms)
        conn_end(g, handle, 4401, "no credential in time");
}

void gate_set_epoch(struct gate *g, struct span epoch)
{
    must(epoch.size <= sizeof g->epoch);
    memcpy(g->epoch, epoch.data, epoch.size);
    g->epoch_size = (uint32_t)epoch.size;
}

static void take_events(struct gate *g, const struct link_fact *fact)
{
    uint32_t handle = topic_find(g, fact->events.id);
    if (handle == 0) return;
    struct topic *t = topic_at(g, handle);
    struct tenant *tenant = &g->tenants[t->tenant];
    tenant->consumed_events += fact->events.count;
    tenant->consumed_bytes += fact->events.body.size;
    tenant->dirty = true;
    g->consumed = true;
    g->stats.events_in += fact->events.count;
    if (t->leaving) return;
    switch (t->kind) {
    case TOPIC_SHARED:
        shared_events(g, handle, fact);
        break;
    case TOPIC_STREAM:
        stream_events(g, handle, fact);
        break;
    case TOPIC_INBOX:
        inbox_events(g, t, fact);
        break;
    default:
        history_events(g, handle, fact);
        break;
    }
}

static void take_subscribed(struct gate *g, const struct link_fact *fact)
{
    uint32_t handle = topic_find(g, fact->subscription.id);
    if (handle == 0 || topic_at(g, handle)->leaving) return;
    struct topic *t = topic_at(g, handle);
    if (t->kind == TOPIC_HISTORY) {
        op_at(g, t->owner)->gap |= fact->subscription.gap;
        if (t->cursor < fact->subscription.cursor) t->cursor = fact->subscription.cursor;
    } else if (t->kind != TOPIC_INBOX) {
        subs_confirmed(g, t, fact->subscription.cursor, fact->subscription.gap);
    }
}

/* The inbox cannot be had: nobody will answer. */
static void end_inbox(struct gate *g, uint32_t conn, uint32_t code, struct span message)
{
    conn_at(g, conn)->inbox = 0;
    uint32_t next;
    for (uint32_t op = conn_at(g, conn)->ops; op != 0; op = next) {
        next = op_at(g, op)->next;
        if (op_at(g, op)->kind == OP_REQUEST) op_error(g, op, code, message, 0);
    }
}

static void take_ended(struct gate *g, const struct link_fact *fact)
{
    uint32_t handle = topic_find(g, fact->subscription.id);
    if (handle == 0) return;
    struct topic *t = topic_at(g, handle);
    uint32_t code = fact->subscription.code;
    if (!t->leaving && t->kind == TOPIC_HISTORY) {
        if ((code == CODE_OK || code == CODE_GONE) && t->cursor < fact->subscription.cursor) t->cursor = fact->subscription.cursor;
        history_end(g, handle, code, fact->subscription.more);
    } else if (!t->leaving) { /* one that has come to what has left the window goes on behind it */
        if (code == CODE_OK) code = CODE_GONE;
        if (t->kind == TOPIC_INBOX) end_inbox(g, t->owner, code, fact->subscription.message);
        uint64_t cursor = code == CODE_GONE ? fact->subscription.cursor : 0;
        if (t->kind == TOPIC_STREAM) sub_error(g, t->owner, code, fact->subscription.message, cursor);
        while (t->kind == TOPIC_SHARED && t->members != 0) {
            const struct sub *member = sub_at(g, t->members); /* who still catches up is not as far as the topic */
            sub_error(g, t->members, code, fact->subscription.message, member->stream != 0 && cursor > 0 ? member->last : cursor);
        }
    }
    topic_free(g, handle);
}

void gate_fact(struct gate *g, const struct link_fact *fact)
{
    switch (fact->kind) {
    case LINK_FACT_STATE:
        g->up = fact->state.state == LINK_UP;
        g->ups += g->up;
        break;
    case LINK_FACT_ACCEPTED:
        publish_accepted(g, fact);
        break;
    case LINK_FACT_REFUSED:
    case LINK_FACT_UNKNOWN:
        publish_refused(g, fact);
        break;
    case LINK_FACT_SUBSCRIBED:
        take_subscribed(g, fact);
        break;
    case LINK_FACT_EVENTS:
        take_events(g, fact);
        break;
    case LINK_FACT_CAUGHT_UP: {
        uint32_t handle = topic_find(g, fact->subscription.id);
        bool stream = handle != 0 && topic_at(g, handle)->kind == TOPIC_STREAM && !topic_at(g, handle)->leaving;
        if (stream) stream_caught_up(g, handle, fact->subscription.cursor);
        break;
    }
    case LINK_FACT_ENDED:
        take_ended(g, fact);
        break;
    case LINK_FACT_PARTIAL:
        inbox_partial(g, fact);
        break;
    default:
        break; /* what a gateway has nothing to do with */
    }
}

const struct gate_stats *gate_stats(struct gate *g)
{
    g->stats.connections = g->conns.taken;
    g->stats.subscriptions = g->subs.taken;
    g->stats.topics = g->topics.taken;
    g->stats.operations = g->ops.taken;
    g->stats.pool_bytes = g->pool.used;
    return &g->stats;
}
