/* The oracle: another program. It knows what peers wrote, what they said to the coordinator and what it said to them (as on a tap at the
 * coordinator's end of the wire), and what the users behind them were told. It shares neither code nor state with what it judges and
 * includes nothing of it. A broken promise goes to `broken`, which does not return.
 *
 * Within one turn of the coordinator everything it took is told first (oracle_took_*), then what it said: answers before deliveries and
 * events. */
#ifndef WEIR_SIM_ORACLE_H
#define WEIR_SIM_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oracle;
typedef void (*oracle_broken)(void *arg, const char *check, const char *text);

struct oracle *oracle_new(oracle_broken broken, void *arg);
void oracle_free(struct oracle *oracle);

/* -- What is known beforehand -- */
enum { ORACLE_FILTERS_MAX = 4, ORACLE_PART_BYTES = 64 << 10 /* a larger event is stored in parts, which may leave the window before it */ };
struct oracle_group_spec {
    const char *name;
    const char *filters[ORACLE_FILTERS_MAX];
    uint32_t filter_count, backoff_ms;
    uint32_t ordering;          /* 1: of keys, 2: of sessions, 3: of all its events */
    uint32_t limit, limit_each; /* so many may be with workers: in all, and of one first word of the topic; 0: any */
    bool affinity;              /* of its sessions */
    bool parks;                 /* it has an order, an affinity or limits: its events may wait for each other */
    bool from_first;            /* it was made with start = first: every event in the log is its own */
};
void oracle_group(struct oracle *oracle, const struct oracle_group_spec *spec);
void oracle_grace(struct oracle *oracle, uint64_t grace_ms);
void oracle_token_table(struct oracle *oracle, uint64_t life_ms, uint32_t limit); /* how long a token lives, and how many may at a time */
void oracle_delay_table(struct oracle *oracle, uint32_t limit);                   /* so many events may be held at a time */

/* An author has made this event and is about to send it. Different events have different bytes. Returns its number, from 1. */
struct oracle_event {
    const uint8_t *bytes; /* NULL: a client's, which a gateway will encode: oracle_encoded */
    size_t size;
    const uint8_t *data;
    size_t data_size;
    const char *topic;
    uint64_t ttl_ms, delay_ms, not_before_ms, deadline_ms;
    uint32_t answers;  /* it is an answer to this event */
    char key, session; /* a letter each; 0: none */
    uint32_t priority;
    bool once;      /* at most */
    uint32_t token; /* its number, from 1; 0: none */
    bool foreign;   /* not of an honest author: it may be in the log or not */
};
uint32_t oracle_writes(struct oracle *oracle, const struct oracle_event *event);

uint32_t oracle_event_with(const struct oracle *oracle, const uint8_t *data, size_t size); /* 0: nobody wrote it */
/* A gateway says a client's event so; only the first time counts. */
void oracle_encoded(struct oracle *oracle, uint32_t event, const uint8_t *bytes, size_t size, uint64_t deadline_ms);
void oracle_foreign(struct oracle *oracle, uint32_t event); /* after all */

/* -- The coordinator's end of the wire -- */
void oracle_turn(struct oracle *oracle, uint64_t now_ns, uint64_t log_ms); /* before all of a turn */
void oracle_crashes(struct oracle *oracle);
void oracle_starts(struct oracle *oracle, uint64_t now_ns);
uint64_t oracle_turn_number(const struct oracle *oracle);
/* The power was lost: what was committed at these places is not there, nor is some of what was answered from that turn on. */
void oracle_loses(struct oracle *oracle, uint64_t first, uint64_t last, uint64_t turn);
bool oracle_is_gone(const struct oracle *oracle, uint64_t seq);
void oracle_window(struct oracle *oracle, uint64_t first_seq); /* what was before has left the window */
void oracle_ends(struct oracle *oracle, uint32_t connection);  /* in this turn, of which is told what it sends */
void oracle_ended(struct oracle *oracle, uint32_t connection); /* it takes the connection for gone, or has cut it */

struct oracle_hello {
    const char *group;                   /* NULL: not a worker */
    const uint8_t *instance, *publisher; /* 16 bytes each; publisher NULL: none */
    const uint64_t *held_seq;
    const uint32_t *held_attempt;
    size_t held_count;
    uint64_t generation; /* of its group, in which it got what it holds */
    bool honest;
};
void oracle_took_hello(struct oracle *oracle, uint32_t connection, const struct oracle_hello *hello);
void oracle_took_publish(struct oracle *oracle, uint32_t connection, uint64_t number, const uint8_t *bytes, size_t size);
enum oracle_verb { ORACLE_ACK = 1, ORACLE_NACK = 2, ORACLE_REJECT = 3 };
struct oracle_settle {
    uint64_t number, lease;
    uint32_t verb, delay_ms;
    const uint8_t *emits;
    const uint32_t *emit_sizes;
    uint32_t emit_count;
};
void oracle_took_settle(struct oracle *oracle, uint32_t connection, const struct oracle_settle *settle);
void oracle_took_extend(struct oracle *oracle, uint32_t connection, uint64_t lease, uint32_t lease_ms);
void oracle_took_release(struct oracle *oracle, uint32_t connection, uint64_t lease);
void oracle_took_delivery_credit(struct oracle *oracle, uint32_t connection, uint64_t events);
void oracle_took_event_credit(struct oracle *oracle, uint32_t connection, uint64_t subscription, uint64_t events);
void oracle_took_subscribe(struct oracle *oracle, uint32_t connection, uint64_t subscription, const char *filter, uint64_t credit);

enum oracle_change { ORACLE_PAUSE, ORACLE_RESUME, ORACLE_SEEK, ORACLE_RETRY, ORACLE_DROP /* of dead letters */ };
/* seq: of a dead letter's event; 0: of all. */
void oracle_took_manage(struct oracle *oracle, uint32_t connection, uint64_t id, const char *group, enum oracle_change change,
                        uint64_t seq);
/* Done: seq: the place that the answer names; count: letters that it is about. */
void oracle_told_changed(struct oracle *oracle, uint32_t connection, uint64_t id, uint64_t seq, uint32_t count);

struct oracle_kept {
    const uint64_t *seq, *lease;
    const uint32_t *attempt;
    size_t count;
};
void oracle_told_welcome(struct oracle *oracle, uint32_t connection, uint32_t lease_ms, uint64_t generation,
                         const struct oracle_kept *kept);
void oracle_told_accepted(struct oracle *oracle, uint32_t connection, uint64_t number, uint64_t seq, bool duplicate);
enum oracle_refusal { ORACLE_REFUSED, ORACLE_UNKNOWN /* its outcome */, ORACLE_STALE, ORACLE_THROTTLED, ORACLE_OVERLOADED };
void oracle_told_refused(struct oracle *oracle, uint32_t connection, uint64_t number, enum oracle_refusal why);
void oracle_told_settled(struct oracle *oracle, uint32_t connection, uint64_t number, bool ok, bool stale);
void oracle_told_revoked(struct oracle *oracle, uint32_t connection, uint64_t lease, bool timeout);
struct oracle_delivery {
    uint64_t lease, seq, first, time_ms, generation /* 0: as before */;
    uint32_t attempt, priority, lease_ms;
    const uint8_t *bytes;
    size_t size;
};
void oracle_told_delivery(struct oracle *oracle, uint32_t connection, const struct oracle_delivery *delivery);
void oracle_told_subscribed(struct oracle *oracle, uint32_t connection, uint64_t subscription, uint64_t cursor);
struct oracle_shown { /* an event in the order of the log */
    uint64_t seq, first /* 0: the same */, time_ms, cause;
    const uint8_t *bytes;
    size_t size;
};
void oracle_told_event(struct oracle *oracle, uint32_t connection, uint64_t subscription, const struct oracle_shown *shown);
void oracle_told_caught_up(struct oracle *oracle, uint32_t connection, uint64_t subscription, uint64_t cursor);

/* -- The users' ends: what programs behind the SDK and the gateway see -- */
void oracle_user_answer(struct oracle *oracle, uint32_t event, uint64_t seq); /* accepted at seq; 0: refused; UINT64_MAX: outcome unknown */
enum { ORACLE_USERS = 64 };
/* A reader of `filter` behind the SDK: `user` below ORACLE_USERS. After the first time the cursor must be where it was, unless there is a
 * gap. */
void oracle_user_subscribed(struct oracle *oracle, uint32_t user, const char *filter, uint64_t cursor, bool again, bool gap);
void oracle_user_reads_history(struct oracle *oracle, uint32_t user); /* all that was stored, to a limit */
void oracle_user_caught_up(struct oracle *oracle, uint32_t user, uint64_t cursor);
void oracle_user_event(struct oracle *oracle, uint32_t user, const struct oracle_shown *shown);

/* -- Clients behind a gateway: a viewer is one of their subscriptions, over all its connections -- */
bool oracle_fits(const char *filter, const char *topic);
uint32_t oracle_viewer(struct oracle *oracle, const char *filter);
enum { ORACLE_LAST = 5 };
enum oracle_since { ORACLE_SINCE_NEW, ORACLE_SINCE_FIRST, ORACLE_SINCE_LAST /* ORACLE_LAST of them */, ORACLE_SINCE_SEQ };
void oracle_viewer_asks(struct oracle *oracle, uint32_t viewer, enum oracle_since since, uint64_t seq, uint32_t credit);
void oracle_viewer_event(struct oracle *oracle, uint32_t viewer, uint64_t seq);
struct oracle_subscribed {
    uint64_t cursor, recovered;
    bool gap;
};
void oracle_viewer_confirmed(struct oracle *oracle, uint32_t viewer, const struct oracle_subscribed *subscribed);
void oracle_viewer_acks(struct oracle *oracle, uint32_t viewer);                /* all that it has seen */
void oracle_viewer_misses(struct oracle *oracle, uint32_t viewer);              /* it is told that the next event comes after a gap */
void oracle_viewer_skips(struct oracle *oracle, uint32_t viewer, uint64_t seq); /* it is told to go on behind seq */
void oracle_viewer_leaves(struct oracle *oracle, uint32_t viewer);              /* with its connection, or by itself */
bool oracle_viewer_is_behind(const struct oracle *oracle, uint32_t viewer);     /* the log holds more for it */
void oracle_client_closed(struct oracle *oracle, uint32_t code, bool slowed /* it was told that it is slow */);

/* -- Requests -- */
void oracle_requests(struct oracle *oracle, uint32_t event, uint64_t until_ns); /* a client asks this, and waits so long at least */
struct oracle_partial {
    uint32_t attempt, index; /* as it came */
    uint64_t of_seq;         /* as its worker wrote it */
    uint32_t of_attempt, of_group, of_index;
};
void oracle_told_partial(struct oracle *oracle, uint32_t connection, uint64_t cause, const struct oracle_partial *partial);
void oracle_told_answer(struct oracle *oracle, uint64_t cause, const uint8_t *bytes, size_t size); /* on an inbox */
void oracle_took_cancel(struct oracle *oracle, uint32_t connection, uint64_t seq);
void oracle_told_cancel(struct oracle *oracle, uint32_t connection, uint64_t lease);
/* What a gateway hears of a client's request and of the answer to it, and what the client hears. */
void oracle_heard_accepted(struct oracle *oracle, uint64_t seq, uint64_t now_ns);
void oracle_heard_answer(struct oracle *oracle, uint64_t cause, uint64_t now_ns);
void oracle_user_partial(struct oracle *oracle, uint32_t event, const struct oracle_partial *partial);
void oracle_user_replied(struct oracle *oracle, uint32_t event, const uint8_t *data, size_t size);
void oracle_user_cancels(struct oracle *oracle, uint32_t event);
enum oracle_no_answer { ORACLE_DECLINED, ORACLE_TIMEOUT, ORACLE_CANCELLED, ORACLE_GONE /* its connection, or the outcome */ };
void oracle_user_unanswered(struct oracle *oracle, uint32_t event, enum oracle_no_answer why, uint64_t now_ns);

/* -- The end -- */
/* All of the log in its order, as its reader saw it; then the verdict over what only the end can show. */
void oracle_log(struct oracle *oracle, const struct oracle_shown *shown);
void oracle_lost(struct oracle *oracle, const char *group, uint64_t first, uint64_t last); /* announced */
/* A dead letter of an event, with its copy. */
void oracle_dead(struct oracle *oracle, const char *group, uint64_t seq, const uint8_t *bytes, size_t size);
void oracle_lost_unheard(struct oracle *oracle);     /* an announcement may have been missed: whatever has left the window may be lost */
bool oracle_is_drained(const struct oracle *oracle); /* every answer has come, every event of the log is settled in its groups */
void oracle_why(const struct oracle *oracle, char *out, size_t size); /* what is still open */
void oracle_judge(struct oracle *oracle);

/* -- Names, for who tells the story -- */
uint32_t oracle_event_of(const struct oracle *oracle, const uint8_t *bytes, size_t size); /* 0: nobody wrote it */
uint32_t oracle_event_at(const struct oracle *oracle, uint64_t seq);
uint64_t oracle_lease_seq(const struct oracle *oracle, uint32_t connection, uint64_t lease); /* 0: no such lease */
const char *oracle_topic(const struct oracle *oracle, uint32_t event);
const uint8_t *oracle_bytes(const struct oracle *oracle, uint32_t event, size_t *out_size);

struct oracle_counts {
    uint64_t events, accepted, refused, unknown, deliveries, redeliveries, settles, stale, revoked, kept, emits, seen, lost, dead, cut,
        partials, replies, unanswered, cancels, repeats, throttled, delayed, overloaded, once, pauses, seeks, retried, power_losses;
};
void oracle_counts(const struct oracle *oracle, struct oracle_counts *out);

#endif
