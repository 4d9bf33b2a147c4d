/* Sums over seeds, and how they are said. */
#include <inttypes.h>

#include "tests/sim/runner.h"

void tally_add(struct tally *sum, const struct tally *more)
{
    const uint64_t *from = (const uint64_t *)more;
    uint64_t *to = (uint64_t *)sum;
    static_assert(sizeof *sum % sizeof *to == 0, "a tally is nothing but 64-bit counters");
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

void tally_print(const struct tally *t, double core_seconds)
{
    double simulated = (double)t->simulated_ns / 1e9;
    printf("%" PRIu64 " seeds, %.2f h simulated in %.1f s of a core (%.0f times real time), %" PRIu64 " turns, %" PRIu64
           " packets, %" PRIu64 " starts\n",
           t->seeds, simulated / 3600, core_seconds, simulated / core_seconds, t->turns, t->packets, t->starts);
    printf("events %" PRIu64 ": accepted %" PRIu64 ", refused %" PRIu64 ", unknown %" PRIu64 ", emitted %" PRIu64
           ", seen by subscribers %" PRIu64 "\n",
           t->oracle.events, t->oracle.accepted, t->oracle.refused, t->oracle.unknown, t->oracle.emits, t->oracle.seen);
    printf("deliveries %" PRIu64 ": again %" PRIu64 ", kept %" PRIu64 ", revoked %" PRIu64 "; settles %" PRIu64 ", stale %" PRIu64
           "; dead %" PRIu64 ", ranges lost with the window %" PRIu64 "\n",
           t->oracle.deliveries, t->oracle.redeliveries, t->oracle.kept, t->oracle.revoked, t->oracle.settles, t->oracle.stale,
           t->oracle.dead, t->oracle.lost);
    printf("tokens: repeats %" PRIu64 ", throttled %" PRIu64 "; delayed %" PRIu64 ", overloaded %" PRIu64 "; at most once %" PRIu64
           "; pauses %" PRIu64 ", seeks %" PRIu64 ", letters delivered again %" PRIu64 "; tails lost with the power %" PRIu64 "\n",
           t->oracle.repeats, t->oracle.throttled, t->oracle.delayed, t->oracle.overloaded, t->oracle.once, t->oracle.pauses,
           t->oracle.seeks, t->oracle.retried, t->oracle.power_losses);
    printf("requests: answered %" PRIu64 ", pieces %" PRIu64 ", without an answer %" PRIu64 ", cancels told %" PRIu64
           "; clients cut %" PRIu64 "\n",
           t->oracle.replies, t->oracle.partials, t->oracle.unanswered, t->oracle.cancels, t->oracle.cut);
    printf("faults:");
    for (uint32_t i = 0; i < FAULT_KINDS; i++)
        printf("%s %s %" PRIu64, i ? "," : "", fault_name(i), t->faults[i]);
    printf("\n");
}
