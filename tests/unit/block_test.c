#include "proto/block.h"
#include "tests/support/check.h"

static struct block *new_block(void)
{
    struct block *block = malloc(sizeof *block + block_memory());
    block_init(block, block + 1);
    block_open(block, 1, 100, 5000, 2);
    return block;
}

static void the_dictionary_knows_each_pair_once(void **state)
{
    (void)state;
    struct block *block = new_block();
    assert_int_equal(block_topic(block, span_text("acme"), span_text("a.b")), 0);
    assert_int_equal(block_topic(block, span_text("acme"), span_text("a.c")), 1);
    assert_int_equal(block_topic(block, span_text("acme"), span_text("a.b")), 0);
    assert_int_equal(block_topic(block, span_text("beta"), span_text("a.b")), 2);
    assert_int_equal(block_topic(block, span_text("acm"), span_text("ea.b")), 3);
    assert_int_equal(block_topic(block, (struct span){ 0 }, span_text("a.b")), 4);
    assert_int_equal(block->topic_count, 5);
    assert_text(block_topic_name(block, 1), "a.c");
    assert_text(block_topic_tenant(block, 1), "acme");
    assert_text(block_topic_tenant(block, 2), "beta");
    const uint8_t one[16] = { 1 }, two[16] = { 2 };
    assert_int_equal(block_publisher(block, one), 0);
    assert_int_equal(block_publisher(block, two), 1);
    assert_int_equal(block_publisher(block, one), 0);
    free(block);
}

/* A stored block with the same topic twice is refused as damaged. */
static void the_dictionary_is_found_again_when_the_time_changes(void **state)
{
    (void)state;
    struct block *block = new_block();
    const uint8_t id[16] = { 1 };
    assert_int_equal(block_topic(block, span_text("acme"), span_text("a.b")), 0);
    assert_int_equal(block_publisher(block, id), 0);
    block->time_ms += 7;
    assert_int_equal(block_topic(block, span_text("acme"), span_text("a.b")), 0);
    assert_int_equal(block_publisher(block, id), 0);
    free(block);
}

static void a_full_dictionary_says_so_and_still_knows_what_it_has(void **state)
{
    (void)state;
    struct block *block = new_block();
    char topic[32];
    for (uint32_t i = 0; i < BLOCK_TOPICS_MAX; i++) {
        snprintf(topic, sizeof topic, "t.%u", i);
        assert_int_equal(block_topic(block, span_text("acme"), span_text(topic)), i);
        uint8_t id[16] = { (uint8_t)i, (uint8_t)(i >> 8) };
        if (i < BLOCK_PUBLISHERS_MAX) assert_int_equal(block_publisher(block, id), i);
    }
    const uint8_t other[16] = { [15] = 1 }, known[16] = { 3 };
    assert_int_equal(block_topic(block, span_text("acme"), span_text("new")), UINT16_MAX);
    assert_int_equal(block_topic(block, span_text("acme"), span_text("t.77")), 77);
    assert_int_equal(block_publisher(block, other), UINT16_MAX);
    assert_int_equal(block_publisher(block, known), 3);
    assert_false(block_has_room(block, 1, 0));
    assert_true(block_has_room(block, 0, BLOCK_BODIES_MAX));
    block_open(block, 2, 200, 6000, 2);
    assert_int_equal(block_topic(block, span_text("acme"), span_text("new")), 0);
    free(block);
}

static void many_tenants_may_use_one_topic(void **state)
{
    (void)state;
    struct block *block = new_block();
    char tenant[32];
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 3000; i++) {
            snprintf(tenant, sizeof tenant, "tenant-%u", i);
            assert_int_equal(block_topic(block, span_text(tenant), span_text("t")), i);
        }
    }
    free(block);
}

static void room_that_was_promised_is_there(void **state)
{
    (void)state;
    struct block *block = new_block();
    char name[255];
    uint32_t records = 1;
    while (block_has_room(block, records + 1, 0))
        records++;
    assert_true(records >= 2048); /* what one packet may carry */
    for (uint32_t i = 0; i < records; i++) {
        snprintf(name, sizeof name, "%0254u", i);
        name[254] = 'x';
        uint8_t id[16];
        memcpy(id, name + 238, 16);
        uint16_t topic = block_topic(block, span_of(name, 255), span_of(name, 255));
        uint16_t publisher = block_publisher(block, id);
        assert_int_not_equal(topic, UINT16_MAX);
        assert_int_not_equal(publisher, UINT16_MAX);
        block_append(block, (struct record){ .topic = (uint16_t)(topic + 1), .publisher = (uint16_t)(publisher + 1) }, (struct span){ 0 });
    }
    assert_int_equal(block->record_count, records);
    free(block);
}

static void bodies_stand_one_after_the_other(void **state)
{
    (void)state;
    struct block *block = new_block();
    uint8_t *body;
    assert_int_equal(block_append(block, (struct record){ .kind = RECORD_EVENT, .number = 9 }, span_text("hello")), 0);
    assert_int_equal(block_append_in_place(block, (struct record){ .kind = RECORD_START }, 3, &body), 1);
    memcpy(body, "abc", 3);
    assert_int_equal(block_append(block, (struct record){ .kind = RECORD_EVENT }, (struct span){ 0 }), 2);
    assert_text(block_body(block, &block->records[0]), "hello");
    assert_text(block_body(block, &block->records[1]), "abc");
    assert_int_equal(block_body(block, &block->records[2]).size, 0);
    assert_int_equal(block->bodies_size, 8);
    assert_int_equal(block_last_position(block), 102);
    assert_true(block_holds(block, 100) && block_holds(block, 102) && !block_holds(block, 103) && !block_holds(block, 99));
    free(block);
}

static void a_body_beyond_the_room_is_a_bug(void **state)
{
    (void)state;
    struct block *block = new_block();
    uint8_t *body;
    block_append_in_place(block, (struct record){ 0 }, BLOCK_BODIES_MAX, &body);
    assert_false(block_has_room(block, 1, 1));
    assert_true(block_has_room(block, 1, 0));
    expect_assert_failure(block_append(block, (struct record){ 0 }, span_text("x")));
    expect_assert_failure(block_append(block, (struct record){ .topic = 1 }, span_text("")));
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dictionary_knows_each_pair_once),
        cmocka_unit_test(the_dictionary_is_found_again_when_the_time_changes),
        cmocka_unit_test(a_full_dictionary_says_so_and_still_knows_what_it_has),
        cmocka_unit_test(many_tenants_may_use_one_topic),
        cmocka_unit_test(room_that_was_promised_is_there),
        cmocka_unit_test(bodies_stand_one_after_the_other),
        cmocka_unit_test(a_body_beyond_the_room_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
