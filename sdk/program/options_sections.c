/* Sections that come once for each name, [group ocr]: each is a set of options of its own, with the table of program->named. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/program/options_parts.h"

struct options *options_section_add(struct options *options, unsigned line, const char *name)
{
    const struct program *program = options->program;
    for (size_t i = 0; i < options->section_count; i++) {
        const struct options *before = options->sections[i];
        if (strcmp(before->name, name) != 0) continue;
        options_error(options, "%s:%u: [%s %s] begins in line %u already", options->file, line, program->named_section, name, before->line);
        return NULL;
    }
    if (!*name || (program->check_name && !program->check_name(name))) {
        options_error(options, "%s:%u: [%s %s]: this is not the name of a %s", options->file, line, program->named_section, name,
                      program->named_section);
        return NULL;
    }
    struct options *section = options_new(program->named, 0, options->argv);
    section->name = options_copy(name);
    section->line = line;
    section->file = options->file;
    options->sections = options_memory((void *)options->sections, options->section_count + 1, sizeof(struct options *));
    options->sections[options->section_count++] = section;
    return section;
}

size_t options_sections(const struct options *options)
{
    return options->section_count;
}

const struct options *options_section(const struct options *options, size_t section)
{
    return options->sections[section];
}

const char *options_section_name(const struct options *section)
{
    return section->name;
}

void options_section_complain(const struct options *section, const char *message, ...)
{
    va_list args;
    fprintf(stderr, "%s:%u: [%s %s]: ", section->file, section->line, section->program->options[0].section, section->name);
    va_start(args, message);
    vfprintf(stderr, message, args);
    va_end(args);
    fputc('\n', stderr);
}
