/* Topics and filters: dotted words; `*` is one word, a last `>` is one or more. Pure. */
#ifndef WEIR_BASE_TOPIC_H
#define WEIR_BASE_TOPIC_H

#include "sdk/base/span.h"

enum { TOPIC_BYTES_MAX = 255, TOPIC_WORDS_MAX = 32 };

/* 1..255 bytes of UTF-8 without control characters, spaces, `*`, `>`; 1..32 words, none empty. A first `$` is allowed here. */
bool topic_is_valid(struct span topic);

/* As a topic, but a word may be `*` and the last one `>`. */
bool filter_is_valid(struct span filter);

/* Both must be valid. `*` and `>` as the first word never match a topic that begins with `$`. */
bool filter_matches(struct span filter, struct span topic);

#endif
