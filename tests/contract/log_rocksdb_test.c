/* What only a directory on a disk can suffer: torn and lost files, wrong bytes, other versions, rights. */
#include "tests/contract/log_files.h"
#include "tests/contract/log_suite.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Opens another directory than the rig's with its configuration. */
static struct log *open_at(struct rig *rig, const char *directory)
{
    struct log_config config = rig->config;
    config.directory = directory;
    return log_open_rocksdb(&config, &rig->error);
}

static void write_and_close(struct rig *rig, uint32_t blocks)
{
    rig_open(rig);
    rig_commit(rig, blocks);
    log_close(&rig->log);
}

static void refused(struct rig *rig, enum log_status status, const char *text)
{
    assert_false(rig_try_open(rig));
    assert_int_equal(rig->error.status, status);
    if (strstr(rig->error.text, text) == NULL) fail_msg("\"%s\" does not say \"%s\"", rig->error.text, text);
}

static void recovers(struct rig *rig, size_t blocks)
{
    rig_open(rig);
    if (rig_recover(rig) != LOG_OK) fail_msg("recovery: %s", rig->error.text);
    assert_int_equal(rig->seen_count, blocks);
}

/* As if the crash had come between the write and the mark. */
static void forget_mark(struct rig *rig)
{
    char path[PATH_MAX];
    rig_path(rig, "completed", path, sizeof path);
    files_write(path, "");
}

static void a_torn_write_that_was_never_completed_is_dropped(void **state)
{
    struct rig *rig = rig_of(state);
    char wal[PATH_MAX];
    write_and_close(rig, 5);
    files_newest_wal(rig->directory, wal, sizeof wal);
    files_cut(wal, files_size(wal) - 3);
    forget_mark(rig);
    recovers(rig, 4);
    rig_commit(rig, 2);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 6);
}

static void a_torn_write_that_was_completed_is_a_loss(void **state)
{
    struct rig *rig = rig_of(state);
    char wal[PATH_MAX];
    write_and_close(rig, 5);
    files_newest_wal(rig->directory, wal, sizeof wal);
    files_cut(wal, files_size(wal) - 3);
    refused(rig, LOG_LOST, rig->directory);
    rig->config.read_only = true;
    refused(rig, LOG_LOST, "confirmed");
    rig->config.read_only = false;
    rig->config.accept_loss = true;
    recovers(rig, 4);
}

static void wrong_bytes_amid_the_write_ahead_log_are_a_loss(void **state)
{
    struct rig *rig = rig_of(state);
    char wal[PATH_MAX];
    write_and_close(rig, 9);
    files_newest_wal(rig->directory, wal, sizeof wal);
    files_flip(wal, files_size(wal) / 2);
    refused(rig, LOG_LOST, "missing");
}

static void the_image_of_a_running_log_opens_with_all_that_was_committed(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 5);
    rig_snapshot(rig, rig_last_position(rig), 2);
    rig_commit(rig, 4);
    struct log *running = rig->log;
    char image[300], directory[sizeof rig->directory];
    snprintf(image, sizeof image, "%s/image", rig->directory);
    files_copy_tree(rig->directory, image);

    strcpy(directory, rig->directory);
    rig->log = NULL;
    rig->config.directory = image;
    recovers(rig, 2 + 4);
    log_close(&rig->log);
    rig->config.directory = rig->directory;
    rig->log = running;
}

static void without_a_sync_a_lost_tail_is_no_complaint(void **state)
{
    struct rig *rig = rig_of(state);
    rig->config.durability = LOG_INTERVAL;
    rig->config.interval_ms = 3600 * 1000;
    rig_open(rig);
    rig_commit(rig, 9);
    struct log *running = rig->log;
    char image[300], wal[PATH_MAX];
    snprintf(image, sizeof image, "%s/image", rig->directory);
    files_copy_tree(rig->directory, image);
    files_newest_wal(image, wal, sizeof wal);
    files_cut(wal, files_size(wal) * 2 / 3);
    rig->log = NULL;
    rig->config.directory = image;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    assert_in_range(rig->seen_count, 1, 8);
    log_close(&rig->log);
    rig->log = running;
}

static void an_interval_syncs_and_marks_by_itself(void **state)
{
    struct rig *rig = rig_of(state);
    rig->config.durability = LOG_INTERVAL;
    rig->config.interval_ms = 5;
    rig_open(rig);
    rig_commit(rig, 3);
    struct log_stats stats = { 0 };
    for (int i = 0; i < 60000 && stats.syncs == 0; i++) {
        poll(NULL, 0, 1);
        log_stats(rig->log, &stats);
    }
    assert_true(stats.syncs > 0);
    log_close(&rig->log);
    rig_lose_newest(rig, 3);
    refused(rig, LOG_LOST, "missing");
}

static void a_newer_format_is_refused_with_its_number(void **state)
{
    struct rig *rig = rig_of(state);
    char path[PATH_MAX];
    write_and_close(rig, 1);
    rig_path(rig, "FORMAT", path, sizeof path);
    files_write(path, "7\n");
    refused(rig, LOG_NEWER, "format 7");
    assert_non_null(strstr(rig->error.text, path));
    rig->config.read_only = true;
    refused(rig, LOG_NEWER, "format 7");
}

static void a_directory_whose_small_files_are_wrong_is_refused(void **state)
{
    static const char *const names[] = { "FORMAT", "identity", "completed" };
    for (size_t i = 0; i < 3; i++) {
        struct rig *rig = rig_new(true);
        char path[PATH_MAX];
        write_and_close(rig, 2);
        rig_path(rig, names[i], path, sizeof path);
        if (i == 0)
            files_write(path, "one\n");
        else
            files_flip(path, i == 1 ? 9 : 2);
        refused(rig, LOG_DAMAGED, path);
        rig_free(rig);
    }
    (void)state;
}

static void a_wrong_mark_may_be_accepted_as_a_loss(void **state)
{
    struct rig *rig = rig_of(state);
    char path[PATH_MAX];
    write_and_close(rig, 2);
    rig_path(rig, "completed", path, sizeof path);
    files_flip(path, 2);
    rig->config.accept_loss = true;
    recovers(rig, 2);
    log_close(&rig->log);
    rig->config.accept_loss = false;
    recovers(rig, 2);
}

static void a_database_without_its_format_is_refused(void **state)
{
    struct rig *rig = rig_of(state);
    char path[PATH_MAX];
    write_and_close(rig, 1);
    rig_path(rig, "FORMAT", path, sizeof path);
    assert_int_equal(unlink(path), 0);
    refused(rig, LOG_DAMAGED, path);
}

static void a_path_that_cannot_be_a_directory_is_refused(void **state)
{
    struct rig *rig = rig_of(state);
    char file[PATH_MAX], below[PATH_MAX + 8];
    rig_path(rig, "file", file, sizeof file);
    files_write(file, "no directory\n");
    snprintf(below, sizeof below, "%s/data", file);
    assert_null(open_at(rig, below));
    assert_int_equal(rig->error.status, LOG_NOT_WRITABLE);
    assert_non_null(strstr(rig->error.text, file));
    assert_null(open_at(rig, ""));
    assert_int_equal(rig->error.status, LOG_IO);
}

/* As root no mode keeps us out, so a child becomes somebody else first. */
static void a_directory_without_the_right_to_write_is_refused(void **state)
{
    struct rig *rig = rig_of(state);
    enum { NOBODY = 65534 };
    chmod(rig->directory, 0555);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) _exit(9);
        struct log *log = open_at(rig, rig->directory);
        bool told = log == NULL && rig->error.status == LOG_NOT_WRITABLE && strstr(rig->error.text, rig->directory) != NULL;
        _exit(told ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    chmod(rig->directory, 0755);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void folders_on_the_way_are_made(void **state)
{
    struct rig *rig = rig_of(state);
    char deep[PATH_MAX];
    rig_path(rig, "one/two/three", deep, sizeof deep);
    struct log *log = open_at(rig, deep);
    assert_non_null(log);
    log_close(&log);
}

static void a_read_only_open_of_nothing_makes_nothing(void **state)
{
    struct rig *rig = rig_of(state);
    char path[PATH_MAX];
    rig_path(rig, "nothing", path, sizeof path);
    rig->config.read_only = true;
    assert_null(open_at(rig, path));
    assert_int_equal(rig->error.status, LOG_IO);
    assert_non_null(strstr(rig->error.text, "no log here"));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_read_only_open_leaves_the_directory_as_it_was(void **state)
{
    struct rig *rig = rig_of(state);
    static char before[65536], after[65536];
    rig_open(rig);
    rig_commit(rig, 5);
    rig_snapshot(rig, rig_last_position(rig), 2);
    log_close(&rig->log);
    files_listing(rig->directory, before, sizeof before);
    rig->config.read_only = true;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    rig_commit(rig, 3);
    rig_fetch(rig, 1);
    log_close(&rig->log);
    files_listing(rig->directory, after, sizeof after);
    assert_string_equal(before, after);
}

static void a_read_only_view_survives_a_trim(void **state)
{
    struct rig *rig = rig_of(state);
    rig->body_bytes = 3000;
    rig_open(rig);
    for (int i = 0; i < 4; i++) {
        rig_commit(rig, 60);
        rig_snapshot(rig, rig_last_position(rig), 1);
    }
    struct log *writer = rig->log;
    rig->log = NULL;
    rig->config.read_only = true;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_OK);
    struct log *reader = rig->log;
    rig->log = writer;
    uint64_t first = 1;
    for (int i = 0; i < 200000 && first == 1; i++)
        first = rig_trim(rig, UINT64_MAX);
    assert_true(first > 1);
    log_close(&rig->log); /* the writer may even go */
    rig->log = reader;
    for (uint64_t position = 1; position < first; position++)
        assert_true(block_holds(rig_fetch(rig, position), position));
}

static void recovery_works_with_every_block_up_to_the_snapshot_gone(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 6);
    uint64_t position = rig_last_position(rig);
    rig_snapshot(rig, position, 2);
    rig_commit(rig, 3);
    log_close(&rig->log);
    rig_delete_through(rig, position);
    recovers(rig, 2 + 3);
    assert_int_equal(rig->seen[2].number, 7);
    assert_int_equal(rig_fetch(rig, 1)->number, 7);
}

static void numbers_go_on_after_a_snapshot_that_nothing_follows(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 6);
    uint64_t position = rig_last_position(rig);
    rig_snapshot(rig, position, 2);
    log_close(&rig->log);
    rig_delete_through(rig, position);
    recovers(rig, 2);
    struct log_tail tail;
    log_tail(rig->log, &tail);
    assert_int_equal(tail.last_number, 6);
    assert_int_equal(tail.last_position, position);
    assert_int_equal(tail.first_position, position + 1);
    assert_int_equal(tail.last_time_ms, 1006);
    assert_false(tail.empty);
    rig_snapshot(rig, position, 3); /* again at the same place, with no block before it */
    rig_commit(rig, 2);
    rig_reopen(rig);
    assert_int_equal(rig->seen_count, 3 + 2);
}

static void a_block_missing_in_the_middle_is_refused(void **state)
{
    struct rig *rig = rig_of(state);
    rig_open(rig);
    rig_commit(rig, 6);
    uint64_t position = rig_fetch(rig, 9)->first_position;
    log_close(&rig->log);
    files_delete_block(rig->directory, position);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_DAMAGED);
    assert_non_null(strstr(rig->error.text, "missing"));
}

/* Two histories of one log part after block 3; a sound block of the one does not belong in the other. */
static void a_block_of_another_history_is_refused(void **state)
{
    struct rig *rig = rig_of(state);
    char image[300];
    write_and_close(rig, 3);
    snprintf(image, sizeof image, "%s/image", rig->directory);
    files_copy_tree(rig->directory, image);
    rig->config.directory = image;
    rig->body_bytes = 50;
    write_and_close(rig, 1);
    rig->config.directory = rig->directory;
    rig->body_bytes = 0;
    rig_open(rig);
    uint64_t position = rig->next_position;
    rig_commit(rig, 2);
    log_close(&rig->log);
    files_graft_block(image, rig->directory, position);
    rig->accept_bodies = true;
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_DAMAGED);
    assert_non_null(strstr(rig->error.text, "hash"));
    assert_int_equal(rig->seen_count, 4);
}

static void a_log_whose_beginning_is_gone_without_a_snapshot_is_refused(void **state)
{
    struct rig *rig = rig_of(state);
    write_and_close(rig, 6);
    rig_delete_through(rig, 5);
    rig_open(rig);
    assert_int_equal(rig_recover(rig), LOG_DAMAGED);
    assert_non_null(strstr(rig->error.text, "missing"));
}

static void a_snapshot_that_is_cut_off_is_refused_with_its_file(void **state)
{
    struct rig *rig = rig_of(state);
    char path[PATH_MAX];
    rig_open(rig);
    rig_commit(rig, 3);
    rig_snapshot(rig, rig_last_position(rig), 3);
    log_close(&rig->log);
    files_newest_snapshot(rig->directory, path, sizeof path);
    files_cut(path, files_size(path) - 200);
    refused(rig, LOG_DAMAGED, path);
    assert_int_equal(unlink(path), 0); /* as the text advises: the one before it, here none, does as well */
    recovers(rig, 3);
}

static void what_is_left_of_an_unfinished_snapshot_is_removed(void **state)
{
    struct rig *rig = rig_of(state);
    char path[PATH_MAX];
    rig_open(rig);
    rig_commit(rig, 3);
    for (int i = 0; i < 4; i++) {
        rig_commit(rig, 1);
        rig_snapshot(rig, rig_last_position(rig), 1);
    }
    log_close(&rig->log);
    assert_int_equal(files_count(rig->directory, "snapshots", ".snapshot"), 2);
    rig_path(rig, "snapshots/00000000000000000099.snapshot.new", path, sizeof path);
    files_write(path, "WEIRSNAP, begun and no more");
    rig_path(rig, "view-abcdef", path, sizeof path); /* nor of a reader that was killed */
    assert_int_equal(mkdir(path, 0700), 0);
    rig_path(rig, "view-abcdef/CURRENT", path, sizeof path);
    files_write(path, "MANIFEST-000005\n");
    recovers(rig, 1);
    rig_path(rig, "view-abcdef", path, sizeof path);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(files_count(rig->directory, "snapshots", ".new"), 0);
    assert_int_equal(files_count(rig->directory, "snapshots", ".snapshot"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(rocks, a_torn_write_that_was_never_completed_is_dropped),
        ON(rocks, a_torn_write_that_was_completed_is_a_loss),
        ON(rocks, wrong_bytes_amid_the_write_ahead_log_are_a_loss),
        ON(rocks, the_image_of_a_running_log_opens_with_all_that_was_committed),
        ON(rocks, without_a_sync_a_lost_tail_is_no_complaint),
        ON(rocks, an_interval_syncs_and_marks_by_itself),
        ON(rocks, a_newer_format_is_refused_with_its_number),
        ON(rocks, a_directory_whose_small_files_are_wrong_is_refused),
        ON(rocks, a_wrong_mark_may_be_accepted_as_a_loss),
        ON(rocks, a_database_without_its_format_is_refused),
        ON(rocks, a_path_that_cannot_be_a_directory_is_refused),
        ON(rocks, a_directory_without_the_right_to_write_is_refused),
        ON(rocks, folders_on_the_way_are_made),
        ON(rocks, a_read_only_open_of_nothing_makes_nothing),
        ON(rocks, a_read_only_open_leaves_the_directory_as_it_was),
        ON(rocks, a_read_only_view_survives_a_trim),
        ON(rocks, recovery_works_with_every_block_up_to_the_snapshot_gone),
        ON(rocks, numbers_go_on_after_a_snapshot_that_nothing_follows),
        ON(rocks, a_block_missing_in_the_middle_is_refused),
        ON(rocks, a_block_of_another_history_is_refused),
        ON(rocks, a_log_whose_beginning_is_gone_without_a_snapshot_is_refused),
        ON(rocks, a_snapshot_that_is_cut_off_is_refused_with_its_file),
        ON(rocks, what_is_left_of_an_unfinished_snapshot_is_removed),
    };
    return cmocka_run_group_tests_name("log_rocksdb", tests, NULL, NULL);
}
