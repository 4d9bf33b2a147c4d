/* What the core's files share among themselves. Nobody else includes this. */
#ifndef WEIR_GATEWAY_GATE_PARTS_H
#define WEIR_GATEWAY_GATE_PARTS_H

#include <assert.h>

#include "gateway/core/gate.h"
#include "gateway/core/jscan.h"
#include "gateway/core/outbox.h"
#include "gateway/core/text.h"
#include "proto/event.h"
#include "sdk/base/heap.h"
#include "sdk/base/map.h"
#include "sdk/base/must.h"
#include "sdk/base/topic.h"

enum {
    ID_BYTES_MAX = 64,  /* a message's id, as raw JSON */
    CREDIT_MAX = 1024,  /* of a subscription */
    HISTORY_MAX = 1000, /* events in one answer */
    HISTORY_DEFAULT = 100,
    HISTORY_BYTES = 512 * 1024, /* an answer that has grown to this is given as it is, with more: true */
    PUBLISH_WINDOW = 16384,     /* unanswered numbers, the most a link has [R-PUB-5] */
    REQUEST_MS = 30000,         /* a request's timeout when it names none */
    REQUEST_MS_MAX = 3600000,
    STREAM_EVENTS_MAX = 64, /* under way to a stream at most */
    STREAM_SHARE = 4,       /* streams may queue so many times what live events may: credit holds them, not the end of the connection */
    FRAME_HEAD_MAX = 10,    /* of a WebSocket frame from a server */
    RUN_BYTES = 48 * 1024,  /* events of one packet are framed into one buffer up to about this */
    RUN_EVENTS = 512,
    EVENT_ROOM = 6 * EVENT_BYTES_MAX + 1024, /* one event as JSON at most: each byte \u00xx; without the data of a large one */
    DATA_OUT_MAX = 512 * 1024,               /* larger data, as it would be written, is left out, and its size told */
    HISTORY_DATA_MAX = 2 * EVENT_BYTES_MAX,  /* the same in an answer of many events */
    SLOW_RETRY_MS = 500,
    TOPIC_HANDLE_BITS = 20,
    TOPIC_HANDLE_MASK = (1 << TOPIC_HANDLE_BITS) - 1,
};

struct tenant {
    struct span name;
    uint64_t consumed_events, consumed_bytes; /* to be told to the link */
    bool dirty;
};

struct conn {
    uint64_t id;
    const struct gate_identity *identity; /* NULL in dev */
    struct outbox box;
    uint32_t subs, ops; /* first of the lists */
    uint16_t sub_count, op_count;
    uint16_t private_count; /* of the subs: those with a stream of their own */
    uint16_t tenant;
    uint32_t inbox;               /* topic; 0: no request yet */
    uint32_t strays, stray_count; /* first of the pool buffers of struct stray, oldest first */
    uint32_t prev_dirty, next_dirty;
    const char *close_reason;
    uint16_t close_code;
    bool is_dirty, authorized, slow, draining;
};

/* A subscription at the coordinator. */
enum topic_kind { TOPIC_SHARED, TOPIC_STREAM, TOPIC_INBOX, TOPIC_HISTORY };
struct topic {
    uint64_t id;                /* on the link: 32 bits of handle and generation, so that a late message for an older one is told apart */
    uint64_t cursor;            /* all up to here has been given to the members */
    uint64_t granted, received; /* streams: own credit */
    uint64_t key;               /* shared: hash of tenant and filter */
    uint32_t members;           /* shared: list of all subs that use it, whatever their state */
    uint32_t owner;             /* stream: sub; inbox: conn; history: op */
    uint32_t next_dirty;
    uint32_t largest; /* stream: bytes of the largest event as framed so far */
    uint64_t grant;   /* to be told to the link */
    uint16_t tenant;
    uint8_t kind;
    uint8_t filter_size;
    bool confirmed, leaving /* nobody is interested any more */, is_dirty, unsubscribe /* to be told */;
    uint8_t filter[TOPIC_BYTES_MAX];
};

/* A client's subscription. */
enum sub_state {
    SUB_JOINING,  /* the shared topic is not confirmed: the ok waits */
    SUB_CATCHING, /* its stream gives what was asked for: the ok waits for its end */
    SUB_HANDING,  /* its stream is live, it changes to the shared topic as soon as that has no more than the stream */
    SUB_LIVE,     /* member of the shared topic */
    SUB_CREDITED, /* stays on its stream: it goes by the client's acks */
};
struct sub {
    uint32_t conn, op /* the subscribe without its ok */;
    uint32_t next_of_conn;
    uint32_t prev_member, next_member; /* of the shared topic */
    uint32_t shared, stream;           /* topics; 0: none */
    uint64_t last;                     /* events up to here are not given (again) */
    uint32_t recovered;
    uint16_t credit; /* 0: none */
    uint8_t state;   /* enum sub_state */
    bool gap;
    uint32_t unacked; /* pool buffer of struct run_event[credit], a ring; 0: none */
    uint16_t unacked_first, unacked_count;
    uint16_t unacked_again; /* of them: those that stand here again */
};

/* A client's message without its answer. */
enum op_kind { OP_PUBLISH, OP_REQUEST, OP_SUBSCRIBE, OP_HISTORY };
struct op {
    uint32_t conn; /* 0: gone; the answer is for nobody */
    uint32_t prev, next;
    uint64_t seq;                   /* request: of its event; 0: not accepted yet */
    uint32_t sent_on;               /* request: gate's `ups` when it got its number */
    uint32_t group, attempt, index; /* request: of the next partial */
    uint32_t topic;                 /* history */
    uint32_t buffer;                /* history: the events so far */
    uint32_t count, limit;
    uint16_t tenant;
    uint8_t kind, id_size;
    bool gap, cancelled;
    uint8_t id[ID_BYTES_MAX];
};

/* What came to an inbox for a request whose seq is not known. */
struct stray {
    uint64_t cause;
    uint32_t next;                  /* pool buffer */
    uint32_t group, attempt, index; /* of a partial; attempt 0: it is the answer */
    uint8_t bytes[];                /* the partial's data, or the answer's event */
};

/* Events of one packet, framed into one buffer. */
struct run {
    uint32_t buffer;
    uint32_t count;
    struct run_event {
        uint64_t seq, first; /* first: 0, or the place that its id names */
    } events[RUN_EVENTS];
    uint32_t offset[RUN_EVENTS]; /* of each event's frame */
};

struct gate {
    struct gate_config config;
    uint64_t now_ms, unix_ms;
    uint8_t epoch[EPOCH_BYTES];
    uint32_t epoch_size;
    bool up, draining;
    uint32_t ups; /* connections to the coordinator so far */
    uint64_t conns_made;
    struct slab conns, topics, subs, ops;
    struct pool pool;
    struct outboxes boxes;
    struct map tokens;   /* hash of a token -> identity + 1 */
    struct map shared;   /* hash of tenant and filter -> topic */
    struct map requests; /* seq -> op */
    struct heap op_deadlines, auth_deadlines;
    uint32_t *op_of_number; /* [PUBLISH_WINDOW] */
    struct tenant tenants[GATE_TENANTS_MAX];
    uint32_t tenant_count;
    uint16_t *tenant_of; /* per identity */
    uint32_t first_dirty, last_dirty;
    uint32_t first_dirty_topic;
    uint8_t *strings; /* a client's strings, unescaped: frame_bytes_max */
    uint32_t strings_used;
    uint8_t *scratch;      /* a frame being built: GATE_FRAME_OUT_MAX */
    uint32_t first_cancel; /* ops whose event is to be cancelled */
    bool consumed;         /* some tenant is dirty */
    struct run run;
    struct gate_stats stats;
};

/* -- gate.c -- */
static inline struct conn *conn_at(const struct gate *g, uint32_t handle)
{
    return slab_at(&g->conns, handle);
}
static inline struct topic *topic_at(const struct gate *g, uint32_t handle)
{
    return slab_at(&g->topics, handle);
}
static inline struct sub *sub_at(const struct gate *g, uint32_t handle)
{
    return slab_at(&g->subs, handle);
}
static inline struct op *op_at(const struct gate *g, uint32_t handle)
{
    return slab_at(&g->ops, handle);
}
static inline struct span epoch_of(const struct gate *g)
{
    return span_of(g->epoch, g->epoch_size);
}
static inline struct span topic_filter(const struct topic *t)
{
    return span_of(t->filter, t->filter_size);
}

/* -- conn.c -- */
void conn_touch(struct gate *g, uint32_t conn);                                  /* it has something for the shell */
void conn_end(struct gate *g, uint32_t conn, uint16_t code, const char *reason); /* after what waits is written */
void conn_send(struct gate *g, uint32_t conn, struct span frames);               /* frames of its own */
/* Appends the buffer's frames from skip on; that many events are in them. share: of the queue's limit, how many times. */
void conn_share(struct gate *g, uint32_t conn, uint32_t buffer, uint32_t skip, uint32_t events, uint32_t share);
void conns_relieve(struct gate *g); /* the pool is nearly full: ends those that hold the most of it */
bool pool_is_tight(const struct gate *g);

/* -- answers.c: frames to one client. id: raw JSON, size 0: none -- */
void frame_begin(struct gate *g, struct writer *w);                  /* payload goes into w, which lies in g->scratch */
void write_head(struct writer *w, const char *type, struct span id); /* {"type":"…","id":… */
void send_frame(struct gate *g, uint32_t conn, struct writer *w);
void send_hello(struct gate *g, uint32_t conn);
void send_ok(struct gate *g, uint32_t conn, struct span id);
void send_pong(struct gate *g, uint32_t conn, struct span id);
void send_error(struct gate *g, uint32_t conn, struct span id, uint32_t code, struct span message, uint32_t retry_ms);
/* id: of the subscribe without its ok. cursor: from where to subscribe again; 0: from where it was. */
void send_sub_ended(struct gate *g, uint32_t sub, struct span id, uint32_t code, struct span message, uint64_t cursor);
void send_sub_gap(struct gate *g, uint32_t conn, struct span topic);           /* it goes on behind it */
void send_pressure(struct gate *g, uint32_t conn, bool slow, uint64_t queued); /* queued: bytes that wait for it */

/* -- event_json.c -- */
/* Writes the event frame's object, with data up to data_max; false: the bytes are no event. */
struct event_stamp { /* what an event has besides its bytes */
    uint64_t seq, first /* 0: it stands here first */, time_ms;
};
struct event_stamp event_stamp(const struct link_fact *fact, size_t index);
bool write_event(struct gate *g, struct writer *w, const struct event_stamp *stamp, struct span bytes, size_t data_max);
void write_event_data(struct writer *w, const struct event *event, size_t data_max); /* or its size, when it is larger */
size_t event_data_max(const struct gate *g);                                   /* of an event to a socket: a part of its queue */
void write_data(struct writer *w, struct span content_type, struct span data); /* ,"data":… or ,"data_base64":"…" */
size_t frame_header(uint8_t *before, size_t payload);                          /* writes it so that it ends at before; its size */

/* -- fields.c: a client's fields. Each: false = an error has been sent -- */
struct request_context {
    uint32_t conn;
    struct span id; /* raw */
    const struct jscan_object *object;
};
bool refuse(struct gate *g, const struct request_context *ctx, uint32_t code, const char *message);
bool field_text(struct gate *g, const struct request_context *ctx, const char *name, size_t size_max,
                struct span *out); /* absent, null: empty */
bool field_uint(struct gate *g, const struct request_context *ctx, const char *name, uint64_t max, uint64_t initial, uint64_t *out);
bool field_filter(struct gate *g, const struct request_context *ctx, struct span *out);
struct place {
    uint32_t start;
    uint64_t at;
    struct span epoch;
};
bool field_place(struct gate *g, const struct request_context *ctx, uint32_t initial, struct place *out); /* since, last */
bool same_id(struct span a, struct span b);

/* -- ops.c -- */
/* 0: an error has been sent. */
uint32_t op_open(struct gate *g, const struct request_context *ctx, enum op_kind kind, uint64_t deadline_ms);
void op_close(struct gate *g, uint32_t op);                                                        /* answered, or given up */
void op_orphan(struct gate *g, uint32_t op);                                                       /* its connection is gone */
void op_error(struct gate *g, uint32_t op, uint32_t code, struct span message, uint32_t retry_ms); /* answers and closes */
struct span op_id(const struct op *op);
void ops_expire(struct gate *g, uint32_t op); /* its deadline has passed */

/* -- messages.c -- */
void take_message(struct gate *g, uint32_t conn, const struct jscan_object *object);

/* -- publish.c, subscribe.c, history.c: one message each -- */
void take_publish(struct gate *g, const struct request_context *ctx);
void take_request(struct gate *g, const struct request_context *ctx);
void take_cancel(struct gate *g, const struct request_context *ctx);
void take_subscribe(struct gate *g, const struct request_context *ctx);
void take_unsubscribe(struct gate *g, const struct request_context *ctx);
void take_ack(struct gate *g, const struct request_context *ctx);
void take_history(struct gate *g, const struct request_context *ctx);

void publish_accepted(struct gate *g, const struct link_fact *fact);
void publish_refused(struct gate *g, const struct link_fact *fact);

/* -- request.c, strays.c -- */
void inbox_events(struct gate *g, struct topic *t, const struct link_fact *fact);
void inbox_partial(struct gate *g, const struct link_fact *fact);
/* Gives the answer or partial to its request, if that waits. bytes: the partial's data, or the answer's event. */
void request_answer(struct gate *g, const struct stray *head, struct span bytes);
void stray_keep(struct gate *g, uint32_t conn, const struct stray *head, struct span bytes); /* ends the connection when there is no room */
void strays_take(struct gate *g, uint32_t conn, uint64_t cause);                             /* the request's seq is known now */
void strays_drop(struct gate *g, struct conn *c);                                            /* unless a request waits for its seq */

void history_events(struct gate *g, uint32_t topic, const struct link_fact *fact);
void history_end(struct gate *g, uint32_t topic, uint32_t code, bool more);

void sub_close(struct gate *g, uint32_t sub);
struct span sub_filter(const struct gate *g, const struct sub *s);
void sub_grant(struct gate *g, uint32_t sub);                                     /* its stream may send more, if there is room */
/* Answers or tells, then closes; cursor as with send_sub_ended. */
void sub_error(struct gate *g, uint32_t sub, uint32_t code, struct span message, uint64_t cursor);
void subs_confirmed(struct gate *g, struct topic *t, uint64_t cursor, bool gap);
void shared_events(struct gate *g, uint32_t topic, const struct link_fact *fact);
void stream_events(struct gate *g, uint32_t topic, const struct link_fact *fact);
void stream_caught_up(struct gate *g, uint32_t topic, uint64_t cursor);

/* -- runs.c -- */
/* Frames the events of the fact from *index (whose bytes begin at *offset) on, as many as one buffer takes, into g->run, and moves both on.
 * False: there is no memory. run.count 0: what was looked at is no event. */
bool run_build(struct gate *g, const struct link_fact *fact, size_t *index, size_t *offset);
void run_end(struct gate *g);

/* -- topics.c: subscriptions at the coordinator -- */
uint32_t topic_share(struct gate *g, uint16_t tenant, struct span filter); /* the shared one, opened if need be; 0: no room */
uint32_t topic_open(struct gate *g, enum topic_kind kind, uint16_t tenant, struct span filter, uint32_t owner, const struct place *place,
                    uint64_t limit, uint64_t credit);
void topic_leave(struct gate *g, uint32_t topic); /* its owner, or last member, has gone */
void topic_free(struct gate *g, uint32_t topic);
void topic_touch(struct gate *g, uint32_t topic);
uint32_t topic_find(const struct gate *g, uint64_t id); /* 0: an older one */

#endif
