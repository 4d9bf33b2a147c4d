/* Runs a test of the contract once on each backend. */
#ifndef WEIR_TESTS_LOG_SUITE_H
#define WEIR_TESTS_LOG_SUITE_H

#include "tests/contract/log_rig.h"

static inline struct rig *rig_of(void **state)
{
    return *state;
}

static inline int set_up(void **state, bool rocks)
{
    *state = rig_new(rocks);
    return 0;
}

static inline int set_up_memory(void **state)
{
    return set_up(state, false);
}

static inline int set_up_rocks(void **state)
{
    return set_up(state, true);
}

static inline int tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

#define ON(backend, test) cmocka_unit_test_setup_teardown(test, set_up_##backend, tear_down)
#define ON_BOTH(test)     ON(memory, test), ON(rocks, test)

#endif
