/* The summarizer on the documents that weir ships, and on what no summarizer wants to be given. */
#include "samples/summarize/graph.h"
#include "samples/summarize/summary.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const documents[] = { "declaration-of-independence", "kennedy-1962",   "moby-dick-cetology",
                                         "moby-dick-loomings",          "roosevelt-1941", "us-constitution" };
enum { DOCUMENTS = sizeof documents / sizeof *documents };

struct answer {
    char *text;
    size_t size;
    struct summary_counts counts;
    struct pick picks[SUMMARY_PICKS_MAX];
    uint32_t pick_count;
    struct keyword keywords[SUMMARY_KEYWORDS_MAX];
    uint32_t keyword_count;
    char *sentences[SUMMARY_PICKS_MAX];
};

static struct answer *answer_text(const char *text, size_t size, uint32_t sentences)
{
    struct answer *a = calloc(1, sizeof *a);
    a->text = malloc(size);
    memcpy(a->text, text, size);
    a->size = size;
    summary *s = NULL;
    assert_int_equal(summary_open(a->text, size, &s), SUMMARY_OK);
    assert_int_equal(summary_rank(s), SUMMARY_OK);
    uint32_t wanted = sentences != 0 ? sentences : summary_length(s);
    while (a->pick_count < wanted && summary_pick(s, &a->picks[a->pick_count])) {
        a->sentences[a->pick_count] = malloc(a->picks[a->pick_count].size + 1u);
        summary_copy(s, &a->picks[a->pick_count], a->sentences[a->pick_count]);
        a->pick_count++;
    }
    assert_int_equal(summary_keywords(s, a->keywords, SUMMARY_KEYWORDS_MAX, &a->keyword_count), SUMMARY_OK);
    a->counts = summary_counts(s);
    summary_close(s);
    return a;
}

static struct answer *answer_document(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/samples/texts/%s.txt", WEIR_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(SUMMARY_TEXT_MAX + 1);
    size_t size = fread(text, 1, SUMMARY_TEXT_MAX + 1, file);
    fclose(file);
    struct answer *a = answer_text(text, size, 0);
    free(text);
    return a;
}

static void drop(struct answer *a)
{
    for (uint32_t i = 0; i < a->pick_count; i++)
        free(a->sentences[i]);
    free(a->text);
    free(a);
}

static bool has_keyword(const struct answer *a, const char *word)
{
    for (uint32_t i = 0; i < a->keyword_count; i++)
        if (strcmp(a->keywords[i].text, word) == 0) return true;
    return false;
}

static bool has_sentence(const struct answer *a, const char *part)
{
    for (uint32_t i = 0; i < a->pick_count; i++)
        if (strstr(a->sentences[i], part) != NULL) return true;
    return false;
}

static summary_status refusal(const char *text, size_t size)
{
    summary *s = NULL;
    char *copy = malloc(size + 1); /* its own block, so that a read beyond it is seen */
    memcpy(copy, text, size);
    summary_status status = summary_open(copy, size, &s);
    if (status == SUMMARY_OK) summary_close(s);
    free(copy);
    return status;
}

static void each_document_gets_three_to_seven_whole_sentences(void **state)
{
    (void)state;
    for (int d = 0; d < DOCUMENTS; d++) {
        struct answer *a = answer_document(documents[d]);
        assert_true(a->size <= 48 * 1024);
        assert_in_range(a->pick_count, 3, 7);
        for (uint32_t i = 0; i < a->pick_count; i++) {
            const struct pick *p = &a->picks[i];
            assert_true(p->at + p->size <= a->size);
            assert_true(p->rank > 0 && p->rank <= 1);
            if (i > 0) assert_true(p->rank <= a->picks[i - 1].rank);
            assert_null(strchr(a->sentences[i], '\n'));
            for (uint32_t j = 0; j < i; j++)
                assert_int_not_equal(p->sentence, a->picks[j].sentence);
        }
        drop(a);
    }
}

static void each_document_gets_key_words_that_stand_in_it(void **state)
{
    (void)state;
    for (int d = 0; d < DOCUMENTS; d++) {
        struct answer *a = answer_document(documents[d]);
        assert_true(a->keyword_count >= 10);
        a->text[a->size - 1] = '\0';
        for (size_t i = 0; i < a->size; i++)
            if (a->text[i] == '\n') a->text[i] = ' ';
        for (uint32_t i = 0; i < a->keyword_count; i++) {
            assert_non_null(strstr(a->text, a->keywords[i].text));
            assert_true(a->keywords[i].count > 0);
            if (i > 0) assert_true(a->keywords[i].rank <= a->keywords[i - 1].rank);
        }
        drop(a);
    }
}

static void the_key_words_name_what_a_document_is_about(void **state)
{
    (void)state;
    struct answer *whales = answer_document("moby-dick-cetology");
    assert_true(has_keyword(whales, "whale"));
    assert_true(has_keyword(whales, "sperm whale"));
    assert_true(has_keyword(whales, "fish"));
    drop(whales);
    struct answer *law = answer_document("us-constitution");
    assert_true(has_keyword(law, "United States"));
    assert_true(has_keyword(law, "Vice President"));
    assert_true(has_keyword(law, "Congress"));
    assert_false(has_keyword(law, "United"));
    drop(law);
    struct answer *speech = answer_document("roosevelt-1941");
    assert_true(has_keyword(speech, "war"));
    assert_true(has_keyword(speech, "nations"));
    drop(speech);
}

static void the_key_sentences_say_what_a_document_is_about(void **state)
{
    (void)state;
    struct answer *speech = answer_document("roosevelt-1941");
    assert_true(has_sentence(speech, "The world order which we seek is the cooperation of free countries"));
    drop(speech);
    struct answer *whales = answer_document("moby-dick-cetology");
    assert_true(has_sentence(whales, "I. The Sperm Whale; II. the Right Whale; III. the Fin-Back Whale"));
    drop(whales);
    struct answer *law = answer_document("us-constitution");
    assert_true(has_sentence(law, "The Vice President of the United States shall be President of the Senate"));
    drop(law);
}

static void the_same_document_gets_the_same_answer_twice(void **state)
{
    (void)state;
    struct answer *a = answer_document("kennedy-1962"), *b = answer_document("kennedy-1962");
    assert_int_equal(a->pick_count, b->pick_count);
    for (uint32_t i = 0; i < a->pick_count; i++)
        assert_memory_equal(&a->picks[i].at, &b->picks[i].at, sizeof a->picks[i].at);
    for (uint32_t i = 0; i < a->keyword_count; i++)
        assert_string_equal(a->keywords[i].text, b->keywords[i].text);
    drop(a);
    drop(b);
}

static void the_sentence_all_others_speak_of_ranks_highest(void **state)
{
    (void)state;
    static const char text[] = "The harbour lost its two lighthouse keepers during the terrible winter storm of that year. "
                               "A new lighthouse was built of granite by the harbour board after some years of debate. "
                               "Two keepers were drowned that night while they rowed across the bay for lamp oil. "
                               "The winter storm broke the old piers and sank eleven fishing boats at their moorings. "
                               "Bread was expensive in the inland villages and nobody there heard much about it all.";
    struct answer *a = answer_text(text, sizeof text - 1, 1);
    assert_int_equal(a->pick_count, 1);
    assert_int_equal(a->picks[0].sentence, 0);
    assert_true(a->picks[0].rank == 1.0);
    drop(a);
}

static void what_was_said_is_not_picked_again_while_there_is_something_else(void **state)
{
    (void)state;
    static const char text[] = "The river flooded the lower town and the market twice during the spring of that year. "
                               "The river flooded the lower town and the market twice during the spring of that year. "
                               "Later the lower town moved its market uphill where the river could not reach it again.";
    struct answer *a = answer_text(text, sizeof text - 1, 3);
    assert_int_equal(a->pick_count, 3);
    assert_int_equal(a->picks[1].sentence, 2);
    drop(a);
}

static void forms_of_one_word_count_as_one(void **state)
{
    (void)state;
    static const char text[] = "Connections matter. A connection connected them. It's the connection\xE2\x80\x99s end: connect again.";
    struct answer *a = answer_text(text, sizeof text - 1, 1);
    assert_string_equal(a->keywords[0].text, "connection");
    assert_int_equal(a->keywords[0].count, 5);
    drop(a);
}

static void one_word_is_a_document(void **state)
{
    (void)state;
    struct answer *a = answer_text("Hello", 5, 0);
    assert_int_equal(a->pick_count, 1);
    assert_string_equal(a->sentences[0], "Hello");
    assert_int_equal(a->counts.sentences, 1);
    assert_int_equal(a->counts.headings, 0);
    drop(a);
}

static void what_is_no_text_is_refused_with_a_reason(void **state)
{
    (void)state;
    assert_int_equal(refusal("", 0), SUMMARY_EMPTY);
    assert_int_equal(refusal(" \n\t\xE3\x80\x80", 6), SUMMARY_EMPTY);
    assert_int_equal(refusal("caf\xE9 au lait", 11), SUMMARY_NOT_UTF8);
    assert_int_equal(refusal("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16), SUMMARY_BINARY);
    assert_int_equal(refusal("ab\x01\x02\x03 text", 10), SUMMARY_BINARY);
    assert_int_equal(refusal("the and of it was there.", 24), SUMMARY_NO_WORDS);
    assert_int_equal(refusal("1 2 3 4,5 ... !!! ---", 21), SUMMARY_NO_WORDS);
    for (int status = SUMMARY_OK; status <= SUMMARY_NO_MEMORY; status++)
        assert_true(strlen(summary_status_text((summary_status)status)) > 3);
}

static void limits_are_refusals_and_below_them_all_is_answered(void **state)
{
    (void)state;
    char *text = malloc(SUMMARY_TEXT_MAX + 1);
    memset(text, 'x', SUMMARY_TEXT_MAX + 1);
    assert_int_equal(refusal(text, SUMMARY_TEXT_MAX + 1), SUMMARY_TOO_LARGE);
    assert_int_equal(refusal(text, SUMMARY_TEXT_MAX), SUMMARY_NO_WORDS); /* one run of letters, too long to be a word */
    for (size_t i = 0; i + 8 <= SUMMARY_TEXT_MAX; i += 8)
        memcpy(text + i, "Ab cde. ", 8);
    assert_int_equal(refusal(text, SUMMARY_TEXT_MAX), SUMMARY_TOO_LARGE); /* 8192 sentences */
    assert_int_equal(refusal(text, SENTENCES_MAX * 8), SUMMARY_OK);
    free(text);
}

/* About the densest graph the limits allow: each word stands in just under half of the sentences, so that none is too common to be
 * followed, and nearly all pairs of sentences are joined. */
static void the_worst_text_within_the_limits_is_answered(void **state)
{
    (void)state;
    enum { WORDS = 8, SIZE = WORDS * 3 + 1 };
    static const char words[] = "quzixovykujuwubocodufiguhylupaausyta"; /* 18 words of two letters */
    char *text = malloc(SENTENCES_MAX * SIZE + 1);
    uint32_t seed = 1;
    for (int i = 0; i < SENTENCES_MAX; i++) {
        for (int w = 0; w < WORDS; w++) {
            seed = seed * 1664525u + 1013904223u;
            memcpy(text + i * SIZE + w * 3, words + (seed >> 16) % 18 * 2, 2);
            text[i * SIZE + w * 3 + 2] = ' ';
        }
        text[i * SIZE] = (char)(text[i * SIZE] - 'a' + 'A');
        memcpy(text + i * SIZE + WORDS * 3 - 1, ". ", 2);
    }
    struct answer *a = answer_text(text, (size_t)SENTENCES_MAX * SIZE, SUMMARY_PICKS_MAX);
    assert_true(a->counts.sentences > SENTENCES_MAX * 9 / 10);
    assert_true(a->counts.edges > 1000000);
    assert_int_equal(a->pick_count, SUMMARY_PICKS_MAX);
    drop(a);
    free(text);
}

static void any_bytes_get_an_answer_or_a_refusal(void **state)
{
    (void)state;
    static const char *const parts[] = { "Mr. ",  "\xE2\x80\x9D", "... ", "I. ",  "\n\n", "# ",  "- ",       "whale's ", "\xE2\x80\x99",
                                         "A.D. ", "\"",           "? ",   "\r\n", " ",    "1. ", "\xC3\x89", "U.S",      "Nation " };
    uint32_t seed = 20040901;
    for (int round = 0; round < 400; round++) {
        char text[512];
        size_t size = 0;
        while (size + 16 < sizeof text) {
            seed = seed * 1664525u + 1013904223u;
            const char *part = parts[(seed >> 16) % (sizeof parts / sizeof *parts)];
            memcpy(text + size, part, strlen(part));
            size += strlen(part);
            if ((seed >> 8) % 97 == 0) break;
        }
        summary *s = NULL;
        char *copy = malloc(size + 1);
        memcpy(copy, text, size);
        struct pick pick;
        struct keyword keywords[5];
        uint32_t count = 0;
        if (summary_open(copy, size, &s) == SUMMARY_OK) {
            assert_int_equal(summary_rank(s), SUMMARY_OK);
            while (summary_pick(s, &pick))
                assert_true(pick.at + pick.size <= size);
            assert_int_equal(summary_keywords(s, keywords, 5, &count), SUMMARY_OK);
        }
        summary_close(s);
        free(copy);
    }
}

static void ranks_sum_to_one_and_follow_the_edges(void **state)
{
    (void)state;
    struct graph graph;
    double rank[4];
    graph_init(&graph, 4); /* a star of three, and one alone */
    assert_true(graph_join(&graph, 0, 1, 1));
    assert_true(graph_join(&graph, 0, 2, 1));
    assert_in_range(graph_rank(&graph, rank), 2, GRAPH_ITERATIONS_MAX);
    assert_true(fabs(rank[0] + rank[1] + rank[2] + rank[3] - 1) < 1e-6);
    assert_true(rank[0] > rank[1] && fabs(rank[1] - rank[2]) < 1e-9 && rank[2] > rank[3]);
    graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_document_gets_three_to_seven_whole_sentences),
        cmocka_unit_test(each_document_gets_key_words_that_stand_in_it),
        cmocka_unit_test(the_key_words_name_what_a_document_is_about),
        cmocka_unit_test(the_key_sentences_say_what_a_document_is_about),
        cmocka_unit_test(the_same_document_gets_the_same_answer_twice),
        cmocka_unit_test(the_sentence_all_others_speak_of_ranks_highest),
        cmocka_unit_test(what_was_said_is_not_picked_again_while_there_is_something_else),
        cmocka_unit_test(forms_of_one_word_count_as_one),
        cmocka_unit_test(one_word_is_a_document),
        cmocka_unit_test(what_is_no_text_is_refused_with_a_reason),
        cmocka_unit_test(limits_are_refusals_and_below_them_all_is_answered),
        cmocka_unit_test(the_worst_text_within_the_limits_is_answered),
        cmocka_unit_test(any_bytes_get_an_answer_or_a_refusal),
        cmocka_unit_test(ranks_sum_to_one_and_follow_the_edges),
    };
    return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
