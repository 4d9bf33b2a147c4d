/* Protobuf's wire format by hand: varints and fields, read and written in place. Shared by the event scanner and the records. Accepts and
 * refuses what protobuf-c 1.4 does: tags of up to 5 bytes that do not begin with one below 8 (field 0), varints of up to 10, lengths of up to 5, no
 * groups. Pure. */
#ifndef WEIR_PROTO_FIELD_H
#define WEIR_PROTO_FIELD_H

#include "sdk/base/span.h"

enum wire { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };
enum { FIELD_TAG_BYTES_MAX = 5, FIELD_LENGTH_BYTES_MAX = 5, FIELD_VARINT_BYTES_MAX = 10 };

struct field {
    uint32_t number;
    uint32_t wire;
    uint64_t value;    /* WIRE_VARINT */
    struct span bytes; /* WIRE_BYTES */
};

/* One past the last byte; NULL for no bytes at all, where adding even 0 would be undefined. */
static inline const uint8_t *field_end(struct span bytes)
{
    return bytes.data == NULL ? NULL : bytes.data + bytes.size;
}

/* A varint of up to 8 bytes at once: the place of the first byte without its high bit is its length, then the groups of 7 bits are moved
 * together pairwise. Only where 8 bytes can be read and the first byte is the lowest. */
static inline const uint8_t *field_varint_8(const uint8_t *at, uint64_t *out)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t ends = ~word & UINT64_C(0x8080808080808080);
    if (ends == 0) return NULL;
    int last = __builtin_ctzll(ends); /* bit 7 of the last byte */
    word &= UINT64_C(0x7f7f7f7f7f7f7f7f) & (UINT64_MAX >> (63 - last));
    word = (word & UINT64_C(0x007f007f007f007f)) | (word & UINT64_C(0x7f007f007f007f00)) >> 1;
    word = (word & UINT64_C(0x00003fff00003fff)) | (word & UINT64_C(0x3fff00003fff0000)) >> 2;
    *out = (word & UINT64_C(0x000000000fffffff)) | (word & UINT64_C(0x0fffffff00000000)) >> 4;
    return at + last / 8 + 1;
}

/* Reads a varint of at most bytes_max bytes before end. NULL when it does not end there; else the byte after it. */
static inline const uint8_t *field_varint(const uint8_t *at, const uint8_t *end, size_t bytes_max, uint64_t *out)
{
    size_t left = (size_t)(end - at);
    if (left > 0 && at[0] < 0x80) {
        *out = at[0];
        return at + 1;
    }
    if (left > 1 && at[1] < 0x80) {
        *out = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
        return at + 2;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (bytes_max == FIELD_VARINT_BYTES_MAX && left >= 8) {
        const uint8_t *after = field_varint_8(at, out);
        if (after != NULL) return after;
    }
#endif
    if (left < bytes_max) bytes_max = left;
    uint64_t value = 0;
    for (size_t i = 0; i < bytes_max; i++) {
        value |= (uint64_t)(at[i] & 0x7f) << (7 * i);
        if (at[i] < 0x80) {
            *out = value;
            return at + i + 1;
        }
    }
    return NULL;
}

/* Reads a length and lends the bytes behind it. NULL when they do not end before end. */
static inline const uint8_t *field_bytes(const uint8_t *at, const uint8_t *end, struct span *out)
{
    uint64_t size;
    at = field_varint(at, end, FIELD_LENGTH_BYTES_MAX, &size);
    if (at == NULL || size > (uint64_t)(end - at)) return NULL;
    *out = span_of(at, (size_t)size);
    return at + size;
}

/* Reads a field's number and wire type, which share a varint. NULL when it is malformed. */
static inline const uint8_t *field_tag(const uint8_t *at, const uint8_t *end, uint32_t *out_number, uint32_t *out_wire)
{
    uint64_t tag = 0;
    if (at == end || *at < 1 << 3) return NULL;
    at = field_varint(at, end, FIELD_TAG_BYTES_MAX, &tag);
    *out_number = (uint32_t)(tag >> 3);
    *out_wire = tag & 7;
    return at;
}

/* Reads one field of any number. NULL when it is malformed; else the byte after it. */
static inline const uint8_t *field_read(const uint8_t *at, const uint8_t *end, struct field *out)
{
    at = field_tag(at, end, &out->number, &out->wire);
    if (at == NULL) return NULL;
    switch (out->wire) {
    case WIRE_VARINT:
        return field_varint(at, end, FIELD_VARINT_BYTES_MAX, &out->value);
    case WIRE_BYTES:
        return field_bytes(at, end, &out->bytes);
    case WIRE_64BIT:
        return end - at < 8 ? NULL : at + 8;
    case WIRE_32BIT:
        return end - at < 4 ? NULL : at + 4;
    default:
        return NULL;
    }
}

static inline size_t field_varint_size(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return (bits * 9 + 64) / 64; /* bits / 7 rounded up, for 1 to 64 */
}

static inline uint8_t *field_put_varint(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

static inline uint8_t *field_put_tag(uint8_t *out, uint32_t number, enum wire wire)
{
    return field_put_varint(out, (uint64_t)number << 3 | wire);
}

/* Sizes and writes of whole fields: zero values and empty bytes are left out, as proto3 does. */
static inline size_t field_number_size(uint32_t number, uint64_t value)
{
    return value == 0 ? 0 : field_varint_size((uint64_t)number << 3) + field_varint_size(value);
}

static inline size_t field_span_size(uint32_t number, struct span bytes)
{
    return bytes.size == 0 ? 0 : field_varint_size((uint64_t)number << 3) + field_varint_size(bytes.size) + bytes.size;
}

static inline uint8_t *field_put_number(uint8_t *out, uint32_t number, uint64_t value)
{
    return value == 0 ? out : field_put_varint(field_put_tag(out, number, WIRE_VARINT), value);
}

static inline uint8_t *field_put_span(uint8_t *out, uint32_t number, struct span bytes)
{
    if (bytes.size == 0) return out;
    out = field_put_varint(field_put_tag(out, number, WIRE_BYTES), bytes.size);
    memcpy(out, bytes.data, bytes.size);
    return out + bytes.size;
}

#endif
