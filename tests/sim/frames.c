#include "tests/sim/frames.h"

#include <stdlib.h>
#include <string.h>

/* Behind the string that begins at `at`, which is a quote. */
static size_t skip_string(struct span text, size_t at)
{
    for (at++; at < text.size && text.data[at] != '"'; at++)
        if (text.data[at] == '\\') at++;
    return at + 1;
}

/* Behind the value that begins at `at`. */
static size_t skip_value(struct span text, size_t at)
{
    uint32_t depth = 0;
    while (at < text.size) {
        uint8_t c = text.data[at];
        if (c == '"') {
            at = skip_string(text, at);
            if (depth == 0) return at;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at++;
        if (depth == 0 && (c == '}' || c == ']')) return at;
    }
    return at;
}

bool frame_field(struct span frame, const char *name, struct span *out)
{
    size_t at = 1, name_size = strlen(name);
    while (at < frame.size && frame.data[at] == '"') {
        size_t end = skip_string(frame, at);
        bool found = end - at - 2 == name_size && memcmp(frame.data + at + 1, name, name_size) == 0;
        size_t value = end + 1, after = skip_value(frame, value);
        bool quoted = after < frame.size + 1 && frame.data[value] == '"';
        if (found) *out = quoted ? span_of(frame.data + value + 1, after - value - 2) : span_of(frame.data + value, after - value);
        if (found) return true;
        at = after + 1;
    }
    return false;
}

bool frame_is(struct span frame, const char *name, const char *text)
{
    struct span value;
    return frame_field(frame, name, &value) && span_equal(value, span_text(text));
}

static uint64_t number_of(struct span text)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        number = number * 10 + (text.data[i] - '0');
    return number;
}

uint64_t frame_number(struct span frame, const char *name)
{
    struct span value;
    return frame_field(frame, name, &value) ? number_of(value) : 0;
}

bool frame_true(struct span frame, const char *name)
{
    return frame_is(frame, name, "true");
}

uint64_t frame_cursor(struct span frame, const char *name)
{
    struct span value;
    if (!frame_field(frame, name, &value)) return 0;
    const uint8_t *dash = memchr(value.data, '-', value.size);
    return dash ? number_of(span_of(dash + 1, value.size - (size_t)(dash + 1 - value.data))) : 0;
}

static bool undo_base64(struct span text, uint8_t *room, size_t room_size, struct span *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0, count = 0;
    size_t size = 0;
    for (size_t i = 0; i < text.size && text.data[i] != '='; i++) {
        const char *digit = memchr(digits, text.data[i], 64);
        if (!digit || size == room_size) return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        room[size++] = (uint8_t)(bits >> count);
    }
    *out = span_of(room, size);
    return true;
}

bool frame_data(struct span frame, uint8_t *room, size_t room_size, struct span *out)
{
    struct span coded;
    if (frame_field(frame, "data", out)) return true;
    return frame_field(frame, "data_base64", &coded) && undo_base64(coded, room, room_size, out);
}

bool frame_next(struct span *bytes, struct socket_frame *out)
{
    size_t head = 2, size;
    if (bytes->size < head) return false;
    size = bytes->data[1];
    if (size >= 126) {
        size_t more = size == 126 ? 2 : 8;
        head += more;
        if (bytes->size < head) return false;
        size = 0;
        for (size_t i = 0; i < more; i++)
            size = size << 8 | bytes->data[2 + i];
    }
    if (bytes->size < head + size) return false;
    *out = (struct socket_frame){ .is_close = bytes->data[0] == 0x88, .payload = span_of(bytes->data + head, size) };
    if (out->is_close && size >= 2) out->code = (uint16_t)(out->payload.data[0] << 8 | out->payload.data[1]);
    *bytes = span_of(bytes->data + head + size, bytes->size - head - size);
    return true;
}
