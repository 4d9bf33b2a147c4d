/* All threads of the log at once: blocks are submitted, fetched, saved as snapshots and trimmed without waiting for one another, while
 * other threads open the same log to read it. The contract's tests, which do one thing after another, run beside this one. */
#include "tests/contract/log_rig.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 2000, FETCHES = 8, SNAPSHOT_EVERY = 40, TRIM_EVERY = 90, READERS = 2 };

struct load {
    struct rig *rig;
    uint32_t submitted, committed, fetches, fetched, saved, trims, trimmed;
    bool snapshot;
    void *memory[FETCHES];
    struct block into[FETCHES];
    bool lent[FETCHES];
};

static void take(struct load *load, const struct log_event *event)
{
    switch (event->kind) {
    case LOG_COMMITTED:
        load->committed++;
        assert_int_equal(event->number, load->committed);
        break;
    case LOG_FETCHED:
        rig_check_block(load->rig, event->block);
        load->fetched++;
        load->lent[event->block - load->into] = false;
        break;
    case LOG_FETCH_NOTHING:
        load->lent[event->block - load->into] = false;
        break;
    case LOG_SNAPSHOT_SAVED:
        load->saved++;
        load->snapshot = false;
        break;
    case LOG_TRIMMED:
        load->trimmed++;
        break;
    default:
        fail_msg("event of kind %d: %s", event->kind, event->text);
    }
}

static void fetch_some(struct load *load)
{
    for (int i = 0; i < FETCHES; i++) {
        if (load->lent[i]) continue;
        uint64_t position = 1 + load->fetches * 37 % load->rig->next_position;
        load->lent[i] = true;
        load->fetches++;
        if (load->fetches % 2 == 0)
            log_fetch(load->rig->log, position, &load->into[i]);
        else
            log_fetch_before(load->rig->log, position, &load->into[i]);
    }
}

static void save(struct load *load)
{
    struct block slice;
    void *memory = malloc(block_memory());
    assert_non_null(memory);
    block_init(&slice, memory);
    block_open(&slice, 1, 1, 1000, 1);
    block_append(&slice,
                 (struct record){ .kind = RECORD_EVENT, .topic = (uint16_t)(block_topic(&slice, span_text("dev"), span_text("a")) + 1) },
                 span_text("a slice"));
    log_snapshot_begin(load->rig->log, rig_last_position(load->rig));
    for (int i = 0; i < 3; i++)
        log_snapshot_slice(load->rig->log, &slice);
    free(memory); /* a slice is copied */
    log_snapshot_end(load->rig->log);
    load->snapshot = true;
}

static void go_on(struct load *load)
{
    struct log *log = load->rig->log;
    struct log_tail tail;
    struct log_stats stats;
    while (load->submitted < BLOCKS && load->submitted - load->committed < RIG_SUBMITS) {
        rig_submit(load->rig);
        load->submitted++;
        if (load->submitted % SNAPSHOT_EVERY == 0 && !load->snapshot && load->committed > 0) save(load);
        if (load->submitted % TRIM_EVERY == 0) {
            log_trim(log, rig_last_position(load->rig));
            load->trims++;
        }
    }
    if (load->committed > 0 && load->submitted < BLOCKS) fetch_some(load);
    log_tail(log, &tail);
    log_stats(log, &stats);
}

static bool under_way(const struct load *load)
{
    bool any = load->committed < BLOCKS || load->snapshot || (load->trims > 0 && load->trimmed == 0);
    for (int i = 0; i < FETCHES; i++)
        any = any || load->lent[i];
    return any;
}

static void run(struct load *load)
{
    struct pollfd news = { .fd = log_fd(load->rig->log), .events = POLLIN };
    struct log_event event;
    for (int i = 0; i < FETCHES; i++) {
        load->memory[i] = malloc(block_memory());
        assert_non_null(load->memory[i]);
        block_init(&load->into[i], load->memory[i]);
    }
    do {
        go_on(load);
        assert_true(poll(&news, 1, 60000) == 1);
        while (log_poll(load->rig->log, &event))
            take(load, &event);
    } while (under_way(load));
    assert_true(load->fetched > BLOCKS / 4 && load->saved > 2 && load->trimmed > 0);
    for (int i = 0; i < FETCHES; i++)
        free(load->memory[i]);
}

/* -- those who read it meanwhile -- */

struct reader {
    const struct rig *rig;
    pthread_t thread;
    atomic_uint read; /* blocks */
    atomic_bool ends;
};

static bool count_block(void *arg, const struct block *block, bool from_snapshot, uint64_t *out_bad)
{
    struct reader *reader = arg;
    (void)from_snapshot;
    (void)out_bad;
    atomic_fetch_add(&reader->read, block->record_count > 0);
    return true;
}

static void *read_again_and_again(void *arg)
{
    struct reader *reader = arg;
    struct log_config config = reader->rig->config;
    config.read_only = true;
    while (!atomic_load(&reader->ends)) {
        struct log_error error;
        struct log *log = reader->rig->rocks ? log_open_rocksdb(&config, &error) : log_open_memory_disk(reader->rig->disk, &config, &error);
        if (log == NULL) continue; /* nothing there yet */
        (void)log_recover(log, count_block, reader, &error);
        log_close(&log);
    }
    return NULL;
}

static void write_and_read(bool rocks, int readers)
{
    static struct load load;
    static struct reader reader[READERS];
    struct rig *rig = rig_new(rocks);
    rig->config.fetches_max = FETCHES;
    rig->config.durability = LOG_OS;
    rig->body_bytes = 400; /* so that there are files to trim */
    rig_open(rig);
    memset(&load, 0, sizeof load);
    load.rig = rig;
    for (int i = 0; i < readers; i++) {
        reader[i].rig = rig;
        atomic_store(&reader[i].ends, false);
        assert_int_equal(pthread_create(&reader[i].thread, NULL, read_again_and_again, &reader[i]), 0);
    }
    run(&load);
    for (int i = 0; i < readers; i++) {
        atomic_store(&reader[i].ends, true);
        pthread_join(reader[i].thread, NULL);
        assert_true(atomic_load(&reader[i].read) > 0);
    }
    rig_free(rig);
}

static void all_threads_of_rocksdb_work_at_once(void **state)
{
    (void)state;
    write_and_read(true, 0);
}

static void others_read_what_is_being_written(void **state)
{
    (void)state;
    write_and_read(true, READERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_threads_of_rocksdb_work_at_once),
        cmocka_unit_test(others_read_what_is_being_written),
    };
    return cmocka_run_group_tests_name("log_tsan", tests, NULL, NULL);
}
