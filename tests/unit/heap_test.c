#include "sdk/base/heap.h"
#include "tests/support/check.h"
#include "tests/support/random.h"

enum { HANDLES = 40 };

static void equal_keys_leave_in_the_order_of_their_handles(void **state)
{
    (void)state;
    void *memory = calloc(1, heap_memory(HANDLES));
    struct heap heap;
    heap_init(&heap, memory, HANDLES);
    for (uint32_t handle = HANDLES; handle > 0; handle--)
        heap_put(&heap, handle, handle % 3);
    uint32_t before = 0, handle;
    uint64_t key_before = 0, key;
    for (int i = 0; i < HANDLES; i++) {
        assert_true(heap_first(&heap, &handle, &key));
        assert_true(key > key_before || (key == key_before && handle > before));
        assert_true(heap_remove(&heap, handle));
        before = handle;
        key_before = key;
    }
    assert_false(heap_first(&heap, &handle, &key));
    free(memory);
}

static void equal_keys_leave_in_the_order_that_their_ties_say(void **state)
{
    (void)state;
    struct {
        uint32_t other;
        uint64_t order;
    } items[HANDLES + 1];
    void *memory = calloc(1, heap_memory(HANDLES));
    struct heap heap;
    heap_init(&heap, memory, HANDLES);
    heap_tie(&heap, &items[0].order, sizeof items[0]);
    for (uint32_t handle = 1; handle <= HANDLES; handle++) {
        items[handle].order = UINT64_C(1) << 40 | (handle * 7 % 41);
        heap_put(&heap, handle, handle % 2);
    }
    uint32_t handle;
    uint64_t key, key_before = 0, before = 0;
    for (int i = 0; i < HANDLES; i++) {
        assert_true(heap_first(&heap, &handle, &key));
        assert_true(key > key_before || (key == key_before && items[handle].order > before));
        assert_true(heap_remove(&heap, handle));
        before = items[handle].order;
        key_before = key;
    }
    free(memory);
}

static void a_heap_behaves_like_a_search_of_all(void **state)
{
    (void)state;
    struct random random = { 11 };
    void *memory = calloc(1, heap_memory(HANDLES));
    struct heap heap;
    uint64_t model[HANDLES + 1];
    memset(model, 0xff, sizeof model);
    heap_init(&heap, memory, HANDLES);
    for (int round = 0; round < 200000; round++) {
        uint32_t handle = 1 + random_below(&random, HANDLES);
        if (random_below(&random, 3) == 0) {
            assert_int_equal(heap_remove(&heap, handle), model[handle] != UINT64_MAX);
            model[handle] = UINT64_MAX;
        } else {
            model[handle] = random_below(&random, 25);
            heap_put(&heap, handle, model[handle]);
        }
        uint32_t wanted = 0;
        for (uint32_t h = 1; h <= HANDLES; h++) {
            if (model[h] != UINT64_MAX && (wanted == 0 || model[h] < model[wanted])) wanted = h;
        }
        uint32_t first = 0;
        uint64_t key = 0;
        assert_int_equal(heap_first(&heap, &first, &key), wanted != 0);
        assert_int_equal(first, wanted);
        if (wanted != 0) assert_int_equal(key, model[wanted]);
    }
    free(memory);
}

static void a_handle_out_of_bounds_is_a_bug(void **state)
{
    (void)state;
    void *memory = calloc(1, heap_memory(2));
    struct heap heap;
    heap_init(&heap, memory, 2);
    expect_assert_failure(heap_put(&heap, 0, 1));
    expect_assert_failure(heap_put(&heap, 3, 1));
    expect_assert_failure(heap_remove(&heap, 3));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_keys_leave_in_the_order_of_their_handles),
        cmocka_unit_test(equal_keys_leave_in_the_order_that_their_ties_say),
        cmocka_unit_test(a_heap_behaves_like_a_search_of_all),
        cmocka_unit_test(a_handle_out_of_bounds_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
