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
static const uint64_t LOOK_NS = 1000000, LAST_MOMENT_NS = 300000000;

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

/* Of the publisher whose turn it is in an open loop of all of them. */
static uint64_t due_ns(const struct bench *bench, uint64_t number)
{
    uint64_t first = bench->events * bench->number / bench->publishers;
    return bench->started_ns + (bench->rate != 0 ? (number - first) * bench->publishers * 1000000000u / bench->rate : 0);
}

void bench_publisher_ready(struct bench *bench)
{
    uint64_t nobody = 0;
    bench->started_ns = bench_now_ns();
    atomic_compare_exchange_strong(&bench->shared->started_ns, &nobody, bench->started_ns);
}

uint64_t bench_next_ns(const struct bench *bench)
{
    return bench->made < bench->until ? due_ns(bench, bench->made) : UINT64_MAX;
}

uint32_t bench_due(const struct bench *bench, uint32_t most)
{
    uint64_t left = bench->until - bench->made;
    if (bench->rate != 0) {
        uint64_t first = bench->events * bench->number / bench->publishers;
        uint64_t due = first + (bench_now_ns() - bench->started_ns) * bench->rate / bench->publishers / 1000000000u + 1;
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

static double percentile_us(const struct bench_counts *counts, double part)
{
    uint64_t want = (uint64_t)((double)counts->handled * part), count = 0;
    for (uint32_t i = 0; i < BENCH_BUCKETS; i++) {
        count += counts->latency[i];
        if (count > want) return (double)bucket_ns(i) / 1e3;
    }
    return 0;
}

static uint64_t own_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

void bench_worker_ready(struct bench *bench)
{
    bench->own->ready_cpu_ns = own_cpu_ns();
    bench->own->ready = true;
}

void bench_handle(struct bench *bench, uint32_t party, const void *data, size_t size)
{
    uint64_t now = bench_now_ns(), number, sent;
    struct bench_counts *own = bench->own;
    if (!payload_read(data, size, &number, &sent) || number >= bench->events) {
        fprintf(stderr, "the worker got %zu bytes that nobody sent\n", size);
        exit(1);
    }
    uint64_t place = party * bench->events + number, bit = 1ull << place % 64;
    if ((atomic_fetch_or_explicit(&bench->shared->seen[place / 64], bit, memory_order_relaxed) & bit) != 0) {
        own->repeated++;
        return;
    }
    own->latency[bucket_of(now > sent ? now - sent : 0)]++;
    if (own->first_ns == 0) own->first_ns = now;
    own->last_ns = now;
    own->handled++;
}

void bench_acked(struct bench *bench, uint64_t count)
{
    bench->own->acked += count;
}

bool bench_done(const struct bench *bench)
{
    uint64_t wanted = bench->events * bench->parties, handled = 0, acked = 0;
    for (uint32_t i = 0; i < bench->workers; i++) {
        handled += bench->shared->workers[i].handled;
        acked += bench->shared->workers[i].acked;
    }
    return handled >= wanted && acked >= wanted;
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
    static const struct option common[] = { { "url", 1, NULL, 'u' },       { "events", 1, NULL, 'n' },     { "rate", 1, NULL, 'r' },
                                            { "window", 1, NULL, 'w' },    { "pid", 1, NULL, 'p' },        { "publish-only", 0, NULL, 'P' },
                                            { "work-only", 0, NULL, 'W' }, { "publishers", 1, NULL, 'b' }, { "workers", 1, NULL, 'k' },
                                            { NULL, 0, NULL, 0 } };
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
    *bench = (struct bench){ .window = 1000, .parties = 1, .publishers = 1, .workers = 1 };
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
        case 'b':
            bench->publishers = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'k':
            bench->workers = (uint32_t)strtoul(optarg, NULL, 10);
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
    bool processes = bench->publishers - 1 < BENCH_PROCESSES_MAX && bench->workers - 1 < BENCH_PROCESSES_MAX;
    return bench->url != NULL && bench->events != 0 && bench->window != 0 && processes;
}

struct child {
    pid_t pid;
    uint64_t before_cpu_ns; /* not counted */
    bool publishes, runs, ended_by_us;
};

struct run {
    struct bench *bench;
    const struct bench_system *system;
    struct child children[2 * BENCH_PROCESSES_MAX];
    uint32_t count, publishers, workers; /* the two: how many run */
    uint64_t cpu_ns;                     /* of those that have ended */
    int failed;
};

/* A child of the run; does not come back in it. */
static void start(struct run *run, bool publishes, uint32_t number)
{
    struct bench *bench = run->bench;
    pid_t pid = fork();
    if (pid < 0) run->failed = 1;
    if (pid < 0) return;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bench->number = number;
        bench->own = &bench->shared->workers[number];
        bench->made = bench->events * number / bench->publishers;
        bench->until = bench->events * (number + 1) / bench->publishers;
        _exit(publishes ? run->system->publish(bench) : run->system->work(bench));
    }
    run->children[run->count++] = (struct child){ .pid = pid, .publishes = publishes, .runs = true };
    run->publishers += publishes;
    run->workers += !publishes;
}

static void take_end(struct run *run, pid_t pid, int status, const struct rusage *used)
{
    struct child *child = run->children;
    while (child->pid != pid)
        child++;
    child->runs = false;
    run->publishers -= child->publishes;
    run->workers -= !child->publishes;
    run->cpu_ns += (uint64_t)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000000u +
                   (uint64_t)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) * 1000u - child->before_cpu_ns;
    if (!child->ended_by_us && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) run->failed = 1;
}

static void take_ends(struct run *run)
{
    int status;
    struct rusage used;
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &used)) > 0;)
        take_end(run, pid, status, &used);
}

static void end_all(struct run *run)
{
    for (uint32_t i = 0; i < run->count; i++) {
        struct child *child = &run->children[i];
        if (!child->runs) continue;
        child->ended_by_us = true;
        kill(child->pid, SIGKILL);
    }
}

static void await_ready(struct run *run)
{
    struct bench_counts *workers = run->bench->shared->workers;
    for (uint32_t i = 0; i < run->count; i++) { /* workers alone so far, in their order */
        while (!workers[i].ready && run->failed == 0 && run->children[i].runs) {
            bench_sleep_until(bench_now_ns() + LOOK_NS);
            take_ends(run);
        }
        if (!workers[i].ready) run->failed = 1;
        run->children[i].before_cpu_ns = workers[i].ready_cpu_ns;
    }
}

/* Until nobody runs: -> when all was done. Workers that did not see the last event would wait for ever; they have a moment to see that all
 * is done. */
static uint64_t watch(struct run *run)
{
    uint64_t done_ns = 0;
    while (run->publishers + run->workers > 0) {
        bench_sleep_until(bench_now_ns() + LOOK_NS);
        take_ends(run);
        bool done = run->publishers == 0 && (run->workers == 0 || bench_done(run->bench));
        if (done && done_ns == 0) done_ns = bench_now_ns();
        if (run->failed != 0 || (done && bench_now_ns() > done_ns + LAST_MOMENT_NS)) end_all(run);
    }
    return done_ns;
}

static void print_result(const struct bench *bench, const struct bench_system *system, uint64_t took_ns, uint64_t cpu_ns)
{
    static struct bench_counts all;
    all.first_ns = UINT64_MAX;
    for (uint32_t i = 0; i < bench->workers; i++) {
        const struct bench_counts *one = &bench->shared->workers[i];
        all.handled += one->handled;
        all.repeated += one->repeated;
        if (one->first_ns != 0 && one->first_ns < all.first_ns) all.first_ns = one->first_ns;
        if (one->last_ns > all.last_ns) all.last_ns = one->last_ns;
        for (uint32_t k = 0; k < BENCH_BUCKETS; k++)
            all.latency[k] += one->latency[k];
    }
    uint64_t handling = all.last_ns > all.first_ns ? all.last_ns - all.first_ns : 0;
    printf("{\"system\":\"%s\",\"events\":%llu,\"seconds\":%.4f,\"events_per_s\":%.0f,\"drain_per_s\":%.0f,\"cpu_s_per_million\":%.3f,"
           "\"repeated\":%llu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"last_ns\":%llu}\n",
           system->name, (unsigned long long)bench->events, (double)took_ns / 1e9, (double)bench->events * 1e9 / (double)took_ns,
           handling != 0 ? (double)all.handled * 1e9 / (double)handling : 0, (double)cpu_ns / 1e3 / (double)bench->events,
           (unsigned long long)all.repeated, percentile_us(&all, 0.5), percentile_us(&all, 0.9), percentile_us(&all, 0.99),
           percentile_us(&all, 0.999), percentile_us(&all, 1 - 1e-12), (unsigned long long)all.last_ns);
}

int bench_main(int argc, char **argv, const struct bench_system *system)
{
    struct bench bench;
    if (!parse(&bench, system, argc, argv)) {
        fprintf(stderr,
                "usage: bench_%s --url URL --events N [--rate N] [--window N] [--publishers N] [--workers N] [--pid N] "
                "[--publish-only|--work-only]\n",
                system->name);
        return 2;
    }
    size_t seen = ((size_t)(bench.events * bench.parties) / 64 + 1) * sizeof *bench.shared->seen;
    bench.shared = mmap(NULL, sizeof *bench.shared + seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bench.shared == MAP_FAILED) return 1;
    struct run run = { .bench = &bench, .system = system };
    for (uint32_t i = 0; i < bench.workers && !bench.publish_only; i++)
        start(&run, false, i);
    await_ready(&run);
    uint64_t cpu_before = servers_cpu_ns(&bench);
    bench.shared->started_ns = bench.work_only ? bench_now_ns() : 0; /* connecting is no part of it */
    for (uint32_t i = 0; i < bench.publishers && !bench.work_only && run.failed == 0; i++)
        start(&run, true, i);
    uint64_t done_ns = watch(&run);
    if (run.failed == 0) {
        print_result(&bench, system, done_ns - bench.shared->started_ns, run.cpu_ns + servers_cpu_ns(&bench) - cpu_before);
    }
    return run.failed;
}
