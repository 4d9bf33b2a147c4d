/* Snapshots in slices: each step writes some groups and publishers as records; what is not written yet is written before its first change,
 * so the whole is the state at one position. Records beside one another make the state again when applied in order [P9]. A step that
 * changes more than the slice blocks hold abandons the snapshot; the shell asks again later. */
#include "coordinator/core/snapshot.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/group_change.h"
#include "coordinator/core/held.h"
#include "coordinator/core/out.h"
#include "coordinator/core/publisher.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "coordinator/core/token.h"
#include "sdk/base/ranges.h"

enum { GROUPS_PER_SLICE = 64, PUBLISHERS_PER_SLICE = 128 };

static struct block *slice(struct core *c, size_t bytes)
{
    struct block *block = &c->snapshot.blocks[c->snapshot.block_now];
    if (block_has_room(block, 1, bytes)) return block;
    if (c->snapshot.block_now + 1 == SNAPSHOT_BLOCKS) {
        c->snapshot.failed = true;
        return NULL;
    }
    block = &c->snapshot.blocks[++c->snapshot.block_now];
    block_open(block, 1, c->snapshot.position, c->log_ms, c->term);
    return block;
}

static size_t group_record_write(const struct core *c, const struct group *g, uint8_t *out, size_t size)
{
    struct record_group record;
    group_record(c, g, &record);
    return record_group_write(&record, out, size);
}

static size_t settle_record_write(struct core *c, const struct group *g, uint32_t level, uint8_t *out, size_t size)
{
    struct record_settle record = { .id = g->id,
                                    .generation = g->generation,
                                    .level = level,
                                    .settled = g->levels[level].settled.items,
                                    .settled_count = g->levels[level].settled.count,
                                    .failed = c->snapshot.failures };
    for (uint32_t h = g->failed_list.first; h && record.failed_count < PENDS_MAX; h = failed_at(c, h)->of_group.next) {
        const struct failed *f = failed_at(c, h);
        if (f->level != level) continue;
        c->snapshot.failures[record.failed_count++] = (struct record_failed){
            .seq = f->position, .due_ms = f->due_ms, .attempts = f->attempts, .deaths = f->deaths, .cause = f->cause
        };
    }
    return record_settle_write(&record, out, size);
}

void snapshot_record(struct core *c, enum record_kind kind, struct span body)
{
    struct block *block = body.size > 0 ? slice(c, body.size) : NULL;
    if (block)
        block_append(block, (struct record){ .kind = (uint8_t)(kind | RECORD_MUST_UNDERSTAND) }, body);
    else
        c->snapshot.failed = true;
}

uint32_t table_tenant(const struct core *c, struct table_tenants *tenants, uint32_t tenant, struct span names[RECORD_TABLE_TENANTS_MAX])
{
    uint32_t at = 0;
    while (at < tenants->count && tenants->handles[at] != tenant)
        at++;
    if (at < tenants->count || at == RECORD_TABLE_TENANTS_MAX) return at;
    tenants->handles[tenants->count++] = tenant;
    names[at] = tenant_name(c, tenant);
    return at;
}

static void save_level(struct core *c, const struct group *g, uint32_t level)
{
    size_t bound = record_settle_bound(g->levels[level].settled.count, g->failed_count);
    uint8_t *body = arena_take(&c->scratch, bound);
    if (body)
        snapshot_record(c, RECORD_SETTLE, span_of(body, settle_record_write(c, g, level, body, bound)));
    else
        c->snapshot.failed = true;
}

static void save_dead(struct core *c, const struct group *g)
{
    for (uint32_t h = g->dead_list.first; h;) {
        struct record_dead_letters record = { .group = g->id, .letters = c->snapshot.dead_rows };
        for (; h && record.count < DEAD_PER_RECORD; h = dead_at(c, h)->of_group.next)
            c->snapshot.dead_rows[record.count++] = dead_row(c, h);
        size_t bound = record_dead_letters_bound(record.count);
        uint8_t *body = arena_take(&c->scratch, bound);
        if (body)
            snapshot_record(c, RECORD_DEAD_LETTERS, span_of(body, record_dead_letters_write(&record, body, bound)));
        else
            c->snapshot.failed = true;
    }
}

static void save_group(struct core *c, uint32_t handle)
{
    struct group *g = group_at(c, handle);
    g->saved = c->snapshot.number;
    uint8_t body[RECORD_GROUP_BOUND];
    snapshot_record(c, RECORD_GROUP, span_of(body, group_record_write(c, g, body, sizeof body)));
    save_dead(c, g); /* first: a failure of a settled place is one only if it came from a letter */
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++)
        if (g->levels[k].settled.count > 0 || (g->failed_count > 0 && g->levels[k].open > 0)) save_level(c, g, k);
}

static size_t publisher_record_write(const struct publisher *p, uint8_t *out, size_t size)
{
    struct record_run runs[PUBLISHER_RUNS_MAX];
    for (uint32_t i = 0; i < p->run_count; i++)
        runs[i] = p->runs[(p->run_first + i) % PUBLISHER_RUNS_MAX];
    struct record_publisher record = { .id = span_of(p->id, PUBLISHER_BYTES),
                                       .highest = p->highest,
                                       .forgotten = p->forgotten,
                                       .used = p->used,
                                       .runs = runs,
                                       .run_count = p->run_count };
    return record_publisher_write(&record, out, size);
}

static void save_publisher(struct core *c, uint32_t handle)
{
    struct publisher *p = publisher_at(c, handle);
    p->saved = c->snapshot.number;
    uint8_t body[8192];
    snapshot_record(c, RECORD_PUBLISHER, span_of(body, publisher_record_write(p, body, sizeof body)));
}

bool snapshot_is_open(const struct core *c)
{
    return c->snapshot.running && !c->snapshot.failed;
}

void snapshot_touch_group(struct core *c, uint32_t handle)
{
    if (snapshot_is_open(c) && group_at(c, handle)->saved != c->snapshot.number) save_group(c, handle);
}

void snapshot_touch_publisher(struct core *c, uint32_t handle)
{
    if (snapshot_is_open(c) && publisher_at(c, handle)->saved != c->snapshot.number) save_publisher(c, handle);
}

bool core_snapshot(struct core *c)
{
    if (c->snapshot.wanted || c->snapshot.running) return false;
    c->snapshot.wanted = true;
    return true;
}

static void save_generations(struct core *c)
{
    uint8_t body[64];
    struct record_group gone = { .generation = c->group_generations, .deleted = true };
    if (c->group_generations > 0) snapshot_record(c, RECORD_GROUP, span_of(body, record_group_write(&gone, body, sizeof body)));
}

/* Only when nothing is applied that is not in a closed block: the state is then exactly that after c->next_position - 1. */
static void begin(struct core *c)
{
    const struct slot *filling = filling_slot(c);
    if (filling && filling->block.record_count > 0) return;
    c->snapshot.wanted = false;
    c->snapshot.running = true;
    c->snapshot.failed = false;
    c->snapshot.number++;
    c->snapshot.position = c->submitted;
    c->snapshot.next_group = c->snapshot.next_publisher = 1;
    c->snapshot.next_token = c->tokens.first;
    c->snapshot.token_end = c->tokens.end;
    c->snapshot.next_held = 1;
    c->snapshot.block_now = 0;
    block_open(&c->snapshot.blocks[0], 1, c->snapshot.position, c->log_ms, c->term);
    save_generations(c);
}

static bool write_some(struct core *c)
{
    for (uint32_t i = 0; i < GROUPS_PER_SLICE && c->snapshot.next_group <= c->groups.touched; i++, c->snapshot.next_group++)
        if (slab_is_taken(&c->groups, c->snapshot.next_group)) snapshot_touch_group(c, c->snapshot.next_group);
    for (uint32_t i = 0; i < PUBLISHERS_PER_SLICE && c->snapshot.next_publisher <= c->publishers.touched; i++, c->snapshot.next_publisher++)
        if (slab_is_taken(&c->publishers, c->snapshot.next_publisher)) snapshot_touch_publisher(c, c->snapshot.next_publisher);
    bool all_tokens = tokens_save_slice(c), all_held = held_save_slice(c);
    return all_tokens && all_held && c->snapshot.next_group > c->groups.touched && c->snapshot.next_publisher > c->publishers.touched;
}

void snapshot_begin_step(struct core *c)
{
    if (!c->snapshot.running || !c->snapshot.reopen) return;
    c->snapshot.reopen = false;
    c->snapshot.block_now = 0;
    block_open(&c->snapshot.blocks[0], 1, c->snapshot.position, c->log_ms, c->term);
}

void snapshot_step(struct core *c)
{
    if (c->snapshot.wanted) {
        begin(c);
        return; /* its blocks are filled from the next step on, and lent at its end */
    }
    if (!c->snapshot.running) return;
    bool complete = write_some(c) && c->head >= c->snapshot.position;
    if (c->snapshot.failed) {
        c->snapshot.running = false;
        out_add(c, CORE_SNAPSHOT_ABANDONED);
        return;
    }
    for (uint32_t i = 0; i <= c->snapshot.block_now; i++) {
        struct block *block = &c->snapshot.blocks[i];
        bool last = complete && i == c->snapshot.block_now;
        if (block->record_count == 0 && !last) continue;
        struct core_out *out = out_add(c, CORE_SNAPSHOT);
        out->block = block;
        out->position = c->snapshot.position;
        out->last = last;
    }
    c->snapshot.running = !complete;
    c->snapshot.reopen = !complete;
}

uint64_t core_digest(const struct core *c)
{
    uint8_t body[RECORD_GROUP_BOUND];
    uint64_t sum = c->group_generations * 37 + c->groups.taken * 31 + c->publishers.taken + tokens_digest(c) + held_digest(c);
    for (uint32_t h = 1; h <= c->groups.touched; h++) {
        if (!slab_is_taken(&c->groups, h)) continue;
        const struct group *g = group_at(c, h);
        sum += map_hash((const uint64_t[2]){ 1, 2 }, body, group_record_write(c, g, body, sizeof body));
        for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
            const struct ranges *settled = &g->levels[k].settled;
            for (uint32_t i = 0; i < settled->count; i++)
                sum += map_hash((const uint64_t[2]){ 3 + ((uint64_t)k << 32), g->id }, &settled->items[i], sizeof(struct range));
        }
        for (uint32_t f = g->failed_list.first; f; f = failed_at(c, f)->of_group.next) {
            const struct failed *failed = failed_at(c, f);
            uint64_t key[6] = { failed->position, failed->due_ms, failed->attempts, failed->level, failed->deaths, failed->cause };
            sum += map_hash((const uint64_t[2]){ 5, g->id }, key, sizeof key);
        }
        for (uint32_t d = g->dead_list.first; d; d = dead_at(c, d)->of_group.next) {
            struct record_dead row = dead_row(c, d);
            sum += map_hash((const uint64_t[2]){ 9, g->id }, &row, sizeof row);
        }
    }
    for (uint32_t h = 1; h <= c->publishers.touched; h++)
        if (slab_is_taken(&c->publishers, h))
            sum += map_hash((const uint64_t[2]){ 7, 8 }, body, publisher_record_write(publisher_at(c, h), body, sizeof body));
    return sum;
}
