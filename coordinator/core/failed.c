/* Failed events: the table of those that go out again, and the queues of those whose turn has come. What is in the table, and what it says
 * of each, is durable: only what apply.c calls changes it. The queues are volatile; an entry is in core.due while it waits for its time, in
 * one queue when that has come, in neither while it is leased. */
#include "coordinator/core/failed.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/group.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/order.h"
#include "coordinator/core/state.h"

uint32_t failed_find(const struct core *c, uint32_t group, uint64_t position)
{
    return map_get(&c->by_failed, place_key(group, position));
}

static struct queue *queue_of(const struct core *c, const struct failed *f)
{
    struct group *g = group_at(c, f->group);
    if (f->state == FAILED_READY) return failed_is_uncertain(f) ? &g->uncertain : &g->retry;
    return f->state == FAILED_DYING ? &g->dying : NULL;
}

void failed_queue(struct core *c, uint32_t handle)
{
    struct failed *f = failed_at(c, handle);
    f->state = letter_is_due(c, handle) ? FAILED_DYING : FAILED_READY;
    if (f->state == FAILED_DYING) {
        c->dying_count++;
        if (f->key) order_given_up(c, f->key, f->block); /* it is in nobody's way, however long it waits for its letter */
        f->key = 0;
    }
    struct queue *queue = queue_of(c, f);
    if (f->state == FAILED_DYING && f->dead) /* its letter is there: it needs no room, and does not wait behind those that do */
        list_put_first(&queue->list, LIST_OF(&c->failed, struct failed, in_queue), handle);
    else
        list_put_last(&queue->list, LIST_OF(&c->failed, struct failed, in_queue), handle);
    queue->count++;
    struct group *g = group_at(c, f->group);
    if (queue == &g->retry && g->budget.waits) c->stats.retries_delayed++;
}

void failed_wait(struct core *c, uint32_t handle)
{
    struct failed *f = failed_at(c, handle);
    f->state = FAILED_WAITING;
    heap_put(&c->due, handle, f->due_ms);
}

void failed_unqueue(struct core *c, uint32_t handle)
{
    struct failed *f = failed_at(c, handle);
    struct queue *queue = queue_of(c, f);
    if (!queue) return;
    if (f->state == FAILED_DYING) c->dying_count--;
    list_take_out(&queue->list, LIST_OF(&c->failed, struct failed, in_queue), handle);
    queue->count--;
    struct group *g = group_at(c, f->group);
    if (g->retry.count == 0) g->budget.waits = false;
    f->state = FAILED_LEASED;
}

void failed_move(struct core *c, uint32_t handle, uint64_t place, uint64_t block)
{
    struct failed *f = failed_at(c, handle);
    map_remove(&c->by_failed, place_key(f->group, f->position));
    f->position = place;
    f->block = block;
    must(map_put(&c->by_failed, place_key(f->group, place), handle));
    order_moved(c, handle);
}

void failed_drop(struct core *c, uint32_t handle)
{
    struct failed *f = failed_at(c, handle);
    struct group *g = group_at(c, f->group);
    if (f->dead) dead_at(c, f->dead)->failed = 0; /* its letter lies again, unless it is over as well */
    note_forget(c, &f->note);
    failed_unqueue(c, handle);
    list_take_out(&g->failed_list, LIST_OF(&c->failed, struct failed, of_group), handle);
    g->failed_count--;
    g->levels[f->level].open--;
    if (f->key) order_settled(c, f->key);
    heap_remove(&c->due, handle);
    map_remove(&c->by_failed, place_key(f->group, f->position));
    lease_lost_failure(c, f->group, f->position, handle);
    slab_free(&c->failed, handle);
}

void failed_drop_all(struct core *c, uint32_t group)
{
    while (group_at(c, group)->failed_list.first)
        failed_drop(c, group_at(c, group)->failed_list.first);
}

static bool lies_in(const struct failed *f, uint32_t level, uint64_t first, uint64_t last)
{
    return f->level == level && !f->dead && f->position >= first && f->position <= last;
}

/* Failures inside a level's settled range are over: by looking at each position, or at each failure, whichever is fewer. */
void failed_drop_range(struct core *c, uint32_t group, uint32_t level, uint64_t first, uint64_t last)
{
    struct group *g = group_at(c, group);
    if (g->failed_count == 0) return;
    if (last - first < g->failed_count) {
        for (uint64_t position = first; position <= last; position++) {
            uint32_t handle = failed_find(c, group, position);
            if (handle && lies_in(failed_at(c, handle), level, first, last)) failed_drop(c, handle);
        }
        return;
    }
    for (uint32_t h = g->failed_list.first, next; h; h = next) {
        next = failed_at(c, h)->of_group.next;
        if (lies_in(failed_at(c, h), level, first, last)) failed_drop(c, h);
    }
}

bool failed_apply(struct core *c, uint32_t group, uint32_t level, const struct record_failed *read, uint64_t block)
{
    struct group *g = group_at(c, group);
    uint32_t handle = failed_find(c, group, read->seq);
    if (!handle) {
        handle = slab_take(&c->failed);
        if (!handle || !map_put(&c->by_failed, place_key(group, read->seq), handle)) return false;
        struct failed *f = failed_at(c, handle);
        f->position = read->seq;
        f->group = group;
        f->level = level;
        list_put_first(&g->failed_list, LIST_OF(&c->failed, struct failed, of_group), handle);
        g->failed_count++;
        g->levels[level].open++;
    }
    struct failed *f = failed_at(c, handle);
    failed_unqueue(c, handle);
    f->attempts = read->attempts;
    f->deaths = read->deaths;
    f->cause = read->cause < FAILURES ? read->cause : FAILURE_NACK;
    f->due_ms = read->due_ms;
    note_forget(c, &f->note);
    f->block = block;
    failed_wait(c, handle);
    return true;
}
