/* `weir bench`: publish -> worker -> settle against the coordinator it is given. Publisher and worker are two processes, as in real life;
 * they share a page of counters. Without --rate the loop is closed: as fast as the window lets it, for throughput. With --rate it is open:
 * each event has its due time, and latency counts from that, so that a stall is paid by every event it held up and not only by the first.
 */
#include "sdk/cli/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 100, WORKER_WAIT_MS = 20000, DRAIN_WAIT_MS = 60000, STAMP_BYTES = 8, SIZE_MAX_BYTES = 60000, POOL_BYTES = 256 * 1024 };

/* ---- the worker's process ---- */

static void on_settled(const weir_settled *settled, void *arg)
{
    struct bench_shared *shared = arg;
    if (!settled->user) return; /* left behind by an earlier run */
    if (settled->status == WEIR_OK)
        atomic_fetch_add(&shared->settled, 1);
    else
        atomic_fetch_add(&shared->lost, 1);
    atomic_store(&shared->last_ns, cli_now_ns());
}

static void take(const struct bench *bench, struct bench_shared *shared, weir_delivery *delivery)
{
    const weir_event *event = weir_delivery_event(delivery);
    uint64_t due_ns, now_ns = cli_now_ns();
    if (event && strcmp(event->topic, bench->topic) == 0 && event->data_size >= STAMP_BYTES) {
        memcpy(&due_ns, event->data, STAMP_BYTES);
        histogram_add(&shared->latency, now_ns > due_ns ? now_ns - due_ns : 0);
        weir_delivery_set_user(delivery, shared);
        if (weir_delivery_attempt(delivery) > 1) atomic_fetch_add(&shared->repeated, 1);
    }
    weir_ack(delivery);
}

static int work(const struct bench *bench, struct bench_shared *shared)
{
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    CLI_CONNECT(bench->cli, options);
    static const char *const topics[] = { "bench.>" };
    options.group = "weir-bench"; /* one for all runs: a group stays in the coordinator's state */
    options.topics = topics;
    options.topic_count = 1;
    options.credit = (uint32_t)bench->credit;
    options.start = WEIR_START_NEW;
    options.connect_timeout_ms = CLI_CONNECT_MS;
    options.on_settled = on_settled;
    options.arg = shared;
    weir_worker *worker = NULL;
    weir_status status = weir_worker_open(&options, &worker);
    if (status != WEIR_OK) return cli_report(bench->cli, NULL, status);
    atomic_store(&shared->ready, true);
    while (!atomic_load(&shared->stop)) {
        weir_delivery *delivery = NULL;
        status = weir_worker_next(worker, LOOK_MS, &delivery);
        if (status == WEIR_OK)
            take(bench, shared, delivery);
        else if (status != WEIR_TIMED_OUT)
            break;
    }
    int code = status == WEIR_OK || status == WEIR_TIMED_OUT ? CLI_OK : cli_report(bench->cli, worker, status);
    weir_worker_close(&worker);
    return code;
}

/* Before any handle is open in this process: a handle does not survive a fork. */
static pid_t start_worker(const struct bench *bench, struct bench_shared *shared)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(CLI_FAILED);
    signal(SIGINT, SIG_IGN); /* the parent says when */
    int code = work(bench, shared);
    fflush(stdout);
    _exit(code);
}

/* ---- the publisher's process ---- */

static void on_result(const weir_result *result, void *arg)
{
    struct bench_shared *shared = arg;
    if (result->status == WEIR_OK)
        atomic_fetch_add(&shared->accepted, result->count);
    else
        atomic_fetch_add(&shared->refused, result->count);
}

/* Text-like, and different in each event: else the log's compression would look better than it is. */
static void fill_pool(char pool[POOL_BYTES])
{
    static const char *const words[] = { "worker ", "event ", "{\"id\":", "\"text\":\"", "summary ", "the ",
                                         "of ",     "model ", "answer ",  "},",          "42",       "7.5 " };
    uint64_t random = 0x9e3779b97f4a7c15U;
    for (size_t at = 0; at < POOL_BYTES;) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        const char *word = words[random % (sizeof words / sizeof *words)];
        for (; *word && at < POOL_BYTES; word++)
            pool[at++] = *word;
        if (at < POOL_BYTES) pool[at++] = (char)('a' + (random >> 32) % 26);
    }
}

static weir_status put(weir_publisher *publisher, weir_event *event, char *data, uint64_t due_ns)
{
    memcpy(data, &due_ns, STAMP_BYTES);
    weir_status status;
    do
        status = weir_publish_async(publisher, event, 1000, NULL);
    while (status == WEIR_FULL && !cli_stopping());
    return status;
}

static void sleep_until(uint64_t due_ns)
{
    struct timespec until = { .tv_sec = (time_t)(due_ns / 1000000000U), .tv_nsec = (long)(due_ns % 1000000000U) };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* When event i is due: now in a closed loop, on the beat in an open one. */
static uint64_t due_of(const struct bench *bench, uint64_t start_ns, uint64_t i)
{
    if (bench->rate == 0) return cli_now_ns();
    uint64_t due_ns = start_ns + (uint64_t)((double)i * 1e9 / (double)bench->rate);
    if (due_ns > cli_now_ns()) sleep_until(due_ns);
    return due_ns;
}

static weir_status publish_all(const struct bench *bench, weir_publisher *publisher, uint64_t start_ns, uint64_t *out_sent)
{
    static char pool[POOL_BYTES], data[SIZE_MAX_BYTES];
    weir_event event = WEIR_EVENT_INIT;
    weir_status status = WEIR_OK;
    fill_pool(pool);
    event.topic = bench->topic;
    event.data = data;
    event.data_size = bench->size;
    for (uint64_t i = 0; i < bench->events && status == WEIR_OK && !cli_stopping(); i++) {
        memcpy(data, pool + i * 131 % (POOL_BYTES - SIZE_MAX_BYTES), bench->size);
        status = put(publisher, &event, data, due_of(bench, start_ns, i));
        if (status == WEIR_OK) ++*out_sent;
    }
    return status;
}

static bool wait_for_worker(struct bench_shared *shared, pid_t pid)
{
    uint64_t deadline_ns = cli_now_ns() + (uint64_t)WORKER_WAIT_MS * 1000000U;
    while (!atomic_load(&shared->ready)) {
        if (cli_stopping() || cli_now_ns() > deadline_ns || waitpid(pid, NULL, WNOHANG) == pid) return false;
        usleep(2000);
    }
    return true;
}

/* Until all that was accepted is settled; a bench that stands still for a minute is over too. */
static void wait_for_settles(struct bench_shared *shared, uint64_t sent)
{
    uint64_t seen = 0, deadline_ns = 0;
    for (;;) {
        uint64_t done = atomic_load(&shared->settled) + atomic_load(&shared->lost) + atomic_load(&shared->refused);
        if (done >= sent || cli_stopping()) return;
        if (deadline_ns == 0 || done != seen) deadline_ns = cli_now_ns() + (uint64_t)DRAIN_WAIT_MS * 1000000U;
        if (cli_now_ns() > deadline_ns) return;
        seen = done;
        usleep(1000);
    }
}

static double cpu_of(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int measure(const struct bench *bench, struct bench_shared *shared, struct bench_result *result)
{
    weir_publisher_options options = WEIR_PUBLISHER_OPTIONS_INIT;
    CLI_CONNECT(bench->cli, options);
    options.window = (uint32_t)bench->window;
    options.connect_timeout_ms = CLI_CONNECT_MS;
    options.on_result = on_result;
    options.arg = shared;
    weir_publisher *publisher = NULL;
    weir_status status = weir_publisher_open(&options, &publisher);
    if (status != WEIR_OK) return cli_report(bench->cli, NULL, status);
    bench_ask(bench->cli, &result->before);
    uint64_t start_ns = cli_now_ns();
    status = publish_all(bench, publisher, start_ns, &result->sent);
    weir_status flushed = weir_publisher_flush(publisher, DRAIN_WAIT_MS);
    result->publish_s = (double)(cli_now_ns() - start_ns) / 1e9;
    wait_for_settles(shared, result->sent);
    result->total_s = (double)(atomic_load(&shared->last_ns) > start_ns ? atomic_load(&shared->last_ns) - start_ns : 0) / 1e9;
    bench_ask(bench->cli, &result->after);
    int code = CLI_OK;
    if (status != WEIR_OK) code = cli_report(bench->cli, publisher, status);
    if (status == WEIR_OK && flushed != WEIR_OK) code = cli_report(bench->cli, publisher, flushed);
    weir_publisher_close(&publisher);
    return code;
}

static int run(const struct bench *bench)
{
    struct bench_shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return cli_fail("out of memory");
    cli_catch_signals();
    struct bench_result result = { 0 };
    pid_t pid = start_worker(bench, shared);
    if (pid < 0) return cli_fail("cannot start the worker's process: %s", strerror(errno));
    int code = wait_for_worker(shared, pid) ? CLI_OK : cli_fail("the worker did not come up");
    if (code == CLI_OK) code = measure(bench, shared, &result);
    atomic_store(&shared->stop, true);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    result.cpu_s = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
    if (code == CLI_OK) code = bench_print(bench, shared, &result);
    munmap(shared, sizeof *shared);
    return code;
}

int cli_bench(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    static char topic[64];
    struct bench bench = { .cli = cli, .topic = topic, .events = 200000, .size = 200, .window = 16000, .credit = 4000 };
    const struct cli_option options[] = {
        { "events", CLI_NUMBER, &bench.events, "N to publish (200000)" },
        { "size", CLI_NUMBER, &bench.size, "BYTES of data in each (200)" },
        { "rate", CLI_NUMBER, &bench.rate, "N events per second, an open loop, for latency; 0 = as fast as it goes (0)" },
        { "window", CLI_NUMBER, &bench.window, "N publishes without an answer (16000)" },
        { "credit", CLI_NUMBER, &bench.credit, "N deliveries at the worker (4000)" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 0, 0, &args);
    if (code >= 0) return code;
    if (bench.events == 0) return cli_usage(verb, "--events is at least 1");
    if (bench.size < STAMP_BYTES || bench.size > SIZE_MAX_BYTES) return cli_usage(verb, "--size goes from 8 to 60000");
    if (bench.window == 0 || bench.window > 16384) return cli_usage(verb, "--window goes from 1 to 16384");
    if (bench.credit == 0 || bench.credit > 16384) return cli_usage(verb, "--credit goes from 1 to 16384");
    if (bench.rate > 10000000) return cli_usage(verb, "--rate is at most 10000000");
    snprintf(topic, sizeof topic, "bench.%d.%llx", (int)getpid(), (unsigned long long)cli_wall_ms());
    return run(&bench);
}
