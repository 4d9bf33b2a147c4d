/* What a summary is made of, shared by its two halves (sentences in summary.c and lexrank.c, words in keywords.c). */
#ifndef WEIR_SAMPLES_SUMMARIZE_SUMMARY_PARTS_H
#define WEIR_SAMPLES_SUMMARIZE_SUMMARY_PARTS_H

#include "samples/summarize/summary.h"
#include "samples/summarize/words.h"

/* One term of one sentence. */
struct weight {
    uint32_t term;
    float value; /* tf * idf, divided by the length of the sentence's vector */
};

/* Sparse tf-idf vectors of all sentences, each of length 1, terms rising. Headings' are empty. */
struct vectors {
    struct weight *weights;
    uint32_t *first; /* sentence i has weights[first[i]] to weights[first[i + 1] - 1] */
    uint32_t *in;    /* per term: in how many sentences it stands */
};

struct summary {
    const char *text;
    struct sentence *sentences;
    uint32_t sentence_count, heading_count;
    struct words words;
    struct vectors vectors;
    double *rank; /* per sentence; NULL before summary_rank */
    uint32_t edges, iterations;
    bool relaxed; /* picks are down to sentences that were passed over at first */
    uint32_t picked[SUMMARY_PICKS_MAX];
    uint32_t picked_count;
};

/* Builds the vectors of s->words. False: no memory (what was built is freed by vectors_free). */
bool vectors_build(struct summary *s);
void vectors_free(struct vectors *v);

/* The cosine of two sentences, 0 to 1. */
double vectors_cosine(const struct vectors *v, uint32_t a, uint32_t b);

/* Ranks the sentences by LexRank into s->rank (headings 0, the highest 1). False: no memory. */
bool lexrank(struct summary *s);

#endif
