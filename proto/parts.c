/* The field `parts` is a protobuf message with one packed column of steps: positions near each other take few bytes. */
#include "proto/parts.h"

#include "proto/field.h"

enum { FIELD_DATA = 8, FIELD_PARTS = 21, PARTS_SIZE = 1, PARTS_STEP = 2 };

static bool read_steps(struct span packed, uint64_t *positions, uint32_t most, struct parts *out)
{
    const uint8_t *at = packed.data, *end = field_end(packed);
    uint64_t position = 0, step;
    out->count = 0;
    while (at < end) {
        at = field_varint(at, end, FIELD_VARINT_BYTES_MAX, &step);
        if (at == NULL || out->count == most || step == 0 || step > (UINT64_C(1) << 53) - position) return false;
        position += step;
        if (out->count == 0) out->first = position;
        if (positions != NULL) positions[out->count] = position;
        out->count++;
    }
    return true;
}

bool parts_read(struct span bytes, uint64_t *positions, uint32_t most, struct parts *out)
{
    const uint8_t *at = bytes.data, *end = field_end(bytes);
    struct field field = { 0 };
    *out = (struct parts){ 0 };
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        if (field.number == PARTS_SIZE && field.wire == WIRE_VARINT) out->size = field.value;
        if (field.number == PARTS_STEP && (field.wire != WIRE_BYTES || !read_steps(field.bytes, positions, most, out))) return false;
    }
    return out->count > 0 && out->size <= EVENT_LARGE_BYTES_MAX && parts_count(out->size) == out->count;
}

size_t parts_field_bound(uint32_t count)
{
    return PARTS_FIELD_ROUND + (size_t)count * PARTS_POSITION_BYTES;
}

size_t parts_field_write(uint64_t size, const uint64_t *positions, uint32_t count, uint8_t *out)
{
    size_t steps = 0;
    for (uint32_t i = 0; i < count; i++)
        steps += field_varint_size(positions[i] - (i > 0 ? positions[i - 1] : 0));
    size_t inside = field_number_size(PARTS_SIZE, size) + 1 + field_varint_size(steps) + steps;
    uint8_t *at = field_put_varint(field_put_tag(out, FIELD_PARTS, WIRE_BYTES), inside);
    at = field_put_number(at, PARTS_SIZE, size);
    at = field_put_varint(field_put_tag(at, PARTS_STEP, WIRE_BYTES), steps);
    for (uint32_t i = 0; i < count; i++)
        at = field_put_varint(at, positions[i] - (i > 0 ? positions[i - 1] : 0));
    return (size_t)(at - out);
}

bool parts_cut(struct span bytes, struct span *out_before, struct span *out_data, struct span *out_after)
{
    struct event event;
    uint8_t head[PARTS_FRONT];
    if (event_scan(bytes, &event) != EVENT_OK || event.data.size == 0) return false;
    size_t begin = (size_t)(event.data.data - bytes.data), end = begin + event.data.size;
    size_t size = (size_t)(field_put_varint(field_put_tag(head, FIELD_DATA, WIRE_BYTES), event.data.size) - head);
    if (begin < size || memcmp(bytes.data + begin - size, head, size) != 0) return false;
    *out_before = span_of(bytes.data, begin - size);
    *out_data = event.data;
    *out_after = span_of(bytes.data + end, bytes.size - end);
    return true;
}

bool parts_author(struct span bytes, struct span *out_author, struct span *out_field)
{
    struct event event;
    if (event_scan(bytes, &event) != EVENT_OK || event.data.size > 0 || event.parts.size == 0) return false;
    if (event.parts.data + event.parts.size != bytes.data + bytes.size) return false;
    *out_author = span_of(bytes.data, bytes.size - 2 - field_varint_size(event.parts.size) - event.parts.size);
    *out_field = event.parts;
    return true;
}

bool parts_join(uint8_t *room, uint64_t data_size, struct span bytes, struct span *out)
{
    struct span author, field;
    struct parts parts;
    uint8_t head[PARTS_FRONT];
    if (!parts_author(bytes, &author, &field) || !parts_read(field, NULL, PARTS_MAX, &parts) || parts.size != data_size) return false;
    size_t size = (size_t)(field_put_varint(field_put_tag(head, FIELD_DATA, WIRE_BYTES), data_size) - head);
    memcpy(room + PARTS_FRONT - size, head, size);
    memcpy(room + PARTS_FRONT + data_size, author.data, author.size);
    *out = span_of(room + PARTS_FRONT - size, size + data_size + author.size);
    return true;
}
