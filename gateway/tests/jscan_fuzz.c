/* Any bytes against our JSON reader, with jansson as the judge. Where they may differ: numbers beyond int64 or double and NUL in a name
 * (jansson cannot hold them), depth over 64 and objects of more than 64 fields (we refuse), fields that stand twice. */
#include <jansson.h>
#include <stdlib.h>

#include "gateway/core/jscan.h"
#include "gateway/core/text.h"
#include "sdk/base/must.h"

static bool jansson_cannot_tell(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key || code == json_error_stack_overflow;
}

/* A string that is unescaped, written and unescaped again is the same. */
static void check_string(struct span raw)
{
    uint8_t *first = malloc(raw.size);
    size_t first_size = jscan_unescape(raw, first);
    size_t room = raw.size * 6 + 2;
    uint8_t *written = malloc(room);
    struct writer w;
    writer_init(&w, written, room);
    write_string(&w, span_of(first, first_size));
    must(!w.full);
    struct span again = span_of(written, writer_size(&w));
    must(jscan_check(again) == JSCAN_OK);
    uint8_t *second = malloc(again.size);
    size_t second_size = jscan_unescape(again, second);
    must(span_equal(span_of(first, first_size), span_of(second, second_size)));
    free(first);
    free(written);
    free(second);
}

static void check_object(struct span text, const json_t *judge)
{
    struct jscan_object object;
    enum jscan_result result = jscan_object(text, &object);
    if (result == JSCAN_TOO_MANY_FIELDS || result == JSCAN_DUPLICATE_FIELD) return;
    must(result == JSCAN_OK);
    must(json_object_size(judge) == object.count);
    for (size_t i = 0; i < object.count; i++) {
        struct span raw = object.fields[i].value.raw;
        must(jscan_check(raw) == JSCAN_OK);
        must(raw.data >= text.data && raw.data + raw.size <= text.data + text.size);
        if (object.fields[i].value.kind == JSCAN_STRING) check_string(raw);
    }
}

static void check_array(struct span text, const json_t *judge)
{
    size_t count = 0;
    size_t offset = 0;
    struct jscan_value value;
    while (jscan_array_next(text, &offset, &value)) {
        must(jscan_check(value.raw) == JSCAN_OK);
        count++;
    }
    must(count == json_array_size(judge));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    enum jscan_result ours = jscan_check(text);
    if (size > 0 && memchr(data, 0, size) != NULL) { /* jansson takes a NUL behind a value for the end */
        must(ours != JSCAN_OK);
        return 0;
    }
    json_error_t error;
    json_t *judge = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (judge != NULL) {
        must(ours == JSCAN_OK || ours == JSCAN_TOO_DEEP);
        if (ours == JSCAN_OK && json_is_object(judge)) check_object(text, judge);
        if (ours == JSCAN_OK && json_is_array(judge)) check_array(text, judge);
    } else if (!jansson_cannot_tell(&error)) {
        struct jscan_object object;
        must(ours != JSCAN_OK);
        must(jscan_object(text, &object) != JSCAN_OK);
    }
    json_decref(judge);
    return 0;
}
