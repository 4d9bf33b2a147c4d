/* Publishing: numbers, admission, the record. Nothing is accepted twice [P3]; each number is answered once per sending [R-PUB-2]. */
#include "coordinator/core/publish.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/held.h"
#include "coordinator/core/once.h"
#include "coordinator/core/out.h"
#include "coordinator/core/part.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/publisher.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "coordinator/core/token.h"
#include "proto/event.h"
#include "sdk/base/topic.h"

enum { RETRY_MS = 200 };

static const char *refusal_text(enum error_code code)
{
    switch (code) {
    case CODE_BAD_REQUEST:
        return "not an event, or a field outside its limits";
    case CODE_TOO_LARGE:
        return "the event is larger than max_event_bytes, or over 64 KiB and not sent in parts";
    case CODE_FORBIDDEN:
        return "not your topic";
    case CODE_NO_WORKER:
        return "no group takes this request";
    case CODE_UNSUPPORTED:
        return "not served";
    case CODE_CREDIT_EXCEEDED:
        return "more than the credit allows";
    case CODE_DRAINING:
        return "the coordinator is leaving";
    case CODE_STALE:
        return "this number was refused before";
    case CODE_OVERLOADED:
        return "no room for another event with a delay, or for another tenant of this peer";
    case CODE_THROTTLED:
        return "too much at once: the tenant's tokens, or the events that come in parts";
    case CODE_GONE:
        return "the answer to this number is forgotten: outcome unknown";
    default:
        return "refused";
    }
}

static void refuse_for(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, enum error_code code, uint32_t size,
                       uint32_t retry_ms)
{
    struct peer *p = peer_at(c, peer);
    c->stats.refused++;
    c->stats.errors[code]++;
    if (lane && p->state != PEER_ENDING) lane_publish_done(c, lane, 1, size);
    if (p->dirty) {
        struct item *last = &c->items[p->out_last];
        if (last->kind == ITEM_REFUSED && last->y == code && last->z == retry_ms && last->a + last->x == number) {
            last->x++;
            return;
        }
    }
    struct item *item = out_item(c, peer, ITEM_REFUSED);
    item->a = number;
    item->x = 1;
    item->y = code;
    item->z = retry_ms;
    item->body = span_text(refusal_text(code));
}

void publish_refuse(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, enum error_code code, uint32_t size)
{
    bool later = code == CODE_THROTTLED || code == CODE_OVERLOADED || code == CODE_DRAINING;
    refuse_for(c, peer, lane, number, code, size, later ? RETRY_MS : 0);
}

static bool is_inbox(struct span topic)
{
    return topic.size > 7 && memcmp(topic.data, "$inbox.", 7) == 0;
}

/* Groups come before subscriptions in what filters_match gives, as long as there is room for all of it. */
static bool some_group_matches(const struct core *c, uint32_t tenant, struct span topic)
{
    return filters_match(c->filters, tenant, topic, c->matches, c->matches_max) > 0 && !(c->matches[0] & SUBSCRIPTION_BIT);
}

enum error_code publish_check(const struct core *c, uint32_t tenant, struct span bytes, bool emit, struct event *out)
{
    if (bytes.size > EVENT_BYTES_MAX || bytes.size > c->config.max_event_bytes) return CODE_TOO_LARGE;
    if (event_scan(bytes, out) != EVENT_OK || out->parts.size) return CODE_BAD_REQUEST;      /* [R-PART-8] */
    if (out->topic.data[0] == '$' && !(emit && is_inbox(out->topic))) return CODE_FORBIDDEN; /* [R-PUB-7] */
    if (out->semantics == EVENT_AT_MOST_ONCE && emit) return CODE_BAD_REQUEST;               /* [R-ONCE-5] */
    if (out->reply_to.size && (!is_inbox(out->reply_to) || !topic_is_valid(out->reply_to))) return CODE_BAD_REQUEST;
    if (!held_is_allowed(c, out)) return CODE_BAD_REQUEST;                                                /* [R-DELAY-4] */
    if (out->reply_to.size && !emit && !some_group_matches(c, tenant, out->topic)) return CODE_NO_WORKER; /* [R-PUB-8] */
    return CODE_OK;
}

uint64_t publish_write(struct core *c, uint32_t tenant, struct span topic, struct record record, struct span bytes)
{
    struct block *block = blocks_fill(c);
    uint16_t index = block_topic(block, tenant_name(c, tenant), topic);
    must(index != UINT16_MAX);
    record.topic = (uint16_t)(index + 1);
    if (record.kind == (RECORD_EVENT | RECORD_MUST_UNDERSTAND) && !(record.flags & RECORD_AT_MOST_ONCE)) { /* groups read it */
        filling_slot(c)->levels |= (uint8_t)(1u << record_level(&record));
        blocks_touch_topic(c, filling_slot(c), index, tenant);
    }
    return blocks_append(c, record, bytes);
}

uint64_t publish_append(struct core *c, uint32_t tenant, const struct event *event, struct span bytes, const uint8_t *publisher,
                        uint64_t number, uint64_t cause)
{
    struct block *block = blocks_fill(c);
    bool held = held_due(c, event, c->log_ms) > 0;
    struct record record = { .kind = (uint8_t)((held ? RECORD_HELD : RECORD_EVENT) | RECORD_MUST_UNDERSTAND),
                             .number = number,
                             .cause = cause };
    if (publisher) {
        uint16_t index = block_publisher(block, publisher);
        must(index != UINT16_MAX);
        record.publisher = (uint16_t)(index + 1);
    } else {
        record.flags = RECORD_EMIT;
    }
    if (token_mark(c, event->token, block->first_position + block->record_count)) record.flags |= RECORD_TOKEN;
    if (event->reply_to.size) record.flags |= RECORD_REQUEST;
    if (event->ttl_ms || event->deadline_ms) record.flags |= RECORD_EXPIRES;
    if (event->parts.size) record.flags |= RECORD_PARTS;
    if (event->semantics == EVENT_AT_MOST_ONCE) record.flags |= RECORD_AT_MOST_ONCE;
    record.flags |= (uint16_t)(event->priority << RECORD_PRIORITY_SHIFT);
    return publish_write(c, tenant, event->topic, record, bytes);
}

/* The first answer again, once that is committed. */
static void answer_duplicate(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, uint64_t position, uint32_t size)
{
    c->stats.duplicates++;
    ticket_add(c, (struct ticket){ .peer = peer,
                                   .lane = lane->self,
                                   .kind = TICKET_ACCEPTED,
                                   .duplicate = 1,
                                   .count = 1,
                                   .number = number,
                                   .seq = position,
                                   .block = blocks_number_of(c, position),
                                   .bytes = size });
}

/* A number that was seen before [R-PUB-4]. What was a repeat of a token then has no place of its own, but is one still. */
void publish_again(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, struct span bytes, uint32_t size)
{
    uint32_t handle = publisher_find(c, peer_at(c, peer)->publisher);
    uint64_t position = handle ? publisher_answer(publisher_at(c, handle), number) : PUBLISHER_FORGOTTEN, repeated = 0;
    bool known = position != PUBLISHER_NEVER && position != PUBLISHER_FORGOTTEN;
    struct event event;
    if (!known && event_scan(bytes, &event) == EVENT_OK) repeated = token_find(c, lane->tenant, event.token);
    if (known || repeated)
        answer_duplicate(c, peer, lane, number, known ? position : repeated, size);
    else
        publish_refuse(c, peer, lane, number, position == PUBLISHER_NEVER ? CODE_STALE : CODE_GONE, size);
}

void publish_violation(struct core *c, uint32_t peer)
{
    if (++peer_at(c, peer)->violations >= CREDIT_VIOLATIONS_MAX) peer_forget(c, peer);
}

/* large: the parts that this event ends, or 0. */
static void admit(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, struct span bytes, uint32_t large)
{
    uint32_t size = (uint32_t)bytes.size;
    struct event event;
    enum error_code code = c->draining ? CODE_DRAINING : publish_check(c, lane->tenant, bytes, false, &event);
    if (code == CODE_OK && large) code = part_check(c, large, 0, &event, bytes);
    if (code != CODE_OK) {
        publish_refuse(c, peer, lane, number, code, size);
        return;
    }
    struct token_answer token = token_ask(c, lane->tenant, event.token, 0);
    if (token.position) { /* [R-TOKEN-1] */
        answer_duplicate(c, peer, lane, number, token.position, size);
        return;
    }
    if (token.wait_ms) { /* [R-TOKEN-3] */
        refuse_for(c, peer, lane, number, CODE_THROTTLED, size, token.wait_ms);
        return;
    }
    if (held_due(c, &event, c->log_ms) && !held_has_room(c, lane->tenant, 0)) { /* [R-DELAY-3] */
        publish_refuse(c, peer, lane, number, CODE_OVERLOADED, size);
        return;
    }
    if (large) bytes = part_seal(c, large, bytes, &event);
    uint64_t position = publish_append(c, lane->tenant, &event, bytes, peer_at(c, peer)->publisher, number, 0);
    if (event.semantics == EVENT_AT_MOST_ONCE) once_offer(c, lane->tenant, &event, position);
    c->stats.published++;
    c->stats.published_bytes += size;
    ticket_add(c, (struct ticket){ .peer = peer,
                                   .lane = lane->self,
                                   .kind = TICKET_ACCEPTED,
                                   .count = 1,
                                   .number = number,
                                   .seq = position,
                                   .block = filling_slot(c)->block.number,
                                   .bytes = size });
}

static void publish_one(struct core *c, uint32_t peer, struct lane *lane, uint64_t number, struct span bytes)
{
    struct peer *p = peer_at(c, peer);
    uint32_t size = (uint32_t)bytes.size;
    uint32_t large = p->assemblies ? part_find(c, peer, 0, number) : 0;
    bool over = lane->publish_used_bytes >= lane->publish_limit_bytes ||
                (!large && lane->publish_used_events >= lane->publish_limit_events); /* its first part took the event's place */
    if (!large) lane->publish_used_events++;
    lane->publish_used_bytes += size;
    if (over) {
        publish_refuse(c, peer, lane, number, CODE_CREDIT_EXCEEDED, size);
        if (large) part_close(c, peer, large);
        publish_violation(c, peer); /* [R-CREDIT-3] */
        return;
    }
    p->violations = 0;
    if (large) {
        admit(c, peer, lane, number, bytes, large);
        part_close(c, peer, large);
        return;
    }
    uint32_t publisher = publisher_find(c, p->publisher);
    if (number <= p->number_seen || number <= (publisher ? publisher_at(c, publisher)->highest : p->number_known)) {
        publish_again(c, peer, lane, number, bytes, size);
        return;
    }
    p->number_seen = number;
    admit(c, peer, lane, number, bytes, 0);
}

void publish_take(struct core *c, uint32_t peer, const struct msg_publish *publish, const uint8_t **body)
{
    struct peer *p = peer_at(c, peer);
    uint32_t tenant = peer_tenant(c, peer, publish->tenant);
    struct lane *lane = tenant ? lane_of(c, peer, tenant) : NULL;
    bool numbered = publish->first_number > 0 && publish->first_number + publish->count >= publish->first_number;
    struct token_look look = { publish, *body, 0 };
    for (size_t i = 0; i < publish->count && p->state != PEER_ENDING; i++) {
        if (c->tokens.in_use && lane) token_look_ahead(c, tenant, &look, i);
        struct span bytes = span_of(*body, publish->size[i]);
        *body += publish->size[i];
        uint64_t number = publish->first_number + i;
        if (!lane || !p->publishes || !numbered) {
            enum error_code code = !tenant ? CODE_FORBIDDEN : !lane ? CODE_OVERLOADED : CODE_BAD_REQUEST;
            publish_refuse(c, peer, lane, number, code, publish->size[i]);
        } else {
            publish_one(c, peer, lane, number, bytes);
        }
    }
    if (look.next > 0) token_look_end(c);
}
