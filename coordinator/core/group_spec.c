/* What is asked of a group: whether it can be served, and whether it is what the group has. The same for a worker's hello, a section of
 * the configuration, and an admin's change. */
#include "coordinator/core/group_spec.h"
#include "coordinator/core/group.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/order.h"
#include "coordinator/core/retry_budget.h"
#include "coordinator/core/state.h"
#include "proto/limit_by.h"
#include "sdk/base/topic.h"

static enum error_code check_options(const struct group_options *o, const char **out_message)
{
    struct limit_by by;
    if (o->ordering > ORDERING_GROUP || o->affinity > AFFINITY_SESSION)
        return *out_message = "this ordering or affinity is not known", CODE_UNSUPPORTED;
    if (o->affinity_wait_ms > AFFINITY_WAIT_MAX_MS) return *out_message = "affinity_wait_ms is at most ten minutes", CODE_BAD_REQUEST;
    if (o->limit_by.size && !limit_by_read(o->limit_by, &by)) return *out_message = "limit_by is header:NAME or word:N", CODE_BAD_REQUEST;
    if (!o->limit_each != !o->limit_by.size) return *out_message = "limit_each and limit_by go together", CODE_BAD_REQUEST;
    if (o->retry_percent > RETRY_PERCENT_MAX) return *out_message = "retry_percent is 1 to 10000; 0: 100", CODE_BAD_REQUEST;
    if (o->retry_floor > RETRY_FLOOR_UNLIMITED)
        return *out_message = "retry_floor is 1 to 1000000, which means no budget; 0: 100", CODE_BAD_REQUEST;
    if (o->lease_ms > EXTEND_MAX_MS) return *out_message = "lease_ms is at most one hour", CODE_BAD_REQUEST;
    return CODE_OK;
}

enum error_code group_spec_check(const struct group_spec *spec, const char **out_message)
{
    if (spec->start > START_TIME) return *out_message = "a group starts at new, first, a seq or a time", CODE_BAD_REQUEST;
    uint8_t room[NAME_MAX + 1];
    if (!topic_is_valid(spec->name) || letter_topic(spec->name, room).size == 0)
        return *out_message = "the group's name is not valid", CODE_BAD_REQUEST;
    if (spec->filter_count == 0 || spec->filter_count > GROUP_FILTERS_MAX)
        return *out_message = "a group has 1 to 16 filters", CODE_BAD_REQUEST;
    size_t text = spec->name.size + spec->options.limit_by.size;
    for (size_t i = 0; i < spec->filter_count; i++) {
        if (!filter_is_valid(spec->filters[i])) return *out_message = "a filter is not valid", CODE_BAD_REQUEST;
        if (spec->filters[i].data[0] == '$') return *out_message = "groups do not read the system's topics", CODE_FORBIDDEN;
        text += spec->filters[i].size;
    }
    if (text > GROUP_TEXT_MAX) return *out_message = "the group's name and filters are too long together", CODE_TOO_LARGE;
    return check_options(&spec->options, out_message);
}

static bool has_filter(const struct group *g, struct span filter)
{
    for (uint32_t i = 0; i < g->filter_count; i++)
        if (span_equal(filter, group_filter(g, i))) return true;
    return false;
}

static bool wants_filter(const struct group_spec *spec, struct span filter)
{
    for (size_t i = 0; i < spec->filter_count; i++)
        if (span_equal(filter, spec->filters[i])) return true;
    return false;
}

bool group_has_filters(const struct group *g, const struct group_spec *spec)
{
    for (uint32_t i = 0; i < g->filter_count; i++)
        if (!wants_filter(spec, group_filter(g, i))) return false;
    for (size_t i = 0; i < spec->filter_count; i++)
        if (!has_filter(g, spec->filters[i])) return false;
    return true;
}

const char *group_conflict(const struct group *g, const struct group_spec *spec)
{
    const struct group_options *want = &spec->options, *has = &g->options;
    if (want->ordering && want->ordering != has->ordering) return "the group has another ordering";
    if (want->lease_ms && want->lease_ms != has->lease_ms) return "the group has another lease_ms";
    if (want->max_deliveries && want->max_deliveries != has->max_deliveries) return "the group has another max_deliveries";
    if (want->max_deaths && want->max_deaths != has->max_deaths) return "the group has another max_deaths";
    if (want->backoff_ms && want->backoff_ms != has->backoff_ms) return "the group has another backoff_ms";
    if (want->affinity && want->affinity != has->affinity) return "the group has another affinity";
    if (want->affinity_wait_ms && want->affinity_wait_ms != has->affinity_wait_ms) return "the group has another affinity_wait_ms";
    if (want->limit && want->limit != has->limit) return "the group has another limit";
    if (want->limit_each && want->limit_each != has->limit_each) return "the group has another limit_each";
    if (want->limit_by.size && !span_equal(want->limit_by, has->limit_by)) return "the group has another limit_by";
    if (want->retry_percent && want->retry_percent != (has->retry_percent ? has->retry_percent : RETRY_PERCENT))
        return "the group has another retry_percent";
    if (want->retry_floor && want->retry_floor != (has->retry_floor ? has->retry_floor : RETRY_FLOOR))
        return "the group has another retry_floor";
    return group_has_filters(g, spec) ? NULL : "the group has other filters";
}
