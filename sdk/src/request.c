/* Requests: a publish with reply_to = the own inbox, and a call that collects the partials and the answer. An answer names its request by
 * seq (its cause), which the requester learns from `accepted`; what comes before that is kept aside, within a limit. */
#include <stdlib.h>

#include "sdk/src/publisher.h"

enum { TIMEOUT_MAX_MS = 3600000 };

/* -- calls -- */

static struct answer_node *make_node(const weir_answer *answer, uint64_t cause, struct span data)
{
    struct answer_node *node = malloc(sizeof *node + data.size + 1);
    if (node == NULL) return NULL;
    node->next = NULL;
    node->answer = *answer;
    node->cause = cause;
    node->group = 0;
    if (data.size != 0) memcpy(node->data, data.data, data.size);
    node->data[data.size] = '\0';
    node->answer.data = node->data;
    node->answer.data_size = data.size;
    return node;
}

static void free_nodes(struct answer_node *node)
{
    while (node != NULL) {
        struct answer_node *next = node->next;
        free(node);
        node = next;
    }
}

static struct weir_request_call *find_call(weir_publisher *p, uint64_t seq)
{
    struct weir_request_call *call = p->calls;
    while (call != NULL && (call->state == CALL_ASKED || call->seq != seq))
        call = call->next;
    return call;
}

/* Of several groups that answer, the one that spoke first. Within an attempt pieces go on in order; a hole ends them; a higher attempt
 * begins anew. [R-REQ-2] */
static bool piece_fits(struct weir_request_call *call, const weir_answer *piece, uint32_t group)
{
    if (call->attempt == 0) call->group = group;
    if (group != call->group) return false;
    if (piece->attempt > call->attempt) {
        call->attempt = piece->attempt;
        call->next_index = 0;
        call->attempt_broken = false;
    }
    if (piece->attempt < call->attempt || call->attempt_broken || piece->index < call->next_index) return false;
    if (piece->index != call->next_index || call->waiting >= CALL_ANSWERS_MAX) {
        call->attempt_broken = true;
        return false;
    }
    call->next_index++;
    return true;
}

static void give(struct weir_request_call *call, struct answer_node *node)
{
    bool final = node->answer.kind != WEIR_ANSWER_PARTIAL;
    if (call->state == CALL_ANSWERED || (!final && !piece_fits(call, &node->answer, node->group))) {
        free(node); /* the first answer is the answer [R-REQ-1] */
        return;
    }
    if (final) call->state = CALL_ANSWERED;
    node->next = NULL;
    *(call->last != NULL ? &call->last->next : &call->first) = node;
    call->last = node;
    call->waiting++;
    call->publisher->stirred = true;
}

/* Strays are newest first; they are given oldest first. */
static void give_strays(weir_publisher *p, struct weir_request_call *call)
{
    struct answer_node **at = &p->strays, *mine = NULL;
    while (*at != NULL) {
        struct answer_node *node = *at;
        if (node->cause != call->seq) {
            at = &node->next;
            continue;
        }
        *at = node->next;
        node->next = mine;
        mine = node;
        p->stray_count--;
    }
    while (mine != NULL) {
        struct answer_node *next = mine->next;
        give(call, mine);
        mine = next;
    }
}

static void drop_strays(weir_publisher *p)
{
    free_nodes(p->strays);
    p->strays = NULL;
    p->stray_count = 0;
}

static void pass_on(weir_publisher *p, struct answer_node *node)
{
    struct weir_request_call *call;
    if (node == NULL) return;
    call = find_call(p, node->cause);
    if (call != NULL) {
        give(call, node);
    } else if (p->calls_unaccepted != 0 && p->stray_count < STRAYS_MAX) {
        node->next = p->strays;
        p->strays = node;
        p->stray_count++;
    } else {
        free(node);
    }
}

/* -- what the pump brings -- */

static void take_refusal(struct weir_request_call *call, weir_status status)
{
    weir_answer answer = { .kind = WEIR_ANSWER_ERROR, .status = status };
    struct answer_node *node = make_node(&answer, 0, span_of(NULL, 0));
    if (node != NULL) give(call, node);
}

void request_take_result(weir_publisher *p, const weir_result *result)
{
    for (struct weir_request_call *call = p->calls; call != NULL; call = call->next) {
        if (call->state != CALL_ASKED || call->number < result->first_number || call->number - result->first_number >= result->count)
            continue;
        p->calls_unaccepted--;
        call->state = CALL_ACCEPTED;
        if (result->status != WEIR_OK) {
            take_refusal(call, result->status);
            continue;
        }
        uint64_t seq = result->first_seq + (call->number - result->first_number);
        if (find_call(p, seq) != NULL && find_call(p, seq) != call) { /* a repeat of its token: that call has the answer */
            take_refusal(call, WEIR_CONFLICT);
            continue;
        }
        call->seq = seq;
        give_strays(p, call);
    }
    if (p->calls_unaccepted == 0 && p->strays != NULL) drop_strays(p);
}

void request_take_events(weir_publisher *p, const struct link_fact *f)
{
    const uint8_t *at = f->events.body.data;
    struct event event;
    for (size_t i = 0; i < f->events.count; at += f->events.size[i], i++) {
        weir_answer answer = { .seq = f->events.seq[i] };
        if (event_scan(span_of(at, f->events.size[i]), &event) != EVENT_OK || event.reply == EVENT_REPLY_NONE || f->events.cause == NULL)
            continue;
        answer.kind = event.reply == EVENT_REPLY_OK ? WEIR_ANSWER_REPLY : WEIR_ANSWER_ERROR;
        if (answer.kind == WEIR_ANSWER_ERROR) answer.status = event.code != CODE_OK ? (weir_status)event.code : WEIR_INTERNAL;
        pass_on(p, make_node(&answer, f->events.cause[i], event.data));
    }
    p->consumed_events += f->events.count;
    p->consumed_bytes += f->events.body.size;
}

void request_take_partial(weir_publisher *p, const struct link_fact *f)
{
    weir_answer answer = { .kind = WEIR_ANSWER_PARTIAL, .attempt = f->partial.attempt, .index = f->partial.index };
    struct answer_node *node = make_node(&answer, f->partial.cause, f->partial.data);
    if (node != NULL) node->group = f->partial.group;
    pass_on(p, node);
}

/* -- the user -- */

static bool open_inbox(weir_publisher *p)
{
    struct link_subscription inbox = { .id = INBOX_SUBSCRIPTION, .filter = link_terms(p->session.link)->inbox, .start = START_NEW };
    if (!p->has_inbox) p->has_inbox = link_subscribe(p->session.link, &inbox) == LINK_OK;
    return p->has_inbox;
}

static weir_status ask(weir_publisher *p, const struct outgoing *o, struct weir_request_call *call)
{
    weir_status status;
    if (p->call_count == CALLS_MAX) return session_fail(&p->session, WEIR_FULL, "%d calls are open", CALLS_MAX);
    if (p->session.stopped_by == WEIR_OK && !open_inbox(p)) return session_fail(&p->session, WEIR_FULL, "no inbox could be opened");
    status = publisher_put(p, o, call->deadline_ns, &call->number);
    if (status != WEIR_OK) return status;
    call->next = p->calls;
    p->calls = call;
    p->call_count++;
    p->calls_unaccepted++;
    return WEIR_OK;
}

weir_status weir_request(weir_publisher *p, const weir_event *event, uint32_t timeout_ms, weir_request_call **out_call)
{
    struct outgoing o;
    const char *why = "timeout_ms is 1 to 3600000";
    struct weir_request_call *call;
    weir_status status = WEIR_INVALID;
    if (session_is_forked(&p->session)) return WEIR_FORKED;
    if (timeout_ms != 0 && timeout_ms <= TIMEOUT_MAX_MS) status = event_prepare(&o, event, session_wall_ms(&p->session), &why);
    call = status == WEIR_OK ? calloc(1, sizeof *call) : NULL;
    if (status == WEIR_OK && call == NULL) return WEIR_NO_MEMORY;
    (void)pthread_mutex_lock(&p->session.lock);
    if (status != WEIR_OK) {
        (void)session_fail(&p->session, status, "%s", why);
    } else {
        o.event.reply_to = link_terms(p->session.link)->inbox;
        o.event.deadline_ms = session_wall_ms(&p->session) + timeout_ms;
        o.size = event_encoded_size(&o.event, o.headers, o.header_count);
        call->publisher = p;
        call->deadline_ns = session_deadline_ns(&p->session, (int)timeout_ms);
        status = ask(p, &o, call);
    }
    (void)pthread_mutex_unlock(&p->session.lock);
    if (status != WEIR_OK)
        free(call);
    else
        *out_call = call;
    return status;
}

static weir_status next_locked(struct weir_request_call *call, uint64_t deadline_ns, const weir_answer **out_answer)
{
    weir_publisher *p = call->publisher;
    bool in_time = true;
    if (call->deadline_ns < deadline_ns) deadline_ns = call->deadline_ns;
    for (;;) {
        if (call->first != NULL) {
            call->lent = call->first;
            call->first = call->first->next;
            call->last = call->first != NULL ? call->last : NULL;
            call->waiting--;
            call->final_taken = call->lent->answer.kind != WEIR_ANSWER_PARTIAL;
            *out_answer = &call->lent->answer;
            return WEIR_OK;
        }
        if (call->final_taken) return WEIR_ENDED;
        if (p->session.stopped_by != WEIR_OK) return p->session.stopped_by;
        if (!in_time) return session_fail(&p->session, WEIR_TIMED_OUT, "no answer yet");
        in_time = session_wait(&p->session, deadline_ns);
    }
}

weir_status weir_request_next(weir_request_call *call, int timeout_ms, const weir_answer **out_answer)
{
    weir_publisher *p = call->publisher;
    weir_status status;
    if (session_is_forked(&p->session)) return WEIR_FORKED;
    free(call->lent);
    call->lent = NULL;
    (void)pthread_mutex_lock(&p->session.lock);
    status = next_locked(call, session_deadline_ns(&p->session, timeout_ms), out_answer);
    (void)pthread_mutex_unlock(&p->session.lock);
    return status;
}

static void stop_waiting_to_cancel(struct weir_request_call *call)
{
    call->publisher->cancels_waiting -= call->cancel_waits;
    call->cancel_waits = false;
}

/* A cancel names its request by seq; one that was asked for before the seq was known goes out with it. */
void request_send_cancels(weir_publisher *p)
{
    for (struct weir_request_call *call = p->calls; call != NULL && p->cancels_waiting != 0; call = call->next) {
        if (!call->cancel_waits || call->state == CALL_ASKED) continue;
        if (call->state == CALL_ACCEPTED && link_cancel(p->session.link, span_of(NULL, 0), call->seq) != LINK_OK) return;
        stop_waiting_to_cancel(call);
    }
}

weir_status weir_request_cancel(weir_request_call *call)
{
    weir_publisher *p = call->publisher;
    if (session_is_forked(&p->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&p->session.lock);
    if (call->state != CALL_ANSWERED && !call->cancel_waits) {
        call->cancel_waits = true;
        p->cancels_waiting++;
        request_send_cancels(p);
    }
    session_poke(&p->session, true);
    (void)pthread_mutex_unlock(&p->session.lock);
    return WEIR_OK;
}

static void unlink_call(weir_publisher *p, struct weir_request_call *call)
{
    struct weir_request_call **at = &p->calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    p->call_count--;
    p->calls_unaccepted -= call->state == CALL_ASKED;
    stop_waiting_to_cancel(call);
}

static void free_call(struct weir_request_call *call)
{
    free_nodes(call->first);
    free(call->lent);
    free(call);
}

void weir_request_close(weir_request_call **closing)
{
    struct weir_request_call *call = *closing;
    if (call == NULL) return;
    *closing = NULL;
    if (session_is_forked(&call->publisher->session)) return;
    (void)pthread_mutex_lock(&call->publisher->session.lock);
    unlink_call(call->publisher, call);
    (void)pthread_mutex_unlock(&call->publisher->session.lock);
    free_call(call);
}

void request_free_all(weir_publisher *p)
{
    while (p->calls != NULL) {
        struct weir_request_call *call = p->calls;
        p->calls = call->next;
        free_call(call);
    }
    drop_strays(p);
}
