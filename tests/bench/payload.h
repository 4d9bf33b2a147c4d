/* The payload that all systems under test carry: JSON of 200 bytes with the number of the event, the time it was published, and
 * words of English, so that it compresses as text does and not as zeros or noise would. */
#ifndef WEIR_BENCH_PAYLOAD_H
#define WEIR_BENCH_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAYLOAD_BYTES = 200,
    PAYLOAD_TEXTS = 4096, /* 800 KB: beyond the window of lz4, so that a block does not compress for being repeated */
    PAYLOAD_NUMBER_AT = 6,
    PAYLOAD_NUMBER_DIGITS = 10,
    PAYLOAD_TIME_AT = 23,
    PAYLOAD_TIME_DIGITS = 19,
    PAYLOAD_TEXT_AT = 52
};

static const char *const payload_words[] = {
    "the",     "river",  "rises",     "when",    "snow",    "melts",  "in",      "spring", "and",    "people",  "of",      "valley",
    "carry",   "their",  "boats",     "down",    "to",      "water",  "because", "fish",   "return", "with",    "high",    "tide",
    "some",    "years",  "bring",     "floods",  "that",    "cover",  "fields",  "roads",  "bridge", "nobody",  "can",     "cross",
    "until",   "summer", "engineers", "measure", "level",   "every",  "hour",    "report", "it",     "station", "below",   "where",
    "small",   "weir",   "holds",     "back",    "enough",  "for",    "mill",    "turn",   "old",    "records", "show",    "how",
    "often",   "stream", "has",       "changed", "its",     "course", "since",   "first",  "map",    "was",     "drawn",   "by",
    "hand",    "today",  "sensors",   "send",    "events",  "each",   "minute",  "model",  "reads",  "them",    "answers", "before",
    "evening", "reach",  "harbour",   "clear",   "morning", "light",  "stone",   "gate",   "opens",  "slowly",  "while",   "wind"
};

/* Fixed width, so that a reader finds a number by its place; quoted, because JSON's numbers have no leading zeros. */
static inline void payload_put(char *at, int digits, uint64_t value)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
}

/* The text of one of PAYLOAD_TEXTS payloads; they are made once, so that making events costs the publisher next to nothing. */
static inline const char *payload_text(uint64_t number)
{
    static char texts[PAYLOAD_TEXTS][PAYLOAD_BYTES];
    char *text = texts[number % PAYLOAD_TEXTS];
    if (text[0] != '\0') return text;
    memcpy(text, "{\"n\":\"0000000000\",\"t\":\"0000000000000000000\",\"text\":\"", PAYLOAD_TEXT_AT);
    uint64_t random = number * 0x9E3779B97F4A7C15u + 1;
    for (int at = PAYLOAD_TEXT_AT; at < PAYLOAD_BYTES - 2;) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const char *word = payload_words[(random >> 33) % (sizeof payload_words / sizeof *payload_words)];
        while (*word != '\0' && at < PAYLOAD_BYTES - 2)
            text[at++] = *word++;
        if (at < PAYLOAD_BYTES - 2) text[at++] = ' ';
    }
    memcpy(text + PAYLOAD_BYTES - 2, "\"}", 2);
    return text;
}

/* Writes exactly PAYLOAD_BYTES, no NUL. One thread of a process. */
static inline void payload_write(char out[PAYLOAD_BYTES], uint64_t number, uint64_t time_ns)
{
    memcpy(out, payload_text(number), PAYLOAD_BYTES);
    payload_put(out + PAYLOAD_NUMBER_AT, PAYLOAD_NUMBER_DIGITS, number);
    payload_put(out + PAYLOAD_TIME_AT, PAYLOAD_TIME_DIGITS, time_ns);
}

static inline uint64_t payload_digits(const char *at, int digits)
{
    uint64_t value = 0;
    for (int i = 0; i < digits; i++)
        value = value * 10 + (uint64_t)(at[i] - '0');
    return value;
}

/* False: these bytes are not a payload. */
static inline bool payload_read(const char *data, size_t size, uint64_t *out_number, uint64_t *out_time_ns)
{
    if (size != PAYLOAD_BYTES || memcmp(data, "{\"n\":\"", 6) != 0) return false;
    *out_number = payload_digits(data + PAYLOAD_NUMBER_AT, PAYLOAD_NUMBER_DIGITS);
    *out_time_ns = payload_digits(data + PAYLOAD_TIME_AT, PAYLOAD_TIME_DIGITS);
    return true;
}

#endif
