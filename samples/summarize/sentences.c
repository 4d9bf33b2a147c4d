/* Why: everything later rests on where sentences end, and "Mr. Speaker" must not end one. Two passes: lines into blocks
 * (paragraph or heading), then a block into sentences. The decision whether a full stop ends a sentence stands in stop_ends().
 * After: T. Kiss and J. Strunk, "Unsupervised Multilingual Sentence Boundary Detection", 2006, whose heuristics on what may
 * follow an abbreviation are used here with a fixed list instead of a learned one. */
#include "samples/summarize/sentences.h"
#include "samples/summarize/stopwords.h"
#include "samples/summarize/utf8.h"

#include <string.h>

enum {
    WRAPPED_LINE_MAX = 120, /* a longer line is a paragraph of its own */
    HEADING_BYTES_MAX = 90,
    HEADING_WORDS_MAX = 12,
    PIECE_BYTES_MIN = 100, /* no piece of an over-long sentence is shorter, if there is a choice */
    WORD_ROOM = 24,
};

struct splitter {
    const char *text;
    size_t size;
    struct sentence *out;
    uint32_t room, count, paragraph;
};

struct line {
    size_t at, size; /* trimmed */
    size_t next;     /* where the next line begins */
};

static bool space_at(const char *text, size_t at, unsigned *out_size)
{
    return utf8_is_space(utf8_at(text, at, out_size));
}

/* Moves *at and *end inwards over white space. */
static void trim(const char *text, size_t *at, size_t *end)
{
    unsigned length;
    while (*at < *end && space_at(text, *at, &length))
        *at += length;
    while (*end > *at) {
        size_t last = *end - 1;
        while (((unsigned char)text[last] & 0xC0) == 0x80)
            last--;
        if (!space_at(text, last, &length)) return;
        *end = last;
    }
}

static void put_sentence(struct splitter *s, size_t at, size_t end, bool heading)
{
    trim(s->text, &at, &end);
    if (at == end) return;
    if (s->count < s->room)
        s->out[s->count] =
            (struct sentence){ .at = (uint32_t)at, .size = (uint32_t)(end - at), .paragraph = s->paragraph, .heading = heading };
    s->count++;
}

/* Where to cut an over-long sentence: after the last mark of the best kind that leaves both parts a decent size. */
static size_t cut_place(const char *text, size_t at)
{
    size_t best = 0;
    int best_kind = 0;
    for (size_t i = at + PIECE_BYTES_MIN; i < at + SENTENCE_PIECE_MAX; i++) {
        if (text[i] != ' ' && text[i] != '\n') continue;
        char before = text[i - 1];
        int kind = before == ';' || before == ':' || before == '-' ? 3 : before == ',' ? 2 : 1;
        if (kind < best_kind) continue;
        best = i;
        best_kind = kind;
    }
    if (best_kind > 0) return best;
    size_t hard = at + SENTENCE_PIECE_MAX;
    while (((unsigned char)text[hard] & 0xC0) == 0x80)
        hard--;
    return hard;
}

static void put_cut(struct splitter *s, size_t at, size_t end)
{
    bool too_long = end - at > SENTENCE_BYTES_MAX;
    while (too_long && end - at > SENTENCE_PIECE_MAX) {
        size_t cut = cut_place(s->text, at);
        put_sentence(s, at, cut, false);
        at = cut;
    }
    put_sentence(s, at, end, false);
}

static bool is_end_mark(uint32_t c)
{
    return c == '.' || c == '!' || c == '?' || c == 0x2026;
}

static bool is_ideographic_stop(uint32_t c)
{
    return c == 0x3002 || c == 0xFF01 || c == 0xFF1F;
}

static bool is_closer(uint32_t c)
{
    return c == '"' || c == '\'' || c == ')' || c == ']' || c == 0x2019 || c == 0x201D || c == 0xBB || c == 0x203A || c == '*' || c == '_';
}

static bool is_opener(uint32_t c)
{
    return c == '"' || c == '\'' || c == '(' || c == '[' || c == 0x2018 || c == 0x201C || c == 0xAB || c == 0x2039 || c == 0x201E ||
           c == '*' || c == '_';
}

/* Abbreviations after which a name or number follows: their stop never ends a sentence. */
static const char *const before_a_name[] = { "mr",  "mrs", "ms",  "messrs", "mme",  "dr",   "prof", "rev", "hon",  "sen",   "rep",
                                             "gov", "gen", "col", "maj",    "capt", "cmdr", "lt",   "sgt", "adm",  "st",    "mt",
                                             "fr",  "vs",  "cf",  "e.g",    "i.e",  "viz",  "esp",  "fig", "figs", "eq",    "vol",
                                             "pp",  "ch",  "sec", "art",    "nos",  "ed",   "eds",  "al",  "ca",   "approx" };
/* Abbreviations that may stand last: their stop ends a sentence if what follows is a word that begins sentences, not names. */
static const char *const may_stand_last[] = { "etc", "jr",   "sr",  "inc",  "ltd", "co",  "corp", "bros", "ave", "blvd",
                                              "rd",  "dept", "est", "esq",  "phd", "jan", "feb",  "mar",  "apr", "jun",
                                              "jul", "aug",  "sep", "sept", "oct", "nov", "dec",  "mon",  "tue", "wed",
                                              "thu", "fri",  "sat", "sun",  "ft",  "in",  "lb",   "lbs",  "oz",  "no" };

static bool listed(const char *const *list, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0) return true;
    return false;
}

/* The word that ends before `end`, folded, into out; "" if there is none or it is long. */
static void word_before(const char *text, size_t start, size_t end, char out[WORD_ROOM])
{
    size_t at = end;
    while (at > start) {
        char c = text[at - 1];
        if (utf8_is_space((unsigned char)c) || (c != '.' && is_opener((unsigned char)c)) || (unsigned char)c >= 0x80 || c == '-') break;
        at--;
    }
    size_t size = end - at;
    if (size >= WORD_ROOM) size = 0;
    for (size_t i = 0; i < size; i++)
        out[i] = (char)utf8_fold((unsigned char)text[at + i]);
    out[size] = '\0';
}

/* True if the word at `at` is one that begins sentences (a stop word: The, He, In), not a name. */
static bool begins_sentences(const char *text, size_t at, size_t end)
{
    char word[WORD_ROOM];
    size_t size = 0;
    unsigned length;
    while (at < end && size < WORD_ROOM - 4) {
        uint32_t c = utf8_at(text, at, &length);
        if (!utf8_is_letter(c)) break;
        size += utf8_put(utf8_fold(c), word + size);
        at += length;
    }
    return size > 0 && stopword(word, size);
}

static bool is_roman(const char *word)
{
    return word[0] != '\0' && strspn(word, "ivxlc") == strlen(word);
}

/* Does the single full stop at `stop` end a sentence, when the next word begins at `next`? */
static bool stop_ends(const char *text, size_t start, size_t stop, size_t next, size_t end)
{
    unsigned length;
    char word[WORD_ROOM];
    word_before(text, start, stop, word);
    size_t size = strlen(word);
    bool starter = begins_sentences(text, next, end);

    if (listed(before_a_name, sizeof before_a_name / sizeof *before_a_name, word)) return false;
    if (strcmp(word, "no") == 0 && !utf8_is_digit(utf8_at(text, next, &length))) return true; /* "No. 5", but: "He said no." */
    if (listed(may_stand_last, sizeof may_stand_last / sizeof *may_stand_last, word)) return starter;
    if (strcmp(word, "i") == 0) return false; /* far more often a numeral than a last word */
    bool number = size > 0 && strspn(word, "0123456789.,") == size;
    if (stop - size == start && (number || is_roman(word))) return false; /* "1. " or "IV. " opens the block */
    bool initial = size == 1 && utf8_is_letter((unsigned char)word[0]);
    if (initial || (!number && strchr(word, '.') != NULL)) return starter; /* J. | U.S. | a.m. */
    return true;
}

/* The end of the sentence whose end mark is at `mark`, or 0 if it goes on. */
static size_t end_after(const char *text, size_t start, size_t mark, size_t end)
{
    unsigned length;
    uint32_t c = utf8_at(text, mark, &length);
    bool single_stop = c == '.';
    bool ideographic = is_ideographic_stop(c);
    size_t at = mark + length;
    while (at < end && (is_end_mark(c = utf8_at(text, at, &length)) || is_closer(c))) {
        single_stop = single_stop && !is_end_mark(c);
        at += length;
    }
    if (at >= end || ideographic) return at;

    size_t next = at;
    while (next < end && space_at(text, next, &length))
        next += length;
    if (next == at) return 0; /* 3.14, example.org, .—This */
    if (next >= end) return at;
    while (next < end && is_opener(utf8_at(text, next, &length)))
        next += length;
    if (next >= end) return at;
    c = utf8_at(text, next, &length);
    if (!utf8_is_letter(c) && !utf8_is_digit(c)) return 0; /* a dash or a comma goes on */
    if (utf8_is_lower(c)) return 0;
    if (single_stop && !stop_ends(text, start, mark, next, end)) return 0;
    return at;
}

static void split_block(struct splitter *s, size_t at, size_t end)
{
    size_t start = at;
    unsigned length;
    while (at < end) {
        uint32_t c = utf8_at(s->text, at, &length);
        size_t stop = is_end_mark(c) || is_ideographic_stop(c) ? end_after(s->text, start, at, end) : 0;
        if (stop == 0) {
            at += length;
            continue;
        }
        put_cut(s, start, stop);
        at = stop;
        while (at < end && space_at(s->text, at, &length))
            at += length;
        start = at;
    }
    if (start < end) put_cut(s, start, end);
}

static bool starts_with_division(const char *text, size_t size)
{
    static const char *const names[] = { "chapter ", "article ", "section ", "book ", "part ", "amendment ", "appendix " };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]), same = 0;
        while (same < length && same < size && utf8_fold((unsigned char)text[same]) == (unsigned char)names[i][same])
            same++;
        if (same < length || same == size) continue;
        char mark = text[same];
        if ((mark >= '0' && mark <= '9') || strchr("IVXLC", mark) != NULL) return true;
    }
    return false;
}

static bool is_heading(const char *text, size_t at, size_t size)
{
    if (text[at] == '#') return true;
    if (size > HEADING_BYTES_MAX) return false;
    unsigned words = 1, length;
    for (size_t i = at; i < at + size; i += length)
        words += space_at(text, i, &length);
    if (words > HEADING_WORDS_MAX) return false;
    if (starts_with_division(text + at, size)) return true;
    size_t last = at + size - 1;
    while (((unsigned char)text[last] & 0xC0) == 0x80)
        last--;
    uint32_t c = utf8_at(text, last, &length);
    return utf8_is_letter(c) || utf8_is_digit(c) || c == ',' || c == ':';
}

static bool is_list_item(const char *text, const struct line *line)
{
    const char *p = text + line->at;
    if (line->size >= 2 && (p[0] == '-' || p[0] == '*' || p[0] == '+') && p[1] == ' ') return true;
    size_t digits = 0;
    while (digits < line->size && digits < 3 && p[digits] >= '0' && p[digits] <= '9')
        digits++;
    return digits > 0 && digits + 1 < line->size && (p[digits] == '.' || p[digits] == ')') && p[digits + 1] == ' ';
}

static struct line line_at(const char *text, size_t size, size_t at)
{
    const char *newline = memchr(text + at, '\n', size - at);
    size_t end = newline == NULL ? size : (size_t)(newline - text);
    struct line line = { .next = newline == NULL ? size : end + 1 };
    size_t start = at;
    trim(text, &start, &end);
    line.at = start;
    line.size = end - start;
    return line;
}

static void end_block(struct splitter *s, size_t at, size_t end, unsigned lines)
{
    if (lines == 0) return;
    if (lines == 1 && is_heading(s->text, at, end - at))
        put_sentence(s, at, end, true);
    else
        split_block(s, at, end);
    s->paragraph++;
}

uint32_t sentences_split(const char *text, size_t size, struct sentence *out, uint32_t room)
{
    struct splitter s = { .text = text, .size = size, .out = out, .room = room };
    size_t block = 0, block_end = 0;
    unsigned lines = 0;
    bool alone = false; /* the line before is a paragraph of its own */
    for (size_t at = 0; at < size;) {
        struct line line = line_at(text, size, at);
        at = line.next;
        if (line.size == 0 || alone || is_list_item(text, &line) || text[line.at] == '#' || line.size > WRAPPED_LINE_MAX) {
            end_block(&s, block, block_end, lines);
            lines = 0;
        }
        if (line.size == 0) {
            alone = false;
            continue;
        }
        if (lines == 0) block = line.at;
        block_end = line.at + line.size;
        lines++;
        alone = text[line.at] == '#' || line.size > WRAPPED_LINE_MAX;
    }
    end_block(&s, block, block_end, lines);
    return s.count;
}
