/* A link under test: a clock that stands still unless told, facts written down as words, and packets made by hand. */
#ifndef WEIR_SDK_LINK_HARNESS_H
#define WEIR_SDK_LINK_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sdk/link/link.h"

struct harness {
    struct link *link;
    uint64_t now_ns;
    char told[8192]; /* facts since the last `clear`, one word group each, a blank between */
    uint32_t handles[64];
    size_t handle_count;
    uint8_t *memory;
    struct arena arena;
};

struct link_options harness_options(uint32_t role); /* a worker of group "g", a client or gateway that publishes */
void harness_start(struct harness *h, const struct link_options *options);
void harness_stop(struct harness *h);
void harness_wait_ms(struct harness *h, uint64_t ms); /* moves the clock and ticks */
void harness_clear(struct harness *h);

/* Connects, takes the hello, answers with a welcome of epoch "e…" and 1000 events of publish credit. */
void harness_up(struct harness *h);
void harness_welcome(struct harness *h, struct msg_welcome welcome); /* epoch "e…" when it has none */
void harness_lose(struct harness *h);                                /* and wait until a connection is wanted */
struct packet *harness_flush(struct harness *h);                     /* the next packet, or NULL */
struct packet *harness_flush_late(struct harness *h); /* the same, 2 ms later if it must be: what waits for company comes too */
void harness_take(struct harness *h, struct packet packet);
void harness_deliver(struct harness *h, uint64_t lease, uint64_t seq, uint32_t attempt);
void harness_deliver_in_generation(struct harness *h, uint64_t lease, uint64_t seq, uint32_t attempt, uint64_t generation);
uint64_t harness_publish(struct harness *h, const char *tenant, const char *event); /* 0: not taken; `told` says why */
void harness_settle(struct harness *h, size_t handle, uint32_t verb);
void harness_settled(struct harness *h, uint64_t first, uint32_t count, uint32_t code);

#define EPOCH_E "eeeeeeeeeeeeeeee"
#define EPOCH_F "ffffffffffffffff"

#endif
