/* An event as clients see it. Data that says it is JSON, or says nothing, and is JSON, goes out as it is; everything else in base64. It is
 * checked here because SDK publishers and workers wrote it, not clients whose frames were checked on the way in. Data that would fill a client's
 * queue is left out: its size is told, and the event can be fetched by its id. */
#include "gateway/core/gate_parts.h"
#include "proto/parts.h"

static bool may_be_json(struct span content_type)
{
    static const char json[] = "application/json";
    if (content_type.size == 0) return true;
    size_t size = sizeof json - 1;
    if (content_type.size < size || memcmp(content_type.data, json, size) != 0) return false;
    return content_type.size == size || content_type.data[size] == ';';
}

void write_data(struct writer *w, struct span content_type, struct span data)
{
    if (data.size == 0 && content_type.size == 0) {
        write_text(w, ",\"data\":null");
    } else if (may_be_json(content_type) && jscan_check(data) == JSCAN_OK) {
        write_text(w, ",\"data\":");
        write_span(w, data);
    } else {
        write_text(w, ",\"data_base64\":");
        write_base64(w, data);
    }
}

static void write_text_field(struct writer *w, const char *name, struct span value)
{
    if (value.size == 0) return;
    write_text(w, name);
    write_string(w, value);
}

static void write_headers(struct writer *w, const struct event *event)
{
    if (event->header_count == 0) return;
    write_text(w, ",\"headers\":{");
    size_t cursor = 0;
    struct span name;
    struct span value;
    bool first = true;
    while (event_header_next(event, &cursor, &name, &value)) {
        if (!first) write_text(w, ",");
        first = false;
        write_string(w, name);
        write_text(w, ":");
        write_string(w, value);
    }
    write_text(w, "}");
}

size_t event_data_max(const struct gate *g)
{
    size_t share = g->config.limits.queue_bytes / 2;
    if (share > DATA_OUT_MAX) share = DATA_OUT_MAX;
    return share > 2 * EVENT_BYTES_MAX ? share : 2 * EVENT_BYTES_MAX;
}

/* In base64 it takes a third more. */
static bool data_fits(const struct event *event, size_t data_max)
{
    if (event->data.size <= data_max / 4 * 3) return true;
    return event->data.size <= data_max && may_be_json(event->content_type) && jscan_check(event->data) == JSCAN_OK;
}

void write_event_data(struct writer *w, const struct event *event, size_t data_max)
{
    struct parts parts = { .size = event->data.size };
    bool left_out = event->parts.size > 0 && parts_read(event->parts, NULL, PARTS_MAX, &parts); /* the link did not take it either */
    if (!left_out && data_fits(event, data_max)) {
        write_data(w, event->content_type, event->data);
        return;
    }
    write_text(w, ",\"too_large\":true,\"size\":");
    write_uint(w, parts.size);
}

struct event_stamp event_stamp(const struct link_fact *fact, size_t i)
{
    const uint64_t *first = fact->events.first;
    return (struct event_stamp){ fact->events.seq[i], first != NULL ? first[i] : 0, fact->events.time_ms[i] };
}

/* An event that stands here again keeps its id; what resumes after it is its place, the cursor. */
bool write_event(struct gate *g, struct writer *w, const struct event_stamp *stamp, struct span bytes, size_t data_max)
{
    struct event event;
    if (event_scan(bytes, &event) != EVENT_OK) return false;
    write_text(w, "{\"type\":\"event\",\"topic\":");
    write_string(w, event.topic);
    write_text(w, ",\"event\":\"");
    write_event_id(w, epoch_of(g), stamp->first != 0 ? stamp->first : stamp->seq);
    if (stamp->first != 0) {
        write_text(w, "\",\"cursor\":\"");
        write_event_id(w, epoch_of(g), stamp->seq);
    }
    write_text(w, "\",\"seq\":");
    write_uint(w, stamp->seq);
    write_text(w, ",\"time\":");
    write_time(w, stamp->time_ms);
    write_text_field(w, ",\"key\":", event.key);
    write_text_field(w, ",\"session\":", event.session);
    write_text_field(w, ",\"token\":", event.token);
    write_text_field(w, ",\"event_type\":", event.type);
    write_text_field(w, ",\"traceparent\":", event.traceparent);
    write_headers(w, &event);
    write_event_data(w, &event, data_max);
    write_text(w, "}");
    return true;
}
