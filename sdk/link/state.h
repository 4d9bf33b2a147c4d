/* Inside the link: its whole state and what its files call in each other. Nobody else includes this.
 *
 * Invariants
 *   - Everything that must survive a connection (unanswered publishes, held deliveries, settles without an answer, subscriptions, queries)
 *     has a slot or a ring place until it is answered; what counts "since hello" is cleared by link_forget_connection.
 *   - Facts are told only from link_connected, link_lost, link_packet, link_tick and link_resume. */
#ifndef WEIR_SDK_LINK_STATE_H
#define WEIR_SDK_LINK_STATE_H

#include "proto/event.h"
#include "proto/inbox.h"
#include "proto/parts.h"
#include "sdk/base/map.h"
#include "sdk/base/must.h"
#include "sdk/base/topic.h"
#include "sdk/link/link.h"

enum {
    NAME_BYTES_MAX = 255,
    MESSAGES_MAX = 64,                /* publish messages unanswered [R-PUB-5] */
    MESSAGES_BUSY = 16,               /* so many under way: a few more events can wait for company */
    WINDOW_MAX = 16384,               /* [R-PUB-5] */
    AHEAD = 8,                        /* so many entries before it is used something is fetched into the cache */
    PUBLISH_EVENTS_MAX = 256,         /* in one packet */
    PUBLISH_PACKET_BYTES = 256 << 10, /* body of one packet, more or less */
    SETTLES_PER_PACKET = 1024,
    LIST_PER_PACKET = 4096, /* extends, releases */
    EMITS_MAX = 256,        /* [R-CREDIT-7] */
    PARTIALS_PER_PACKET = 128,
    GRANTS_PER_PACKET = 512,
    SUBSCRIBES_PER_PACKET = 32, /* and as many unsubscribes */
    EMITS_PER_PACKET = 512,
    CONNECT_TIMEOUT_MS = 10000,
    LARGE_MAX = 16, /* events under way as parts: more than a coordinator allows is of no use */
    PARTS_PER_PACKET = 3,
    PARTS_AHEAD_BYTES = 512 << 10, /* sent without an answer: what small events may have to wait behind */
    SETTLES_AHEAD = 4096,        /* settles that may wait for their answer besides the held deliveries: at least */
    SETTLES_AHEAD_MOST = 16384,  /* a quick worker settles several times its credit before the first of it is committed */
};
#define NS_PER_MS  UINT64_C(1000000)
#define COMPANY_NS UINT64_C(1000000) /* a small batch behind others that are under way waits so long for company */

/* -- tenants: credit is counted by tenant [R-CREDIT-2] [R-CREDIT-4] -- */
struct link_tenant {
    uint8_t name[NAME_BYTES_MAX];
    uint8_t name_size;
    bool publish_was_dry;                               /* a publish was turned away since the last credit */
    uint64_t publish_limit_events, publish_limit_bytes; /* since hello */
    uint64_t publish_sent_events, publish_sent_bytes;   /* since hello */
    uint64_t publish_window_bytes;                      /* the first limit: what is above it has been answered */
    uint64_t waiting_events, waiting_bytes;             /* in the ring, not sent on this connection; bytes: without large ones */
    uint64_t unanswered_events;                         /* sent on this connection */
    bool subscribed;                                    /* has or had a subscription */
    uint64_t events_received, events_received_bytes;    /* since hello */
    uint64_t events_held, events_held_bytes;            /* with the user, not consumed */
    uint64_t events_announced, events_announced_bytes;  /* since hello */
};

/* -- publishing: numbers and a ring of bytes -- */
enum publish_state { PUBLISH_NEW, PUBLISH_SENT /* on this or an earlier connection */, PUBLISH_ANSWERED };
struct publish_entry {
    uint64_t place; /* in the ring, counted on for ever */
    uint32_t size, data_size;
    uint16_t tenant;
    uint8_t state;
};
struct publish_message {
    uint64_t first;
    uint32_t count, unanswered;
};
struct large_send { /* a large event, from its first part on until its answer */
    uint64_t number;
    struct span data, before, after; /* data, and what is around it; all in the ring */
    uint32_t next, count;            /* parts sent on this connection, and all */
    bool ended;                      /* the event itself was sent */
};
struct publishing {
    uint8_t *bytes;
    uint64_t bytes_size; /* a power of two */
    uint64_t head;       /* place after the newest event */
    struct publish_entry *entries;
    uint32_t mask, window;
    uint64_t first, next_send, next; /* first <= next_send <= next */
    struct publish_message messages[MESSAGES_MAX];
    uint32_t message_count;
    struct large_send large[LARGE_MAX];
    uint32_t large_count, large_turn; /* turn: whose part goes next; behind these come the emits */
    uint32_t large_waiting;           /* not begun on this connection */
    uint64_t term;                    /* of the last welcome; 0: none yet */
    uint64_t seen_ns;                 /* when link_flush first saw what is waiting; 0 = nothing */
    bool held;                        /* it waits for company */
};

/* A large event that is coming: parts first, at most one at a time [R-PART-6]. */
struct assembling {
    uint8_t *room;     /* PARTS_FRONT, the data, the event */
    uint64_t data_max; /* 0: none are taken */
    uint64_t size;     /* so far */
    uint64_t lease, subscription, seq;
    struct link_tenant *tenant; /* of the subscription */
    uint32_t next, count;       /* count 0: none is coming */
};

/* -- leases -- */
enum held_state { HELD_FREE, HELD_WAITING, HELD_STARTED, HELD_SETTLING, HELD_ENDED /* revoked, still the user's */ };
struct held {
    uint64_t lease, seq, first;
    uint64_t generation;       /* of the group, in which it was given */
    uint64_t since_ns, due_ns; /* received or started; next look at it */
    uint32_t attempt, size, priority;
    uint32_t next, previous; /* the list by due time, or the free list */
    uint32_t partial_index;
    uint8_t state;
    bool listed, kept, letter, unnamed; /* unnamed: no hello says that it is held [R-ONCE-6] */
};
struct settle_entry {
    struct link_settle what;
    uint64_t after_partials; /* place in the partial ring that must be sent before it */
    uint32_t handle;
    bool answered;
    bool sent; /* at least once: what became of it is not known when its lease is gone */
    bool own;  /* the link's own nack after a refusal: no fact */
    uint8_t large;      /* its place in leasing.large + 1; 0: none of its emits goes as parts */
    uint32_t emit_wire; /* bytes of its emits without what goes as parts */
};
struct large_settle { /* one with emits that go as parts, until its answer */
    struct settle_entry entry;
    bool used, in_ring; /* in_ring: its parts are out on this connection, and a copy of the entry stands in the ring */
};
struct emit_send { /* such an emit */
    struct span data;
    uint32_t slot, number; /* of its settle in leasing.large; its place in the settle, from 1 */
    uint32_t next, count;  /* parts sent on this connection, and all */
};
struct extend_entry {
    uint64_t lease;
    uint32_t handle, lease_ms;
};
struct leasing {
    struct held *held; /* [slots + 1] */
    uint32_t slots, free, touched, first, last, free_count;
    struct map by_lease;
    uint32_t *scratch; /* [slots]: handles for a fact */
    uint32_t held_count, waiting_count;
    uint64_t held_bytes;
    uint64_t received, received_bytes, announced, announced_bytes; /* since hello */
    struct settle_entry *settles;
    uint32_t settle_mask;
    uint64_t settle_first, settle_next_send, settle_next;
    uint64_t settle_base; /* place of settle number 1 of this connection [R-SETTLE-1] */
    uint64_t emit_bytes;  /* of settles without an answer, without what goes as parts */
    struct large_settle large[LARGE_MAX];
    struct emit_send emit_sends[LARGE_MAX];
    uint32_t emit_send_count;
    uint64_t seen_ns;
    bool held_back; /* settles wait for company */
    struct extend_entry *extends;
    uint64_t *releases;
    uint32_t extend_count, release_count, settles_unanswered;
    bool no_more, leave_said, left; /* left: leave_said was answered, so no delivery is under way any more [R-DRAIN-2] */
};
struct partial_entry { /* in front of topic and data in the ring; size rounded up to 8 */
    uint64_t lease, cause;
    uint32_t handle, attempt, index, topic_size, data_size, total;
};
struct partials {
    uint8_t *bytes;
    uint64_t size; /* a power of two, or 0 */
    uint64_t tail, sent, head;
};

/* -- subscriptions -- */
enum subscription_state {
    SUBSCRIPTION_FREE,
    SUBSCRIPTION_NEW,
    SUBSCRIPTION_OPENING,
    SUBSCRIPTION_OPEN,
    SUBSCRIPTION_CLOSING,
    SUBSCRIPTION_CLOSED
};
struct subscription {
    uint64_t id, start_at, limit, received, cursor;
    uint64_t granted, granted_base; /* own credit: in all, and what was used when this connection's subscribe was sent */
    uint8_t filter[NAME_BYTES_MAX], epoch[EPOCH_BYTES];
    uint8_t filter_size;
    uint8_t epoch_size;
    uint8_t state;
    uint16_t tenant;
    uint32_t start, next_free;
    bool own_credit, grant_waits, has_cursor, resumed;
};
struct subscribing {
    struct subscription *items; /* [max + 1] */
    uint32_t max, free, touched;
    struct map by_id;
    uint32_t unsent; /* subscriptions that wait to be opened or closed on the wire */
    uint32_t grants; /* subscriptions whose own credit is to be told */
};

/* -- questions -- */
struct query_slot {
    uint64_t id;
    uint32_t ask;
    uint64_t seq;
    uint16_t tenant_size, name_size, session_size;
    bool used, sent;
    uint8_t tenant[NAME_BYTES_MAX], name[NAME_BYTES_MAX], session[NAME_BYTES_MAX];
};
struct cancel_entry {
    uint64_t seq;
    uint32_t tenant;
};

struct link {
    struct link_options options; /* defaults filled in, spans in `text` */
    struct link_terms terms;
    uint64_t now_ns, heard_ns, sent_ns, wake_ns /* waiting: until; connecting: until at most */, drain_ns /* 0 = none */;
    uint64_t random;
    uint64_t known_head; /* that the log has come to, at least */
    uint32_t publish_window;
    uint32_t connection /* wanted; 0 = none */, connects, failures;
    enum link_state state;
    bool hello_sent, telling;
    uint8_t inbox[INBOX_BYTES];
    struct link_tenant *tenants;
    uint32_t tenant_count, tenant_last;
    struct publishing publishing;
    struct leasing leasing;
    struct partials partials;
    struct assembling assembling;
    struct subscribing subscribing;
    struct query_slot *queries;
    const struct msg_manage *manage; /* without an answer; NULL: none */
    bool manage_sent;
    struct cancel_entry *cancels;
    uint32_t cancel_count;
};

/* What is being built by link_flush. */
struct flush {
    struct arena *arena;
    struct packet *packet;
    struct span *pieces;
    size_t pieces_max;
    uint64_t room; /* bytes of body left */
    bool any;
};
enum { FLUSH_PIECES_MAX = 2048 + 2 * PUBLISH_EVENTS_MAX + PARTIALS_PER_PACKET + 2 * LARGE_MAX };
void *link_take(struct flush *flush, size_t count, size_t size);     /* zeroed; the arena's size was promised */
void *link_take_raw(struct flush *flush, size_t count, size_t size); /* not zeroed: for what is filled at once */
void link_add_piece(struct flush *flush, struct span piece);         /* joins it to the last one when they touch */

void link_tell(struct link *link, const struct link_fact *fact);
uint64_t link_random(struct link *link, uint64_t below);

/* link_connect.c */
void link_want_connection(struct link *link);
void link_retry(struct link *link, uint32_t code, uint32_t retry_ms, struct span message); /* the connection is over */
void link_take_welcome(struct link *link, const struct msg_welcome *welcome);
void link_take_error(struct link *link, const struct msg_error *error);
void link_flush_hello(struct link *link, struct flush *flush);

/* link_publish.c */
void link_publish_forget_connection(struct link *link);
void link_publish_welcome(struct link *link, const struct msg_welcome *welcome);
void link_publish_stop(struct link *link, uint32_t code, struct span message);
void link_take_accepted(struct link *link, const struct msg_accepted *accepted);
void link_take_refused(struct link *link, const struct msg_refused *refused);
void link_flush_publish(struct link *link, struct flush *flush);
uint64_t link_publish_deadline_ns(const struct link *link);

/* link_credit.c */
uint32_t link_tenant_find(struct link *link, struct span name, bool make); /* UINT32_MAX: none, no room */
struct span link_tenant_name(const struct link *link, uint32_t tenant);
void link_credit_forget_connection(struct link *link);
void link_take_credit(struct link *link, const struct msg_credit *credit);
void link_flush_credit(struct link *link, struct flush *flush);

/* link_lease.c */
void link_lease_init(struct link *link);
void link_lease_forget_connection(struct link *link);
void link_lease_stop(struct link *link);
void link_lease_tick(struct link *link);
uint64_t link_lease_deadline_ns(const struct link *link);
struct held *link_held(struct link *link, uint32_t handle);
void link_held_become(struct link *link, uint32_t handle, uint8_t state); /* it takes no credit any more */
void link_held_free(struct link *link, uint32_t handle);
void link_keep_extended(struct link *link, uint32_t handle); /* while it is settling: until its settle is sent */
void link_stop_extending(struct link *link, uint32_t handle);
void link_held_end(struct link *link, uint32_t handle, uint32_t code); /* the lease is over: told to the user, or to its settle */
void link_give_back(struct link *link, uint64_t lease);                /* [R-LEASE-4] */
void link_take_deliver(struct link *link, const struct msg_deliver *deliver, struct span body);
void link_take_revoke(struct link *link, const struct msg_revoke *revoke);
void link_take_cancel(struct link *link, const struct msg_cancel *cancel);
void link_flush_leases(struct link *link, struct flush *flush);

/* link_adopt.c */
void link_flush_held(struct link *link, struct flush *flush, struct msg_hello *hello);
void link_adopt(struct link *link, const struct msg_welcome *welcome);

/* link_emit.c: emits that go as parts */
/* LINK_OK | LINK_TOO_LARGE. *out_large: how many; *out_wire: bytes of the emits without what goes as parts. */
enum link_result link_emit_measure(const struct link *link, const struct link_settle *settle, uint32_t *out_large, uint32_t *out_wire);
bool link_emit_has_room(const struct link *link, uint32_t large);
void link_emit_begin(struct link *link, const struct settle_entry *entry);
struct settle_entry *link_emit_next_out(struct link *link); /* its parts are out: now it belongs into the ring. NULL: none */
void link_emit_out_of_ring(struct link *link, const struct settle_entry *entry); /* its parts are to be sent again */
void link_emit_end(struct link *link, uint32_t slot);
void link_emit_lose(struct link *link, bool all, uint32_t code); /* answers those that are not in the ring; else only those whose lease is gone */
void link_emit_revoked(struct link *link, uint32_t handle); /* its parts go nowhere any more */
void link_emit_forget_connection(struct link *link);
bool link_emit_send_part(struct link *link, struct flush *flush, uint32_t index, struct msg_part *part);
void link_emit_add(struct flush *flush, const struct settle_entry *entry, uint32_t *sizes, uint32_t *parts); /* to the settle */

/* link_settle.c */
void link_settle_end(struct link *link, const struct settle_entry *entry, uint32_t code); /* of one that is in no ring (any more) */
void link_settle_answer(struct link *link, uint64_t place, uint32_t code);
void link_settle_restart(struct link *link); /* closes the holes, numbers begin at 1 again */
void link_take_settled(struct link *link, const struct msg_settled *settled);
void link_flush_settle(struct link *link, struct flush *flush);
uint64_t link_settle_deadline_ns(const struct link *link);

/* link_part.c: large events, out … */
void link_large_begin(struct link *link, struct publish_entry *entry, uint64_t number); /* its first part goes with this packet */
void link_large_answered(struct link *link, uint64_t number);
size_t link_flush_large(struct link *link, struct flush *flush, struct msg_publish *messages,
                        uint32_t *sizes); /* those whose parts are out */
void link_flush_parts(struct link *link, struct flush *flush);
bool link_may_send_part(const struct link_tenant *tenant, const struct flush *flush, size_t size, bool first);
/* … and in */
void link_part_forget_connection(struct link *link);
void link_part_ended(struct link *link, uint64_t lease, uint64_t subscription); /* of what is coming, no more will */
void link_take_part(struct link *link, const struct msg_part *part, struct span data);
/* The whole of the event whose last message this is; size 0: it is not the one that is coming. *out_data: the size of its data. */
struct span link_part_join(struct link *link, uint64_t lease, uint64_t subscription, uint64_t seq, struct span event, uint64_t *out_data);

/* link_partial.c */
void link_partial_forget_connection(struct link *link);
void link_flush_partials(struct link *link, struct flush *flush);
void link_take_partial(struct link *link, const struct msg_partial *partial, struct span data);

/* link_subscribe.c */
struct link_tenant *link_subscription_tenant(struct link *link, uint64_t id); /* NULL: it has ended */
void link_subscribe_init(struct link *link);
void link_subscribe_forget_connection(struct link *link);
void link_subscribe_stop(struct link *link, uint32_t code, struct span message);
void link_take_subscribed(struct link *link, const struct msg_subscribed *subscribed);
void link_take_events(struct link *link, const struct msg_events *events, struct span body);
void link_take_caught_up(struct link *link, const struct msg_caught_up *caught_up);
void link_take_ended(struct link *link, const struct msg_ended *ended);
bool link_take_subscribe_error(struct link *link, const struct msg_error *error);
void link_flush_subscribe(struct link *link, struct flush *flush);
void link_flush_grants(struct link *link, struct msg_credit *credits, size_t *count); /* at most GRANTS_PER_PACKET */

/* link_ask.c */
void link_ask_forget_connection(struct link *link);
void link_take_answer(struct link *link, const struct msg_answer *answer);
void link_flush_ask(struct link *link, struct flush *flush);

#endif
