/* A disk that fails once at every call of a fixed load, and machines that forget what was not synced. The load runs as a process of its own
 * (log_fault_child); what it was told is then held against what a good disk finds in the directory. */
#include "tests/contract/fault_shim.h"
#include "tests/contract/log_files.h"
#include "tests/contract/log_suite.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { BLOCKS = 36 };

struct child {
    pid_t pid;
    FILE *says;
};

struct verdict {
    uint64_t committed, failed_number, read;
    int failures, open_status;
    bool fired, closed, committed_after_failure;
    char text[512];
};

static void child_start(struct child *child, char *const *arguments)
{
    int ends[2];
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&child->pid, LOG_FAULT_CHILD, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    child->says = fdopen(ends[0], "r");
}

/* Returns its wait status. */
static int child_end(struct child *child)
{
    int status;
    fclose(child->says);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    return status;
}

static void hear(struct verdict *verdict, const char *line)
{
    int fired, at = 0;
    if (sscanf(line, "committed %" SCNu64, &verdict->committed) == 1) {
        verdict->committed_after_failure |= verdict->failures > 0;
    } else if (sscanf(line, "failed %" SCNu64 " %n", &verdict->failed_number, &at) == 1) {
        verdict->failures++;
        snprintf(verdict->text, sizeof verdict->text, "%.500s", line + at);
    } else if (sscanf(line, "open %d %n", &verdict->open_status, &at) == 1) {
        snprintf(verdict->text, sizeof verdict->text, "%.500s", line + at);
    } else if (sscanf(line, "fired %d", &fired) == 1) {
        verdict->fired = fired != 0;
    } else if (strncmp(line, "closed", 6) == 0) {
        verdict->closed = true;
    } else {
        sscanf(line, "read %" SCNu64, &verdict->read);
    }
}

static struct verdict run_load(const struct rig *rig, enum log_durability durability, enum fault_call call, uint64_t nth, int code)
{
    char blocks[16], mode[16], number[16], nth_text[24], code_text[16], line[1024];
    snprintf(blocks, sizeof blocks, "%d", BLOCKS);
    snprintf(mode, sizeof mode, "%d", durability);
    snprintf(number, sizeof number, "%d", call);
    snprintf(nth_text, sizeof nth_text, "%" PRIu64, nth);
    snprintf(code_text, sizeof code_text, "%d", code);
    char *const arguments[] = { "log_fault_child", (char *)rig->directory, blocks, mode, "fault", number, nth_text, code_text, NULL };
    struct child child;
    struct verdict verdict = { 0 };
    child_start(&child, arguments);
    while (fgets(line, sizeof line, child.says) != NULL)
        hear(&verdict, line);
    assert_int_equal(child_end(&child), 0);
    return verdict;
}

/* The blocks of the directory: all that were told committed, and nothing that was not written. */
static void check_directory(struct rig *rig, const struct verdict *verdict)
{
    rig->body_bytes = 3000;
    rig_open(rig);
    if (rig_recover(rig) != LOG_OK) fail_msg("recovery: %s", rig->error.text);
    struct log_tail tail;
    log_tail(rig->log, &tail);
    /* the block whose outcome was unknown may be there, none after it */
    assert_in_range(tail.last_number, verdict->committed, verdict->failed_number > 0 ? verdict->failed_number : BLOCKS);
    rig_commit(rig, 2); /* and it goes on */
    log_close(&rig->log);
}

static void check_verdict(const struct verdict *verdict, bool harmless)
{
    assert_true(verdict->closed);
    assert_false(verdict->committed_after_failure);
    assert_in_range(verdict->failures, 0, 1);
    if (verdict->failures > 0 || verdict->open_status != 0) assert_true(strlen(verdict->text) > 20);
    if (verdict->failures == 0 && verdict->open_status == 0) assert_int_equal(verdict->committed, BLOCKS);
    if (verdict->committed > 0) assert_int_equal(verdict->read, verdict->committed);
    if (harmless) {
        assert_int_equal(verdict->open_status, 0);
        assert_int_equal(verdict->failures, 0);
    }
}

/* True: there were fewer than nth such calls. */
static bool one_fault(enum log_durability durability, enum fault_call call, uint64_t nth, int code)
{
    struct rig *rig = rig_new(true);
    struct verdict verdict = run_load(rig, durability, call, nth, code);
    bool harmless = !verdict.fired || code == EINTR || code == FAULT_SHORT;
    print_message("  call %d, number %" PRIu64 ", errno %d: fired %d, open %d, committed %" PRIu64 ", failed %d %s\n", call, nth, code,
                  verdict.fired, verdict.open_status, verdict.committed, verdict.failures, verdict.text);
    check_verdict(&verdict, harmless);
    check_directory(rig, &verdict);
    rig_free(rig);
    return !verdict.fired;
}

/* Every n; outside of CI every third, beginning with another one for each call. */
static void sweep(enum fault_call call, int code)
{
    const char *ci = getenv("CI");
    uint64_t step = ci != NULL && strcmp(ci, "true") == 0 ? 1 : 3;
    for (uint64_t nth = 1 + (uint64_t)call % step; !one_fault(LOG_FSYNC, call, nth, code); nth += step)
        assert_true(nth < 1000);
}

static void a_write_that_fails_stops_the_log(void **state)
{
    (void)state;
    sweep(FAULT_WRITE, EIO);
    sweep(FAULT_WRITE, ENOSPC);
}

static void a_mark_that_cannot_be_written_stops_the_log(void **state)
{
    (void)state;
    sweep(FAULT_PWRITE, EIO);
}

static void a_sync_that_fails_stops_the_log(void **state)
{
    (void)state;
    sweep(FAULT_FDATASYNC, EIO);
    sweep(FAULT_FSYNC, EIO);
}

static void a_file_that_cannot_be_made_or_renamed_stops_the_log(void **state)
{
    (void)state;
    sweep(FAULT_OPEN, EMFILE);
    sweep(FAULT_RENAME, EIO);
}

static void interrupted_and_short_writes_do_no_harm(void **state)
{
    (void)state;
    sweep(FAULT_WRITE, EINTR);
    sweep(FAULT_WRITE, FAULT_SHORT);
    sweep(FAULT_PWRITE, EINTR);
}

/* What the disk has of each write-ahead log after the machine's crash: the synced bytes and `more` thousandths of the rest. */
static void forget_unsynced(const struct rig *rig, const char *table_path, uint64_t more)
{
    struct synced_file table[SYNCED_FILES_MAX];
    char folder[PATH_MAX], names[64][256];
    int fd = open(table_path, O_RDONLY);
    assert_int_equal(read(fd, table, sizeof table), sizeof table);
    close(fd);
    rig_path(rig, "db", folder, sizeof folder);
    size_t count = files_names(folder, ".log", names, 64);
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX + 258];
        uint64_t kept = 0;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        for (int j = 0; j < SYNCED_FILES_MAX; j++)
            if (strcmp(table[j].name, names[i]) == 0) kept = table[j].bytes;
        uint64_t size = files_size(path);
        files_cut(path, kept + (size - kept) * more / 1000);
    }
}

/* Kills the load when it has told of `until` commits. Returns what it had told by then. */
static struct verdict run_until(const struct rig *rig, enum log_durability durability, uint64_t until, const char *table)
{
    char mode[16], line[1024];
    snprintf(mode, sizeof mode, "%d", durability);
    char *const arguments[] = { "log_fault_child", (char *)rig->directory, "36", mode, "record", (char *)table, NULL };
    struct child child;
    struct verdict verdict = { 0 };
    child_start(&child, arguments);
    while (verdict.committed < until && fgets(line, sizeof line, child.says) != NULL)
        hear(&verdict, line);
    kill(child.pid, SIGKILL);
    while (fgets(line, sizeof line, child.says) != NULL) /* told before it died */
        if (line[strlen(line) - 1] == '\n') hear(&verdict, line);
    child_end(&child);
    return verdict;
}

static void crash_machines(enum log_durability durability, bool forgets)
{
    for (uint64_t until = 1; until < BLOCKS; until += 5) {
        struct rig *rig = rig_new(true);
        char table[300];
        snprintf(table, sizeof table, "%s.synced", rig->directory);
        struct verdict verdict = run_until(rig, durability, until, table);
        assert_true(verdict.committed >= until);
        if (forgets) forget_unsynced(rig, table, until * 331 % 1000);
        if (forgets && durability != LOG_FSYNC) verdict.committed = 0;
        check_directory(rig, &verdict);
        unlink(table);
        rig_free(rig);
    }
}

static void a_killed_process_loses_nothing_that_was_committed(void **state)
{
    (void)state;
    for (int durability = LOG_FSYNC; durability <= LOG_OS; durability++)
        crash_machines((enum log_durability)durability, false);
}

static void with_fsync_a_crashed_machine_loses_nothing_that_was_committed(void **state)
{
    (void)state;
    crash_machines(LOG_FSYNC, true);
}

static void without_it_a_crashed_machine_loses_a_tail_and_no_more(void **state)
{
    (void)state;
    crash_machines(LOG_INTERVAL, true);
    crash_machines(LOG_OS, true);
}

/* A reader opens the directory again and again while the load flushes and drops files under it; each time it must see a log without a hole.
 */
static void a_running_log_can_be_read_at_any_moment(void **state)
{
    struct rig *rig = *state;
    char table[300], line[1024];
    snprintf(table, sizeof table, "%s.synced", rig->directory);
    char *const arguments[] = { "log_fault_child", rig->directory, "100000", "2", "record", table, NULL };
    struct child child;
    struct verdict verdict = { 0 };
    child_start(&child, arguments);
    rig->body_bytes = 3000;
    rig->config.read_only = true;
    for (int round = 0; round < 40; round++) {
        uint64_t until = verdict.committed + 11;
        while (verdict.committed < until && fgets(line, sizeof line, child.says) != NULL)
            hear(&verdict, line);
        rig_open(rig);
        if (rig_recover(rig) != LOG_OK) fail_msg("recovery: %s", rig->error.text);
        struct log_tail tail;
        log_tail(rig->log, &tail);
        assert_true(tail.last_number >= verdict.committed);
        assert_int_equal(rig_fetch(rig, tail.last_position)->number, tail.last_number);
        log_close(&rig->log);
    }
    kill(child.pid, SIGKILL);
    child_end(&child);
    unlink(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_that_fails_stops_the_log),
        cmocka_unit_test(a_mark_that_cannot_be_written_stops_the_log),
        cmocka_unit_test(a_sync_that_fails_stops_the_log),
        cmocka_unit_test(a_file_that_cannot_be_made_or_renamed_stops_the_log),
        cmocka_unit_test(interrupted_and_short_writes_do_no_harm),
        cmocka_unit_test(a_killed_process_loses_nothing_that_was_committed),
        cmocka_unit_test(with_fsync_a_crashed_machine_loses_nothing_that_was_committed),
        cmocka_unit_test_setup_teardown(a_running_log_can_be_read_at_any_moment, set_up_rocks, tear_down),
        cmocka_unit_test(without_it_a_crashed_machine_loses_a_tail_and_no_more),
    };
    if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 0); /* the faults are made, so the disk may be fast */
    return cmocka_run_group_tests_name("log_faults", tests, NULL, NULL);
}
