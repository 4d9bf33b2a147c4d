/* Structured log lines on stderr, one call per fact. Kind: shell. Any thread.
 *
 *     journal_info("ready", "listen=%s http=%s epoch=%s", listen, http, epoch);
 *     text: time=2026-01-31T12:00:00.123Z level=info program=weir-gateway event=ready listen=127.0.0.1:7480 …
 *     json: {"time":"2026-01-31T12:00:00.123Z","level":"info","program":"weir-gateway","event":"ready","listen":"127.0.0.1:7480",…}
 *
 * The fields are `key=` and one printf conversion each, with single blanks between: s .*s c d i u x (with l, ll, z, j) and f g (with a
 * precision). Values are quoted as the format needs, whatever is in them; a NULL text is "". A line is at most 4096 bytes, longer values
 * are cut. A line that stderr does not take within 50 ms is dropped; the next one that passes says how many were (`dropped=N`). */
#ifndef WEIR_PROGRAM_JOURNAL_H
#define WEIR_PROGRAM_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

enum journal_level { JOURNAL_DEBUG, JOURNAL_INFO, JOURNAL_WARNING, JOURNAL_ERROR };
enum journal_format { JOURNAL_TEXT, JOURNAL_JSON };

/* Names for a struct option: .type = OPTION_ENUM, .allowed = JOURNAL_FORMATS; options_number gives the enum's value. */
#define JOURNAL_FORMATS "text|json"
#define JOURNAL_LEVELS  "debug|info|warning|error"

/* Once, before other threads; without it: text, info, program "weir". The name is lent for ever. Lines below `least` are not written. */
void journal_open(const char *program, enum journal_format format, enum journal_level least);

/* fields: NULL or "" for none. */
__attribute__((format(printf, 3, 4))) void journal_write(enum journal_level level, const char *event, const char *fields, ...);

#define journal_debug(...)   journal_write(JOURNAL_DEBUG, __VA_ARGS__)
#define journal_info(...)    journal_write(JOURNAL_INFO, __VA_ARGS__)
#define journal_warning(...) journal_write(JOURNAL_WARNING, __VA_ARGS__)
#define journal_error(...)   journal_write(JOURNAL_ERROR, __VA_ARGS__)

/* False when a line of that level would not be written: to save work before a call. */
bool journal_wants(enum journal_level level);

/* Where lines go, for tests; 2 (stderr) at first. */
void journal_set_fd(int fd);

#endif
