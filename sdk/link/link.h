/* The link: one peer's session with a coordinator over as many connections as it takes, as a state machine. It speaks PROTOCOL.md for
 * workers, clients, admins and gateways: hello, numbers and resends, leases and their adoption, credit, subscriptions that resume,
 * heartbeats, back-off. Pure: no I/O, no clock, no heap; the same calls give the same packets. Not thread-safe: the shell around it holds a
 * lock.
 *
 * How a shell drives it
 *   - link_connection() names the connection that is wanted: 0 none, else a number. When it differs from what the shell has, the shell
 * closes its socket and, unless it is 0, opens a new one. link_connected when the handshake is done, link_lost when the connection is gone
 * or could not be made.
 *   - link_packet for each packet that came on that connection, link_tick at link_deadline_ns() at the latest.
 *   - After any of these and after the user's calls: link_flush until it gives no packet; each is sent on the connection at once.
 *   - What happens is told by on_fact, called inside link_packet, link_tick, link_lost and link_connected, never inside the user's calls.
 * It must not call the link; all that a fact points to is lent for the call. */
#ifndef WEIR_SDK_LINK_H
#define WEIR_SDK_LINK_H

#include "proto/packet.h"
#include "sdk/base/arena.h"

struct link;

enum link_state {
    LINK_WAITING,    /* no connection wanted until a time */
    LINK_CONNECTING, /* a connection is wanted */
    LINK_GREETING,   /* connected, hello sent or about to be, no welcome yet */
    LINK_UP,
    LINK_STOPPED /* refused for good; only link_resume leaves it */
};

enum link_result {
    LINK_OK,
    LINK_FULL,      /* no room now; room comes with answers */
    LINK_NO_CREDIT, /* publish of a gateway: this tenant has none left */
    LINK_TOO_LARGE,
    LINK_STALE,   /* that lease has ended, and the handle is free again (settle, start, release) or stays (extend, partial) */
    LINK_UNKNOWN, /* no such subscription */
    LINK_IS_STOPPED
};

enum link_fact_kind {
    LINK_FACT_STATE,      /* state */
    LINK_FACT_ACCEPTED,   /* publish: first_number, count, first_seq, duplicate */
    LINK_FACT_REFUSED,    /* publish: first_number, count, code, retry_ms, message */
    LINK_FACT_UNKNOWN,    /* publish: first_number, count: outcome unknown [R-PUB-6] */
    LINK_FACT_CREDIT,     /* tenant: publish credit has risen from none */
    LINK_FACT_DELIVERIES, /* deliveries */
    LINK_FACT_SETTLED,    /* lease: handle (free after the call), user, code */
    LINK_FACT_REVOKED,   /* lease: handle, code. The user still owns the handle: link_start, link_settle or link_release will say LINK_STALE
                            and free it */
    LINK_FACT_CANCELLED, /* lease: handle */
    LINK_FACT_SUBSCRIBED, /* subscription: id, cursor, gap, resumed */
    LINK_FACT_EVENTS,     /* events */
    LINK_FACT_CAUGHT_UP,  /* subscription: id, cursor */
    LINK_FACT_ENDED,      /* subscription: id, cursor, code, more, message; the id is free again */
    LINK_FACT_PARTIAL,    /* partial */
    LINK_FACT_ANSWER,     /* answer */
    LINK_FACT_MANAGE_LOST, /* the connection was lost before the answer of the change `manage` */
    LINK_FACT_DRAIN,      /* the coordinator is leaving: drain_ms until this link comes again */
    LINK_FACT_ERROR       /* error: an `error` packet that belongs to nothing above */
};

struct link_fact {
    enum link_fact_kind kind;
    union {
        struct {
            enum link_state state;
            uint32_t code;     /* why; CODE_OK: all is well */
            uint32_t retry_ms; /* LINK_WAITING: until the next try */
            struct span message;
        } state;
        struct {
            uint64_t first_number, count, first_seq;
            uint32_t code, retry_ms;
            bool duplicate;
            struct span message;
        } publish;
        struct span tenant;
        uint64_t manage; /* its id */
        struct {
            const uint32_t *handles; /* [columns->count] */
            const struct msg_deliver *columns;
            struct span body;  /* the events, joined, as columns->size measures them */
            struct span whole; /* size not 0: one large event, put together; body is what came last of it */
        } deliveries;
        struct {
            uint32_t handle, code;
            void *user; /* of the settle */
        } lease;
        struct {
            uint64_t id, cursor;
            uint32_t code;
            bool gap, resumed /* after a lost connection */, more;
            struct span message;
        } subscription;
        struct {
            uint64_t id;
            const uint64_t *seq, *time_ms, *cause /* NULL or [count] */, *first /* NULL or [count] */;
            const uint32_t *size;
            size_t count;
            struct span body;
        } events;
        struct {
            uint64_t subscription, cause;
            uint32_t attempt, index, group;
            struct span data;
        } partial;
        const struct msg_answer *answer;
        uint32_t drain_ms;
        const struct msg_error *error;
    };
};

struct link_options { /* numbers: 0 = the default behind it. Spans are copied. */
    uint32_t role;
    struct span name, tenant, credential;
    struct span instance;             /* 16 random bytes */
    struct span publisher;            /* 16 random bytes; empty: does not publish */
    struct group_spec group;          /* workers */
    uint64_t seed;                    /* of the jitter */
    uint32_t publish_window;          /* 16384 numbers unanswered; that is also the most */
    uint32_t publish_bytes;           /* 32 MiB: ring for the bytes of unanswered publishes; half of it is the largest event */
    uint32_t event_bytes_max;         /* 8 MiB: the largest event to take; at most EVENT_LARGE_BYTES_MAX */
    uint32_t deliveries_credit;       /* 64 deliveries held, not settled yet; at most 16384 */
    uint64_t deliveries_credit_bytes; /* 8 MiB */
    uint32_t events_credit;           /* 4096 events per tenant given to the user and not yet link_consumed */
    uint64_t events_credit_bytes;     /* 8 MiB */
    uint32_t tenants_max;             /* 64 in a gateway, else 1 */
    uint32_t subscriptions_max;       /* 64 */
    uint32_t queries_max;             /* 8 without an answer */
    uint32_t cancels_max;             /* 64 not sent yet */
    uint32_t partial_bytes;           /* 256 KiB of partials not sent yet; 0 stays 0 unless the role is worker */
    uint32_t auto_extend_ms;          /* started deliveries are extended until they are so old; 0: never */
    uint32_t unstarted_ms;   /* 60000: waiting deliveries are extended until then, and then given back (fact: revoked, CODE_TIMEOUT) */
    uint32_t backoff_min_ms; /* 100, doubled up to … */
    uint32_t backoff_max_ms; /* 10000; each wait is between half of it and all of it */
    void (*on_fact)(void *arg, const struct link_fact *fact);
    void *arg;
};

size_t link_memory(const struct link_options *options);
struct link *link_init(void *zeroed_memory, const struct link_options *options, uint64_t now_ns); /* wants a connection at once */

/* -- The connection -- */
uint32_t link_connection(const struct link *link);
void link_connected(struct link *link, uint64_t now_ns);
/* code: CODE_OK when there is nothing to say, CODE_UNAUTHORIZED (a refused handshake) stops for good. message is lent. */
void link_lost(struct link *link, uint64_t now_ns, uint32_t code, struct span message);
void link_packet(struct link *link, uint64_t now_ns, const struct packet *packet);
void link_tick(struct link *link, uint64_t now_ns);
uint64_t link_deadline_ns(const struct link *link); /* UINT64_MAX: none */

/* The next packet to send, built in the arena (at least LINK_FLUSH_ARENA bytes, reset by the caller) and lent until it is reset; its pieces
 * point into the link and into what settles lend, and stay until the next link_packet, link_lost or link_tick. False: nothing to send now.
 */
enum { LINK_FLUSH_ARENA = 1 << 20 };
bool link_flush(struct link *link, uint64_t now_ns, struct arena *arena, struct packet **out_packet);

/* After LINK_STOPPED: tries again. */
void link_resume(struct link *link, uint64_t now_ns);

/* -- Publishing: tenant is empty unless the role is gateway -- */
/* Gives the event a number and room in the ring: the caller writes size bytes, an Event with data_size bytes of data, to *out_bytes before any
 * other call on the link. Kept and sent again until answered; over EVENT_BYTES_MAX in parts, past which others go.
 * LINK_OK | LINK_FULL | LINK_NO_CREDIT | LINK_TOO_LARGE | LINK_IS_STOPPED. */
enum link_result link_publish(struct link *link, struct span tenant, size_t size, size_t data_size, uint8_t **out_bytes,
                              uint64_t *out_number);
uint64_t link_next_number(const struct link *link);
uint64_t link_unsent_publishes(const struct link *link);
bool link_has_room(const struct link *link);             /* a quarter of the ring is free: time to wake who waits for LINK_FULL to end */
uint64_t link_first_unanswered(const struct link *link); /* = next number: all answered */

/* -- Deliveries: handles come with LINK_FACT_DELIVERIES -- */
struct link_settle { /* all lent until LINK_FACT_SETTLED */
    uint32_t verb;   /* enum verb */
    uint32_t delay_ms;
    struct span reason;
    struct span emits;          /* encoded events, joined */
    const uint32_t *emit_sizes; /* [emit_count], sum = emits.size */
    uint32_t emit_count;
    bool once; /* the event is at_most_once */
    void *user;
};
/* LINK_OK | LINK_STALE. The user works on it from now on. */
enum link_result link_start(struct link *link, uint32_t handle);
/* LINK_OK: its result comes as a fact, once, whatever happens to the connection. LINK_STALE: nothing is lent. LINK_FULL: emits beyond the
 * emit credit. LINK_TOO_LARGE: emits that no settle may have [R-CREDIT-7]. */
enum link_result link_settle(struct link *link, uint32_t handle, const struct link_settle *settle);
enum link_result link_extend(struct link *link, uint32_t handle, uint32_t lease_ms); /* LINK_OK | LINK_STALE | LINK_FULL */
enum link_result link_release(struct link *link, uint32_t handle);                   /* LINK_OK | LINK_STALE; frees the handle */
/* A piece of an answer; data is copied. LINK_OK | LINK_STALE | LINK_FULL | LINK_TOO_LARGE. */
enum link_result link_partial(struct link *link, uint32_t handle, struct span topic, struct span data);
void link_no_more(struct link *link);        /* takes no deliveries any more, and says so: the worker is leaving */
bool link_has_left(const struct link *link); /* no delivery comes on this connection any more */
uint32_t link_unanswered_settles(const struct link *link);
bool link_has_ended(const struct link *link, uint32_t handle); /* revoked: LINK_STALE is what a call with it would say */
uint32_t link_slots(const struct link_options *options);       /* handles are 1..slots */

/* -- Subscriptions -- */
struct link_subscription { /* spans are copied */
    uint64_t id;           /* chosen by the user; not 0; not in use */
    struct span tenant, filter, epoch;
    uint32_t start;
    uint64_t start_at, limit, credit_events;
};
enum link_result link_subscribe(struct link *link,
                                const struct link_subscription *subscription); /* LINK_OK | LINK_FULL | LINK_TOO_LARGE (a name over 255) */
enum link_result link_unsubscribe(struct link *link, uint64_t id);             /* then LINK_FACT_ENDED | LINK_UNKNOWN */
enum link_result link_grant(struct link *link, uint64_t id,
                            uint64_t events); /* more own credit for one opened with credit_events | LINK_UNKNOWN */
void link_consumed(struct link *link, struct span tenant, uint64_t events, uint64_t bytes); /* the user is done with so many */

/* -- The rest -- */
enum link_result link_cancel(struct link *link, struct span tenant, uint64_t seq);                               /* LINK_OK | LINK_FULL */
enum link_result link_query(struct link *link, const struct msg_query *query); /* LINK_OK | LINK_FULL; its texts, at most 255 bytes, are copied */

/* An admin's change; one at a time. Lends *manage until its answer, or LINK_FACT_MANAGE_LOST, was told, or until link_manage_forget. It is not
 * sent twice: when the connection is lost before the answer its outcome is unknown. LINK_OK | LINK_FULL. */
enum link_result link_manage(struct link *link, const struct msg_manage *manage);
void link_manage_forget(struct link *link);

/* What the last welcome said; before the first one empty or the defaults. */
struct link_terms {
    uint64_t generation; /* of the group that is worked for */
    char epoch[EPOCH_BYTES];
    struct span inbox; /* lent for ever; known before the welcome as well [R-HELLO-7] */
    uint64_t max_event_bytes, max_packet_bytes, emit_credit_bytes;
    uint32_t lease_ms, heartbeat_ms, max_deliveries, large_events;
    bool replay;
};
const struct link_terms *link_terms(const struct link *link);
enum link_state link_state(const struct link *link);

#endif
