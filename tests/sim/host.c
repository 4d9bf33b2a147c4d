/* The virtual coordinator: the real core between the wire and the disk, turn by turn, as coordinator/shell/loop.c drives it; and its
 * deaths. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/codec.h"
#include "tests/sim/sim.h"

enum {
    PACKETS_MAX = IN_HAND_MAX,
    FETCHED_MAX = 32,
    ENOUGH = 1 << 16,
    TURNS_MAX = 300000 /* a busy seed has a tenth of that */
};

static const struct span tenant = { (const uint8_t *)"dev", 3 };

void host_init(struct sim *sim)
{
    struct host *host = &sim->host;
    host->random = chance_of(sim->plan.seed, 1);
    host->next_number = 1;
    host->start_ns = sim->now_ns;
    uint32_t tokens = knob(sim, KNOB_token_table) ? knob(sim, KNOB_token_table) : ENOUGH; /* of the tenant, or of all */
    oracle_token_table(sim->oracle, knob(sim, KNOB_token_life_ms), tokens);
    uint32_t delayed = knob(sim, KNOB_delay_table) ? knob(sim, KNOB_delay_table) : ENOUGH;
    oracle_delay_table(sim->oracle, delayed);
    host->config = (struct core_config){
        .limits = { .peers_max = 128,
                    .tenants_max = 2,
                    .groups_max = 8,
                    .leases_max = 1024,
                    .failed_max = 1024,
                    .subscriptions_max = 64,
                    .publishers_max = knob(sim, KNOB_publisher_table) ? knob(sim, KNOB_publisher_table) : 64,
                    .blocks_cached = 8,
                    .ranges_per_group_max = 512,
                    .held_max = delayed,
                    .held_per_tenant = sim->plan.seed % 2 ? delayed : ENOUGH,
                    .tokens_max = tokens,
                    .tokens_per_tenant = sim->plan.seed % 2 ? tokens : ENOUGH,
                    .turn_items_max = 20480 },
        .secret = { sim->plan.seed, 2 },
        .heartbeat_ms = knob(sim, KNOB_heartbeat_ms),
        .adopt_grace_ms = knob(sim, KNOB_grace_ms),
        .token_life_ms = knob(sim, KNOB_token_life_ms),
        .settle_wait_us = knob(sim, KNOB_settle_wait_us),
        .settle_at_once = knob(sim, KNOB_settle_wait_us) == 0,
        .block_full_bytes = knob(sim, KNOB_block_full),
        .tenants = &tenant,
        .tenant_count = 1,
        .server = span_text("weir/sim"),
    };
    host->memory_size = core_memory(&host->config);
}

/* Fresh zero pages, of which only what is touched is paid for. */
static struct core *core_new(struct sim *sim, void **out_memory)
{
    *out_memory = mmap(NULL, sim->host.memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (*out_memory == MAP_FAILED) abort();
    return core_init(*out_memory, &sim->host.config);
}

static void check_digest(struct sim *sim, const struct core *core)
{
    struct host *host = &sim->host;
    if (host->has_quiet_digest && core_digest(core) != host->quiet_digest)
        sim_fail(sim, "recovery_makes_the_same_state", "the state from the disk is not the state before the stop");
    host->has_quiet_digest = false;
}

/* What had been committed and not synced may not be there any more. */
static void find_what_is_lost(struct sim *sim, const struct log_tail *tail, uint64_t position)
{
    struct host *host = &sim->host;
    if (host->power_lost && tail->last_number < host->told_commit)
        oracle_loses(sim->oracle, tail->last_position + 1, position - 1, host->told_turn[(tail->last_number + 1) % TOLD_MAX]);
    host->power_lost = false;
    host->told_commit = tail->last_number;
}

static void note_commits(struct sim *sim)
{
    struct host *host = &sim->host;
    while (host->told_commit < host->committed)
        host->told_turn[++host->told_commit % TOLD_MAX] = oracle_turn_number(sim->oracle);
}

static void start(struct sim *sim)
{
    struct host *host = &sim->host;
    struct log_tail tail;
    disk_open(sim);
    host->core = core_new(sim, &host->memory);
    disk_recover(sim, host->core);
    check_digest(sim, host->core);
    log_tail(host->log, &tail);
    host->up = true;
    host->draining = false;
    host->submitted = host->committed = tail.last_number;
    host->window = tail.first_position;
    host->gone_count = 0;
    host->not_before_ns = sim->now_ns;
    uint64_t position = log_start_position(&tail, host->identity.term);
    find_what_is_lost(sim, &tail, position);
    core_start(host->core, sim->now_ns, log_ms(sim), host->identity.epoch, host->identity.term, position, tail.last_number + 1,
               tail.first_position);
    oracle_starts(sim->oracle, sim->now_ns);
    for (uint32_t i = 1; i < sim->peer_count && !sim->healing; i++)
        if (chance(&host->random, knob(sim, KNOB_rough_starts)))
            sim->peers[i].break_ns = sim->now_ns + chance_between(&host->random, 0, knob(sim, KNOB_grace_ms)) * NS_PER_MS;
    sim->tally.starts++;
    sim_note(sim, core_digest(host->core));
    story_says(sim, "restart");
}

void host_crash(struct sim *sim, struct random *random, uint64_t down_ns)
{
    struct host *host = &sim->host;
    if (!host->up) return;
    host->power_lost = knob(sim, KNOB_interval_ms) && !sim->healing && chance(random, 50);
    host->has_quiet_digest = core_is_quiet(host->core) && !host->power_lost;
    if (host->has_quiet_digest) host->quiet_digest = core_digest(host->core);
    story_says(sim, host->power_lost ? "crash of the machine" : "crash");
    disk_crash(sim, random);
    munmap(host->memory, host->memory_size);
    host->memory = NULL;
    host->core = NULL;
    host->up = false;
    host->start_ns = sim->now_ns + down_ns;
    oracle_crashes(sim->oracle);
    large_host_crashes(sim);
    wire_host_dies(sim);
}

void host_check_recovery(struct sim *sim)
{
    struct random none = chance_of(0, 0);
    host_crash(sim, &none, 0);
    start(sim);
}

bool host_is_idle(const struct sim *sim)
{
    struct core_stats stats;
    if (!sim->host.up || !core_is_quiet(sim->host.core)) return false;
    core_stats(sim->host.core, &stats);
    return stats.leases == 0 && stats.failed == 0 && stats.held == 0;
}

void host_free(struct sim *sim)
{
    struct host *host = &sim->host;
    if (host->log) log_memory_crash(&host->log, SIZE_MAX, false);
    if (host->disk) memory_disk_free(&host->disk);
    if (host->memory) munmap(host->memory, host->memory_size);
}

/* ---- a turn ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t host_next_ns(struct sim *sim)
{
    struct host *host = &sim->host;
    if (!host->up) return host->start_ns;
    uint64_t next = earlier(core_deadline_ns(host->core), disk_next_ns(sim));
    bool wants_packets = core_wants_packets(host->core);
    if (host->failed || host->gone_count > 0) next = sim->now_ns;
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        const struct connection *c = &sim->connections[i];
        if (!c->used) continue;
        if (c->up.first && (wants_packets || c->forgotten)) next = earlier(next, c->up.first->due_ns);
        if (c->known) next = earlier(next, c->host_news_ns);
    }
    return next > host->not_before_ns ? next : host->not_before_ns;
}

/* The news of an end: a connection's last packets may still come after it, and then count for a new one. */
static void take_news(struct sim *sim)
{
    struct host *host = &sim->host;
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &sim->connections[i];
        if (!c->used || !c->known || c->host_news_ns > sim->now_ns || host->gone_count == CONNECTIONS_MAX) continue;
        c->known = false;
        c->host_news_ns = NEVER;
        if (!c->forgotten) host->gone[host->gone_count++] = c->number;
        c->number = 0;
        c->forgotten = false;
    }
}

static const struct packet *decode(struct sim *sim, const struct message *message)
{
    struct packet *packet;
    struct span head = span_of(message->bytes, message->head_size), body = span_of(message->bytes + message->head_size, message->body_size);
    struct arena part;
    size_t left = sim->decode.size - sim->decode.used;
    arena_init(&part, sim->decode.memory + sim->decode.used, left < DECODE_PACKET_BYTES ? left : DECODE_PACKET_BYTES);
    if (codec_decode(&part, head, body, &packet) != CODEC_OK) return NULL;
    (void)arena_take(&sim->decode, part.used);
    return packet;
}

struct turn {
    struct core_packet packets[PACKETS_MAX];
    size_t count;
    struct core_turn load;
    bool full;
};

static void take_message(struct sim *sim, struct connection *c, struct turn *turn)
{
    struct message *message = wire_take(sim, &c->up);
    sim_note_bytes(sim, message->bytes, message->head_size + message->body_size);
    turn->full = sim->in_hand_count == PACKETS_MAX;
    if (c->forgotten) return;
    if (!c->number) c->number = sim->host.next_number++;
    c->known = true;
    if (c->left && c->host_news_ns == NEVER && chance(&sim->host.random, 50))
        c->host_news_ns = sim->now_ns; /* an end without news is found by silence */
    const struct packet *packet = decode(sim, message);
    turn->packets[turn->count++] =
        (struct core_packet){ .connection = c->number, .grant = { .roles = ~0u, .tenant = tenant }, .packet = packet };
    turn->full = turn->full || !core_turn_add(&turn->load, packet) || sim->decode.size - sim->decode.used < DECODE_PACKET_BYTES;
}

/* One packet of each connection in turn, as a fair queue does. */
static void gather(struct sim *sim, struct turn *turn)
{
    uint32_t from = random_below(&sim->host.random, CONNECTIONS_MAX);
    bool found = true;
    turn->full = !core_wants_packets(sim->host.core);
    while (found && !turn->full) {
        found = false;
        for (uint32_t i = 0; i < CONNECTIONS_MAX && !turn->full; i++) {
            struct connection *c = &sim->connections[(from + i) % CONNECTIONS_MAX];
            if (!c->used || !c->up.first || c->up.first->due_ns > sim->now_ns) continue;
            take_message(sim, c, turn);
            found = true;
        }
    }
}

static void tell(struct sim *sim, const struct core_outs *outs)
{
    for (size_t i = 0; i < outs->count; i++)
        if (outs->items[i].kind == CORE_FORGET) oracle_ends(sim->oracle, outs->items[i].connection);
    for (size_t i = 0; i < outs->count; i++)
        if (outs->items[i].kind == CORE_SEND) tap_told_answers(sim, outs->items[i].connection, outs->items[i].packet);
    for (size_t i = 0; i < outs->count; i++)
        if (outs->items[i].kind == CORE_SEND) tap_told_events(sim, outs->items[i].connection, outs->items[i].packet);
}

static void forget(struct sim *sim, uint32_t number)
{
    struct connection *c = wire_find(sim, number);
    oracle_ended(sim->oracle, number);
    if (!c) return;
    c->forgotten = true;
    if (!c->broken) c->peer_news_ns = sim->now_ns + chance_between(&sim->host.random, 1, 200) * NS_PER_MS;
    c->broken = true;
}

/* False: it halted. */
static bool carry_out(struct sim *sim, const struct core_outs *outs)
{
    tell(sim, outs);
    for (size_t i = 0; i < outs->count; i++) {
        const struct core_out *out = &outs->items[i];
        struct connection *c = out->kind == CORE_SEND ? wire_find(sim, out->connection) : NULL;
        sim_note(sim, (uint64_t)out->kind << 32 | out->connection);
        if (c) wire_down(sim, c, out->packet);
        if (out->kind == CORE_FORGET) forget(sim, out->connection);
        if (out->kind == CORE_SUBMIT) disk_submit(sim, out->block);
        if (out->kind == CORE_FETCH) disk_fetch(sim, out);
        if (out->kind == CORE_SNAPSHOT) disk_slice(sim, out);
        if (out->kind == CORE_HALT) return false;
    }
    return true;
}

static void keep_house(struct sim *sim)
{
    struct host *host = &sim->host;
    if (host->snapshot_due && !host->snapshot_open && core_snapshot(host->core)) host->snapshot_due = false;
    if (host->trim_to > 0 && host->trim_to <= sim->audited && host->trim_wish == 0) disk_trim_place(sim, host->trim_to);
    host->trim_to = 0;
}

/* What the core lets go of is not there any more, whenever the disk drops it. */
static void move_window(struct sim *sim)
{
    struct host *host = &sim->host;
    uint64_t let_go = core_let_go(host->core);
    bool all = let_go >= host->trim_wish;
    if (host->trim_wish > 0 && (all || let_go == 0 /* begun */)) host->window = host->trim_wish;
    oracle_window(sim->oracle, host->window);
    if (host->trim_wish == 0 || !all) return;
    disk_trim(sim, host->trim_wish);
    host->trim_wish = 0;
}

static void step(struct sim *sim, struct turn *turn)
{
    struct host *host = &sim->host;
    struct core_fetched fetched[FETCHED_MAX];
    struct core_outs outs;
    struct core_in in = { .now_ns = sim->now_ns, .log_time_ms = log_ms(sim), .gone = host->gone, .gone_count = host->gone_count };
    in.fetched_count = disk_poll(sim, fetched, FETCHED_MAX);
    in.fetched = fetched;
    in.committed = host->committed;
    in.log_failed = host->failed;
    in.trim_wish = host->trim_wish;
    in.draining = host->draining;
    in.packets = turn->packets;
    in.packet_count = turn->count;
    oracle_turn(sim->oracle, sim->now_ns, log_ms(sim));
    note_commits(sim);
    for (uint32_t i = 0; i < host->gone_count; i++) {
        story_says(sim, "connection %u is gone", host->gone[i]);
        oracle_ended(sim->oracle, host->gone[i]);
    }
    host->gone_count = 0;
    for (size_t i = 0; i < turn->count; i++)
        tap_took(sim, turn->packets[i].connection, turn->packets[i].packet);
    core_step(host->core, &in, &outs);
    move_window(sim);
    if (carry_out(sim, &outs)) {
        keep_house(sim);
    } else {
        host_crash(sim, &host->random, chance_between(&host->random, 10, 3000) * NS_PER_MS);
    }
}

void host_run(struct sim *sim)
{
    struct host *host = &sim->host;
    static struct turn turn;
    if (!host->up) {
        if (host->start_ns <= sim->now_ns) start(sim);
        return;
    }
    if (host->not_before_ns > sim->now_ns) return;
    turn.count = 0;
    core_begin_turn(host->core, &turn.load);
    gather(sim, &turn);
    step(sim, &turn);
    wire_done(sim);
    arena_reset(&sim->decode);
    if (++sim->tally.turns > TURNS_MAX) sim_fail(sim, "does_not_spin", "more than %d turns", TURNS_MAX);
    if (host->up) take_news(sim); /* told to the next turn: the last packets of a connection come before its end, mostly */
    if (host->up) host->not_before_ns = sim->now_ns + chance_between(&host->random, 1, knob(sim, KNOB_turn_us) + 1) * 1000;
}
