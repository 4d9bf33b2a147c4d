/* Drives the core for a story: steps, clocks, commits, crashes. Blocks are copied when they are submitted, so that a restart finds what was
 * committed. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/block_copy.h"

static const struct span dev = { (const uint8_t *)"dev", 3 };

static struct core *core_new(struct world *w)
{
    w->config.tenants = &dev;
    size_t size = core_memory(&w->config);
    free(w->memory);
    w->memory = aligned_alloc(4096, size);
    memset(w->memory, 0, size);
    return core_init(w->memory, &w->config);
}

struct world *world_new(uint64_t secret)
{
    struct world *w = calloc(1, sizeof *w);
    w->config = (struct core_config){
        .limits = { .peers_max = 64,
                    .tenants_max = 4,
                    .groups_max = 16,
                    .leases_max = 2048,
                    .failed_max = 2048,
                    .dead_max = 8,
                    .dead_per_group_max = 4,
                    .subscriptions_max = 64,
                    .publishers_max = 16,
                    .tokens_max = 6,
                    .held_max = 6,
                    .held_per_tenant = 4,
                    .tokens_per_tenant = 4,
                    .busy_keys_max = 64,
                    .parked_max = 64,
                    .parked_per_group_max = 4,
                    .blocks_cached = 8,
                    .ranges_per_group_max = 256,
                    .turn_items_max = 20480 },
        .secret = { secret, 2 },
        .tenant_count = 1,
        .settle_at_once = true,
        .server = span_text("weir/story"),
        .any_tenant = true,
    };
    w->now_ns = 1000000000;
    w->log_ms = 1000000;
    w->core = core_new(w);
    core_start(w->core, w->now_ns, w->log_ms, "0123456789abcdef", 1, 1, 1, 0);
    return w;
}

void world_free(struct world *w)
{
    for (uint32_t i = 0; i < w->block_count; i++)
        block_drop(w->blocks[i]);
    free(w->memory);
    free(w);
}

struct story_peer *world_peer(struct world *w, const char *name)
{
    for (uint32_t i = 0; i < w->peer_count; i++)
        if (strcmp(w->peers[i].name, name) == 0) return &w->peers[i];
    struct story_peer *p = &w->peers[w->peer_count++];
    memset(p, 0, sizeof *p);
    strncpy(p->name, name, sizeof p->name - 1);
    memcpy(p->instance, name, strlen(name) < INSTANCE_BYTES ? strlen(name) : INSTANCE_BYTES);
    memcpy(p->publisher, p->instance, PUBLISHER_BYTES);
    p->next_number = 1;
    return p;
}

/* The block that a fetch finds: copied into the core's memory. */
static void serve_fetch(struct world *w, const struct core_out *out)
{
    struct core_fetched *f = &w->fetched[w->fetched_count++];
    const struct block *best = NULL;
    for (uint32_t i = 0; i < w->block_count; i++) {
        const struct block *b = w->blocks[i];
        if (b->number > w->committed || block_last_position(b) < w->trimmed_below) continue;
        if (out->before ? b->first_position <= out->position : (!best && block_last_position(b) >= out->position)) best = b;
    }
    *f = (struct core_fetched){ .position = out->position, .block = out->block, .result = best ? CORE_FETCHED : CORE_FETCH_NOTHING };
    if (best) block_copy_into(out->block, best);
}

static void carry_out(struct world *w, const struct core_outs *outs)
{
    for (size_t i = 0; i < outs->count; i++)
        say_names(w, &outs->items[i]);
    for (size_t i = 0; i < outs->count; i++) {
        const struct core_out *out = &outs->items[i];
        say_out(w, out);
        if (out->kind == CORE_SUBMIT) {
            w->blocks[w->block_count++] = block_copy(out->block);
            w->submitted = out->block->number;
        }
        if (out->kind == CORE_FETCH) serve_fetch(w, out);
    }
}

static void step(struct world *w, struct core_in *in)
{
    struct core_fetched fetched[32];
    struct core_outs outs;
    memcpy(fetched, w->fetched, sizeof fetched);
    in->now_ns = w->now_ns;
    in->log_time_ms = w->log_ms;
    in->committed = w->committed;
    in->fetched = fetched;
    in->fetched_count = w->slow_log ? 0 : w->fetched_count;
    in->trim_wish = w->trim_wish;
    in->draining = w->draining;
    if (!w->slow_log) w->fetched_count = 0;
    core_step(w->core, in, &outs);
    carry_out(w, &outs);
    if (w->trim_wish == 0 || core_let_go(w->core) < w->trim_wish) return;
    w->trimmed_below = w->trim_wish;
    w->trim_wish = 0;
}

/* What follows of itself: fetches, more to hand out, and, with `log auto`, commits. */
static void settle_down(struct world *w)
{
    for (int i = 0; i < 10000 && !w->single_turns; i++) {
        bool commit = w->auto_commit && w->submitted > w->committed;
        if (commit) w->committed = w->submitted;
        if (!commit && (w->slow_log || w->fetched_count == 0) && core_deadline_ns(w->core) > w->now_ns) return;
        step(w, &(struct core_in){ 0 });
    }
    if (!w->single_turns) say(w, "never quiet");
}

void world_step(struct world *w, struct story_peer *peer, const struct packet *packet, bool with_packet)
{
    struct core_packet one = { .grant = { .roles = ~0u, .any_tenant = true }, .packet = packet };
    struct core_in in = { 0 };
    if (with_packet) {
        if (!peer->connection) peer->connection = ++w->next_connection;
        one.connection = peer->connection;
        in.packets = &one;
        in.packet_count = 1;
    }
    step(w, &in);
    settle_down(w);
}

void world_gone(struct world *w, struct story_peer *peer)
{
    struct core_in in = { .gone = &peer->connection, .gone_count = 1 };
    step(w, &in);
    peer->connection = 0;
    peer->greeted = false;
    settle_down(w);
}

void world_commit(struct world *w, uint64_t number)
{
    w->committed = number;
    world_step(w, NULL, NULL, false);
}

void world_fail(struct world *w)
{
    step(w, &(struct core_in){ .log_failed = true });
}

void world_wait(struct world *w, uint64_t ms)
{
    uint64_t until = w->now_ns + ms * 1000000;
    while (w->now_ns < until) {
        uint64_t next = core_deadline_ns(w->core);
        if (next > until) next = until;
        if (next <= w->now_ns) next = w->now_ns + 1000000;
        w->log_ms += (next - w->now_ns) / 1000000;
        w->now_ns = next;
        for (uint32_t i = 0; i < w->peer_count; i++) { /* living peers are heard of; a story says so where one is silent */
            struct story_peer *p = &w->peers[i];
            struct packet beat = { .heartbeat = &(struct msg_heartbeat){ 1 } };
            struct core_packet one = { .connection = p->connection, .grant = { .roles = ~0u, .any_tenant = true }, .packet = &beat };
            bool speaks = p->connection && p->greeted && p->name[0] != 'z' && core_wants_packets(w->core); /* else it stays in the socket */
            if (speaks) step(w, &(struct core_in){ .packets = &one, .packet_count = 1 });
        }
        step(w, &(struct core_in){ 0 });
        settle_down(w);
    }
}

void world_trim(struct world *w, uint64_t position)
{
    w->trim_wish = position;
    world_step(w, NULL, NULL, false);
    if (w->trim_wish > 0) say(w, "log kept");
}

void world_stop(struct world *w, uint64_t ms)
{
    w->log_ms += ms;
    w->now_ns += ms * 1000000;
    world_step(w, NULL, NULL, false);
}

void world_crash(struct world *w)
{
    while (w->block_count > 0 && w->blocks[w->block_count - 1]->number > w->committed)
        block_drop(w->blocks[--w->block_count]);
    for (uint32_t i = 0; i < w->peer_count; i++) {
        w->peers[i].connection = 0;
        w->peers[i].greeted = false;
        w->peers[i].next_settle = 0;
        w->peers[i].credit_events = w->peers[i].credit_bytes = 0;
    }
    w->fetched_count = 0;
}

void world_restart(struct world *w, bool from_snapshot)
{
    (void)from_snapshot;
    uint64_t bad = 0, last = 0;
    w->core = core_new(w);
    w->now_ns += 1000000000;
    for (uint32_t i = 0; i < w->block_count; i++) {
        if (!core_recover(w->core, w->blocks[i], false, &bad)) say(w, "damaged at %llu", (unsigned long long)bad);
        last = block_last_position(w->blocks[i]);
    }
    say(w, "log recover blocks=%u", w->block_count);
    w->submitted = w->committed;
    core_start(w->core, w->now_ns, w->log_ms, "0123456789abcdef", 2 + w->restarts++, last + (1u << 20), w->committed + 1, w->trimmed_below);
}

void world_snapshot(struct world *w)
{
    /* the state that the slices of a snapshot make must be the state they were taken of [P9] */
    uint64_t digest = core_digest(w->core), bad = 0;
    struct world *other = world_new(w->config.secret[0]);
    struct core *copy = core_new(other);
    core_snapshot(w->core);
    bool last = false;
    for (int i = 0; i < 100 && !last; i++) {
        struct core_outs outs;
        struct core_in in = { .now_ns = w->now_ns, .log_time_ms = w->log_ms, .committed = w->committed };
        core_step(w->core, &in, &outs);
        for (size_t k = 0; k < outs.count; k++) {
            const struct core_out *out = &outs.items[k];
            if (out->kind == CORE_FETCH) serve_fetch(w, out);
            if (out->kind != CORE_SNAPSHOT) continue;
            if (out->block->record_count && !core_recover(copy, out->block, true, &bad)) say(w, "bad slice");
            last = out->last;
        }
    }
    say(w, "snapshot %s", !last ? "never ended" : core_digest(copy) == digest ? "equal" : "differs");
    world_free(other);
}

uint64_t world_seq(const struct world *w, const char *event)
{
    for (uint32_t i = 0; i < w->event_count; i++)
        if (strcmp(w->events[i].name, event) == 0) return w->events[i].seq;
    return strtoull(event, NULL, 10);
}

const char *world_event_name(struct world *w, uint64_t seq, bool emit)
{
    for (uint32_t i = 0; i < w->event_count; i++)
        if (w->events[i].seq == seq) return w->events[i].name;
    if (!emit || w->event_count == EVENTS_MAX) return "e?";
    w->events[w->event_count].seq = seq;
    snprintf(w->events[w->event_count].name, sizeof w->events[0].name, "m%u", ++w->emit_count);
    return w->events[w->event_count++].name;
}
