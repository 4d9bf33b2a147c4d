/* What the two halves of the encoder share. Private to proto/. */
#ifndef WEIR_PROTO_CODEC_ENCODE_H
#define WEIR_PROTO_CODEC_ENCODE_H

#include "proto/codec.h"

#include "weir.pb-c.h"

struct encoder {
    struct arena *arena;
    bool full;
};

static inline void *take(struct encoder *e, size_t count, size_t size)
{
    void *memory = count == 0 ? NULL : arena_take(e->arena, count * size);
    if (count > 0 && memory == NULL) e->full = true;
    return memory;
}

/* protobuf-c's structs are not const, but packing only reads them. */
static inline ProtobufCBinaryData bytes(struct span span)
{
    return (ProtobufCBinaryData){ .len = span.size, .data = (uint8_t *)span.data };
}

static inline uint64_t *wide(const uint64_t *column)
{
    return (uint64_t *)column;
}

static inline uint32_t *narrow(const uint32_t *column)
{
    return (uint32_t *)column;
}

static inline ProtobufCBinaryData *many_bytes(struct encoder *e, size_t count, const struct span *from)
{
    ProtobufCBinaryData *to = take(e, count, sizeof *to);
    for (size_t i = 0; to != NULL && i < count; i++)
        to[i] = bytes(from[i]);
    return to;
}

/* Defines name_list: an array of pointers to `proto`, filled by put_name from an array. NULL when count is 0 or nothing fits. */
#define DEFINE_LIST(name, from_type, proto)                                                                                                \
    static proto **name##_list(struct encoder *e, size_t count, const from_type *from)                                                     \
    {                                                                                                                                      \
        proto **list = take(e, count, sizeof(proto *) + sizeof(proto));                                                                    \
        if (list == NULL) return NULL;                                                                                                     \
        proto *messages = (proto *)(void *)(list + count);                                                                                 \
        for (size_t i = 0; i < count; i++) {                                                                                               \
            list[i] = &messages[i];                                                                                                        \
            weir__v1__##name##__init(list[i]);                                                                                             \
            put_##name(e, &from[i], list[i]);                                                                                              \
        }                                                                                                                                  \
        return list;                                                                                                                       \
    }

/* codec_encode_admin.c. NULL: nothing fits. */
Weir__V1__Group *new_group(struct encoder *e, const struct group_spec *from);
void put_query(struct encoder *e, const struct msg_query *from, Weir__V1__Query *to);
void put_answer(struct encoder *e, const struct msg_answer *from, Weir__V1__Answer *to);
void put_manage(struct encoder *e, const struct msg_manage *from, Weir__V1__Manage *to);

#endif
