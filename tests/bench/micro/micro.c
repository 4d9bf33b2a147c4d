/* What the innermost pieces cost, in ns per call, best of several runs: the scanner against protobuf-c, the codec per packet, the filter
 * index as it grows, a block stored and loaded. Numbers to look at, never a test. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/block_codec.h"
#include "proto/codec.h"
#include "proto/event.h"
#include "sdk/base/filters.h"
#include "tests/support/random.h"
#include "weir.pb-c.h"

enum { ROUNDS = 100, BATCH = 256, EVENT_DATA = 200 };
static volatile uint64_t sink; /* keeps results alive */

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void report(const char *name, void (*run)(void *, uint32_t), void *arg, uint32_t calls)
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns();
        run(arg, calls);
        double each = (double)(now_ns() - begin) / calls;
        if (each < best) best = each;
    }
    printf("%-44s %10.1f ns\n", name, best);
}

struct bytes {
    uint8_t data[1024];
    size_t size;
};

static void make_event(struct bytes *out)
{
    static uint8_t data[EVENT_DATA];
    memset(data, 'x', sizeof data);
    const struct event event = {
        .topic = span_text("docs.42.uploaded"),
        .key = span_text("doc-42"),
        .session = span_text("s-12"),
        .token = span_text("c0ffee00c0ffee"),
        .type = span_text("uploaded"),
        .content_type = span_text("application/json"),
        .data = span_of(data, sizeof data),
        .time_ms = UINT64_C(1700000000000),
        .ttl_ms = 60000,
        .priority = 1,
        .reply_to = span_text("$inbox.30313233"),
        .deadline_ms = UINT64_C(1700000030000),
    };
    out->size = event_encode(&event, NULL, 0, out->data);
}

static void scan(void *arg, uint32_t calls)
{
    const struct bytes *bytes = arg;
    struct event event;
    for (uint32_t i = 0; i < calls; i++)
        sink += event_scan(span_of(bytes->data, bytes->size), &event) + event.ttl_ms;
}

static void *take(void *arg, size_t size)
{
    return arena_take(arg, size);
}

static void release(void *arg, void *memory)
{
    (void)arg;
    (void)memory;
}

static void unpack(void *arg, uint32_t calls)
{
    static uint8_t memory[64 * 1024];
    const struct bytes *bytes = arg;
    struct arena arena;
    ProtobufCAllocator allocator = { take, release, &arena };
    arena_init(&arena, memory, sizeof memory);
    for (uint32_t i = 0; i < calls; i++) {
        arena_reset(&arena);
        sink += weir__v1__event__unpack(&allocator, bytes->size, bytes->data)->ttl_ms;
    }
}

struct codec_bench {
    struct packet packet;
    struct span head;
    size_t body_size;
    uint8_t memory[2][256 * 1024];
};

static void make_deliver(struct codec_bench *bench)
{
    static uint64_t leases[BATCH], seqs[BATCH], times[BATCH];
    static uint32_t attempts[BATCH], sizes[BATCH];
    static struct msg_deliver deliver = { .lease = leases, .seq = seqs, .time_ms = times, .attempt = attempts, .size = sizes, .count = BATCH };
    for (uint32_t i = 0; i < BATCH; i++) {
        leases[i] = 1000000 + i;
        seqs[i] = 5000000 + i;
        times[i] = UINT64_C(1700000000000) + i;
        attempts[i] = 1;
        sizes[i] = 300;
    }
    struct arena arena;
    bench->packet = (struct packet){ .deliver = &deliver };
    bench->body_size = BATCH * 300;
    arena_init(&arena, bench->memory[0], sizeof bench->memory[0]);
    if (codec_encode(&arena, &bench->packet, &bench->head) != CODEC_OK) abort();
}

static void encode(void *arg, uint32_t calls)
{
    struct codec_bench *bench = arg;
    struct arena arena;
    struct span head;
    arena_init(&arena, bench->memory[1], sizeof bench->memory[1]);
    for (uint32_t i = 0; i < calls; i++) {
        arena_reset(&arena);
        sink += (uint64_t)codec_encode(&arena, &bench->packet, &head) + head.size;
    }
}

static void decode(void *arg, uint32_t calls)
{
    struct codec_bench *bench = arg;
    struct arena arena;
    struct packet *packet;
    arena_init(&arena, bench->memory[1], sizeof bench->memory[1]);
    for (uint32_t i = 0; i < calls; i++) {
        arena_reset(&arena);
        if (codec_decode(&arena, bench->head, span_of(bench->memory, bench->body_size), &packet) != CODEC_OK) abort();
        sink += packet->deliver->seq[3];
    }
}

enum { TOPIC_BYTES = 32, TOPICS_PER_FILTER = 4 };

struct filter_bench {
    struct filters *index;
    uint32_t topic_count, next;
    char (*topics)[TOPIC_BYTES]; /* in random order, so that a large index is not in the cache */
};

static void match(void *arg, uint32_t calls)
{
    struct filter_bench *bench = arg;
    uint32_t out[16];
    for (uint32_t i = 0; i < calls; i++) {
        const char *topic = bench->topics[bench->next];
        bench->next = bench->next + 1 == bench->topic_count ? 0 : bench->next + 1;
        sink += filters_match(bench->index, 1, span_text(topic), out, 16);
    }
}

static void bench_filters(uint32_t count)
{
    static const uint64_t secret[2] = { 1, 2 };
    void *memory = calloc(1, filters_memory(count + 2, 1));
    struct filter_bench bench = { filters_init(memory, count + 2, 1, secret), count * TOPICS_PER_FILTER, 0, NULL };
    struct random random = { 42 };
    char name[64];
    for (uint32_t i = 1; i <= count; i++) {
        snprintf(name, sizeof name, i % 2 == 0 ? "docs.%u.>" : "docs.%u.*.uploaded", i);
        if (!filters_add(bench.index, 1, span_text(name), i)) abort();
    }
    filters_add(bench.index, 1, span_text("*.*.page.>"), count + 1);
    filters_add(bench.index, 1, span_text(">"), count + 2);
    bench.topics = calloc(bench.topic_count, sizeof bench.topics[0]);
    for (uint32_t i = 0; i < bench.topic_count; i++)
        snprintf(bench.topics[i], TOPIC_BYTES, "docs.%u.page.uploaded", 1 + random_below(&random, count));
    snprintf(name, sizeof name, "filters_match among %u", count);
    report(name, match, &bench, 20000);
    free(bench.topics);
    free(memory);
}

struct block_bench {
    struct block block, loaded;
    struct arena scratch;
    uint8_t *out;
    size_t bound, size;
};

static void store(void *arg, uint32_t calls)
{
    static const uint8_t before[BLOCK_HASH_BYTES];
    struct block_bench *b = arg;
    uint8_t hash[BLOCK_HASH_BYTES];
    for (uint32_t i = 0; i < calls; i++)
        b->size = block_store(&b->block, 1, before, &b->scratch, b->out, b->bound, hash);
}

static void load(void *arg, uint32_t calls)
{
    struct block_bench *b = arg;
    struct block_header header;
    for (uint32_t i = 0; i < calls; i++) {
        if (block_load(span_of(b->out, b->size), &b->scratch, &b->loaded, &header) != BLOCK_LOADED) abort();
    }
}

static void bench_block(const struct bytes *event)
{
    struct block_bench b;
    const uint8_t publisher[16] = { 1 };
    block_init(&b.block, malloc(block_memory()));
    block_init(&b.loaded, malloc(block_memory()));
    arena_init(&b.scratch, malloc(BLOCK_SCRATCH_BYTES), BLOCK_SCRATCH_BYTES);
    block_open(&b.block, 1, 1, UINT64_C(1700000000000), 1);
    char topic[32];
    for (uint64_t i = 0; block_has_room(&b.block, 1, event->size); i++) {
        snprintf(topic, sizeof topic, "docs.%u.uploaded", (unsigned)(i % 50));
        struct record record = { .number = 1000 + i, .time_delta_ms = (uint32_t)i / 100, .kind = RECORD_EVENT };
        record.topic = (uint16_t)(block_topic(&b.block, span_text("acme"), span_text(topic)) + 1);
        record.publisher = (uint16_t)(block_publisher(&b.block, publisher) + 1);
        block_append(&b.block, record, span_of(event->data, event->size));
    }
    b.bound = block_store_bound(&b.block);
    b.out = malloc(b.bound);
    printf("a block of %u events, %u bytes of bodies:\n", b.block.record_count, b.block.bodies_size);
    report("  block_store", store, &b, 5);
    report("  block_load", load, &b, 5);
    free(b.block.records);
    free(b.loaded.records);
    free(b.scratch.memory);
    free(b.out);
}

int main(void)
{
    static struct bytes event;
    static struct codec_bench bench;
    make_event(&event);
    printf("an event of %zu bytes:\n", event.size);
    report("  event_scan", scan, &event, 10000);
    report("  protobuf-c unpack into an arena", unpack, &event, 3000);
    make_deliver(&bench);
    printf("a packet with %d deliveries:\n", BATCH);
    report("  codec_encode", encode, &bench, 200);
    report("  codec_decode", decode, &bench, 200);
    bench_filters(100);
    bench_filters(10000);
    bench_filters(100000);
    bench_block(&event);
    return 0;
}
