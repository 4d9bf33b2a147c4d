/* weir-coordinator: brings the parts up in the order of their needs, runs the loop, and takes them down again.
 *
 * Signals are blocked before the first thread is made, so that only the loop hears them, by a signalfd. The ready line comes when a peer
 * that reads it can connect and is answered. */
#include "coordinator/shell/http.h"
#include "coordinator/shell/loop.h"
#include "coordinator/shell/verify.h"
#include "sdk/program/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct coordinator {
    struct config config;
    struct access *access;
    struct store *store;
    struct curve *curve;
    struct router *router;
    struct http *http;
    struct core *core;
    size_t core_bytes;
    struct loop *loop;
    struct stats_board board;
    struct log_identity identity;
    struct log_clock clock;
    int signal_fd;
};

static int fail(const char *what, const char *reason, int code)
{
    journal_error("start_failed", "what=%s reason=%s", what, reason);
    return code;
}

/* Large packets would be mapped and unmapped one by one, at the price of page faults. */
static void prepare_process(struct coordinator *c)
{
    struct rlimit files;
    mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    signal(SIGPIPE, SIG_IGN);
    c->signal_fd = signalfd(-1, &stops, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* 0 or the exit code. */
static int open_log(struct coordinator *c)
{
    struct log_error error;
    struct log_tail tail;
    c->store = store_open(&c->config, &error);
    if (!c->store) return fail(c->config.data, error.text, EXIT_FAILED);
    store_identity(c->store, &c->identity);
    store_tail(c->store, &tail);
    c->clock.last_ms = tail.last_time_ms;
    if (!clock_is_plausible(clock_wall_ms(), tail.last_time_ms) && !c->config.accept_clock && !c->config.log.read_only) {
        char text[256];
        snprintf(text, sizeof text,
                 "the clock says %" PRIu64 ", the last block was written at %" PRIu64
                 " (ms since 1970): set the clock right, or say --accept-clock",
                 clock_wall_ms(), tail.last_time_ms);
        return fail("clock", text, EXIT_FAILED);
    }
    if (!c->config.core.replay.on) return EXIT_FINE;
    if (c->config.replay_since_ms > 0 && !store_find_time(c->store, c->config.replay_since_ms, &c->config.core.replay.from, &error))
        return fail(c->config.data, error.text, EXIT_FAILED);
    if (c->config.core.replay.from == 0) c->config.core.replay.from = tail.first_position;
    if (c->config.core.replay.until == 0 || c->config.core.replay.until > tail.last_position)
        c->config.core.replay.until = tail.last_position;
    return EXIT_FINE;
}

static int start_core(struct coordinator *c)
{
    struct log_error error;
    struct log_tail tail;
    if (getrandom(c->config.core.secret, sizeof c->config.core.secret, 0) != sizeof c->config.core.secret)
        return fail("random numbers", strerror(errno), EXIT_FAILED);
    c->core_bytes = core_memory(&c->config.core);
    void *memory = mmap(NULL, c->core_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return fail("memory for the limits of [limits]", strerror(errno), EXIT_FAILED);
    c->core = core_init(memory, &c->config.core);
    c->board.group_max = c->config.core.limits.groups_max;
    c->board.groups = calloc(c->board.group_max, sizeof *c->board.groups);
    if (!c->config.core.replay.on && !store_recover(c->store, c->core, &error)) return fail(c->config.data, error.text, EXIT_FAILED);
    store_tail(c->store, &tail);
    core_start(c->core, clock_monotonic_ns(), log_clock_ms(&c->clock), c->identity.epoch, c->identity.term,
               log_start_position(&tail, c->identity.term), tail.last_number + 1, tail.first_position);
    return EXIT_FINE;
}

static int open_doors(struct coordinator *c)
{
    char error[1024] = "no memory";
    c->access = access_open(c->config.tokens, c->config.dev, error, sizeof error);
    if (!c->access) return fail("tokens", error, EXIT_USAGE);
    if (c->config.curve_key) {
        c->curve = curve_open(c->config.curve_certificates, c->config.curve_key, error, sizeof error);
        if (!c->curve) return fail("curve", error, EXIT_USAGE);
    }
    if (!c->config.dev && !c->config.tokens && !c->curve)
        journal_warning("nobody_is_let_in", "do=%s",
                        "configure [tokens] or [curve], or say --dev: without them every hello is unauthorized");
    c->router = router_open(&c->config, c->access, c->curve, error, sizeof error);
    if (!c->router) return fail("listen", error, EXIT_FAILED);
    return EXIT_FINE;
}

/* Before the log is read, which may take a while: whoever looks is told that it starts. */
static int open_http(struct coordinator *c)
{
    char error[1024] = "no memory";
    if (!c->config.http) return EXIT_FINE;
    c->http = http_open(c->config.http, &c->board, error, sizeof error);
    if (!c->http) return fail("http", error, EXIT_FAILED);
    journal_info("starting", "http=%s data=%s", http_address(c->http), c->config.in_memory ? "memory" : c->config.data);
    return EXIT_FINE;
}

static struct loop *make_loop(struct coordinator *c)
{
    struct loop_parts parts = { .config = &c->config,
                                .core = c->core,
                                .router = c->router,
                                .store = c->store,
                                .access = c->access,
                                .curve = c->curve,
                                .board = &c->board,
                                .clock = c->clock,
                                .signal_fd = c->signal_fd };
    parts.stats.core_memory_bytes = c->core_bytes;
    parts.stats.term = c->identity.term;
    parts.stats.ready = true;
    parts.stats.alive_ns = clock_monotonic_ns();
    snprintf(parts.stats.durability, sizeof parts.stats.durability, "%s", c->config.in_memory ? "memory" : c->config.durability);
    snprintf(parts.stats.version, sizeof parts.stats.version, "%s", WEIR_VERSION);
    memcpy(parts.stats.epoch, c->identity.epoch, sizeof parts.stats.epoch);
    stats_publish(&c->board, &parts.stats); /* whoever reads the ready line finds it ready */
    return loop_new(&parts);
}

static void tell_ready(const struct coordinator *c)
{
    const char *http = c->http ? http_address(c->http) : "off";
    journal_info("ready", "listen=%s http=%s data=%s durability=%s epoch=%s term=%" PRIu64 " read_only=%s", router_addresses(c->router),
                 http, c->config.in_memory ? "memory" : c->config.data, c->config.in_memory ? "memory" : c->config.durability,
                 c->identity.epoch, c->identity.term, c->config.log.read_only ? "true" : "false");
    notify_ready(router_addresses(c->router));
}

static int run(struct coordinator *c)
{
    int code = open_http(c);
    if (code == EXIT_FINE) code = open_log(c);
    if (code == EXIT_FINE) code = start_core(c);
    if (code == EXIT_FINE) code = open_doors(c);
    if (code != EXIT_FINE) return code;
    c->loop = make_loop(c);
    if (!c->loop) return fail("loop", "no memory", EXIT_FAILED);
    tell_ready(c);
    return loop_run(c->loop);
}

static void close_all(struct coordinator *c)
{
    loop_free(&c->loop);
    http_close(&c->http);
    router_close(&c->router, 500);
    curve_close(&c->curve);
    access_close(&c->access);
    store_close(&c->store);
    if (c->core) munmap(c->core, c->core_bytes);
    free(c->board.groups);
    if (c->signal_fd >= 0) close(c->signal_fd);
    config_free(&c->config);
}

int main(int argc, char *argv[])
{
    static struct coordinator coordinator = { .board = { .lock = PTHREAD_MUTEX_INITIALIZER }, .signal_fd = -1 };
    int code = config_read(argc, argv, &coordinator.config);
    if (code != OPTIONS_RUN) return code;
    journal_open("weir-coordinator", coordinator.config.log_format, coordinator.config.log_level);
    if (coordinator.config.verify) {
        code = verify_run(&coordinator.config);
        config_free(&coordinator.config);
        return code;
    }
    prepare_process(&coordinator);
    code = run(&coordinator);
    close_all(&coordinator);
    if (code == EXIT_FINE) journal_info("stopped", NULL);
    return code;
}
