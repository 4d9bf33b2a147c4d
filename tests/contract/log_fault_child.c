/* A fixed load on a log, to be run with a bad disk or killed: writes blocks, two under way, a snapshot after each third of them, a trim at
 * the end. Says on standard output, a line each, unbuffered: "open STATUS TEXT", "committed N", "failed N TEXT", "read BLOCK", "fired 0|1",
 * "closed".
 *
 *   log_fault_child DIR BLOCKS DURABILITY fault CALL NTH ERRNO
 *   log_fault_child DIR BLOCKS DURABILITY record TABLE */
#include "tests/contract/fault_shim.h"
#include "tests/contract/log_rig.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct load {
    struct rig *rig;
    uint64_t blocks, submitted, committed;
    bool failed;
};

static void take(struct load *load, const struct log_event *event)
{
    if (event->kind == LOG_COMMITTED) {
        load->committed = event->number;
        printf("committed %" PRIu64 "\n", event->number);
    } else if (event->kind == LOG_FAILED) {
        load->failed = true;
        printf("failed %" PRIu64 " %s\n", event->number, event->text);
    }
}

/* Returns the event's kind, after it was taken. */
static enum log_event_kind next_event(struct load *load)
{
    struct log_event event;
    while (!log_poll(load->rig->log, &event))
        poll(&(struct pollfd){ .fd = log_fd(load->rig->log), .events = POLLIN }, 1, -1);
    take(load, &event);
    return event.kind;
}

static void submit_and_await(struct load *load)
{
    while (!load->failed && load->committed < load->blocks) {
        while (load->submitted < load->blocks && load->submitted - load->committed < 2) {
            rig_submit(load->rig);
            load->submitted++;
        }
        next_event(load);
    }
}

static void save(struct load *load)
{
    uint64_t position = rig_last_position(load->rig);
    log_snapshot_begin(load->rig->log, position);
    log_snapshot_slice(load->rig->log, &load->rig->blocks[0]);
    log_snapshot_end(load->rig->log);
    while (!load->failed && next_event(load) != LOG_SNAPSHOT_SAVED)
        ;
}

static void run(struct load *load, uint64_t blocks)
{
    for (int third = 1; third <= 3 && !load->failed; third++) {
        load->blocks = blocks * (uint64_t)third / 3;
        submit_and_await(load);
        if (!load->failed) save(load);
    }
    if (!load->failed) {
        log_trim(load->rig->log, UINT64_MAX);
        while (!load->failed && next_event(load) != LOG_TRIMMED)
            ;
    }
}

/* Reading goes on after a failure. */
static void read_one(struct load *load)
{
    struct log_event event;
    struct rig *rig = load->rig;
    log_fetch(rig->log, rig_last_position(rig), &rig->blocks[1]);
    do {
        while (!log_poll(rig->log, &event))
            poll(&(struct pollfd){ .fd = log_fd(rig->log), .events = POLLIN }, 1, -1);
        take(load, &event);
    } while (event.kind != LOG_FETCHED && event.kind != LOG_FETCH_FAILED && event.kind != LOG_FETCH_NOTHING);
    printf("read %" PRIu64 "\n", event.kind == LOG_FETCHED ? rig->blocks[1].number : 0);
}

int main(int argc, char **argv)
{
    if (argc < 6) return 2;
    setvbuf(stdout, NULL, _IONBF, 0);
    struct rig *rig = rig_new_at(argv[1]);
    struct load load = { .rig = rig };
    rig->body_bytes = 3000;
    rig->config.durability = (enum log_durability)atoi(argv[3]);
    rig->config.interval_ms = 2;
    if (strcmp(argv[4], "record") == 0)
        fault_record_synced(argv[1], argv[5]);
    else
        fault_arm(argv[1], (enum fault_call)atoi(argv[5]), strtoull(argv[6], NULL, 10), atoi(argv[7]));
    if (!rig_try_open(rig)) {
        printf("open %d %s\n", rig->error.status, rig->error.text);
    } else {
        log_recover(rig->log, rig_accept, rig, &rig->error);
        run(&load, strtoull(argv[2], NULL, 10));
        if (load.committed > 0) read_one(&load);
    }
    log_close(&rig->log);
    printf("fired %d\nclosed\n", fault_fired());
    rig_leave(rig);
    return 0;
}
