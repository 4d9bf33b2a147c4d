/* The settings of a group, as they stand in a section of the file. What the core thinks of them is told with the section's line. */
#include "coordinator/shell/config_groups.h"

#include "coordinator/shell/clock.h"
#include "proto/limit_by.h"
#include "sdk/base/topic.h"

#include <string.h>

enum {
    OPT_TENANT,
    OPT_FILTERS,
    OPT_START,
    OPT_ORDERING,
    OPT_LEASE,
    OPT_BACKOFF,
    OPT_MAX_DELIVERIES,
    OPT_MAX_DEATHS,
    OPT_AFFINITY,
    OPT_AFFINITY_WAIT,
    OPT_LIMIT,
    OPT_LIMIT_BY,
    OPT_LIMIT_EACH,
    OPT_RETRY_PERCENT,
    OPT_RETRY_FLOOR,
    OPT_COUNT
};

/* new, first, a seq, or how far back from now. */
static bool parse_start(const char *value, struct group_spec *spec)
{
    uint64_t ago_ms;
    spec->start_at = 0;
    spec->start = strcmp(value, "first") == 0 ? START_FIRST : START_NEW;
    if (spec->start == START_FIRST || strcmp(value, "new") == 0) return true;
    spec->start = START_SEQ;
    if (options_parse_uint(value, &spec->start_at)) return true;
    spec->start = START_TIME;
    if (!options_parse_duration(value, &ago_ms)) return false;
    uint64_t now_ms = clock_wall_ms();
    spec->start_at = ago_ms < now_ms ? now_ms - ago_ms : 0;
    return true;
}

static bool check_start(const char *value)
{
    struct group_spec spec;
    return parse_start(value, &spec);
}

static bool check_filter(const char *value)
{
    return filter_is_valid(span_text(value));
}

static bool check_limit_by(const char *value)
{
    struct limit_by by;
    return limit_by_read(span_text(value), &by);
}

#define GROUP(name) .section = "group", .key = name
#define COUNT(name) GROUP(name), .type = OPTION_UINT, .max = UINT32_MAX

static const struct option table[OPT_COUNT] = {
    [OPT_TENANT] = { GROUP("tenant"), .type = OPTION_TEXT, .text = "whose group it is; unset: the first of [tenants] names" },
    [OPT_FILTERS] = { GROUP("filters"), .type = OPTION_LIST, .min = 1, .max = GROUP_FILTERS_MAX, .check = check_filter,
                      .allowed = "topic filters such as docs.*.uploaded or mail.>", .text = "what it takes" },
    [OPT_START] = { GROUP("start"), .type = OPTION_TEXT, .initial = "new", .check = check_start,
                    .allowed = "new, first, a seq to begin after, or a time back such as 24h", .text = "where it begins when it is made" },
    [OPT_ORDERING] = { GROUP("ordering"), .type = OPTION_ENUM, .allowed = "none|key|session|group", .initial = "none",
                       .text = "events of one key, of one session, or all of the group go out one at a time" },
    [OPT_LEASE] = { GROUP("lease"), .type = OPTION_DURATION, .max = 3600000,
                    .text = "how long a worker has for an event; unset: [peers] lease" },
    [OPT_BACKOFF] = { GROUP("backoff"), .type = OPTION_DURATION, .max = 60000,
                      .text = "wait before an event goes out again; unset: [peers] backoff" },
    [OPT_MAX_DELIVERIES] = { COUNT("max_deliveries"), .text = "then an event is a dead letter" },
    [OPT_MAX_DEATHS] = { COUNT("max_deaths"), .text = "workers that may die of an event" },
    [OPT_AFFINITY] = { GROUP("affinity"), .type = OPTION_ENUM, .allowed = "none|session", .initial = "none",
                       .text = "session: a session stays with the worker that has it" },
    [OPT_AFFINITY_WAIT] = { GROUP("affinity_wait"), .type = OPTION_DURATION, .max = 600000,
                            .text = "how long it waits for a busy one; unset: 2s" },
    [OPT_LIMIT] = { COUNT("limit"), .text = "events at work at once" },
    [OPT_LIMIT_BY] = { GROUP("limit_by"), .type = OPTION_TEXT, .check = check_limit_by, .allowed = "header:NAME or word:N",
                       .text = "what limit_each looks at: header:NAME or word:N of the topic" },
    [OPT_LIMIT_EACH] = { COUNT("limit_each"), .text = "events at work at once for each value of limit_by" },
    [OPT_RETRY_PERCENT] = { COUNT("retry_percent"),
                            .text = "retries for 100 first deliveries, at most, and retry_floor besides; unset: 100" },
    [OPT_RETRY_FLOOR] = { COUNT("retry_floor"), .text = "retries in a second, whatever else goes out; unset: 100; 1000000: no budget" },
};

static struct span text_or_nothing(const struct options *section, size_t index)
{
    const char *text = options_text(section, index);
    return text ? span_text(text) : span_of(NULL, 0);
}

void config_group_fill(const struct options *section, struct span first_tenant, struct span *filters, struct core_group *out)
{
    const struct group_options options = {
        .ordering = (uint32_t)options_number(section, OPT_ORDERING),
        .lease_ms = (uint32_t)options_number(section, OPT_LEASE),
        .backoff_ms = (uint32_t)options_number(section, OPT_BACKOFF),
        .max_deliveries = (uint32_t)options_number(section, OPT_MAX_DELIVERIES),
        .max_deaths = (uint32_t)options_number(section, OPT_MAX_DEATHS),
        .affinity = (uint32_t)options_number(section, OPT_AFFINITY),
        .affinity_wait_ms = (uint32_t)options_number(section, OPT_AFFINITY_WAIT),
        .limit = (uint32_t)options_number(section, OPT_LIMIT),
        .limit_each = (uint32_t)options_number(section, OPT_LIMIT_EACH),
        .limit_by = text_or_nothing(section, OPT_LIMIT_BY),
        .retry_percent = (uint32_t)options_number(section, OPT_RETRY_PERCENT),
        .retry_floor = (uint32_t)options_number(section, OPT_RETRY_FLOOR),
    };
    size_t count = options_count(section, OPT_FILTERS);
    for (size_t i = 0; i < count; i++)
        filters[i] = span_text(options_item(section, OPT_FILTERS, i));
    out->tenant = options_text(section, OPT_TENANT) ? span_text(options_text(section, OPT_TENANT)) : first_tenant;
    out->spec = (struct group_spec){
        .name = span_text(options_section_name(section)), .filters = filters, .filter_count = count, .options = options
    };
    parse_start(options_text(section, OPT_START), &out->spec);
}

bool config_group_name(const char *name)
{
    return topic_is_valid(span_text(name));
}

static bool check(struct options *section)
{
    struct span filters[GROUP_FILTERS_MAX];
    struct core_group group;
    config_group_fill(section, span_of(NULL, 0), filters, &group);
    const char *wrong = core_group_check(&group.spec);
    if (wrong) options_section_complain(section, "%s", wrong);
    return !wrong;
}

const struct program config_group_program = {
    .text = "A group to be made when the coordinator starts, unless it is there. `weir group set` changes it.",
    .options = table,
    .option_count = OPT_COUNT,
    .check = check,
};
