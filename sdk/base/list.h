/* Lists of a slab's slots, in both directions: a slot has a struct list_link for each list that it may be in. The list does not know its
 * slab nor which link: each call says both, LIST_OF(&core->leases, struct lease, of_peer). Pure. */
#ifndef WEIR_BASE_LIST_H
#define WEIR_BASE_LIST_H

#include "sdk/base/slab.h"

struct list {
    uint32_t first, last; /* 0: it is empty */
};

struct list_link {
    uint32_t next, prev;
};

#define LIST_OF(slab, type, link) (slab), offsetof(type, link)

static inline struct list_link *list_link(const struct slab *slab, size_t link, uint32_t handle)
{
    return (struct list_link *)((uint8_t *)slab_at(slab, handle) + link);
}

/* Each of these: the slot is in no list by this link. */
static inline void list_put_first(struct list *list, const struct slab *slab, size_t link, uint32_t handle)
{
    *list_link(slab, link, handle) = (struct list_link){ .next = list->first };
    if (list->first)
        list_link(slab, link, list->first)->prev = handle;
    else
        list->last = handle;
    list->first = handle;
}

static inline void list_put_last(struct list *list, const struct slab *slab, size_t link, uint32_t handle)
{
    *list_link(slab, link, handle) = (struct list_link){ .prev = list->last };
    if (list->last)
        list_link(slab, link, list->last)->next = handle;
    else
        list->first = handle;
    list->last = handle;
}

/* The slot is in this list. */
static inline void list_take_out(struct list *list, const struct slab *slab, size_t link, uint32_t handle)
{
    struct list_link *own = list_link(slab, link, handle);
    if (own->prev)
        list_link(slab, link, own->prev)->next = own->next;
    else
        list->first = own->next;
    if (own->next)
        list_link(slab, link, own->next)->prev = own->prev;
    else
        list->last = own->prev;
    *own = (struct list_link){ 0 };
}

#endif
