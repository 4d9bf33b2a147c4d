/* The core may not use the C library beyond mem* and str*, and half of what stands here (base64, RFC 3339 without locale and time zone)
 * is not in it anyway. */
#include "gateway/core/text.h"

void writer_init(struct writer *w, void *room, size_t size)
{
    w->begin = room;
    w->at = room;
    w->end = w->begin + size;
    w->full = false;
}

size_t writer_size(const struct writer *w)
{
    return (size_t)(w->at - w->begin);
}

void write_bytes(struct writer *w, const void *data, size_t size)
{
    if (size == 0) return;
    if (w->full || (size_t)(w->end - w->at) < size) {
        w->full = true;
        return;
    }
    memcpy(w->at, data, size);
    w->at += size;
}

void write_span(struct writer *w, struct span bytes)
{
    write_bytes(w, bytes.data, bytes.size);
}

void write_text(struct writer *w, const char *text)
{
    write_bytes(w, text, strlen(text));
}

void write_uint(struct writer *w, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    write_bytes(w, digits + first, sizeof digits - first);
}

void write_hundredths(struct writer *w, uint32_t hundredths)
{
    write_uint(w, hundredths / 100);
    const char rest[3] = { '.', (char)('0' + hundredths / 10 % 10), (char)('0' + hundredths % 10) };
    write_bytes(w, rest, sizeof rest);
}

/* Length of the UTF-8 character at the beginning; 0 when it is none (Unicode, table 3-7). */
static size_t utf8_length(const uint8_t *at, size_t left)
{
    uint8_t c = at[0];
    size_t size = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (size == 0 || left < size) return 0;
    uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    uint8_t high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < size; i++) {
        if (at[i] < 0x80 || at[i] > 0xBF) return 0;
    }
    return size;
}

static void write_control(struct writer *w, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    const char *short_form = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : c == '\b' ? "\\b" : c == '\f' ? "\\f" : NULL;
    if (short_form != NULL) {
        write_bytes(w, short_form, 2);
        return;
    }
    const char escape[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
    write_bytes(w, escape, sizeof escape);
}

void write_string(struct writer *w, struct span text)
{
    write_bytes(w, "\"", 1);
    size_t plain = 0; /* from here to i nothing needs a change */
    size_t i = 0;
    while (i < text.size) {
        uint8_t c = text.data[i];
        size_t size = c < 0x80 ? 1 : utf8_length(text.data + i, text.size - i);
        if (size > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += size;
            continue;
        }
        write_bytes(w, text.data + plain, i - plain);
        if (size == 0) {
            write_bytes(w, "\xEF\xBF\xBD", 3);
        } else if (c < 0x20) {
            write_control(w, c);
        } else {
            const char escape[2] = { '\\', (char)c };
            write_bytes(w, escape, 2);
        }
        plain = ++i;
    }
    if (text.size > 0) write_bytes(w, text.data + plain, text.size - plain);
    write_bytes(w, "\"", 1);
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void write_base64(struct writer *w, struct span bytes)
{
    write_bytes(w, "\"", 1);
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        if (left > 1) group |= (uint32_t)bytes.data[i + 1] << 8;
        if (left > 2) group |= bytes.data[i + 2];
        const char out[4] = { base64_alphabet[group >> 18], base64_alphabet[group >> 12 & 63],
                              left > 1 ? base64_alphabet[group >> 6 & 63] : '=', left > 2 ? base64_alphabet[group & 63] : '=' };
        write_bytes(w, out, 4);
    }
    write_bytes(w, "\"", 1);
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

bool base64_decode(struct span text, uint8_t *out, size_t *out_size)
{
    if (text.size % 4 != 0) return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    size_t size = 0;
    for (size_t i = 0; i < text.size; i += 4) {
        size_t given = i + 4 == text.size ? 4 - padding : 4;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k < given ? base64_value(text.data[i + k]) : 0;
            if (value < 0) return false;
            group = group << 6 | (uint32_t)value;
        }
        uint32_t unused = given == 2 ? group & 0xFFFF : given == 3 ? group & 0xFF : 0;
        if (unused != 0) return false; /* the bits behind the last byte must be zero: one text per value */
        out[size++] = (uint8_t)(group >> 16);
        if (given > 2) out[size++] = (uint8_t)(group >> 8);
        if (given > 3) out[size++] = (uint8_t)group;
    }
    *out_size = size;
    return true;
}

/* Days since 1970-01-01 <-> date in the proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March
 * (the method of H. Hinnant, "chrono-compatible low-level date algorithms"). */
static uint64_t days_from_date(uint64_t year, uint32_t month, uint32_t day)
{
    uint64_t y = month <= 2 ? year - 1 : year;
    uint64_t era = y / 400;
    uint64_t of_era = y - era * 400;
    uint64_t of_year = (153 * (uint64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_from_days(uint64_t days, uint64_t *out_year, uint32_t *out_month, uint32_t *out_day)
{
    uint64_t z = days + 719468;
    uint64_t era = z / 146097;
    uint64_t of_era = z - era * 146097;
    uint64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t m = (5 * of_year + 2) / 153;
    *out_day = (uint32_t)(of_year - (153 * m + 2) / 5 + 1);
    *out_month = (uint32_t)(m < 10 ? m + 3 : m - 9);
    *out_year = year_of_era + era * 400 + (*out_month <= 2 ? 1 : 0);
}

static void put_digits(uint8_t *out, uint64_t number, size_t digits)
{
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = (uint8_t)('0' + number % 10);
        number /= 10;
    }
}

void write_time(struct writer *w, uint64_t unix_ms)
{
    static const uint64_t year_9999_ends_ms = 253402300799999;
    if (unix_ms > year_9999_ends_ms) unix_ms = year_9999_ends_ms;
    uint8_t text[] = "\"0000-00-00T00:00:00.000Z\"";
    uint64_t year;
    uint32_t month;
    uint32_t day;
    date_from_days(unix_ms / 86400000, &year, &month, &day);
    uint64_t of_day = unix_ms % 86400000;
    put_digits(text + 1, year, 4);
    put_digits(text + 6, month, 2);
    put_digits(text + 9, day, 2);
    put_digits(text + 12, of_day / 3600000, 2);
    put_digits(text + 15, of_day / 60000 % 60, 2);
    put_digits(text + 18, of_day / 1000 % 60, 2);
    put_digits(text + 21, of_day % 1000, 3);
    write_bytes(w, text, sizeof text - 1);
}

/* A decimal number without sign; false when it is not one or does not fit. */
static bool uint_parse(struct span text, uint64_t *out)
{
    if (text.size == 0 || text.size > 20) return false;
    uint64_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c < '0' || c > '9') return false;
        uint64_t digit = (uint64_t)(c - '0');
        if (number > (UINT64_MAX - digit) / 10) return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

static bool read_part(struct span text, size_t at, size_t digits, uint32_t low, uint32_t high, uint32_t *out)
{
    uint64_t number;
    if (text.size < at + digits || !uint_parse(span_of(text.data + at, digits), &number)) return false;
    *out = (uint32_t)number;
    return number >= low && number <= high;
}

/* "Z" or "+01:30": what is to be taken from the local time, in minutes. */
static bool read_offset(struct span text, int64_t *out_minutes)
{
    if (text.size == 1 && (text.data[0] == 'Z' || text.data[0] == 'z')) {
        *out_minutes = 0;
        return true;
    }
    uint32_t hours;
    uint32_t minutes;
    if (text.size != 6 || text.data[3] != ':' || !read_part(text, 1, 2, 0, 23, &hours) || !read_part(text, 4, 2, 0, 59, &minutes))
        return false;
    if (text.data[0] != '+' && text.data[0] != '-') return false;
    *out_minutes = (int64_t)(hours * 60 + minutes) * (text.data[0] == '-' ? -1 : 1);
    return true;
}

/* Takes ".123456" as milliseconds; *at moves behind it. */
static bool read_fraction(struct span text, size_t *at, uint64_t *out_ms)
{
    *out_ms = 0;
    if (*at >= text.size || text.data[*at] != '.') return true;
    size_t first = ++*at;
    uint64_t weight = 100;
    while (*at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9') {
        *out_ms += weight * (uint64_t)(text.data[*at] - '0');
        weight /= 10;
        ++*at;
    }
    return *at > first;
}

bool time_parse(struct span text, uint64_t *out_unix_ms)
{
    static const uint8_t days_of[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint32_t year;
    uint32_t month;
    uint32_t day;
    uint32_t hour;
    uint32_t minute;
    uint32_t second;
    if (!read_part(text, 0, 4, 1970, 9999, &year) || !read_part(text, 5, 2, 1, 12, &month) || !read_part(text, 8, 2, 1, 31, &day) ||
        !read_part(text, 11, 2, 0, 23, &hour) || !read_part(text, 14, 2, 0, 59, &minute) || !read_part(text, 17, 2, 0, 60, &second))
        return false;
    bool marks = text.data[4] == '-' && text.data[7] == '-' && (text.data[10] == 'T' || text.data[10] == 't') && text.data[13] == ':' &&
                 text.data[16] == ':';
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (!marks || day > days_of[month - 1] || (month == 2 && day == 29 && !leap)) return false;
    size_t at = 19;
    uint64_t ms;
    int64_t offset;
    if (!read_fraction(text, &at, &ms) || !read_offset(span_of(text.data + at, text.size - at), &offset)) return false;
    int64_t minutes = (int64_t)(days_from_date(year, month, day) * 1440 + hour * 60 + minute) - offset;
    if (minutes < 0) return false;
    *out_unix_ms = (uint64_t)minutes * 60000 + second * 1000ull + ms;
    return true;
}

void write_event_id(struct writer *w, struct span epoch, uint64_t seq)
{
    write_span(w, epoch);
    write_bytes(w, "-", 1);
    write_uint(w, seq);
}

bool event_id_parse(struct span text, struct span *out_epoch, uint64_t *out_seq)
{
    size_t dash = text.size;
    while (dash > 0 && text.data[dash - 1] != '-')
        dash--;
    if (dash < 2) return false; /* an epoch of at least one byte */
    if (!uint_parse(span_of(text.data + dash, text.size - dash), out_seq)) return false;
    *out_epoch = span_of(text.data, dash - 1);
    return true;
}
