/* Topics are checked for every event, so plain ones go through eight bytes at a time; the rest in one pass over the bytes with a table.
 * Control characters are those of Unicode's category Cc (C0, DEL, C1); a space is U+0020. */
#include "sdk/base/topic.h"

enum class { PLAIN, DOT, STAR, TAIL, BAD, LEAD2, LEAD3, LEAD4 };

#define BAD16   BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD
#define LEAD2_8 LEAD2, LEAD2, LEAD2, LEAD2, LEAD2, LEAD2, LEAD2, LEAD2
#define LEAD3_8 LEAD3, LEAD3, LEAD3, LEAD3, LEAD3, LEAD3, LEAD3, LEAD3

/* clang-format off */
static const uint8_t class_of[256] = {
    [0x00] = BAD16, [0x10] = BAD16, [' '] = BAD, [0x7f] = BAD,
    ['*'] = STAR, ['.'] = DOT, ['>'] = TAIL,
    [0x80] = BAD16, [0x90] = BAD16, [0xa0] = BAD16, [0xb0] = BAD16,
    [0xc0] = BAD, BAD, LEAD2, LEAD2, LEAD2, LEAD2, LEAD2, LEAD2, LEAD2_8, LEAD2_8, LEAD2_8,
    [0xe0] = LEAD3_8, LEAD3_8,
    [0xf0] = LEAD4, LEAD4, LEAD4, LEAD4, LEAD4, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
};
/* clang-format on */

static bool continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes of the multi-byte character at `at`, 0 when it is not well-formed UTF-8 (Unicode, table 3-7) or a C1 control. */
static size_t wide_character(const uint8_t *at, size_t left, uint8_t class)
{
    size_t size = (size_t) class - LEAD2 + 2;
    if (size > left) return 0;
    uint8_t low = 0x80, high = 0xbf; /* what the second byte may be */
    if (at[0] == 0xc2) low = 0xa0;   /* U+0080..U+009F are controls */
    if (at[0] == 0xe0) low = 0xa0;   /* overlong */
    if (at[0] == 0xed) high = 0x9f;  /* surrogates */
    if (at[0] == 0xf0) low = 0x90;   /* overlong */
    if (at[0] == 0xf4) high = 0x8f;  /* above U+10FFFF */
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < size; i++) {
        if (!continues(at[i])) return 0;
    }
    return size;
}

static bool ends_word(struct span name, size_t at)
{
    return at == name.size || name.data[at] == '.';
}

enum { EIGHT = 8 };
#define EACH(byte) ((byte)*UINT64_C(0x0101010101010101)) /* in each of eight bytes */

/* The high bit of each byte of word that equals `byte`; exact while no byte of word has its own high bit set. */
static inline uint64_t equal_bytes(uint64_t word, uint64_t byte)
{
    return ~((word ^ EACH(byte)) + EACH(0x7f)) & EACH(0x80);
}

/* True for what nearly all topics are: words of plain ASCII, at most TOPIC_WORDS_MAX. Eight bytes at a time. False: look closer. */
static bool is_plain(struct span name)
{
    uint64_t bad = 0, dot_before = 0x80, dots = 0; /* as if a dot stood before the first byte */
    for (size_t at = 0; at < name.size; at += EIGHT) {
        uint64_t word = EACH('x');
        size_t left = name.size - at;
        if (left >= EIGHT)
            memcpy(&word, name.data + at, EIGHT);
        else
            memcpy(&word, name.data + at, left);
        uint64_t dot = equal_bytes(word, '.');
        bad |= word & EACH(0x80);
        bad |= ~(word + EACH(0x80 - '!')) & EACH(0x80); /* controls and space: below '!' */
        bad |= equal_bytes(word, 0x7f) | equal_bytes(word, '*') | equal_bytes(word, '>');
        bad |= dot & (dot << 8 | dot_before);
        dot_before = dot >> 56;
        dots += (dot >> 7) * EACH(1) >> 56;
    }
    return bad == 0 && dots < TOPIC_WORDS_MAX && name.data[name.size - 1] != '.';
}

static bool is_valid(struct span name, bool wildcards)
{
    if (name.size == 0 || name.size > TOPIC_BYTES_MAX) return false;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (is_plain(name)) return true;
#endif
    size_t words = 1, word_start = 0, at = 0;
    while (at < name.size) {
        uint8_t class = class_of[name.data[at]];
        if (class == PLAIN) {
            at++;
            continue;
        }
        switch (class) {
        case DOT:
            if (at == word_start || ++words > TOPIC_WORDS_MAX) return false;
            word_start = ++at;
            break;
        case STAR:
        case TAIL:
            if (!wildcards || at != word_start || !ends_word(name, at + 1)) return false;
            if (class == TAIL && at + 1 != name.size) return false;
            at++;
            break;
        case BAD:
            return false;
        default: {
            size_t size = wide_character(name.data + at, name.size - at, class);
            if (size == 0) return false;
            at += size;
        }
        }
    }
    return word_start < name.size; /* the last word is not empty */
}

bool topic_is_valid(struct span topic)
{
    return is_valid(topic, false);
}

bool filter_is_valid(struct span filter)
{
    return is_valid(filter, true);
}

static struct span word_at(struct span name, size_t at)
{
    size_t end = at;
    while (!ends_word(name, end))
        end++;
    return span_of(name.data + at, end - at);
}

bool filter_matches(struct span filter, struct span topic)
{
    bool wild_first = filter.data[0] == '*' || filter.data[0] == '>';
    if (wild_first && topic.data[0] == '$') return false;
    size_t f = 0, t = 0;
    for (;;) {
        struct span pattern = word_at(filter, f);
        if (pattern.data[0] == '>') return true;
        struct span word = word_at(topic, t);
        if (pattern.data[0] != '*' && !span_equal(pattern, word)) return false;
        f += pattern.size;
        t += word.size;
        if (f == filter.size || t == topic.size) return f == filter.size && t == topic.size;
        f++;
        t++;
    }
}
