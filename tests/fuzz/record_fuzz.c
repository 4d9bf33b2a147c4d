/* The bodies of the log's own records: what is read is written and read again to the same; nothing is read past its end. The first byte
 * chooses the kind. A record of nothing but zeros is written as nothing. */
#include <stdlib.h>

#include "proto/record.h"
#include "tests/fuzz/fuzz.h"

enum { ENTRIES = 64, BODY_BYTES = 1 << 16 };

static struct range settled[2][ENTRIES];
static struct record_failed failed[2][ENTRIES];
static struct record_dead dead[2][ENTRIES];
static struct record_run runs[2][ENTRIES];
static struct record_token tokens[2][ENTRIES];
static struct record_delay delays[2][ENTRIES];
static uint8_t again[BODY_BYTES];

static void group(struct span body)
{
    struct record_group a, b;
    if (!record_group_read(body, &a)) return;
    for (uint32_t i = 0; i < a.filter_count; i++)
        if (a.filters[i].size == 0) return; /* no filter; such a record is refused when it is applied */
    for (uint32_t i = 0; i < a.old_filter_count; i++)
        if (a.old_filters[i].size == 0) return;
    size_t size = record_group_write(&a, again, sizeof again);
    must(record_group_read(span_of(again, size), &b));
    must(a.paused_ms == b.paused_ms && a.filters_from == b.filters_from && a.deleted == b.deleted);
    must(a.old_filter_count == b.old_filter_count);
    must(a.id == b.id && a.generation == b.generation && a.filter_count == b.filter_count);
    must(memcmp(a.floor, b.floor, sizeof a.floor) == 0 && memcmp(a.handed, b.handed, sizeof a.handed) == 0);
    must(span_equal(a.name, b.name) && span_equal(a.tenant, b.tenant));
    for (uint32_t i = 0; i < a.filter_count; i++)
        must(span_equal(a.filters[i], b.filters[i]));
}

static void settle(struct span body)
{
    struct record_settle a, b;
    if (!record_settle_read(body, settled[0], ENTRIES, failed[0], ENTRIES, &a)) return;
    size_t size = record_settle_write(&a, again, sizeof again);
    must(size <= record_settle_bound(a.settled_count, a.failed_count));
    must(record_settle_read(span_of(again, size), settled[1], ENTRIES, failed[1], ENTRIES, &b));
    must(a.id == b.id && a.handed == b.handed && a.settled_count == b.settled_count && a.failed_count == b.failed_count);
    for (uint32_t i = 0; i < a.settled_count; i++)
        must(a.settled[i].first == b.settled[i].first && a.settled[i].last == b.settled[i].last);
    for (uint32_t i = 0; i < a.failed_count; i++)
        must(memcmp(&a.failed[i], &b.failed[i], offsetof(struct record_failed, unused)) == 0);
}

static void dead_letters(struct span body)
{
    struct record_dead_letters a, b;
    if (!record_dead_letters_read(body, dead[0], ENTRIES, &a)) return;
    size_t size = record_dead_letters_write(&a, again, sizeof again);
    must(size <= record_dead_letters_bound(a.count));
    must(record_dead_letters_read(span_of(again, size), dead[1], ENTRIES, &b));
    must(a.group == b.group && a.count == b.count && memcmp(dead[0], dead[1], a.count * sizeof dead[0][0]) == 0);
}

static void publisher(struct span body)
{
    struct record_publisher a, b;
    if (!record_publisher_read(body, runs[0], ENTRIES, &a)) return;
    size_t size = record_publisher_write(&a, again, sizeof again);
    must(record_publisher_read(span_of(again, size), runs[1], ENTRIES, &b));
    must(span_equal(a.id, b.id) && a.highest == b.highest && a.forgotten == b.forgotten && a.run_count == b.run_count);
    for (uint32_t i = 0; i < a.run_count; i++)
        must(a.runs[i].number == b.runs[i].number && a.runs[i].position == b.runs[i].position);
}

static void start(struct span body)
{
    struct record_start a, b;
    if (!record_start_read(body, &a)) return;
    size_t size = record_start_write(&a, again, sizeof again);
    must(record_start_read(span_of(again, size), &b) && a.term == b.term && span_equal(a.epoch, b.epoch));
}

static void token_table(struct span body)
{
    struct record_tokens a, b;
    if (!record_tokens_read(body, tokens[0], ENTRIES, &a)) return;
    for (uint32_t i = 0; i < a.tenant_count; i++)
        if (a.tenants[i].size == 0) return; /* no tenant; such a record is refused when it is applied */
    size_t size = record_tokens_write(&a, again, sizeof again);
    must(record_tokens_read(span_of(again, size), tokens[1], ENTRIES, &b) && a.count == b.count && a.tenant_count == b.tenant_count);
    must(memcmp(tokens[0], tokens[1], a.count * sizeof tokens[0][0]) == 0);
}

static void delay_table(struct span body)
{
    struct record_delays a, b;
    if (!record_delays_read(body, delays[0], ENTRIES, &a)) return;
    for (uint32_t i = 0; i < a.tenant_count; i++)
        if (a.tenants[i].size == 0) return;
    size_t size = record_delays_write(&a, again, sizeof again);
    must(record_delays_read(span_of(again, size), delays[1], ENTRIES, &b) && a.count == b.count && a.tenant_count == b.tenant_count);
    must(memcmp(delays[0], delays[1], a.count * sizeof delays[0][0]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct span) = { group, settle, publisher, start, token_table, delay_table, dead_letters };
    if (size == 0 || size > BODY_BYTES / 4) return 0;
    kinds[data[0] % 7](span_of(data + 1, size - 1));
    return 0;
}
