/* Large events through a link: out in parts, past which others go; in as parts that are put together. */
#include "proto/parts.h"
#include "sdk/tests/link_harness.h"

enum { LARGE = 20 * PART_BYTES + 7, PARTS = 21 };

static void welcome(struct harness *h, uint64_t window_bytes)
{
    struct msg_welcome m = { .protocol = 1, .publisher_known = 1, .large_events = 2, .max_event_bytes = 8 << 20, .epoch = span_text(EPOCH_E) };
    struct msg_credit credit = { .kind = CREDIT_PUBLISH, .events = 1000, .bytes = window_bytes };
    link_connected(h->link, h->now_ns);
    assert_non_null(harness_flush(h));
    harness_take(h, (struct packet){ .welcome = &m, .credits = &credit, .credit_count = 1 });
}

static void start(struct harness *h, uint32_t role)
{
    struct link_options o = harness_options(role);
    harness_start(h, &o);
    welcome(h, 16 << 20);
    harness_clear(h);
}

static uint64_t publish_large(struct harness *h, enum link_result expected)
{
    static uint8_t data[LARGE];
    struct event event = { .topic = span_text("a.b"), .data = span_of(data, sizeof data), .traceparent = span_text("tp") };
    size_t size = event_encoded_size(&event, NULL, 0);
    uint8_t *bytes;
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i / PART_BYTES);
    assert_int_equal(link_publish(h->link, span_of(NULL, 0), size, sizeof data, &bytes, &number), expected);
    if (expected == LINK_OK) (void)event_encode(&event, NULL, 0, bytes);
    return number;
}

static void credit_bytes(struct harness *h, uint64_t bytes)
{
    struct msg_credit credit = { .kind = CREDIT_PUBLISH, .events = 1000, .bytes = bytes };
    harness_take(h, (struct packet){ .credits = &credit, .credit_count = 1 });
}

/* [R-PART-2] */
static void the_first_part_goes_before_higher_numbers_and_these_before_the_rest(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start(&h, ROLE_CLIENT);
    assert_int_equal(publish_large(&h, LINK_OK), 1);
    assert_int_equal(harness_publish(&h, "", "small"), 2);
    packet = harness_flush(&h);
    assert_int_equal(packet->publish_count, 0);
    assert_int_equal(packet->parts[0].number, 1);
    assert_int_equal(packet->parts[0].index, 0);
    assert_int_equal(packet->parts[0].count, PARTS);
    assert_int_equal(packet->parts[0].size, PART_BYTES);
    packet = harness_flush(&h);
    assert_int_equal(packet->publish_count, 1);
    assert_int_equal(packet->publishes[0].first_number, 2);
    harness_stop(&h);
}

/* What stands behind it in the socket is at most what is ahead of its credit [R-PART-3]. */
static void few_parts_are_under_way_and_the_event_comes_after_the_last(void **state)
{
    struct harness h;
    struct packet *packet;
    uint32_t next = 0;
    uint64_t sent = 0;
    (void)state;
    start(&h, ROLE_CLIENT);
    publish_large(&h, LINK_OK);
    while ((packet = harness_flush(&h)) != NULL)
        for (size_t i = 0; i < packet->part_count; i++) {
            assert_int_equal(packet->parts[i].index, next++);
            assert_int_equal(packet->pieces[0].data[0], packet->parts[0].index);
            sent += packet->parts[i].size;
        }
    assert_true(sent <= 512 << 10 && next < PARTS);
    for (int rounds = 0; packet == NULL && rounds < 3; rounds++) {
        credit_bytes(&h, (16 << 20) + sent); /* they are committed */
        while ((packet = harness_flush(&h)) != NULL && packet->publish_count == 0) {
            next += (uint32_t)packet->part_count;
            sent += packet->part_count * PART_BYTES;
        }
    }
    assert_int_equal(next, PARTS);
    assert_non_null(packet);
    assert_int_equal(packet->publishes[0].first_number, 1);
    assert_int_equal(packet->publishes[0].size[0], 5 + 2 + 2); /* topic, traceparent: without its data */
    assert_int_equal(packet->part_count, 0);
    harness_take(&h, (struct packet){ .accepted = &(struct msg_accepted){ .first_number = 1, .first_seq = 9, .count = 1 }, .accepted_count = 1 });
    assert_string_equal(h.told, "accepted 1+1 seq=9");
    harness_stop(&h);
}

/* [R-PART-5] */
static void after_a_lost_connection_it_begins_anew_under_its_number(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start(&h, ROLE_CLIENT);
    publish_large(&h, LINK_OK);
    harness_publish(&h, "", "small");
    while (harness_flush(&h) != NULL) {
    }
    harness_take(&h, (struct packet){ .accepted = &(struct msg_accepted){ .first_number = 2, .first_seq = 9, .count = 1 }, .accepted_count = 1 });
    harness_lose(&h);
    welcome(&h, 16 << 20);
    packet = harness_flush(&h);
    assert_int_equal(packet->parts[0].number, 1);
    assert_int_equal(packet->parts[0].index, 0);
    harness_clear(&h);
    harness_take(&h, (struct packet){ .accepted = &(struct msg_accepted){ .first_number = 1, .first_seq = 7, .count = 1, .duplicate = 1 },
                                      .accepted_count = 1 });
    assert_string_equal(h.told, "accepted 1+1 seq=7 duplicate");
    assert_null(harness_flush(&h)); /* it was known: the rest is not sent */
    harness_stop(&h);
}

/* [R-PART-3] */
static void more_at_a_time_than_the_coordinator_takes_are_full(void **state)
{
    struct harness h;
    (void)state;
    start(&h, ROLE_CLIENT);
    publish_large(&h, LINK_OK);
    publish_large(&h, LINK_OK);
    publish_large(&h, LINK_FULL);
    assert_int_equal(harness_publish(&h, "", "small"), 3); /* others go on */
    harness_stop(&h);
}

static void a_coordinator_that_takes_no_parts_refuses_what_waited(void **state)
{
    struct harness h;
    struct link_options o = harness_options(ROLE_CLIENT);
    (void)state;
    harness_start(&h, &o);
    publish_large(&h, LINK_OK);
    harness_publish(&h, "", "small");
    harness_up(&h); /* its welcome says nothing of large events */
    assert_non_null(strstr(h.told, "refused 1+1 too_large"));
    assert_int_equal(harness_flush(&h)->publishes[0].first_number, 2);
    publish_large(&h, LINK_TOO_LARGE);
    harness_stop(&h);
}

/* -- in -- */

static void take_part(struct harness *h, uint64_t lease, uint64_t subscription, uint32_t index, uint32_t count, uint32_t size)
{
    static uint8_t data[PART_BYTES];
    struct msg_part part = { .lease = lease, .subscription = subscription, .seq = 40, .index = index, .count = count, .size = size };
    harness_take(h, (struct packet){ .parts = &part, .part_count = 1, .body = span_of(data, size) });
}

/* An event of which data_size bytes came in two parts. */
static size_t last_message(uint8_t *out, uint64_t data_size)
{
    const uint64_t positions[] = { 38, 39 };
    size_t size = event_encode(&(struct event){ .topic = span_text("a.b") }, NULL, 0, out);
    return size + parts_field_write(data_size, positions, 2, out + size);
}

/* [R-PART-6] */
static void a_delivery_is_put_together_among_others(void **state)
{
    struct harness h;
    uint8_t body[100] = "abc";
    (void)state;
    start(&h, ROLE_WORKER);
    while (harness_flush(&h) != NULL) {
    }
    take_part(&h, 7, 0, 0, 2, PART_BYTES);
    harness_deliver(&h, 6, 30, 1); /* a small one goes past */
    take_part(&h, 7, 0, 1, 2, 10);
    size_t large = last_message(body + 3, PART_BYTES + 10);
    memcpy(body + 3 + large, "de", 2);
    const uint64_t leases[] = { 8, 7, 9 }, seqs[] = { 41, 40, 42 }, times[] = { 1, 1, 1 };
    const uint32_t attempts[] = { 1, 2, 1 }, sizes[] = { 3, (uint32_t)large, 2 };
    struct msg_deliver deliver = { .lease = leases, .seq = seqs, .time_ms = times, .attempt = attempts, .size = sizes, .count = 3 };
    harness_take(&h, (struct packet){ .deliver = &deliver, .body = span_of(body, 5 + large) });
    assert_string_equal(h.told, "delivery 30/1 delivery 41/1 delivery 40/2 whole=65555 delivery 42/1");
    harness_stop(&h);
}

static uint64_t deliver_credit_bytes(struct harness *h)
{
    struct packet *packet = harness_flush(h);
    for (size_t i = 0; packet != NULL && i < packet->credit_count; i++)
        if (packet->credits[i].kind == CREDIT_DELIVER) return packet->credits[i].bytes;
    return 0;
}

/* Else a worker that was often sent half an event would have no credit left. */
static void what_came_of_an_event_that_ends_gives_its_credit_back(void **state)
{
    struct harness h;
    struct link_options o = harness_options(ROLE_WORKER);
    (void)state;
    o.deliveries_credit_bytes = 8 * PART_BYTES;
    harness_start(&h, &o);
    welcome(&h, 16 << 20);
    assert_int_equal(deliver_credit_bytes(&h), 8 * PART_BYTES);
    for (uint32_t i = 0; i < 3; i++)
        take_part(&h, 7, 0, i, 9, PART_BYTES);
    assert_int_equal(deliver_credit_bytes(&h), 0); /* held: no more is announced */
    harness_take(&h, (struct packet){ .revoke = &(struct msg_revoke){ &(uint64_t){ 7 }, &(uint32_t){ CODE_GONE }, 1 } });
    assert_int_equal(deliver_credit_bytes(&h), 11 * PART_BYTES);
    take_part(&h, 8, 0, 0, 9, PART_BYTES);
    take_part(&h, 9, 0, 0, 9, PART_BYTES); /* a first part ends what came of another */
    assert_int_equal(deliver_credit_bytes(&h), 12 * PART_BYTES);
    harness_stop(&h);
}

/* [R-PART-6] [R-PART-7] */
static void an_event_of_a_subscription_is_whole_or_says_that_it_is_not(void **state)
{
    struct harness h;
    uint8_t body[100];
    struct link_subscription wanted = { .id = 3, .filter = span_text("a.>") };
    (void)state;
    start(&h, ROLE_CLIENT);
    assert_int_equal(link_subscribe(h.link, &wanted), LINK_OK);
    while (harness_flush(&h) != NULL) {
    }
    harness_take(&h, (struct packet){ .subscribed = &(struct msg_subscribed){ .subscription = 3, .cursor = 5 }, .subscribed_count = 1 });
    harness_clear(&h);
    take_part(&h, 0, 3, 0, 2, PART_BYTES);
    take_part(&h, 0, 3, 1, 2, 10);
    uint32_t size = (uint32_t)last_message(body, PART_BYTES + 10);
    struct msg_events events = { .subscription = 3, .seq = &(uint64_t){ 40 }, .time_ms = &(uint64_t){ 1 }, .size = &size, .count = 1 };
    harness_take(&h, (struct packet){ .events = &events, .events_count = 1, .body = span_of(body, size) });
    assert_string_equal(h.told, "event 3:40 of 65555");
    link_consumed(h.link, span_of(NULL, 0), 1, 65555);
    harness_clear(&h);
    events.seq = &(uint64_t){ 41 };
    harness_take(&h, (struct packet){ .events = &events, .events_count = 1, .body = span_of(body, size) });
    assert_null(strstr(h.told, "of 65555")); /* without parts: as it came, with its field `parts` */
    assert_non_null(strstr(h.told, "event 3:41="));
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_part_goes_before_higher_numbers_and_these_before_the_rest),
        cmocka_unit_test(few_parts_are_under_way_and_the_event_comes_after_the_last),
        cmocka_unit_test(after_a_lost_connection_it_begins_anew_under_its_number),
        cmocka_unit_test(more_at_a_time_than_the_coordinator_takes_are_full),
        cmocka_unit_test(a_coordinator_that_takes_no_parts_refuses_what_waited),
        cmocka_unit_test(a_delivery_is_put_together_among_others),
        cmocka_unit_test(what_came_of_an_event_that_ends_gives_its_credit_back),
        cmocka_unit_test(an_event_of_a_subscription_is_whole_or_says_that_it_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
