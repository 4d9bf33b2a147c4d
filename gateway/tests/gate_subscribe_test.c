/* The core through its door: subscriptions and histories. */
#include <stdio.h>
#include <string.h>

#include "gateway/tests/gate_fixture.h"

static void sockets_with_the_same_filter_share_one_subscription(void **state)
{
    (void)state;
    uint32_t a = client(&it);
    uint32_t b = client(&it);
    say(&it, a, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    assert_int_equal(it.subscribed_count, 1);
    assert_string_equal(it.subscribed[0].tenant, "dev");
    assert_string_equal(hear(&it, a), "");
    subscribed(&it, last_subscription(&it), 9, false);
    assert_has(hear(&it, a), "\"cursor\":\"00c0ffee00c0ffee-9\",\"recovered\":0,\"gap\":false}");
    events(&it, last_subscription(&it), 10, 2, NULL);
    say(&it, b, "{\"type\":\"subscribe\",\"id\":2,\"topic\":\"docs.>\"}");
    assert_has(hear(&it, b), "\"cursor\":\"00c0ffee00c0ffee-11\"");
    events(&it, last_subscription(&it), 12, 1, NULL);
    assert_int_equal(it.subscribed_count, 1);
    assert_string_equal(seqs(hear(&it, a)), "10 11 12");
    assert_string_equal(seqs(hear(&it, b)), "12");
    assert_int_equal(it.consumed, 3);
    say(&it, a, "{\"type\":\"unsubscribe\",\"id\":3,\"topic\":\"docs.>\"}");
    assert_int_equal(it.unsubscribed_count, 0);
    say(&it, b, "{\"type\":\"unsubscribe\",\"id\":3,\"topic\":\"docs.>\"}");
    assert_int_equal(it.unsubscribed_count, 1);
}

/* Subscribes with since; gives the ids of the shared topic (confirmed at 20) and of the stream. */
static uint32_t begin_catching_up(uint64_t *out_shared, uint64_t *out_stream)
{
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.x\",\"since\":\"00c0ffee00c0ffee-10\"}");
    assert_int_equal(it.subscribed_count, 2);
    *out_shared = it.subscribed[0].id;
    *out_stream = it.subscribed[1].id;
    assert_int_equal(it.subscribed[1].start, START_SEQ);
    assert_int_equal(it.subscribed[1].start_at, 10);
    subscribed(&it, *out_shared, 20, false);
    subscribed(&it, *out_stream, 10, false);
    return conn;
}

static void what_was_missed_comes_first_then_the_ok_then_the_shared_stream(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    events(&it, stream, 11, 3, NULL);
    events(&it, shared, 21, 1, NULL); /* live meanwhile: the stream gives it, too */
    events(&it, stream, 21, 1, NULL);
    caught_up(&it, stream, 21);
    const char *got = hear(&it, conn);
    assert_int_equal(lines(got), 5);
    assert_has(got, "\"recovered\":4,\"gap\":false");
    assert_has(got, "\"cursor\":\"00c0ffee00c0ffee-21\"");
    assert_int_equal(it.unsubscribed_count, 1);
    assert_true(it.unsubscribed[0] == stream);
    events(&it, stream, 22, 1, NULL); /* was on its way */
    events(&it, shared, 22, 2, NULL);
    assert_string_equal(seqs(hear(&it, conn)), "22 23");
}

static void whoever_goes_by_credit_is_told_of_a_gap_too(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.x\",\"since\":\"00c0ffee00c0ffee-10\",\"credit\":5}");
    uint64_t stream = last_subscription(&it);
    subscribed(&it, stream, 10, false);
    assert_has(hear(&it, conn), "\"gap\":false");
    subscribed(&it, stream, 30, true); /* after a lost connection of the gateway's */
    assert_has(hear(&it, conn),
               "\"code\":\"gone\",\"message\":\"events were missed: they have left the window\",\"topic\":\"docs.x\",\"ended\":false}");
    events(&it, stream, 31, 1, NULL);
    assert_string_equal(seqs(hear(&it, conn)), "31");
}

static void the_change_waits_while_the_shared_stream_is_ahead(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    events(&it, stream, 11, 2, NULL);
    events(&it, shared, 21, 2, NULL); /* 22 is ahead of what the stream gave */
    caught_up(&it, stream, 20);
    assert_int_equal(it.unsubscribed_count, 0);
    events(&it, stream, 21, 1, NULL);
    assert_int_equal(it.unsubscribed_count, 0);
    events(&it, stream, 22, 1, NULL);
    assert_int_equal(it.unsubscribed_count, 1);
    events(&it, shared, 23, 1, NULL);
    char got[8192];
    snprintf(got, sizeof got, "%s", hear(&it, conn));
    assert_string_equal(seqs(got), "11 12 21 22 23");
}

static void a_shared_run_is_cut_where_the_client_has_had_it(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    events(&it, stream, 11, 15, NULL); /* 11..25 */
    caught_up(&it, stream, 25);
    assert_int_equal(it.unsubscribed_count, 1);
    swallow(&it, conn);
    events(&it, shared, 23, 5, NULL); /* 23..27: half of it is known */
    assert_string_equal(seqs(hear(&it, conn)), "26 27");
}

static void a_stream_is_given_credit_only_as_its_socket_drains(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    static char data[30001];
    memset(data, '1', sizeof data - 1);
    uint64_t sent = 0;
    uint64_t may = it.subscribed[1].credit;
    for (int turn = 0; turn < 100; turn++) { /* a coordinator that sends all it may, to a socket that does not read */
        while (sent < may + it.granted)
            events(&it, stream, 11 + sent++, 1, data);
    }
    assert_true(sent < 20);
    assert_int_equal(gate_close_code(it.gate, conn, &(const char *){ NULL }), 0);
    swallow(&it, conn);
    assert_true(may + it.granted > sent);
}

static void with_credit_no_more_than_that_is_unacknowledged(void **state)
{
    (void)state;
    struct gate_config config = fixture_config();
    config.limits.queue_bytes = 1024 * 1024; /* room for three events, however large */
    fixture_close(&it);
    fixture_open(&it, &config);
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.x\",\"credit\":3,\"since\":\"start\"}");
    assert_int_equal(it.subscribed_count, 1);
    assert_int_equal(it.subscribed[0].credit, 3);
    uint64_t id = last_subscription(&it);
    subscribed(&it, id, 0, false);
    assert_has(hear(&it, conn), "\"type\":\"ok\"");
    events(&it, id, 1, 3, NULL);
    assert_int_equal(it.granted, 0);
    say(&it, conn, "{\"type\":\"ack\",\"topic\":\"docs.x\",\"event\":\"00c0ffee00c0ffee-2\"}");
    assert_int_equal(it.granted, 2);
    say(&it, conn, "{\"type\":\"ack\",\"topic\":\"docs.x\",\"event\":\"00c0ffee00c0ffee-2\"}"); /* again: nothing new */
    assert_int_equal(it.granted, 2);
    events(&it, id, 4, 2, NULL);
    caught_up(&it, id, 5);
    assert_string_equal(seqs(hear(&it, conn)), "1 2 3 4 5");
    say(&it, conn, "{\"type\":\"ack\",\"topic\":\"docs.x\",\"event\":\"00c0ffee00c0ffee-5\"}");
    assert_int_equal(it.granted, 5);
    assert_string_equal(hear(&it, conn), "");
}

static void an_event_that_stands_here_again_keeps_its_id_and_has_a_cursor(void **state)
{
    (void)state;
    struct gate_config config = fixture_config();
    config.limits.queue_bytes = 1024 * 1024;
    fixture_close(&it);
    fixture_open(&it, &config);
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.x\",\"credit\":3,\"since\":\"start\"}");
    uint64_t id = last_subscription(&it);
    subscribed(&it, id, 0, false);
    events(&it, id, 7, 1, NULL);
    it.again = 2;
    events(&it, id, 8, 1, NULL);
    const char *heard = hear(&it, conn);
    assert_has(heard, "\"event\":\"00c0ffee00c0ffee-7\",\"seq\":7");
    assert_has(heard, "\"event\":\"00c0ffee00c0ffee-2\",\"cursor\":\"00c0ffee00c0ffee-8\",\"seq\":8");
    say(&it, conn, "{\"type\":\"ack\",\"topic\":\"docs.x\",\"event\":\"00c0ffee00c0ffee-2\"}"); /* acked by its id, with all before it */
    assert_int_equal(it.granted, 2);
}

static void what_has_left_the_window_ends_a_subscription_behind_it(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    ended_at(&it, stream, CODE_GONE, 15);
    const char *got = hear(&it, conn);
    assert_has(got, "\"id\":1,\"code\":\"gone\"");
    assert_has(got, "\"topic\":\"docs.x\",\"ended\":true,\"cursor\":\"00c0ffee00c0ffee-15\"}");
    say(&it, conn, "{\"type\":\"history\",\"id\":6,\"topic\":\"docs.y\"}");
    events(&it, last_subscription(&it), 10, 2, NULL);
    ended_at(&it, last_subscription(&it), CODE_GONE, 15);
    got = hear(&it, conn);
    assert_has(got, "\"id\":6,\"events\":[{");
    assert_has(got, "],\"gap\":true,\"more\":true,\"cursor\":\"00c0ffee00c0ffee-15\"}");
}

static void who_catches_up_goes_on_from_its_own_place_when_the_live_ones_are_behind_a_gap(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    events(&it, stream, 11, 2, NULL);
    events(&it, shared, 21, 3, NULL);
    (void)hear(&it, conn);
    ended_at(&it, shared, CODE_GONE, 30);
    assert_has(hear(&it, conn), "\"topic\":\"docs.x\",\"ended\":true,\"cursor\":\"00c0ffee00c0ffee-12\"}");
}

static void a_history_is_one_answer(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"history\",\"id\":6,\"topic\":\"docs.>\",\"limit\":2}");
    assert_int_equal(it.subscribed[0].limit, 2);
    assert_int_equal(it.subscribed[0].start, START_FIRST);
    subscribed(&it, last_subscription(&it), 0, true);
    events(&it, last_subscription(&it), 1, 2, NULL);
    struct link_fact end = { .kind = LINK_FACT_ENDED, .subscription = { .id = last_subscription(&it), .cursor = 2, .more = true } };
    gate_fact(it.gate, &end);
    const char *got = hear(&it, conn);
    assert_int_equal(lines(got), 1);
    assert_has(got, "{\"type\":\"ok\",\"id\":6,\"events\":[{\"type\":\"event\"");
    assert_has(got, "],\"gap\":true,\"more\":true,\"cursor\":\"00c0ffee00c0ffee-2\"}");
    assert_int_equal(gate_stats(it.gate)->topics, 0);
}

static void a_history_is_bounded_in_bytes(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    static char data[60001];
    memset(data, '1', sizeof data - 1);
    say(&it, conn, "{\"type\":\"history\",\"id\":6,\"topic\":\"docs.>\",\"limit\":1000}");
    subscribed(&it, last_subscription(&it), 0, false);
    events(&it, last_subscription(&it), 1, 50, data);
    assert_has(hear(&it, conn), "\"more\":true,\"cursor\":\"00c0ffee00c0ffee-9\"");
    assert_int_equal(it.unsubscribed_count, 1);
}

static void a_subscription_that_is_refused_answers_all_who_wait_for_it(void **state)
{
    (void)state;
    uint32_t a = client(&it);
    uint32_t b = client(&it);
    say(&it, a, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    say(&it, b, "{\"type\":\"subscribe\",\"id\":2,\"topic\":\"docs.>\",\"since\":\"start\"}");
    uint64_t stream = last_subscription(&it);
    ended(&it, it.subscribed[0].id, CODE_FORBIDDEN);
    assert_has(hear(&it, a), "\"id\":1,\"code\":\"forbidden\"");
    assert_has(hear(&it, b), "\"id\":2,\"code\":\"forbidden\"");
    assert_int_equal(it.unsubscribed_count, 1);
    ended(&it, stream, CODE_OK);
    assert_int_equal(gate_stats(it.gate)->topics, 0);
    assert_int_equal(gate_stats(it.gate)->subscriptions, 0);
}

static void subscribes_that_the_coordinator_does_not_answer_are_given_up(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\",\"last\":3}");
    say(&it, conn, "{\"type\":\"history\",\"id\":2,\"topic\":\"docs.>\"}");
    gate_now(it.gate, 6000, 1700000006000);
    gate_tick(it.gate);
    gate_settle_uplink(it.gate);
    const char *got = hear(&it, conn);
    assert_has(got, "\"id\":1,\"code\":\"timeout\"");
    assert_has(got, "\"id\":2,\"code\":\"timeout\"");
    assert_int_equal(it.unsubscribed_count, 3);
    assert_int_equal(gate_stats(it.gate)->subscriptions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sockets_with_the_same_filter_share_one_subscription),
        TEST(what_was_missed_comes_first_then_the_ok_then_the_shared_stream),
        TEST(whoever_goes_by_credit_is_told_of_a_gap_too),
        TEST(the_change_waits_while_the_shared_stream_is_ahead),
        TEST(a_shared_run_is_cut_where_the_client_has_had_it),
        TEST(a_stream_is_given_credit_only_as_its_socket_drains),
        TEST(with_credit_no_more_than_that_is_unacknowledged),
        TEST(an_event_that_stands_here_again_keeps_its_id_and_has_a_cursor),
        TEST(what_has_left_the_window_ends_a_subscription_behind_it),
        TEST(who_catches_up_goes_on_from_its_own_place_when_the_live_ones_are_behind_a_gap),
        TEST(a_history_is_one_answer),
        TEST(a_history_is_bounded_in_bytes),
        TEST(a_subscription_that_is_refused_answers_all_who_wait_for_it),
        TEST(subscribes_that_the_coordinator_does_not_answer_are_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
