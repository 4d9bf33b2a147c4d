/* Bytes to core step: packets of strangers, as they come off the wire, into a core that a worker and a gateway already talk to. The input
 * is a row of {connection, head size, body size, head, body}. Nothing a peer sends may stop the core, and what is no packet changes
 * nothing. */
#include <stdlib.h>
#include <sys/mman.h>

#include "coordinator/core/core.h"
#include "proto/codec.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 1 << 20 };

struct table {
    struct core *core;
    uint64_t now_ns, submitted;
};

static void step(struct table *t, struct core_in *in)
{
    struct core_outs outs;
    in->now_ns = t->now_ns;
    in->log_time_ms = t->now_ns / 1000000;
    in->committed = t->submitted; /* the disk is quick here */
    core_step(t->core, in, &outs);
    for (size_t i = 0; i < outs.count; i++) {
        if (outs.items[i].kind == CORE_SUBMIT) t->submitted = outs.items[i].block->number;
        must(outs.items[i].kind != CORE_HALT);
    }
}

/* Until the core has nothing left to do of itself at this instant. */
static void come_to_rest(struct table *t)
{
    uint64_t before;
    do {
        before = core_digest(t->core);
        step(t, &(struct core_in){ 0 });
    } while (core_digest(t->core) != before || !core_is_quiet(t->core));
}

static void say(struct table *t, uint32_t connection, const struct packet *packet)
{
    struct core_packet one = { .connection = connection, .grant = { .roles = ~0u, .any_tenant = true }, .packet = packet };
    step(t, &(struct core_in){ .packets = &one, .packet_count = 1 });
}

static void greet(struct table *t)
{
    static const uint8_t ids[2][16] = { { 1 }, { 2 } };
    static const struct span filter = { (const uint8_t *)">", 1 };
    struct msg_credit credits[2] = { { .kind = CREDIT_DELIVER, .events = 1000, .bytes = 1 << 20 },
                                     { .kind = CREDIT_EVENTS, .events = 1000, .bytes = 1 << 20 } };
    struct msg_hello worker = { .protocol = 1,
                                .role = ROLE_WORKER,
                                .instance = span_of(ids[0], 16),
                                .publisher = span_of(ids[0], 16),
                                .first_unanswered = 1,
                                .max_event_bytes = 1 << 20,
                                .has_group = true,
                                .group = { .name = span_text("g"), .filters = &filter, .filter_count = 1 } };
    struct msg_hello gateway = {
        .protocol = 1,
        .role = ROLE_GATEWAY,
        .instance = span_of(ids[1], 16),
        .publisher = span_of(ids[1], 16),
        .first_unanswered = 1,
        .max_event_bytes = 1 << 20,
    };
    say(t, 1, &(struct packet){ .hello = &worker, .credits = credits, .credit_count = 2 });
    say(t, 2, &(struct packet){ .hello = &gateway, .credits = credits, .credit_count = 2 });
}

static size_t take_size(const uint8_t **data, size_t *size)
{
    if (*size < 2) return 0;
    size_t value = (size_t)(*data)[0] | (size_t)(*data)[1] << 8;
    *data += 2;
    *size -= 2;
    return value < *size ? value : *size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span dev = { (const uint8_t *)"dev", 3 };
    static uint8_t memory[ARENA_BYTES];
    struct core_config config = { .limits = { .peers_max = 16,
                                              .tenants_max = 2,
                                              .groups_max = 4,
                                              .leases_max = 256,
                                              .failed_max = 256,
                                              .subscriptions_max = 16,
                                              .publishers_max = 4,
                                              .tokens_max = 6,
                                              .held_max = 6,
                                              .held_per_tenant = 4,
                                              .tokens_per_tenant = 4,
                                              .blocks_cached = 8,
                                              .ranges_per_group_max = 64,
                                              .turn_items_max = 20480 },
                                  .secret = { 1, 2 },
                                  .tenants = &dev,
                                  .tenant_count = 1,
                                  .settle_at_once = true,
                                  .server = span_text("weir/fuzz"),
                                  .any_tenant = true };
    size_t core_size = core_memory(&config);
    void *region = mmap(NULL, core_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(region != MAP_FAILED);
    struct table t = { .core = core_init(region, &config), .now_ns = 1000000000 };
    core_start(t.core, t.now_ns, t.now_ns / 1000000, "0123456789abcdef", 1, 1, 1, 0);
    greet(&t);
    while (size > 1) {
        uint32_t connection = 1u + *data % 4;
        data++, size--;
        size_t head_size = take_size(&data, &size), body_size = take_size(&data, &size);
        if (head_size > size) head_size = size;
        struct span head = span_of(data, head_size);
        data += head_size, size -= head_size;
        if (body_size > size) body_size = size;
        struct span body = span_of(data, body_size);
        data += body_size, size -= body_size;
        struct arena arena;
        struct packet *packet = NULL;
        arena_init(&arena, memory, sizeof memory);
        bool decoded = codec_decode(&arena, head, body, &packet) == CODEC_OK;
        t.now_ns += 1000000;
        come_to_rest(&t);
        uint64_t before = core_digest(t.core);
        say(&t, connection, decoded ? packet : NULL);
        if (!decoded) must(core_digest(t.core) == before);
    }
    munmap(region, core_size);
    return 0;
}
