/* Nothing here is guarded by chance: what these threads share is atomic, or under `queue_lock`. So a race that is reported is one of the
 * SDK or of the coordinator. Published events are numbered; `handled` remembers which numbers a handler has settled. */
#include "tests/tsan/crowd.h"

#include "sdk/base/must.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/admin.h>
#include <weir/weir.h>

enum {
    EVENTS_MAX = 1 << 20,
    PUBLISHERS = 2,
    THREADS_MAX = 16,
    QUEUE_MAX = 256,
    PATIENCE_S = 60,
    CALL_MS = 500,
    ASK_MS = 20000,
    CLOSE_MS = 200,
    AHEAD_MAX = 200
};

struct crowd {
    const char *endpoint;
    char http[64];
    weir_worker *runner, *puller;
    weir_publisher *publishers[PUBLISHERS], *asker;
    weir_subscriber *subscriber;
    weir_admin *admin;
    pthread_t threads[THREADS_MAX], settler;
    unsigned thread_count;
    atomic_bool stopping, patient; /* patient: publishers end when `wanted` is reached */
    atomic_uint wanted, next, accepted, asking, replies, partials, read, looked, settled, states, handled_count;
    atomic_bool handled[EVENTS_MAX];
    pthread_mutex_t queue_lock;
    pthread_cond_t queue_changed;
    weir_delivery *queue[QUEUE_MAX]; /* by queue_lock */
    unsigned queue_count;
    bool queue_ends;
};

static void on_state(weir_state state, const weir_error *error, void *arg)
{
    struct crowd *c = arg;
    if (error != NULL && state == WEIR_STATE_STOPPED) fprintf(stderr, "stopped: %s %s\n", error->word, error->detail);
    atomic_fetch_add(&c->states, 1);
}

static void on_log(weir_log_level level, const char *text, void *arg)
{
    struct crowd *c = arg;
    atomic_fetch_add(&c->states, level >= WEIR_LOG_WARNING && text[0] != '\0');
}

static void on_settled(const weir_settled *settled, void *arg)
{
    struct crowd *c = arg;
    atomic_fetch_add(&c->settled, settled->status == WEIR_OK);
}

static void on_result(const weir_result *result, void *arg)
{
    struct crowd *c = arg;
    if (result->status == WEIR_OK) atomic_fetch_add(&c->accepted, (unsigned)result->count);
}

static bool goes_on(struct crowd *c)
{
    return !atomic_load(&c->stopping);
}

/* -- work -- */

static void note(struct crowd *c, const weir_event *event)
{
    unsigned number = (unsigned)strtoul(event->data, NULL, 10);
    must(number < EVENTS_MAX);
    if (!atomic_exchange(&c->handled[number], true)) atomic_fetch_add(&c->handled_count, 1);
}

static void answer(weir_delivery *d)
{
    for (int i = 0; i < 3 && !weir_cancelled(d); i++) {
        char piece[16];
        int size = snprintf(piece, sizeof piece, "piece %d", i);
        (void)weir_partial(d, piece, (size_t)size);
    }
    if (weir_delivery_seq(d) % 5 == 0)
        (void)weir_reject(d, "every fifth is");
    else if (weir_reply(d, "done", 4) != WEIR_OK)
        (void)weir_nack(d, 1, "no reply");
}

static void emit_echo(weir_delivery *d)
{
    weir_event echo = WEIR_EVENT_INIT;
    echo.topic = "echo.all";
    echo.data = weir_delivery_token(d);
    echo.data_size = strlen(echo.data);
    (void)weir_emit(d, &echo);
}

static void work(struct crowd *c, weir_delivery *d)
{
    const weir_event *event = weir_delivery_event(d);
    must(event != NULL && weir_delivery_event_id(d)[0] != '\0');
    uint64_t seq = weir_delivery_seq(d);
    weir_delivery_set_user(d, c);
    if (weir_delivery_is_request(d)) {
        answer(d);
        return;
    }
    if (seq % 4 == 0) (void)weir_extend(d, 5000);
    if (seq % 7 == 0 && weir_delivery_attempt(d) == 1) {
        (void)weir_nack(d, 1, "once more");
        return;
    }
    note(c, event);
    if (seq % 3 == 0) emit_echo(d);
    (void)weir_ack(d);
}

static void handle(weir_delivery *d, void *arg)
{
    work(arg, d);
}

static void *run_handlers(void *arg)
{
    struct crowd *c = arg;
    weir_status status = weir_worker_run(c->runner, handle, c);
    must(status == WEIR_OK);
    return NULL;
}

/* One thread takes deliveries by descriptor and hands them on, another settles them. */
static void *pull(void *arg)
{
    struct crowd *c = arg;
    for (;;) {
        struct pollfd ready = { .fd = weir_worker_fd(c->puller), .events = POLLIN };
        weir_delivery *d;
        (void)poll(&ready, 1, 1000);
        weir_status status = weir_worker_next(c->puller, 0, &d);
        if (status == WEIR_TIMED_OUT) continue;
        if (status != WEIR_OK) break;
        pthread_mutex_lock(&c->queue_lock);
        must(c->queue_count < QUEUE_MAX); /* its credit is less */
        c->queue[c->queue_count++] = d;
        pthread_cond_signal(&c->queue_changed);
        pthread_mutex_unlock(&c->queue_lock);
    }
    return NULL;
}

static void *settle(void *arg)
{
    struct crowd *c = arg;
    pthread_mutex_lock(&c->queue_lock);
    while (!c->queue_ends) {
        if (c->queue_count == 0) {
            pthread_cond_wait(&c->queue_changed, &c->queue_lock);
            continue;
        }
        weir_delivery *d = c->queue[--c->queue_count];
        pthread_mutex_unlock(&c->queue_lock);
        work(c, d);
        pthread_mutex_lock(&c->queue_lock);
    }
    pthread_mutex_unlock(&c->queue_lock);
    return NULL;
}

/* -- publishing -- */

/* The next number, or false: that was all, or the end. */
static bool take_number(struct crowd *c, unsigned *out_number)
{
    while (goes_on(c)) {
        unsigned number = atomic_load(&c->next);
        bool all = number >= atomic_load(&c->wanted);
        if (all && atomic_load(&c->patient)) return false;
        if (all || atomic_load(&c->accepted) > atomic_load(&c->handled_count) + AHEAD_MAX) {
            (void)poll(NULL, 0, 1);
            continue;
        }
        if (!atomic_compare_exchange_weak(&c->next, &number, number + 1)) continue;
        *out_number = number;
        return true;
    }
    return false;
}

static weir_event make_event(unsigned number, char text[16], char key[16])
{
    weir_event event = WEIR_EVENT_INIT;
    (void)snprintf(text, 16, "%u", number);
    (void)snprintf(key, 16, "key-%u", number % 13);
    event.topic = number % 2 ? "docs.odd" : "docs.even";
    event.key = key;
    event.data = text;
    event.data_size = strlen(text);
    return event;
}

static void *publish(void *arg)
{
    struct crowd *c = arg;
    unsigned number;
    char text[16], key[16];
    while (take_number(c, &number)) {
        weir_event event = make_event(number, text, key);
        weir_publisher *p = c->publishers[number % PUBLISHERS];
        weir_error error;
        if (weir_publish(p, &event, CALL_MS, NULL) != WEIR_OK) weir_last_error(p, &error);
    }
    return NULL;
}

static void *publish_without_waiting(void *arg)
{
    struct crowd *c = arg;
    unsigned number, count = 0;
    char text[16], key[16];
    while (take_number(c, &number)) {
        weir_event event = make_event(number, text, key);
        weir_publisher *p = c->publishers[number % PUBLISHERS];
        uint64_t told;
        (void)weir_publish_async(p, &event, CALL_MS, &told);
        if (++count % 50 == 0) (void)weir_publisher_flush(p, CALL_MS);
    }
    for (int i = 0; i < PUBLISHERS && goes_on(c); i++)
        (void)weir_publisher_flush(c->publishers[i], CALL_MS);
    return NULL;
}

/* -- asking -- */

static void ask_once(struct crowd *c, bool cancels)
{
    weir_event event = WEIR_EVENT_INIT;
    weir_request_call *call;
    const weir_answer *got;
    event.topic = "ask.something";
    event.data = "?";
    event.data_size = 1;
    if (weir_request(c->asker, &event, ASK_MS, &call) != WEIR_OK) return;
    for (int waits = 0; waits < ASK_MS / CALL_MS; waits++) {
        weir_status status = weir_request_next(call, CALL_MS, &got);
        if ((status != WEIR_OK && status != WEIR_TIMED_OUT) || !goes_on(c)) break;
        if (status == WEIR_TIMED_OUT) continue;
        if (got->kind != WEIR_ANSWER_PARTIAL) {
            atomic_fetch_add(&c->replies, 1);
            continue;
        }
        atomic_fetch_add(&c->partials, 1);
        if (!cancels) continue;
        (void)weir_request_cancel(call);
        break;
    }
    weir_request_close(&call);
}

static void *ask(void *arg)
{
    struct crowd *c = arg;
    for (unsigned i = 0; goes_on(c) && !atomic_load(&c->patient); i++)
        ask_once(c, i % 4 == 3);
    atomic_fetch_sub(&c->asking, 1);
    return NULL;
}

/* -- looking on -- */

static void *read_events(void *arg)
{
    struct crowd *c = arg;
    const weir_stored_event *stored;
    weir_status status;
    while ((status = weir_subscriber_next(c->subscriber, -1, &stored)) == WEIR_OK) {
        must(stored->event->topic[0] != '\0');
        atomic_fetch_add(&c->read, 1);
    }
    must(status == WEIR_CLOSED);
    return NULL;
}

static void get(struct crowd *c, const char *path)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(c->http, ':') + 1)) };
    char answer_text[4096];
    ssize_t n;
    bool fine = false;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
        dprintf(fd, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
        while ((n = read(fd, answer_text, sizeof answer_text)) > 0)
            fine = fine || memcmp(answer_text, "HTTP/1.1 200", 12) == 0;
    }
    close(fd);
    if (fine) atomic_fetch_add(&c->looked, 1);
}

static void *look_on(void *arg)
{
    struct crowd *c = arg;
    while (goes_on(c)) {
        weir_answer_rows *rows = NULL;
        weir_error error;
        if (c->http[0] != 0) get(c, "/metrics");
        if (c->http[0] != 0) get(c, "/healthz");
        if (weir_admin_stats(c->admin, NULL, 1000, &rows) == WEIR_OK) weir_admin_free(&rows);
        if (weir_admin_groups(c->admin, NULL, NULL, 1000, &rows) == WEIR_OK) weir_admin_free(&rows);
        weir_last_error(c->runner, &error);
        (void)weir_subscriber_caught_up(c->subscriber);
        (void)weir_worker_flush(c->runner, 1);
    }
    return NULL;
}

/* -- all of them -- */

static void open_workers(struct crowd *c)
{
    static const char *const work_topics[] = { "docs.>", "ask.>" };
    weir_worker_options o = WEIR_WORKER_OPTIONS_INIT;
    o.endpoint = c->endpoint;
    o.group = "crowd";
    o.topics = work_topics;
    o.topic_count = 2;
    o.backoff_ms = 5;
    o.start = WEIR_START_FIRST;
    o.handlers = 3;
    o.credit = 32;
    o.auto_extend_ms = 5000;
    o.close_timeout_ms = CLOSE_MS;
    o.on_state = on_state;
    o.on_log = on_log;
    o.on_settled = on_settled;
    o.arg = c;
    must(weir_worker_open(&o, &c->runner) == WEIR_OK);
    o.handlers = 0;
    must(weir_worker_open(&o, &c->puller) == WEIR_OK);
}

static void open_clients(struct crowd *c)
{
    static const char *const read_topics[] = { "docs.>", "echo.>" };
    weir_publisher_options p = WEIR_PUBLISHER_OPTIONS_INIT;
    weir_subscriber_options s = WEIR_SUBSCRIBER_OPTIONS_INIT;
    weir_admin_options a = WEIR_ADMIN_OPTIONS_INIT;
    p.endpoint = s.endpoint = a.endpoint = c->endpoint;
    p.on_state = s.on_state = a.on_state = on_state;
    p.on_log = s.on_log = a.on_log = on_log;
    p.arg = s.arg = a.arg = c;
    p.close_timeout_ms = CLOSE_MS;
    must(weir_publisher_open(&p, &c->asker) == WEIR_OK);
    p.on_result = on_result;
    p.window = 64;
    for (int i = 0; i < PUBLISHERS; i++)
        must(weir_publisher_open(&p, &c->publishers[i]) == WEIR_OK);
    s.topics = read_topics;
    s.topic_count = 2;
    s.start = WEIR_START_FIRST;
    s.credit = 64;
    must(weir_subscriber_open(&s, &c->subscriber) == WEIR_OK);
    must(weir_admin_open(&a, &c->admin) == WEIR_OK);
}

static void begin(struct crowd *c, void *(*run)(void *))
{
    must(c->thread_count < THREADS_MAX && pthread_create(&c->threads[c->thread_count++], NULL, run, c) == 0);
}

struct crowd *crowd_gather(const char *endpoint, const char *http)
{
    struct crowd *c = calloc(1, sizeof *c);
    must(c != NULL && pthread_mutex_init(&c->queue_lock, NULL) == 0 && pthread_cond_init(&c->queue_changed, NULL) == 0);
    c->endpoint = endpoint;
    (void)snprintf(c->http, sizeof c->http, "%s", http != NULL ? http : "");
    atomic_store(&c->wanted, EVENTS_MAX);
    atomic_store(&c->asking, 2);
    open_workers(c);
    open_clients(c);
    void *(*const roles[])(void *) = { run_handlers, pull,        publish, publish, publish_without_waiting, publish_without_waiting,
                                       ask,          read_events, ask,     look_on };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        begin(c, roles[i]);
    must(pthread_create(&c->settler, NULL, settle, c) == 0);
    return c;
}

struct crowd_counts crowd_counts(const struct crowd *c)
{
    return (struct crowd_counts){ .replies = atomic_load(&c->replies),
                                  .partials = atomic_load(&c->partials),
                                  .read = atomic_load(&c->read),
                                  .looked = atomic_load(&c->looked) };
}

static bool has_reached(struct crowd *c, const struct crowd_counts *least)
{
    struct crowd_counts now = crowd_counts(c);
    return now.replies >= least->replies && now.partials >= least->partials && now.read >= least->read && now.looked >= least->looked;
}

static bool has_finished(struct crowd *c, const struct crowd_counts *unused)
{
    unsigned accepted = atomic_load(&c->accepted);
    (void)unused;
    return atomic_load(&c->next) >= atomic_load(&c->wanted) && atomic_load(&c->handled_count) >= accepted &&
           atomic_load(&c->read) >= accepted && atomic_load(&c->asking) == 0;
}

static bool await(struct crowd *c, bool (*condition)(struct crowd *, const struct crowd_counts *), const struct crowd_counts *least)
{
    time_t began = time(NULL);
    while (!condition(c, least)) {
        if (time(NULL) - began > PATIENCE_S) {
            struct crowd_counts now = crowd_counts(c);
            fprintf(stderr,
                    "published %u of %u, accepted %u, handled %u, settled %u, read %u, asking %u, replies %u, partials %u, looked %u\n",
                    atomic_load(&c->next), atomic_load(&c->wanted), atomic_load(&c->accepted), atomic_load(&c->handled_count),
                    atomic_load(&c->settled), now.read, atomic_load(&c->asking), now.replies, now.partials, now.looked);
            return false;
        }
        (void)poll(NULL, 0, 5);
    }
    return true;
}

bool crowd_reaches(struct crowd *c, struct crowd_counts least)
{
    return await(c, has_reached, &least);
}

bool crowd_finishes(struct crowd *c, unsigned events)
{
    atomic_store(&c->wanted, events);
    atomic_store(&c->patient, true);
    return await(c, has_finished, NULL);
}

static void end_settler(struct crowd *c)
{
    pthread_mutex_lock(&c->queue_lock);
    c->queue_ends = true;
    pthread_cond_signal(&c->queue_changed);
    pthread_mutex_unlock(&c->queue_lock);
    pthread_join(c->settler, NULL);
}

void crowd_stop(struct crowd **crowd)
{
    struct crowd *c = *crowd;
    atomic_store(&c->stopping, true);
    weir_subscriber_stop(c->subscriber);
    weir_worker_stop(c->runner);
    weir_worker_stop(c->puller);
    end_settler(c); /* what is in its queue is given back by the close */
    for (unsigned i = 0; i < c->thread_count; i++)
        pthread_join(c->threads[i], NULL);
    weir_publisher_close(&c->asker);
    for (int i = 0; i < PUBLISHERS; i++)
        weir_publisher_close(&c->publishers[i]);
    weir_worker_close(&c->runner);
    weir_worker_close(&c->puller);
    weir_subscriber_close(&c->subscriber);
    weir_admin_close(&c->admin);
    pthread_mutex_destroy(&c->queue_lock);
    pthread_cond_destroy(&c->queue_changed);
    free(c);
    *crowd = NULL;
}
