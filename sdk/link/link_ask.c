/* Cancels, sent once, and queries, which are asked again after a lost connection until they are answered. */
#include "sdk/link/state.h"

enum link_result link_cancel(struct link *link, struct span tenant, uint64_t seq)
{
    uint32_t at = link_tenant_find(link, tenant, true);
    must(!link->telling);
    if (at == UINT32_MAX || link->cancel_count == link->options.cancels_max) return LINK_FULL;
    link->cancels[link->cancel_count++] = (struct cancel_entry){ seq, at };
    return LINK_OK;
}

enum link_result link_query(struct link *link, uint64_t id, uint32_t ask, struct span tenant, struct span name)
{
    must(!link->telling && tenant.size <= NAME_BYTES_MAX && name.size <= NAME_BYTES_MAX);
    for (uint32_t i = 0; i < link->options.queries_max; i++) {
        struct query_slot *slot = &link->queries[i];
        if (slot->used) continue;
        *slot = (struct query_slot){ .id = id, .ask = ask, .used = true };
        slot->tenant_size = (uint16_t)tenant.size;
        slot->name_size = (uint16_t)name.size;
        if (tenant.size != 0) memcpy(slot->tenant, tenant.data, tenant.size);
        if (name.size != 0) memcpy(slot->name, name.data, name.size);
        return LINK_OK;
    }
    return LINK_FULL;
}

void link_ask_forget_connection(struct link *link)
{
    for (uint32_t i = 0; i < link->options.queries_max; i++)
        link->queries[i].sent = false;
}

void link_take_answer(struct link *link, const struct msg_answer *answer)
{
    struct link_fact fact = { .kind = LINK_FACT_ANSWER, .answer = answer };
    for (uint32_t i = 0; i < link->options.queries_max; i++) {
        struct query_slot *slot = &link->queries[i];
        if (!slot->used || !slot->sent || slot->id != answer->id) continue;
        slot->used = false;
        link_tell(link, &fact);
        return;
    }
}

static void flush_cancels(struct link *link, struct flush *flush)
{
    struct msg_cancel *cancels = link_take(flush, link->cancel_count, sizeof *cancels);
    for (uint32_t i = 0; i < link->cancel_count; i++) {
        cancels[i].seq = link->cancels[i].seq;
        if (link->options.role == ROLE_GATEWAY) cancels[i].tenant = link_tenant_name(link, link->cancels[i].tenant);
    }
    flush->packet->cancels = cancels;
    flush->packet->cancel_count = link->cancel_count;
    link->cancel_count = 0;
    flush->any = true;
}

static void flush_queries(struct link *link, struct flush *flush)
{
    struct msg_query *queries = link_take(flush, link->options.queries_max, sizeof *queries);
    size_t count = 0;
    for (uint32_t i = 0; i < link->options.queries_max; i++) {
        struct query_slot *slot = &link->queries[i];
        if (!slot->used || slot->sent) continue;
        slot->sent = true;
        queries[count].id = slot->id;
        queries[count].ask = slot->ask;
        queries[count].tenant = span_of(slot->tenant, slot->tenant_size);
        queries[count++].name = span_of(slot->name, slot->name_size);
    }
    flush->packet->queries = queries;
    flush->packet->query_count = count;
    flush->any = flush->any || count != 0;
}

void link_flush_ask(struct link *link, struct flush *flush)
{
    if (link->cancel_count != 0) flush_cancels(link, flush);
    flush_queries(link, flush);
}
