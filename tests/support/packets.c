#include "tests/support/packets.h"

static const uint64_t big = UINT64_C(1) << 63;
static const uint64_t positions[] = { 1, 127, 128, UINT64_C(9007199254740991) };
static const uint64_t leases[] = { 7, UINT64_C(1) << 40, 300, 1 };
static const uint64_t times[] = { UINT64_C(1700000000000), UINT64_C(1700000000001), 0, 5 };
static const uint64_t causes[] = { 0, 3, 0, 128 };
static const uint64_t firsts[] = { 0, 120, 0, 0 };
static const uint32_t attempts[] = { 1, 2, 300, UINT32_MAX };
static const uint32_t sizes[] = { 0, 5, 200, 70000 };
static const uint32_t verbs[] = { VERB_ACK, VERB_NACK, VERB_REJECT, 9 };
static const uint32_t delays[] = { 0, 1000, 0, 1 };
static const uint32_t emits[] = { 2, 0, 2, 0 };
static const uint32_t codes[] = { CODE_TIMEOUT, CODE_STALE, 99, CODE_OK };
enum { COUNT = 4, SIZES_SUM = 0 + 5 + 200 + 70000 };

static struct span reasons[COUNT], filters[2], endpoints[2];
static struct msg_hello hello;
static struct msg_welcome welcome;
static struct msg_error errors[2];
static struct msg_heartbeat heartbeat;
static struct msg_credit credits[2];
static struct msg_publish publishes[2];
static struct msg_accepted accepted[2];
static struct msg_refused refused[1];
static struct msg_subscribe subscribes[2];
static struct msg_subscribed subscribed[1];
static struct msg_unsubscribe unsubscribes[2];
static struct msg_events events[2];
static struct msg_caught_up caught_up[1];
static struct msg_ended ended[2];
static struct msg_deliver deliver;
static struct msg_settle settle;
static struct msg_settled settled[2];
static struct msg_extend extend;
static struct msg_release release;
static struct msg_revoke revoke;
static struct msg_partial partials[2];
static struct msg_cancel cancels[2];
static struct msg_query queries[2];
static struct stat_row stats[2];
static struct group_row rows[1];
static struct why_row whys[2];
static struct dead_row deads[2];
static struct msg_answer answers[2];
static struct msg_replay replay;
static struct msg_drain drain;
static struct msg_moved moved;
static struct msg_part parts[1];
static struct msg_manage manages[2];

static void fill_greetings(void)
{
    filters[0] = span_text("docs.>");
    filters[1] = span_text("mail.*.in");
    hello = (struct msg_hello){
        .protocol = PROTOCOL_VERSION,
        .role = ROLE_WORKER,
        .features = big,
        .name = span_text("ocr on gpu-3"),
        .instance = span_text("0123456789abcdef"),
        .tenant = span_text("acme"),
        .credential = span_of("se\0cret", 7),
        .publisher = span_text("fedcba9876543210"),
        .first_unanswered = 12,
        .has_group = true,
        .group = { .name = span_text("ocr"),
                   .filters = filters,
                   .filter_count = 2,
                   .options = { .ordering = ORDERING_KEY, .lease_ms = 30000, .max_deliveries = 5, .backoff_ms = 1000 },
                   .start = START_SEQ,
                   .start_at = 99 },
        .epoch = span_text("00112233aabbccdd"),
        .held_seq = positions,
        .held_attempt = attempts,
        .held_count = COUNT,
        .max_packet_bytes = 262144,
    };
    welcome = (struct msg_welcome){
        .protocol = PROTOCOL_VERSION,
        .publisher_known = 1,
        .publish_window = 16384,
        .heartbeat_ms = 5000,
        .lease_ms = 30000,
        .replay = 1,
        .max_deliveries = 6,
        .features = 2,
        .server = span_text("weir/0.1.0"),
        .epoch = span_text("00112233aabbccdd"),
        .tenant = span_text("acme"),
        .inbox = span_text("$inbox.30313233"),
        .term = 3,
        .peer = 4,
        .highest_number = 11,
        .max_event_bytes = 65536,
        .max_packet_bytes = 262144,
        .emit_credit_bytes = 1048576,
        .generation = 8,
        .kept_seq = positions,
        .kept_attempt = attempts,
        .kept_lease = leases,
        .kept_count = COUNT,
    };
    errors[0] = (struct msg_error){ CODE_UNSUPPORTED, FIELD_REPLAY, 10, 20, span_text("not served yet") };
    errors[1] = (struct msg_error){ .code = 4000 };
    heartbeat = (struct msg_heartbeat){ big };
    drain = (struct msg_drain){ 1234 };
    endpoints[0] = span_text("tcp://10.0.0.1:7400");
    endpoints[1] = span_text("ipc://b");
    moved = (struct msg_moved){ endpoints, 2, 9 };
    parts[0] = (struct msg_part){ .number = 5, .index = 1, .count = 3, .size = 65536 };
}

static void fill_publishing(void)
{
    credits[0] = (struct msg_credit){ CREDIT_EVENTS, span_text("acme"), 3, 1000, big };
    credits[1] = (struct msg_credit){ .kind = CREDIT_PUBLISH, .events = 5 };
    publishes[0] = (struct msg_publish){ (struct span){ 0 }, 1, sizes, COUNT };
    publishes[1] = (struct msg_publish){ span_text("beta"), 500, sizes, 2 };
    accepted[0] = (struct msg_accepted){ 1, 1048577, 4, 0 };
    accepted[1] = (struct msg_accepted){ 7, 12, 1, 1 };
    refused[0] = (struct msg_refused){ 5, 2, CODE_OVERLOADED, 250, span_text("the backlog is full") };
    queries[0] = (struct msg_query){ 77, ASK_GROUPS, span_text("acme"), span_text("ocr"), 0, { 0 } };
    queries[1] = (struct msg_query){ .id = 78, .ask = ASK_WHY, .seq = big, .session = span_text("s-12") };
    stats[0] = (struct stat_row){ span_text("events"), big };
    stats[1] = (struct stat_row){ span_text("zero"), 0 };
    rows[0] = (struct group_row){
        .tenant = span_text("acme"),
        .name = span_text("ocr"),
        .filters = filters,
        .filter_count = 2,
        .generation = 1,
        .floor = 2,
        .handed = 3,
        .cursor = 4,
        .head = 5,
        .delivered = 6,
        .acked = 7,
        .nacked = 8,
        .rejected = 9,
        .expired = 10,
        .workers = 11,
        .leased = 12,
        .failed = 13,
        .ranges = 14,
        .has_options = true,
        .options = hello.group.options,
        .old_filters = filters + 1,
        .old_filter_count = 1,
        .filters_from = 15,
        .lag = 16,
        .lag_is_estimate = 1,
        .lag_ms = 17,
        .oldest = 18,
        .arrivals = 19,
        .settles = 20,
        .service_us = 21,
        .workers_wanted = 22,
        .wait = WAIT_PAUSED,
        .wait_since_ms = 23,
        .retries_waiting = 24,
    };
    whys[0] = (struct why_row){ .tenant = span_text("acme"),
                                .group = span_text("ocr"),
                                .worker = span_text("ocr on gpu-3"),
                                .seq = 1,
                                .since_ms = 2,
                                .until_ms = 3,
                                .by_seq = 4,
                                .ahead = 5,
                                .wait = WAIT_WORKING,
                                .attempt = 6 };
    deads[0] = (struct dead_row){ .seq = 7, .place = big, .time_ms = times[0], .attempts = 3, .reason = DEAD_REJECTED };
    deads[1] = (struct dead_row){ .seq = 8, .reason = 99, .retried = 1 };
    whys[1] = (struct why_row){ .group = span_text("index"), .wait = 99, .reason = DEAD_REJECTED };
    answers[0] = (struct msg_answer){ .id = 77, .more = 1, .stats = stats, .stat_count = 2, .groups = rows, .group_count = 1 };
    answers[1] = (struct msg_answer){ .id = 78,
                                      .code = CODE_UNSUPPORTED,
                                      .message = span_text("not served"),
                                      .count = 3,
                                      .seq = big,
                                      .whys = whys,
                                      .why_count = 2,
                                      .deads = deads,
                                      .dead_count = 2 };
    manages[0] = (struct msg_manage){ .id = 79,
                                      .action = ACTION_GROUP_SET,
                                      .tenant = span_text("acme"),
                                      .has_group = true,
                                      .group = hello.group,
                                      .epoch = span_text("00112233aabbccdd"),
                                      .set = attempts,
                                      .set_count = 2 };
    manages[1] =
        (struct msg_manage){ .id = 80, .action = ACTION_DEAD_RETRY, .has_group = true, .group = { .name = span_text("ocr") }, .seq = big };
}

static void fill_subscribing(void)
{
    subscribes[0] =
        (struct msg_subscribe){ 1, span_text("acme"), span_text("docs.7.>"), START_LAST, 10, span_text("00112233aabbccdd"), 100, 50 };
    subscribes[1] = (struct msg_subscribe){ .subscription = UINT32_MAX, .filter = span_text("$inbox.30313233") };
    subscribed[0] = (struct msg_subscribed){ 1, 1048576, 1 };
    unsubscribes[0] = (struct msg_unsubscribe){ 1 };
    unsubscribes[1] = (struct msg_unsubscribe){ UINT32_MAX };
    events[0] = (struct msg_events){ 1, positions, times, causes, firsts, sizes, COUNT };
    events[1] = (struct msg_events){ 2, positions, times, NULL, NULL, sizes, 1 };
    caught_up[0] = (struct msg_caught_up){ 1, 1048580 };
    ended[0] = (struct msg_ended){ 1, 1048581, CODE_OK, 1 };
    ended[1] = (struct msg_ended){ 2, 0, CODE_GONE, 0 };
    partials[0] = (struct msg_partial){ .lease = 7, .topic = span_text("$inbox.30313233"), .index = 1, .size = 12 };
    partials[1] = (struct msg_partial){ .subscription = 3, .cause = 1048577, .attempt = 2, .index = 4, .size = 30, .group = 9 };
    cancels[0] = (struct msg_cancel){ .lease = 7 };
    cancels[1] = (struct msg_cancel){ 0, 1048577, span_text("acme") };
    replay = (struct msg_replay){ span_text("docs.>"), 1, big };
}

static void fill_working(void)
{
    reasons[1] = span_text("the model is loading");
    reasons[2] = span_of("\xff\x00", 2);
    deliver = (struct msg_deliver){ leases, positions, times, causes, firsts, attempts, sizes, COUNT, 30000, NULL, NULL, 9 };
    settle = (struct msg_settle){ 9, leases, verbs, COUNT, delays, reasons, emits, sizes, COUNT, NULL };
    settled[0] = (struct msg_settled){ 9, 3, CODE_OK };
    settled[1] = (struct msg_settled){ 12, 1, CODE_STALE };
    extend = (struct msg_extend){ leases, delays, COUNT };
    release = (struct msg_release){ leases, COUNT };
    revoke = (struct msg_revoke){ leases, codes, COUNT };
}

void sample_packets(struct sample_packet out[FIELD_COUNT - 1])
{
    const struct sample_packet all[FIELD_COUNT - 1] = {
        { "hello", { .hello = &hello }, 0 },
        { "welcome", { .welcome = &welcome }, 0 },
        { "error", { .errors = errors, .error_count = 2 }, 0 },
        { "heartbeat", { .heartbeat = &heartbeat }, 0 },
        { "credit", { .credits = credits, .credit_count = 2 }, 0 },
        { "publish", { .publishes = publishes, .publish_count = 2 }, SIZES_SUM + 0 + 5 },
        { "accepted", { .accepted = accepted, .accepted_count = 2 }, 0 },
        { "refused", { .refused = refused, .refused_count = 1 }, 0 },
        { "subscribe", { .subscribes = subscribes, .subscribe_count = 2 }, 0 },
        { "subscribed", { .subscribed = subscribed, .subscribed_count = 1 }, 0 },
        { "unsubscribe", { .unsubscribes = unsubscribes, .unsubscribe_count = 2 }, 0 },
        { "events", { .events = events, .events_count = 2 }, SIZES_SUM + 0 },
        { "caught_up", { .caught_up = caught_up, .caught_up_count = 1 }, 0 },
        { "ended", { .ended = ended, .ended_count = 2 }, 0 },
        { "deliver", { .deliver = &deliver }, SIZES_SUM },
        { "settle", { .settle = &settle }, SIZES_SUM },
        { "settled", { .settled = settled, .settled_count = 2 }, 0 },
        { "extend", { .extend = &extend }, 0 },
        { "release", { .release = &release }, 0 },
        { "revoke", { .revoke = &revoke }, 0 },
        { "partial", { .partials = partials, .partial_count = 2 }, 12 + 30 },
        { "cancel", { .cancels = cancels, .cancel_count = 2 }, 0 },
        { "query", { .queries = queries, .query_count = 2 }, 0 },
        { "answer", { .answers = answers, .answer_count = 2 }, 0 },
        { "replay", { .replay = &replay }, 0 },
        { "drain", { .drain = &drain }, 0 },
        { "moved", { .moved = &moved }, 0 },
        { "part", { .parts = parts, .part_count = 1 }, 65536 },
        { "manage", { .manages = manages, .manage_count = 2 }, 0 },
    };
    fill_greetings();
    fill_publishing();
    fill_subscribing();
    fill_working();
    memcpy(out, all, sizeof all);
}
