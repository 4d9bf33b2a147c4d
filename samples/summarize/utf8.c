/* Why: the C library's wide characters depend on the process's locale, and a worker must give the same answer under any.
 * What is here covers the scripts that have capitals and that documents are commonly written in. */
#include "samples/summarize/utf8.h"

static size_t sequence_size(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

/* The second byte's range is narrower after four of the first bytes: overlong forms, surrogates, beyond U+10FFFF. */
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return second >= 0x80 && second <= 0xBF;
    }
}

bool utf8_valid(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t at = 0; at < size;) {
        size_t length = sequence_size(bytes[at]);
        if (length == 0 || length > size - at) return false;
        if (length > 1 && !second_fits(bytes[at], bytes[at + 1])) return false;
        for (size_t i = 2; i < length; i++)
            if ((bytes[at + i] & 0xC0) != 0x80) return false;
        at += length;
    }
    return true;
}

uint32_t utf8_at(const char *text, size_t at, unsigned *out_size)
{
    const unsigned char *b = (const unsigned char *)text + at;
    if (b[0] < 0x80) {
        *out_size = 1;
        return b[0];
    }
    if (b[0] < 0xE0) {
        *out_size = 2;
        return (b[0] & 0x1Fu) << 6 | (b[1] & 0x3Fu);
    }
    if (b[0] < 0xF0) {
        *out_size = 3;
        return (b[0] & 0x0Fu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
    }
    *out_size = 4;
    return (b[0] & 0x07u) << 18 | (b[1] & 0x3Fu) << 12 | (b[2] & 0x3Fu) << 6 | (b[3] & 0x3Fu);
}

unsigned utf8_put(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* Latin Extended-A is pairs, capital first; the pairs begin at even numbers, but in two stretches at odd ones. */
static uint32_t fold_latin_extended(uint32_t c)
{
    if (c == 0x130 || c == 0x178) return c == 0x130 ? 'i' : 0xFF;
    bool odd = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
    bool paired = (c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177) || odd;
    return paired && (c & 1) == (odd ? 1u : 0u) ? c + 1 : c;
}

uint32_t utf8_fold(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0xC0 && c <= 0xDE) return c == 0xD7 ? c : c + 32;
    if (c >= 0x100 && c <= 0x17F) return fold_latin_extended(c);
    if (c >= 0x391 && c <= 0x3A9) return c + 32;
    if (c >= 0x410 && c <= 0x42F) return c + 32;
    if (c >= 0x400 && c <= 0x40F) return c + 80;
    return c;
}

bool utf8_is_space(uint32_t c)
{
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
    return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x3000 ||
           c == 0xFEFF;
}

bool utf8_is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

bool utf8_is_upper(uint32_t c)
{
    return utf8_fold(c) != c;
}

bool utf8_is_letter(uint32_t c)
{
    if (c < 0x80) return (c | 32) >= 'a' && (c | 32) <= 'z';
    if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
    if (c == 0xD7 || c == 0xF7) return false;
    bool punctuation = (c >= 0x2000 && c <= 0x2BFF) || (c >= 0x2E00 && c <= 0x2E7F) || (c >= 0x3000 && c <= 0x303F);
    bool symbol = (c >= 0xFF00 && c <= 0xFF20) || (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFE00 && c <= 0xFE6F) || c >= 0x1F000;
    return !punctuation && !symbol && !utf8_is_space(c);
}

bool utf8_is_lower(uint32_t c)
{
    if (c < 0x80) return c >= 'a' && c <= 'z';
    if (c >= 0xDF && c <= 0xFF) return c != 0xF7;
    if (c >= 0x100 && c <= 0x17F) return !utf8_is_upper(c) && c != 0x138;
    return (c >= 0x3B1 && c <= 0x3C9) || (c >= 0x430 && c <= 0x45F);
}
