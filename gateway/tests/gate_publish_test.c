/* The core through its door: publishes and requests. */
#include <string.h>

#include "gateway/tests/gate_fixture.h"

static void a_publish_is_answered_when_its_number_is(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn,
        "{\"type\":\"publish\",\"id\":\"a\",\"topic\":\"docs.x\",\"data\":{\"b\" : 1.50},\"key\":\"k\\u00e9\",\"headers\":{\"h\":\"v\"}}");
    struct event event;
    assert_int_equal(event_scan(span_of(it.event, it.event_size), &event), EVENT_OK);
    assert_true(span_equal(event.data, span_text("{\"b\" : 1.50}")));
    assert_true(span_equal(event.key, span_text("k\xC3\xA9")));
    assert_true(span_equal(event.content_type, span_text("application/json")));
    assert_int_equal(event.header_count, 1);
    assert_string_equal(hear(&it, conn), "");
    accepted(&it, 1, 120);
    assert_string_equal(hear(&it, conn),
                        "{\"type\":\"ok\",\"id\":\"a\",\"event\":\"00c0ffee00c0ffee-120\",\"seq\":120,\"duplicate\":false}\n");
    say(&it, conn, "{\"type\":\"publish\",\"id\":2,\"topic\":\"docs.x\",\"data\":1}");
    refused(&it, 2, CODE_THROTTLED);
    assert_string_equal(hear(&it, conn), "{\"type\":\"error\",\"id\":2,\"code\":\"throttled\",\"message\":\"throttled\",\"retry_ms\":7}\n");
}

static void a_link_without_room_is_overloaded_at_once(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    it.publish_result = LINK_FULL;
    say(&it, conn, "{\"type\":\"publish\",\"id\":1,\"topic\":\"docs.x\",\"data\":1}");
    assert_has(hear(&it, conn), "\"code\":\"overloaded\"");
    assert_int_equal(gate_stats(it.gate)->operations, 0);
}

static void who_is_gone_gets_no_answer_and_leaves_nothing(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn,
        "[{\"type\":\"publish\",\"id\":1,\"topic\":\"docs.x\",\"data\":1},{\"type\":\"request\",\"id\":2,\"topic\":\"docs.x\",\"data\":1},"
        "{\"type\":\"subscribe\",\"id\":3,\"topic\":\"docs.x\",\"since\":\"start\"},{\"type\":\"history\",\"id\":4,\"topic\":\"docs.x\"}]");
    gate_closed(it.gate, conn);
    gate_settle_uplink(it.gate);
    accepted(&it, 1, 1);
    accepted(&it, 2, 2);
    assert_int_equal(it.unsubscribed_count, 4); /* inbox, shared, stream, history */
    for (size_t i = 0; i < 4; i++)
        ended(&it, it.unsubscribed[i], CODE_OK);
    const struct gate_stats *stats = gate_stats(it.gate);
    assert_int_equal(stats->connections + stats->subscriptions + stats->topics + stats->operations + stats->pool_bytes, 0);
    assert_true(gate_deadline(it.gate) == UINT64_MAX);
}

static void a_request_gets_partials_in_order_and_one_answer(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"request\",\"id\":4,\"topic\":\"agents.plan\",\"data\":1}");
    assert_int_equal(it.subscribed_count, 1);
    assert_memory_equal(it.subscribed[0].filter, "$inbox.", 7);
    struct event event;
    assert_int_equal(event_scan(span_of(it.event, it.event_size), &event), EVENT_OK);
    assert_true(span_equal(event.reply_to, span_text(it.subscribed[0].filter)));
    assert_true(event.deadline_ms == 1700000030000);
    accepted(&it, 1, 50);
    partial(&it, 50, 1, 0, "{\"a\":1}");
    partial(&it, 50, 1, 2, "9"); /* 1 is missing: no more of this attempt */
    partial(&it, 50, 1, 3, "9");
    partial(&it, 50, 2, 0, "not json");
    partial(&it, 50, 1, 1, "9"); /* of an older attempt */
    answered(&it, it.subscribed[0].id, 50, EVENT_REPLY_OK, 0, "{\"done\":true}");
    answered(&it, it.subscribed[0].id, 50, EVENT_REPLY_OK, 0, "2");
    partial(&it, 50, 2, 1, "3");
    assert_string_equal(hear(&it, conn), "{\"type\":\"partial\",\"id\":4,\"attempt\":1,\"index\":0,\"data\":{\"a\":1}}\n"
                                        "{\"type\":\"partial\",\"id\":4,\"attempt\":2,\"index\":0,\"data_base64\":\"bm90IGpzb24=\"}\n"
                                        "{\"type\":\"reply\",\"id\":4,\"data\":{\"done\":true}}\n");
    say(&it, conn, "{\"type\":\"request\",\"id\":5,\"topic\":\"agents.plan\",\"data\":1}");
    assert_int_equal(it.subscribed_count, 1); /* the inbox is there */
    accepted(&it, 2, 60);
    answered(&it, it.subscribed[0].id, 60, EVENT_REPLY_ERROR, CODE_NOT_FOUND, "\"no \\\"plan\\\"\"");
    assert_string_equal(hear(&it, conn), "{\"type\":\"error\",\"id\":5,\"code\":\"not_found\",\"message\":\"no \\\"plan\\\"\"}\n");
}

static void of_two_groups_that_answer_the_pieces_of_one_are_passed_on(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"request\",\"id\":4,\"topic\":\"agents.plan\",\"token\":\"t\",\"data\":1}");
    accepted(&it, 1, 50);
    for (uint32_t index = 0; index < 2; index++)
        for (it.partial_group = 7; it.partial_group < 9; it.partial_group++)
            partial(&it, 50, 1, index, it.partial_group == 7 ? "\"mine\"" : "\"other\"");
    it.partial_group = 8;
    partial(&it, 50, 2, 0, "\"other\"");
    const char *heard = hear(&it, conn);
    assert_null(strstr(heard, "other"));
    assert_has(heard, "\"index\":1,\"data\":\"mine\"");
    /* the same token once more: the first one has the answer */
    say(&it, conn, "{\"type\":\"request\",\"id\":5,\"topic\":\"agents.plan\",\"token\":\"t\",\"data\":1}");
    accepted(&it, 2, 50);
    assert_has(hear(&it, conn), "\"id\":5,\"code\":\"conflict\"");
    answered(&it, it.subscribed[0].id, 50, EVENT_REPLY_OK, 0, "2");
    assert_string_equal(hear(&it, conn), "{\"type\":\"reply\",\"id\":4,\"data\":2}\n");
}

static void a_request_without_an_answer_times_out_once(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"request\",\"id\":1,\"topic\":\"a.b\",\"data\":1,\"timeout_ms\":300}");
    say(&it, conn, "{\"type\":\"request\",\"id\":2,\"topic\":\"a.b\",\"data\":1,\"timeout_ms\":300}");
    accepted(&it, 1, 50); /* the second one is still on its way when its time is over */
    assert_true(gate_deadline(it.gate) == 1300);
    gate_now(it.gate, 1300, 1700000000300);
    gate_tick(it.gate);
    const char *got = hear(&it, conn);
    assert_int_equal(lines(got), 2);
    assert_has(got, "\"id\":1,\"code\":\"timeout\"");
    assert_has(got, "\"id\":2,\"code\":\"timeout\"");
    accepted(&it, 2, 51);
    answered(&it, it.subscribed[0].id, 50, EVENT_REPLY_OK, 0, "1");
    answered(&it, it.subscribed[0].id, 51, EVENT_REPLY_OK, 0, "1");
    assert_string_equal(hear(&it, conn), "");
    assert_int_equal(gate_stats(it.gate)->operations, 0);
}

static void a_cancel_is_passed_on_also_before_the_event_has_a_place(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"request\",\"id\":\"r\",\"topic\":\"a.b\",\"data\":1}");
    say(&it, conn, "{\"type\":\"cancel\",\"id\":2,\"request\":\"r\"}");
    const char *got = hear(&it, conn);
    assert_has(got, "{\"type\":\"error\",\"id\":\"r\",\"code\":\"cancelled\"");
    assert_has(got, "{\"type\":\"ok\",\"id\":2}");
    assert_int_equal(it.cancelled_count, 0);
    accepted(&it, 1, 77);
    assert_int_equal(it.cancelled_count, 1);
    assert_int_equal(it.cancelled[0], 77);
    assert_int_equal(gate_stats(it.gate)->operations, 0);
    say(&it, conn, "{\"type\":\"cancel\",\"id\":3,\"request\":\"r\"}");
    assert_has(hear(&it, conn), "\"id\":3,\"code\":\"not_found\"");
}

static void an_answer_may_come_before_its_request_is_accepted_again(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn,
        "[{\"type\":\"request\",\"id\":1,\"topic\":\"a.b\",\"data\":1},{\"type\":\"request\",\"id\":2,\"topic\":\"a.b\",\"data\":1}]");
    uint64_t inbox = it.subscribed[0].id;
    answered(&it, inbox, 50, EVENT_REPLY_OK, 0, "\"nobody's\""); /* nothing was sent again yet */
    connected(&it);
    partial(&it, 50, 1, 0, "0");
    partial(&it, 51, 1, 0, "1");
    partial(&it, 50, 1, 1, "2");
    answered(&it, inbox, 50, EVENT_REPLY_OK, 0, "\"first\"");
    answered(&it, inbox, 49, EVENT_REPLY_OK, 0, "\"to one that is answered\"");
    assert_string_equal(hear(&it, conn), "");
    accepted(&it, 1, 50);
    assert_string_equal(hear(&it, conn), "{\"type\":\"partial\",\"id\":1,\"attempt\":1,\"index\":0,\"data\":0}\n"
                                        "{\"type\":\"partial\",\"id\":1,\"attempt\":1,\"index\":1,\"data\":2}\n"
                                        "{\"type\":\"reply\",\"id\":1,\"data\":\"first\"}\n");
    accepted(&it, 2, 51);
    assert_int_equal(gate_stats(it.gate)->pool_bytes, 256); /* the partial's frame waits for its socket, nothing else does */
    answered(&it, inbox, 51, EVENT_REPLY_OK, 0, "\"second\"");
    assert_string_equal(hear(&it, conn), "{\"type\":\"partial\",\"id\":2,\"attempt\":1,\"index\":0,\"data\":1}\n"
                                        "{\"type\":\"reply\",\"id\":2,\"data\":\"second\"}\n");
    assert_int_equal(gate_stats(it.gate)->operations + gate_stats(it.gate)->pool_bytes, 0);
}

static void answers_that_cannot_be_kept_end_the_connection(void **state)
{
    (void)state;
    uint32_t conn = client(&it), other = client(&it);
    const char *reason;
    for (uint32_t i = 0; i < 2; i++)
        say(&it, i == 0 ? conn : other, "{\"type\":\"request\",\"id\":1,\"topic\":\"a.b\",\"data\":1}");
    connected(&it);
    for (uint64_t seq = 100; seq < 100 + 17; seq++) /* one more than a connection may have messages without their answer */
        answered(&it, it.subscribed[0].id, seq, EVENT_REPLY_OK, 0, "1");
    assert_int_equal(gate_close_code(it.gate, conn, &reason), 4529);
    assert_int_equal(gate_close_code(it.gate, other, &reason), 0);
    gate_closed(it.gate, conn);
    gate_closed(it.gate, other);
    assert_int_equal(gate_stats(it.gate)->pool_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_publish_is_answered_when_its_number_is),
        TEST(a_link_without_room_is_overloaded_at_once),
        TEST(who_is_gone_gets_no_answer_and_leaves_nothing),
        TEST(a_request_gets_partials_in_order_and_one_answer),
        TEST(of_two_groups_that_answer_the_pieces_of_one_are_passed_on),
        TEST(a_request_without_an_answer_times_out_once),
        TEST(an_answer_may_come_before_its_request_is_accepted_again),
        TEST(answers_that_cannot_be_kept_end_the_connection),
        TEST(a_cancel_is_passed_on_also_before_the_event_has_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
