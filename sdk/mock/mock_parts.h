/* Inside the mock: sessions of the SDK on one side, the coordinator's core over a log in memory on the other, a clock that jumps. One turn
 * carries packets both ways and steps the core; time only passes between turns, when a turn found nothing to do. */
#ifndef WEIR_MOCK_PARTS_H
#define WEIR_MOCK_PARTS_H

#include <weir/mock.h>

#include "coordinator/core/core.h"
#include "coordinator/log/log_memory.h"
#include "sdk/base/arena.h"
#include "sdk/src/session.h"

enum { MOCK_PEERS_MAX = 64, MOCK_PACKETS_MAX = 256, MOCK_ENDPOINT_BYTES = 24 };

/* A handle of the SDK. */
struct mock_peer {
    struct session *session;
    uint32_t connection; /* the core's number of it; 0: none */
    bool deaf;           /* what the core sends is lost */
    bool dead;           /* killed */
};

struct weir_mock {
    struct session_driver driver; /* first */
    struct weir_mock *next;       /* of all there are */
    char endpoint[MOCK_ENDPOINT_BYTES];
    uint64_t random, now_ns, start_ms;
    weir_mock_effect_fn *on_effect;
    void *arg;

    struct mock_peer peers[MOCK_PEERS_MAX];
    size_t peer_count;
    uint32_t last_connection;
    uint32_t gone[MOCK_PEERS_MAX]; /* not yet told to the core */
    size_t gone_count;

    struct memory_disk *disk;
    struct log *log;
    struct core *core;
    struct core_config config;
    size_t core_bytes;
    bool wants_packets;
    struct core_packet packets[MOCK_PACKETS_MAX];
    size_t packet_count;
    struct core_fetched *fetched;
    struct arena arena;  /* of a turn: packets to the core */
    struct arena answer; /* of one packet from the core */

    weir_mock_done *done; /* effects; their texts are the mock's */
    size_t effect_count, effect_room;
};

uint64_t mock_random(struct weir_mock *mock);
struct mock_peer *mock_peer_of(struct weir_mock *mock, const struct session *session);

/* Everything that is due now happens, time stands still. False: nothing was. */
bool mock_turn(struct weir_mock *mock);
void mock_jump(struct weir_mock *mock, uint64_t until_ns); /* to what comes next, at most to until_ns */

/* mock_wire.c: connections and packets */
bool mock_attach(struct session_driver *driver, struct session *session);
void mock_detach(struct session_driver *driver, struct session *session);
bool mock_gather(struct weir_mock *mock);                              /* into packets; true: something moved */
void mock_deliver(struct weir_mock *mock, const struct core_out *out); /* CORE_SEND */
void mock_drop(struct weir_mock *mock, struct mock_peer *peer, const char *why);
void mock_tell_users(struct weir_mock *mock);

/* mock_core.c: the coordinator's life. False: no memory. */
bool mock_core_start(struct weir_mock *mock);
void mock_core_end(struct weir_mock *mock);

void mock_effects_free(struct weir_mock *mock);

#endif
