#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fail(const struct line *l, const char *why)
{
    fprintf(stderr, "%s:%d: %s\n", l->file, l->number, why);
    exit(1);
}

const char *arg(const struct line *l, const char *name)
{
    size_t size = strlen(name);
    for (int i = 0; i < l->word_count; i++)
        if (strncmp(l->words[i], name, size) == 0 && l->words[i][size] == '=') return l->words[i] + size + 1;
    return NULL;
}

bool has(const struct line *l, const char *word)
{
    for (int i = 0; i < l->word_count; i++)
        if (strcmp(l->words[i], word) == 0) return true;
    return false;
}

uint64_t number(const struct line *l, const char *name, uint64_t otherwise)
{
    const char *value = arg(l, name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

uint64_t duration_ms(const char *word)
{
    char *unit;
    uint64_t value = strtoull(word, &unit, 10);
    if (strcmp(unit, "ms") == 0) return value;
    if (strcmp(unit, "s") == 0) return value * 1000;
    if (strcmp(unit, "m") == 0) return value * 60000;
    if (strcmp(unit, "h") == 0) return value * 3600000;
    return 0;
}

uint64_t ms(const struct line *l, const char *name)
{
    const char *value = arg(l, name);
    return value ? duration_ms(value) : 0;
}

struct span text(const struct line *l, const char *name)
{
    const char *value = arg(l, name);
    return value ? span_text(value) : span_of(NULL, 0);
}
