/* The mock as the test of a worker uses it: the public headers alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <weir/mock.h>

enum { SETTLED_KEPT = 16 };

struct rig {
    weir_mock *mock;
    weir_publisher *publisher;
    weir_worker *worker;
    weir_settled settled[SETTLED_KEPT];
    size_t settled_count;
    void (*on_effect)(struct rig *rig, weir_delivery *delivery, weir_mock_moment moment);
};

static void on_settled(const weir_settled *settled, void *arg)
{
    struct rig *rig = arg;
    rig->settled[rig->settled_count++ % SETTLED_KEPT] = *settled;
}

static void on_effect(weir_delivery *delivery, const char *what, weir_mock_moment moment, void *arg)
{
    struct rig *rig = arg;
    (void)what;
    if (rig->on_effect != NULL) rig->on_effect(rig, delivery, moment);
}

static weir_worker *open_worker_that_extends(struct rig *rig, uint32_t auto_extend_ms)
{
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    weir_worker *worker = NULL;
    options.endpoint = weir_mock_endpoint(rig->mock);
    options.group = "g";
    options.topics = (const char *[]){ "jobs.>" };
    options.topic_count = 1;
    options.start = WEIR_START_FIRST;
    options.on_settled = on_settled;
    options.arg = rig;
    options.auto_extend_ms = auto_extend_ms;
    assert_int_equal(weir_worker_open(&options, &worker), WEIR_OK);
    return worker;
}

static weir_worker *open_worker(struct rig *rig)
{
    return open_worker_that_extends(rig, 0);
}

static int begin(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    weir_mock_options options = WEIR_MOCK_OPTIONS_INIT;
    weir_publisher_options publisher = WEIR_PUBLISHER_OPTIONS_INIT;
    options.on_effect = on_effect;
    options.arg = rig;
    assert_int_equal(weir_mock_open(&options, &rig->mock), WEIR_OK);
    publisher.endpoint = weir_mock_endpoint(rig->mock);
    assert_int_equal(weir_publisher_open(&publisher, &rig->publisher), WEIR_OK);
    rig->worker = open_worker(rig);
    *state = rig;
    return 0;
}

static int end(void **state)
{
    struct rig *rig = *state;
    weir_worker_close(&rig->worker);
    weir_publisher_close(&rig->publisher);
    assert_int_equal(weir_mock_close(&rig->mock), WEIR_OK);
    assert_null(rig->mock);
    free(rig);
    return 0;
}

static uint64_t publish(struct rig *rig, const char *topic, const char *data)
{
    weir_event event = WEIR_EVENT_INIT;
    weir_result result;
    event.topic = topic;
    event.data = data;
    event.data_size = strlen(data);
    assert_int_equal(weir_publish(rig->publisher, &event, -1, &result), WEIR_OK);
    return result.first_seq;
}

static weir_delivery *take(weir_worker *worker)
{
    weir_delivery *delivery = NULL;
    assert_int_equal(weir_worker_next(worker, -1, &delivery), WEIR_OK);
    return delivery;
}

static void an_event_is_delivered_and_its_settle_is_told(void **state)
{
    struct rig *rig = *state;
    uint64_t seq = publish(rig, "jobs.a", "hello");
    weir_delivery *delivery = take(rig->worker);
    assert_int_equal(weir_delivery_seq(delivery), seq);
    assert_int_equal(weir_delivery_attempt(delivery), 1);
    assert_string_equal(weir_delivery_event(delivery)->data, "hello");
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    assert_int_equal(weir_worker_flush(rig->worker, -1), WEIR_OK);
    assert_int_equal(rig->settled_count, 1);
    assert_int_equal(rig->settled[0].status, WEIR_OK);
    assert_int_equal(rig->settled[0].seq, seq);
}

static void what_is_emitted_is_read_by_a_subscriber_with_its_cause(void **state)
{
    struct rig *rig = *state;
    weir_subscriber_options options = WEIR_SUBSCRIBER_OPTIONS_INIT;
    weir_subscriber *subscriber;
    const weir_stored_event *stored;
    weir_event event = WEIR_EVENT_INIT;
    uint64_t seq = publish(rig, "jobs.a", "1");
    weir_delivery *delivery = take(rig->worker);
    event.topic = "done.a";
    assert_int_equal(weir_emit(delivery, &event), WEIR_OK);
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    options.endpoint = weir_mock_endpoint(rig->mock);
    options.topics = (const char *[]){ "done.>" };
    options.topic_count = 1;
    options.start = WEIR_START_FIRST;
    assert_int_equal(weir_subscriber_open(&options, &subscriber), WEIR_OK);
    assert_int_equal(weir_subscriber_next(subscriber, -1, &stored), WEIR_OK);
    assert_string_equal(stored->event->topic, "done.a");
    assert_int_equal(stored->cause_seq, seq);
    weir_subscriber_close(&subscriber);
}

static void a_request_is_answered(void **state)
{
    struct rig *rig = *state;
    weir_event event = WEIR_EVENT_INIT;
    weir_request_call *call;
    const weir_answer *answer;
    weir_delivery *delivery;
    event.topic = "jobs.ask";
    weir_mock_advance(rig->mock, 3600 * 1000); /* its clock is far from ours: the deadline is the mock's */
    assert_int_equal(weir_request(rig->publisher, &event, 5000, &call), WEIR_OK);
    delivery = take(rig->worker);
    assert_int_equal(weir_partial(delivery, "4", 1), WEIR_OK);
    assert_int_equal(weir_reply(delivery, "42", 2), WEIR_OK);
    assert_int_equal(weir_request_next(call, -1, &answer), WEIR_OK);
    assert_int_equal(answer->kind, WEIR_ANSWER_PARTIAL);
    assert_int_equal(weir_request_next(call, -1, &answer), WEIR_OK);
    assert_int_equal(answer->kind, WEIR_ANSWER_REPLY);
    assert_string_equal(answer->data, "42");
    weir_request_close(&call);
}

static void an_answer_may_be_as_large_as_an_event(void **state)
{
    struct rig *rig = *state;
    enum { SIZE = 2 << 20 };
    weir_event event = WEIR_EVENT_INIT;
    weir_request_call *call;
    const weir_answer *answer;
    weir_delivery *delivery;
    char *data = malloc(SIZE);
    memset(data, 'x', SIZE);
    event.topic = "jobs.ask";
    assert_int_equal(weir_request(rig->publisher, &event, 5000, &call), WEIR_OK);
    delivery = take(rig->worker);
    assert_int_equal(weir_partial(delivery, data, 65537), WEIR_TOO_LARGE);
    assert_int_equal(weir_reply(delivery, data, SIZE), WEIR_OK);
    assert_int_equal(weir_request_next(call, -1, &answer), WEIR_OK);
    assert_int_equal(answer->kind, WEIR_ANSWER_REPLY);
    assert_int_equal(answer->data_size, SIZE);
    assert_memory_equal(answer->data, data, SIZE);
    weir_request_close(&call);
    free(data);
}

static void sixteen_emits_of_a_delivery_may_be_large(void **state)
{
    struct rig *rig = *state;
    enum { SIZE = 100000 };
    weir_subscriber_options options = WEIR_SUBSCRIBER_OPTIONS_INIT;
    weir_subscriber *subscriber;
    const weir_stored_event *stored;
    weir_event event = WEIR_EVENT_INIT;
    uint64_t seq = publish(rig, "jobs.a", "1");
    weir_delivery *delivery = take(rig->worker);
    event.topic = "done.large";
    event.data = calloc(1, SIZE);
    event.data_size = SIZE;
    for (int i = 0; i < 16; i++)
        assert_int_equal(weir_emit(delivery, &event), WEIR_OK);
    assert_int_equal(weir_emit(delivery, &event), WEIR_TOO_LARGE);
    event.data_size = 4;
    assert_int_equal(weir_emit(delivery, &event), WEIR_OK);
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    assert_int_equal(weir_worker_flush(rig->worker, -1), WEIR_OK);
    assert_int_equal(rig->settled[0].status, WEIR_OK);
    options.endpoint = weir_mock_endpoint(rig->mock);
    options.topics = (const char *[]){ "done.>" };
    options.topic_count = 1;
    options.start = WEIR_START_FIRST;
    assert_int_equal(weir_subscriber_open(&options, &subscriber), WEIR_OK);
    for (int i = 0; i < 17; i++) {
        assert_int_equal(weir_subscriber_next(subscriber, -1, &stored), WEIR_OK);
        assert_int_equal(stored->event->data_size, i < 16 ? SIZE : 4);
        assert_int_equal(stored->cause_seq, seq);
    }
    weir_subscriber_close(&subscriber);
    free((void *)event.data);
}

static void a_lease_that_ran_out_makes_the_settle_stale_and_the_event_comes_again(void **state)
{
    struct rig *rig = *state;
    uint64_t before_ms = weir_mock_time_ms(rig->mock);
    publish(rig, "jobs.a", "1");
    weir_delivery *delivery = take(rig->worker);
    weir_mock_advance(rig->mock, weir_delivery_lease_ms(delivery) + 1);
    assert_true(weir_cancelled(delivery));
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    assert_int_equal(weir_worker_flush(rig->worker, -1), WEIR_OK);
    assert_int_equal(rig->settled[0].status, WEIR_STALE);
    delivery = take(rig->worker);
    assert_int_equal(weir_delivery_attempt(delivery), 2);
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    assert_true(weir_mock_time_ms(rig->mock) - before_ms < 60000);
}

static void a_worker_that_extends_keeps_its_lease_for_as_long_as_it_said(void **state)
{
    struct rig *rig = *state;
    weir_worker_close(&rig->worker);
    rig->worker = open_worker_that_extends(rig, 600000);
    publish(rig, "jobs.a", "1");
    weir_delivery *delivery = take(rig->worker);
    weir_mock_advance(rig->mock, 300000);
    assert_false(weir_cancelled(delivery));
    weir_mock_advance(rig->mock, 400000);
    assert_true(weir_cancelled(delivery));
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    assert_int_equal(weir_worker_flush(rig->worker, -1), WEIR_OK);
    assert_int_equal(rig->settled[0].status, WEIR_STALE);
}

static void a_killed_worker_does_nothing_more_and_another_one_takes_over(void **state)
{
    struct rig *rig = *state;
    const weir_mock_done *done;
    publish(rig, "jobs.a", "1");
    weir_delivery *delivery = take(rig->worker);
    weir_mock_kill(rig->mock, rig->worker, true);
    weir_mock_effect(delivery, "charge", NULL);
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    weir_worker *other = open_worker(rig);
    delivery = take(other);
    assert_int_equal(weir_delivery_attempt(delivery), 2);
    weir_mock_effect(delivery, "charge", NULL);
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    assert_int_equal(weir_worker_flush(other, -1), WEIR_OK);
    assert_int_equal(rig->settled_count, 1);
    assert_int_equal(weir_mock_effects(rig->mock, &done), 1);
    assert_int_equal(done[0].attempt, 2);
    weir_worker_close(&other);
}

static void a_settle_that_arrived_counts_though_its_answer_was_lost(void **state)
{
    struct rig *rig = *state;
    weir_delivery *delivery;
    publish(rig, "jobs.a", "1");
    assert_int_equal(weir_ack(take(rig->worker)), WEIR_OK);
    weir_mock_cut(rig->mock, rig->worker, true);
    assert_int_equal(weir_worker_flush(rig->worker, -1), WEIR_OK);
    assert_int_equal(rig->settled[0].status, WEIR_OUTCOME_UNKNOWN);
    assert_int_equal(weir_worker_next(rig->worker, -1, &delivery), WEIR_TIMED_OUT);
}

static void over_a_restart_a_worker_keeps_what_it_holds(void **state)
{
    struct rig *rig = *state;
    weir_delivery *delivery, *again;
    publish(rig, "jobs.a", "1");
    delivery = take(rig->worker);
    weir_mock_restart(rig->mock, false);
    weir_mock_advance(rig->mock, 2000);
    assert_false(weir_cancelled(delivery));
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    assert_int_equal(weir_worker_flush(rig->worker, -1), WEIR_OK);
    assert_int_equal(rig->settled[0].status, WEIR_OK);
    assert_int_equal(weir_worker_next(rig->worker, -1, &again), WEIR_TIMED_OUT);
}

static void what_had_its_ok_is_there_after_a_restart(void **state)
{
    struct rig *rig = *state;
    uint64_t seqs[3];
    for (int i = 0; i < 3; i++)
        seqs[i] = publish(rig, "jobs.a", "1");
    weir_mock_kill(rig->mock, rig->worker, false);
    weir_mock_restart(rig->mock, false);
    weir_worker *other = open_worker(rig);
    for (int i = 0; i < 3; i++) {
        weir_delivery *delivery = take(other);
        assert_int_equal(weir_delivery_seq(delivery), seqs[i]);
        assert_int_equal(weir_ack(delivery), WEIR_OK);
    }
    weir_worker_close(&other);
}

static void kill_in_the_effect(struct rig *rig, weir_delivery *delivery, weir_mock_moment moment)
{
    if (moment == WEIR_MOCK_AFTER && weir_delivery_attempt(delivery) == 1) weir_mock_kill(rig->mock, rig->worker, true);
}

static void a_kill_inside_an_effect_shows_the_effect_twice_unless_it_has_a_key(void **state)
{
    struct rig *rig = *state;
    const weir_mock_done *done;
    rig->on_effect = kill_in_the_effect;
    publish(rig, "jobs.a", "1");
    weir_delivery *delivery = take(rig->worker);
    weir_mock_effect(delivery, "charge", weir_delivery_token(delivery));
    weir_mock_effect(delivery, "mail", NULL); /* dead: not done */
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    weir_worker *other = open_worker(rig);
    delivery = take(other);
    weir_mock_effect(delivery, "charge", weir_delivery_token(delivery));
    weir_mock_effect(delivery, "mail", NULL);
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    assert_int_equal(weir_mock_effects(rig->mock, &done), 3);
    assert_false(done[0].again);
    assert_true(done[1].again);
    assert_string_equal(done[2].what, "mail");
    weir_worker_close(&other);
}

static void run_handler(weir_delivery *delivery, void *arg)
{
    ++*(int *)arg;
    weir_ack(delivery);
}

static void a_worker_that_runs_returns_when_there_is_nothing_to_do(void **state)
{
    struct rig *rig = *state;
    int handled = 0;
    for (int i = 0; i < 100; i++)
        publish(rig, "jobs.a", "1");
    assert_int_equal(weir_worker_run(rig->worker, run_handler, &handled), WEIR_TIMED_OUT);
    assert_int_equal(handled, 100);
    assert_int_equal(rig->settled_count, 100);
}

/* What happened, as text: ids, attempts, when. */
static void play(char *out_text, size_t room)
{
    struct rig *rig = NULL;
    assert_int_equal(begin((void **)&rig), 0);
    size_t size = 0;
    for (int i = 0; i < 5; i++) {
        publish(rig, "jobs.a", "1");
        weir_delivery *delivery = take(rig->worker);
        size += (size_t)snprintf(out_text + size, room - size, "%s/%u at %llu;", weir_delivery_event_id(delivery),
                                 weir_delivery_attempt(delivery), (unsigned long long)weir_mock_time_ms(rig->mock));
        if (i % 2 == 0) weir_mock_restart(rig->mock, i == 2);
        assert_int_equal(i % 3 == 0 ? weir_nack(delivery, 0, "again") : weir_ack(delivery), WEIR_OK);
        if (i == 3) weir_mock_cut(rig->mock, rig->worker, true);
    }
    assert_int_equal(weir_worker_flush(rig->worker, -1), WEIR_OK);
    (void)snprintf(out_text + size, room - size, "end at %llu", (unsigned long long)weir_mock_time_ms(rig->mock));
    assert_int_equal(end((void **)&rig), 0);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    char first[600], second[600];
    (void)state;
    play(first, sizeof first);
    play(second, sizeof second);
    assert_string_equal(first, second);
}

static void one_handle_too_many_is_refused_and_the_others_go_on(void **state)
{
    struct rig *rig = *state;
    weir_worker *workers[62];
    weir_publisher_options options = WEIR_PUBLISHER_OPTIONS_INIT;
    weir_publisher *publisher;
    for (size_t i = 0; i < 62; i++)
        workers[i] = open_worker(rig);
    options.endpoint = weir_mock_endpoint(rig->mock);
    assert_int_equal(weir_publisher_open(&options, &publisher), WEIR_FULL);
    publish(rig, "jobs.a", "1");
    for (size_t i = 0; i < 62; i++)
        weir_worker_close(&workers[i]);
    assert_int_equal(weir_ack(take(rig->worker)), WEIR_OK);
}

static void a_large_event_comes_whole(void **state)
{
    struct rig *rig = *state;
    weir_event event = WEIR_EVENT_INIT;
    size_t size = 1 << 20;
    char *data = malloc(size);
    memset(data, 'x', size);
    event.topic = "jobs.large";
    event.data = data;
    event.data_size = size;
    assert_int_equal(weir_publish(rig->publisher, &event, -1, NULL), WEIR_OK);
    weir_delivery *delivery = take(rig->worker);
    const weir_event *got = weir_delivery_event(delivery);
    assert_int_equal(got->data_size, size);
    assert_memory_equal(got->data, data, size);
    assert_int_equal(weir_ack(delivery), WEIR_OK);
    free(data);
}

static void a_mock_with_open_handles_does_not_close(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(weir_mock_close(&rig->mock), WEIR_INVALID);
    assert_non_null(rig->mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_is_delivered_and_its_settle_is_told, begin, end),
        cmocka_unit_test_setup_teardown(what_is_emitted_is_read_by_a_subscriber_with_its_cause, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_may_be_as_large_as_an_event, begin, end),
        cmocka_unit_test_setup_teardown(sixteen_emits_of_a_delivery_may_be_large, begin, end),
        cmocka_unit_test_setup_teardown(a_request_is_answered, begin, end),
        cmocka_unit_test_setup_teardown(a_lease_that_ran_out_makes_the_settle_stale_and_the_event_comes_again, begin, end),
        cmocka_unit_test_setup_teardown(a_worker_that_extends_keeps_its_lease_for_as_long_as_it_said, begin, end),
        cmocka_unit_test_setup_teardown(a_killed_worker_does_nothing_more_and_another_one_takes_over, begin, end),
        cmocka_unit_test_setup_teardown(a_settle_that_arrived_counts_though_its_answer_was_lost, begin, end),
        cmocka_unit_test_setup_teardown(over_a_restart_a_worker_keeps_what_it_holds, begin, end),
        cmocka_unit_test_setup_teardown(what_had_its_ok_is_there_after_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(a_kill_inside_an_effect_shows_the_effect_twice_unless_it_has_a_key, begin, end),
        cmocka_unit_test_setup_teardown(a_worker_that_runs_returns_when_there_is_nothing_to_do, begin, end),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test_setup_teardown(one_handle_too_many_is_refused_and_the_others_go_on, begin, end),
        cmocka_unit_test_setup_teardown(a_large_event_comes_whole, begin, end),
        cmocka_unit_test_setup_teardown(a_mock_with_open_handles_does_not_close, begin, end),
    };
    return cmocka_run_group_tests_name("mock", tests, NULL, NULL);
}
