/* The core's door: memory, start, and the step. What a step does, in order:
 *   hear what was committed, fetched and who has gone; take packets; fire timers; hand out events; close the block; say it all.
 * Invariant: everything that promises something waits in the ticket ring, or behind `handed`, until its block is committed. */
#include "coordinator/core/core.h"
#include "coordinator/core/apply.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/carry.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/deliver.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/group_change.h"
#include "coordinator/core/group_spec.h"
#include "coordinator/core/held.h"
#include "coordinator/core/keys.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/lookup.h"
#include "coordinator/core/order.h"
#include "coordinator/core/out.h"
#include "coordinator/core/part.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/publisher.h"
#include "coordinator/core/rates.h"
#include "coordinator/core/read_back.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/snapshot.h"
#include "coordinator/core/state.h"
#include "coordinator/core/subscribe.h"
#include "coordinator/core/tenant.h"
#include "coordinator/core/token.h"
#include "coordinator/core/transfer.h"
#include "coordinator/core/window.h"
#include "proto/event.h"
#include "sdk/base/ranges.h"

#define OR_DEFAULT(field, value)                                                                                                           \
    if ((field) == 0) (field) = (value)

static void apply_defaults(struct core_config *config)
{
    struct core_limits *l = &config->limits;
    OR_DEFAULT(l->peers_max, 4096);
    OR_DEFAULT(l->tenants_max, 64);
    OR_DEFAULT(l->groups_max, 1024);
    OR_DEFAULT(l->leases_max, 262144);
    OR_DEFAULT(l->failed_max, 262144);
    OR_DEFAULT(l->dead_max, 65536);
    OR_DEFAULT(l->dead_per_group_max, 16384);
    OR_DEFAULT(l->busy_keys_max, 262144);
    OR_DEFAULT(l->parked_max, 262144);
    OR_DEFAULT(l->parked_per_group_max, 8192);
    OR_DEFAULT(l->subscriptions_max, 65536);
    OR_DEFAULT(l->publishers_max, 4096);
    OR_DEFAULT(l->held_max, 1048576);
    OR_DEFAULT(l->held_per_tenant, 262144);
    OR_DEFAULT(l->tokens_max, 4194304);
    OR_DEFAULT(l->tokens_per_tenant, 1048576);
    OR_DEFAULT(l->large_events_max, 1024);
    OR_DEFAULT(l->blocks_cached, 128);
    OR_DEFAULT(l->ranges_per_group_max, 16384);
    OR_DEFAULT(l->turn_items_max, 65536);
    OR_DEFAULT(config->heartbeat_ms, 5000);
    OR_DEFAULT(config->lease_ms, 30000);
    OR_DEFAULT(config->adopt_grace_ms, 5000);
    OR_DEFAULT(config->backoff_ms, 1000);
    OR_DEFAULT(config->token_life_ms, 600000);
    OR_DEFAULT(config->settle_wait_us, 2000);
    OR_DEFAULT(config->publish_credit_events, 65536);
    OR_DEFAULT(config->publish_credit_bytes, 16 * 1024 * 1024);
    OR_DEFAULT(config->emit_credit_bytes, 1024 * 1024);
    OR_DEFAULT(config->max_event_bytes, 8 * 1024 * 1024);
    OR_DEFAULT(config->max_packet_bytes, CORE_PACKET_BYTES_MAX);
    must(l->blocks_cached >= 8);
    must(l->leases_max <= CORE_LEASES_MOST && l->groups_max <= CORE_GROUPS_MOST && l->subscriptions_max <= CORE_SUBSCRIPTIONS_MOST);
    must(l->turn_items_max >= CORE_TURN_ITEMS_LEAST + 2 * l->peers_max);
    must(config->max_event_bytes <= EVENT_LARGE_BYTES_MAX && config->max_packet_bytes <= CORE_PACKET_BYTES_MAX);
    must(config->tenant_count <= l->tenants_max);
}

/* Hands out pieces of the region in a fixed order; with memory NULL it only measures. */
struct carver {
    uint8_t *memory;
    size_t used;
};

static void *carve(struct carver *carver, size_t size)
{
    size_t at = carver->used;
    carver->used += (size + 63) & ~(size_t)63;
    return carver->memory ? carver->memory + at : NULL;
}

static void carve_slab(struct carver *carver, struct slab *slab, uint32_t capacity, size_t size)
{
    void *memory = carve(carver, slab_memory(capacity, (uint32_t)size));
    if (carver->memory) slab_init(slab, memory, capacity, (uint32_t)size);
}

static void carve_map(struct carver *carver, struct map *map, uint32_t limit)
{
    void *memory = carve(carver, map_memory(limit));
    if (carver->memory) map_init(map, memory, limit);
}

static void carve_near_map(struct carver *carver, struct map *map, uint32_t limit)
{
    void *memory = carve(carver, map_memory(limit));
    if (carver->memory) map_init_near(map, memory, limit);
}

static void carve_heap(struct carver *carver, struct heap *heap, uint32_t handles)
{
    void *memory = carve(carver, heap_memory(handles));
    if (carver->memory) heap_init(heap, memory, handles);
}

static void carve_tables(struct carver *v, struct core *c, const struct core_config *config)
{
    const struct core_limits *l = &config->limits;
    c->tenants = carve(v, (l->tenants_max + 1) * sizeof(struct tenant));
    carve_slab(v, &c->peers, l->peers_max, sizeof(struct peer));
    carve_slab(v, &c->lanes, l->peers_max * 2, sizeof(struct lane));
    carve_slab(v, &c->publishers, l->publishers_max, sizeof(struct publisher));
    carve_slab(v, &c->groups, l->groups_max, sizeof(struct group));
    carve_slab(v, &c->failed, l->failed_max, sizeof(struct failed));
    carve_slab(v, &c->notes, l->failed_max, sizeof(struct note));
    carve_slab(v, &c->dead, l->dead_max, sizeof(struct dead));
    carve_slab(v, &c->leases, l->leases_max, sizeof(struct lease));
    carve_slab(v, &c->keys, l->busy_keys_max, sizeof(struct key));
    carve_slab(v, &c->parked, l->parked_max, sizeof(struct parked));
    carve_slab(v, &c->subs, l->subscriptions_max, sizeof(struct sub));
    carve_slab(v, &c->transfers, l->peers_max, sizeof(struct transfer));
    c->carriers = carve(v, CARRIERS * sizeof(struct carrier));
    carve_slab(v, &c->assemblies, l->large_events_max, part_assembly_bytes(config));
    carve_map(v, &c->by_connection, l->peers_max);
    carve_map(v, &c->by_instance, l->peers_max);
    carve_map(v, &c->orphans, 2 * l->peers_max);
    carve_map(v, &c->by_publisher, l->publishers_max);
    carve_near_map(v, &c->by_failed, l->failed_max);
    carve_near_map(v, &c->by_lease, l->leases_max);
    carve_map(v, &c->by_dead, l->dead_max);
    carve_map(v, &c->by_key, l->busy_keys_max);
    carve_map(v, &c->by_sub, l->subscriptions_max);
    carve_slab(v, &c->held, l->held_max, sizeof(struct held));
    carve_near_map(v, &c->by_held, l->held_max);
    carve_heap(v, &c->held_due, l->held_max);
    if (v->memory) heap_tie(&c->held_due, c->held.slots + offsetof(struct held, first), sizeof(struct held));
    c->tokens.ring = carve(v, (size_t)l->tokens_max * sizeof(struct token));
    carve_map(v, &c->tokens.by_hash, l->tokens_max);
    c->group_handles = carve(v, (size_t)(l->groups_max + 1) * sizeof(uint32_t));
    c->group_ranges = carve(v, (size_t)(l->groups_max + 1) * PRIORITY_LEVELS * l->ranges_per_group_max * sizeof(struct range));
    carve_heap(v, &c->group_timers, l->groups_max);
    carve_heap(v, &c->extended, l->leases_max);
    carve_heap(v, &c->due, l->failed_max);
    carve_heap(v, &c->key_waits, l->busy_keys_max);
    c->ahead = carve(v, HASHES_AHEAD * sizeof(struct ahead));
    carve_heap(v, &c->budget_waits, l->groups_max);
    c->active = carve(v, (size_t)l->groups_max * sizeof(uint32_t));
    c->sending = carve(v, (size_t)l->peers_max * sizeof(uint32_t));
}

static void carve_blocks(struct carver *v, struct core *c, const struct core_limits *l)
{
    c->slot_count = l->blocks_cached;
    c->slots = carve(v, l->blocks_cached * sizeof(struct slot));
    for (uint32_t i = 0; i < l->blocks_cached; i++) {
        void *memory = carve(v, block_memory());
        uint32_t *touched = carve(v, l->groups_max * sizeof(uint32_t));
        if (!v->memory) continue;
        block_init(&c->slots[i].block, memory);
        c->slots[i].touched = touched;
    }
    c->snapshot.failures = carve(v, PENDS_MAX * sizeof(struct record_failed));
    c->snapshot.dead_rows = carve(v, DEAD_PER_RECORD * sizeof(struct record_dead));
    c->snapshot.blocks = carve(v, SNAPSHOT_BLOCKS * sizeof(struct block));
    for (uint32_t i = 0; i < SNAPSHOT_BLOCKS; i++) {
        void *memory = carve(v, block_memory());
        if (v->memory) block_init(&c->snapshot.blocks[i], memory);
    }
}

static void carve_turn(struct carver *v, struct core *c, const struct core_limits *l)
{
    c->tickets = carve(v, TICKETS_MAX * sizeof(struct ticket));
    c->pends = carve(v, PENDS_MAX * sizeof(struct pend));
    c->matches_most = l->groups_max + l->subscriptions_max;
    c->matches_max = 2 * c->matches_most + 2;
    c->matches = carve(v, (size_t)c->matches_max * sizeof(uint32_t));
    c->lookups = carve(v, LOOKUPS_MAX * sizeof(struct lookup));
    c->settle_ranges = carve(v, PENDS_MAX * sizeof(struct range));
    c->settle_room = carve(v, PENDS_MAX * sizeof(struct range));
    c->settle_failed = carve(v, PENDS_MAX * sizeof(struct record_failed));
    c->dead_rows = carve(v, DEAD_PER_RECORD * sizeof(struct record_dead));
    c->topic_match = carve(v, BLOCK_TOPICS_MAX * sizeof(uint32_t));
    c->items = carve(v, (size_t)(l->turn_items_max + 1) * sizeof(struct item));
    c->dirty = carve(v, l->peers_max * sizeof(uint32_t));
    c->ending = carve(v, l->peers_max * sizeof(uint32_t));
    c->out_max = l->peers_max * 2 + l->turn_items_max + 256; /* a packet has at least one item */
    c->outs = carve(v, c->out_max * sizeof(struct core_out));
    void *scratch = carve(v, SCRATCH_BYTES);
    if (v->memory) arena_init(&c->scratch, scratch, SCRATCH_BYTES);
}

/* One index for all tenants, with room for the filters of all groups and subscriptions: nobody's filters keep another's out. */
static void carve_filters(struct carver *v, struct core *c, const struct core_limits *l)
{
    uint32_t entries = l->groups_max * GROUP_FILTERS_MAX + l->subscriptions_max;
    void *memory = carve(v, filters_memory(entries, l->tenants_max));
    if (v->memory) c->filters = filters_init(memory, entries, l->tenants_max, c->config.secret);
}

static size_t carve_all(struct core *c, void *memory, const struct core_config *config)
{
    struct carver v = { memory, 0 };
    struct core measured;
    carve(&v, sizeof(struct core));
    if (!memory) c = &measured;
    carve_tables(&v, c, config);
    carve_blocks(&v, c, &config->limits);
    carve_turn(&v, c, &config->limits);
    carve_filters(&v, c, &config->limits);
    return (v.used + 4095) & ~(size_t)4095;
}

size_t core_memory(const struct core_config *config)
{
    struct core_config full = *config;
    apply_defaults(&full);
    return carve_all(NULL, NULL, &full);
}

struct core *core_init(void *zeroed_memory, const struct core_config *config)
{
    struct core *c = zeroed_memory;
    c->config = *config;
    apply_defaults(&c->config);
    carve_all(c, zeroed_memory, &c->config);
    c->random = (config->secret[0] ^ config->secret[1]) | 1;
    for (size_t i = 0; i < config->tenant_count; i++)
        must(tenant_add(c, config->tenants[i]) != 0);
    c->config.tenants = NULL;
    return c;
}

bool core_recover(struct core *c, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    must(!c->started);
    for (uint32_t i = 0; i < block->record_count; i++) {
        if (apply_record(c, block, i)) continue;
        *out_bad = block->first_position + i;
        return false;
    }
    if (!from_snapshot)
        c->head = block_last_position(block);
    else if (c->head < block->first_position)
        c->head = block->first_position;
    return true;
}

void core_start(struct core *c, uint64_t now_ns, uint64_t log_time_ms, const char epoch[16], uint64_t term, uint64_t first_position,
                uint64_t block_number, uint64_t trimmed_below)
{
    must(!c->started && first_position > c->head && block_number > 0);
    c->started = true;
    c->now_ns = now_ns;
    c->log_ms = c->start_ms = log_time_ms;
    memcpy(c->epoch, epoch, EPOCH_BYTES);
    c->term = term;
    c->next_position = first_position;
    c->next_block = block_number;
    c->submitted = c->head;
    window_begin(c, trimmed_below);
    c->sweep_ns = c->rates.tick_ns = now_ns;
    c->adopt_ns = now_ns + (uint64_t)c->config.adopt_grace_ms * 1000000u;
    c->pace_ns = UINT64_MAX;
    for (uint32_t h = 1; h <= c->groups.capacity; h++)
        if (slab_is_taken(&c->groups, h)) group_opened(c, h, true);
    if (c->config.replay.on) {
        /* what stands in the source is history to be read, never the replay's own writing */
        if (c->head < c->config.replay.until) c->head = c->submitted = c->config.replay.until;
        must(first_position > c->head);
    }
}

/* What a group costs in the block, at most. */
static size_t group_bytes(const struct group_spec *spec)
{
    size_t bytes = NAME_MAX + 128 + spec->name.size + spec->options.limit_by.size;
    for (size_t i = 0; i < spec->filter_count; i++)
        bytes += spec->filters[i].size + 3;
    return bytes;
}

bool core_turn_add(struct core_turn *turn, const struct packet *packet)
{
    turn->packets++;
    if (packet) {
        turn->bytes += packet->body.size;
        if (packet->hello) turn->items += packet->hello->held_count / CORE_HELD_PER_ITEM;
        if (packet->hello && packet->hello->has_group) turn->bytes += group_bytes(&packet->hello->group);
        for (size_t i = 0; i < packet->publish_count; i++)
            turn->items += packet->publishes[i].count;
        if (packet->settle) turn->items += packet->settle->count + packet->settle->emit_count;
        turn->items += packet->subscribe_count + packet->unsubscribe_count + packet->query_count + packet->cancel_count +
                       packet->partial_count + packet->manage_count * CORE_MANAGE_ITEMS + packet->part_count;
    }
    turn->items++;
    return turn->bytes < turn->bytes_max && turn->items < turn->items_max;
}

void core_begin_turn(const struct core *c, struct core_turn *turn)
{
    blocks_begin_turn(c, turn);
}

bool core_wants_packets(const struct core *c)
{
    return blocks_want_packets(c);
}

bool core_is_quiet(const struct core *c)
{
    const struct slot *filling = filling_slot((struct core *)c);
    bool empty = !filling || filling->block.record_count == 0;
    return empty && c->writing_count == 0 && c->ticket_count == 0 && c->pend_groups == 0 && !c->snapshot.running && !c->snapshot.wanted;
}

static void say_drain(struct core *c)
{
    c->drain_said = true;
    for (uint32_t h = 1; h <= c->peers.touched; h++)
        if (slab_is_taken(&c->peers, h) && peer_at(c, h)->state == PEER_READY) {
            out_item(c, h, ITEM_DRAIN)->x = DRAIN_RECONNECT_MS;
        }
}

static void take_inputs(struct core *c, const struct core_in *in)
{
    for (size_t i = 0; i < in->fetched_count; i++)
        blocks_fetched(c, &in->fetched[i]);
    blocks_committed(c, in->committed);
    tickets_pay(c);
    for (size_t i = 0; i < in->gone_count; i++)
        peers_gone(c, in->gone[i]);
    for (size_t i = 0; i < in->packet_count; i++)
        peers_packet(c, &in->packets[i]);
    if (!in->group) return;
    uint32_t tenant = tenant_find(c, in->group->tenant);
    if (tenant || (c->config.any_tenant && (tenant = tenant_add(c, in->group->tenant)))) group_configure(c, tenant, &in->group->spec);
}

void core_step(struct core *c, const struct core_in *in, struct core_outs *outs)
{
    must(c->started && in->now_ns >= c->now_ns && in->log_time_ms >= c->log_ms); /* a shell's clocks never run back */
    c->step++;
    if (blocks_want_packets(c)) peers_listened(c, in->now_ns - c->now_ns);
    c->now_ns = in->now_ns;
    c->log_ms = in->log_time_ms;
    c->item_count = c->dirty_count = c->out_count = 0;
    c->scan_budget = SCAN_BLOCKS_PER_STEP;
    c->carry_budget = CARRY_PARTS_PER_STEP;
    arena_reset(&c->scratch);
    if (in->log_failed) c->halted = true;
    if (c->halted) {
        out_add(c, CORE_HALT);
        *outs = (struct core_outs){ c->outs, c->out_count };
        return;
    }
    held_wish(c, in->trim_wish);
    c->draining = c->draining || in->draining;
    c->shell_stats = in->shell_stats;
    c->shell_stat_count = in->shell_stat_count;

    snapshot_begin_step(c);
    take_inputs(c, in);
    if (c->draining && !c->drain_said) say_drain(c);
    leases_fire(c);
    if (c->now_ns >= c->pace_ns) {
        c->pace_ns = UINT64_MAX;
        groups_wake_waiting(c);
        subs_wake_waiting(c);
        held_wake(c);
        transfers_wake_waiting(c);
    }
    if (c->now_ns >= c->adopt_ns) groups_end_adoption(c);
    peers_sweep(c);
    held_fire(c);
    held_carry(c);
    letters_carry(c, in->trim_wish);
    letters_write(c);
    groups_read_back(c);
    if (!c->draining) deliver_all(c);
    subs_catch_up(c);
    lookups_step(c);
    transfers_go(c);
    groups_follow_head(c);
    rates_tick(c);
    window_move(c, in->trim_wish);
    blocks_close(c);
    snapshot_step(c);
    out_assemble(c);
    *outs = (struct core_outs){ c->outs, c->out_count };
}

uint64_t core_deadline_ns(const struct core *c)
{
    uint64_t deadline = leases_deadline(c);
    if (c->sweep_ns < deadline) deadline = c->sweep_ns;
    if (c->adopt_ns < deadline) deadline = c->adopt_ns;
    if (c->pace_ns < deadline) deadline = c->pace_ns;
    uint64_t held_ns = held_deadline(c);
    if (held_ns < deadline) deadline = held_ns;
    uint64_t settles_ns = blocks_settles_deadline(c);
    if (settles_ns < deadline) deadline = settles_ns;
    bool unpaid = c->ticket_count > 0 && c->tickets[c->ticket_first].block <= c->committed_block;
    bool more = c->lookup_again || c->read_back_more || transfers_can_go(c);
    if (unpaid || (c->active_count > 0 && !c->draining) || c->catching_count > 0 || more) {
        /* more to hand out than the last step had room for; groups that wait for a fetch or a worker are not in the list */
        deadline = c->now_ns;
    }
    return deadline;
}

const char *core_group_check(const struct group_spec *spec)
{
    const char *message;
    return group_spec_check(spec, &message) == CODE_OK ? NULL : message;
}

enum core_group_state core_group_state(const struct core *c, const struct core_group *group, const char **out_why)
{
    uint32_t tenant = tenant_find(c, group->tenant);
    uint32_t handle = tenant ? group_find(c, tenant, group->spec.name) : 0;
    if (!handle) return CORE_GROUP_MISSING;
    *out_why = group_conflict(group_at(c, handle), &group->spec);
    return *out_why ? CORE_GROUP_DIFFERS : CORE_GROUP_SAME;
}

void core_stats(const struct core *c, struct core_stats *out)
{
    *out = c->stats;
    out->peers = c->peers.taken;
    out->groups = c->groups.taken;
    out->leases = c->leases.taken;
    out->failed = c->failed.taken;
    out->dead = c->dead.taken;
    out->dying = c->dying_count;
    out->busy_keys = c->keys.taken;
    out->parked = c->parked.taken;
    out->subscriptions = c->subs.taken;
    out->publishers = c->publishers.taken;
    out->held = c->held.taken;
    out->tokens = c->tokens.end - c->tokens.first;
    out->large_events = c->assemblies.taken;
    out->head = c->head;
    out->blocks_pinned = 0;
    for (uint32_t i = 0; i < c->slot_count; i++)
        out->blocks_pinned += c->slots[i].state == SLOT_FILLING || c->slots[i].state == SLOT_WRITING;
}
