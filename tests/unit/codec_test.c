#include "proto/codec.h"
#include "tests/support/check.h"
#include "tests/support/packet_text.h"
#include "tests/support/packets.h"

enum { ARENA_BYTES = 1024 * 1024 };
static uint8_t arena_memory[2][ARENA_BYTES];
static uint8_t body_bytes[256 * 1024];

static struct arena new_arena(int which)
{
    struct arena arena;
    arena_init(&arena, arena_memory[which], ARENA_BYTES);
    return arena;
}

static enum codec_result decode(const void *head, size_t size, size_t body_size, struct packet **out)
{
    struct arena arena = new_arena(0);
    return codec_decode(&arena, span_of(head, size), span_of(body_bytes, body_size), out);
}

static void every_kind_of_message_survives_the_wire(void **state)
{
    (void)state;
    struct sample_packet samples[FIELD_COUNT - 1];
    sample_packets(samples);
    for (int i = 0; i < FIELD_COUNT - 1; i++) {
        struct arena arena = new_arena(1);
        struct span head;
        struct packet *found;
        assert_int_equal(codec_encode(&arena, &samples[i].packet, &head), CODEC_OK);
        assert_int_equal(decode(head.data, head.size, samples[i].body_size, &found), CODEC_OK);
        char *wanted = packet_text(&samples[i].packet), *text = packet_text(found);
        assert_true(strncmp(wanted, samples[i].name, strlen(samples[i].name)) == 0);
        assert_string_equal(text, wanted);
        assert_int_equal(found->unknown_fields, 0);
        free(wanted);
        free(text);
    }
}

static void a_packet_may_carry_all_of_them_and_one_body(void **state)
{
    (void)state;
    struct sample_packet samples[FIELD_COUNT - 1];
    sample_packets(samples);
    uint8_t head[16384];
    size_t size = 0, body_size = 0;
    for (int i = FIELD_COUNT - 2; i >= 0; i--) { /* in any order: joined encodings are one packet */
        struct arena arena = new_arena(1);
        struct span one;
        assert_int_equal(codec_encode(&arena, &samples[i].packet, &one), CODEC_OK);
        assert_true(size + one.size <= sizeof head);
        memcpy(head + size, one.data, one.size);
        size += one.size;
        body_size += samples[i].body_size;
    }
    struct packet *found;
    assert_int_equal(decode(head, size, body_size, &found), CODEC_OK);
    char *text = packet_text(found);
    for (int i = 0; i < FIELD_COUNT - 1; i++) {
        char *part = packet_text(&samples[i].packet);
        assert_non_null(strstr(text, part));
        free(part);
    }
    free(text);
    assert_int_equal(decode(head, size, body_size - 1, &found), CODEC_MALFORMED);
    assert_int_equal(decode(head, size, body_size + 1, &found), CODEC_MALFORMED);
}

#define DECODE(text, body_size, out) decode(text, sizeof(text) - 1, body_size, out)

static void columns_of_unlike_length_are_malformed(void **state)
{
    (void)state;
    struct packet *p = NULL;
    /* hello (1): held_seq without held_attempt */
    assert_int_equal(DECODE("\x0a\x03\x62\x01\x05", 0, &p), CODEC_MALFORMED);
    /* welcome (2): kept_seq alone */
    assert_int_equal(DECODE("\x12\x04\x92\x01\x01\x05", 0, &p), CODEC_MALFORMED);
    /* events (12): seq, size, but no time */
    assert_int_equal(DECODE("\x62\x06\x12\x01\x05\x2a\x01\x00", 0, &p), CODEC_MALFORMED);
    /* events: two causes for one event */
    assert_int_equal(DECODE("\x62\x0d\x12\x01\x05\x1a\x01\x05\x22\x02\x01\x01\x2a\x01\x00", 0, &p), CODEC_MALFORMED);
    /* deliver (15): lease alone */
    assert_int_equal(DECODE("\x7a\x03\x0a\x01\x05", 0, &p), CODEC_MALFORMED);
    /* settle (16): verb missing; then delay_ms for two; then emits that promise more sizes than there are; sizes nobody promised */
    assert_int_equal(DECODE("\x82\x01\x03\x12\x01\x05", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\x82\x01\x0a\x12\x01\x05\x1a\x01\x01\x22\x02\x01\x01", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\x82\x01\x0c\x12\x01\x05\x1a\x01\x01\x32\x01\x02\x3a\x01\x00", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\x82\x01\x09\x12\x01\x05\x1a\x01\x01\x3a\x01\x00", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\x82\x01\x09\x12\x01\x05\x1a\x01\x01\x32\x01\x00", 0, &p), CODEC_OK);
    /* the parts of two emits for one */
    assert_int_equal(DECODE("\x82\x01\x10\x12\x01\x05\x1a\x01\x01\x32\x01\x01\x3a\x01\x00\x42\x02\x03\x03", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\x82\x01\x0f\x12\x01\x05\x1a\x01\x01\x32\x01\x01\x3a\x01\x00\x42\x01\x03", 0, &p), CODEC_OK);
    assert_int_equal(p->settle->emit_parts[0], 3);
    /* extend (18), revoke (20): lease alone */
    assert_int_equal(DECODE("\x92\x01\x03\x0a\x01\x05", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\xa2\x01\x03\x0a\x01\x05", 0, &p), CODEC_MALFORMED);
}

static void sizes_add_up_to_the_body_without_wrapping(void **state)
{
    (void)state;
    struct packet *p = NULL;
    assert_int_equal(DECODE("\x32\x04\x1a\x02\x05\x03", 8, &p), CODEC_OK);
    assert_int_equal(p->body.size, 8);
    assert_int_equal(p->publishes[0].count, 2);
    assert_int_equal(DECODE("\x32\x04\x1a\x02\x05\x03", 7, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\x32\x04\x1a\x02\x05\x03", 0, &p), CODEC_MALFORMED);
    /* 2^32 - 1 and 1: 0 if it were counted in 32 bits */
    assert_int_equal(DECODE("\x32\x08\x1a\x06\xff\xff\xff\xff\x0f\x01", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("", 1, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("", 0, &p), CODEC_OK);
}

static void unknown_fields_of_the_packet_are_counted_and_others_ignored(void **state)
{
    (void)state;
    struct packet *p = NULL;
    /* field 100 as bytes, field 30 as a number, and a heartbeat with an unknown field 9 */
    assert_int_equal(DECODE("\xa2\x06\x02zz\xf0\x01\x07\x22\x04\x08\x05\x48\x01", 0, &p), CODEC_OK);
    assert_int_equal(p->unknown_fields, 2);
    assert_int_equal(p->heartbeat->echo, 5);
}

static void unknown_enum_values_are_kept(void **state)
{
    (void)state;
    struct packet *p = NULL;
    assert_int_equal(DECODE("\x1a\x06\x08\xff\xff\xff\xff\x0f", 0, &p), CODEC_OK);
    assert_int_equal(p->errors[0].code, UINT32_MAX);
}

static void what_is_no_packet_is_malformed(void **state)
{
    (void)state;
    struct packet *p = NULL;
    assert_int_equal(DECODE("\x0a", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\x0a\x05", 0, &p), CODEC_MALFORMED);
    assert_int_equal(DECODE("\x08\x05", 0, &p), CODEC_MALFORMED);         /* hello as a number */
    assert_int_equal(DECODE("\x0a\x02\x22\x05", 0, &p), CODEC_MALFORMED); /* broken inside */
    assert_int_equal(DECODE("\x0b\x0c", 0, &p), CODEC_MALFORMED);         /* a group */
    assert_null(p);
}

static void a_small_arena_bounds_what_a_packet_may_cost(void **state)
{
    (void)state;
    static uint8_t flood[64 * 1024], memory[64 * 1024];
    struct packet *p = NULL;
    for (size_t i = 0; i < sizeof flood; i += 2)
        flood[i] = 0x1a; /* 32,768 empty errors */
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    assert_int_equal(codec_decode(&arena, span_of(flood, sizeof flood), (struct span){ 0 }, &p), CODEC_NO_ROOM);
    assert_true(arena.used <= arena.size);

    struct sample_packet samples[FIELD_COUNT - 1];
    sample_packets(samples);
    struct arena wide = new_arena(1);
    struct span head, again;
    assert_int_equal(codec_encode(&wide, &samples[FIELD_ANSWER - 1].packet, &head), CODEC_OK);
    for (size_t size = 0; size < sizeof memory; size += 16) { /* every size is either enough or says so */
        arena_init(&arena, memory, size);
        enum codec_result result = codec_decode(&arena, head, (struct span){ 0 }, &p);
        assert_true(result == CODEC_OK || result == CODEC_NO_ROOM);
        arena_init(&arena, memory, size);
        enum codec_result encoded = codec_encode(&arena, &samples[FIELD_ANSWER - 1].packet, &again);
        assert_true(encoded == CODEC_OK || encoded == CODEC_NO_ROOM);
        if (result == CODEC_OK && encoded == CODEC_OK) return;
    }
    fail();
}

static void the_body_is_as_long_as_its_pieces(void **state)
{
    (void)state;
    const struct span pieces[] = { span_text("abc"), { 0 }, span_text("de") };
    assert_int_equal(codec_body_size(&(struct packet){ .pieces = pieces, .piece_count = 3 }), 5);
    assert_int_equal(codec_body_size(&(struct packet){ 0 }), 0);
}

/* None of the samples has them: their bytes stand for ever. */
static void columns_that_came_later_survive_the_wire(void **state)
{
    (void)state;
    const uint64_t wide[2] = { 7, 8 }, first[2] = { 0, 3 };
    const uint32_t narrow[2] = { 1, 1 }, size[2] = { 1, 2 }, priority[2] = { 0, 3 }, letter[2] = { 0, 1 };
    struct msg_hello hello = { .held_seq = wide, .held_attempt = narrow, .held_count = 2 };
    struct msg_deliver deliver = { .lease = wide, .seq = wide, .time_ms = wide, .attempt = narrow, .size = size, .count = 2 };
    hello.held_priority = priority;
    hello.held_first = first;
    hello.held_letter = letter;
    deliver.priority = priority;
    deliver.first = first;
    deliver.letter = letter;
    struct arena arena = new_arena(1);
    struct span head;
    struct packet *found;
    assert_int_equal(codec_encode(&arena, &(struct packet){ .hello = &hello, .deliver = &deliver }, &head), CODEC_OK);
    assert_int_equal(decode(head.data, head.size, 3, &found), CODEC_OK);
    assert_memory_equal(found->hello->held_priority, priority, sizeof priority);
    assert_memory_equal(found->hello->held_first, first, sizeof first);
    assert_memory_equal(found->hello->held_letter, letter, sizeof letter);
    assert_memory_equal(found->deliver->priority, priority, sizeof priority);
    assert_memory_equal(found->deliver->first, first, sizeof first);
    assert_memory_equal(found->deliver->letter, letter, sizeof letter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_message_survives_the_wire),
        cmocka_unit_test(columns_that_came_later_survive_the_wire),
        cmocka_unit_test(a_packet_may_carry_all_of_them_and_one_body),
        cmocka_unit_test(columns_of_unlike_length_are_malformed),
        cmocka_unit_test(sizes_add_up_to_the_body_without_wrapping),
        cmocka_unit_test(unknown_fields_of_the_packet_are_counted_and_others_ignored),
        cmocka_unit_test(unknown_enum_values_are_kept),
        cmocka_unit_test(what_is_no_packet_is_malformed),
        cmocka_unit_test(a_small_arena_bounds_what_a_packet_may_cost),
        cmocka_unit_test(the_body_is_as_long_as_its_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
