/* An extractive summarizer: the key sentences and key words of an English document, taken from the document itself.
 *
 * Sentences: LexRank. G. Erkan and D. R. Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization",
 *   Journal of Artificial Intelligence Research 22, 2004. Two sentences are joined by the cosine of their tf-idf vectors where it
 *   is above 0.1; idf is taken from the document's own sentences. As in the paper, a sentence under 9 words is not chosen while
 *   there are others, nor one too similar to a sentence chosen before it, nor (ours) one over 75 words or that begins with a small
 *   letter, which is mostly a piece of one.
 * Words: TextRank. R. Mihalcea and P. Tarau, "TextRank: Bringing Order into Texts", EMNLP 2004: words that stand near each other
 *   are joined, the highest ranked are keywords, and those adjacent in the text are put together into phrases.
 *
 * It goes in steps, so that a caller can show each as it becomes known:
 *     summary_open, summary_rank, summary_pick until it returns none, summary_keywords, summary_close.
 * A 40 KiB document takes about 4 ms. Cost is bounded by the limits below, at worst by the pairs of sentences: a text made to join all
 * of them takes about 0.1 s and 25 MiB. One summary belongs to one thread at a time; different ones share nothing. */
#ifndef WEIR_SAMPLES_SUMMARIZE_SUMMARY_H
#define WEIR_SAMPLES_SUMMARIZE_SUMMARY_H

#include "samples/summarize/sentences.h"

enum {
    SUMMARY_TEXT_MAX = 64 * 1024, /* bytes */
    SUMMARY_PICKS_MAX = 20,
    SUMMARY_KEYWORDS_MAX = 20,
    KEYWORD_BYTES_MAX = 96,
};

typedef enum {
    SUMMARY_OK,
    SUMMARY_EMPTY,     /* no bytes, or only white space */
    SUMMARY_TOO_LARGE, /* over SUMMARY_TEXT_MAX bytes, or over SENTENCES_MAX sentences */
    SUMMARY_NOT_UTF8,
    SUMMARY_BINARY,   /* NUL, or more control characters than text has */
    SUMMARY_NO_WORDS, /* no word that carries a topic: only stop words, numbers, marks, or runs too long to be words */
    SUMMARY_NO_MEMORY,
} summary_status;

typedef struct summary summary;

struct summary_counts {
    uint32_t sentences; /* without headings */
    uint32_t headings, paragraphs, words, terms;
    uint32_t edges, iterations; /* 0 before summary_rank */
};

struct pick {
    uint32_t sentence; /* number in the document, headings counted */
    uint32_t at, size; /* its bytes in the document */
    double rank;       /* above 0; the document's highest ranked sentence has 1 */
};

struct keyword {
    char text[KEYWORD_BYTES_MAX];
    double rank;    /* the highest has 1 */
    uint32_t count; /* how often it occurs, in any form */
};

/* A sentence for people, e.g. "the text is not valid UTF-8". Lends a constant. */
const char *summary_status_text(summary_status status);

/* Splits and stems. Lends `text` to the summary until summary_close. Gives *out_summary only if SUMMARY_OK. */
summary_status summary_open(const char *text, size_t size, summary **out_summary);

/* Builds the graph and ranks the sentences; once, before summary_pick. SUMMARY_OK | SUMMARY_NO_MEMORY. */
summary_status summary_rank(summary *s);

/* The next best sentence, in the order of rank but for those passed over at first; false when none is left, or after
 * SUMMARY_PICKS_MAX. */
bool summary_pick(summary *s, struct pick *out_pick);

/* At most `room` key words and phrases, highest first; *out_count says how many. SUMMARY_OK | SUMMARY_NO_MEMORY. */
summary_status summary_keywords(const summary *s, struct keyword *out, uint32_t room, uint32_t *out_count);

/* How many sentences a summary of this document should have, if nobody says: one in 20, at least 3, at most 7. */
uint32_t summary_length(const summary *s);

struct summary_counts summary_counts(const summary *s);

/* Copies the sentence for reading: line breaks and runs of white space become one space, a NUL ends it. `out` has room for
 * pick->size + 1 bytes. Returns the size. */
size_t summary_copy(const summary *s, const struct pick *pick, char *out);

void summary_close(summary *s); /* NULL is allowed */

#endif
