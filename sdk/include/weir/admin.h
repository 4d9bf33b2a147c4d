/* What the weir command and other tools need beyond weir.h: statistics, groups, and events as they stand in the log. */
#ifndef WEIR_ADMIN_H
#define WEIR_ADMIN_H

#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_admin weir_admin;

/* 0 or NULL = the default, as in weir_worker_options. Since 0.1. */
typedef struct weir_admin_options {
    size_t size; /* set by WEIR_ADMIN_OPTIONS_INIT */
    const char *endpoint;
    const char *tenant;
    const char *credential;
    const char *name;
    const char *server_key;
    const char *public_key;
    const char *secret_key;
    bool as_client;              /* ask as a client, who sees its own tenant, not as an admin, who sees all */
    uint32_t connect_timeout_ms; /* as for workers */
    weir_state_fn *on_state;
    weir_log_fn *on_log;
    void *arg;
} weir_admin_options;

static inline weir_admin_options weir_admin_options_init(void)
{
    weir_admin_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    return o;
}
#define WEIR_ADMIN_OPTIONS_INIT weir_admin_options_init()

/* As weir_worker_open. Gives *out_admin. weir_last_error takes it too. Since 0.1. */
WEIR_API weir_status weir_admin_open(const weir_admin_options *options, weir_admin **out_admin);
WEIR_API void weir_admin_close(weir_admin **admin);

typedef struct weir_stat {
    const char *name;
    uint64_t value;
} weir_stat;

typedef struct weir_group_info {
    const char *tenant;
    const char *name;
    const char *const *filters;
    size_t filter_count;
    uint64_t generation;
    uint64_t floor;                                       /* all at or below it is settled */
    uint64_t handed;                                      /* nothing above it was given out */
    uint64_t cursor;                                      /* where the group reads */
    uint64_t head;                                        /* the newest committed position of the log */
    uint64_t delivered, acked, nacked, rejected, expired; /* since the coordinator's start */
    uint32_t workers;
    uint32_t leased; /* on loan now */
    uint32_t failed; /* waiting to go out again */
    uint32_t ranges; /* settled runs above the floor */
    /* Since 0.1, behind what was there before. */
    const char *const *old_filters; /* match below filters_from, until all of that is settled */
    size_t old_filter_count;
    uint64_t filters_from;    /* seq from which the filters hold; 0: always */
    uint64_t lag;             /* events that wait for a worker; those on loan do not count */
    bool lag_is_estimate;     /* while it catches up: from the share of events that matched of late */
    uint64_t lag_ms;          /* age of the oldest event that was not given out yet; 0: there is none, or it is not known yet */
    uint64_t oldest;          /* seq of the oldest place that is not settled; 0: all is */
    double arrivals_per_s;    /* events that match */
    double settles_per_s;
    uint64_t service_us;      /* a worker's time per event; 0: not known yet */
    uint32_t workers_wanted;  /* so many would keep up, and catch up within a minute */
    uint32_t wait;            /* enum weir_wait: why nothing goes out; WEIR_WAIT_NONE: it does, or there is nothing */
    uint64_t wait_since_ms;   /* Unix; 0: not known */
    uint32_t ordering;        /* enum weir_ordering */
    uint32_t lease_ms, backoff_ms, max_deliveries, max_deaths;
    uint32_t affinity, affinity_wait_ms, limit, limit_each, retry_percent, retry_floor;
    const char *limit_by;     /* "" = none */
    uint32_t retries_waiting; /* failed events that are due, and wait for the budget of retries */
} weir_group_info;

/* What an event, or a whole group, waits for. */
typedef enum weir_wait {
    WEIR_WAIT_NONE = 0,
    WEIR_WAIT_SETTLED = 1,   /* acked, rejected, expired or lost: it waits for nothing */
    WEIR_WAIT_WORKING = 2,   /* a worker has it */
    WEIR_WAIT_COMMIT = 3,    /* for a record that lets it go out */
    WEIR_WAIT_CATCH_UP = 4,  /* the group has still to read up to it */
    WEIR_WAIT_NO_WORKER = 5,
    WEIR_WAIT_NO_CREDIT = 6, /* every worker has as much as it wants */
    WEIR_WAIT_PAUSED = 7,
    WEIR_WAIT_BACK_OFF = 8,  /* until until_ms */
    WEIR_WAIT_ADOPTION = 9,  /* for the worker that had it, until until_ms */
    WEIR_WAIT_ROOM = 10,     /* a table of the coordinator is full */
    WEIR_WAIT_EXPIRED = 11,  /* its time is over: it will be settled when its turn comes */
    WEIR_WAIT_DRAIN = 12,    /* the coordinator is leaving */
    WEIR_WAIT_RETRY = 13,    /* it failed, and goes out as soon as a worker takes it */
    WEIR_WAIT_KEY = 14,      /* by_seq, of the same key, comes first; of a group: too many wait so */
    WEIR_WAIT_LIMIT = 15,    /* as many as may be are at work */
    WEIR_WAIT_AFFINITY = 16, /* for the worker that has its session, until until_ms */
    WEIR_WAIT_DEAD = 17,     /* it is a dead letter, at by_seq */
    WEIR_WAIT_DEAD_FULL = 18, /* given up, and the group has as many dead letters as it may */
    WEIR_WAIT_RETRY_BUDGET = 19, /* it failed, and its group has retried as many as it may for now, until until_ms */
    WEIR_WAIT_DELAYED = 20       /* its author's delay is not over, until until_ms */
} weir_wait;
/* "no_worker"; "unknown" for a number from the future. Since 0.1. */
WEIR_API const char *weir_wait_word(uint32_t wait);

/* One event and one group that takes it. */
typedef struct weir_why {
    const char *tenant;
    const char *group;
    const char *worker; /* who has it, or by_seq; "" = nobody */
    uint64_t seq;       /* where it stands now: another place after its delay, and when it is retried from a dead letter */
    uint64_t since_ms, until_ms; /* Unix; 0: not known */
    uint64_t by_seq;             /* the event that stands before it; 0: none */
    uint64_t ahead;              /* WEIR_WAIT_CATCH_UP: places of the log before it */
    uint32_t wait;               /* enum weir_wait */
    uint32_t attempt;            /* the one it is in, or comes next; of a dead letter the last one */
    const char *reason;          /* WEIR_WAIT_DEAD: "max_deliveries", "max_deaths", "rejected"; else "" */
} weir_why;

/* A dead letter: an event that its group has given up. It lies on the topic $dlq.GROUP. */
typedef struct weir_dead {
    uint64_t seq;       /* the event's first; its id is made of it */
    uint64_t place;     /* seq of the letter */
    uint64_t time_ms;   /* when it was given up, Unix */
    const char *reason; /* "max_deliveries", "max_deaths", "rejected" */
    uint32_t attempts;
    bool retried; /* it is being delivered again */
} weir_dead;

/* An answer's rows; only the asked kind is there. */
typedef struct weir_answer_rows {
    const weir_stat *stats;
    size_t stat_count;
    const weir_group_info *groups;
    size_t group_count;
    bool more; /* there were more rows than fit */
    const weir_why *whys;
    size_t why_count;
    uint64_t looked_back_to; /* weir_admin_why of a session: the seq back to which it was looked for */
    const weir_dead *deads;
    size_t dead_count;
} weir_answer_rows;

/* Ask the coordinator; tenant NULL = all that may be seen, name NULL = all groups. Give *out_rows, to be freed by weir_admin_free.
 * WEIR_OK | WEIR_TIMED_OUT | WEIR_CLOSED | WEIR_FORKED | WEIR_NO_MEMORY | the word of a refusal. One thread at a time. Since 0.1. */
WEIR_API weir_status weir_admin_stats(weir_admin *admin, const char *tenant, int timeout_ms, weir_answer_rows **out_rows);
WEIR_API weir_status weir_admin_groups(weir_admin *admin, const char *tenant, const char *name, int timeout_ms,
                                       weir_answer_rows **out_rows);
/* What an event (seq) waits for in each group that takes it, or what the newest events of a session wait for (session, seq 0). Also
 * WEIR_NOT_FOUND | WEIR_GONE: the event has left the window. Since 0.1. */
WEIR_API weir_status weir_admin_why(weir_admin *admin, const char *tenant, uint64_t seq, const char *session, int timeout_ms,
                                    weir_answer_rows **out_rows);
/* The dead letters of a group behind a place (0 = all), in the order of their places. Also WEIR_NOT_FOUND. Since 0.1. */
WEIR_API weir_status weir_admin_dead(weir_admin *admin, const char *tenant, const char *group, uint64_t after_place, int timeout_ms,
                                     weir_answer_rows **out_rows);
WEIR_API void weir_admin_free(weir_answer_rows **rows);

/* What of weir_group_settings is to be as given. */
enum {
    WEIR_SET_FILTERS = 1 << 2, WEIR_SET_ORDERING = 1 << 3, WEIR_SET_LEASE = 1 << 4, WEIR_SET_MAX_DELIVERIES = 1 << 5,
    WEIR_SET_BACKOFF = 1 << 6, WEIR_SET_AFFINITY = 1 << 9, WEIR_SET_AFFINITY_WAIT = 1 << 10, WEIR_SET_LIMIT = 1 << 11,
    WEIR_SET_LIMIT_BY = 1 << 12, WEIR_SET_LIMIT_EACH = 1 << 13, WEIR_SET_MAX_DEATHS = 1 << 14, WEIR_SET_RETRY_PERCENT = 1 << 15,
    WEIR_SET_RETRY_FLOOR = 1 << 16
};
typedef struct weir_group_settings {
    size_t size;  /* sizeof (weir_group_settings) */
    uint32_t set; /* WEIR_SET_… */
    const char *const *filters;
    size_t filter_count;
    uint32_t ordering, lease_ms, max_deliveries, backoff_ms, affinity, affinity_wait_ms, limit, limit_each, max_deaths, retry_percent,
        retry_floor; /* 0 = the default */
    const char *limit_by;
} weir_group_settings;

/* What a change did. */
typedef struct weir_change {
    uint64_t seq;   /* it holds for events after this one */
    uint64_t count; /* of how many it was done */
    bool more;      /* there is more to do: call again */
} weir_change;

/* Change a group of a tenant (NULL = the connection's). out_change may be NULL. WEIR_OK, after the change is committed | WEIR_INVALID | WEIR_TIMED_OUT
 * and WEIR_OUTCOME_UNKNOWN: it may have been done | WEIR_CLOSED | WEIR_FORKED | the word of a refusal, as WEIR_NOT_FOUND, WEIR_CONFLICT,
 * WEIR_FORBIDDEN. One thread at a time. Since 0.1. */
WEIR_API weir_status weir_admin_group_set(weir_admin *admin, const char *tenant, const char *group, const weir_group_settings *settings,
                                          int timeout_ms, weir_change *out_change);
WEIR_API weir_status weir_admin_group_pause(weir_admin *admin, const char *tenant, const char *group, bool pause, int timeout_ms,
                                            weir_change *out_change);
/* The group begins anew there: nothing settled, nothing failed; what workers hold is stale. since: an event id instead of a seq. */
WEIR_API weir_status weir_admin_group_seek(weir_admin *admin, const char *tenant, const char *group, weir_start start, uint64_t start_at,
                                           const char *since, int timeout_ms, weir_change *out_change);
WEIR_API weir_status weir_admin_group_delete(weir_admin *admin, const char *tenant, const char *group, int timeout_ms,
                                             weir_change *out_change);

/* Which dead letters: that of one event (by id, or by seq), or with neither all of the group. tenant NULL = the connection's. */
typedef struct weir_letter_choice {
    const char *tenant, *group;
    const char *event;
    uint64_t seq;
} weir_letter_choice;

/* Delivers dead letters to their group again, or drops them. As weir_admin_group_set; out_change->more: there are others, call again. Also
 * WEIR_CONFLICT: it is being delivered | WEIR_OVERLOADED: no room for more failed events. Since 0.1. */
WEIR_API weir_status weir_admin_dead_retry(weir_admin *admin, const weir_letter_choice *which, int timeout_ms, weir_change *out_change);
WEIR_API weir_status weir_admin_dead_drop(weir_admin *admin, const weir_letter_choice *which, int timeout_ms, weir_change *out_change);

/* Takes an encoded event (message Event of weir.proto, as it is the data of a dead letter) apart. Gives *out_decoded. WEIR_OK | WEIR_INVALID |
 * WEIR_NO_MEMORY. Any thread. Since 0.1. */
typedef struct weir_decoded weir_decoded;
WEIR_API weir_status weir_event_decode(const void *bytes, size_t size, weir_decoded **out_decoded);
WEIR_API const weir_event *weir_decoded_event(const weir_decoded *decoded); /* lent until it is freed */
WEIR_API void weir_decoded_free(weir_decoded **decoded);

/* An event as its author encoded it (message Event of weir.proto), with the stamp that stands beside it. */
typedef struct weir_raw_event {
    const void *data;
    size_t data_size;
    uint64_t seq;
    uint64_t time_ms;
    uint64_t cause_seq;
    size_t topic_index;
    bool gap;
    char epoch[17]; /* 16 hex digits and a NUL */
} weir_raw_event;

/* weir_subscriber_next without taking the event apart: the same order, timeouts and statuses. Lends *out_event until the next call. Since
 * 0.1. */
WEIR_API weir_status weir_subscriber_next_raw(weir_subscriber *subscriber, int timeout_ms, const weir_raw_event **out_event);

/* weir_publish_async of an event that is encoded already. WEIR_INVALID when it is not an Event within the limits. Since 0.1. */
WEIR_API weir_status weir_publish_raw(weir_publisher *publisher, const void *event, size_t event_size, int timeout_ms,
                                      uint64_t *out_number);

#ifdef __cplusplus
}
#endif

#endif
