/* Log time stands in every record and never goes back [P9]: where the wall clock does, log time waits for it. */
#include "coordinator/shell/clock.h"

#include <time.h>

enum { MS_PER_HOUR = 3600 * 1000 };

uint64_t clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t log_clock_ms(struct log_clock *clock)
{
    uint64_t now_ms = clock_wall_ms();
    if (now_ms > clock->last_ms) clock->last_ms = now_ms;
    return clock->last_ms;
}

bool clock_is_plausible(uint64_t wall_ms, uint64_t last_block_ms)
{
    if (last_block_ms == 0) return true;
    if (wall_ms < last_block_ms) return last_block_ms - wall_ms <= (uint64_t)CLOCK_BEHIND_MAX_HOURS * MS_PER_HOUR;
    return wall_ms - last_block_ms <= (uint64_t)CLOCK_AHEAD_MAX_HOURS * MS_PER_HOUR;
}
