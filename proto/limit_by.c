#include "proto/limit_by.h"

#include "sdk/base/topic.h"

static bool begins_with(struct span text, const char *prefix, struct span *out_rest)
{
    size_t size = strlen(prefix);
    if (text.size <= size || memcmp(text.data, prefix, size) != 0) return false;
    *out_rest = span_of(text.data + size, text.size - size);
    return true;
}

bool limit_by_read(struct span text, struct limit_by *out)
{
    struct span rest;
    *out = (struct limit_by){ 0 };
    if (begins_with(text, "header:", &out->header)) return true;
    if (!begins_with(text, "word:", &rest) || rest.size > 2) return false;
    for (size_t i = 0; i < rest.size; i++) {
        if (rest.data[i] < '0' || rest.data[i] > '9') return false;
        out->word = out->word * 10 + (uint32_t)(rest.data[i] - '0');
    }
    return out->word >= 1 && out->word <= TOPIC_WORDS_MAX;
}

static struct span header_value(const struct event *event, struct span name)
{
    size_t cursor = 0;
    struct span found, value;
    while (event_header_next(event, &cursor, &found, &value))
        if (span_equal(found, name)) return value;
    return span_of(NULL, 0);
}

static struct span topic_word(struct span topic, uint32_t number)
{
    size_t begin = 0;
    for (size_t i = 0; i <= topic.size; i++) {
        if (i < topic.size && topic.data[i] != '.') continue;
        if (--number == 0) return span_of(topic.data + begin, i - begin);
        begin = i + 1;
    }
    return span_of(NULL, 0);
}

struct span limit_by_value(const struct limit_by *by, const struct event *event)
{
    return by->word ? topic_word(event->topic, by->word) : header_value(event, by->header);
}
