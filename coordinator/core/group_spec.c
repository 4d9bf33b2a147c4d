/* What is asked of a group: whether it can be served, and whether it is what the group has. The same for a worker's hello, a section of
 * the configuration, and an admin's change. */
#include "coordinator/core/state.h"

static enum error_code check_options(const struct group_options *o, const char **out_message)
{
    if (o->ordering != ORDERING_NONE) return *out_message = "this ordering is not served", CODE_UNSUPPORTED;
    if (o->affinity != AFFINITY_NONE || o->affinity_wait_ms) return *out_message = "affinity is not served", CODE_UNSUPPORTED;
    if (o->limit || o->limit_each || o->limit_by.size) return *out_message = "limits are not served", CODE_UNSUPPORTED;
    if (o->retry_percent || o->retry_floor) return *out_message = "a retry budget is not served", CODE_UNSUPPORTED;
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
    return group_has_filters(g, spec) ? NULL : "the group has other filters";
}
