/* The world of a walk: the log and its snapshots, the memory of the core's lives, and each step of the core. */
#include "tests/walk/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/support/block_copy.h"

_Noreturn void broken(const struct walk *w, const char *promise, uint64_t number)
{
    fprintf(stderr, "broken at byte %zu of %zu: %s (%llu)\n", w->at, w->size, promise, (unsigned long long)number);
    abort();
}

static void note(struct walk *w, uint64_t value)
{
    w->trace = (w->trace ^ value) * 0x100000001b3ull;
}

static void drop_last_block(struct walk *w)
{
    block_drop(w->blocks[--w->block_count]);
}

static void serve_fetch(struct walk *w, const struct core_out *out)
{
    const struct block *best = NULL;
    for (uint32_t i = 0; i < w->block_count && w->blocks[i]->number <= w->committed; i++) {
        if (block_last_position(w->blocks[i]) < w->trimmed_below) continue;
        if (out->before ? w->blocks[i]->first_position <= out->position : !best && block_last_position(w->blocks[i]) >= out->position)
            best = w->blocks[i];
    }
    if (best) block_copy_into(out->block, best);
    w->fetched[w->fetched_count++] =
        (struct core_fetched){ .position = out->position, .block = out->block, .result = best ? CORE_FETCHED : CORE_FETCH_NOTHING };
}

/* Blocks that are committed now: every event in them counts from here on. */
void world_commit(struct walk *w)
{
    for (uint32_t i = 0; i < w->block_count; i++) {
        const struct block *block = w->blocks[i];
        if (block->number <= w->committed) continue;
        for (uint32_t k = 0; k < block->record_count; k++)
            oracle_committed(w, block, k);
        w->head = block_last_position(block);
    }
    w->committed = w->submitted;
}

static void snapshot_drop(struct snapshot *snapshot)
{
    while (snapshot->count > 0)
        block_drop(snapshot->slices[--snapshot->count]);
}

static void keep_slice(struct walk *w, const struct core_out *out)
{
    if (w->saving.position != out->position) snapshot_drop(&w->saving); /* the one before was abandoned */
    w->saving.position = out->position;
    if (w->saving.count < SLICES) w->saving.slices[w->saving.count++] = block_copy(out->block);
    if (!out->last) return;
    if (out->position > w->head) broken(w, "a snapshot of what is not committed", out->position);
    snapshot_drop(&w->saved);
    w->saved = w->saving;
    w->saving = (struct snapshot){ 0 };
}

static void drop_what_is_let_go(struct walk *w)
{
    if (w->trim_wish == 0 || core_let_go(w->core) < w->trim_wish) return;
    w->trimmed_below = w->trim_wish;
    w->trim_wish = 0;
}

void world_step(struct walk *w, struct core_in *in)
{
    struct core_fetched fetched[32];
    struct core_outs outs;
    memcpy(fetched, w->fetched, sizeof fetched);
    drop_what_is_let_go(w);
    in->now_ns = w->now_ns;
    in->log_time_ms = w->log_ms;
    in->committed = w->committed;
    in->trim_wish = w->trim_wish;
    in->fetched = fetched;
    in->fetched_count = w->fetched_count;
    w->fetched_count = 0;
    core_step(w->core, in, &outs);
    for (size_t i = 0; i < outs.count; i++)
        for (uint32_t k = 0; k < PEERS; k++)
            if (outs.items[i].kind == CORE_SEND && outs.items[i].connection == w->peers[k].connection)
                oracle_saw_ends(w, k, outs.items[i].packet);
    for (size_t i = 0; i < outs.count; i++) {
        const struct core_out *out = &outs.items[i];
        note(w, out->kind);
        note(w, out->connection);
        for (uint32_t k = 0; k <= PEERS; k++) {
            if (out->connection != w->peers[k].connection || !out->connection) continue;
            if (out->kind == CORE_SEND) oracle_saw(w, k, out->packet);
            if (out->kind == CORE_FORGET) w->peers[k].connection = 0, w->peers[k].ready = w->peers[k].subscribed = false;
        }
        if (out->kind == CORE_FETCH) serve_fetch(w, out);
        if (out->kind == CORE_SNAPSHOT) keep_slice(w, out);
        if (out->kind != CORE_SUBMIT) continue;
        if (w->block_count == BLOCKS) return;
        w->blocks[w->block_count++] = block_copy(out->block);
        w->submitted = out->block->number;
        note(w, out->block->bodies_size);
    }
    oracle_step_ends(w);
}

void world_wait(struct walk *w, uint32_t ms)
{
    w->now_ns += UINT64_C(1000000) * ms;
    w->log_ms += ms;
    world_step(w, &(struct core_in){ 0 });
}

/* While the block is full packets stay where they are, until the one before it is committed. */
void world_make_room(struct walk *w)
{
    while (!core_wants_packets(w->core)) {
        world_commit(w);
        world_step(w, &(struct core_in){ 0 });
    }
}

void world_send(struct walk *w, uint32_t peer, const struct packet *packet)
{
    struct walker *p = &w->peers[peer];
    if (!p->connection && !packet->hello) return; /* its hello was refused */
    if (!p->connection) {
        p->connection = ++w->next_connection;
        p->next_settle = 1;
        p->credit = 0;
        p->settling_count = 0;
        p->sending.count = p->receiving.count = 0;
    }
    struct core_packet one = { .connection = p->connection, .grant = { .roles = ~0u, .any_tenant = true }, .packet = packet };
    world_step(w, &(struct core_in){ .packets = &one, .packet_count = 1 });
}

static const struct span dev = { (const uint8_t *)"dev", 3 };

/* Fresh zero pages, of which only what is touched is paid for. */
static void *memory_new(const struct walk *w)
{
    void *memory = mmap(NULL, w->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) abort();
    return memory;
}

static struct core *core_new(struct walk *w, void *memory)
{
    w->config.tenants = &dev;
    return core_init(memory, &w->config);
}

/* [P9] */
static struct core *recover(struct walk *w, void *memory)
{
    uint64_t bad;
    struct core *core = core_new(w, memory);
    for (uint32_t i = 0; i < w->block_count && w->blocks[i]->number <= w->committed; i++)
        if (!core_recover(core, w->blocks[i], false, &bad)) broken(w, "its own blocks cannot be applied", bad);
    return core;
}

/* From the newest snapshot and the blocks after it: the same state [P9]. */
static void check_snapshot(struct walk *w, const struct core *whole)
{
    if (w->saved.count == 0) return;
    uint64_t bad;
    void *memory = memory_new(w);
    struct core *core = core_new(w, memory);
    for (uint32_t i = 0; i < w->saved.count; i++)
        if (w->saved.slices[i]->record_count && !core_recover(core, w->saved.slices[i], true, &bad))
            broken(w, "a slice cannot be applied", bad);
    for (uint32_t i = 0; i < w->block_count && w->blocks[i]->number <= w->committed; i++)
        if (w->blocks[i]->first_position > w->saved.position && !core_recover(core, w->blocks[i], false, &bad))
            broken(w, "a block after the snapshot cannot be applied", bad);
    if (core_digest(core) != core_digest(whole)) broken(w, "a snapshot and the blocks after it make another state", w->saved.position);
    munmap(memory, w->memory_size);
}

void world_restart(struct walk *w)
{
    while (w->block_count > 0 && w->blocks[w->block_count - 1]->number > w->committed)
        drop_last_block(w);
    munmap(w->memory, w->memory_size);
    w->memory = memory_new(w);
    w->core = recover(w, w->memory);
    check_snapshot(w, w->core);
    snapshot_drop(&w->saving);
    w->submitted = w->committed;
    w->life++;
    w->fetched_count = 0;
    w->now_ns += 1000000;
    retries_begin(&w->retries, &w->options, w->now_ns);
    core_start(w->core, w->now_ns, w->log_ms, EPOCH, 2, w->head + (1u << 20), w->committed + 1, w->trimmed_below);
    for (uint32_t i = 0; i <= PEERS; i++)
        w->peers[i].connection = 0, w->peers[i].ready = w->peers[i].subscribed = false;
}

void world_begin(struct walk *w)
{
    w->memory_size = core_memory(&w->config);
    w->memory = memory_new(w);
    w->core = core_new(w, w->memory);
    w->now_ns = w->log_ms = 1000000;
    core_start(w->core, w->now_ns, w->log_ms, EPOCH, 1, 1, 1, 0);
}

/* The blocks, and the newest snapshot with the blocks after it, make the state that made them [P9]. */
void world_check_recovery(struct walk *w)
{
    void *memory = memory_new(w);
    const struct core *again = recover(w, memory);
    uint64_t live = core_digest(w->core), recovered = core_digest(again);
    check_snapshot(w, again);
    munmap(memory, w->memory_size);
    if (core_is_quiet(w->core) && live != recovered) broken(w, "the recovered state differs", recovered);
}

void world_end(struct walk *w)
{
    snapshot_drop(&w->saved);
    snapshot_drop(&w->saving);
    while (w->block_count)
        drop_last_block(w);
    munmap(w->memory, w->memory_size);
}
