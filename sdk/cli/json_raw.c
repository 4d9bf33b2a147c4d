/* See json_raw.h. Walks the top level of text that is known to be a JSON object; so it only has to tell strings from brackets. */
#include "sdk/cli/json_raw.h"

#include <string.h>

static size_t skip_blanks(const char *text, size_t size, size_t at)
{
    while (at < size && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
        at++;
    return at;
}

/* at the opening quote; returns the place after the closing one */
static size_t skip_string(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at < size ? at + 1 : size;
}

static size_t skip_value(const char *text, size_t size, size_t at)
{
    size_t depth = 0;
    while (at < size) {
        char c = text[at];
        if (c == '"') {
            at = skip_string(text, size, at);
            if (depth == 0) return at;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ' ' || c == '\t' || c == '\n' || c == '\r')) return at;
        at++;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return at;
    }
    return at;
}

bool json_raw_member(const char *text, size_t size, const char *name, const char **out_value, size_t *out_size)
{
    size_t name_size = strlen(name), at = skip_blanks(text, size, 0);
    if (at >= size || text[at] != '{') return false;
    at = skip_blanks(text, size, at + 1);
    while (at < size && text[at] == '"') {
        size_t name_at = at + 1;
        at = skip_string(text, size, at);
        bool wanted = at - name_at == name_size + 1 && memcmp(text + name_at, name, name_size) == 0;
        at = skip_blanks(text, size, at);
        at = skip_blanks(text, size, at + 1); /* the colon */
        size_t end = skip_value(text, size, at);
        if (wanted && end <= size) {
            *out_value = text + at;
            *out_size = end - at;
            return true;
        }
        at = skip_blanks(text, size, end);
        if (at < size && text[at] == ',') at = skip_blanks(text, size, at + 1);
    }
    return false;
}
