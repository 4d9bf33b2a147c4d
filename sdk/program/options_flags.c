/* Flags and environment. Flags are --name VALUE, --name=VALUE, -n VALUE; other words are refused. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/program/options_parts.h"

void options_env_name(const struct program *program, const struct option *option, char *out, size_t size)
{
    out[0] = 0;
    if (option->env) {
        snprintf(out, size, "%s", option->env);
        return;
    }
    if (!program->env_prefix) return;
    if (option->flag)
        snprintf(out, size, "%s%s", program->env_prefix, option->flag);
    else
        snprintf(out, size, "%s%s_%s", program->env_prefix, option->section, option->key);
    for (char *c = out; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

void options_read_environment(struct options *options)
{
    const struct program *program = options->program;
    for (size_t i = 0; i < program->option_count; i++) {
        char name[128];
        options_env_name(program, &program->options[i], name, sizeof name);
        const char *value = name[0] ? getenv(name) : NULL;
        if (value && value[0]) options_set_list(options, i, SOURCE_ENV, 0, value);
    }
    if (!options->file && program->env_prefix && options_has_file(program)) {
        char name[128];
        snprintf(name, sizeof name, "%sCONFIG", program->env_prefix);
        const char *file = getenv(name);
        if (file && file[0]) options->file = file;
    }
}

/* A flag's name and where its value stands, if it was joined by '='. */
struct flag {
    const char *name;
    size_t size;
    const char *joined;
};

static bool is_named(const struct flag *flag, const char *name)
{
    return name && strlen(name) == flag->size && memcmp(name, flag->name, flag->size) == 0;
}

/* Flags that every program has. False: not one of them. */
static bool take_common(struct options *options, const struct flag *flag, int *at)
{
    if (is_named(flag, "help"))
        options->help = true;
    else if (is_named(flag, "version"))
        options->version = true;
    else if (!options_has_file(options->program))
        return false;
    else if (is_named(flag, "check-config"))
        options->check = true;
    else if (is_named(flag, "print-config"))
        options->print = true;
    else if (is_named(flag, "config")) {
        options->file = flag->joined ? flag->joined : *at + 1 < options->argc ? options->argv[++*at] : NULL;
        if (!options->file) options_error(options, "--config: needs a FILE");
    } else
        return false;
    return true;
}

static void take_value(struct options *options, size_t index, const struct flag *flag, int *at)
{
    const struct option *option = &options->program->options[index];
    if (flag->joined)
        options_set(options, index, SOURCE_FLAG, 0, flag->joined);
    else if (option->type == OPTION_BOOL)
        options_set(options, index, SOURCE_FLAG, 0, "true");
    else if (*at + 1 < options->argc)
        options_set(options, index, SOURCE_FLAG, 0, options->argv[++*at]);
    else
        options_error(options, "--%s: needs a value", option->flag);
}

static void take_flag(struct options *options, int *at)
{
    const char *word = options->argv[*at] + 2;
    const char *equals = strchr(word, '=');
    struct flag flag = { word, equals ? (size_t)(equals - word) : strlen(word), equals ? equals + 1 : NULL };
    for (size_t i = 0; i < options->program->option_count; i++) {
        const struct option *option = &options->program->options[i];
        if (is_named(&flag, option->flag)) {
            take_value(options, i, &flag, at);
            return;
        }
        struct flag without_no = { flag.name + 3, flag.size < 3 ? 0 : flag.size - 3, NULL };
        if (option->type == OPTION_BOOL && !flag.joined && flag.size > 3 && memcmp(flag.name, "no-", 3) == 0 &&
            is_named(&without_no, option->flag)) {
            options_set(options, i, SOURCE_FLAG, 0, "false");
            return;
        }
    }
    if (!take_common(options, &flag, at))
        options_error(options, "%s: unknown flag --%.*s; --help lists what there is", options->program->name, (int)flag.size, flag.name);
}

static void take_letter(struct options *options, int *at)
{
    const char *word = options->argv[*at];
    struct flag flag = { word + 1, 1, word[2] ? word + 2 : NULL };
    for (size_t i = 0; i < options->program->option_count; i++)
        if (options->program->options[i].letter == word[1]) {
            take_value(options, i, &flag, at);
            return;
        }
    if (strcmp(word, "-h") == 0)
        options->help = true;
    else
        options_error(options, "%s: unknown flag %s; --help lists what there is", options->program->name, word);
}

void options_read_flags(struct options *options)
{
    for (int at = 1; at < options->argc; at++) {
        const char *word = options->argv[at];
        if (word[0] != '-' || word[1] == 0)
            options_error(options, "%s: unexpected argument '%s'; --help lists what there is", options->program->name, word);
        else if (word[1] == '-')
            take_flag(options, &at);
        else
            take_letter(options, &at);
    }
}
