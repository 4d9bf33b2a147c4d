/* Keys: the values for which events of a group wait, and the events that are parked behind them. What a key is for is order.c's business;
 * here it is found, listed, freed, and its queue kept. Invariants: a key is in the list that its state names, and in no other; a READY or
 * AWAITING key has somebody parked, an UNUSED one nobody; every parked event is in the queue of one key and in the list of its group, and
 * counts as open in its level unless it has failed before. */
#include "coordinator/core/keys.h"
#include "coordinator/core/blocks.h"
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
static struct list *list_of(struct core *c, const struct key *k)
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
    struct list *list = list_of(c, key_at(c, handle));
    if (list) list_take_out(list, LIST_OF(&c->keys, struct key, in_list), handle);
}

void key_move(struct core *c, uint32_t handle, enum key_state to)
{
    struct key *k = key_at(c, handle);
    must(may_move(k->state, to));
    unlist(c, handle);
    k->state = (uint8_t)to;
    struct list *list = list_of(c, k);
    if (list) list_put_last(list, LIST_OF(&c->keys, struct key, in_list), handle);
}

/* Keys are many and are passed on in any order: what the next one needs comes into the cache while this one is passed on. */
void key_prefetch(const struct core *c, uint32_t handle)
{
    if (!handle) return;
    const struct key *k = key_at(c, handle);
    __builtin_prefetch(key_at(c, k->in_list.next));
    if (k->parked.first)
        __builtin_prefetch(parked_at(c, k->parked.first));
    else
        map_prefetch(&c->by_key, k->hash);
}

void key_ready(struct core *c, uint32_t handle)
{
    struct key *k = key_at(c, handle);
    if (k->state == KEY_AWAITING) heap_remove(&c->key_waits, handle);
    if (k->state == KEY_READY) unlist(c, handle), k->state = KEY_HELD; /* its first may have another priority now */
    k->level = (uint8_t)parked_at(c, k->parked.first)->level;
    blocks_prefetch(c, parked_at(c, k->parked.first)->position);
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
    must(!k->parked.first);
    key_move(c, handle, KEY_FREE);
    map_remove(&c->by_key, k->hash);
    slab_free(&c->keys, handle);
}

/* ---- parked events ---- */

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
    list_put_last(&key_at(c, at)->parked, LIST_OF(&c->parked, struct parked, of_key), handle);
    list_put_last(&g->parked_list, LIST_OF(&c->parked, struct parked, of_group), handle);
    g->parked++;
}

void key_park_last(struct core *c, uint32_t handle)
{
    struct key *k = key_at(c, parked_at(c, handle)->at);
    list_take_out(&k->parked, LIST_OF(&c->parked, struct parked, of_key), handle);
    list_put_last(&k->parked, LIST_OF(&c->parked, struct parked, of_key), handle);
}

void key_unpark(struct core *c, uint32_t handle)
{
    struct parked *p = parked_at(c, handle);
    struct group *g = group_at(c, p->group);
    list_take_out(&key_at(c, p->at)->parked, LIST_OF(&c->parked, struct parked, of_key), handle);
    list_take_out(&g->parked_list, LIST_OF(&c->parked, struct parked, of_group), handle);
    g->parked--;
    if (!p->failed) g->levels[p->level].open--;
    slab_free(&c->parked, handle);
}
