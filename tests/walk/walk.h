/* A walk: a tape of bytes decides what peers, the log and the clock do to one core, and an oracle that only knows what peers sent and saw judges it.
 * Random tapes walk far (walk_seeds), the fuzzer looks for odd ones (tests/fuzz/core_fuzz.c). */
#ifndef WEIR_WALK_H
#define WEIR_WALK_H

#include <stddef.h>
#include <stdint.h>

/* Returns a hash of all outputs. A broken promise prints what it was and aborts. */
uint64_t walk(const uint8_t *tape, size_t size);

#endif
