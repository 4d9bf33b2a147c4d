/* The coordinator: core and log, started, stepped, killed and started again as weir-coordinator does it, but for snapshots and the window,
 * which no test of a worker needs. */
#include "sdk/mock/mock_parts.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "sdk/base/must.h"

enum { SUBMITS_MAX = 2 };

static void configure(struct weir_mock *mock)
{
    static const struct span tenant = { (const uint8_t *)"dev", 3 };
    mock->config = (struct core_config){
        .limits = { .peers_max = MOCK_PEERS_MAX * 2, /* those that are gone too, until their grace is over */
                    .groups_max = 64,
                    .leases_max = 16384,
                    .failed_max = 16384,
                    .subscriptions_max = 256,
                    .publishers_max = 256,
                    .blocks_cached = 8 },
        .secret = { mock_random(mock), mock_random(mock) },
        .tenants = &tenant,
        .tenant_count = 1,
        .server = span_text("weir-mock"),
        .any_tenant = true,
    };
}

static bool recover_block(void *core, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    return core_recover(core, block, from_snapshot, out_bad);
}

bool mock_core_start(struct weir_mock *mock)
{
    struct log_config log_config = { .durability = LOG_FSYNC, .submits_max = SUBMITS_MAX };
    struct log_identity identity;
    struct log_error error;
    struct log_tail tail;
    configure(mock);
    log_config.fetches_max = mock->config.limits.blocks_cached;
    mock->core_bytes = core_memory(&mock->config);
    void *memory = mmap(NULL, mock->core_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mock->fetched == NULL) mock->fetched = calloc(log_config.fetches_max, sizeof *mock->fetched);
    mock->log = log_open_memory_disk(mock->disk, &log_config, &error);
    if (memory != MAP_FAILED) mock->core = core_init(memory, &mock->config);
    if (mock->core == NULL || mock->fetched == NULL || mock->log == NULL) return false;
    must(log_recover(mock->log, recover_block, mock->core, &error) == LOG_OK);
    log_identity(mock->log, &identity);
    log_tail(mock->log, &tail);
    core_start(mock->core, mock->now_ns, weir_mock_time_ms(mock), identity.epoch, identity.term, log_start_position(&tail, identity.term),
               tail.last_number + 1, tail.first_position);
    mock->wants_packets = true;
    return true;
}

void mock_core_end(struct weir_mock *mock)
{
    if (mock->log != NULL) log_close(&mock->log);
    if (mock->core != NULL) (void)munmap(mock->core, mock->core_bytes);
    mock->core = NULL;
}

/* News of the log into the step's input. */
static void poll_log(struct weir_mock *mock, struct core_in *in)
{
    struct log_event event;
    struct log_tail tail;
    while (log_poll(mock->log, &event)) {
        must(event.kind != LOG_FAILED && event.kind != LOG_FETCH_FAILED);
        if (event.kind == LOG_FETCHED || event.kind == LOG_FETCH_NOTHING)
            mock->fetched[in->fetched_count++] = (struct core_fetched){
                .position = event.position, .block = event.block, .result = event.kind == LOG_FETCHED ? CORE_FETCHED : CORE_FETCH_NOTHING
            };
    }
    log_tail(mock->log, &tail);
    in->fetched = mock->fetched;
    in->committed = tail.last_number;
}

static void cut_connection(struct weir_mock *mock, uint32_t connection)
{
    for (size_t i = 0; i < mock->peer_count; i++)
        if (mock->peers[i].connection == connection) mock_drop(mock, &mock->peers[i], "the coordinator ended the connection");
}

static void carry_out(struct weir_mock *mock, const struct core_outs *outs)
{
    for (size_t i = 0; i < outs->count; i++) {
        const struct core_out *out = &outs->items[i];
        if (out->kind == CORE_SEND)
            mock_deliver(mock, out);
        else if (out->kind == CORE_FORGET)
            cut_connection(mock, out->connection);
        else if (out->kind == CORE_SUBMIT)
            log_submit(mock->log, out->block);
        else if (out->kind == CORE_FETCH && out->before)
            log_fetch_before(mock->log, out->position, out->block);
        else if (out->kind == CORE_FETCH)
            log_fetch(mock->log, out->position, out->block);
        else
            must(false); /* no snapshot was asked for, no write fails */
    }
}

bool mock_turn(struct weir_mock *mock)
{
    uint32_t gone[MOCK_PEERS_MAX];
    struct core_in in = { .now_ns = mock->now_ns, .log_time_ms = weir_mock_time_ms(mock), .gone = gone, .packets = mock->packets };
    struct core_outs outs;
    bool moved = mock->gone_count != 0;
    in.gone_count = mock->gone_count;
    memcpy(gone, mock->gone, in.gone_count * sizeof *gone);
    mock->gone_count = 0;
    moved |= mock_gather(mock);
    in.packet_count = mock->packet_count;
    poll_log(mock, &in);
    core_step(mock->core, &in, &outs);
    carry_out(mock, &outs);
    mock->wants_packets = core_wants_packets(mock->core);
    mock_tell_users(mock);
    return moved || in.fetched_count != 0 || outs.count != 0;
}
