/* Dead letters outlive the window: before the shell drops the block of one, it is written again at the end of the log, under its first
 * place, and its row names the new one [R-DEAD-6]; the parts of its event go before it. One pass over all groups for each place that the
 * shell would like to trim to; letters that are new meanwhile lie behind it, but for their parts. */
#include "coordinator/core/blocks.h"
#include "coordinator/core/carry.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/state.h"

static enum carry_state write_again(struct core *c, uint64_t place)
{
    const struct block *from;
    uint32_t index;
    struct span event;
    enum carry_state state = carry_parts(c, CARRIER_LETTERS, place, &from, &index, &event);
    if (state != CARRY_READY) return state;
    const struct record *was = &from->records[index];
    struct span letter = letter_around(c, block_body(from, was), event);
    if (!blocks_have_room_in_turn(c, letter.size)) return CARRY_LATER;
    uint32_t name = was->topic - 1u;
    uint16_t topic = block_topic(blocks_fill(c), block_topic_tenant(from, name), block_topic_name(from, name));
    must(topic != UINT16_MAX);
    struct record record = { .kind = was->kind, .topic = (uint16_t)(topic + 1), .cause = was->cause };
    record.number = record_first(was) ? record_first(was) : place;
    record.flags = was->flags | RECORD_AGAIN;
    blocks_append(c, record, letter); /* no group may match it: nothing to mark in the block */
    c->letters.block = filling_slot(c)->block.number;
    c->stats.carried++;
    return CARRY_READY;
}

/* One that is being delivered is waited for, as its lease names the place. False: later. */
static bool carry(struct core *c, uint32_t handle)
{
    const struct dead *d = dead_at(c, handle);
    const struct failed *f = d->failed ? failed_at(c, d->failed) : NULL;
    uint32_t group = d->group;
    bool out = f && map_get(&c->by_lease, place_key(group, d->place)), written_soon = f && group_at(c, group)->pending;
    if (out || written_soon) return false;
    enum carry_state state = write_again(c, d->place);
    if (state == CARRY_LATER) return false;
    if (f) group_touch(c, group); /* the commit lets it go out */
    if (state == CARRY_GONE && !f) {
        c->stats.lost++;
        dead_end(c, handle);
    }
    return true;
}

/* The list is by place; letters with parts may need what lies far before theirs. */
static bool carry_group(struct core *c, uint32_t group)
{
    const struct group *g = group_at(c, group);
    for (uint32_t h = g->dead_list.first, next; h && (g->dead_large > 0 || dead_at(c, h)->place < c->letters.wish); h = next) {
        const struct dead *d = dead_at(c, h);
        next = d->of_group.next;
        if (carry_is_due(c, c->letters.wish, d->place, d->parts_from) && !carry(c, h)) return false;
    }
    return true;
}

void letters_carry(struct core *c, uint64_t trim_wish)
{
    if (trim_wish != c->letters.wish) {
        c->letters.wish = trim_wish;
        if (c->letters.block < c->letters.left) c->letters.block = c->letters.left;
        c->letters.next_group = 1;
    }
    if (c->letters.wish <= c->letters.done || c->config.replay.on) return;
    for (uint32_t *h = &c->letters.next_group; *h <= c->groups.touched; ++*h)
        if (slab_is_taken(&c->groups, *h) && !carry_group(c, *h)) return;
    if (c->letters.block <= c->committed_block) c->letters.done = c->letters.wish;
}

/* What lies before the place that the pass is about is looked at once more. */
void letters_need(struct core *c, uint64_t from)
{
    if (from == 0 || from >= c->letters.wish) return;
    c->letters.next_group = 1;
    if (c->letters.done > from) c->letters.done = from;
}

uint64_t letters_keep_from(const struct core *c)
{
    return c->dead.taken == 0 && c->letters.left <= c->committed_block ? UINT64_MAX : c->letters.done;
}
