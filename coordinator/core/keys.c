/* Keys: the values for which events of a group wait, and the events that are parked behind them. What a key is for is order.c's business;
 * here it is found, listed, freed, and its queue kept. Invariants: a key is in the list that its state names, and in no other; a READY or
 * AWAITING key has somebody parked, an UNUSED one nobody; every parked event is in the queue of one key and in the list of its group, and
 * counts as open in its level unless it has failed before. */
#include "coordinator/core/keys.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/state.h"

/* Every move a key may make; a freed one is KEY_FREE again. */
static bool may_move(enum key_state from, enum key_state to)
{
    static const bool allowed[KEY_STATES][KEY_STATES] = {
        [KEY_FREE] = { [KEY_HELD] = true },
        [KEY_HELD] = { [KEY_FREE] = true, [KEY_SETTLING] = true, [KEY_READY] = true, [KEY_AWAITING] = true, [KEY_UNUSED] = true },
        [KEY_SETTLING] = { [KEY_FREE] = true, [KEY_READY] = true, [KEY_SETTLING] = true /* the one that followed is over, too */ },
        [KEY_READY] = { [KEY_FREE] = true, [KEY_HELD] = true, [KEY_AWAITING] = true, [KEY_UNUSED] = true },
        [KEY_AWAITING] = { [KEY_FREE] = true, [KEY_READY] = true, [KEY_UNUSED] = true },
        [KEY_UNUSED] = { [KEY_FREE] = true, [KEY_UNUSED] = true /* used again */, [KEY_AWAITING] = true },
    };
    return allowed[from][to];
}

/* The list of a key's state; NULL: it is in none. */
static struct key_list *list_of(struct core *c, const struct key *k)
{
    switch (k->state) {
    case KEY_SETTLING:
        return &c->settling;
    case KEY_READY:
        return &group_at(c, k->group)->levels[k->level].ready;
    case KEY_AWAITING:
        return &peer_at(c, k->worker)->awaited;
    case KEY_UNUSED:
        return &c->unused_keys;
    default:
        return NULL;
    }
}

static void unlist(struct core *c, uint32_t handle)
{
    struct key *k = key_at(c, handle);
    struct key_list *list = list_of(c, k);
    if (!list) return;
    if (k->prev)
        key_at(c, k->prev)->next = k->next;
    else
        list->first = k->next;
    if (k->next)
        key_at(c, k->next)->prev = k->prev;
    else
        list->last = k->prev;
    k->next = k->prev = 0;
}

void key_move(struct core *c, uint32_t handle, enum key_state to)
{
    struct key *k = key_at(c, handle);
    must(may_move(k->state, to));
    unlist(c, handle);
    k->state = (uint8_t)to;
    struct key_list *list = list_of(c, k);
    if (!list) return;
    k->prev = list->last;
    if (list->last)
        key_at(c, list->last)->next = handle;
    else
        list->first = handle;
    list->last = handle;
}

void key_ready(struct core *c, uint32_t handle)
{
    struct key *k = key_at(c, handle);
    if (k->state == KEY_AWAITING) heap_remove(&c->key_waits, handle);
    if (k->state == KEY_READY) unlist(c, handle), k->state = KEY_HELD; /* its first may have another priority now */
    k->level = (uint8_t)parked_at(c, k->first)->level;
    key_move(c, handle, KEY_READY);
    group_wake(c, k->group);
}

uint32_t key_find(const struct core *c, uint64_t hash)
{
    return map_get(&c->by_key, hash);
}

bool keys_have_room(struct core *c, uint32_t count)
{
    while (c->keys.capacity - c->keys.taken < count && c->unused_keys.first)
        key_free(c, c->unused_keys.first);
    return c->keys.capacity - c->keys.taken >= count;
}

uint32_t key_take(struct core *c, uint32_t group, enum key_kind kind, uint64_t hash)
{
    uint32_t handle = slab_take(&c->keys);
    must(handle && map_put(&c->by_key, hash, handle));
    struct key *k = key_at(c, handle);
    k->hash = hash;
    k->group = group;
    k->kind = (uint8_t)kind;
    key_move(c, handle, KEY_HELD);
    return handle;
}

void key_free(struct core *c, uint32_t handle)
{
    struct key *k = key_at(c, handle);
    must(!k->first);
    key_move(c, handle, KEY_FREE);
    map_remove(&c->by_key, k->hash);
    slab_free(&c->keys, handle);
}

/* ---- parked events ---- */

static void queue_append(struct core *c, struct key *k, uint32_t handle)
{
    if (k->last)
        parked_at(c, k->last)->next = handle;
    else
        k->first = handle;
    k->last = handle;
    parked_at(c, handle)->next = 0;
}

void key_park(struct core *c, uint32_t at, const struct turn *t)
{
    struct group *g = group_at(c, t->group);
    uint32_t handle = slab_take(&c->parked);
    must(handle);
    struct parked *p = parked_at(c, handle);
    *p = (struct parked){ .position = t->position, .from = t->from, .group = t->group, .level = t->level, .at = at, .order = t->order };
    p->failed = t->failed;
    if (t->failed)
        failed_at(c, t->failed)->state = FAILED_PARKED;
    else
        g->levels[t->level].open++;
    queue_append(c, key_at(c, at), handle);
    p->group_prev = g->parked_last;
    if (g->parked_last)
        parked_at(c, g->parked_last)->group_next = handle;
    else
        g->parked_first = handle;
    g->parked_last = handle;
    g->parked++;
}

static void queue_remove(struct core *c, struct key *k, uint32_t handle)
{
    uint32_t next = parked_at(c, handle)->next, before = 0;
    for (uint32_t h = k->first; h != handle; h = parked_at(c, h)->next)
        before = h; /* mostly it is the first */
    if (before)
        parked_at(c, before)->next = next;
    else
        k->first = next;
    if (k->last == handle) k->last = before;
}

void key_park_last(struct core *c, uint32_t handle)
{
    struct key *k = key_at(c, parked_at(c, handle)->at);
    queue_remove(c, k, handle);
    queue_append(c, k, handle);
}

void key_unpark(struct core *c, uint32_t handle)
{
    struct parked *p = parked_at(c, handle);
    struct group *g = group_at(c, p->group);
    queue_remove(c, key_at(c, p->at), handle);
    if (p->group_prev)
        parked_at(c, p->group_prev)->group_next = p->group_next;
    else
        g->parked_first = p->group_next;
    if (p->group_next)
        parked_at(c, p->group_next)->group_prev = p->group_prev;
    else
        g->parked_last = p->group_prev;
    g->parked--;
    if (!p->failed) g->levels[p->level].open--;
    slab_free(&c->parked, handle);
}
