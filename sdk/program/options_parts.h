/* What the files of options share. Nobody else includes this. */
#ifndef WEIR_PROGRAM_OPTIONS_PARTS_H
#define WEIR_PROGRAM_OPTIONS_PARTS_H

#include <stdio.h>

#include "sdk/program/options.h"

enum option_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENV, SOURCE_FLAG };

struct option_value {
    enum option_source source;
    unsigned line; /* SOURCE_FILE */
    char **items;  /* as written; one, or several for a list */
    size_t count;
    uint64_t number;
};

struct options {
    const struct program *program;
    struct option_value *values;
    const char *file; /* --config; lent by argv or the environment */
    char *const *argv;
    int argc;
    bool help, version, check, print;
    unsigned errors;
    struct options **sections; /* the named ones */
    size_t section_count;
    char *name;    /* of a named section; NULL: the program's options */
    unsigned line; /* where it begins */
};

/* Takes one value as written. False: it was refused and told. The first value of a higher source drops those of lower ones. */
bool options_set(struct options *options, size_t index, enum option_source source, unsigned line, const char *text);
/* As options_set, splitting a list at its commas. */
bool options_set_list(struct options *options, size_t index, enum option_source source, unsigned line, const char *text);

/* Empty options of a program, all at their defaults. */
struct options *options_new(const struct program *program, int argc, char *const argv[]);
/* The named section `name` begins at a line of the file. NULL: it was refused and told. */
struct options *options_section_add(struct options *options, unsigned line, const char *name);

/* "weir.conf:7: " and the like, then the message and a line end, on stderr. */
__attribute__((format(printf, 2, 3))) void options_error(struct options *options, const char *message, ...);

void options_read_flags(struct options *options);
void options_read_environment(struct options *options);
void options_read_file(struct options *options);
/* The variable of an option; "" when it has none. */
void options_env_name(const struct program *program, const struct option *option, char *out, size_t size);

void options_print_help(const struct program *program, FILE *out);
void options_print_config(const struct options *options, FILE *out);
/* What may stand there, for people: "fsync, os", "a number from 1 to 10", "a size such as 64MiB". */
void options_describe_allowed(const struct option *option, char *out, size_t size);
bool options_has_file(const struct program *program);

void *options_memory(void *pointer, size_t count, size_t size); /* realloc that ends the program when there is none */
char *options_copy(const char *text);

#endif
