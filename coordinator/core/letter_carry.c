/* Dead letters outlive the window: before the shell drops the block of one, it is written again at the end of the log, under its first
 * place, and its row names the new one [R-DEAD-6]. One pass over all groups for each place that the shell would like to trim to; letters
 * that are new meanwhile lie behind it. */
#include "coordinator/core/blocks.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/state.h"

/* False: later. */
static bool write_again(struct core *c, uint64_t place, bool *out_gone)
{
    struct slot *slot = blocks_find_after(c, place, out_gone);
    if (!slot && !*out_gone) {
        reader_wait(c);
        return false;
    }
    *out_gone = !slot || !block_holds(&slot->block, place);
    if (*out_gone) return true;
    const struct block *from = &slot->block;
    const struct record *was = &from->records[place - from->first_position];
    if (!blocks_have_room_in_turn(c, was->size)) return false;
    uint32_t name = was->topic - 1u;
    uint16_t topic = block_topic(blocks_fill(c), block_topic_tenant(from, name), block_topic_name(from, name));
    must(topic != UINT16_MAX);
    struct record record = { .kind = was->kind, .topic = (uint16_t)(topic + 1), .cause = was->cause };
    record.number = record_first(was) ? record_first(was) : place;
    record.flags = was->flags | RECORD_AGAIN;
    blocks_append(c, record, block_body(from, was)); /* no group may match it: nothing to mark in the block */
    c->letters.block = filling_slot(c)->block.number;
    c->stats.carried++;
    return true;
}

/* One that is being delivered is waited for, as its lease names the place. */
static bool carry(struct core *c, uint32_t handle)
{
    const struct dead *d = dead_at(c, handle);
    const struct failed *f = d->failed ? failed_at(c, d->failed) : NULL;
    uint32_t group = d->group;
    bool gone, out = f && map_get(&c->by_lease, place_key(group, d->place)), written_soon = f && group_at(c, group)->pending;
    if (out || written_soon) return false;
    if (!write_again(c, d->place, &gone)) return false;
    if (f) group_touch(c, group); /* the commit lets it go out */
    if (gone && !f) {             /* only damage explains it */
        c->stats.lost++;
        dead_end(c, handle);
    }
    return true;
}

static bool carry_group(struct core *c, uint32_t group)
{
    for (uint32_t h = group_at(c, group)->dead_first, next; h && dead_at(c, h)->place < c->letters.wish; h = next) {
        next = dead_at(c, h)->next;
        if (!carry(c, h)) return false;
    }
    return true;
}

void letters_carry(struct core *c, uint64_t trim_wish)
{
    if (trim_wish != c->letters.wish) {
        c->letters.wish = trim_wish;
        c->letters.next_group = 1;
    }
    if (c->letters.wish <= c->letters.done || c->config.replay.on) return;
    for (uint32_t *h = &c->letters.next_group; *h <= c->groups.touched; ++*h)
        if (slab_is_taken(&c->groups, *h) && !carry_group(c, *h)) return;
    if (c->letters.block <= c->committed_block) c->letters.done = c->letters.wish;
}

uint64_t letters_keep_from(const struct core *c)
{
    return c->dead.taken == 0 ? UINT64_MAX : c->letters.done;
}
