/* The real program, spoken to by a DEALER: hello, publish, work, settle; stop and start again. */
#include "coordinator/shell/tests/running.h"

#include <signal.h>
#include <sys/wait.h>

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
        cmocka_unit_test_setup_teardown(garbage_is_answered_and_the_connection_stays, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
