/* What peers say of groups: hello, with what a worker holds of one, and manage. */
#include <stdio.h>
#include <stdlib.h>

#include "acts.h"

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
                                   .affinity_wait_ms = (uint32_t)ms(l, "affinity_wait"),
                                   .limit = (uint32_t)number(l, "limit", 0),
                                   .limit_each = (uint32_t)number(l, "limit_each", 0),
                                   .limit_by = text(l, "limit_by"),
                                   .lease_ms = (uint32_t)ms(l, "lease"),
                                   .max_deliveries = (uint32_t)number(l, "max_deliveries", 0),
                                   .max_deaths = (uint32_t)number(l, "max_deaths", 0),
                                   .retry_percent = (uint32_t)number(l, "retry_percent", 0),
                                   .retry_floor = (uint32_t)number(l, "retry_floor", 0) };
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

/* The holds=EVENT/ATTEMPT[/PRIORITY],… of the line. */
static size_t held_of(const struct world *w, const struct line *l, uint64_t seq[64], uint32_t attempt[64], uint32_t priority[64])
{
    size_t count = 0;
    char holds[256];
    snprintf(holds, sizeof holds, "%s", arg(l, "holds") ? arg(l, "holds") : "");
    for (char *h = strtok(holds, ","); h; h = strtok(NULL, ","), count++) {
        char *slash = strchr(h, '/');
        if (!slash || count == 64) fail(l, "holds=EVENT/ATTEMPT[/PRIORITY], of 64 events at most");
        *slash = 0;
        char *plus = strchr(h, '+'); /* NUMBER+e1: a place that is not e1's */
        seq[count] = plus ? strtoull(h, NULL, 10) ^ world_seq(w, plus + 1) : world_seq(w, h);
        const char *third = strchr(slash + 1, '/');
        priority[count] = third ? (uint32_t)atoi(third + 1) : 0;
        attempt[count] = (uint32_t)atoi(slash + 1);
    }
    return count;
}

void do_hello(struct world *w, struct story_peer *p, const struct line *l)
{
    static const uint32_t roles[256] = { ['w'] = ROLE_WORKER, ['g'] = ROLE_GATEWAY, ['p'] = ROLE_CLIENT, ['a'] = ROLE_ADMIN };
    struct span filters[8];
    uint64_t held_seq[64], held_first[64];
    uint32_t held_attempt[64], held_priority[64], held_letter[64] = { 0 };
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
                               .tenant = text(l, "tenant"),
                               .publisher = span_of(p->publisher, PUBLISHER_BYTES),
                               .first_unanswered = number(l, "unanswered", p->next_number),
                               .max_event_bytes = number(l, "takes", 8 << 20),
                               .has_group = group != NULL,
                               .epoch = span_text(arg(l, "epoch") ? arg(l, "epoch") : "0123456789abcdef") };
    hello.group = (struct group_spec){ .name = text(l, "group"), .filters = filters, .options = group_options(l) };
    set_start(w, l, &hello.group);
    char list[256];
    hello.group.filter_count = filters_of(l, list, filters);
    hello.held_count = held_of(w, l, held_seq, held_attempt, held_priority);
    hello.held_seq = held_seq;
    hello.held_attempt = held_attempt;
    hello.held_priority = held_priority;
    for (size_t i = 0; i < hello.held_count && has(l, "letters"); i++)
        held_letter[i] = 1;
    hello.held_letter = held_letter;
    for (size_t i = 0; i < hello.held_count; i++)
        held_first[i] = arg(l, "first") ? world_seq(w, arg(l, "first")) : 0;
    hello.held_first = held_first;
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

static const struct {
    const char *word;
    uint32_t field; /* of Group in weir.proto */
} settable[] = { { "name", 1 },           { "filters", 2 },     { "ordering", 3 },       { "lease", 4 },
                 { "max_deliveries", 5 }, { "affinity", 9 },    { "affinity_wait", 10 }, { "limit", 11 },
                 { "limit_by", 12 },      { "limit_each", 13 }, { "retry_percent", 15 }, { "retry_floor", 16 } };

/* manage group_pause group=ocr [e1] [tenant=t] [filters=a,b lease=5s …] [start=first|e1|new] [ago=10s] */
void do_manage(struct world *w, struct story_peer *p, const struct line *l)
{
    static const char *const actions[ACTION_COUNT] = { "none",       "group_set",    "group_pause", "group_resume",
                                                       "group_seek", "group_delete", "dead_retry",  "dead_drop" };
    struct msg_manage m = { .id = 1, .action = ACTION_COUNT, .tenant = text(l, "tenant"), .epoch = text(l, "epoch") };
    for (uint32_t i = 0; i < ACTION_COUNT; i++)
        if (strcmp(l->words[2], actions[i]) == 0) m.action = i;
    uint32_t set[sizeof settable / sizeof *settable];
    struct span filters[8];
    char list[256];
    m.has_group = arg(l, "group") != NULL;
    m.group.name = text(l, "group");
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
