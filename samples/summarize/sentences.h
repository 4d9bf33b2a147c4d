/* Cuts a document into paragraphs, headings and sentences. The rules are for English prose; they hold for most languages that
 * end a sentence with . ! ? (or the ideographic ones) and begin the next with a capital.
 *
 *  - A blank line ends a paragraph; so does a list item's mark, and a line so long that it must be a paragraph of its own.
 *    Single line breaks inside a paragraph are spaces.
 *  - A paragraph of one short line without an end mark, or "CHAPTER 42. ...", or "# ..." is a heading.
 *  - A stop after an abbreviation (Mr., e.g.), an initial (J. F. Kennedy), a list number or inside a number ends nothing, unless
 *    what follows can only be a new sentence. Closing quotes and brackets belong to the sentence they close.
 *  - A sentence over SENTENCE_BYTES_MAX is none: notes, or a text without end marks. It is cut into pieces of at most
 *    SENTENCE_PIECE_MAX, at a semicolon, colon or dash, else a comma, else a space. */
#ifndef WEIR_SAMPLES_SUMMARIZE_SENTENCES_H
#define WEIR_SAMPLES_SUMMARIZE_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SENTENCES_MAX = 2000,      /* per document; prose of 64 KiB has about 500 */
    SENTENCE_BYTES_MAX = 2000, /* about 340 words */
    SENTENCE_PIECE_MAX = 400,  /* bytes of a piece of a longer one */
};

struct sentence {
    uint32_t at, size;  /* bytes of the document, without the white space around */
    uint32_t paragraph; /* counts from 0, headings too */
    uint32_t words;     /* filled in by words_read */
    bool heading;
};

/* Cuts `text` (valid UTF-8) and writes at most `room` sentences in document order. Returns how many there are, which may be
 * more than `room`: then the rest was not written. */
uint32_t sentences_split(const char *text, size_t size, struct sentence *out, uint32_t room);

#endif
