/* Workers through the public header, against a fake coordinator. */
#include <poll.h>
#include <stdatomic.h>

#include "sdk/tests/sdk_try.h"

static void publish_many(struct fake *fake, int count)
{
    weir_publisher *p = try_publisher(fake, NULL, NULL);
    weir_event e = try_event("a.b", "data");
    for (int i = 0; i < count; i++)
        assert_int_equal(weir_publish_async(p, &e, LONG_MS, NULL), WEIR_OK);
    assert_int_equal(weir_publisher_flush(p, LONG_MS), WEIR_OK);
    weir_publisher_close(&p);
    assert_null(p);
}

static void every_field_of_an_event_arrives_as_it_was_written(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, NULL, NULL);
    weir_worker *w = try_worker(fake, NULL, NULL);
    weir_header headers[] = { { "one", "1" }, { "two", "" } };
    weir_event e = WEIR_EVENT_INIT;
    const weir_event *got;
    weir_delivery *d;
    weir_result result;
    (void)state;
    e.topic = "a.b.c";
    e.key = "k";
    e.session = "s";
    e.token = "t";
    e.type = "ty";
    e.content_type = "text/plain";
    e.traceparent = "00-x";
    e.headers = headers;
    e.header_count = 2;
    e.data = "a\0b";
    e.data_size = 3;
    e.ttl_ms = 60000;
    assert_int_equal(weir_publish(p, &e, LONG_MS, &result), WEIR_OK);
    assert_int_equal(result.first_seq, 1);
    assert_string_equal(result.event_id, "00000000000000fa-1");
    assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_OK);
    got = weir_delivery_event(d);
    assert_string_equal(got->topic, "a.b.c");
    assert_string_equal(got->key, "k");
    assert_string_equal(got->session, "s");
    assert_string_equal(got->token, "t");
    assert_string_equal(got->type, "ty");
    assert_string_equal(got->content_type, "text/plain");
    assert_string_equal(got->traceparent, "00-x");
    assert_string_equal(got->tracestate, "");
    assert_string_equal(got->reply_to, "");
    assert_int_equal(got->header_count, 2);
    assert_string_equal(got->headers[0].name, "one");
    assert_string_equal(got->headers[0].value, "1");
    assert_string_equal(got->headers[1].name, "two");
    assert_string_equal(got->headers[1].value, "");
    assert_int_equal(got->data_size, 3);
    assert_memory_equal(got->data, "a\0b\0", 4);
    assert_int_equal(got->ttl_ms, 60000);
    assert_true(got->time_ms > 1600000000000);
    assert_int_equal(weir_delivery_seq(d), 1);
    assert_int_equal(weir_delivery_attempt(d), 1);
    assert_int_equal(weir_delivery_time_ms(d), 1001);
    assert_string_equal(weir_delivery_event_id(d), "00000000000000fa-1");
    assert_string_equal(weir_delivery_token(d), "g/00000000000000fa-1");
    assert_false(weir_delivery_is_request(d));
    assert_false(weir_delivery_is_replay(d));
    assert_int_equal(weir_reply(d, "x", 1), WEIR_INVALID);
    assert_int_equal(weir_partial(d, "x", 1), WEIR_INVALID);
    assert_int_equal(weir_ack(d), WEIR_OK);
    assert_int_equal(weir_worker_flush(w, LONG_MS), WEIR_OK);
    assert_int_equal(fake_counts(fake).acked, 1);
    weir_worker_close(&w);
    weir_publisher_close(&p);
    fake_stop(fake);
}

static atomic_int settled_ok, settled_stale;
static void count_settled(const weir_settled *settled, void *arg)
{
    assert_ptr_equal(settled->user, arg);
    atomic_fetch_add(settled->status == WEIR_OK ? &settled_ok : &settled_stale, 1);
}

static void a_nacked_event_comes_again_with_the_next_attempt(void **state)
{
    struct fake *fake = fake_start();
    int mark;
    weir_worker *w = try_worker(fake, count_settled, &mark);
    weir_delivery *d;
    (void)state;
    settled_ok = settled_stale = 0;
    publish_many(fake, 1);
    for (uint32_t attempt = 1; attempt <= 3; attempt++) {
        assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_OK);
        assert_int_equal(weir_delivery_attempt(d), attempt);
        weir_delivery_set_user(d, &mark);
        assert_int_equal(attempt < 3 ? weir_nack(d, 1, "not yet") : weir_reject(d, "never"), WEIR_OK);
    }
    await(settled_ok == 3);
    assert_int_equal(weir_worker_next(w, 0, &d), WEIR_TIMED_OUT);
    assert_int_equal(fake_counts(fake).nacked, 2);
    assert_int_equal(fake_counts(fake).rejected, 1);
    weir_worker_close(&w);
    fake_stop(fake);
}

struct many {
    weir_worker *worker;
    atomic_int handled;
    int until;
};
static void handle_one_of_many(weir_delivery *d, void *arg)
{
    struct many *many = arg;
    assert_int_equal(weir_ack(d), WEIR_OK);
    if (atomic_fetch_add(&many->handled, 1) + 1 == many->until) weir_worker_stop(many->worker);
}

static void handlers_share_the_events_until_one_of_them_stops_the_worker(void **state)
{
    static const char *const topics[] = { "a.>" };
    struct fake *fake = fake_start();
    struct many many = { .until = 3000 };
    weir_worker_options o = WEIR_WORKER_OPTIONS_INIT;
    (void)state;
    o.endpoint = fake_endpoint(fake);
    o.group = "g";
    o.topics = topics;
    o.topic_count = 1;
    o.handlers = 4;
    assert_int_equal(weir_worker_open(&o, &many.worker), WEIR_OK);
    publish_many(fake, many.until);
    assert_int_equal(weir_worker_run(many.worker, handle_one_of_many, &many), WEIR_OK);
    assert_int_equal(many.handled, many.until);
    assert_int_equal(weir_worker_flush(many.worker, LONG_MS), WEIR_OK);
    assert_int_equal(fake_counts(fake).acked, many.until);
    weir_worker_close(&many.worker);
    fake_stop(fake);
}

static void the_descriptor_is_readable_exactly_while_next_has_something(void **state)
{
    struct fake *fake = fake_start();
    weir_worker *w = try_worker(fake, NULL, NULL);
    struct pollfd p = { .fd = weir_worker_fd(w), .events = POLLIN };
    weir_delivery *d;
    (void)state;
    assert_int_equal(poll(&p, 1, 0), 0);
    publish_many(fake, 2);
    assert_int_equal(poll(&p, 1, LONG_MS), 1);
    assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_OK);
    assert_int_equal(weir_ack(d), WEIR_OK);
    assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_OK);
    assert_int_equal(weir_ack(d), WEIR_OK);
    assert_int_equal(poll(&p, 1, 0), 0);
    weir_worker_stop(w);
    assert_int_equal(poll(&p, 1, LONG_MS), 1);
    assert_int_equal(weir_worker_next(w, -1, &d), WEIR_CLOSED);
    weir_worker_close(&w);
    fake_stop(fake);
}

/* [R-ADOPT-1] [R-ADOPT-3] */
static void a_lost_connection_does_not_repeat_what_a_worker_holds_or_has_settled(void **state)
{
    struct fake *fake = fake_start();
    int mark;
    weir_worker *w = try_worker(fake, count_settled, &mark);
    weir_delivery *d[3];
    (void)state;
    settled_ok = settled_stale = 0;
    publish_many(fake, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weir_worker_next(w, LONG_MS, &d[i]), WEIR_OK);
        weir_delivery_set_user(d[i], &mark);
    }
    fake_keep_answers(fake, true);
    assert_int_equal(weir_ack(d[0]), WEIR_OK);
    await(fake_counts(fake).acked == 1); /* it counted, but nobody said so */
    fake_cut(fake);
    fake_keep_answers(fake, false);
    assert_int_equal(weir_ack(d[1]), WEIR_OK);
    await(settled_ok + settled_stale == 2);
    assert_false(weir_cancelled(d[2]));
    assert_int_equal(weir_ack(d[2]), WEIR_OK);
    await(settled_ok + settled_stale == 3);
    assert_int_equal(settled_stale, 1); /* the first: ended, without a lease to say it again */
    assert_int_equal(fake_counts(fake).acked, 3);
    assert_int_equal(fake_counts(fake).delivered, 3);
    weir_worker_close(&w);
    fake_stop(fake);
}

static void closing_gives_back_what_was_not_settled(void **state)
{
    struct fake *fake = fake_start();
    weir_worker *w = try_worker(fake, NULL, NULL), *other;
    weir_delivery *d;
    (void)state;
    publish_many(fake, 5);
    await(fake_counts(fake).delivered == 5);
    assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_OK);
    weir_worker_close(&w);
    other = try_worker(fake, NULL, NULL);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(weir_worker_next(other, LONG_MS, &d), WEIR_OK);
        assert_int_equal(weir_delivery_attempt(d), 1);
        assert_int_equal(weir_ack(d), WEIR_OK);
    }
    weir_worker_close(&other);
    assert_true(fake_counts(fake).released >= 5);
    fake_stop(fake);
}

static void what_is_emitted_is_stored_with_the_ack_and_only_with_it(void **state)
{
    struct fake *fake = fake_start();
    weir_worker *w = try_worker(fake, NULL, NULL);
    weir_subscriber_options o = WEIR_SUBSCRIBER_OPTIONS_INIT;
    const char *topics[] = { "out.>" };
    weir_subscriber *s;
    weir_delivery *d;
    const weir_stored_event *got;
    weir_event e = try_event("out.x", "emitted"), bad = try_event("$sys.x", "");
    (void)state;
    o.endpoint = fake_endpoint(fake);
    o.topics = topics;
    o.topic_count = 1;
    o.start = WEIR_START_FIRST;
    assert_int_equal(weir_subscriber_open(&o, &s), WEIR_OK);
    publish_many(fake, 2);
    assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_OK);
    assert_int_equal(weir_emit(d, &bad), WEIR_INVALID);
    assert_int_equal(weir_emit(d, &e), WEIR_OK);
    assert_int_equal(weir_reject(d, "no"), WEIR_OK);
    assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_OK);
    for (int i = 0; i < 256; i++)
        assert_int_equal(weir_emit(d, &e), WEIR_OK);
    assert_int_equal(weir_emit(d, &e), WEIR_TOO_LARGE);
    assert_int_equal(weir_ack(d), WEIR_OK);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(weir_subscriber_next(s, LONG_MS, &got), WEIR_OK);
        assert_int_equal(got->cause_seq, 2);
        assert_string_equal((const char *)got->event->data, "emitted");
    }
    assert_int_equal(weir_subscriber_next(s, 0, &got), WEIR_TIMED_OUT);
    weir_subscriber_close(&s);
    weir_worker_close(&w);
    fake_stop(fake);
}

static void a_refused_worker_is_told_why_at_open_or_by_next(void **state)
{
    static const char *const topics[] = { "a.>" };
    struct fake *fake = fake_start();
    weir_worker_options o = WEIR_WORKER_OPTIONS_INIT;
    weir_worker *w = NULL;
    weir_delivery *d;
    weir_error error;
    (void)state;
    fake_refuse_hello(fake, CODE_CONFLICT);
    o.endpoint = fake_endpoint(fake);
    o.group = "g";
    o.topics = topics;
    o.topic_count = 1;
    o.connect_timeout_ms = LONG_MS;
    assert_int_equal(weir_worker_open(&o, &w), WEIR_CONFLICT);
    assert_null(w);
    weir_last_error(NULL, &error);
    assert_string_equal(error.word, "conflict");
    assert_string_equal(error.detail, "as the test wants it");
    assert_false(error.retriable);
    o.connect_timeout_ms = 0;
    assert_int_equal(weir_worker_open(&o, &w), WEIR_OK);
    assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_CONFLICT);
    assert_int_equal(weir_worker_run(w, handle_one_of_many, NULL), WEIR_CONFLICT);
    weir_last_error(w, &error);
    assert_int_equal(error.status, WEIR_CONFLICT);
    weir_worker_close(&w);
    fake_stop(fake);
}

static void wrong_options_are_refused_with_the_reason(void **state)
{
    const char *topics[] = { "a..b" };
    weir_worker_options o = WEIR_WORKER_OPTIONS_INIT, none;
    weir_worker *w = NULL;
    weir_error error;
    (void)state;
    memset(&none, 0, sizeof none);
    assert_int_equal(weir_worker_open(&none, &w), WEIR_INVALID);
    assert_int_equal(weir_worker_open(&o, &w), WEIR_INVALID);
    o.group = "g";
    o.topics = topics;
    o.topic_count = 1;
    assert_int_equal(weir_worker_open(&o, &w), WEIR_INVALID);
    weir_last_error(NULL, &error);
    assert_non_null(strstr(error.detail, "a..b"));
    topics[0] = "a.b";
    o.endpoint = "nowhere at all";
    assert_int_equal(weir_worker_open(&o, &w), WEIR_INVALID);
    o.endpoint = "tcp://127.0.0.1:1";
    o.server_key = "short";
    assert_int_equal(weir_worker_open(&o, &w), WEIR_INVALID);
    o.server_key = NULL;
    o.connect_timeout_ms = 50; /* nobody listens there */
    assert_int_equal(weir_worker_open(&o, &w), WEIR_TIMED_OUT);
    assert_null(w);
}

static void nonsense_from_the_other_side_costs_the_connection_and_no_event(void **state)
{
    struct fake *fake = fake_start();
    weir_worker *w = try_worker(fake, NULL, NULL);
    weir_delivery *d;
    (void)state;
    publish_many(fake, 1);
    assert_int_equal(weir_worker_next(w, LONG_MS, &d), WEIR_OK);
    fake_say_nonsense(fake);
    await(fake_counts(fake).hellos == 3);
    assert_int_equal(weir_ack(d), WEIR_OK);
    assert_int_equal(weir_worker_flush(w, LONG_MS), WEIR_OK);
    assert_int_equal(fake_counts(fake).acked, 1);
    weir_worker_close(&w);
    fake_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_an_event_arrives_as_it_was_written),
        cmocka_unit_test(a_nacked_event_comes_again_with_the_next_attempt),
        cmocka_unit_test(handlers_share_the_events_until_one_of_them_stops_the_worker),
        cmocka_unit_test(the_descriptor_is_readable_exactly_while_next_has_something),
        cmocka_unit_test(a_lost_connection_does_not_repeat_what_a_worker_holds_or_has_settled),
        cmocka_unit_test(closing_gives_back_what_was_not_settled),
        cmocka_unit_test(what_is_emitted_is_stored_with_the_ack_and_only_with_it),
        cmocka_unit_test(a_refused_worker_is_told_why_at_open_or_by_next),
        cmocka_unit_test(wrong_options_are_refused_with_the_reason),
        cmocka_unit_test(nonsense_from_the_other_side_costs_the_connection_and_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
