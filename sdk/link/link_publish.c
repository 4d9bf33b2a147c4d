/* Publishing: every event gets a number and lies in a ring of bytes, in order, until its number is answered; after a lost connection all
 * that is unanswered is sent again under its number [R-PUB-1]. Answers come in any order, the ring is freed from its front.
 *
 * Invariants: first <= next_send <= next. Numbers below next_send that are not answered were sent on this connection; credit of a tenant is
 * spent when a number is sent. */
#include "sdk/link/state.h"

static struct publish_entry *entry_at(const struct link *link, uint64_t number)
{
    return &link->publishing.entries[number & link->publishing.mask];
}

/* Place in the ring up to which bytes are free again. */
static uint64_t tail_of(const struct publishing *p, const struct link *link)
{
    return p->first == p->next ? p->head : entry_at(link, p->first)->place;
}

static bool find_room(const struct link *link, size_t size, uint64_t *out_place)
{
    const struct publishing *p = &link->publishing;
    uint64_t place = p->head, offset = place & (p->bytes_size - 1);
    /* an event does not go around the corner; an empty ring begins at its beginning, so that it touches no more memory than it needs */
    if (offset + size > p->bytes_size || (p->first == p->next && offset != 0)) place += p->bytes_size - offset;
    *out_place = place;
    return p->first == p->next || place + size - tail_of(p, link) <= p->bytes_size;
}

static bool has_credit(const struct link_tenant *tenant, uint64_t ahead_events, uint64_t ahead_bytes, size_t size)
{
    uint64_t events = tenant->publish_sent_events + ahead_events, bytes = tenant->publish_sent_bytes + ahead_bytes;
    if (events >= tenant->publish_limit_events || bytes >= tenant->publish_limit_bytes) return false;
    if (tenant->publish_limit_bytes - bytes >= size) return true;
    return tenant->unanswered_events + ahead_events == 0; /* alone, a large one may go beyond [R-CREDIT-5] */
}

static bool is_large(const struct publish_entry *entry)
{
    return entry->size > EVENT_BYTES_MAX;
}

static bool is_too_large(const struct link *link, size_t size, size_t data_size)
{
    if (size > link->terms.max_event_bytes) return true;
    return size > EVENT_BYTES_MAX &&
           (size > link->publishing.bytes_size / 2 || size - data_size > EVENT_BYTES_MAX || link->terms.large_events == 0);
}

enum link_result link_publish(struct link *link, struct span tenant_name, size_t size, size_t data_size, uint8_t **out_bytes,
                              uint64_t *out_number)
{
    struct publishing *p = &link->publishing;
    struct publish_entry *entry;
    struct link_tenant *tenant;
    uint64_t place;
    bool large = size > EVENT_BYTES_MAX;
    uint32_t at = link_tenant_find(link, tenant_name, true);
    must(!link->telling && link->options.publisher.size != 0);
    if (link->state == LINK_STOPPED) return LINK_IS_STOPPED;
    if (is_too_large(link, size, data_size)) return LINK_TOO_LARGE;
    if (at == UINT32_MAX || p->next - p->first >= p->window || !find_room(link, size, &place)) return LINK_FULL;
    if (large && p->large_count + p->large_waiting >= link->terms.large_events) return LINK_FULL; /* [R-PART-3] */
    tenant = &link->tenants[at];
    if (link->options.role == ROLE_GATEWAY &&
        !has_credit(tenant, tenant->waiting_events, tenant->waiting_bytes, large ? PART_BYTES : size)) {
        tenant->publish_was_dry = true;
        tenant->subscribed = true; /* its events credit is told: from that the coordinator knows that we speak for it, and gives credit */
        return LINK_NO_CREDIT;     /* known at once, so that one tenant's ebb does not stand before another's events */
    }
    entry = entry_at(link, p->next);
    *entry = (struct publish_entry){
        .place = place, .size = (uint32_t)size, .data_size = (uint32_t)data_size, .tenant = (uint16_t)at, .state = PUBLISH_NEW
    };
    tenant->waiting_events++;
    tenant->waiting_bytes += large ? 0 : size;
    p->large_waiting += large;
    p->head = place + size;
    *out_bytes = p->bytes + (place & (p->bytes_size - 1));
    *out_number = p->next++;
    return LINK_OK;
}

uint64_t link_next_number(const struct link *link)
{
    return link->publishing.next;
}

uint64_t link_unsent_publishes(const struct link *link)
{
    return link->publishing.next - link->publishing.next_send;
}

bool link_has_room(const struct link *link)
{
    const struct publishing *p = &link->publishing;
    uint64_t unanswered = p->next - p->first, bytes = p->head - tail_of(p, link);
    return unanswered == 0 || (unanswered <= p->window - (p->window + 3) / 4 && bytes <= p->bytes_size - p->bytes_size / 4);
}

uint64_t link_first_unanswered(const struct link *link)
{
    return link->publishing.first;
}

void link_publish_forget_connection(struct link *link)
{
    struct publishing *p = &link->publishing;
    for (uint64_t n = p->first; n != p->next_send; n++) {
        struct publish_entry *entry = entry_at(link, n);
        if (entry->state == PUBLISH_ANSWERED) continue;
        link->tenants[entry->tenant].waiting_events++;
        link->tenants[entry->tenant].waiting_bytes += is_large(entry) ? 0 : entry->size;
    }
    p->large_waiting += p->large_count;
    p->large_count = 0;
    p->next_send = p->first;
    p->message_count = 0;
    p->seen_ns = 0;
    p->held = false;
}

/* -- answers -- */

static void answer_message(struct publishing *p, uint64_t number)
{
    for (uint32_t i = 0; i < p->message_count; i++) {
        struct publish_message *message = &p->messages[i];
        if (number < message->first || number - message->first >= message->count) continue;
        if (--message->unanswered == 0) {
            p->message_count--;
            memmove(message, message + 1, (p->message_count - i) * sizeof *message);
        }
        return;
    }
}

static void mark_answered(struct link *link, uint64_t number)
{
    struct publishing *p = &link->publishing;
    struct publish_entry *entry = entry_at(link, number);
    struct link_tenant *tenant = &link->tenants[entry->tenant];
    if (number < p->next_send) {
        tenant->unanswered_events--;
        answer_message(p, number);
        if (is_large(entry)) link_large_answered(link, number);
    } else {
        tenant->waiting_events--;
        tenant->waiting_bytes -= is_large(entry) ? 0 : entry->size;
        p->large_waiting -= is_large(entry);
    }
    entry->state = PUBLISH_ANSWERED;
}

static void advance(struct link *link)
{
    struct publishing *p = &link->publishing;
    while (p->first != p->next && entry_at(link, p->first)->state == PUBLISH_ANSWERED)
        p->first++;
    if (p->next_send < p->first) p->next_send = p->first;
}

/* Tells each run of numbers in [first, end) that are in `state` or beyond with the same fact, and takes them as answered. */
static void answer_range(struct link *link, uint64_t first, uint64_t end, struct link_fact *fact, uint64_t first_seq)
{
    struct publishing *p = &link->publishing;
    uint64_t low = first < p->first ? p->first : first, high = end > p->next ? p->next : end;
    for (uint64_t n = low; n < high;) {
        uint64_t run = n;
        while (run < high && entry_at(link, run)->state != PUBLISH_ANSWERED)
            mark_answered(link, run++);
        if (run != n) {
            fact->publish.first_number = n;
            fact->publish.count = run - n;
            fact->publish.first_seq = first_seq != 0 ? first_seq + (n - first) : 0;
            link_tell(link, fact);
        }
        n = run + (run < high);
    }
    advance(link);
}

/* What a coordinator says of numbers that were not sent on this connection is no answer. */
static uint64_t answered_end(const struct link *link, uint64_t first, uint32_t count)
{
    uint64_t end = first + count < first ? UINT64_MAX : first + count;
    return end < link->publishing.next_send ? end : link->publishing.next_send;
}

void link_take_accepted(struct link *link, const struct msg_accepted *accepted)
{
    struct link_fact fact = { .kind = LINK_FACT_ACCEPTED };
    fact.publish.duplicate = accepted->duplicate != 0;
    answer_range(link, accepted->first_number, answered_end(link, accepted->first_number, accepted->count), &fact, accepted->first_seq);
}

void link_take_refused(struct link *link, const struct msg_refused *refused)
{
    bool unknown = refused->code == CODE_GONE; /* [R-PUB-6] */
    struct link_fact fact = { .kind = unknown ? LINK_FACT_UNKNOWN : LINK_FACT_REFUSED };
    fact.publish.code = refused->code;
    fact.publish.retry_ms = refused->retry_ms;
    fact.publish.message = refused->message;
    answer_range(link, refused->first_number, answered_end(link, refused->first_number, refused->count), &fact, 0);
}

static uint64_t end_of_sent(const struct link *link)
{
    uint64_t n = link->publishing.next;
    while (n != link->publishing.first && entry_at(link, n - 1)->state == PUBLISH_NEW)
        n--;
    return n;
}

/* A coordinator that takes no parts. */
static void refuse_large(struct link *link)
{
    struct link_fact fact = { .kind = LINK_FACT_REFUSED };
    fact.publish.code = CODE_TOO_LARGE;
    fact.publish.message = span_text("this coordinator takes no events over 64 KiB");
    for (uint64_t n = link->publishing.first; n != link->publishing.next; n++)
        if (entry_at(link, n)->state != PUBLISH_ANSWERED && is_large(entry_at(link, n))) answer_range(link, n, n + 1, &fact, 0);
}

static bool is_at_most_once(const struct link *link, const struct publish_entry *entry)
{
    struct event event;
    struct span bytes = span_of(link->publishing.bytes + (entry->place & (link->publishing.bytes_size - 1)), entry->size);
    return !is_large(entry) && event_scan(bytes, &event) == EVENT_OK && event.semantics == EVENT_AT_MOST_ONCE;
}

/* Sent to another life of the coordinator and not committed there: it may have been offered, so it is not sent again [R-ONCE-4]. */
static void give_up_at_most_once(struct link *link, uint64_t committed)
{
    struct link_fact fact = { .kind = LINK_FACT_UNKNOWN };
    uint64_t first = committed < link->publishing.first ? link->publishing.first : committed + 1;
    fact.publish.code = CODE_GONE;
    for (uint64_t n = first; n < link->publishing.next; n++)
        if (entry_at(link, n)->state == PUBLISH_SENT && is_at_most_once(link, entry_at(link, n))) answer_range(link, n, n + 1, &fact, 0);
}

/* [R-PUB-6]: an id that has had answers and is not known any more was forgotten, with what it was told. */
void link_publish_welcome(struct link *link, const struct msg_welcome *welcome)
{
    struct link_fact fact = { .kind = LINK_FACT_UNKNOWN };
    if (welcome->publisher_known == 0) {
        fact.publish.code = CODE_GONE;
        answer_range(link, link->publishing.first, end_of_sent(link), &fact, 0);
    }
    if (link->publishing.term != 0 && welcome->term != link->publishing.term) give_up_at_most_once(link, welcome->highest_number);
    link->publishing.term = welcome->term;
    if (link->terms.large_events == 0 && link->publishing.large_waiting != 0) refuse_large(link);
}

void link_publish_stop(struct link *link, uint32_t code, struct span message)
{
    struct link_fact fact = { .kind = LINK_FACT_UNKNOWN };
    fact.publish.code = code;
    fact.publish.message = message;
    answer_range(link, link->publishing.first, end_of_sent(link), &fact, 0);
    fact.kind = LINK_FACT_REFUSED;
    answer_range(link, link->publishing.first, link->publishing.next, &fact, 0);
}

/* -- sending -- */

/* A few events behind others that are under way wait a moment for company: a packet costs more than an event. */
static bool waits_for_company(struct link *link)
{
    struct publishing *p = &link->publishing;
    uint64_t waiting = p->next - p->next_send;
    if (p->seen_ns == 0) p->seen_ns = link->now_ns;
    return p->message_count >= MESSAGES_BUSY && waiting < PUBLISH_EVENTS_MAX && link->now_ns - p->seen_ns < COMPANY_NS &&
           p->head - entry_at(link, p->next_send)->place < PUBLISH_PACKET_BYTES / 2;
}

static bool may_send(struct link *link, struct flush *flush, const struct publish_entry *entry, uint64_t body)
{
    struct link_tenant *tenant = &link->tenants[entry->tenant];
    uint64_t most = link->publishing.large_count != 0 ? PUBLISH_PACKET_BYTES - PART_BYTES : PUBLISH_PACKET_BYTES; /* a part has room too */
    if (body != 0 && (body + entry->size > most || entry->size > flush->room)) return false;
    return has_credit(tenant, 0, 0, entry->size);
}

static void send_entry(struct link *link, struct flush *flush, struct publish_entry *entry)
{
    struct link_tenant *tenant = &link->tenants[entry->tenant];
    tenant->publish_sent_events++;
    tenant->publish_sent_bytes += entry->size;
    tenant->unanswered_events++;
    tenant->waiting_events--;
    tenant->waiting_bytes -= entry->size;
    entry->state = PUBLISH_SENT;
    link_add_piece(flush, span_of(link->publishing.bytes + (entry->place & (link->publishing.bytes_size - 1)), entry->size));
}

/* A publish message is a run of numbers of one tenant. An answered number in between (not after a welcome, but it costs nothing) ends it.
 */
static uint32_t send_run(struct link *link, struct flush *flush, struct msg_publish *message, uint32_t *sizes, uint32_t max, uint64_t *body)
{
    struct publishing *p = &link->publishing;
    uint16_t tenant = entry_at(link, p->next_send)->tenant;
    uint32_t count = 0;
    message->first_number = p->next_send;
    message->tenant = link->options.role == ROLE_GATEWAY ? link_tenant_name(link, tenant) : span_of(NULL, 0);
    message->size = sizes;
    while (count < max && p->next_send != p->next) {
        struct publish_entry *entry = entry_at(link, p->next_send);
        if (entry->state == PUBLISH_ANSWERED || entry->tenant != tenant || is_large(entry) || !may_send(link, flush, entry, *body)) break;
        sizes[count++] = entry->size;
        *body += entry->size;
        send_entry(link, flush, entry);
        p->next_send++;
    }
    message->count = count;
    return count;
}

/* A large event begins in a packet without publishes: its first part goes before all higher numbers [R-PART-2]. */
static void begin_large(struct link *link)
{
    struct publishing *p = &link->publishing;
    struct publish_entry *entry = entry_at(link, p->next_send);
    struct link_tenant *tenant = &link->tenants[entry->tenant];
    if (p->large_count >= link->terms.large_events || !has_credit(tenant, 0, 0, 1)) return;
    tenant->publish_sent_events++;
    tenant->unanswered_events++;
    tenant->waiting_events--;
    entry->state = PUBLISH_SENT;
    p->large_waiting--;
    link_large_begin(link, entry, p->next_send++);
}

static void skip_answered(struct link *link)
{
    struct publishing *p = &link->publishing;
    while (p->next_send != p->next && entry_at(link, p->next_send)->state == PUBLISH_ANSWERED)
        p->next_send++;
}

static size_t flush_runs(struct link *link, struct flush *flush, struct msg_publish *messages, uint32_t *sizes)
{
    struct publishing *p = &link->publishing;
    uint32_t total = 0;
    uint64_t body = 0;
    size_t count = 0;
    while (p->next_send != p->next && total < PUBLISH_EVENTS_MAX && p->message_count < MESSAGES_MAX &&
           p->next_send - p->first < link->publish_window) {
        uint32_t run = send_run(link, flush, &messages[count], sizes + total, PUBLISH_EVENTS_MAX - total, &body);
        if (run == 0) break;
        p->messages[p->message_count++] = (struct publish_message){ messages[count].first_number, run, run };
        total += run;
        count++;
        skip_answered(link);
    }
    return count;
}

static bool has_something(struct link *link, struct flush *flush)
{
    const struct publishing *p = &link->publishing;
    if (p->next_send == p->next || p->held || p->message_count == MESSAGES_MAX) return false;
    return is_large(entry_at(link, p->next_send)) || may_send(link, flush, entry_at(link, p->next_send), 0);
}

void link_flush_publish(struct link *link, struct flush *flush)
{
    struct publishing *p = &link->publishing;
    struct msg_publish *messages;
    uint32_t *sizes;
    size_t count = 0;
    skip_answered(link);
    p->held = p->next_send != p->next && waits_for_company(link);
    if (link->drain_ns != 0 || (p->large_count == 0 && !has_something(link, flush))) return;
    messages = link_take_raw(flush, MESSAGES_MAX + LARGE_MAX, sizeof *messages);
    sizes = link_take_raw(flush, PUBLISH_EVENTS_MAX + LARGE_MAX, sizeof *sizes);
    if (p->large_count != 0) count = link_flush_large(link, flush, messages, sizes + PUBLISH_EVENTS_MAX);
    if (!p->held) count += flush_runs(link, flush, messages + count, sizes);
    if (count == 0 && p->next_send != p->next && !p->held && is_large(entry_at(link, p->next_send))) begin_large(link);
    p->seen_ns = p->next_send != p->next ? link->now_ns : 0;
    flush->packet->publishes = messages;
    flush->packet->publish_count = count;
    flush->any = flush->any || count != 0;
}

uint64_t link_publish_deadline_ns(const struct link *link)
{
    return link->publishing.held ? link->publishing.seen_ns + COMPANY_NS : UINT64_MAX;
}
