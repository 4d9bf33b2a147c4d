/* A link under test. */
#include "sdk/tests/link_harness.h"

#include <stdio.h>
#include <stdlib.h>

static void say(struct harness *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct harness *h, const char *format, ...)
{
    size_t used = strlen(h->told);
    assert_true(used + 256 < sizeof h->told);
    va_list arguments;
    if (used != 0) h->told[used++] = ' ';
    va_start(arguments, format);
    (void)vsnprintf(h->told + used, sizeof h->told - used, format, arguments);
    va_end(arguments);
}

static void write_publish(struct harness *h, const char *word, const struct link_fact *f)
{
    say(h, "%s %llu+%llu", word, (unsigned long long)f->publish.first_number, (unsigned long long)f->publish.count);
    if (f->kind == LINK_FACT_ACCEPTED)
        say(h, "seq=%llu%s", (unsigned long long)f->publish.first_seq, f->publish.duplicate ? " duplicate" : "");
    else
        say(h, "%s", error_code_word(f->publish.code));
}

static void write_deliveries(struct harness *h, const struct link_fact *f)
{
    for (size_t i = 0; i < f->deliveries.columns->count; i++) {
        h->handles[h->handle_count++] = f->deliveries.handles[i];
        say(h, "delivery %llu/%u", (unsigned long long)f->deliveries.columns->seq[i], f->deliveries.columns->attempt[i]);
        if (f->deliveries.whole.size != 0) say(h, "whole=%zu", f->deliveries.whole.size);
    }
}

static void write_subscription(struct harness *h, const char *word, const struct link_fact *f)
{
    say(h, "%s %llu cursor=%llu%s%s%s", word, (unsigned long long)f->subscription.id, (unsigned long long)f->subscription.cursor,
        f->subscription.gap ? " gap" : "", f->subscription.resumed ? " resumed" : "", f->subscription.more ? " more" : "");
    if (f->kind == LINK_FACT_ENDED) say(h, "%s", error_code_word(f->subscription.code));
}

static void write_lease(struct harness *h, const char *word, const struct link_fact *f)
{
    say(h, "%s #%u %s", word, f->lease.handle, error_code_word(f->lease.code));
}

static void write_events(struct harness *h, const struct link_fact *f)
{
    const char *body = (const char *)f->events.body.data;
    for (size_t i = 0; i < f->events.count; body += f->events.size[i], i++)
        if (f->events.size[i] > 100)
            say(h, "event %llu:%llu of %u", (unsigned long long)f->events.id, (unsigned long long)f->events.seq[i], f->events.size[i]);
        else
            say(h, "event %llu:%llu=%.*s", (unsigned long long)f->events.id, (unsigned long long)f->events.seq[i], (int)f->events.size[i],
            body);
}

static void on_fact(void *arg, const struct link_fact *f)
{
    static const char *const states[] = { "waiting", "connecting", "greeting", "up", "stopped" };
    struct harness *h = arg;
    switch (f->kind) {
    case LINK_FACT_STATE:
        say(h, f->state.code != CODE_OK ? "%s(%s)" : "%s", states[f->state.state], error_code_word(f->state.code));
        break;
    case LINK_FACT_ACCEPTED:
        write_publish(h, "accepted", f);
        break;
    case LINK_FACT_REFUSED:
        write_publish(h, "refused", f);
        break;
    case LINK_FACT_UNKNOWN:
        write_publish(h, "unknown", f);
        break;
    case LINK_FACT_CREDIT:
        say(h, "credit %.*s", (int)f->tenant.size, (const char *)f->tenant.data);
        break;
    case LINK_FACT_DELIVERIES:
        write_deliveries(h, f);
        break;
    case LINK_FACT_SETTLED:
        write_lease(h, "settled", f);
        break;
    case LINK_FACT_REVOKED:
        write_lease(h, "revoked", f);
        break;
    case LINK_FACT_CANCELLED:
        write_lease(h, "cancelled", f);
        break;
    case LINK_FACT_SUBSCRIBED:
        write_subscription(h, "subscribed", f);
        break;
    case LINK_FACT_EVENTS:
        write_events(h, f);
        break;
    case LINK_FACT_CAUGHT_UP:
        write_subscription(h, "caught_up", f);
        break;
    case LINK_FACT_ENDED:
        write_subscription(h, "ended", f);
        break;
    case LINK_FACT_PARTIAL:
        say(h, "partial %llu/%u.%u", (unsigned long long)f->partial.cause, f->partial.attempt, f->partial.index);
        break;
    case LINK_FACT_ANSWER:
        say(h, "answer %llu", (unsigned long long)f->answer->id);
        break;
    case LINK_FACT_MANAGE_LOST:
        say(h, "manage lost %llu", (unsigned long long)f->manage);
        break;
    case LINK_FACT_DRAIN:
        say(h, "drain");
        break;
    case LINK_FACT_ERROR:
        say(h, "error %s", error_code_word(f->error->code));
        break;
    }
}

struct link_options harness_options(uint32_t role)
{
    static struct span filter;
    struct link_options o = { .role = role, .seed = 7, .instance = span_text("0123456789abcdef") };
    filter = span_text("a.>");
    if (role == ROLE_WORKER)
        o.group = (struct group_spec){ .name = span_text("g"), .filters = &filter, .filter_count = 1 };
    else
        o.publisher = span_text("fedcba9876543210");
    return o;
}

void harness_start(struct harness *h, const struct link_options *options)
{
    struct link_options o = *options;
    memset(h, 0, sizeof *h);
    o.on_fact = on_fact;
    o.arg = h;
    h->now_ns = 1000000000;
    h->memory = calloc(1, LINK_FLUSH_ARENA);
    arena_init(&h->arena, h->memory, LINK_FLUSH_ARENA);
    h->link = link_init(calloc(1, link_memory(&o)), &o, h->now_ns);
    assert_int_not_equal(link_connection(h->link), 0);
}

void harness_stop(struct harness *h)
{
    free(h->link);
    free(h->memory);
}

void harness_clear(struct harness *h)
{
    h->told[0] = '\0';
}

void harness_wait_ms(struct harness *h, uint64_t ms)
{
    h->now_ns += ms * 1000000;
    link_tick(h->link, h->now_ns);
}

struct packet *harness_flush(struct harness *h)
{
    struct packet *packet = NULL;
    arena_reset(&h->arena);
    return link_flush(h->link, h->now_ns, &h->arena, &packet) ? packet : NULL;
}

struct packet *harness_flush_late(struct harness *h)
{
    struct packet *packet = harness_flush(h);
    if (packet != NULL) return packet;
    h->now_ns += 2000000;
    return harness_flush(h);
}

void harness_take(struct harness *h, struct packet packet)
{
    link_packet(h->link, h->now_ns, &packet);
}

void harness_welcome(struct harness *h, struct msg_welcome welcome)
{
    struct msg_credit credit = { .kind = CREDIT_PUBLISH, .events = 1000, .bytes = 16 << 20 };
    if (welcome.epoch.size == 0) welcome.epoch = span_text(EPOCH_E);
    harness_take(h, (struct packet){ .welcome = &welcome, .credits = &credit, .credit_count = 1 });
}

void harness_up(struct harness *h)
{
    struct packet *packet;
    link_connected(h->link, h->now_ns);
    packet = harness_flush(h);
    assert_non_null(packet);
    assert_non_null(packet->hello);
    assert_null(harness_flush(h)); /* nothing before the welcome */
    harness_welcome(h, (struct msg_welcome){ .protocol = 1, .publisher_known = 1 });
    assert_int_equal(link_state(h->link), LINK_UP);
}

void harness_lose(struct harness *h)
{
    link_lost(h->link, h->now_ns, CODE_OK, span_of(NULL, 0));
    assert_int_equal(link_connection(h->link), 0);
    h->now_ns = link_deadline_ns(h->link);
    link_tick(h->link, h->now_ns);
    assert_int_not_equal(link_connection(h->link), 0);
}

void harness_deliver_in_generation(struct harness *h, uint64_t lease, uint64_t seq, uint32_t attempt, uint64_t generation)
{
    uint64_t time = 5;
    uint32_t size = 3;
    struct msg_deliver deliver = { .lease = &lease, .seq = &seq, .time_ms = &time, .attempt = &attempt, .size = &size, .count = 1 };
    deliver.generation = generation;
    harness_take(h, (struct packet){ .deliver = &deliver, .body = span_text("abc") });
}

void harness_deliver(struct harness *h, uint64_t lease, uint64_t seq, uint32_t attempt)
{
    harness_deliver_in_generation(h, lease, seq, attempt, 0);
}

uint64_t harness_publish(struct harness *h, const char *tenant, const char *event)
{
    static const char *const words[] = { "ok", "full", "no_credit", "too_large", "stale", "unknown", "stopped" };
    uint8_t *bytes;
    uint64_t number = 0;
    enum link_result result = link_publish(h->link, span_text(tenant), strlen(event), strlen(event), &bytes, &number);
    if (result != LINK_OK) {
        say(h, "publish:%s", words[result]);
        return 0;
    }
    memcpy(bytes, event, strlen(event));
    return number;
}

void harness_settle(struct harness *h, size_t handle, uint32_t verb)
{
    struct link_settle settle = { .verb = verb };
    assert_int_equal(link_settle(h->link, h->handles[handle], &settle), LINK_OK);
}

void harness_settled(struct harness *h, uint64_t first, uint32_t count, uint32_t code)
{
    struct msg_settled settled = { .first_number = first, .count = count, .code = code };
    harness_take(h, (struct packet){ .settled = &settled, .settled_count = 1 });
}
