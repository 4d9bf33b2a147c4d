/* An ordered group that goes through a backlog reads it a few times over at most, however few blocks are kept in memory: what it parks is
 * never so far behind its reader that its block has to be fetched anew for each event. */
#include "tests/support/block_copy.h"
#include "tests/support/check.h"
#include "tests/support/lone_core.h"

enum { EVENTS = 40960, KEYS = 1000, CREDIT = 256, BLOCKS_CACHED = 8, BLOCKS_MAX = 8192, FETCHED_MAX = 32 };

static struct block *blocks[BLOCKS_MAX];
static uint32_t block_count, fetches;
static struct core_fetched answers[FETCHED_MAX]; /* for the next step */
static size_t answer_count;

static void fetch(const struct core_out *out)
{
    struct core_fetched *answer = &answers[answer_count++];
    *answer = (struct core_fetched){ .position = out->position, .block = out->block, .result = CORE_FETCH_NOTHING };
    for (uint32_t i = 0; i < block_count && answer->result == CORE_FETCH_NOTHING; i++) {
        if (block_last_position(blocks[i]) < out->position) continue;
        block_copy_into(out->block, blocks[i]);
        answer->result = CORE_FETCHED;
    }
    fetches++;
}

static void play_log(struct lone_core *l, const struct core_out *out)
{
    (void)l;
    if (out->kind == CORE_SUBMIT) blocks[block_count++] = block_copy(out->block);
    if (out->kind == CORE_FETCH) fetch(out);
}

/* What the step before asked for is there in this one. */
static void ack(struct lone_core *l)
{
    struct core_fetched now[FETCHED_MAX];
    memcpy(now, answers, sizeof now);
    l->in.fetched = now;
    l->in.fetched_count = answer_count;
    answer_count = 0;
    lone_core_ack(l);
    l->in.fetched_count = 0;
}

static void publish_all(struct lone_core *l)
{
    while (l->published < EVENTS)
        if (core_wants_packets(l->core))
            lone_core_publish(l, KEYS);
        else
            lone_core_rest(l);
    lone_core_rest(l);
}

static void a_backlog_is_read_a_few_times_over_at_most(void **state)
{
    (void)state;
    static const struct span tenant = { (const uint8_t *)"dev", 3 }, filter = { (const uint8_t *)"docs.>", 6 };
    static struct lone_core l = { .out = play_log };
    struct core_config config = { .limits = { .blocks_cached = BLOCKS_CACHED }, .secret = { 1, 2 }, .tenants = &tenant, .tenant_count = 1 };
    struct group_spec group = { .name = span_text("g"), .filters = &filter, .filter_count = 1, .options = { .ordering = ORDERING_KEY } };
    config.settle_at_once = true;
    group.start = START_FIRST;
    lone_core_open(&l, &config, CREDIT);
    lone_core_greet_publisher(&l);
    publish_all(&l);
    uint32_t backlog = block_count;
    lone_core_greet_worker(&l, &group);
    for (uint32_t steps = 0; l.acked < EVENTS && block_count < BLOCKS_MAX - 2 && steps < 100000; steps++)
        ack(&l);
    printf("%u events acked, %u blocks, %u fetches\n", (unsigned)l.acked, backlog, fetches);
    assert_int_equal(l.acked, EVENTS);
    assert_true(fetches < 8 * backlog);
    for (uint32_t i = 0; i < block_count; i++)
        block_drop(blocks[i]);
    lone_core_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_backlog_is_read_a_few_times_over_at_most) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
