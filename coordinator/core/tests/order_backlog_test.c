/* An ordered group that goes through a backlog reads it a few times over at most, however few blocks are kept in memory: what it parks is
 * never so far behind its reader that its block has to be fetched anew for each event. The core alone; this program is its log and its
 * peers. */
#include <sys/mman.h>

#include "coordinator/core/core.h"
#include "proto/event.h"
#include "tests/support/block_copy.h"
#include "tests/support/check.h"

enum {
    EVENTS = 40960,
    BATCH = 256,
    DATA = 200,
    KEYS = 1000,
    CREDIT = 256,
    BLOCKS_CACHED = 8,
    BLOCKS_MAX = 8192,
    FETCHED_MAX = 32,
    WORKER = 1,
    PUBLISHER = 2
};

struct table {
    struct core *core;
    struct core_in in;
    struct block *blocks[BLOCKS_MAX];
    struct core_fetched fetched[2][FETCHED_MAX]; /* answered in this step; to be in the next one */
    size_t fetched_count;
    uint64_t submitted, published, acked, settles, credit, fetches, backlog_blocks, random;
    uint64_t leases[CREDIT];
    uint32_t held;
};

static void fetch(struct table *t, const struct core_out *out)
{
    struct core_fetched *answer = &t->fetched[1][t->fetched_count++];
    *answer = (struct core_fetched){ .position = out->position, .block = out->block, .result = CORE_FETCH_NOTHING };
    for (uint64_t i = 0; i < t->submitted && answer->result == CORE_FETCH_NOTHING; i++) {
        if (block_last_position(t->blocks[i]) < out->position) continue;
        block_copy_into(out->block, t->blocks[i]);
        answer->result = CORE_FETCHED;
    }
    t->fetches++;
}

static void step(struct table *t, uint32_t connection, const struct packet *packet)
{
    struct core_packet one = { .connection = connection, .grant = { .roles = ~0u, .any_tenant = true }, .packet = packet };
    struct core_outs outs;
    t->in.now_ns += 1000;
    t->in.packets = &one;
    t->in.packet_count = packet != NULL;
    t->in.committed = t->submitted;
    memcpy(t->fetched[0], t->fetched[1], sizeof t->fetched[0]);
    t->in.fetched = t->fetched[0];
    t->in.fetched_count = t->fetched_count;
    t->fetched_count = 0;
    core_step(t->core, &t->in, &outs);
    for (size_t i = 0; i < outs.count; i++) {
        const struct core_out *out = &outs.items[i];
        if (out->kind == CORE_SUBMIT) t->blocks[t->submitted++] = block_copy(out->block);
        if (out->kind == CORE_FETCH) fetch(t, out);
        const struct msg_deliver *deliver = out->kind == CORE_SEND ? out->packet->deliver : NULL;
        for (size_t k = 0; deliver != NULL && k < deliver->count; k++)
            t->leases[t->held++] = deliver->lease[k];
    }
}

static void hello(struct table *t, uint32_t connection, const struct group_spec *group)
{
    uint8_t id[16] = { (uint8_t)connection };
    struct msg_hello m = { .protocol = 1,
                           .role = group ? ROLE_WORKER : ROLE_CLIENT,
                           .instance = span_of(id, 16),
                           .publisher = span_of(id, 16),
                           .first_unanswered = 1 };
    m.has_group = group != NULL;
    if (group != NULL) m.group = *group;
    step(t, connection, &(struct packet){ .hello = &m });
    step(t, 0, NULL);
}

static void publish(struct table *t)
{
    static uint8_t body[BATCH * (DATA + 64)], data[DATA];
    uint32_t sizes[BATCH];
    size_t used = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        char key[16];
        t->random = t->random * 6364136223846793005u + 1442695040888963407u;
        int size = snprintf(key, sizeof key, "key-%u", (unsigned)((t->random >> 33) % KEYS));
        struct event event = { .topic = span_text("docs.a"), .key = span_of(key, (size_t)size), .data = span_of(data, DATA) };
        sizes[i] = (uint32_t)event_encode(&event, NULL, 0, body + used);
        used += sizes[i];
    }
    struct msg_publish m = { .first_number = t->published + 1, .size = sizes, .count = BATCH };
    t->published += BATCH;
    step(t, PUBLISHER, &(struct packet){ .publishes = &m, .publish_count = 1, .body = span_of(body, used) });
}

static void ack(struct table *t)
{
    uint32_t verbs[CREDIT];
    for (uint32_t i = 0; i < t->held; i++)
        verbs[i] = VERB_ACK;
    t->credit += t->held;
    struct msg_settle settle = { .first_number = t->settles + 1, .lease = t->leases, .verb = verbs, .count = t->held };
    struct msg_credit credit = { .kind = CREDIT_DELIVER, .events = t->credit, .bytes = UINT64_C(1) << 40 };
    struct packet packet = { .credits = &credit, .credit_count = 1, .settle = t->held > 0 ? &settle : NULL };
    t->settles += t->held;
    t->acked += t->held;
    t->held = 0;
    step(t, WORKER, &packet);
}

static void a_backlog_is_read_a_few_times_over_at_most(void **state)
{
    (void)state;
    static const struct span tenant = { (const uint8_t *)"dev", 3 }, filter = { (const uint8_t *)"docs.>", 6 };
    static struct table t = { .in = { .now_ns = 1, .log_time_ms = 1 }, .credit = CREDIT };
    struct core_config config = { .limits = { .blocks_cached = BLOCKS_CACHED }, .secret = { 1, 2 }, .tenants = &tenant, .tenant_count = 1 };
    struct group_spec group = { .name = span_text("g"), .filters = &filter, .filter_count = 1, .options = { .ordering = ORDERING_KEY } };
    config.settle_at_once = true;
    group.start = START_FIRST;
    size_t size = core_memory(&config);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    t.core = core_init(memory, &config);
    core_start(t.core, 1, 1, "0123456789abcdef", 1, 1, 1, 0);
    hello(&t, PUBLISHER, NULL);
    while (t.published < EVENTS)
        if (core_wants_packets(t.core))
            publish(&t);
        else
            step(&t, 0, NULL);
    step(&t, 0, NULL);
    t.backlog_blocks = t.submitted;
    hello(&t, WORKER, &group);
    for (uint32_t steps = 0; t.acked < EVENTS && t.submitted < BLOCKS_MAX - 2 && steps < 100000; steps++)
        ack(&t);
    printf("%u events acked, %u blocks %u fetches\n", (unsigned)t.acked, (unsigned)t.backlog_blocks, (unsigned)t.fetches);
    assert_int_equal(t.acked, EVENTS);
    assert_true(t.fetches < 8 * t.backlog_blocks);
    for (uint64_t i = 0; i < t.submitted; i++)
        block_drop(t.blocks[i]);
    munmap(memory, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_backlog_is_read_a_few_times_over_at_most) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
