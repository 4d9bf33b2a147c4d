/* The story runner. A story is a text of lines `who: does what -> what each sees`, described in README.md. Each story is run twice, and
 * must say the same, byte for byte, both times. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/parts.h"
#include "world.h"

enum { WORDS_MAX = 32, LINE_MAX_BYTES = 1024 };

struct line {
    const char *file;
    int number;
    char text[LINE_MAX_BYTES];
    char *words[WORDS_MAX];
    int word_count;
};

static _Noreturn void fail(const struct line *l, const char *why)
{
    fprintf(stderr, "%s:%d: %s\n", l->file, l->number, why);
    exit(1);
}

/* `inbox:p1` anywhere stands for the inbox that p1 was welcomed with. */
static const char *inbox_or_self(struct world *w, const char *value)
{
    return value && strncmp(value, "inbox:", 6) == 0 ? world_peer(w, value + 6)->inbox : value;
}

/* The value of `name=` in the line, or NULL. */
static const char *arg(const struct line *l, const char *name)
{
    size_t size = strlen(name);
    for (int i = 0; i < l->word_count; i++)
        if (strncmp(l->words[i], name, size) == 0 && l->words[i][size] == '=') return l->words[i] + size + 1;
    return NULL;
}

static bool has(const struct line *l, const char *word)
{
    for (int i = 0; i < l->word_count; i++)
        if (strcmp(l->words[i], word) == 0) return true;
    return false;
}

static uint64_t number(const struct line *l, const char *name, uint64_t otherwise)
{
    const char *value = arg(l, name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

static uint64_t duration_ms(const char *text)
{
    char *unit;
    uint64_t value = strtoull(text, &unit, 10);
    if (strcmp(unit, "ms") == 0) return value;
    if (strcmp(unit, "s") == 0) return value * 1000;
    if (strcmp(unit, "m") == 0) return value * 60000;
    if (strcmp(unit, "h") == 0) return value * 3600000;
    return 0;
}

static struct span word_span(const char *text)
{
    return text ? span_text(text) : span_of(NULL, 0);
}

/* ---- what peers do ---- */

static struct span encode(const struct line *l, const char *topic, uint8_t *out)
{
    static uint8_t data[2 * EVENT_BYTES_MAX];
    struct event e = { .topic = word_span(topic), .key = word_span(arg(l, "key")), .session = word_span(arg(l, "session")) };
    e.data = span_of(data, number(l, "body", 4));
    e.ttl_ms = arg(l, "ttl") ? duration_ms(arg(l, "ttl")) : 0;
    e.priority = (uint32_t)number(l, "priority", 0);
    e.token = word_span(arg(l, "token"));
    e.semantics = has(l, "at_most_once") ? EVENT_AT_MOST_ONCE : (uint32_t)number(l, "semantics", EVENT_AT_LEAST_ONCE);
    e.delay_ms = arg(l, "delay") ? duration_ms(arg(l, "delay")) : 0;
    e.not_before_ms = arg(l, "not_before") ? duration_ms(arg(l, "not_before")) : 0;
    e.reply_to = word_span(arg(l, "reply_to"));
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
    struct span bytes = encode(l, inbox_or_self(w, arg(l, "topic") ? arg(l, "topic") : "docs.a"), body);
    if (has(l, "junk")) bytes.size = 3, memset(body, 0xff, 3);
    size_t count = number(l, "count", 1);
    for (size_t i = 1; i < count; i++)
        memcpy(body + i * bytes.size, body, bytes.size);
    for (size_t i = 0; i < count; i++)
        sizes[i] = (uint32_t)bytes.size;
    struct msg_publish publish = {
        .tenant = word_span(arg(l, "tenant")), .first_number = number(l, "number", p->next_number), .size = sizes, .count = count
    };
    if (publish.first_number == p->next_number)
        for (size_t i = 0; i < count; i++)
            snprintf(p->number_event[p->next_number++], sizeof p->number_event[0], "e%u", ++w->publish_count);
    w->once = has(l, "at_most_once") ? w->publish_count : 0;
    struct packet packet = { .publishes = &publish, .publish_count = 1, .body = span_of(body, bytes.size * count) };
    world_step(w, p, &packet, true);
}

/* parts of=3 [first=0] [last=2] [size=65536] [tail=100] [number=]: of an event that `publish number=` ends */
static void do_parts(struct world *w, struct story_peer *p, const struct line *l)
{
    static uint8_t body[4 * PART_BYTES];
    struct msg_part parts[4];
    struct packet packet = { .parts = parts };
    uint64_t count = number(l, "of", 1), last = number(l, "last", count - 1), event = number(l, "number", p->next_number);
    if (event == p->next_number) snprintf(p->number_event[p->next_number++], sizeof p->number_event[0], "e%u", ++w->publish_count);
    for (uint64_t i = number(l, "first", 0); i <= last && packet.part_count < 4; i++) {
        uint64_t size = i + 1 < count ? number(l, "size", PART_BYTES) : number(l, "tail", 100);
        parts[packet.part_count++] = (struct msg_part){
            .number = event, .index = (uint32_t)i, .count = (uint32_t)count, .size = (uint32_t)size, .tenant = word_span(arg(l, "tenant"))
        };
        packet.body = span_of(body, packet.body.size + size);
    }
    world_step(w, p, &packet, true);
}

static uint32_t ordering_of(const struct line *l)
{
    static const char *const words[] = { "none", "key", "session", "group" };
    const char *word = arg(l, "ordering") ? arg(l, "ordering") : "none";
    for (uint32_t i = 0; i < 4; i++)
        if (strcmp(word, words[i]) == 0) return i;
    return (uint32_t)atoi(word);
}

static struct group_options group_options(const struct line *l)
{
    return (struct group_options){ .ordering = ordering_of(l),
                                   .affinity = arg(l, "affinity") && strcmp(arg(l, "affinity"), "session") == 0,
                                   .affinity_wait_ms = arg(l, "affinity_wait") ? (uint32_t)duration_ms(arg(l, "affinity_wait")) : 0,
                                   .limit = (uint32_t)number(l, "limit", 0),
                                   .limit_each = (uint32_t)number(l, "limit_each", 0),
                                   .limit_by = word_span(arg(l, "limit_by")),
                                   .lease_ms = arg(l, "lease") ? (uint32_t)duration_ms(arg(l, "lease")) : 0,
                                   .max_deliveries = (uint32_t)number(l, "max_deliveries", 0),
                                   .max_deaths = (uint32_t)number(l, "max_deaths", 0) };
}

/* The filters= of the line, cut out of `list`. */
static size_t filters_of(const struct line *l, char list[256], struct span filters[8])
{
    size_t count = 0;
    snprintf(list, 256, "%s", arg(l, "filters") ? arg(l, "filters") : "docs.>");
    for (char *f = strtok(list, ","); f && count < 8; f = strtok(NULL, ","))
        filters[count++] = span_text(f);
    return count;
}

static void set_start(const struct world *w, const struct line *l, struct group_spec *spec)
{
    const char *start = arg(l, "start");
    if (start && strcmp(start, "new") != 0) {
        spec->start = strcmp(start, "first") == 0 ? START_FIRST : START_SEQ;
        spec->start_at = world_seq(w, start);
    }
    if (arg(l, "ago")) spec->start = START_TIME, spec->start_at = w->log_ms - duration_ms(arg(l, "ago"));
}

static void do_hello(struct world *w, struct story_peer *p, const struct line *l)
{
    static const uint32_t roles[256] = { ['w'] = ROLE_WORKER, ['g'] = ROLE_GATEWAY, ['p'] = ROLE_CLIENT, ['a'] = ROLE_ADMIN };
    struct span filters[8];
    uint64_t held_seq[64];
    uint32_t held_attempt[64], held_priority[64];
    char instance[INSTANCE_BYTES] = "";
    uint32_t role = roles[(uint8_t)p->name[0]];
    const char *group = arg(l, "group");
    if (group) role = ROLE_WORKER;
    if (role == ROLE_UNKNOWN) role = ROLE_CLIENT;
    if (arg(l, "instance")) strncpy(instance, arg(l, "instance"), sizeof instance - 1), memcpy(p->instance, instance, INSTANCE_BYTES);
    struct msg_hello hello = { .name = span_text(p->name),
                               .protocol = (uint32_t)number(l, "protocol", 1),
                               .role = (uint32_t)number(l, "role", role),
                               .instance = span_of(p->instance, has(l, "no_instance") ? 3 : INSTANCE_BYTES),
                               .tenant = word_span(arg(l, "tenant")),
                               .publisher = span_of(p->publisher, PUBLISHER_BYTES),
                               .first_unanswered = number(l, "unanswered", p->next_number),
                               .max_event_bytes = number(l, "takes", 8 << 20),
                               .has_group = group != NULL,
                               .epoch = span_text(arg(l, "epoch") ? arg(l, "epoch") : "0123456789abcdef") };
    hello.group = (struct group_spec){ .name = word_span(group), .filters = filters, .options = group_options(l) };
    set_start(w, l, &hello.group);
    char list[256];
    hello.group.filter_count = filters_of(l, list, filters);
    char holds[256];
    snprintf(holds, sizeof holds, "%s", arg(l, "holds") ? arg(l, "holds") : "");
    for (char *h = strtok(holds, ","); h; h = strtok(NULL, ",")) {
        char *slash = strchr(h, '/');
        if (!slash) fail(l, "holds=EVENT/ATTEMPT[/PRIORITY]");
        *slash = 0;
        char *plus = strchr(h, '+'); /* NUMBER+e1: a place that is not e1's */
        held_seq[hello.held_count] = plus ? strtoull(h, NULL, 10) ^ world_seq(w, plus + 1) : world_seq(w, h);
        const char *priority = strchr(slash + 1, '/');
        held_priority[hello.held_count] = priority ? (uint32_t)atoi(priority + 1) : 0;
        held_attempt[hello.held_count++] = (uint32_t)atoi(slash + 1);
    }
    hello.held_seq = held_seq;
    hello.held_attempt = held_attempt;
    hello.held_priority = held_priority;
    hello.held_generation = number(l, "generation", 0);
    p->next_settle = 1;
    p->credit_events = number(l, "credit", 0);
    struct msg_credit credit = { .kind = group ? CREDIT_DELIVER : CREDIT_EVENTS,
                                 .events = group || p->credit_events ? p->credit_events : 1000,
                                 .bytes = number(l, "bytes", 1 << 20) };
    struct packet packet = { .hello = &hello, .credits = &credit, .credit_count = 1 };
    p->greeted = true;
    world_step(w, p, &packet, true);
}

static uint64_t lease_of(const struct story_peer *p, const char *event, uint32_t attempt)
{
    for (uint32_t i = p->lease_count; i > 0; i--)
        if (strcmp(p->leases[i - 1].event, event) == 0 && (!attempt || p->leases[i - 1].attempt == attempt)) return p->leases[i - 1].lease;
    return 12345;
}

static uint32_t verb_of(const char *word)
{
    return strcmp(word, "ack") == 0 ? VERB_ACK : strcmp(word, "nack") == 0 ? VERB_NACK : strcmp(word, "reject") == 0 ? VERB_REJECT : 9;
}

/* ack e1 e2 … [emit=topic,topic reply=error] [delay=1s] [reason=text] [lease_of=w1] */
static void do_settle(struct world *w, struct story_peer *p, const struct line *l)
{
    static uint8_t body[8 * EVENT_BYTES_MAX];
    uint64_t leases[64];
    uint32_t verbs[64], delays[64], emits[64] = { 0 }, sizes[512];
    struct span reasons[64];
    struct msg_settle settle = { .first_number = number(l, "number", p->next_settle),
                                 .lease = leases,
                                 .verb = verbs,
                                 .delay_ms = delays,
                                 .reason = reasons,
                                 .emits = emits,
                                 .emit_size = sizes };
    struct story_peer *holder = arg(l, "lease_of") ? world_peer(w, arg(l, "lease_of")) : p;
    for (int i = 2; i < l->word_count; i++) {
        if (strchr(l->words[i], '=')) continue;
        leases[settle.count] = lease_of(holder, l->words[i], (uint32_t)number(l, "attempt", 0));
        verbs[settle.count] = verb_of(l->words[1]);
        reasons[settle.count] = word_span(arg(l, "reason"));
        delays[settle.count++] = arg(l, "delay") ? (uint32_t)duration_ms(arg(l, "delay")) : 0;
        snprintf(p->settle_event[(p->next_settle + settle.count - 1) % SETTLES_MAX], 8, "%s", l->words[i]);
    }
    size_t used = 0;
    char list[256];
    snprintf(list, sizeof list, "%s", arg(l, "emit") ? arg(l, "emit") : "");
    for (char *topic = strtok(list, ","); topic; topic = strtok(NULL, ",")) {
        struct span bytes = encode(l, inbox_or_self(w, topic), body + used);
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
            waits[count] = arg(l, "for") ? (uint32_t)duration_ms(arg(l, "for")) : 0;
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
                               .tenant = word_span(arg(l, "tenant")),
                               .filter = word_span(inbox_or_self(w, arg(l, "filter") ? arg(l, "filter") : "docs.>")),
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

static void do_request_parts(struct world *w, struct story_peer *p, const struct line *l)
{
    static const uint8_t data[8] = "piece";
    struct msg_partial partial = { .index = (uint32_t)number(l, "index", 0), .size = 5, .topic = word_span(arg(l, "topic")) };
    struct msg_cancel cancel = { 0 };
    struct msg_query query = { .id = 1,
                               .ask = has(l, "groups")  ? ASK_GROUPS
                                      : has(l, "dead")  ? ASK_DEAD
                                      : has(l, "why")   ? ASK_WHY
                                      : has(l, "stats") ? ASK_STATS
                                                        : 99,
                               .tenant = word_span(arg(l, "tenant")),
                               .name = word_span(arg(l, "group")),
                               .session = word_span(arg(l, "session")) };
    if (query.ask == ASK_WHY && l->word_count > 3 && !strchr(l->words[3], '=')) query.seq = world_seq(w, l->words[3]);
    struct packet packet = { 0 };
    if (strcmp(l->words[1], "partial") == 0) {
        partial.lease = lease_of(p, l->words[2], (uint32_t)number(l, "attempt", 0));
        packet.partials = &partial;
        packet.partial_count = 1;
        packet.body = span_of(data, 5);
    } else if (strcmp(l->words[1], "cancel") == 0) {
        cancel.seq = world_seq(w, l->words[2]);
        packet.cancels = &cancel;
        packet.cancel_count = 1;
    } else {
        packet.queries = &query;
        packet.query_count = 1;
    }
    world_step(w, p, &packet, true);
}

static const struct {
    const char *word;
    uint32_t field; /* of Group in weir.proto */
} settable[] = { { "name", 1 },     { "filters", 2 },        { "ordering", 3 }, { "lease", 4 },     { "max_deliveries", 5 },
                 { "affinity", 9 }, { "affinity_wait", 10 }, { "limit", 11 },   { "limit_by", 12 }, { "limit_each", 13 } };

/* manage group_pause group=ocr [e1] [tenant=t] [filters=a,b lease=5s …] [start=first|e1|new] [ago=10s] */
static void do_manage(struct world *w, struct story_peer *p, const struct line *l)
{
    static const char *const actions[ACTION_COUNT] = { "none",       "group_set",    "group_pause", "group_resume",
                                                       "group_seek", "group_delete", "dead_retry",  "dead_drop" };
    struct msg_manage m = { .id = 1, .action = ACTION_COUNT, .tenant = word_span(arg(l, "tenant")), .epoch = word_span(arg(l, "epoch")) };
    for (uint32_t i = 0; i < ACTION_COUNT; i++)
        if (strcmp(l->words[2], actions[i]) == 0) m.action = i;
    uint32_t set[8];
    struct span filters[8];
    char list[256];
    m.has_group = arg(l, "group") != NULL;
    m.group.name = word_span(arg(l, "group"));
    m.group.filters = filters;
    m.group.filter_count = filters_of(l, list, filters);
    m.group.options = group_options(l);
    set_start(w, l, &m.group);
    m.set = set;
    for (size_t i = 0; i < sizeof settable / sizeof *settable; i++)
        if (arg(l, settable[i].word)) set[m.set_count++] = settable[i].field;
    for (int i = 3; i < l->word_count; i++)
        if (!strchr(l->words[i], '=')) m.seq = world_seq(w, l->words[i]) ? world_seq(w, l->words[i]) : 123456;
    world_step(w, p, &(struct packet){ .manages = &m, .manage_count = 1 }, true);
}

static void greet(struct world *w, struct story_peer *p)
{
    struct line hello = { .words = { "", "hello" }, .word_count = 2 };
    uint32_t said = w->said_count;
    do_hello(w, p, &hello);
    w->said_count = said;
}

static void peer_acts(struct world *w, struct story_peer *p, struct line *l)
{
    const char *verb = l->words[1];
    if (strcmp(verb, "hello") != 0 && !p->greeted && p->name[0] != 'x') greet(w, p);
    if (strcmp(verb, "hello") == 0)
        do_hello(w, p, l);
    else if (strcmp(verb, "publish") == 0)
        do_publish(w, p, l);
    else if (strcmp(verb, "parts") == 0)
        do_parts(w, p, l);
    else if (strcmp(verb, "extend") == 0 || strcmp(verb, "release") == 0)
        do_leases(w, p, l);
    else if (strcmp(verb, "subscribe") == 0)
        do_subscribe(w, p, l);
    else if (strcmp(verb, "unsubscribe") == 0) {
        struct msg_unsubscribe m = { strtoull(l->words[2] + 1, NULL, 10) };
        world_step(w, p, &(struct packet){ .unsubscribes = &m, .unsubscribe_count = 1 }, true);
    } else if (strcmp(verb, "credit") == 0)
        do_credit(w, p, l);
    else if (strcmp(verb, "heartbeat") == 0)
        world_step(w, p, &(struct packet){ .heartbeat = &(struct msg_heartbeat){ 7 } }, true);
    else if (strcmp(verb, "garbage") == 0)
        world_step(w, p, NULL, true);
    else if (strcmp(verb, "huge") == 0)
        world_step(w, p, &(struct packet){ .body = span_of(p, CORE_PACKET_BYTES_MAX + 1) }, true);
    else if (strcmp(verb, "message") == 0)
        do_message(w, p, l);
    else if (strcmp(verb, "manage") == 0)
        do_manage(w, p, l);
    else if (strcmp(verb, "partial") == 0 || strcmp(verb, "cancel") == 0 || strcmp(verb, "query") == 0)
        do_request_parts(w, p, l);
    else if (strcmp(verb, "gone") == 0)
        world_gone(w, p);
    else if (verb_of(verb) != 9 || strcmp(verb, "bless") == 0)
        do_settle(w, p, l);
    else
        fail(l, "nobody can do that");
}

static void world_acts(struct world *w, struct line *l)
{
    const char *word = l->words[0];
    if (strcmp(word, "log:") == 0 && has(l, "committed"))
        world_commit(w, strtoull(l->words[2], NULL, 10));
    else if (strcmp(word, "log:") == 0 && has(l, "failed"))
        world_fail(w);
    else if (strcmp(word, "turns") == 0)
        w->single_turns = has(l, "single"), world_step(w, NULL, NULL, false);
    else if (strcmp(word, "log:") == 0 && has(l, "auto"))
        w->auto_commit = true;
    else if (strcmp(word, "log:") == 0 && (has(l, "slow") || has(l, "quick")))
        w->slow_log = has(l, "slow"), world_step(w, NULL, NULL, false);
    else if (strcmp(word, "log:") == 0 && has(l, "wish")) { /* as far as the core lets go of it */
        w->trim_wish = world_seq(w, l->words[2]);
        world_step(w, NULL, NULL, false);
        if (core_keep_from(w->core) >= w->trim_wish) w->trimmed_below = w->trim_wish, w->trim_wish = 0, world_step(w, NULL, NULL, false);
    } else if (strcmp(word, "log:") == 0 && has(l, "trim"))
        w->trimmed_below = world_seq(w, l->words[2]), world_step(w, NULL, NULL, false);
    else if (strcmp(word, "wait") == 0)
        world_wait(w, duration_ms(l->words[1]));
    else if (strcmp(word, "stopped") == 0)
        world_stop(w, duration_ms(l->words[1]));
    else if (strcmp(word, "crash") == 0)
        world_crash(w);
    else if (strcmp(word, "restart") == 0)
        world_restart(w, false);
    else if (strcmp(word, "snapshot") == 0)
        world_snapshot(w);
    else if (strcmp(word, "drain") == 0)
        w->draining = true, world_step(w, NULL, NULL, false);
    else
        fail(l, "nothing happens by that name");
}

/* ---- what they must see ---- */

/* Every word of the expectation is in the saying, the first two in their places. */
static bool matches(const char *expected, const char *said)
{
    char copy[SAID_BYTES], padded[SAID_BYTES + 2];
    snprintf(copy, sizeof copy, "%s", expected);
    snprintf(padded, sizeof padded, "%s ", said);
    int place = 0;
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "), place++) {
        char with_space[SAID_BYTES];
        snprintf(with_space, sizeof with_space, "%s ", word);
        const char *found = strstr(padded, with_space);
        if (!found || (place == 0 && found != padded) || (found != padded && found[-1] != ' ')) return false;
    }
    return place > 0;
}

/* What a story need not mention. */
static bool is_by_the_way(const char *said)
{
    return strstr(said, " heartbeat") || strstr(said, " credit ");
}

static void check(struct world *w, struct line *l, char *expectations)
{
    bool used[SAID_MAX] = { false };
    for (char *next, *e = expectations; e; e = next) {
        next = strstr(e, " ; ");
        if (next) *next = 0, next += 3;
        while (*e == ' ')
            e++;
        if (strcmp(e, "nothing") == 0 || *e == 0) continue;
        char *end;
        unsigned long wanted = strtoul(e, &end, 10); /* 100x p1 … */
        if (end > e && *end == 'x')
            e = end + 2;
        else
            wanted = 1;
        for (uint32_t i = 0; i < w->said_count && wanted > 0; i++)
            if (!used[i] && matches(e, w->said[i])) used[i] = true, wanted--;
        if (wanted > 0) {
            fprintf(stderr, "%s:%d: expected: %s\n", l->file, l->number, e);
            for (uint32_t i = 0; i < w->said_count; i++)
                fprintf(stderr, "    said: %s\n", w->said[i]);
            exit(1);
        }
    }
    for (uint32_t i = 0; i < w->said_count; i++)
        if (!used[i] && !is_by_the_way(w->said[i]) && !(w->auto_commit && strncmp(w->said[i], "log block", 9) == 0)) {
            fprintf(stderr, "%s:%d: not expected: %s\n", l->file, l->number, w->said[i]);
            exit(1);
        }
}

static void run_clause(struct world *w, struct line *l, char *clause)
{
    l->word_count = 0;
    for (char *word = strtok(clause, " "); word && l->word_count < WORDS_MAX; word = strtok(NULL, " "))
        l->words[l->word_count++] = word;
    if (l->word_count == 0) return;
    size_t size = strlen(l->words[0]);
    if (l->words[0][size - 1] == ':' && strcmp(l->words[0], "log:") != 0) {
        if (l->word_count < 2) fail(l, "who does what?");
        l->words[0][size - 1] = 0;
        struct story_peer *p = world_peer(w, l->words[0]);
        for (uint64_t i = number(l, "times", 1); i > 0; i--)
            peer_acts(w, p, l);
    } else {
        world_acts(w, l);
    }
}

static uint64_t run(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(2);
    }
    struct world *w = world_new(1);
    struct line l = { .file = path };
    while (fgets(l.text, sizeof l.text, file)) {
        l.number++;
        l.text[strcspn(l.text, "\n")] = 0;
        char *comment = strchr(l.text, '#');
        if (comment) *comment = 0;
        char *arrow = strstr(l.text, "->");
        if (arrow) *arrow = 0;
        if (strspn(l.text, " ") == strlen(l.text)) {
            if (arrow) fail(&l, "expectations without a cause");
            continue;
        }
        w->said_count = 0;
        for (char *next, *clause = l.text; clause; clause = next) { /* what happens, `;` between */
            next = strstr(clause, " ; ");
            if (next) *next = 0, next += 3;
            run_clause(w, &l, clause);
        }
        check(w, &l, arrow ? arrow + 2 : NULL);
    }
    fclose(file);
    uint64_t trace = w->trace;
    world_free(w);
    return trace;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (run(argv[i]) == run(argv[i])) continue;
        fprintf(stderr, "%s: two runs differ\n", argv[i]);
        return 1;
    }
    return 0;
}
