/* A publisher for the tests, through the public SDK: publishes at a rate until SIGTERM (or --events N), waits for the answers, and writes
 * calls and answers into a history. What the SDK calls `outcome unknown` stays a call without an answer.
 *
 *   e2e_publisher --endpoint E --name N --history FILE [--topic PREFIX] [--rate PER_S] [--events N] [--keys N] [--large-every N]
 *
 * Every N-th event is large (100 KiB) and on the topic large.x; its id stands in its type too, for readers that take no parts. */
#include <getopt.h>
#include <signal.h>
#include <weir/weir.h>

#include "tests/e2e/history.h"

enum { FLUSH_MS = 60000, ROOM_MS = 60000, LARGE_BYTES = 100 << 10 };

static volatile sig_atomic_t stopped;
static const char *name = "p";

static void on_signal(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* Number n of this publisher is its n-th publish, so its id is known before the call returns. */
static void on_result(const weir_result *result, void *arg)
{
    (void)arg;
    if (result->status == WEIR_OUTCOME_UNKNOWN || result->status == WEIR_CLOSED) return;
    for (uint64_t i = 0; i < result->count; i++)
        history_write("answer", "\"id\":\"%s-%llu\",\"ok\":%s,\"seq\":%llu,\"code\":\"%s\"", name,
                      (unsigned long long)(result->first_number + i), result->status == WEIR_OK ? "true" : "false",
                      (unsigned long long)(result->first_seq + i), weir_status_text(result->status));
}

static int publish(weir_publisher *publisher, const char *topic, uint64_t number, uint64_t keys, bool large)
{
    static char data[LARGE_BYTES + 1];
    char full_topic[128], key[32], id[64];
    snprintf(full_topic, sizeof full_topic, "%s.%llu", topic, (unsigned long long)(number % 5));
    snprintf(key, sizeof key, "k%llu", (unsigned long long)(number % keys));
    snprintf(id, sizeof id, "%s-%llu", name, (unsigned long long)number);
    int padding = large ? LARGE_BYTES - (int)strlen(id) - 18 : 40;
    weir_event event = WEIR_EVENT_INIT;
    event.topic = large ? "large.x" : full_topic;
    event.key = key;
    event.type = large ? id : NULL;
    event.data = data;
    event.data_size = (size_t)snprintf(data, sizeof data, "{\"id\":\"%s\",\"text\":\"%*s\"}", id, padding, "");
    history_write("publish", "\"id\":\"%s\",\"topic\":\"%s\",\"key\":\"%s\"", id, event.topic, key);
    uint64_t given = 0;
    weir_status status = weir_publish_async(publisher, &event, ROOM_MS, &given);
    if (status == WEIR_OK && given == number) return 0;
    fprintf(stderr, "{\"event\":\"error\",\"status\":\"%s\",\"number\":%llu}\n", weir_status_text(status), (unsigned long long)given);
    return 1;
}

int main(int argc, char **argv)
{
    static const struct option names[] = { { "endpoint", 1, NULL, 'e' }, { "name", 1, NULL, 'n' },        { "history", 1, NULL, 'h' },
                                           { "topic", 1, NULL, 't' },    { "rate", 1, NULL, 'r' },        { "events", 1, NULL, 'c' },
                                           { "keys", 1, NULL, 'k' },     { "large-every", 1, NULL, 'l' }, { NULL, 0, NULL, 0 } };
    weir_publisher_options options = WEIR_PUBLISHER_OPTIONS_INIT;
    const char *topic = "load";
    uint64_t rate = 200, events = UINT64_MAX, keys = 10, large_every = UINT64_MAX;
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'e':
            options.endpoint = optarg;
            break;
        case 'n':
            options.name = name = optarg;
            break;
        case 'h':
            history_open(optarg);
            break;
        case 't':
            topic = optarg;
            break;
        case 'r':
            rate = strtoull(optarg, NULL, 10);
            break;
        case 'c':
            events = strtoull(optarg, NULL, 10);
            break;
        case 'k':
            keys = strtoull(optarg, NULL, 10);
            break;
        case 'l':
            large_every = strtoull(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    }
    options.on_result = on_result;
    weir_publisher *publisher = NULL;
    if (history_fd < 0 || weir_publisher_open(&options, &publisher) != WEIR_OK) return 1;
    signal(SIGTERM, on_signal);
    fputs("{\"event\":\"ready\"}\n", stderr);
    int failed = 0;
    for (uint64_t number = 1; number <= events && !stopped && failed == 0; number++) {
        failed = publish(publisher, topic, number, keys, number % large_every == 0);
        nanosleep(&(struct timespec){ .tv_nsec = (long)(1000000000 / rate) - 1 }, NULL);
    }
    if (weir_publisher_flush(publisher, FLUSH_MS) != WEIR_OK) failed = 1;
    weir_publisher_close(&publisher);
    return failed;
}
