/* Configuration files: whatever is accepted can be printed and read again, and means the same; whatever is refused is told. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/base/must.h"
#include "sdk/program/options_parts.h"

static bool no_blank(const char *value)
{
    return strchr(value, ' ') == NULL;
}

static const struct option table[] = {
    { .section = "log", .key = "data", .type = OPTION_TEXT, .text = "text" },
    { .section = "log", .key = "window", .type = OPTION_DURATION, .initial = "72h", .min = 1000, .text = "time" },
    { .section = "log", .key = "cache", .type = OPTION_BYTES, .max = 1 << 30, .text = "size" },
    { .section = "log", .key = "mode", .type = OPTION_ENUM, .allowed = "fsync|interval|os", .initial = "os", .text = "word" },
    { .section = "net", .key = "listen", .type = OPTION_LIST, .check = no_blank, .allowed = "no blank", .text = "list" },
    { .section = "net", .key = "peers", .type = OPTION_UINT, .min = 1, .max = 100, .text = "number" },
    { .section = "net", .key = "dev", .type = OPTION_BOOL, .text = "switch" },
};
enum { OPTIONS = sizeof table / sizeof *table };
static const struct option own_table[] = {
    { .section = "group", .key = "filters", .type = OPTION_LIST, .text = "list" },
    { .section = "group", .key = "lease", .type = OPTION_DURATION, .initial = "30s", .text = "time" },
};
enum { OWN_OPTIONS = sizeof own_table / sizeof *own_table };
static const struct program own = { .text = "a group", .options = own_table, .option_count = OWN_OPTIONS };
static const struct program program = {
    .name = "t", .version = "1", .text = "a test", .options = table, .option_count = OPTIONS, .named_section = "group", .named = &own
};

/* A file in memory, by a path that can be opened. */
static int make_file(char path[32], const void *bytes, size_t size)
{
    int fd = memfd_create("options", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static int read_file(const void *bytes, size_t size, struct options **out)
{
    char path[32], *argv[] = { "t", "--config", path };
    int fd = make_file(path, bytes, size);
    static FILE *nowhere;
    FILE *kept = stderr;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    must(nowhere);
    stderr = nowhere; /* what is wrong with each input is of no interest here */
    int code = options_read(&program, 3, argv, out);
    stderr = kept;
    if (code == OPTIONS_RUN) (*out)->file = "read";
    close(fd);
    return code;
}

static void same(const struct options *a, const struct options *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        must(options_count(a, i) == options_count(b, i) && options_number(a, i) == options_number(b, i));
        for (size_t item = 0; item < options_count(a, i); item++)
            must(strcmp(options_item(a, i, item), options_item(b, i, item)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct options *options, *again;
    int code = read_file(data, size, &options);
    must(code == OPTIONS_RUN || code == EXIT_USAGE);
    if (code != OPTIONS_RUN) return 0;
    char *printed;
    size_t printed_size;
    FILE *out = open_memstream(&printed, &printed_size);
    options_print_config(options, out);
    fclose(out);
    must(read_file(printed, printed_size, &again) == OPTIONS_RUN);
    same(options, again, OPTIONS);
    must(options_sections(options) == options_sections(again));
    for (size_t i = 0; i < options_sections(options); i++) {
        must(strcmp(options_section_name(options_section(options, i)), options_section_name(options_section(again, i))) == 0);
        same(options_section(options, i), options_section(again, i), OWN_OPTIONS);
    }
    options_destroy(&options);
    options_destroy(&again);
    free(printed);
    return 0;
}
