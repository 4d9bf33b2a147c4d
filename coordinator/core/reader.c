/* The one way to read in order: from a cursor through the blocks in memory, and through the log where they are not. Whether a record
 * matches is found once per distinct topic of a block and remembered while the same reader stays in it. */
#include "coordinator/core/reader.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/once.h"
#include "coordinator/core/seek.h"
#include "coordinator/core/state.h"
#include "coordinator/core/subscribe.h"
#include "coordinator/core/tenant.h"
#include "sdk/base/topic.h"

static bool group_matches(const struct group *g, struct span topic, bool old)
{
    for (uint32_t i = 0; i < (old ? g->old_filter_count : g->filter_count); i++)
        if (filter_matches(old ? group_old_filter(g, i) : group_filter(g, i), topic)) return true;
    return false;
}

static bool owner_matches(const struct core *c, uint32_t owner, struct span tenant, struct span topic, bool old)
{
    if (owner & SUBSCRIPTION_BIT) {
        const struct sub *s = sub_at(c, owner & ~SUBSCRIPTION_BIT);
        return span_equal(tenant_name(c, s->tenant), tenant) && filter_matches(span_of(s->filter, s->filter_size), topic);
    }
    const struct group *g = group_at(c, owner);
    return span_equal(tenant_name(c, g->tenant), tenant) && group_matches(g, topic, old);
}

/* How many records of the block lie below the place where the group's filters changed [R-CHANGE-2]. */
static uint32_t old_until(const struct core *c, const struct block *block, uint32_t owner)
{
    const struct group *g = owner & SUBSCRIPTION_BIT ? NULL : group_at(c, owner);
    if (!g || g->old_filter_count == 0 || g->filters_from <= block->first_position) return 0;
    uint64_t below = g->filters_from - block->first_position;
    return below < block->record_count ? (uint32_t)below : block->record_count;
}

bool topic_matches(struct core *c, const struct block *block, uint32_t index, uint32_t owner)
{
    const struct record *record = &block->records[index];
    struct memo *memo = &c->memo;
    if (memo->block != block || memo->number != block->number || memo->owner != owner) {
        memo->block = block;
        memo->number = block->number;
        memo->owner = owner;
        memo->old_until = old_until(c, block, owner);
        memset(memo->known, 0, block->topic_count);
    }
    uint32_t topic = record->topic - 1u;
    struct span tenant = block_topic_tenant(block, topic), name = block_topic_name(block, topic);
    if (index < memo->old_until) return owner_matches(c, owner, tenant, name, true);
    if (memo->known[topic] == 0) memo->known[topic] = owner_matches(c, owner, tenant, name, false) ? 2 : 1;
    return memo->known[topic] == 2;
}

bool record_matches(struct core *c, const struct block *block, uint32_t index, uint32_t owner)
{
    const struct record *record = &block->records[index];
    if ((record->kind & ~RECORD_MUST_UNDERSTAND) != RECORD_EVENT || record->topic == 0) return false;
    if ((record->flags & RECORD_AT_MOST_ONCE) && !once_is_read(c, owner)) return false;
    return topic_matches(c, block, index, owner);
}

void matches_forget(struct core *c)
{
    c->memo.block = NULL;
}

uint32_t reader_match(struct core *c, const struct slot *slot, uint32_t index, uint32_t owner, uint32_t level)
{
    const struct block *block = &slot->block;
    if (level != ANY_LEVEL && !(slot->levels & 1u << level)) return block->record_count;
    while (index < block->record_count) {
        bool of_level = level == ANY_LEVEL || record_level(&block->records[index]) == level;
        if (of_level && record_matches(c, block, index, owner)) break;
        index++;
    }
    return index;
}

enum scan reader_next(struct core *c, struct reader *reader, uint32_t owner, uint32_t level, struct slot **out_slot, uint32_t *out_index)
{
    while (reader->cursor <= reader->end) {
        bool end;
        struct slot *slot = blocks_find_after(c, reader->cursor, &end);
        if (end) return SCAN_END;
        if (!slot) return SCAN_WAIT;
        const struct block *block = &slot->block;
        uint32_t index = reader->cursor > block->first_position ? (uint32_t)(reader->cursor - block->first_position) : 0;
        index = reader_match(c, slot, index, owner, level);
        reader->cursor = block->first_position + index;
        if (index < block->record_count) {
            if (reader->cursor > reader->end) return SCAN_END;
            *out_slot = slot;
            *out_index = index;
            return SCAN_EVENT;
        }
        if (c->scan_budget == 0) return SCAN_LATER;
        c->scan_budget--;
    }
    return SCAN_END;
}

enum scan reader_seek(struct core *c, struct seek *seek)
{
    uint64_t position;
    while (seek_next(seek, &position)) {
        bool end;
        if (c->scan_budget == 0) return SCAN_LATER;
        c->scan_budget--;
        struct slot *slot = blocks_find_after(c, position, &end);
        if (!slot && !end) return SCAN_WAIT;
        seek_take(seek, slot ? &slot->block : NULL);
    }
    return SCAN_EVENT;
}

void reader_wait(struct core *c)
{
    if (c->fetching > 0) return; /* its end wakes all that wait */
    uint64_t again = c->now_ns + 1000000u;
    if (again < c->fetch_again_ns) again = c->fetch_again_ns;
    if (again < c->pace_ns) c->pace_ns = again;
}
