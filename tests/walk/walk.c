/* What the tape may do: hello with held leases, publish, also in parts, resend, settle (good, foreign, twice), emit, extend, release,
 * subscribe, grant credit, leave; commit, wait, crash and restart from the committed blocks. What the oracle holds against the core:
 *   - an answer (accepted, settled) comes only for what stands in a committed block, and a number gets one position for ever [P2, P3];
 *   - a token gets one position within its life [P3];
 *   - an at_most_once event is offered once, whatever happens [P6];
 *   - a delayed event comes once, and not before its time;
 *   - an event is with one worker of a group at a time, and not again after its settle was answered [R-GROUP-2, P5];
 *   - with an ordering an event goes out when every one of its key (session, group) and priority before it is settled in the log [P4];
 *   - no more are out than the group's limits say, in all and of one topic word [R-LIMIT-1, R-LIMIT-2];
 *   - failed events go out again as the group's budget of retries allows, where they do not wait for one another besides [R-RETRY-1];
 *   - an event is not said to wait (`why`) while a worker has it, to be dead or delayed when that is over [R-WHY-1];
 *   - an event that was given up has one letter, whole, and is not offered before that is retried; no attempt is beyond max_deliveries;
 *   - in the end, when all workers work and all letters are retried, every accepted event was acked once by the group that existed before
 *     it, or its letter was dropped [P1];
 *   - a subscription's events rise without gap or repeat [R-SUB-2];
 *   - a large event comes after all its parts, in order, and one at a time [R-PART-6];
 *   - while the group is paused nothing goes out; after a seek all from its place on comes again and what was held before is stale; what
 * its filters do not take, as they stood at the event's place, is never delivered [R-CHANGE-2, R-CHANGE-3, R-CHANGE-4];
 *   - the state recovered from the blocks is the state that made them [P9]. */
#include "tests/walk/walk.h"

#include <stdlib.h>

#include "tests/walk/world.h"

static uint32_t next_byte(struct walk *w)
{
    return w->at < w->size ? w->tape[w->at++] : 0;
}

static void act_of_worker(struct walk *w, uint32_t what, uint32_t worker, uint32_t how)
{
    if (!w->peers[worker].ready) do_hello(w, worker);
    switch (what) {
    case 1:
        do_credit(w, worker, how % 8);
        break;
    case 2:
    case 3:
        do_settle(w, worker, VERB_ACK, how, how % 3 == 0);
        break;
    case 4:
        do_settle(w, worker, how % 2 ? VERB_NACK : VERB_REJECT, how / 2, false);
        break;
    case 5:
        do_lease(w, worker, how % 2, how / 2);
        break;
    }
}

static void act_of_client(struct walk *w, uint32_t what, uint32_t client, uint32_t how)
{
    if (!w->peers[client].ready) do_hello(w, client);
    switch (what) {
    case 6:
    case 7:
        do_publish(w, client, 1 + how % 9, variant_of(how / 9), false);
        break;
    case 8:
        if (how < 128)
            do_publish(w, client, 1 + how % 4, (struct variant){ 0 }, true);
        else
            do_large(w, client, how);
        break;
    case 9:
        do_subscribe(w, client);
        break;
    case 10:
        do_credit(w, client, how % 8);
        break;
    }
}

/* What must outlive it the core carries forward. Not while the parts of an event are there and it is not: it would be lost. */
static void wish_to_trim(struct walk *w)
{
    bool sending = !core_is_quiet(w->core);
    for (uint32_t i = 0; i < PEERS; i++)
        sending = sending || w->peers[i].sending.count > 0;
    uint64_t from = oracle_needed_from(w);
    if (!sending && from > w->trimmed_below) w->trim_wish = from;
}

/* Of the log, the clock, the core and its admin. */
static void act_of_world(struct walk *w, uint32_t how)
{
    if (how % 16 == 0) world_restart(w);
    if (how % 16 == 15) wish_to_trim(w);
    if (how % 16 < 8)
        core_snapshot(w->core);
    else if (how % 16 < 10)
        change_group(w, next_byte(w));
    else if (how % 16 < 12)
        do_why(w, next_byte(w));
}

static void act(struct walk *w)
{
    world_make_room(w);
    uint32_t what = next_byte(w) % 16, peer = next_byte(w), how = next_byte(w);
    uint32_t worker = peer % WORKERS, client = WORKERS + peer % (PEERS - WORKERS), anyone = peer % PEERS;
    switch (what) {
    case 0:
        do_hello(w, anyone);
        break;
    case 11:
    case 12:
        world_commit(w);
        world_step(w, &(struct core_in){ 0 });
        break;
    case 13:
        world_wait(w, 20 * how);
        break;
    case 14:
        if (how % 4 == 1) do_leave(w, worker);
        if (how % 4 == 0 && w->peers[anyone].connection) do_gone(w, anyone);
        break;
    case 15:
        act_of_world(w, how);
        break;
    default:
        if (what < 6)
            act_of_worker(w, what, worker, how);
        else
            act_of_client(w, what, client, how);
    }
}

/* Faults are over: everybody works until nothing is left. */
static void finish(struct walk *w)
{
    do_resume(w);
    for (uint32_t round = 0; round < 40000; round++) {
        for (uint32_t i = 0; i < WORKERS; i++) {
            if (w->peers[i].connection && w->peers[i].leaving) do_gone(w, i);
            if (!w->peers[i].connection) do_hello(w, i);
            do_credit(w, i, 64);
            for (uint32_t k = 0; k < 64 && w->peers[i].held_count; k++)
                do_settle(w, i, VERB_ACK, 0, false);
        }
        world_commit(w);
        world_wait(w, 500);
        world_step(w, &(struct core_in){ 0 });
        struct core_stats stats;
        core_stats(w->core, &stats);
        bool all = w->submitted == w->committed && core_is_quiet(w->core) && stats.leases + stats.failed + stats.dead == 0;
        if (stats.dead > 0 && do_manage(w, &(struct msg_manage){ .action = ACTION_DEAD_RETRY }) == CODE_OVERLOADED)
            do_manage(w, &(struct msg_manage){ .action = ACTION_DEAD_DROP }); /* makes room for those that wait to be letters */
        for (uint32_t i = 0; all && i < w->delay_count; i++)
            all = w->delays[i].came;
        for (uint32_t i = 0; all && i < w->event_count; i++)
            all = oracle_is_over(w, &w->events[i]);
        if (all) break;
    }
}

static void judge(struct walk *w)
{
    struct core_stats stats;
    core_stats(w->core, &stats);
    if (w->group_exists && w->event_count < EVENTS && w->block_count < BLOCKS) {
        for (uint32_t i = 0; i < w->event_count; i++)
            if (!oracle_is_over(w, &w->events[i])) broken(w, "lost", w->events[i].seq);
        for (uint32_t i = 0; i < w->delay_count; i++)
            if (!w->delays[i].came) broken(w, "a delayed event that never came", w->delays[i].seq);
        if (stats.dead) broken(w, "dead letters are left when all were retried", stats.dead);
        if (stats.leases || stats.failed) broken(w, "leases or failures are left when all was done", stats.leases + stats.failed);
    }
    world_check_recovery(w);
}

/* Half of the walks have a plain group, the others what the next bytes say. */
static void choose_options(struct walk *w)
{
    uint32_t plain = next_byte(w), order = next_byte(w), limits = next_byte(w);
    w->options = (struct group_options){ .lease_ms = 2000, .backoff_ms = 100, .max_deliveries = MAX_DELIVERIES, .max_deaths = 2 };
    if (plain & 2) w->options.retry_percent = w->options.retry_floor = 1;
    if (plain % 2) return;
    w->options.ordering = order % 4;
    if (order & 16) w->options.affinity = AFFINITY_SESSION, w->options.affinity_wait_ms = 1 + 10 * (order >> 4);
    if (limits & 1) w->options.limit = 1 + (limits >> 4);
    if (limits & 2) w->options.limit_each = 1 + (limits >> 5), w->options.limit_by = span_text("word:2");
}

/* Small, so that every limit is met. */
static void choose_limits(struct walk *w)
{
    w->config = (struct core_config){
        .limits = { .peers_max = 16,
                    .tenants_max = 1,
                    .groups_max = 4,
                    .leases_max = 512,
                    .failed_max = 48,
                    .busy_keys_max = 40,
                    .parked_max = 24,
                    .parked_per_group_max = 16,
                    .dead_max = 24,
                    .dead_per_group_max = 20,
                    .subscriptions_max = 16,
                    .publishers_max = 8,
                    .tokens_max = 14,
                    .held_max = 24,
                    .held_per_tenant = 24,
                    .tokens_per_tenant = 16,
                    .blocks_cached = 8,
                    .ranges_per_group_max = 256,
                    .turn_items_max = 20480 },
        .secret = { 1, 2 },
        .tenant_count = 1,
        .settle_at_once = true,
        .block_full_bytes = w->size % 2 ? FULL_BYTES : 0,
        .token_life_ms = TOKEN_LIFE_MS,
        .server = span_text("weir/walk"),
        .adopt_grace_ms = 1000,
        .heartbeat_ms = 100000000,
    };
}

uint64_t walk(const uint8_t *tape, size_t size)
{
    struct walk *w = calloc(1, sizeof *w);
    w->tape = tape;
    w->size = size;
    w->events = calloc(EVENTS, sizeof *w->events);
    w->delays = calloc(EVENTS, sizeof *w->delays);
    choose_limits(w);
    choose_options(w);
    for (uint32_t i = 0; i < PEERS; i++) {
        w->peers[i].id[0] = (uint8_t)(i + 1);
        w->peers[i].next_number = 1;
    }
    world_begin(w);
    while (w->at < size)
        act(w);
    finish(w);
    judge(w);
    uint64_t trace = w->trace;
    world_end(w);
    free(w->events);
    free(w->delays);
    free(w);
    return trace;
}
