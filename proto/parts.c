/* The field `parts` is a protobuf message with one packed column of steps: positions near each other take few bytes. */
#include "proto/parts.h"

#include "proto/field.h"

enum { FIELD_DATA = 8, FIELD_PARTS = 21, PARTS_SIZE = 1, PARTS_STEP = 2, POSITION_BYTES_MAX = 8 /* positions are below 2^53 */ };

static bool read_steps(struct span packed, uint64_t *positions, uint32_t most, uint32_t *count)
{
    const uint8_t *at = packed.data, *end = field_end(packed);
    uint64_t position = 0, step;
    *count = 0;
    while (at < end) {
        at = field_varint(at, end, FIELD_VARINT_BYTES_MAX, &step);
        if (at == NULL || *count == most || step == 0 || step > (UINT64_C(1) << 53) - position) return false;
        position += step;
        if (positions != NULL) positions[*count] = position;
        ++*count;
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
        if (field.number == PARTS_STEP && (field.wire != WIRE_BYTES || !read_steps(field.bytes, positions, most, &out->count))) return false;
    }
    return out->count > 0 && out->size <= EVENT_LARGE_BYTES_MAX && parts_count(out->size) == out->count;
}

size_t parts_field_bound(uint32_t count)
{
    return 2 + 3 + 6 + 4 + (size_t)count * POSITION_BYTES_MAX;
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

/* The field stands at the end, where the coordinator put it: what is before it is the author's. */
bool parts_join(uint8_t *room, uint64_t data_size, struct span bytes, struct span *out)
{
    struct event event;
    struct parts parts;
    uint8_t head[PARTS_FRONT];
    if (event_scan(bytes, &event) != EVENT_OK || event.data.size > 0 || !parts_read(event.parts, NULL, PARTS_MAX, &parts)) return false;
    if (parts.size != data_size || event.parts.data + event.parts.size != bytes.data + bytes.size) return false;
    size_t field = 2 + field_varint_size(event.parts.size) + event.parts.size;
    size_t before = bytes.size - field;
    size_t size = (size_t)(field_put_varint(field_put_tag(head, FIELD_DATA, WIRE_BYTES), data_size) - head);
    memcpy(room + PARTS_FRONT - size, head, size);
    memcpy(room + PARTS_FRONT + data_size, bytes.data, before);
    *out = span_of(room + PARTS_FRONT - size, size + data_size + before);
    return true;
}
