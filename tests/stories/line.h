/* A line of a story, cut into words. */
#ifndef WEIR_STORY_LINE_H
#define WEIR_STORY_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/span.h"

enum { WORDS_MAX = 32, LINE_MAX_BYTES = 1024 };

struct line {
    const char *file;
    int number;
    char text[LINE_MAX_BYTES];
    char *words[WORDS_MAX];
    int word_count;
};

_Noreturn void fail(const struct line *l, const char *why);
const char *arg(const struct line *l, const char *name); /* the value of `name=`; NULL: it is not there */
bool has(const struct line *l, const char *word);
uint64_t number(const struct line *l, const char *name, uint64_t otherwise);
uint64_t ms(const struct line *l, const char *name);      /* of `name=5s`; 0: it is not there */
struct span text(const struct line *l, const char *name); /* empty: it is not there */
uint64_t duration_ms(const char *word);                   /* 5ms 5s 5m 5h */

#endif
