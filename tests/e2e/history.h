/* Lines of a history (tests/checker/history.py) from a C client. One write per line: what was recorded survives the client's death. */
#ifndef WEIR_E2E_HISTORY_H
#define WEIR_E2E_HISTORY_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int history_fd = -1;

static inline void history_open(const char *path)
{
    history_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (history_fd < 0) {
        perror(path);
        exit(2);
    }
}

/* fields: JSON members after op and t; no text in them needs escaping. */
__attribute__((format(printf, 2, 3))) static inline void history_write(const char *op, const char *fields, ...)
{
    char line[4096];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int size = snprintf(line, sizeof line, "{\"op\":\"%s\",\"t\":%lld,", op, (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    va_list arguments;
    va_start(arguments, fields);
    size += vsnprintf(line + size, sizeof line - (size_t)size, fields, arguments);
    va_end(arguments);
    size += snprintf(line + size, sizeof line - (size_t)size, "}\n");
    if (write(history_fd, line, (size_t)size) != size) abort();
}

/* The id that stands in an event's data, {"id":"…"…}; "" if there is none. */
static inline const char *history_id(const void *data, size_t size, char out[64])
{
    out[0] = '\0';
    const char *at = memmem(data, size, "\"id\":\"", 6);
    if (at == NULL) return out;
    at += 6;
    const char *end = memchr(at, '"', size - (size_t)(at - (const char *)data));
    if (end == NULL || end - at >= 64) return out;
    memcpy(out, at, (size_t)(end - at));
    out[end - at] = '\0';
    return out;
}

#endif
