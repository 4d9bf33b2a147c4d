/* What authors write: each event is unlike every other, and the oracle hears of it before it is sent. */
#include <stdio.h>
#include <string.h>

#include "proto/event.h"
#include "tests/sim/sim.h"

static const char *const topics[] = { "a.x", "b.x", "a.y.z", "c.x.y", "b.y", "a" };
static const char *const filters[] = { "a.>", ">", "*.x", "b.*", "a.y.z", "c.>" };

const char *topic_pick(struct sim *sim, struct random *random)
{
    return topics[random_below(random, knob(sim, KNOB_topics))];
}

const char *filter_pick(struct random *random)
{
    return filters[random_below(random, sizeof filters / sizeof *filters)];
}

bool filters_overlap(const char *a, const char *b)
{
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (oracle_fits(a, topics[i]) && oracle_fits(b, topics[i])) return true;
    return false;
}

void group_terms(const struct sim *sim, uint32_t group, struct group_terms *out)
{
    static const char *const names[GROUPS_MAX] = { "g1", "g2", "g3" };
    struct random random = chance_of(sim->plan.seed, 50 + group);
    struct oracle_group_spec *known = &out->known;
    *known =
        (struct oracle_group_spec){ .name = names[group], .backoff_ms = knob(sim, KNOB_backoff_ms), .ordering = knob(sim, KNOB_ordering) };
    uint32_t first = random_below(&random, 5);
    known->filters[known->filter_count++] = filters[first];
    if (chance(&random, 40)) known->filters[known->filter_count++] = filters[(first + 1 + random_below(&random, 4)) % 6];
    known->limit = knob(sim, KNOB_limit);
    known->limit_each = knob(sim, KNOB_limit_each);
    known->affinity = knob(sim, KNOB_affinity) > 0;
    known->parks = known->ordering || knob(sim, KNOB_affinity) || knob(sim, KNOB_limit) || knob(sim, KNOB_limit_each);
    known->from_first = chance(&random, 30);
    for (uint32_t i = 0; i < known->filter_count; i++)
        out->filters[i] = span_text(known->filters[i]);
    out->hello = (struct group_spec){ .name = span_text(known->name), .filters = out->filters, .filter_count = known->filter_count };
    out->hello.options = (struct group_options){ .lease_ms = knob(sim, KNOB_lease_ms),
                                                 .backoff_ms = knob(sim, KNOB_backoff_ms),
                                                 .ordering = known->ordering,
                                                 .affinity = knob(sim, KNOB_affinity) ? AFFINITY_SESSION : AFFINITY_NONE,
                                                 .affinity_wait_ms = knob(sim, KNOB_affinity),
                                                 .limit = knob(sim, KNOB_limit),
                                                 .limit_each = knob(sim, KNOB_limit_each),
                                                 .limit_by = span_text(knob(sim, KNOB_limit_each) ? "word:1" : "") };
    out->hello.start = known->from_first ? START_FIRST : START_NEW;
}

/* An application's token: mostly a new one, else one of the last, which may still be on its way. 0: none. */
static uint32_t token_pick(struct sim *sim, struct random *random)
{
    enum { REPEATS = 40, RECENT = 12 };
    if (!knob(sim, KNOB_tokens) || !chance(random, knob(sim, KNOB_tokens))) return 0;
    if (sim->tokens_made > 0 && chance(random, REPEATS))
        return sim->tokens_made - random_below(random, sim->tokens_made < RECENT ? sim->tokens_made : RECENT);
    return ++sim->tokens_made;
}

/* So long after it is accepted, or a time, which may be over by then. */
static void delay_pick(struct sim *sim, struct random *random, struct event *event)
{
    enum { TIMES = 30 };
    if (!knob(sim, KNOB_delays) || !chance(random, knob(sim, KNOB_delays))) return;
    uint64_t wait_ms = chance_between(random, 1, knob(sim, KNOB_delay_ms));
    if (chance(random, TIMES))
        event->not_before_ms = log_ms(sim) + wait_ms / 4;
    else
        event->delay_ms = wait_ms;
}

void event_write(struct sim *sim, struct random *random, enum author author, const char *topic, const char *data, uint64_t ttl_ms,
                 struct written *out)
{
    char text[600];
    size_t more = chance(random, 20) ? random_below(random, 500) : random_below(random, 20);
    size_t size = (size_t)snprintf(text, sizeof text, "%s ", data);
    while (more-- > 0 && size < sizeof text)
        text[size++] = (char)('a' + random_below(random, 26));
    static const char letters[] = "abcdefghijkl";
    const char *key = &letters[random_below(random, knob(sim, KNOB_keys))], *session = &letters[random_below(random, knob(sim, KNOB_keys))];
    bool has_key = chance(random, 90), has_session = chance(random, 70);
    bool once = author == AUTHOR_PUBLISHER && knob(sim, KNOB_at_most_once) && chance(random, knob(sim, KNOB_at_most_once));
    uint32_t token = author == AUTHOR_LIAR || once ? 0 : token_pick(sim, random);
    char token_text[16];
    snprintf(token_text, sizeof token_text, "t%u", token);
    struct event event = { .topic = span_text(topic),
                           .token = span_text(token ? token_text : ""),
                           .key = span_of(key, has_key),
                           .session = span_of(session, has_session),
                           .data = span_of(text, size),
                           .ttl_ms = ttl_ms };
    if (once) event.semantics = EVENT_AT_MOST_ONCE;
    if (author != AUTHOR_LIAR && !once) delay_pick(sim, random, &event);
    if (author != AUTHOR_LIAR && knob(sim, KNOB_priorities) && chance(random, knob(sim, KNOB_priorities)))
        event.priority = 1 + random_below(random, 3);
    out->size = event_encode(&event, NULL, 0, out->bytes);
    out->data_size = size;
    struct oracle_event known = { .bytes = out->bytes,
                                  .size = out->size,
                                  .data = (const uint8_t *)text,
                                  .data_size = size,
                                  .topic = topic,
                                  .ttl_ms = ttl_ms,
                                  .token = token };
    known.once = once;
    known.priority = event.priority;
    known.delay_ms = event.delay_ms;
    known.not_before_ms = event.not_before_ms;
    known.key = has_key ? *key : 0;
    known.session = has_session ? *session : 0;
    out->event = oracle_writes(sim->oracle, &known);
}
