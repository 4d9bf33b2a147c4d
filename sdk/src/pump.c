/* The pump: one turn takes what has come, steps the link, sends what it wants sent, tells the user, and sleeps until there is more. */
#include "sdk/src/session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/codec.h"

enum { PACKETS_PER_TURN = 64, SLEEP_MS_MAX = 60000, BLOCKED_MS = 5, LAST_WORDS_MS = 100 };

static void lock(struct session *s)
{
    (void)pthread_mutex_lock(&s->lock);
}

static void unlock(struct session *s)
{
    (void)pthread_mutex_unlock(&s->lock);
}

__attribute__((format(printf, 3, 4))) static void session_log(struct session *session, weir_log_level level, const char *format, ...)
{
    char text[320];
    va_list arguments;
    if (session->on_log == NULL) return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    session->on_log(level, text, session->arg);
}

void pump_lose(struct session *s, uint32_t code, const char *text)
{
    transport_close(s);
    lock(s);
    link_lost(s->link, session_now_ns(s), code, span_text(text));
    s->connection = link_connection(s->link);
    s->hooks->settle(s);
    unlock(s);
}

/* -- receiving -- */

static void refuse_packet(struct session *s)
{
    session_log(s, WEIR_LOG_ERROR, "event=bad_packet endpoint=%s reason=\"it is no packet of the weir protocol\"", s->endpoint);
    pump_lose(s, CODE_BAD_FRAME, "the other side sent something that is no packet of the weir protocol");
}

void pump_take(struct session *s, struct span head, struct span body)
{
    struct packet *packet;
    arena_reset(&s->decode_arena);
    if (codec_decode(&s->decode_arena, head, body, &packet) != CODEC_OK) {
        refuse_packet(s);
        return;
    }
    if (s->hooks->prepare != NULL) s->hooks->prepare(s, packet);
    lock(s);
    link_packet(s->link, session_now_ns(s), packet);
    s->hooks->settle(s);
    unlock(s);
}

static bool receive_one(struct session *s)
{
    zmq_msg_t head, body;
    bool broken, got;
    if (s->socket == NULL) return false;
    got = transport_receive(s, &head, &body, &broken);
    if (got && broken)
        refuse_packet(s);
    else if (got)
        pump_take(s, span_of(zmq_msg_data(&head), zmq_msg_size(&head)), span_of(zmq_msg_data(&body), zmq_msg_size(&body)));
    (void)zmq_msg_close(&head);
    (void)zmq_msg_close(&body);
    return got;
}

void pump_connected(struct session *s)
{
    lock(s);
    link_connected(s->link, session_now_ns(s));
    unlock(s);
}

static void hear_news(struct session *s)
{
    const char *text = "";
    enum transport_news news = transport_news(s, &text);
    if (news == NEWS_CONNECTED) {
        pump_connected(s);
    } else if (news != NEWS_NONE) {
        while (receive_one(s)) { /* what had arrived before the end still counts */
        }
        if (s->socket != NULL) pump_lose(s, news == NEWS_REFUSED ? CODE_UNAUTHORIZED : CODE_OK, text);
    }
}

/* -- sending -- */

bool pump_build(struct session *s, struct packet **out_packet, struct span *out_head)
{
    bool any;
    arena_reset(&s->flush_arena);
    lock(s);
    any = link_flush(s->link, session_now_ns(s), &s->flush_arena, out_packet);
    unlock(s);
    if (!any) return false;
    if (codec_encode(&s->flush_arena, *out_packet, out_head) == CODEC_OK) return true;
    pump_lose(s, CODE_INTERNAL, "no memory to send a packet");
    return false;
}

static bool send_next(struct session *s)
{
    struct packet *packet;
    struct span head;
    if (!pump_build(s, &packet, &head)) return false;
    if (transport_send(s, packet, head)) return true;
    pump_lose(s, CODE_INTERNAL, "no memory to send a packet");
    return false;
}

static void follow_connection(struct session *s)
{
    uint32_t wanted;
    lock(s);
    wanted = link_connection(s->link);
    unlock(s);
    if (wanted == s->connection && (s->socket != NULL || wanted == 0)) return;
    transport_close(s);
    s->connection = wanted;
    if (wanted != 0 && !transport_open(s)) pump_lose(s, CODE_INTERNAL, "no socket could be made");
}

/* -- the turn -- */

static const char *state_word(weir_state state)
{
    static const char *const words[] = { "", "connecting", "up", "waiting", "stopped" };
    return words[state];
}

/* A coordinator that is away for an hour is news once, not with every try. */
static void log_notice(struct session *s, const struct notice *notice)
{
    bool bad = notice->error.detail[0] != '\0' || notice->error.status != WEIR_OK;
    bool again = bad && strcmp(s->last_logged, notice->error.detail) == 0;
    if (s->on_log == NULL) return;
    if (!bad) {
        bool up = notice->state == WEIR_STATE_UP;
        if (up) s->last_logged[0] = '\0';
        session_log(s, up ? WEIR_LOG_INFO : WEIR_LOG_DEBUG, "event=link state=%s endpoint=%s", state_word(notice->state), s->endpoint);
        return;
    }
    memcpy(s->last_logged, notice->error.detail, sizeof s->last_logged);
    session_log(s, again ? WEIR_LOG_DEBUG : WEIR_LOG_WARNING, "event=link state=%s endpoint=%s%s%s reason=\"%s\"",
                state_word(notice->state), s->endpoint, notice->error.status != WEIR_OK ? " code=" : "",
                notice->error.status != WEIR_OK ? notice->error.word : "", notice->error.detail);
}

void pump_tell_user(struct session *s)
{
    struct notice notices[NOTICES_MAX];
    uint32_t count;
    lock(s);
    count = s->notice_count;
    memcpy(notices, s->notices, count * sizeof notices[0]);
    s->notice_count = 0;
    unlock(s);
    for (uint32_t i = 0; i < count; i++) {
        const weir_error *error = &notices[i].error;
        if (s->on_state != NULL) s->on_state(notices[i].state, error->detail[0] != '\0' || error->status != WEIR_OK ? error : NULL, s->arg);
        log_notice(s, &notices[i]);
    }
    if (s->hooks->callbacks != NULL) s->hooks->callbacks(s);
}

/* How long the pump may sleep; says under the lock in which mood, so that a poke knows whether to write. */
static long sleep_ms(struct session *s)
{
    uint64_t now = session_now_ns(s), deadline;
    long wait = 0;
    lock(s);
    deadline = link_deadline_ns(s->link);
    if (s->hold) wait = BLOCKED_MS; /* nothing can be sent before the socket takes the packet that waits */
    if (!s->poked && s->notice_count == 0 && link_connection(s->link) == s->connection && deadline > now) {
        uint64_t left_ms = (deadline - now + 999999) / 1000000;
        wait = left_ms > SLEEP_MS_MAX ? SLEEP_MS_MAX : (long)left_ms;
        s->mood = wait <= 1 ? PUMP_WAITS_FOR_COMPANY : PUMP_ASLEEP;
    }
    unlock(s);
    return wait;
}

static void wait_for_more(struct session *s)
{
    zmq_pollitem_t items[3] = { { NULL, s->wake_fd, ZMQ_POLLIN, 0 }, { s->socket, 0, ZMQ_POLLIN, 0 }, { s->monitor, 0, ZMQ_POLLIN, 0 } };
    long timeout = sleep_ms(s);
    uint64_t count;
    if (s->hold) items[1].events |= ZMQ_POLLOUT;
    (void)zmq_poll(items, s->socket != NULL ? 3 : 1, timeout);
    lock(s);
    s->mood = PUMP_AWAKE;
    unlock(s);
    if ((items[0].revents & ZMQ_POLLIN) != 0) (void)!read(s->wake_fd, &count, sizeof count);
    for (int i = 0; i < PACKETS_PER_TURN && (items[1].revents & ZMQ_POLLIN) != 0 && receive_one(s); i++) {
    }
    if (s->socket != NULL && (items[2].revents & ZMQ_POLLIN) != 0) hear_news(s);
}

void pump_tick(struct session *s)
{
    lock(s);
    s->poked = false;
    link_tick(s->link, session_now_ns(s));
    s->hooks->settle(s);
    unlock(s);
}

static bool step(struct session *s)
{
    bool goes_on;
    pump_tick(s);
    lock(s);
    goes_on = !s->ending;
    unlock(s);
    follow_connection(s);
    while (s->socket != NULL && transport_send_held(s) && send_next(s)) {
    }
    return goes_on;
}

void *pump_run(void *argument)
{
    struct session *s = argument;
    int last_words_ms = LAST_WORDS_MS; /* what closing gives back should still leave */
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL); /* signals are the program's threads' business */
    (void)pthread_setname_np(pthread_self(), "weir-pump");
    while (step(s)) {
        pump_tell_user(s);
        wait_for_more(s);
    }
    if (s->socket != NULL) (void)zmq_setsockopt(s->socket, ZMQ_LINGER, &last_words_ms, sizeof last_words_ms);
    transport_close(s);
    return NULL;
}
