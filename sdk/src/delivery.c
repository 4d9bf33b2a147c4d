/* A delivery in the hands of the user: what it says, and how it is settled. */
#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/event_io.h"
#include "sdk/src/worker.h"

/* -- reading: the user's thread alone touches the view -- */

static bool look(weir_delivery *d)
{
    struct event scanned;
    if (d->view_state == VIEW_NONE && d->bytes != NULL) {
        bool good = event_view(d->bytes, d->size, &d->view, &d->headers, &scanned) && scanned.parts.size == 0;
        d->view_state = good ? VIEW_GOOD : VIEW_BAD;
        d->is_request = good && scanned.reply_to.size != 0;
    }
    return d->view_state == VIEW_GOOD;
}

const weir_event *weir_delivery_event(weir_delivery *d)
{
    return look(d) ? &d->view : NULL;
}

uint64_t weir_delivery_seq(const weir_delivery *d)
{
    return d->seq;
}

const char *weir_delivery_event_id(weir_delivery *d)
{
    if (d->event_id[0] == '\0' && d->chunk != NULL) session_event_id(d->event_id, d->chunk->epoch, d->id_seq);
    return d->event_id;
}

uint64_t weir_delivery_time_ms(const weir_delivery *d)
{
    return d->time_ms;
}

uint64_t weir_delivery_cause_seq(const weir_delivery *d)
{
    return d->cause;
}

uint32_t weir_delivery_attempt(const weir_delivery *d)
{
    return d->attempt;
}

/* One group does one thing to an event once: group and event together name the effect. */
const char *weir_delivery_token(weir_delivery *d)
{
    size_t size = strlen(d->worker->group) + 1 + WEIR_EVENT_ID_SIZE;
    if (d->token == NULL) {
        d->token = malloc(size);
        if (d->token != NULL) (void)snprintf(d->token, size, "%s/%s", d->worker->group, weir_delivery_event_id(d));
    }
    return d->token != NULL ? d->token : weir_delivery_event_id(d);
}

bool weir_delivery_is_replay(const weir_delivery *d)
{
    return d->chunk != NULL && d->chunk->replay;
}

bool weir_delivery_is_request(weir_delivery *d)
{
    return look(d) && d->is_request;
}

uint32_t weir_delivery_lease_ms(const weir_delivery *d)
{
    return d->lease_ms;
}

void weir_delivery_set_user(weir_delivery *d, void *user)
{
    d->user = user;
}

void *weir_delivery_user(const weir_delivery *d)
{
    return d->user;
}

bool weir_cancelled(const weir_delivery *d)
{
    return atomic_load_explicit(&d->cancelled, memory_order_relaxed);
}

/* -- settling -- */

#define EMITS_TOO_LARGE "the emits of a delivery are at most 256 events and 256 KiB, and 16 over 64 KiB, of which only the rest counts"

/* Emits wait for emit credit, at most as long as a lease [R-CREDIT-7]. */
static weir_status settle_locked(weir_worker *w, weir_delivery *d, const struct link_settle *what)
{
    uint64_t deadline_ns = 0;
    for (;;) {
        enum link_result result = link_settle(w->session.link, d->handle, what);
        if (result == LINK_OK) {
            worker_drop_event(d);
            session_poke(&w->session, w->first == NULL);
            return WEIR_OK;
        }
        if (result == LINK_STALE) {
            worker_tell_settled(w, d, WEIR_STALE);
            delivery_forget(d);
            session_poke(&w->session, true);
            return WEIR_OK;
        }
        if (result != LINK_FULL)
            return session_fail(&w->session, WEIR_TOO_LARGE, EMITS_TOO_LARGE);
        if (deadline_ns == 0) deadline_ns = session_deadline_ns(&w->session, (int)d->lease_ms);
        session_poke(&w->session, true);
        if (!session_wait(&w->session, deadline_ns))
            return session_fail(&w->session, WEIR_TIMED_OUT, "no credit for emits came for the length of a lease");
    }
}

static weir_status settle(weir_delivery *d, uint32_t verb, uint32_t delay_ms, const char *reason, bool with_emits)
{
    weir_worker *w = d->worker;
    struct link_settle what = { .verb = verb, .delay_ms = delay_ms, .user = d };
    weir_status status;
    if (session_is_forked(&w->session)) return WEIR_FORKED;
    if (reason != NULL && *reason != '\0') {
        free(d->reason);
        d->reason = strndup(reason, 1024);
        what.reason = session_span(d->reason);
    }
    if (with_emits && d->emit_count != 0) {
        what.emits = span_of(d->emits, d->emit_bytes);
        what.emit_sizes = d->emit_sizes;
        what.emit_count = d->emit_count;
        what.once = look(d) && d->view.semantics == WEIR_AT_MOST_ONCE;
    }
    (void)pthread_mutex_lock(&w->session.lock);
    status = settle_locked(w, d, &what);
    (void)pthread_mutex_unlock(&w->session.lock);
    return status;
}

weir_status weir_ack(weir_delivery *d)
{
    return settle(d, VERB_ACK, 0, NULL, true);
}

weir_status weir_nack(weir_delivery *d, uint32_t delay_ms, const char *reason)
{
    return settle(d, VERB_NACK, delay_ms, reason, false);
}

static weir_status fail(weir_delivery *d, weir_status status, const char *why)
{
    (void)pthread_mutex_lock(&d->worker->session.lock);
    (void)session_fail(&d->worker->session, status, "%s", why);
    (void)pthread_mutex_unlock(&d->worker->session.lock);
    return status;
}

/* -- emits: encoded at once, joined, in memory of the delivery -- */

void delivery_forget_emits(weir_delivery *d)
{
    d->emit_bytes = d->emit_wire = 0;
    d->emit_count = d->emits_large = 0;
}

static bool grow(weir_delivery *d, size_t size)
{
    if (d->emit_sizes == NULL) d->emit_sizes = malloc(EMITS_PER_SETTLE * sizeof *d->emit_sizes);
    if (d->emit_bytes + size > d->emit_room) {
        size_t room = d->emit_room * 2 > d->emit_bytes + size ? d->emit_room * 2 : d->emit_bytes + size;
        uint8_t *grown = realloc(d->emits, room);
        if (grown == NULL) return false;
        d->emits = grown;
        d->emit_room = room;
    }
    return d->emit_sizes != NULL;
}

/* What the coordinator takes [R-PART-11]; wire: bytes that are not data of a large one. */
static bool fits(weir_delivery *d, const struct outgoing *o, size_t wire)
{
    struct weir_worker *w = d->worker;
    bool large = o->size > EVENT_BYTES_MAX;
    (void)pthread_mutex_lock(&w->session.lock);
    const struct link_terms *terms = link_terms(w->session.link);
    bool good = !large || (o->size <= terms->max_event_bytes && d->emits_large < terms->large_events);
    (void)pthread_mutex_unlock(&w->session.lock);
    return good && d->emit_count < EMITS_PER_SETTLE && wire <= EMIT_BYTES_PER_SETTLE;
}

static weir_status emit(weir_delivery *d, const struct outgoing *o)
{
    bool large = o->size > EVENT_BYTES_MAX;
    size_t wire = d->emit_wire + o->size - (large ? o->event.data.size : 0);
    if (!fits(d, o, wire)) return fail(d, WEIR_TOO_LARGE, EMITS_TOO_LARGE);
    if (!grow(d, o->size)) return WEIR_NO_MEMORY;
    (void)event_encode(&o->event, o->headers, o->header_count, d->emits + d->emit_bytes);
    d->emit_bytes += o->size;
    d->emit_wire = wire;
    d->emits_large += large;
    d->emit_sizes[d->emit_count++] = (uint32_t)o->size;
    return WEIR_OK;
}

weir_status weir_emit(weir_delivery *d, const weir_event *event)
{
    struct outgoing o;
    const char *why;
    weir_status status;
    if (session_is_forked(&d->worker->session)) return WEIR_FORKED;
    status = event_prepare(&o, event, session_wall_ms(&d->worker->session), &why);
    if (status != WEIR_OK) return fail(d, status, why);
    if (!topic_is_valid(o.event.topic) || o.event.topic.data[0] == '$')
        return fail(d, WEIR_INVALID, "topic: dotted words of UTF-8, at most 255 bytes, none of them empty; $ is the system's");
    return emit(d, &o);
}

/* The answer to a request, as one more emit [R-REQ-1]. */
static weir_status emit_answer(weir_delivery *d, uint32_t reply, uint32_t code, const void *data, size_t data_size)
{
    weir_event event = WEIR_EVENT_INIT;
    struct outgoing o;
    const char *why;
    weir_status status;
    event.topic = d->view.reply_to;
    event.session = d->view.session;
    event.data = data;
    event.data_size = data_size;
    status = event_prepare(&o, &event, session_wall_ms(&d->worker->session), &why);
    if (status != WEIR_OK) return fail(d, status, why);
    o.event.reply = reply;
    o.event.code = code;
    o.size = event_encoded_size(&o.event, NULL, 0);
    return emit(d, &o);
}

static weir_status reply_ok(weir_delivery *d, const void *data, size_t data_size)
{
    size_t bytes = d->emit_bytes, wire = d->emit_wire;
    uint32_t count = d->emit_count, large = d->emits_large;
    weir_status status = emit_answer(d, EVENT_REPLY_OK, CODE_OK, data, data_size);
    if (status != WEIR_OK) return status;
    status = settle(d, VERB_ACK, 0, NULL, true);
    if (status == WEIR_OK) return status;
    d->emit_bytes = bytes; /* the delivery is still the user's, as it was */
    d->emit_wire = wire;
    d->emit_count = count;
    d->emits_large = large;
    return status;
}

/* The requester of a rejected request is told so; what else was emitted is dropped. [R-REQ-4] */
weir_status weir_reject(weir_delivery *d, const char *reason)
{
    const char *text = reason != NULL ? reason : "";
    weir_status status;
    if (session_is_forked(&d->worker->session)) return WEIR_FORKED;
    if (!weir_delivery_is_request(d)) return settle(d, VERB_REJECT, 0, reason, false);
    delivery_forget_emits(d);
    status = emit_answer(d, EVENT_REPLY_ERROR, CODE_BAD_REQUEST, text, strnlen(text, 1024));
    if (status == WEIR_OK) status = settle(d, VERB_REJECT, 0, reason, true);
    if (status != WEIR_OK) delivery_forget_emits(d);
    return status;
}

weir_status weir_reply(weir_delivery *d, const void *data, size_t data_size)
{
    if (session_is_forked(&d->worker->session)) return WEIR_FORKED;
    if (!weir_delivery_is_request(d)) return fail(d, WEIR_INVALID, "weir_reply: this event is no request");
    return reply_ok(d, data, data_size);
}

/* -- while it is worked on -- */

static weir_status held_result(weir_worker *w, enum link_result result)
{
    if (w->session.stopped_by != WEIR_OK) return WEIR_CLOSED;
    if (result == LINK_OK) session_poke(&w->session, true);
    return session_link_status(&w->session, result);
}

weir_status weir_extend(weir_delivery *d, uint32_t lease_ms)
{
    weir_worker *w = d->worker;
    weir_status status;
    if (session_is_forked(&w->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&w->session.lock);
    status = held_result(w, link_extend(w->session.link, d->handle, lease_ms));
    (void)pthread_mutex_unlock(&w->session.lock);
    return status;
}

weir_status weir_partial(weir_delivery *d, const void *data, size_t data_size)
{
    weir_worker *w = d->worker;
    weir_status status;
    if (session_is_forked(&w->session)) return WEIR_FORKED;
    if (!weir_delivery_is_request(d)) return fail(d, WEIR_INVALID, "weir_partial: this event is no request");
    (void)pthread_mutex_lock(&w->session.lock);
    status = held_result(w, link_partial(w->session.link, d->handle, span_text(d->view.reply_to), span_of(data, data_size)));
    (void)pthread_mutex_unlock(&w->session.lock);
    return status;
}
