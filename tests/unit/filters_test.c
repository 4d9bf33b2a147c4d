#include "sdk/base/filters.h"
#include "sdk/base/topic.h"
#include "tests/support/check.h"
#include "tests/support/random.h"

static const uint64_t secret[2] = { 1, 2 };

enum { SCOPES = 3 };

static struct filters *new_index(uint32_t entries_max)
{
    return filters_init(calloc(1, filters_memory(entries_max, SCOPES)), entries_max, SCOPES, secret);
}

static void a_value_under_several_matching_filters_is_found_once(void **state)
{
    (void)state;
    struct filters *index = new_index(8);
    uint32_t out[8];
    assert_true(filters_add(index, 1, span_text("a.>"), 9));
    assert_true(filters_add(index, 1, span_text("a.*"), 9));
    assert_true(filters_add(index, 1, span_text("a.b"), 9));
    assert_true(filters_add(index, 1, span_text("a.b"), 9)); /* the same pair: stored once */
    assert_true(filters_add(index, 1, span_text(">"), 4));
    assert_int_equal(filters_match(index, 1, span_text("a.b"), out, 8), 2);
    assert_int_equal(out[0], 4);
    assert_int_equal(out[1], 9);
    assert_true(filters_remove(index, 1, span_text("a.b"), 9));
    assert_false(filters_remove(index, 1, span_text("a.b"), 9));
    assert_int_equal(filters_match(index, 1, span_text("a.b"), out, 8), 2);
    free(index);
}

static void what_is_stored_in_one_scope_is_not_seen_from_another(void **state)
{
    (void)state;
    struct filters *index = new_index(4);
    uint32_t out[4];
    assert_true(filters_add(index, 1, span_text("a.>"), 7));
    assert_true(filters_add(index, SCOPES, span_text("a.>"), 8));
    assert_true(filters_add(index, SCOPES, span_text("*.b"), 9));
    assert_int_equal(filters_match(index, 1, span_text("a.b"), out, 4), 1);
    assert_int_equal(out[0], 7);
    assert_int_equal(filters_match(index, 2, span_text("a.b"), out, 4), 0);
    assert_false(filters_remove(index, 1, span_text("a.>"), 8));
    assert_true(filters_remove(index, 1, span_text("a.>"), 7));
    assert_int_equal(filters_match(index, SCOPES, span_text("a.b"), out, 4), 2);
    assert_int_equal(filters_match(index, 1, span_text("a.b"), out, 4), 0);
    free(index);
}

static void a_match_larger_than_its_room_says_how_large(void **state)
{
    (void)state;
    struct filters *index = new_index(50);
    uint32_t out[10];
    for (uint32_t value = 50; value > 0; value--)
        assert_true(filters_add(index, 1, span_text("t"), value));
    assert_int_equal(filters_match(index, 1, span_text("t"), out, 10), 50);
    for (int i = 1; i < 10; i++)
        assert_true(out[i] > out[i - 1]);
    assert_int_equal(filters_match(index, 1, span_text("t"), NULL, 0), 50);
    free(index);
}

static void a_full_index_refuses_and_changes_nothing(void **state)
{
    (void)state;
    struct filters *index = new_index(2);
    uint32_t out[4];
    assert_true(filters_add(index, 1, span_text("a.b.c"), 1));
    assert_true(filters_add(index, 1, span_text("d.*.>"), 2));
    assert_false(filters_add(index, 1, span_text("e.f"), 3));
    assert_true(filters_add(index, 1, span_text("a.b.c"), 1)); /* is there already */
    assert_int_equal(filters_match(index, 1, span_text("e.f"), out, 4), 0);
    assert_true(filters_remove(index, 1, span_text("a.b.c"), 1));
    assert_true(filters_add(index, 1, span_text("e.f"), 3));
    assert_int_equal(filters_match(index, 1, span_text("e.f"), out, 4), 1);
    free(index);
}

static void the_longest_filters_all_fit(void **state)
{
    (void)state;
    enum { ENTRIES = 20 };
    struct filters *index = new_index(ENTRIES);
    uint32_t out[4];
    char filter[2 * TOPIC_WORDS_MAX];
    for (int round = 0; round < 3; round++) { /* what is removed leaves no node behind */
        for (uint32_t i = 1; i <= ENTRIES; i++) {
            for (size_t c = 0; c < sizeof filter; c++)
                filter[c] = (char)(c % 2 == 0 ? 'a' + (int)i : '.');
            assert_true(filters_add(index, 1, span_of(filter, sizeof filter - 1), i));
            assert_int_equal(filters_match(index, 1, span_of(filter, sizeof filter - 1), out, 4), 1);
        }
        for (uint32_t i = 1; i <= ENTRIES; i++) {
            for (size_t c = 0; c < sizeof filter; c++)
                filter[c] = (char)(c % 2 == 0 ? 'a' + (int)i : '.');
            assert_true(filters_remove(index, 1, span_of(filter, sizeof filter - 1), i));
        }
    }
    free(index);
}

enum { PAIRS = 60 };

struct pair {
    char filter[16];
    uint32_t scope, value; /* value 0 = free */
};

static void random_name(struct random *random, const char *const *words, uint32_t word_count, char *out)
{
    uint32_t count = 1 + random_below(random, 4);
    *out = '\0';
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) strcat(out, ".");
        const char *word = words[random_below(random, word_count)];
        if (*word == '>' && i + 1 < count) word = "*";
        strcat(out, word);
    }
}

static uint32_t naive_match(const struct pair *pairs, uint32_t scope, const char *topic, uint32_t *out)
{
    uint32_t found = 0;
    for (uint32_t value = 1; value <= 10; value++) {
        for (int i = 0; i < PAIRS; i++) {
            if (pairs[i].value != value || pairs[i].scope != scope || !filter_matches(span_text(pairs[i].filter), span_text(topic)))
                continue;
            out[found++] = value;
            break;
        }
    }
    return found;
}

static void the_index_agrees_with_a_search_of_all_filters(void **state)
{
    (void)state;
    static const char *const filter_words[] = { "a", "b", "$s", "*", ">" };
    static const char *const topic_words[] = { "a", "b", "$s", "c" };
    struct random random = { 5 };
    struct filters *index = new_index(PAIRS);
    struct pair pairs[PAIRS] = { 0 };
    for (int round = 0; round < 100000; round++) {
        struct pair *pair = &pairs[random_below(&random, PAIRS)];
        bool twice = false;
        if (pair->value != 0) {
            for (int i = 0; i < PAIRS; i++)
                twice |= &pairs[i] != pair && pairs[i].value == pair->value && pairs[i].scope == pair->scope &&
                         strcmp(pairs[i].filter, pair->filter) == 0;
            if (!twice) assert_true(filters_remove(index, pair->scope, span_text(pair->filter), pair->value));
            pair->value = 0;
        } else {
            random_name(&random, filter_words, 5, pair->filter);
            pair->value = 1 + random_below(&random, 10);
            pair->scope = 1 + random_below(&random, SCOPES);
            assert_true(filters_add(index, pair->scope, span_text(pair->filter), pair->value));
        }
        char topic[16];
        uint32_t wanted[10], found[10];
        random_name(&random, topic_words, 4, topic);
        uint32_t scope = 1 + random_below(&random, SCOPES);
        uint32_t count = naive_match(pairs, scope, topic, wanted);
        assert_int_equal(filters_match(index, scope, span_text(topic), found, 10), count);
        assert_memory_equal(found, wanted, count * sizeof *found);
    }
    free(index);
}

static void a_hundred_thousand_filters_are_still_found(void **state)
{
    (void)state;
    enum { ENTRIES = 100000 };
    struct filters *index = new_index(ENTRIES);
    char name[64];
    uint32_t out[4];
    for (uint32_t i = 1; i <= ENTRIES; i++) {
        snprintf(name, sizeof name, "tenant.doc-%u.%s", i, i % 2 == 0 ? ">" : "*");
        assert_true(filters_add(index, 1, span_text(name), i));
    }
    for (uint32_t i = 1; i <= ENTRIES; i += 997) {
        snprintf(name, sizeof name, "tenant.doc-%u.changed", i);
        assert_int_equal(filters_match(index, 1, span_text(name), out, 4), 1);
        assert_int_equal(out[0], i);
    }
    for (uint32_t i = 1; i <= ENTRIES; i++) {
        snprintf(name, sizeof name, "tenant.doc-%u.%s", i, i % 2 == 0 ? ">" : "*");
        assert_true(filters_remove(index, 1, span_text(name), i));
    }
    assert_int_equal(filters_match(index, 1, span_text("tenant.doc-7.changed"), out, 4), 0);
    free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_under_several_matching_filters_is_found_once),
        cmocka_unit_test(what_is_stored_in_one_scope_is_not_seen_from_another),
        cmocka_unit_test(a_match_larger_than_its_room_says_how_large),
        cmocka_unit_test(a_full_index_refuses_and_changes_nothing),
        cmocka_unit_test(the_longest_filters_all_fit),
        cmocka_unit_test(the_index_agrees_with_a_search_of_all_filters),
        cmocka_unit_test(a_hundred_thousand_filters_are_still_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
