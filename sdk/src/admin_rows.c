/* An answer's rows, copied: texts behind rows behind the head, all of it freed at once. */
#include <stdlib.h>

#include "sdk/src/admin_parts.h"

/* Where the next row of each kind, the next pointer to a text, and the next text go. */
struct cursor {
    weir_stat *stats;
    weir_group_info *groups;
    weir_why *whys;
    weir_dead *deads;
    const char **pointers;
    char *texts;
};

static size_t texts_size(const struct span *texts, size_t count)
{
    size_t size = count * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        size += texts[i].size + 1;
    return size;
}

static size_t rows_size(const struct msg_answer *a)
{
    size_t size = sizeof(weir_answer_rows) + a->stat_count * sizeof(weir_stat) + a->group_count * sizeof(weir_group_info) +
                  a->why_count * sizeof(weir_why) + a->dead_count * sizeof(weir_dead);
    for (size_t i = 0; i < a->stat_count; i++)
        size += a->stats[i].name.size + 1;
    for (size_t i = 0; i < a->group_count; i++) {
        const struct group_row *g = &a->groups[i];
        size += g->tenant.size + g->name.size + g->options.limit_by.size + 3;
        size += texts_size(g->filters, g->filter_count) + texts_size(g->old_filters, g->old_filter_count);
    }
    for (size_t i = 0; i < a->why_count; i++)
        size += a->whys[i].tenant.size + a->whys[i].group.size + a->whys[i].worker.size + 3;
    return size;
}

static const char *copy_text(struct cursor *to, struct span text)
{
    char *copy = to->texts;
    if (text.size != 0) memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    to->texts += text.size + 1;
    return copy;
}

static const char *const *copy_texts(struct cursor *to, const struct span *texts, size_t count)
{
    const char **copies = to->pointers;
    to->pointers += count;
    for (size_t i = 0; i < count; i++)
        copies[i] = copy_text(to, texts[i]);
    return copies;
}

static void copy_options(weir_group_info *to, const struct group_options *o, struct cursor *at)
{
    to->ordering = o->ordering;
    to->lease_ms = o->lease_ms;
    to->backoff_ms = o->backoff_ms;
    to->max_deliveries = o->max_deliveries;
    to->max_deaths = o->max_deaths;
    to->affinity = o->affinity;
    to->affinity_wait_ms = o->affinity_wait_ms;
    to->limit = o->limit;
    to->limit_each = o->limit_each;
    to->retry_percent = o->retry_percent;
    to->retry_floor = o->retry_floor;
    to->limit_by = copy_text(at, o->limit_by);
}

static void copy_group(struct cursor *to, const struct group_row *from)
{
    weir_group_info *info = to->groups++;
    *info = (weir_group_info){
        .tenant = copy_text(to, from->tenant),
        .name = copy_text(to, from->name),
        .filters = copy_texts(to, from->filters, from->filter_count),
        .filter_count = from->filter_count,
        .generation = from->generation,
        .floor = from->floor,
        .handed = from->handed,
        .cursor = from->cursor,
        .head = from->head,
        .delivered = from->delivered,
        .acked = from->acked,
        .nacked = from->nacked,
        .rejected = from->rejected,
        .expired = from->expired,
        .workers = from->workers,
        .leased = from->leased,
        .failed = from->failed,
        .ranges = from->ranges,
        .old_filters = copy_texts(to, from->old_filters, from->old_filter_count),
        .old_filter_count = from->old_filter_count,
        .filters_from = from->filters_from,
        .lag = from->lag,
        .lag_is_estimate = from->lag_is_estimate != 0,
        .lag_ms = from->lag_ms,
        .oldest = from->oldest,
        .arrivals_per_s = (double)from->arrivals / 1000,
        .settles_per_s = (double)from->settles / 1000,
        .service_us = from->service_us,
        .workers_wanted = from->workers_wanted,
        .wait = from->wait,
        .wait_since_ms = from->wait_since_ms,
        .retries_waiting = from->retries_waiting,
    };
    copy_options(info, &from->options, to);
}

static void copy_why(struct cursor *to, const struct why_row *from)
{
    *to->whys++ = (weir_why){
        .tenant = copy_text(to, from->tenant),
        .group = copy_text(to, from->group),
        .worker = copy_text(to, from->worker),
        .seq = from->seq,
        .since_ms = from->since_ms,
        .until_ms = from->until_ms,
        .by_seq = from->by_seq,
        .ahead = from->ahead,
        .wait = from->wait,
        .attempt = from->attempt,
        .reason = from->reason ? dead_reason_word(from->reason) : "",
    };
}

static void copy_dead(struct cursor *to, const struct dead_row *from)
{
    *to->deads++ = (weir_dead){
        .seq = from->seq,
        .place = from->place,
        .time_ms = from->time_ms,
        .reason = dead_reason_word(from->reason),
        .attempts = from->attempts,
        .retried = from->retried != 0,
    };
}

weir_answer_rows *admin_rows_copy(const struct msg_answer *a)
{
    weir_answer_rows *rows = malloc(rows_size(a));
    struct cursor to;
    size_t pointers = 0;
    if (rows == NULL) return NULL;
    for (size_t i = 0; i < a->group_count; i++)
        pointers += a->groups[i].filter_count + a->groups[i].old_filter_count;
    to.groups = (weir_group_info *)(rows + 1);
    to.whys = (weir_why *)(to.groups + a->group_count);
    to.deads = (weir_dead *)(to.whys + a->why_count);
    to.stats = (weir_stat *)(to.deads + a->dead_count);
    to.pointers = (const char **)(to.stats + a->stat_count);
    to.texts = (char *)(to.pointers + pointers);
    *rows = (weir_answer_rows){ .stats = to.stats,
                                .stat_count = a->stat_count,
                                .groups = to.groups,
                                .group_count = a->group_count,
                                .more = a->more != 0,
                                .whys = to.whys,
                                .why_count = a->why_count,
                                .looked_back_to = a->seq,
                                .deads = to.deads,
                                .dead_count = a->dead_count };
    for (size_t i = 0; i < a->stat_count; i++)
        *to.stats++ = (weir_stat){ copy_text(&to, a->stats[i].name), a->stats[i].value };
    for (size_t i = 0; i < a->group_count; i++)
        copy_group(&to, &a->groups[i]);
    for (size_t i = 0; i < a->why_count; i++)
        copy_why(&to, &a->whys[i]);
    for (size_t i = 0; i < a->dead_count; i++)
        copy_dead(&to, &a->deads[i]);
    return rows;
}
