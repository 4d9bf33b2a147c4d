/* apply(record): the only way durable state changes, live and in recovery alike [P9]. It never matches filters, never looks at a clock and
 * never at volatile state; what it sets beside the durable fields (the block of a raise or failure) is only read by deciding code. */
#include "coordinator/core/apply.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/held.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/publisher.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/snapshot.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "coordinator/core/token.h"
#include "sdk/base/ranges.h"
#include "sdk/base/topic.h"

static bool apply_event(struct core *c, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    if ((record->flags & RECORD_TOKEN) && !apply_token(c, block, index)) return false;
    if (record->flags & RECORD_DEAD) return dead_apply_letter(c, block, index);
    if (record->publisher == 0) return true;
    return publisher_apply(c, block->publishers[record->publisher - 1], record->number, block->first_position + index);
}

static void index_filters(struct core *c, uint32_t handle, bool add)
{
    struct group *g = group_at(c, handle);
    matches_forget(c);
    for (uint32_t i = 0; i < g->filter_count; i++) {
        if (add)
            must(filters_add(c->filters, g->tenant, group_filter(g, i), handle));
        else
            filters_remove(c->filters, g->tenant, group_filter(g, i), handle);
    }
}

static bool group_set_text(struct group *g, const struct record_group *read)
{
    size_t total = read->name.size + read->options.limit_by.size;
    for (uint32_t i = 0; i < read->filter_count; i++)
        total += read->filters[i].size;
    if (read->name.size == 0 || read->name.size > NAME_MAX || total > GROUP_TEXT_MAX) return false;
    memcpy(g->text, read->name.data, read->name.size);
    g->name_size = g->text_size = (uint32_t)read->name.size;
    for (uint32_t i = 0; i < read->filter_count; i++) {
        if (!filter_is_valid(read->filters[i])) return false;
        memcpy(g->text + g->text_size, read->filters[i].data, read->filters[i].size);
        g->filter_offset[i] = (uint16_t)g->text_size;
        g->filter_size[i] = (uint16_t)read->filters[i].size;
        g->text_size += (uint32_t)read->filters[i].size;
    }
    g->filter_count = read->filter_count;
    g->options = read->options;
    if (read->options.limit_by.size == 0) return true;
    g->options.limit_by = span_of(g->text + g->text_size, read->options.limit_by.size);
    memcpy(g->text + g->text_size, read->options.limit_by.data, read->options.limit_by.size);
    g->text_size += (uint32_t)read->options.limit_by.size;
    return true;
}

static bool set_old_filters(struct core *c, struct group *g, const struct record_group *read)
{
    uint32_t used = 0;
    c->groups_changing -= g->old_filter_count > 0;
    c->groups_changing += read->old_filter_count > 0;
    g->filters_from = read->filters_from;
    g->old_filter_count = read->old_filter_count;
    for (uint32_t i = 0; i < read->old_filter_count; i++) {
        struct span filter = read->old_filters[i];
        if (!filter_is_valid(filter) || used + filter.size > GROUP_TEXT_MAX) return false;
        memcpy(g->old_text + used, filter.data, filter.size);
        g->old_filter_offset[i] = (uint16_t)used;
        g->old_filter_size[i] = (uint16_t)filter.size;
        used += (uint32_t)filter.size;
    }
    return true;
}

/* Old filters are kept until all that they match is settled. */
static void forget_old_filters(struct core *c, struct group *g)
{
    if (g->old_filter_count == 0) return;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        if (g->levels[k].floor + 1 < g->filters_from) return;
    g->old_filter_count = 0;
    g->filters_from = 0;
    c->groups_changing--;
}

/* The group's id is free for another. What is kept of all that are gone is one number, above which every later generation is. */
static bool apply_deletion(struct core *c, const struct record_group *read)
{
    if (read->generation > c->group_generations) c->group_generations = read->generation;
    if (read->id == 0) return true;
    uint32_t handle = group_by_id(c, read->id);
    if (!handle) return false;
    struct group *g = group_at(c, handle);
    snapshot_touch_group(c, handle);
    index_filters(c, handle, false);
    dead_drop_all(c, handle);
    failed_drop_all(c, handle);
    c->groups_changing -= g->old_filter_count > 0;
    if (g->id <= c->groups.capacity) c->group_handles[g->id] = 0;
    slab_free(&c->groups, handle);
    return true;
}

static void init_ranges(struct core *c, uint32_t handle)
{
    uint32_t most = c->config.limits.ranges_per_group_max;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        ranges_init(&group_at(c, handle)->levels[k].settled, c->group_ranges + ((size_t)handle * PRIORITY_LEVELS + k) * most, most);
}

/* Another generation begins with nothing settled and nothing failed; dead letters that were being delivered lie again. */
static void begin_generation(struct core *c, uint32_t handle)
{
    init_ranges(c, handle);
    failed_drop_all(c, handle);
}

static bool apply_group(struct core *c, struct span body)
{
    struct record_group read;
    if (!record_group_read(body, &read)) return false;
    if (read.deleted) return apply_deletion(c, &read);
    if (read.id == 0) return false;
    uint32_t tenant = tenant_find(c, read.tenant);
    if (!tenant) tenant = tenant_add(c, read.tenant);
    if (!tenant) return false;
    uint32_t handle = group_by_id(c, read.id);
    if (!handle) {
        handle = slab_take(&c->groups);
        if (!handle) return false;
        group_at(c, handle)->saved = c->snapshot.number;
        if (read.id <= c->groups.capacity) c->group_handles[read.id] = handle;
        init_ranges(c, handle);
    } else {
        snapshot_touch_group(c, handle);
        index_filters(c, handle, false);
        if (read.generation != group_at(c, handle)->generation) begin_generation(c, handle);
    }
    struct group *g = group_at(c, handle);
    g->id = read.id;
    g->tenant = tenant;
    g->generation = read.generation;
    g->paused_ms = read.paused_ms;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        g->levels[k].floor = read.floor[k];
        g->levels[k].handed = read.handed[k];
    }
    if (!group_set_text(g, &read) || !set_old_filters(c, g, &read)) return false;
    uint8_t room[NAME_MAX + 1];
    g->has_letters = letter_topic(group_name(g), room).size > 0;
    index_filters(c, handle, true);
    forget_old_filters(c, g);
    return true;
}

static void apply_handed(const struct core *c, struct level *level, uint64_t handed, uint64_t block)
{
    if (handed <= level->handed) return;
    level->handed = handed;
    if (c->started) level_raised(c, level, handed, block);
}

/* It left the window while it was on loan: its failure is of no interest any more. */
static bool is_over(const struct core *c, uint32_t group, const struct level *level, uint64_t position)
{
    return (position <= level->floor || ranges_hold(&level->settled, position, position)) && !failed_find(c, group, position);
}

static bool apply_settle(struct core *c, struct span body, uint64_t block)
{
    struct range *settled = c->settle_ranges;
    struct record_failed *failed = c->settle_failed;
    struct record_settle read;
    if (!record_settle_read(body, settled, PENDS_MAX, failed, PENDS_MAX, &read)) return false;
    uint32_t handle = group_by_id(c, read.id);
    if (!handle || read.level >= PRIORITY_LEVELS) return false;
    snapshot_touch_group(c, handle);
    struct group *g = group_at(c, handle);
    struct level *level = &g->levels[read.level];
    if (read.generation != g->generation) return true; /* of an earlier life of the group */
    apply_handed(c, level, read.handed, block);
    uint32_t count = 0;
    for (uint32_t i = 0; i < read.settled_count; i++) {
        if (settled[i].first > settled[i].last) return false;
        uint64_t first = settled[i].first > level->floor ? settled[i].first : level->floor + 1;
        if (first <= settled[i].last) settled[count++] = (struct range){ first, settled[i].last };
    }
    count = ranges_sort(settled, count, c->settle_room);
    if (ranges_add_sorted(&level->settled, settled, count) != RANGES_ADDED) return false;
    for (uint32_t i = 0; i < count; i++)
        failed_drop_range(c, handle, read.level, settled[i].first, settled[i].last);
    level->floor = ranges_next_hole(&level->settled, level->floor + 1) - 1;
    ranges_drop_through(&level->settled, level->floor);
    forget_old_filters(c, g);
    for (uint32_t i = 0; i < read.failed_count; i++)
        if (!is_over(c, handle, level, failed[i].seq) && !failed_apply(c, handle, read.level, &failed[i], block)) return false;
    return true;
}

bool apply_record(struct core *c, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    struct span body = block_body(block, record);
    switch (record->kind & ~RECORD_MUST_UNDERSTAND) {
    case RECORD_EVENT:
        if (record->flags & RECORD_AGAIN) apply_again(c, record->number);
        return apply_event(c, block, index);
    case RECORD_HELD:
        return apply_held(c, block, index) && apply_event(c, block, index);
    case RECORD_GROUP:
        return apply_group(c, body);
    case RECORD_SETTLE:
        return apply_settle(c, body, c->started ? block->number : 0);
    case RECORD_PUBLISHER:
        return publisher_apply_all(c, body);
    case RECORD_DELAYS:
        return apply_delays(c, body);
    case RECORD_TOKENS:
        return apply_tokens(c, body);
    case RECORD_DEAD_LETTERS:
        return dead_apply_rows(c, body, c->started ? block->number : 0);
    default:
        return true; /* marks without state; kinds that must be understood were refused when the block was read */
    }
}
