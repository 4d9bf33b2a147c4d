/* A coordinator for the SDK's tests: one group, one tenant, all in memory, no time, no disk, and able to misbehave on demand. It runs in a
 * thread behind a real ROUTER on a free port. */
#ifndef WEIR_SDK_FAKE_COORDINATOR_H
#define WEIR_SDK_FAKE_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

struct fake;

struct fake *fake_start(void);
void fake_stop(struct fake *fake);
const char *fake_endpoint(const struct fake *fake);

/* Misbehaviour; each takes effect with the next packet. */
void fake_refuse_hello(struct fake *fake, uint32_t code); /* CODE_OK: no more */
void fake_refuse_publishes(struct fake *fake, uint32_t code);
void fake_keep_answers(struct fake *fake, bool keep); /* accepts publishes and settles, but does not say so */
void fake_forget_publishers(struct fake *fake);
void fake_say_gap(struct fake *fake);
void fake_cut(struct fake *fake);          /* ends every connection and comes back on the same port; returns then */
void fake_say_nonsense(struct fake *fake); /* once, to every peer */

/* What it has seen. */
struct fake_counts {
    uint64_t hellos, accepted, resent, delivered, acked, nacked, rejected, released, extended, cancels, partials, packets;
};
struct fake_counts fake_counts(struct fake *fake);

#endif
