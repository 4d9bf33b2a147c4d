/* Deliveries through a link: credit, settles and their numbers, adoption after a lost connection, extends, releases, partials. */
#include "sdk/tests/link_harness.h"

static void start_worker(struct harness *h, uint32_t credit)
{
    struct link_options o = harness_options(ROLE_WORKER);
    o.deliveries_credit = credit;
    harness_start(h, &o);
    harness_up(h);
}

static uint64_t credit_in(const struct packet *packet)
{
    return packet != NULL && packet->credit_count != 0 ? packet->credits[0].events : 0;
}

/* [R-CREDIT-4] */
static void credit_rises_with_what_is_settled_not_with_its_answer(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start_worker(&h, 2);
    assert_int_equal(credit_in(harness_flush(&h)), 2);
    harness_deliver(&h, 100, 7, 1);
    harness_deliver(&h, 101, 8, 1);
    assert_null(harness_flush(&h));
    assert_int_equal(link_start(h.link, h.handles[0]), LINK_OK);
    assert_int_equal(link_start(h.link, h.handles[1]), LINK_OK);
    harness_settle(&h, 0, VERB_ACK);
    packet = harness_flush(&h);
    assert_int_equal(credit_in(packet), 3);
    assert_int_equal(packet->settle->first_number, 1);
    assert_int_equal(packet->settle->lease[0], 100);
    assert_int_equal(packet->settle->verb[0], VERB_ACK);
    assert_null(packet->settle->delay_ms);
    harness_stop(&h);
}

/* Else a quick worker would stand still until its first settles are committed, and fall behind its publisher. */
static void settles_without_an_answer_have_room_for_several_times_the_credit(void **state)
{
    struct link_options o = harness_options(ROLE_WORKER);
    (void)state;
    o.deliveries_credit = 16;
    assert_true(link_slots(&o) >= 16 + 4096);
    o.deliveries_credit = 4096;
    assert_true(link_slots(&o) >= 4096 + 4 * 4096);
}

/* [R-SETTLE-1] */
static void each_settle_has_one_answer_by_its_number(void **state)
{
    struct harness h;
    (void)state;
    start_worker(&h, 4);
    for (uint64_t i = 0; i < 3; i++) {
        harness_deliver(&h, 100 + i, 7 + i, 1);
        assert_int_equal(link_start(h.link, h.handles[i]), LINK_OK);
        harness_settle(&h, i, VERB_ACK);
    }
    assert_int_equal(harness_flush(&h)->settle->count, 3);
    assert_int_equal(link_unanswered_settles(h.link), 3);
    harness_clear(&h);
    harness_settled(&h, 3, 1, CODE_STALE);
    harness_settled(&h, 1, 2, CODE_OK);
    harness_settled(&h, 1, 3, CODE_OK);
    harness_settled(&h, 0, 3, CODE_OK);
    harness_settled(&h, 4, 9, CODE_OK);
    assert_string_equal(h.told, "settled #3 stale settled #1 ok settled #2 ok");
    assert_int_equal(link_unanswered_settles(h.link), 0);
    harness_stop(&h);
}

static void reconnect(struct harness *h, struct msg_welcome welcome, size_t held)
{
    struct packet *packet;
    harness_lose(h);
    link_connected(h->link, h->now_ns);
    packet = harness_flush(h);
    assert_int_equal(packet->hello->held_count, held);
    if (held != 0) assert_memory_equal(packet->hello->epoch.data, EPOCH_E, EPOCH_BYTES);
    harness_clear(h);
    harness_welcome(h, welcome);
}

/* [R-ADOPT-1] [R-ADOPT-3] [R-ADOPT-4] */
static void after_a_lost_connection_kept_deliveries_go_on_and_settles_go_out_again(void **state)
{
    const uint64_t seq[2] = { 9, 7 }, lease[2] = { 501, 502 };
    const uint32_t attempt[2] = { 1, 1 };
    struct harness h;
    struct packet *packet;
    (void)state;
    start_worker(&h, 4);
    for (uint64_t i = 0; i < 3; i++) {
        harness_deliver(&h, 100 + i, 7 + i, 1);
        assert_int_equal(link_start(h.link, h.handles[i]), LINK_OK);
    }
    harness_settle(&h, 0, VERB_ACK);
    harness_settle(&h, 1, VERB_ACK);
    assert_int_equal(harness_flush(&h)->settle->count, 2);
    reconnect(&h, (struct msg_welcome){ .kept_seq = seq, .kept_attempt = attempt, .kept_lease = lease, .kept_count = 2 }, 3);
    assert_string_equal(
        h.told, "up settled #2 gone"); /* 8 was not kept: its settle may or may not have counted, and cannot be sent again [R-ADOPT-3] */
    packet = harness_flush(&h);
    assert_int_equal(credit_in(packet), 2 + 3); /* two kept count as sent; one is still held */
    assert_int_equal(packet->settle->first_number, 1);
    assert_int_equal(packet->settle->count, 1);
    assert_int_equal(packet->settle->lease[0], 502);
    harness_settle(&h, 2, VERB_NACK);
    packet = harness_flush(&h);
    assert_int_equal(packet->settle->first_number, 2);
    assert_int_equal(packet->settle->lease[0], 501);
    harness_clear(&h);
    harness_settled(&h, 1, 2, CODE_OK);
    assert_string_equal(h.told, "settled #1 ok settled #3 ok");
    harness_stop(&h);
}

static void what_is_not_kept_is_revoked_and_its_handle_ends_with_the_next_call(void **state)
{
    struct harness h;
    struct link_settle settle = { .verb = VERB_ACK };
    (void)state;
    start_worker(&h, 4);
    harness_deliver(&h, 100, 7, 1);
    harness_deliver(&h, 101, 8, 1);
    assert_int_equal(link_start(h.link, h.handles[0]), LINK_OK);
    reconnect(&h, (struct msg_welcome){ .protocol = 1 }, 2);
    assert_string_equal(h.told, "up revoked #1 stale revoked #2 stale");
    assert_true(link_has_ended(h.link, h.handles[0]));
    assert_int_equal(link_extend(h.link, h.handles[0], 0), LINK_STALE);
    assert_int_equal(link_settle(h.link, h.handles[0], &settle), LINK_STALE);
    assert_int_equal(link_start(h.link, h.handles[1]), LINK_STALE);
    assert_int_equal(credit_in(harness_flush(&h)), 4);
    harness_stop(&h);
}

/* [R-ADOPT-1] */
static void the_hello_says_which_of_what_is_held_are_dead_letters(void **state)
{
    const uint64_t leases[2] = { 100, 101 }, seqs[2] = { 7, 8 }, times[2] = { 5, 5 }, firsts[2] = { 0, 3 };
    const uint32_t attempts[2] = { 1, 1 }, sizes[2] = { 1, 2 }, letters[2] = { 0, 1 };
    struct msg_deliver deliver = {
        .lease = leases, .seq = seqs, .time_ms = times, .attempt = attempts, .size = sizes, .first = firsts, .letter = letters, .count = 2
    };
    struct harness h;
    struct packet *packet;
    (void)state;
    start_worker(&h, 4);
    harness_take(&h, (struct packet){ .deliver = &deliver, .body = span_text("abc") });
    harness_lose(&h);
    link_connected(h.link, h.now_ns);
    packet = harness_flush(&h);
    assert_int_equal(packet->hello->held_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(packet->hello->held_letter[i], packet->hello->held_seq[i] == 8);
    harness_stop(&h);
}

/* [R-ONCE-6] Its end stands nowhere, what it led to may: kept once more it would lead to it twice. */
static void an_at_most_once_delivery_is_not_named_once_its_settle_went_out_with_emits(void **state)
{
    uint8_t bytes[10] = { 0 };
    uint32_t sizes[1] = { sizeof bytes };
    struct link_settle plain = { .verb = VERB_ACK, .once = true }, leads_on = plain;
    struct harness h;
    (void)state;
    leads_on.emits = span_of(bytes, sizeof bytes);
    leads_on.emit_sizes = sizes;
    leads_on.emit_count = 1;
    start_worker(&h, 4);
    for (uint64_t i = 0; i < 2; i++) {
        harness_deliver(&h, 100 + i, 7 + i, 1);
        assert_int_equal(link_start(h.link, h.handles[i]), LINK_OK);
    }
    assert_int_equal(link_settle(h.link, h.handles[0], &leads_on), LINK_OK);
    assert_int_equal(link_settle(h.link, h.handles[1], &plain), LINK_OK);
    assert_int_equal(harness_flush(&h)->settle->count, 2);
    reconnect(&h, (struct msg_welcome){ .protocol = 1 }, 1);
    assert_int_equal(link_unanswered_settles(h.link), 0);
    harness_stop(&h);
}

/* [R-ADOPT-1] The group was moved while a settle had no answer: the same event is held twice then. */
static void only_what_was_given_in_the_newest_generation_is_named(void **state)
{
    const uint64_t seq = 7, lease = 501;
    const uint32_t attempt = 1;
    struct msg_welcome again = { .kept_seq = &seq, .kept_attempt = &attempt, .kept_lease = &lease, .kept_count = 1, .generation = 2 };
    struct harness h;
    struct packet *packet;
    (void)state;
    start_worker(&h, 4);
    harness_deliver(&h, 100, 7, 1);
    assert_int_equal(link_start(h.link, h.handles[0]), LINK_OK);
    harness_settle(&h, 0, VERB_ACK);
    assert_int_equal(harness_flush(&h)->settle->count, 1);
    harness_deliver_in_generation(&h, 200, 7, 1, 2);
    assert_int_equal(link_start(h.link, h.handles[1]), LINK_OK);
    reconnect(&h, again, 1);
    assert_string_equal(h.told, "up settled #1 gone");
    harness_settle(&h, 1, VERB_NACK);
    packet = harness_flush(&h);
    assert_int_equal(packet->settle->count, 1);
    assert_int_equal(packet->settle->lease[0], 501);
    assert_int_equal(packet->settle->verb[0], VERB_NACK);
    harness_stop(&h);
}

static void a_lease_number_may_come_again_after_a_restart(void **state)
{
    struct harness h;
    (void)state;
    start_worker(&h, 4);
    harness_deliver(&h, 100, 7, 1);
    assert_int_equal(link_start(h.link, h.handles[0]), LINK_OK);
    reconnect(&h, (struct msg_welcome){ .epoch = span_text(EPOCH_F) }, 1);
    assert_non_null(harness_flush(&h));
    harness_deliver(&h, 100, 9, 1); /* another event under the old number */
    assert_int_equal(link_release(h.link, h.handles[0]), LINK_STALE);
    assert_int_equal(link_start(h.link, h.handles[1]), LINK_OK);
    harness_settle(&h, 1, VERB_ACK);
    assert_int_equal(harness_flush(&h)->settle->lease[0], 100);
    harness_stop(&h);
}

static void more_deliveries_than_credit_end_the_connection(void **state)
{
    struct link_options o = harness_options(ROLE_WORKER);
    uint32_t slots;
    struct harness h;
    (void)state;
    o.deliveries_credit = 1;
    slots = link_slots(&o);
    start_worker(&h, 1);
    assert_non_null(harness_flush(&h));
    for (uint32_t i = 0; i < slots; i++) {
        h.handle_count = 0;
        harness_clear(&h);
        harness_deliver(&h, 100 + i, 7 + i, 1);
    }
    assert_int_equal(link_state(h.link), LINK_UP);
    harness_clear(&h);
    harness_deliver(&h, 99, 6, 1);
    assert_string_equal(h.told, "waiting(credit_exceeded)");
    harness_stop(&h);
}

/* [R-LEASE-2] [R-LEASE-4] */
static void waiting_deliveries_are_extended_for_a_time_and_then_given_back(void **state)
{
    struct harness h;
    struct packet *packet;
    uint32_t extends = 0;
    (void)state;
    start_worker(&h, 1);
    assert_non_null(harness_flush(&h));
    harness_deliver(&h, 100, 7, 1);
    harness_clear(&h);
    for (int second = 0; second < 70; second++) {
        struct msg_heartbeat beat = { 1 };
        harness_wait_ms(&h, 1000);
        harness_take(&h, (struct packet){ .heartbeat = &beat });
        while ((packet = harness_flush(&h)) != NULL) {
            extends += packet->extend != NULL;
            if (packet->release != NULL) assert_int_equal(packet->release->lease[0], 100);
        }
    }
    assert_int_equal(extends, 3); /* at 15, 30 and 45 s of a lease of 30 s; at 60 s it goes back */
    assert_string_equal(h.told, "revoked #1 timeout");
    harness_stop(&h);
}

static void a_started_delivery_is_extended_only_by_policy(void **state)
{
    struct link_options o = harness_options(ROLE_WORKER);
    struct harness h;
    (void)state;
    o.auto_extend_ms = 20000;
    harness_start(&h, &o);
    harness_up(&h);
    assert_non_null(harness_flush(&h));
    harness_deliver(&h, 100, 7, 1);
    assert_int_equal(link_start(h.link, h.handles[0]), LINK_OK);
    assert_true(link_deadline_ns(h.link) <= h.now_ns + 15000000000);
    for (int i = 0; i < 3; i++) {
        struct msg_heartbeat beat = { 1 };
        harness_wait_ms(&h, 5000);
        harness_take(&h, (struct packet){ .heartbeat = &beat });
    }
    assert_int_equal(harness_flush(&h)->extend->lease[0], 100);
    assert_int_equal(link_extend(h.link, h.handles[0], 1234), LINK_OK);
    assert_int_equal(harness_flush(&h)->extend->lease_ms[0], 1234);
    harness_stop(&h);
}

/* [R-WIRE-3]: in a packet settles come before partials. */
static void a_settle_never_overtakes_its_partials(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start_worker(&h, 1);
    assert_non_null(harness_flush(&h));
    harness_deliver(&h, 100, 7, 3);
    assert_int_equal(link_start(h.link, h.handles[0]), LINK_OK);
    assert_int_equal(link_partial(h.link, h.handles[0], span_text("$inbox.x"), span_text("Hel")), LINK_OK);
    assert_int_equal(link_partial(h.link, h.handles[0], span_text("$inbox.x"), span_text("lo")), LINK_OK);
    harness_settle(&h, 0, VERB_ACK);
    packet = harness_flush(&h);
    assert_null(packet->settle);
    assert_int_equal(packet->partial_count, 2);
    assert_int_equal(packet->partials[1].index, 1);
    assert_int_equal(packet->partials[1].attempt, 3);
    assert_int_equal(packet->partials[1].cause, 7);
    assert_memory_equal(packet->partials[1].topic.data, "$inbox.x", 8);
    assert_memory_equal(packet->pieces[1].data, "lo", 2);
    packet = harness_flush(&h);
    assert_int_equal(packet->settle->count, 1);
    harness_stop(&h);
}

static void partials_come_around_the_ring_whole(void **state)
{
    static uint8_t data[5000];
    struct harness h;
    (void)state;
    start_worker(&h, 1);
    assert_non_null(harness_flush(&h));
    harness_deliver(&h, 100, 7, 1);
    for (uint32_t i = 0; i < 500; i++) {
        struct packet *packet;
        uint32_t size = 1 + i * 37 % 5000;
        memset(data, (int)(i & 255), sizeof data);
        assert_int_equal(link_partial(h.link, h.handles[0], span_text("t"), span_of(data, size)), LINK_OK);
        packet = harness_flush(&h);
        assert_int_equal(packet->partials[0].size, size);
        assert_int_equal(packet->partials[0].index, i);
        assert_memory_equal(packet->pieces[0].data, data, size);
    }
    harness_stop(&h);
}

/* [R-CREDIT-7] */
/* [R-DRAIN-2] */
static void a_worker_that_leaves_has_left_when_it_is_answered(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start_worker(&h, 4);
    (void)harness_flush(&h);
    harness_deliver(&h, 100, 7, 1);
    assert_false(link_has_left(h.link));
    link_no_more(h.link);
    packet = harness_flush(&h);
    assert_non_null(packet->drain);
    assert_null(harness_flush(&h));
    harness_deliver(&h, 101, 8, 1); /* it was under way */
    assert_int_equal(link_release(h.link, h.handles[1]), LINK_OK);
    assert_false(link_has_left(h.link));
    harness_clear(&h);
    harness_take(&h, (struct packet){ .drain = &(struct msg_drain){ .reconnect_ms = 1 } });
    assert_true(link_has_left(h.link));
    harness_wait_ms(&h, 10);
    assert_string_equal(h.told, ""); /* the coordinator stays: no reason to connect again */
    harness_settle(&h, 0, VERB_ACK);
    packet = harness_flush(&h);
    assert_int_equal(packet->settle->count, 1);
    assert_int_equal(packet->release->count, 1);
    assert_int_equal(packet->credit_count, 0);
    reconnect(&h, (struct msg_welcome){ 0 }, 1);
    assert_false(link_has_left(h.link));
    assert_non_null(harness_flush(&h)->drain);
    harness_stop(&h);
}

static void emits_wait_for_emit_credit(void **state)
{
    static uint8_t bytes[240 << 10];
    uint32_t sizes[7];
    struct harness h;
    struct link_settle settle = { .verb = VERB_ACK, .emits = { bytes, sizeof bytes }, .emit_sizes = sizes, .emit_count = 7 };
    struct packet *packet;
    (void)state;
    for (int i = 0; i < 7; i++)
        sizes[i] = i < 6 ? 36000 : sizeof bytes - 216000;
    start_worker(&h, 8);
    for (uint64_t i = 0; i < 5; i++) {
        harness_deliver(&h, 100 + i, 7 + i, 1);
        assert_int_equal(link_start(h.link, h.handles[i]), LINK_OK);
    }
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(link_settle(h.link, h.handles[i], &settle), LINK_OK);
    assert_int_equal(link_settle(h.link, h.handles[4], &settle), LINK_FULL);
    packet = harness_flush(&h);
    assert_int_equal(packet->settle->count, 1); /* two would be more than a packet may carry */
    assert_int_equal(packet->settle->emits[0], 7);
    assert_int_equal(packet->settle->emit_count, 7);
    assert_int_equal(harness_flush_late(&h)->settle->count, 1);
    harness_settled(&h, 1, 1, CODE_OK);
    settle.emits.size += 20 << 10; /* more than a packet carries */
    sizes[6] += 20 << 10;
    assert_int_equal(link_settle(h.link, h.handles[4], &settle), LINK_TOO_LARGE);
    settle.emits.size -= 20 << 10;
    sizes[6] -= 20 << 10;
    assert_int_equal(link_settle(h.link, h.handles[4], &settle), LINK_OK);
    harness_stop(&h);
}

/* [R-SETTLE-4] */
static void a_settle_refused_for_its_emits_fails_the_delivery_at_once(void **state)
{
    struct harness h;
    struct packet *packet;
    (void)state;
    start_worker(&h, 1);
    harness_deliver(&h, 100, 7, 1);
    assert_int_equal(link_start(h.link, h.handles[0]), LINK_OK);
    harness_settle(&h, 0, VERB_ACK);
    assert_non_null(harness_flush(&h));
    harness_clear(&h);
    harness_settled(&h, 1, 1, CODE_BAD_REQUEST);
    assert_string_equal(h.told, "settled #1 bad_request");
    packet = harness_flush(&h);
    assert_int_equal(packet->settle->first_number, 2);
    assert_int_equal(packet->settle->verb[0], VERB_NACK);
    harness_settled(&h, 2, 1, CODE_OK);
    assert_string_equal(h.told, "settled #1 bad_request"); /* its own affair */
    assert_int_equal(link_unanswered_settles(h.link), 0);
    harness_stop(&h);
}

static void a_revoked_delivery_frees_its_credit_and_is_told_once(void **state)
{
    struct harness h;
    uint64_t lease = 100;
    uint32_t code = CODE_TIMEOUT;
    struct msg_revoke revoke = { .lease = &lease, .code = &code, .count = 1 };
    struct msg_cancel cancel = { .lease = 100 };
    (void)state;
    start_worker(&h, 1);
    assert_int_equal(credit_in(harness_flush(&h)), 1);
    harness_deliver(&h, 100, 7, 1);
    assert_int_equal(link_start(h.link, h.handles[0]), LINK_OK);
    harness_clear(&h);
    harness_take(&h, (struct packet){ .cancels = &cancel, .cancel_count = 1 });
    harness_take(&h, (struct packet){ .revoke = &revoke });
    harness_take(&h, (struct packet){ .revoke = &revoke, .cancels = &cancel, .cancel_count = 1 });
    assert_string_equal(h.told, "cancelled #1 cancelled revoked #1 timeout");
    assert_int_equal(credit_in(harness_flush(&h)), 2);
    assert_int_equal(link_release(h.link, h.handles[0]), LINK_STALE);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credit_rises_with_what_is_settled_not_with_its_answer),
        cmocka_unit_test(settles_without_an_answer_have_room_for_several_times_the_credit),
        cmocka_unit_test(each_settle_has_one_answer_by_its_number),
        cmocka_unit_test(after_a_lost_connection_kept_deliveries_go_on_and_settles_go_out_again),
        cmocka_unit_test(an_at_most_once_delivery_is_not_named_once_its_settle_went_out_with_emits),
        cmocka_unit_test(what_is_not_kept_is_revoked_and_its_handle_ends_with_the_next_call),
        cmocka_unit_test(only_what_was_given_in_the_newest_generation_is_named),
        cmocka_unit_test(the_hello_says_which_of_what_is_held_are_dead_letters),
        cmocka_unit_test(a_lease_number_may_come_again_after_a_restart),
        cmocka_unit_test(more_deliveries_than_credit_end_the_connection),
        cmocka_unit_test(waiting_deliveries_are_extended_for_a_time_and_then_given_back),
        cmocka_unit_test(a_started_delivery_is_extended_only_by_policy),
        cmocka_unit_test(a_settle_never_overtakes_its_partials),
        cmocka_unit_test(partials_come_around_the_ring_whole),
        cmocka_unit_test(a_worker_that_leaves_has_left_when_it_is_answered),
        cmocka_unit_test(emits_wait_for_emit_credit),
        cmocka_unit_test(a_settle_refused_for_its_emits_fails_the_delivery_at_once),
        cmocka_unit_test(a_revoked_delivery_frees_its_credit_and_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
