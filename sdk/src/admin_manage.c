/* Changes by an admin. What is sent lies on the caller's stack until its answer has come; a change whose answer was not awaited is taken
 * back, though it may have been done. */
#include "sdk/src/admin_parts.h"

enum { FILTERS_MAX = 16, FIELDS_MAX = 32 };

static weir_status await_change(weir_admin *admin, int timeout_ms, weir_change *out_change)
{
    weir_status status = admin_await(admin, timeout_ms);
    link_manage_forget(admin->session.link);
    if (status == WEIR_OK && out_change != NULL) *out_change = admin->change;
    return status;
}

weir_status admin_manage(weir_admin *admin, struct msg_manage *m, int timeout_ms, weir_change *out_change)
{
    weir_status status;
    if (session_is_forked(&admin->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&admin->session.lock);
    m->id = admin->asked + 1;
    if (m->group.name.size == 0 || m->group.name.size > 255 || m->tenant.size > 255)
        status = session_fail(&admin->session, WEIR_INVALID, "a group's or tenant's name has 1 to 255 bytes");
    else if (link_manage(admin->session.link, m) != LINK_OK)
        status = session_fail(&admin->session, WEIR_FULL, "another change has no answer yet");
    else {
        admin->asked++;
        status = await_change(admin, timeout_ms, out_change);
    }
    (void)pthread_mutex_unlock(&admin->session.lock);
    return status;
}

weir_status admin_refuse(weir_admin *admin, const char *why)
{
    if (session_is_forked(&admin->session)) return WEIR_FORKED;
    (void)pthread_mutex_lock(&admin->session.lock);
    session_fail(&admin->session, WEIR_INVALID, "%s", why);
    (void)pthread_mutex_unlock(&admin->session.lock);
    return WEIR_INVALID;
}

static struct msg_manage on_group(uint32_t action, const char *tenant, const char *group)
{
    return (
        struct msg_manage){ .action = action, .tenant = session_span(tenant), .has_group = true, .group = { .name = session_span(group) } };
}

weir_status weir_admin_group_set(weir_admin *admin, const char *tenant, const char *group, const weir_group_settings *settings,
                                 int timeout_ms, weir_change *out_change)
{
    struct span filters[FILTERS_MAX];
    uint32_t fields[FIELDS_MAX];
    struct msg_manage m = on_group(ACTION_GROUP_SET, tenant, group);
    if (settings == NULL || settings->size != sizeof *settings || settings->filter_count > FILTERS_MAX)
        return admin_refuse(admin, "settings: size, and at most 16 filters");
    for (size_t i = 0; i < settings->filter_count; i++)
        filters[i] = session_span(settings->filters[i]);
    m.group.filters = filters;
    m.group.filter_count = settings->filter_count;
    m.group.options = (struct group_options){ .ordering = settings->ordering,
                                              .lease_ms = settings->lease_ms,
                                              .max_deliveries = settings->max_deliveries,
                                              .backoff_ms = settings->backoff_ms,
                                              .affinity = settings->affinity,
                                              .affinity_wait_ms = settings->affinity_wait_ms,
                                              .limit = settings->limit,
                                              .limit_each = settings->limit_each,
                                              .max_deaths = settings->max_deaths,
                                              .retry_percent = settings->retry_percent,
                                              .retry_floor = settings->retry_floor,
                                              .limit_by = session_span(settings->limit_by) };
    for (uint32_t field = 0; field < FIELDS_MAX; field++)
        if (settings->set & 1u << field) fields[m.set_count++] = field;
    m.set = fields;
    return admin_manage(admin, &m, timeout_ms, out_change);
}

weir_status weir_admin_group_pause(weir_admin *admin, const char *tenant, const char *group, bool pause, int timeout_ms,
                                   weir_change *out_change)
{
    struct msg_manage m = on_group(pause ? ACTION_GROUP_PAUSE : ACTION_GROUP_RESUME, tenant, group);
    return admin_manage(admin, &m, timeout_ms, out_change);
}

weir_status weir_admin_group_seek(weir_admin *admin, const char *tenant, const char *group, weir_start start, uint64_t start_at,
                                  const char *since, int timeout_ms, weir_change *out_change)
{
    struct msg_manage m = on_group(ACTION_GROUP_SEEK, tenant, group);
    m.group.start = (uint32_t)start;
    m.group.start_at = start_at;
    uint8_t epoch[EPOCH_BYTES];
    if (since != NULL && !session_parse_event_id(since, epoch, &m.group.start_at))
        return admin_refuse(admin, "since: no event id (<epoch>-<position>)");
    if (since != NULL) m.epoch = span_of(epoch, sizeof epoch);
    return admin_manage(admin, &m, timeout_ms, out_change);
}

weir_status weir_admin_group_delete(weir_admin *admin, const char *tenant, const char *group, int timeout_ms, weir_change *out_change)
{
    struct msg_manage m = on_group(ACTION_GROUP_DELETE, tenant, group);
    return admin_manage(admin, &m, timeout_ms, out_change);
}

const char *weir_wait_word(uint32_t wait)
{
    return wait_word(wait);
}
