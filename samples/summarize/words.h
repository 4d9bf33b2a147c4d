/* The words of a document that carry its topic: every word that is not a stop word or a number, brought to its stem (Snowball,
 * "english") and numbered. Two words with one stem are one term. */
#ifndef WEIR_SAMPLES_SUMMARIZE_WORDS_H
#define WEIR_SAMPLES_SUMMARIZE_WORDS_H

#include "samples/summarize/sentences.h"

enum {
    WORD_BYTES_MAX = 48, /* longer runs of letters are not words: they are counted and left out */
};

struct token {
    uint32_t term;     /* below words.term_count */
    uint32_t sentence; /* its place in the array given to words_read */
    uint32_t at;       /* bytes of the document */
    uint16_t size;
    bool joined; /* one space or line break stands between it and the token before, in the same sentence */
    bool opens;  /* first word of its sentence, where a capital says nothing */
};

struct words {
    struct token *tokens; /* in document order; headings' too */
    uint32_t token_count;
    uint32_t term_count;
    uint32_t word_count; /* all words, stop words too */
};

/* Reads the words of `sentences` and sets each one's `words`. Gives *out (words_free). False: no memory, *out untouched. */
bool words_read(const char *text, struct sentence *sentences, uint32_t sentence_count, struct words *out);
void words_free(struct words *words);

/* Writes the folded form of text[at, at+size) into out (room for size + 1), ended by NUL; returns its size. */
size_t words_fold(const char *text, size_t at, size_t size, char *out);

#endif
