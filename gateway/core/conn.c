/* A connection: its place in the list of those with something for the shell, what waits for it, and how it ends.
 * A queue is bounded in bytes. The pool behind all queues is bounded too; as it fills, the bound of each queue falls, so that the few that
 * hold most of it go before the many are held up. */
#include "gateway/core/gate_parts.h"

void conn_touch(struct gate *g, uint32_t conn)
{
    struct conn *c = conn_at(g, conn);
    if (c->is_dirty) return;
    c->is_dirty = true;
    c->next_dirty = 0;
    c->prev_dirty = g->last_dirty;
    if (g->last_dirty != 0) {
        conn_at(g, g->last_dirty)->next_dirty = conn;
    } else {
        g->first_dirty = conn;
    }
    g->last_dirty = conn;
}

static void untouch(struct gate *g, uint32_t conn)
{
    struct conn *c = conn_at(g, conn);
    if (!c->is_dirty) return;
    c->is_dirty = false;
    if (c->prev_dirty != 0) {
        conn_at(g, c->prev_dirty)->next_dirty = c->next_dirty;
    } else {
        g->first_dirty = c->next_dirty;
    }
    if (c->next_dirty != 0) {
        conn_at(g, c->next_dirty)->prev_dirty = c->prev_dirty;
    } else {
        g->last_dirty = c->prev_dirty;
    }
}

uint32_t gate_dirty(struct gate *g)
{
    uint32_t conn = g->first_dirty;
    if (conn != 0) untouch(g, conn);
    return conn;
}

static uint32_t tenant_index(const struct gate *g, const struct gate_identity *identity)
{
    return identity == NULL ? 0 : g->tenant_of[identity - g->config.identities];
}

uint32_t gate_open(struct gate *g, const struct gate_identity *identity)
{
    uint32_t conn = slab_take(&g->conns);
    if (conn == 0) return 0;
    struct conn *c = conn_at(g, conn);
    uint64_t made = ++g->conns_made;
    c->id = map_hash(g->config.secret, &made, sizeof made);
    c->identity = identity;
    c->authorized = identity != NULL || g->config.dev;
    c->tenant = (uint16_t)tenant_index(g, identity);
    if (!c->authorized) heap_put(&g->auth_deadlines, conn, g->now_ms + g->config.limits.auth_ms);
    g->stats.opened++;
    send_hello(g, conn);
    return conn;
}

void gate_closed(struct gate *g, uint32_t conn)
{
    struct conn *c = conn_at(g, conn);
    while (c->subs != 0)
        sub_close(g, c->subs);
    while (c->ops != 0)
        op_orphan(g, c->ops);
    if (c->inbox != 0) topic_leave(g, c->inbox);
    heap_remove(&g->auth_deadlines, conn);
    outbox_clear(&g->boxes, &c->box);
    untouch(g, conn);
    slab_free(&g->conns, conn);
}

void conn_end(struct gate *g, uint32_t conn, uint16_t code, const char *reason)
{
    struct conn *c = conn_at(g, conn);
    if (c->close_code != 0) return;
    c->close_code = code;
    c->close_reason = reason;
    heap_remove(&g->auth_deadlines, conn);
    conn_touch(g, conn);
}

void gate_close(struct gate *g, uint32_t conn, uint16_t code, const char *reason)
{
    conn_end(g, conn, code, reason);
}

uint16_t gate_close_code(const struct gate *g, uint32_t conn, const char **out_reason)
{
    const struct conn *c = conn_at(g, conn);
    if (c->close_code != 0) *out_reason = c->close_reason;
    return c->close_code;
}

/* Its queue is full, or there is no memory for it: nothing more is for it, what waits is given up. It is told why, and can resume by its
 * cursors. */
static void end_slow(struct gate *g, uint32_t conn)
{
    struct conn *c = conn_at(g, conn);
    if (c->close_code != 0) return;
    uint64_t queued = c->box.bytes;
    outbox_clear(&g->boxes, &c->box);
    send_pressure(g, conn, true, queued);
    conn_end(g, conn, 4529, "reads too slowly");
    g->stats.slow_closes++;
}

bool pool_is_tight(const struct gate *g)
{
    return g->pool.used > g->pool.limit / 4 * 3;
}

static uint32_t queue_limit(const struct gate *g)
{
    uint32_t limit = g->config.limits.queue_bytes;
    return g->pool.used > g->pool.limit / 2 ? limit / 8 : limit;
}

void conns_relieve(struct gate *g)
{
    if (!pool_is_tight(g)) return;
    for (uint32_t conn = 1; conn <= g->conns.touched; conn++) {
        if (slab_is_taken(&g->conns, conn) && conn_at(g, conn)->box.bytes > queue_limit(g)) end_slow(g, conn);
    }
}

/* After something was added. */
static void look_at_queue(struct gate *g, uint32_t conn)
{
    struct conn *c = conn_at(g, conn);
    conn_touch(g, conn);
    if (c->slow || c->box.bytes <= g->config.limits.queue_bytes / 2) return;
    c->slow = true;
    g->stats.slow_downs++;
    send_pressure(g, conn, true, c->box.bytes);
}

void conn_send(struct gate *g, uint32_t conn, struct span frames)
{
    struct conn *c = conn_at(g, conn);
    if (c->close_code != 0) return;
    if (c->box.bytes > 0 && c->box.bytes + frames.size > queue_limit(g) + (uint64_t)GATE_OUTPUT_BYTES) {
        end_slow(g, conn);
        return;
    }
    if (!outbox_copy(&g->boxes, &c->box, frames)) {
        end_slow(g, conn);
        return;
    }
    g->stats.frames_out++;
    g->stats.bytes_out += frames.size;
    look_at_queue(g, conn);
}

void conn_share(struct gate *g, uint32_t conn, uint32_t buffer, uint32_t skip, uint32_t events, uint32_t share)
{
    struct conn *c = conn_at(g, conn);
    if (c->close_code != 0) return;
    uint32_t size = pool_size(&g->pool, buffer) - skip;
    if ((c->box.bytes > 0 && c->box.bytes + size > (uint64_t)queue_limit(g) * share) || !outbox_share(&g->boxes, &c->box, buffer, skip)) {
        end_slow(g, conn);
        return;
    }
    g->stats.frames_out += events;
    g->stats.events_out += events;
    g->stats.bytes_out += size;
    look_at_queue(g, conn);
}

bool gate_has_output(const struct gate *g, uint32_t conn)
{
    return conn_at(g, conn)->box.bytes > 0;
}

size_t gate_output(struct gate *g, uint32_t conn, uint8_t *out)
{
    struct conn *c = conn_at(g, conn);
    size_t size = outbox_gather(&g->boxes, &c->box, out, GATE_OUTPUT_BYTES);
    if (size == 0 || c->close_code != 0) return size;
    if (c->slow && c->box.bytes < g->config.limits.queue_bytes / 4) {
        c->slow = false;
        send_pressure(g, conn, false, c->box.bytes);
    }
    if (c->private_count > 0) {
        for (uint32_t sub = c->subs; sub != 0; sub = sub_at(g, sub)->next_of_conn)
            sub_grant(g, sub);
    }
    return size;
}
