/* Bytes -> packet: groups, what operators ask and are told, and what they change. See codec_decode.c. */
#include "proto/codec_decode.h"

void take_group(struct decoder *d, const Weir__V1__Group *from, struct group_spec *to)
{
    to->name = span(from->name);
    to->filters = spans(d, from->n_filters, from->filters);
    to->filter_count = from->n_filters;
    to->options = (struct group_options){ .ordering = (uint32_t)from->ordering,
                                          .lease_ms = from->lease_ms,
                                          .max_deliveries = from->max_deliveries,
                                          .backoff_ms = from->backoff_ms,
                                          .affinity = (uint32_t)from->affinity,
                                          .affinity_wait_ms = from->affinity_wait_ms,
                                          .limit = from->limit,
                                          .limit_by = span(from->limit_by),
                                          .limit_each = from->limit_each,
                                          .max_deaths = from->max_deaths,
                                          .retry_percent = from->retry_percent,
                                          .retry_floor = from->retry_floor };
    to->start = (uint32_t)from->start;
    to->start_at = from->start_at;
}

void take_query(struct decoder *d, const Weir__V1__Query *from, struct msg_query *to)
{
    (void)d;
    *to = (struct msg_query){ from->id, (uint32_t)from->ask, span(from->tenant), span(from->name), from->seq, span(from->session) };
}

static void take_stat(struct decoder *d, const Weir__V1__Stat *from, struct stat_row *to)
{
    (void)d;
    *to = (struct stat_row){ span(from->name), from->value };
}

static void take_row(struct decoder *d, const Weir__V1__GroupRow *from, struct group_row *to)
{
    to->tenant = span(from->tenant);
    to->name = span(from->name);
    to->filters = spans(d, from->n_filters, from->filters);
    to->filter_count = from->n_filters;
    to->generation = from->generation;
    to->floor = from->floor;
    to->handed = from->handed;
    to->cursor = from->cursor;
    to->head = from->head;
    to->delivered = from->delivered;
    to->acked = from->acked;
    to->nacked = from->nacked;
    to->rejected = from->rejected;
    to->expired = from->expired;
    to->workers = from->workers;
    to->leased = from->leased;
    to->failed = from->failed;
    to->ranges = from->ranges;
    struct group_spec options = { 0 };
    to->has_options = from->options != NULL;
    if (from->options != NULL) take_group(d, from->options, &options);
    to->options = options.options;
    to->old_filters = spans(d, from->n_old_filters, from->old_filters);
    to->old_filter_count = from->n_old_filters;
    to->filters_from = from->filters_from;
    to->lag = from->lag;
    to->lag_is_estimate = from->lag_is_estimate;
    to->lag_ms = from->lag_ms;
    to->oldest = from->oldest;
    to->arrivals = from->arrivals;
    to->settles = from->settles;
    to->service_us = from->service_us;
    to->workers_wanted = from->workers_wanted;
    to->wait = (uint32_t)from->wait;
    to->wait_since_ms = from->wait_since_ms;
    to->retries_waiting = from->retries_waiting;
}

static void take_why(struct decoder *d, const Weir__V1__WhyRow *from, struct why_row *to)
{
    (void)d;
    to->tenant = span(from->tenant);
    to->group = span(from->group);
    to->worker = span(from->worker);
    to->seq = from->seq;
    to->since_ms = from->since_ms;
    to->until_ms = from->until_ms;
    to->by_seq = from->by_seq;
    to->ahead = from->ahead;
    to->wait = (uint32_t)from->wait;
    to->attempt = from->attempt;
    to->reason = (uint32_t)from->reason;
}

DEFINE_LIST(stat, Weir__V1__Stat, struct stat_row)
DEFINE_LIST(row, Weir__V1__GroupRow, struct group_row)
DEFINE_LIST(why, Weir__V1__WhyRow, struct why_row)

static void take_dead_row(struct decoder *d, const Weir__V1__DeadRow *from, struct dead_row *to)
{
    (void)d;
    *to = (struct dead_row){ .seq = from->seq,
                             .place = from->place,
                             .time_ms = from->time_ms,
                             .attempts = from->attempts,
                             .reason = (uint32_t)from->reason,
                             .retried = from->retried };
}

DEFINE_LIST(dead_row, Weir__V1__DeadRow, struct dead_row)

void take_answer(struct decoder *d, const Weir__V1__Answer *from, struct msg_answer *to)
{
    to->id = from->id;
    to->code = (uint32_t)from->code;
    to->more = from->more;
    to->stats = stat_list(d, from->n_stat, from->stat);
    to->stat_count = from->n_stat;
    to->groups = row_list(d, from->n_group, from->group);
    to->group_count = from->n_group;
    to->whys = why_list(d, from->n_why, from->why);
    to->why_count = from->n_why;
    to->deads = dead_row_list(d, from->n_dead, from->dead);
    to->dead_count = from->n_dead;
    to->message = span(from->message);
    to->count = from->count;
    to->seq = from->seq;
}

void take_manage(struct decoder *d, const Weir__V1__Manage *from, struct msg_manage *to)
{
    to->id = from->id;
    to->action = (uint32_t)from->action;
    to->tenant = span(from->tenant);
    to->has_group = from->group != NULL;
    if (from->group != NULL) take_group(d, from->group, &to->group);
    to->seq = from->seq;
    to->epoch = span(from->epoch);
    to->set = from->set;
    to->set_count = from->n_set;
}
