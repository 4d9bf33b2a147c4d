/* journal.h: lines that a reader can take apart again, whatever is in them, and that never hold the writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/program/journal.h"

static int ends[2];
static char got[70000];

static int open_pipe(void **state)
{
    (void)state;
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    journal_set_fd(ends[1]);
    return 0;
}

static int close_pipe(void **state)
{
    (void)state;
    journal_set_fd(2);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static size_t read_all(void)
{
    size_t size = 0;
    ssize_t n;
    while (size < sizeof got - 1 && (n = read(ends[0], got + size, sizeof got - 1 - size)) > 0)
        size += (size_t)n;
    got[size] = 0;
    return size;
}

#define got_contains(text)                                                                                                                 \
    do {                                                                                                                                   \
        if (!strstr(got, text)) fail_msg("'%s' is not in: %s", text, got);                                                                 \
    } while (0)

static void text_quotes_only_what_needs_it(void **state)
{
    (void)state;
    journal_open("t", JOURNAL_TEXT, JOURNAL_INFO);
    journal_info("ready", "listen=%s why=%s n=%u big=%" PRIu64 " minus=%d half=%.2f part=%.*s kind=docs.> none=%s", "tcp://127.0.0.1:1",
                 "a \"b\"\n=c", 7U, UINT64_MAX, -3, 0.5, 2, "abc", getenv("WEIR_NOT_SET"));
    read_all();
    got_contains(" level=info program=t event=ready listen=tcp://127.0.0.1:1 why=\"a \\\"b\\\"\\u000a=c\" n=7 big=18446744073709551615 "
                 "minus=-3 half=0.50 "
                 "part=ab kind=docs.> none=\"\"\n");
    assert_memory_equal(got, "time=20", 7);
}

static void json_escapes_and_keeps_numbers_bare(void **state)
{
    (void)state;
    journal_open("t", JOURNAL_JSON, JOURNAL_INFO);
    journal_warning("odd", "text=%s n=%zu bad=%s ratio=%f hex=%x", "gr\xc3\xbc\xc3\x9f \\ \t", (size_t)12, "a\xff\xc0\xaf\xed\xa0\x80", 1.5,
                    255U);
    read_all();
    got_contains("\"level\":\"warning\",\"program\":\"t\",\"event\":\"odd\",\"text\":\"gr\xc3\xbc\xc3\x9f \\\\ \\u0009\",\"n\":12,"
                 "\"bad\":\"a\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\",\"ratio\":1.500000,\"hex\":\"ff\"}\n");
    assert_int_equal(got[0], '{');
}

static void a_line_is_cut_but_stays_a_line(void **state)
{
    (void)state;
    static char huge[10000];
    memset(huge, '"', sizeof huge - 1);
    journal_open("t", JOURNAL_JSON, JOURNAL_INFO);
    journal_info("huge", "first=%s second=%s", huge, "gone");
    size_t size = read_all();
    assert_true(size <= 4096);
    assert_string_equal(got + size - 3, "\"}\n");
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    journal_open("t", JOURNAL_TEXT, JOURNAL_WARNING);
    assert_false(journal_wants(JOURNAL_INFO));
    journal_info("quiet", NULL);
    assert_int_equal(read_all(), 0);
}

static void a_reader_that_sleeps_holds_nobody_and_hears_what_it_missed(void **state)
{
    (void)state;
    journal_open("t", JOURNAL_TEXT, JOURNAL_INFO);
    char filler[3000];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = 0;
    errno = 77;
    for (int i = 0; i < 200; i++)
        journal_info("fill", "text=%s", filler);
    assert_int_equal(errno, 77);
    read_all();
    assert_null(strstr(got, "dropped="));
    journal_info("after", NULL);
    read_all();
    got_contains("event=after dropped=");
    journal_info("then", NULL);
    read_all();
    assert_null(strstr(got, "dropped="));
}

static void *write_lines(void *arg)
{
    for (int i = 0; i < 50; i++)
        journal_info("thread", "name=%s i=%d", (const char *)arg, i);
    return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
    (void)state;
    journal_open("t", JOURNAL_TEXT, JOURNAL_INFO);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, "w"), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    read_all();
    int lines = 0;
    for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        assert_memory_equal(line, "time=", 5);
        assert_non_null(strstr(line, "event=thread name=w i="));
    }
    assert_int_equal(lines, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_quotes_only_what_needs_it, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(json_escapes_and_keeps_numbers_bare, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(a_line_is_cut_but_stays_a_line, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(lines_below_the_level_are_not_written, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(a_reader_that_sleeps_holds_nobody_and_hears_what_it_missed, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_their_lines, open_pipe, close_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
