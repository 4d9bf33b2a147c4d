/* A link's connections, heartbeats and refusals; subscriptions over them; queries and cancels. */
#include "sdk/tests/link_harness.h"

static void start(struct harness *h, uint32_t role)
{
    struct link_options o = harness_options(role);
    o.events_credit = 8;
    harness_start(h, &o);
}

static void take_error(struct harness *h, uint32_t code, uint32_t about, uint64_t id)
{
    struct msg_error error = { .code = code, .about = about, .id = id };
    harness_take(h, (struct packet){ .errors = &error, .error_count = 1 });
}

/* [R-HELLO-1] [R-HELLO-3] */
static void the_hello_says_who_it_is_and_comes_alone(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start(&h, ROLE_WORKER);
    assert_null(harness_flush(&h));
    link_connected(h.link, h.now_ns);
    packet = harness_flush(&h);
    assert_int_equal(packet->hello->protocol, PROTOCOL_VERSION);
    assert_int_equal(packet->hello->role, ROLE_WORKER);
    assert_memory_equal(packet->hello->instance.data, "0123456789abcdef", 16);
    assert_true(packet->hello->has_group);
    assert_memory_equal(packet->hello->group.filters[0].data, "a.>", 3);
    assert_int_equal(packet->credit_count, 0);
    assert_memory_equal(link_terms(h.link)->inbox.data, "$inbox.3d2682d00f1c1384799cc483b8d7c20f", 39);
    harness_stop(&h);
}

/* [R-BEAT-1] [R-BEAT-2] */
static void a_quiet_link_beats_and_a_silent_coordinator_is_gone(void **state)
{
    struct harness h;
    (void)state;
    start(&h, ROLE_WORKER);
    harness_up(&h);
    assert_non_null(harness_flush(&h));
    assert_null(harness_flush(&h));
    harness_wait_ms(&h, 5000);
    assert_non_null(harness_flush(&h)->heartbeat);
    harness_wait_ms(&h, 5000);
    assert_non_null(harness_flush(&h)->heartbeat);
    harness_clear(&h);
    harness_wait_ms(&h, 5000);
    assert_string_equal(h.told, "waiting(timeout)");
    harness_stop(&h);
}

static void waits_between_tries_grow_and_are_never_all_alike(void **state)
{
    struct harness h;
    uint64_t waits[12];
    (void)state;
    start(&h, ROLE_CLIENT);
    for (int i = 0; i < 12; i++) {
        uint64_t most = UINT64_C(100000000) << i < 10000000000 ? UINT64_C(100000000) << i : 10000000000;
        link_lost(h.link, h.now_ns, CODE_OK, span_of(NULL, 0));
        waits[i] = link_deadline_ns(h.link) - h.now_ns;
        assert_true(waits[i] >= most / 2 && waits[i] <= most);
        h.now_ns = link_deadline_ns(h.link);
        link_tick(h.link, h.now_ns);
    }
    assert_true(waits[10] != waits[11]);
    harness_stop(&h);
}

static void greet_and_be_refused(struct harness *h, uint32_t code)
{
    start(h, ROLE_WORKER);
    link_connected(h->link, h->now_ns);
    assert_non_null(harness_flush(h));
    take_error(h, code, FIELD_HELLO, 0);
}

/* [R-HELLO-4] [R-GROUP-1] */
static void a_refusal_that_waiting_cannot_mend_stops_the_link(void **state)
{
    static const uint32_t codes[] = {
        CODE_UNAUTHORIZED, CODE_FORBIDDEN, CODE_NOT_FOUND, CODE_CONFLICT, CODE_BAD_VERSION, CODE_UNSUPPORTED
    };
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct harness h;
        greet_and_be_refused(&h, codes[i]);
        assert_int_equal(link_state(h.link), LINK_STOPPED);
        assert_int_equal(link_deadline_ns(h.link), UINT64_MAX);
        link_resume(h.link, h.now_ns);
        assert_int_not_equal(link_connection(h.link), 0);
        harness_stop(&h);
    }
}

/* `stale`: an older hello of it was taken later [R-HELLO-3] */
static void a_refusal_for_now_is_tried_again(void **state)
{
    static const uint32_t codes[] = { CODE_OVERLOADED, CODE_STALE };
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct harness h;
        greet_and_be_refused(&h, codes[i]);
        assert_int_equal(link_state(h.link), LINK_WAITING);
        harness_stop(&h);
    }
}

/* A coordinator that has forgotten a peer tells it to say hello. */
static void a_forgotten_link_says_hello_on_a_new_connection(void **state)
{
    struct harness h;
    (void)state;
    start(&h, ROLE_WORKER);
    harness_up(&h);
    take_error(&h, CODE_UNAUTHORIZED, FIELD_HELLO, 0);
    assert_int_equal(link_state(h.link), LINK_WAITING);
    harness_stop(&h);
}

/* [R-DRAIN-1] */
static void a_drain_holds_publishes_and_comes_again_elsewhere(void **state)
{
    struct harness h;
    struct msg_drain drain = { .reconnect_ms = 1000 };
    (void)state;
    start(&h, ROLE_CLIENT);
    harness_up(&h);
    harness_clear(&h);
    harness_take(&h, (struct packet){ .drain = &drain });
    assert_string_equal(h.told, "drain");
    harness_publish(&h, "", "x");
    assert_null(harness_flush(&h));
    harness_wait_ms(&h, 1001);
    assert_int_equal(link_state(h.link), LINK_WAITING);
    harness_stop(&h);
}

/* -- subscriptions -- */

static void subscribe(struct harness *h, uint64_t id, uint64_t limit, uint64_t credit)
{
    struct link_subscription s = {
        .id = id, .filter = span_text("a.>"), .start = START_LAST, .start_at = 3, .limit = limit, .credit_events = credit
    };
    assert_int_equal(link_subscribe(h->link, &s), LINK_OK);
}

static void take_subscribed(struct harness *h, uint64_t id, uint64_t cursor, uint32_t gap)
{
    struct msg_subscribed s = { id, cursor, gap };
    harness_take(h, (struct packet){ .subscribed = &s, .subscribed_count = 1 });
}

static void take_event(struct harness *h, uint64_t id, uint64_t first, size_t count)
{
    uint64_t seq[8], time[8] = { 0 };
    uint32_t size[8];
    struct msg_events e = { .subscription = id, .seq = seq, .time_ms = time, .size = size, .count = count };
    for (size_t i = 0; i < count; i++) {
        seq[i] = first + i;
        size[i] = 1;
    }
    harness_take(h, (struct packet){ .events = &e, .events_count = 1, .body = span_of("abcdefgh", count) });
}

/* [R-SUB-1] [R-SUB-2] */
static void a_subscription_resumes_after_the_last_event_without_a_repeat(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start(&h, ROLE_CLIENT);
    subscribe(&h, 5, 0, 0);
    harness_up(&h);
    packet = harness_flush(&h);
    assert_int_equal(packet->subscribes[0].start, START_LAST);
    assert_int_equal(packet->credits[0].kind, CREDIT_EVENTS);
    assert_int_equal(packet->credits[0].events, 8);
    harness_clear(&h);
    take_subscribed(&h, 5, 10, 0);
    take_event(&h, 5, 11, 2);
    assert_string_equal(h.told, "subscribed 5 cursor=10 event 5:11=a event 5:12=b");
    harness_lose(&h);
    harness_up(&h);
    packet = harness_flush(&h);
    assert_int_equal(packet->subscribes[0].start, START_SEQ);
    assert_int_equal(packet->subscribes[0].start_at, 12);
    assert_memory_equal(packet->subscribes[0].epoch.data, EPOCH_E, EPOCH_BYTES);
    assert_int_equal(packet->credits[0].events, 6); /* two are still with the user */
    harness_clear(&h);
    take_subscribed(&h, 5, 12, 0);
    take_event(&h, 5, 12, 2);
    assert_string_equal(h.told, "subscribed 5 cursor=12 resumed event 5:13=b");
    harness_stop(&h);
}

/* [R-SUB-9] */
static void an_inbox_whose_opening_was_not_heard_is_opened_from_where_it_was_asked_for(void **state)
{
    struct harness h;
    struct packet *packet;
    struct link_subscription inbox = { .id = 5, .filter = span_text("$inbox.00"), .start = START_NEW };
    struct link_subscription other = { .id = 6, .filter = span_text("a.>"), .start = START_NEW };
    (void)state;
    start(&h, ROLE_GATEWAY);
    harness_up(&h);
    harness_take(&h, (struct packet){ .accepted = &(struct msg_accepted){ 9, 40, 1, 0 }, .accepted_count = 1 });
    harness_take(&h, (struct packet){ .caught_up = &(struct msg_caught_up){ 9, UINT64_MAX }, .caught_up_count = 1 });
    take_subscribed(&h, 9, UINT64_MAX, 0);
    assert_int_equal(link_subscribe(h.link, &inbox), LINK_OK);
    assert_int_equal(link_subscribe(h.link, &other), LINK_OK);
    packet = harness_flush(&h);
    assert_int_equal(packet->subscribes[0].start, START_NEW);
    harness_lose(&h);
    harness_up(&h);
    packet = harness_flush(&h);
    assert_int_equal(packet->subscribes[0].start, START_SEQ);
    assert_int_equal(packet->subscribes[0].start_at, 40);
    assert_memory_equal(packet->subscribes[0].epoch.data, EPOCH_E, EPOCH_BYTES);
    assert_int_equal(packet->subscribes[1].start, START_NEW); /* whoever asks for what is new has been told nothing yet */
    harness_clear(&h);
    take_subscribed(&h, 5, 40, 0);
    take_event(&h, 5, 41, 1);
    assert_string_equal(h.told, "subscribed 5 cursor=40 event 5:41=a");
    harness_stop(&h);
}

/* [R-CREDIT-4] */
static void credit_for_events_rises_with_what_was_consumed(void **state)
{
    struct harness h;
    (void)state;
    start(&h, ROLE_CLIENT);
    subscribe(&h, 5, 0, 0);
    harness_up(&h);
    assert_non_null(harness_flush(&h));
    take_subscribed(&h, 5, 10, 0);
    take_event(&h, 5, 11, 8);
    assert_null(harness_flush(&h));
    link_consumed(h.link, span_of(NULL, 0), 3, 3);
    assert_int_equal(harness_flush(&h)->credits[0].events, 11);
    harness_stop(&h);
}

static void a_partial_gives_back_the_credit_that_it_took(void **state)
{
    struct harness h;
    (void)state;
    start(&h, ROLE_CLIENT);
    subscribe(&h, 5, 0, 0);
    harness_up(&h);
    assert_int_equal(harness_flush(&h)->credits[0].events, 8);
    take_subscribed(&h, 5, 10, 0);
    for (uint32_t i = 0; i < 8; i++) {
        struct msg_partial piece = { .subscription = 5, .cause = 3, .attempt = 1, .index = i, .size = 1 };
        harness_take(&h, (struct packet){ .partials = &piece, .partial_count = 1, .body = span_of("a", 1) });
    }
    assert_int_equal(harness_flush(&h)->credits[0].events, 16);
    harness_stop(&h);
}

static void own_credit_is_counted_from_each_opening(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start(&h, ROLE_CLIENT);
    subscribe(&h, 5, 0, 2);
    harness_up(&h);
    assert_int_equal(harness_flush(&h)->subscribes[0].credit_events, 2);
    take_subscribed(&h, 5, 10, 0);
    take_event(&h, 5, 11, 2);
    harness_lose(&h);
    harness_up(&h);
    packet = harness_flush(&h);
    assert_int_equal(packet->subscribe_count, 0); /* nothing is left of its credit */
    assert_int_equal(link_grant(h.link, 5, 3), LINK_OK);
    assert_int_equal(harness_flush(&h)->subscribes[0].credit_events, 3);
    take_subscribed(&h, 5, 12, 0);
    assert_int_equal(link_grant(h.link, 5, 4), LINK_OK);
    packet = harness_flush(&h);
    assert_int_equal(packet->credits[0].subscription, 5);
    assert_int_equal(packet->credits[0].events, 7);
    assert_int_equal(link_grant(h.link, 6, 1), LINK_UNKNOWN);
    harness_stop(&h);
}

/* [R-SUB-4] */
static void a_limit_counts_over_connections(void **state)
{
    struct harness h;
    (void)state;
    start(&h, ROLE_CLIENT);
    subscribe(&h, 5, 3, 0);
    harness_up(&h);
    assert_non_null(harness_flush(&h));
    take_subscribed(&h, 5, 10, 0);
    take_event(&h, 5, 11, 1);
    harness_lose(&h);
    harness_up(&h);
    assert_int_equal(harness_flush(&h)->subscribes[0].limit, 2);
    take_subscribed(&h, 5, 11, 0);
    take_event(&h, 5, 12, 2);
    harness_clear(&h);
    harness_lose(&h); /* before `ended` came */
    assert_string_equal(h.told, "ended 5 cursor=13 more ok waiting connecting");
    harness_stop(&h);
}

/* [R-SUB-1] [R-SUB-5] */
static void a_subscription_ends_once_however_it_ends(void **state)
{
    struct harness h;
    struct msg_ended ended = { .subscription = 6, .code = CODE_OK, .cursor = 4 };
    (void)state;
    start(&h, ROLE_CLIENT);
    subscribe(&h, 5, 0, 0);
    subscribe(&h, 6, 0, 0);
    subscribe(&h, 7, 0, 0);
    harness_up(&h);
    assert_non_null(harness_flush(&h));
    harness_clear(&h);
    take_error(&h, CODE_BAD_REQUEST, FIELD_SUBSCRIBE, 5);
    assert_int_equal(link_unsubscribe(h.link, 6), LINK_OK);
    assert_int_equal(harness_flush(&h)->unsubscribes[0].subscription, 6);
    take_event(&h, 6, 1, 1); /* was under way */
    harness_take(&h, (struct packet){ .ended = &ended, .ended_count = 1 });
    assert_string_equal(h.told, "ended 5 cursor=0 bad_request ended 6 cursor=4 ok");
    assert_int_equal(link_unsubscribe(h.link, 5), LINK_UNKNOWN);
    subscribe(&h, 5, 0, 0); /* the id is free again */
    harness_clear(&h);
    assert_int_equal(link_unsubscribe(h.link, 7), LINK_OK);
    link_lost(h.link, h.now_ns, CODE_OK, span_of(NULL, 0));
    assert_string_equal(h.told, "ended 7 cursor=0 ok waiting");
    harness_stop(&h);
}

static void a_query_is_asked_again_until_it_is_answered(void **state)
{
    struct harness h;
    struct msg_answer answer = { .id = 9 };
    (void)state;
    start(&h, ROLE_ADMIN);
    assert_int_equal(
        link_query(h.link, &(struct msg_query){ .id = 9, .ask = ASK_GROUPS, .tenant = span_text("t"), .name = span_text("n") }), LINK_OK);
    harness_up(&h);
    assert_int_equal(harness_flush(&h)->queries[0].id, 9);
    assert_null(harness_flush(&h));
    harness_lose(&h);
    harness_up(&h);
    assert_memory_equal(harness_flush(&h)->queries[0].name.data, "n", 1);
    harness_clear(&h);
    harness_take(&h, (struct packet){ .answers = &answer, .answer_count = 1 });
    harness_take(&h, (struct packet){ .answers = &answer, .answer_count = 1 });
    assert_string_equal(h.told, "answer 9");
    assert_int_equal(link_cancel(h.link, span_of(NULL, 0), 77), LINK_OK);
    assert_int_equal(harness_flush(&h)->cancels[0].seq, 77);
    harness_stop(&h);
}

static void a_change_is_sent_once_and_lost_with_its_connection(void **state)
{
    struct harness h;
    struct msg_manage manage = { .id = 9, .action = ACTION_GROUP_PAUSE };
    struct msg_answer answer = { .id = 9 };
    (void)state;
    start(&h, ROLE_ADMIN);
    harness_up(&h);
    assert_int_equal(link_manage(h.link, &manage), LINK_OK);
    assert_int_equal(link_manage(h.link, &manage), LINK_FULL);
    assert_int_equal(harness_flush(&h)->manages[0].id, 9);
    assert_null(harness_flush(&h));
    harness_clear(&h);
    harness_take(&h, (struct packet){ .answers = &answer, .answer_count = 1 });
    assert_string_equal(h.told, "answer 9");
    assert_int_equal(link_manage(h.link, &manage), LINK_OK);
    assert_int_equal(harness_flush(&h)->manage_count, 1);
    harness_clear(&h);
    harness_lose(&h);
    assert_non_null(strstr(h.told, "manage lost 9"));
    harness_up(&h);
    assert_null(harness_flush(&h));
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hello_says_who_it_is_and_comes_alone),
        cmocka_unit_test(a_quiet_link_beats_and_a_silent_coordinator_is_gone),
        cmocka_unit_test(waits_between_tries_grow_and_are_never_all_alike),
        cmocka_unit_test(a_refusal_that_waiting_cannot_mend_stops_the_link),
        cmocka_unit_test(a_refusal_for_now_is_tried_again),
        cmocka_unit_test(a_forgotten_link_says_hello_on_a_new_connection),
        cmocka_unit_test(a_drain_holds_publishes_and_comes_again_elsewhere),
        cmocka_unit_test(a_subscription_resumes_after_the_last_event_without_a_repeat),
        cmocka_unit_test(an_inbox_whose_opening_was_not_heard_is_opened_from_where_it_was_asked_for),
        cmocka_unit_test(credit_for_events_rises_with_what_was_consumed),
        cmocka_unit_test(a_partial_gives_back_the_credit_that_it_took),
        cmocka_unit_test(own_credit_is_counted_from_each_opening),
        cmocka_unit_test(a_limit_counts_over_connections),
        cmocka_unit_test(a_subscription_ends_once_however_it_ends),
        cmocka_unit_test(a_query_is_asked_again_until_it_is_answered),
        cmocka_unit_test(a_change_is_sent_once_and_lost_with_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
