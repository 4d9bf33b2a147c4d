/* What verbs print: JSON lines in which an event's data stands byte for byte as its author wrote it,
 * and text for people. */
#include "sdk/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void cli_json_bytes(json_t *object, const char *name, const void *bytes, size_t size)
{
    if (size == 0) return;
    json_t *text = json_stringn(bytes, size);
    json_object_set_new(object, name, text ? text : json_null());
}

/* Is it one JSON value, as a whole? Looked at with the parser, then carried as it came. */
static bool is_json(const void *data, size_t size)
{
    json_error_t error;
    json_t *value = json_loadb(data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    json_decref(value);
    return value != NULL;
}

/* A raw line break cannot stand inside a JSON string, so each one is between tokens. */
static void print_in_one_line(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        putchar_unlocked(data[i] == '\n' || data[i] == '\r' ? ' ' : data[i]);
}

void cli_json_line(json_t *object, const void *data, size_t size)
{
    bool spliced = size > 0 && is_json(data, size);
    if (size > 0 && !spliced) {
        char *text = cli_base64(data, size);
        json_object_set_new(object, "data_base64", json_string(text));
        free(text);
    }
    char *line = json_dumps(object, JSON_COMPACT);
    size_t length = strlen(line);
    flockfile(stdout); /* handlers of several threads print */
    if (spliced) {
        fwrite(line, 1, length - 1, stdout);
        fputs(length > 2 ? ",\"data\":" : "\"data\":", stdout);
        print_in_one_line(data, size);
        putchar_unlocked('}');
    } else {
        fwrite(line, 1, length, stdout);
    }
    putchar_unlocked('\n');
    fflush(stdout);
    funlockfile(stdout);
    free(line);
    json_decref(object);
}

void cli_json_print(json_t *object)
{
    cli_json_line(object, NULL, 0);
}

void cli_print_data(FILE *to, const void *data, size_t size, size_t most)
{
    json_t *text = json_stringn(data, size);
    bool readable = text != NULL;
    json_decref(text);
    const unsigned char *bytes = data;
    for (size_t i = 0; readable && i < size; i++)
        if (bytes[i] == 0x7f || (bytes[i] < 0x20 && bytes[i] != '\n' && bytes[i] != '\t' && bytes[i] != '\r')) readable = false;
    if (!readable) {
        fprintf(to, "(%zu bytes)", size);
        return;
    }
    size_t shown = size;
    if (size > most) {
        shown = most;
        while (shown > 0 && (bytes[shown] & 0xc0) == 0x80)
            shown--;
    }
    fwrite(data, 1, shown, to);
    if (shown < size) fprintf(to, "… (%zu bytes)", size);
}

void cli_time(uint64_t unix_ms, char out_text[32])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t size = strftime(out_text, 32, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out_text + size, 32 - size, ".%03uZ", (unsigned)(unix_ms % 1000));
}
