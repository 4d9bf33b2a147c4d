/* A turn: take what has come (packets up to the core's bound, news of the log, ended connections), step the core once, carry out its
 * outputs in their order. There is no timer that waits for company: while a block is being written, packets gather by themselves, and the
 * next turn takes them all.
 *
 * What the core lends lives until the next step; packets, decoded in one arena, live until the outputs are carried out. */
#include "coordinator/shell/loop.h"

#include "proto/codec.h"
#include "sdk/base/must.h"
#include "sdk/program/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    PACKETS_MAX = 1024,                  /* of a turn */
    GONE_MAX = 1024,                     /* of a turn */
    DECODE_BYTES = 32 * 1024 * 1024,     /* of a turn */
    PACKET_DECODE_MAX = 8 * 1024 * 1024, /* what one packet may cost; more is malformed */
    ENCODE_BYTES = 8 * 1024 * 1024,
    PUBLISH_EVERY_MS = 100,
    PUBLISH_GROUPS_EVERY_MS = 1000,
    GROUP_WITHIN_MS = 10000, /* a group of the configuration is made, or it is said that it is not */
    ROUND_EVERY_MS = 1000,   /* the loop comes round at least so often */
};
#define NS_PER_MS 1000000ULL

enum phase { PHASE_SERVING, PHASE_DRAINING, PHASE_SAVING /* the last snapshot */, PHASE_ENDED };

struct loop {
    struct loop_parts parts;
    enum phase phase;
    uint64_t drain_until_ns, published_ns, groups_published_ns, watchdog_ns;
    uint32_t watchdog_ms; /* 0: nobody watches */
    uint64_t now_ns, log_time_ms;
    bool wants_packets, again; /* again: the next turn comes without waiting */
    bool board_is_old;
    size_t next_group;       /* of the configuration */
    uint64_t group_until_ns; /* so long it is tried; 0: not yet */
    uint8_t *memory;         /* of both arenas */
    struct arena decode, encode;
    struct router_packet received[PACKETS_MAX];
    struct core_packet packets[PACKETS_MAX];
    size_t packet_count;
    uint32_t gone[GONE_MAX];
    size_t gone_count;
    struct stats stats;
};

struct loop *loop_new(const struct loop_parts *parts)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) return NULL;
    loop->memory = mmap(NULL, DECODE_BYTES + ENCODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (loop->memory == MAP_FAILED) {
        free(loop);
        return NULL;
    }
    loop->parts = *parts;
    loop->stats = parts->stats;
    arena_init(&loop->decode, loop->memory, DECODE_BYTES);
    arena_init(&loop->encode, loop->memory + DECODE_BYTES, ENCODE_BYTES);
    loop->wants_packets = true;
    loop->watchdog_ms = notify_watchdog_ms();
    return loop;
}

void loop_free(struct loop **loop)
{
    if (!*loop) return;
    munmap((*loop)->memory, DECODE_BYTES + ENCODE_BYTES);
    free(*loop);
    *loop = NULL;
}

/* A credential is looked at once, with the hello that carries it. A wrong one takes away what a certificate gave [R-HELLO-4]. */
static void look_at_credential(struct loop *loop, uint32_t connection, const struct packet *packet, struct core_grant *grant)
{
    if (!packet->hello || packet->hello->credential.size == 0 || loop->parts.config->dev) return;
    if (!access_has_tokens(loop->parts.access)) return;
    if (!access_by_token(loop->parts.access, packet->hello->credential, grant)) {
        *grant = (struct core_grant){ 0 };
        loop->stats.unauthorized_credentials++;
    }
    router_set_grant(loop->parts.router, connection, grant);
}

/* NULL: what came is no Packet, or costs too much. */
static struct packet *decode(struct loop *loop, struct router_packet *received)
{
    struct arena part;
    struct packet *packet;
    size_t left = loop->decode.size - loop->decode.used;
    arena_init(&part, loop->decode.memory + loop->decode.used, left < PACKET_DECODE_MAX ? left : PACKET_DECODE_MAX);
    struct span head = span_of(zmq_msg_data(&received->head), zmq_msg_size(&received->head));
    struct span body = span_of(zmq_msg_data(&received->body), zmq_msg_size(&received->body));
    if (received->malformed || codec_decode(&part, head, body, &packet) != CODEC_OK) {
        loop->stats.malformed++;
        return NULL;
    }
    must(arena_take(&loop->decode, part.used) != NULL);
    return packet;
}

static void gather(struct loop *loop)
{
    struct core_turn turn;
    core_begin_turn(loop->parts.core, &turn);
    bool room = loop->wants_packets, drained = false;
    while (room && loop->packet_count < PACKETS_MAX && loop->decode.size - loop->decode.used >= PACKET_DECODE_MAX) {
        struct router_packet *received = &loop->received[loop->packet_count];
        enum router_read read = router_receive(loop->parts.router, loop->now_ns, received);
        drained = read == ROUTER_EMPTY;
        if (drained) break;
        if (read == ROUTER_SKIPPED) continue;
        struct packet *packet = decode(loop, received);
        struct core_grant grant = router_grant(loop->parts.router, received->connection);
        if (packet) look_at_credential(loop, received->connection, packet, &grant);
        loop->packets[loop->packet_count++] = (struct core_packet){ .connection = received->connection, .grant = grant, .packet = packet };
        room = core_turn_add(&turn, packet);
    }
    loop->again = loop->wants_packets && !drained;
    loop->stats.turn_packets += loop->packet_count;
    /* what this tick finds goes into the next step: the last packets of a connection come before its end */
    size_t found = router_tick(loop->parts.router, loop->now_ns, drained, loop->gone + loop->gone_count, GONE_MAX - loop->gone_count);
    if (found > 0) loop->again = true;
    loop->gone_count += found;
}

static void release_packets(struct loop *loop)
{
    for (size_t i = 0; i < loop->packet_count; i++)
        router_release(&loop->received[i]);
    loop->packet_count = 0;
    arena_reset(&loop->decode);
}

static void send_packet(struct loop *loop, const struct core_out *out)
{
    struct span head;
    arena_reset(&loop->encode);
    must(codec_encode(&loop->encode, out->packet, &head) == CODEC_OK);
    router_send(loop->parts.router, out->connection, head, out->packet, loop->now_ns);
}

/* The outcome of a block is unknown: whoever is told anything now may be told wrong. Nothing is closed, nothing is flushed. */
_Noreturn static void halt(const char *why)
{
    journal_error("halted", "reason=%s do=%s", why, "see the line before; when the disk is sound, start again: what was stored is there");
    _exit(EXIT_FAILED);
}

static void carry_out(struct loop *loop, const struct core_outs *outs)
{
    for (size_t i = 0; i < outs->count; i++) {
        const struct core_out *out = &outs->items[i];
        switch (out->kind) {
        case CORE_SEND:
            send_packet(loop, out);
            break;
        case CORE_FORGET:
            router_forget(loop->parts.router, out->connection, loop->now_ns);
            break;
        case CORE_SUBMIT:
        case CORE_FETCH:
        case CORE_SNAPSHOT:
        case CORE_SNAPSHOT_ABANDONED:
            store_take(loop->parts.store, out, loop->now_ns);
            break;
        case CORE_HALT:
            halt("the core stopped");
        }
    }
}

/* What the core cannot know, for whoever asks it for statistics. */
static size_t fill_stats(struct loop *loop, struct stat_row rows[CORE_SHELL_STATS_MAX])
{
    const struct config *config = loop->parts.config;
    struct log_stats log;
    store_log_stats(loop->parts.store, &log);
    const struct stat_row all[] = {
        { span_text("durability"), config->in_memory ? LOG_OS : config->log.durability }, /* enum log_durability */
        { span_text("durability_interval_ms"), config->log.interval_ms },
        { span_text("log_syncs"), log.syncs },
        { span_text("log_sync_ns"), log.sync_ns_total },
        { span_text("log_sync_max_ns"), log.sync_ns_max },
        { span_text("log_blocks"), log.blocks },
        { span_text("log_bytes"), log.bytes_in },
        { span_text("log_stored_bytes"), log.bytes_stored },
    };
    memcpy(rows, all, sizeof all);
    return sizeof all / sizeof all[0];
}

static bool asks(const struct loop *loop)
{
    for (size_t i = 0; i < loop->packet_count; i++)
        if (loop->packets[i].packet && loop->packets[i].packet->query_count > 0) return true;
    return false;
}

/* The next group of the configuration that is still to be made; they are made one by one. */
static const struct core_group *group_to_make(struct loop *loop)
{
    const struct config *config = loop->parts.config;
    for (; loop->next_group < config->group_count; loop->next_group++, loop->group_until_ns = 0) {
        const struct core_group *group = &config->groups[loop->next_group];
        const char *why = "no room for another group, see [limits] groups, or no such tenant";
        enum core_group_state state = core_group_state(loop->parts.core, group, &why);
        if (loop->group_until_ns == 0) loop->group_until_ns = loop->now_ns + GROUP_WITHIN_MS * NS_PER_MS;
        if (state == CORE_GROUP_MISSING && loop->now_ns < loop->group_until_ns) return group;
        if (state != CORE_GROUP_SAME)
            journal_warning(state == CORE_GROUP_MISSING ? "group_not_made" : "group_differs", "group=%.*s reason=%s",
                            (int)group->spec.name.size, (const char *)group->spec.name.data, why);
    }
    return NULL;
}

static void step(struct loop *loop)
{
    struct stat_row rows[CORE_SHELL_STATS_MAX];
    struct core_in in = {
        .now_ns = loop->now_ns, .log_time_ms = loop->log_time_ms, .packets = loop->packets, .draining = loop->phase != PHASE_SERVING
    };
    uint32_t gone[GONE_MAX];
    struct core_outs outs;
    in.gone_count = loop->gone_count;
    memcpy(gone, loop->gone, in.gone_count * sizeof *gone);
    in.gone = gone;
    loop->gone_count = 0;
    gather(loop);
    in.packet_count = loop->packet_count;
    in.shell_stats = rows;
    in.shell_stat_count = asks(loop) ? fill_stats(loop, rows) : 0;
    in.group = loop->wants_packets ? group_to_make(loop) : NULL;
    store_poll(loop->parts.store, loop->now_ns, &in);
    if (in.log_failed) halt("a write of the log failed, its outcome is unknown");
    core_step(loop->parts.core, &in, &outs);
    carry_out(loop, &outs);
    release_packets(loop);
    loop->wants_packets = core_wants_packets(loop->parts.core);
    store_let_go(loop->parts.store, core_let_go(loop->parts.core));
    store_tick(loop->parts.store, loop->parts.core, loop->now_ns, loop->log_time_ms);
    loop->stats.turns++;
}

static void publish(struct loop *loop)
{
    struct stats *stats = &loop->stats;
    core_stats(loop->parts.core, &stats->core);
    router_counters(loop->parts.router, &stats->router);
    store_counters(loop->parts.store, &stats->store);
    store_log_stats(loop->parts.store, &stats->log);
    store_tail(loop->parts.store, &stats->tail);
    stats->alive_ns = loop->now_ns;
    stats->log_time_ms = loop->log_time_ms;
    stats->draining = loop->phase != PHASE_SERVING;
    stats_publish(loop->parts.board, stats);
    if (loop->now_ns - loop->groups_published_ns >= PUBLISH_GROUPS_EVERY_MS * NS_PER_MS) {
        stats_publish_groups(loop->parts.board, loop->parts.core);
        loop->groups_published_ns = loop->now_ns;
    }
    loop->published_ns = loop->now_ns;
    loop->board_is_old = false;
}

static void keep_alive(struct loop *loop)
{
    if (loop->now_ns - loop->published_ns >= PUBLISH_EVERY_MS * NS_PER_MS)
        publish(loop);
    else
        loop->board_is_old = true;
    if (loop->watchdog_ms > 0 && loop->now_ns - loop->watchdog_ns >= loop->watchdog_ms * NS_PER_MS) {
        notify_watchdog();
        loop->watchdog_ns = loop->now_ns;
    }
}

static void begin_drain(struct loop *loop)
{
    journal_info("draining", "deadline_ms=%" PRIu64, loop->parts.config->drain_ms);
    notify_stopping();
    loop->phase = PHASE_DRAINING;
    loop->drain_until_ns = loop->now_ns + loop->parts.config->drain_ms * NS_PER_MS;
    loop->again = true;
}

static void take_signals(struct loop *loop)
{
    struct signalfd_siginfo info;
    while (read(loop->parts.signal_fd, &info, sizeof info) == sizeof info) {
        if (loop->phase != PHASE_SERVING) {
            journal_warning("stopped_at_once", "signal=%u", info.ssi_signo);
            _exit(EXIT_FAILED);
        }
        begin_drain(loop);
    }
}

/* SIGTERM was heard: everything quiet, or the time is over; then the last snapshot; then the end. */
static void move_on(struct loop *loop)
{
    bool late = loop->now_ns >= loop->drain_until_ns;
    bool quiet = core_is_quiet(loop->parts.core) && store_is_quiet(loop->parts.store);
    if (loop->phase == PHASE_DRAINING && (quiet || late)) {
        if (!quiet) journal_warning("drain_ended_early", "deadline_ms=%" PRIu64, loop->parts.config->drain_ms);
        bool more = quiet && store_want_snapshot(loop->parts.store, loop->parts.core);
        loop->phase = more ? PHASE_SAVING : PHASE_ENDED;
        loop->drain_until_ns = loop->now_ns + loop->parts.config->drain_ms * NS_PER_MS;
        loop->again = true;
    } else if (loop->phase == PHASE_SAVING && (store_is_quiet(loop->parts.store) || late))
        loop->phase = PHASE_ENDED;
}

static long wait_ms(const struct loop *loop)
{
    if (loop->again) return 0;
    uint64_t until_ns = loop->now_ns + ROUND_EVERY_MS * NS_PER_MS;
    const uint64_t deadlines[] = { core_deadline_ns(loop->parts.core), router_deadline_ns(loop->parts.router),
                                   store_deadline_ns(loop->parts.store),
                                   loop->board_is_old ? loop->published_ns + PUBLISH_EVERY_MS * NS_PER_MS : UINT64_MAX,
                                   loop->phase == PHASE_SERVING ? UINT64_MAX : loop->drain_until_ns };
    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++)
        if (deadlines[i] < until_ns) until_ns = deadlines[i];
    uint64_t now_ns = clock_monotonic_ns();
    return until_ns <= now_ns ? 0 : (long)((until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void wait_for_something(struct loop *loop)
{
    struct loop_parts *parts = &loop->parts;
    zmq_pollitem_t items[] = {
        { NULL, store_fd(parts->store), ZMQ_POLLIN, 0 },
        { NULL, parts->signal_fd, ZMQ_POLLIN, 0 },
        { router_monitor(parts->router), 0, ZMQ_POLLIN, 0 },
        { router_socket(parts->router), 0, (short)(loop->wants_packets ? ZMQ_POLLIN : 0), 0 },
        { parts->curve ? curve_watch(parts->curve) : NULL, parts->curve ? 0 : parts->signal_fd, ZMQ_POLLIN, 0 },
    };
    int ready = zmq_poll(items, 5, wait_ms(loop));
    must(ready >= 0 || errno == EINTR);
    if (ready > 0 && parts->curve && items[4].revents) halt("the ZAP actor ended: certificates would not be checked any more");
    if (ready > 0 && items[1].revents) take_signals(loop);
}

int loop_run(struct loop *loop)
{
    while (loop->phase != PHASE_ENDED) {
        loop->now_ns = clock_monotonic_ns();
        loop->log_time_ms = log_clock_ms(&loop->parts.clock);
        step(loop);
        keep_alive(loop);
        if (loop->phase != PHASE_SERVING) move_on(loop);
        loop->stats.busy_ns += clock_monotonic_ns() - loop->now_ns;
        if (loop->phase != PHASE_ENDED) wait_for_something(loop);
    }
    loop->now_ns = clock_monotonic_ns();
    publish(loop);
    return EXIT_FINE;
}
