/* Configuration of a program: one table says everything about every setting; file, environment and flags fill it. Kind: shell.
 *
 * Flags override the environment, which overrides the file, which overrides the defaults. A list is overridden as a whole.
 * The file is `[section]`, `key = value`, `# comment`; a value may stand in double quotes (\" and \\ inside); lists are separated by
 * commas, or their key is repeated. A section may also be named, [group ocr], and come once for each name. Every error names where the
 * value came from, the key, and what is allowed; all errors are told, not the first.
 *
 * Every program gets --config FILE --check-config --print-config (when a setting has a section), --help -h --version.
 *
 *     enum { OPT_DATA, OPT_LISTEN, OPT_COUNT };
 *     static const struct option table[OPT_COUNT] = {
 *         [OPT_DATA] = { .section = "log", .key = "data", .flag = "data", .argument = "DIR", .type = OPTION_TEXT, .text = "where the log
 * lives" }, …
 *     };
 *     struct options *options;
 *     int code = options_read(&program, argc, argv, &options);
 *     if (code != OPTIONS_RUN) return code;
 *     … options_text(options, OPT_DATA) …
 *     options_destroy(&options);
 */
#ifndef WEIR_PROGRAM_OPTIONS_H
#define WEIR_PROGRAM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 }; /* every program's exit codes */
enum { OPTIONS_RUN = -1 };

enum option_type {
    OPTION_TEXT,
    OPTION_UINT,     /* 1000, 64k is not one */
    OPTION_BYTES,    /* 512, 64KiB, 64MiB, 2GiB, 1TiB; also kB MB GB */
    OPTION_DURATION, /* 500ms, 30s, 15m, 72h, 7d; a bare 0; in milliseconds */
    OPTION_BOOL,     /* true false yes no on off; the flag alone says true, --no-FLAG false */
    OPTION_ENUM,     /* one word of `allowed` */
    OPTION_LIST,     /* any number of texts */
};

struct options;

struct option {
    const char *section, *key; /* its place in the file; NULL: not in the file */
    const char *flag;          /* without the dashes; NULL: no flag */
    char letter;               /* a short flag, 0: none */
    const char *env;           /* NULL: the program's env_prefix and the flag (or section_key) in capitals; "": none */
    const char *argument;      /* how help calls the value: "DIR"; NULL: by its type */
    enum option_type type;
    const char *initial;              /* the default as it would stand in the file; NULL: unset */
    uint64_t min, max;                /* UINT, BYTES, DURATION (ms); max 0 = no limit. LIST: the count */
    const char *allowed;              /* ENUM: "fsync|os"; others: words for people, told when `check` refuses */
    bool (*check)(const char *value); /* TEXT, each item of LIST: false refuses; NULL: anything */
    bool hidden;                      /* not in --help (it is in --print-config) */
    const char *text;                 /* one line: what it does */
};

struct program {
    const char *name;       /* "weir-coordinator" */
    const char *version;    /* "0.1.0" */
    const char *text;       /* what it is, one line */
    const char *env_prefix; /* "WEIR_COORDINATOR_"; NULL: only settings with `env` are read from the environment */
    const struct option *options;
    size_t option_count;
    const char *named_section;   /* "group": [group NAME] may stand in the file, once for each name; NULL: no such sections */
    const struct program *named; /* the settings of one; each has named_section as its section and no flag */
    bool (*check_name)(const char *name);
    bool (*check)(
        struct options *options); /* looks at all together; tells each error by options_complain; false: one was told. NULL: none */
    const char *help_end;         /* printed after the flags; NULL: nothing */
};

/* Reads it all (argv[0] is skipped). OPTIONS_RUN: *out_options is given, options_destroy releases it. Else the exit code, all has been
 * printed (help on stdout, errors on stderr) and nothing is given. The program and argv are lent as long as the options live. */
int options_read(const struct program *program, int argc, char *const argv[], struct options **out_options);
void options_destroy(struct options **options);

/* index: the option's place in the table. Texts are lent by the options. */
const char *options_text(const struct options *options, size_t index); /* TEXT, ENUM; NULL: unset */
uint64_t options_number(const struct options *options,
                        size_t index);                             /* UINT, BYTES, DURATION in ms, ENUM its place in `allowed`; 0: unset */
bool options_true(const struct options *options, size_t index);    /* BOOL */
size_t options_count(const struct options *options, size_t index); /* LIST: how many items; others: 0 or 1 */
const char *options_item(const struct options *options, size_t index, size_t item);
bool options_given(const struct options *options, size_t index); /* not only by its default */

/* The named sections of the file, in its order. Each is read as options are. */
size_t options_sections(const struct options *options);
const struct options *options_section(const struct options *options, size_t section);
const char *options_section_name(const struct options *section);
/* As options_complain, for what does not fit to the section as a whole: "weir.conf:7: [group ocr]: MESSAGE". */
__attribute__((format(printf, 2, 3))) void options_section_complain(const struct options *section, const char *message, ...);

/* Tells an error about a setting: "weir.conf:7: [log] durability = often: MESSAGE". For struct program's check. */
__attribute__((format(printf, 3, 4))) void options_complain(const struct options *options, size_t index, const char *message, ...);

/* The rules of BYTES and DURATION, for values inside other values. False: not one, or over 64 bits. */
bool options_parse_bytes(const char *text, uint64_t *out_bytes);
bool options_parse_duration(const char *text, uint64_t *out_ms);
bool options_parse_uint(const char *text, uint64_t *out_value);

#endif
