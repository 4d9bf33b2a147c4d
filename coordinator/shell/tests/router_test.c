/* router.h against real DEALERs: what comes in, what goes out, and that every kind of end is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/shell/clock.h"
#include "coordinator/shell/router.h"

enum { DEADLINE_MS = 20000 };

static void *context;
static struct access *access_table;
static struct router *router;
static char error[512];
static uint32_t gone[16];

static int open_router(void **state)
{
    static struct config config = { .listen_count = 1, .core.limits.peers_max = 4, .unsent_packets = 64 };
    config.listen[0] = *state ? *state : "tcp://127.0.0.1:0";
    context = zmq_ctx_new();
    access_table = access_open(NULL, true, error, sizeof error);
    router = router_open(&config, access_table, NULL, error, sizeof error);
    return router ? 0 : -1;
}

static char ipc[64];

/* The same over a Unix socket. */
static int open_ipc_router(void **state)
{
    snprintf(ipc, sizeof ipc, "ipc:///tmp/weir-router-test-%d", (int)getpid());
    *state = ipc;
    return open_router(state);
}

static int close_router(void **state)
{
    (void)state;
    router_close(&router, 0);
    access_close(&access_table);
    zmq_ctx_term(context);
    if (ipc[0]) unlink(ipc + strlen("ipc://"));
    return 0;
}

static void *dealer(const char *routing_id)
{
    int off = 0, wait_ms = DEADLINE_MS, never = -1;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(socket, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &never, sizeof never);
    if (routing_id) zmq_setsockopt(socket, ZMQ_ROUTING_ID, routing_id, strlen(routing_id));
    assert_int_equal(zmq_connect(socket, router_addresses(router)), 0);
    return socket;
}

/* One round of a loop without a core: reads all, ticks. Returns how many packets came; the last one in *packet. */
static int round_of_loop(struct router_packet *packet, size_t *gone_count)
{
    struct router_packet next;
    enum router_read read;
    int count = 0;
    uint64_t now_ns = clock_monotonic_ns();
    while ((read = router_receive(router, now_ns, &next)) != ROUTER_EMPTY) {
        if (read != ROUTER_PACKET) continue;
        if (count++ > 0) router_release(packet);
        *packet = next;
    }
    *gone_count = router_tick(router, now_ns, true, gone, 16);
    if (count == 0 && *gone_count == 0) {
        zmq_pollitem_t items[] = { { router_socket(router), 0, ZMQ_POLLIN, 0 }, { router_monitor(router), 0, ZMQ_POLLIN, 0 } };
        zmq_poll(items, 2, 1);
    }
    return count;
}

static uint32_t await_packet(struct router_packet *packet)
{
    size_t gone_count;
    for (uint64_t end = clock_monotonic_ns() + DEADLINE_MS * 1000000ULL; clock_monotonic_ns() < end;)
        if (round_of_loop(packet, &gone_count) > 0) return packet->connection;
    fail_msg("no packet came");
    return 0;
}

static uint32_t await_gone(void)
{
    struct router_packet packet;
    size_t gone_count = 0;
    for (uint64_t end = clock_monotonic_ns() + DEADLINE_MS * 1000000ULL; clock_monotonic_ns() < end;) {
        if (round_of_loop(&packet, &gone_count) > 0) router_release(&packet);
        if (gone_count > 0) return gone[0];
    }
    fail_msg("nobody went");
    return 0;
}

static void two_frames_in_two_frames_out(void **state)
{
    (void)state;
    void *peer = dealer(NULL);
    zmq_send(peer, "head", 4, ZMQ_SNDMORE);
    zmq_send(peer, "body", 4, 0);
    struct router_packet packet;
    uint32_t number = await_packet(&packet);
    assert_true(packet.has_body && !packet.malformed);
    assert_memory_equal(zmq_msg_data(&packet.body), "body", 4);
    router_release(&packet);
    assert_true(router_grant(router, number).any_tenant);
    const struct span pieces[] = { span_text("ab"), span_of(NULL, 0), span_text("cde") };
    struct packet out = { .pieces = pieces, .piece_count = 3 };
    router_send(router, number, span_text("answer"), &out, clock_monotonic_ns());
    char got[16];
    assert_int_equal(zmq_recv(peer, got, sizeof got, 0), 6);
    assert_int_equal(zmq_recv(peer, got, sizeof got, 0), 5);
    assert_memory_equal(got, "abcde", 5);
    zmq_close(peer);
}

static void three_frames_are_malformed_and_the_next_packet_is_not(void **state)
{
    (void)state;
    void *peer = dealer(NULL);
    for (int i = 0; i < 4; i++)
        zmq_send(peer, "x", 1, i < 3 ? ZMQ_SNDMORE : 0);
    struct router_packet packet;
    await_packet(&packet);
    assert_true(packet.malformed);
    router_release(&packet);
    zmq_send(peer, "y", 1, 0);
    await_packet(&packet);
    assert_false(packet.malformed || packet.has_body);
    assert_memory_equal(zmq_msg_data(&packet.head), "y", 1);
    router_release(&packet);
    zmq_close(peer);
}

static void a_peer_that_leaves_is_reported_once(void **state)
{
    (void)state;
    void *peer = dealer(NULL), *other = dealer(NULL);
    struct router_packet packet;
    zmq_send(peer, "x", 1, 0);
    uint32_t number = await_packet(&packet);
    router_release(&packet);
    zmq_send(other, "x", 1, 0);
    await_packet(&packet);
    router_release(&packet);
    zmq_close(peer);
    assert_int_equal(await_gone(), number);
    struct router_counters counters;
    router_counters(router, &counters);
    assert_int_equal(counters.connections, 1);
    assert_int_equal(counters.ended, 1);
    zmq_close(other);
}

static void a_forgotten_peer_hears_the_last_word_and_is_cut(void **state)
{
    (void)state;
    void *peer = dealer(NULL);
    struct router_packet packet;
    zmq_send(peer, "x", 1, 0);
    uint32_t number = await_packet(&packet);
    router_release(&packet);
    static const char address[] = "inproc://peer-monitor";
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    int off = 0, wait_ms = 1;
    zmq_setsockopt(monitor, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_socket_monitor(peer, address, ZMQ_EVENT_DISCONNECTED);
    zmq_connect(monitor, address);
    struct packet out = { 0 };
    router_send(router, number, span_text("bye"), &out, clock_monotonic_ns());
    router_forget(router, number, clock_monotonic_ns());
    char got[16];
    assert_int_equal(zmq_recv(peer, got, sizeof got, 0), 3);
    zmq_send(peer, "late", 4, 0);
    bool cut = false;
    struct router_counters counters = { .connections = 1 };
    for (uint64_t end = clock_monotonic_ns() + DEADLINE_MS * 1000000ULL;
         clock_monotonic_ns() < end && !(cut && counters.connections == 0);) {
        size_t gone_count;
        assert_int_equal(round_of_loop(&packet, &gone_count), 0);
        assert_int_equal(gone_count, 0);
        if (!cut && zmq_recv(monitor, got, sizeof got, 0) >= 0) cut = true;
        router_counters(router, &counters);
    }
    assert_true(cut);
    assert_int_equal(counters.connections, 0);
    zmq_socket_monitor(peer, NULL, 0);
    zmq_close(monitor);
    zmq_close(peer);
}

static void a_peer_with_a_routing_id_of_its_own_is_cut(void **state)
{
    (void)state;
    void *peer = dealer("myself");
    zmq_send(peer, "x", 1, 0);
    struct router_counters counters = { 0 };
    for (uint64_t end = clock_monotonic_ns() + DEADLINE_MS * 1000000ULL; clock_monotonic_ns() < end && counters.refused == 0;) {
        struct router_packet packet;
        size_t gone_count;
        assert_int_equal(round_of_loop(&packet, &gone_count), 0);
        router_counters(router, &counters);
    }
    assert_int_equal(counters.refused, 1);
    assert_int_equal(counters.connections, 0);
    zmq_close(peer);
}

static void a_peer_that_never_reads_is_cut_and_reported(void **state)
{
    (void)state;
    void *peer = dealer(NULL);
    zmq_send(peer, "x", 1, 0);
    struct router_packet packet;
    uint32_t number = await_packet(&packet);
    router_release(&packet);
    static uint8_t large[64 * 1024];
    const struct span piece = span_of(large, sizeof large);
    struct packet out = { .pieces = &piece, .piece_count = 1 };
    struct router_counters counters = { 0 };
    for (int i = 0; i < 20000 && counters.stuck == 0; i++) {
        router_send(router, number, span_text("h"), &out, clock_monotonic_ns());
        router_counters(router, &counters);
    }
    assert_int_equal(counters.stuck, 1);
    assert_int_equal(await_gone(), number);
    zmq_close(peer);
}

static void a_full_table_cuts_whoever_comes_next_and_keeps_the_others(void **state)
{
    (void)state;
    enum { ROOM = 4 + 256 };
    static void *peers[ROOM + 1];
    struct router_packet packet;
    struct router_counters counters = { 0 };
    size_t gone_count;
    for (int i = 0; i < ROOM; i++) {
        peers[i] = dealer(NULL);
        zmq_send(peers[i], "x", 1, 0);
        await_packet(&packet);
        router_release(&packet);
    }
    peers[ROOM] = dealer(NULL);
    zmq_send(peers[ROOM], "x", 1, 0);
    for (uint64_t end = clock_monotonic_ns() + DEADLINE_MS * 1000000ULL; clock_monotonic_ns() < end && counters.refused == 0;) {
        assert_int_equal(round_of_loop(&packet, &gone_count), 0);
        router_counters(router, &counters);
    }
    assert_int_equal(counters.refused, 1);
    assert_int_equal(counters.connections, ROOM);
    zmq_send(peers[0], "y", 1, 0);
    assert_int_equal(await_packet(&packet), 1);
    router_release(&packet);
    for (int i = 0; i <= ROOM; i++)
        zmq_close(peers[i]);
}

static void an_address_in_use_is_told(void **state)
{
    (void)state;
    struct config config = { .listen = { router_addresses(router) }, .listen_count = 1, .core.limits.peers_max = 4, .unsent_packets = 64 };
    assert_null(router_open(&config, access_table, NULL, error, sizeof error));
    assert_non_null(strstr(error, "Address already in use"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_frames_in_two_frames_out, open_router, close_router),
        cmocka_unit_test_setup_teardown(three_frames_are_malformed_and_the_next_packet_is_not, open_router, close_router),
        cmocka_unit_test_setup_teardown(a_peer_that_leaves_is_reported_once, open_router, close_router),
        cmocka_unit_test_setup_teardown(a_forgotten_peer_hears_the_last_word_and_is_cut, open_router, close_router),
        cmocka_unit_test_setup_teardown(a_peer_with_a_routing_id_of_its_own_is_cut, open_router, close_router),
        cmocka_unit_test_setup_teardown(a_peer_that_never_reads_is_cut_and_reported, open_router, close_router),
        cmocka_unit_test_setup_teardown(a_peer_that_leaves_is_reported_once, open_ipc_router, close_router),
        cmocka_unit_test_setup_teardown(a_forgotten_peer_hears_the_last_word_and_is_cut, open_ipc_router, close_router),
        cmocka_unit_test_setup_teardown(a_full_table_cuts_whoever_comes_next_and_keeps_the_others, open_router, close_router),
        cmocka_unit_test_setup_teardown(an_address_in_use_is_told, open_router, close_router),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
