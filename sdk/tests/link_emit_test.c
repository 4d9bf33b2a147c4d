/* Emits over 64 KiB through a link: their data in parts, then the settle. */
#include "proto/parts.h"
#include "sdk/tests/link_harness.h"

enum { LARGE = 20 * PART_BYTES + 7, PARTS = 21, LEASE = 100 };

static const struct msg_welcome welcome = {
    .protocol = 1, .publisher_known = 1, .large_events = 2, .max_event_bytes = 8 << 20, .epoch = { (const uint8_t *)EPOCH_E, 16 }
};

static void greet(struct harness *h, struct msg_welcome m)
{
    struct msg_credit credit = { .kind = CREDIT_PUBLISH, .events = 1000, .bytes = 16 << 20 };
    link_connected(h->link, h->now_ns);
    assert_non_null(harness_flush(h));
    harness_take(h, (struct packet){ .welcome = &m, .credits = &credit, .credit_count = 1 });
    harness_clear(h);
}

/* With `count` deliveries at work, under leases 100, 101, … */
static void start(struct harness *h, uint64_t count)
{
    struct link_options o = harness_options(ROLE_WORKER);
    o.deliveries_credit = 8;
    harness_start(h, &o);
    greet(h, welcome);
    for (uint64_t i = 0; i < count; i++) {
        harness_deliver(h, LEASE + i, 7 + i, 1);
        assert_int_equal(link_start(h->link, h->handles[i]), LINK_OK);
    }
    harness_clear(h);
}

static size_t write_event(uint8_t *out, const char *topic, size_t data_size)
{
    static uint8_t data[LARGE];
    struct event event = { .topic = span_text(topic), .data = span_of(data, data_size), .traceparent = span_text("tp") };
    for (size_t i = 0; i < data_size; i++)
        data[i] = (uint8_t)(i / PART_BYTES);
    return event_encode(&event, NULL, 0, out);
}

/* An ack with emits a.small, a.large, …: `large` of these, lent for the test. */
static struct link_settle ack(uint32_t large)
{
    static uint8_t bytes[3 * (LARGE + 200)];
    static uint32_t sizes[8];
    struct link_settle settle = { .verb = VERB_ACK, .emits = { bytes, 0 }, .emit_sizes = sizes };
    for (uint32_t i = 0; i <= large; i++) {
        sizes[i] = (uint32_t)write_event(bytes + settle.emits.size, i == 0 ? "a.small" : "a.large", i == 0 ? 10 : LARGE);
        settle.emits.size += sizes[i];
    }
    settle.emit_count = large + 1;
    return settle;
}

/* Parts that go until nothing goes for want of credit, which comes back at once; all of `lease`, from `*next` on. */
static struct packet *parts_go(struct harness *h, uint64_t lease, uint32_t *next)
{
    uint64_t sent = 0, credit = 16 << 20;
    for (;;) {
        struct packet *packet = harness_flush_late(h);
        if (packet == NULL) {
            struct msg_credit more = { .kind = CREDIT_PUBLISH, .events = 1000, .bytes = credit += sent };
            if (sent == 0) return NULL;
            sent = 0;
            harness_take(h, (struct packet){ .credits = &more, .credit_count = 1 });
            continue;
        }
        if (packet->settle != NULL) return packet;
        for (size_t i = 0; i < packet->part_count; i++) {
            assert_int_equal(packet->parts[i].lease, lease);
            assert_int_equal(packet->parts[i].number, 2);
            assert_int_equal(packet->parts[i].count, PARTS);
            assert_int_equal(packet->parts[i].index, (*next)++);
            sent += packet->parts[i].size;
        }
    }
}

/* [R-PART-10] */
static void the_parts_go_before_the_settle_and_other_settles_past_them(void **state)
{
    struct harness h;
    struct packet *packet;
    struct link_settle settle = ack(1);
    uint32_t next = 0;
    (void)state;
    start(&h, 2);
    assert_int_equal(link_settle(h.link, h.handles[0], &settle), LINK_OK);
    harness_settle(&h, 1, VERB_ACK);
    packet = harness_flush(&h);
    assert_int_equal(packet->settle->count, 1);
    assert_int_equal(packet->settle->lease[0], LEASE + 1);
    assert_true(packet->part_count > 0 && packet->parts[0].index == 0);
    next = (uint32_t)packet->part_count;
    packet = parts_go(&h, LEASE, &next);
    assert_non_null(packet);
    assert_int_equal(next, PARTS);
    assert_int_equal(packet->settle->first_number, 2);
    assert_int_equal(packet->settle->emit_count, 2);
    assert_int_equal(packet->settle->emit_parts[0], 0);
    assert_int_equal(packet->settle->emit_parts[1], PARTS);
    assert_true(packet->settle->emit_size[1] < 100);
    harness_clear(&h);
    harness_settled(&h, 1, 2, CODE_OK);
    assert_string_equal(h.told, "settled #2 ok settled #1 ok");
    assert_int_equal(link_unanswered_settles(h.link), 0);
    harness_stop(&h);
}

/* [R-PART-12] [R-ADOPT-3] */
static void after_a_lost_connection_all_of_it_goes_again_under_its_new_lease(void **state)
{
    struct harness h;
    struct packet *packet;
    struct link_settle settle = ack(1);
    struct msg_welcome kept = welcome;
    uint64_t seq = 7, lease = 500;
    uint32_t attempt = 1, next = 0;
    (void)state;
    kept.kept_seq = &seq;
    kept.kept_attempt = &attempt;
    kept.kept_lease = &lease;
    kept.kept_count = 1;
    start(&h, 1);
    assert_int_equal(link_settle(h.link, h.handles[0], &settle), LINK_OK);
    assert_true(harness_flush(&h)->part_count > 0);
    harness_lose(&h); /* while its parts are on their way */
    greet(&h, kept);
    packet = parts_go(&h, 500, &next);
    assert_int_equal(packet->settle->lease[0], 500);
    harness_lose(&h); /* its answer is lost */
    lease = 600;
    next = 0;
    greet(&h, kept);
    packet = parts_go(&h, 600, &next);
    assert_int_equal(next, PARTS);
    assert_int_equal(packet->settle->first_number, 1);
    harness_lose(&h); /* it was settled, or another has it */
    greet(&h, welcome);
    assert_string_equal(h.told, "");
    assert_int_equal(link_unanswered_settles(h.link), 0);
    harness_stop(&h);
}

static void what_was_never_settled_is_stale_when_its_lease_is_gone(void **state)
{
    struct harness h;
    struct link_settle settle = ack(1);
    struct msg_revoke revoke;
    uint64_t lease = LEASE + 1;
    uint32_t code = CODE_TIMEOUT, next = 0;
    (void)state;
    start(&h, 2);
    assert_int_equal(link_settle(h.link, h.handles[1], &settle), LINK_OK);
    assert_true(harness_flush(&h)->part_count > 0);
    revoke = (struct msg_revoke){ &lease, &code, 1 };
    harness_take(&h, (struct packet){ .revoke = &revoke }); /* no part of it goes any more */
    assert_string_equal(h.told, "settled #2 stale");
    assert_null(parts_go(&h, 0, &next));
    harness_clear(&h);
    assert_int_equal(link_settle(h.link, h.handles[0], &settle), LINK_OK);
    assert_true(harness_flush(&h)->part_count > 0);
    harness_lose(&h);
    link_connected(h.link, h.now_ns);
    assert_int_equal(harness_flush(&h)->hello->held_count, 1);
    harness_clear(&h);
    harness_welcome(&h, welcome);
    assert_true(strstr(h.told, "settled #1 stale") != NULL);
    harness_stop(&h);
}

/* [R-PART-12] */
static void a_refusal_fails_the_delivery_at_once(void **state)
{
    struct harness h;
    struct packet *packet;
    struct link_settle settle = ack(1);
    uint32_t next = 0;
    (void)state;
    start(&h, 1);
    assert_int_equal(link_settle(h.link, h.handles[0], &settle), LINK_OK);
    assert_non_null(parts_go(&h, LEASE, &next));
    harness_clear(&h);
    harness_settled(&h, 1, 1, CODE_OVERLOADED);
    assert_string_equal(h.told, "settled #1 overloaded");
    packet = harness_flush_late(&h);
    assert_int_equal(packet->settle->verb[0], VERB_NACK);
    assert_int_equal(packet->part_count, 0);
    harness_settled(&h, 2, 1, CODE_OK);
    assert_int_equal(link_unanswered_settles(h.link), 0);
    harness_stop(&h);
}

/* [R-PART-11] */
static void as_many_are_under_way_as_the_coordinator_takes(void **state)
{
    struct harness h;
    struct link_settle one = ack(1), two, three;
    (void)state;
    start(&h, 3);
    three = ack(3);
    assert_int_equal(link_settle(h.link, h.handles[0], &three), LINK_TOO_LARGE);
    two = ack(2);
    assert_int_equal(link_settle(h.link, h.handles[0], &one), LINK_OK);
    assert_int_equal(link_settle(h.link, h.handles[1], &two), LINK_FULL);
    assert_int_equal(link_settle(h.link, h.handles[1], &one), LINK_OK);
    assert_int_equal(link_settle(h.link, h.handles[2], &one), LINK_FULL);
    harness_stop(&h);
}

/* The coordinator tells credit in steps of a quarter of the window while nothing is open: what it has not told may be answered. */
static void a_first_part_goes_though_the_credit_for_the_last_emit_was_not_told(void **state)
{
    struct harness h;
    struct packet *packet;
    struct link_settle settle = ack(1);
    struct msg_revoke revoke;
    uint64_t lease = LEASE;
    uint32_t code = CODE_TIMEOUT;
    (void)state;
    start(&h, 2);
    assert_int_equal(link_settle(h.link, h.handles[0], &settle), LINK_OK);
    while (harness_flush(&h) != NULL) {
    }
    revoke = (struct msg_revoke){ &lease, &code, 1 };
    harness_take(&h, (struct packet){ .revoke = &revoke });
    assert_int_equal(link_settle(h.link, h.handles[1], &settle), LINK_OK);
    packet = harness_flush_late(&h);
    assert_int_equal(packet->part_count, 1);
    assert_int_equal(packet->parts[0].lease, LEASE + 1);
    harness_stop(&h);
}

static void its_lease_is_extended_while_its_parts_are_on_their_way(void **state)
{
    struct harness h;
    struct link_settle settle = ack(1);
    struct packet *packet = NULL;
    uint32_t next = 0;
    (void)state;
    start(&h, 1);
    assert_int_equal(link_settle(h.link, h.handles[0], &settle), LINK_OK);
    while ((packet = harness_flush(&h)) != NULL)
        next += (uint32_t)packet->part_count;
    assert_true(next > 0 && next < PARTS); /* it waits for credit */
    harness_wait_ms(&h, 8000);
    harness_take(&h, (struct packet){ .heartbeat = &(struct msg_heartbeat){ 0 } });
    harness_wait_ms(&h, 7100);
    for (packet = harness_flush(&h); packet != NULL && packet->extend == NULL;)
        packet = harness_flush(&h);
    assert_non_null(packet);
    assert_int_equal(packet->extend->lease[0], LEASE);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_go_before_the_settle_and_other_settles_past_them),
        cmocka_unit_test(after_a_lost_connection_all_of_it_goes_again_under_its_new_lease),
        cmocka_unit_test(what_was_never_settled_is_stale_when_its_lease_is_gone),
        cmocka_unit_test(a_refusal_fails_the_delivery_at_once),
        cmocka_unit_test(as_many_are_under_way_as_the_coordinator_takes),
        cmocka_unit_test(a_first_part_goes_though_the_credit_for_the_last_emit_was_not_told),
        cmocka_unit_test(its_lease_is_extended_while_its_parts_are_on_their_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
