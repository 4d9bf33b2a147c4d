/* Why: key words by TextRank, the paper named in summary.h. Without a tagger that tells nouns from verbs, the stop words are all that
 * is left out; the window is counted in the words that stay. A pair of high ranked words that often stand side by side becomes a
 * phrase, and takes the place of a word that hardly stands without it. */
#include "samples/summarize/graph.h"
#include "samples/summarize/summary_parts.h"
#include "samples/summarize/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 3,     /* a word is joined to the next two that stay */
    TOP_TERMS = 60, /* highest ranked terms that may become key words */
    PHRASE_COUNT_MIN = 2,
    SPELLINGS_MAX = 64, /* occurrences looked at to find the usual spelling */
};

/* One or two terms; second == first for a single one. */
struct candidate {
    uint32_t first, second;
    uint32_t count;
    double rank;
    bool dropped;
};

static bool in_heading(const struct summary *s, const struct token *token)
{
    return s->sentences[token->sentence].heading;
}

static bool join_words(const struct summary *s, struct graph *graph)
{
    const struct token *tokens = s->words.tokens;
    for (uint32_t i = 0; i < s->words.token_count; i++) {
        if (in_heading(s, &tokens[i])) continue;
        for (uint32_t j = i + 1; j < s->words.token_count && j < i + WINDOW && tokens[j].sentence == tokens[i].sentence; j++)
            if (tokens[j].term != tokens[i].term && !graph_join(graph, tokens[i].term, tokens[j].term, 1)) return false;
    }
    return true;
}

/* The highest ranked terms, highest first; of equal ones the earlier. */
static uint32_t top_terms(const double *rank, uint32_t terms, uint32_t *out)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < terms; t++) {
        if (count == TOP_TERMS && rank[t] <= rank[out[count - 1]]) continue;
        uint32_t place = count < TOP_TERMS ? count++ : count - 1;
        for (; place > 0 && rank[out[place - 1]] < rank[t]; place--)
            out[place] = out[place - 1];
        out[place] = t;
    }
    return count;
}

static uint32_t place_of(const uint32_t *top, uint32_t count, uint32_t term)
{
    uint32_t place = 0;
    while (place < count && top[place] != term)
        place++;
    return place;
}

/* Tokens i and i + 1 stand side by side, and neither is part of a longer word with a hyphen. */
static bool is_pair(const struct summary *s, uint32_t i)
{
    if (i + 1 >= s->words.token_count || !s->words.tokens[i + 1].joined) return false;
    const struct token *a = &s->words.tokens[i], *b = a + 1;
    const struct sentence *in = &s->sentences[b->sentence];
    bool before = a->at > in->at && s->text[a->at - 1] == '-';
    bool after = b->at + b->size < in->at + in->size && s->text[b->at + b->size] == '-';
    return !before && !after;
}

/* How often each top term, and each pair of them side by side, stands in the text (headings left out). */
struct tally {
    uint32_t single[TOP_TERMS];
    uint32_t pair[TOP_TERMS][TOP_TERMS];
};

static void count_top(const struct summary *s, const uint32_t *top, uint32_t count, struct tally *tally)
{
    for (uint32_t i = 0; i < s->words.token_count; i++) {
        const struct token *token = &s->words.tokens[i];
        uint32_t place = in_heading(s, token) ? count : place_of(top, count, token->term);
        if (place == count) continue;
        tally->single[place]++;
        uint32_t next = is_pair(s, i) ? place_of(top, count, token[1].term) : count;
        if (next < count && next != place) tally->pair[place][next]++;
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

/* Adds the phrases after the single terms; drops a term that mostly stands in them. Returns how many candidates there are. */
static uint32_t add_phrases(const struct tally *tally, uint32_t terms, struct candidate *all, uint32_t room)
{
    uint32_t count = terms, covered[TOP_TERMS] = { 0 };
    for (uint32_t a = 0; a < terms; a++)
        for (uint32_t b = 0; b < terms; b++) {
            uint32_t together = tally->pair[a][b];
            uint32_t rarer = tally->single[a] < tally->single[b] ? tally->single[a] : tally->single[b];
            if (together < PHRASE_COUNT_MIN || together * 3 < rarer || count == room) continue;
            double share = (double)together / rarer;
            all[count++] = (struct candidate){ all[a].first, all[b].first, together, (all[a].rank + all[b].rank) * share, false };
            covered[a] += together;
            covered[b] += together;
        }
    for (uint32_t t = 0; t < terms; t++)
        all[t].dropped = covered[t] * 2 > tally->single[t];
    return count;
}

/* The bytes of the text where the candidate stands at token i, or 0 if it does not. */
static uint32_t span_at(const struct summary *s, const struct candidate *c, uint32_t i)
{
    const struct token *token = &s->words.tokens[i];
    if (token->term != c->first || in_heading(s, token)) return 0;
    if (c->first == c->second) return token->size;
    const struct token *next = token + 1;
    if (!is_pair(s, i) || next->term != c->second) return 0;
    return next->at + next->size - token->at;
}

/* As it stands in the text, but with a line break as a space and without an apostrophe's tail. */
static size_t spell(const struct summary *s, uint32_t at, uint32_t size, char *out)
{
    unsigned length;
    size_t written = 0;
    for (uint32_t end = at + size; at < end && written + 4 < KEYWORD_BYTES_MAX; at += length) {
        uint32_t c = utf8_at(s->text, at, &length);
        if (c == '\'' || c == 0x2019) break;
        written += utf8_put(c == '\n' ? ' ' : c, out + written);
    }
    out[written] = '\0';
    return written;
}

/* The most frequent spelling; those that open a sentence only count if there are no others. */
static void usual_spelling(const struct summary *s, const struct candidate *c, char out[KEYWORD_BYTES_MAX])
{
    char seen[SPELLINGS_MAX][KEYWORD_BYTES_MAX];
    uint32_t times[SPELLINGS_MAX] = { 0 }, kinds = 0, looked = 0, best = 0;
    for (int opening = 0; opening < 2 && kinds == 0; opening++)
        for (uint32_t i = 0; i < s->words.token_count && looked < SPELLINGS_MAX; i++) {
            uint32_t size = s->words.tokens[i].opens == (opening == 1) ? span_at(s, c, i) : 0;
            if (size == 0) continue;
            looked++;
            spell(s, s->words.tokens[i].at, size, seen[kinds]);
            uint32_t k = 0;
            while (strcmp(seen[k], seen[kinds]) != 0)
                k++;
            times[k]++;
            kinds += k == kinds;
        }
    for (uint32_t k = 1; k < kinds; k++)
        if (times[k] > times[best]) best = k;
    memcpy(out, seen[best], KEYWORD_BYTES_MAX);
}

static uint32_t choose(const struct summary *s, struct candidate *all, uint32_t count, struct keyword *out, uint32_t room)
{
    qsort(all, count, sizeof *all, by_rank);
    uint32_t chosen = 0;
    double highest = 0;
    for (uint32_t i = 0; i < count && chosen < room; i++) {
        if (all[i].dropped || all[i].count == 0) continue;
        if (chosen == 0) highest = all[i].rank;
        struct keyword *k = &out[chosen++];
        usual_spelling(s, &all[i], k->text);
        k->rank = all[i].rank / highest;
        k->count = all[i].count;
    }
    return chosen;
}

summary_status summary_keywords(const summary *s, struct keyword *out, uint32_t room, uint32_t *out_count)
{
    enum { CANDIDATES_MAX = TOP_TERMS * 3 };
    struct graph graph;
    graph_init(&graph, s->words.term_count);
    double *rank = malloc((s->words.term_count + 1u) * sizeof *rank);
    struct tally *tally = calloc(1, sizeof *tally);
    bool done = rank != NULL && tally != NULL && join_words(s, &graph) && graph_rank(&graph, rank) > 0;
    if (done) {
        uint32_t top[TOP_TERMS], terms = top_terms(rank, s->words.term_count, top);
        struct candidate all[CANDIDATES_MAX];
        count_top(s, top, terms, tally);
        for (uint32_t i = 0; i < terms; i++)
            all[i] = (struct candidate){ top[i], top[i], tally->single[i], rank[top[i]], false };
        uint32_t count = add_phrases(tally, terms, all, CANDIDATES_MAX);
        *out_count = choose(s, all, count, out, room);
    }
    graph_free(&graph);
    free(rank);
    free(tally);
    return done ? SUMMARY_OK : SUMMARY_NO_MEMORY;
}
