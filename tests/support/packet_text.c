/* One table of what each message is made of would be neater than these functions, but it would also be a second codec with the same
 * mistakes. */
#include "tests/support/packet_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

static void bytes(FILE *out, struct span span)
{
    fputc('"', out);
    for (size_t i = 0; i < span.size; i++) {
        if (isprint(span.data[i]) && span.data[i] != '"' && span.data[i] != '\\')
            fputc(span.data[i], out);
        else
            fprintf(out, "\\x%02x", span.data[i]);
    }
    fputc('"', out);
}

static void number(FILE *out, const char *name, uint64_t value)
{
    if (value != 0) fprintf(out, " %s=%" PRIu64, name, value);
}

static void text(FILE *out, const char *name, struct span span)
{
    if (span.size == 0) return;
    fprintf(out, " %s=", name);
    bytes(out, span);
}

static void texts(FILE *out, const char *name, const struct span *spans, size_t count)
{
    if (count == 0 || spans == NULL) return;
    fprintf(out, " %s=[", name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) fputc(' ', out);
        bytes(out, spans[i]);
    }
    fputc(']', out);
}

static void wide(FILE *out, const char *name, const uint64_t *column, size_t count)
{
    if (count == 0 || column == NULL) return;
    fprintf(out, " %s=[", name);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%" PRIu64, i > 0 ? " " : "", column[i]);
    fputc(']', out);
}

static void narrow(FILE *out, const char *name, const uint32_t *column, size_t count)
{
    if (count == 0 || column == NULL) return;
    fprintf(out, " %s=[", name);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%" PRIu32, i > 0 ? " " : "", column[i]);
    fputc(']', out);
}

#define N(field)         number(out, #field, m->field)
#define T(field)         text(out, #field, m->field)
#define TS(field, count) texts(out, #field, m->field, m->count)
#define W(field, count)  wide(out, #field, m->field, m->count)
#define A(field, count)  narrow(out, #field, m->field, m->count)

static void print_options(FILE *out, const struct group_options *m)
{
    N(ordering), N(lease_ms), N(max_deliveries), N(backoff_ms), N(affinity), N(affinity_wait_ms), N(limit), T(limit_by), N(limit_each);
    N(max_deaths), N(retry_percent), N(retry_floor);
}

static void print_group(FILE *out, const struct group_spec *m)
{
    fputs(" group={", out);
    T(name), TS(filters, filter_count), print_options(out, &m->options), N(start), N(start_at);
    fputs(" }", out);
}

static void print_hello(FILE *out, const struct msg_hello *m)
{
    N(protocol), N(features), N(role), T(name), T(instance), T(tenant), T(credential), T(publisher), N(first_unanswered);
    if (m->has_group) print_group(out, &m->group);
    T(epoch), W(held_seq, held_count), A(held_attempt, held_count), A(held_priority, held_count), N(max_packet_bytes), N(max_event_bytes), N(held_generation), W(held_first, held_count);
}

static void print_welcome(FILE *out, const struct msg_welcome *m)
{
    N(protocol), N(features), T(server), T(epoch), N(term), N(peer), T(tenant), T(inbox), N(publisher_known), N(highest_number);
    N(max_event_bytes), N(max_packet_bytes), N(publish_window), N(heartbeat_ms), N(lease_ms), N(emit_credit_bytes), N(generation);
    W(kept_seq, kept_count), A(kept_attempt, kept_count), W(kept_lease, kept_count), N(replay), N(max_deliveries), N(large_events), N(head);
}

static void print_error(FILE *out, const struct msg_error *m)
{
    N(code), T(message), N(about), N(id), N(retry_ms);
}

static void print_heartbeat(FILE *out, const struct msg_heartbeat *m)
{
    N(echo);
}

static void print_credit(FILE *out, const struct msg_credit *m)
{
    N(kind), T(tenant), N(subscription), N(events), N(bytes);
}

static void print_publish(FILE *out, const struct msg_publish *m)
{
    T(tenant), N(first_number), A(size, count);
}

static void print_accepted(FILE *out, const struct msg_accepted *m)
{
    N(first_number), N(count), N(first_seq), N(duplicate);
}

static void print_refused(FILE *out, const struct msg_refused *m)
{
    N(first_number), N(count), N(code), N(retry_ms), T(message);
}

static void print_subscribe(FILE *out, const struct msg_subscribe *m)
{
    N(subscription), T(tenant), T(filter), N(start), N(start_at), T(epoch), N(limit), N(credit_events);
}

static void print_subscribed(FILE *out, const struct msg_subscribed *m)
{
    N(subscription), N(cursor), N(gap);
}

static void print_unsubscribe(FILE *out, const struct msg_unsubscribe *m)
{
    N(subscription);
}

static void print_events(FILE *out, const struct msg_events *m)
{
    N(subscription), W(seq, count), W(time_ms, count), W(cause, count), W(first, count), A(size, count);
}

static void print_caught_up(FILE *out, const struct msg_caught_up *m)
{
    N(subscription), N(cursor);
}

static void print_ended(FILE *out, const struct msg_ended *m)
{
    N(subscription), N(code), N(cursor), N(more);
}

static void print_deliver(FILE *out, const struct msg_deliver *m)
{
    W(lease, count), W(seq, count), W(time_ms, count), A(attempt, count), W(cause, count), W(first, count), A(size, count), N(lease_ms),
        A(priority, count), N(generation);
}

static void print_settle(FILE *out, const struct msg_settle *m)
{
    N(first_number), W(lease, count), A(verb, count), A(delay_ms, count), TS(reason, count), A(emits, count), A(emit_size, emit_count),
        A(emit_parts, emit_count);
}

static void print_settled(FILE *out, const struct msg_settled *m)
{
    N(first_number), N(count), N(code);
}

static void print_extend(FILE *out, const struct msg_extend *m)
{
    W(lease, count), A(lease_ms, count);
}

static void print_release(FILE *out, const struct msg_release *m)
{
    W(lease, count);
}

static void print_revoke(FILE *out, const struct msg_revoke *m)
{
    W(lease, count), A(code, count);
}

static void print_partial(FILE *out, const struct msg_partial *m)
{
    N(lease), T(topic), N(subscription), N(cause), N(attempt), N(index), N(size), N(group);
}

static void print_cancel(FILE *out, const struct msg_cancel *m)
{
    N(lease), T(tenant), N(seq);
}

static void print_query(FILE *out, const struct msg_query *m)
{
    N(id), N(ask), T(tenant), T(name), N(seq), T(session);
}

static void print_row(FILE *out, const struct group_row *m)
{
    fputs(" group={", out);
    T(tenant), T(name), TS(filters, filter_count), N(generation), N(floor), N(handed), N(workers), N(leased), N(failed), N(cursor);
    N(delivered), N(acked), N(nacked), N(rejected), N(expired), N(ranges), N(head);
    if (m->has_options) print_options(out, &m->options);
    TS(old_filters, old_filter_count), N(filters_from), N(lag), N(lag_is_estimate), N(lag_ms), N(oldest), N(arrivals), N(settles);
    N(service_us), N(workers_wanted), N(wait), N(wait_since_ms), N(retries_waiting);
    fputs(" }", out);
}

static void print_why(FILE *out, const struct why_row *m)
{
    fputs(" why={", out);
    T(tenant), T(group), N(seq), N(wait), N(since_ms), N(until_ms), N(by_seq), T(worker), N(attempt), N(ahead), N(reason);
    fputs(" }", out);
}

static void print_dead(FILE *out, const struct dead_row *m)
{
    fputs(" dead={", out);
    N(seq), N(place), N(time_ms), N(attempts), N(reason), N(retried);
    fputs(" }", out);
}

static void print_answer(FILE *out, const struct msg_answer *m)
{
    N(id), N(code), T(message), N(count);
    for (size_t i = 0; i < m->stat_count; i++) {
        fputs(" stat={", out);
        text(out, "name", m->stats[i].name), number(out, "value", m->stats[i].value);
        fputs(" }", out);
    }
    for (size_t i = 0; i < m->group_count; i++)
        print_row(out, &m->groups[i]);
    for (size_t i = 0; i < m->why_count; i++)
        print_why(out, &m->whys[i]);
    for (size_t i = 0; i < m->dead_count; i++)
        print_dead(out, &m->deads[i]);
    N(more), N(seq);
}

static void print_replay(FILE *out, const struct msg_replay *m)
{
    T(filter), N(from), N(until);
}

static void print_drain(FILE *out, const struct msg_drain *m)
{
    N(reconnect_ms);
}

static void print_moved(FILE *out, const struct msg_moved *m)
{
    TS(endpoints, endpoint_count), N(term);
}

static void print_part(FILE *out, const struct msg_part *m)
{
    N(number), N(index), N(count), N(size), T(tenant), N(lease), N(subscription), N(seq);
}

static void print_manage(FILE *out, const struct msg_manage *m)
{
    N(id), N(action), T(tenant);
    if (m->has_group) print_group(out, &m->group);
    N(seq), T(epoch), A(set, set_count);
}

#define LINE(kind, message)                                                                                                                \
    do {                                                                                                                                   \
        fputs(#kind, out);                                                                                                                 \
        print_##kind(out, message);                                                                                                        \
        fputc('\n', out);                                                                                                                  \
    } while (0)
#define ONE(kind)                                                                                                                          \
    if (p->kind != NULL) LINE(kind, p->kind)
#define MANY(kind, list, count)                                                                                                            \
    for (size_t i = 0; i < p->count; i++)                                                                                                  \
    LINE(kind, &p->list[i])

static void packet_print(FILE *out, const struct packet *p)
{
    ONE(hello);
    ONE(welcome);
    MANY(error, errors, error_count);
    ONE(heartbeat);
    MANY(credit, credits, credit_count);
    MANY(publish, publishes, publish_count);
    MANY(accepted, accepted, accepted_count);
    MANY(refused, refused, refused_count);
    MANY(subscribe, subscribes, subscribe_count);
    MANY(subscribed, subscribed, subscribed_count);
    MANY(unsubscribe, unsubscribes, unsubscribe_count);
    MANY(events, events, events_count);
    MANY(caught_up, caught_up, caught_up_count);
    MANY(ended, ended, ended_count);
    ONE(deliver);
    ONE(settle);
    MANY(settled, settled, settled_count);
    ONE(extend);
    ONE(release);
    ONE(revoke);
    MANY(partial, partials, partial_count);
    MANY(cancel, cancels, cancel_count);
    MANY(query, queries, query_count);
    MANY(answer, answers, answer_count);
    ONE(replay);
    ONE(drain);
    ONE(moved);
    MANY(part, parts, part_count);
    MANY(manage, manages, manage_count);
}

char *packet_text(const struct packet *packet)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) abort();
    packet_print(out, packet);
    fclose(out);
    return text;
}
