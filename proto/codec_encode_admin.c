/* Packet -> bytes: groups, what operators ask and are told, and what they change. See codec_encode.c. */
#include "proto/codec_encode.h"

Weir__V1__Group *new_group(struct encoder *e, const struct group_spec *from)
{
    Weir__V1__Group *to = take(e, 1, sizeof *to);
    if (to == NULL) return NULL;
    weir__v1__group__init(to);
    to->name = bytes(from->name);
    to->n_filters = from->filter_count;
    to->filters = many_bytes(e, from->filter_count, from->filters);
    const struct group_options *o = &from->options;
    to->ordering = (Weir__V1__Ordering)o->ordering;
    to->lease_ms = o->lease_ms;
    to->max_deliveries = o->max_deliveries;
    to->backoff_ms = o->backoff_ms;
    to->affinity = (Weir__V1__Affinity)o->affinity;
    to->affinity_wait_ms = o->affinity_wait_ms;
    to->limit = o->limit;
    to->limit_by = bytes(o->limit_by);
    to->limit_each = o->limit_each;
    to->max_deaths = o->max_deaths;
    to->retry_percent = o->retry_percent;
    to->retry_floor = o->retry_floor;
    to->start = (Weir__V1__Start)from->start;
    to->start_at = from->start_at;
    return to;
}

void put_query(struct encoder *e, const struct msg_query *from, Weir__V1__Query *to)
{
    (void)e;
    to->id = from->id;
    to->ask = (Weir__V1__Ask)from->ask;
    to->tenant = bytes(from->tenant);
    to->name = bytes(from->name);
    to->seq = from->seq;
    to->session = bytes(from->session);
}

static void put_stat(struct encoder *e, const struct stat_row *from, Weir__V1__Stat *to)
{
    (void)e;
    to->name = bytes(from->name);
    to->value = from->value;
}

static void put_group_row(struct encoder *e, const struct group_row *from, Weir__V1__GroupRow *to)
{
    to->tenant = bytes(from->tenant);
    to->name = bytes(from->name);
    to->n_filters = from->filter_count;
    to->filters = many_bytes(e, from->filter_count, from->filters);
    to->generation = from->generation;
    to->floor = from->floor;
    to->handed = from->handed;
    to->workers = from->workers;
    to->leased = from->leased;
    to->failed = from->failed;
    to->cursor = from->cursor;
    to->delivered = from->delivered;
    to->acked = from->acked;
    to->nacked = from->nacked;
    to->rejected = from->rejected;
    to->expired = from->expired;
    to->ranges = from->ranges;
    to->head = from->head;
    if (from->has_options) to->options = new_group(e, &(struct group_spec){ .options = from->options });
    to->n_old_filters = from->old_filter_count;
    to->old_filters = many_bytes(e, from->old_filter_count, from->old_filters);
    to->filters_from = from->filters_from;
    to->lag = from->lag;
    to->lag_is_estimate = from->lag_is_estimate;
    to->lag_ms = from->lag_ms;
    to->oldest = from->oldest;
    to->arrivals = from->arrivals;
    to->settles = from->settles;
    to->service_us = from->service_us;
    to->workers_wanted = from->workers_wanted;
    to->wait = (Weir__V1__Wait)from->wait;
    to->wait_since_ms = from->wait_since_ms;
    to->retries_waiting = from->retries_waiting;
}

static void put_why_row(struct encoder *e, const struct why_row *from, Weir__V1__WhyRow *to)
{
    (void)e;
    to->tenant = bytes(from->tenant);
    to->group = bytes(from->group);
    to->seq = from->seq;
    to->wait = (Weir__V1__Wait)from->wait;
    to->since_ms = from->since_ms;
    to->until_ms = from->until_ms;
    to->by_seq = from->by_seq;
    to->worker = bytes(from->worker);
    to->attempt = from->attempt;
    to->reason = (Weir__V1__DeadReason)from->reason;
    to->ahead = from->ahead;
}

DEFINE_LIST(stat, struct stat_row, Weir__V1__Stat)
DEFINE_LIST(group_row, struct group_row, Weir__V1__GroupRow)
DEFINE_LIST(why_row, struct why_row, Weir__V1__WhyRow)

static void put_dead_row(struct encoder *e, const struct dead_row *from, Weir__V1__DeadRow *to)
{
    (void)e;
    to->seq = from->seq;
    to->place = from->place;
    to->time_ms = from->time_ms;
    to->attempts = from->attempts;
    to->reason = (Weir__V1__DeadReason)from->reason;
    to->retried = from->retried;
}

DEFINE_LIST(dead_row, struct dead_row, Weir__V1__DeadRow)

void put_answer(struct encoder *e, const struct msg_answer *from, Weir__V1__Answer *to)
{
    to->id = from->id;
    to->code = (Weir__V1__ErrorCode)from->code;
    to->more = from->more;
    to->n_stat = from->stat_count;
    to->stat = stat_list(e, from->stat_count, from->stats);
    to->n_group = from->group_count;
    to->group = group_row_list(e, from->group_count, from->groups);
    to->n_why = from->why_count;
    to->why = why_row_list(e, from->why_count, from->whys);
    to->n_dead = from->dead_count;
    to->dead = dead_row_list(e, from->dead_count, from->deads);
    to->message = bytes(from->message);
    to->count = from->count;
    to->seq = from->seq;
}

void put_manage(struct encoder *e, const struct msg_manage *from, Weir__V1__Manage *to)
{
    to->id = from->id;
    to->action = (Weir__V1__Action)from->action;
    to->tenant = bytes(from->tenant);
    to->seq = from->seq;
    to->epoch = bytes(from->epoch);
    to->n_set = from->set_count;
    to->set = narrow(from->set);
    if (from->has_group) to->group = new_group(e, &from->group);
}
