/* Publishing through a link: numbers, answers in any order, resends, unknown outcomes, credit by tenant. */
#include "sdk/tests/link_harness.h"

static void accept_numbers(struct harness *h, uint64_t first, uint32_t count, uint64_t seq, bool duplicate)
{
    struct msg_accepted accepted = { .first_number = first, .first_seq = seq, .count = count, .duplicate = duplicate };
    harness_take(h, (struct packet){ .accepted = &accepted, .accepted_count = 1 });
}

static void start_client(struct harness *h)
{
    struct link_options o = harness_options(ROLE_CLIENT);
    harness_start(h, &o);
}

/* [R-PUB-1] [R-PUB-3] */
static void what_was_published_before_the_welcome_goes_out_after_it_in_one_message(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start_client(&h);
    assert_int_equal(harness_publish(&h, "", "one"), 1);
    assert_int_equal(harness_publish(&h, "", "second"), 2);
    harness_up(&h);
    packet = harness_flush(&h);
    assert_int_equal(packet->publish_count, 1);
    assert_int_equal(packet->publishes[0].first_number, 1);
    assert_int_equal(packet->publishes[0].count, 2);
    assert_int_equal(packet->publishes[0].size[1], 6);
    assert_int_equal(packet->piece_count, 1); /* neighbours in the ring are one piece */
    assert_memory_equal(packet->pieces[0].data, "onesecond", 9);
    harness_clear(&h);
    accept_numbers(&h, 1, 2, 40, false);
    assert_string_equal(h.told, "accepted 1+2 seq=40");
    harness_stop(&h);
}

/* [R-PUB-2] */
static void answers_in_any_order_are_told_once_each(void **state)
{
    struct harness h;
    (void)state;
    start_client(&h);
    harness_up(&h);
    for (int i = 0; i < 4; i++)
        harness_publish(&h, "", "x");
    assert_non_null(harness_flush(&h));
    harness_clear(&h);
    accept_numbers(&h, 3, 1, 12, false);
    accept_numbers(&h, 1, 4, 10, true);
    accept_numbers(&h, 1, 4, 10, true);
    assert_string_equal(h.told, "accepted 3+1 seq=12 accepted 1+2 seq=10 duplicate accepted 4+1 seq=13 duplicate");
    assert_int_equal(link_first_unanswered(h.link), 5);
    harness_stop(&h);
}

static void answers_for_numbers_that_were_never_sent_are_ignored(void **state)
{
    struct harness h;
    (void)state;
    start_client(&h);
    harness_up(&h);
    harness_publish(&h, "", "x");
    harness_clear(&h);
    accept_numbers(&h, 1, 1000000, 10, false);
    accept_numbers(&h, UINT64_MAX - 1, 4, 10, false);
    assert_string_equal(h.told, "");
    harness_stop(&h);
}

/* [R-PUB-1] [R-PUB-4] */
static void after_a_lost_connection_the_unanswered_go_out_again_under_their_numbers(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start_client(&h);
    harness_up(&h);
    harness_publish(&h, "", "a");
    harness_publish(&h, "", "b");
    harness_publish(&h, "", "c");
    assert_non_null(harness_flush(&h));
    accept_numbers(&h, 1, 1, 10, false);
    harness_lose(&h);
    link_connected(h.link, h.now_ns);
    packet = harness_flush(&h);
    assert_int_equal(packet->hello->first_unanswered, 2);
    harness_welcome(&h, (struct msg_welcome){ .publisher_known = 1 });
    packet = harness_flush(&h);
    assert_int_equal(packet->publishes[0].first_number, 2);
    assert_int_equal(packet->publishes[0].count, 2);
    assert_memory_equal(packet->pieces[0].data, "bc", 2);
    harness_clear(&h);
    accept_numbers(&h, 2, 2, 11, true);
    assert_string_equal(h.told, "accepted 2+2 seq=11 duplicate");
    harness_stop(&h);
}

/* [R-PUB-6] */
static void a_forgotten_publisher_hears_outcome_unknown_and_sends_only_what_is_new(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start_client(&h);
    harness_up(&h);
    harness_publish(&h, "", "a");
    harness_publish(&h, "", "b");
    assert_non_null(harness_flush(&h));
    accept_numbers(&h, 1, 1, 10, false);
    harness_lose(&h);
    harness_publish(&h, "", "new");
    link_connected(h.link, h.now_ns);
    assert_non_null(harness_flush(&h));
    harness_clear(&h);
    harness_welcome(&h, (struct msg_welcome){ .publisher_known = 0 });
    assert_string_equal(h.told, "up unknown 2+1 gone");
    packet = harness_flush(&h);
    assert_int_equal(packet->publishes[0].first_number, 3);
    assert_int_equal(packet->publishes[0].count, 1);
    harness_stop(&h);
}

#define AT_MOST_ONCE "\012\001a\220\001\001" /* topic a, semantics 1 */

/* [R-ONCE-4] */
static void what_is_at_most_once_and_was_not_committed_is_not_sent_to_another_life_of_the_coordinator(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start_client(&h);
    link_connected(h.link, h.now_ns);
    assert_non_null(harness_flush(&h));
    harness_welcome(&h, (struct msg_welcome){ .publisher_known = 1, .term = 3 });
    harness_publish(&h, "", AT_MOST_ONCE);
    harness_publish(&h, "", AT_MOST_ONCE);
    harness_publish(&h, "", "at least once");
    assert_non_null(harness_flush(&h));
    harness_lose(&h);
    harness_publish(&h, "", AT_MOST_ONCE); /* has not been sent yet */
    link_connected(h.link, h.now_ns);
    assert_non_null(harness_flush(&h));
    harness_clear(&h);
    harness_welcome(&h, (struct msg_welcome){ .publisher_known = 1, .term = 4, .highest_number = 1 });
    assert_string_equal(h.told, "up unknown 2+1 gone");
    packet = harness_flush(&h);
    assert_int_equal(packet->publish_count, 2);
    assert_int_equal(packet->publishes[0].first_number, 1);
    assert_int_equal(packet->publishes[0].count, 1);
    assert_int_equal(packet->publishes[1].first_number, 3);
    assert_int_equal(packet->publishes[1].count, 2);
    harness_stop(&h);
}

/* [R-ONCE-4] */
static void what_is_at_most_once_is_sent_again_to_the_same_life(void **state)
{
    struct harness h;
    (void)state;
    start_client(&h);
    link_connected(h.link, h.now_ns);
    assert_non_null(harness_flush(&h));
    harness_welcome(&h, (struct msg_welcome){ .publisher_known = 1, .term = 3 });
    harness_publish(&h, "", AT_MOST_ONCE);
    assert_non_null(harness_flush(&h));
    harness_lose(&h);
    link_connected(h.link, h.now_ns);
    assert_non_null(harness_flush(&h));
    harness_clear(&h);
    harness_welcome(&h, (struct msg_welcome){ .publisher_known = 1, .term = 3 });
    assert_string_equal(h.told, "up");
    assert_int_equal(harness_flush(&h)->publishes[0].first_number, 1);
    harness_stop(&h);
}

/* [R-PUB-6] */
static void a_number_that_left_the_window_is_unknown_too(void **state)
{
    struct harness h;
    struct msg_refused refused = { .first_number = 1, .count = 1, .code = CODE_GONE };
    (void)state;
    start_client(&h);
    harness_up(&h);
    harness_publish(&h, "", "a");
    assert_non_null(harness_flush(&h));
    harness_clear(&h);
    harness_take(&h, (struct packet){ .refused = &refused, .refused_count = 1 });
    assert_string_equal(h.told, "unknown 1+1 gone");
    harness_stop(&h);
}

/* [R-CREDIT-2] [R-CREDIT-5] */
static void nothing_is_sent_beyond_the_credit(void **state)
{
    struct harness h;
    struct msg_credit credit = { .kind = CREDIT_PUBLISH, .events = 1001, .bytes = 1 << 20 };
    uint32_t sent = 0;
    struct packet *packet;
    (void)state;
    start_client(&h);
    harness_up(&h);
    for (int i = 0; i < 1100; i++)
        harness_publish(&h, "", "x");
    while ((packet = harness_flush(&h)) != NULL)
        for (size_t i = 0; i < packet->publish_count; i++)
            sent += packet->publishes[i].count;
    assert_int_equal(sent, 1000);
    harness_take(&h, (struct packet){ .credits = &credit, .credit_count = 1 });
    packet = harness_flush_late(&h);
    assert_int_equal(packet->publishes[0].count, 1);
    harness_stop(&h);
}

/* [R-PUB-5] */
static void at_most_64_publish_messages_are_without_an_answer(void **state)
{
    struct harness h;
    uint32_t messages = 0;
    (void)state;
    start_client(&h);
    harness_up(&h);
    for (int i = 0; i < 100; i++) {
        struct packet *packet;
        harness_publish(&h, "", "x");
        h.now_ns += 2000000; /* it has waited for company long enough */
        packet = harness_flush(&h);
        h.now_ns += 2000000;
        if (packet == NULL) packet = harness_flush(&h);
        messages += packet != NULL ? (uint32_t)packet->publish_count : 0;
    }
    assert_int_equal(messages, 64);
    accept_numbers(&h, 1, 1, 5, false);
    assert_int_equal(harness_flush_late(&h)->publishes[0].count, 36);
    harness_stop(&h);
}

static void a_full_ring_takes_no_more_until_its_front_is_answered(void **state)
{
    struct harness h;
    struct link_options o = harness_options(ROLE_CLIENT);
    uint64_t taken = 0;
    (void)state;
    o.publish_window = 8;
    harness_start(&h, &o);
    harness_up(&h);
    while (harness_publish(&h, "", "x") != 0)
        taken++;
    assert_int_equal(taken, 8);
    assert_non_null(harness_flush(&h));
    accept_numbers(&h, 2, 7, 11, false);
    assert_int_equal(harness_publish(&h, "", "x"), 0);
    accept_numbers(&h, 1, 1, 10, false);
    assert_int_equal(harness_publish(&h, "", "x"), 9);
    harness_stop(&h);
}

static void the_bytes_of_the_ring_come_around_whole(void **state)
{
    static char event[30001];
    struct harness h;
    struct link_options o = harness_options(ROLE_CLIENT);
    uint64_t answered = 0;
    (void)state;
    memset(event, 'e', sizeof event - 1);
    o.publish_bytes = 4 * 65536;
    harness_start(&h, &o);
    harness_up(&h);
    for (int round = 0; round < 40; round++) {
        struct packet *packet;
        uint64_t number = harness_publish(&h, "", event);
        assert_int_not_equal(number, 0);
        packet = harness_flush_late(&h);
        assert_int_equal(packet->piece_count, 1);
        assert_memory_equal(packet->pieces[0].data, event, sizeof event - 1);
        if (round % 3 == 2)
            for (; answered < number; answered++)
                accept_numbers(&h, answered + 1, 1, 10 + answered, false);
    }
    harness_stop(&h);
}

static void give_credit(struct harness *h, const char *tenant, uint64_t events)
{
    struct msg_credit credit = { .kind = CREDIT_PUBLISH, .tenant = span_text(tenant), .events = events, .bytes = 1 << 20 };
    harness_take(h, (struct packet){ .credits = &credit, .credit_count = 1 });
}

/* One tenant without credit is told at once, and does not stand in front of another. [R-CREDIT-2] */
static void a_gateway_hears_at_once_that_a_tenant_has_no_credit(void **state)
{
    struct harness h;
    struct link_options o = harness_options(ROLE_GATEWAY);
    struct packet *packet;
    (void)state;
    harness_start(&h, &o);
    harness_up(&h);
    give_credit(&h, "red", 1);
    give_credit(&h, "blue", 2);
    harness_clear(&h);
    assert_int_equal(harness_publish(&h, "red", "r1"), 1);
    assert_int_equal(harness_publish(&h, "red", "r2"), 0);
    assert_int_equal(harness_publish(&h, "blue", "b1"), 2);
    assert_string_equal(h.told, "publish:no_credit");
    packet = harness_flush(&h);
    assert_int_equal(packet->publish_count, 2);
    assert_memory_equal(packet->publishes[1].tenant.data, "blue", 4);
    assert_int_equal(packet->publishes[1].first_number, 2);
    harness_clear(&h);
    give_credit(&h, "red", 5);
    assert_string_equal(h.told, "credit red");
    assert_int_equal(harness_publish(&h, "red", "r2"), 3);
    harness_stop(&h);
}

/* A packet of one event goes at once; small ones behind others that are under way wait a moment for company. */
static void a_few_events_behind_others_wait_for_company_but_not_for_long(void **state)
{
    struct harness h;
    (void)state;
    start_client(&h);
    harness_up(&h);
    for (int i = 0; i < 16; i++) {
        harness_publish(&h, "", "x");
        assert_non_null(harness_flush(&h));
    }
    harness_publish(&h, "", "x");
    assert_null(harness_flush(&h));
    assert_true(link_deadline_ns(h.link) <= h.now_ns + 1000000);
    harness_wait_ms(&h, 1);
    assert_int_equal(harness_flush(&h)->publishes[0].count, 1);
    harness_stop(&h);
}

static void a_link_that_is_refused_for_good_answers_what_it_has(void **state)
{
    struct harness h;
    struct msg_error error = { .code = CODE_FORBIDDEN, .about = FIELD_HELLO, .message = span_text("no") };
    (void)state;
    start_client(&h);
    harness_up(&h);
    harness_publish(&h, "", "sent");
    assert_non_null(harness_flush(&h));
    harness_lose(&h);
    harness_publish(&h, "", "unsent");
    link_connected(h.link, h.now_ns);
    assert_non_null(harness_flush(&h));
    harness_clear(&h);
    harness_take(&h, (struct packet){ .errors = &error, .error_count = 1 });
    assert_string_equal(h.told, "unknown 1+1 forbidden refused 2+1 forbidden stopped(forbidden)");
    assert_int_equal(link_connection(h.link), 0);
    assert_int_equal(harness_publish(&h, "", "x"), 0);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_published_before_the_welcome_goes_out_after_it_in_one_message),
        cmocka_unit_test(answers_in_any_order_are_told_once_each),
        cmocka_unit_test(answers_for_numbers_that_were_never_sent_are_ignored),
        cmocka_unit_test(after_a_lost_connection_the_unanswered_go_out_again_under_their_numbers),
        cmocka_unit_test(a_forgotten_publisher_hears_outcome_unknown_and_sends_only_what_is_new),
        cmocka_unit_test(what_is_at_most_once_and_was_not_committed_is_not_sent_to_another_life_of_the_coordinator),
        cmocka_unit_test(what_is_at_most_once_is_sent_again_to_the_same_life),
        cmocka_unit_test(a_number_that_left_the_window_is_unknown_too),
        cmocka_unit_test(nothing_is_sent_beyond_the_credit),
        cmocka_unit_test(at_most_64_publish_messages_are_without_an_answer),
        cmocka_unit_test(a_full_ring_takes_no_more_until_its_front_is_answered),
        cmocka_unit_test(the_bytes_of_the_ring_come_around_whole),
        cmocka_unit_test(a_gateway_hears_at_once_that_a_tenant_has_no_credit),
        cmocka_unit_test(a_few_events_behind_others_wait_for_company_but_not_for_long),
        cmocka_unit_test(a_link_that_is_refused_for_good_answers_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
