/* weir-gateway: one loop thread owns everything. A turn of the loop: libuv calls back for what came in (clients, coordinator, timers);
 * before it sleeps, what the core has to say is sent: first to the coordinator, then one write per client. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "gateway/shell/gateway.h"
#include "gateway/shell/server.h"
#include "sdk/program/notify.h"

enum {
    STOP_POLL_MS = 50,
    CLOSE_MS = 4000,
    READY_MS = 3000, /* without a coordinator it says ready after this: it listens, and /readyz says what is missing */
};

struct run {
    struct gateway gateway;
    struct config config;
    void *memory;
    size_t memory_size;
    uv_prepare_t turn;
    uv_timer_t core_timer, drain_timer, ready_timer, watchdog;
    uv_signal_t terminate, interrupt;
    uint64_t drain_until, stop_at;
    bool closing_sent, is_ready;
};

static void on_core_timer(uv_timer_t *timer)
{
    (void)timer; /* the turn's end ticks the core */
}

static void say_ready(struct run *run)
{
    if (run->is_ready) return;
    run->is_ready = true;
    journal_info("ready", "listen=%s coordinator=%s", server_address(run->gateway.server), run->config.coordinator);
    notify_ready("serving");
}

static void on_ready_timer(uv_timer_t *timer)
{
    say_ready(timer->data);
}

static void on_turn(uv_prepare_t *prepare)
{
    struct run *run = prepare->data;
    struct gateway *g = &run->gateway;
    if (uplink_is_up(g->uplink)) say_ready(run);
    uplink_tell_time(g->gate);
    uint64_t now_ms = uv_hrtime() / 1000000;
    if (gate_deadline(g->gate) <= now_ms) gate_tick(g->gate);
    gate_settle_uplink(g->gate);
    server_turn(g->server);
    gate_settle_uplink(g->gate); /* sockets that were drained have credit to give */
    uplink_turn(g->uplink);
    uint64_t deadline = gate_deadline(g->gate);
    if (deadline == UINT64_MAX) {
        uv_timer_stop(&run->core_timer);
    } else {
        uv_timer_start(&run->core_timer, on_core_timer, deadline > now_ms ? deadline - now_ms : 1, 0);
    }
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    notify_watchdog();
}

/* Draining: clients have until drain_until to leave by themselves, then they are closed, then it ends. */
static void on_drain_timer(uv_timer_t *timer)
{
    struct run *run = timer->data;
    uint64_t now = uv_now(&run->gateway.loop);
    bool empty = gate_stats(run->gateway.gate)->connections == 0;
    if (!empty && now >= run->drain_until && !run->closing_sent) {
        run->closing_sent = true;
        run->stop_at = now + CLOSE_MS;
        gate_drain_end(run->gateway.gate);
    }
    if (empty || (run->closing_sent && now >= run->stop_at)) uv_stop(&run->gateway.loop);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct run *run = signal->data;
    struct gateway *g = &run->gateway;
    if (g->draining) {
        journal_warning("stopped", "signal=%d reason=%s", number, "second signal");
        uv_stop(&g->loop);
        return;
    }
    g->draining = true;
    notify_stopping();
    journal_info("draining", "signal=%d connections=%llu", number, (unsigned long long)gate_stats(g->gate)->connections);
    server_stop_listening(g->server);
    uplink_tell_time(g->gate);
    gate_drain(g->gate, run->config.reconnect_ms);
    run->drain_until = uv_now(&g->loop) + run->config.drain_ms;
    uv_timer_start(&run->drain_timer, on_drain_timer, STOP_POLL_MS, STOP_POLL_MS);
}

/* Each client costs one. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool make_core(struct run *run)
{
    struct gate_config config = {
        .limits = run->config.limits,
        .identities = run->config.identities,
        .identity_count = run->config.identity_count,
        .dev = run->config.dev,
        .server = "weir/" WEIR_VERSION,
        .uplink = uplink_calls(run->gateway.uplink),
    };
    if (getrandom(config.secret, sizeof config.secret, 0) != (ssize_t)sizeof config.secret) return false;
    run->memory_size = gate_memory(&config);
    run->memory = mmap(NULL, run->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (run->memory == MAP_FAILED) {
        journal_error("no_memory", "bytes=%zu what=%s", run->memory_size, "the tables that [limits] asks for");
        return false;
    }
    run->gateway.gate = gate_init(run->memory, &config);
    return true;
}

static void make_handles(struct run *run)
{
    uv_loop_t *loop = &run->gateway.loop;
    uv_prepare_init(loop, &run->turn);
    uv_timer_init(loop, &run->core_timer);
    uv_timer_init(loop, &run->drain_timer);
    uv_timer_init(loop, &run->ready_timer);
    uv_timer_init(loop, &run->watchdog);
    uv_signal_init(loop, &run->terminate);
    uv_signal_init(loop, &run->interrupt);
    run->turn.data = run->ready_timer.data = run->drain_timer.data = run->terminate.data = run->interrupt.data = run;
    uv_prepare_start(&run->turn, on_turn);
    uv_timer_start(&run->ready_timer, on_ready_timer, READY_MS, 0);
    uv_signal_start(&run->terminate, on_signal, SIGTERM);
    uv_signal_start(&run->interrupt, on_signal, SIGINT);
    uint32_t watchdog_ms = notify_watchdog_ms();
    if (watchdog_ms > 0) uv_timer_start(&run->watchdog, on_watchdog, 0, watchdog_ms);
}

static bool start(struct run *run)
{
    struct gateway *g = &run->gateway;
    g->config = &run->config;
    if (uv_loop_init(&g->loop) != 0) return false;
    g->uplink = uplink_open(&g->loop, &run->config);
    if (g->uplink == NULL || !make_core(run)) return false;
    g->server = server_open(g);
    if (g->server == NULL) return false;
    uplink_start(g->uplink, g->gate);
    make_handles(run);
    return true;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void stop(struct run *run)
{
    struct gateway *g = &run->gateway;
    uv_prepare_stop(&run->turn);
    uplink_close(g->uplink);
    server_close(g->server);
    for (int i = 0; i < 100 && uv_run(&g->loop, UV_RUN_NOWAIT) != 0; i++) {
        if (i == 50) uv_walk(&g->loop, close_handle, NULL);
    }
    server_free(&g->server);
    uplink_free(&g->uplink);
    munmap(run->memory, run->memory_size);
}

int main(int argc, char *argv[])
{
    static struct run run;
    int code = config_read(argc, argv, &run.config);
    if (code != OPTIONS_RUN) return code;
    journal_open("weir-gateway", run.config.log_format, run.config.log_level);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    if (!start(&run)) return EXIT_FAILED;
    uv_run(&run.gateway.loop, UV_RUN_DEFAULT);
    stop(&run);
    journal_info("stopped", NULL);
    config_free(&run.config);
    return EXIT_FINE;
}
