/* The real program's doors that stay shut: settings it refuses, peers without a credential. */
#include "coordinator/shell/tests/running.h"

#include <czmq.h>

static void a_tcp_address_beyond_loopback_needs_curve_or_a_word(void **state)
{
    (void)state;
    static struct coordinator c;
    static const char *const open[] = { "--dev", "--listen", "tcp://0.0.0.0:0", NULL };
    static const char *const said[] = { "--dev", "--listen", "tcp://0.0.0.0:0", "--insecure", "--backend", "memory", NULL };
    start(&c, open);
    assert_int_equal(await_end(&c), 2);
    assert_non_null(strstr(c.lines, "tcp://0.0.0.0:0 is beyond loopback and without CURVE"));
    start(&c, said);
    await_ready(&c);
    assert_int_equal(stop(&c), 0);
}

static void settings_that_contradict_each_other_are_all_told(void **state)
{
    (void)state;
    static struct coordinator c;
    static const char *const wrong[] = { "--replay-from", "1", "--durability", "fsync", NULL };
    static const char *const checked[] = { "--dev", "--check-config", NULL };
    static const char *const unknown[] = { "--durability", "sometimes", NULL };
    start(&c, wrong);
    assert_int_equal(await_end(&c), 2);
    assert_non_null(strstr(c.lines, "name at least one tenant, or say --dev"));
    assert_non_null(strstr(c.lines, "--replay-from 1: a replay needs --read-only"));
    start(&c, unknown);
    assert_int_equal(await_end(&c), 2);
    assert_non_null(strstr(c.lines, "--durability sometimes: allowed: fsync, os, interval:MS"));
    start(&c, checked);
    assert_int_equal(await_end(&c), 0);
}

static void limits_that_cannot_be_served_are_told(void **state)
{
    (void)state;
    static struct coordinator c;
    char config[128];
    snprintf(config, sizeof config, "%s.conf", directory);
    const char *const with_config[] = { "--dev", "--check-config", "--config", config, NULL };
    static const struct {
        const char *text, *said;
    } wrong[] = { { "groups = 5000", "from 1 to 2047" },
                  { "leases = 40000000", "from 1 to 16777215" },
                  { "subscriptions = 60000000", "from 1 to 16777216" },
                  { "peers = 100000", "turn_items = 65536: with so many peers at least 216384" } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        FILE *file = fopen(config, "w");
        fprintf(file, "[limits]\n%s\n", wrong[i].text);
        fclose(file);
        start(&c, with_config);
        assert_int_equal(await_end(&c), 2);
        assert_non_null(strstr(c.lines, wrong[i].said));
    }
    unlink(config);
}

static void without_a_credential_nobody_is_let_in(void **state)
{
    (void)state;
    static struct coordinator c;
    char tokens[128], config[128];
    snprintf(tokens, sizeof tokens, "%s.tokens", directory);
    snprintf(config, sizeof config, "%s.conf", directory);
    FILE *file = fopen(tokens, "w");
    fputs("a-secret-token acme client\n", file);
    fclose(file);
    file = fopen(config, "w");
    fprintf(file, "[tenants]\nnames = acme, other\n[tokens]\nfile = %s\n", tokens);
    fclose(file);
    const char *const extra[] = { "--config", config, NULL };
    void *context = zmq_ctx_new();
    const struct packet *packet;
    start(&c, extra);
    await_ready(&c);
    struct {
        const char *tenant, *credential;
        uint32_t role, code;
    } cases[] = {
        { "acme", "", ROLE_CLIENT, CODE_UNAUTHORIZED },
        { "acme", "a-secret-tokeN", ROLE_CLIENT, CODE_UNAUTHORIZED },
        { "other", "a-secret-token", ROLE_CLIENT, CODE_FORBIDDEN },
        { "acme", "a-secret-token", ROLE_ADMIN, CODE_FORBIDDEN },
        { "acme", "a-secret-token", ROLE_CLIENT, CODE_OK },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *client = dealer(context, &c);
        struct msg_hello hello = hello_as(cases[i].role, "client-instance1", cases[i].tenant);
        hello.credential = span_text(cases[i].credential);
        say(client, &(struct packet){ .hello = &hello });
        hear_until(client, packet, packet->welcome || packet->error_count);
        assert_int_equal(packet->welcome ? CODE_OK : packet->errors[0].code, cases[i].code);
        zmq_close(client);
    }
    assert_int_equal(stop(&c), 0);
    unlink(tokens);
    unlink(config);
    zmq_ctx_term(context);
}

/* Writes a certificate with its metadata; the caller frees it. */
static zcert_t *make_certificate(const char *name, const char *tenant, const char *roles)
{
    char path[128];
    zcert_t *certificate = zcert_new();
    if (tenant) zcert_set_meta(certificate, "tenant", "%s", tenant);
    if (roles) zcert_set_meta(certificate, "roles", "%s", roles);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(tenant ? zcert_save_public(certificate, path) : zcert_save(certificate, path), 0);
    return certificate;
}

static void *dealer_with_key(void *context, const struct coordinator *c, zcert_t *server, zcert_t *own)
{
    int off = 0, wait_ms = DEADLINE_MS;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(socket, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, zcert_public_key(server), 32);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, zcert_public_key(own), 32);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, zcert_secret_key(own), 32);
    assert_int_equal(zmq_connect(socket, c->listen), 0);
    return socket;
}

static uint32_t hello_with_key(void *context, const struct coordinator *c, zcert_t *server, zcert_t *own, const char *tenant, uint32_t role)
{
    void *client = dealer_with_key(context, c, server, own);
    struct msg_hello hello = hello_as(role, "client-instance1", tenant);
    const struct packet *packet;
    say(client, &(struct packet){ .hello = &hello });
    hear_until(client, packet, packet->welcome || packet->error_count);
    uint32_t code = packet->welcome ? CODE_OK : packet->errors[0].code;
    zmq_close(client);
    return code;
}

static void a_certificate_decides_tenant_and_roles(void **state)
{
    (void)state;
    static struct coordinator c;
    char config[128], file_name[160];
    zcert_t *server = make_certificate("server", NULL, NULL), *worker = make_certificate("worker.cert", "acme", "client");
    zcert_t *stranger = zcert_new();
    snprintf(config, sizeof config, "%s.conf", directory);
    snprintf(file_name, sizeof file_name, "%s/server", directory);
    FILE *file = fopen(config, "w");
    fprintf(file, "[tenants]\nnames = acme, other\n[curve]\ncertificates = %s\nkey = %s\n", directory, file_name);
    fclose(file);
    const char *const extra[] = { "--config", config, "--backend", "memory", NULL };
    void *context = zmq_ctx_new();
    start(&c, extra);
    await_ready(&c);
    assert_int_equal(hello_with_key(context, &c, server, worker, "acme", ROLE_CLIENT), CODE_OK);
    assert_int_equal(hello_with_key(context, &c, server, worker, "other", ROLE_CLIENT), CODE_FORBIDDEN);
    assert_int_equal(hello_with_key(context, &c, server, worker, "acme", ROLE_GATEWAY), CODE_FORBIDDEN);
    void *knocker = dealer_with_key(context, &c, server, stranger);
    await_metric(&c, "weir_coordinator_handshake_failures_total 1\n");
    assert_non_null(strstr(answer, "weir_coordinator_connections_opened_total 3\n"));
    zmq_close(knocker);
    assert_int_equal(stop(&c), 0);
    unlink(config);
    zcert_destroy(&server);
    zcert_destroy(&worker);
    zcert_destroy(&stranger);
    zmq_ctx_term(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tcp_address_beyond_loopback_needs_curve_or_a_word, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(limits_that_cannot_be_served_are_told, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(settings_that_contradict_each_other_are_all_told, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(without_a_credential_nobody_is_let_in, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_certificate_decides_tenant_and_roles, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
