/* Questions and changes: one at a time. */
#include <stdlib.h>

#include "sdk/src/admin_parts.h"

/* -- what the pump does -- */

static void fact(struct session *session, const struct link_fact *f)
{
    weir_admin *admin = (weir_admin *)session;
    if (f->kind == LINK_FACT_MANAGE_LOST && f->manage == admin->asked) {
        admin->answered = admin->asked;
        admin->status = WEIR_OUTCOME_UNKNOWN;
        snprintf(admin->message, sizeof admin->message, "the connection was lost before the answer");
    }
    if (f->kind != LINK_FACT_ANSWER || f->answer->id != admin->asked) return;
    admin->status = (weir_status)f->answer->code;
    admin->answered = f->answer->id;
    admin->change = (weir_change){ f->answer->seq, f->answer->count, f->answer->more != 0 };
    snprintf(admin->message, sizeof admin->message, "%.*s", (int)f->answer->message.size, (const char *)f->answer->message.data);
    if (admin->status != WEIR_OK) return;
    free(admin->rows);
    admin->rows = admin_rows_copy(f->answer);
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

weir_status admin_await(weir_admin *admin, int timeout_ms)
{
    uint64_t deadline_ns = session_deadline_ns(&admin->session, timeout_ms);
    bool in_time = true;
    session_poke(&admin->session, true);
    while (admin->answered != admin->asked) {
        if (admin->session.stopped_by != WEIR_OK) return admin->session.stopped_by;
        if (!in_time) return session_fail(&admin->session, WEIR_TIMED_OUT, "no answer from %s", admin->session.endpoint);
        in_time = session_wait(&admin->session, deadline_ns);
    }
    if (admin->status == WEIR_OK) return WEIR_OK;
    return session_fail(&admin->session, admin->status, "%s", admin->message[0] ? admin->message : "the coordinator refused the question");
}

static weir_status ask(weir_admin *admin, struct msg_query query, int timeout_ms, weir_answer_rows **out_rows)
{
    weir_status status = WEIR_OK;
    if (session_is_forked(&admin->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&admin->session.lock);
    query.id = admin->asked + 1;
    if (query.tenant.size > 255 || query.name.size > 255 || query.session.size > 255)
        status = session_fail(&admin->session, WEIR_INVALID, "names are at most 255 bytes");
    else if (link_query(admin->session.link, &query) != LINK_OK)
        status = session_fail(&admin->session, WEIR_FULL, "too many questions without an answer");
    if (status == WEIR_OK) {
        admin->asked++;
        status = admin_await(admin, timeout_ms);
    }
    if (status == WEIR_OK) {
        *out_rows = admin->rows;
        admin->rows = NULL;
    }
    (void)pthread_mutex_unlock(&admin->session.lock);
    return status;
}

weir_status weir_admin_stats(weir_admin *admin, const char *tenant, int timeout_ms, weir_answer_rows **out_rows)
{
    return ask(admin, (struct msg_query){ .ask = ASK_STATS, .tenant = session_span(tenant) }, timeout_ms, out_rows);
}

weir_status weir_admin_groups(weir_admin *admin, const char *tenant, const char *name, int timeout_ms, weir_answer_rows **out_rows)
{
    return ask(admin, (struct msg_query){ .ask = ASK_GROUPS, .tenant = session_span(tenant), .name = session_span(name) }, timeout_ms,
               out_rows);
}

weir_status weir_admin_why(weir_admin *admin, const char *tenant, uint64_t seq, const char *session, int timeout_ms,
                           weir_answer_rows **out_rows)
{
    return ask(admin, (struct msg_query){ .ask = ASK_WHY, .tenant = session_span(tenant), .seq = seq, .session = session_span(session) },
               timeout_ms, out_rows);
}

weir_status weir_admin_dead(weir_admin *admin, const char *tenant, const char *group, uint64_t after_place, int timeout_ms,
                            weir_answer_rows **out_rows)
{
    return ask(admin,
               (struct msg_query){ .ask = ASK_DEAD, .tenant = session_span(tenant), .name = session_span(group), .seq = after_place },
               timeout_ms, out_rows);
}

void weir_admin_free(weir_answer_rows **rows)
{
    free(*rows);
    *rows = NULL;
}
