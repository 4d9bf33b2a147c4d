/* Why: the steps a caller sees, and the choice of sentences. Choosing is greedy, highest rank first, and passes over what would
 * repeat an earlier choice; when only those are left, it takes them too, so that a short document still gets its number. */
#include "samples/summarize/summary.h"
#include "samples/summarize/summary_parts.h"
#include "samples/summarize/utf8.h"

#include <stdlib.h>
#include <string.h>

#define REPEAT_COSINE 0.5 /* from here on a sentence says what another one says */

enum {
    PICK_WORDS_MIN = 9,  /* MEAD's length cut-off, which the LexRank paper uses */
    PICK_WORDS_MAX = 75, /* a longer one does not shorten the reading */
    CONTROL_SHARE = 100, /* more than one control character in so many bytes: not a text */
};

const char *summary_status_text(summary_status status)
{
    switch (status) {
    case SUMMARY_OK:
        return "done";
    case SUMMARY_EMPTY:
        return "the text is empty";
    case SUMMARY_TOO_LARGE:
        return "the text is too large: at most 65536 bytes and 2000 sentences";
    case SUMMARY_NOT_UTF8:
        return "the text is not valid UTF-8";
    case SUMMARY_BINARY:
        return "this is binary data, not a text";
    case SUMMARY_NO_WORDS:
        return "the text has no words that carry a topic";
    case SUMMARY_NO_MEMORY:
        return "out of memory";
    }
    return "unknown";
}

static summary_status check_text(const char *text, size_t size)
{
    if (size > SUMMARY_TEXT_MAX) return SUMMARY_TOO_LARGE;
    if (memchr(text, '\0', size) != NULL) return SUMMARY_BINARY;
    if (!utf8_valid(text, size)) return SUMMARY_NOT_UTF8;
    size_t controls = 0, at = 0;
    for (size_t i = 0; i < size; i++)
        controls += ((unsigned char)text[i] < ' ' && !utf8_is_space((unsigned char)text[i])) || text[i] == 0x7F;
    if (controls * CONTROL_SHARE > size) return SUMMARY_BINARY;
    unsigned length = 0;
    while (at < size && utf8_is_space(utf8_at(text, at, &length)))
        at += length;
    return at == size ? SUMMARY_EMPTY : SUMMARY_OK;
}

static summary_status read_text(summary *s, size_t size)
{
    s->sentences = malloc(SENTENCES_MAX * sizeof *s->sentences);
    if (s->sentences == NULL) return SUMMARY_NO_MEMORY;
    s->sentence_count = sentences_split(s->text, size, s->sentences, SENTENCES_MAX);
    if (s->sentence_count > SENTENCES_MAX) return SUMMARY_TOO_LARGE;
    for (uint32_t i = 0; i < s->sentence_count; i++)
        s->heading_count += s->sentences[i].heading;
    if (s->heading_count == s->sentence_count) { /* a single line without a stop is all there is: then it is the text */
        for (uint32_t i = 0; i < s->sentence_count; i++)
            s->sentences[i].heading = false;
        s->heading_count = 0;
    }
    if (!words_read(s->text, s->sentences, s->sentence_count, &s->words)) return SUMMARY_NO_MEMORY;
    if (!vectors_build(s)) return SUMMARY_NO_MEMORY;
    return s->vectors.first[s->sentence_count] == 0 ? SUMMARY_NO_WORDS : SUMMARY_OK;
}

summary_status summary_open(const char *text, size_t size, summary **out_summary)
{
    if (size == 0) return SUMMARY_EMPTY;
    summary_status status = check_text(text, size);
    if (status != SUMMARY_OK) return status;
    summary *s = calloc(1, sizeof *s);
    if (s == NULL) return SUMMARY_NO_MEMORY;
    s->text = text;
    status = read_text(s, size);
    if (status != SUMMARY_OK)
        summary_close(s);
    else
        *out_summary = s;
    return status;
}

void summary_close(summary *s)
{
    if (s == NULL) return;
    free(s->sentences);
    free(s->rank);
    words_free(&s->words);
    vectors_free(&s->vectors);
    free(s);
}

summary_status summary_rank(summary *s)
{
    if (s->rank != NULL) return SUMMARY_OK;
    return lexrank(s) ? SUMMARY_OK : SUMMARY_NO_MEMORY;
}

static bool is_picked(const summary *s, uint32_t i)
{
    for (uint32_t p = 0; p < s->picked_count; p++)
        if (s->picked[p] == i) return true;
    return false;
}

static bool is_wanted(const summary *s, uint32_t i)
{
    unsigned length;
    if (utf8_is_lower(utf8_at(s->text, s->sentences[i].at, &length))) return false; /* a piece of one */
    if (s->sentences[i].words < PICK_WORDS_MIN || s->sentences[i].words > PICK_WORDS_MAX) return false;
    for (uint32_t p = 0; p < s->picked_count; p++)
        if (vectors_cosine(&s->vectors, s->picked[p], i) > REPEAT_COSINE) return false;
    return true;
}

/* The best of those not picked yet, or sentence_count. */
static uint32_t best_left(const summary *s)
{
    uint32_t best = s->sentence_count;
    for (uint32_t i = 0; i < s->sentence_count; i++) {
        bool better = s->rank[i] > (best == s->sentence_count ? 0 : s->rank[best]);
        bool empty = s->vectors.first[i] == s->vectors.first[i + 1];
        if (better && !empty && !is_picked(s, i) && (s->relaxed || is_wanted(s, i))) best = i;
    }
    return best;
}

bool summary_pick(summary *s, struct pick *out_pick)
{
    if (s->rank == NULL || s->picked_count == SUMMARY_PICKS_MAX) return false;
    uint32_t best = best_left(s);
    if (best == s->sentence_count && !s->relaxed) {
        s->relaxed = true;
        best = best_left(s);
    }
    if (best == s->sentence_count) return false;
    s->picked[s->picked_count++] = best;
    *out_pick = (struct pick){ best, s->sentences[best].at, s->sentences[best].size, s->rank[best] };
    return true;
}

uint32_t summary_length(const summary *s)
{
    uint32_t length = (s->sentence_count - s->heading_count + 10) / 20;
    return length < 3 ? 3 : length > 7 ? 7 : length;
}

struct summary_counts summary_counts(const summary *s)
{
    return (struct summary_counts){
        .sentences = s->sentence_count - s->heading_count,
        .headings = s->heading_count,
        .paragraphs = s->sentences[s->sentence_count - 1].paragraph + 1,
        .words = s->words.word_count,
        .terms = s->words.term_count,
        .edges = s->edges,
        .iterations = s->iterations,
    };
}

size_t summary_copy(const summary *s, const struct pick *pick, char *out)
{
    size_t written = 0;
    unsigned length;
    bool space = false;
    for (size_t at = pick->at; at < pick->at + pick->size; at += length) {
        uint32_t c = utf8_at(s->text, at, &length);
        if (utf8_is_space(c)) {
            space = written > 0;
            continue;
        }
        if (space) out[written++] = ' ';
        space = false;
        memcpy(out + written, s->text + at, length);
        written += length;
    }
    out[written] = '\0';
    return written;
}
