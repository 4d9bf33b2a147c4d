#include "sdk/base/arena.h"
#include "tests/support/check.h"

static void everything_given_is_aligned_and_apart(void **state)
{
    (void)state;
    static uint8_t memory[1024];
    struct arena arena;
    arena_init(&arena, memory + 3, sizeof memory - 3);
    uint8_t *before = NULL;
    for (size_t size = 1; size < 30; size++) {
        uint8_t *given = arena_take(&arena, size);
        assert_non_null(given);
        assert_int_equal((uintptr_t)given % 16, 0);
        if (before != NULL) assert_true(given >= before + size - 1);
        memset(given, 0xff, size);
        before = given;
    }
    assert_true(arena.used <= arena.size);
}

static void a_full_arena_gives_nothing_and_keeps_what_it_has(void **state)
{
    (void)state;
    _Alignas(16) uint8_t memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    assert_non_null(arena_take(&arena, 40));
    size_t used = arena.used;
    assert_null(arena_take(&arena, 17));
    assert_null(arena_take(&arena, SIZE_MAX));
    assert_int_equal(arena.used, used);
    assert_non_null(arena_take(&arena, 16));
    assert_null(arena_take(&arena, 1));
    arena_reset(&arena);
    assert_ptr_equal(arena_take(&arena, 64), memory);
}

static void zeroed_memory_is_zero_and_its_product_cannot_overflow(void **state)
{
    (void)state;
    _Alignas(16) uint8_t memory[64];
    struct arena arena;
    memset(memory, 0xff, sizeof memory);
    arena_init(&arena, memory, sizeof memory);
    assert_null(arena_take_zeroed(&arena, SIZE_MAX / 2, 3));
    uint8_t *given = arena_take_zeroed(&arena, 4, 8);
    assert_non_null(given);
    for (int i = 0; i < 32; i++)
        assert_int_equal(given[i], 0);
    assert_non_null(arena_take_zeroed(&arena, SIZE_MAX, 0));
}

static void an_arena_over_nothing_is_full(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0);
    assert_null(arena_take(&arena, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_given_is_aligned_and_apart),
        cmocka_unit_test(a_full_arena_gives_nothing_and_keeps_what_it_has),
        cmocka_unit_test(zeroed_memory_is_zero_and_its_product_cannot_overflow),
        cmocka_unit_test(an_arena_over_nothing_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
