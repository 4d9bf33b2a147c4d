/* access.h: tokens, certificates' metadata, and what nobody gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/shell/access.h"
#include "coordinator/shell/clock.h"
#include "coordinator/shell/config.h"

static char error[512];

static struct access *open_with(const char *text)
{
    char name[] = "/tmp/weir-tokens-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct access *access = access_open(name, false, error, sizeof error);
    unlink(name);
    return access;
}

static void a_token_gives_its_tenant_and_roles(void **state)
{
    (void)state;
    struct access *access = open_with("# people\n\nsecret-one  acme worker,client\nsecret-two * gateway\n");
    struct core_grant grant;
    assert_non_null(access);
    assert_true(access_by_token(access, span_text("secret-one"), &grant));
    assert_int_equal(grant.roles, 1u << ROLE_WORKER | 1u << ROLE_CLIENT);
    assert_true(span_equal(grant.tenant, span_text("acme")));
    assert_false(grant.any_tenant);
    assert_true(access_by_token(access, span_text("secret-two"), &grant));
    assert_true(grant.any_tenant);
    assert_int_equal(grant.roles, 1u << ROLE_GATEWAY);
    access_close(&access);
    assert_null(access);
}

static void a_wrong_token_gives_nothing(void **state)
{
    (void)state;
    struct access *access = open_with("secret-one acme worker\n");
    struct core_grant grant = { .roles = 77 };
    char large[300];
    memset(large, 'x', sizeof large);
    assert_false(access_by_token(access, span_text("secret-on"), &grant));
    assert_false(access_by_token(access, span_text("secret-one "), &grant));
    assert_false(access_by_token(access, span_text("Secret-one"), &grant));
    assert_false(access_by_token(access, span_of(large, sizeof large), &grant));
    assert_false(access_by_token(access, span_of(NULL, 0), &grant));
    access_close(&access);
}

static void without_dev_a_new_connection_may_do_nothing(void **state)
{
    (void)state;
    struct access *access = access_open(NULL, false, error, sizeof error);
    assert_int_equal(access_initial(access).roles, 0);
    access_close(&access);
    access = access_open(NULL, true, error, sizeof error);
    assert_true(access_initial(access).any_tenant);
    assert_int_equal(access_initial(access).roles, 1u << ROLE_WORKER | 1u << ROLE_CLIENT | 1u << ROLE_GATEWAY | 1u << ROLE_ADMIN);
    access_close(&access);
}

static void a_broken_file_is_told_with_its_line(void **state)
{
    (void)state;
    assert_null(open_with("secret-one acme worker\nsecret-two acme\n"));
    assert_non_null(strstr(error, ":2: a line is TOKEN TENANT ROLES"));
    assert_null(open_with("secret-one acme boss\n"));
    assert_non_null(strstr(error, ":1: roles are worker"));
    assert_null(open_with("short acme worker\n"));
    assert_null(access_open("/nonexistent/tokens", false, error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/tokens: No such file"));
}

static void metadata_of_a_certificate_is_read_alike(void **state)
{
    (void)state;
    struct core_grant grant;
    assert_true(access_by_names("acme", "worker", &grant));
    assert_true(span_equal(grant.tenant, span_text("acme")));
    assert_false(access_by_names("acme", NULL, &grant));
    assert_false(access_by_names(NULL, "worker", &grant));
    assert_false(access_by_names("acme", "", &grant));
    assert_false(access_by_names("acme", "worker,,client", &grant));
}

static void loopback_is_told_from_the_world(void **state)
{
    (void)state;
    const char *local[] = { "tcp://127.0.0.1:7400", "tcp://127.9.0.1:0",    "tcp://localhost:1",
                            "tcp://[::1]:1",        "ipc:///run/weir.sock", "tcp://lo:1" };
    const char *world[] = { "tcp://0.0.0.0:7400", "tcp://*:7400",        "tcp://[::]:1",
                            "tcp://10.0.0.1:1",   "tcp://example.org:1", "tcp://localhost.example.org:1" };
    for (size_t i = 0; i < 6; i++) {
        assert_true(config_is_local(local[i]));
        assert_false(config_is_local(world[i]));
    }
}

static void durability_is_read_with_its_interval(void **state)
{
    (void)state;
    enum log_durability how;
    uint32_t ms;
    assert_true(config_parse_durability("fsync", &how, &ms) && how == LOG_FSYNC);
    assert_true(config_parse_durability("os", &how, &ms) && how == LOG_OS);
    assert_true(config_parse_durability("interval:250", &how, &ms) && how == LOG_INTERVAL && ms == 250);
    assert_true(config_parse_durability("interval:2s", &how, &ms) && ms == 2000);
    assert_false(config_parse_durability("interval:0", &how, &ms));
    assert_false(config_parse_durability("interval:", &how, &ms));
    assert_false(config_parse_durability("sometimes", &how, &ms));
}

static void log_time_waits_for_a_clock_that_went_back(void **state)
{
    (void)state;
    struct log_clock clock = { .last_ms = clock_wall_ms() + 3600 * 1000 };
    uint64_t ahead = clock.last_ms;
    assert_int_equal(log_clock_ms(&clock), ahead);
    clock.last_ms = 1;
    assert_true(log_clock_ms(&clock) > 1600000000000);
}

static void a_clock_far_from_the_last_block_is_not_believed(void **state)
{
    (void)state;
    const uint64_t hour = 3600 * 1000, now = 1800000000000;
    assert_true(clock_is_plausible(now, 0));
    assert_true(clock_is_plausible(now, now + 24 * hour));
    assert_false(clock_is_plausible(now, now + 25 * hour));
    assert_true(clock_is_plausible(now, now - 30 * 24 * hour));
    assert_false(clock_is_plausible(now, now - 31 * 24 * hour));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_gives_its_tenant_and_roles),
        cmocka_unit_test(a_wrong_token_gives_nothing),
        cmocka_unit_test(without_dev_a_new_connection_may_do_nothing),
        cmocka_unit_test(a_broken_file_is_told_with_its_line),
        cmocka_unit_test(metadata_of_a_certificate_is_read_alike),
        cmocka_unit_test(loopback_is_told_from_the_world),
        cmocka_unit_test(durability_is_read_with_its_interval),
        cmocka_unit_test(log_time_waits_for_a_clock_that_went_back),
        cmocka_unit_test(a_clock_far_from_the_last_block_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
