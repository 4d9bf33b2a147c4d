/* The text of one member of a JSON object, as it came: parsing and printing again would change numbers, escapes and blanks. */
#ifndef WEIR_CLI_JSON_RAW_H
#define WEIR_CLI_JSON_RAW_H

#include <stdbool.h>
#include <stddef.h>

/* text was parsed as an object before. Lends the part of it that is the value of name. False: no such member. */
bool json_raw_member(const char *text, size_t size, const char *name, const char **out_value, size_t *out_size);

#endif
