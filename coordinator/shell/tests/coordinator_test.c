/* The real program, spoken to by a DEALER: hello, publish, work, settle; stop and start again; doors that stay shut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <czmq.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "proto/codec.h"
#include "sdk/base/arena.h"

enum { DEADLINE_MS = 30000, LINES_BYTES = 256 * 1024 };

/* --- the program --- */

struct coordinator {
    pid_t pid;
    int log; /* its stderr */
    char lines[LINES_BYTES];
    size_t size;
    char listen[128], http[64];
};

static char directory[64];

static void start(struct coordinator *c, const char *const extra[])
{
    const char *argv[32] = { WEIR_COORDINATOR, "--data", directory, "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0" };
    size_t argc = 7;
    for (size_t i = 0; extra[i]; i++)
        argv[argc++] = extra[i];
    int ends[2];
    memset(c, 0, sizeof *c);
    assert_int_equal(pipe(ends), 0);
    c->pid = fork();
    assert_true(c->pid >= 0);
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 2);
        close(ends[0]);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    c->log = ends[0];
}

/* Reads log lines until one has the text. NULL: the program ended first. */
static const char *await_line(struct coordinator *c, const char *text)
{
    for (;;) {
        char *found = strstr(c->lines, text);
        if (found && strchr(found, '\n')) return found;
        struct pollfd p = { .fd = c->log, .events = POLLIN };
        if (poll(&p, 1, DEADLINE_MS) != 1) fail_msg("'%s' did not come; so far: %s", text, c->lines);
        ssize_t n = read(c->log, c->lines + c->size, sizeof c->lines - 1 - c->size);
        if (n <= 0) return NULL;
        c->size += (size_t)n;
        c->lines[c->size] = 0;
    }
}

static void await_ready(struct coordinator *c)
{
    const char *ready = await_line(c, "event=ready");
    if (!ready) fail_msg("it ended: %s", c->lines);
    assert_int_equal(sscanf(strstr(ready, "listen="), "listen=%127s http=%63s", c->listen, c->http), 2);
}

static int await_end(struct coordinator *c)
{
    int status;
    while (await_line(c, "\x01no such text"))
        continue;
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    close(c->log);
    c->pid = 0;
    if (!WIFEXITED(status)) fail_msg("it died by signal %d: %s", WTERMSIG(status), c->lines);
    return WEXITSTATUS(status);
}

static int stop(struct coordinator *c)
{
    kill(c->pid, SIGTERM);
    return await_end(c);
}

/* --- a peer --- */

static uint8_t room[1 << 20];
static struct arena arena;
static zmq_msg_t head, body;
static bool have_frames;

static void *dealer(void *context, const struct coordinator *c)
{
    int off = 0, wait_ms = DEADLINE_MS;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(socket, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    assert_int_equal(zmq_connect(socket, c->listen), 0);
    return socket;
}

static void say(void *socket, const struct packet *packet)
{
    struct span bytes;
    arena_init(&arena, room, sizeof room);
    assert_int_equal(codec_encode(&arena, packet, &bytes), CODEC_OK);
    bool more = packet->piece_count > 0;
    assert_true(zmq_send(socket, bytes.data, bytes.size, more ? ZMQ_SNDMORE : 0) >= 0);
    if (more) assert_true(zmq_send(socket, packet->pieces[0].data, packet->pieces[0].size, 0) >= 0);
}

/* The next packet; lent until the next call. */
static const struct packet *hear(void *socket)
{
    struct packet *packet;
    if (have_frames) {
        zmq_msg_close(&head);
        zmq_msg_close(&body);
    }
    have_frames = true;
    zmq_msg_init(&head);
    zmq_msg_init(&body);
    if (zmq_msg_recv(&head, socket, 0) < 0) fail_msg("no packet came: %s", zmq_strerror(errno));
    if (zmq_msg_more(&head)) assert_true(zmq_msg_recv(&body, socket, 0) >= 0);
    arena_init(&arena, room, sizeof room);
    assert_int_equal(
        codec_decode(&arena, span_of(zmq_msg_data(&head), zmq_msg_size(&head)), span_of(zmq_msg_data(&body), zmq_msg_size(&body)), &packet),
        CODEC_OK);
    return packet;
}

#define hear_until(socket, packet, condition)                                                                                              \
    do                                                                                                                                     \
        packet = hear(socket);                                                                                                             \
    while (!(condition))

static struct msg_hello hello_as(uint32_t role, const char *instance, const char *tenant)
{
    return (struct msg_hello){ .protocol = PROTOCOL_VERSION,
                               .role = role,
                               .name = span_text("test"),
                               .instance = span_of(instance, INSTANCE_BYTES),
                               .tenant = span_text(tenant) };
}

static const uint8_t event_bytes[] = { 0x0a, 4, 'd', 'o', 'c', 's', 0x42, 2, 'h', 'i' }; /* topic docs, data hi */
static const char publisher_id[] = "publisher-id-16b";

static void publish(void *socket, uint64_t number)
{
    uint32_t size = sizeof event_bytes;
    struct span piece = span_of(event_bytes, sizeof event_bytes);
    struct msg_publish publish = { .first_number = number, .size = &size, .count = 1 };
    say(socket, &(struct packet){ .publishes = &publish, .publish_count = 1, .pieces = &piece, .piece_count = 1 });
}

static void open_worker(void *socket)
{
    struct span filter = span_text("docs.>"), plain = span_text("docs");
    struct span filters[] = { plain, filter };
    struct msg_hello hello = hello_as(ROLE_WORKER, "worker-instance1", "dev");
    hello.has_group = true;
    hello.group = (struct group_spec){ .name = span_text("readers"), .filters = filters, .filter_count = 2, .start = START_FIRST };
    struct msg_credit credit = { .kind = CREDIT_DELIVER, .events = 100, .bytes = 1 << 20 };
    say(socket, &(struct packet){ .hello = &hello });
    const struct packet *packet;
    hear_until(socket, packet, packet->welcome || packet->error_count);
    assert_non_null(packet->welcome);
    say(socket, &(struct packet){ .credits = &credit, .credit_count = 1 });
}

static void open_client(void *socket)
{
    struct msg_hello hello = hello_as(ROLE_CLIENT, "client-instance1", "dev");
    hello.publisher = span_of(publisher_id, PUBLISHER_BYTES);
    hello.first_unanswered = 1;
    say(socket, &(struct packet){ .hello = &hello });
    const struct packet *packet;
    hear_until(socket, packet, packet->welcome || packet->error_count);
    assert_non_null(packet->welcome);
}

static void ack(void *socket, uint64_t number, uint64_t lease)
{
    uint32_t verb = VERB_ACK;
    struct msg_settle settle = { .first_number = number, .lease = &lease, .verb = &verb, .count = 1 };
    say(socket, &(struct packet){ .settle = &settle });
}

/* --- HTTP --- */

static char answer[256 * 1024];

static int get(const struct coordinator *c, const char *path)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(c->http, ':') + 1)) };
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    dprintf(fd, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    size_t size = 0;
    ssize_t n;
    while ((n = read(fd, answer + size, sizeof answer - 1 - size)) > 0)
        size += (size_t)n;
    answer[size] = 0;
    close(fd);
    sscanf(answer, "HTTP/1.1 %d", &status);
    return status;
}

/* Numbers are published ten times a second: waits until the line is there. */
static void await_metric(const struct coordinator *c, const char *line)
{
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(get(c, "/metrics"), 200);
        if (strstr(answer, line)) return;
        poll(NULL, 0, 10);
    }
    fail_msg("'%s' is not in: %s", line, answer);
}

/* --- tests --- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/weir-coordinator-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *const dev[] = { "--dev", NULL };

static void an_event_goes_from_publisher_to_worker_and_is_settled(void **state)
{
    (void)state;
    static struct coordinator c;
    void *context = zmq_ctx_new();
    const struct packet *packet;
    start(&c, dev);
    await_ready(&c);
    void *client = dealer(context, &c), *worker = dealer(context, &c);
    open_worker(worker);
    open_client(client);
    publish(client, 1);
    hear_until(client, packet, packet->accepted_count || packet->refused_count);
    assert_int_equal(packet->accepted_count, 1);
    hear_until(worker, packet, packet->deliver);
    assert_int_equal(packet->deliver->attempt[0], 1);
    assert_true(span_equal(packet->body, span_of(event_bytes, sizeof event_bytes)));
    ack(worker, 1, packet->deliver->lease[0]);
    hear_until(worker, packet, packet->settled_count);
    assert_int_equal(packet->settled[0].code, CODE_OK);
    await_metric(&c, "weir_coordinator_acked_total 1\n");
    assert_non_null(strstr(answer, "weir_coordinator_published_total 1\n"));
    assert_non_null(strstr(answer, "weir_coordinator_peers 2\n"));
    assert_int_equal(get(&c, "/healthz"), 200);
    assert_int_equal(get(&c, "/readyz"), 200);
    assert_int_equal(get(&c, "/other"), 404);
    zmq_close(client);
    await_metric(&c, "weir_coordinator_connections 1\n");
    zmq_close(worker);
    assert_int_equal(stop(&c), 0);
    assert_non_null(strstr(c.lines, "event=snapshot_saved"));
    zmq_ctx_term(context);
}

static void what_was_accepted_is_there_after_a_restart(void **state)
{
    (void)state;
    static struct coordinator c;
    void *context = zmq_ctx_new();
    const struct packet *packet;
    start(&c, dev);
    await_ready(&c);
    void *client = dealer(context, &c);
    open_client(client);
    publish(client, 1);
    hear_until(client, packet, packet->accepted_count || packet->refused_count);
    uint64_t seq = packet->accepted[0].first_seq;
    zmq_close(client);
    kill(c.pid, SIGKILL);
    waitpid(c.pid, NULL, 0);
    close(c.log);
    for (int round = 0; round < 2; round++) { /* from the blocks, then from a snapshot */
        start(&c, dev);
        await_ready(&c);
        void *worker = dealer(context, &c);
        client = dealer(context, &c);
        open_client(client);
        publish(client, 1); /* the same number again: the first answer */
        hear_until(client, packet, packet->accepted_count || packet->refused_count);
        assert_int_equal(packet->accepted_count, 1);
        assert_int_equal(packet->accepted[0].first_seq, seq);
        assert_int_equal(packet->accepted[0].duplicate, 1);
        if (round == 1) {
            open_worker(worker);
            hear_until(worker, packet, packet->deliver);
            assert_int_equal(packet->deliver->seq[0], seq);
        }
        zmq_close(worker);
        zmq_close(client);
        assert_int_equal(stop(&c), 0);
    }
    zmq_ctx_term(context);
}

static void a_replay_feeds_what_is_stored_and_writes_nothing(void **state)
{
    (void)state;
    static struct coordinator c;
    static const char *const replay[] = { "--dev", "--read-only", "--replay-filter", "docs", NULL };
    void *context = zmq_ctx_new();
    const struct packet *packet;
    start(&c, dev);
    await_ready(&c);
    void *client = dealer(context, &c);
    open_client(client);
    publish(client, 1);
    hear_until(client, packet, packet->accepted_count || packet->refused_count);
    uint64_t seq = packet->accepted[0].first_seq;
    zmq_close(client);
    static struct coordinator reader;
    start(&reader, replay); /* while the other one runs */
    await_ready(&reader);
    void *worker = dealer(context, &reader);
    open_worker(worker);
    hear_until(worker, packet, packet->deliver);
    assert_int_equal(packet->deliver->seq[0], seq);
    ack(worker, 1, packet->deliver->lease[0]);
    hear_until(worker, packet, packet->settled_count);
    assert_int_equal(packet->settled[0].code, CODE_OK);
    zmq_close(worker);
    assert_int_equal(stop(&reader), 0);
    await_metric(&c, "weir_coordinator_groups 0\n");
    assert_int_equal(stop(&c), 0);
    zmq_ctx_term(context);
}

static void a_directory_in_use_is_refused(void **state)
{
    (void)state;
    static struct coordinator c, second;
    start(&c, dev);
    await_ready(&c);
    start(&second, dev);
    assert_int_equal(await_end(&second), 1);
    assert_non_null(strstr(second.lines, "event=start_failed"));
    assert_int_equal(stop(&c), 0);
}

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

static uint32_t hello_with_key(void *context, const struct coordinator *c, zcert_t *server, zcert_t *own, const char *tenant, uint32_t role)
{
    int off = 0, wait_ms = DEADLINE_MS;
    void *client = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(client, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(client, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, zcert_public_key(server), 32);
    zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, zcert_public_key(own), 32);
    zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, zcert_secret_key(own), 32);
    assert_int_equal(zmq_connect(client, c->listen), 0);
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
    void *knocker = zmq_socket(context, ZMQ_DEALER);
    int off = 0;
    zmq_setsockopt(knocker, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(knocker, ZMQ_CURVE_SERVERKEY, zcert_public_key(server), 32);
    zmq_setsockopt(knocker, ZMQ_CURVE_PUBLICKEY, zcert_public_key(stranger), 32);
    zmq_setsockopt(knocker, ZMQ_CURVE_SECRETKEY, zcert_secret_key(stranger), 32);
    assert_int_equal(zmq_connect(knocker, c.listen), 0);
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

static void garbage_is_answered_and_the_connection_stays(void **state)
{
    (void)state;
    static struct coordinator c;
    void *context = zmq_ctx_new();
    const struct packet *packet;
    start(&c, dev);
    await_ready(&c);
    void *client = dealer(context, &c);
    open_client(client);
    zmq_send(client, "\xff\xff\xff", 3, 0);
    hear_until(client, packet, packet->error_count);
    assert_int_equal(packet->errors[0].code, CODE_BAD_FRAME);
    for (int i = 0; i < 3; i++)
        zmq_send(client, "", 0, i < 2 ? ZMQ_SNDMORE : 0);
    hear_until(client, packet, packet->error_count);
    assert_int_equal(packet->errors[0].code, CODE_BAD_FRAME);
    publish(client, 1);
    hear_until(client, packet, packet->accepted_count || packet->refused_count);
    assert_int_equal(packet->accepted_count, 1);
    await_metric(&c, "weir_coordinator_packets_malformed_total 2\n");
    zmq_close(client);
    assert_int_equal(stop(&c), 0);
    zmq_ctx_term(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_goes_from_publisher_to_worker_and_is_settled, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(what_was_accepted_is_there_after_a_restart, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_replay_feeds_what_is_stored_and_writes_nothing, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_directory_in_use_is_refused, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_tcp_address_beyond_loopback_needs_curve_or_a_word, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(limits_that_cannot_be_served_are_told, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(settings_that_contradict_each_other_are_all_told, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(without_a_credential_nobody_is_let_in, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_certificate_decides_tenant_and_roles, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(garbage_is_answered_and_the_connection_stays, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
