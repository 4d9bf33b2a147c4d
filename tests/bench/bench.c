/* The frame that every system's benchmark program runs in; see bench.h. Latency counts from the moment an event was due when the
 * publisher could not keep up (else a system that blocks its publisher would look fast), and from the call itself when it could. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const uint64_t LATE_NS = 1000000; /* a timer's wake-up is not the system's fault; more than this is */

uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_sleep_until(uint64_t ns)
{
    struct timespec until = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

/* ---- publisher ---- */

static uint64_t due_ns(const struct bench *bench, uint64_t number)
{
    return bench->started_ns + (bench->rate != 0 ? number * 1000000000u / bench->rate : 0);
}

uint64_t bench_next_ns(const struct bench *bench)
{
    return bench->made < bench->events ? due_ns(bench, bench->made) : UINT64_MAX;
}

uint32_t bench_due(const struct bench *bench, uint32_t most)
{
    uint64_t left = bench->events - bench->made;
    if (bench->rate != 0) {
        uint64_t due = (bench_now_ns() - bench->started_ns) * bench->rate / 1000000000u + 1;
        uint64_t now = due > bench->made ? due - bench->made : 0;
        left = now < left ? now : left;
    }
    return left < most ? (uint32_t)left : most;
}

const char *bench_make(struct bench *bench)
{
    uint64_t now = bench_now_ns(), due = due_ns(bench, bench->made);
    uint64_t from = bench->rate != 0 && now > due + LATE_NS ? due : now;
    payload_write(bench->payload, bench->made++, from);
    return bench->payload;
}

/* ---- worker ---- */

static uint32_t bucket_of(uint64_t ns)
{
    if (ns < 1u << BENCH_SUB_BITS) return (uint32_t)ns;
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(ns) - BENCH_SUB_BITS;
    return (shift << BENCH_SUB_BITS) + (uint32_t)(ns >> shift);
}

static uint64_t bucket_ns(uint32_t bucket)
{
    if (bucket < 2u << BENCH_SUB_BITS) return bucket;
    uint32_t shift = (bucket >> BENCH_SUB_BITS) - 1;
    return (uint64_t)(bucket - (shift << BENCH_SUB_BITS)) << shift;
}

static uint64_t percentile_ns(const struct bench_shared *shared, double part)
{
    uint64_t want = (uint64_t)((double)shared->handled * part), count = 0;
    for (uint32_t i = 0; i < BENCH_BUCKETS; i++) {
        count += shared->latency[i];
        if (count > want) return bucket_ns(i);
    }
    return 0;
}

static uint64_t own_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static uint64_t ready_cpu_ns; /* in the worker: what connecting cost */

void bench_worker_ready(struct bench *bench)
{
    ready_cpu_ns = own_cpu_ns();
    bench->shared->worker_ready = true;
}

void bench_handle(struct bench *bench, uint32_t party, const void *data, size_t size)
{
    uint64_t now = bench_now_ns(), number, sent;
    struct bench_shared *shared = bench->shared;
    if (!payload_read(data, size, &number, &sent) || number >= bench->events) {
        fprintf(stderr, "the worker got %zu bytes that nobody sent\n", size);
        exit(1);
    }
    uint64_t place = party * bench->events + number;
    uint64_t *word = &bench->seen[place / 64], bit = 1ull << place % 64;
    if ((*word & bit) != 0) {
        shared->repeated++;
        return;
    }
    *word |= bit;
    shared->latency[bucket_of(now > sent ? now - sent : 0)]++;
    if (shared->first_ns == 0) shared->first_ns = now;
    shared->last_ns = now;
    shared->handled++;
}

void bench_acked(struct bench *bench, uint64_t count)
{
    bench->shared->acked += count;
}

bool bench_done(const struct bench *bench)
{
    uint64_t wanted = bench->events * bench->parties;
    return bench->shared->handled >= wanted && bench->shared->acked >= wanted;
}

/* ---- the run ---- */

/* utime + stime of a process in ns; ticks of 10 ms, so runs last seconds */
static uint64_t process_cpu_ns(int pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    char *after = strrchr(text, ')');
    unsigned long long user = 0, kernel = 0;
    if (after == NULL || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &kernel) != 2) return 0;
    return (user + kernel) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

static uint64_t servers_cpu_ns(const struct bench *bench)
{
    uint64_t sum = 0;
    for (int i = 0; i < bench->pid_count; i++)
        sum += process_cpu_ns(bench->pids[i]);
    return sum;
}

enum { OPTIONS_MAX = 24 };

/* The options of every system, then this one's. */
static void list_options(const struct bench_system *system, struct option out[OPTIONS_MAX])
{
    static const struct option common[] = { { "url", 1, NULL, 'u' },       { "events", 1, NULL, 'n' }, { "rate", 1, NULL, 'r' },
                                            { "window", 1, NULL, 'w' },    { "pid", 1, NULL, 'p' },    { "publish-only", 0, NULL, 'P' },
                                            { "work-only", 0, NULL, 'W' }, { NULL, 0, NULL, 0 } };
    uint32_t count = 0;
    for (const struct option *o = common; o->name != NULL; o++)
        out[count++] = *o;
    for (const struct option *o = system->options; o != NULL && o->name != NULL && count < OPTIONS_MAX - 1; o++)
        out[count++] = *o;
    out[count] = (struct option){ NULL, 0, NULL, 0 };
}

static bool parse(struct bench *bench, const struct bench_system *system, int argc, char **argv)
{
    struct option options[OPTIONS_MAX];
    list_options(system, options);
    *bench = (struct bench){ .window = 1000, .parties = 1 };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'u':
            bench->url = optarg;
            break;
        case 'n':
            bench->events = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            bench->rate = strtoull(optarg, NULL, 10);
            break;
        case 'w':
            bench->window = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'P':
            bench->publish_only = true;
            break;
        case 'W':
            bench->work_only = true;
            break;
        case 'p':
            if (bench->pid_count < BENCH_PIDS_MAX) bench->pids[bench->pid_count++] = atoi(optarg);
            break;
        default:
            if (system->option == NULL || !system->option(bench, option, optarg)) return false;
            break;
        }
    }
    return bench->url != NULL && bench->events != 0 && bench->window != 0;
}

static int run_worker(struct bench *bench, const struct bench_system *system)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench->seen = calloc((size_t)(bench->events * bench->parties) / 64 + 1, sizeof *bench->seen);
    if (bench->seen == NULL) return 1;
    int failed = system->work(bench);
    bench->shared->worker_cpu_ns = own_cpu_ns() - ready_cpu_ns;
    return failed;
}

/* The worker's side of the race is over when it is ready or dead. */
static bool await_ready(const struct bench *bench, pid_t worker)
{
    while (!bench->shared->worker_ready) {
        int status;
        if (waitpid(worker, &status, WNOHANG) == worker) return false;
        bench_sleep_until(bench_now_ns() + 1000000);
    }
    return true;
}

static void print_result(const struct bench *bench, const struct bench_system *system, uint64_t took_ns, uint64_t cpu_ns)
{
    const struct bench_shared *s = bench->shared;
    uint64_t handling = s->last_ns - s->first_ns;
    printf("{\"system\":\"%s\",\"events\":%llu,\"seconds\":%.4f,\"events_per_s\":%.0f,\"drain_per_s\":%.0f,\"cpu_s_per_million\":%.3f,"
           "\"repeated\":%llu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"last_ns\":%llu}\n",
           system->name, (unsigned long long)bench->events, (double)took_ns / 1e9, (double)bench->events * 1e9 / (double)took_ns,
           handling != 0 ? (double)s->handled * 1e9 / (double)handling : 0, (double)cpu_ns / 1e3 / (double)bench->events,
           (unsigned long long)s->repeated, (double)percentile_ns(s, 0.5) / 1e3, (double)percentile_ns(s, 0.9) / 1e3,
           (double)percentile_ns(s, 0.99) / 1e3, (double)percentile_ns(s, 0.999) / 1e3, (double)percentile_ns(s, 1 - 1e-12) / 1e3,
           (unsigned long long)s->last_ns);
}

int bench_main(int argc, char **argv, const struct bench_system *system)
{
    struct bench bench;
    if (!parse(&bench, system, argc, argv)) {
        fprintf(stderr, "usage: bench_%s --url URL --events N [--rate N] [--window N] [--pid N] [--publish-only|--work-only]\n",
                system->name);
        return 2;
    }
    bench.shared = mmap(NULL, sizeof *bench.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bench.shared == MAP_FAILED) return 1;
    pid_t worker = bench.publish_only ? 0 : fork();
    if (worker == 0 && !bench.publish_only) _exit(run_worker(&bench, system));
    if (worker < 0 || (worker > 0 && !await_ready(&bench, worker))) return 1;

    uint64_t cpu_before = servers_cpu_ns(&bench) + own_cpu_ns();
    bench.started_ns = bench_now_ns();
    int failed = bench.work_only ? 0 : system->publish(&bench);
    uint64_t took_ns = bench_now_ns() - bench.started_ns;
    if (worker > 0) {
        int status = 0;
        if (failed != 0) kill(worker, SIGKILL);
        waitpid(worker, &status, 0);
        took_ns = bench_now_ns() - bench.started_ns;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) failed = 1;
    }
    uint64_t cpu_ns = servers_cpu_ns(&bench) + own_cpu_ns() - cpu_before + bench.shared->worker_cpu_ns;
    if (failed == 0) print_result(&bench, system, took_ns, cpu_ns);
    return failed;
}
