/* Inside the oracle: its records and the few helpers its files share. */
#ifndef WEIR_SIM_ORACLE_PARTS_H
#define WEIR_SIM_ORACLE_PARTS_H

#include "tests/sim/oracle.h"

/* key -> value (neither 0 nor FORGOTTEN); open addressing, grows. */
#define FORGOTTEN UINT32_MAX
struct table {
    uint64_t *keys;
    uint32_t *values;
    size_t size, count;
};
uint32_t table_get(const struct table *table, uint64_t key);
void table_put(struct table *table, uint64_t key, uint32_t value);
void table_forget(struct table *table, uint64_t key);

/* A growing array: items[1..count] are in use. */
#define LIST(type)                                                                                                                         \
    struct {                                                                                                                               \
        type *items;                                                                                                                       \
        uint32_t count, room;                                                                                                              \
    }
void *list_grow(void *items, uint32_t *room, size_t size);
#define list_add(list)                                                                                                                     \
    (((list).count + 1 >= (list).room ? (void)((list).items = list_grow((list).items, &(list).room, sizeof *(list).items)) : (void)0),     \
     &(list).items[++(list).count])

struct known { /* an event that an author has written */
    char *topic;
    uint8_t *bytes;
    size_t size;
    uint64_t ttl_ms, delay_ms, not_before_ms, deadline_ms;
    uint32_t answers_event;
    char key, session;
    uint64_t seq;                           /* 0: not told to anybody yet */
    uint64_t must_follow;                   /* the highest seq answered when it was first taken */
    uint64_t log_seq;                       /* its place in the log as read; 0: not met */
    uint64_t gone_seq;                      /* its place that was lost with the power */
    uint32_t priority, once_groups;         /* it went out to these: bits */
    uint32_t taken_starts, accepted_starts; /* of the coordinator, then */
    uint64_t taken_turn, accepted_ns;       /* the last one */
    uint64_t taken_window;                  /* the window's edge when it was first taken: its parts were above it */
    bool once;
    uint32_t token, token_before;                  /* the event with the same one that was written before */
    uint64_t repeat_seq;                           /* it was answered as a repeat of this one */
    uint64_t taken_first_ms, taken_last_ms;        /* log time of the turns that took it */
    uint64_t stamp_ms;                             /* as read in the log; 0: not met */
    uint64_t again_seq, again_ms;                  /* where and when it came when it was due; 0: it did not */
    uint32_t settle;                               /* it was sent as an emit with this settle */
    uint32_t born;                                 /* how many groups existed when it was taken; group i < born must get it */
    bool heard;                                    /* by a reader behind the SDK */
    bool foreign, taken, accepted, refused, shown; /* shown: delivered, or sent to a subscription */
    uint8_t answers;                               /* final answers that its user got */
    uint64_t user_seq;
};

static inline bool may_expire(const struct known *known)
{
    return known->ttl_ms || known->deadline_ms;
}

enum holder { HOLDER_NONE, HOLDER_LIVE /* the connection lives */, HOLDER_AWAITED /* until `until_ns` */, HOLDER_OVER };
struct lease {
    uint64_t number, deadline_ns, until_ns;
    uint32_t connection, place, attempt;
    enum holder state;
    uint32_t settle;     /* the last one sent for it */
    uint32_t life;       /* of its group, then */
    uint64_t generation; /* the same, as its worker was told */
    bool returned, kept;
};

struct place { /* of an event in a group */
    uint32_t group;
    uint64_t seq;
    uint32_t lease, attempt; /* the last ones */
    uint32_t starts;         /* of the coordinator, when it was last given out */
    uint32_t settled;        /* by this settle, answered */
    uint32_t maybe;          /* settles that end it and have no answer */
    uint32_t pending;        /* those of them that the coordinator has not forgotten in a crash */
    uint64_t not_before_ns;  /* goes out again */
    bool unsure;             /* the power was lost since it went out last */
    bool twice;              /* or at some time while it was out: two workers may hold the same attempt */
    bool dead;               /* a dead letter says so */
    uint32_t life;           /* of its group: what is above was in it */
    bool was_over;           /* in the one before, perhaps */
    uint64_t first;          /* of a dead letter, delivered again at its own place: its event's */
    bool same_attempt;       /* it was given back unstarted */
    bool handed_back;        /* or perhaps: its worker came back and did not name it */
};

struct settle {
    uint32_t lease, verb, first_emit, emit_count;
    uint64_t number, turn_ns, answered_turn;
    bool living; /* its lease was the connection's living one when it was taken */
    bool sure;   /* and its time was not over */
    bool late;   /* its time was over at the turn before */
    bool answered, ok;
    bool answers; /* a request, among its emits */
    bool again;   /* the same as one before, sent again after a lost connection */
    bool undone;  /* it was ok, and perhaps lost with the power */
};

struct connection {
    uint32_t number;
    bool is_there, honest, welcomed, ends;
    uint32_t group, publisher; /* group: index + 1 */
    uint8_t instance[16];
    uint64_t credit, delivered; /* events, since hello */
    uint64_t room_since;        /* the turn since which it had more credit than events; 0: it has not */
    uint64_t event_credit, events_sent;
    uint64_t held_generation, generation; /* of its group: as its hello said, and as it was told last */
};

struct lost {
    uint64_t first, last;
};
struct hole { /* what is missing has left the window, or its parts have */
    uint64_t first, last, window;
};
struct reader { /* a subscription, at the wire or behind the SDK */
    char *filter;
    uint64_t cursor, last, credit, sent; /* complete from `cursor` (not included) to `last` */
    uint64_t complete_to;                /* it said that all up to here was sent */
    bool begun, own_credit, is_user, history;
    LIST(uint64_t) seqs;
    LIST(struct hole) holes; /* where it was told, or could not be told yet, that something is missing */
};

struct request { /* a client's, or of a program behind the SDK */
    uint32_t event;
    uint64_t until_ns, cancel_ns;    /* when its user gives up, or has taken it back; 0: not */
    uint32_t first_answer;           /* that was told on its inbox */
    uint32_t group, attempt, index;  /* of the next piece for its user */
    bool unsure;                     /* an answer that was told was lost with the power */
    bool open, has_seq, came, heard; /* the gateway knows its seq; has an answer on the inbox; has both, in time */
};
struct pieces {              /* of one request, from one group */
    uint32_t attempt, index; /* the last one */
};

struct viewer {
    uint32_t reader, credit, unacked;
    enum oracle_since since;
    uint64_t since_seq;
    uint32_t shown_before; /* of its reader's events, those that came before it asked */
    bool asked, confirmed, misses;
};

enum { LEVELS = 4 };
struct level_seen {                        /* of a group's events of one priority */
    uint64_t last, last_before, last_turn; /* the highest that went out, before the turn in which one did last */
    uint64_t since_ns, turn;               /* others went out since then, the last time in this turn */
    uint32_t turns;                        /* in so many */
};
struct group {
    struct oracle_group_spec spec;
    struct level_seen levels[LEVELS];
    bool exists, paused; /* surely */
    uint32_t life;       /* the next one begins when it is moved */
    bool moved, moving;  /* and that is answered; or not yet */
    uint64_t place;      /* behind which it began */
    uint64_t moved_turn;
    uint64_t resume_turn; /* the last time that it was asked to go on */
    uint64_t born_turn;
    uint64_t begins; /* what had left the window when it was made was never its own */
    LIST(struct lost) lost;
};

struct repeat { /* this event was answered as a repeat of what is at seq */
    uint32_t event;
    uint64_t seq, taken_ms;
};
struct change { /* that an administrator has asked for */
    uint32_t group;
    uint64_t turn;
    enum oracle_change what;
    uint64_t seq;
};
struct letter { /* a dead letter that an administrator had delivered again */
    uint32_t group;
    uint64_t seq; /* of its event, at first; 0: whatever letters there were */
    bool due;     /* that was answered, and it has not gone out since */
};
struct due_back {
    uint32_t place, connection;
};                       /* the welcome of this connection has to keep it */
struct session {         /* in a group */
    uint32_t connection; /* that had its last event; 0: nobody, or not known */
    uint32_t went_to;    /* in this turn */
    uint64_t turn, blurred_turn;
};
struct moved { /* in this turn */
    uint32_t from;
    uint64_t seq;
};
struct gone { /* places that were lost with the power */
    uint64_t first, last;
};
struct logged {
    uint64_t seq, cause;
    uint32_t event;
};

struct oracle {
    oracle_broken broken;
    void *arg;
    uint64_t now_ns, log_ms, last_turn_ns, grace_ns, adopt_until_ns, highest_answer, window, lost_below;
    uint32_t starts;
    uint64_t turn;
    bool running;
    struct table by_bytes, by_data, by_seq, by_number, by_lease, by_place, by_settle, by_connection, by_reader, by_request, by_pieces,
        by_change, by_session, publishers;
    LIST(struct known) events;
    LIST(struct group) groups;
    LIST(uint32_t) born; /* their indexes in that order */
    LIST(struct connection) connections;
    LIST(struct lease) leases;
    LIST(struct place) places;
    LIST(struct settle) settles;
    LIST(uint32_t) emits; /* events, by settle */
    LIST(struct reader) readers;
    LIST(struct viewer) viewers;
    LIST(struct request) requests;
    LIST(struct pieces) pieces;
    LIST(uint32_t) must_cancel; /* leases, in this turn */
    LIST(struct logged) log;
    LIST(struct repeat) repeats;
    LIST(struct change) changes;
    LIST(struct gone) gone;
    LIST(struct session) sessions;
    LIST(struct moved) moved;
    bool has_large;        /* some author wrote one */
    LIST(uint32_t) tokens; /* by number: the newest event with it */
    uint64_t token_life_ms;
    uint32_t token_limit, delay_limit;
    LIST(struct due_back) must_keep; /* in this turn */
    LIST(struct letter) letters;
    LIST(uint64_t) revoked; /* in this turn, before they are told as given: pairs of connection and lease */
    uint32_t unanswered;    /* publishes of honest authors that their users wait for */
    struct oracle_counts counts;
};

_Noreturn void broken(struct oracle *o, const char *check, const char *format, ...) __attribute__((format(printf, 3, 4)));
uint64_t oracle_hash(const uint8_t *bytes, size_t size);
uint64_t pair_key(uint64_t a, uint64_t b);
bool group_has_lost(const struct group *group, uint64_t seq);
bool group_wants(const struct group *group, const char *topic);
/* This event was shown at seq: one place per event, one event per place. */
void event_is_at(struct oracle *o, uint32_t event, uint64_t seq);
/* The same for one that is given to somebody, there or at another place where it comes again. */
void event_is_shown(struct oracle *o, uint32_t event, const struct oracle_shown *shown);
struct connection *connection_of(struct oracle *o, uint32_t connection); /* NULL: not there */
uint32_t place_of(struct oracle *o, uint32_t group, uint64_t seq);       /* made when missing */
bool group_has_to_get(const struct oracle *o, uint32_t group, const struct known *known);
void credit_is_raised(struct oracle *o, struct connection *c, uint64_t events);
void credit_is_used(struct oracle *o, struct connection *c);
void session_goes(struct oracle *o, const struct known *known, const struct place *place, uint32_t connection, uint32_t attempt);
void sessions_end_turn(struct oracle *o);
void sessions_forget(struct oracle *o);
void group_moves(struct oracle *o, uint32_t group);
void group_has_moved(struct oracle *o, uint32_t group, uint64_t place);
void moves_crash(struct oracle *o);
void letter_is_asked_for(struct oracle *o, uint32_t group, uint64_t seq);
void letter_will_come(struct oracle *o, uint32_t group, uint64_t seq);
bool is_letter(const struct oracle *o, uint32_t group, const struct known *known,
               const struct oracle_delivery *d); /* of that event, delivered again */
void letter_goes_out(struct oracle *o, struct place *place, const struct known *known, const struct oracle_delivery *d);
uint64_t letter_waits(const struct oracle *o); /* the event of one that is due; 0: none */
void letters_lie_again(struct oracle *o, uint32_t group);
void check_moved(struct oracle *o, const struct place *place); /* before the event is given out there */
void leases_of_ended(struct oracle *o, uint32_t connection);
void leases_crash(struct oracle *o);
void cancels_end_turn(struct oracle *o);
uint32_t answer_waits(const struct oracle *o);                     /* one that is committed and has not been heard on its inbox; 0: none */
void check_key_order(struct oracle *o, const struct place *place); /* before the event is given out there */
uint32_t reader_add(struct oracle *o, const char *filter);
void reader_take(struct oracle *o, struct reader *reader, uint64_t seq, uint32_t event);
void known_taken(struct oracle *o, struct known *known); /* by the coordinator, in this turn */
void token_written(struct oracle *o, uint32_t event);
bool token_repeated(struct oracle *o, uint32_t event, uint64_t seq); /* false: it may have been accepted at seq itself */
void token_refused(struct oracle *o, uint32_t event, enum oracle_refusal why);
bool token_drops(const struct oracle *o, uint32_t event); /* an emit that is not in the log: its token may have lived when it was taken */
void judge_tokens(struct oracle *o);
struct span_ms {
    uint64_t from, to;
};
struct span_ms due_of(const struct known *known); /* when it may be shown, from then on and surely */
void delay_refused(struct oracle *o, uint32_t event, enum oracle_refusal why);
void judge_delays(struct oracle *o);
void check_once(struct oracle *o, struct known *known, const struct place *place); /* before it is given out there, as the next ones */
bool may_miss_it(const struct oracle *o, uint64_t seq);
struct reader *reader_of_user(struct oracle *o, uint32_t user);
void check_limits(struct oracle *o, const struct place *place); /* after */
void levels_begin(struct oracle *o);
void check_level(struct oracle *o, const struct known *known, const struct place *place);
void reader_check(struct oracle *o, const struct reader *reader);
/* What a liar made of somebody's bytes: nobody knows on what topic it is, if on any. */
static inline bool is_of_no_topic(const struct known *known)
{
    return known->foreign && known->topic[0] == 0;
}
#define U(x) ((unsigned long long)(x))

#endif
