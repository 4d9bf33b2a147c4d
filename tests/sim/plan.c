#include "tests/sim/plan.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/chance.h"

static const struct {
    const char *name;
    uint32_t percent, least, most;
} knobs[KNOB_COUNT] = {
#define X(name, percent, least, most) { #name, percent, least, most },
    PLAN_KNOBS(X)
#undef X
};

/* Small values as likely as large ones: the span is cut by a random number of halvings first. */
static uint32_t draw(struct random *random, uint32_t least, uint32_t most)
{
    uint32_t span = most - least + 1;
    for (uint32_t cut = random_below(random, 4); cut > 0 && span > 2; cut--)
        span = (span + 1) / 2;
    return least + random_below(random, span);
}

/* A knob has its own stream, so that a new one does not change the others. */
static uint64_t stream_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    while (*name)
        hash = (hash ^ (uint8_t)*name++) * UINT64_C(1099511628211);
    return hash;
}

void plan_draw(struct plan *plan, uint64_t seed)
{
    plan->seed = seed;
    for (uint32_t i = 0; i < KNOB_COUNT; i++) {
        struct random random = chance_of(seed, stream_of(knobs[i].name));
        bool there = random_below(&random, 100) < knobs[i].percent;
        plan->value[i] = there ? draw(&random, knobs[i].least, knobs[i].most) : 0;
    }
}

const char *plan_name(enum knob knob)
{
    return knobs[knob].name;
}

uint32_t plan_least(enum knob knob)
{
    return knobs[knob].percent == 100 ? knobs[knob].least : 0;
}

bool plan_set(struct plan *plan, const char *name_and_value)
{
    const char *equals = strchr(name_and_value, '=');
    char *end;
    if (!equals || !equals[1]) return false;
    uint32_t value = (uint32_t)strtoul(equals + 1, &end, 10);
    for (uint32_t i = 0; i < KNOB_COUNT && !*end; i++) {
        if (strlen(knobs[i].name) != (size_t)(equals - name_and_value) || memcmp(knobs[i].name, name_and_value, strlen(knobs[i].name)) != 0)
            continue;
        plan->value[i] = value;
        return true;
    }
    return false;
}
