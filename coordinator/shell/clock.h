/* The two clocks of a core input: monotonic for deadlines, log time for everything durable. Kind: shell. */
#ifndef WEIR_COORDINATOR_CLOCK_H
#define WEIR_COORDINATOR_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_BEHIND_MAX_HOURS = 24, CLOCK_AHEAD_MAX_HOURS = 30 * 24 };

uint64_t clock_monotonic_ns(void);
uint64_t clock_wall_ms(void); /* Unix */

/* The wall clock, but never below what it gave before, nor below the time of the last block. */
struct log_clock {
    uint64_t last_ms;
};
uint64_t log_clock_ms(struct log_clock *clock);

/* True when a wall clock may be believed next to the time of the last block (0: there is none). A clock far behind would stop log time, one
 * far ahead could never be taken back; a coordinator may well have been stopped for some weeks. */
bool clock_is_plausible(uint64_t wall_ms, uint64_t last_block_ms);

#endif
