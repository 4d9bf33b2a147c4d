/* proto/golden/ is what version 0.1 wrote: it must be read, and mean the same, as long as there is a weir. The files are never written
 * again. */
#include "proto/block_codec.h"
#include "proto/codec.h"
#include "tests/support/check.h"
#include "tests/support/golden.h"
#include "tests/support/packet_text.h"
#include "tests/support/packets.h"

static size_t read_file(const char *name, const char *kind, uint8_t *out, size_t room)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/proto/golden/%s.%s", WEIR_SOURCE_DIR, name, kind);
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail_msg("%s is missing", path);
    size_t size = fread(out, 1, room, file);
    fclose(file);
    assert_true(size < room);
    return size;
}

/* The sizes a packet promises; the golden files hold heads alone. */
static size_t body_size_of(const char *name)
{
    struct sample_packet samples[FIELD_COUNT - 1];
    sample_packets(samples);
    for (int i = 0; i < FIELD_COUNT - 1; i++) {
        if (strcmp(samples[i].name, name) == 0) return samples[i].body_size;
    }
    return strcmp(name, "parts") == 0 ? 65536 + 1000 : 0; /* the message part as it grew when it was first served */
}

static const char *const kinds[] = { "hello",     "welcome",    "error",       "heartbeat", "credit",    "publish", "accepted", "refused",
                                     "subscribe", "subscribed", "unsubscribe", "events",    "caught_up", "ended",   "deliver",  "settle",
                                     "settled",   "extend",     "release",     "revoke",    "partial",   "cancel",  "query",    "answer",
                                     "replay",    "drain",      "moved",       "part",      "manage",
                                     "parts" };

static void golden_packets_mean_what_they_meant(void **state)
{
    (void)state;
    static uint8_t memory[64 * 1024], head[8192], text[8192], body[256 * 1024];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct arena arena;
        struct packet *packet;
        struct span again;
        arena_init(&arena, memory, sizeof memory);
        size_t size = read_file(kinds[i], "packet", head, sizeof head);
        text[read_file(kinds[i], "txt", text, sizeof text)] = '\0';
        assert_int_equal(codec_decode(&arena, span_of(head, size), span_of(body, body_size_of(kinds[i])), &packet), CODEC_OK);
        char *found = packet_text(packet);
        assert_string_equal(found, (char *)text);
        free(found);
        assert_int_equal(codec_encode(&arena, packet, &again), CODEC_OK);
        assert_true(span_equal(again, span_of(head, size))); /* and are still written like this */
    }
}

static void the_golden_event_means_what_it_meant(void **state)
{
    (void)state;
    static uint8_t bytes[4096], again[4096];
    struct event wanted, found;
    struct event_header headers[GOLDEN_HEADERS];
    golden_event(&wanted, headers);
    size_t size = read_file("event", "event", bytes, sizeof bytes), cursor = 0;
    assert_int_equal(event_scan(span_of(bytes, size), &found), EVENT_OK);
    struct span name, value;
    for (int i = 0; i < GOLDEN_HEADERS; i++) {
        assert_true(event_header_next(&found, &cursor, &name, &value));
        assert_true(span_equal(name, headers[i].name) && span_equal(value, headers[i].value));
    }
    assert_text(found.topic, "docs.42.uploaded");
    assert_text(found.key, "doc-42");
    assert_text(found.session, "s-12");
    assert_text(found.token, "c0ffee");
    assert_text(found.type, "uploaded");
    assert_text(found.content_type, "application/json");
    assert_text(found.reply_to, "$inbox.30313233");
    assert_int_equal(found.time_ms, UINT64_C(1700000000123));
    assert_int_equal(found.ttl_ms, 60000);
    assert_int_equal(found.priority, 3);
    assert_int_equal(found.deadline_ms, UINT64_C(1700000030123));
    assert_int_equal(found.semantics, EVENT_AT_MOST_ONCE);
    assert_int_equal(event_encode(&found, headers, GOLDEN_HEADERS, again), size); /* the rest of the fields */
    assert_memory_equal(again, bytes, size);
    assert_int_equal(event_encode(&wanted, headers, GOLDEN_HEADERS, again), size);
    assert_memory_equal(again, bytes, size);
}

static void check_records(const struct block *block)
{
    struct event event;
    struct record_group group;
    struct range settled[4];
    struct record_failed failed[4];
    struct record_settle settle;
    struct record_run runs[4];
    struct record_publisher publisher;
    struct record_start start;
    assert_int_equal(block->record_count, GOLDEN_RECORDS);
    for (uint8_t i = 0; i < GOLDEN_RECORDS; i++)
        assert_int_equal(block->records[i].kind, RECORD_EVENT + i);
    assert_int_equal(event_scan(block_body(block, &block->records[0]), &event), EVENT_OK);
    assert_text(event.topic, "docs.42.uploaded");
    assert_true(record_group_read(block_body(block, &block->records[1]), &group));
    assert_text(group.name, "ocr");
    assert_int_equal(group.filter_count, 2);
    assert_int_equal(group.handed[3], 12);
    assert_true(record_settle_read(block_body(block, &block->records[2]), settled, 4, failed, 4, &settle));
    assert_int_equal(settle.settled_count, 2);
    assert_int_equal(settle.settled[1].last, UINT64_C(9007199254740991));
    assert_int_equal(settle.failed[0].due_ms, UINT64_C(1700000001000));
    assert_true(record_publisher_read(block_body(block, &block->records[3]), runs, 4, &publisher));
    assert_int_equal(publisher.runs[1].position, 200);
    assert_true(record_start_read(block_body(block, &block->records[4]), &start));
    assert_text(start.epoch, "00112233aabbccdd");
}

static void the_golden_block_means_what_it_meant(void **state)
{
    (void)state;
    static uint8_t bytes[8192];
    struct block wanted, found;
    struct arena scratch;
    struct block_header header;
    block_init(&wanted, malloc(block_memory()));
    block_init(&found, malloc(block_memory()));
    arena_init(&scratch, malloc(BLOCK_SCRATCH_BYTES), BLOCK_SCRATCH_BYTES);
    golden_block(&wanted);
    size_t size = read_file("block", "block", bytes, sizeof bytes);
    assert_int_equal(block_load(span_of(bytes, size), &scratch, &found, &header), BLOCK_LOADED);
    assert_true(header.log_id == GOLDEN_LOG_ID && header.number == 42 && header.first_position == 1048577 && header.term == 4);
    assert_memory_equal(header.hash_before, golden_hash_before, sizeof header.hash_before);
    assert_memory_equal(found.records, wanted.records, GOLDEN_RECORDS * sizeof *found.records);
    assert_memory_equal(found.bodies, wanted.bodies, wanted.bodies_size);
    assert_text(block_topic_tenant(&found, 0), "acme");
    assert_memory_equal(found.publishers[0], "fedcba9876543210", 16);
    check_records(&found);
    free(wanted.records);
    free(found.records);
    free(scratch.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_packets_mean_what_they_meant),
        cmocka_unit_test(the_golden_event_means_what_it_meant),
        cmocka_unit_test(the_golden_block_means_what_it_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
