#include "sdk/base/slab.h"
#include "tests/support/check.h"

struct thing {
    uint64_t a, b;
};

static struct slab slab_of(uint32_t capacity, void **out_memory)
{
    struct slab slab;
    *out_memory = malloc(slab_memory(capacity, sizeof(struct thing)));
    memset(*out_memory, 0xee, slab_memory(capacity, sizeof(struct thing)));
    slab_init(&slab, *out_memory, capacity, sizeof(struct thing));
    return slab;
}

static void slots_are_zeroed_and_zero_is_never_a_handle(void **state)
{
    (void)state;
    void *memory;
    struct slab slab = slab_of(3, &memory);
    for (uint32_t i = 1; i <= 3; i++) {
        uint32_t handle = slab_take(&slab);
        struct thing *thing = slab_at(&slab, handle);
        assert_int_equal(handle, i);
        assert_int_equal(thing->a | thing->b, 0);
        thing->a = thing->b = UINT64_MAX;
    }
    assert_int_equal(slab_take(&slab), 0);
    assert_int_equal(slab.taken, 3);
    slab_free(&slab, 2);
    struct thing *again = slab_at(&slab, slab_take(&slab));
    assert_int_equal(again->a | again->b, 0);
    free(memory);
}

static void the_slot_freed_last_is_given_first(void **state)
{
    (void)state;
    void *memory;
    struct slab slab = slab_of(4, &memory);
    for (int i = 0; i < 3; i++)
        slab_take(&slab);
    slab_free(&slab, 1);
    slab_free(&slab, 3);
    assert_int_equal(slab_take(&slab), 3);
    assert_int_equal(slab_take(&slab), 1);
    assert_int_equal(slab_take(&slab), 4);
    free(memory);
}

static void a_generation_tells_one_use_of_a_slot_from_the_next(void **state)
{
    (void)state;
    void *memory;
    struct slab slab = slab_of(2, &memory);
    uint32_t handle = slab_take(&slab);
    assert_int_equal(slab_generation(&slab, handle), 1);
    slab_free(&slab, handle);
    assert_int_equal(slab_generation(&slab, handle), 1);
    assert_int_equal(slab_take(&slab), handle);
    assert_int_equal(slab_generation(&slab, handle), 2);
    assert_int_equal(slab_generation(&slab, 2), 0);
    assert_int_equal(slab_generation(&slab, 77), 0);
    free(memory);
}

static void only_a_taken_slot_can_be_freed(void **state)
{
    (void)state;
    void *memory;
    struct slab slab = slab_of(2, &memory);
    uint32_t handle = slab_take(&slab);
    assert_true(slab_is_taken(&slab, handle));
    slab_free(&slab, handle);
    assert_false(slab_is_taken(&slab, handle));
    assert_false(slab_is_taken(&slab, 0));
    assert_false(slab_is_taken(&slab, 2));
    assert_false(slab_is_taken(&slab, 1000));
    expect_assert_failure(slab_free(&slab, handle));
    expect_assert_failure(slab_free(&slab, 0));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_zeroed_and_zero_is_never_a_handle),
        cmocka_unit_test(the_slot_freed_last_is_given_first),
        cmocka_unit_test(a_generation_tells_one_use_of_a_slot_from_the_next),
        cmocka_unit_test(only_a_taken_slot_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
