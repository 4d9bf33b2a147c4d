/* Text made for clients: JSON, base64, event ids, times. Everything writes into room that the caller bounds. Pure. */
#ifndef WEIR_GATEWAY_TEXT_H
#define WEIR_GATEWAY_TEXT_H

#include "sdk/base/span.h"

/* Appends to [at, end). What does not fit sets full, and from then on nothing is written: asked once, at the end. */
struct writer {
    uint8_t *begin;
    uint8_t *at;
    uint8_t *end;
    bool full;
};

void writer_init(struct writer *w, void *room, size_t size);
size_t writer_size(const struct writer *w);

void write_bytes(struct writer *w, const void *data, size_t size);
void write_span(struct writer *w, struct span bytes);
void write_text(struct writer *w, const char *text); /* as it is, no quotes */
void write_uint(struct writer *w, uint64_t number);
void write_hundredths(struct writer *w, uint32_t hundredths); /* 85 -> 0.85 */

/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD: names and reasons come from strangers. */
void write_string(struct writer *w, struct span text);
void write_base64(struct writer *w, struct span bytes); /* with padding and quotes */

/* 2026-01-31T23:59:59.123Z with quotes, from Unix milliseconds (up to the year 9999). */
void write_time(struct writer *w, uint64_t unix_ms);

/* <epoch>-<position>, without quotes. */
void write_event_id(struct writer *w, struct span epoch, uint64_t seq);

/* Decodes base64 (RFC 4648, standard alphabet, padding required); out has room for text.size bytes. False: it is not that. */
bool base64_decode(struct span text, uint8_t *out, size_t *out_size);

/* RFC 3339 with Z or an offset -> Unix milliseconds. False: it is not that, or before 1970. */
bool time_parse(struct span text, uint64_t *out_unix_ms);

/* Splits an event id at its last '-'. *out_epoch points into text. */
bool event_id_parse(struct span text, struct span *out_epoch, uint64_t *out_seq);

#endif
