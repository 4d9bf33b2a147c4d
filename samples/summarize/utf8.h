/* Reading UTF-8 (RFC 3629) one character at a time, and the little that a summarizer must know of characters.
 * All functions are pure and safe from any thread. */
#ifndef WEIR_SAMPLES_SUMMARIZE_UTF8_H
#define WEIR_SAMPLES_SUMMARIZE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if the bytes are well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_valid(const char *text, size_t size);

/* The character at text[at], and in *out_size its bytes (1 to 4). The text must be valid and at < its size. */
uint32_t utf8_at(const char *text, size_t at, unsigned *out_size);

/* Writes `c` as UTF-8 into out (room for 4 bytes); returns the bytes written. */
unsigned utf8_put(uint32_t c, char *out);

/* Small letter of a Latin, Greek or Cyrillic capital; other characters unchanged. Never takes more bytes than `c`. */
uint32_t utf8_fold(uint32_t c);

bool utf8_is_space(uint32_t c);
bool utf8_is_letter(uint32_t c); /* letters of all scripts; marks and ideographs count */
bool utf8_is_digit(uint32_t c);  /* 0 to 9 */
bool utf8_is_upper(uint32_t c);  /* a capital utf8_fold knows */
bool utf8_is_lower(uint32_t c);

#endif
