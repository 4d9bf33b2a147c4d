/* Workers: open, take deliveries (callbacks on handler threads, or pull), stop, close. */
#include "sdk/src/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/limit_by.h"

enum { CLOSE_TIMEOUT_MS = 2000, FILTERS_MAX = 64, HANDLERS_MAX = 1024 };

static weir_status check(const weir_worker_options *o)
{
    if (o->group == NULL || *o->group == '\0' || strlen(o->group) > 255)
        return session_refuse_open(WEIR_INVALID, "group: a worker needs one, of at most 255 bytes");
    if (o->topics == NULL || o->topic_count == 0 || o->topic_count > FILTERS_MAX)
        return session_refuse_open(WEIR_INVALID, "topics: a worker needs 1 to %d filters", FILTERS_MAX);
    for (size_t i = 0; i < o->topic_count; i++)
        if (o->topics[i] == NULL || !filter_is_valid(span_text(o->topics[i])))
            return session_refuse_open(WEIR_INVALID, "topics: \"%s\" is no filter (dotted words; * is one word, a last > the rest)",
                                       o->topics[i] != NULL ? o->topics[i] : "");
    if (o->max_event_bytes > EVENT_LARGE_BYTES_MAX) return session_refuse_open(WEIR_INVALID, "max_event_bytes is at most 64 MiB");
    if (o->credit > 16384 || o->handlers > HANDLERS_MAX)
        return session_refuse_open(WEIR_INVALID, "credit is at most 16384, handlers at most %d", HANDLERS_MAX);
    struct limit_by by;
    if (o->limit_by != NULL && !limit_by_read(span_text(o->limit_by), &by))
        return session_refuse_open(WEIR_INVALID, "limit_by: \"%s\" is neither header:NAME nor word:N", o->limit_by);
    if ((o->limit_by != NULL) != (o->limit_each != 0)) return session_refuse_open(WEIR_INVALID, "limit_each and limit_by go together");
    return WEIR_OK;
}

static uint32_t credit_of(const weir_worker_options *o)
{
    if (o->credit != 0) return o->credit;
    return o->handlers > 32 ? 2 * o->handlers : 64;
}

static weir_status make_room(weir_worker *w, const struct link_options *link_options)
{
    size_t slots = link_slots(link_options);
    w->deliveries = calloc(slots + 1, sizeof *w->deliveries);
    w->not_copied = calloc(slots + 1, sizeof *w->not_copied);
    w->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->deliveries == NULL || w->not_copied == NULL) return session_refuse_open(WEIR_NO_MEMORY, "no memory for %zu deliveries", slots);
    if (w->ready_fd < 0) return session_refuse_open(WEIR_SYSTEM, "eventfd: %s", strerror(errno));
    return WEIR_OK;
}

static void free_worker(weir_worker *w)
{
    size_t handles = w->deliveries != NULL ? w->slots : 0;
    for (size_t i = 1; i <= handles; i++)
        delivery_forget(&w->deliveries[i]);
    for (size_t i = 0; i < w->chunk_count; i++)
        free(w->chunks[i]);
    if (w->ready_fd >= 0) (void)close(w->ready_fd);
    (void)pthread_cond_destroy(&w->ready);
    free(w->chunks);
    free(w->settled);
    free(w->deliveries);
    free(w->not_copied);
    free(w);
}

static weir_status start(weir_worker *w, const weir_worker_options *o)
{
    struct span filters[FILTERS_MAX];
    struct link_options link_options = { .role = ROLE_WORKER };
    struct session_options options = { o->endpoint,   o->tenant,     o->credential, o->name,
                                       o->server_key, o->public_key, o->secret_key, o->connect_timeout_ms,
                                       o->on_state,   o->on_log,     o->arg };
    weir_status status;
    for (size_t i = 0; i < o->topic_count; i++)
        filters[i] = span_text(o->topics[i]);
    link_options.group = (struct group_spec){ .name = span_text(o->group),
                                              .filters = filters,
                                              .filter_count = o->topic_count,
                                              .options = { .ordering = (uint32_t)o->ordering,
                                                           .lease_ms = o->lease_ms,
                                                           .max_deliveries = o->max_deliveries,
                                                           .max_deaths = o->max_deaths,
                                                           .retry_percent = o->retry_percent,
                                                           .retry_floor = o->retry_floor,
                                                           .backoff_ms = o->backoff_ms,
                                                           .affinity = (uint32_t)o->affinity,
                                                           .affinity_wait_ms = o->affinity_wait_ms,
                                                           .limit = o->limit,
                                                           .limit_each = o->limit_each,
                                                           .limit_by = span_text(o->limit_by ? o->limit_by : "") },
                                              .start = (uint32_t)o->start,
                                              .start_at = o->start_at };
    link_options.deliveries_credit = credit_of(o);
    link_options.deliveries_credit_bytes = o->credit_bytes;
    link_options.event_bytes_max = o->max_event_bytes;
    link_options.auto_extend_ms = o->auto_extend_ms;
    link_options.unstarted_ms = o->unstarted_ms;
    w->slots = link_slots(&link_options);
    memcpy(w->group, o->group, strlen(o->group) + 1);
    w->handlers = o->handlers != 0 ? o->handlers : 1;
    w->close_timeout_ms = o->close_timeout_ms != 0 ? o->close_timeout_ms : CLOSE_TIMEOUT_MS;
    w->on_settled = o->on_settled;
    session_make_condition(&w->ready);
    status = make_room(w, &link_options);
    return status == WEIR_OK ? session_open(&w->session, &worker_hooks, &options, &link_options) : status;
}

weir_status weir_worker_open(const weir_worker_options *given, weir_worker **out_worker)
{
    weir_worker_options o;
    weir_worker *w;
    weir_status status;
    if (given == NULL || out_worker == NULL || !session_take_options(&o, sizeof o, given, given->size))
        return session_refuse_open(WEIR_INVALID, "options: begin with WEIR_WORKER_OPTIONS_INIT");
    status = check(&o);
    if (status != WEIR_OK) return status;
    w = calloc(1, sizeof *w);
    if (w == NULL) return session_refuse_open(WEIR_NO_MEMORY, "no memory for a worker");
    status = start(w, &o);
    if (status != WEIR_OK) {
        free_worker(w);
        return status;
    }
    *out_worker = w;
    return WEIR_OK;
}

/* -- taking deliveries -- */

static struct weir_delivery *pop(weir_worker *w)
{
    struct weir_delivery *d = w->first;
    w->first = d->next;
    if (w->first == NULL) w->last = NULL;
    w->ready_count--;
    if (w->first == NULL) worker_show_ready(w);
    return d;
}

/* The next delivery whose lease still stands; NULL when none waits. */
static struct weir_delivery *take_ready(weir_worker *w)
{
    while (w->first != NULL && !w->stopped) {
        struct weir_delivery *d = pop(w);
        if (link_start(w->session.link, d->handle) == LINK_OK) return d;
        delivery_forget(d);
    }
    return NULL;
}

static weir_status next_locked(weir_worker *w, uint64_t deadline_ns, struct weir_delivery **out_delivery)
{
    bool in_time = true;
    for (;;) {
        struct weir_delivery *d = take_ready(w);
        if (d != NULL) {
            *out_delivery = d;
            return WEIR_OK;
        }
        if (w->session.stopped_by != WEIR_OK) return w->session.stopped_by;
        if (w->stopped) return WEIR_CLOSED;
        if (!in_time) return WEIR_TIMED_OUT;
        session_poke(&w->session, true); /* nobody has more to do: what waits for company may go */
        in_time = session_wait_on(&w->session, &w->ready, &w->ready_waiters, deadline_ns);
    }
}

weir_status weir_worker_next(weir_worker *w, int timeout_ms, weir_delivery **out_delivery)
{
    uint64_t deadline_ns = session_deadline_ns(&w->session, timeout_ms);
    weir_status status;
    if (session_is_forked(&w->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&w->session.lock);
    status = next_locked(w, deadline_ns, out_delivery);
    (void)pthread_mutex_unlock(&w->session.lock);
    return status;
}

int weir_worker_fd(weir_worker *w)
{
    return session_is_forked(&w->session) ? -1 : w->ready_fd;
}

/* -- running -- */

struct handling {
    weir_worker *worker;
    weir_handler_fn *handler;
    void *arg;
    weir_status status;
    pthread_t thread;
};

static void *handle(void *argument)
{
    struct handling *h = argument;
    weir_delivery *d;
    for (;;) {
        h->status = weir_worker_next(h->worker, -1, &d);
        if (h->status != WEIR_OK) return NULL;
        h->handler(d, h->arg);
    }
}

static weir_status run(weir_worker *w, weir_handler_fn *handler, void *arg)
{
    struct handling *all = calloc(w->handlers, sizeof *all);
    uint32_t started = 1;
    weir_status status = WEIR_OK;
    if (all == NULL) return WEIR_NO_MEMORY;
    for (uint32_t i = 0; i < w->handlers; i++)
        all[i] = (struct handling){ .worker = w, .handler = handler, .arg = arg };
    for (; started < w->handlers; started++)
        if (pthread_create(&all[started].thread, NULL, handle, &all[started]) != 0) {
            status = WEIR_SYSTEM;
            weir_worker_stop(w);
            break;
        }
    (void)handle(&all[0]);
    for (uint32_t i = 1; i < started; i++)
        (void)pthread_join(all[i].thread, NULL);
    if (status == WEIR_OK && all[0].status != WEIR_CLOSED) status = all[0].status;
    free(all);
    return status;
}

weir_status weir_worker_run(weir_worker *w, weir_handler_fn *handler, void *arg)
{
    weir_status status = WEIR_OK;
    if (session_is_forked(&w->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&w->session.lock);
    if (w->running || handler == NULL)
        status = session_fail(&w->session, WEIR_INVALID, "weir_worker_run: %s", handler == NULL ? "no handler" : "it runs already");
    else
        w->running = true;
    (void)pthread_mutex_unlock(&w->session.lock);
    if (status != WEIR_OK) return status;
    status = run(w, handler, arg);
    (void)pthread_mutex_lock(&w->session.lock);
    w->running = false;
    (void)pthread_mutex_unlock(&w->session.lock);
    return status;
}

/* Nothing but what a signal handler may do: the pump does the rest. */
void weir_worker_stop(weir_worker *w)
{
    uint64_t one = 1;
    int error = errno;
    if (session_is_forked(&w->session)) return;
    atomic_store_explicit(&w->stop_asked, true, memory_order_relaxed);
    (void)!write(w->session.wake_fd, &one, sizeof one);
    errno = error;
}

/* All answers are there, and on_settled has heard them; on_settled itself need not wait for its own end. */
static bool is_flushed(const weir_worker *w)
{
    bool told = (w->settled_count == 0 && !w->telling) || pthread_equal(pthread_self(), w->session.pump);
    return told && link_unanswered_settles(w->session.link) == 0;
}

static weir_status flush_locked(weir_worker *w, uint64_t deadline_ns)
{
    while (!is_flushed(w)) {
        if (w->session.stopped_by != WEIR_OK) return w->session.stopped_by;
        session_poke(&w->session, true);
        if (!session_wait(&w->session, deadline_ns)) return is_flushed(w) ? WEIR_OK : WEIR_TIMED_OUT;
    }
    return WEIR_OK;
}

weir_status weir_worker_flush(weir_worker *w, int timeout_ms)
{
    weir_status status;
    if (session_is_forked(&w->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&w->session.lock);
    status = flush_locked(w, session_deadline_ns(&w->session, timeout_ms));
    (void)pthread_mutex_unlock(&w->session.lock);
    return status;
}

/* What is with the user and was never settled goes back too: nobody can settle it any more. */
static void give_back_all(weir_worker *w)
{
    for (uint32_t i = 1; i <= w->slots; i++) {
        if (w->deliveries[i].chunk == NULL) continue;
        delivery_forget(&w->deliveries[i]);
        (void)link_release(w->session.link, i);
    }
    w->first = w->last = NULL;
    w->ready_count = 0;
}

/* Waits until no delivery is under way to this worker any more: what comes before that is given back. Else it would wait for this worker's
 * grace. [R-DRAIN-2] [R-GONE-1] */
static void say_goodbye(weir_worker *w, uint64_t deadline_ns)
{
    session_poke(&w->session, true);
    while (!link_has_left(w->session.link) && session_wait(&w->session, deadline_ns)) {
    }
}

void weir_worker_close(weir_worker **worker)
{
    weir_worker *w = *worker;
    uint64_t deadline_ns;
    if (w == NULL) return;
    *worker = NULL;
    if (session_is_forked(&w->session)) return;
    deadline_ns = session_deadline_ns(&w->session, (int)w->close_timeout_ms);
    weir_worker_stop(w);
    (void)pthread_mutex_lock(&w->session.lock);
    link_no_more(w->session.link);
    w->stopped = true;
    (void)flush_locked(w, deadline_ns);
    give_back_all(w);
    say_goodbye(w, deadline_ns);
    (void)pthread_mutex_unlock(&w->session.lock);
    session_close(&w->session);
    free_worker(w);
}
