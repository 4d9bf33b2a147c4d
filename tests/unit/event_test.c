#include "proto/event.h"
#include "tests/support/check.h"

static struct event full_event(void)
{
    return (struct event){
        .topic = span_text("docs.42.uploaded"),
        .key = span_text("doc-42"),
        .session = span_text("s-1"),
        .token = span_text("c0ffee"),
        .type = span_text("uploaded"),
        .content_type = span_text("application/json"),
        .data = span_text("{\"a\":1}"),
        .traceparent = span_text("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        .tracestate = span_text("x=1"),
        .reply_to = span_text("$inbox.c1"),
        .time_ms = UINT64_C(1700000000000),
        .ttl_ms = 1,
        .delay_ms = UINT64_MAX,
        .not_before_ms = 300,
        .deadline_ms = UINT64_C(1700000000001),
        .priority = 3,
        .semantics = EVENT_AT_MOST_ONCE,
        .reply = EVENT_REPLY_ERROR,
        .code = 15,
    };
}

static void what_was_encoded_is_scanned_again(void **state)
{
    (void)state;
    const struct event event = full_event();
    const struct event_header headers[] = { { span_text("k"), span_text("v") }, { { 0 }, { 0 } }, { span_text("empty"), { 0 } } };
    uint8_t bytes[1024];
    size_t size = event_encode(&event, headers, 3, bytes);
    assert_int_equal(size, event_encoded_size(&event, headers, 3));

    struct event found;
    assert_int_equal(event_scan(span_of(bytes, size), &found), EVENT_OK);
    assert_int_equal(found.header_count, 3);
    size_t cursor = 0;
    struct span name, value;
    for (int i = 0; i < 3; i++) {
        assert_true(event_header_next(&found, &cursor, &name, &value));
        assert_true(span_equal(name, headers[i].name));
        assert_true(span_equal(value, headers[i].value));
    }
    assert_false(event_header_next(&found, &cursor, &name, &value));
    uint8_t again[1024];
    found.headers = (struct span){ 0 };
    assert_int_equal(event_encode(&found, headers, 3, again), size);
    assert_memory_equal(again, bytes, size);
    assert_true(found.delay_ms == UINT64_MAX);
    assert_text(found.reply_to, "$inbox.c1");
    assert_true(found.token.size > 0 && span_equal(event_token(span_of(bytes, size)), found.token));
    assert_int_equal(event_token(span_of(bytes, 3)).size, 0);
    assert_text(found.data, "{\"a\":1}");
    assert_int_equal(found.code, 15);
}

static enum event_scan scan(const char *bytes, size_t size, struct event *out)
{
    return event_scan(span_of(bytes, size), out);
}
#define SCAN(text, out) scan(text, sizeof(text) - 1, out)

static void the_last_of_a_repeated_field_wins_and_unknown_fields_pass(void **state)
{
    (void)state;
    struct event event;
    assert_int_equal(SCAN("\x0a\x01"
                          "a"
                          "\x12\x01k"
                          "\x0a\x03"
                          "b.c"
                          "\x12\x00",
                          &event),
                     EVENT_OK);
    assert_text(event.topic, "b.c");
    assert_int_equal(event.key.size, 0);
    /* field 22 as a varint, 30 as bytes, 0 (in two bytes) and 536870911 too */
    assert_int_equal(SCAN("\xb0\x01\x05"
                          "\x0a\x01"
                          "a"
                          "\xf2\x01\x02zz"
                          "\x85\x00"
                          "1234"
                          "\xf9\xff\xff\xff\x0f"
                          "12345678",
                          &event),
                     EVENT_OK);
    assert_text(event.topic, "a");
}

static void broken_bytes_are_malformed(void **state)
{
    (void)state;
    struct event event;
    assert_int_equal(SCAN("\x0a", &event), EVENT_MALFORMED); /* no length */
    assert_int_equal(SCAN("\x0a\x02"
                          "a",
                          &event),
                     EVENT_MALFORMED);                           /* too short */
    assert_int_equal(SCAN("\x08\x01", &event), EVENT_MALFORMED); /* topic as a number */
    assert_int_equal(SCAN("\x0a\x01"
                          "a\x5a\x00",
                          &event),
                     EVENT_MALFORMED); /* time as bytes */
    assert_int_equal(SCAN("\x0a\x01"
                          "a\x0b",
                          &event),
                     EVENT_MALFORMED); /* a group */
    assert_int_equal(SCAN("\x0a\x01"
                          "a\x58\x80",
                          &event),
                     EVENT_MALFORMED); /* an endless number */
    assert_int_equal(SCAN("\x0a\x01"
                          "a\x3a\x02\x08\x01",
                          &event),
                     EVENT_MALFORMED); /* a header's name as a number */
    assert_int_equal(SCAN("\x0a\x01"
                          "a\x58\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                          &event),
                     EVENT_MALFORMED);
    assert_int_equal(SCAN("\x0a\x01"
                          "a\x05"
                          "1234",
                          &event),
                     EVENT_MALFORMED); /* field 0, which protobuf-c refuses in one byte */
    assert_int_equal(SCAN("\x0a\xff\xff\xff\xff\x0f", &event), EVENT_MALFORMED);
}

static void a_topic_is_needed_and_checked(void **state)
{
    (void)state;
    struct event event;
    assert_int_equal(event_scan((struct span){ 0 }, &event), EVENT_BAD_TOPIC);
    assert_int_equal(SCAN("\x0a\x02"
                          "a.",
                          &event),
                     EVENT_BAD_TOPIC);
    assert_int_equal(SCAN("\x0a\x01*", &event), EVENT_BAD_TOPIC);
    assert_int_equal(SCAN("\x0a\x04$sys", &event), EVENT_OK);
}

static enum event_scan scan_with(struct event event, const struct event_header *headers, size_t header_count)
{
    static uint8_t bytes[2 * EVENT_BYTES_MAX];
    struct event found;
    event.topic = span_text("t");
    size_t size = event_encode(&event, headers, header_count, bytes);
    return event_scan(span_of(bytes, size), &found);
}

static void each_limit_holds_at_its_edge(void **state)
{
    (void)state;
    static uint8_t long_bytes[EVENT_BYTES_MAX];
    static struct event_header headers[EVENT_HEADERS_MAX + 1];
    struct span fits = span_of(long_bytes, 255), over = span_of(long_bytes, 256);
    memset(long_bytes, 'x', sizeof long_bytes);
    assert_int_equal(scan_with((struct event){ .key = fits, .session = fits, .token = fits, .type = fits, .content_type = fits }, NULL, 0),
                     EVENT_OK);
    assert_int_equal(scan_with((struct event){ .key = over }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .session = over }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .token = over }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .type = over }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .content_type = over }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .reply_to = over }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .reply_to = span_text("a b") }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .priority = 4 }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .semantics = 2 }, NULL, 0), EVENT_BAD_FIELD);
    assert_int_equal(scan_with((struct event){ .reply = 9, .code = 99 }, NULL, 0), EVENT_OK);
    assert_int_equal(scan_with((struct event){ 0 }, headers, EVENT_HEADERS_MAX), EVENT_OK);
    assert_int_equal(scan_with((struct event){ 0 }, headers, EVENT_HEADERS_MAX + 1), EVENT_BAD_FIELD);
    struct event found;
    assert_int_equal(scan_with((struct event){ .data = span_of(long_bytes, EVENT_BYTES_MAX) }, NULL, 0), EVENT_OK);
    assert_int_equal(event_scan(span_of(long_bytes, EVENT_LARGE_BYTES_MAX + (size_t)1), &found), EVENT_TOO_LARGE); /* before it is looked at */
}

static void headers_may_be_scattered_among_other_fields(void **state)
{
    (void)state;
    struct event event;
    assert_int_equal(SCAN("\x3a\x03\x0a\x01"
                          "a"
                          "\x0a\x01t"
                          "\x3a\x06\x0a\x01"
                          "b\x12\x01"
                          "c"
                          "\x12\x01k",
                          &event),
                     EVENT_OK);
    assert_int_equal(event.header_count, 2);
    size_t cursor = 0;
    struct span name, value;
    assert_true(event_header_next(&event, &cursor, &name, &value));
    assert_text(name, "a");
    assert_int_equal(value.size, 0);
    assert_true(event_header_next(&event, &cursor, &name, &value));
    assert_text(name, "b");
    assert_text(value, "c");
    assert_false(event_header_next(&event, &cursor, &name, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_encoded_is_scanned_again), cmocka_unit_test(the_last_of_a_repeated_field_wins_and_unknown_fields_pass),
        cmocka_unit_test(broken_bytes_are_malformed),        cmocka_unit_test(a_topic_is_needed_and_checked),
        cmocka_unit_test(each_limit_holds_at_its_edge),      cmocka_unit_test(headers_may_be_scattered_among_other_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
