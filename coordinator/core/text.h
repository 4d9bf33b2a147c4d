/* Text, put together without formatting. */
#ifndef WEIR_CORE_TEXT_H
#define WEIR_CORE_TEXT_H

#include "coordinator/core/state.h"

enum { TEXT_NUMBER_MAX = 20 };

size_t text_put(uint8_t *out, size_t at, struct span text);      /* gives where it ends */
size_t text_put_number(uint8_t *out, size_t at, uint64_t value); /* decimal; at most TEXT_NUMBER_MAX */
struct span text_cut(struct span text, size_t size_max);         /* not within a character of UTF-8 */

#endif
