/* Inside the fake coordinator: what its thread (fake_coordinator.c) and its answers (fake_answers.c) share. */
#ifndef WEIR_SDK_FAKE_PARTS_H
#define WEIR_SDK_FAKE_PARTS_H

#include "sdk/tests/fake_coordinator.h"

#include <pthread.h>

#include "proto/packet.h"
#include "sdk/base/arena.h"

enum { PEERS_MAX = 64, SUBSCRIPTIONS_MAX = 64, EVENTS_MAX = 65536, ARENA = 8 << 20 };

struct peer {
    uint8_t id[16];
    size_t id_size;
    uint32_t role;
    uint8_t publisher[16];
    uint64_t credit, sent;
    bool leaving;
};
struct stored {
    uint8_t *bytes;
    uint32_t size, attempt;
    uint64_t lease, cause, number;
    struct peer *holder;
    uint8_t publisher[16];
    bool done, held;
};
struct sub {
    struct peer *peer;
    uint64_t id;
    uint8_t filter[256];
    size_t filter_size;
    uint64_t next, left; /* of events; left = UINT64_MAX: live */
    bool told;
};
struct fake {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t done;
    void *context, *router;
    char endpoint[128];
    bool stopping, cutting, keep_answers, forget, gap, nonsense;
    uint32_t hello_code, publish_code;
    struct fake_counts counts;
    struct peer peers[PEERS_MAX];
    size_t peer_count;
    struct stored events[EVENTS_MAX]; /* [seq] */
    uint64_t next_seq, next_lease;
    struct sub subs[SUBSCRIPTIONS_MAX];
    size_t sub_count;
    struct arena in, out;
};

/* Under the lock, in its thread. */
void fake_take(struct fake *f, struct peer *peer, const struct packet *packet);
void fake_serve(struct fake *f); /* what workers have credit for, and what subscriptions have not seen */

#endif
