/* connections.h: numbers, routing ids and descriptors, and how an end is told from a mere hint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/shell/connections.h"

static struct connection *looked_at[16];
static size_t looks;

static void look(void *arg, struct connection *connection)
{
    (void)arg;
    looked_at[looks++ % 16] = connection;
}

static uint64_t tick(struct connections *c)
{
    looks = 0;
    return connections_tick(c, look, NULL);
}

static void a_number_is_never_used_twice(void **state)
{
    (void)state;
    struct connections *c = connections_new(2);
    struct connection *a = connections_add(c, 100, 7, 0);
    assert_int_equal(a->number, 1);
    connections_remove(c, a);
    struct connection *b = connections_add(c, 100, 7, 0);
    assert_int_equal(b->number, 2);
    assert_null(connections_by_number(c, 1));
    assert_ptr_equal(connections_by_routing(c, 100), b);
    connections_free(&c);
    assert_null(c);
}

static void a_full_table_takes_nobody_until_one_leaves(void **state)
{
    (void)state;
    struct connections *c = connections_new(2);
    struct connection *a = connections_add(c, 1, 5, 0);
    assert_non_null(connections_add(c, 2, 6, 0));
    assert_null(connections_add(c, 3, 7, 0));
    assert_int_equal(connections_count(c), 2);
    connections_remove(c, a);
    assert_non_null(connections_add(c, 3, 7, 0));
    connections_free(&c);
}

static void a_closed_descriptor_makes_its_connection_a_suspect_and_no_other(void **state)
{
    (void)state;
    struct connections *c = connections_new(4);
    struct connection *a = connections_add(c, 1, 5, 0), *b = connections_add(c, 2, 600, 0);
    assert_int_equal(tick(c), UINT64_MAX);
    connections_closed(c, 5, 10);
    connections_closed(c, 5, 20);
    connections_closed(c, 77777, 20);
    connections_closed(c, -1, 20);
    assert_int_equal(tick(c), 10);
    assert_int_equal(looks, 1);
    assert_ptr_equal(looked_at[0], a);
    assert_int_equal(a->fd, -1);
    assert_int_equal(b->fd, 600);
    connections_free(&c);
}

static void a_descriptor_under_a_new_connection_convicts_the_old_one(void **state)
{
    (void)state;
    struct connections *c = connections_new(4);
    struct connection *old = connections_add(c, 1, 5, 0);
    struct connection *young = connections_add(c, 2, 5, 30);
    assert_true(old->watched);
    assert_int_equal(old->fd, -1);
    assert_false(young->watched);
    connections_remove(c, old); /* must not forget whose the descriptor is now */
    connections_closed(c, 5, 40);
    assert_true(young->watched);
    connections_free(&c);
}

static void drop(void *arg, struct connection *connection)
{
    looks++;
    connections_remove(arg, connection);
}

static void a_look_may_take_its_connection_out(void **state)
{
    (void)state;
    struct connections *c = connections_new(8);
    for (uint32_t i = 1; i <= 8; i++)
        connections_watch(c, connections_add(c, i, (int)i, 0), i);
    looks = 0;
    assert_int_equal(connections_tick(c, drop, c), UINT64_MAX);
    assert_int_equal(looks, 8);
    assert_int_equal(connections_count(c), 0);
    connections_free(&c);
}

static void the_earliest_due_time_is_told(void **state)
{
    (void)state;
    struct connections *c = connections_new(8);
    struct connection *a = connections_add(c, 1, 1, 0), *b = connections_add(c, 2, 2, 0);
    connections_watch(c, a, 50);
    connections_watch(c, b, 40);
    assert_int_equal(tick(c), 40);
    connections_unwatch(c, b);
    assert_int_equal(tick(c), 50);
    connections_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_never_used_twice),
        cmocka_unit_test(a_full_table_takes_nobody_until_one_leaves),
        cmocka_unit_test(a_closed_descriptor_makes_its_connection_a_suspect_and_no_other),
        cmocka_unit_test(a_descriptor_under_a_new_connection_convicts_the_old_one),
        cmocka_unit_test(a_look_may_take_its_connection_out),
        cmocka_unit_test(the_earliest_due_time_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
