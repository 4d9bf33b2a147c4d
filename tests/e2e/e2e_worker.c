/* A worker for the tests, through the public SDK. It writes what it is offered and what becomes of its settles into a history.
 *
 *   e2e_worker --endpoint E --group G --topic FILTER… --name N --history FILE [--mode M] [--emit PREFIX] [--ordering
 * none|key|session|group]
 *              [--lease-ms N] [--max-deliveries N] [--backoff-ms N] [--credit N] [--handlers N] [--first] [--seed N]
 *
 * Modes: ack (all); mixed (by the seed: acks with and without emits, nacks, rejects, some later than the lease allows);
 *        answer (requests: three partials, then the event's data as the reply); hold (until it is cancelled, then reject); dump (acks, and
 *        writes every event as a line of JSON on standard output, to compare a replay with what was live); fail (nacks all);
 *        late (keeps all, unsettled; says how many it holds; with SIGUSR1 acks them, with an emit each).
 * With a connection it logs the ready line; SIGTERM ends it with exit code 0. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <weir/weir.h>

#include "tests/e2e/history.h"

enum { TOPICS_MAX = 8, EMITS_MAX = 3, LATE_MAX = 16384, LARGE_EVERY = 16, LARGE_BYTES = 200000 };

static struct {
    const char *name, *mode, *emit, *group;
    uint32_t lease_ms;
    uint64_t seed;
} conf = { .name = "w", .mode = "ack", .group = "g" };
static weir_worker *worker;
static _Atomic bool said_ready;
static _Atomic uintptr_t breaks; /* how often the connection was not up; a delivery keeps the number of when it was settled */

static void on_signal(int signal_number)
{
    (void)signal_number;
    weir_worker_stop(worker);
}

static void pause_ms(uint32_t ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

static void on_state(weir_state state, const weir_error *error, void *arg)
{
    (void)arg;
    if (state != WEIR_STATE_UP) breaks++;
    fprintf(stderr, "{\"event\":\"state\",\"state\":%d,\"word\":\"%s\",\"detail\":\"%s\"}\n", (int)state, error != NULL ? error->word : "",
            error != NULL ? error->detail : "");
    if (state == WEIR_STATE_UP && !atomic_exchange(&said_ready, true)) fputs("{\"event\":\"ready\"}\n", stderr);
}

/* A settle that was sent before the connection broke, and whose event is not held any more after it, is told as stale [R-ADOPT-3]; but it
 * may have been committed, with only its answer lost. For the history that is a call without an answer. */
static void on_settled(const weir_settled *settled, void *arg)
{
    (void)arg;
    if (settled->status == WEIR_OUTCOME_UNKNOWN || (settled->status == WEIR_STALE && (uintptr_t)settled->user != breaks)) return;
    history_write("settled", "\"group\":\"%s\",\"worker\":\"%s\",\"seq\":%llu,\"attempt\":%u,\"ok\":%s,\"code\":\"%s\"", conf.group,
                  conf.name, (unsigned long long)settled->seq, settled->attempt, settled->status == WEIR_OK ? "true" : "false",
                  weir_status_text(settled->status));
}

static void record_settle(weir_delivery *delivery, const char *verb, const char *emits)
{
    weir_delivery_set_user(delivery, (void *)breaks);
    history_write("settle", "\"group\":\"%s\",\"worker\":\"%s\",\"seq\":%llu,\"attempt\":%u,\"verb\":\"%s\",\"emits\":[%s]", conf.group,
                  conf.name, (unsigned long long)weir_delivery_seq(delivery), weir_delivery_attempt(delivery), verb, emits);
}

/* Acks with `count` emits, each under an id that only this worker's attempt can have. Of every 16th event the last one is large, and has its
 * id as its type: who looks through the log sees it without its data. */
static void ack(weir_delivery *delivery, uint32_t count)
{
    static const char large[LARGE_BYTES];
    char emits[EMITS_MAX * 160] = "", topic[128];
    snprintf(topic, sizeof topic, "%s.%s", conf.emit != NULL ? conf.emit : "emitted", conf.group);
    for (uint32_t i = 0; i < count; i++) {
        char id[64], data[96];
        snprintf(id, sizeof id, "%s-%s-%llu-%u-%u", conf.group, conf.name, (unsigned long long)weir_delivery_seq(delivery),
                 weir_delivery_attempt(delivery), i);
        weir_event event = WEIR_EVENT_INIT;
        event.topic = topic;
        event.data = data;
        event.data_size = (size_t)snprintf(data, sizeof data, "{\"id\":\"%s\"}", id);
        if (i + 1 == count && weir_delivery_seq(delivery) % LARGE_EVERY == 0) {
            event.type = id;
            event.data = large;
            event.data_size = sizeof large;
        }
        if (weir_emit(delivery, &event) != WEIR_OK) abort();
        snprintf(emits + strlen(emits), sizeof emits - strlen(emits), "%s{\"id\":\"%s\",\"topic\":\"%s\"}", i != 0 ? "," : "", id, topic);
    }
    record_settle(delivery, "ack", emits);
    if (weir_ack(delivery) != WEIR_OK) weir_nack(delivery, 0, "no room for emits");
}

static void nack(weir_delivery *delivery, uint32_t delay_ms)
{
    record_settle(delivery, "nack", "");
    weir_nack(delivery, delay_ms, "test");
}

static void reject(weir_delivery *delivery)
{
    record_settle(delivery, "reject", "");
    weir_reject(delivery, "test");
}

static void settle_mixed(weir_delivery *delivery)
{
    uint64_t dice = (weir_delivery_seq(delivery) * 31 + weir_delivery_attempt(delivery) + conf.seed) * 0x9E3779B97F4A7C15u >> 32;
    uint32_t part = (uint32_t)(dice % 1000);
    if (part < 400)
        ack(delivery, 0);
    else if (part < 850)
        ack(delivery, conf.emit != NULL ? 1 + (uint32_t)(dice >> 8) % EMITS_MAX : 0);
    else if (part < 940)
        nack(delivery, 1 + (uint32_t)(dice >> 8) % 50);
    else if (part < 995)
        reject(delivery);
    else {
        pause_ms(conf.lease_ms != 0 ? conf.lease_ms + 50 : 1);
        ack(delivery, 0);
    }
}

static void answer(weir_delivery *delivery, const weir_event *event)
{
    for (int i = 0; i < 3; i++) {
        char piece[32];
        weir_partial(delivery, piece, (size_t)snprintf(piece, sizeof piece, "{\"piece\":%d}", i));
    }
    record_settle(delivery, "ack", "");
    if (weir_reply(delivery, event->data, event->data_size) != WEIR_OK) weir_reject(delivery, "no request");
}

static void hold(weir_delivery *delivery)
{
    while (!weir_cancelled(delivery))
        pause_ms(5);
    fputs("{\"event\":\"cancelled\"}\n", stderr);
    reject(delivery);
}

static void print_string(const char *name, const char *value)
{
    printf(",\"%s\":\"", name);
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') putchar('\\');
        putchar(*at);
    }
    putchar('"');
}

static void dump(weir_delivery *delivery, const weir_event *event)
{
    static pthread_mutex_t one_line = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one_line);
    printf("{\"seq\":%llu,\"attempt\":%u,\"replay\":%s", (unsigned long long)weir_delivery_seq(delivery), weir_delivery_attempt(delivery),
           weir_delivery_is_replay(delivery) ? "true" : "false");
    print_string("topic", event->topic);
    print_string("key", event->key);
    print_string("session", event->session);
    print_string("data", event->data);
    puts("}");
    fflush(stdout);
    pthread_mutex_unlock(&one_line);
    ack(delivery, 0);
}

static struct {
    pthread_mutex_t lock;
    weir_delivery *all[LATE_MAX];
    uint32_t count;
} late = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void keep(weir_delivery *delivery)
{
    pthread_mutex_lock(&late.lock);
    if (late.count == LATE_MAX) abort();
    late.all[late.count++] = delivery;
    fprintf(stderr, "{\"event\":\"holds\",\"count\":%u}\n", late.count);
    pthread_mutex_unlock(&late.lock);
}

static void *settle_late(void *signals)
{
    int signal_number;
    while (sigwait(signals, &signal_number) == 0) {
        pthread_mutex_lock(&late.lock);
        for (; late.count > 0; late.count--)
            ack(late.all[late.count - 1], 1);
        pthread_mutex_unlock(&late.lock);
    }
    return NULL;
}

/* Before any other thread: they inherit that the signal is blocked, and one waits for it. */
static void await_signal_for_late(void)
{
    static sigset_t signals;
    pthread_t thread;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (pthread_create(&thread, NULL, settle_late, &signals) != 0) abort();
    pthread_detach(thread);
}

static void on_event(weir_delivery *delivery, void *arg)
{
    (void)arg;
    const weir_event *event = weir_delivery_event(delivery);
    if (event == NULL) abort();
    char id[64];
    history_write("offer", "\"group\":\"%s\",\"worker\":\"%s\",\"seq\":%llu,\"attempt\":%u,\"id\":\"%s\"", conf.group, conf.name,
                  (unsigned long long)weir_delivery_seq(delivery), weir_delivery_attempt(delivery),
                  history_id(event->data, event->data_size, id));
    if (strcmp(conf.mode, "mixed") == 0)
        settle_mixed(delivery);
    else if (strcmp(conf.mode, "answer") == 0)
        answer(delivery, event);
    else if (strcmp(conf.mode, "hold") == 0)
        hold(delivery);
    else if (strcmp(conf.mode, "dump") == 0)
        dump(delivery, event);
    else if (strcmp(conf.mode, "fail") == 0)
        nack(delivery, 1);
    else if (strcmp(conf.mode, "late") == 0)
        keep(delivery);
    else
        ack(delivery, 0);
}

static weir_ordering ordering_of(const char *word)
{
    static const char *const words[] = { "none", "key", "session", "group" };
    for (int i = 0; i < 4; i++)
        if (strcmp(word, words[i]) == 0) return (weir_ordering)i;
    fprintf(stderr, "e2e_worker: no ordering %s\n", word);
    exit(2);
}

static void take_option(weir_worker_options *options, const char **topics, const char *name, char *value)
{
    uint32_t number = value != NULL ? (uint32_t)strtoul(value, NULL, 10) : 0;
    if (strcmp(name, "endpoint") == 0)
        options->endpoint = value;
    else if (strcmp(name, "group") == 0)
        options->group = conf.group = value;
    else if (strcmp(name, "name") == 0)
        options->name = conf.name = value;
    else if (strcmp(name, "history") == 0)
        history_open(value);
    else if (strcmp(name, "mode") == 0)
        conf.mode = value;
    else if (strcmp(name, "emit") == 0)
        conf.emit = value;
    else if (strcmp(name, "ordering") == 0)
        options->ordering = ordering_of(value);
    else if (strcmp(name, "lease-ms") == 0)
        options->lease_ms = conf.lease_ms = number;
    else if (strcmp(name, "max-deliveries") == 0)
        options->max_deliveries = number;
    else if (strcmp(name, "backoff-ms") == 0)
        options->backoff_ms = number;
    else if (strcmp(name, "credit") == 0)
        options->credit = number;
    else if (strcmp(name, "handlers") == 0)
        options->handlers = number;
    else if (strcmp(name, "seed") == 0)
        conf.seed = number;
    else if (strcmp(name, "first") == 0)
        options->start = WEIR_START_FIRST;
    else if (options->topic_count < TOPICS_MAX)
        topics[options->topic_count++] = value;
}

int main(int argc, char **argv)
{
    static const struct option names[] = { { "endpoint", 1, NULL, 0 },   { "group", 1, NULL, 0 },    { "name", 1, NULL, 0 },
                                           { "history", 1, NULL, 0 },    { "mode", 1, NULL, 0 },     { "emit", 1, NULL, 0 },
                                           { "ordering", 1, NULL, 0 },   { "lease-ms", 1, NULL, 0 }, { "max-deliveries", 1, NULL, 0 },
                                           { "backoff-ms", 1, NULL, 0 }, { "credit", 1, NULL, 0 },   { "handlers", 1, NULL, 0 },
                                           { "seed", 1, NULL, 0 },       { "first", 0, NULL, 0 },    { "topic", 1, NULL, 0 },
                                           { NULL, 0, NULL, 0 } };
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    const char *topics[TOPICS_MAX];
    int at = 0;
    for (int found; (found = getopt_long(argc, argv, "", names, &at)) != -1;) {
        if (found != 0) return 2;
        take_option(&options, topics, names[at].name, optarg);
    }
    options.topics = topics;
    options.on_state = on_state;
    options.on_settled = on_settled;
    if (history_fd < 0) history_open("/dev/null");
    if (strcmp(conf.mode, "late") == 0) await_signal_for_late();
    weir_status status = weir_worker_open(&options, &worker);
    if (status == WEIR_OK) {
        signal(SIGTERM, on_signal);
        status = weir_worker_run(worker, on_event, NULL);
        weir_worker_close(&worker);
    }
    fprintf(stderr, "{\"event\":\"end\",\"status\":\"%s\"}\n", weir_status_text(status));
    return status == WEIR_OK ? 0 : 1;
}
