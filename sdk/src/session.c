/* Opening and ending a session, waiting and waking. */
#include "sdk/src/session.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* A child after fork has the memory of a handle but not its thread: counted here, so that a call need not ask for the process id. */
static atomic_uint forks;
static pthread_once_t watch_forks_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
    atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, count_fork);
}

bool session_is_forked(const struct session *session)
{
    return session->fork_mark != atomic_load_explicit(&forks, memory_order_relaxed);
}

struct session_driver *(*session_find_driver)(const char *endpoint);

uint64_t session_now_ns(const struct session *session)
{
    struct timespec now;
    if (session->driver != NULL) return session->driver->now_ns(session->driver);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t session_wall_ms(const struct session *session)
{
    struct timespec now;
    if (session->driver != NULL) return session->driver->wall_ms(session->driver);
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t session_deadline_ns(const struct session *session, int timeout_ms)
{
    if (timeout_ms == 0) return 0;
    if (timeout_ms > 0) return session_now_ns(session) + (uint64_t)timeout_ms * 1000000u;
    return session->driver != NULL ? session_now_ns(session) + SESSION_DRIVEN_WAIT_NS : UINT64_MAX;
}

static bool drive(struct session *session, uint64_t deadline_ns)
{
    bool in_time;
    (void)pthread_mutex_unlock(&session->lock);
    in_time = session->driver->wait(session->driver, session, deadline_ns);
    (void)pthread_mutex_lock(&session->lock);
    return in_time;
}

void session_poke(struct session *session, bool urgent)
{
    uint64_t one = 1;
    if (session->mood == PUMP_AWAKE) session->poked = true; /* it looks at the link once more before it sleeps */
    if (session->mood == PUMP_AWAKE || (session->mood == PUMP_WAITS_FOR_COMPANY && !urgent)) return;
    session->mood = PUMP_AWAKE;
    (void)!write(session->wake_fd, &one, sizeof one);
}

bool session_wait_on(struct session *session, pthread_cond_t *condition, uint32_t *waiters, uint64_t deadline_ns)
{
    struct timespec until = { .tv_sec = (time_t)(deadline_ns / 1000000000u), .tv_nsec = (long)(deadline_ns % 1000000000u) };
    int result;
    if (session->driver != NULL) return drive(session, deadline_ns);
    if (deadline_ns == 0) return false;
    ++*waiters;
    if (deadline_ns == UINT64_MAX)
        result = pthread_cond_wait(condition, &session->lock);
    else
        result = pthread_cond_timedwait(condition, &session->lock, &until);
    --*waiters;
    return result != ETIMEDOUT;
}

bool session_wait(struct session *session, uint64_t deadline_ns)
{
    return session_wait_on(session, &session->changed, &session->waiters, deadline_ns);
}

void session_make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

/* -- open -- */

static const char *or_environment(const char *given, const char *name, const char *fallback)
{
    const char *value = given;
    if (value == NULL || *value == '\0') value = getenv(name);
    return value != NULL && *value != '\0' ? value : fallback;
}

static weir_status take_keys(struct session *session, const struct session_options *options)
{
    const char *keys[3] = { options->server_key, options->public_key, options->secret_key };
    char *places[3] = { session->server_key, session->public_key, session->secret_key };
    uint8_t raw[32];
    int given = 0;
    for (int i = 0; i < 3; i++) {
        if (keys[i] == NULL || *keys[i] == '\0') continue;
        if (strlen(keys[i]) != KEY_TEXT || zmq_z85_decode(raw, keys[i]) == NULL)
            return session_refuse_open(WEIR_INVALID, "a CURVE key is not Z85 text of 40 characters");
        memcpy(places[i], keys[i], KEY_TEXT + 1);
        given++;
    }
    if (given != 0 && given != 3)
        return session_refuse_open(WEIR_INVALID, "server_key, public_key and secret_key belong together: give all three, or none");
    return WEIR_OK;
}

static void take_fact(void *arg, const struct link_fact *fact);

static weir_status make_link(struct session *session, const struct session_options *options, struct link_options *link_options)
{
    uint8_t random[2 * 16 + 8];
    void *memory;
    if (session->driver != NULL)
        session->driver->random(session->driver, random, sizeof random);
    else if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return session_refuse_open(WEIR_SYSTEM, "getrandom: %s", strerror(errno));
    link_options->name = session_span(options->name);
    link_options->tenant = session_span(or_environment(options->tenant, "WEIR_TENANT", ""));
    link_options->credential = session_span(or_environment(options->credential, "WEIR_CREDENTIAL", ""));
    link_options->instance = span_of(random, 16);
    link_options->publisher = span_of(random + 16, link_options->publisher.size != 0 ? 16 : 0);
    memcpy(&link_options->seed, random + 32, 8);
    link_options->on_fact = take_fact;
    link_options->arg = session;
    if (link_options->name.size > 255 || link_options->tenant.size > 255)
        return session_refuse_open(WEIR_INVALID, "name and tenant are at most 255 bytes");
    memory = calloc(1, link_memory(link_options));
    if (memory == NULL) return session_refuse_open(WEIR_NO_MEMORY, "no memory for a session");
    session->link = link_init(memory, link_options, session_now_ns(session));
    return WEIR_OK;
}

enum { DECODE_ARENA = 8 << 20 };

static weir_status make_resources(struct session *session)
{
    void *flush = malloc(LINK_FLUSH_ARENA * 2), *decode = malloc(DECODE_ARENA); /* the packet, and its encoding */
    session->flush_arena.memory = flush;
    session->decode_arena.memory = decode;
    if (flush == NULL || decode == NULL) return session_refuse_open(WEIR_NO_MEMORY, "no memory for a session");
    arena_init(&session->flush_arena, flush, LINK_FLUSH_ARENA * 2);
    arena_init(&session->decode_arena, decode, DECODE_ARENA);
    session->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (session->wake_fd < 0) return session_refuse_open(WEIR_SYSTEM, "eventfd: %s", strerror(errno));
    if (session->driver == NULL) session->context = zmq_ctx_new();
    if (session->driver == NULL && session->context == NULL)
        return session_refuse_open(WEIR_SYSTEM, "zmq_ctx_new: %s", zmq_strerror(errno));
    return WEIR_OK;
}

static weir_status await_welcome(struct session *session, uint32_t timeout_ms)
{
    uint64_t deadline_ns = session_now_ns(session) + timeout_ms * UINT64_C(1000000);
    weir_error error;
    (void)pthread_mutex_lock(&session->lock);
    while (session->state != WEIR_STATE_UP && session->state != WEIR_STATE_STOPPED && session_wait(session, deadline_ns)) {
    }
    error = session->error;
    if (session->state == WEIR_STATE_UP)
        error.status = WEIR_OK;
    else if (session->state != WEIR_STATE_STOPPED)
        error.status = WEIR_TIMED_OUT;
    (void)pthread_mutex_unlock(&session->lock);
    if (error.status == WEIR_TIMED_OUT)
        return session_refuse_open(WEIR_TIMED_OUT, "%s did not answer within %u ms%s%s", session->endpoint, timeout_ms,
                                   error.detail[0] != '\0' ? ": " : "", error.detail);
    if (error.status != WEIR_OK) return session_refuse_open(error.status, "%s", error.detail);
    return WEIR_OK;
}

static weir_status start_pump(struct session *session)
{
    if (session->driver != NULL)
        return session->driver->attach(session->driver, session)
                   ? WEIR_OK
                   : session_refuse_open(WEIR_FULL, "endpoint %s: too many handles are open on it", session->endpoint);
    if (!transport_check(session)) return session_refuse_open(WEIR_INVALID, "endpoint %s: %s", session->endpoint, zmq_strerror(errno));
    if (pthread_create(&session->pump, NULL, pump_run, session) != 0) return session_refuse_open(WEIR_SYSTEM, "no thread for the pump");
    return WEIR_OK;
}

static weir_status start(struct session *session, const struct session_options *options, struct link_options *link_options)
{
    weir_status status = take_keys(session, options);
    session->endpoint = strdup(or_environment(options->endpoint, "WEIR_ENDPOINT", "tcp://127.0.0.1:7400"));
    if (status == WEIR_OK && session->endpoint == NULL) status = session_refuse_open(WEIR_NO_MEMORY, "no memory for a session");
    if (status != WEIR_OK) return status;
    if (session_find_driver != NULL) session->driver = session_find_driver(session->endpoint);
    status = make_resources(session);
    if (status == WEIR_OK) status = make_link(session, options, link_options);
    if (status == WEIR_OK) status = start_pump(session);
    if (status != WEIR_OK) return status;
    session->started = true;
    return options->connect_timeout_ms != 0 ? await_welcome(session, options->connect_timeout_ms) : WEIR_OK;
}

weir_status session_open(struct session *session, const struct session_hooks *hooks, const struct session_options *options,
                         struct link_options *link_options)
{
    weir_status status;
    (void)pthread_once(&watch_forks_once, watch_forks);
    session->fork_mark = atomic_load_explicit(&forks, memory_order_relaxed);
    session->hooks = hooks;
    session->wake_fd = -1;
    session->state = WEIR_STATE_CONNECTING;
    session->on_state = options->on_state;
    session->on_log = options->on_log;
    session->arg = options->arg;
    (void)pthread_mutex_init(&session->lock, NULL);
    session_make_condition(&session->changed);
    status = start(session, options, link_options);
    if (status != WEIR_OK) session_close(session);
    return status;
}

void session_end(struct session *session)
{
    if (!session->started) return;
    if (session->driver != NULL) {
        session->driver->detach(session->driver, session);
        session->started = false;
        return;
    }
    (void)pthread_mutex_lock(&session->lock);
    session->ending = true;
    session_poke(session, true);
    (void)pthread_mutex_unlock(&session->lock);
    (void)pthread_join(session->pump, NULL);
    session->started = false;
}

void session_close(struct session *session)
{
    session_end(session);
    if (session->context != NULL) (void)zmq_ctx_term(session->context);
    if (session->wake_fd >= 0) (void)close(session->wake_fd);
    (void)pthread_cond_destroy(&session->changed);
    (void)pthread_mutex_destroy(&session->lock);
    free(session->link);
    free(session->flush_arena.memory);
    free(session->decode_arena.memory);
    free(session->endpoint);
    explicit_bzero(session->secret_key, sizeof session->secret_key);
}

/* -- facts -- */

static weir_state state_of(enum link_state state)
{
    switch (state) {
    case LINK_UP:
        return WEIR_STATE_UP;
    case LINK_WAITING:
        return WEIR_STATE_WAITING;
    case LINK_STOPPED:
        return WEIR_STATE_STOPPED;
    default:
        return WEIR_STATE_CONNECTING;
    }
}

/* Told to the user by the pump, later, without the lock. When too many wait, the newest of them gives way: the last state is what counts.
 */
static void add_notice(struct session *session, weir_state state, const weir_error *error)
{
    struct notice *notice;
    if (session->on_state == NULL && session->on_log == NULL) return;
    if (session->notice_count == NOTICES_MAX) session->notice_count--;
    notice = &session->notices[session->notice_count++];
    notice->state = state;
    notice->error = *error;
}

static void take_state(struct session *session, const struct link_fact *fact)
{
    weir_state state = state_of(fact->state.state);
    weir_error error = session_error((weir_status)fact->state.code, fact->state.retry_ms, fact->state.message);
    if (fact->state.code != CODE_OK || fact->state.message.size != 0) session->error = error;
    if (state == WEIR_STATE_STOPPED) session->stopped_by = fact->state.code != CODE_OK ? (weir_status)fact->state.code : WEIR_INTERNAL;
    if (state == session->state && state == WEIR_STATE_CONNECTING) return;
    session->state = state;
    add_notice(session, state, &error);
    (void)pthread_cond_broadcast(&session->changed);
}

static void take_fact(void *arg, const struct link_fact *fact)
{
    struct session *session = arg;
    if (fact->kind == LINK_FACT_STATE) {
        take_state(session, fact);
    } else if (fact->kind == LINK_FACT_ERROR) {
        session->error = session_error((weir_status)fact->error->code, fact->error->retry_ms, fact->error->message);
        add_notice(session, session->state, &session->error);
    }
    session->hooks->fact(session, fact);
}
