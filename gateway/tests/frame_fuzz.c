/* Any bytes as frames of a client (a line break begins the next frame), against a coordinator that takes and answers everything. What goes
 * out has to be whole frames of checked JSON, and when the client is gone nothing may be left of it. */
#include <stdlib.h>
#include <string.h>

#include "gateway/core/gate.h"
#include "gateway/core/jscan.h"
#include "proto/event.h"
#include "sdk/base/must.h"

enum { SUBSCRIPTIONS = 64 };

struct coordinator {
    uint8_t room[2 * EVENT_BYTES_MAX];
    uint64_t numbers, answered;
    uint64_t open[SUBSCRIPTIONS], new[SUBSCRIPTIONS];
    size_t open_count, new_count;
    uint64_t ending[SUBSCRIPTIONS];
    size_t ending_count;
};

static enum link_result on_publish(void *self, struct span tenant, size_t size, size_t data_size, uint8_t **out_bytes,
                                   uint64_t *out_number)
{
    struct coordinator *c = self;
    (void)tenant;
    (void)data_size;
    must(size <= sizeof c->room);
    *out_bytes = c->room;
    *out_number = ++c->numbers;
    return LINK_OK;
}

static enum link_result on_subscribe(void *self, const struct link_subscription *subscription)
{
    struct coordinator *c = self;
    if (c->open_count == SUBSCRIPTIONS) return LINK_FULL;
    c->open[c->open_count++] = subscription->id;
    c->new[c->new_count++] = subscription->id;
    return LINK_OK;
}

static void on_unsubscribe(void *self, uint64_t id)
{
    struct coordinator *c = self;
    size_t i = 0;
    while (i < c->open_count && c->open[i] != id)
        i++;
    must(i < c->open_count);
    c->open[i] = c->open[--c->open_count];
    c->ending[c->ending_count++] = id;
}

static void on_grant(void *self, uint64_t id, uint64_t count)
{
    (void)self;
    (void)id;
    must(count > 0);
}

static void on_consumed(void *self, struct span tenant, uint64_t count, uint64_t bytes)
{
    (void)self;
    (void)tenant;
    (void)bytes;
    must(count > 0);
}

static void on_cancel(void *self, struct span tenant, uint64_t seq)
{
    (void)self;
    (void)tenant;
    must(seq > 0);
}

static void tell_subscription(struct gate *gate, enum link_fact_kind kind, uint64_t id)
{
    struct link_fact fact = { .kind = kind };
    fact.subscription.id = id;
    fact.subscription.cursor = 7;
    gate_fact(gate, &fact);
}

static void answer(struct coordinator *c, struct gate *gate)
{
    gate_settle_uplink(gate);
    struct link_fact fact = { .kind = LINK_FACT_ACCEPTED,
                              .publish = { .first_number = c->answered + 1, .count = c->numbers - c->answered } };
    fact.publish.first_seq = c->answered + 10;
    c->answered = c->numbers;
    if (fact.publish.count > 0) gate_fact(gate, &fact);
    for (size_t i = 0; i < c->new_count; i++)
        tell_subscription(gate, LINK_FACT_SUBSCRIBED, c->new[i]);
    for (size_t i = 0; i < c->new_count; i++)
        tell_subscription(gate, LINK_FACT_CAUGHT_UP, c->new[i]);
    c->new_count = 0;
    gate_settle_uplink(gate);
    for (size_t i = 0; i < c->ending_count; i++)
        tell_subscription(gate, LINK_FACT_ENDED, c->ending[i]);
    c->ending_count = 0;
}

static void check_output(struct gate *gate, uint32_t conn)
{
    static uint8_t out[GATE_OUTPUT_BYTES + GATE_FRAME_OUT_MAX];
    size_t size;
    while ((size = gate_output(gate, conn, out)) > 0) {
        for (size_t i = 0; i < size;) {
            size_t payload = out[i + 1];
            size_t head = payload == 126 ? 4 : payload == 127 ? 10 : 2;
            must(out[i] == 0x81);
            if (head > 2) payload = 0;
            for (size_t k = 2; k < head; k++)
                payload = payload << 8 | out[i + k];
            must(i + head + payload <= size && jscan_check(span_of(out + i + head, payload)) == JSCAN_OK);
            i += head + payload;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct coordinator c;
    c = (struct coordinator){ 0 };
    const struct gate_config config = {
        .limits = { 4, 64, 64, 64, 16, 16, 1024 * 1024, 256 * 1024, 16 * 1024, 1000, 1000, 15000 },
        .dev = true,
        .server = "weir/fuzz",
        .uplink = { &c, on_publish, on_subscribe, on_unsubscribe, on_grant, on_consumed, on_cancel },
    };
    void *memory = calloc(1, gate_memory(&config));
    struct gate *gate = gate_init(memory, &config);
    gate_now(gate, 1, 1700000000000);
    gate_set_epoch(gate, span_text("00c0ffee00c0ffee"));
    uint32_t conn = gate_open(gate, NULL);
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end == NULL ? size : (size_t)(end - data);
        if (length <= config.limits.frame_bytes_max) gate_text(gate, conn, span_of(data, length));
        answer(&c, gate);
        check_output(gate, conn);
        size -= end == NULL ? size : length + 1;
        data += length + 1;
    }
    gate_closed(gate, conn);
    answer(&c, gate);
    const struct gate_stats *stats = gate_stats(gate);
    must(stats->subscriptions == 0 && stats->topics == 0 && stats->operations == 0 && stats->pool_bytes == 0 && c.open_count == 0);
    free(memory);
    return 0;
}
