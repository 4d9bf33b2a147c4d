/* The coordinator and everybody who talks to it, in one process, over the stand-in for libzmq: ThreadSanitizer looks on. That all that was
 * accepted is handled is checked as well: a crowd that stands still shows no race. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/tsan/crowd.h"
#include "tests/tsan/program.h"
#include "tests/tsan/standin.h"

static const char endpoint[] = "ipc://in-this-process";
enum { EVENTS = 4000 };
static char directory[256];
static struct program *program;
static struct crowd *crowd;

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int make_directory(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(directory, sizeof directory, "%s/weir-tsan-XXXXXX", base != NULL ? base : "/tmp");
    return mkdtemp(directory) != NULL ? 0 : -1;
}

/* Also ends what a failed test has left running. */
static int clean_up(void **state)
{
    (void)state;
    if (crowd != NULL) crowd_stop(&crowd);
    if (program != NULL) (void)program_stop(&program);
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void start(const char *data)
{
    program = program_start(endpoint, data);
    assert_non_null(program);
}

static void stop(void)
{
    assert_int_equal(program_stop(&program), 0);
}

static void gather(void)
{
    crowd = crowd_gather(endpoint, program != NULL ? program_http(program) : NULL);
}

/* There is a moment when all have been cut and none has connected again. */
static void cut_somebody(void)
{
    while (standin_cut(endpoint) == 0)
        (void)poll(NULL, 0, 1);
}

static void work_is_done(const char *data)
{
    start(data);
    gather();
    assert_true(crowd_reaches(crowd, (struct crowd_counts){ .replies = 20, .partials = 20, .read = 1000, .looked = 20 }));
    assert_true(crowd_finishes(crowd, EVENTS));
    crowd_stop(&crowd);
    stop();
}

static void a_crowd_works_over_a_log_in_memory(void **state)
{
    (void)state;
    work_is_done(NULL);
}

static void a_crowd_works_over_rocksdb(void **state)
{
    (void)state;
    work_is_done(directory);
}

static void connections_are_cut_and_made_again(void **state)
{
    (void)state;
    start(directory);
    gather();
    for (int round = 1; round <= 5; round++) {
        struct crowd_counts now = crowd_counts(crowd);
        assert_true(crowd_reaches(crowd, (struct crowd_counts){ .read = now.read + 20, .replies = now.replies + 1 }));
        cut_somebody();
    }
    assert_true(crowd_finishes(crowd, EVENTS));
    crowd_stop(&crowd);
    stop();
}

static void a_coordinator_leaves_and_comes_back_under_a_crowd(void **state)
{
    (void)state;
    start(directory);
    gather();
    assert_true(crowd_reaches(crowd, (struct crowd_counts){ .read = 100, .looked = 1 }));
    stop();
    start(directory);
    assert_true(crowd_reaches(crowd, (struct crowd_counts){ .read = crowd_counts(crowd).read + 200 }));
    assert_true(crowd_finishes(crowd, EVENTS));
    crowd_stop(&crowd);
    stop();
}

static void everything_may_stop_in_the_middle_of_work(void **state)
{
    (void)state;
    start(NULL);
    for (unsigned round = 0; round < 6; round++) {
        gather();
        assert_true(crowd_reaches(crowd, (struct crowd_counts){ .read = round * 20 })); /* the first one hardly begins */
        if (round % 2 == 1) (void)standin_cut(endpoint);
        crowd_stop(&crowd);
    }
    stop();
}

static void everything_may_stop_with_nobody_there(void **state)
{
    (void)state;
    gather();
    crowd_stop(&crowd);
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, clean_up)

/* A delivery that was lost with a connection waits so long for its worker to say that it holds it: the crowd is to go on meanwhile. */
static int shorten_grace(void **state)
{
    (void)state;
    return setenv("WEIR_COORDINATOR_PEERS_ADOPT_GRACE", "100ms", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(a_crowd_works_over_a_log_in_memory),        WITH_DIRECTORY(a_crowd_works_over_rocksdb),
        WITH_DIRECTORY(connections_are_cut_and_made_again),        WITH_DIRECTORY(a_coordinator_leaves_and_comes_back_under_a_crowd),
        WITH_DIRECTORY(everything_may_stop_in_the_middle_of_work), WITH_DIRECTORY(everything_may_stop_with_nobody_there),
    };
    return cmocka_run_group_tests_name("coordinator_tsan", tests, shorten_grace, NULL);
}
