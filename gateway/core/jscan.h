/* A strict JSON reader in one pass: it checks every byte (RFC 8259: UTF-8, surrogates, numbers, a depth bound) and says where the
 * fields of one object stand; nothing is copied, values are passed on as their raw text. Pure. */
#ifndef WEIR_GATEWAY_JSCAN_H
#define WEIR_GATEWAY_JSCAN_H

#include "sdk/base/span.h"

enum {
    JSCAN_DEPTH_MAX = 64,  /* nested arrays and objects, the outermost counted */
    JSCAN_FIELDS_MAX = 64, /* fields of an object that jscan_object looks at */
};

enum jscan_result { JSCAN_OK, JSCAN_BROKEN, JSCAN_NOT_UTF8, JSCAN_TOO_DEEP, JSCAN_TOO_MANY_FIELDS, JSCAN_DUPLICATE_FIELD };
const char *jscan_result_text(enum jscan_result result);

enum jscan_kind { JSCAN_NONE, JSCAN_NULL, JSCAN_FALSE, JSCAN_TRUE, JSCAN_NUMBER, JSCAN_STRING, JSCAN_ARRAY, JSCAN_OBJECT };

/* A value in its text. raw is the whole value; of a string with its quotes. JSCAN_NONE: there is none. */
struct jscan_value {
    struct span raw;
    enum jscan_kind kind;
};

struct jscan_field {
    struct span name; /* raw, without its quotes */
    struct jscan_value value;
};

struct jscan_object {
    struct jscan_field fields[JSCAN_FIELDS_MAX];
    size_t count;
};

/* Is text exactly one JSON value (white space around it allowed)? */
enum jscan_result jscan_check(struct span text);

/* The object that text is (white space around it allowed). Two fields of one name are refused: the one reader would take the first and the
 * other the last. Unless JSCAN_OK, *out is undefined. */
enum jscan_result jscan_object(struct span text, struct jscan_object *out);

/* Walks the elements of an array that jscan_check has passed: *offset starts at 0. False at the end. */
bool jscan_array_next(struct span array, size_t *offset, struct jscan_value *out);

/* The value of the field, or one of kind JSCAN_NONE. The name is compared after its escapes are resolved. */
struct jscan_value jscan_get(const struct jscan_object *object, const char *name);

/* Resolves the escapes of a raw string (with its quotes) into out, which has room for raw.size bytes; returns the bytes written. */
size_t jscan_unescape(struct span raw, uint8_t *out);

/* A whole number from 0 to 2^53 - 1, written without sign, fraction or exponent. */
bool jscan_to_uint(struct jscan_value value, uint64_t *out);

#endif
