/* Why: "nation", "Nations" and "nation's" must count as one. A table of stems gives each its number; it is sized from the text, so
 * that it never grows. The stems themselves are needed only while reading. */
#include "samples/summarize/words.h"
#include "samples/summarize/stopwords.h"
#include "samples/summarize/utf8.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    uint32_t at, size; /* of the stem, in the pool; size 0: free */
    uint32_t term;
};

struct reader {
    const char *text;
    struct sb_stemmer *stemmer;
    struct slot *slots;
    uint32_t slot_mask;
    char *pool; /* stems one behind the other; a stem is at most one byte longer than its word */
    uint32_t pool_size;
    struct words words;
};

static bool is_apostrophe(uint32_t c)
{
    return c == '\'' || c == 0x2019;
}

size_t words_fold(const char *text, size_t at, size_t size, char *out)
{
    size_t written = 0;
    unsigned length;
    for (size_t end = at + size; at < end; at += length) {
        uint32_t c = utf8_at(text, at, &length);
        written += utf8_put(is_apostrophe(c) ? '\'' : utf8_fold(c), out + written);
    }
    out[written] = '\0';
    return written;
}

/* The end of the word at `at`: letters and digits, with apostrophes inside. */
static size_t word_end(const char *text, size_t at, size_t end, bool *out_number)
{
    unsigned length, after;
    *out_number = false;
    while (at < end) {
        uint32_t c = utf8_at(text, at, &length);
        if (utf8_is_digit(c))
            *out_number = true;
        else if (is_apostrophe(c)) {
            if (at + length >= end || !utf8_is_letter(utf8_at(text, at + length, &after))) break;
        } else if (!utf8_is_letter(c))
            break;
        at += length;
    }
    return at;
}

static uint32_t hash(const char *bytes, size_t size)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)bytes[i]) * 16777619u;
    return h ^ h >> 15;
}

static uint32_t term_of(struct reader *r, const char *stem, size_t size)
{
    uint32_t place = hash(stem, size) & r->slot_mask;
    while (r->slots[place].size != 0) {
        struct slot *slot = &r->slots[place];
        if (slot->size == size && memcmp(r->pool + slot->at, stem, size) == 0) return slot->term;
        place = (place + 1) & r->slot_mask;
    }
    r->slots[place] = (struct slot){ r->pool_size, (uint32_t)size, r->words.term_count };
    memcpy(r->pool + r->pool_size, stem, size);
    r->pool_size += (uint32_t)size;
    return r->words.term_count++;
}

/* Stems the word and makes it a token; false if it carries no topic or there is no memory (*out_failed). */
static bool take_word(struct reader *r, struct token *token, bool *out_failed)
{
    char word[WORD_BYTES_MAX + 1];
    size_t size = words_fold(r->text, token->at, token->size, word);
    if (stopword(word, size)) return false;
    char *tail = strchr(word, '\'');
    if (tail != NULL && tail != word) size = (size_t)(tail - word); /* whale's, they'll */
    if (size < 2 || stopword(word, size)) return false;
    const sb_symbol *stem = sb_stemmer_stem(r->stemmer, (const sb_symbol *)word, (int)size);
    *out_failed = stem == NULL;
    if (stem == NULL) return false;
    token->term = term_of(r, (const char *)stem, (size_t)sb_stemmer_length(r->stemmer));
    return true;
}

/* A hyphen joins a word to parts that are no words of their own ("Bottle-Nose"), so it is none. */
static bool is_joint(const char *text, size_t at, size_t end)
{
    return end - at == 1 && (text[at] == ' ' || text[at] == '\n');
}

static bool read_sentence(struct reader *r, struct sentence *sentences, uint32_t i)
{
    struct sentence *s = &sentences[i];
    size_t at = s->at, end = at + s->size, previous_end = 0;
    unsigned length;
    while (at < end) {
        uint32_t c = utf8_at(r->text, at, &length);
        if (!utf8_is_letter(c) && !utf8_is_digit(c)) {
            at += length;
            continue;
        }
        bool number, failed = false;
        size_t stop = word_end(r->text, at, end, &number);
        struct token token = { .sentence = i, .at = (uint32_t)at, .opens = s->words == 0 };
        s->words++;
        if (!number && stop - at <= WORD_BYTES_MAX) {
            token.size = (uint16_t)(stop - at);
            if (take_word(r, &token, &failed)) {
                token.joined = previous_end != 0 && is_joint(r->text, previous_end, at);
                r->words.tokens[r->words.token_count++] = token;
                previous_end = stop;
            }
            if (failed) return false;
        }
        at = stop;
    }
    r->words.word_count += s->words;
    return true;
}

bool words_read(const char *text, struct sentence *sentences, uint32_t sentence_count, struct words *out)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < sentence_count; i++)
        bytes += sentences[i].size + 1u;
    size_t words_max = bytes / 2 + 1; /* a word takes a letter and a space, so the table is at most half full */
    size_t slots = 16;
    while (slots < words_max * 2)
        slots *= 2;
    struct reader r = { .text = text, .slot_mask = (uint32_t)(slots - 1) };
    r.stemmer = sb_stemmer_new("english", "UTF_8");
    r.slots = calloc(slots, sizeof *r.slots);
    r.pool = malloc(bytes + words_max);
    r.words.tokens = malloc(words_max * sizeof *r.words.tokens);
    bool done = r.stemmer != NULL && r.slots != NULL && r.pool != NULL && r.words.tokens != NULL;
    for (uint32_t i = 0; done && i < sentence_count; i++) {
        sentences[i].words = 0;
        done = read_sentence(&r, sentences, i);
    }
    if (r.stemmer != NULL) sb_stemmer_delete(r.stemmer);
    free(r.slots);
    free(r.pool);
    if (!done) {
        words_free(&r.words);
        return false;
    }
    *out = r.words;
    return true;
}

void words_free(struct words *words)
{
    free(words->tokens);
    *words = (struct words){ 0 };
}
