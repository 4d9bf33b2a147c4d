#include "gateway/tests/gate_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char epoch[] = "00c0ffee00c0ffee";

static void copy(char *to, size_t room, struct span from)
{
    assert_true(from.size < room);
    if (from.size > 0) memcpy(to, from.data, from.size);
    to[from.size] = 0;
}

static enum link_result on_publish(void *self, struct span tenant, size_t size, size_t data_size, uint8_t **out_bytes, uint64_t *out_number)
{
    (void)data_size;
    struct fixture *f = self;
    (void)tenant;
    if (f->publish_result != LINK_OK) return f->publish_result;
    assert_true(size <= sizeof f->event);
    f->event_size = size;
    *out_bytes = f->event;
    *out_number = ++f->numbers;
    return LINK_OK;
}

static enum link_result on_subscribe(void *self, const struct link_subscription *s)
{
    struct fixture *f = self;
    size_t i = f->subscribed_count++;
    assert_true(i < CALLS_MAX);
    f->subscribed[i].id = s->id;
    f->subscribed[i].start = s->start;
    f->subscribed[i].start_at = s->start_at;
    f->subscribed[i].credit = s->credit_events;
    f->subscribed[i].limit = s->limit;
    copy(f->subscribed[i].tenant, sizeof f->subscribed[i].tenant, s->tenant);
    copy(f->subscribed[i].filter, sizeof f->subscribed[i].filter, s->filter);
    return LINK_OK;
}

static void on_unsubscribe(void *self, uint64_t id)
{
    struct fixture *f = self;
    f->unsubscribed[f->unsubscribed_count++] = id;
}

static void on_grant(void *self, uint64_t id, uint64_t count)
{
    (void)id;
    ((struct fixture *)self)->granted += count;
}

static void on_consumed(void *self, struct span tenant, uint64_t count, uint64_t bytes)
{
    (void)tenant;
    (void)bytes;
    ((struct fixture *)self)->consumed += count;
}

static void on_cancel(void *self, struct span tenant, uint64_t seq)
{
    struct fixture *f = self;
    (void)tenant;
    f->cancelled[f->cancelled_count++] = seq;
}

struct gate_config fixture_config(void)
{
    return (struct gate_config){
        .limits = { .connections_max = 64,
                    .subscriptions_max = 256,
                    .topics_max = 128,
                    .operations_max = 256,
                    .own_subscriptions_max = 8,
                    .own_operations_max = 16,
                    .pool_bytes = 8 * 1024 * 1024,
                    .queue_bytes = 256 * 1024,
                    .frame_bytes_max = 128 * 1024,
                    .auth_ms = 1000,
                    .answer_ms = 5000,
                    .lease_ms = 15000 },
        .dev = true,
        .server = "weir/test",
        .secret = { 1, 2 },
    };
}

void fixture_open(struct fixture *f, const struct gate_config *config)
{
    struct gate_config c = *config;
    memset(f, 0, sizeof *f);
    c.uplink = (struct gate_uplink){ f, on_publish, on_subscribe, on_unsubscribe, on_grant, on_consumed, on_cancel };
    f->memory = calloc(1, gate_memory(&c));
    f->gate = gate_init(f->memory, &c);
    gate_now(f->gate, 1000, 1700000000000);
    gate_set_epoch(f->gate, span_text(epoch));
    connected(f);
}

void connected(struct fixture *f)
{
    const struct link_fact up = { .kind = LINK_FACT_STATE, .state = { .state = LINK_UP } };
    gate_fact(f->gate, &up);
}

void fixture_close(struct fixture *f)
{
    free(f->memory);
}

void say(struct fixture *f, uint32_t conn, const char *text)
{
    gate_text(f->gate, conn, span_text(text));
    gate_settle_uplink(f->gate);
}

/* Unframes what a server sends: text frames, unmasked. */
static size_t unframe(const uint8_t *at, size_t size, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        assert_int_equal(at[i], 0x81);
        size_t payload = at[i + 1];
        size_t head = 2;
        if (payload >= 126) {
            size_t bytes = payload == 126 ? 2 : 8;
            payload = 0;
            for (size_t k = 0; k < bytes; k++)
                payload = payload << 8 | at[i + 2 + k];
            head = 2 + bytes;
        }
        assert_true(i + head + payload <= size);
        memcpy(out + used, at + i + head, payload);
        used += payload;
        out[used++] = '\n';
        i += head + payload;
    }
    return used;
}

const char *hear(struct fixture *f, uint32_t conn)
{
    size_t used = 0;
    size_t size;
    while ((size = gate_output(f->gate, conn, f->output)) > 0) {
        assert_true(used + size < TEXT_MAX);
        used += unframe(f->output, size, f->text + used);
    }
    f->text[used] = 0;
    gate_settle_uplink(f->gate);
    return f->text;
}

size_t swallow(struct fixture *f, uint32_t conn)
{
    size_t sum = 0;
    size_t size;
    while ((size = gate_output(f->gate, conn, f->output)) > 0)
        sum += size;
    gate_settle_uplink(f->gate);
    return sum;
}

uint32_t client(struct fixture *f)
{
    uint32_t conn = gate_open(f->gate, NULL);
    assert_true(conn != 0);
    assert_non_null(strstr(hear(f, conn), "\"type\":\"hello\""));
    return conn;
}

static void tell(struct fixture *f, struct link_fact *fact)
{
    gate_fact(f->gate, fact);
    gate_settle_uplink(f->gate);
}

void subscribed(struct fixture *f, uint64_t id, uint64_t cursor, bool gap)
{
    struct link_fact fact = { .kind = LINK_FACT_SUBSCRIBED, .subscription = { .id = id, .cursor = cursor, .gap = gap } };
    tell(f, &fact);
}

void caught_up(struct fixture *f, uint64_t id, uint64_t cursor)
{
    struct link_fact fact = { .kind = LINK_FACT_CAUGHT_UP, .subscription = { .id = id, .cursor = cursor } };
    tell(f, &fact);
}

void ended(struct fixture *f, uint64_t id, uint32_t code)
{
    ended_at(f, id, code, 0);
}

void ended_at(struct fixture *f, uint64_t id, uint32_t code, uint64_t cursor)
{
    struct link_fact fact = { .kind = LINK_FACT_ENDED, .subscription = { .id = id, .code = code, .cursor = cursor } };
    tell(f, &fact);
}

static size_t encode(const struct event *event, uint8_t *out)
{
    return event_encode(event, NULL, 0, out);
}

void events(struct fixture *f, uint64_t id, uint64_t first, size_t count, const char *data)
{
    static uint8_t bodies[4 * 1024 * 1024];
    static uint64_t seq[2048];
    static uint64_t time_ms[2048];
    static uint32_t size[2048];
    size_t used = 0;
    assert_true(count <= 2048);
    for (size_t i = 0; i < count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)(first + i));
        const struct event event = { .topic = span_text("docs.x"),
                                     .data = span_text(data != NULL ? data : number),
                                     .content_type = span_text("application/json") };
        assert_true(used + event_encoded_size(&event, NULL, 0) <= sizeof bodies);
        size[i] = (uint32_t)encode(&event, bodies + used);
        used += size[i];
        seq[i] = first + i;
        time_ms[i] = 1700000000000;
    }
    struct link_fact fact = { .kind = LINK_FACT_EVENTS };
    fact.events.id = id;
    fact.events.seq = seq;
    fact.events.time_ms = time_ms;
    fact.events.size = size;
    fact.events.count = count;
    const uint64_t again[1] = { f->again };
    if (f->again != 0 && count == 1) fact.events.first = again;
    f->again = 0;
    fact.events.body = span_of(bodies, used);
    tell(f, &fact);
}

void answered(struct fixture *f, uint64_t id, uint64_t cause, uint32_t reply, uint32_t code, const char *data)
{
    uint8_t bytes[1024];
    uint64_t seq = cause + 100;
    uint64_t time_ms = 1700000000000;
    const struct event event = { .topic = span_text("$inbox.x"), .data = span_text(data), .reply = reply, .code = code };
    uint32_t size = (uint32_t)encode(&event, bytes);
    struct link_fact fact = { .kind = LINK_FACT_EVENTS };
    fact.events.id = id;
    fact.events.seq = &seq;
    fact.events.time_ms = &time_ms;
    fact.events.cause = &cause;
    fact.events.size = &size;
    fact.events.count = 1;
    fact.events.body = span_of(bytes, size);
    tell(f, &fact);
}

void partial(struct fixture *f, uint64_t cause, uint32_t attempt, uint32_t index, const char *data)
{
    struct link_fact fact = { .kind = LINK_FACT_PARTIAL };
    fact.partial.subscription = f->subscribed[0].id;
    fact.partial.cause = cause;
    fact.partial.attempt = attempt;
    fact.partial.index = index;
    fact.partial.group = f->partial_group;
    fact.partial.data = span_text(data);
    tell(f, &fact);
}

void accepted(struct fixture *f, uint64_t number, uint64_t seq)
{
    struct link_fact fact = { .kind = LINK_FACT_ACCEPTED, .publish = { .first_number = number, .count = 1, .first_seq = seq } };
    tell(f, &fact);
}

void refused(struct fixture *f, uint64_t number, uint32_t code)
{
    struct link_fact fact = { .kind = LINK_FACT_REFUSED, .publish = { .first_number = number, .count = 1, .code = code, .retry_ms = 7 } };
    tell(f, &fact);
}

uint64_t last_subscription(const struct fixture *f)
{
    return f->subscribed[f->subscribed_count - 1].id;
}

void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("no %s in %s", part, text);
}

size_t lines(const char *text)
{
    size_t count = 0;
    for (; *text != 0; text++)
        count += *text == '\n';
    return count;
}

const char *seqs(const char *text)
{
    static char out[4096];
    size_t used = 0;
    out[0] = 0;
    while ((text = strstr(text, "\"seq\":")) != NULL) {
        unsigned long long seq;
        text += 6;
        sscanf(text, "%llu", &seq);
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%llu", used > 0 ? " " : "", seq);
    }
    return out;
}

struct fixture it;

int open_default(void **state)
{
    (void)state;
    const struct gate_config config = fixture_config();
    fixture_open(&it, &config);
    return 0;
}

int close_it(void **state)
{
    (void)state;
    fixture_close(&it);
    return 0;
}
