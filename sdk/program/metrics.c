/* The Prometheus text format: no library for C is packaged, and it is a hundred lines. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/program/metrics.h"

static void put(struct metrics *metrics, const char *bytes, size_t size)
{
    if (metrics->failed) return;
    if (metrics->size + size > metrics->capacity) {
        size_t capacity = metrics->capacity ? metrics->capacity * 2 : 4096;
        while (capacity < metrics->size + size)
            capacity *= 2;
        char *data = realloc(metrics->data, capacity);
        if (!data) {
            metrics->failed = true;
            return;
        }
        metrics->data = data;
        metrics->capacity = capacity;
    }
    memcpy(metrics->data + metrics->size, bytes, size);
    metrics->size += size;
}

static void put_text(struct metrics *metrics, const char *text)
{
    put(metrics, text, strlen(text));
}

static void put_escaped(struct metrics *metrics, const char *text, bool quotes)
{
    for (; *text; text++) {
        if (*text == '\n')
            put(metrics, "\\n", 2);
        else if (*text == '\\' || (quotes && *text == '"')) {
            put(metrics, "\\", 1);
            put(metrics, text, 1);
        } else
            put(metrics, text, 1);
    }
}

void metrics_family(struct metrics *metrics, const char *name, enum metrics_type type, const char *help)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };
    put_text(metrics, "# HELP ");
    put_text(metrics, name);
    put_text(metrics, " ");
    put_escaped(metrics, help, false);
    put_text(metrics, "\n# TYPE ");
    put_text(metrics, name);
    put_text(metrics, " ");
    put_text(metrics, types[type]);
    put_text(metrics, "\n");
}

static void put_label(struct metrics *metrics, bool first, const char *name, const char *value)
{
    put_text(metrics, first ? "{" : ",");
    put_text(metrics, name);
    put_text(metrics, "=\"");
    put_escaped(metrics, value, true);
    put_text(metrics, "\"");
}

/* Name and labels; `le` is one more label of histograms, NULL: none. */
static void put_head(struct metrics *metrics, const char *name, const char *suffix, va_list *labels, const char *le)
{
    put_text(metrics, name);
    put_text(metrics, suffix);
    bool first = true;
    for (const char *label; (label = va_arg(*labels, const char *)) != NULL; first = false)
        put_label(metrics, first, label, va_arg(*labels, const char *));
    if (le) {
        put_label(metrics, first, "le", le);
        first = false;
    }
    put_text(metrics, first ? " " : "} ");
}

static void put_uint(struct metrics *metrics, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64 "\n", value);
    put_text(metrics, text);
}

static void put_double(struct metrics *metrics, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.9g\n", value);
    put_text(metrics, text);
}

void metrics_uint(struct metrics *metrics, const char *name, uint64_t value, ...)
{
    va_list labels;
    va_start(labels, value);
    put_head(metrics, name, "", &labels, NULL);
    va_end(labels);
    put_uint(metrics, value);
}

void metrics_double(struct metrics *metrics, const char *name, double value, ...)
{
    va_list labels;
    va_start(labels, value);
    put_head(metrics, name, "", &labels, NULL);
    va_end(labels);
    put_double(metrics, value);
}

void metrics_histogram(struct metrics *metrics, const char *name, const double *bounds, const uint64_t *counts, size_t count, double sum,
                       ...)
{
    va_list labels;
    uint64_t total = 0;
    for (size_t i = 0; i <= count; i++) {
        char le[32] = "+Inf";
        if (i < count) snprintf(le, sizeof le, "%.9g", bounds[i]);
        total += counts[i];
        va_start(labels, sum);
        put_head(metrics, name, "_bucket", &labels, le);
        va_end(labels);
        put_uint(metrics, total);
    }
    va_start(labels, sum);
    put_head(metrics, name, "_sum", &labels, NULL);
    va_end(labels);
    put_double(metrics, sum);
    va_start(labels, sum);
    put_head(metrics, name, "_count", &labels, NULL);
    va_end(labels);
    put_uint(metrics, total);
}

void metrics_free(struct metrics *metrics)
{
    free(metrics->data);
    *metrics = (struct metrics){ 0 };
}
