/* Cancels, sent once, queries, which are asked again after a lost connection until they are answered, and changes, which are not. */
#include "sdk/link/state.h"

enum link_result link_cancel(struct link *link, struct span tenant, uint64_t seq)
{
    uint32_t at = link_tenant_find(link, tenant, true);
    must(!link->telling);
    if (at == UINT32_MAX || link->cancel_count == link->options.cancels_max) return LINK_FULL;
    link->cancels[link->cancel_count++] = (struct cancel_entry){ seq, at };
    return LINK_OK;
}

static uint16_t copy(uint8_t to[NAME_BYTES_MAX], struct span from)
{
    must(from.size <= NAME_BYTES_MAX);
    if (from.size != 0) memcpy(to, from.data, from.size);
    return (uint16_t)from.size;
}

enum link_result link_query(struct link *link, const struct msg_query *query)
{
    must(!link->telling);
    for (uint32_t i = 0; i < link->options.queries_max; i++) {
        struct query_slot *slot = &link->queries[i];
        if (slot->used) continue;
        *slot = (struct query_slot){ .id = query->id, .ask = query->ask, .seq = query->seq, .used = true };
        slot->tenant_size = copy(slot->tenant, query->tenant);
        slot->name_size = copy(slot->name, query->name);
        slot->session_size = copy(slot->session, query->session);
        return LINK_OK;
    }
    return LINK_FULL;
}

enum link_result link_manage(struct link *link, const struct msg_manage *manage)
{
    must(!link->telling);
    if (link->manage != NULL) return LINK_FULL;
    link->manage = manage;
    link->manage_sent = false;
    return LINK_OK;
}

void link_manage_forget(struct link *link)
{
    link->manage = NULL;
}

void link_ask_forget_connection(struct link *link)
{
    for (uint32_t i = 0; i < link->options.queries_max; i++)
        link->queries[i].sent = false;
    if (link->manage == NULL || !link->manage_sent) return;
    struct link_fact fact = { .kind = LINK_FACT_MANAGE_LOST, .manage = link->manage->id };
    link->manage = NULL;
    link_tell(link, &fact);
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
    if (link->manage == NULL || !link->manage_sent || link->manage->id != answer->id) return;
    link->manage = NULL;
    link_tell(link, &fact);
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
        queries[count].seq = slot->seq;
        queries[count].session = span_of(slot->session, slot->session_size);
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
    if (link->manage == NULL || link->manage_sent) return;
    flush->packet->manages = link->manage;
    flush->packet->manage_count = 1;
    link->manage_sent = true;
    flush->any = true;
}
