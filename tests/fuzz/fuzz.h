/* What fuzz targets share: an assertion that stays on, and protobuf-c unpacking into memory that is thrown away as a whole. */
#ifndef WEIR_TESTS_FUZZ_H
#define WEIR_TESTS_FUZZ_H

#include <protobuf-c/protobuf-c.h>

#include "sdk/base/arena.h"
#include "sdk/base/must.h"
#include "sdk/base/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reference {
    struct arena arena;
    bool full;
    ProtobufCAllocator allocator;
};

static inline void *reference_allocate(void *arg, size_t size)
{
    struct reference *reference = arg;
    void *memory = arena_take(&reference->arena, size);
    if (memory == NULL) reference->full = true;
    return memory;
}

static inline void reference_free(void *arg, void *memory)
{
    (void)arg;
    (void)memory;
}

static inline void reference_init(struct reference *reference, void *memory, size_t size)
{
    arena_init(&reference->arena, memory, size);
    reference->full = false;
    reference->allocator = (ProtobufCAllocator){ reference_allocate, reference_free, reference };
}

/* Forgets the unknown fields of a message and of all within it: our codec does not keep them. */
static inline void reference_strip(ProtobufCMessage *message)
{
    message->n_unknown_fields = 0;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE) continue;
        void *member = (uint8_t *)message + field->offset;
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            ProtobufCMessage *one = *(ProtobufCMessage **)member;
            if (one != NULL) reference_strip(one);
            continue;
        }
        size_t count = *(size_t *)(void *)((uint8_t *)message + field->quantifier_offset);
        ProtobufCMessage **many = *(ProtobufCMessage ***)member;
        for (size_t k = 0; k < count; k++) reference_strip(many[k]);
    }
}

#endif
