/* Answers and partials that come to an inbox before the seq of their request is known: on a new connection to the coordinator the inbox may
 * speak before `accepted` is said again. They are kept in order while a request that was sent again waits for its seq. */
#include "gateway/core/gate_parts.h"

static struct stray *stray_at(const struct gate *g, uint32_t buffer)
{
    return (struct stray *)(void *)pool_data(&g->pool, buffer);
}

/* On the connection that it was first sent on, `accepted` comes before any answer. */
static bool was_sent_again(const struct gate *g, const struct op *op)
{
    return op->kind == OP_REQUEST && op->seq == 0 && op->sent_on != g->ups;
}

static bool awaits_seq(const struct gate *g, const struct conn *c)
{
    uint32_t op = c->ops;
    while (op != 0 && !was_sent_again(g, op_at(g, op)))
        op = op_at(g, op)->next;
    return op != 0;
}

static uint32_t *end_of_strays(struct gate *g, struct conn *c)
{
    uint32_t *at = &c->strays;
    while (*at != 0)
        at = &stray_at(g, *at)->next;
    return at;
}

void stray_keep(struct gate *g, uint32_t conn, const struct stray *stray, struct span bytes)
{
    struct conn *c = conn_at(g, conn);
    size_t size = sizeof *stray + bytes.size;
    if (c->close_code != 0 || !awaits_seq(g, c)) return; /* nobody has asked, or it has been answered */
    bool room = c->stray_count < g->config.limits.own_operations_max && size <= POOL_BUFFER_MAX && !pool_is_tight(g);
    uint32_t buffer = room ? pool_take(&g->pool, size) : 0;
    if (buffer == 0) {
        conn_end(g, conn, 4529, "no memory for its answers");
        return;
    }
    struct stray *kept = stray_at(g, buffer);
    *kept = *stray;
    if (bytes.size > 0) memcpy(kept->bytes, bytes.data, bytes.size);
    pool_set_size(&g->pool, buffer, size);
    *end_of_strays(g, c) = buffer;
    c->stray_count++;
}

static uint32_t take_out(struct gate *g, struct conn *c, uint32_t *at)
{
    uint32_t buffer = *at;
    *at = stray_at(g, buffer)->next;
    c->stray_count--;
    return buffer;
}

/* What is given can end its request, and with it all strays of the connection: those of this one leave the list first. */
void strays_take(struct gate *g, uint32_t conn, uint64_t cause)
{
    struct conn *c = conn_at(g, conn);
    uint32_t *at = &c->strays, first = 0, *end = &first;
    while (*at != 0) {
        if (stray_at(g, *at)->cause != cause) {
            at = &stray_at(g, *at)->next;
            continue;
        }
        *end = take_out(g, c, at);
        end = &stray_at(g, *end)->next;
        *end = 0;
    }
    while (first != 0) {
        uint32_t buffer = first;
        const struct stray *stray = stray_at(g, buffer);
        request_answer(g, stray, span_of(stray->bytes, pool_size(&g->pool, buffer) - sizeof *stray));
        first = stray->next;
        pool_unref(&g->pool, buffer);
    }
}

void strays_drop(struct gate *g, struct conn *c)
{
    while (c->strays != 0 && !awaits_seq(g, c))
        pool_unref(&g->pool, take_out(g, c, &c->strays));
}
