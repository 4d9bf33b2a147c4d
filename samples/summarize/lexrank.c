/* Why: centrality among sentences, by the paper named in summary.h. The graph is found through lists of "which sentences hold this
 * term", so only pairs that share a term are looked at; a term that stands in most sentences tells none apart and is not followed. */
#include "samples/summarize/graph.h"
#include "samples/summarize/summary_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COSINE_MIN 0.1 /* the threshold the paper found best */

enum { COMMON_TERM_SENTENCES = 40 }; /* below this many sentences every shared term is followed */

static int by_term(const void *a, const void *b)
{
    uint32_t x = ((const struct weight *)a)->term, y = ((const struct weight *)b)->term;
    return (x > y) - (x < y);
}

/* Adds up equal terms of a sorted run; returns the size that is left. */
static uint32_t merge_terms(struct weight *run, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && run[kept - 1].term == run[i].term)
            run[kept - 1].value += run[i].value;
        else
            run[kept++] = run[i];
    }
    return kept;
}

static void count_terms(struct summary *s)
{
    struct vectors *v = &s->vectors;
    uint32_t filled = 0, token = 0;
    for (uint32_t i = 0; i < s->sentence_count; i++) {
        uint32_t start = filled;
        v->first[i] = start;
        for (; token < s->words.token_count && s->words.tokens[token].sentence == i; token++)
            if (!s->sentences[i].heading) v->weights[filled++] = (struct weight){ s->words.tokens[token].term, 1 };
        qsort(v->weights + start, filled - start, sizeof *v->weights, by_term);
        filled = start + merge_terms(v->weights + start, filled - start);
        for (uint32_t w = start; w < filled; w++)
            v->in[v->weights[w].term]++;
    }
    v->first[s->sentence_count] = filled;
}

bool vectors_build(struct summary *s)
{
    struct vectors *v = &s->vectors;
    v->weights = malloc((s->words.token_count + 1u) * sizeof *v->weights);
    v->first = malloc((s->sentence_count + 1u) * sizeof *v->first);
    v->in = calloc(s->words.term_count + 1u, sizeof *v->in);
    if (v->weights == NULL || v->first == NULL || v->in == NULL) return false;
    count_terms(s);
    double documents = s->sentence_count - s->heading_count;
    for (uint32_t i = 0; i < s->sentence_count; i++) {
        double squares = 0;
        for (uint32_t w = v->first[i]; w < v->first[i + 1]; w++) {
            struct weight *weight = &v->weights[w];
            double value = (double)weight->value * log(1 + documents / v->in[weight->term]);
            weight->value = (float)value;
            squares += value * value;
        }
        for (uint32_t w = v->first[i]; w < v->first[i + 1]; w++)
            v->weights[w].value = (float)((double)v->weights[w].value / sqrt(squares));
    }
    return true;
}

void vectors_free(struct vectors *v)
{
    free(v->weights);
    free(v->first);
    free(v->in);
    *v = (struct vectors){ 0 };
}

double vectors_cosine(const struct vectors *v, uint32_t a, uint32_t b)
{
    double sum = 0;
    uint32_t i = v->first[a], j = v->first[b];
    while (i < v->first[a + 1] && j < v->first[b + 1]) {
        const struct weight *x = &v->weights[i], *y = &v->weights[j];
        if (x->term == y->term) sum += (double)x->value * (double)y->value;
        i += x->term <= y->term;
        j += y->term <= x->term;
    }
    return sum;
}

/* Which sentences hold a term, and how strongly; filled in document order while the graph is built. */
struct holders {
    uint32_t *first;  /* per term: where its list begins */
    uint32_t *filled; /* per term: how long it is by now */
    struct {
        uint32_t sentence;
        float value;
    } * entries;
};

/* Joins sentence i to the earlier ones it resembles, then enters it in the lists. `sums` is all zero before and after. */
static bool join_sentence(const struct summary *s, struct holders *h, uint32_t i, double *sums, uint32_t *touched, struct graph *graph)
{
    const struct vectors *v = &s->vectors;
    uint32_t sentences = s->sentence_count - s->heading_count, touched_count = 0;
    for (uint32_t w = v->first[i]; w < v->first[i + 1]; w++) {
        const struct weight *weight = &v->weights[w];
        if (sentences > COMMON_TERM_SENTENCES && v->in[weight->term] > sentences / 2) continue;
        uint32_t first = h->first[weight->term], count = h->filled[weight->term]++;
        for (uint32_t e = first; e < first + count; e++) {
            uint32_t other = h->entries[e].sentence;
            if (sums[other] == 0) touched[touched_count++] = other;
            sums[other] += (double)weight->value * (double)h->entries[e].value;
        }
        h->entries[first + count].sentence = i;
        h->entries[first + count].value = weight->value;
    }
    bool joined = true;
    for (uint32_t t = 0; t < touched_count; t++) {
        double cosine = sums[touched[t]];
        sums[touched[t]] = 0;
        if (cosine > COSINE_MIN) joined = joined && graph_join(graph, i, touched[t], (float)cosine);
    }
    return joined;
}

static bool build_graph(const struct summary *s, struct graph *graph)
{
    const struct vectors *v = &s->vectors;
    uint32_t terms = s->words.term_count, n = s->sentence_count;
    struct holders h = { .first = malloc((terms + 1u) * sizeof *h.first), .filled = calloc(terms + 1u, sizeof *h.filled) };
    h.entries = malloc((v->first[n] + 1u) * sizeof *h.entries);
    double *sums = calloc(n + 1u, sizeof *sums);
    uint32_t *touched = malloc((n + 1u) * sizeof *touched);
    bool done = h.first != NULL && h.filled != NULL && h.entries != NULL && sums != NULL && touched != NULL;
    uint32_t next = 0;
    for (uint32_t t = 0; done && t < terms; t++) {
        h.first[t] = next;
        next += v->in[t];
    }
    for (uint32_t i = 0; done && i < n; i++)
        done = join_sentence(s, &h, i, sums, touched, graph);
    free(h.first);
    free(h.filled);
    free(h.entries);
    free(sums);
    free(touched);
    return done;
}

bool lexrank(struct summary *s)
{
    struct graph graph;
    graph_init(&graph, s->sentence_count);
    s->rank = malloc((s->sentence_count + 1u) * sizeof *s->rank);
    bool done = s->rank != NULL && build_graph(s, &graph);
    if (done) {
        s->iterations = graph_rank(&graph, s->rank);
        s->edges = graph.edge_count;
        done = s->iterations > 0;
    }
    graph_free(&graph);
    if (!done) return false;
    double highest = 0;
    for (uint32_t i = 0; i < s->sentence_count; i++) {
        if (s->sentences[i].heading) s->rank[i] = 0;
        if (s->rank[i] > highest) highest = s->rank[i];
    }
    for (uint32_t i = 0; highest > 0 && i < s->sentence_count; i++)
        s->rank[i] /= highest;
    return true;
}
