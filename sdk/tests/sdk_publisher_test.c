/* Publishers, requests, subscribers and questions through the public headers, against a fake coordinator. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/admin.h>

#include "sdk/tests/sdk_try.h"

static _Atomic uint64_t ok_count, refused_count, unknown_count, number_sum;
static void count_result(const weir_result *r, void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < r->count; i++)
        number_sum += r->first_number + i;
    *(r->status == WEIR_OK ? &ok_count : r->status == WEIR_OUTCOME_UNKNOWN ? &unknown_count : &refused_count) += r->count;
}

static void clear_counts(void)
{
    ok_count = refused_count = unknown_count = number_sum = 0;
}

static void every_number_is_answered_once(void **state)
{
    enum { MANY = 20000 };
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, count_result, NULL);
    weir_event e = try_event("x.y", "some data");
    uint64_t number = 0;
    (void)state;
    clear_counts();
    for (int i = 0; i < MANY; i++)
        assert_int_equal(weir_publish_async(p, &e, LONG_MS, &number), WEIR_OK);
    assert_int_equal(number, MANY);
    assert_int_equal(weir_publisher_flush(p, LONG_MS), WEIR_OK);
    await(ok_count == MANY);
    assert_int_equal(number_sum, (uint64_t)MANY * (MANY + 1) / 2);
    assert_true(fake_counts(fake).packets < MANY / 4);
    weir_publisher_close(&p);
    fake_stop(fake);
}

/* [R-PUB-1] [R-PUB-4] */
static void what_was_accepted_without_an_answer_is_not_accepted_twice(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, count_result, NULL);
    weir_event e = try_event("x.y", "some data");
    weir_result result;
    (void)state;
    clear_counts();
    fake_keep_answers(fake, true);
    for (int i = 0; i < 100; i++)
        assert_int_equal(weir_publish_async(p, &e, 0, NULL), WEIR_OK);
    await(fake_counts(fake).accepted == 100);
    assert_int_equal(weir_publish(p, &e, 10, &result), WEIR_TIMED_OUT);
    assert_int_equal(weir_publisher_flush(p, 10), WEIR_TIMED_OUT);
    fake_cut(fake);
    fake_keep_answers(fake, false);
    assert_int_equal(weir_publisher_flush(p, LONG_MS), WEIR_OK);
    await(ok_count == 101);
    assert_int_equal(fake_counts(fake).accepted, 101);
    assert_true(fake_counts(fake).resent >= 100);
    weir_publisher_close(&p);
    fake_stop(fake);
}

/* [R-PUB-6] */
static void a_forgotten_publisher_hears_that_the_outcome_is_unknown(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, count_result, NULL);
    weir_event e = try_event("x.y", "some data");
    (void)state;
    clear_counts();
    assert_int_equal(weir_publish(p, &e, LONG_MS, NULL), WEIR_OK);
    fake_keep_answers(fake, true);
    assert_int_equal(weir_publish_async(p, &e, 0, NULL), WEIR_OK);
    await(fake_counts(fake).accepted == 2);
    fake_forget_publishers(fake);
    fake_cut(fake);
    await(unknown_count == 1);
    fake_keep_answers(fake, false);
    assert_int_equal(weir_publish(p, &e, LONG_MS, NULL), WEIR_OK);
    assert_int_equal(fake_counts(fake).accepted, 3);
    weir_publisher_close(&p);
    fake_stop(fake);
}

static void a_refusal_is_told_with_its_word_and_its_time(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, NULL, NULL);
    weir_event e = try_event("x.y", "");
    weir_result result;
    weir_error error;
    (void)state;
    fake_refuse_publishes(fake, CODE_THROTTLED);
    assert_int_equal(weir_publish(p, &e, LONG_MS, &result), WEIR_THROTTLED);
    assert_int_equal(result.retry_ms, 7);
    weir_last_error(p, &error);
    assert_true(error.retriable);
    assert_int_equal(error.retry_ms, 7);
    assert_string_equal(error.word, "throttled");
    e.topic = "x..y";
    assert_int_equal(weir_publish(p, &e, LONG_MS, &result), WEIR_INVALID);
    e.topic = NULL;
    assert_int_equal(weir_publish_async(p, &e, LONG_MS, NULL), WEIR_INVALID);
    e.topic = "x.y";
    e.data_size = 70000;
    e.data = calloc(1, e.data_size);
    assert_int_equal(weir_publish_async(p, &e, LONG_MS, NULL), WEIR_TOO_LARGE);
    free((void *)(uintptr_t)e.data);
    weir_publisher_close(&p);
    fake_stop(fake);
}

static void a_full_window_says_so_or_waits(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher_options o = WEIR_PUBLISHER_OPTIONS_INIT;
    weir_publisher *p;
    weir_event e = try_event("x.y", "");
    (void)state;
    fake_keep_answers(fake, true);
    o.endpoint = fake_endpoint(fake);
    o.window = 4;
    o.close_timeout_ms = 1;
    o.on_result = count_result;
    clear_counts();
    assert_int_equal(weir_publisher_open(&o, &p), WEIR_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(weir_publish_async(p, &e, 0, NULL), WEIR_OK);
    assert_int_equal(weir_publish_async(p, &e, 0, NULL), WEIR_FULL);
    assert_int_equal(weir_publish_async(p, &e, 5, NULL), WEIR_FULL);
    weir_publisher_close(&p);
    assert_int_equal(unknown_count, 4);
    fake_stop(fake);
}

struct answering {
    weir_worker *worker;
    pthread_t thread;
};

static void answer(weir_delivery *d, void *arg)
{
    const weir_event *e = weir_delivery_event(d);
    (void)arg;
    assert_true(weir_delivery_is_request(d));
    if (strcmp(e->data, "reject") == 0) {
        assert_int_equal(weir_reject(d, "because"), WEIR_OK);
    } else if (strcmp(e->data, "wait") == 0) {
        await(weir_cancelled(d));
        assert_int_equal(weir_reject(d, "cancelled"), WEIR_OK);
    } else {
        assert_int_equal(weir_partial(d, "Hel", 3), WEIR_OK);
        assert_int_equal(weir_partial(d, "lo", 2), WEIR_OK);
        assert_int_equal(weir_reply(d, "Hello", 5), WEIR_OK);
    }
}

static void *run_answering(void *arg)
{
    struct answering *a = arg;
    (void)weir_worker_run(a->worker, answer, NULL);
    return NULL;
}

static void expect(weir_request_call *call, weir_answer_kind kind, const char *data)
{
    const weir_answer *got;
    assert_int_equal(weir_request_next(call, LONG_MS, &got), WEIR_OK);
    assert_int_equal(got->kind, kind);
    assert_string_equal((const char *)got->data, data);
}

/* [R-REQ-1] [R-REQ-2] [R-REQ-3] [R-REQ-4] */
static void a_request_gets_its_partials_in_order_and_one_answer(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, NULL, NULL);
    struct answering a = { .worker = try_worker(fake, NULL, NULL) };
    weir_event hello = try_event("a.q", "hello"), reject = try_event("a.q", "reject"), wait = try_event("a.q", "wait");
    weir_request_call *call, *rejected, *cancelled;
    const weir_answer *got;
    (void)state;
    assert_int_equal(pthread_create(&a.thread, NULL, run_answering, &a), 0);
    assert_int_equal(weir_request(p, &hello, LONG_MS, &call), WEIR_OK);
    assert_int_equal(weir_request(p, &reject, LONG_MS, &rejected), WEIR_OK);
    expect(call, WEIR_ANSWER_PARTIAL, "Hel");
    expect(call, WEIR_ANSWER_PARTIAL, "lo");
    expect(call, WEIR_ANSWER_REPLY, "Hello");
    assert_int_equal(weir_request_next(call, LONG_MS, &got), WEIR_ENDED);
    expect(rejected, WEIR_ANSWER_ERROR, "because");
    weir_request_close(&call);
    weir_request_close(&rejected);
    assert_int_equal(weir_request(p, &wait, LONG_MS, &cancelled), WEIR_OK);
    await(fake_counts(fake).delivered == 3);
    assert_int_equal(weir_request_cancel(cancelled), WEIR_OK);
    expect(cancelled, WEIR_ANSWER_ERROR, "cancelled");
    weir_request_close(&cancelled);
    fake_refuse_publishes(fake, CODE_NO_WORKER);
    assert_int_equal(weir_request(p, &hello, LONG_MS, &call), WEIR_OK);
    assert_int_equal(weir_request_next(call, LONG_MS, &got), WEIR_OK);
    assert_int_equal(got->kind, WEIR_ANSWER_ERROR);
    assert_int_equal(got->status, WEIR_NO_WORKER);
    weir_worker_stop(a.worker);
    (void)pthread_join(a.thread, NULL);
    weir_worker_close(&a.worker);
    weir_publisher_close(&p); /* frees the open call */
    fake_stop(fake);
}

static void a_request_without_an_answer_ends_with_its_time(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, NULL, NULL);
    weir_event e = try_event("a.q", "anyone?");
    weir_request_call *call;
    const weir_answer *got;
    (void)state;
    assert_int_equal(weir_request(p, &e, 0, &call), WEIR_INVALID);
    assert_int_equal(weir_request(p, &e, 30, &call), WEIR_OK);
    assert_int_equal(weir_request_next(call, -1, &got), WEIR_TIMED_OUT);
    weir_request_close(&call);
    weir_publisher_close(&p);
    fake_stop(fake);
}

static weir_subscriber *subscribe(struct fake *fake, weir_start start, uint64_t limit)
{
    static const char *const topics[] = { "x.>" };
    weir_subscriber_options o = WEIR_SUBSCRIBER_OPTIONS_INIT;
    weir_subscriber *s;
    o.endpoint = fake_endpoint(fake);
    o.topics = topics;
    o.topic_count = 1;
    o.start = start;
    o.limit = limit;
    o.credit = 4;
    assert_int_equal(weir_subscriber_open(&o, &s), WEIR_OK);
    return s;
}

/* [R-SUB-2] [R-SUB-3] */
static void a_subscriber_sees_each_event_once_also_over_a_lost_connection(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, NULL, NULL);
    weir_subscriber *s;
    const weir_stored_event *got;
    weir_event e = try_event("x.y", "");
    struct pollfd fd;
    char text[16];
    (void)state;
    fake_say_gap(fake);
    for (int i = 1; i <= 40; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        e.data = text;
        e.data_size = strlen(text);
        assert_int_equal(weir_publish(p, &e, LONG_MS, NULL), WEIR_OK);
    }
    s = subscribe(fake, WEIR_START_FIRST, 0);
    fd = (struct pollfd){ .fd = weir_subscriber_fd(s), .events = POLLIN };
    assert_int_equal(poll(&fd, 1, LONG_MS), 1);
    for (int i = 1; i <= 40; i++) {
        if (i == 20) fake_cut(fake);
        assert_int_equal(weir_subscriber_next(s, LONG_MS, &got), WEIR_OK);
        assert_int_equal(got->seq, i);
        assert_int_equal(got->gap, i == 1);
        assert_int_equal(atoi((const char *)got->event->data), i);
    }
    assert_int_equal(weir_subscriber_next(s, 0, &got), WEIR_TIMED_OUT);
    await(weir_subscriber_caught_up(s));
    weir_subscriber_stop(s);
    assert_int_equal(weir_subscriber_next(s, -1, &got), WEIR_CLOSED);
    weir_subscriber_close(&s);
    weir_publisher_close(&p);
    fake_stop(fake);
}

/* [R-SUB-4] */
static void a_limit_ends_the_subscription(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, NULL, NULL);
    weir_subscriber *s;
    const weir_raw_event *raw;
    weir_event e = try_event("x.y", "d");
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_publish(p, &e, LONG_MS, NULL), WEIR_OK);
    s = subscribe(fake, WEIR_START_FIRST, 2);
    assert_int_equal(weir_subscriber_next_raw(s, LONG_MS, &raw), WEIR_OK);
    assert_string_equal(raw->epoch, "00000000000000fa");
    assert_int_equal(weir_publish_raw(p, raw->data, raw->data_size, LONG_MS, NULL), WEIR_OK);
    assert_int_equal(weir_subscriber_next_raw(s, LONG_MS, &raw), WEIR_OK);
    assert_int_equal(weir_subscriber_next_raw(s, LONG_MS, &raw), WEIR_ENDED);
    assert_true(weir_subscriber_more(s));
    assert_int_equal(weir_publisher_flush(p, LONG_MS), WEIR_OK);
    assert_int_equal(fake_counts(fake).accepted, 4);
    assert_int_equal(weir_publish_raw(p, "\xff", 1, LONG_MS, NULL), WEIR_INVALID);
    weir_subscriber_close(&s);
    weir_publisher_close(&p);
    fake_stop(fake);
}

static void questions_are_answered_in_rows(void **state)
{
    struct fake *fake = fake_start();
    weir_admin_options o = WEIR_ADMIN_OPTIONS_INIT;
    weir_admin *admin;
    weir_answer_rows *rows;
    (void)state;
    o.endpoint = fake_endpoint(fake);
    assert_int_equal(weir_admin_open(&o, &admin), WEIR_OK);
    assert_int_equal(weir_admin_stats(admin, NULL, LONG_MS, &rows), WEIR_OK);
    assert_int_equal(rows->stat_count, 1);
    assert_string_equal(rows->stats[0].name, "accepted");
    weir_admin_free(&rows);
    assert_int_equal(weir_admin_groups(admin, "dev", "g", LONG_MS, &rows), WEIR_OK);
    assert_string_equal(rows->groups[0].name, "g");
    assert_string_equal(rows->groups[0].filters[0], "a.>");
    weir_admin_free(&rows);
    assert_null(rows);
    weir_admin_close(&admin);
    fake_stop(fake);
}

/* Runs in the child, which must not reach the parent's coordinator. */
static int all_forked(weir_publisher *p, weir_worker *w, weir_subscriber *s)
{
    weir_event e = WEIR_EVENT_INIT;
    weir_delivery *d;
    const weir_stored_event *got;
    weir_error error;
    e.topic = "x.y";
    weir_last_error(p, &error);
    if (weir_publish(p, &e, -1, NULL) != WEIR_FORKED || weir_publish_async(p, &e, -1, NULL) != WEIR_FORKED || error.status != WEIR_FORKED)
        return 1;
    if (weir_worker_next(w, -1, &d) != WEIR_FORKED || weir_worker_fd(w) != -1 || weir_subscriber_next(s, -1, &got) != WEIR_FORKED) return 2;
    weir_publisher_close(&p);
    weir_worker_close(&w);
    weir_subscriber_close(&s);
    return p == NULL && w == NULL ? 0 : 3;
}

static void a_forked_child_is_told_that_a_handle_is_not_its_own(void **state)
{
    struct fake *fake = fake_start();
    weir_publisher *p = try_publisher(fake, NULL, NULL);
    weir_worker *w = try_worker(fake, NULL, NULL);
    weir_subscriber *s = subscribe(fake, WEIR_START_NEW, 0);
    weir_event e = try_event("x.y", "");
    int result;
    pid_t child = fork();
    (void)state;
    if (child == 0) _exit(all_forked(p, w, s));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    assert_int_equal(weir_publish(p, &e, LONG_MS, NULL), WEIR_OK); /* the parent goes on */
    weir_subscriber_close(&s);
    weir_worker_close(&w);
    weir_publisher_close(&p);
    fake_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_answered_once),
        cmocka_unit_test(what_was_accepted_without_an_answer_is_not_accepted_twice),
        cmocka_unit_test(a_forgotten_publisher_hears_that_the_outcome_is_unknown),
        cmocka_unit_test(a_refusal_is_told_with_its_word_and_its_time),
        cmocka_unit_test(a_full_window_says_so_or_waits),
        cmocka_unit_test(a_request_gets_its_partials_in_order_and_one_answer),
        cmocka_unit_test(a_request_without_an_answer_ends_with_its_time),
        cmocka_unit_test(a_subscriber_sees_each_event_once_also_over_a_lost_connection),
        cmocka_unit_test(a_limit_ends_the_subscription),
        cmocka_unit_test(questions_are_answered_in_rows),
        cmocka_unit_test(a_forked_child_is_told_that_a_handle_is_not_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
