/* What the bodies of records are written and read with: fields and columns over field.h, into and out of arrays of structs. Only for
 * record*.c. Pure. */
#ifndef WEIR_PROTO_RECORD_PARTS_H
#define WEIR_PROTO_RECORD_PARTS_H

#include "proto/field.h"
#include "proto/record.h"

enum { COLUMN_HEAD = FIELD_TAG_BYTES_MAX + FIELD_LENGTH_BYTES_MAX, VARINT32_BYTES_MAX = 5 };

/* A writer that stops at the end of its room and remembers that it did. */
struct writer {
    uint8_t *at;
    uint8_t *end;
    bool full;
};

static inline bool has_room(struct writer *w, size_t size)
{
    if (size > (size_t)(w->end - w->at)) w->full = true;
    return !w->full;
}

static inline void put_number(struct writer *w, uint32_t number, uint64_t value)
{
    if (has_room(w, field_number_size(number, value))) w->at = field_put_number(w->at, number, value);
}

static inline void put_span(struct writer *w, uint32_t number, struct span bytes)
{
    if (has_room(w, field_span_size(number, bytes))) w->at = field_put_span(w->at, number, bytes);
}

enum column_kind {
    COLUMN_U32,
    COLUMN_U64,
    COLUMN_GAPS /* uint64_t that rise: each but the first is written as how much it is above the one before */
};

/* A column is described by where its first value lies and how far the next one is: an array of structs is written field by field. */
struct column {
    const void *first;
    uint32_t stride;
    uint32_t count;
    enum column_kind kind;
};

static inline uint64_t column_value(struct column column, uint32_t index)
{
    const uint8_t *at = (const uint8_t *)column.first + (size_t)index * column.stride;
    if (column.kind == COLUMN_U32) return *(const uint32_t *)(const void *)at;
    uint64_t value = *(const uint64_t *)(const void *)at;
    return column.kind == COLUMN_GAPS && index > 0 ? value - *(const uint64_t *)(const void *)(at - column.stride) : value;
}

static inline void put_column(struct writer *w, uint32_t number, struct column column)
{
    if (column.count == 0) return;
    size_t size = 0;
    for (uint32_t i = 0; i < column.count; i++)
        size += field_varint_size(column_value(column, i));
    if (!has_room(w, FIELD_TAG_BYTES_MAX + FIELD_LENGTH_BYTES_MAX + size)) return;
    w->at = field_put_varint(field_put_tag(w->at, number, WIRE_BYTES), size);
    for (uint32_t i = 0; i < column.count; i++)
        w->at = field_put_varint(w->at, column_value(column, i));
}

/* One that is left out when all of it is 0. */
static inline void put_rare_column(struct writer *w, uint32_t number, struct column column)
{
    uint64_t some = 0;
    for (uint32_t i = 0; i < column.count; i++)
        some |= column_value(column, i);
    if (some) put_column(w, number, column);
}

static inline struct writer writer_over(uint8_t *out, size_t size)
{
    return (struct writer){ .at = out, .end = out + size };
}

static inline size_t written(const struct writer *w, const uint8_t *out)
{
    return w->full ? 0 : (size_t)(w->at - out);
}

/* Where the values of one column go while reading: as struct column, but with room and a count that rises. */
struct filling {
    void *first;
    uint32_t stride;
    uint32_t room;
    uint32_t count;
    enum column_kind kind;
};

static inline bool fill(struct filling *column, uint64_t value)
{
    if (column->count == column->room) return false;
    uint8_t *at = (uint8_t *)column->first + (size_t)column->count++ * column->stride;
    if (column->kind == COLUMN_GAPS && column->count > 1) value += *(const uint64_t *)(const void *)(at - column->stride);
    if (column->kind == COLUMN_U32)
        *(uint32_t *)(void *)at = (uint32_t)value;
    else
        *(uint64_t *)(void *)at = value;
    return true;
}

static inline bool read_column(struct filling *column, const struct field *field)
{
    if (field->wire == WIRE_VARINT) return fill(column, field->value);
    if (field->wire != WIRE_BYTES) return false;
    const uint8_t *at = field->bytes.data, *end = at + field->bytes.size;
    while (at < end) {
        uint64_t value;
        at = field_varint(at, end, FIELD_VARINT_BYTES_MAX, &value);
        if (at == NULL || !fill(column, value)) return false;
    }
    return true;
}

/* The other half of put_rare_column: what was left out is 0. False: of another length. */
static inline bool fill_rare(struct filling *column, uint32_t count)
{
    bool absent = column->count == 0;
    while (absent && column->count < count)
        if (!fill(column, 0)) return false;
    return column->count == count;
}

static inline bool read_u64(uint64_t *out, const struct field *field)
{
    *out = field->value;
    return field->wire == WIRE_VARINT;
}

static inline bool read_u32(uint32_t *out, const struct field *field)
{
    if (field->wire != WIRE_VARINT) return false;
    *out = (uint32_t)field->value;
    return true;
}

static inline bool read_span(struct span *out, const struct field *field)
{
    *out = field->bytes;
    return field->wire == WIRE_BYTES;
}

#endif
