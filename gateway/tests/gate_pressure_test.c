/* The core through its door: who is broken, slow, unknown or greedy, and how it all ends. */
#include <stdio.h>
#include <string.h>

#include "gateway/tests/gate_fixture.h"

static void broken_frames_do_nothing_and_cost_one_error(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    static const char *const frames[] = { "",
                                          "{",
                                          "[",
                                          "7",
                                          "{\"type\":\"ping\",\"type\":\"ping\"}",
                                          "[{\"type\":\"publish\",\"topic\":\"a.b\",\"data\":1},{]",
                                          "{\"type\":\"publish\",\"topic\":\"a.b\",\"data\":tru}" };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        say(&it, conn, frames[i]);
        const char *got = hear(&it, conn);
        assert_int_equal(lines(got), 1);
        assert_has(got, "{\"type\":\"error\",\"code\":\"bad_frame\"");
    }
    assert_int_equal(it.numbers, 0);
    say(&it, conn, "[ ]");
    assert_string_equal(hear(&it, conn), "");
    say(&it, conn, "{\"type\":\"ping\",\"id\":1.50}");
    assert_string_equal(hear(&it, conn), "{\"type\":\"pong\",\"id\":1.50}\n");
}

static void a_slow_socket_is_told_then_ended_and_its_neighbour_gets_everything(void **state)
{
    (void)state;
    uint32_t slow = client(&it);
    uint32_t quick = client(&it);
    say(&it, slow, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    say(&it, quick, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    uint64_t id = last_subscription(&it);
    subscribed(&it, id, 0, false);
    static char data[10001];
    memset(data, '1', sizeof data - 1);
    const char *reason = NULL;
    uint64_t seq = 0;
    while (gate_stats(it.gate)->slow_downs == 0 && seq < 100) {
        events(&it, id, ++seq, 1, data);
        assert_true(swallow(&it, quick) > 10000);
    }
    assert_in_range(seq, 13, 14); /* half of 256 KiB */
    const char *got = hear(&it, slow);
    assert_true(strncmp(got, "{\"type\":\"slow_down\",\"scope\":\"connection\",\"level\":0.5",
                        strlen("{\"type\":\"slow_down\",\"scope\":\"connection\",\"level\":0.5")) == 0);
    assert_has(got, "{\"type\":\"speed_up\"");
    while (gate_close_code(it.gate, slow, &reason) == 0 && seq < 200) {
        events(&it, id, ++seq, 1, data);
        assert_true(swallow(&it, quick) > 10000);
    }
    assert_int_equal(gate_close_code(it.gate, slow, &reason), 4529);
    assert_int_equal(lines(hear(&it, slow)), 1); /* slow_down, and none of what it did not read */
    assert_int_equal(gate_close_code(it.gate, quick, &reason), 0);
    assert_int_equal(gate_stats(it.gate)->slow_closes, 1);
}

static void memory_that_runs_short_ends_the_hogs_and_not_the_others(void **state)
{
    (void)state;
    struct gate_config config = fixture_config();
    config.limits.pool_bytes = 1024 * 1024;
    fixture_close(&it);
    fixture_open(&it, &config);
    uint32_t conns[8];
    static char data[10001];
    memset(data, '1', sizeof data - 1);
    uint32_t good = client(&it);
    for (size_t i = 0; i < 8; i++) {
        char text[128];
        conns[i] = client(&it);
        snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.%zu\"}", i);
        say(&it, conns[i], text);
        subscribed(&it, last_subscription(&it), 0, false);
        for (uint64_t seq = 1; seq <= 20; seq++)
            events(&it, last_subscription(&it), seq, 1, data);
    }
    assert_true(gate_stats(it.gate)->slow_closes > 0);
    assert_true(it.consumed > 0);
    say(&it, good, "{\"type\":\"ping\",\"id\":1}");
    assert_string_equal(hear(&it, good), "{\"type\":\"pong\",\"id\":1}\n");
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
    fixture_close(&it);
    fixture_open(&it, &config);
    const char *reason = NULL;
    uint32_t late = client(&it);
    uint32_t wrong = client(&it);
    uint32_t anna = client(&it);
    say(&it, anna, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"a\"}");
    assert_has(hear(&it, anna), "\"id\":1,\"code\":\"unauthorized\"");
    say(&it, anna, "{\"type\":\"auth\",\"id\":2,\"credential\":\"t1\"}");
    assert_string_equal(hear(&it, anna), "{\"type\":\"ok\",\"id\":2}\n");
    say(&it, anna, "{\"type\":\"subscribe\",\"id\":3,\"topic\":\"a\"}");
    assert_string_equal(it.subscribed[0].tenant, "acme");
    say(&it, wrong, "{\"type\":\"auth\",\"id\":2,\"credential\":\"t2\"}");
    assert_has(hear(&it, wrong), "\"code\":\"unauthorized\"");
    assert_int_equal(gate_close_code(it.gate, wrong, &reason), 4401);
    gate_now(it.gate, 2000, 1700000001000);
    gate_tick(it.gate);
    assert_int_equal(gate_close_code(it.gate, late, &reason), 4401);
    assert_int_equal(gate_close_code(it.gate, anna, &reason), 0);
}

static void draining_tells_everyone_from_where_to_go_on(void **state)
{
    (void)state;
    uint32_t conn = client(&it);
    say(&it, conn, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"docs.>\"}");
    subscribed(&it, last_subscription(&it), 9, false);
    events(&it, last_subscription(&it), 10, 1, NULL);
    swallow(&it, conn);
    gate_drain(it.gate, 1000);
    const char *got = hear(&it, conn);
    assert_has(got, "{\"type\":\"drain\",\"reconnect_ms\":");
    assert_has(got, "\"resume\":\"00c0ffee00c0ffee-10\"}");
    gate_drain_end(it.gate);
    const char *reason = NULL;
    assert_int_equal(gate_close_code(it.gate, conn, &reason), 1001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(broken_frames_do_nothing_and_cost_one_error),
        TEST(a_slow_socket_is_told_then_ended_and_its_neighbour_gets_everything),
        TEST(memory_that_runs_short_ends_the_hogs_and_not_the_others),
        TEST(without_a_credential_nothing_is_served_and_the_time_is_short),
        TEST(draining_tells_everyone_from_where_to_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
