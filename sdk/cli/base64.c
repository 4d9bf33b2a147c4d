/* Base64 of RFC 4648 with padding: how bytes that are not JSON travel in lines of JSON. */
#include "sdk/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *cli_base64(const void *data, size_t size)
{
    const unsigned char *in = data;
    char *text = malloc((size + 2) / 3 * 4 + 1);
    if (!text) abort();
    char *out = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
    *out = '\0';
    return text;
}

void *cli_base64_decode(const char *text, size_t size, size_t *out_size)
{
    if (size % 4 != 0) return NULL;
    size_t pad = size == 0 ? 0 : (size_t)(text[size - 1] == '=') + (size_t)(text[size - 2] == '=');
    unsigned char *bytes = malloc(size / 4 * 3 + 1);
    if (!bytes) abort();
    size_t count = 0;
    for (size_t i = 0; i < size; i += 4) {
        uint32_t group = 0;
        for (size_t j = 0; j < 4; j++) {
            bool padding = i + j >= size - pad;
            const char *digit = padding || text[i + j] == '\0' ? NULL : strchr(digits, text[i + j]);
            if (!padding && !digit) {
                free(bytes);
                return NULL;
            }
            group = group << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        }
        bytes[count++] = (unsigned char)(group >> 16);
        bytes[count++] = (unsigned char)(group >> 8);
        bytes[count++] = (unsigned char)group;
    }
    *out_size = count - pad;
    return bytes;
}
