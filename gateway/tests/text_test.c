/* jscan.h and text.h: what they say, at their limits too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/core/jscan.h"
#include "gateway/core/text.h"

static struct span read_field(const char *text, const char *name)
{
    static struct jscan_object object;
    assert_int_equal(jscan_object(span_text(text), &object), JSCAN_OK);
    return jscan_get(&object, name).raw;
}

static void a_field_is_found_as_its_raw_text(void **state)
{
    (void)state;
    const char *text = " {\"type\" : \"publish\", \"data\":{\"a\": [1, 2]} , \"n\":-1.50e+2}\n";
    assert_true(span_equal(read_field(text, "type"), span_text("\"publish\"")));
    assert_true(span_equal(read_field(text, "data"), span_text("{\"a\": [1, 2]}")));
    assert_true(span_equal(read_field(text, "n"), span_text("-1.50e+2")));
    assert_int_equal(read_field(text, "nothing").size, 0);
}

static void a_name_written_with_escapes_is_the_same_name(void **state)
{
    (void)state;
    struct jscan_object object;
    assert_true(span_equal(read_field("{\"t\\u0079pe\":1}", "type"), span_text("1")));
    assert_int_equal(jscan_object(span_text("{\"a\\u00e9\":1,\"b\":2,\"a\xC3\xA9\":3}"), &object), JSCAN_DUPLICATE_FIELD);
    assert_int_equal(jscan_object(span_text("{\"ab\":1,\"a\":2,\"\\u0061bc\":3}"), &object), JSCAN_OK);
}

static void depth_and_fields_have_bounds(void **state)
{
    (void)state;
    char text[1024];
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    assert_int_equal(jscan_check(span_of(text, 128)), JSCAN_OK);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_int_equal(jscan_check(span_of(text, 130)), JSCAN_TOO_DEEP);
    struct jscan_object object;
    size_t size = 1;
    text[0] = '{';
    for (int i = 0; i < 65; i++)
        size += (size_t)sprintf(text + size, "%s\"f%d\":0", i ? "," : "", i);
    text[size++] = '}';
    assert_int_equal(jscan_object(span_of(text, size), &object), JSCAN_TOO_MANY_FIELDS);
}

static void broken_texts_are_told_from_whole_ones(void **state)
{
    (void)state;
    static const char *const broken[] = { "",           " ",     "{",           "}",        "[1,]",
                                          "{\"a\":1,}", "01",    "1.",          "-",        "+1",
                                          ".5",         "tru",   "nullx",       "1 2",      "[1}",
                                          "'a'",        "NaN",   "\"\\ud800\"", "\"\\x\"",  "\"a",
                                          "[\"a\n\"]",  "{a:1}", "{\"a\" 1}",   "{\"a\":}", "\"\\ud800\\u0041\"",
                                          "/**/1",      "1e+" };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_int_equal(jscan_check(span_text(broken[i])), JSCAN_BROKEN);
    assert_int_equal(jscan_check(span_text("\"\xC0\xAF\"")), JSCAN_NOT_UTF8);
    assert_int_equal(jscan_check(span_text("\"\xED\xA0\x80\"")), JSCAN_NOT_UTF8);
    assert_int_equal(jscan_check(span_text("\"\xF4\x90\x80\x80\"")), JSCAN_NOT_UTF8);
    assert_int_equal(jscan_check(span_text("[{},[],\"\",0,-0.0,1E-9,{\"a\":{\"b\":[[]]}}]")), JSCAN_OK);
}

static void an_array_gives_its_elements_one_by_one(void **state)
{
    (void)state;
    struct span array = span_text(" [ {\"a\":1} , 2,\"x,]\" ] ");
    size_t offset = 0;
    struct jscan_value value;
    assert_true(jscan_array_next(array, &offset, &value));
    assert_true(span_equal(value.raw, span_text("{\"a\":1}")));
    assert_int_equal(value.kind, JSCAN_OBJECT);
    assert_true(jscan_array_next(array, &offset, &value));
    assert_int_equal(value.kind, JSCAN_NUMBER);
    assert_true(jscan_array_next(array, &offset, &value));
    assert_true(span_equal(value.raw, span_text("\"x,]\"")));
    assert_false(jscan_array_next(array, &offset, &value));
    offset = 0;
    assert_false(jscan_array_next(span_text("[ ]"), &offset, &value));
}

static void numbers_are_whole_and_exact(void **state)
{
    (void)state;
    uint64_t number;
    assert_true(jscan_to_uint((struct jscan_value){ span_text("9007199254740991"), JSCAN_NUMBER }, &number));
    assert_true(number == 9007199254740991ull);
    assert_false(jscan_to_uint((struct jscan_value){ span_text("9007199254740992"), JSCAN_NUMBER }, &number));
    assert_false(jscan_to_uint((struct jscan_value){ span_text("-1"), JSCAN_NUMBER }, &number));
    assert_false(jscan_to_uint((struct jscan_value){ span_text("1.0"), JSCAN_NUMBER }, &number));
    assert_false(jscan_to_uint((struct jscan_value){ span_text("\"1\""), JSCAN_STRING }, &number));
}

static void strings_come_back_as_they_were(void **state)
{
    (void)state;
    uint8_t out[64];
    struct span raw = span_text("\"a\\n\\u00e9\\ud83d\\ude00\\\"\\/\"");
    size_t size = jscan_unescape(raw, out);
    assert_true(span_equal(span_of(out, size), span_text("a\n\xC3\xA9\xF0\x9F\x98\x80\"/")));
    uint8_t room[64];
    struct writer w;
    writer_init(&w, room, sizeof room);
    write_string(&w, span_text("q\"\\\n\x01\xC3\xA9\xFFz"));
    assert_true(span_equal(span_of(room, writer_size(&w)), span_text("\"q\\\"\\\\\\n\\u0001\xC3\xA9\xEF\xBF\xBDz\"")));
}

static void a_full_writer_says_so_and_writes_nothing_more(void **state)
{
    (void)state;
    uint8_t room[4];
    struct writer w;
    writer_init(&w, room, sizeof room);
    write_text(&w, "abc");
    write_text(&w, "de");
    assert_true(w.full);
    write_text(&w, "f");
    assert_int_equal(writer_size(&w), 3);
}

static void base64_goes_both_ways_and_is_strict(void **state)
{
    (void)state;
    static const char *const pairs[][2] = { { "", "" },
                                            { "f", "Zg==" },
                                            { "fo", "Zm8=" },
                                            { "foo", "Zm9v" },
                                            { "foob", "Zm9vYg==" },
                                            { "fooba", "Zm9vYmE=" },
                                            { "foobar", "Zm9vYmFy" } };
    for (size_t i = 0; i < 7; i++) {
        uint8_t out[16];
        size_t size;
        assert_true(base64_decode(span_text(pairs[i][1]), out, &size));
        assert_true(span_equal(span_of(out, size), span_text(pairs[i][0])));
        struct writer w;
        writer_init(&w, out, sizeof out);
        write_base64(&w, span_text(pairs[i][0]));
        assert_true(span_equal(span_of(out + 1, writer_size(&w) - 2), span_text(pairs[i][1])));
    }
    static const char *const wrong[] = { "Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9-", "Zm8=\n" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t out[16];
        size_t size;
        assert_false(base64_decode(span_text(wrong[i]), out, &size));
    }
}

static void times_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = { { "1970-01-01T00:00:00.000Z", 0 },
                 { "2000-02-29T12:34:56.789Z", 951827696789 },
                 { "2026-11-24T23:19:22.001Z", 1795562362001 },
                 { "9999-12-31T23:59:59.999Z", 253402300799999 } };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t ms;
        assert_true(time_parse(span_text(good[i].text), &ms));
        assert_true(ms == good[i].ms);
        uint8_t room[32];
        struct writer w;
        writer_init(&w, room, sizeof room);
        write_time(&w, ms);
        assert_true(span_equal(span_of(room + 1, writer_size(&w) - 2), span_text(good[i].text)));
    }
    uint64_t ms;
    assert_true(time_parse(span_text("2000-02-29T14:04:56.7891234+01:30"), &ms) && ms == 951827696789);
    assert_true(time_parse(span_text("2000-02-29t12:34:56z"), &ms) && ms == 951827696000);
    static const char *const wrong[] = { "2001-02-29T00:00:00Z",
                                         "2000-13-01T00:00:00Z",
                                         "2000-01-01 00:00:00Z",
                                         "2000-01-01T24:00:00Z",
                                         "2000-01-01T00:00:00",
                                         "2000-01-01T00:00:00.Z",
                                         "1969-12-31T23:59:59Z",
                                         "2000-01-01T00:00:00Zx",
                                         "1970-01-01T00:00:00+00:01",
                                         "start",
                                         "" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(time_parse(span_text(wrong[i]), &ms));
}

static void an_event_id_is_epoch_and_position(void **state)
{
    (void)state;
    struct span epoch;
    uint64_t seq;
    assert_true(event_id_parse(span_text("00c0ffee00c0ffee-120"), &epoch, &seq));
    assert_true(span_equal(epoch, span_text("00c0ffee00c0ffee")) && seq == 120);
    assert_false(event_id_parse(span_text("00c0ffee"), &epoch, &seq));
    assert_false(event_id_parse(span_text("-1"), &epoch, &seq));
    assert_false(event_id_parse(span_text("a-"), &epoch, &seq));
    assert_false(event_id_parse(span_text("a-99999999999999999999"), &epoch, &seq));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_found_as_its_raw_text),       cmocka_unit_test(a_name_written_with_escapes_is_the_same_name),
        cmocka_unit_test(depth_and_fields_have_bounds),           cmocka_unit_test(broken_texts_are_told_from_whole_ones),
        cmocka_unit_test(an_array_gives_its_elements_one_by_one), cmocka_unit_test(numbers_are_whole_and_exact),
        cmocka_unit_test(strings_come_back_as_they_were),         cmocka_unit_test(a_full_writer_says_so_and_writes_nothing_more),
        cmocka_unit_test(base64_goes_both_ways_and_is_strict),    cmocka_unit_test(times_go_both_ways),
        cmocka_unit_test(an_event_id_is_epoch_and_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
