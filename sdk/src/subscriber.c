/* Subscribers: the pump queues the events of a packet as one batch; weir_subscriber_next walks it without a lock, and gives its credit back
 * when it is used up. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <weir/admin.h>

#include "proto/parts.h"
#include "sdk/src/event_io.h"
#include "sdk/src/session.h"

enum { FILTERS_MAX = 64 };

struct stamp {
    uint64_t seq, time_ms, cause, first;
    uint32_t size;
};

/* Events of one message Events; its bytes stand behind the stamps, each event with a byte for its NUL. */
struct batch {
    struct batch *next;
    atomic_size_t at; /* moved on without the lock, and looked at by others: weir_subscriber_caught_up */
    size_t count, topic_index, bytes_size;
    const struct stamp *stamps;
    uint8_t *bytes;
    bool gap;
    char epoch[EPOCH_BYTES];
};

struct weir_subscriber {
    struct session session; /* first: weir_last_error takes any handle */
    size_t topic_count;
    struct batch *first, *last; /* not begun yet */
    int ready_fd;
    bool fd_is_set, stopped, more;
    atomic_bool stop_asked;
    bool gap[FILTERS_MAX], caught_up[FILTERS_MAX]; /* gap: told with the next event of the filter */
    size_t ended_count;
    weir_status end; /* of the first filter that did not end well */
    /* of the thread that calls next */
    struct batch *current;
    weir_stored_event stored;
    weir_event view;
    weir_header *headers;
    weir_raw_event raw;
};

/* -- what the pump does -- */

static void show_ready(weir_subscriber *s)
{
    bool set = s->first != NULL || s->stopped || s->ended_count == s->topic_count || s->end != WEIR_OK || s->session.stopped_by != WEIR_OK;
    uint64_t count = 1;
    if (set == s->fd_is_set) return;
    s->fd_is_set = set;
    if (set)
        (void)!write(s->ready_fd, &count, sizeof count);
    else
        (void)!read(s->ready_fd, &count, sizeof count);
}

static struct batch *make_batch(const struct link_fact *f)
{
    size_t count = f->events.count;
    struct batch *batch = malloc(sizeof *batch + count * sizeof(struct stamp) + f->events.body.size + count);
    struct stamp *stamps = (struct stamp *)(void *)(batch + 1);
    const uint8_t *from = f->events.body.data;
    uint8_t *to;
    if (batch == NULL) return NULL;
    to = (uint8_t *)(stamps + count);
    *batch = (struct batch){
        .count = count, .topic_index = (size_t)f->events.id - 1, .stamps = stamps, .bytes = to, .bytes_size = f->events.body.size
    };
    for (size_t i = 0; i < count; i++) {
        uint32_t size = f->events.size[i];
        stamps[i] = (struct stamp){ .seq = f->events.seq[i],
                                    .time_ms = f->events.time_ms[i],
                                    .cause = f->events.cause != NULL ? f->events.cause[i] : 0,
                                    .first = f->events.first != NULL ? f->events.first[i] : 0,
                                    .size = size };
        if (size != 0) memcpy(to, from, size);
        from += size;
        to += size + (size_t)1;
    }
    return batch;
}

static void take_events(weir_subscriber *s, const struct link_fact *f)
{
    struct batch *batch = make_batch(f);
    if (batch == NULL) {
        s->end = session_fail(&s->session, WEIR_NO_MEMORY, "no memory for %zu events; the subscription ends", f->events.count);
        return; /* an event left out would be a gap that nobody is told of */
    }
    batch->gap = s->gap[batch->topic_index];
    s->gap[batch->topic_index] = false;
    memcpy(batch->epoch, link_terms(s->session.link)->epoch, EPOCH_BYTES);
    *(s->last != NULL ? &s->last->next : &s->first) = batch;
    s->last = batch;
}

static void take_ended(weir_subscriber *s, const struct link_fact *f)
{
    s->ended_count++;
    s->more = s->more || f->subscription.more;
    s->caught_up[f->subscription.id - 1] = true;
    if (f->subscription.code == CODE_OK) return;
    s->end = (weir_status)f->subscription.code;
    s->session.error = session_error(s->end, 0, f->subscription.message);
}

static void fact(struct session *session, const struct link_fact *f)
{
    weir_subscriber *s = (weir_subscriber *)session;
    switch (f->kind) {
    case LINK_FACT_EVENTS:
        if (s->end == WEIR_OK) take_events(s, f);
        break;
    case LINK_FACT_SUBSCRIBED:
        s->gap[f->subscription.id - 1] = s->gap[f->subscription.id - 1] || f->subscription.gap;
        break;
    case LINK_FACT_CAUGHT_UP:
        s->caught_up[f->subscription.id - 1] = true;
        break;
    case LINK_FACT_ENDED:
        take_ended(s, f);
        break;
    case LINK_FACT_STATE:
        for (size_t i = 0; f->state.state != LINK_UP && s->ended_count == 0 && i < s->topic_count; i++)
            s->caught_up[i] = false;
        break;
    default:
        break;
    }
}

static void settle(struct session *session)
{
    weir_subscriber *s = (weir_subscriber *)session;
    if (atomic_load_explicit(&s->stop_asked, memory_order_relaxed)) s->stopped = true;
    show_ready(s);
    if (session->waiters != 0) (void)pthread_cond_broadcast(&session->changed);
}

static const struct session_hooks hooks = { NULL, fact, settle, NULL };

/* -- open and close -- */

static weir_status check(const weir_subscriber_options *o)
{
    uint8_t epoch[EPOCH_BYTES];
    uint64_t seq;
    if (o->topics == NULL || o->topic_count == 0 || o->topic_count > FILTERS_MAX)
        return session_refuse_open(WEIR_INVALID, "topics: a subscriber needs 1 to %d filters", FILTERS_MAX);
    for (size_t i = 0; i < o->topic_count; i++)
        if (o->topics[i] == NULL || !filter_is_valid(span_text(o->topics[i])))
            return session_refuse_open(WEIR_INVALID, "topics: \"%s\" is no filter (dotted words; * is one word, a last > the rest)",
                                       o->topics[i] != NULL ? o->topics[i] : "");
    if (o->max_event_bytes > EVENT_LARGE_BYTES_MAX) return session_refuse_open(WEIR_INVALID, "max_event_bytes is at most 64 MiB");
    if (o->start == WEIR_START_SEQ && o->since != NULL && !session_parse_event_id(o->since, epoch, &seq))
        return session_refuse_open(WEIR_INVALID, "since: \"%s\" is no event id (<epoch>-<position>)", o->since);
    return WEIR_OK;
}

static weir_status subscribe_all(weir_subscriber *s, const weir_subscriber_options *o)
{
    struct link_subscription wanted = { .start = (uint32_t)o->start, .start_at = o->start_at, .limit = o->limit };
    uint8_t epoch[EPOCH_BYTES];
    enum link_result result = LINK_OK;
    if (o->start == WEIR_START_SEQ && o->since != NULL && session_parse_event_id(o->since, epoch, &wanted.start_at))
        wanted.epoch = span_of(epoch, EPOCH_BYTES);
    (void)pthread_mutex_lock(&s->session.lock);
    for (size_t i = 0; i < o->topic_count && result == LINK_OK; i++) {
        wanted.id = i + 1;
        wanted.filter = span_text(o->topics[i]);
        result = link_subscribe(s->session.link, &wanted);
    }
    session_poke(&s->session, true);
    (void)pthread_mutex_unlock(&s->session.lock);
    return result == LINK_OK || result == LINK_IS_STOPPED ? WEIR_OK : session_refuse_open(WEIR_INVALID, "topics: too many, or too long");
}

static void free_subscriber(weir_subscriber *s)
{
    while (s->first != NULL) {
        struct batch *next = s->first->next;
        free(s->first);
        s->first = next;
    }
    if (s->ready_fd >= 0) (void)close(s->ready_fd);
    free(s->current);
    free(s->headers);
    free(s);
}

static weir_status start(weir_subscriber *s, const weir_subscriber_options *o)
{
    weir_status status;
    s->topic_count = o->topic_count;
    s->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->ready_fd < 0) return session_refuse_open(WEIR_SYSTEM, "eventfd: %s", strerror(errno));
    status = session_open(&s->session, &hooks,
                          &(struct session_options){ o->endpoint, o->tenant, o->credential, o->name, o->server_key, o->public_key,
                                                     o->secret_key, o->connect_timeout_ms, o->on_state, o->on_log, o->arg },
                          &(struct link_options){ .role = o->as_admin ? ROLE_ADMIN : ROLE_CLIENT,
                                                  .events_credit = o->credit,
                                                  .events_credit_bytes = o->credit_bytes,
                                                  .event_bytes_max = o->max_event_bytes });
    if (status != WEIR_OK) return status;
    status = subscribe_all(s, o);
    if (status != WEIR_OK) session_close(&s->session);
    return status;
}

weir_status weir_subscriber_open(const weir_subscriber_options *given, weir_subscriber **out_subscriber)
{
    weir_subscriber_options o;
    weir_subscriber *s;
    weir_status status;
    if (given == NULL || out_subscriber == NULL || !session_take_options(&o, sizeof o, given, given->size))
        return session_refuse_open(WEIR_INVALID, "options: begin with WEIR_SUBSCRIBER_OPTIONS_INIT");
    status = check(&o);
    if (status != WEIR_OK) return status;
    s = calloc(1, sizeof *s);
    if (s == NULL) return session_refuse_open(WEIR_NO_MEMORY, "no memory for a subscriber");
    status = start(s, &o);
    if (status != WEIR_OK) {
        free_subscriber(s);
        return status;
    }
    *out_subscriber = s;
    return WEIR_OK;
}

void weir_subscriber_close(weir_subscriber **subscriber)
{
    weir_subscriber *s = *subscriber;
    if (s == NULL) return;
    *subscriber = NULL;
    if (session_is_forked(&s->session)) return;
    session_close(&s->session);
    free_subscriber(s);
}

void weir_subscriber_stop(weir_subscriber *s)
{
    uint64_t one = 1;
    int error = errno;
    if (session_is_forked(&s->session)) return;
    atomic_store_explicit(&s->stop_asked, true, memory_order_relaxed);
    (void)!write(s->session.wake_fd, &one, sizeof one);
    errno = error;
}

/* -- reading -- */

static weir_status next_batch_locked(weir_subscriber *s, uint64_t deadline_ns)
{
    bool in_time = true;
    if (s->current != NULL) {
        link_consumed(s->session.link, span_of(NULL, 0), s->current->count, s->current->bytes_size);
        session_poke(&s->session, false);
        free(s->current);
        s->current = NULL;
    }
    for (;;) {
        if (s->first != NULL && !s->stopped) {
            s->current = s->first;
            s->first = s->first->next;
            s->last = s->first != NULL ? s->last : NULL;
            show_ready(s);
            return WEIR_OK;
        }
        if (s->stopped) return WEIR_CLOSED;
        if (s->session.stopped_by != WEIR_OK || s->end != WEIR_OK) return s->end != WEIR_OK ? s->end : s->session.stopped_by;
        if (s->ended_count == s->topic_count) return WEIR_ENDED;
        if (!in_time) return WEIR_TIMED_OUT;
        in_time = session_wait(&s->session, deadline_ns);
    }
}

static size_t place_in(const struct batch *batch)
{
    return atomic_load_explicit(&batch->at, memory_order_relaxed);
}

/* The stamp of the next event, and its bytes. */
static weir_status advance(weir_subscriber *s, int timeout_ms, const struct stamp **out_stamp, uint8_t **out_bytes)
{
    weir_status status = WEIR_OK;
    if (session_is_forked(&s->session)) return WEIR_FORKED;
    if (s->current == NULL || place_in(s->current) == s->current->count) {
        (void)pthread_mutex_lock(&s->session.lock);
        status = next_batch_locked(s, session_deadline_ns(&s->session, timeout_ms));
        (void)pthread_mutex_unlock(&s->session.lock);
    }
    if (status != WEIR_OK) return status;
    size_t at = place_in(s->current);
    atomic_store_explicit(&s->current->at, at + 1, memory_order_relaxed);
    *out_stamp = &s->current->stamps[at];
    *out_bytes = s->current->bytes;
    s->current->bytes += (*out_stamp)->size + (size_t)1;
    return WEIR_OK;
}

/* The size of data that did not come because the event is larger than max_event_bytes. */
static uint64_t left_out(const struct event *event)
{
    struct parts parts;
    return event->parts.size != 0 && parts_read(event->parts, NULL, PARTS_MAX, &parts) ? parts.size : 0;
}

weir_status weir_subscriber_next(weir_subscriber *s, int timeout_ms, const weir_stored_event **out_event)
{
    const struct stamp *stamp;
    uint8_t *bytes;
    struct event scanned;
    weir_status status;
    do {
        status = advance(s, timeout_ms, &stamp, &bytes);
        if (status != WEIR_OK) return status;
        free(s->headers);
        s->headers = NULL;
    } while (!event_view(bytes, stamp->size, &s->view, &s->headers, &scanned)); /* a coordinator checks every event it takes */
    s->stored = (weir_stored_event){ .event = &s->view,
                                     .seq = stamp->seq,
                                     .time_ms = stamp->time_ms,
                                     .cause_seq = stamp->cause,
                                     .topic_index = s->current->topic_index,
                                     .gap = s->current->gap && place_in(s->current) == 1,
                                     .too_large = left_out(&scanned) };
    session_event_id(s->stored.event_id, s->current->epoch, stamp->first != 0 ? stamp->first : stamp->seq);
    session_event_id(s->stored.cursor, s->current->epoch, stamp->seq);
    *out_event = &s->stored;
    return WEIR_OK;
}

weir_status weir_subscriber_next_raw(weir_subscriber *s, int timeout_ms, const weir_raw_event **out_event)
{
    const struct stamp *stamp;
    uint8_t *bytes;
    weir_status status = advance(s, timeout_ms, &stamp, &bytes);
    if (status != WEIR_OK) return status;
    s->raw = (weir_raw_event){ .data = bytes,
                               .data_size = stamp->size,
                               .seq = stamp->seq,
                               .time_ms = stamp->time_ms,
                               .cause_seq = stamp->cause,
                               .topic_index = s->current->topic_index,
                               .gap = s->current->gap && place_in(s->current) == 1 };
    memcpy(s->raw.epoch, s->current->epoch, EPOCH_BYTES);
    *out_event = &s->raw;
    return WEIR_OK;
}

int weir_subscriber_fd(weir_subscriber *s)
{
    return session_is_forked(&s->session) ? -1 : s->ready_fd;
}

static bool is_used_up(const weir_subscriber *s)
{
    return s->first == NULL && (s->current == NULL || place_in(s->current) == s->current->count);
}

bool weir_subscriber_caught_up(weir_subscriber *s)
{
    bool all;
    if (session_is_forked(&s->session)) return false;
    (void)pthread_mutex_lock(&s->session.lock);
    all = is_used_up(s);
    for (size_t i = 0; i < s->topic_count; i++)
        all = all && s->caught_up[i];
    (void)pthread_mutex_unlock(&s->session.lock);
    return all;
}

bool weir_subscriber_more(weir_subscriber *s)
{
    bool more;
    if (session_is_forked(&s->session)) return false;
    (void)pthread_mutex_lock(&s->session.lock);
    more = s->more;
    (void)pthread_mutex_unlock(&s->session.lock);
    return more;
}
