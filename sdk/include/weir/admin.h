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
} weir_group_info;

/* An answer's rows; only the asked kind is there. */
typedef struct weir_answer_rows {
    const weir_stat *stats;
    size_t stat_count;
    const weir_group_info *groups;
    size_t group_count;
    bool more; /* there were more rows than fit */
} weir_answer_rows;

/* Ask the coordinator; tenant NULL = all that may be seen, name NULL = all groups. Give *out_rows, to be freed by weir_admin_free.
 * WEIR_OK | WEIR_TIMED_OUT | WEIR_CLOSED | WEIR_FORKED | WEIR_NO_MEMORY | the word of a refusal. One thread at a time. Since 0.1. */
WEIR_API weir_status weir_admin_stats(weir_admin *admin, const char *tenant, int timeout_ms, weir_answer_rows **out_rows);
WEIR_API weir_status weir_admin_groups(weir_admin *admin, const char *tenant, const char *name, int timeout_ms,
                                       weir_answer_rows **out_rows);
WEIR_API void weir_admin_free(weir_answer_rows **rows);

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
