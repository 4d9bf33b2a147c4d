/* A plan: everything a seed decides beforehand, as numbers with names, so that it can be said again (--set name=value) and made smaller
 * (shrink.c). A swarm: each seed leaves some of it out (Groce et al. 2012). */
#ifndef WEIR_SIM_PLAN_H
#define WEIR_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* name, in so many of 100 seeds, from, to; else 0 */
#define PLAN_KNOBS(X)                                                                                                                      \
    /* who is there */                                                                                                                     \
    X(groups, 100, 1, 3)                                                                                                                   \
    X(workers, 100, 1, 6)                                                                                                                  \
    X(publishers, 100, 1, 4)                                                                                                               \
    X(subscribers, 60, 1, 3)                                                                                                               \
    X(pauses, 25, 1, 12)  /* by an administrator */                                                                                        \
    X(seeks, 60, 1, 8)    /* the same, where there are no requests */                                                                      \
    X(letters, 50, 1, 12) /* dead letters that are retried or dropped, where there are no requests */                                      \
    X(liars, 30, 1, 3)                                                                                                                     \
    X(gateways, 35, 1, 2)                                                                                                                  \
    X(clients, 100, 1, 6) /* of gateways */                                                                                                \
    /* what they do: events of each publisher, milliseconds between two, and habits in percent */                                          \
    X(events, 100, 10, 300)                                                                                                                \
    X(pace_ms, 100, 1, 400)                                                                                                                \
    X(topics, 100, 1, 6)                                                                                                                   \
    X(ttls, 30, 5, 50)                                                                                                                     \
    X(work_ms, 100, 1, 3000)                                                                                                               \
    X(nacks, 50, 1, 30)                                                                                                                    \
    X(rejects, 30, 1, 20)                                                                                                                  \
    X(releases, 30, 1, 30)                                                                                                                 \
    X(hangs, 30, 1, 20)                                                                                                                    \
    X(extends, 40, 5, 50)                                                                                                                  \
    X(emits, 60, 5, 100)                                                                                                                   \
    X(credit, 100, 1, 40)                                                                                                                  \
    X(tokens, 35, 5, 100)                                                                                                                  \
    X(token_life_ms, 100, 300, 30000)                                                                                                      \
    X(token_table, 30, 2, 60)                                                                                                              \
    X(delays, 30, 5, 80)                                                                                                                   \
    X(delay_ms, 100, 5, 12000)                                                                                                             \
    X(delay_table, 25, 2, 40)                                                                                                              \
    X(at_most_once, 25, 5, 60)                                                                                                             \
    X(priorities, 30, 10, 90)                                                                                                              \
    X(keys, 100, 1, 12)                                                                                                                    \
    X(ordering, 40, 1, 3)                                                                                                                  \
    X(affinity, 20, 1, 2000)                                                                                                               \
    X(limit, 15, 1, 10)                                                                                                                    \
    X(limit_each, 15, 1, 5)                                                                                                                \
    X(larges, 15, 1, 30)       /* percent of what publishers, clients and workers write is larger than 64 KiB */                           \
    X(large_kb, 100, 65, 1500) /* at most; a client's are below 100 */                                                                     \
    /* what clients do, each; habits in percent of its connections (slow: of its reads) */                                                 \
    X(client_events, 100, 1, 60)                                                                                                           \
    X(client_pace_ms, 100, 10, 1500)                                                                                                       \
    X(client_subs, 100, 1, 3)                                                                                                              \
    X(client_credit, 60, 1, 40)                                                                                                            \
    X(client_slow, 40, 1, 30)                                                                                                              \
    X(client_leaves, 40, 10, 80)                                                                                                           \
    X(client_breaks, 40, 10, 80)                                                                                                           \
    X(requests, 70, 5, 90)  /* percent of what clients publish */                                                                          \
    X(requesters, 20, 1, 2) /* programs behind the SDK, that ask as often as a client publishes */                                         \
    X(request_ms, 100, 1000, 12000)                                                                                                        \
    X(partials, 70, 1, 6)                                                                                                                  \
    X(cancels, 40, 5, 40)                                                                                                                  \
    X(queue_kb, 100, 4, 64) /* of a gateway, per socket */                                                                                 \
    /* how long things take */                                                                                                             \
    X(seconds, 100, 5, 60)                                                                                                                 \
    X(latency_us, 100, 10, 30000)                                                                                                          \
    X(turn_us, 100, 5, 3000)                                                                                                               \
    X(commit_us, 100, 20, 15000)                                                                                                           \
    X(interval_ms, 25, 1, 3000) /* between two syncs of the disk; 0: each block is synced before it counts as written */                   \
    X(settle_wait_us, 60, 100, 20000)                                                                                                      \
    X(block_full, 50, 1, 3000) /* bytes with which a block goes behind the one that is being written; 0: those that it takes */            \
    X(lease_ms, 100, 800, 8000)                                                                                                            \
    X(grace_ms, 100, 200, 5000)                                                                                                            \
    X(backoff_ms, 100, 50, 2000)                                                                                                           \
    X(heartbeat_ms, 100, 500, 5000)                                                                                                        \
    /* what goes wrong, how often */                                                                                                       \
    X(breaks, 60, 1, 20)                                                                                                                   \
    X(stalls, 40, 1, 10)                                                                                                                   \
    X(stops, 40, 1, 10)                                                                                                                    \
    X(kills, 40, 1, 8)                                                                                                                     \
    X(crashes, 60, 1, 8)                                                                                                                   \
    X(write_fails, 30, 1, 4)                                                                                                               \
    X(slow_writes, 30, 1, 10)                                                                                                              \
    X(full_disks, 15, 1, 3)                                                                                                                \
    X(publisher_table, 15, 1, 6) /* it remembers the answers of so many */                                                                 \
    X(slow_turns, 30, 1, 8)                                                                                                                \
    X(bad_reads, 20, 1, 8)                                                                                                                 \
    X(snapshots, 60, 1, 12)                                                                                                                \
    X(rough_starts, 40, 10, 80) /* percent: connections that break within the grace after a start */                                       \
    X(late_trims, 50, 1, 3000)  /* ms at most until what the core has let go of is dropped */                                              \
    X(trims, 30, 1, 12)                                                                                                                    \
    X(drains, 20, 1, 3)

enum knob {
#define X(name, percent, least, most) KNOB_##name,
    PLAN_KNOBS(X)
#undef X
        KNOB_COUNT
};

struct plan {
    uint64_t seed;
    uint32_t value[KNOB_COUNT];
};

void plan_draw(struct plan *plan, uint64_t seed);
const char *plan_name(enum knob knob);
bool plan_set(struct plan *plan, const char *name_and_value); /* "breaks=3"; false: no such knob or no number */
uint32_t plan_least(enum knob knob);                          /* what a seed that has it has at least; 0: it may be left out */

#endif
