/* Which fault, when, and what it is called. */
#include "sdk/cli/simtest.h"

#include <stdio.h>

/* splitmix64 */
uint64_t simtest_random(uint64_t *random)
{
    uint64_t z = *random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

struct simtest_plan simtest_draw(uint64_t *random)
{
    static const enum simtest_fault faults[] = { SIMTEST_NONE, SIMTEST_NONE, SIMTEST_NONE, SIMTEST_LATE,
                                                 SIMTEST_CUT,  SIMTEST_KILL, SIMTEST_KILL, SIMTEST_RESTART };
    uint64_t dice = simtest_random(random);
    return (struct simtest_plan){ .fault = faults[dice % 8],
                                  .moment = (enum simtest_moment)(dice / 8 % 4),
                                  .effect = (unsigned)(dice / 32 % 3),
                                  .sent = dice / 96 % 2 != 0 };
}

bool simtest_inflict(const struct simtest_plan *plan, weir_mock *mock, weir_worker *worker, uint32_t lease_ms)
{
    switch (plan->fault) {
    case SIMTEST_LATE:
        weir_mock_advance(mock, (uint64_t)lease_ms + 1);
        break;
    case SIMTEST_CUT:
        weir_mock_cut(mock, worker, plan->sent);
        break;
    case SIMTEST_KILL:
        weir_mock_kill(mock, worker, plan->sent);
        return true;
    case SIMTEST_RESTART:
        weir_mock_restart(mock, plan->sent);
        break;
    case SIMTEST_NONE:
        break;
    }
    return false;
}

void simtest_describe(const struct simtest_plan *plan, const char *what, char out_text[SIMTEST_NOTE_BYTES])
{
    static const char *const faults[] = { "nothing happened", "more time passed than its lease had", "its connection was lost",
                                          "its process was killed", "the coordinator was killed and started again" };
    static const char *const moments[] = { "before the handler", "before effect", "after effect", "after the handler" };
    static const char *const kept[2] = { "; what it had to send was lost", "; what it had to send arrived" };
    static const char *const written[2] = { "; what it was writing was lost", "; what it was writing was kept" };
    bool sends = plan->fault == SIMTEST_CUT || plan->fault == SIMTEST_KILL, writes = plan->fault == SIMTEST_RESTART;
    char effect[100] = "";
    if (what != NULL) (void)snprintf(effect, sizeof effect, " \"%.90s\"", what);
    (void)snprintf(out_text, SIMTEST_NOTE_BYTES, "%s %s%s%s", faults[plan->fault], moments[plan->moment], effect,
                   sends    ? kept[plan->sent]
                   : writes ? written[plan->sent]
                            : "");
}
