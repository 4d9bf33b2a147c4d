/* weir: realtime event infrastructure for AI products. The C SDK: write workers, publish, subscribe, ask.
 *
 *   worker      takes events of a group, one lease each, and settles them: ack, nack, reject, reply
 *   publisher   publishes (waiting, or with a window), and asks requests
 *   subscriber  reads events in order, stored and live, without a group
 *
 * Words used literally below. *lends*: yours to read until the stated moment. *takes*: the library's from then on, only if the call
 * succeeds. *gives*: you release it. A failed call takes nothing and leaves its out_ parameters untouched.
 *
 * Threads. Each open handle runs one thread of its own (the pump) that owns the connection: it keeps it alive, reconnects, resends and
 * extends while your threads work. Calls are safe from any thread unless they say otherwise. Callbacks come on the pump's thread, except
 * weir_handler_fn, which comes on handler threads; a callback must return soon and must not close the handle it belongs to.
 * Fork. A handle belongs to the process that opened it: in a child every call on it returns WEIR_FORKED (and close only frees what can be
 * freed). Times are milliseconds. A timeout of 0 looks and does not wait, -1 waits for ever. Nothing here prints, exits, changes the
 * process's settings or blocks beyond its stated timeout. */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_API __attribute__((visibility("default")))

typedef struct weir_worker weir_worker;
typedef struct weir_delivery weir_delivery;
typedef struct weir_publisher weir_publisher;
typedef struct weir_request_call weir_request_call;
typedef struct weir_subscriber weir_subscriber;

/* ---- Status -------------------------------------------------------------------------------------------------------------------- */

/* Below 64: the error words of the protocol, said by the coordinator (a few of them also by the library). From 64 on: the library's own.
 * New values may come; treat one you do not know as WEIR_INTERNAL. Since 0.1. */
typedef enum weir_status {
    WEIR_OK = 0,
    WEIR_BAD_FRAME = 1,
    WEIR_BAD_REQUEST = 2,  /* something in the event or the options is against the limits */
    WEIR_BAD_VERSION = 3,  /* the coordinator speaks another version of the protocol */
    WEIR_UNAUTHORIZED = 4, /* no credential, or a wrong one */
    WEIR_FORBIDDEN = 5,    /* the credential does not allow this */
    WEIR_NOT_FOUND = 6,    /* no such tenant */
    WEIR_TOO_LARGE = 7,
    WEIR_THROTTLED = 8,  /* again after retry_ms */
    WEIR_OVERLOADED = 9, /* again after retry_ms */
    WEIR_NO_WORKER = 10, /* a request on a topic that no group serves */
    WEIR_TIMED_OUT = 11, /* the stated time is over */
    WEIR_CANCELLED = 12,
    WEIR_EXPIRED = 13,
    WEIR_STALE = 14,    /* the lease had ended: the settle was refused, what came with it dropped */
    WEIR_CONFLICT = 15, /* the group exists with other options or filters */
    WEIR_CREDIT_EXCEEDED = 16,
    WEIR_BREAKER_OPEN = 17,
    WEIR_DRAINING = 18, /* the coordinator is leaving; again after retry_ms */
    WEIR_MOVED = 19,
    WEIR_GONE = 20,        /* not in the window any more */
    WEIR_UNSUPPORTED = 21, /* the coordinator does not serve this (yet) */
    WEIR_INTERNAL = 22,
    WEIR_INVALID = 64,         /* a wrong argument; weir_last_error says which */
    WEIR_CLOSED = 65,          /* stopped or closing */
    WEIR_FULL = 66,            /* the window or buffer is full and there was no time to wait */
    WEIR_ENDED = 67,           /* nothing more will come, as was asked for */
    WEIR_OUTCOME_UNKNOWN = 68, /* accepted or not: cannot be known any more */
    WEIR_NO_MEMORY = 69,
    WEIR_FORKED = 70, /* the handle belongs to another process */
    WEIR_SYSTEM = 71  /* the operating system refused a thread, descriptor or socket; weir_last_error says which */
} weir_status;

/* The word ("throttled", "timeout"). Lends a constant; "unknown" for a number from the future. Since 0.1. */
WEIR_API const char *weir_status_text(weir_status status);

/* What went wrong last. Since 0.1. */
typedef struct weir_error {
    weir_status status;
    const char *word;  /* weir_status_text(status) */
    bool retriable;    /* the same call may succeed later */
    uint32_t retry_ms; /* wait at least this long; 0 = no advice */
    char detail[240];  /* for people: what, where, what to do; "" = nothing to add */
} weir_error;

/* Copies the last error of a worker, publisher or subscriber (of all its threads, and of its connection) to *out_error; with NULL that
 * of this thread's last failed open. Status WEIR_OK: there was none. Any thread. Since 0.1. */
WEIR_API void weir_last_error(const void *handle, weir_error *out_error);

/* "0.1.0" of the library that is loaded. Lends a constant. Since 0.1. */
WEIR_API const char *weir_version(void);

/* ---- Events -------------------------------------------------------------------------------------------------------------------- */

typedef struct weir_header {
    const char *name;
    const char *value;
} weir_header;

typedef enum weir_semantics {
    WEIR_AT_LEAST_ONCE = 0,
    WEIR_AT_MOST_ONCE = 1 /* offered once, at once, before the disk, to who is there; never again */
} weir_semantics;

/* What an author wrote. To publish: `weir_event e = WEIR_EVENT_INIT; e.topic = "docs.7.uploaded"; e.data = …; e.data_size = …;` — all is
 * lent for the call only. To read: strings are never NULL, absent ones are "". Names are UTF-8 of at most 255 bytes; the whole event,
 * encoded, at most what the coordinator takes (8 MiB), and 64 KiB without its data. Over 64 KiB it travels in parts, past which smaller
 * ones go. Since 0.1. */
typedef struct weir_event {
    size_t size;         /* sizeof(weir_event), set by WEIR_EVENT_INIT; 0 = the fields of 0.1 */
    const char *topic;   /* dotted words, required */
    const char *key;     /* what it is about; events of one key can be kept in order */
    const char *session; /* the conversation it belongs to */
    const char *token;   /* idempotency: accepted once in 10 minutes; a repeat gets the first one's answer, with `duplicate` */
    const char *type;
    const char *content_type;
    const char *traceparent; /* W3C trace context */
    const char *tracestate;
    const char *reply_to; /* a request: where its answer goes. Leave it to weir_request. */
    const weir_header *headers;
    size_t header_count; /* at most 64 */
    const void *data;    /* opaque; in an event that is read, a NUL that is not counted follows */
    size_t data_size;
    uint64_t time_ms;     /* the author's clock, Unix; 0 when publishing = now */
    uint64_t ttl_ms;      /* not delivered when older; 0 = no limit */
    uint64_t deadline_ms; /* Unix; a request: when its author stops waiting. Leave it to weir_request. */
    uint32_t priority;    /* 0..3; within a group a higher one goes first, and no other starves */
    weir_semantics semantics;
    uint64_t delay_ms;      /* not shown before it is so old; at most 400 days. Not with AT_MOST_ONCE or a request */
    uint64_t not_before_ms; /* the same as a time, Unix; of both the later */
} weir_event;

static inline weir_event weir_event_init(void)
{
    weir_event e;
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    return e;
}
#define WEIR_EVENT_INIT weir_event_init()

/* Room for an event id, "<epoch>-<position>" with its NUL: the one cursor for resuming. */
#define WEIR_EVENT_ID_SIZE 40

/* ---- What every handle's options share ------------------------------------------------------------------------------------------- */

typedef enum weir_state {
    WEIR_STATE_CONNECTING = 1, /* a connection is being made */
    WEIR_STATE_UP = 2,         /* welcome was heard */
    WEIR_STATE_WAITING = 3,    /* lost or refused for now; error says why, retry_ms when it is tried again */
    WEIR_STATE_STOPPED = 4     /* refused for good (credential, group options, version): it will not be tried again */
} weir_state;

/* error: NULL, or why; lent for the call. */
typedef void weir_state_fn(weir_state state, const weir_error *error, void *arg);

typedef enum weir_log_level { WEIR_LOG_DEBUG = 1, WEIR_LOG_INFO = 2, WEIR_LOG_WARNING = 3, WEIR_LOG_ERROR = 4 } weir_log_level;

/* One fact, no line end; text is lent for the call. */
typedef void weir_log_fn(weir_log_level level, const char *text, void *arg);

typedef enum weir_start {
    WEIR_START_NEW = 0,   /* what comes from now on */
    WEIR_START_FIRST = 1, /* from the oldest there is */
    WEIR_START_SEQ = 2,   /* after the seq start_at (workers), after the event id `since` (subscribers) */
    WEIR_START_TIME = 3,  /* from the time start_at, Unix ms */
    WEIR_START_LAST = 4   /* subscribers: the last start_at events that match, then live */
} weir_start;

/* ---- Worker ------------------------------------------------------------------------------------------------------------------------ */

typedef enum weir_ordering {
    WEIR_ORDERING_NONE = 0,
    WEIR_ORDERING_KEY = 1,
    WEIR_ORDERING_SESSION = 2,
    WEIR_ORDERING_GROUP = 3
} weir_ordering;

typedef enum weir_affinity {
    WEIR_AFFINITY_NONE = 0,
    WEIR_AFFINITY_SESSION = 1 /* a session stays with the worker that had its last event while that lives and has credit */
} weir_affinity;

#define WEIR_RETRY_FLOOR_UNLIMITED 1000000 /* retry_floor: a group's retries are not held back */

/* A settle's answer, after it is committed. Since 0.1. */
typedef struct weir_settled {
    weir_status status; /* WEIR_OK; WEIR_STALE: the lease had ended, nothing was done; WEIR_OUTCOME_UNKNOWN: it was sent
                           and the connection was lost before the answer, it counted or another attempt has the event; else why it was
                           refused (the library then nacks the event) */
    uint64_t seq;
    uint32_t attempt;
    void *user; /* of weir_delivery_set_user */
} weir_settled;
typedef void weir_settled_fn(const weir_settled *settled, void *arg);

/* Takes one delivery; it settles it (here or later, in any thread) with weir_ack, weir_nack, weir_reject or weir_reply. */
typedef void weir_handler_fn(weir_delivery *delivery, void *arg);

/* 0 or NULL = the default behind it. Everything is lent for the open only, except callbacks and arg. Since 0.1. */
typedef struct weir_worker_options {
    size_t size;            /* set by WEIR_WORKER_OPTIONS_INIT */
    const char *endpoint;   /* WEIR_ENDPOINT, else tcp://127.0.0.1:7400 */
    const char *tenant;     /* WEIR_TENANT, else the credential's */
    const char *credential; /* WEIR_CREDENTIAL, else none */
    const char *name;       /* for people who look at the coordinator */
    const char *server_key; /* CURVE, Z85 of 40 characters: all three or none */
    const char *public_key;
    const char *secret_key;
    const char *group;         /* required; made if it is new, with the options below, which are then fixed: other ones are WEIR_CONFLICT */
    const char *const *topics; /* filters: `*` is one word, a last `>` the rest; at least one */
    size_t topic_count;
    weir_ordering ordering;  /* events of one key, session, or all: one at a time, in log order within a priority; none */
    uint32_t lease_ms;       /* how long a delivery is on loan without weir_extend; the group's */
    uint32_t max_deliveries; /* failed attempts after which an event is a dead letter; the group's; no limit */
    uint32_t backoff_ms;     /* after the first failure; the group's */
    weir_start start;        /* of a new group: NEW, FIRST, SEQ, TIME */
    uint64_t start_at;
    uint32_t handlers;       /* threads of weir_worker_run, its caller's included; 1 */
    uint32_t credit;         /* deliveries held here at most, waiting ones included; 64 or 2 * handlers, whichever is more; at most 16384 */
    uint64_t credit_bytes;   /* the same in bytes of encoded events; 32 MiB */
    uint32_t auto_extend_ms; /* the pump extends a started delivery until it is this old; 0: only weir_extend does */
    uint32_t unstarted_ms;   /* deliveries that wait here unstarted are given back after this time, and extended until then; 60000 */
    uint32_t connect_timeout_ms; /* open waits this long for the coordinator's welcome; 0: it does not wait */
    uint32_t close_timeout_ms;   /* close waits at most this long for the answers of settles; 2000 */
    weir_state_fn *on_state;
    weir_log_fn *on_log;
    weir_settled_fn *on_settled;
    void *arg; /* for the three of them */
    uint32_t max_event_bytes; /* larger events are left to other workers; 8 MiB; at most 64 MiB */
    /* The group's too, as ordering is: */
    weir_affinity affinity;    /* none */
    uint32_t affinity_wait_ms; /* a session moves when its worker has had no credit for so long; 2000 */
    uint32_t limit;            /* events out at once in the group, over all workers; no limit */
    uint32_t limit_each;       /* the same for each value of limit_by; no limit */
    const char *limit_by;      /* "header:NAME" or "word:N", the N-th word of the topic from 1; events without it are not limited */
    uint32_t max_deaths;       /* workers that an event may cost before it is a dead letter; 5 */
    uint32_t retry_percent;    /* retries for 100 first deliveries, at most, besides those of retry_floor; 100 */
    uint32_t retry_floor;      /* retries in a second, of which ten seconds may be saved up; 100; WEIR_RETRY_FLOOR_UNLIMITED: no budget */
} weir_worker_options;

static inline weir_worker_options weir_worker_options_init(void)
{
    weir_worker_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    return o;
}
#define WEIR_WORKER_OPTIONS_INIT weir_worker_options_init()

/* Gives *out_worker, to be closed. Without connect_timeout_ms it does not wait: connecting goes on in the background for as long as it
 * takes. WEIR_OK | WEIR_INVALID | WEIR_NO_MEMORY | WEIR_SYSTEM; with connect_timeout_ms also WEIR_TIMED_OUT and the word of a refusal.
 * Since 0.1. */
WEIR_API weir_status weir_worker_open(const weir_worker_options *options, weir_worker **out_worker);

/* Calls handler for each delivery, on this thread and handlers - 1 more, until weir_worker_stop, then lets running calls finish.
 * WEIR_OK after a stop; WEIR_FORKED | WEIR_SYSTEM; the word of a refusal for good (WEIR_UNAUTHORIZED, WEIR_CONFLICT, …). One at a time.
 * Since 0.1. */
WEIR_API weir_status weir_worker_run(weir_worker *worker, weir_handler_fn *handler, void *arg);

/* Ends weir_worker_run and weir_worker_next; deliveries not yet started are given back. Any thread, a handler, or a signal handler. Since
 * 0.1. */
WEIR_API void weir_worker_stop(weir_worker *worker);

/* Waits up to timeout_ms for work. Lends *out_delivery until it is settled. WEIR_OK | WEIR_TIMED_OUT | WEIR_CLOSED | WEIR_FORKED, or
 * the word of a refusal for good. Any thread. Since 0.1. */
WEIR_API weir_status weir_worker_next(weir_worker *worker, int timeout_ms, weir_delivery **out_delivery);

/* A descriptor that is readable while weir_worker_next has something to return, for poll or an own event loop. Only wait on it: do not
 * read, write or close it. Lent until close. -1 in a forked child. Since 0.1. */
WEIR_API int weir_worker_fd(weir_worker *worker);

/* Waits until every settle so far has its answer. WEIR_OK | WEIR_TIMED_OUT | WEIR_CLOSED | WEIR_FORKED. Any thread. Since 0.1. */
WEIR_API weir_status weir_worker_flush(weir_worker *worker, int timeout_ms);

/* Gives back what was not started, waits up to close_timeout_ms for the answers of settles, ends the pump and frees everything, also
 * deliveries that were not settled (their events go out again). Sets *worker to NULL; NULL inside is fine. Not from a callback, not while
 * another thread is in a call on it. Since 0.1. */
WEIR_API void weir_worker_close(weir_worker **worker);

/* -- A delivery: one thread at a time. -- */

/* Lends the event until the delivery is settled. NULL when its bytes cannot be read (it was not checked by a coordinator). Since 0.1. */
WEIR_API const weir_event *weir_delivery_event(weir_delivery *delivery);
WEIR_API uint64_t weir_delivery_seq(const weir_delivery *delivery);       /* order in the log, below 2^53 */
WEIR_API const char *weir_delivery_event_id(weir_delivery *delivery);     /* "<epoch>-<its first seq>"; lent until it is settled */
WEIR_API uint64_t weir_delivery_time_ms(const weir_delivery *delivery);   /* when it was logged, Unix */
WEIR_API uint64_t weir_delivery_cause_seq(const weir_delivery *delivery); /* the seq of the event that led to it; 0 = none */
WEIR_API uint32_t weir_delivery_attempt(const weir_delivery *delivery);   /* 1, 2, … */
WEIR_API const char *weir_delivery_token(weir_delivery *delivery);        /* the same on every attempt: the idempotency key for effects
                                                                             outside weir; lent until it is settled */
WEIR_API bool weir_delivery_is_replay(const weir_delivery *delivery);     /* stored events played again */
WEIR_API bool weir_delivery_is_request(weir_delivery *delivery);          /* somebody waits for weir_reply */
WEIR_API uint32_t weir_delivery_lease_ms(const weir_delivery *delivery);  /* length of the lease as it was given */

/* An own pointer, kept with the delivery and told by on_settled. Since 0.1. */
WEIR_API void weir_delivery_set_user(weir_delivery *delivery, void *user);
WEIR_API void *weir_delivery_user(const weir_delivery *delivery);

/* True when the requester does not want the answer any more, or the lease has ended (so that working on is in vain). Any thread. Since 0.1.
 */
WEIR_API bool weir_cancelled(const weir_delivery *delivery);

/* The four that settle. Each takes the delivery and sends the settle at once or as soon as there is a connection; what the coordinator
 * makes of it is told by on_settled. They return WEIR_OK | WEIR_INVALID | WEIR_FORKED | WEIR_CLOSED (stopped for good), and with emits
 * WEIR_TIMED_OUT (no emit credit came for the length of a lease); unless WEIR_OK the delivery is still yours. Since 0.1. */
WEIR_API weir_status weir_ack(weir_delivery *delivery); /* done; what was emitted is committed with it */
WEIR_API weir_status weir_nack(weir_delivery *delivery, uint32_t delay_ms,
                               const char *reason); /* failed: again after delay_ms (0 = back-off) */
WEIR_API weir_status weir_reject(weir_delivery *delivery,
                                 const char *reason); /* never again; answers a request with bad_request and the reason */
WEIR_API weir_status weir_reply(weir_delivery *delivery, const void *data, size_t data_size); /* ack, with the final answer to a request, as
                                                                                                 large as an event may be;
                                                                                                 WEIR_INVALID when it is none */

/* The lease ends lease_ms from now (0 = the group's length; at most 1 h). WEIR_OK | WEIR_STALE (the lease is known to have ended)
 * | WEIR_FULL | WEIR_FORKED | WEIR_CLOSED. Does not wait. Since 0.1. */
WEIR_API weir_status weir_extend(weir_delivery *delivery, uint32_t lease_ms);

/* Holds a copy of the event, committed together with weir_ack or weir_reply and dropped by the others. At most 256 events and 256 KiB for a
 * delivery; at most 16 of them may be over 64 KiB (as large as a published one, see weir_event), whose data does not count and travels in
 * parts before the settle. WEIR_OK | WEIR_INVALID | WEIR_TOO_LARGE | WEIR_NO_MEMORY | WEIR_FORKED. Since 0.1. */
WEIR_API weir_status weir_emit(weir_delivery *delivery, const weir_event *event);

/* Sends a piece of the answer to a request at once; it is not stored. A longer piece is several. WEIR_OK | WEIR_INVALID (not a request) | WEIR_STALE | WEIR_TOO_LARGE
 * (64 KiB) | WEIR_FULL (it was dropped, as were the connection's before it: the receiver is slower) | WEIR_FORKED | WEIR_CLOSED. Does not
 * wait. Since 0.1. */
WEIR_API weir_status weir_partial(weir_delivery *delivery, const void *data, size_t data_size);

/* ---- Publisher --------------------------------------------------------------------------------------------------------------------- */

/* What became of publishes first_number, first_number + 1, …: all of them the same. Since 0.1. */
typedef struct weir_result {
    weir_status status; /* WEIR_OK: accepted and committed; WEIR_OUTCOME_UNKNOWN; else why they were refused */
    uint64_t first_number;
    uint64_t count;
    uint64_t first_seq;                /* accepted: of the first; the others follow without gap */
    bool duplicate; /* accepted before (this publish sent again, or another with its token): first_seq is the first one's */
    uint32_t retry_ms;                 /* refused: publish again after this time; 0 = do not */
    char event_id[WEIR_EVENT_ID_SIZE]; /* accepted: of the first; else "" */
} weir_result;
typedef void weir_result_fn(const weir_result *result, void *arg);

/* 0 or NULL = the default behind it. Everything is lent for the open only, except callbacks and arg. Since 0.1. */
typedef struct weir_publisher_options {
    size_t size;          /* set by WEIR_PUBLISHER_OPTIONS_INIT */
    const char *endpoint; /* the first eight as in weir_worker_options */
    const char *tenant;
    const char *credential;
    const char *name;
    const char *server_key;
    const char *public_key;
    const char *secret_key;
    uint32_t window;             /* publishes without an answer at most; 16384, also the most */
    uint64_t window_bytes;       /* the same in bytes of encoded events; 32 MiB. Half of it is the largest event */
    uint32_t connect_timeout_ms; /* as for workers */
    uint32_t close_timeout_ms;   /* close waits at most this long for answers; 2000 */
    weir_state_fn *on_state;
    weir_log_fn *on_log;
    weir_result_fn *on_result; /* for every publish, waiting ones too; ranges come in any order */
    void *arg;
} weir_publisher_options;

static inline weir_publisher_options weir_publisher_options_init(void)
{
    weir_publisher_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    return o;
}
#define WEIR_PUBLISHER_OPTIONS_INIT weir_publisher_options_init()

/* As weir_worker_open. Gives *out_publisher. Since 0.1. */
WEIR_API weir_status weir_publisher_open(const weir_publisher_options *options, weir_publisher **out_publisher);

/* Publishes and waits for the answer. WEIR_OK: committed, *out_result (may be NULL) filled. WEIR_INVALID | WEIR_TOO_LARGE: not sent.
 * WEIR_FULL: no room came in time, not sent. WEIR_TIMED_OUT: sent or waiting to be, no answer yet; it may still be accepted.
 * WEIR_OUTCOME_UNKNOWN | WEIR_CLOSED | WEIR_FORKED | the word of a refusal. Unless it is one of the first three, *out_result is filled with
 * what is known. Any thread. Since 0.1. */
WEIR_API weir_status weir_publish(weir_publisher *publisher, const weir_event *event, int timeout_ms, weir_result *out_result);

/* Puts the event into the window, waiting up to timeout_ms for room, and returns; on_result tells the answer under *out_number (may be
 * NULL). Events of one thread are sent and numbered in the order of the calls. WEIR_OK | WEIR_INVALID | WEIR_TOO_LARGE | WEIR_FULL |
 * WEIR_CLOSED | WEIR_FORKED | the word of a refusal for good. Any thread. Since 0.1. */
WEIR_API weir_status weir_publish_async(weir_publisher *publisher, const weir_event *event, int timeout_ms, uint64_t *out_number);

/* Waits until every publish so far has its answer. WEIR_OK | WEIR_TIMED_OUT | WEIR_CLOSED | WEIR_FORKED | the word of a refusal for good.
 * Since 0.1. */
WEIR_API weir_status weir_publisher_flush(weir_publisher *publisher, int timeout_ms);

/* Waits up to close_timeout_ms for answers, then frees everything, open calls included; what has no answer then is WEIR_OUTCOME_UNKNOWN.
 * Sets *publisher to NULL; NULL inside is fine. Not from a callback, not while another thread is in a call on it. Since 0.1. */
WEIR_API void weir_publisher_close(weir_publisher **publisher);

/* ---- Requests ------------------------------------------------------------------------------------------------------------------------ */

typedef enum weir_answer_kind {
    WEIR_ANSWER_PARTIAL = 1, /* a piece, in order within its attempt */
    WEIR_ANSWER_REPLY = 2,   /* the final answer */
    WEIR_ANSWER_ERROR = 3    /* the final answer: no; status says why */
} weir_answer_kind;

typedef struct weir_answer {
    weir_answer_kind kind;
    weir_status status; /* WEIR_ANSWER_ERROR: why */
    uint32_t attempt;   /* partial: of a higher attempt than before = start over, throw away the pieces so far */
    uint32_t index;     /* partial: 0, 1, … in each attempt */
    const void *data;   /* a NUL that is not counted follows */
    size_t data_size;
    uint64_t seq; /* reply and error: of the answering event; 0 when the publish itself was refused */
} weir_answer;

/* Publishes event as a request that is answered within timeout_ms (1 ms to 1 h; it becomes deadline_ms). Gives *out_call. Waits for room in
 * the window, not for the answer. WEIR_OK | WEIR_INVALID | WEIR_TOO_LARGE | WEIR_FULL (too many open calls: 1024, or no room) |
 * WEIR_NO_MEMORY | WEIR_CLOSED | WEIR_FORKED. Since 0.1. */
WEIR_API weir_status weir_request(weir_publisher *publisher, const weir_event *event, uint32_t timeout_ms, weir_request_call **out_call);

/* Waits for the next partial, reply or error. Lends *out_answer until the next call on it. WEIR_OK | WEIR_TIMED_OUT (timeout_ms is over, or
 * the request's own time: then *out_answer is not coming) | WEIR_ENDED (after the final answer) | WEIR_CLOSED | WEIR_FORKED. One thread at
 * a time. Since 0.1. */
WEIR_API weir_status weir_request_next(weir_request_call *call, int timeout_ms, const weir_answer **out_answer);

/* Tells the worker that the answer is not wanted. No answer, no promise. WEIR_OK | WEIR_FORKED. Since 0.1. */
WEIR_API weir_status weir_request_cancel(weir_request_call *call);

/* Forgets the call; a later answer is dropped. Sets *call to NULL. Since 0.1. */
WEIR_API void weir_request_close(weir_request_call **call);

/* ---- Subscriber ---------------------------------------------------------------------------------------------------------------------- */

/* 0 or NULL = the default behind it. Everything is lent for the open only, except callbacks and arg. Since 0.1. */
typedef struct weir_subscriber_options {
    size_t size;          /* set by WEIR_SUBSCRIBER_OPTIONS_INIT */
    const char *endpoint; /* the first eight as in weir_worker_options */
    const char *tenant;
    const char *credential;
    const char *name;
    const char *server_key;
    const char *public_key;
    const char *secret_key;
    const char *const
        *topics; /* filters, at least one, at most 64; each is read in order for itself: an event that two match comes twice */
    size_t topic_count;
    weir_start start;
    const char *since;           /* WEIR_START_SEQ: the event id after which to begin */
    uint64_t start_at;           /* WEIR_START_TIME, WEIR_START_LAST; WEIR_START_SEQ without since: a seq of the running epoch */
    uint64_t limit;              /* per filter: stop after so many, or at what was committed at the beginning; 0 = live, without end */
    uint32_t credit;             /* events waiting here at most; 4096 */
    uint64_t credit_bytes;       /* 32 MiB */
    uint32_t connect_timeout_ms; /* as for workers */
    weir_state_fn *on_state;
    weir_log_fn *on_log;
    void *arg;
    uint32_t max_event_bytes; /* larger events come without their data, see too_large; 8 MiB; at most 64 MiB */
    bool as_admin;            /* may read the system's topics, as $dlq.> and $sys.>, when the credential allows that */
} weir_subscriber_options;

static inline weir_subscriber_options weir_subscriber_options_init(void)
{
    weir_subscriber_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    return o;
}
#define WEIR_SUBSCRIBER_OPTIONS_INIT weir_subscriber_options_init()

/* An event as it stands in the log. Since 0.1. */
typedef struct weir_stored_event {
    const weir_event *event;
    uint64_t seq;                      /* its place in the order */
    uint64_t time_ms;                  /* when it came to this place, Unix */
    uint64_t cause_seq;                /* of the event that led to it; 0 = none */
    size_t topic_index;                /* of the filter in options.topics */
    bool gap;                          /* events between the place asked for, or the one before, and this one are not there any more */
    char event_id[WEIR_EVENT_ID_SIZE]; /* the same for ever, as its publisher was told */
    char cursor[WEIR_EVENT_ID_SIZE];   /* to resume after it: the id, unless it stands here again (it was delayed, say) */
    uint64_t too_large;                /* not 0: the size of its data, which did not come as the event is over max_event_bytes */
} weir_stored_event;

/* As weir_worker_open. Gives *out_subscriber. It resumes by itself after a lost connection, without gap or repeat. Since 0.1. */
WEIR_API weir_status weir_subscriber_open(const weir_subscriber_options *options, weir_subscriber **out_subscriber);

/* Waits up to timeout_ms for the next event. Lends *out_event until the next call. WEIR_OK | WEIR_TIMED_OUT | WEIR_ENDED (limit reached,
 * all filters) | WEIR_GONE (too slow: what comes next has left the window) | WEIR_CLOSED (stopped) | WEIR_FORKED | the word of a refusal.
 * One thread at a time. Since 0.1. */
WEIR_API weir_status weir_subscriber_next(weir_subscriber *subscriber, int timeout_ms, const weir_stored_event **out_event);

/* Readable while weir_subscriber_next has something to return, as weir_worker_fd. Since 0.1. */
WEIR_API int weir_subscriber_fd(weir_subscriber *subscriber);

/* True when everything stored has been returned by weir_subscriber_next and what comes now is live. Since 0.1. */
WEIR_API bool weir_subscriber_caught_up(weir_subscriber *subscriber);

/* After WEIR_ENDED: there may be more events after the last one. Since 0.1. */
WEIR_API bool weir_subscriber_more(weir_subscriber *subscriber);

/* Ends weir_subscriber_next. Any thread, or a signal handler. Since 0.1. */
WEIR_API void weir_subscriber_stop(weir_subscriber *subscriber);

/* Sets *subscriber to NULL; NULL inside is fine. Not from a callback, not while another thread is in a call on it. Since 0.1. */
WEIR_API void weir_subscriber_close(weir_subscriber **subscriber);

#ifdef __cplusplus
}
#endif

#endif
