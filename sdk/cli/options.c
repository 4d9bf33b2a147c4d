/* Options: one table per verb is both what is parsed and what --help prints, so that they cannot disagree. Common options are taken by
 * every verb. A mistake is named and ends with exit code 2; nothing is guessed. */
#include "sdk/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("weir: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return CLI_FAILED;
}

int cli_usage(const struct cli_verb *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "weir %s: ", verb->name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nusage: weir %s %s (more with --help)\n", verb->name, verb->form);
    va_end(arguments);
    return CLI_USAGE;
}

bool cli_number(const char *text, uint64_t *out_value)
{
    if (text[0] < '0' || text[0] > '9') return false;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0') return false;
    *out_value = value;
    return true;
}

static void print_options(FILE *to, const struct cli_option *options)
{
    for (const struct cli_option *o = options; o->name; o++) {
        const char *space = o->kind == CLI_FLAG ? NULL : strchr(o->text, ' ');
        int value_size = space ? (int)(space - o->text) : 0;
        char left[64];
        snprintf(left, sizeof left, "--%s %.*s", o->name, value_size, o->text);
        fprintf(to, "  %-26s %s\n", left, space ? space + 1 : o->text);
    }
}

static int print_verb_help(const struct cli_verb *verb, const struct cli_option *options, const struct cli_option *common)
{
    printf("usage: weir %s %s\n\n%s\n\n", verb->name, verb->form, verb->about);
    print_options(stdout, options);
    print_options(stdout, common);
    return CLI_OK;
}

static const struct cli_option *find(const struct cli_option *options, const char *name, size_t size)
{
    for (const struct cli_option *o = options; o->name; o++)
        if (strlen(o->name) == size && memcmp(o->name, name, size) == 0) return o;
    return NULL;
}

/* Stores one value. Returns -1, or the exit code of a mistake. */
static int store(const struct cli_verb *verb, const struct cli_option *option, const char *value)
{
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)option->value = true;
        return -1;
    case CLI_TEXT:
        *(const char **)option->value = value;
        return -1;
    case CLI_NUMBER:
        if (cli_number(value, option->value)) return -1;
        return cli_usage(verb, "--%s takes a whole number, not '%s'", option->name, value);
    case CLI_LIST: {
        struct cli_list *list = option->value;
        if (list->count == CLI_LIST_MAX) return cli_usage(verb, "--%s: at most %d of them", option->name, CLI_LIST_MAX);
        list->items[list->count++] = value;
        return -1;
    }
    }
    return -1;
}

int cli_parse(struct cli *cli, const struct cli_verb *verb, const struct cli_option *options, int argc, char **argv, int min, int max,
              struct cli_args *out_args)
{
    const struct cli_option common[] = {
        { "endpoint", CLI_TEXT, &cli->endpoint, "ADDRESS of the coordinator, or WEIR_ENDPOINT (tcp://127.0.0.1:7400)" },
        { "tenant", CLI_TEXT, &cli->tenant, "NAME of the tenant, or WEIR_TENANT (the credential's)" },
        { "credential", CLI_TEXT, &cli->credential, "TEXT, or WEIR_CREDENTIAL" },
        { "certificate", CLI_TEXT, &cli->certificate, "FILE for CURVE, as `weir keys` makes them, or WEIR_CERTIFICATE" },
        { "server-key", CLI_TEXT, &cli->server_key, "KEY of the coordinator for CURVE, or WEIR_SERVER_KEY" },
        { "json", CLI_FLAG, &cli->json, "one JSON object per line" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args = { .items = argv };
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i];
        if (strcmp(text, "--") == 0) {
            args.command = argv + i + 1;
            break;
        }
        if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) return print_verb_help(verb, options, common);
        if (text[0] != '-' || text[1] == '\0') {
            args.items[args.count++] = argv[i];
            continue;
        }
        const char *name = text + 2;
        size_t size = strcspn(name, "=");
        const struct cli_option *option = text[1] == '-' ? find(options, name, size) : NULL;
        if (!option && text[1] == '-') option = find(common, name, size);
        if (!option) return cli_usage(verb, "unknown option '%s'", text);
        const char *value = name[size] == '=' ? name + size + 1 : NULL;
        if (option->kind == CLI_FLAG && value) return cli_usage(verb, "--%s takes no value", option->name);
        if (option->kind != CLI_FLAG && !value) {
            if (i + 1 >= argc) return cli_usage(verb, "--%s needs a value", option->name);
            value = argv[++i];
        }
        int code = store(verb, option, value);
        if (code >= 0) return code;
    }
    if (args.count < min) return cli_usage(verb, "something is missing");
    if (args.count > max) return cli_usage(verb, "'%s' is too much", args.items[max]);
    *out_args = args;
    return cli_load_certificate(cli);
}
