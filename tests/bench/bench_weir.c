/* weir, through its public header alone: a publisher with the default window and a worker that acks each event in its handler. An event
 * counts as acked when its settle is answered, so as committed. URL: an endpoint of a coordinator. Here: options and the publisher. */
#include "tests/bench/bench_weir.h"

#include <pthread.h>

enum { TOPIC_BYTES = 64, TOPICS_MAX = 64, KEY_AT = 4, KEY_DIGITS = 6, TOKEN_AT = 6, TOKEN_DIGITS = 14 };
enum {
    OPT_GROUP = 256,
    OPT_FILTER,
    OPT_TOPIC,
    OPT_TOPICS,
    OPT_PARTIES,
    OPT_ORDERING,
    OPT_START,
    OPT_KEYS,
    OPT_TOKENS,
    OPT_CHURN,
    OPT_LARGE,
    OPT_SLOW,
    OPT_TAKE,
    OPT_DELAY
};

struct bench_how bench_how = { .group = "bench", .filter = "bench.>", .topic = "bench.events", .topics = 1, .start = WEIR_START_FIRST };

static const struct option options[] = {
    { "group", 1, NULL, OPT_GROUP },   { "filter", 1, NULL, OPT_FILTER },   { "topic", 1, NULL, OPT_TOPIC },
    { "topics", 1, NULL, OPT_TOPICS }, { "parties", 1, NULL, OPT_PARTIES }, { "ordering", 1, NULL, OPT_ORDERING },
    { "start", 1, NULL, OPT_START },   { "keys", 1, NULL, OPT_KEYS },       { "tokens", 1, NULL, OPT_TOKENS },
    { "churn", 1, NULL, OPT_CHURN },   { "large", 1, NULL, OPT_LARGE },     { "slow", 1, NULL, OPT_SLOW },
    { "take", 1, NULL, OPT_TAKE },     { "delay", 1, NULL, OPT_DELAY },     { NULL, 0, NULL, 0 },
};

static bool option(struct bench *bench, int opt, const char *argument)
{
    uint64_t number = strtoull(argument, NULL, 10);
    switch (opt) {
    case OPT_GROUP:
        bench_how.group = argument;
        return true;
    case OPT_FILTER:
        bench_how.filter = argument;
        return true;
    case OPT_TOPIC:
        bench_how.topic = argument;
        return true;
    case OPT_TOPICS:
        bench_how.topics = (uint32_t)number;
        return number >= 1 && number <= TOPICS_MAX;
    case OPT_PARTIES:
        bench->parties = (uint32_t)number;
        return number >= 1 && number <= BENCH_PARTIES_MAX;
    case OPT_ORDERING:
        bench_how.ordering = (uint32_t)number;
        return true;
    case OPT_START:
        bench_how.start = (uint32_t)number;
        return true;
    case OPT_KEYS:
        bench_how.keys = (uint32_t)number;
        return true;
    case OPT_TOKENS:
        bench_how.tokens = true;
        bench_how.tokens_from = number;
        return true;
    case OPT_CHURN:
        bench_how.churn_s = (uint32_t)number;
        return true;
    case OPT_LARGE:
        bench_how.large_bytes = number;
        return true;
    case OPT_DELAY:
        bench_how.delay_ms = number;
        return true;
    case OPT_SLOW:
        bench_how.slow_ms = (uint32_t)number;
        return true;
    case OPT_TAKE:
        bench_how.take = number;
        return true;
    default:
        return false;
    }
}

int bench_weir_failed(const void *handle, weir_status status, const char *what)
{
    if (status == WEIR_OK) return 0;
    weir_error error;
    weir_last_error(handle, &error);
    fprintf(stderr, "weir: %s: %s (%s)\n", what, weir_status_text(status), error.detail);
    return 1;
}

/* ---- publisher ---- */

static _Atomic uint64_t refused;

static void on_result(const weir_result *result, void *arg)
{
    (void)arg;
    if (result->status == WEIR_OK) return;
    if (refused == 0) fprintf(stderr, "weir: a publish was refused: %s\n", weir_status_text(result->status));
    refused += result->count;
}

static weir_publisher *open_publisher(const struct bench *bench)
{
    weir_publisher_options o = WEIR_PUBLISHER_OPTIONS_INIT;
    o.endpoint = bench->url;
    o.connect_timeout_ms = BENCH_WAIT_MS;
    o.on_result = on_result;
    weir_publisher *publisher = NULL;
    (void)bench_weir_failed(NULL, weir_publisher_open(&o, &publisher), "publisher");
    return publisher;
}

struct texts {
    char topics[TOPICS_MAX][TOPIC_BYTES];
    char key[KEY_AT + KEY_DIGITS + 1], token[TOKEN_AT + TOKEN_DIGITS + 1]; /* the digits are written anew for each event */
    uint64_t random;
};

static void name_event(struct texts *texts, uint64_t number, weir_event *event)
{
    event->topic = texts->topics[number % bench_how.topics];
    if (bench_how.keys != 0) {
        texts->random = texts->random * 6364136223846793005u + 1442695040888963407u;
        payload_put(texts->key + KEY_AT, KEY_DIGITS, (texts->random >> 33) % bench_how.keys);
        event->key = texts->key;
    }
    if (bench_how.tokens) {
        payload_put(texts->token + TOKEN_AT, TOKEN_DIGITS, bench_how.tokens_from + number);
        event->token = texts->token;
    }
}

static int publish_all(struct bench *bench, weir_publisher *publisher)
{
    static struct texts texts = { .key = "key-", .token = "token-" };
    weir_event event = WEIR_EVENT_INIT;
    event.data_size = PAYLOAD_BYTES;
    event.delay_ms = bench_how.delay_ms;
    for (uint32_t i = 0; i < bench_how.topics; i++)
        snprintf(texts.topics[i], TOPIC_BYTES, bench_how.topics > 1 ? "%s.%u" : "%s", bench_how.topic, i);
    bench_publisher_ready(bench);
    int bad = 0;
    while (bad == 0 && bench->made < bench->until) {
        uint32_t due = bench_due(bench, bench->window);
        for (uint32_t i = 0; i < due && bad == 0; i++) {
            name_event(&texts, bench->made, &event);
            event.data = bench_make(bench);
            bad = bench_weir_failed(publisher, weir_publish_async(publisher, &event, BENCH_WAIT_MS, NULL), "publish");
        }
        if (due == 0) bench_sleep_until(bench_next_ns(bench));
    }
    return bad;
}

/* ---- the large events beside them ---- */

struct large {
    struct bench *bench;
    _Atomic bool stop;
    int failed;
};

static void *publish_large(void *argument)
{
    struct large *large = argument;
    weir_publisher *publisher = open_publisher(large->bench);
    void *data = calloc(1, bench_how.large_bytes);
    weir_event event = WEIR_EVENT_INIT;
    event.topic = BENCH_LARGE_TOPIC;
    event.data = data;
    event.data_size = bench_how.large_bytes;
    large->failed = publisher == NULL || data == NULL;
    for (uint64_t next_ns = bench_now_ns(); !large->failed && !large->stop; next_ns += 1000000000u) {
        large->failed = bench_weir_failed(publisher, weir_publish(publisher, &event, BENCH_WAIT_MS, NULL), "a large event");
        bench_sleep_until(next_ns + 1000000000u);
    }
    weir_publisher_close(&publisher);
    free(data);
    return NULL;
}

static int publish(struct bench *bench)
{
    struct large large = { .bench = bench };
    pthread_t thread;
    weir_publisher *publisher = open_publisher(bench);
    if (publisher == NULL) return 1;
    if (bench_how.large_bytes != 0 && pthread_create(&thread, NULL, publish_large, &large) != 0) return 1;
    int bad = publish_all(bench, publisher);
    if (bad == 0) bad = bench_weir_failed(publisher, weir_publisher_flush(publisher, BENCH_WAIT_MS), "flush");
    weir_publisher_close(&publisher);
    large.stop = true;
    if (bench_how.large_bytes != 0) (void)pthread_join(thread, NULL);
    return bad != 0 || refused != 0 || large.failed;
}

int main(int argc, char **argv)
{
    return bench_main(
        argc, argv,
        &(struct bench_system){ .name = "weir", .options = options, .option = option, .publish = publish, .work = bench_weir_work });
}
