/* The bodies of the log's own records. The core writes and reads them while stepping and recovering, so they are done by hand over field.h:
 * no allocation, and arrays straight into the caller's. Columns are written packed and read packed or not, as protobuf demands. */
#include "proto/record_parts.h"

enum { PUBLISHER_ID_BYTES = 16 };

/* Field numbers of the options that are numbers: offset + 1 in struct group_options. */
enum { GROUP_OPTION_LAST = 21 };
static const uint8_t group_option_at[GROUP_OPTION_LAST + 1] = {
    [5] = offsetof(struct group_options, ordering) + 1,       [6] = offsetof(struct group_options, lease_ms) + 1,
    [7] = offsetof(struct group_options, max_deliveries) + 1, [8] = offsetof(struct group_options, backoff_ms) + 1,
    [14] = offsetof(struct group_options, affinity) + 1,      [15] = offsetof(struct group_options, affinity_wait_ms) + 1,
    [16] = offsetof(struct group_options, limit) + 1,         [18] = offsetof(struct group_options, limit_each) + 1,
    [19] = offsetof(struct group_options, max_deaths) + 1,    [20] = offsetof(struct group_options, retry_percent) + 1,
    [21] = offsetof(struct group_options, retry_floor) + 1,
};

static uint32_t *option(const struct group_options *options, uint32_t number)
{
    return (uint32_t *)(void *)((uint8_t *)(uintptr_t)options + group_option_at[number] - 1);
}

static bool levels_differ(const struct record_group *group)
{
    for (uint32_t i = 1; i < PRIORITY_LEVELS; i++)
        if (group->floor[i] != group->floor[0] || group->handed[i] != group->handed[0]) return true;
    return false;
}

size_t record_group_write(const struct record_group *group, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    put_span(&w, 1, group->tenant);
    put_span(&w, 2, group->name);
    put_number(&w, 3, group->id);
    for (uint32_t i = 0; i < group->filter_count; i++)
        put_span(&w, 4, group->filters[i]);
    for (uint32_t number = 5; number <= GROUP_OPTION_LAST; number++)
        if (group_option_at[number]) put_number(&w, number, *option(&group->options, number));
    put_number(&w, 9, group->generation);
    put_number(&w, 10, group->floor[0]);
    put_number(&w, 11, group->handed[0]);
    if (levels_differ(group)) {
        put_column(&w, 12, (struct column){ &group->floor[1], sizeof group->floor[0], PRIORITY_LEVELS - 1, COLUMN_U64 });
        put_column(&w, 13, (struct column){ &group->handed[1], sizeof group->handed[0], PRIORITY_LEVELS - 1, COLUMN_U64 });
    }
    put_span(&w, 17, group->options.limit_by);
    put_number(&w, 22, group->paused_ms);
    for (uint32_t i = 0; i < group->old_filter_count; i++)
        put_span(&w, 23, group->old_filters[i]);
    put_number(&w, 24, group->filters_from);
    put_number(&w, 25, group->deleted);
    return written(&w, out);
}

size_t record_settle_write(const struct record_settle *settle, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    const struct record_failed *failed = settle->failed;
    uint32_t count = failed == NULL ? 0 : settle->failed_count;
    put_number(&w, 1, settle->id);
    put_number(&w, 2, settle->generation);
    put_number(&w, 3, settle->handed);
    if (settle->settled_count > 0) { /* a range is two numbers in a row */
        put_column(&w, 4, (struct column){ settle->settled, sizeof(uint64_t), settle->settled_count * 2, COLUMN_U64 });
    }
    if (count > 0) {
        put_column(&w, 5, (struct column){ &failed->seq, sizeof *failed, count, COLUMN_U64 });
        put_column(&w, 6, (struct column){ &failed->attempts, sizeof *failed, count, COLUMN_U32 });
        put_column(&w, 7, (struct column){ &failed->due_ms, sizeof *failed, count, COLUMN_U64 });
        put_rare_column(&w, 9, (struct column){ &failed->deaths, sizeof *failed, count, COLUMN_U32 });
        put_rare_column(&w, 10, (struct column){ &failed->cause, sizeof *failed, count, COLUMN_U32 });
    }
    put_number(&w, 8, settle->level);
    return written(&w, out);
}

size_t record_publisher_write(const struct record_publisher *publisher, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    const struct record_run *runs = publisher->runs;
    put_span(&w, 1, publisher->id);
    put_span(&w, 2, publisher->tenant);
    put_number(&w, 3, publisher->highest);
    put_number(&w, 4, publisher->forgotten);
    if (publisher->run_count > 0) {
        put_column(&w, 5, (struct column){ &runs->number, sizeof *runs, publisher->run_count, COLUMN_U64 });
        put_column(&w, 6, (struct column){ &runs->position, sizeof *runs, publisher->run_count, COLUMN_U64 });
        put_column(&w, 7, (struct column){ &runs->count, sizeof *runs, publisher->run_count, COLUMN_U32 });
    }
    put_number(&w, 8, publisher->used);
    return written(&w, out);
}

size_t record_start_write(const struct record_start *start, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    put_span(&w, 1, start->epoch);
    put_number(&w, 2, start->term);
    put_number(&w, 3, start->first_position);
    put_number(&w, 4, start->time_ms);
    return written(&w, out);
}

size_t record_settle_bound(uint32_t settled_count, uint32_t failed_count)
{
    size_t fixed = 5 * (1 + FIELD_VARINT_BYTES_MAX) + 6 * COLUMN_HEAD;
    return fixed + (size_t)settled_count * 2 * FIELD_VARINT_BYTES_MAX +
           (size_t)failed_count * (2 * FIELD_VARINT_BYTES_MAX + 3 * VARINT32_BYTES_MAX);
}

static bool read_filter(struct span filters[GROUP_FILTERS_MAX], uint32_t *count, const struct field *field)
{
    return *count < GROUP_FILTERS_MAX && read_span(&filters[(*count)++], field);
}

struct group_levels {
    struct filling floor, handed;
};

static bool read_group_field(struct record_group *group, struct group_levels *levels, const struct field *field)
{
    switch (field->number) {
    case 1:
        return read_span(&group->tenant, field);
    case 2:
        return read_span(&group->name, field);
    case 3:
        return read_u32(&group->id, field);
    case 4:
        return read_filter(group->filters, &group->filter_count, field);
    case 9:
        return read_u64(&group->generation, field);
    case 10:
        return read_u64(&group->floor[0], field);
    case 11:
        return read_u64(&group->handed[0], field);
    case 12:
        return read_column(&levels->floor, field);
    case 13:
        return read_column(&levels->handed, field);
    case 17:
        return read_span(&group->options.limit_by, field);
    case 22:
        return read_u64(&group->paused_ms, field);
    case 23:
        return read_filter(group->old_filters, &group->old_filter_count, field);
    case 24:
        return read_u64(&group->filters_from, field);
    case 25:
        group->deleted = field->value != 0;
        return field->wire == WIRE_VARINT;
    default:
        return field->number > GROUP_OPTION_LAST || !group_option_at[field->number] ||
               read_u32(option(&group->options, field->number), field);
    }
}

/* Levels that are all at the same place are written once; so a group from before there were levels is read right, too. */
static bool fill_levels(struct record_group *group, const struct group_levels *levels)
{
    if (levels->floor.count != levels->handed.count) return false;
    if (levels->floor.count != 0) return levels->floor.count == PRIORITY_LEVELS - 1;
    for (uint32_t i = 1; i < PRIORITY_LEVELS; i++) {
        group->floor[i] = group->floor[0];
        group->handed[i] = group->handed[0];
    }
    return true;
}

bool record_group_read(struct span body, struct record_group *out)
{
    const uint8_t *at = body.data, *end = field_end(body);
    struct field field = { 0 };
    struct group_levels levels = {
        .floor = { .first = &out->floor[1], .stride = sizeof out->floor[0], .room = PRIORITY_LEVELS - 1, .kind = COLUMN_U64 },
        .handed = { .first = &out->handed[1], .stride = sizeof out->handed[0], .room = PRIORITY_LEVELS - 1, .kind = COLUMN_U64 },
    };
    *out = (struct record_group){ 0 };
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL || !read_group_field(out, &levels, &field)) return false;
    }
    return fill_levels(out, &levels);
}

struct settle_columns {
    struct filling settled, seq, attempts, due, deaths, cause;
};

static bool read_settle_field(struct record_settle *settle, struct settle_columns *columns, const struct field *field)
{
    switch (field->number) {
    case 1:
        return read_u32(&settle->id, field);
    case 2:
        return read_u64(&settle->generation, field);
    case 3:
        return read_u64(&settle->handed, field);
    case 4:
        return read_column(&columns->settled, field);
    case 5:
        return read_column(&columns->seq, field);
    case 6:
        return read_column(&columns->attempts, field);
    case 7:
        return read_column(&columns->due, field);
    case 8:
        return read_u32(&settle->level, field);
    case 9:
        return read_column(&columns->deaths, field);
    case 10:
        return read_column(&columns->cause, field);
    default:
        return true;
    }
}

bool record_settle_read(struct span body, struct range *settled, uint32_t settled_max, struct record_failed *failed, uint32_t failed_max,
                        struct record_settle *out)
{
    const uint8_t *at = body.data, *end = field_end(body);
    struct field field = { 0 };
    if (settled_max > UINT32_MAX / 2) settled_max = UINT32_MAX / 2;
    struct settle_columns columns = {
        .settled = { .first = settled, .stride = sizeof(uint64_t), .room = settled_max * 2, .kind = COLUMN_U64 },
        .seq = { .first = failed, .stride = sizeof *failed, .room = failed_max, .kind = COLUMN_U64 },
        .due = { .first = failed, .stride = sizeof *failed, .room = failed_max, .kind = COLUMN_U64 },
        .attempts = { .first = failed, .stride = sizeof *failed, .room = failed_max },
        .deaths = { .first = failed, .stride = sizeof *failed, .room = failed_max },
        .cause = { .first = failed, .stride = sizeof *failed, .room = failed_max },
    };
    if (failed_max > 0) {
        columns.seq.first = &failed->seq;
        columns.due.first = &failed->due_ms;
        columns.attempts.first = &failed->attempts;
        columns.deaths.first = &failed->deaths;
        columns.cause.first = &failed->cause;
    }
    *out = (struct record_settle){ 0 };
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL || !read_settle_field(out, &columns, &field)) return false;
    }
    if (columns.settled.count % 2 != 0) return false;
    if (columns.attempts.count != columns.seq.count || columns.due.count != columns.seq.count) return false;
    if (!fill_rare(&columns.deaths, columns.seq.count) || !fill_rare(&columns.cause, columns.seq.count)) return false;
    out->settled = settled;
    out->settled_count = columns.settled.count / 2;
    out->failed = failed;
    out->failed_count = columns.seq.count;
    for (uint32_t i = 0; i < out->settled_count; i++) {
        if (settled[i].first > settled[i].last) return false;
    }
    return true;
}

struct publisher_columns {
    struct filling number, position, count;
};

static bool read_publisher_field(struct record_publisher *publisher, struct publisher_columns *columns, const struct field *field)
{
    switch (field->number) {
    case 1:
        return read_span(&publisher->id, field);
    case 2:
        return read_span(&publisher->tenant, field);
    case 3:
        return read_u64(&publisher->highest, field);
    case 4:
        return read_u64(&publisher->forgotten, field);
    case 5:
        return read_column(&columns->number, field);
    case 6:
        return read_column(&columns->position, field);
    case 7:
        return read_column(&columns->count, field);
    case 8:
        return read_u64(&publisher->used, field);
    default:
        return true;
    }
}

bool record_publisher_read(struct span body, struct record_run *runs, uint32_t runs_max, struct record_publisher *out)
{
    const uint8_t *at = body.data, *end = field_end(body);
    struct field field = { 0 };
    struct publisher_columns columns = {
        .number = { .first = runs, .stride = sizeof *runs, .room = runs_max, .kind = COLUMN_U64 },
        .position = { .first = runs, .stride = sizeof *runs, .room = runs_max, .kind = COLUMN_U64 },
        .count = { .first = runs, .stride = sizeof *runs, .room = runs_max },
    };
    if (runs_max > 0) {
        columns.number.first = &runs->number;
        columns.position.first = &runs->position;
        columns.count.first = &runs->count;
    }
    *out = (struct record_publisher){ 0 };
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL || !read_publisher_field(out, &columns, &field)) return false;
    }
    if (out->id.size != PUBLISHER_ID_BYTES) return false;
    if (columns.position.count != columns.number.count || columns.count.count != columns.number.count) return false;
    out->runs = runs;
    out->run_count = columns.number.count;
    return true;
}

bool record_start_read(struct span body, struct record_start *out)
{
    const uint8_t *at = body.data, *end = field_end(body);
    struct field field = { 0 };
    *out = (struct record_start){ 0 };
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        bool fits = true;
        if (field.number == 1)
            fits = read_span(&out->epoch, &field);
        else if (field.number == 2)
            fits = read_u64(&out->term, &field);
        else if (field.number == 3)
            fits = read_u64(&out->first_position, &field);
        else if (field.number == 4)
            fits = read_u64(&out->time_ms, &field);
        if (!fits) return false;
    }
    return true;
}
