/* Reads the configuration file. Every wrong line is told, with its number; reading goes on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/program/options_parts.h"

enum { LINE_BYTES_MAX = 4096, SECTION_BYTES_MAX = 64 };
#define UNKNOWN "?" /* after a section line that was refused: what follows is passed over, it was told once */

/* Where the settings of the next line go. */
struct place {
    struct options *options; /* the program's, or those of a named section */
    char section[SECTION_BYTES_MAX];
};

bool options_has_file(const struct program *program)
{
    for (size_t i = 0; i < program->option_count; i++)
        if (program->options[i].section) return true;
    return false;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r\n");
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\r\n", text[size - 1]))
        text[--size] = 0;
    return text;
}

/* Ends the text at a '#' that begins it or follows a blank and stands outside of quotes. */
static void cut_comment(char *text)
{
    bool quoted = false;
    for (char *c = text; *c; c++) {
        if (quoted && *c == '\\' && c[1])
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (*c == '#' && !quoted && (c == text || c[-1] == ' ' || c[-1] == '\t')) {
            *c = 0;
            return;
        }
    }
}

/* Takes the quotes off in place. False: they are not closed, or something follows. */
static bool unquote(char *text)
{
    if (text[0] != '"') return true;
    char *to = text;
    for (const char *from = text + 1; *from; from++) {
        if (*from == '"') {
            *to = 0;
            return from[1] == 0;
        }
        if (*from == '\\' && (from[1] == '"' || from[1] == '\\')) from++;
        *to++ = *from;
    }
    return false;
}

static bool section_exists(const struct program *program, const char *section)
{
    for (size_t i = 0; i < program->option_count; i++)
        if (program->options[i].section && strcmp(program->options[i].section, section) == 0) return true;
    return false;
}

static void list_sections(const struct program *program, char *out, size_t size)
{
    size_t used = 0;
    const char *last = "";
    out[0] = 0;
    if (program->named_section) used = (size_t)snprintf(out, size, "[%s NAME]", program->named_section);
    for (size_t i = 0; i < program->option_count && used < size; i++) {
        const char *section = program->options[i].section;
        if (!section || strcmp(section, last) == 0) continue;
        used += (size_t)snprintf(out + used, size - used, "%s[%s]", used ? " " : "", section);
        last = section;
    }
}

static void list_keys(const struct program *program, const char *section, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < program->option_count && used < size; i++)
        if (program->options[i].section && strcmp(program->options[i].section, section) == 0)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", program->options[i].key);
}

/* "group ocr" -> "ocr"; NULL: not the beginning of a named section. */
static const char *section_name(const struct program *program, char *text)
{
    size_t size = program->named_section ? strlen(program->named_section) : 0;
    if (size == 0 || strncmp(text, program->named_section, size) != 0) return NULL;
    return text[size] == ' ' || text[size] == '\t' || !text[size] ? trim(text + size) : NULL;
}

static void take_section(struct options *options, unsigned line, char *text, struct place *place)
{
    char *end = strchr(text, ']');
    place->options = options;
    strcpy(place->section, UNKNOWN);
    if (!end || *trim(end + 1)) {
        options_error(options, "%s:%u: %s: a section is written [name]", options->file, line, text);
        return;
    }
    *end = 0;
    const char *name = trim(text + 1), *own = section_name(options->program, trim(text + 1));
    if (own) {
        struct options *named = options_section_add(options, line, own);
        if (!named) return;
        place->options = named;
        snprintf(place->section, SECTION_BYTES_MAX, "%s", options->program->named_section);
        return;
    }
    if (!section_exists(options->program, name)) {
        char known[512];
        list_sections(options->program, known, sizeof known);
        options_error(options, "%s:%u: unknown section [%s]; allowed: %s", options->file, line, name, known);
        return;
    }
    snprintf(place->section, SECTION_BYTES_MAX, "%s", name);
}

static void take_setting(struct options *options, unsigned line, const char *section, const char *key, const char *value)
{
    for (size_t i = 0; i < options->program->option_count; i++) {
        const struct option *option = &options->program->options[i];
        if (!option->section || strcmp(option->section, section) != 0 || strcmp(option->key, key) != 0) continue;
        const struct option_value *before = &options->values[i];
        if (before->source == SOURCE_FILE && option->type != OPTION_LIST)
            options_error(options, "%s:%u: [%s] %s stands in line %u already", options->file, line, section, key, before->line);
        else
            options_set_list(options, i, SOURCE_FILE, line, value);
        return;
    }
    char known[1024];
    list_keys(options->program, section, known, sizeof known);
    options_error(options, "%s:%u: unknown key '%s' in [%s]; allowed: %s", options->file, line, key, section, known);
}

static void take_line(struct options *options, unsigned line, char *raw, struct place *place)
{
    cut_comment(raw);
    char *text = trim(raw);
    if (!*text) return;
    if (text[0] == '[') {
        take_section(options, line, text, place);
        return;
    }
    char *equals = strchr(text, '=');
    if (!equals) {
        options_error(options, "%s:%u: '%s': a setting is written key = value", options->file, line, text);
        return;
    }
    *equals = 0;
    char *key = trim(text), *value = trim(equals + 1);
    if (!unquote(value)) {
        options_error(options, "%s:%u: %s: the quotes are not closed, or something follows them", options->file, line, key);
        return;
    }
    if (!place->section[0])
        options_error(options, "%s:%u: '%s' stands before any [section]", options->file, line, key);
    else if (strcmp(place->section, UNKNOWN) != 0)
        take_setting(place->options, line, place->section, key, value);
}

void options_read_file(struct options *options)
{
    FILE *file = fopen(options->file, "re");
    if (!file) {
        options_error(options, "%s: cannot be read: %s", options->file, strerror(errno));
        return;
    }
    char *raw = NULL;
    struct place place = { .options = options };
    size_t room = 0;
    ssize_t size;
    for (unsigned line = 1; (size = getline(&raw, &room, file)) >= 0; line++) {
        if (size > LINE_BYTES_MAX)
            options_error(options, "%s:%u: the line is longer than %d bytes", options->file, line, LINE_BYTES_MAX);
        else if (strlen(raw) != (size_t)size)
            options_error(options, "%s:%u: the line holds a NUL byte", options->file, line);
        else
            take_line(options, line, raw, &place);
    }
    free(raw);
    if (ferror(file)) options_error(options, "%s: cannot be read: %s", options->file, strerror(errno));
    fclose(file);
}
