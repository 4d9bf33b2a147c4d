/* Text that the core writes itself: into events of its own, never far. */
#include "coordinator/core/text.h"
#include "coordinator/core/state.h"

size_t text_put(uint8_t *out, size_t at, struct span text)
{
    if (text.size) memcpy(out + at, text.data, text.size);
    return at + text.size;
}

size_t text_put_number(uint8_t *out, size_t at, uint64_t value)
{
    uint8_t digits[TEXT_NUMBER_MAX];
    size_t count = 0;
    do
        digits[count++] = (uint8_t)('0' + value % 10);
    while (value /= 10);
    while (count > 0)
        out[at++] = digits[--count];
    return at;
}

struct span text_cut(struct span text, size_t size_max)
{
    if (text.size <= size_max) return text;
    text.size = size_max;
    while (text.size > 0 && (text.data[text.size] & 0xc0) == 0x80)
        text.size--;
    return text;
}
