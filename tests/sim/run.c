/* One seed: a world is made, faults happen, then they stop and all must drain within a bound of simulated time. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/must.h"
#include "tests/sim/sim.h"

enum { BEGIN_S = 1000, DRAIN_S = 900, LOOK_MS = 500 };

struct sim *sim_current;

_Noreturn void sim_fail(struct sim *sim, const char *check, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim->text, sizeof sim->text, format, arguments);
    va_end(arguments);
    sim->check = check;
    story_says(sim, "broken: %s: %s", check, sim->text);
    longjmp(sim->out, 1);
}

static void oracle_says(void *arg, const char *check, const char *text)
{
    sim_fail(arg, check, "%s", text);
}

/* In place of the real one: a broken invariant is a verdict on the seed. */
_Noreturn void weir_panic(const char *file, int line, const char *text)
{
    const char *name = strrchr(file, '/');
    if (!sim_current) abort();
    sim_fail(sim_current, "must", "%s:%d: %s", name ? name + 1 : file, line, text);
}

void sim_note(struct sim *sim, uint64_t value)
{
    uint64_t x = (sim->trace ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    sim->trace = x ^ x >> 29;
}

void sim_note_bytes(struct sim *sim, const void *bytes, size_t size)
{
    enum { ENOUGH = 4096 }; /* of a large event's parts: how they begin, and how long they are */
    const uint8_t *at = bytes;
    if (size > ENOUGH) sim_note(sim, size);
    if (size > ENOUGH) size = ENOUGH;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word = 0;
        for (int i = 0; i < 8; i++)
            word |= (uint64_t)at[i] << (8 * i);
        sim_note(sim, word);
    }
    while (size-- > 0)
        sim_note(sim, *at++);
}

static void make_world(struct sim *sim)
{
    sim->now_ns = sim->begin_ns = BEGIN_S * 1000 * NS_PER_MS;
    sim->heal_ns = sim->begin_ns + knob(sim, KNOB_seconds) * 1000 * NS_PER_MS;
    sim->deadline_ns = sim->heal_ns + DRAIN_S * 1000 * NS_PER_MS;
    sim->wire_random = chance_of(sim->plan.seed, 2);
    sim->memory = malloc(DECODE_BYTES + ENCODE_BYTES);
    arena_init(&sim->decode, sim->memory, DECODE_BYTES);
    arena_init(&sim->encode, (uint8_t *)sim->memory + DECODE_BYTES, ENCODE_BYTES);
    sim->oracle = oracle_new(oracle_says, sim);
    oracle_grace(sim->oracle, knob(sim, KNOB_grace_ms));
    for (uint32_t i = 0; i < knob(sim, KNOB_groups); i++) {
        struct group_terms terms;
        group_terms(sim, i, &terms);
        oracle_group(sim->oracle, &terms.known);
    }
    host_init(sim);
    faults_plan(sim);
    liars_init(sim);
    peer_add(sim, &auditor_kind);
    for (uint32_t i = 0; i < knob(sim, KNOB_workers); i++)
        peer_add(sim, &worker_kind);
    for (uint32_t i = 0; i < knob(sim, KNOB_publishers); i++)
        peer_add(sim, &publisher_kind);
    for (uint32_t i = 0; i < knob(sim, KNOB_subscribers); i++)
        peer_add(sim, &subscriber_kind);
    larges_init(sim);
    web_init(sim);
    for (uint32_t i = 0; i < knob(sim, KNOB_requesters); i++)
        peer_add(sim, &requester_kind);
    if (knob(sim, KNOB_pauses) || seeks_planned(sim) || letters_planned(sim)) peer_add(sim, &admin_kind);
}

static void advance(struct sim *sim, uint64_t until_ns)
{
    uint64_t next = host_next_ns(sim), lies = liars_next_ns(sim), web = web_next_ns(sim);
    if (lies < next) next = lies;
    if (web < next) next = web;
    if (sim->fault_next < sim->fault_count && sim->faults[sim->fault_next].at_ns < next) next = sim->faults[sim->fault_next].at_ns;
    for (uint32_t i = 0; i < sim->peer_count; i++) {
        uint64_t at = peer_next_ns(&sim->peers[i]);
        if (at < next) next = at;
    }
    if (next > until_ns) next = until_ns;
    if (next > sim->now_ns) sim->now_ns = next;
}

static void run_until(struct sim *sim, uint64_t until_ns)
{
    while (sim->now_ns < until_ns) {
        advance(sim, until_ns);
        faults_run(sim);
        host_run(sim);
        for (uint32_t i = 0; i < sim->peer_count; i++)
            peer_run(&sim->peers[i]);
        web_run(sim);
        liars_run(sim);
        wire_sweep(sim);
    }
}

/* Faults are over: whoever was stopped goes on, and whoever was slow is quick. */
static void heal(struct sim *sim)
{
    struct host *host = &sim->host;
    sim->healing = true;
    host->bad_reads = host->slow_writes = 0;
    host->fail_next_write = false;
    host->full_until_ns = 0;
    for (uint32_t i = 0; i < sim->peer_count; i++)
        if (sim->peers[i].wake_ns > sim->now_ns) sim->peers[i].wake_ns = sim->now_ns;
    if (host->draining) host_crash(sim, &sim->host.random, 0); /* its service manager starts it again */
}

static bool all_idle(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->peer_count; i++)
        if (!sim->peers[i].alive || !sim->peers[i].kind->is_idle(&sim->peers[i])) return false;
    return host_is_idle(sim) && oracle_is_drained(sim->oracle) && !web_waits(sim);
}

static _Noreturn void never_drains(struct sim *sim)
{
    char why[256];
    oracle_why(sim->oracle, why, sizeof why);
    if (sim->audit_again) snprintf(why, sizeof why, "the log cannot be read again");
    for (uint32_t i = 0; i < sim->peer_count; i++)
        if (!sim->peers[i].alive || !sim->peers[i].kind->is_idle(&sim->peers[i]))
            snprintf(why + strlen(why), sizeof why - strlen(why), "; %s waits", sim->peers[i].name);
    if (web_waits(sim)) snprintf(why + strlen(why), sizeof why - strlen(why), "; %s waits", web_waits(sim));
    if (!host_is_idle(sim)) snprintf(why + strlen(why), sizeof why - strlen(why), "; the coordinator is not idle");
    sim_fail(sim, "all_drains", "%d s after the last fault: %s", DRAIN_S, why);
}

static void drain(struct sim *sim)
{
    while (!sim->audited_again || !all_idle(sim)) { /* what the second reading brought to light has to be settled, too */
        if (sim->now_ns >= sim->deadline_ns) never_drains(sim);
        run_until(sim, sim->now_ns + LOOK_MS * NS_PER_MS);
        if (!sim->audit_again && all_idle(sim)) sim->audit_again = true;
    }
}

static void whole_life(struct sim *sim)
{
    make_world(sim);
    run_until(sim, sim->heal_ns);
    heal(sim);
    drain(sim);
    oracle_judge(sim->oracle);
    host_check_recovery(sim);
}

static void unmake_world(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->peer_count; i++)
        peer_free(&sim->peers[i]);
    host_free(sim);
    web_free(sim);
    larges_free(sim);
    wire_free(sim);
    oracle_free(sim->oracle);
    free(sim->memory);
}

void sim_run(const struct plan *plan, FILE *story, struct verdict *out)
{
    struct sim *sim = calloc(1, sizeof *sim);
    sim->plan = *plan;
    sim->story = story;
    sim_current = sim;
    if (setjmp(sim->out) == 0) whole_life(sim);
    *out = (struct verdict){ .broken = sim->check != NULL, .trace = sim->trace, .tally = sim->tally };
    if (sim->check) snprintf(out->check, sizeof out->check, "%s", sim->check);
    memcpy(out->text, sim->text, sizeof out->text);
    out->tally.seeds = 1;
    out->tally.simulated_ns = sim->now_ns - sim->begin_ns;
    oracle_counts(sim->oracle, &out->tally.oracle);
    sim_current = NULL;
    unmake_world(sim);
    free(sim);
}
