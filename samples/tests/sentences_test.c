#include "samples/summarize/sentences.h"
#include "samples/summarize/stopwords.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sentence sentences[SENTENCES_MAX];

/* Splits the text and compares with what is expected, '|' between sentences and '#' before a heading. */
static void splits(const char *text, const char *expected)
{
    char got[4096] = "";
    uint32_t count = sentences_split(text, strlen(text), sentences, SENTENCES_MAX);
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += (size_t)snprintf(got + size, sizeof got - size, "%s%s%.*s", i > 0 ? "|" : "", sentences[i].heading ? "#" : "",
                                 (int)sentences[i].size, text + sentences[i].at);
    assert_string_equal(got, expected);
}

static void end_marks_end_sentences(void **state)
{
    (void)state;
    splits("It rained. Did it? It did! Well... It stopped.", "It rained.|Did it?|It did!|Well...|It stopped.");
    splits("  One line.  \n", "One line.");
    splits("No end mark here but more than a heading would ever have in words, so this is a sentence",
           "No end mark here but more than a heading would ever have in words, so this is a sentence");
}

static void titles_and_abbreviations_end_nothing(void **state)
{
    (void)state;
    splits("Mr. Speaker met Dr. Smith and Mrs. Jones. They spoke.", "Mr. Speaker met Dr. Smith and Mrs. Jones.|They spoke.");
    splits("Take fruit, e.g. apples, i.e. Cox. See vol. 3 and fig. 7 there.",
           "Take fruit, e.g. apples, i.e. Cox.|See vol. 3 and fig. 7 there.");
    splits("See No. 5 there. He said no. That was all.", "See No. 5 there.|He said no.|That was all.");
}

static void an_abbreviation_may_stand_last_before_a_word_that_begins_sentences(void **state)
{
    (void)state;
    splits("They left at 5 p.m. The train was late.", "They left at 5 p.m.|The train was late.");
    splits("He lives in the U.S. He likes it.", "He lives in the U.S.|He likes it.");
    splits("The U.S. Senate met on Jan. Wilson's day.", "The U.S. Senate met on Jan. Wilson's day.");
    splits("Apples, pears, etc. We had them all.", "Apples, pears, etc.|We had them all.");
}

static void initials_belong_to_names(void **state)
{
    (void)state;
    splits("John F. Kennedy and J. B. S. Haldane met. They talked.", "John F. Kennedy and J. B. S. Haldane met.|They talked.");
    splits("It was A.D. 1820 or so. Nobody knew.", "It was A.D. 1820 or so.|Nobody knew.");
}

static void numbers_keep_their_points(void **state)
{
    (void)state;
    splits("Pi is 3.14159 or so. Version 1.2.3 costs $4.50. See example.org for more.",
           "Pi is 3.14159 or so.|Version 1.2.3 costs $4.50.|See example.org for more.");
    splits("It grew by 2.5. 1962 was better.", "It grew by 2.5.|1962 was better.");
}

static void quotes_and_brackets_close_with_their_sentence(void **state)
{
    (void)state;
    splits("\"Go away.\" She went. \"Why?\" he asked.", "\"Go away.\"|She went.|\"Why?\" he asked.");
    splits("\xE2\x80\x9CGo away.\xE2\x80\x9D She went. (He stayed.) So it was.",
           "\xE2\x80\x9CGo away.\xE2\x80\x9D|She went.|(He stayed.)|So it was.");
    splits("He said: 'No!' \"Yes,\" said she.", "He said: 'No!'|\"Yes,\" said she.");
}

static void small_letters_and_dashes_go_on(void **state)
{
    (void)state;
    splits("What... is that? and more! of it.", "What... is that? and more! of it.");
    splits("Never!\xE2\x80\x94so he said. Never.", "Never!\xE2\x80\x94so he said.|Never.");
}

static void paragraphs_end_sentences_and_line_breaks_do_not(void **state)
{
    (void)state;
    splits("One goes\nover two lines. Two does\nas well, and has no mark\n\nThree is here.",
           "One goes\nover two lines.|Two does\nas well, and has no mark|Three is here.");
    splits("One goes\r\nover two. Two.\r\n\r\nThree.", "One goes\r\nover two.|Two.|Three.");
    assert_int_equal(sentences[0].paragraph, 0);
    assert_int_equal(sentences[2].paragraph, 1);
}

static void headings_are_told_from_sentences(void **state)
{
    (void)state;
    splits("CHAPTER 1. Loomings.\n\nCall me Ishmael. Some years ago.", "#CHAPTER 1. Loomings.|Call me Ishmael.|Some years ago.");
    splits("# Title\nText here. More.\n\nArticle IV\n\nIt is so.", "#"
                                                                   "# Title|Text here.|More.|#Article IV|It is so.");
    splits("IV. OUR GOALS ABROAD\n\nAll our goals.", "#IV. OUR GOALS ABROAD|All our goals.");
    splits("Parting is sweet.\n\nSection of it.", "Parting is sweet.|Section of it.");
}

static void list_items_are_apart(void **state)
{
    (void)state;
    splits("We need:\n- bread and butter.\n- wine, red.\n1. First comes this.\n2. Then that.",
           "#We need:|- bread and butter.|- wine, red.|1. First comes this.|2. Then that.");
}

static void ideographic_stops_need_no_space(void **state)
{
    (void)state;
    splits("\xE4\xBB\x8A\xE5\xA4\xA9\xE3\x80\x82\xE6\x98\x8E\xE5\xA4\xA9\xE3\x80\x82",
           "\xE4\xBB\x8A\xE5\xA4\xA9\xE3\x80\x82|\xE6\x98\x8E\xE5\xA4\xA9\xE3\x80\x82");
}

static void an_endless_sentence_is_cut_into_pieces(void **state)
{
    (void)state;
    char *text = malloc(40001);
    for (int i = 0; i < 4000; i++)
        memcpy(text + i * 10, i % 30 == 29 ? "and tales;" : "some tales", 11);
    for (int i = 0; i < 4000; i++)
        text[i * 10 + 4 - (i % 30 == 29)] = ' ';
    uint32_t count = sentences_split(text, 40000, sentences, SENTENCES_MAX);
    assert_in_range(count, 40000 / SENTENCE_PIECE_MAX, 40000 / 100);
    uint32_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert_in_range(sentences[i].size, 1, SENTENCE_PIECE_MAX);
        assert_true(sentences[i].at >= end);
        end = sentences[i].at + sentences[i].size;
    }
    assert_int_equal(end, 40000);
    free(text);
}

static void a_piece_never_ends_inside_a_character(void **state)
{
    (void)state;
    char text[6000];
    for (int i = 0; i < 2000; i++)
        memcpy(text + i * 3, "\xE4\xBB\x8A", 3);
    uint32_t count = sentences_split(text, sizeof text, sentences, SENTENCES_MAX);
    assert_true(count > 1);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(sentences[i].size % 3, 0);
}

static void what_does_not_fit_is_counted_and_not_written(void **state)
{
    (void)state;
    struct sentence two[2] = { 0 };
    assert_int_equal(sentences_split("A one. A two. A three.", 22, two, 2), 3);
    assert_int_equal(two[1].at, 7);
    assert_int_equal(sentences_split("", 0, two, 2), 0);
    assert_int_equal(sentences_split(" \n\t ", 4, two, 2), 0);
}

static void the_list_of_stop_words_is_sorted_so_that_each_is_found(void **state)
{
    (void)state;
    static const char *const in[] = { "a", "the", "thou", "don't", "yourselves", "you", "wherever", "i" };
    static const char *const out[] = { "", "th", "thex", "whale", "zebra", "aa", "right" };
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        assert_true(stopword(in[i], strlen(in[i])));
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        assert_false(stopword(out[i], strlen(out[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(end_marks_end_sentences),
        cmocka_unit_test(titles_and_abbreviations_end_nothing),
        cmocka_unit_test(an_abbreviation_may_stand_last_before_a_word_that_begins_sentences),
        cmocka_unit_test(initials_belong_to_names),
        cmocka_unit_test(numbers_keep_their_points),
        cmocka_unit_test(quotes_and_brackets_close_with_their_sentence),
        cmocka_unit_test(small_letters_and_dashes_go_on),
        cmocka_unit_test(paragraphs_end_sentences_and_line_breaks_do_not),
        cmocka_unit_test(headings_are_told_from_sentences),
        cmocka_unit_test(list_items_are_apart),
        cmocka_unit_test(ideographic_stops_need_no_space),
        cmocka_unit_test(an_endless_sentence_is_cut_into_pieces),
        cmocka_unit_test(a_piece_never_ends_inside_a_character),
        cmocka_unit_test(what_does_not_fit_is_counted_and_not_written),
        cmocka_unit_test(the_list_of_stop_words_is_sorted_so_that_each_is_found),
    };
    return cmocka_run_group_tests_name("sentences", tests, NULL, NULL);
}
