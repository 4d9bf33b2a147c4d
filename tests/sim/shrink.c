/* Makes a failing plan small: each knob to its least, else half way there, as long as the same check is still broken. */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/runner.h"

enum { TRIES_MAX = 400 };

struct shrinking {
    struct plan plan;
    const char *check;
    uint32_t tries;
};

static bool still_breaks(struct shrinking *s, enum knob knob, uint32_t value)
{
    struct plan plan = s->plan;
    struct verdict verdict;
    if (s->tries >= TRIES_MAX) return false;
    s->tries++;
    plan.value[knob] = value;
    sim_run(&plan, NULL, &verdict);
    if (!verdict.broken || strcmp(verdict.check, s->check) != 0) return false;
    s->plan = plan;
    return true;
}

static bool make_smaller(struct shrinking *s, enum knob knob)
{
    uint32_t value = s->plan.value[knob], least = plan_least(knob);
    if (value <= least) return false;
    return still_breaks(s, knob, least) || (value > least + 1 && still_breaks(s, knob, least + (value - least) / 2));
}

void shrink(const struct runner *runner, uint64_t seed, const struct verdict *verdict)
{
    struct shrinking s = { .check = verdict->check };
    struct plan drawn;
    plan_draw(&drawn, seed);
    s.plan = drawn;
    for (size_t i = 0; i < runner->set_count; i++)
        (void)plan_set(&s.plan, runner->sets[i]);
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < KNOB_COUNT; i++)
            again = make_smaller(&s, i) || again;
    }
    printf("  smallest after %u tries: %s --seed %" PRIu64, s.tries, runner->program, seed);
    for (uint32_t i = 0; i < KNOB_COUNT; i++)
        if (s.plan.value[i] != drawn.value[i]) printf(" --set %s=%u", plan_name(i), s.plan.value[i]);
    printf("\n");
    fflush(stdout);
}
