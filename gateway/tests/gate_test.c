/* The core through its door: what clients say and get, with an uplink that only writes down. */
#include <stdio.h>
#include <string.h>

#include "gateway/tests/gate_fixture.h"

static struct fixture f;

static int open_default(void **state)
{
    (void)state;
    const struct gate_config config = fixture_config();
    fixture_open(&f, &config);
    return 0;
}

static int close_it(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("no %s in %s", part, text);
}

static size_t lines(const char *text)
{
    size_t count = 0;
    for (; *text != 0; text++)
        count += *text == '\n';
    return count;
}

/* The seqs of the event frames in text, in order: "1 2 3". */
static const char *seqs(const char *text)
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

static void a_publish_is_answered_when_its_number_is(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn,
        "{\"type\":\"publish\",\"id\":\"a\",\"topic\":\"docs.x\",\"data\":{\"b\" : 1.50},\"key\":\"k\\u00e9\",\"headers\":{\"h\":\"v\"}}");
    struct event event;
    assert_int_equal(event_scan(span_of(f.event, f.event_size), &event), EVENT_OK);
    assert_true(span_equal(event.data, span_text("{\"b\" : 1.50}")));
    assert_true(span_equal(event.key, span_text("k\xC3\xA9")));
    assert_true(span_equal(event.content_type, span_text("application/json")));
    assert_int_equal(event.header_count, 1);
    assert_string_equal(hear(&f, conn), "");
    accepted(&f, 1, 120);
    assert_string_equal(hear(&f, conn),
                        "{\"type\":\"ok\",\"id\":\"a\",\"event\":\"00c0ffee00c0ffee-120\",\"seq\":120,\"duplicate\":false}\n");
    say(&f, conn, "{\"type\":\"publish\",\"id\":2,\"topic\":\"docs.x\",\"data\":1}");
    refused(&f, 2, CODE_THROTTLED);
    assert_string_equal(hear(&f, conn), "{\"type\":\"error\",\"id\":2,\"code\":\"throttled\",\"message\":\"throttled\",\"retry_ms\":7}\n");
}

static void a_link_without_room_is_overloaded_at_once(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    f.publish_result = LINK_FULL;
    say(&f, conn, "{\"type\":\"publish\",\"id\":1,\"topic\":\"docs.x\",\"data\":1}");
    assert_has(hear(&f, conn), "\"code\":\"overloaded\"");
    assert_int_equal(gate_stats(f.gate)->operations, 0);
}

static void who_is_gone_gets_no_answer_and_leaves_nothing(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn,
        "[{\"type\":\"publish\",\"id\":1,\"topic\":\"docs.x\",\"data\":1},{\"type\":\"request\",\"id\":2,\"topic\":\"docs.x\",\"data\":1},"
        "{\"type\":\"subscribe\",\"id\":3,\"topic\":\"docs.x\",\"since\":\"start\"},{\"type\":\"history\",\"id\":4,\"topic\":\"docs.x\"}]");
    gate_closed(f.gate, conn);
    gate_settle_uplink(f.gate);
    accepted(&f, 1, 1);
    accepted(&f, 2, 2);
    assert_int_equal(f.unsubscribed_count, 4); /* inbox, shared, stream, history */
    for (size_t i = 0; i < 4; i++)
        ended(&f, f.unsubscribed[i], CODE_OK);
    const struct gate_stats *stats = gate_stats(f.gate);
    assert_int_equal(stats->connections + stats->subscriptions + stats->topics + stats->operations + stats->pool_bytes, 0);
    assert_true(gate_deadline(f.gate) == UINT64_MAX);
}

static void sockets_with_the_same_filter_share_one_subscription(void **state)
{
    (void)state;
    uint32_t a = client(&f);
    uint32_t b = client(&f);
    say(&f, a, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    assert_int_equal(f.subscribed_count, 1);
    assert_string_equal(f.subscribed[0].tenant, "dev");
    assert_string_equal(hear(&f, a), "");
    subscribed(&f, last_subscription(&f), 9, false);
    assert_has(hear(&f, a), "\"cursor\":\"00c0ffee00c0ffee-9\",\"recovered\":0,\"gap\":false}");
    events(&f, last_subscription(&f), 10, 2, NULL);
    say(&f, b, "{\"type\":\"subscribe\",\"id\":2,\"topic\":\"docs.>\"}");
    assert_has(hear(&f, b), "\"cursor\":\"00c0ffee00c0ffee-11\"");
    events(&f, last_subscription(&f), 12, 1, NULL);
    assert_int_equal(f.subscribed_count, 1);
    assert_string_equal(seqs(hear(&f, a)), "10 11 12");
    assert_string_equal(seqs(hear(&f, b)), "12");
    assert_int_equal(f.consumed, 3);
    say(&f, a, "{\"type\":\"unsubscribe\",\"id\":3,\"topic\":\"docs.>\"}");
    assert_int_equal(f.unsubscribed_count, 0);
    say(&f, b, "{\"type\":\"unsubscribe\",\"id\":3,\"topic\":\"docs.>\"}");
    assert_int_equal(f.unsubscribed_count, 1);
}

/* Subscribes with since; gives the ids of the shared topic (confirmed at 20) and of the stream. */
static uint32_t begin_catching_up(uint64_t *out_shared, uint64_t *out_stream)
{
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.x\",\"since\":\"00c0ffee00c0ffee-10\"}");
    assert_int_equal(f.subscribed_count, 2);
    *out_shared = f.subscribed[0].id;
    *out_stream = f.subscribed[1].id;
    assert_int_equal(f.subscribed[1].start, START_SEQ);
    assert_int_equal(f.subscribed[1].start_at, 10);
    subscribed(&f, *out_shared, 20, false);
    subscribed(&f, *out_stream, 10, false);
    return conn;
}

static void what_was_missed_comes_first_then_the_ok_then_the_shared_stream(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    events(&f, stream, 11, 3, NULL);
    events(&f, shared, 21, 1, NULL); /* live meanwhile: the stream gives it, too */
    events(&f, stream, 21, 1, NULL);
    caught_up(&f, stream, 21);
    const char *got = hear(&f, conn);
    assert_int_equal(lines(got), 5);
    assert_has(got, "\"recovered\":4,\"gap\":false");
    assert_has(got, "\"cursor\":\"00c0ffee00c0ffee-21\"");
    assert_int_equal(f.unsubscribed_count, 1);
    assert_true(f.unsubscribed[0] == stream);
    events(&f, stream, 22, 1, NULL); /* was on its way */
    events(&f, shared, 22, 2, NULL);
    assert_string_equal(seqs(hear(&f, conn)), "22 23");
}

static void whoever_goes_by_credit_is_told_of_a_gap_too(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.x\",\"since\":\"00c0ffee00c0ffee-10\",\"credit\":5}");
    uint64_t stream = last_subscription(&f);
    subscribed(&f, stream, 10, false);
    assert_has(hear(&f, conn), "\"gap\":false");
    subscribed(&f, stream, 30, true); /* after a lost connection of the gateway's */
    assert_has(hear(&f, conn),
               "\"code\":\"gone\",\"message\":\"events were missed: they have left the window\",\"topic\":\"docs.x\",\"ended\":false}");
    events(&f, stream, 31, 1, NULL);
    assert_string_equal(seqs(hear(&f, conn)), "31");
}

static void the_change_waits_while_the_shared_stream_is_ahead(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    events(&f, stream, 11, 2, NULL);
    events(&f, shared, 21, 2, NULL); /* 22 is ahead of what the stream gave */
    caught_up(&f, stream, 20);
    assert_int_equal(f.unsubscribed_count, 0);
    events(&f, stream, 21, 1, NULL);
    assert_int_equal(f.unsubscribed_count, 0);
    events(&f, stream, 22, 1, NULL);
    assert_int_equal(f.unsubscribed_count, 1);
    events(&f, shared, 23, 1, NULL);
    char got[8192];
    snprintf(got, sizeof got, "%s", hear(&f, conn));
    assert_string_equal(seqs(got), "11 12 21 22 23");
}

static void a_shared_run_is_cut_where_the_client_has_had_it(void **state)
{
    (void)state;
    uint64_t shared;
    uint64_t stream;
    uint32_t conn = begin_catching_up(&shared, &stream);
    events(&f, stream, 11, 15, NULL); /* 11..25 */
    caught_up(&f, stream, 25);
    assert_int_equal(f.unsubscribed_count, 1);
    swallow(&f, conn);
    events(&f, shared, 23, 5, NULL); /* 23..27: half of it is known */
    assert_string_equal(seqs(hear(&f, conn)), "26 27");
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
    uint64_t may = f.subscribed[1].credit;
    for (int turn = 0; turn < 100; turn++) { /* a coordinator that sends all it may, to a socket that does not read */
        while (sent < may + f.granted)
            events(&f, stream, 11 + sent++, 1, data);
    }
    assert_true(sent < 20);
    assert_int_equal(gate_close_code(f.gate, conn, &(const char *){ NULL }), 0);
    swallow(&f, conn);
    assert_true(may + f.granted > sent);
}

static void with_credit_no_more_than_that_is_unacknowledged(void **state)
{
    (void)state;
    struct gate_config config = fixture_config();
    config.limits.queue_bytes = 1024 * 1024; /* room for three events, however large */
    fixture_close(&f);
    fixture_open(&f, &config);
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.x\",\"credit\":3,\"since\":\"start\"}");
    assert_int_equal(f.subscribed_count, 1);
    assert_int_equal(f.subscribed[0].credit, 3);
    uint64_t id = last_subscription(&f);
    subscribed(&f, id, 0, false);
    assert_has(hear(&f, conn), "\"type\":\"ok\"");
    events(&f, id, 1, 3, NULL);
    assert_int_equal(f.granted, 0);
    say(&f, conn, "{\"type\":\"ack\",\"topic\":\"docs.x\",\"event\":\"00c0ffee00c0ffee-2\"}");
    assert_int_equal(f.granted, 2);
    say(&f, conn, "{\"type\":\"ack\",\"topic\":\"docs.x\",\"event\":\"00c0ffee00c0ffee-2\"}"); /* again: nothing new */
    assert_int_equal(f.granted, 2);
    events(&f, id, 4, 2, NULL);
    caught_up(&f, id, 5);
    assert_string_equal(seqs(hear(&f, conn)), "1 2 3 4 5");
    say(&f, conn, "{\"type\":\"ack\",\"topic\":\"docs.x\",\"event\":\"00c0ffee00c0ffee-5\"}");
    assert_int_equal(f.granted, 5);
    assert_string_equal(hear(&f, conn), "");
}

static void an_event_that_stands_here_again_keeps_its_id_and_has_a_cursor(void **state)
{
    (void)state;
    struct gate_config config = fixture_config();
    config.limits.queue_bytes = 1024 * 1024;
    fixture_close(&f);
    fixture_open(&f, &config);
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.x\",\"credit\":3,\"since\":\"start\"}");
    uint64_t id = last_subscription(&f);
    subscribed(&f, id, 0, false);
    events(&f, id, 7, 1, NULL);
    f.again = 2;
    events(&f, id, 8, 1, NULL);
    const char *heard = hear(&f, conn);
    assert_has(heard, "\"event\":\"00c0ffee00c0ffee-7\",\"seq\":7");
    assert_has(heard, "\"event\":\"00c0ffee00c0ffee-2\",\"cursor\":\"00c0ffee00c0ffee-8\",\"seq\":8");
    say(&f, conn, "{\"type\":\"ack\",\"topic\":\"docs.x\",\"event\":\"00c0ffee00c0ffee-2\"}"); /* acked by its id, with all before it */
    assert_int_equal(f.granted, 2);
}

static void a_request_gets_partials_in_order_and_one_answer(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"request\",\"id\":4,\"topic\":\"agents.plan\",\"data\":1}");
    assert_int_equal(f.subscribed_count, 1);
    assert_memory_equal(f.subscribed[0].filter, "$inbox.", 7);
    struct event event;
    assert_int_equal(event_scan(span_of(f.event, f.event_size), &event), EVENT_OK);
    assert_true(span_equal(event.reply_to, span_text(f.subscribed[0].filter)));
    assert_true(event.deadline_ms == 1700000030000);
    accepted(&f, 1, 50);
    partial(&f, 50, 1, 0, "{\"a\":1}");
    partial(&f, 50, 1, 2, "9"); /* 1 is missing: no more of this attempt */
    partial(&f, 50, 1, 3, "9");
    partial(&f, 50, 2, 0, "not json");
    partial(&f, 50, 1, 1, "9"); /* of an older attempt */
    answered(&f, f.subscribed[0].id, 50, EVENT_REPLY_OK, 0, "{\"done\":true}");
    answered(&f, f.subscribed[0].id, 50, EVENT_REPLY_OK, 0, "2");
    partial(&f, 50, 2, 1, "3");
    assert_string_equal(hear(&f, conn), "{\"type\":\"partial\",\"id\":4,\"attempt\":1,\"index\":0,\"data\":{\"a\":1}}\n"
                                        "{\"type\":\"partial\",\"id\":4,\"attempt\":2,\"index\":0,\"data_base64\":\"bm90IGpzb24=\"}\n"
                                        "{\"type\":\"reply\",\"id\":4,\"data\":{\"done\":true}}\n");
    say(&f, conn, "{\"type\":\"request\",\"id\":5,\"topic\":\"agents.plan\",\"data\":1}");
    assert_int_equal(f.subscribed_count, 1); /* the inbox is there */
    accepted(&f, 2, 60);
    answered(&f, f.subscribed[0].id, 60, EVENT_REPLY_ERROR, CODE_NOT_FOUND, "\"no \\\"plan\\\"\"");
    assert_string_equal(hear(&f, conn), "{\"type\":\"error\",\"id\":5,\"code\":\"not_found\",\"message\":\"no \\\"plan\\\"\"}\n");
}

static void of_two_groups_that_answer_the_pieces_of_one_are_passed_on(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"request\",\"id\":4,\"topic\":\"agents.plan\",\"token\":\"t\",\"data\":1}");
    accepted(&f, 1, 50);
    for (uint32_t index = 0; index < 2; index++)
        for (f.partial_group = 7; f.partial_group < 9; f.partial_group++)
            partial(&f, 50, 1, index, f.partial_group == 7 ? "\"mine\"" : "\"other\"");
    f.partial_group = 8;
    partial(&f, 50, 2, 0, "\"other\"");
    const char *heard = hear(&f, conn);
    assert_null(strstr(heard, "other"));
    assert_has(heard, "\"index\":1,\"data\":\"mine\"");
    /* the same token once more: the first one has the answer */
    say(&f, conn, "{\"type\":\"request\",\"id\":5,\"topic\":\"agents.plan\",\"token\":\"t\",\"data\":1}");
    accepted(&f, 2, 50);
    assert_has(hear(&f, conn), "\"id\":5,\"code\":\"conflict\"");
    answered(&f, f.subscribed[0].id, 50, EVENT_REPLY_OK, 0, "2");
    assert_string_equal(hear(&f, conn), "{\"type\":\"reply\",\"id\":4,\"data\":2}\n");
}

static void a_request_without_an_answer_times_out_once(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"request\",\"id\":1,\"topic\":\"a.b\",\"data\":1,\"timeout_ms\":300}");
    say(&f, conn, "{\"type\":\"request\",\"id\":2,\"topic\":\"a.b\",\"data\":1,\"timeout_ms\":300}");
    accepted(&f, 1, 50); /* the second one is still on its way when its time is over */
    assert_true(gate_deadline(f.gate) == 1300);
    gate_now(f.gate, 1300, 1700000000300);
    gate_tick(f.gate);
    const char *got = hear(&f, conn);
    assert_int_equal(lines(got), 2);
    assert_has(got, "\"id\":1,\"code\":\"timeout\"");
    assert_has(got, "\"id\":2,\"code\":\"timeout\"");
    accepted(&f, 2, 51);
    answered(&f, f.subscribed[0].id, 50, EVENT_REPLY_OK, 0, "1");
    answered(&f, f.subscribed[0].id, 51, EVENT_REPLY_OK, 0, "1");
    assert_string_equal(hear(&f, conn), "");
    assert_int_equal(gate_stats(f.gate)->operations, 0);
}

static void a_cancel_is_passed_on_also_before_the_event_has_a_place(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"request\",\"id\":\"r\",\"topic\":\"a.b\",\"data\":1}");
    say(&f, conn, "{\"type\":\"cancel\",\"id\":2,\"request\":\"r\"}");
    const char *got = hear(&f, conn);
    assert_has(got, "{\"type\":\"error\",\"id\":\"r\",\"code\":\"cancelled\"");
    assert_has(got, "{\"type\":\"ok\",\"id\":2}");
    assert_int_equal(f.cancelled_count, 0);
    accepted(&f, 1, 77);
    assert_int_equal(f.cancelled_count, 1);
    assert_int_equal(f.cancelled[0], 77);
    assert_int_equal(gate_stats(f.gate)->operations, 0);
    say(&f, conn, "{\"type\":\"cancel\",\"id\":3,\"request\":\"r\"}");
    assert_has(hear(&f, conn), "\"id\":3,\"code\":\"not_found\"");
}

static void a_history_is_one_answer(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"history\",\"id\":6,\"topic\":\"docs.>\",\"limit\":2}");
    assert_int_equal(f.subscribed[0].limit, 2);
    assert_int_equal(f.subscribed[0].start, START_FIRST);
    subscribed(&f, last_subscription(&f), 0, true);
    events(&f, last_subscription(&f), 1, 2, NULL);
    struct link_fact end = { .kind = LINK_FACT_ENDED, .subscription = { .id = last_subscription(&f), .cursor = 2, .more = true } };
    gate_fact(f.gate, &end);
    const char *got = hear(&f, conn);
    assert_int_equal(lines(got), 1);
    assert_has(got, "{\"type\":\"ok\",\"id\":6,\"events\":[{\"type\":\"event\"");
    assert_has(got, "],\"gap\":true,\"more\":true,\"cursor\":\"00c0ffee00c0ffee-2\"}");
    assert_int_equal(gate_stats(f.gate)->topics, 0);
}

static void a_history_is_bounded_in_bytes(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    static char data[60001];
    memset(data, '1', sizeof data - 1);
    say(&f, conn, "{\"type\":\"history\",\"id\":6,\"topic\":\"docs.>\",\"limit\":1000}");
    subscribed(&f, last_subscription(&f), 0, false);
    events(&f, last_subscription(&f), 1, 50, data);
    assert_has(hear(&f, conn), "\"more\":true,\"cursor\":\"00c0ffee00c0ffee-9\"");
    assert_int_equal(f.unsubscribed_count, 1);
}

static void broken_frames_do_nothing_and_cost_one_error(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    static const char *const frames[] = { "",
                                          "{",
                                          "[",
                                          "7",
                                          "{\"type\":\"ping\",\"type\":\"ping\"}",
                                          "[{\"type\":\"publish\",\"topic\":\"a.b\",\"data\":1},{]",
                                          "{\"type\":\"publish\",\"topic\":\"a.b\",\"data\":tru}" };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        say(&f, conn, frames[i]);
        const char *got = hear(&f, conn);
        assert_int_equal(lines(got), 1);
        assert_has(got, "{\"type\":\"error\",\"code\":\"bad_frame\"");
    }
    assert_int_equal(f.numbers, 0);
    say(&f, conn, "[ ]");
    assert_string_equal(hear(&f, conn), "");
    say(&f, conn, "{\"type\":\"ping\",\"id\":1.50}");
    assert_string_equal(hear(&f, conn), "{\"type\":\"pong\",\"id\":1.50}\n");
}

static void a_slow_socket_is_told_then_ended_and_its_neighbour_gets_everything(void **state)
{
    (void)state;
    uint32_t slow = client(&f);
    uint32_t quick = client(&f);
    say(&f, slow, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    say(&f, quick, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    uint64_t id = last_subscription(&f);
    subscribed(&f, id, 0, false);
    static char data[10001];
    memset(data, '1', sizeof data - 1);
    const char *reason = NULL;
    uint64_t seq = 0;
    while (gate_stats(f.gate)->slow_downs == 0 && seq < 100) {
        events(&f, id, ++seq, 1, data);
        assert_true(swallow(&f, quick) > 10000);
    }
    assert_in_range(seq, 13, 14); /* half of 256 KiB */
    const char *got = hear(&f, slow);
    assert_true(strncmp(got, "{\"type\":\"slow_down\",\"scope\":\"connection\",\"level\":0.5",
                        strlen("{\"type\":\"slow_down\",\"scope\":\"connection\",\"level\":0.5")) == 0);
    assert_has(got, "{\"type\":\"speed_up\"");
    while (gate_close_code(f.gate, slow, &reason) == 0 && seq < 200) {
        events(&f, id, ++seq, 1, data);
        assert_true(swallow(&f, quick) > 10000);
    }
    assert_int_equal(gate_close_code(f.gate, slow, &reason), 4529);
    assert_int_equal(lines(hear(&f, slow)), 1); /* slow_down, and none of what it did not read */
    assert_int_equal(gate_close_code(f.gate, quick, &reason), 0);
    assert_int_equal(gate_stats(f.gate)->slow_closes, 1);
}

static void memory_that_runs_short_ends_the_hogs_and_not_the_others(void **state)
{
    (void)state;
    struct gate_config config = fixture_config();
    config.limits.pool_bytes = 1024 * 1024;
    fixture_close(&f);
    fixture_open(&f, &config);
    uint32_t conns[8];
    static char data[10001];
    memset(data, '1', sizeof data - 1);
    uint32_t good = client(&f);
    for (size_t i = 0; i < 8; i++) {
        char text[128];
        conns[i] = client(&f);
        snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.%zu\"}", i);
        say(&f, conns[i], text);
        subscribed(&f, last_subscription(&f), 0, false);
        for (uint64_t seq = 1; seq <= 20; seq++)
            events(&f, last_subscription(&f), seq, 1, data);
    }
    assert_true(gate_stats(f.gate)->slow_closes > 0);
    assert_true(f.consumed > 0);
    say(&f, good, "{\"type\":\"ping\",\"id\":1}");
    assert_string_equal(hear(&f, good), "{\"type\":\"pong\",\"id\":1}\n");
}

static void without_a_credential_nothing_is_served_and_the_time_is_short(void **state)
{
    (void)state;
    static const struct gate_identity identities[] = {
        { { (const uint8_t *)"t1", 2 }, { (const uint8_t *)"acme", 4 }, { (const uint8_t *)"anna", 4 } }
    };
    struct gate_config config = fixture_config();
    config.dev = false;
    config.identities = identities;
    config.identity_count = 1;
    fixture_close(&f);
    fixture_open(&f, &config);
    const char *reason = NULL;
    uint32_t late = client(&f);
    uint32_t wrong = client(&f);
    uint32_t anna = client(&f);
    say(&f, anna, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"a\"}");
    assert_has(hear(&f, anna), "\"id\":1,\"code\":\"unauthorized\"");
    say(&f, anna, "{\"type\":\"auth\",\"id\":2,\"credential\":\"t1\"}");
    assert_string_equal(hear(&f, anna), "{\"type\":\"ok\",\"id\":2}\n");
    say(&f, anna, "{\"type\":\"subscribe\",\"id\":3,\"topic\":\"a\"}");
    assert_string_equal(f.subscribed[0].tenant, "acme");
    say(&f, wrong, "{\"type\":\"auth\",\"id\":2,\"credential\":\"t2\"}");
    assert_has(hear(&f, wrong), "\"code\":\"unauthorized\"");
    assert_int_equal(gate_close_code(f.gate, wrong, &reason), 4401);
    gate_now(f.gate, 2000, 1700000001000);
    gate_tick(f.gate);
    assert_int_equal(gate_close_code(f.gate, late, &reason), 4401);
    assert_int_equal(gate_close_code(f.gate, anna, &reason), 0);
}

static void a_subscription_that_is_refused_answers_all_who_wait_for_it(void **state)
{
    (void)state;
    uint32_t a = client(&f);
    uint32_t b = client(&f);
    say(&f, a, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    say(&f, b, "{\"type\":\"subscribe\",\"id\":2,\"topic\":\"docs.>\",\"since\":\"start\"}");
    uint64_t stream = last_subscription(&f);
    ended(&f, f.subscribed[0].id, CODE_FORBIDDEN);
    assert_has(hear(&f, a), "\"id\":1,\"code\":\"forbidden\"");
    assert_has(hear(&f, b), "\"id\":2,\"code\":\"forbidden\"");
    assert_int_equal(f.unsubscribed_count, 1);
    ended(&f, stream, CODE_OK);
    assert_int_equal(gate_stats(f.gate)->topics, 0);
    assert_int_equal(gate_stats(f.gate)->subscriptions, 0);
}

static void subscribes_that_the_coordinator_does_not_answer_are_given_up(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\",\"last\":3}");
    say(&f, conn, "{\"type\":\"history\",\"id\":2,\"topic\":\"docs.>\"}");
    gate_now(f.gate, 6000, 1700000006000);
    gate_tick(f.gate);
    gate_settle_uplink(f.gate);
    const char *got = hear(&f, conn);
    assert_has(got, "\"id\":1,\"code\":\"timeout\"");
    assert_has(got, "\"id\":2,\"code\":\"timeout\"");
    assert_int_equal(f.unsubscribed_count, 3);
    assert_int_equal(gate_stats(f.gate)->subscriptions, 0);
}

static void draining_tells_everyone_from_where_to_go_on(void **state)
{
    (void)state;
    uint32_t conn = client(&f);
    say(&f, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    subscribed(&f, last_subscription(&f), 9, false);
    events(&f, last_subscription(&f), 10, 1, NULL);
    swallow(&f, conn);
    gate_drain(f.gate, 1000);
    const char *got = hear(&f, conn);
    assert_has(got, "{\"type\":\"drain\",\"reconnect_ms\":");
    assert_has(got, "\"resume\":\"00c0ffee00c0ffee-10\"}");
    gate_drain_end(f.gate);
    const char *reason = NULL;
    assert_int_equal(gate_close_code(f.gate, conn, &reason), 1001);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_default, close_it)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_publish_is_answered_when_its_number_is),
        TEST(a_link_without_room_is_overloaded_at_once),
        TEST(who_is_gone_gets_no_answer_and_leaves_nothing),
        TEST(sockets_with_the_same_filter_share_one_subscription),
        TEST(what_was_missed_comes_first_then_the_ok_then_the_shared_stream),
        TEST(whoever_goes_by_credit_is_told_of_a_gap_too),
        TEST(the_change_waits_while_the_shared_stream_is_ahead),
        TEST(a_shared_run_is_cut_where_the_client_has_had_it),
        TEST(a_stream_is_given_credit_only_as_its_socket_drains),
        TEST(with_credit_no_more_than_that_is_unacknowledged),
        TEST(an_event_that_stands_here_again_keeps_its_id_and_has_a_cursor),
        TEST(a_request_gets_partials_in_order_and_one_answer),
        TEST(of_two_groups_that_answer_the_pieces_of_one_are_passed_on),
        TEST(a_request_without_an_answer_times_out_once),
        TEST(a_cancel_is_passed_on_also_before_the_event_has_a_place),
        TEST(a_history_is_one_answer),
        TEST(a_history_is_bounded_in_bytes),
        TEST(broken_frames_do_nothing_and_cost_one_error),
        TEST(a_slow_socket_is_told_then_ended_and_its_neighbour_gets_everything),
        TEST(memory_that_runs_short_ends_the_hogs_and_not_the_others),
        TEST(without_a_credential_nothing_is_served_and_the_time_is_short),
        TEST(a_subscription_that_is_refused_answers_all_who_wait_for_it),
        TEST(subscribes_that_the_coordinator_does_not_answer_are_given_up),
        TEST(draining_tells_everyone_from_where_to_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
