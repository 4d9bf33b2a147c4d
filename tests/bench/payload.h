/* The payload that all systems under test carry: JSON of 200 bytes with the number of the event, the time it was published, and
 * words of English, so that it compresses as text does and not as zeros or noise would. */
#ifndef WEIR_BENCH_PAYLOAD_H
#define WEIR_BENCH_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_BYTES = 200, PAYLOAD_NUMBER_AT = 6, PAYLOAD_NUMBER_DIGITS = 10, PAYLOAD_TIME_AT = 23, PAYLOAD_TIME_DIGITS = 19 };

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

/* Writes exactly PAYLOAD_BYTES, no NUL. Numbers have a fixed width, so that a reader finds them by their place. */
static inline void payload_write(char out[PAYLOAD_BYTES], uint64_t number, uint64_t time_ns)
{
    char head[PAYLOAD_TIME_AT + PAYLOAD_TIME_DIGITS + 16];
    int at = snprintf(head, sizeof head, "{\"n\":\"%010llu\",\"t\":\"%019llu\",\"text\":\"", (unsigned long long)number,
                      (unsigned long long)time_ns);
    memcpy(out, head, (size_t)at);
    uint64_t random = number * 0x9E3779B97F4A7C15u + 1;
    const int end = PAYLOAD_BYTES - 2;
    while (at < end) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const char *word = payload_words[(random >> 33) % (sizeof payload_words / sizeof *payload_words)];
        while (*word != '\0' && at < end)
            out[at++] = *word++;
        if (at < end) out[at++] = ' ';
    }
    memcpy(out + end, "\"}", 2);
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
