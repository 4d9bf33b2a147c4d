/* Tenants and credit. All limits are cumulative since hello and never fall [R-CREDIT-1]; what is announced is "received so far + room still
 * here", told when it has risen by an eighth, so that credit costs few bytes and nobody waits for it. */
#include "sdk/link/state.h"

static bool tenant_is(const struct link_tenant *tenant, struct span name)
{
    return tenant->name_size == name.size && (name.size == 0 || memcmp(tenant->name, name.data, name.size) == 0);
}

uint32_t link_tenant_find(struct link *link, struct span name, bool make)
{
    if (link->options.role != ROLE_GATEWAY) name.size = 0; /* there is only the own one */
    if (link->tenant_count != 0 && tenant_is(&link->tenants[link->tenant_last], name)) return link->tenant_last;
    for (uint32_t i = 0; i < link->tenant_count; i++)
        if (tenant_is(&link->tenants[i], name)) return link->tenant_last = i;
    if (!make || link->tenant_count == link->options.tenants_max || name.size > NAME_BYTES_MAX) return UINT32_MAX;
    if (name.size != 0) memcpy(link->tenants[link->tenant_count].name, name.data, name.size);
    link->tenants[link->tenant_count].name_size = (uint8_t)name.size;
    return link->tenant_last = link->tenant_count++;
}

struct span link_tenant_name(const struct link *link, uint32_t tenant)
{
    return span_of(link->tenants[tenant].name, link->tenants[tenant].name_size);
}

void link_credit_forget_connection(struct link *link)
{
    for (uint32_t i = 0; i < link->tenant_count; i++) {
        struct link_tenant *tenant = &link->tenants[i];
        tenant->publish_limit_events = tenant->publish_limit_bytes = 0;
        tenant->publish_sent_events = tenant->publish_sent_bytes = tenant->unanswered_events = 0;
        tenant->events_received = tenant->events_received_bytes = 0;
        tenant->events_announced = tenant->events_announced_bytes = 0;
    }
}

void link_take_credit(struct link *link, const struct msg_credit *credit)
{
    struct link_fact fact = { .kind = LINK_FACT_CREDIT };
    struct link_tenant *tenant;
    uint32_t at;
    if (credit->kind != CREDIT_PUBLISH) return;
    at = link_tenant_find(link, credit->tenant, true);
    if (at == UINT32_MAX) return;
    tenant = &link->tenants[at];
    if (tenant->publish_limit_bytes == 0) tenant->publish_window_bytes = credit->bytes;
    if (credit->events > tenant->publish_limit_events) tenant->publish_limit_events = credit->events;
    if (credit->bytes > tenant->publish_limit_bytes) tenant->publish_limit_bytes = credit->bytes;
    if (!tenant->publish_was_dry) return;
    tenant->publish_was_dry = false;
    fact.tenant = link_tenant_name(link, at);
    link_tell(link, &fact);
}

static uint64_t room_left(uint64_t most, uint64_t held)
{
    return held < most ? most - held : 0;
}

static bool worth_telling(uint64_t limit, uint64_t announced, uint64_t most)
{
    uint64_t step = most / 8 != 0 ? most / 8 : 1;
    return limit > announced && (announced == 0 || limit - announced >= step);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* [R-CREDIT-4]: slots are also taken by settles that wait for their answer, so credit never promises a slot that is not free. */
static void add_deliver_credit(struct link *link, struct msg_credit *credits, size_t *count)
{
    struct leasing *l = &link->leasing;
    uint64_t most = link->options.deliveries_credit, most_bytes = link->options.deliveries_credit_bytes;
    uint64_t room = room_left(most, l->held_count), limit, limit_bytes;
    if (most == 0 || l->no_more) return;
    if (room > l->free_count) room = l->free_count;
    limit = larger(l->announced, l->received + room);
    limit_bytes = larger(l->announced_bytes, l->received_bytes + room_left(most_bytes, l->held_bytes));
    if (!worth_telling(limit, l->announced, most) && !worth_telling(limit_bytes, l->announced_bytes, most_bytes)) return;
    l->announced = limit;
    l->announced_bytes = limit_bytes;
    credits[(*count)++] = (struct msg_credit){ .kind = CREDIT_DELIVER, .events = limit, .bytes = limit_bytes };
}

static void add_events_credit(struct link *link, uint32_t at, struct msg_credit *credits, size_t *count)
{
    struct link_tenant *tenant = &link->tenants[at];
    uint64_t most = link->options.events_credit, most_bytes = link->options.events_credit_bytes;
    uint64_t limit = larger(tenant->events_announced, tenant->events_received + room_left(most, tenant->events_held));
    uint64_t bytes =
        larger(tenant->events_announced_bytes, tenant->events_received_bytes + room_left(most_bytes, tenant->events_held_bytes));
    if (!tenant->subscribed) return;
    if (!worth_telling(limit, tenant->events_announced, most) && !worth_telling(bytes, tenant->events_announced_bytes, most_bytes)) return;
    tenant->events_announced = limit;
    tenant->events_announced_bytes = bytes;
    credits[(*count)++] = (struct msg_credit){
        .kind = CREDIT_EVENTS,
        .tenant = link->options.role == ROLE_GATEWAY ? link_tenant_name(link, at) : span_of(NULL, 0),
        .events = limit,
        .bytes = bytes,
    };
}

void link_consumed(struct link *link, struct span tenant_name, uint64_t events, uint64_t bytes)
{
    uint32_t at = link_tenant_find(link, tenant_name, false);
    struct link_tenant *tenant;
    must(!link->telling && at != UINT32_MAX);
    tenant = &link->tenants[at];
    must(events <= tenant->events_held && bytes <= tenant->events_held_bytes);
    tenant->events_held -= events;
    tenant->events_held_bytes -= bytes;
}

void link_flush_credit(struct link *link, struct flush *flush)
{
    size_t count = 0;
    size_t grants = link->subscribing.grants < GRANTS_PER_PACKET ? link->subscribing.grants : GRANTS_PER_PACKET;
    struct msg_credit *credits = link_take_raw(flush, 1 + (size_t)link->tenant_count + grants, sizeof *credits);
    add_deliver_credit(link, credits, &count);
    for (uint32_t i = 0; i < link->tenant_count; i++)
        add_events_credit(link, i, credits, &count);
    link_flush_grants(link, credits, &count);
    flush->packet->credits = credits;
    flush->packet->credit_count = count;
    flush->any = flush->any || count != 0;
}
