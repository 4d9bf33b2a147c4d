#include "log.pb-c.h"
#include "proto/block_codec.h"
#include "tests/support/check.h"
#include "tests/support/random.h"

static const uint8_t no_hash[BLOCK_HASH_BYTES] = { 0 };

/* Everything a test needs: two blocks, scratch, and room for the stored bytes. */
struct room {
    struct block filled, loaded;
    struct arena scratch;
    uint8_t *out;
    size_t out_size;
    uint8_t hash[BLOCK_HASH_BYTES];
    struct block_header header;
};

static int make_room(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    block_init(&room->filled, malloc(block_memory()));
    block_init(&room->loaded, malloc(block_memory()));
    arena_init(&room->scratch, malloc(BLOCK_SCRATCH_BYTES), BLOCK_SCRATCH_BYTES);
    const struct block fullest = { .record_count = BLOCK_RECORDS_MAX,
                                   .topic_count = BLOCK_TOPICS_MAX,
                                   .publisher_count = BLOCK_PUBLISHERS_MAX,
                                   .names_size = BLOCK_NAMES_MAX,
                                   .bodies_size = BLOCK_BODIES_MAX };
    room->out_size = block_store_bound(&fullest);
    room->out = malloc(room->out_size);
    *state = room;
    return 0;
}

static int leave_room(void **state)
{
    struct room *room = *state;
    free(room->filled.records);
    free(room->loaded.records);
    free(room->scratch.memory);
    free(room->out);
    free(room);
    return 0;
}

static size_t store(struct room *room)
{
    size_t bound = block_store_bound(&room->filled);
    assert_true(bound <= room->out_size);
    size_t size = block_store(&room->filled, 0xfeed, no_hash, &room->scratch, room->out, bound, room->hash);
    assert_true(size >= BLOCK_HEADER_BYTES && size <= bound);
    return size;
}

static enum block_load load(struct room *room, size_t size)
{
    return block_load(span_of(room->out, size), &room->scratch, &room->loaded, &room->header);
}

static void assert_same_blocks(const struct block *a, const struct block *b)
{
    assert_true(a->number == b->number && a->first_position == b->first_position && a->time_ms == b->time_ms && a->term == b->term);
    assert_int_equal(a->record_count, b->record_count);
    assert_int_equal(a->topic_count, b->topic_count);
    assert_int_equal(a->publisher_count, b->publisher_count);
    assert_int_equal(a->bodies_size, b->bodies_size);
    assert_memory_equal(a->records, b->records, a->record_count * sizeof *a->records);
    assert_memory_equal(a->bodies, b->bodies, a->bodies_size);
    assert_memory_equal(a->publishers, b->publishers, a->publisher_count * sizeof *a->publishers);
    for (uint32_t i = 0; i < a->topic_count; i++) {
        assert_true(span_equal(block_topic_name(a, i), block_topic_name(b, i)));
        assert_true(span_equal(block_topic_tenant(a, i), block_topic_tenant(b, i)));
    }
}

static void fill_some(struct block *block)
{
    const uint8_t publisher[16] = "0123456789abcdef";
    block_open(block, 5, 1000, UINT64_C(1700000000000), 3);
    uint16_t topic = block_topic(block, span_text("acme"), span_text("docs.42.uploaded"));
    struct record record = { .number = 17,
                             .cause = 900,
                             .time_delta_ms = 2,
                             .topic = (uint16_t)(topic + 1),
                             .publisher = (uint16_t)(block_publisher(block, publisher) + 1),
                             .kind = RECORD_EVENT,
                             .flags = RECORD_REQUEST };
    block_append(block, record, span_text("a body of an event, a body of an event, a body of an event"));
    block_append(block, (struct record){ .kind = RECORD_SETTLE }, span_text("settle"));
    block_append(block, (struct record){ .kind = RECORD_START }, (struct span){ 0 });
}

static void a_block_is_loaded_as_it_was_stored(void **state)
{
    struct room *room = *state;
    fill_some(&room->filled);
    size_t size = store(room);
    assert_int_equal(load(room, size), BLOCK_LOADED);
    assert_same_blocks(&room->filled, &room->loaded);
    assert_int_equal(room->header.log_id, 0xfeed);
    assert_int_equal(room->header.count, 3);
    uint8_t hash[BLOCK_HASH_BYTES];
    block_hash(span_of(room->out, size), hash);
    assert_memory_equal(hash, room->hash, sizeof hash);
}

static void an_empty_block_and_the_fullest_one_fit(void **state)
{
    struct room *room = *state;
    struct random random = { 9 };
    block_open(&room->filled, 1, 1, 1, 1);
    assert_int_equal(load(room, store(room)), BLOCK_LOADED);
    assert_same_blocks(&room->filled, &room->loaded);

    block_open(&room->filled, UINT64_MAX, UINT64_MAX - BLOCK_RECORDS_MAX, UINT64_MAX, UINT64_MAX);
    uint8_t tenant[255], topic[255], body[BLOCK_BODIES_MAX / BLOCK_RECORDS_MAX];
    for (uint32_t i = 0; i < BLOCK_RECORDS_MAX; i++) { /* noise: nothing to compress, every number as long as it gets */
        for (size_t c = 0; c < 255; c++)
            tenant[c] = (uint8_t)random_next(&random), topic[c] = (uint8_t)random_next(&random);
        for (size_t c = 0; c < sizeof body; c++)
            body[c] = (uint8_t)random_next(&random);
        struct record record = {
            .number = UINT64_MAX, .cause = UINT64_MAX, .time_delta_ms = UINT32_MAX, .kind = RECORD_EVENT, .flags = 0xff
        };
        if (block_has_room(&room->filled, 1, 0)) {
            record.topic = (uint16_t)(block_topic(&room->filled, span_of(tenant, 255), span_of(topic, 255)) + 1);
            record.publisher = (uint16_t)(block_publisher(&room->filled, topic) + 1);
        }
        block_append(&room->filled, record, span_of(body, sizeof body));
    }
    assert_int_equal(room->filled.bodies_size, BLOCK_BODIES_MAX);
    assert_int_equal(load(room, store(room)), BLOCK_LOADED);
    assert_same_blocks(&room->filled, &room->loaded);
}

/* Bit by bit, as in RFC 3720: another program than isa-l's. */
static uint32_t crc32c(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    return ~crc;
}

static void the_checksum_is_crc32c_over_all_bytes(void **state)
{
    struct room *room = *state;
    assert_int_equal(crc32c((const uint8_t *)"123456789", 9), UINT32_C(0xe3069283));
    fill_some(&room->filled);
    size_t size = store(room);
    assert_int_equal(load(room, size), BLOCK_LOADED);
    uint8_t *copy = malloc(size);
    memcpy(copy, room->out, size);
    memset(copy + 76, 0, 4);
    assert_int_equal(crc32c(copy, size), room->header.checksum);
    free(copy);
}

static void any_flipped_bit_is_noticed(void **state)
{
    struct room *room = *state;
    fill_some(&room->filled);
    size_t size = store(room);
    for (size_t bit = 0; bit < size * 8; bit++) {
        room->out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(load(room, size), BLOCK_LOADED);
        room->out[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(load(room, size), BLOCK_LOADED);
}

static void a_torn_block_is_short_and_a_longer_one_damaged(void **state)
{
    struct room *room = *state;
    fill_some(&room->filled);
    size_t size = store(room);
    for (size_t kept = 0; kept < size; kept++)
        assert_int_equal(load(room, kept), BLOCK_SHORT);
    assert_int_equal(load(room, size + 1), BLOCK_DAMAGED);
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* A stored block with heads of our making and a right checksum. */
static size_t forge(struct room *room, uint32_t count, const uint8_t *heads, size_t heads_size, uint32_t bodies_size)
{
    block_open(&room->filled, 1, 1, 1, 1);
    store(room);
    uint8_t *at = room->out;
    size_t size = BLOCK_HEADER_BYTES + heads_size + bodies_size;
    memcpy(at + BLOCK_HEADER_BYTES, heads, heads_size);
    memset(at + BLOCK_HEADER_BYTES + heads_size, 'b', bodies_size);
    put32(at + 56, count);
    put32(at + 60, (uint32_t)heads_size);
    put32(at + 64, (uint32_t)heads_size);
    put32(at + 68, bodies_size);
    put32(at + 72, bodies_size);
    put32(at + 76, 0);
    put32(at + 76, crc32c(at, size));
    return size;
}

#define FORGE(room, count, heads, bodies) forge(room, count, (const uint8_t *)(heads), sizeof(heads) - 1, bodies)

static void heads_that_do_not_fit_are_damaged_though_the_checksum_is_right(void **state)
{
    struct room *room = *state;
    assert_int_equal(load(room, FORGE(room, 1, "\x1a\x01\x81\x52\x01\x05", 5)), BLOCK_DAMAGED); /* a kind cut short */
    assert_int_equal(load(room, FORGE(room, 1, "\x1a\x02\x81\x01\x52\x01\x05", 5)), BLOCK_LOADED);
    assert_int_equal(room->loaded.records[0].kind, RECORD_EVENT);
    assert_int_equal(load(room, FORGE(room, 1, "\x1a\x02\x81\x01\x52\x01\x05", 4)), BLOCK_DAMAGED); /* sizes and bodies */
    assert_int_equal(load(room, FORGE(room, 1, "\x1a\x02\x81\x01\x52\x01\x05", 6)), BLOCK_DAMAGED);
    assert_int_equal(load(room, FORGE(room, 2, "\x1a\x02\x81\x01\x52\x01\x05", 5)), BLOCK_DAMAGED); /* fewer than count */
    assert_int_equal(load(room, FORGE(room, 1, "\x22\x01\x01", 0)), BLOCK_DAMAGED);                 /* a topic that is not there */
    assert_int_equal(load(room, FORGE(room, 1, "\x2a\x01\x01", 0)), BLOCK_DAMAGED);                 /* a publisher that is not there */
    assert_int_equal(load(room, FORGE(room, 0,
                                      "\x12\x03"
                                      "abc",
                                      0)),
                     BLOCK_DAMAGED);                                                                      /* a publisher of 3 bytes */
    assert_int_equal(load(room, FORGE(room, 0, "\x0a\x03\x12\x01t\x0a\x03\x12\x01t", 0)), BLOCK_DAMAGED); /* a topic twice */
    assert_int_equal(load(room, FORGE(room, 1, "\x42\x03\x80\x80\x04", 0)), BLOCK_DAMAGED);               /* flags of 17 bits */
    assert_int_equal(load(room, FORGE(room, BLOCK_RECORDS_MAX + 1, "", 0)), BLOCK_DAMAGED);
    assert_int_equal(load(room, FORGE(room, BLOCK_RECORDS_MAX, "", 0)), BLOCK_LOADED);
}

static void heads_larger_than_any_block_has_are_damaged_not_unpacked(void **state)
{
    struct room *room = *state;
    const uint32_t sizes[] = { BLOCK_SCRATCH_BYTES, UINT32_MAX };
    for (int i = 0; i < 2; i++) {
        size_t size = FORGE(room, 0, "x", 0);
        put32(room->out + 64, sizes[i]);
        put32(room->out + 76, 0);
        put32(room->out + 76, crc32c(room->out, size));
        assert_int_equal(load(room, size), BLOCK_DAMAGED);
    }
}

static void a_kind_from_the_future_is_kept_unless_it_must_be_understood(void **state)
{
    struct room *room = *state;
    assert_int_equal(load(room, FORGE(room, 1, "\x1a\x01\x50", 0)), BLOCK_LOADED);
    assert_int_equal(room->loaded.records[0].kind, 0x50);
    assert_int_equal(load(room, FORGE(room, 1, "\x1a\x02\xd0\x01", 0)), BLOCK_NEWER);
    assert_int_equal(load(room, FORGE(room, 1, "\x58\x01\x62\x01z", 0)), BLOCK_LOADED); /* columns from the future too */
    size_t size = FORGE(room, 0, "", 0);
    put32(room->out + 4, BLOCK_FORMAT + 1);
    assert_int_equal(load(room, size), BLOCK_NEWER);
}

static void little_room_is_said_and_not_overrun(void **state)
{
    struct room *room = *state;
    fill_some(&room->filled);
    size_t size = store(room);
    for (size_t out_size = 0; out_size < size; out_size++) {
        uint8_t *out = malloc(out_size + 1); /* the sanitizer watches its end */
        assert_int_equal(block_store(&room->filled, 1, no_hash, &room->scratch, out, out_size, room->hash), 0);
        free(out);
    }
    assert_int_equal(store(room), size);
    struct arena tiny;
    arena_init(&tiny, room->scratch.memory, 16);
    assert_int_equal(block_store(&room->filled, 1, no_hash, &tiny, room->out, room->out_size, room->hash), 0);
    assert_int_equal(store(room), size);
    assert_int_equal(block_load(span_of(room->out, size), &tiny, &room->loaded, &room->header), BLOCK_NO_ROOM);
}

static void the_heads_are_the_protobuf_that_log_proto_says(void **state)
{
    struct room *room = *state;
    fill_some(&room->filled);
    block_topic(&room->filled, span_text("beta"), span_text("x"));
    size_t size = store(room);
    assert_int_equal(load(room, size), BLOCK_LOADED);
    assert_int_equal(room->header.heads_stored, room->header.heads_size); /* so small that lz4 gains nothing */
    Weir__Log__V1__BlockHeads *heads = weir__log__v1__block_heads__unpack(NULL, room->header.heads_size, room->out + BLOCK_HEADER_BYTES);
    assert_non_null(heads);
    assert_int_equal(heads->base.n_unknown_fields, 0);
    assert_int_equal(heads->n_topics, 2);
    assert_int_equal(heads->topics[1]->tenant.len, 4);
    assert_int_equal(heads->n_publishers, 1);
    assert_int_equal(heads->n_kind, 3);
    assert_int_equal(heads->kind[1], RECORD_SETTLE | RECORD_MUST_UNDERSTAND);
    assert_int_equal(heads->number[0], 17);
    assert_int_equal(heads->cause[0], 900);
    assert_int_equal(heads->size[1], 6);
    assert_int_equal(heads->time_delta_ms[0], 2);
    assert_int_equal(heads->flags[0], RECORD_REQUEST);
    weir__log__v1__block_heads__free_unpacked(heads, NULL);
}

#define WITH_ROOM(test) cmocka_unit_test_setup_teardown(test, make_room, leave_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ROOM(a_block_is_loaded_as_it_was_stored),
        WITH_ROOM(an_empty_block_and_the_fullest_one_fit),
        WITH_ROOM(the_checksum_is_crc32c_over_all_bytes),
        WITH_ROOM(any_flipped_bit_is_noticed),
        WITH_ROOM(a_torn_block_is_short_and_a_longer_one_damaged),
        WITH_ROOM(heads_that_do_not_fit_are_damaged_though_the_checksum_is_right),
        WITH_ROOM(heads_larger_than_any_block_has_are_damaged_not_unpacked),
        WITH_ROOM(a_kind_from_the_future_is_kept_unless_it_must_be_understood),
        WITH_ROOM(little_room_is_said_and_not_overrun),
        WITH_ROOM(the_heads_are_the_protobuf_that_log_proto_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
