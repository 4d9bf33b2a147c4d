/* A Packet (weir.proto) as plain C, both ways: what codec_decode makes of bytes and what codec_encode makes bytes of. The fields mean
 * what weir.proto and PROTOCOL.md say. All arrays and spans are lent: decoded ones by the arena and the frames they came from. */
#ifndef WEIR_PROTO_PACKET_H
#define WEIR_PROTO_PACKET_H

#include "proto/record.h"

enum { PROTOCOL_VERSION = 1, INSTANCE_BYTES = 16, PUBLISHER_BYTES = 16, EPOCH_BYTES = 16 };

enum error_code {
    CODE_OK = 0, CODE_BAD_FRAME, CODE_BAD_REQUEST, CODE_BAD_VERSION, CODE_UNAUTHORIZED, CODE_FORBIDDEN, CODE_NOT_FOUND,
    CODE_TOO_LARGE, CODE_THROTTLED, CODE_OVERLOADED, CODE_NO_WORKER, CODE_TIMEOUT, CODE_CANCELLED, CODE_EXPIRED, CODE_STALE,
    CODE_CONFLICT, CODE_CREDIT_EXCEEDED, CODE_BREAKER_OPEN, CODE_DRAINING, CODE_MOVED, CODE_GONE, CODE_UNSUPPORTED, CODE_INTERNAL,
    CODE_COUNT
};
const char *error_code_word(uint32_t code);          /* "bad_frame"; "unknown" for a number from the future */

const char *dead_reason_word(uint32_t reason);       /* of enum dead_reason: "rejected"; "unknown" for a number from the future */

enum packet_field { /* field numbers in Packet: `about` in an Error, labels of metrics */
    FIELD_HELLO = 1, FIELD_WELCOME, FIELD_ERROR, FIELD_HEARTBEAT, FIELD_CREDIT, FIELD_PUBLISH, FIELD_ACCEPTED, FIELD_REFUSED,
    FIELD_SUBSCRIBE, FIELD_SUBSCRIBED, FIELD_UNSUBSCRIBE, FIELD_EVENTS, FIELD_CAUGHT_UP, FIELD_ENDED, FIELD_DELIVER, FIELD_SETTLE,
    FIELD_SETTLED, FIELD_EXTEND, FIELD_RELEASE, FIELD_REVOKE, FIELD_PARTIAL, FIELD_CANCEL, FIELD_QUERY, FIELD_ANSWER, FIELD_REPLAY,
    FIELD_DRAIN, FIELD_MOVED, FIELD_PART, FIELD_MANAGE, FIELD_COUNT
};

enum role { ROLE_UNKNOWN = 0, ROLE_WORKER, ROLE_CLIENT, ROLE_GATEWAY, ROLE_ADMIN, ROLE_COUNT };
enum ordering { ORDERING_NONE = 0, ORDERING_KEY, ORDERING_SESSION, ORDERING_GROUP };
enum affinity { AFFINITY_NONE = 0, AFFINITY_SESSION };
enum start { START_NEW = 0, START_FIRST, START_SEQ, START_TIME, START_LAST };
enum credit_kind { CREDIT_PUBLISH = 0, CREDIT_DELIVER, CREDIT_EVENTS };
enum verb { VERB_NONE = 0, VERB_ACK, VERB_NACK, VERB_REJECT };
enum ask { ASK_NONE = 0, ASK_STATS, ASK_GROUPS, ASK_WHY, ASK_DEAD };
enum wait {
    WAIT_NONE = 0, WAIT_SETTLED, WAIT_WORKING, WAIT_COMMIT, WAIT_CATCH_UP, WAIT_NO_WORKER, WAIT_NO_CREDIT, WAIT_PAUSED, WAIT_BACK_OFF,
    WAIT_ADOPTION, WAIT_ROOM, WAIT_EXPIRED, WAIT_DRAIN, WAIT_RETRY, WAIT_KEY, WAIT_LIMIT, WAIT_AFFINITY, WAIT_DEAD, WAIT_DEAD_FULL,
    WAIT_RETRY_BUDGET, WAIT_DELAYED, WAIT_COUNT
};
const char *wait_word(uint32_t wait); /* "no_worker"; "unknown" for a number from the future */
enum action {
    ACTION_NONE = 0, ACTION_GROUP_SET, ACTION_GROUP_PAUSE, ACTION_GROUP_RESUME, ACTION_GROUP_SEEK, ACTION_GROUP_DELETE, ACTION_DEAD_RETRY,
    ACTION_DEAD_DROP, ACTION_COUNT
};

struct group_spec {
    struct span name;
    const struct span *filters; size_t filter_count;
    struct group_options options; /* each 0 or empty = the default, or as the group has it */
    uint32_t start;
    uint64_t start_at;
};
struct msg_hello {
    uint32_t protocol, role;
    uint64_t features;
    struct span name, instance, tenant, credential, publisher;
    uint64_t first_unanswered;
    bool has_group;
    struct group_spec group;
    struct span epoch;
    const uint64_t *held_seq; const uint32_t *held_attempt, *held_priority /* NULL or [count] */; size_t held_count;
    const uint64_t *held_first; const uint32_t *held_letter /* these two: NULL or [held_count] */;
    uint64_t held_generation;
    uint64_t max_packet_bytes, max_event_bytes;
};
struct msg_welcome {
    uint32_t protocol, publisher_known, publish_window, heartbeat_ms, lease_ms, replay, max_deliveries, large_events;
    uint64_t features;
    struct span server, epoch, tenant, inbox;
    uint64_t term, peer, highest_number, max_event_bytes, max_packet_bytes, emit_credit_bytes, generation, head;
    const uint64_t *kept_seq; const uint32_t *kept_attempt; const uint64_t *kept_lease; size_t kept_count;
};
struct msg_error { uint32_t code, about, retry_ms; uint64_t id; struct span message; };
struct msg_heartbeat { uint64_t echo; };
struct msg_credit { uint32_t kind; struct span tenant; uint64_t subscription, events, bytes; };
struct msg_publish { struct span tenant; uint64_t first_number; const uint32_t *size; size_t count; };
struct msg_accepted { uint64_t first_number, first_seq; uint32_t count, duplicate; };
struct msg_refused { uint64_t first_number; uint32_t count, code, retry_ms; struct span message; };
struct msg_subscribe {
    uint64_t subscription; struct span tenant, filter; uint32_t start; uint64_t start_at; struct span epoch; uint64_t limit, credit_events;
};
struct msg_subscribed { uint64_t subscription, cursor; uint32_t gap; };
struct msg_unsubscribe { uint64_t subscription; };
struct msg_events {
    uint64_t subscription;
    const uint64_t *seq, *time_ms, *cause, *first /* these two: NULL or [count] */;
    const uint32_t *size;
    size_t count;
};
struct msg_caught_up { uint64_t subscription, cursor; };
struct msg_ended { uint64_t subscription, cursor; uint32_t code, more; };
struct msg_deliver {
    const uint64_t *lease, *seq, *time_ms, *cause, *first /* these two: NULL or [count] */;
    const uint32_t *attempt, *size;
    size_t count;
    uint32_t lease_ms;
    const uint32_t *priority, *letter; /* NULL or [count] */
    uint64_t generation;
};
struct msg_settle {
    uint64_t first_number; const uint64_t *lease; const uint32_t *verb; size_t count;
    const uint32_t *delay_ms /* NULL or [count] */; const struct span *reason /* NULL or [count] */; const uint32_t *emits /* NULL or [count] */;
    const uint32_t *emit_size; size_t emit_count;
    const uint32_t *emit_parts; /* NULL or [emit_count] */
};
struct msg_settled { uint64_t first_number; uint32_t count, code; };
struct msg_extend { const uint64_t *lease; const uint32_t *lease_ms; size_t count; };
struct msg_release { const uint64_t *lease; size_t count; };
struct msg_revoke { const uint64_t *lease; const uint32_t *code; size_t count; };
struct msg_partial { uint64_t lease, subscription, cause; struct span topic; uint32_t attempt, index, size, group; };
struct msg_cancel { uint64_t lease, seq; struct span tenant; };
struct msg_query { uint64_t id; uint32_t ask; struct span tenant, name; uint64_t seq; struct span session; };
struct stat_row { struct span name; uint64_t value; };
struct group_row {
    struct span tenant, name; const struct span *filters; size_t filter_count;
    uint64_t generation, floor, handed, cursor, head, delivered, acked, nacked, rejected, expired;
    uint32_t workers, leased, failed, ranges;
    bool has_options;
    struct group_options options;
    const struct span *old_filters; size_t old_filter_count;
    uint64_t filters_from, lag, lag_ms, oldest, arrivals, settles, service_us, wait_since_ms;
    uint32_t lag_is_estimate, workers_wanted, wait, retries_waiting;
};
struct why_row {
    struct span tenant, group, worker; uint64_t seq, since_ms, until_ms, by_seq, ahead; uint32_t wait, attempt, reason;
};
struct dead_row { uint64_t seq, place, time_ms; uint32_t attempts, reason, retried; };
struct msg_answer {
    uint64_t id, count, seq; uint32_t code, more; struct span message;
    const struct stat_row *stats; size_t stat_count; const struct group_row *groups; size_t group_count;
    const struct why_row *whys; size_t why_count;
    const struct dead_row *deads; size_t dead_count;
};
struct msg_manage {
    uint64_t id, seq; uint32_t action; struct span tenant, epoch; bool has_group; struct group_spec group; const uint32_t *set; size_t set_count;
};
struct msg_replay { struct span filter; uint64_t from, until; };
struct msg_drain { uint32_t reconnect_ms; };
struct msg_moved { const struct span *endpoints; size_t endpoint_count; uint64_t term; };
struct msg_part { uint64_t number, lease, subscription, seq; struct span tenant; uint32_t index, count, size; };

/* A NULL pointer or a count of 0: the message is not in the packet. */
struct packet {
    const struct msg_hello *hello;
    const struct msg_welcome *welcome;
    const struct msg_error *errors; size_t error_count;
    const struct msg_heartbeat *heartbeat;
    const struct msg_credit *credits; size_t credit_count;
    const struct msg_publish *publishes; size_t publish_count;
    const struct msg_accepted *accepted; size_t accepted_count;
    const struct msg_refused *refused; size_t refused_count;
    const struct msg_subscribe *subscribes; size_t subscribe_count;
    const struct msg_subscribed *subscribed; size_t subscribed_count;
    const struct msg_unsubscribe *unsubscribes; size_t unsubscribe_count;
    const struct msg_events *events; size_t events_count;
    const struct msg_caught_up *caught_up; size_t caught_up_count;
    const struct msg_ended *ended; size_t ended_count;
    const struct msg_deliver *deliver;
    const struct msg_settle *settle;
    const struct msg_settled *settled; size_t settled_count;
    const struct msg_extend *extend;
    const struct msg_release *release;
    const struct msg_revoke *revoke;
    const struct msg_partial *partials; size_t partial_count;
    const struct msg_cancel *cancels; size_t cancel_count;
    const struct msg_query *queries; size_t query_count;
    const struct msg_answer *answers; size_t answer_count;
    const struct msg_replay *replay;
    const struct msg_drain *drain;
    const struct msg_moved *moved;
    const struct msg_part *parts; size_t part_count;
    const struct msg_manage *manages; size_t manage_count;
    uint32_t unknown_fields; /* decoded only: how many fields of this packet we do not know; each is answered by `unsupported` */
    struct span body;        /* decoded: frame 1. codec_decode has checked that the size columns add up to it exactly. */
    const struct span *pieces; size_t piece_count; /* to encode: the bodies, in the order the size columns measure them */
};

#endif
