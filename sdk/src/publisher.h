/* Inside the publisher: publishing, and requests, which are publishes with an answer to wait for. */
#ifndef WEIR_SDK_PUBLISHER_H
#define WEIR_SDK_PUBLISHER_H

#include "sdk/src/event_io.h"
#include "sdk/src/session.h"

/* A thread in weir_publish. */
struct waiting_publish {
    struct waiting_publish *next;
    uint64_t number;
    bool done;
    weir_result result;
    weir_error error;
};

enum { CALLS_MAX = 1024, CALL_ANSWERS_MAX = 1024, INBOX_SUBSCRIPTION = 1, STRAYS_MAX = 64, PACKET_IS_WORTH_IT = 256 };

struct answer_node {
    struct answer_node *next;
    weir_answer answer;
    uint64_t cause;
    uint32_t group; /* a partial's */
    uint8_t data[]; /* and a NUL */
};

enum call_state { CALL_ASKED, CALL_ACCEPTED, CALL_ANSWERED };

struct weir_request_call {
    weir_publisher *publisher;
    struct weir_request_call *next;
    uint64_t number, seq, deadline_ns;
    enum call_state state;
    bool final_taken, cancel_waits /* for its seq */;
    uint32_t group, attempt, next_index, waiting; /* of the partials */
    bool attempt_broken;                   /* a piece was lost: the rest of this attempt is not passed on [R-REQ-2] */
    struct answer_node *first, *last, *lent;
};

struct weir_publisher {
    struct session session; /* first: weir_last_error takes any handle */
    uint32_t close_timeout_ms;
    uint8_t valid_topic[TOPIC_BYTES_MAX]; /* the last one that was checked */
    size_t valid_topic_size;
    struct waiting_publish *waiting;
    pthread_cond_t room; /* a good part of the window is free again */
    uint32_t room_waiters;
    uint64_t flush_end; /* somebody waits until all below it is answered; UINT64_MAX: nobody */
    bool stirred;       /* a fact that a waiting thread waits for */
    weir_result_fn *on_result;
    weir_result *results; /* for the user, told by the pump */
    size_t result_count, result_room;
    bool has_inbox;
    struct weir_request_call *calls;
    uint32_t call_count, calls_unaccepted, cancels_waiting;
    struct answer_node *strays; /* answers whose request has no seq yet, newest first */
    uint32_t stray_count;
    uint64_t consumed_events, consumed_bytes; /* of the inbox, to be told to the link */
};

extern const struct session_hooks publisher_hooks;

/* Under the lock: into the window. Waits until deadline_ns for room. */
weir_status publisher_put(weir_publisher *publisher, const struct outgoing *outgoing, uint64_t deadline_ns, uint64_t *out_number);

/* request.c, all under the lock */
void request_take_result(weir_publisher *publisher, const weir_result *result);
void request_take_events(weir_publisher *publisher, const struct link_fact *fact);
void request_take_partial(weir_publisher *publisher, const struct link_fact *fact);
void request_send_cancels(weir_publisher *publisher); /* not from a fact */
void request_free_all(weir_publisher *publisher);

#endif
