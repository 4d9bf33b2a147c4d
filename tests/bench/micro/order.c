/* What an event costs in the coordinator's core, from its publish to its ack, by what its group asks for: the core alone, without codec,
 * log and sockets, so this is the upper bound of what ordering can cost. One publisher and one worker; a block is committed in the step
 * after it was submitted. Numbers to look at, never a test. */
#include <stdio.h>
#include <time.h>

#include "tests/support/lone_core.h"

enum { EVENTS = 1000000, KEYS = 10000, ROUNDS = 5 };

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double run(const struct group_options *options)
{
    static const struct span tenant = { (const uint8_t *)"dev", 3 }, filter = { (const uint8_t *)"docs.>", 6 };
    struct core_config config = { .secret = { 1, 2 }, .tenants = &tenant, .tenant_count = 1, .settle_at_once = true };
    struct lone_core l = { 0 };
    lone_core_open(&l, &config, LONE_CREDIT_MAX);
    lone_core_greet_worker(&l, &(struct group_spec){ .name = span_text("g"), .filters = &filter, .filter_count = 1, .options = *options });
    lone_core_greet_publisher(&l);
    uint64_t begin = now_ns();
    while (l.acked < EVENTS) {
        if (l.published < l.acked + 4 * LONE_CREDIT_MAX && core_wants_packets(l.core)) lone_core_publish(&l, KEYS);
        lone_core_ack(&l);
    }
    double each = (double)(now_ns() - begin) / EVENTS;
    lone_core_close(&l);
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
        { "limit_each, by a word of the topic", { .limit_each = LONE_CREDIT_MAX, .limit_by = span_text("word:2") } },
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
