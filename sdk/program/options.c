/* The values of a program's settings: who gave them, what they mean, what is refused.
 *
 * A value is checked where it is taken, so that an error can name its place. Order of reading is flags, environment, file: a value of a
 * lower source is still checked when a higher one has won, since a broken file should be told of before the flag is gone. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/program/options_parts.h"

void *options_memory(void *pointer, size_t count, size_t size)
{
    void *memory = reallocarray(pointer, count ? count : 1, size);
    if (!memory) {
        fputs("out of memory while reading the configuration\n", stderr);
        exit(EXIT_FAILED);
    }
    return memory;
}

char *options_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(options_memory(NULL, size, 1), text, size);
}

struct unit {
    const char *name;
    uint64_t factor;
};

static bool parse_with_units(const char *text, const struct unit *units, size_t unit_count, uint64_t *out)
{
    if (text[0] < '0' || text[0] > '9') return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0) return false;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < unit_count; i++)
        if (strcmp(end, units[i].name) == 0) return !__builtin_mul_overflow((uint64_t)value, units[i].factor, out);
    return false;
}

bool options_parse_uint(const char *text, uint64_t *out_value)
{
    static const struct unit units[] = { { "", 1 } };
    return parse_with_units(text, units, 1, out_value);
}

bool options_parse_bytes(const char *text, uint64_t *out_bytes)
{
    static const struct unit units[] = { { "", 1 },
                                         { "B", 1 },
                                         { "kB", 1000 },
                                         { "MB", 1000 * 1000 },
                                         { "GB", 1000ULL * 1000 * 1000 },
                                         { "KiB", 1ULL << 10 },
                                         { "MiB", 1ULL << 20 },
                                         { "GiB", 1ULL << 30 },
                                         { "TiB", 1ULL << 40 } };
    return parse_with_units(text, units, sizeof units / sizeof *units, out_bytes);
}

bool options_parse_duration(const char *text, uint64_t *out_ms)
{
    static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 3600 * 1000 }, { "d", 24 * 3600 * 1000 } };
    if (strcmp(text, "0") == 0) {
        *out_ms = 0;
        return true;
    }
    return parse_with_units(text, units, sizeof units / sizeof *units, out_ms);
}

static bool parse_bool(const char *text, uint64_t *out)
{
    static const char *const words[2][3] = { { "false", "no", "off" }, { "true", "yes", "on" } };
    for (uint64_t value = 0; value < 2; value++)
        for (size_t i = 0; i < 3; i++)
            if (strcmp(text, words[value][i]) == 0) {
                *out = value;
                return true;
            }
    return false;
}

static bool parse_word(const char *text, const char *allowed, uint64_t *out)
{
    uint64_t place = 0;
    size_t size = strlen(text);
    for (const char *word = allowed; word; place++) {
        const char *end = strchrnul(word, '|');
        if ((size_t)(end - word) == size && memcmp(word, text, size) == 0) {
            *out = place;
            return true;
        }
        word = *end ? end + 1 : NULL;
    }
    return false;
}

static bool parse_value(const struct option *option, const char *text, uint64_t *out)
{
    bool in_range = true;
    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_LIST:
        *out = 0;
        return !option->check || option->check(text);
    case OPTION_ENUM:
        return parse_word(text, option->allowed, out);
    case OPTION_BOOL:
        return parse_bool(text, out);
    case OPTION_UINT:
        in_range = options_parse_uint(text, out);
        break;
    case OPTION_BYTES:
        in_range = options_parse_bytes(text, out);
        break;
    case OPTION_DURATION:
        in_range = options_parse_duration(text, out);
        break;
    }
    return in_range && *out >= option->min && (option->max == 0 || *out <= option->max);
}

static void print_place(const struct options *options, size_t index, enum option_source source, unsigned line, const char *text)
{
    const struct option *option = &options->program->options[index];
    char env[128];
    switch (source) {
    case SOURCE_FILE:
        fprintf(stderr, "%s:%u: [%s%s%s] %s = %s: ", options->file, line, option->section, options->name ? " " : "",
                options->name ? options->name : "", option->key, text);
        break;
    case SOURCE_ENV:
        options_env_name(options->program, option, env, sizeof env);
        fprintf(stderr, "environment: %s=%s: ", env, text);
        break;
    default:
        if (options->name)
            fprintf(stderr, "%s:%u: [%s %s] %s = %s: ", options->file, options->line, option->section, options->name, option->key, text);
        else if (option->flag)
            fprintf(stderr, "--%s %s: ", option->flag, text);
        else
            fprintf(stderr, "[%s] %s = %s: ", option->section, option->key, text);
    }
}

static void drop_items(struct option_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        free(value->items[i]);
    value->count = 0;
}

bool options_set(struct options *options, size_t index, enum option_source source, unsigned line, const char *text)
{
    const struct option *option = &options->program->options[index];
    struct option_value *value = &options->values[index];
    uint64_t number = 0;
    if (!parse_value(option, text, &number)) {
        char allowed[512];
        options_describe_allowed(option, allowed, sizeof allowed);
        print_place(options, index, source, line, text);
        fprintf(stderr, "allowed: %s\n", allowed);
        options->errors++;
        return false;
    }
    if (source < value->source) return true;
    if (source > value->source || option->type != OPTION_LIST) drop_items(value);
    value->source = source;
    value->line = line;
    value->number = number;
    value->items = options_memory(value->items, value->count + 1, sizeof *value->items);
    value->items[value->count++] = options_copy(text);
    return true;
}

bool options_set_list(struct options *options, size_t index, enum option_source source, unsigned line, const char *text)
{
    if (options->program->options[index].type != OPTION_LIST) return options_set(options, index, source, line, text);
    char *copy = options_copy(text), *rest = copy, *item;
    bool fine = true;
    while ((item = strsep(&rest, ",")) != NULL) {
        item += strspn(item, " \t");
        size_t size = strlen(item);
        while (size > 0 && (item[size - 1] == ' ' || item[size - 1] == '\t'))
            item[--size] = 0;
        if (size > 0 && !options_set(options, index, source, line, item)) fine = false;
    }
    free(copy);
    return fine;
}

void options_error(struct options *options, const char *message, ...)
{
    va_list args;
    va_start(args, message);
    vfprintf(stderr, message, args);
    va_end(args);
    fputc('\n', stderr);
    options->errors++;
}

void options_complain(const struct options *options, size_t index, const char *message, ...)
{
    const struct option_value *value = &options->values[index];
    print_place(options, index, value->source, value->line, value->count ? value->items[0] : "(unset)");
    va_list args;
    va_start(args, message);
    vfprintf(stderr, message, args);
    va_end(args);
    fputc('\n', stderr);
}

static void set_defaults(struct options *options)
{
    for (size_t i = 0; i < options->program->option_count; i++) {
        const char *initial = options->program->options[i].initial;
        if (initial) options_set_list(options, i, SOURCE_DEFAULT, 0, initial);
    }
}

static void check_counts(struct options *options)
{
    for (size_t i = 0; i < options->program->option_count; i++) {
        const struct option *option = &options->program->options[i];
        size_t count = options->values[i].count;
        if (option->type != OPTION_LIST || (count >= option->min && (option->max == 0 || count <= option->max))) continue;
        options_complain(options, i, "%zu values; allowed: %" PRIu64 " to %" PRIu64, count, option->min, option->max);
        options->errors++;
    }
}

/* Also those of its named sections. */
static unsigned errors(const struct options *options)
{
    unsigned count = options->errors;
    for (size_t i = 0; i < options->section_count; i++)
        count += options->sections[i]->errors;
    return count;
}

static void check_all(struct options *options)
{
    check_counts(options);
    for (size_t i = 0; i < options->section_count; i++)
        check_all(options->sections[i]);
    if (errors(options) == 0 && options->program->check && !options->program->check(options)) options->errors++;
}

/* The exit code, or OPTIONS_RUN. */
static int finish(struct options *options)
{
    const struct program *program = options->program;
    if (options->help) {
        options_print_help(program, stdout);
        return EXIT_FINE;
    }
    if (options->version) {
        printf("%s %s\n", program->name, program->version);
        return EXIT_FINE;
    }
    options_read_environment(options);
    if (options->file) options_read_file(options);
    if (!options->print) check_all(options);
    if (errors(options) > 0) return EXIT_USAGE;
    if (options->print) {
        options_print_config(options, stdout);
        return EXIT_FINE;
    }
    if (options->check) {
        puts("the configuration is fine");
        return EXIT_FINE;
    }
    return OPTIONS_RUN;
}

struct options *options_new(const struct program *program, int argc, char *const argv[])
{
    struct options *options = options_memory(NULL, 1, sizeof *options);
    *options = (struct options){ .program = program, .argc = argc, .argv = argv };
    options->values = options_memory(NULL, program->option_count, sizeof *options->values);
    memset(options->values, 0, program->option_count * sizeof *options->values);
    set_defaults(options);
    return options;
}

int options_read(const struct program *program, int argc, char *const argv[], struct options **out_options)
{
    struct options *options = options_new(program, argc, argv);
    options_read_flags(options);
    int code = finish(options);
    if (code == OPTIONS_RUN)
        *out_options = options;
    else
        options_destroy(&options);
    return code;
}

void options_destroy(struct options **options)
{
    if (!*options) return;
    for (size_t i = 0; i < (*options)->program->option_count; i++) {
        drop_items(&(*options)->values[i]);
        free((*options)->values[i].items);
    }
    for (size_t i = 0; i < (*options)->section_count; i++)
        options_destroy(&(*options)->sections[i]);
    free((void *)(*options)->sections);
    free((*options)->name);
    free((*options)->values);
    free(*options);
    *options = NULL;
}

const char *options_text(const struct options *options, size_t index)
{
    const struct option_value *value = &options->values[index];
    return value->count ? value->items[0] : NULL;
}

uint64_t options_number(const struct options *options, size_t index)
{
    return options->values[index].count ? options->values[index].number : 0;
}

bool options_true(const struct options *options, size_t index)
{
    return options_number(options, index) != 0;
}

size_t options_count(const struct options *options, size_t index)
{
    return options->values[index].count;
}

const char *options_item(const struct options *options, size_t index, size_t item)
{
    return item < options->values[index].count ? options->values[index].items[item] : NULL;
}

bool options_given(const struct options *options, size_t index)
{
    return options->values[index].source != SOURCE_DEFAULT;
}
