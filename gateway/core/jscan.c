/* What a stranger sends is pasted into the frames of other people, so every byte of it is checked here, also inside values that nobody
 * looks into. The reader is iterative: its depth is a counter and one bit per level, never the C stack. */
#include "gateway/core/jscan.h"

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

const char *jscan_result_text(enum jscan_result result)
{
    static const char *const texts[] = {
        [JSCAN_OK] = "ok",
        [JSCAN_BROKEN] = "not JSON",
        [JSCAN_NOT_UTF8] = "not UTF-8",
        [JSCAN_TOO_DEEP] = "nested deeper than 64",
        [JSCAN_TOO_MANY_FIELDS] = "more than 64 fields",
        [JSCAN_DUPLICATE_FIELD] = "a field stands there twice",
    };
    return texts[result];
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The four digits of \uXXXX; -1 when they are not. */
static int hex4(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* at is behind the backslash. A lone surrogate is no character: there is no UTF-8 for it. */
static enum jscan_result skip_escape(struct reader *r)
{
    if (r->at == r->end) return JSCAN_BROKEN;
    uint8_t c = *r->at++;
    if (c != 'u') return c != 0 && strchr("\"\\/bfnrt", c) != NULL ? JSCAN_OK : JSCAN_BROKEN;
    int unit = hex4(r->at, r->end);
    if (unit < 0) return JSCAN_BROKEN;
    r->at += 4;
    if (unit < 0xD800 || unit > 0xDFFF) return JSCAN_OK;
    if (unit > 0xDBFF || r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u') return JSCAN_BROKEN;
    int low = hex4(r->at + 2, r->end);
    if (low < 0xDC00 || low > 0xDFFF) return JSCAN_BROKEN;
    r->at += 6;
    return JSCAN_OK;
}

static bool is_tail(const uint8_t *at, uint8_t low, uint8_t high)
{
    return *at >= low && *at <= high;
}

/* One character of two to four bytes: shortest form only, no surrogates, up to U+10FFFF (Unicode, table 3-7). */
static enum jscan_result skip_utf8(struct reader *r)
{
    const uint8_t *at = r->at;
    ptrdiff_t left = r->end - at;
    uint8_t c = at[0];
    if (c >= 0xC2 && c <= 0xDF && left >= 2 && is_tail(at + 1, 0x80, 0xBF)) {
        r->at += 2;
        return JSCAN_OK;
    }
    if (c >= 0xE0 && c <= 0xEF && left >= 3) {
        uint8_t low = c == 0xE0 ? 0xA0 : 0x80;
        uint8_t high = c == 0xED ? 0x9F : 0xBF;
        if (is_tail(at + 1, low, high) && is_tail(at + 2, 0x80, 0xBF)) {
            r->at += 3;
            return JSCAN_OK;
        }
    }
    if (c >= 0xF0 && c <= 0xF4 && left >= 4) {
        uint8_t low = c == 0xF0 ? 0x90 : 0x80;
        uint8_t high = c == 0xF4 ? 0x8F : 0xBF;
        if (is_tail(at + 1, low, high) && is_tail(at + 2, 0x80, 0xBF) && is_tail(at + 3, 0x80, 0xBF)) {
            r->at += 4;
            return JSCAN_OK;
        }
    }
    return JSCAN_NOT_UTF8;
}

/* at is on the opening quote. */
static enum jscan_result skip_string(struct reader *r)
{
    r->at++;
    while (r->at < r->end) {
        uint8_t c = *r->at;
        if (c == '"') {
            r->at++;
            return JSCAN_OK;
        }
        if (c < 0x20) return JSCAN_BROKEN;
        enum jscan_result result = JSCAN_OK;
        if (c == '\\') {
            r->at++;
            result = skip_escape(r);
        } else if (c < 0x80) {
            r->at++;
        } else {
            result = skip_utf8(r);
        }
        if (result != JSCAN_OK) return result;
    }
    return JSCAN_BROKEN;
}

static bool skip_digits(struct reader *r)
{
    const uint8_t *first = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > first;
}

static enum jscan_result skip_number(struct reader *r)
{
    if (*r->at == '-') r->at++;
    if (r->at == r->end) return JSCAN_BROKEN;
    if (*r->at == '0') {
        r->at++;
    } else if (!skip_digits(r)) {
        return JSCAN_BROKEN;
    }
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        if (!skip_digits(r)) return JSCAN_BROKEN;
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-')) r->at++;
        if (!skip_digits(r)) return JSCAN_BROKEN;
    }
    return JSCAN_OK;
}

static enum jscan_result skip_word(struct reader *r, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) return JSCAN_BROKEN;
    r->at += size;
    return JSCAN_OK;
}

static enum jscan_result skip_scalar(struct reader *r)
{
    switch (*r->at) {
    case '"':
        return skip_string(r);
    case 't':
        return skip_word(r, "true");
    case 'f':
        return skip_word(r, "false");
    case 'n':
        return skip_word(r, "null");
    default:
        if (*r->at != '-' && (*r->at < '0' || *r->at > '9')) return JSCAN_BROKEN;
        return skip_number(r);
    }
}

/* A field's name and its colon. at is where the quote has to be. */
static enum jscan_result skip_name(struct reader *r)
{
    if (r->at == r->end || *r->at != '"') return JSCAN_BROKEN;
    enum jscan_result result = skip_string(r);
    if (result != JSCAN_OK) return result;
    skip_space(r);
    if (r->at == r->end || *r->at != ':') return JSCAN_BROKEN;
    r->at++;
    skip_space(r);
    return JSCAN_OK;
}

/* After a value inside: closes every container that ends here. *out_more: a comma was taken, another value follows. */
static enum jscan_result after_value(struct reader *r, uint64_t objects, int floor, int *depth, bool *out_more)
{
    *out_more = false;
    while (*depth > floor) {
        bool in_object = (objects >> (*depth - 1)) & 1;
        skip_space(r);
        if (r->at == r->end) return JSCAN_BROKEN;
        uint8_t c = *r->at++;
        if (c == ',') {
            skip_space(r);
            *out_more = true;
            return in_object ? skip_name(r) : JSCAN_OK;
        }
        if (c != (in_object ? '}' : ']')) return JSCAN_BROKEN;
        (*depth)--;
    }
    return JSCAN_OK;
}

/* One value, which stands `floor` containers deep. at is on its first byte. */
static enum jscan_result skip_value(struct reader *r, int floor)
{
    uint64_t objects = 0; /* bit d: the container at depth d + 1 is an object */
    int depth = floor;
    for (;;) {
        if (r->at == r->end) return JSCAN_BROKEN;
        uint8_t c = *r->at;
        enum jscan_result result;
        if (c == '{' || c == '[') {
            if (depth == JSCAN_DEPTH_MAX) return JSCAN_TOO_DEEP;
            uint64_t bit = 1ull << depth++;
            objects = c == '{' ? objects | bit : objects & ~bit;
            r->at++;
            skip_space(r);
            bool empty = r->at < r->end && *r->at == (c == '{' ? '}' : ']');
            if (!empty) {
                result = c == '{' ? skip_name(r) : JSCAN_OK;
                if (result != JSCAN_OK) return result;
                continue;
            }
            r->at++;
            depth--;
        } else {
            result = skip_scalar(r);
            if (result != JSCAN_OK) return result;
        }
        bool more;
        result = after_value(r, objects, floor, &depth, &more);
        if (result != JSCAN_OK || !more) return result;
    }
}

static enum jscan_kind kind_of(uint8_t first)
{
    switch (first) {
    case '{':
        return JSCAN_OBJECT;
    case '[':
        return JSCAN_ARRAY;
    case '"':
        return JSCAN_STRING;
    case 't':
        return JSCAN_TRUE;
    case 'f':
        return JSCAN_FALSE;
    case 'n':
        return JSCAN_NULL;
    default:
        return JSCAN_NUMBER;
    }
}

enum jscan_result jscan_check(struct span text)
{
    if (text.size == 0) return JSCAN_BROKEN;
    struct reader r = { text.data, text.data + text.size };
    skip_space(&r);
    enum jscan_result result = skip_value(&r, 0);
    if (result != JSCAN_OK) return result;
    skip_space(&r);
    return r.at == r.end ? JSCAN_OK : JSCAN_BROKEN;
}

/* The bytes of one character of a checked raw string; moves *at behind it. Returns how many were written (1..4). */
static size_t decode_character(const uint8_t **at, uint8_t out[4])
{
    const uint8_t *p = *at;
    if (*p != '\\') {
        out[0] = *p;
        *at = p + 1;
        return 1;
    }
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    if (p[1] != 'u') {
        out[0] = (uint8_t)values[strchr(names, p[1]) - names];
        *at = p + 2;
        return 1;
    }
    uint32_t code = (uint32_t)hex4(p + 2, p + 6);
    *at = p + 6;
    if (code >= 0xD800 && code <= 0xDBFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)hex4(p + 8, p + 12) - 0xDC00);
        *at = p + 12;
    }
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (uint8_t)(lead[size] | code);
    return size;
}

size_t jscan_unescape(struct span raw, uint8_t *out)
{
    const uint8_t *at = raw.data + 1;
    const uint8_t *end = raw.data + raw.size - 1;
    size_t size = 0;
    while (at < end) {
        uint8_t character[4];
        size_t bytes = decode_character(&at, character);
        memcpy(out + size, character, bytes);
        size += bytes;
    }
    return size;
}

static bool has_escape(struct span name)
{
    return name.size > 0 && memchr(name.data, '\\', name.size) != NULL;
}

/* Two raw names, compared as the characters they mean. */
static bool same_name(struct span a, struct span b)
{
    if (!has_escape(a) && !has_escape(b)) return span_equal(a, b);
    const uint8_t *at[2] = { a.data, b.data };
    const uint8_t *end[2] = { a.data + a.size, b.data + b.size };
    uint8_t bytes[2][4];
    size_t size[2] = { 0, 0 };
    size_t used[2] = { 0, 0 };
    for (;;) {
        for (int i = 0; i < 2; i++) {
            if (used[i] < size[i] || at[i] == end[i]) continue;
            size[i] = decode_character(&at[i], bytes[i]);
            used[i] = 0;
        }
        bool over[2] = { used[0] == size[0], used[1] == size[1] };
        if (over[0] || over[1]) return over[0] && over[1];
        if (bytes[0][used[0]++] != bytes[1][used[1]++]) return false;
    }
}

static enum jscan_result add_field(struct jscan_object *object, struct span name, struct jscan_value value)
{
    if (object->count == JSCAN_FIELDS_MAX) return JSCAN_TOO_MANY_FIELDS;
    for (size_t i = 0; i < object->count; i++) {
        if (same_name(object->fields[i].name, name)) return JSCAN_DUPLICATE_FIELD;
    }
    object->fields[object->count++] = (struct jscan_field){ name, value };
    return JSCAN_OK;
}

static enum jscan_result read_field(struct reader *r, struct jscan_object *out)
{
    const uint8_t *name = r->at;
    if (r->at == r->end || *r->at != '"') return JSCAN_BROKEN;
    enum jscan_result result = skip_string(r);
    if (result != JSCAN_OK) return result;
    struct span name_span = span_of(name + 1, (size_t)(r->at - name) - 2);
    r->at = name;
    result = skip_name(r); /* the same string again: names are short */
    if (result != JSCAN_OK) return result;
    const uint8_t *value = r->at;
    result = skip_value(r, 1);
    if (result != JSCAN_OK) return result;
    return add_field(out, name_span, (struct jscan_value){ span_of(value, (size_t)(r->at - value)), kind_of(*value) });
}

static enum jscan_result read_object(struct reader *r, struct jscan_object *out)
{
    out->count = 0;
    skip_space(r);
    if (r->at == r->end || *r->at != '{') return JSCAN_BROKEN;
    r->at++;
    skip_space(r);
    if (r->at < r->end && *r->at == '}') {
        r->at++;
        skip_space(r);
        return JSCAN_OK;
    }
    for (;;) {
        enum jscan_result result = read_field(r, out);
        if (result != JSCAN_OK) return result;
        skip_space(r);
        if (r->at == r->end) return JSCAN_BROKEN;
        uint8_t c = *r->at++;
        skip_space(r);
        if (c == '}') return JSCAN_OK;
        if (c != ',') return JSCAN_BROKEN;
    }
}

enum jscan_result jscan_object(struct span text, struct jscan_object *out)
{
    if (text.size == 0) return JSCAN_BROKEN;
    struct reader r = { text.data, text.data + text.size };
    enum jscan_result result = read_object(&r, out);
    return result == JSCAN_OK && r.at != r.end ? JSCAN_BROKEN : result;
}

bool jscan_array_next(struct span array, size_t *offset, struct jscan_value *out)
{
    struct reader r = { array.data + *offset, array.data + array.size };
    skip_space(&r);
    if (r.at == r.end || *r.at == ']') return false;
    r.at++; /* the opening bracket at first, then the commas */
    skip_space(&r);
    if (r.at == r.end || *r.at == ']') return false;
    const uint8_t *value = r.at;
    if (skip_value(&r, 1) != JSCAN_OK) return false;
    *out = (struct jscan_value){ span_of(value, (size_t)(r.at - value)), kind_of(*value) };
    *offset = (size_t)(r.at - array.data);
    return true;
}

struct jscan_value jscan_get(const struct jscan_object *object, const char *name)
{
    struct span wanted = span_text(name);
    for (size_t i = 0; i < object->count; i++) {
        if (same_name(object->fields[i].name, wanted)) return object->fields[i].value;
    }
    return (struct jscan_value){ { NULL, 0 }, JSCAN_NONE };
}

bool jscan_to_uint(struct jscan_value value, uint64_t *out)
{
    if (value.kind != JSCAN_NUMBER || value.raw.size > 16) return false;
    uint64_t number = 0;
    for (size_t i = 0; i < value.raw.size; i++) {
        uint8_t c = value.raw.data[i];
        if (c < '0' || c > '9') return false;
        number = number * 10 + (uint64_t)(c - '0');
    }
    if (number >= 1ull << 53) return false;
    *out = number;
    return true;
}
