#include "sdk/base/list.h"
#include "tests/support/check.h"

enum { THINGS = 4 };

struct thing {
    uint64_t padding;
    struct list_link red, blue;
};

#define RED  LIST_OF(&things, struct thing, red)
#define BLUE LIST_OF(&things, struct thing, blue)

static struct slab things;
static uint8_t *memory;

static int take_all(void **state)
{
    (void)state;
    memory = malloc(slab_memory(THINGS, sizeof(struct thing)));
    slab_init(&things, memory, THINGS, sizeof(struct thing));
    for (uint32_t i = 1; i <= THINGS; i++)
        assert_int_equal(slab_take(&things), i);
    return 0;
}

static int release(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

/* The list from both ends is what `expected` says: "1 2 3". */
static void assert_list(const struct list *list, const struct slab *slab, size_t link, const char *expected)
{
    char forth[32] = "", back[32] = "";
    for (uint32_t h = list->first; h; h = list_link(slab, link, h)->next)
        snprintf(forth + strlen(forth), sizeof forth - strlen(forth), "%s%u", *forth ? " " : "", h);
    for (uint32_t h = list->last; h; h = list_link(slab, link, h)->prev) {
        char before[32];
        snprintf(before, sizeof before, "%s", back);
        snprintf(back, sizeof back, "%u%s%.16s", h, *before ? " " : "", before);
    }
    assert_string_equal(forth, expected);
    assert_string_equal(back, expected);
}

static void a_slot_goes_to_either_end(void **state)
{
    (void)state;
    struct list list = { 0 };
    assert_list(&list, RED, "");
    list_put_last(&list, RED, 2);
    assert_list(&list, RED, "2");
    list_put_last(&list, RED, 4);
    list_put_first(&list, RED, 3);
    assert_list(&list, RED, "3 2 4");
}

static void a_slot_is_taken_out_wherever_it_stands(void **state)
{
    (void)state;
    struct list list = { 0 };
    for (uint32_t i = 1; i <= THINGS; i++)
        list_put_last(&list, RED, i);
    list_take_out(&list, RED, 2);
    assert_list(&list, RED, "1 3 4");
    list_take_out(&list, RED, 1);
    assert_list(&list, RED, "3 4");
    list_take_out(&list, RED, 4);
    assert_list(&list, RED, "3");
    list_take_out(&list, RED, 3);
    assert_list(&list, RED, "");
    list_put_first(&list, RED, 2);
    assert_list(&list, RED, "2");
}

static void the_links_of_a_slot_do_not_know_each_other(void **state)
{
    (void)state;
    struct list red = { 0 }, blue = { 0 };
    for (uint32_t i = 1; i <= THINGS; i++) {
        list_put_last(&red, RED, i);
        list_put_first(&blue, BLUE, i);
    }
    list_take_out(&red, RED, 3);
    assert_list(&red, RED, "1 2 4");
    assert_list(&blue, BLUE, "4 3 2 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slot_goes_to_either_end, take_all, release),
        cmocka_unit_test_setup_teardown(a_slot_is_taken_out_wherever_it_stands, take_all, release),
        cmocka_unit_test_setup_teardown(the_links_of_a_slot_do_not_know_each_other, take_all, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
