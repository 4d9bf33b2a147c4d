/* One place that coordinator and peers agree about: both name an inbox before they have spoken. */
#include "proto/inbox.h"

#include "sdk/base/map.h"

void inbox_name(const uint8_t instance[INSTANCE_BYTES], uint8_t out[INBOX_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    static const uint64_t keys[2][2] = { { 0x77656972, 1 }, { 0x77656972, 2 } };
    memcpy(out, "$inbox.", 7);
    for (size_t half = 0; half < 2; half++) {
        uint64_t hash = map_hash(keys[half], instance, INSTANCE_BYTES);
        for (size_t i = 0; i < 16; i++)
            out[7 + 16 * half + i] = (uint8_t)hex[hash >> (4 * i) & 15];
    }
}
