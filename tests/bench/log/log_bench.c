/* The log alone: blocks of events as text, two under way, for each durability. Says how many a second, how long from submit to commit, how
 * much the disk was given to write per byte of payload, and how long the start takes afterwards.
 *
 *   bench_log [BLOCKS [BLOCK_BYTES [DIR]]]       2000 blocks of 256 KiB below ./bench_log.data, which must not exist and is removed */
#include "coordinator/log/log.h"
#include "proto/event.h"
#include "tests/bench/payload.h"

#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { UNDER_WAY = 2, BLOCKS_MAX = 1 << 20 };

struct bench {
    uint64_t blocks, block_bytes;
    const char *directory;
    struct log *log;
    void *memory[UNDER_WAY];
    struct block block[UNDER_WAY];
    uint64_t begun_ns[UNDER_WAY];
    uint64_t *latencies_ns;
    uint64_t position, events, recovered;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static _Noreturn void give_up(const char *text)
{
    fprintf(stderr, "bench_log: %s\n", text);
    exit(1);
}

/* What the kernel was given to write for this process: the log's threads and RocksDB's. */
static uint64_t bytes_written(void)
{
    char line[128];
    uint64_t bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "write_bytes: %" SCNu64, &bytes);
    if (file != NULL) fclose(file);
    return bytes;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void fill(struct bench *bench, struct block *block, uint64_t number)
{
    char payload[PAYLOAD_BYTES];
    uint8_t encoded[1024];
    block_open(block, number, bench->position, 1700000000000u + number, 1);
    uint16_t topic = (uint16_t)(block_topic(block, span_text("dev"), span_text("docs.7.uploaded")) + 1);
    struct event event = { .topic = span_text("docs.7.uploaded"), .data = span_of(payload, sizeof payload) };
    while (block->bodies_size < bench->block_bytes && block_has_room(block, 1, sizeof encoded)) {
        payload_write(payload, bench->events, now_ns());
        event.time_ms = 1700000000000u + bench->events / 100;
        size_t size = event_encode(&event, NULL, 0, encoded);
        block_append(block, (struct record){ .kind = RECORD_EVENT, .topic = topic, .number = ++bench->events }, span_of(encoded, size));
    }
    bench->position += block->record_count;
}

static void open_log(struct bench *bench, enum log_durability durability)
{
    struct log_error error;
    struct log_config config = { .directory = bench->directory, .durability = durability, .interval_ms = 100, .submits_max = UNDER_WAY };
    bench->log = log_open_rocksdb(&config, &error);
    if (bench->log == NULL) give_up(error.text);
}

static void await_commit(struct bench *bench, uint64_t number)
{
    struct log_event event;
    while (!log_poll(bench->log, &event))
        poll(&(struct pollfd){ .fd = log_fd(bench->log), .events = POLLIN }, 1, -1);
    if (event.kind != LOG_COMMITTED || event.number != number) give_up(event.text);
    bench->latencies_ns[number - 1] = now_ns() - bench->begun_ns[number % UNDER_WAY];
}

static void write_blocks(struct bench *bench)
{
    for (uint64_t number = 1; number <= bench->blocks; number++) {
        uint64_t slot = number % UNDER_WAY;
        if (number > UNDER_WAY) await_commit(bench, number - UNDER_WAY);
        fill(bench, &bench->block[slot], number);
        bench->begun_ns[slot] = now_ns();
        log_submit(bench->log, &bench->block[slot]);
    }
    for (uint64_t number = bench->blocks > UNDER_WAY ? bench->blocks - UNDER_WAY + 1 : 1; number <= bench->blocks; number++)
        await_commit(bench, number);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool count(void *arg, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    struct bench *bench = arg;
    (void)from_snapshot, (void)out_bad;
    bench->recovered += block->record_count;
    return true;
}

static double restart(struct bench *bench, enum log_durability durability)
{
    struct log_error error;
    uint64_t begun = now_ns();
    open_log(bench, durability);
    bench->recovered = 0;
    if (log_recover(bench->log, count, bench, &error) != LOG_OK) give_up(error.text);
    if (bench->recovered != bench->events) give_up("not every event was there after the restart");
    double seconds = (double)(now_ns() - begun) / 1e9;
    log_close(&bench->log);
    return seconds;
}

static void run(struct bench *bench, enum log_durability durability, const char *name)
{
    bench->position = 1;
    bench->events = 0;
    open_log(bench, durability);
    uint64_t written = bytes_written(), begun = now_ns();
    double cpu = cpu_seconds();
    write_blocks(bench);
    double seconds = (double)(now_ns() - begun) / 1e9;
    cpu = cpu_seconds() - cpu;
    struct log_stats stats;
    log_stats(bench->log, &stats);
    log_close(&bench->log);
    written = bytes_written() - written;

    qsort(bench->latencies_ns, bench->blocks, sizeof *bench->latencies_ns, by_size);
    double payload = (double)bench->events * PAYLOAD_BYTES;
    double sync_us = stats.syncs > 0 ? (double)stats.sync_ns_total / (double)stats.syncs / 1e3 : 0;
    double restarted = restart(bench, durability);
    printf("%-9s %9.0f %11.0f %7.1f %8.0f %8.0f %9.0f %9.0f %9.2f %9.2f %9.2f %9.2f\n", name, (double)bench->blocks / seconds,
           (double)bench->events / seconds, payload / seconds / 1e6, (double)bench->latencies_ns[bench->blocks / 2] / 1e3,
           (double)bench->latencies_ns[bench->blocks * 99 / 100] / 1e3, sync_us, (double)stats.sync_ns_max / 1e3,
           cpu / (double)bench->events * 1e6, (double)stats.bytes_stored / payload, (double)written / payload, restarted);
    nftw(bench->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
    struct bench bench = { .blocks = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000,
                           .block_bytes = argc > 2 ? strtoull(argv[2], NULL, 10) : 256 * 1024,
                           .directory = argc > 3 ? argv[3] : "bench_log.data" };
    if (bench.blocks == 0 || bench.blocks > BLOCKS_MAX || access(bench.directory, F_OK) == 0)
        give_up("BLOCKS is 1 to 1048576, and DIR must not exist");
    bench.latencies_ns = calloc(bench.blocks, sizeof *bench.latencies_ns);
    for (int i = 0; i < UNDER_WAY; i++) {
        bench.memory[i] = malloc(block_memory());
        if (bench.memory[i] == NULL || bench.latencies_ns == NULL) give_up("no memory");
        block_init(&bench.block[i], bench.memory[i]);
    }
    printf("%" PRIu64 " blocks of %" PRIu64 " bytes of events, %d bytes of payload each, %d blocks under way\n", bench.blocks,
           bench.block_bytes, PAYLOAD_BYTES, UNDER_WAY);
    printf("%-9s %9s %11s %7s %8s %8s %9s %9s %9s %9s %9s %9s\n", "", "blocks/s", "events/s", "MB/s", "p50 us", "p99 us", "sync us",
           "sync max", "CPU us/ev", "stored/B", "written/B", "restart s");
    run(&bench, LOG_FSYNC, "fsync");
    run(&bench, LOG_INTERVAL, "100 ms");
    run(&bench, LOG_OS, "os");
    for (int i = 0; i < UNDER_WAY; i++)
        free(bench.memory[i]);
    free(bench.latencies_ns);
    return 0;
}
