/* The log of the virtual coordinator: the memory backend, whose writes take as long as this says. Its answers come late, and some not at
 * all. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

static void refused(struct sim *sim, const char *what, const struct log_error *error)
{
    sim_fail(sim, "the_log_opens", "%s: %s", what, error->text);
}

void disk_open(struct sim *sim)
{
    struct host *host = &sim->host;
    struct log_config config = { .durability = knob(sim, KNOB_interval_ms) ? LOG_INTERVAL : LOG_FSYNC };
    struct log_error error;
    if (!host->disk) host->disk = memory_disk_new(sim->plan.seed | 1, 0);
    host->log = log_open_memory_disk(host->disk, &config, &error);
    if (!host->log) refused(sim, "open", &error);
    log_identity(host->log, &host->identity);
    log_memory_hold(host->log, true);
}

static bool recover_block(void *arg, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    return core_recover(arg, block, from_snapshot, out_bad);
}

void disk_recover(struct sim *sim, struct core *core)
{
    struct log_error error;
    if (log_recover(sim->host.log, recover_block, core, &error) != LOG_OK) refused(sim, "recover", &error);
}

void disk_submit(struct sim *sim, struct block *block)
{
    large_stored(sim, block);
    struct host *host = &sim->host;
    uint64_t commit_us = knob(sim, KNOB_commit_us);
    if (host->fail_next_write) memory_disk_fail_write(host->disk, 1, host->fail_kept);
    if (sim->now_ns < host->full_until_ns) memory_disk_fail_write(host->disk, 1, false);
    host->fail_next_write = false;
    host->submitted = block->number;
    uint64_t begin_ns = host->write_count > 0 ? host->write_done_ns[host->write_count - 1] : sim->now_ns;
    uint64_t done_ns = begin_ns + chance_between(&host->random, commit_us / 2 + 1, commit_us + 1) * 1000;
    if (host->slow_writes > 0) {
        host->slow_writes--;
        done_ns += chance_between(&host->random, 100, 4000) * NS_PER_MS;
    }
    if (host->write_count == WRITES_MAX) sim_fail(sim, "room_in_the_world", "more than %d blocks under way", WRITES_MAX);
    host->write_done_ns[host->write_count++] = done_ns;
    log_submit(host->log, block);
}

/* What the log answers at once comes to the coordinator later. */
static void gather(struct sim *sim)
{
    struct host *host = &sim->host;
    struct log_event event;
    while (log_poll(host->log, &event)) {
        if (event.kind == LOG_COMMITTED) {
            host->committed = event.number;
            host->unsynced++;
            continue;
        }
        if (event.kind == LOG_FAILED) {
            host->failed = true;
            continue;
        }
        if (host->later_count == LATER_MAX) sim_fail(sim, "room_in_the_world", "more than %d answers of the disk under way", LATER_MAX);
        uint64_t wait_us = chance_between(&host->random, 1, knob(sim, KNOB_commit_us) + 1);
        host->later[host->later_count].event = event;
        host->later[host->later_count++].due_ns = sim->now_ns + wait_us * 1000;
    }
}

void disk_fetch(struct sim *sim, const struct core_out *out)
{
    if (out->before)
        log_fetch_before(sim->host.log, out->position, out->block);
    else
        log_fetch(sim->host.log, out->position, out->block);
    gather(sim);
}

void disk_slice(struct sim *sim, const struct core_out *out)
{
    struct host *host = &sim->host;
    if (!host->snapshot_open) log_snapshot_begin(host->log, out->position);
    host->snapshot_open = true;
    host->snapshot_position = out->position;
    log_snapshot_slice(host->log, out->block);
    if (out->last) log_snapshot_end(host->log);
    gather(sim);
}

void disk_trim_place(struct sim *sim, uint64_t position)
{
    log_trim_place(sim->host.log, position);
    gather(sim);
}

void disk_trim(struct sim *sim, uint64_t position)
{
    struct host *host = &sim->host;
    host->drop_below = position;
    host->drop_ns = sim->now_ns + chance_between(&host->random, 0, knob(sim, KNOB_late_trims)) * NS_PER_MS;
}

static void drop(struct sim *sim)
{
    struct host *host = &sim->host;
    if (host->drop_below == 0 || host->drop_ns > sim->now_ns) return;
    log_trim(host->log, host->drop_below);
    host->drop_below = 0;
    gather(sim);
}

/* Where not each block is synced as it is written. */
static void sync(struct sim *sim)
{
    struct host *host = &sim->host;
    if (host->sync_ns > sim->now_ns) return;
    host->sync_ns = sim->now_ns + knob(sim, KNOB_interval_ms) * NS_PER_MS;
    log_memory_sync(host->log);
    host->unsynced = 0;
}

uint64_t disk_next_ns(const struct sim *sim)
{
    const struct host *host = &sim->host;
    uint64_t next = host->write_count > 0 ? host->write_done_ns[0] : NEVER;
    if (knob(sim, KNOB_interval_ms) && host->unsynced > 0 && host->sync_ns < next) next = host->sync_ns;
    if (host->drop_below > 0 && host->drop_ns < next) next = host->drop_ns;
    for (uint32_t i = 0; i < host->later_count; i++)
        if (host->later[i].due_ns < next) next = host->later[i].due_ns;
    return next;
}

/* True: a fetch; what it answers is in *out. */
static bool take(struct host *host, const struct log_event *event, struct core_fetched *out)
{
    switch (event->kind) {
    case LOG_SNAPSHOT_SAVED:
        host->snapshot_open = false;
        return false;
    case LOG_TRIM_PLACE:
        if (event->position > host->window) host->trim_wish = event->position;
        return false;
    case LOG_TRIMMED:
        return false;
    default:
        *out = (struct core_fetched){ .position = event->position, .block = event->block, .result = CORE_FETCHED };
        if (event->kind == LOG_FETCH_NOTHING) out->result = CORE_FETCH_NOTHING;
        if (event->kind == LOG_FETCH_FAILED || host->bad_reads > 0) out->result = CORE_FETCH_FAILED;
        if (host->bad_reads > 0) host->bad_reads--;
        return true;
    }
}

size_t disk_poll(struct sim *sim, struct core_fetched *fetched, size_t room)
{
    struct host *host = &sim->host;
    size_t count = 0;
    while (host->write_count > 0 && host->write_done_ns[0] <= sim->now_ns) {
        host->write_count--;
        memmove(host->write_done_ns, host->write_done_ns + 1, host->write_count * sizeof *host->write_done_ns);
        log_memory_complete(host->log);
        gather(sim);
    }
    drop(sim);
    if (knob(sim, KNOB_interval_ms)) sync(sim);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < host->later_count; i++) {
        if (host->later[i].due_ns > sim->now_ns || count == room)
            host->later[kept++] = host->later[i];
        else if (take(host, &host->later[i].event, &fetched[count]))
            count++;
    }
    host->later_count = kept;
    return count;
}

/* How many of the blocks that are not synced are there afterwards, those under way among them: without a loss of the power those that were
 * complete, and perhaps the first of two. */
static size_t kept_blocks(struct sim *sim, struct random *random)
{
    const struct host *host = &sim->host;
    if (host->power_lost) return random_below(random, host->unsynced + (host->write_count > 1 ? host->write_count : 1) + 1);
    if (chance(random, 50)) return SIZE_MAX;
    return (knob(sim, KNOB_interval_ms) ? host->unsynced : 0) + (host->write_count > 1 ? random_below(random, host->write_count) : 0);
}

/* Of the blocks being written nothing is there, or all, or a part. */
void disk_crash(struct sim *sim, struct random *random)
{
    struct host *host = &sim->host;
    size_t kept = kept_blocks(sim, random);
    bool torn = kept != SIZE_MAX && (host->write_count > 0 || host->power_lost) && !host->failed && chance(random, 50);
    log_memory_crash(&host->log, host->failed ? SIZE_MAX : kept, torn);
    host->failed = host->snapshot_open = host->snapshot_due = false;
    host->write_count = host->later_count = host->bad_reads = host->slow_writes = host->unsynced = 0;
    host->trim_to = host->trim_wish = host->drop_below = 0;
}
