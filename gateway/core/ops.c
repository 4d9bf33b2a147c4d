/* Messages of clients that wait for their answer. An op is in its connection's list until it is answered; one whose number is still on its
 * way at the coordinator outlives its connection (conn 0), so that the number's answer finds something. */
#include "gateway/core/gate_parts.h"

struct span op_id(const struct op *op)
{
    return span_of(op->id, op->id_size);
}

uint32_t op_open(struct gate *g, const struct request_context *ctx, enum op_kind kind, uint64_t deadline_ms)
{
    struct conn *c = conn_at(g, ctx->conn);
    uint32_t handle = c->op_count < g->config.limits.own_operations_max ? slab_take(&g->ops) : 0;
    if (handle == 0) {
        send_error(g, ctx->conn, ctx->id, CODE_OVERLOADED, span_text("too many messages wait for their answer"), SLOW_RETRY_MS);
        return 0;
    }
    struct op *op = op_at(g, handle);
    op->conn = ctx->conn;
    op->tenant = c->tenant;
    op->kind = (uint8_t)kind;
    op->id_size = (uint8_t)ctx->id.size;
    if (ctx->id.size > 0) memcpy(op->id, ctx->id.data, ctx->id.size);
    op->next = c->ops;
    if (c->ops != 0) op_at(g, c->ops)->prev = handle;
    c->ops = handle;
    c->op_count++;
    if (deadline_ms != 0) heap_put(&g->op_deadlines, handle, deadline_ms);
    return handle;
}

/* Nobody waits for it any more. */
static void unlink_op(struct gate *g, uint32_t handle)
{
    struct op *op = op_at(g, handle);
    if (op->conn == 0) return;
    struct conn *c = conn_at(g, op->conn);
    if (op->prev != 0) {
        op_at(g, op->prev)->next = op->next;
    } else {
        c->ops = op->next;
    }
    if (op->next != 0) op_at(g, op->next)->prev = op->prev;
    c->op_count--;
    op->conn = 0;
    op->prev = 0;
    op->next = 0;
    heap_remove(&g->op_deadlines, handle);
    strays_drop(g, c);
}

void op_close(struct gate *g, uint32_t handle)
{
    struct op *op = op_at(g, handle);
    unlink_op(g, handle);
    if (op->kind == OP_REQUEST && op->seq != 0) map_remove(&g->requests, op->seq);
    if (op->buffer != 0) pool_unref(&g->pool, op->buffer);
    slab_free(&g->ops, handle);
}

void op_orphan(struct gate *g, uint32_t handle)
{
    struct op *op = op_at(g, handle);
    bool numbered = op->kind == OP_PUBLISH || (op->kind == OP_REQUEST && op->seq == 0);
    if (numbered) {
        unlink_op(g, handle);
        return;
    }
    if (op->topic != 0) topic_leave(g, op->topic);
    op_close(g, handle);
}

void op_error(struct gate *g, uint32_t handle, uint32_t code, struct span message, uint32_t retry_ms)
{
    struct op *op = op_at(g, handle);
    if (op->conn != 0) send_error(g, op->conn, op_id(op), code, message, retry_ms);
    op_orphan(g, handle);
}

/* The subscription that this op's ok would have been for. */
static uint32_t sub_of_op(const struct gate *g, uint32_t handle)
{
    uint32_t sub = conn_at(g, op_at(g, handle)->conn)->subs;
    while (sub != 0 && sub_at(g, sub)->op != handle)
        sub = sub_at(g, sub)->next_of_conn;
    return sub;
}

void ops_expire(struct gate *g, uint32_t handle)
{
    struct op *op = op_at(g, handle);
    if (op->kind == OP_SUBSCRIBE) {
        uint32_t sub = sub_of_op(g, handle);
        must(sub != 0);
        sub_error(g, sub, CODE_TIMEOUT, span_text("the coordinator did not answer"), 0);
        return;
    }
    op_error(g, handle, CODE_TIMEOUT, span_text(op->kind == OP_REQUEST ? "no worker answered in time" : "the coordinator did not answer"),
             0);
}
