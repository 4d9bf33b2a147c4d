/* What peers do, word by word. */
#include <stdio.h>
#include <stdlib.h>

#include "acts.h"
#include "proto/parts.h"

/* `inbox:p1` anywhere stands for the inbox that p1 was welcomed with. */
static const char *inbox_or_self(struct world *w, const char *value)
{
    return value && strncmp(value, "inbox:", 6) == 0 ? world_peer(w, value + 6)->inbox : value;
}

static struct span encode(const struct line *l, const char *topic, uint64_t data_size, uint8_t *out)
{
    static uint8_t data[2 * EVENT_BYTES_MAX];
    struct event e = { .topic = span_text(topic), .key = text(l, "key"), .session = text(l, "session") };
    e.data = span_of(data, data_size);
    e.ttl_ms = ms(l, "ttl");
    e.priority = (uint32_t)number(l, "priority", 0);
    e.token = text(l, "token");
    if (span_equal(e.token, span_text("topic"))) e.token = e.topic;
    e.semantics = has(l, "at_most_once") ? EVENT_AT_MOST_ONCE : (uint32_t)number(l, "semantics", EVENT_AT_LEAST_ONCE);
    e.delay_ms = ms(l, "delay");
    e.not_before_ms = ms(l, "not_before");
    e.reply_to = text(l, "reply_to");
    if (has(l, "sealed")) e.parts = span_of("\x08\x05\x12\x01\x07", 5); /* 5 bytes at position 7 */
    e.reply = arg(l, "reply") ? EVENT_REPLY_ERROR : EVENT_REPLY_NONE;
    const char *header = arg(l, "header"), *colon = header ? strchr(header, ':') : NULL;
    if (!colon) return span_of(out, event_encode(&e, NULL, 0, out));
    struct event_header one = { span_of(header, (size_t)(colon - header)), span_text(colon + 1) };
    return span_of(out, event_encode(&e, &one, 1, out));
}

static void do_publish(struct world *w, struct story_peer *p, const struct line *l)
{
    static uint8_t body[2 * EVENT_BYTES_MAX];
    uint32_t sizes[2048];
    struct span bytes = encode(l, inbox_or_self(w, arg(l, "topic") ? arg(l, "topic") : "docs.a"), number(l, "body", 4), body);
    if (has(l, "junk")) bytes.size = 3, memset(body, 0xff, 3);
    size_t count = number(l, "count", 1);
    for (size_t i = 1; i < count; i++)
        memcpy(body + i * bytes.size, body, bytes.size);
    for (size_t i = 0; i < count; i++)
        sizes[i] = (uint32_t)bytes.size;
    struct msg_publish publish = {
        .tenant = text(l, "tenant"), .first_number = number(l, "number", p->next_number), .size = sizes, .count = count
    };
    if (publish.first_number == p->next_number)
        for (size_t i = 0; i < count; i++)
            snprintf(p->number_event[p->next_number++], sizeof p->number_event[0], "e%u", ++w->publish_count);
    w->once = has(l, "at_most_once") ? w->publish_count : 0;
    struct packet packet = { .publishes = &publish, .publish_count = 1, .body = span_of(body, bytes.size * count) };
    world_step(w, p, &packet, true);
}

static uint64_t lease_of(const struct story_peer *p, const char *event, uint32_t attempt)
{
    for (uint32_t i = p->lease_count; i > 0; i--)
        if (strcmp(p->leases[i - 1].event, event) == 0 && (!attempt || p->leases[i - 1].attempt == attempt)) return p->leases[i - 1].lease;
    return 12345;
}

/* parts of=3 [first=0] [last=2] [size=65536] [tail=100] [number=]: of an event that `publish number=` ends; with for=e1 emit=1: of the first
 * emit of its settle */
static void do_parts(struct world *w, struct story_peer *p, const struct line *l)
{
    static uint8_t body[4 * PART_BYTES];
    struct msg_part parts[4];
    struct packet packet = { .parts = parts };
    uint64_t count = number(l, "of", 1), last = number(l, "last", count - 1), event = number(l, "number", p->next_number);
    uint64_t lease = arg(l, "for") ? lease_of(p, arg(l, "for"), (uint32_t)number(l, "attempt", 0)) : 0;
    if (lease)
        event = number(l, "emit", 1);
    else if (event == p->next_number)
        snprintf(p->number_event[p->next_number++], sizeof p->number_event[0], "e%u", ++w->publish_count);
    for (uint64_t i = number(l, "first", 0); i <= last && packet.part_count < 4; i++) {
        uint64_t size = i + 1 < count ? number(l, "size", PART_BYTES) : number(l, "tail", 100);
        parts[packet.part_count++] = (struct msg_part){
            .number = event, .index = (uint32_t)i, .count = (uint32_t)count, .size = (uint32_t)size, .tenant = text(l, "tenant"),
            .lease = lease
        };
        packet.body = span_of(body, packet.body.size + size);
    }
    world_step(w, p, &packet, true);
}

static uint32_t verb_of(const char *word)
{
    return strcmp(word, "ack") == 0 ? VERB_ACK : strcmp(word, "nack") == 0 ? VERB_NACK : strcmp(word, "reject") == 0 ? VERB_REJECT : 9;
}

/* ack e1 e2 … [emit=topic,topic parts=3,0 reply=error] [delay=1s] [reason=text] [lease_of=w1] */
static void do_settle(struct world *w, struct story_peer *p, const struct line *l)
{
    static uint8_t body[8 * EVENT_BYTES_MAX];
    uint64_t leases[64];
    uint32_t verbs[64], delays[64], emits[64] = { 0 }, sizes[512], parts[512] = { 0 };
    struct span reasons[64];
    struct msg_settle settle = { .first_number = number(l, "number", p->next_settle),
                                 .lease = leases,
                                 .verb = verbs,
                                 .delay_ms = delays,
                                 .reason = reasons,
                                 .emits = emits,
                                 .emit_size = sizes,
                                 .emit_parts = arg(l, "parts") ? parts : NULL };
    const char *of = arg(l, "parts") ? arg(l, "parts") : "";
    struct story_peer *holder = arg(l, "lease_of") ? world_peer(w, arg(l, "lease_of")) : p;
    for (int i = 2; i < l->word_count; i++) {
        if (strchr(l->words[i], '=')) continue;
        leases[settle.count] = lease_of(holder, l->words[i], (uint32_t)number(l, "attempt", 0));
        verbs[settle.count] = verb_of(l->words[1]);
        reasons[settle.count] = text(l, "reason");
        delays[settle.count++] = (uint32_t)ms(l, "delay");
        snprintf(p->settle_event[(p->next_settle + settle.count - 1) % SETTLES_MAX], 8, "%s", l->words[i]);
    }
    size_t used = 0;
    char list[256];
    snprintf(list, sizeof list, "%s", arg(l, "emit") ? arg(l, "emit") : "");
    for (char *topic = strtok(list, ","); topic; topic = strtok(NULL, ",")) {
        parts[settle.emit_count] = (uint32_t)strtoul(of, (char **)&of, 10);
        if (*of == ',') of++;
        struct span bytes = encode(l, inbox_or_self(w, topic), parts[settle.emit_count] ? 0 : number(l, "body", 4), body + used);
        sizes[settle.emit_count++] = (uint32_t)bytes.size;
        used += bytes.size;
    }
    for (uint64_t i = number(l, "emits", 0); i > 0; i--) /* so many, of nothing */
        sizes[settle.emit_count++] = 0;
    emits[0] = (uint32_t)settle.emit_count;
    p->next_settle += settle.count;
    struct packet packet = { .settle = &settle, .body = span_of(body, used) };
    world_step(w, p, &packet, true);
}

static void do_leases(struct world *w, struct story_peer *p, const struct line *l)
{
    uint64_t leases[64];
    uint32_t waits[64];
    size_t count = 0;
    for (int i = 2; i < l->word_count; i++)
        if (!strchr(l->words[i], '=')) {
            waits[count] = (uint32_t)ms(l, "for");
            leases[count++] = lease_of(p, l->words[i], (uint32_t)number(l, "attempt", 0));
        }
    struct msg_extend extend = { leases, waits, count };
    struct msg_release release = { leases, count };
    struct packet packet = { 0 };
    if (strcmp(l->words[1], "extend") == 0)
        packet.extend = &extend;
    else
        packet.release = &release;
    world_step(w, p, &packet, true);
}

static void do_subscribe(struct world *w, struct story_peer *p, const struct line *l)
{
    const char *since = arg(l, "since");
    struct msg_subscribe m = { .subscription = strtoull(l->words[2] + 1, NULL, 10),
                               .tenant = text(l, "tenant"),
                               .filter = span_text(inbox_or_self(w, arg(l, "filter") ? arg(l, "filter") : "docs.>")),
                               .limit = number(l, "limit", 0),
                               .credit_events = number(l, "credit", 0) };
    if (since) {
        m.start = strcmp(since, "first") == 0 ? START_FIRST : START_SEQ;
        m.start_at = world_seq(w, since);
        m.epoch = span_text(arg(l, "epoch") ? arg(l, "epoch") : "0123456789abcdef");
    }
    if (arg(l, "last")) m.start = START_LAST, m.start_at = number(l, "last", 0);
    if (arg(l, "ago")) m.start = START_TIME, m.start_at = w->log_ms - duration_ms(arg(l, "ago"));
    struct packet packet = { .subscribes = &m, .subscribe_count = 1 };
    world_step(w, p, &packet, true);
}

static void do_credit(struct world *w, struct story_peer *p, const struct line *l)
{
    struct msg_credit m = { .kind = p->lease_count || arg(l, "deliver") ? CREDIT_DELIVER : CREDIT_EVENTS,
                            .bytes = number(l, "bytes", 1 << 20) };
    if (arg(l, "events")) m.kind = CREDIT_EVENTS;
    m.events = number(l, "events", number(l, "deliver", 0));
    m.subscription = number(l, "subscription", 0);
    struct packet packet = { .credits = &m, .credit_count = 1 };
    world_step(w, p, &packet, true);
}

static void do_message(struct world *w, struct story_peer *p, const struct line *l)
{
    struct packet packet = { 0 };
    struct msg_replay replay = { 0 };
    struct msg_moved moved = { 0 };
    struct msg_welcome welcome = { 0 };
    struct msg_deliver deliver = { 0 };
    struct msg_drain drain = { 0 };
    if (has(l, "replay")) packet.replay = &replay;
    if (has(l, "moved")) packet.moved = &moved;
    if (has(l, "welcome")) packet.welcome = &welcome;
    if (has(l, "deliver")) packet.deliver = &deliver;
    if (has(l, "drain")) packet.drain = &drain;
    if (has(l, "unknown")) packet.unknown_fields = 1;
    world_step(w, p, &packet, true);
}

static void do_partial(struct world *w, struct story_peer *p, const struct line *l)
{
    struct msg_partial partial = { .lease = lease_of(p, l->words[2], (uint32_t)number(l, "attempt", 0)),
                                   .index = (uint32_t)number(l, "index", 0),
                                   .size = 5,
                                   .topic = text(l, "topic") };
    world_step(w, p, &(struct packet){ .partials = &partial, .partial_count = 1, .body = span_text("piece") }, true);
}

static void do_cancel(struct world *w, struct story_peer *p, const struct line *l)
{
    struct msg_cancel cancel = { .seq = world_seq(w, l->words[2]) };
    world_step(w, p, &(struct packet){ .cancels = &cancel, .cancel_count = 1 }, true);
}

static void do_query(struct world *w, struct story_peer *p, const struct line *l)
{
    struct msg_query query = { .id = 1,
                               .ask = has(l, "groups")  ? ASK_GROUPS
                                      : has(l, "dead")  ? ASK_DEAD
                                      : has(l, "why")   ? ASK_WHY
                                      : has(l, "stats") ? ASK_STATS
                                                        : 99,
                               .tenant = text(l, "tenant"),
                               .name = text(l, "group"),
                               .session = text(l, "session") };
    if (query.ask == ASK_WHY && l->word_count > 3 && !strchr(l->words[3], '=')) query.seq = world_seq(w, l->words[3]);
    world_step(w, p, &(struct packet){ .queries = &query, .query_count = 1 }, true);
}

static void do_unsubscribe(struct world *w, struct story_peer *p, const struct line *l)
{
    struct msg_unsubscribe m = { strtoull(l->words[2] + 1, NULL, 10) };
    world_step(w, p, &(struct packet){ .unsubscribes = &m, .unsubscribe_count = 1 }, true);
}

static void do_heartbeat(struct world *w, struct story_peer *p, const struct line *l)
{
    (void)l;
    world_step(w, p, &(struct packet){ .heartbeat = &(struct msg_heartbeat){ 7 } }, true);
}

static void do_garbage(struct world *w, struct story_peer *p, const struct line *l)
{
    (void)l;
    world_step(w, p, NULL, true);
}

static void do_huge(struct world *w, struct story_peer *p, const struct line *l)
{
    (void)l;
    world_step(w, p, &(struct packet){ .body = span_of(p, CORE_PACKET_BYTES_MAX + 1) }, true);
}

static void do_gone(struct world *w, struct story_peer *p, const struct line *l)
{
    (void)l;
    world_gone(w, p);
}

static const struct {
    const char *word;
    void (*act)(struct world *w, struct story_peer *p, const struct line *l);
} verbs[] = {
    { "hello", do_hello },
    { "publish", do_publish },
    { "parts", do_parts },
    { "ack", do_settle },
    { "nack", do_settle },
    { "reject", do_settle },
    { "bless", do_settle },
    { "extend", do_leases },
    { "release", do_leases },
    { "subscribe", do_subscribe },
    { "unsubscribe", do_unsubscribe },
    { "credit", do_credit },
    { "heartbeat", do_heartbeat },
    { "garbage", do_garbage },
    { "huge", do_huge },
    { "message", do_message },
    { "manage", do_manage },
    { "partial", do_partial },
    { "cancel", do_cancel },
    { "query", do_query },
    { "gone", do_gone },
};

static void greet(struct world *w, struct story_peer *p)
{
    struct line hello = { .words = { "", "hello" }, .word_count = 2 };
    uint32_t said = w->said_count;
    do_hello(w, p, &hello);
    w->said_count = said;
}

void peer_acts(struct world *w, struct story_peer *p, const struct line *l)
{
    const char *verb = l->words[1];
    if (strcmp(verb, "hello") != 0 && !p->greeted && p->name[0] != 'x') greet(w, p);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verb, verbs[i].word) == 0) {
            verbs[i].act(w, p, l);
            return;
        }
    fail(l, "nobody can do that");
}
