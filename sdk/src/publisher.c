/* Publishers: events are encoded straight into the link's ring under a short lock; the pump sends them in packets of many. */
#include "sdk/src/publisher.h"

#include <stdlib.h>

#include <weir/admin.h>

#include "proto/parts.h"

enum { CLOSE_TIMEOUT_MS = 2000 };

/* -- what the pump does -- */

static void tell_result(weir_publisher *p, const weir_result *result)
{
    if (p->on_result == NULL) return;
    if (p->result_count == p->result_room) {
        size_t room = p->result_room != 0 ? p->result_room * 2 : 64;
        weir_result *grown = realloc(p->results, room * sizeof *grown);
        if (grown == NULL) return;
        p->results = grown;
        p->result_room = room;
    }
    p->results[p->result_count++] = *result;
}

static void wake_waiting(weir_publisher *p, const weir_result *result, const weir_error *error)
{
    for (struct waiting_publish *w = p->waiting; w != NULL; w = w->next) {
        if (w->done || w->number < result->first_number || w->number - result->first_number >= result->count) continue;
        w->done = p->stirred = true;
        w->result = *result;
        w->error = *error;
        w->result.first_number = w->number;
        w->result.count = 1;
        if (result->status == WEIR_OK) {
            w->result.first_seq = result->first_seq + (w->number - result->first_number);
            session_event_id(w->result.event_id, link_terms(p->session.link)->epoch, w->result.first_seq);
        }
    }
}

static void take_result(weir_publisher *p, const struct link_fact *f, weir_status status)
{
    weir_result result = { .status = status };
    weir_error error = session_error(status, f->publish.retry_ms, f->publish.message);
    result.first_number = f->publish.first_number;
    result.count = f->publish.count;
    result.first_seq = f->publish.first_seq;
    result.duplicate = status == WEIR_OK && f->publish.duplicate;
    result.retry_ms = f->publish.retry_ms;
    if (status != WEIR_OK)
        p->session.error = error;
    else if (p->on_result != NULL)
        session_event_id(result.event_id, link_terms(p->session.link)->epoch, result.first_seq);
    wake_waiting(p, &result, &error);
    request_take_result(p, &result);
    tell_result(p, &result);
}

static void fact(struct session *session, const struct link_fact *f)
{
    weir_publisher *p = (weir_publisher *)session;
    switch (f->kind) {
    case LINK_FACT_ACCEPTED:
        take_result(p, f, WEIR_OK);
        break;
    case LINK_FACT_REFUSED:
        take_result(p, f, f->publish.code != CODE_OK ? (weir_status)f->publish.code : WEIR_INTERNAL);
        break;
    case LINK_FACT_UNKNOWN:
        take_result(p, f, WEIR_OUTCOME_UNKNOWN);
        break;
    case LINK_FACT_EVENTS:
        request_take_events(p, f);
        break;
    case LINK_FACT_PARTIAL:
        request_take_partial(p, f);
        break;
    default:
        break;
    }
}

static void settle(struct session *session)
{
    weir_publisher *p = (weir_publisher *)session;
    if (p->consumed_events != 0) link_consumed(session->link, span_of(NULL, 0), p->consumed_events, p->consumed_bytes);
    p->consumed_events = p->consumed_bytes = 0;
    if (p->cancels_waiting != 0) request_send_cancels(p);
    if (link_first_unanswered(session->link) >= p->flush_end) p->stirred = true;
    if (p->stirred && session->waiters != 0) {
        p->stirred = false;
        p->flush_end = UINT64_MAX;
        (void)pthread_cond_broadcast(&session->changed);
    }
    if (p->room_waiters != 0 && (link_has_room(session->link) || session->stopped_by != WEIR_OK)) (void)pthread_cond_broadcast(&p->room);
}

static void callbacks(struct session *session)
{
    weir_publisher *p = (weir_publisher *)session;
    weir_result *results;
    size_t count;
    if (p->on_result == NULL) return;
    (void)pthread_mutex_lock(&session->lock);
    results = p->results;
    count = p->result_count;
    p->results = NULL;
    p->result_count = p->result_room = 0;
    (void)pthread_mutex_unlock(&session->lock);
    for (size_t i = 0; i < count; i++)
        p->on_result(&results[i], session->arg);
    free(results);
}

const struct session_hooks publisher_hooks = { NULL, fact, settle, callbacks };

/* -- open and close -- */

weir_status weir_publisher_open(const weir_publisher_options *given, weir_publisher **out_publisher)
{
    weir_publisher_options o;
    weir_publisher *p;
    weir_status status;
    if (given == NULL || out_publisher == NULL || !session_take_options(&o, sizeof o, given, given->size))
        return session_refuse_open(WEIR_INVALID, "options: begin with WEIR_PUBLISHER_OPTIONS_INIT");
    if (o.window > 16384 || o.window_bytes > UINT32_MAX / 2)
        return session_refuse_open(WEIR_INVALID, "window is at most 16384 events, window_bytes at most 2 GiB");
    p = calloc(1, sizeof *p);
    if (p == NULL) return session_refuse_open(WEIR_NO_MEMORY, "no memory for a publisher");
    p->close_timeout_ms = o.close_timeout_ms != 0 ? o.close_timeout_ms : CLOSE_TIMEOUT_MS;
    p->on_result = o.on_result;
    p->flush_end = UINT64_MAX;
    session_make_condition(&p->room);
    status = session_open(&p->session, &publisher_hooks,
                          &(struct session_options){ o.endpoint, o.tenant, o.credential, o.name, o.server_key, o.public_key, o.secret_key,
                                                     o.connect_timeout_ms, o.on_state, o.on_log, o.arg },
                          &(struct link_options){ .role = ROLE_CLIENT,
                                                  .publisher = { NULL, PUBLISHER_BYTES },
                                                  .publish_window = o.window,
                                                  .publish_bytes = (uint32_t)o.window_bytes });
    if (status != WEIR_OK) {
        (void)pthread_cond_destroy(&p->room);
        free(p);
        return status;
    }
    *out_publisher = p;
    return WEIR_OK;
}

static bool all_answered(const weir_publisher *p, uint64_t end)
{
    return link_first_unanswered(p->session.link) >= end;
}

static weir_status flush_locked(weir_publisher *p, uint64_t deadline_ns)
{
    uint64_t end = link_next_number(p->session.link);
    while (!all_answered(p, end)) {
        if (end < p->flush_end) p->flush_end = end;
        if (!session_wait(&p->session, deadline_ns)) return all_answered(p, end) ? WEIR_OK : WEIR_TIMED_OUT;
    }
    return p->session.stopped_by;
}

weir_status weir_publisher_flush(weir_publisher *p, int timeout_ms)
{
    weir_status status;
    if (session_is_forked(&p->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&p->session.lock);
    status = flush_locked(p, session_deadline_ns(&p->session, timeout_ms));
    (void)pthread_mutex_unlock(&p->session.lock);
    return status;
}

/* What has no answer by now never gets one here. */
static void tell_unknown(weir_publisher *p)
{
    weir_result result = { .status = WEIR_OUTCOME_UNKNOWN };
    result.first_number = link_first_unanswered(p->session.link);
    result.count = link_next_number(p->session.link) - result.first_number;
    if (result.count != 0 && p->on_result != NULL) p->on_result(&result, p->session.arg);
}

void weir_publisher_close(weir_publisher **publisher)
{
    weir_publisher *p = *publisher;
    if (p == NULL) return;
    *publisher = NULL;
    if (session_is_forked(&p->session)) return;
    (void)pthread_mutex_lock(&p->session.lock);
    (void)flush_locked(p, session_deadline_ns(&p->session, (int)p->close_timeout_ms));
    (void)pthread_mutex_unlock(&p->session.lock);
    session_end(&p->session);
    callbacks(&p->session);
    tell_unknown(p);
    session_close(&p->session);
    request_free_all(p);
    (void)pthread_cond_destroy(&p->room);
    free(p->results);
    free(p);
}

/* -- publishing -- */

/* Most publishers say the same topic again and again: it is checked once. */
static bool is_valid_topic(weir_publisher *p, struct span topic)
{
    if (topic.size == p->valid_topic_size && memcmp(topic.data, p->valid_topic, topic.size) == 0) return true;
    if (!topic_is_valid(topic)) return false;
    memcpy(p->valid_topic, topic.data, topic.size);
    p->valid_topic_size = topic.size;
    return true;
}

static enum link_result put(weir_publisher *p, const struct outgoing *o, uint64_t *out_number)
{
    uint8_t *bytes;
    enum link_result result = link_publish(p->session.link, span_of(NULL, 0), o->size, o->event.data.size, &bytes, out_number);
    if (result == LINK_OK) (void)event_encode(&o->event, o->headers, o->header_count, bytes);
    return result;
}

/* Waits for room in the window; what is in it goes out meanwhile, also what would wait for company. */
static bool wait_for_room(weir_publisher *p, uint64_t deadline_ns)
{
    session_poke(&p->session, true);
    return session_wait_on(&p->session, &p->room, &p->room_waiters, deadline_ns);
}

static weir_status not_put(weir_publisher *p, enum link_result result)
{
    weir_status status = session_link_status(&p->session, result);
    uint64_t unanswered = link_next_number(p->session.link) - link_first_unanswered(p->session.link);
    if (status == WEIR_TOO_LARGE)
        return session_fail(&p->session, status, "an event is at most %llu bytes at this coordinator, and half of window_bytes",
                            (unsigned long long)link_terms(p->session.link)->max_event_bytes);
    if (status != WEIR_FULL) return session_fail(&p->session, status, "not published");
    return session_fail(&p->session, status, "%llu publishes have no answer yet", (unsigned long long)unanswered);
}

weir_status publisher_put(weir_publisher *p, const struct outgoing *o, uint64_t deadline_ns, uint64_t *out_number)
{
    enum link_result result;
    if (!is_valid_topic(p, o->event.topic))
        return session_fail(&p->session, WEIR_INVALID, "topic: dotted words of UTF-8, at most 255 bytes, none of them empty");
    do {
        result = put(p, o, out_number);
    } while (result == LINK_FULL && wait_for_room(p, deadline_ns));
    if (result != LINK_OK) return not_put(p, result);
    session_poke(&p->session, link_unsent_publishes(p->session.link) >= PACKET_IS_WORTH_IT);
    return WEIR_OK;
}

static weir_status refuse(weir_publisher *p, weir_status status, const char *why)
{
    (void)pthread_mutex_lock(&p->session.lock);
    (void)session_fail(&p->session, status, "%s", why);
    (void)pthread_mutex_unlock(&p->session.lock);
    return status;
}

weir_status weir_publish_async(weir_publisher *p, const weir_event *event, int timeout_ms, uint64_t *out_number)
{
    struct outgoing o;
    const char *why;
    uint64_t number = 0;
    weir_status status;
    if (session_is_forked(&p->session)) return WEIR_FORKED;
    status = event_prepare(&o, event, session_wall_ms(&p->session), &why);
    if (status != WEIR_OK) return refuse(p, status, why);
    (void)pthread_mutex_lock(&p->session.lock);
    status = publisher_put(p, &o, timeout_ms != 0 ? session_deadline_ns(&p->session, timeout_ms) : 0, &number);
    (void)pthread_mutex_unlock(&p->session.lock);
    if (status == WEIR_OK && out_number != NULL) *out_number = number;
    return status;
}

weir_status weir_publish_raw(weir_publisher *p, const void *bytes, size_t size, int timeout_ms, uint64_t *out_number)
{
    struct event scanned;
    uint64_t number = 0;
    uint8_t *place;
    enum link_result result;
    weir_status status = WEIR_OK;
    uint64_t deadline_ns = session_deadline_ns(&p->session, timeout_ms);
    if (session_is_forked(&p->session)) return WEIR_FORKED;
    struct span before, data, after;
    bool large = size > EVENT_BYTES_MAX;
    if (event_scan(span_of(bytes, size), &scanned) != EVENT_OK || (large && !parts_cut(span_of(bytes, size), &before, &data, &after)))
        return refuse(p, WEIR_INVALID, "not an Event within the limits");
    (void)pthread_mutex_lock(&p->session.lock);
    do {
        result = link_publish(p->session.link, span_of(NULL, 0), size, scanned.data.size, &place, &number);
    } while (result == LINK_FULL && wait_for_room(p, deadline_ns));
    if (result == LINK_OK)
        memcpy(place, bytes, size);
    else
        status = not_put(p, result);
    session_poke(&p->session, link_unsent_publishes(p->session.link) >= PACKET_IS_WORTH_IT);
    (void)pthread_mutex_unlock(&p->session.lock);
    if (status == WEIR_OK && out_number != NULL) *out_number = number;
    return status;
}

static void unlink_waiting(weir_publisher *p, struct waiting_publish *waiting)
{
    struct waiting_publish **at = &p->waiting;
    while (*at != waiting)
        at = &(*at)->next;
    *at = waiting->next;
}

static weir_status await(weir_publisher *p, struct waiting_publish *waiting, uint64_t deadline_ns)
{
    waiting->next = p->waiting;
    p->waiting = waiting;
    while (!waiting->done && session_wait(&p->session, deadline_ns)) {
    }
    unlink_waiting(p, waiting);
    if (waiting->done) {
        if (waiting->result.status != WEIR_OK) p->session.error = waiting->error;
        return waiting->result.status;
    }
    waiting->result = (weir_result){ .status = WEIR_TIMED_OUT, .first_number = waiting->number, .count = 1 };
    if (p->session.state == WEIR_STATE_UP) return session_fail(&p->session, WEIR_TIMED_OUT, "no answer yet; it may still be accepted");
    return session_fail(&p->session, WEIR_TIMED_OUT, "no connection to %s; it may still be accepted", p->session.endpoint);
}

weir_status weir_publish(weir_publisher *p, const weir_event *event, int timeout_ms, weir_result *out_result)
{
    struct outgoing o;
    struct waiting_publish waiting = { 0 };
    const char *why;
    uint64_t deadline_ns;
    weir_status status;
    if (session_is_forked(&p->session)) return WEIR_FORKED;
    status = event_prepare(&o, event, session_wall_ms(&p->session), &why);
    if (status != WEIR_OK) return refuse(p, status, why);
    deadline_ns = session_deadline_ns(&p->session, timeout_ms);
    (void)pthread_mutex_lock(&p->session.lock);
    status = publisher_put(p, &o, deadline_ns, &waiting.number);
    if (status == WEIR_OK) status = await(p, &waiting, deadline_ns);
    (void)pthread_mutex_unlock(&p->session.lock);
    if (waiting.number != 0 && out_result != NULL) *out_result = waiting.result;
    return status;
}
