#include "tests/support/golden.h"

const uint8_t golden_hash_before[16] = { 0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0 };
static const uint8_t publisher[16] = "fedcba9876543210";

void golden_event(struct event *out, struct event_header headers[GOLDEN_HEADERS])
{
    headers[0] = (struct event_header){ span_text("language"), span_text("de") };
    headers[1] = (struct event_header){ span_text("empty"), { 0 } };
    *out = (struct event){
        .topic = span_text("docs.42.uploaded"),
        .key = span_text("doc-42"),
        .session = span_text("s-12"),
        .token = span_text("c0ffee"),
        .type = span_text("uploaded"),
        .content_type = span_text("application/json"),
        .data = span_text("{\"pages\":3,\"title\":\"\xc3\x9c"
                          "bersicht\"}"),
        .traceparent = span_text("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        .tracestate = span_text("weir=1"),
        .time_ms = UINT64_C(1700000000123),
        .ttl_ms = 60000,
        .delay_ms = 5,
        .not_before_ms = UINT64_C(1700000000456),
        .priority = 3,
        .reply_to = span_text("$inbox.30313233"),
        .deadline_ms = UINT64_C(1700000030123),
        .semantics = EVENT_AT_MOST_ONCE,
        .reply = EVENT_REPLY_ERROR,
        .code = 15,
    };
}

static void append_event(struct block *block)
{
    uint8_t bytes[1024];
    struct event event;
    struct event_header headers[GOLDEN_HEADERS];
    golden_event(&event, headers);
    size_t size = event_encode(&event, headers, GOLDEN_HEADERS, bytes);
    uint16_t topic = block_topic(block, span_text("acme"), event.topic);
    struct record record = { .number = 17, .cause = 900, .time_delta_ms = 3, .kind = RECORD_EVENT, .flags = RECORD_REQUEST | RECORD_EMIT };
    record.topic = (uint16_t)(topic + 1);
    record.publisher = (uint16_t)(block_publisher(block, publisher) + 1);
    block_append(block, record, span_of(bytes, size));
}

static void append(struct block *block, enum record_kind kind, const uint8_t *body, size_t size)
{
    block_append(block, (struct record){ .kind = (uint8_t)kind }, span_of(body, size));
}

void golden_block(struct block *block)
{
    uint8_t body[1024];
    const struct record_group group = {
        .tenant = span_text("acme"),
        .name = span_text("ocr"),
        .id = 7,
        .options = { .ordering = 1, .lease_ms = 30000, .max_deliveries = 5, .backoff_ms = 1000 },
        .filters = { span_text("docs.>"), span_text("mail.*") },
        .filter_count = 2,
        .generation = 3,
        .floor = { 11, 11, 11, 11 },
        .handed = { 12, 12, 12, 12 },
    };
    const struct range settled[] = { { 13, 20 }, { 22, UINT64_C(9007199254740991) } };
    const struct record_failed failed[] = { { .seq = 21, .due_ms = UINT64_C(1700000001000), .attempts = 2 } };
    const struct record_settle settle = {
        .id = 7, .level = 1, .generation = 3, .handed = 30, .settled = settled, .settled_count = 2, .failed = failed, .failed_count = 1
    };
    const struct record_run runs[] = { { .number = 1, .position = 100, .count = 5 }, { .number = 9, .position = 200, .count = 1 } };
    const struct record_publisher window = {
        .id = span_of(publisher, 16), .tenant = span_text("acme"), .highest = 17, .forgotten = 2, .used = 4, .runs = runs, .run_count = 2
    };
    const struct record_start start = { span_text("00112233aabbccdd"), 4, 1048577, UINT64_C(1700000000000) };
    block_open(block, 42, 1048577, UINT64_C(1700000000000), 4);
    append_event(block);
    append(block, RECORD_GROUP, body, record_group_write(&group, body, sizeof body));
    append(block, RECORD_SETTLE, body, record_settle_write(&settle, body, sizeof body));
    append(block, RECORD_PUBLISHER, body, record_publisher_write(&window, body, sizeof body));
    append(block, RECORD_START, body, record_start_write(&start, body, sizeof body));
}
