#include "sdk/base/map.h"
#include "tests/support/check.h"
#include "tests/support/random.h"

static void a_full_map_refuses_new_keys_but_not_new_values(void **state)
{
    (void)state;
    void *memory = calloc(1, map_memory(3));
    struct map map;
    map_init(&map, memory, 3);
    for (uint64_t key = 0; key < 3; key++)
        assert_true(map_put(&map, key, (uint32_t)key + 10));
    assert_false(map_put(&map, 99, 1));
    assert_true(map_put(&map, 0, 77));
    assert_int_equal(map_get(&map, 0), 77);
    assert_int_equal(map_get(&map, 99), 0);
    assert_true(map_remove(&map, 1));
    assert_false(map_remove(&map, 1));
    assert_true(map_put(&map, 99, 1));
    assert_int_equal(map.count, 3);
    expect_assert_failure(map_put(&map, 5, 0));
    free(memory);
}

enum { KEYS = 300 };

static void compare_with_an_array(void (*init)(struct map *, void *, uint32_t))
{
    struct random random = { 3 };
    void *memory = calloc(1, map_memory(KEYS));
    struct map map;
    uint32_t model[KEYS] = { 0 };
    uint32_t count = 0;
    init(&map, memory, KEYS);
    for (int round = 0; round < 400000; round++) {
        uint32_t key = random_below(&random, KEYS);
        uint64_t wide = key * UINT64_C(0x100000001) + (key % 7 == 0 ? UINT64_MAX - KEYS : 0);
        if (random_below(&random, 3) == 0) {
            assert_int_equal(map_remove(&map, wide), model[key] != 0);
            count -= model[key] != 0;
            model[key] = 0;
        } else {
            uint32_t value = 1 + random_below(&random, 1000);
            assert_true(map_put(&map, wide, value));
            count += model[key] == 0;
            model[key] = value;
        }
        assert_int_equal(map.count, count);
        uint32_t other = random_below(&random, KEYS);
        wide = other * UINT64_C(0x100000001) + (other % 7 == 0 ? UINT64_MAX - KEYS : 0);
        assert_int_equal(map_get(&map, wide), model[other]);
    }
    free(memory);
}

static void a_map_behaves_like_an_array_however_often_keys_come_and_go(void **state)
{
    (void)state;
    compare_with_an_array(map_init);
}

static void a_near_map_behaves_like_an_array_too(void **state)
{
    (void)state;
    compare_with_an_array(map_init_near);
}

static void a_map_finds_every_key_after_each_step_of_its_growth(void **state)
{
    (void)state;
    enum { MANY = 600, ROUNDS = 20 };
    struct random random = { 5 };
    for (int round = 0; round < ROUNDS; round++) {
        void *memory = calloc(1, map_memory(MANY));
        uint64_t keys[MANY], first = random_next(&random);
        struct map map;
        (round % 2 ? map_init_near : map_init)(&map, memory, MANY);
        for (uint32_t i = 0; i < MANY; i++) {
            keys[i] = round % 4 < 2 ? first + i : random_next(&random);
            assert_true(map_put(&map, keys[i], i + 1));
            for (uint32_t k = 0; k <= i; k++)
                assert_int_equal(map_get(&map, keys[k]), k + 1);
        }
        for (uint32_t i = 0; i < MANY; i++)
            assert_true(map_remove(&map, keys[i]));
        for (uint32_t i = 0; i <= map.mask; i++)
            assert_int_equal(map.slots[i].value, 0);
        free(memory);
    }
}

static void a_map_takes_the_memory_of_what_it_holds_not_of_what_it_may_hold(void **state)
{
    (void)state;
    enum { MAY = 1000000, HOLDS = 1000 };
    struct random random = { 6 };
    void *memory = calloc(1, map_memory(MAY));
    struct map map;
    map_init(&map, memory, MAY);
    for (uint32_t i = 0; i < HOLDS; i++)
        assert_true(map_put(&map, random_next(&random), 1));
    uint32_t last = 0;
    for (uint32_t i = 0; i <= map.mask; i++)
        if (map.slots[i].value) last = i;
    assert_in_range(last, HOLDS, 5 * HOLDS);
    free(memory);
}

/* The vectors that the authors of SipHash publish: key 00..0f, input 00, 01, ... */
static void the_hash_is_siphash_2_4(void **state)
{
    (void)state;
    const uint64_t secret[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    uint8_t input[16];
    for (int i = 0; i < 16; i++)
        input[i] = (uint8_t)i;
    assert_true(map_hash(secret, input, 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(map_hash(secret, input, 1) == UINT64_C(0x74f839c593dc67fd));
    assert_true(map_hash(secret, input, 7) == UINT64_C(0xab0200f58b01d137));
    assert_true(map_hash(secret, input, 8) == UINT64_C(0x93f5f5799a932462));
    assert_true(map_hash(secret, input, 15) == UINT64_C(0xa129ca6149be45e5));
    assert_true(map_hash(secret, NULL, 0) == UINT64_C(0x726fdb47dd0e0e31));
    uint64_t wide[2];
    map_hash_wide(secret, input, 0, wide); /* a3817f04ba25a8e66df67214c7550293 */
    assert_true(wide[0] == UINT64_C(0xe6a825ba047f81a3) && wide[1] == UINT64_C(0x930255c71472f66d));
    map_hash_wide(secret, input, 1, wide); /* da87c1d86b99af44347659119b22fc45 */
    assert_true(wide[0] == UINT64_C(0x44af996bd8c187da) && wide[1] == UINT64_C(0x45fc229b11597634));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_map_refuses_new_keys_but_not_new_values),
        cmocka_unit_test(a_map_behaves_like_an_array_however_often_keys_come_and_go),
        cmocka_unit_test(a_near_map_behaves_like_an_array_too),
        cmocka_unit_test(a_map_finds_every_key_after_each_step_of_its_growth),
        cmocka_unit_test(a_map_takes_the_memory_of_what_it_holds_not_of_what_it_may_hold),
        cmocka_unit_test(the_hash_is_siphash_2_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
