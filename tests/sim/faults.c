/* What goes wrong, and when: for each kind so many times as the plan says, at random times while faults last. */
#include <stdlib.h>

#include "tests/sim/sim.h"

static const struct {
    enum knob knob;
    const char *name;
} kinds[FAULT_KINDS] = {
    [FAULT_BREAK] = { KNOB_breaks, "breaks" },
    [FAULT_STALL] = { KNOB_stalls, "stalls" },
    [FAULT_STOP] = { KNOB_stops, "stopped peers" },
    [FAULT_KILL] = { KNOB_kills, "killed peers" },
    [FAULT_CRASH] = { KNOB_crashes, "crashes" },
    [FAULT_WRITE_FAILS] = { KNOB_write_fails, "failed writes" },
    [FAULT_SLOW_WRITE] = { KNOB_slow_writes, "slow writes" },
    [FAULT_FULL_DISK] = { KNOB_full_disks, "full disks" },
    [FAULT_SLOW_TURN] = { KNOB_slow_turns, "slow turns" },
    [FAULT_BAD_READ] = { KNOB_bad_reads, "bad reads" },
    [FAULT_SNAPSHOT] = { KNOB_snapshots, "snapshots" },
    [FAULT_TRIM] = { KNOB_trims, "trims" },
    [FAULT_DRAIN] = { KNOB_drains, "drains" },
};

const char *fault_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

static int by_time(const void *a, const void *b)
{
    const struct fault *x = a, *y = b;
    if (x->at_ns != y->at_ns) return x->at_ns < y->at_ns ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return x->nth < y->nth ? -1 : x->nth > y->nth;
}

void faults_plan(struct sim *sim)
{
    for (uint32_t k = 0; k < FAULT_KINDS; k++) {
        struct random random = chance_of(sim->plan.seed, 10 + k);
        for (uint32_t i = 0; i < knob(sim, kinds[k].knob) && sim->fault_count < FAULTS_MAX; i++)
            sim->faults[sim->fault_count++] =
                (struct fault){ .at_ns = chance_between(&random, sim->begin_ns, sim->heal_ns), .kind = k, .nth = i };
    }
    qsort(sim->faults, sim->fault_count, sizeof *sim->faults, by_time);
}

/* Any but the auditor, who is the first. */
static struct peer *some_peer(struct sim *sim, struct random *random)
{
    return sim->peer_count > 1 ? &sim->peers[1 + random_below(random, sim->peer_count - 1)] : NULL;
}

static struct connection *some_connection(struct sim *sim, struct random *random)
{
    struct peer *peer = some_peer(sim, random);
    return peer && peer->alive ? peer->connection : NULL;
}

static void happen(struct sim *sim, const struct fault *fault)
{
    struct random random = chance_of(sim->plan.seed, 1000 + fault->kind * 1000 + fault->nth);
    struct host *host = &sim->host;
    struct connection *c;
    struct peer *peer;
    switch (fault->kind) {
    case FAULT_BREAK:
        c = some_connection(sim, &random);
        if (c) wire_break(sim, c, &random);
        break;
    case FAULT_STALL:
        c = some_connection(sim, &random);
        if (c) wire_stall(sim, c, chance_between(&random, 10, 6000) * NS_PER_MS);
        break;
    case FAULT_STOP:
        peer = some_peer(sim, &random);
        if (peer && peer->alive) peer->wake_ns = sim->now_ns + chance_between(&random, 100, 20000) * NS_PER_MS;
        break;
    case FAULT_KILL:
        peer = some_peer(sim, &random);
        if (peer) peer_kill(peer, &random, chance_between(&random, 1, 4000) * NS_PER_MS);
        break;
    case FAULT_CRASH:
        host_crash(sim, &random, chance_between(&random, 1, 4000) * NS_PER_MS);
        break;
    case FAULT_WRITE_FAILS:
        host->fail_next_write = true;
        host->fail_kept = chance(&random, 50);
        break;
    case FAULT_SLOW_WRITE:
        host->slow_writes += 1 + random_below(&random, 3);
        break;
    case FAULT_FULL_DISK:
        host->full_until_ns = sim->now_ns + chance_between(&random, 10, 8000) * NS_PER_MS;
        break;
    case FAULT_SLOW_TURN:
        if (host->up) host->not_before_ns = sim->now_ns + chance_between(&random, 10, 8000) * NS_PER_MS;
        break;
    case FAULT_BAD_READ:
        host->bad_reads += 1 + random_below(&random, 3);
        break;
    case FAULT_SNAPSHOT:
        host->snapshot_due = true;
        break;
    case FAULT_TRIM:
        host->snapshot_due = true; /* no trim goes past the second newest */
        host->trim_to = large_may_trim(sim, sim->audited);
        break;
    case FAULT_DRAIN:
        host->draining = true;
        break;
    default:
        break;
    }
}

void faults_run(struct sim *sim)
{
    while (sim->fault_next < sim->fault_count && sim->faults[sim->fault_next].at_ns <= sim->now_ns) {
        const struct fault *fault = &sim->faults[sim->fault_next++];
        sim->tally.faults[fault->kind]++;
        sim_note(sim, (uint64_t)fault->kind << 32 | fault->nth);
        story_says(sim, "fault: %s", kinds[fault->kind].name);
        happen(sim, fault);
    }
}
