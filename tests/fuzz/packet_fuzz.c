/* The codec against protobuf-c: a packet is taken exactly when protobuf-c takes it, its columns fit (checked here once more, by other
 * code), and its sizes are the body; what is encoded again is what protobuf-c would have written, and decodes to the same. The first byte
 * of the input chooses the body's size (right or wrong) and the size of the arena; the rest is the head. */
#include "proto/codec.h"

#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/packet_text.h"
#include "weir.pb-c.h"

static uint64_t sum(const uint32_t *sizes, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += sizes[i];
    return total;
}

static uint64_t body_size_of(const Weir__V1__Packet *p)
{
    uint64_t total = 0;
    for (size_t i = 0; i < p->n_publish; i++)
        total += sum(p->publish[i]->size, p->publish[i]->n_size);
    for (size_t i = 0; i < p->n_events; i++)
        total += sum(p->events[i]->size, p->events[i]->n_size);
    if (p->deliver != NULL) total += sum(p->deliver->size, p->deliver->n_size);
    if (p->settle != NULL) total += sum(p->settle->emit_size, p->settle->n_emit_size);
    for (size_t i = 0; i < p->n_partial; i++)
        total += p->partial[i]->size;
    for (size_t i = 0; i < p->n_part; i++)
        total += p->part[i]->size;
    return total;
}

static bool absent_or(size_t column, size_t count)
{
    return column == 0 || column == count;
}

static bool events_fit(const Weir__V1__Events *e)
{
    return e->n_seq == e->n_time_ms && e->n_seq == e->n_size && absent_or(e->n_cause, e->n_seq) && absent_or(e->n_first, e->n_seq);
}

static bool deliver_fits(const Weir__V1__Deliver *d)
{
    size_t n = d->n_lease;
    return d->n_seq == n && d->n_time_ms == n && d->n_attempt == n && d->n_size == n && absent_or(d->n_cause, n) &&
           absent_or(d->n_first, n) && absent_or(d->n_priority, n) && absent_or(d->n_letter, n);
}

static bool settle_fits(const Weir__V1__Settle *s)
{
    size_t n = s->n_lease;
    return s->n_verb == n && absent_or(s->n_delay_ms, n) && absent_or(s->n_reason, n) && absent_or(s->n_emits, n) &&
           sum(s->emits, s->n_emits) == s->n_emit_size && absent_or(s->n_emit_parts, s->n_emit_size);
}

static bool columns_fit(const Weir__V1__Packet *p)
{
    bool fit = p->hello == NULL || (p->hello->n_held_seq == p->hello->n_held_attempt && absent_or(p->hello->n_held_priority, p->hello->n_held_seq) &&
                                     absent_or(p->hello->n_held_first, p->hello->n_held_seq) && absent_or(p->hello->n_held_letter, p->hello->n_held_seq));
    fit &=
        p->welcome == NULL || (p->welcome->n_kept_seq == p->welcome->n_kept_attempt && p->welcome->n_kept_seq == p->welcome->n_kept_lease);
    for (size_t i = 0; i < p->n_events; i++)
        fit &= events_fit(p->events[i]);
    fit &= p->deliver == NULL || deliver_fits(p->deliver);
    fit &= p->settle == NULL || settle_fits(p->settle);
    fit &= p->extend == NULL || p->extend->n_lease == p->extend->n_lease_ms;
    fit &= p->revoke == NULL || p->revoke->n_lease == p->revoke->n_code;
    return fit;
}

/* A group's row says its options only: what else stands in that Group is not taken. */
static void bare_options(const Weir__V1__Packet *p)
{
    for (size_t i = 0; i < p->n_answer; i++)
        for (size_t k = 0; k < p->answer[i]->n_group; k++) {
            Weir__V1__Group *options = p->answer[i]->group[k]->options;
            if (options == NULL) continue;
            options->name = (ProtobufCBinaryData){ 0 };
            options->n_filters = 0;
            options->start = WEIR__V1__START__START_NEW;
            options->start_at = 0;
        }
}

/* Encodes and decodes until nothing may change any more. */
static void round_trip(const struct packet *packet, Weir__V1__Packet *wanted, struct span body)
{
    static uint8_t memory[3][16 * 1024 * 1024];
    struct arena arena;
    struct span head, again;
    struct packet *copy;
    must(packet->unknown_fields == wanted->base.n_unknown_fields);
    reference_strip(&wanted->base);
    bare_options(wanted);
    arena_init(&arena, memory[0], sizeof memory[0]);
    must(codec_encode(&arena, packet, &head) == CODEC_OK);
    size_t size = weir__v1__packet__get_packed_size(wanted);
    uint8_t *packed = malloc(size + 1);
    weir__v1__packet__pack(wanted, packed);
    must(span_equal(head, span_of(packed, size)));
    free(packed);

    arena_init(&arena, memory[1], sizeof memory[1]);
    must(codec_decode(&arena, head, body, &copy) == CODEC_OK);
    char *text = packet_text(packet), *copy_text = packet_text(copy);
    must(strcmp(text, copy_text) == 0);
    free(text);
    free(copy_text);
    arena_init(&arena, memory[2], sizeof memory[2]);
    must(codec_encode(&arena, copy, &again) == CODEC_OK && span_equal(head, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t reference_memory[64 * 1024 * 1024], arena_memory[8 * 1024 * 1024];
    static const size_t arena_sizes[] = { sizeof arena_memory, 64 * 1024, 4096, 512 };
    if (size == 0 || size > 64 * 1024) return 0;
    struct span head = span_of(data + 1, size - 1);
    struct reference reference;
    reference_init(&reference, reference_memory, sizeof reference_memory);
    Weir__V1__Packet *wanted = weir__v1__packet__unpack(&reference.allocator, head.size, head.data);
    if (reference.full) return 0;
    uint64_t promised = wanted != NULL ? body_size_of(wanted) : 0;
    struct span body = span_of(data, (size_t)promised + (data[0] & 1)); /* never read */
    struct packet *packet = NULL;
    struct arena arena;
    arena_init(&arena, arena_memory, arena_sizes[data[0] >> 1 & 3]);
    enum codec_result result = codec_decode(&arena, head, body, &packet);
    bool good = wanted != NULL && columns_fit(wanted) && body.size == promised;
    if (result == CODEC_NO_ROOM) return 0;
    must(good == (result == CODEC_OK));
    must((result == CODEC_OK) == (packet != NULL));
    if (good) round_trip(packet, wanted, body);
    return 0;
}
