/* Writes log lines. One line is one write(2), so lines of threads and processes that share a pipe do not mix.
 *
 * The loops of weir log from their own thread, so a stderr that nobody reads must not hold them: the line is offered only when poll says
 * that a pipe takes it (a pipe that is writable takes PIPE_BUF = 4096 bytes, the longest line), and is dropped and counted else. Once a
 * line was dropped, the next ones do not wait at all until one passes. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdk/program/journal.h"

enum { LINE_BYTES_MAX = PIPE_BUF, LINE_END_RESERVE = 16, WAIT_MS = 50 };

static struct {
    pthread_mutex_t lock;
    const char *program;
    enum journal_format format;
    enum journal_level least;
    int fd;
    bool priorities; /* stderr is systemd's journal: lines begin with <priority> */
    unsigned long dropped;
} journal = { .lock = PTHREAD_MUTEX_INITIALIZER, .program = "weir", .least = JOURNAL_INFO, .fd = STDERR_FILENO };

static const char *const level_names[] = { "debug", "info", "warning", "error" };
static const char level_priorities[] = { '7', '6', '4', '3' };

struct line {
    char bytes[LINE_BYTES_MAX];
    size_t size;
    unsigned fields;
    bool is_json;
};

void journal_open(const char *program, enum journal_format format, enum journal_level least)
{
    pthread_mutex_lock(&journal.lock);
    journal.program = program;
    journal.format = format;
    journal.least = least;
    journal.priorities = getenv("JOURNAL_STREAM") != NULL;
    pthread_mutex_unlock(&journal.lock);
}

void journal_set_fd(int fd)
{
    pthread_mutex_lock(&journal.lock);
    journal.fd = fd;
    journal.dropped = 0;
    pthread_mutex_unlock(&journal.lock);
}

bool journal_wants(enum journal_level level)
{
    return level >= journal.least;
}

static void put(struct line *line, const char *bytes, size_t size)
{
    size_t room = sizeof line->bytes - LINE_END_RESERVE - line->size;
    if (size > room) size = room;
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Bytes of the UTF-8 character at text, 0 when it is none. */
static size_t utf8_size(const unsigned char *text, size_t size)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (text[0] < 0x80) return 1;
    size_t length = text[0] >= 0xf0 && text[0] < 0xf5   ? 4
                    : text[0] >= 0xe0 && text[0] < 0xf0 ? 3
                    : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
                                                        : 0;
    if (length == 0 || length > size) return 0;
    unsigned code = text[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (text[i] & 0x3fU);
    }
    return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : length;
}

static void put_quoted(struct line *line, const char *text, size_t size)
{
    put(line, "\"", 1);
    for (size_t i = 0; i < size;) {
        unsigned char c = (unsigned char)text[i];
        size_t length = utf8_size((const unsigned char *)text + i, size - i);
        if (line->size + 8 + LINE_END_RESERVE > sizeof line->bytes) break; /* an escape or a character is never cut */
        char escape[8];
        if (length == 0) {
            put_text(line, "\\ufffd");
            length = 1;
        } else if (c == '"' || c == '\\') {
            escape[0] = '\\';
            escape[1] = (char)c;
            put(line, escape, 2);
        } else if (c < 0x20 || c == 0x7f) {
            snprintf(escape, sizeof escape, "\\u%04x", c);
            put_text(line, escape);
        } else
            put(line, text + i, length);
        i += length;
    }
    line->bytes[line->size++] = '"'; /* there is room: the reserve */
}

static bool is_plain(const char *text, size_t size)
{
    if (size == 0) return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') return false;
    }
    return true;
}

static void put_key(struct line *line, const char *key, size_t size)
{
    if (line->is_json) {
        put_text(line, line->fields++ ? ",\"" : "\"");
        put(line, key, size);
        put_text(line, "\":");
        return;
    }
    if (line->fields++) put(line, " ", 1);
    put(line, key, size);
    put(line, "=", 1);
}

static bool has_room(const struct line *line, size_t key_size)
{
    return line->size + key_size + 16 + LINE_END_RESERVE <= sizeof line->bytes;
}

static void put_string_field(struct line *line, const char *key, size_t key_size, const char *text, size_t size)
{
    if (!has_room(line, key_size)) return;
    put_key(line, key, key_size);
    bool plain = !line->is_json && size + line->size + LINE_END_RESERVE < sizeof line->bytes && is_plain(text, size);
    if (plain)
        put(line, text, size);
    else
        put_quoted(line, text, size);
}

static void put_number_field(struct line *line, const char *key, size_t key_size, const char *digits)
{
    if (!has_room(line, key_size + 32)) return;
    put_key(line, key, key_size);
    bool number = digits[strspn(digits, "+-.e0123456789")] == 0; /* JSON has no inf, nan and hex */
    if (line->is_json && !number)
        put_quoted(line, digits, strlen(digits));
    else
        put_text(line, digits);
}

/* One conversion: how long the integer is, and which. */
struct conversion {
    int longs; /* 0 int, 1 long, 2 long long, 3 size_t, 4 intmax_t */
    int precision;
    bool star;
    char kind;
};

static const char *parse_conversion(const char *at, struct conversion *out)
{
    *out = (struct conversion){ .precision = -1 };
    at++; /* % */
    if (*at == '0') at++;
    while (*at >= '0' && *at <= '9')
        at++;
    if (*at == '.') {
        at++;
        if (*at == '*') {
            out->star = true;
            at++;
        } else
            for (out->precision = 0; *at >= '0' && *at <= '9'; at++)
                out->precision = out->precision * 10 + (*at - '0');
    }
    for (; *at == 'l' || *at == 'z' || *at == 'j'; at++)
        out->longs = *at == 'z' ? 3 : *at == 'j' ? 4 : out->longs + 1;
    out->kind = *at;
    return *at ? at + 1 : at;
}

static void put_signed(struct line *line, const char *key, size_t key_size, const struct conversion *c, va_list *args)
{
    intmax_t value = c->longs == 0   ? va_arg(*args, int)
                     : c->longs == 1 ? va_arg(*args, long)
                     : c->longs == 2 ? va_arg(*args, long long)
                     : c->longs == 3 ? (intmax_t)va_arg(*args, ssize_t)
                                     : va_arg(*args, intmax_t);
    char digits[32];
    snprintf(digits, sizeof digits, "%jd", value);
    put_number_field(line, key, key_size, digits);
}

static void put_unsigned(struct line *line, const char *key, size_t key_size, const struct conversion *c, va_list *args)
{
    uintmax_t value = c->longs == 0   ? va_arg(*args, unsigned)
                      : c->longs == 1 ? va_arg(*args, unsigned long)
                      : c->longs == 2 ? va_arg(*args, unsigned long long)
                      : c->longs == 3 ? va_arg(*args, size_t)
                                      : va_arg(*args, uintmax_t);
    char digits[32];
    if (c->kind == 'x') {
        snprintf(digits, sizeof digits, "%jx", value);
        put_string_field(line, key, key_size, digits, strlen(digits));
        return;
    }
    snprintf(digits, sizeof digits, "%ju", value);
    put_number_field(line, key, key_size, digits);
}

/* va_list by pointer: what one call takes is gone for the next, on every ABI. */
static void put_field(struct line *line, const char *key, size_t key_size, const struct conversion *c, va_list *args)
{
    char digits[64];
    int precision = c->star ? va_arg(*args, int) : c->precision;
    switch (c->kind) {
    case 's': {
        const char *text = va_arg(*args, const char *);
        if (!text) text = "";
        put_string_field(line, key, key_size, text, precision >= 0 ? strnlen(text, (size_t)precision) : strlen(text));
        return;
    }
    case 'c':
        digits[0] = (char)va_arg(*args, int);
        put_string_field(line, key, key_size, digits, 1);
        return;
    case 'd':
    case 'i':
        put_signed(line, key, key_size, c, args);
        return;
    case 'u':
    case 'x':
        put_unsigned(line, key, key_size, c, args);
        return;
    case 'f':
    case 'g':
        snprintf(digits, sizeof digits, c->kind == 'f' ? "%.*f" : "%.*g", precision >= 0 ? precision : 6, va_arg(*args, double));
        put_number_field(line, key, key_size, digits);
        return;
    default:
        put_string_field(line, key, key_size, "?", 1);
    }
}

static void put_fields(struct line *line, const char *fields, va_list *args)
{
    for (const char *at = fields; at && *at;) {
        at += strspn(at, " ");
        const char *equals = strchr(at, '=');
        if (!equals) return;
        const char *value = equals + 1;
        if (*value == '%') {
            struct conversion conversion;
            const char *end = parse_conversion(value, &conversion);
            put_field(line, at, (size_t)(equals - at), &conversion, args);
            at = end + strcspn(end, " ");
        } else {
            size_t size = strcspn(value, " ");
            put_string_field(line, at, (size_t)(equals - at), value, size);
            at = value + size;
        }
    }
}

static void put_head(struct line *line, enum journal_level level, const char *event)
{
    struct timespec now;
    struct tm calendar;
    char date[32], time_text[64];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &calendar);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &calendar);
    snprintf(time_text, sizeof time_text, "%s.%03ldZ", date, now.tv_nsec / 1000000);
    if (journal.priorities) {
        char priority[] = { '<', level_priorities[level], '>' };
        put(line, priority, sizeof priority);
    }
    if (line->is_json) put(line, "{", 1);
    put_string_field(line, "time", 4, time_text, strlen(time_text));
    put_string_field(line, "level", 5, level_names[level], strlen(level_names[level]));
    put_string_field(line, "program", 7, journal.program, strlen(journal.program));
    put_string_field(line, "event", 5, event, strlen(event));
}

static void write_line(const struct line *line)
{
    struct pollfd stream = { .fd = journal.fd, .events = POLLOUT };
    int ready = poll(&stream, 1, journal.dropped ? 0 : WAIT_MS);
    if (ready == 1 && (stream.revents & POLLOUT)) {
        ssize_t written;
        do
            written = write(journal.fd, line->bytes, line->size);
        while (written < 0 && errno == EINTR);
        if (written == (ssize_t)line->size) {
            journal.dropped = 0;
            return;
        }
    }
    journal.dropped++;
}

void journal_write(enum journal_level level, const char *event, const char *fields, ...)
{
    if (!journal_wants(level)) return;
    int saved = errno;
    struct line line;
    line.size = line.fields = 0;
    line.is_json = journal.format == JOURNAL_JSON;
    va_list args;
    va_start(args, fields);
    put_head(&line, level, event);
    put_fields(&line, fields, &args);
    va_end(args);
    pthread_mutex_lock(&journal.lock);
    if (journal.dropped) {
        char digits[32];
        snprintf(digits, sizeof digits, "%lu", journal.dropped);
        put_number_field(&line, "dropped", 7, digits);
    }
    if (line.is_json) line.bytes[line.size++] = '}';
    line.bytes[line.size++] = '\n';
    write_line(&line);
    pthread_mutex_unlock(&journal.lock);
    errno = saved;
}
