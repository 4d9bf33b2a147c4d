/* What the two halves of the decoder share. Private to proto/. */
#ifndef WEIR_PROTO_CODEC_DECODE_H
#define WEIR_PROTO_CODEC_DECODE_H

#include "proto/codec.h"

#include "weir.pb-c.h"

struct decoder {
    struct arena *arena;
    enum codec_result result;
    uint64_t body_size; /* counts are below 2^32 and sizes too: no overflow */
};

static inline void *take(struct decoder *d, size_t count, size_t size)
{
    void *memory = count == 0 ? NULL : arena_take_zeroed(d->arena, count, size);
    if (count > 0 && memory == NULL) d->result = CODEC_NO_ROOM;
    return memory;
}

static inline struct span span(ProtobufCBinaryData bytes)
{
    return span_of(bytes.data, bytes.len);
}

static inline const struct span *spans(struct decoder *d, size_t count, const ProtobufCBinaryData *from)
{
    struct span *to = take(d, count, sizeof *to);
    for (size_t i = 0; to != NULL && i < count; i++)
        to[i] = span(from[i]);
    return to;
}

/* Defines name_list: an array of `to` in the arena, converted by take_name from an array of pointers. NULL when count is 0 or nothing fits.
 */
#define DEFINE_LIST(name, proto, to)                                                                                                       \
    static const to *name##_list(struct decoder *d, size_t count, proto *const *from)                                                      \
    {                                                                                                                                      \
        to *list = take(d, count, sizeof *list);                                                                                           \
        for (size_t i = 0; list != NULL && i < count; i++)                                                                                 \
            take_##name(d, from[i], &list[i]);                                                                                             \
        return list;                                                                                                                       \
    }

/* codec_decode_admin.c */
void take_group(struct decoder *d, const Weir__V1__Group *from, struct group_spec *to);
void take_query(struct decoder *d, const Weir__V1__Query *from, struct msg_query *to);
void take_answer(struct decoder *d, const Weir__V1__Answer *from, struct msg_answer *to);
void take_manage(struct decoder *d, const Weir__V1__Manage *from, struct msg_manage *to);

#endif
