/* What the core puts out, in the words of the stories. */
#include <stdarg.h>
#include <stdio.h>

#include "world.h"

void say(struct world *w, const char *format, ...)
{
    if (w->said_count == SAID_MAX) return;
    va_list args;
    va_start(args, format);
    vsnprintf(w->said[w->said_count], SAID_BYTES, format, args);
    va_end(args);
    for (const char *c = w->said[w->said_count]; *c; c++)
        w->trace = (w->trace ^ (uint8_t)*c) * 1099511628211u; /* FNV-1a */
    w->said_count++;
}

static struct story_peer *peer_of(struct world *w, uint32_t connection)
{
    for (uint32_t i = 0; i < w->peer_count; i++)
        if (w->peers[i].connection == connection) return &w->peers[i];
    return NULL;
}

static const char *const field_names[FIELD_COUNT] = {
    "unknown",    "hello",       "welcome", "error",     "heartbeat", "credit",  "publish", "accepted", "refused", "subscribe",
    "subscribed", "unsubscribe", "events",  "caught_up", "ended",     "deliver", "settle",  "settled",  "extend",  "release",
    "revoke",     "partial",     "cancel",  "query",     "answer",    "replay",  "drain",   "moved",    "part",    "manage",
};

static const char *lease_event(const struct story_peer *p, uint64_t lease)
{
    for (uint32_t i = p->lease_count; i > 0; i--) /* the newest: after a restart numbers may come again */
        if (p->leases[i - 1].lease == lease) return p->leases[i - 1].event;
    return "?";
}

static void hold(struct story_peer *p, const char *event, uint64_t lease, uint32_t attempt)
{
    if (p->lease_count == LEASES_MAX) return;
    snprintf(p->leases[p->lease_count].event, sizeof p->leases[0].event, "%s", event);
    p->leases[p->lease_count].lease = lease;
    p->leases[p->lease_count++].attempt = attempt;
}

static void say_welcome(struct world *w, struct story_peer *p, const struct msg_welcome *m)
{
    char kept[100] = "";
    snprintf(p->inbox, sizeof p->inbox, "%.*s", (int)m->inbox.size, (const char *)m->inbox.data);
    for (size_t i = 0; i < m->kept_count; i++) {
        const char *event = world_event_name(w, m->kept_seq[i], false);
        snprintf(kept + strlen(kept), sizeof kept - strlen(kept), "%s%s/%u", i ? "," : " kept=", event, m->kept_attempt[i]);
        hold(p, event, m->kept_lease[i], m->kept_attempt[i]);
    }
    if (m->max_deliveries) snprintf(kept + strlen(kept), sizeof kept - strlen(kept), " max_deliveries=%u", m->max_deliveries);
    say(w, "%s welcome known=%u generation=%llu%s", p->name, m->publisher_known, (unsigned long long)m->generation, kept);
}

static void say_why(struct world *w, const struct story_peer *p, const struct why_row *row)
{
    char by[24] = "", worker[80] = "", since[32] = "", until[32] = "", reason[32] = "";
    if (row->by_seq) snprintf(by, sizeof by, " by=%s", world_event_name(w, row->by_seq, false));
    if (row->worker.size) snprintf(worker, sizeof worker, " worker=%.*s", (int)row->worker.size, (const char *)row->worker.data);
    if (row->since_ms) snprintf(since, sizeof since, " since=-%us", (unsigned)((w->log_ms - row->since_ms) / 1000));
    if (row->until_ms) snprintf(until, sizeof until, " until=+%us", (unsigned)((row->until_ms - w->log_ms + 999) / 1000));
    if (row->reason) snprintf(reason, sizeof reason, " reason=%s", dead_reason_word(row->reason));
    say(w, "%s why %s %.*s %s attempt=%u%s%s%s%s%s", p->name, world_event_name(w, row->seq, false), (int)row->group.size,
        (const char *)row->group.data, wait_word(row->wait), row->attempt, by, worker, since, until, reason);
}

static void say_answers(struct world *w, struct story_peer *p, const struct packet *m)
{
    for (size_t i = 0; i < m->accepted_count; i++)
        for (uint32_t k = 0; k < m->accepted[i].count; k++) {
            say(w, "%s accepted %s%s", p->name, world_event_name(w, m->accepted[i].first_seq + k, false),
                m->accepted[i].duplicate ? " duplicate" : "");
        }
    for (size_t i = 0; i < m->refused_count; i++)
        for (uint32_t k = 0; k < m->refused[i].count; k++)
            say(w, "%s refused %s %s retry=%ums", p->name, p->number_event[m->refused[i].first_number + k],
                error_code_word(m->refused[i].code), m->refused[i].retry_ms);
    for (size_t i = 0; i < m->settled_count; i++)
        for (uint32_t k = 0; k < m->settled[i].count; k++)
            say(w, "%s %s %s", p->name, m->settled[i].code ? error_code_word(m->settled[i].code) : "settled",
                p->settle_event[(m->settled[i].first_number + k) % SETTLES_MAX]);
    for (size_t i = 0; i < m->answer_count; i++) {
        const struct msg_answer *a = &m->answers[i];
        char dead[SAID_BYTES] = "";
        for (size_t k = 0; k < a->dead_count && strlen(dead) < 120; k++)
            sprintf(dead + strlen(dead), "%s%s/%u/%s%s", k ? "," : " dead=", world_event_name(w, a->deads[k].seq, false),
                    a->deads[k].attempts, dead_reason_word(a->deads[k].reason), a->deads[k].retried ? "/retried" : "");
        const struct group_row *g = a->group_count == 1 ? a->groups : &(struct group_row){ 0 };
        say(w, "%s answer %s groups=%zu stats=%s count=%llu%s%s lag=%llu%s wait=%s wanted=%u retries_waiting=%u", p->name,
            a->code ? error_code_word(a->code) : "ok", a->group_count, a->stat_count ? "yes" : "no", (unsigned long long)a->count,
            a->more ? " more" : "", dead, (unsigned long long)g->lag, g->lag_is_estimate ? " estimate" : "", wait_word(g->wait),
            g->workers_wanted, g->retries_waiting);
        for (size_t k = 0; k < a->why_count; k++)
            say_why(w, p, &a->whys[k]);
    }
}

/* The bytes of an event as the log has them. */
static struct span stored(const struct world *w, uint64_t seq)
{
    for (uint32_t i = 0; i < w->block_count; i++)
        if (block_holds(w->blocks[i], seq)) return block_body(w->blocks[i], &w->blocks[i]->records[seq - w->blocks[i]->first_position]);
    return span_of(NULL, 0);
}

/* What a dead letter says: ` reason=… attempts=… worker=… error=… copy=e1`, the last only if it is. Empty for other events. */
static void letter_words(struct world *w, struct span bytes, uint64_t cause, char out[SAID_BYTES])
{
    struct event event;
    struct span name, value;
    size_t cursor = 0, size = 0;
    out[0] = 0;
    if (event_scan(bytes, &event) != EVENT_OK || event.topic.size < 5 || memcmp(event.topic.data, "$dlq.", 5) != 0) return;
    while (event_header_next(&event, &cursor, &name, &value) && name.size > 5)
        size += (size_t)snprintf(out + size, SAID_BYTES - size, " %.*s=%.*s", (int)name.size - 5, (const char *)name.data + 5,
                                 (int)value.size, (const char *)value.data);
    if (span_equal(event.data, stored(w, cause))) snprintf(out + size, SAID_BYTES - size, " copy=%s", world_event_name(w, cause, false));
}

static void say_readings(struct world *w, struct story_peer *p, const struct packet *m)
{
    for (size_t i = 0; i < m->subscribed_count; i++)
        say(w, "%s subscribed s%llu%s", p->name, (unsigned long long)m->subscribed[i].subscription, m->subscribed[i].gap ? " gap" : "");
    size_t piece = 0;
    for (size_t i = 0; i < m->events_count; i++)
        for (size_t k = 0; k < m->events[i].count; k++) {
            uint64_t cause = m->events[i].cause ? m->events[i].cause[k] : 0, first = m->events[i].first ? m->events[i].first[k] : 0;
            char letter[SAID_BYTES];
            letter_words(w, m->pieces[piece++], cause, letter);
            say(w, "%s event s%llu %s%s%s%s%s%s", p->name, (unsigned long long)m->events[i].subscription,
                world_event_name(w, m->events[i].seq[k], true), cause ? " cause=" : "", cause ? world_event_name(w, cause, false) : "",
                first ? " first=" : "", first ? world_event_name(w, first, false) : "", letter);
        }
    for (size_t i = 0; i < m->caught_up_count; i++)
        say(w, "%s caught_up s%llu", p->name, (unsigned long long)m->caught_up[i].subscription);
    for (size_t i = 0; i < m->ended_count; i++)
        say(w, "%s ended s%llu %s%s", p->name, (unsigned long long)m->ended[i].subscription,
            m->ended[i].code ? error_code_word(m->ended[i].code) : "ok", m->ended[i].more ? " more" : "");
}

static void say_work(struct world *w, struct story_peer *p, const struct packet *m)
{
    size_t events = 0; /* their pieces come first */
    for (size_t i = 0; i < m->events_count; i++)
        events += m->events[i].count;
    if (m->deliver)
        for (size_t i = 0; i < m->deliver->count; i++) {
            const char *event = world_event_name(w, m->deliver->seq[i], true);
            hold(p, event, m->deliver->lease[i], m->deliver->attempt[i]);
            uint32_t priority = m->deliver->priority ? m->deliver->priority[i] : 0;
            uint64_t first = m->deliver->first ? m->deliver->first[i] : 0;
            bool letter = m->deliver->letter && m->deliver->letter[i];
            char level[24] = "", again[48] = "", generation[40] = "";
            if (m->deliver->generation)
                snprintf(generation, sizeof generation, " generation=%llu", (unsigned long long)m->deliver->generation);
            if (priority) snprintf(level, sizeof level, " priority=%u", priority);
            if (first)
                snprintf(again, sizeof again, " first=%s%s", world_event_name(w, first, false),
                         span_equal(m->pieces[events + i], stored(w, first)) ? "" : " other_bytes");
            say(w, "%s deliver %s attempt=%u%s%s%s%s", p->name, event, m->deliver->attempt[i], level, again, letter ? " letter" : "",
                generation);
        }
    for (size_t i = 0; i < m->part_count; i++) {
        const struct msg_part *part = &m->parts[i];
        char subscription[32] = "";
        if (part->subscription) snprintf(subscription, sizeof subscription, "s%llu ", (unsigned long long)part->subscription);
        say(w, "%s part %s%s %u/%u", p->name, subscription, world_event_name(w, part->seq, true), part->index, part->count);
    }
    if (m->revoke)
        for (size_t i = 0; i < m->revoke->count; i++)
            say(w, "%s revoke %s %s", p->name, lease_event(p, m->revoke->lease[i]), error_code_word(m->revoke->code[i]));
    for (size_t i = 0; i < m->partial_count; i++)
        say(w, "%s partial s%llu %s attempt=%u index=%u group=%u", p->name, (unsigned long long)m->partials[i].subscription,
            world_event_name(w, m->partials[i].cause, false), m->partials[i].attempt, m->partials[i].index, m->partials[i].group);
    for (size_t i = 0; i < m->cancel_count; i++)
        say(w, "%s cancel %s", p->name, lease_event(p, m->cancels[i].lease));
}

static void say_packet(struct world *w, struct story_peer *p, const struct packet *m)
{
    if (m->welcome) say_welcome(w, p, m->welcome);
    for (size_t i = 0; i < m->error_count; i++)
        say(w, "%s error %s about=%s", p->name, error_code_word(m->errors[i].code), field_names[m->errors[i].about]);
    if (m->heartbeat) say(w, "%s heartbeat", p->name);
    for (size_t i = 0; i < m->credit_count; i++)
        say(w, "%s credit events=%llu", p->name, (unsigned long long)m->credits[i].events);
    if (m->drain) say(w, "%s drain", p->name);
    say_answers(w, p, m);
    say_readings(w, p, m);
    say_work(w, p, m);
}

static void name_event(struct world *w, const char *name, uint64_t seq)
{
    if (world_seq(w, name) != 0 || w->event_count == EVENTS_MAX) return;
    char *to = w->events[w->event_count].name;
    memcpy(to, name, strnlen(name, sizeof w->events[0].name - 1)); /* the world began zeroed */
    w->events[w->event_count++].seq = seq;
}

void say_names(struct world *w, const struct core_out *out)
{
    struct story_peer *p = peer_of(w, out->connection);
    if (out->kind != CORE_SEND || !p) return;
    for (size_t i = 0; i < out->packet->accepted_count; i++) {
        const struct msg_accepted *m = &out->packet->accepted[i];
        for (uint32_t k = 0; k < m->count; k++) {
            name_event(w, p->number_event[m->first_number + k], m->first_seq + k);
        }
    }
    for (size_t i = 0; w->once && out->packet->deliver && i < out->packet->deliver->count; i++) {
        char name[12];
        snprintf(name, sizeof name, "e%u", w->once);
        if (strcmp(world_event_name(w, out->packet->deliver->seq[i], false), "e?") == 0) name_event(w, name, out->packet->deliver->seq[i]);
    }
}

void say_out(struct world *w, const struct core_out *out)
{
    struct story_peer *p = peer_of(w, out->connection);
    switch (out->kind) {
    case CORE_SEND:
        if (p) say_packet(w, p, out->packet);
        break;
    case CORE_FORGET:
        if (!p) break;
        say(w, "%s forgotten", p->name);
        p->connection = 0;
        p->greeted = false;
        break;
    case CORE_SUBMIT:
        say(w, "log block=%llu records=%u", (unsigned long long)out->block->number, out->block->record_count);
        break;
    case CORE_HALT:
        say(w, "halt");
        break;
    default:
        break;
    }
}
