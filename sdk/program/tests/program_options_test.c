/* options.h: who wins, what is refused and how it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/program/options.h"

enum { OPT_DATA, OPT_LISTEN, OPT_WINDOW, OPT_CACHE, OPT_PEERS, OPT_MODE, OPT_DEV, OPT_KEY, OPT_COUNT };

static bool check_no_blank(const char *value)
{
    return strchr(value, ' ') == NULL;
}

static const struct option table[OPT_COUNT] = {
    [OPT_DATA] = { .section = "log",
                   .key = "data",
                   .flag = "data",
                   .argument = "DIR",
                   .type = OPTION_TEXT,
                   .initial = "/var/lib/t",
                   .text = "where" },
    [OPT_LISTEN] = { .section = "net",
                     .key = "listen",
                     .flag = "listen",
                     .type = OPTION_LIST,
                     .initial = "tcp://a",
                     .min = 1,
                     .max = 3,
                     .check = check_no_blank,
                     .allowed = "an address without blanks",
                     .text = "addresses" },
    [OPT_WINDOW] = { .section = "log",
                     .key = "window",
                     .flag = "window",
                     .type = OPTION_DURATION,
                     .initial = "72h",
                     .min = 1000,
                     .text = "how long" },
    [OPT_CACHE] = { .section = "log", .key = "cache", .type = OPTION_BYTES, .initial = "64MiB", .max = 1 << 30, .text = "cache" },
    [OPT_PEERS] = { .section = "net", .key = "peers", .type = OPTION_UINT, .initial = "10", .min = 1, .max = 100, .text = "peers" },
    [OPT_MODE] = { .section = "log",
                   .key = "mode",
                   .flag = "mode",
                   .type = OPTION_ENUM,
                   .allowed = "fsync|interval|os",
                   .initial = "fsync",
                   .text = "mode" },
    [OPT_DEV] = { .flag = "dev", .letter = 'd', .type = OPTION_BOOL, .text = "everything allowed" },
    [OPT_KEY] = { .section = "net", .key = "key", .type = OPTION_TEXT, .text = "a text" },
};

static const struct program program = {
    .name = "t", .version = "1", .text = "a test", .env_prefix = "WEIR_T_", .options = table, .option_count = OPT_COUNT
};

static char file_name[64];
static char said[8192]; /* what came on stdout and stderr */

static void write_file(const char *text)
{
    strcpy(file_name, "/tmp/weir-options-XXXXXX");
    int fd = mkstemp(file_name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Runs options_read with stdout and stderr kept in `said`. */
static int read_with(const struct program *p, struct options **out, const char *file, const char *a, const char *b, const char *c)
{
    char *argv[8] = { "t" };
    int argc = 1;
    if (file) {
        write_file(file);
        argv[argc++] = "--config";
        argv[argc++] = file_name;
    }
    const char *rest[] = { a, b, c };
    for (size_t i = 0; i < 3 && rest[i]; i++)
        argv[argc++] = (char *)rest[i];
    fflush(NULL);
    FILE *keep = tmpfile();
    int out_fd = dup(1), err_fd = dup(2);
    dup2(fileno(keep), 1);
    dup2(fileno(keep), 2);
    int code = options_read(p, argc, argv, out);
    fflush(NULL);
    dup2(out_fd, 1);
    dup2(err_fd, 2);
    close(out_fd);
    close(err_fd);
    rewind(keep);
    said[fread(said, 1, sizeof said - 1, keep)] = 0;
    fclose(keep);
    if (file) unlink(file_name);
    return code;
}

#define refused(file, ...)                                                                                                                 \
    do {                                                                                                                                   \
        struct options *none = NULL;                                                                                                       \
        assert_int_equal(read_with(&program, &none, file, __VA_ARGS__), EXIT_USAGE);                                                       \
        assert_null(none);                                                                                                                 \
    } while (0)

#define said_contains(text)                                                                                                                \
    do {                                                                                                                                   \
        if (!strstr(said, text)) fail_msg("'%s' is not in: %s", text, said);                                                               \
    } while (0)

static bool no_dot(const char *name)
{
    return strchr(name, '.') == NULL;
}

static const struct option own_table[] = {
    { .section = "group", .key = "filters", .type = OPTION_LIST, .min = 1, .max = 2, .text = "what it takes" },
    { .section = "group", .key = "lease", .type = OPTION_DURATION, .initial = "30s", .max = 3600000, .text = "how long" },
};

static bool check_own(struct options *options)
{
    if (options_number(options, 1) != 7000) return true;
    options_section_complain(options, "seven is no good");
    return false;
}

static const struct program own = { .text = "A group.", .options = own_table, .option_count = 2, .check = check_own };
static const struct program with_groups = { .name = "t",
                                            .version = "1",
                                            .text = "a test",
                                            .options = table,
                                            .option_count = OPT_COUNT,
                                            .named_section = "group",
                                            .named = &own,
                                            .check_name = no_dot };

static void a_named_section_has_settings_of_its_own(void **state)
{
    (void)state;
    struct options *o = NULL;
    assert_int_equal(read_with(&with_groups, &o,
                               "[group ocr]\nfilters = a, b\n[log]\nwindow = 1h\n[group  mail ]\nfilters = c\nlease = 5s\n", NULL, NULL,
                               NULL),
                     OPTIONS_RUN);
    assert_int_equal(options_sections(o), 2);
    const struct options *ocr = options_section(o, 0), *mail = options_section(o, 1);
    assert_string_equal(options_section_name(ocr), "ocr");
    assert_string_equal(options_section_name(mail), "mail");
    assert_string_equal(options_item(ocr, 0, 1), "b");
    assert_int_equal(options_number(ocr, 1), 30000);
    assert_int_equal(options_number(mail, 1), 5000);
    assert_int_equal(options_number(o, OPT_WINDOW), 3600000);
    options_destroy(&o);
}

static void a_wrong_named_section_is_told_with_its_line(void **state)
{
    (void)state;
    struct options *o = NULL;
    const char *file =
        "[group ocr]\nfilters = a\nlease = 7s\n[group ocr]\nlease = 9s\n[group]\n[group a.b]\n[group none]\nlease = 9w\nleash = 1s\n";
    assert_int_equal(read_with(&with_groups, &o, file, NULL, NULL, NULL), EXIT_USAGE);
    said_contains(":1: [group ocr]: seven is no good");
    said_contains(":4: [group ocr] begins in line 1 already");
    said_contains(":6: [group ]: this is not the name of a group");
    said_contains(":7: [group a.b]: this is not the name of a group");
    said_contains(":9: [group none] lease = 9w: allowed: a time such as 500ms, 30s, 72h, from 0 to 1h");
    said_contains(":10: unknown key 'leash' in [group]; allowed: filters, lease");
    said_contains(":8: [group none] filters = (unset): 0 values");
}

static void a_named_section_is_printed_and_read_again(void **state)
{
    (void)state;
    struct options *o = NULL;
    assert_int_equal(read_with(&with_groups, &o, NULL, "--print-config", NULL, NULL), EXIT_FINE);
    said_contains("#[group NAME]");
    assert_int_equal(read_with(&with_groups, &o, "[group ocr]\nfilters = a\nlease = 5s\n", "--print-config", NULL, NULL), EXIT_FINE);
    char printed[sizeof said];
    memcpy(printed, said, sizeof said);
    assert_int_equal(read_with(&with_groups, &o, printed, NULL, NULL, NULL), OPTIONS_RUN);
    assert_string_equal(options_section_name(options_section(o, 0)), "ocr");
    assert_int_equal(options_number(options_section(o, 0), 1), 5000);
    options_destroy(&o);
}

static void the_table_alone_gives_the_defaults(void **state)
{
    (void)state;
    struct options *o;
    assert_int_equal(read_with(&program, &o, NULL, NULL, NULL, NULL), OPTIONS_RUN);
    assert_string_equal(options_text(o, OPT_DATA), "/var/lib/t");
    assert_int_equal(options_number(o, OPT_WINDOW), 72ULL * 3600 * 1000);
    assert_int_equal(options_number(o, OPT_CACHE), 64ULL << 20);
    assert_int_equal(options_count(o, OPT_LISTEN), 1);
    assert_null(options_text(o, OPT_KEY));
    assert_false(options_true(o, OPT_DEV));
    assert_false(options_given(o, OPT_DATA));
    options_destroy(&o);
    assert_null(o);
}

static void flags_win_over_environment_over_file(void **state)
{
    (void)state;
    struct options *o;
    setenv("WEIR_T_DATA", "from-env", 1);
    setenv("WEIR_T_MODE", "os", 1);
    assert_int_equal(read_with(&program, &o, "[log]\ndata = from-file\nmode=interval\nwindow = 90s\n", "--data", "from-flag", NULL),
                     OPTIONS_RUN);
    unsetenv("WEIR_T_DATA");
    unsetenv("WEIR_T_MODE");
    assert_string_equal(options_text(o, OPT_DATA), "from-flag");
    assert_int_equal(options_number(o, OPT_MODE), 2);
    assert_int_equal(options_number(o, OPT_WINDOW), 90000);
    assert_true(options_given(o, OPT_WINDOW));
    options_destroy(&o);
}

static void a_list_is_replaced_as_a_whole(void **state)
{
    (void)state;
    struct options *o;
    const char *file = "[net]\nlisten = tcp://x, tcp://y # two\nlisten = \"tcp://z\"\n";
    assert_int_equal(read_with(&program, &o, file, NULL, NULL, NULL), OPTIONS_RUN);
    assert_int_equal(options_count(o, OPT_LISTEN), 3);
    assert_string_equal(options_item(o, OPT_LISTEN, 2), "tcp://z");
    options_destroy(&o);
    assert_int_equal(read_with(&program, &o, file, "--listen=a", "--listen", "b"), OPTIONS_RUN);
    assert_int_equal(options_count(o, OPT_LISTEN), 2);
    assert_string_equal(options_item(o, OPT_LISTEN, 1), "b");
    options_destroy(&o);
}

static void quotes_keep_hashes_and_blanks(void **state)
{
    (void)state;
    struct options *o;
    assert_int_equal(read_with(&program, &o, "[net]\nkey = \" a # \\\"b\\\" \" # comment\n[log]\ndata = x#y\n", NULL, NULL, NULL),
                     OPTIONS_RUN);
    assert_string_equal(options_text(o, OPT_KEY), " a # \"b\" ");
    assert_string_equal(options_text(o, OPT_DATA), "x#y");
    options_destroy(&o);
}

static void every_error_names_file_line_key_and_what_is_allowed(void **state)
{
    (void)state;
    refused("[log]\nwindow = soon\nmode = never\nsize = 1\n[nets]\nlisten = x\n[net]\npeers = 101\npeers=-1\nlisten = \"a b\"\nwhat\n",
            NULL, NULL, NULL);
    said_contains(":2: [log] window = soon: allowed: a time such as 500ms, 30s, 72h, at least 1s\n");
    said_contains(":3: [log] mode = never: allowed: fsync, interval, os\n");
    said_contains(":4: unknown key 'size' in [log]; allowed: data, window, cache, mode\n");
    said_contains(":5: unknown section [nets]; allowed: [log] [net]");
    said_contains(":8: [net] peers = 101: allowed: a whole number, from 1 to 100\n");
    said_contains(":9: [net] peers = -1: ");
    said_contains(":10: [net] listen = a b: allowed: an address without blanks\n");
    said_contains(":11: 'what': a setting is written key = value\n");
}

static void a_key_twice_and_a_key_before_a_section_are_refused(void **state)
{
    (void)state;
    refused("data = x\n[log]\ndata = a\ndata = b\n", NULL, NULL, NULL);
    said_contains(":1: 'data' stands before any [section]");
    said_contains(":4: [log] data stands in line 3 already");
}

static void a_wrong_file_under_a_right_flag_is_still_told(void **state)
{
    (void)state;
    refused("[log]\nmode = never\n", "--mode", "os", NULL);
    said_contains(":2: [log] mode = never");
}

static void wrong_flags_and_other_words_are_refused(void **state)
{
    (void)state;
    refused(NULL, "--dat", "x", NULL);
    said_contains("unknown flag --dat");
    refused(NULL, "--data", NULL, NULL);
    said_contains("--data: needs a value");
    refused(NULL, "word", NULL, NULL);
    said_contains("unexpected argument 'word'");
    refused(NULL, "--window", "1h30", NULL);
    said_contains("--window 1h30: allowed");
    refused(NULL, "--config", "/nonexistent/weir.conf", NULL);
    said_contains("/nonexistent/weir.conf: cannot be read: No such file");
}

static void booleans_need_no_value(void **state)
{
    (void)state;
    struct options *o;
    assert_int_equal(read_with(&program, &o, NULL, "-d", NULL, NULL), OPTIONS_RUN);
    assert_true(options_true(o, OPT_DEV));
    options_destroy(&o);
    assert_int_equal(read_with(&program, &o, NULL, "--dev", "--no-dev", NULL), OPTIONS_RUN);
    assert_false(options_true(o, OPT_DEV));
    options_destroy(&o);
}

static void a_printed_config_can_be_read_again(void **state)
{
    (void)state;
    struct options *o = NULL;
    assert_int_equal(read_with(&program, &o, "[net]\nkey = \" x # \\\\ \"\nlisten = a, b\n", "--print-config", NULL, NULL), EXIT_FINE);
    said_contains("#window = 72h");
    static char printed[8192];
    strcpy(printed, said);
    assert_int_equal(read_with(&program, &o, printed, NULL, NULL, NULL), OPTIONS_RUN);
    assert_string_equal(options_text(o, OPT_KEY), " x # \\ ");
    assert_int_equal(options_count(o, OPT_LISTEN), 2);
    options_destroy(&o);
}

static void help_fits_a_screen_and_names_each_flag(void **state)
{
    (void)state;
    struct options *o = NULL;
    assert_int_equal(read_with(&program, &o, NULL, "--help", NULL, NULL), EXIT_FINE);
    said_contains("--data DIR");
    said_contains("-d, --dev");
    assert_int_equal(read_with(&program, &o, NULL, "--version", NULL, NULL), EXIT_FINE);
    assert_string_equal(said, "t 1\n");
    assert_int_equal(read_with(&program, &o, NULL, "--check-config", NULL, NULL), EXIT_FINE);
}

static void sizes_and_times_refuse_what_overflows(void **state)
{
    (void)state;
    uint64_t n;
    assert_true(options_parse_bytes("1KiB", &n) && n == 1024);
    assert_true(options_parse_bytes("2 GB", &n) && n == 2000000000);
    assert_false(options_parse_bytes("17000000000000 TiB", &n));
    assert_false(options_parse_bytes("64mib", &n));
    assert_false(options_parse_bytes("", &n));
    assert_true(options_parse_duration("1500ms", &n) && n == 1500);
    assert_false(options_parse_duration("5", &n));
    assert_false(options_parse_uint("18446744073709551616", &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_section_has_settings_of_its_own),
        cmocka_unit_test(a_wrong_named_section_is_told_with_its_line),
        cmocka_unit_test(a_named_section_is_printed_and_read_again),
        cmocka_unit_test(the_table_alone_gives_the_defaults),
        cmocka_unit_test(flags_win_over_environment_over_file),
        cmocka_unit_test(a_list_is_replaced_as_a_whole),
        cmocka_unit_test(quotes_keep_hashes_and_blanks),
        cmocka_unit_test(every_error_names_file_line_key_and_what_is_allowed),
        cmocka_unit_test(a_key_twice_and_a_key_before_a_section_are_refused),
        cmocka_unit_test(a_wrong_file_under_a_right_flag_is_still_told),
        cmocka_unit_test(wrong_flags_and_other_words_are_refused),
        cmocka_unit_test(booleans_need_no_value),
        cmocka_unit_test(a_printed_config_can_be_read_again),
        cmocka_unit_test(help_fits_a_screen_and_names_each_flag),
        cmocka_unit_test(sizes_and_times_refuse_what_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
