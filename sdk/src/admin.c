/* Questions to the coordinator: one at a time, its answer copied into one block. */
#include <stdlib.h>

#include <weir/admin.h>

#include "sdk/src/session.h"

struct weir_admin {
    struct session session; /* first: weir_last_error takes any handle */
    uint64_t asked, answered;
    weir_status status;
    weir_answer_rows *rows;
};

/* -- copying an answer: texts behind rows behind the head, all of it freed at once -- */

static size_t rows_size(const struct msg_answer *a)
{
    size_t size = sizeof(weir_answer_rows) + a->stat_count * sizeof(weir_stat) + a->group_count * sizeof(weir_group_info);
    for (size_t i = 0; i < a->stat_count; i++)
        size += a->stats[i].name.size + 1;
    for (size_t i = 0; i < a->group_count; i++) {
        const struct group_row *g = &a->groups[i];
        size += g->tenant.size + g->name.size + 2 + g->filter_count * sizeof(char *);
        for (size_t k = 0; k < g->filter_count; k++)
            size += g->filters[k].size + 1;
    }
    return size;
}

static const char *copy_text(char **at, struct span text)
{
    char *copy = *at;
    if (text.size != 0) memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *at += text.size + 1;
    return copy;
}

static void copy_group(weir_group_info *to, const struct group_row *from, const char **filters, char **texts)
{
    *to = (weir_group_info){
        .tenant = copy_text(texts, from->tenant),
        .name = copy_text(texts, from->name),
        .filters = filters,
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
    };
    for (size_t k = 0; k < from->filter_count; k++)
        filters[k] = copy_text(texts, from->filters[k]);
}

static weir_answer_rows *copy_answer(const struct msg_answer *a)
{
    weir_answer_rows *rows = malloc(rows_size(a));
    weir_stat *stats;
    weir_group_info *groups;
    const char **filters;
    char *texts;
    size_t filter_count = 0;
    if (rows == NULL) return NULL;
    for (size_t i = 0; i < a->group_count; i++)
        filter_count += a->groups[i].filter_count;
    stats = (weir_stat *)(rows + 1);
    groups = (weir_group_info *)(stats + a->stat_count);
    filters = (const char **)(groups + a->group_count);
    texts = (char *)(filters + filter_count);
    for (size_t i = 0; i < a->stat_count; i++)
        stats[i] = (weir_stat){ copy_text(&texts, a->stats[i].name), a->stats[i].value };
    for (size_t i = 0; i < a->group_count; i++) {
        copy_group(&groups[i], &a->groups[i], filters, &texts);
        filters += a->groups[i].filter_count;
    }
    *rows = (weir_answer_rows){ stats, a->stat_count, groups, a->group_count, a->more != 0 };
    return rows;
}

/* -- what the pump does -- */

static void fact(struct session *session, const struct link_fact *f)
{
    weir_admin *admin = (weir_admin *)session;
    if (f->kind != LINK_FACT_ANSWER || f->answer->id != admin->asked) return;
    admin->status = (weir_status)f->answer->code;
    admin->answered = f->answer->id;
    if (admin->status != WEIR_OK) return;
    free(admin->rows);
    admin->rows = copy_answer(f->answer);
    if (admin->rows == NULL) admin->status = WEIR_NO_MEMORY;
}

static void settle(struct session *session)
{
    if (session->waiters != 0) (void)pthread_cond_broadcast(&session->changed);
}

static const struct session_hooks hooks = { NULL, fact, settle, NULL };

/* -- the user -- */

weir_status weir_admin_open(const weir_admin_options *given, weir_admin **out_admin)
{
    weir_admin_options o;
    weir_admin *admin;
    weir_status status;
    if (given == NULL || out_admin == NULL || !session_take_options(&o, sizeof o, given, given->size))
        return session_refuse_open(WEIR_INVALID, "options: begin with WEIR_ADMIN_OPTIONS_INIT");
    admin = calloc(1, sizeof *admin);
    if (admin == NULL) return session_refuse_open(WEIR_NO_MEMORY, "no memory for a session");
    status = session_open(&admin->session, &hooks,
                          &(struct session_options){ o.endpoint, o.tenant, o.credential, o.name, o.server_key, o.public_key, o.secret_key,
                                                     o.connect_timeout_ms, o.on_state, o.on_log, o.arg },
                          &(struct link_options){ .role = o.as_client ? ROLE_CLIENT : ROLE_ADMIN });
    if (status != WEIR_OK) {
        free(admin);
        return status;
    }
    *out_admin = admin;
    return WEIR_OK;
}

void weir_admin_close(weir_admin **closing)
{
    weir_admin *admin = *closing;
    if (admin == NULL) return;
    *closing = NULL;
    if (session_is_forked(&admin->session)) return;
    session_close(&admin->session);
    free(admin->rows);
    free(admin);
}

static weir_status await_answer(weir_admin *admin, uint64_t deadline_ns, weir_answer_rows **out_rows)
{
    bool in_time = true;
    while (admin->answered != admin->asked) {
        if (admin->session.stopped_by != WEIR_OK) return admin->session.stopped_by;
        if (!in_time) return session_fail(&admin->session, WEIR_TIMED_OUT, "no answer from %s", admin->session.endpoint);
        in_time = session_wait(&admin->session, deadline_ns);
    }
    if (admin->status != WEIR_OK) return session_fail(&admin->session, admin->status, "the coordinator refused the question");
    *out_rows = admin->rows;
    admin->rows = NULL;
    return WEIR_OK;
}

static weir_status ask(weir_admin *admin, uint32_t what, const char *tenant, const char *name, int timeout_ms, weir_answer_rows **out_rows)
{
    struct span tenant_span = session_span(tenant), name_span = session_span(name);
    weir_status status = WEIR_OK;
    if (session_is_forked(&admin->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&admin->session.lock);
    if (tenant_span.size > 255 || name_span.size > 255)
        status = session_fail(&admin->session, WEIR_INVALID, "names are at most 255 bytes");
    else if (link_query(admin->session.link, admin->asked + 1, what, tenant_span, name_span) != LINK_OK)
        status = session_fail(&admin->session, WEIR_FULL, "too many questions without an answer");
    if (status == WEIR_OK) {
        admin->asked++;
        session_poke(&admin->session, true);
        status = await_answer(admin, session_deadline_ns(&admin->session, timeout_ms), out_rows);
    }
    (void)pthread_mutex_unlock(&admin->session.lock);
    return status;
}

weir_status weir_admin_stats(weir_admin *admin, const char *tenant, int timeout_ms, weir_answer_rows **out_rows)
{
    return ask(admin, ASK_STATS, tenant, NULL, timeout_ms, out_rows);
}

weir_status weir_admin_groups(weir_admin *admin, const char *tenant, const char *name, int timeout_ms, weir_answer_rows **out_rows)
{
    return ask(admin, ASK_GROUPS, tenant, name, timeout_ms, out_rows);
}

void weir_admin_free(weir_answer_rows **rows)
{
    free(*rows);
    *rows = NULL;
}
