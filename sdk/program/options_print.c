/* What people read: --help, --print-config, and what is allowed. */
#include <inttypes.h>
#include <string.h>

#include "sdk/program/options_parts.h"

static const char *example_of(enum option_type type)
{
    switch (type) {
    case OPTION_UINT:
        return "a whole number";
    case OPTION_BYTES:
        return "a size such as 64MiB";
    case OPTION_DURATION:
        return "a time such as 500ms, 30s, 72h";
    case OPTION_BOOL:
        return "true, false";
    default:
        return "any text";
    }
}

/* A limit in the words of its type, the largest unit that is exact. */
static void print_limit(enum option_type type, uint64_t value, char *out, size_t size)
{
    static const struct {
        uint64_t factor;
        const char *unit;
    } times[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } },
      sizes[] = { { 1ULL << 30, "GiB" }, { 1ULL << 20, "MiB" }, { 1ULL << 10, "KiB" }, { 1, "" }, { 1, "" } };
    for (size_t i = 0; i < 5 && value > 0 && type != OPTION_UINT; i++) {
        uint64_t factor = type == OPTION_DURATION ? times[i].factor : sizes[i].factor;
        if (value % factor != 0) continue;
        snprintf(out, size, "%" PRIu64 "%s", value / factor, type == OPTION_DURATION ? times[i].unit : sizes[i].unit);
        return;
    }
    snprintf(out, size, "%" PRIu64, value);
}

void options_describe_allowed(const struct option *option, char *out, size_t size)
{
    char low[32], high[32];
    switch (option->type) {
    case OPTION_ENUM:
        snprintf(out, size, "%s", option->allowed);
        for (char *c = strchr(out, '|'); c; c = strchr(c, '|')) {
            memmove(c + 2, c + 1, strnlen(c + 1, size - (size_t)(c - out) - 3) + 1);
            memcpy(c, ", ", 2);
        }
        return;
    case OPTION_UINT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        print_limit(option->type, option->min, low, sizeof low);
        print_limit(option->type, option->max, high, sizeof high);
        if (option->max > 0)
            snprintf(out, size, "%s, from %s to %s", example_of(option->type), low, high);
        else if (option->min > 0)
            snprintf(out, size, "%s, at least %s", example_of(option->type), low);
        else
            snprintf(out, size, "%s", example_of(option->type));
        return;
    default:
        snprintf(out, size, "%s", option->allowed ? option->allowed : example_of(option->type));
    }
}

static const char *argument_of(const struct option *option)
{
    if (option->argument) return option->argument;
    switch (option->type) {
    case OPTION_UINT:
        return "N";
    case OPTION_BYTES:
        return "SIZE";
    case OPTION_DURATION:
        return "TIME";
    case OPTION_BOOL:
        return "";
    case OPTION_ENUM:
        return option->allowed;
    default:
        return "TEXT";
    }
}

void options_print_help(const struct program *program, FILE *out)
{
    fprintf(out, "%s: %s\n\nusage: %s [options]\n\n", program->name, program->text, program->name);
    for (size_t i = 0; i < program->option_count; i++) {
        const struct option *option = &program->options[i];
        if (!option->flag || option->hidden) continue;
        char left[96];
        char letter[8] = "";
        if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(left, sizeof left, "%s--%s %s", letter, option->flag, argument_of(option));
        fprintf(out, "  %-34s %s", left, option->text);
        if (option->initial && option->type != OPTION_BOOL) fprintf(out, " (%s)", option->initial);
        fputc('\n', out);
    }
    if (options_has_file(program))
        fprintf(out, "  %-34s %s\n  %-34s %s\n  %-34s %s\n", "--config FILE", "read settings from FILE; flags override them",
                "--check-config", "say what is wrong with the settings, and stop", "--print-config",
                "print a commented file with every setting, and stop");
    fprintf(out, "  %-34s %s\n", "--help, --version", "");
    if (program->help_end) fprintf(out, "\n%s\n", program->help_end);
}

static void print_value(const char *value, FILE *out)
{
    static const char blanks[] = " \t\r\n";
    if (value[0] && !strpbrk(value, "#\"\\") && !strchr(blanks, value[0]) && !strchr(blanks, value[strlen(value) - 1])) {
        fputs(value, out);
        return;
    }
    fputc('"', out);
    for (const char *c = value; *c; c++) {
        if (*c == '"' || *c == '\\') fputc('\\', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

static void print_setting(const struct options *options, size_t index, FILE *out)
{
    const struct option *option = &options->program->options[index];
    const struct option_value *value = &options->values[index];
    char allowed[512], env[128];
    options_describe_allowed(option, allowed, sizeof allowed);
    options_env_name(options->program, option, env, sizeof env);
    fprintf(out, "\n# %s\n# allowed: %s", option->text, allowed);
    if (option->flag) fprintf(out, "; flag --%s", option->flag);
    if (env[0]) fprintf(out, "; environment %s", env);
    fputc('\n', out);
    if (value->source == SOURCE_DEFAULT) {
        fprintf(out, "#%s = %s\n", option->key, option->initial ? option->initial : "");
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        fprintf(out, "%s = ", option->key);
        print_value(value->items[i], out);
        fputc('\n', out);
    }
}

/* The named sections of the file, or one to begin with, all of it a comment. */
static void print_sections(const struct options *options, FILE *out)
{
    const struct program *named = options->program->named;
    for (size_t i = 0; i < options->section_count; i++) {
        fprintf(out, "\n[%s %s]\n", options->program->named_section, options->sections[i]->name);
        for (size_t k = 0; k < named->option_count; k++)
            print_setting(options->sections[i], k, out);
    }
    if (!named || options->section_count > 0) return;
    fprintf(out, "\n# %s\n#[%s NAME]\n", named->text, options->program->named_section);
    struct options *example = options_new(named, 0, options->argv);
    for (size_t k = 0; k < named->option_count; k++)
        print_setting(example, k, out);
    options_destroy(&example);
}

void options_print_config(const struct options *options, FILE *out)
{
    const struct program *program = options->program;
    const char *section = "";
    fprintf(out, "# Configuration of %s %s. Lines that begin with #key show the defaults.\n", program->name, program->version);
    for (size_t i = 0; i < program->option_count; i++) {
        const struct option *option = &program->options[i];
        if (!option->section) continue;
        if (strcmp(section, option->section) != 0) fprintf(out, "\n[%s]\n", option->section);
        section = option->section;
        print_setting(options, i, out);
    }
    print_sections(options, out);
}
