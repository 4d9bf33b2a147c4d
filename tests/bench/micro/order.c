/* What an event costs in the coordinator's core, from its publish to its ack, by what its group asks for: the core alone, without codec,
 * log and sockets, so this is the upper bound of what ordering can cost. One publisher and one worker; a block is committed in the step
 * after it was submitted. Numbers to look at, never a test. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "coordinator/core/core.h"
#include "proto/event.h"

enum { EVENTS = 1000000, BATCH = 256, DATA = 200, KEYS = 10000, CREDIT = 1024, ROUNDS = 5, WORKER = 1, PUBLISHER = 2 };

struct bench {
    struct core *core;
    struct core_in in;
    uint64_t submitted, published, acked, settles, credit;
    uint64_t leases[CREDIT * 2];
    uint32_t held;
    uint64_t random;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void step(struct bench *b, uint32_t connection, const struct packet *packet)
{
    struct core_packet one = { .connection = connection, .grant = { .roles = ~0u, .any_tenant = true }, .packet = packet };
    struct core_outs outs;
    b->in.now_ns += 1000;
    b->in.packets = &one;
    b->in.packet_count = packet ? 1 : 0;
    b->in.committed = b->submitted;
    core_step(b->core, &b->in, &outs);
    for (size_t i = 0; i < outs.count; i++) {
        const struct core_out *out = &outs.items[i];
        if (out->kind == CORE_SUBMIT) b->submitted = out->block->number;
        const struct msg_deliver *deliver = out->kind == CORE_SEND ? out->packet->deliver : NULL;
        for (size_t k = 0; deliver && k < deliver->count; k++)
            b->leases[b->held++] = deliver->lease[k];
    }
}

static void hello(struct bench *b, uint32_t connection, const struct group_options *options)
{
    static const struct span filter = { (const uint8_t *)"docs.>", 6 };
    uint8_t id[16] = { (uint8_t)connection };
    struct msg_hello m = { .protocol = 1,
                           .role = options ? ROLE_WORKER : ROLE_CLIENT,
                           .instance = span_of(id, 16),
                           .publisher = span_of(id, 16),
                           .first_unanswered = 1,
                           .has_group = options != NULL };
    if (options) m.group = (struct group_spec){ .name = span_text("g"), .filters = &filter, .filter_count = 1, .options = *options };
    step(b, connection, &(struct packet){ .hello = &m });
    step(b, 0, NULL);
}

static void publish(struct bench *b)
{
    static uint8_t body[BATCH * (DATA + 64)], data[DATA];
    uint32_t sizes[BATCH];
    size_t used = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        char key[16];
        b->random = b->random * 6364136223846793005u + 1442695040888963407u;
        int size = snprintf(key, sizeof key, "key-%u", (unsigned)((b->random >> 33) % KEYS));
        struct event event = { .topic = span_text("docs.a"), .key = span_of(key, (size_t)size), .data = span_of(data, DATA) };
        sizes[i] = (uint32_t)event_encode(&event, NULL, 0, body + used);
        used += sizes[i];
    }
    struct msg_publish m = { .first_number = b->published + 1, .size = sizes, .count = BATCH };
    b->published += BATCH;
    step(b, PUBLISHER, &(struct packet){ .publishes = &m, .publish_count = 1, .body = span_of(body, used) });
}

static void ack(struct bench *b)
{
    static uint32_t verbs[CREDIT * 2];
    for (uint32_t i = 0; i < b->held; i++)
        verbs[i] = VERB_ACK;
    b->credit += b->held;
    struct msg_settle settle = { .first_number = b->settles + 1, .lease = b->leases, .verb = verbs, .count = b->held };
    struct msg_credit credit = { .kind = CREDIT_DELIVER, .events = b->credit, .bytes = 1ull << 40 };
    struct packet packet = { .credits = &credit, .credit_count = 1, .settle = b->held ? &settle : NULL };
    b->settles += b->held;
    b->acked += b->held;
    b->held = 0;
    step(b, WORKER, &packet);
}

static double run(const struct group_options *options)
{
    static const struct span tenant = { (const uint8_t *)"dev", 3 };
    struct core_config config = { .secret = { 1, 2 }, .tenants = &tenant, .tenant_count = 1, .settle_at_once = true };
    size_t size = core_memory(&config);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) abort();
    struct bench b = { .core = core_init(memory, &config), .in = { .now_ns = 1, .log_time_ms = 1 }, .credit = CREDIT };
    core_start(b.core, 1, 1, "0123456789abcdef", 1, 1, 1, 0);
    hello(&b, WORKER, options);
    hello(&b, PUBLISHER, NULL);
    ack(&b);
    uint64_t begin = now_ns();
    while (b.acked < EVENTS) {
        if (b.published < b.acked + 4 * CREDIT && core_wants_packets(b.core)) publish(&b);
        ack(&b);
    }
    double each = (double)(now_ns() - begin) / EVENTS;
    munmap(memory, size);
    return each;
}

int main(void)
{
    const struct {
        const char *name;
        struct group_options options;
    } cases[] = {
        { "no order", { 0 } },
        { "ordering = key, 10,000 keys", { .ordering = ORDERING_KEY } },
        { "limit_each, by a word of the topic", { .limit_each = CREDIT, .limit_by = span_text("word:2") } },
        { "affinity = session, none in the events", { .affinity = AFFINITY_SESSION } },
    };
    double best[sizeof cases / sizeof cases[0]];
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            double each = run(&cases[i].options);
            if (round == 0 || each < best[i]) best[i] = each;
        }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        printf("%-44s %7.1f ns an event, %3.0f %%\n", cases[i].name, best[i], 100 * best[0] / best[i]);
    return 0;
}
