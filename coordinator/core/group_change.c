/* Making, changing and ending groups. A change is one record that says all of the group, applied at once; what is volatile is put right
 * here, before and after it. */
#include "coordinator/core/group_change.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/group_spec.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/lookup.h"
#include "coordinator/core/order.h"
#include "coordinator/core/read_back.h"
#include "coordinator/core/retry_budget.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"

void group_record(const struct core *c, const struct group *g, struct record_group *out)
{
    *out = (struct record_group){ .tenant = tenant_name(c, g->tenant),
                                  .name = group_name(g),
                                  .id = g->id,
                                  .options = g->options,
                                  .filter_count = g->filter_count,
                                  .generation = g->generation,
                                  .paused_ms = g->paused_ms,
                                  .old_filter_count = g->old_filter_count,
                                  .filters_from = g->filters_from };
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        out->floor[k] = g->levels[k].floor;
        out->handed[k] = g->levels[k].handed;
    }
    for (uint32_t i = 0; i < g->filter_count; i++)
        out->filters[i] = group_filter(g, i);
    for (uint32_t i = 0; i < g->old_filter_count; i++)
        out->old_filters[i] = group_old_filter(g, i);
}

static uint64_t here(struct core *c)
{
    const struct block *block = blocks_fill(c);
    return block->first_position + block->record_count;
}

/* Topics that stand in the filling block were matched with the filters that there were. */
static void match_anew(struct core *c)
{
    struct block *block = blocks_fill(c);
    for (uint32_t i = 0; i < block->topic_count; i++)
        block->topics[i].mark = 0;
    c->memo.block = NULL;
}

static uint64_t append(struct core *c, const struct record_group *group)
{
    uint8_t body[RECORD_GROUP_BOUND];
    size_t size = record_group_write(group, body, sizeof body);
    must(size > 0);
    return blocks_append(c, (struct record){ .kind = RECORD_GROUP | RECORD_MUST_UNDERSTAND }, span_of(body, size));
}

/* ---- making ---- */

/* The lowest that is free, so that ids stay within the table. */
static uint32_t next_group_id(const struct core *c)
{
    for (uint32_t id = 1; id <= c->groups.capacity; id++)
        if (!c->group_handles[id]) return id;
    return 0;
}

/* The last position that a group which begins there does not read. */
static uint64_t start_floor(const struct core *c, const struct group_spec *spec, uint64_t last)
{
    uint64_t before_first = c->trimmed_below > 0 ? c->trimmed_below - 1 : 0;
    if (c->config.replay.on) return c->config.replay.from > 0 ? c->config.replay.from - 1 : 0;
    if (spec->start == START_FIRST) return before_first;
    if (spec->start == START_SEQ) return spec->start_at < before_first ? before_first : spec->start_at < last ? spec->start_at : last;
    return last;
}

static void default_options(const struct core *c, struct group_options *options)
{
    if (!options->lease_ms) options->lease_ms = c->config.lease_ms;
    if (!options->backoff_ms) options->backoff_ms = c->config.backoff_ms;
    if (options->affinity && !options->affinity_wait_ms) options->affinity_wait_ms = AFFINITY_WAIT_MS;
    if (!options->retry_percent) options->retry_percent = RETRY_PERCENT;
    if (!options->retry_floor) options->retry_floor = RETRY_FLOOR;
}

uint64_t group_create(struct core *c, uint32_t tenant, const struct group_spec *spec)
{
    uint32_t id = c->groups.taken < c->config.limits.groups_max ? next_group_id(c) : 0;
    if (!id) return 0;
    struct record_group group = {
        .tenant = tenant_name(c, tenant),
        .name = spec->name,
        .id = id,
        .options = spec->options,
        .filter_count = (uint32_t)spec->filter_count,
        .generation = c->group_generations + 1,
    };
    default_options(c, &group.options);
    uint64_t floor = start_floor(c, spec, here(c));
    for (uint32_t i = 0; i < PRIORITY_LEVELS; i++)
        group.floor[i] = group.handed[i] = floor;
    for (uint32_t i = 0; i < group.filter_count; i++)
        group.filters[i] = spec->filters[i];
    append(c, &group);
    uint32_t handle = group_by_id(c, id);
    group_opened(c, handle, false);
    match_anew(c);
    if (floor < here(c) - 1) blocks_touch_group(c, handle); /* what it is to read may stand in the filling block before it */
    return group_at(c, handle)->created_block = blocks_fill(c)->number;
}

void group_configure(struct core *c, uint32_t tenant, const struct group_spec *spec)
{
    if (group_find(c, tenant, spec->name) || lookup_is_under_way(c, tenant, spec->name)) return;
    if (spec->start == START_TIME)
        lookup_begin(c, LOOKUP_CONFIGURED, 0, tenant, spec);
    else if (blocks_room_for_failure(c))
        group_create(c, tenant, spec);
}

/* ---- changing ---- */

enum { GROUP_NAME = 1, GROUP_FILTERS = 2, GROUP_START = 7, GROUP_START_AT = 8 }; /* fields of Group in weir.proto */

/* Where the option of a field of Group stands; NULL: it is none that is a number. */
static uint32_t *option_at(struct group_options *options, uint32_t field)
{
    switch (field) {
    case 3:
        return &options->ordering;
    case 4:
        return &options->lease_ms;
    case 5:
        return &options->max_deliveries;
    case 6:
        return &options->backoff_ms;
    case 9:
        return &options->affinity;
    case 10:
        return &options->affinity_wait_ms;
    case 11:
        return &options->limit;
    case 13:
        return &options->limit_each;
    case 14:
        return &options->max_deaths;
    case 15:
        return &options->retry_percent;
    case 16:
        return &options->retry_floor;
    default:
        return NULL;
    }
}

/* The group as it would be. False: a field that cannot be set. */
static bool take_fields(const struct msg_manage *m, struct group_spec *spec)
{
    for (size_t i = 0; i < m->set_count; i++) {
        uint32_t *option = option_at(&spec->options, m->set[i]);
        if (option) {
            struct group_options given = m->group.options;
            *option = *option_at(&given, m->set[i]);
        } else if (m->set[i] == GROUP_FILTERS) {
            spec->filters = m->group.filters;
            spec->filter_count = m->group.filter_count;
        } else if (m->set[i] == 12) {
            spec->options.limit_by = m->group.options.limit_by;
        } else {
            return false;
        }
    }
    return true;
}

/* What decides which events may be at work beside each other changes only while none is. */
static bool changes_order(const struct group_options *a, const struct group_options *b)
{
    return a->ordering != b->ordering || a->affinity != b->affinity || !span_equal(a->limit_by, b->limit_by);
}

static bool has_open(const struct group *g)
{
    bool reads_old = g->adopting || g->reading_back;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        reads_old = reads_old || g->levels[k].old_open;
    return g->leased > 0 || g->failed_count > 0 || reads_old;
}

static enum error_code check_change(const struct group *g, const struct group_spec *spec, const char **out_message)
{
    enum error_code code = group_spec_check(spec, out_message);
    if (code != CODE_OK) return code;
    if (g->old_filter_count > 0 && !group_has_filters(g, spec))
        return *out_message = "events from before the last change of filters are still open", CODE_CONFLICT; /* [R-CHANGE-2] */
    if (changes_order(&g->options, &spec->options) && has_open(g))
        return *out_message = "events are on loan or failed: pause the group until none is", CODE_CONFLICT;
    return CODE_OK;
}

enum error_code group_set(struct core *c, uint32_t handle, const struct msg_manage *m, uint64_t *out_place, const char **out_message)
{
    struct group *g = group_at(c, handle);
    struct record_group record;
    group_record(c, g, &record);
    struct group_spec spec = {
        .name = record.name, .filters = record.filters, .filter_count = record.filter_count, .options = record.options
    };
    if (!take_fields(m, &spec)) return *out_message = "that cannot be set: seek moves a group", CODE_BAD_REQUEST;
    enum error_code code = check_change(g, &spec, out_message);
    if (code != CODE_OK) return code;
    if (!group_has_filters(g, &spec)) {
        for (uint32_t i = 0; i < g->filter_count; i++)
            record.old_filters[i] = group_filter(g, i);
        record.old_filter_count = g->filter_count;
        record.filters_from = here(c);
        for (uint32_t i = 0; i < spec.filter_count; i++)
            record.filters[i] = spec.filters[i];
        record.filter_count = (uint32_t)spec.filter_count;
    }
    record.options = spec.options;
    default_options(c, &record.options);
    if (record.options.lease_ms != g->options.lease_ms) leases_keep_deadlines(c, handle);
    budget_bring_up(c, g);
    if (changes_order(&g->options, &record.options)) order_read_again(c, handle);
    *out_place = append(c, &record);
    match_anew(c);
    order_limits_changed(c, handle);
    group_wake(c, handle);
    return CODE_OK;
}

enum error_code group_pause(struct core *c, uint32_t handle, bool pause, uint64_t *out_place)
{
    struct group *g = group_at(c, handle);
    *out_place = here(c);
    if (pause == (g->paused_ms > 0)) return CODE_OK;
    struct record_group record;
    group_record(c, g, &record);
    record.paused_ms = pause ? c->log_ms : 0;
    append(c, &record);
    group_wake(c, handle);
    return CODE_OK;
}

/* Leases become stale, failures are forgotten (by apply, as the generation is another): the group begins anew [R-CHANGE-4]. */
enum error_code group_seek(struct core *c, uint32_t handle, const struct group_spec *spec, uint64_t *out_place)
{
    group_write_pending(c, handle);
    leases_revoke(c, handle);
    order_forget(c, handle);
    struct record_group record;
    group_record(c, group_at(c, handle), &record);
    record.generation++;
    *out_place = start_floor(c, spec, here(c));
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        record.floor[k] = record.handed[k] = *out_place;
    append(c, &record);
    group_opened(c, handle, false);
    read_back_end(c, handle);
    return CODE_OK;
}

static void forget_touched(struct slot *slot, uint32_t handle)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < slot->touched_count; i++)
        if ((slot->touched[i] & ~TOUCHED_RECORD_ONLY) != handle) slot->touched[kept++] = slot->touched[i];
    slot->touched_count = kept;
}

/* Nothing in memory may name the group any more: another one takes its place. */
static void forget_everywhere(struct core *c, uint32_t handle)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->active_count; i++)
        if (c->active[i] != handle) c->active[kept++] = c->active[i];
    c->active_count = kept;
    heap_remove(&c->group_timers, handle);
    heap_remove(&c->budget_waits, handle);
    if (c->filling) forget_touched(filling_slot(c), handle);
    for (uint32_t i = 0; i < c->writing_count; i++)
        forget_touched(writing_slot(c, i), handle);
    c->memo.block = NULL;
}

enum error_code group_delete(struct core *c, uint32_t handle, uint64_t *out_place, const char **out_message)
{
    struct group *g = group_at(c, handle);
    if (g->workers > 0) return *out_message = "the group has workers: stop them first", CODE_CONFLICT; /* [R-CHANGE-5] */
    group_write_pending(c, handle);
    leases_revoke(c, handle);
    order_forget(c, handle);
    read_back_end(c, handle);
    forget_everywhere(c, handle);
    struct record_group record = { .tenant = tenant_name(c, g->tenant), .id = g->id, .generation = g->generation, .deleted = true };
    *out_place = append(c, &record);
    return CODE_OK;
}
