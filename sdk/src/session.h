/* What every open handle of the SDK is made of: a link (pure), one DEALER socket at a time, and a pump thread that moves packets between
 * the two.
 *
 * Threads. `lock` guards the link and everything of the handle that facts touch; it is held for a batch, never over a system call that can
 * wait. The pump owns socket and monitor alone. Facts come to hooks->fact under the lock; user callbacks run on the pump without it.
 * Waking. A user's call that gave the pump something to send pokes it: nothing is written while it is awake, nor, unless it is urgent,
 * while it waits for company. */
#ifndef WEIR_SDK_SESSION_H
#define WEIR_SDK_SESSION_H

#include <pthread.h>
#include <stdarg.h>
#include <weir/weir.h>
#include <zmq.h>

#include "proto/event.h"
#include "sdk/base/topic.h"
#include "sdk/link/link.h"

struct session;

/* The options that all handles share; texts are copied by session_open. */
struct session_options {
    const char *endpoint, *tenant, *credential, *name, *server_key, *public_key, *secret_key;
    uint32_t connect_timeout_ms;
    weir_state_fn *on_state;
    weir_log_fn *on_log;
    void *arg;
};

struct session_hooks {
    void (*prepare)(struct session *session, const struct packet *packet); /* before the lock is taken: copy bodies here; may be NULL */
    void (*fact)(struct session *session, const struct link_fact *fact);   /* under the lock */
    void (*settle)(struct session *session);    /* after a packet, a tick or a poke, under the lock; may call the link */
    void (*callbacks)(struct session *session); /* without the lock, on the pump; may be NULL */
};

/* What stands in for socket, pump and clock when the coordinator is in this process (weir/mock.h): whoever waits drives it. Chosen by the
 * endpoint, when libweir-mock has set session_find_driver; in libweir nothing does. */
struct session_driver {
    bool (*attach)(struct session_driver *driver, struct session *session); /* the link is there; false: no room */
    void (*detach)(struct session_driver *driver, struct session *session);
    uint64_t (*now_ns)(const struct session_driver *driver);
    uint64_t (*wall_ms)(const struct session_driver *driver);
    void (*random)(struct session_driver *driver, void *out, size_t size);
    bool (*wait)(struct session_driver *driver, struct session *session, uint64_t deadline_ns); /* without the lock; see session_wait */
};
extern struct session_driver *(*session_find_driver)(const char *endpoint);
#define SESSION_DRIVEN_WAIT_NS (3600 * UINT64_C(1000000000)) /* what -1 means where a driver's clock jumps to whatever comes next */

enum pump_mood { PUMP_AWAKE, PUMP_WAITS_FOR_COMPANY, PUMP_ASLEEP };

struct notice {
    weir_state state;
    weir_error error;
};
enum { NOTICES_MAX = 16, KEY_TEXT = 40 };

struct session {
    const struct session_hooks *hooks;
    struct session_driver *driver; /* NULL: a pump of its own */
    unsigned fork_mark;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* state, answers, room */
    uint32_t waiters;       /* threads in session_wait */
    struct link *link;
    enum pump_mood mood;
    bool poked;
    bool started, ending;
    weir_error error;
    weir_state state;
    weir_status stopped_by; /* WEIR_STATE_STOPPED: why */
    struct notice notices[NOTICES_MAX];
    uint32_t notice_count;
    pthread_t pump;
    int wake_fd;

    /* the pump's own */
    void *context, *socket, *monitor;
    uint32_t connection; /* of the link: which one the socket is */
    uint32_t monitors;   /* how many there have been: each has its own address */
    bool hold;           /* a message waits until the socket takes it */
    bool hold_has_body;
    zmq_msg_t hold_head, hold_body;
    struct arena flush_arena, decode_arena;
    char last_logged[sizeof(((weir_error *)0)->detail)]; /* the reason why there is no connection */

    /* for ever */
    char *endpoint;
    char server_key[KEY_TEXT + 1], public_key[KEY_TEXT + 1], secret_key[KEY_TEXT + 1];
    weir_state_fn *on_state;
    weir_log_fn *on_log;
    void *arg;
};

/* Begins a session in zeroed memory: checks the options, fills in defaults and the environment, makes the link (role, group and sizes of
 * link_options are given; the rest is filled in here) and starts the pump. On failure nothing is left behind and weir_last_error(NULL) says
 * why. With connect_timeout_ms it waits. */
weir_status session_open(struct session *session, const struct session_hooks *hooks, const struct session_options *options,
                         struct link_options *link_options);
void session_end(struct session *session);   /* ends the pump */
void session_close(struct session *session); /* and frees what session_open made */

/* Copies an options struct of the caller's version: fields it does not know are 0. False when its size is none. */
bool session_take_options(void *out_options, size_t size, const void *given, size_t given_size);

/* Under the lock. */
void session_poke(struct session *session, bool urgent);
/* Waits for `changed` until deadline_ns (0 = do not, UINT64_MAX = for ever). False: the time is over. */
bool session_wait(struct session *session, uint64_t deadline_ns);
bool session_wait_on(struct session *session, pthread_cond_t *condition, uint32_t *waiters,
                     uint64_t deadline_ns); /* the same, for another one */
weir_status session_fail(struct session *session, weir_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

void session_make_condition(pthread_cond_t *condition); /* that goes by the monotonic clock */
bool session_is_forked(const struct session *session);
uint64_t session_now_ns(const struct session *session);
uint64_t session_wall_ms(const struct session *session); /* Unix */
uint64_t session_deadline_ns(const struct session *session, int timeout_ms);
struct span session_span(const char *text); /* NULL is empty */
weir_status session_refuse_open(weir_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
weir_error session_error(weir_status status, uint32_t retry_ms, struct span message);
void session_event_id(char out[WEIR_EVENT_ID_SIZE], const char epoch[EPOCH_BYTES], uint64_t seq);
bool session_parse_event_id(const char *id, uint8_t epoch[EPOCH_BYTES], uint64_t *out_seq); /* false: it is none */
weir_status session_link_status(struct session *session, enum link_result result);

/* transport.c: the socket */
enum transport_news { NEWS_NONE, NEWS_CONNECTED, NEWS_LOST, NEWS_REFUSED };
bool transport_check(struct session *session); /* the endpoint is one that could be connected to; errno says why not */
bool transport_open(struct session *session);
void transport_close(struct session *session);
bool transport_send(struct session *session, const struct packet *packet, struct span head); /* false: it is kept, see hold */
bool transport_send_held(struct session *session);
enum transport_news transport_news(struct session *session, const char **out_text);
bool transport_receive(struct session *session, zmq_msg_t *head, zmq_msg_t *body, bool *out_broken); /* false: nothing there */

/* pump.c: what a turn is made of. Without the lock; whoever drives a session calls them, the pump's thread or a driver. */
void *pump_run(void *session);
void pump_take(struct session *session, struct span head, struct span body); /* a packet came */
bool pump_build(struct session *session, struct packet **out_packet,
                struct span *out_head); /* the next one to send, lent until the next call */
void pump_connected(struct session *session);
void pump_lose(struct session *session, uint32_t code, const char *text); /* the connection is gone */
void pump_tick(struct session *session);
void pump_tell_user(struct session *session);

#endif
