/* The world of a story: one core, its log in memory, named peers and events. world.c drives the core, say.c puts what it says into words. */
#ifndef WEIR_STORY_WORLD_H
#define WEIR_STORY_WORLD_H

#include "coordinator/core/core.h"
#include "proto/event.h"

enum { PEERS_MAX = 64, EVENTS_MAX = 4096, SETTLES_MAX = 4096, LEASES_MAX = 4096, SAID_MAX = 8192, SAID_BYTES = 160, BLOCKS_MAX = 4096 };

struct story_peer {
    char name[16];
    uint32_t connection; /* 0: not connected */
    bool greeted;
    uint8_t instance[INSTANCE_BYTES], publisher[PUBLISHER_BYTES];
    uint64_t next_number, next_settle;
    uint64_t credit_events, credit_bytes;
    char inbox[64]; /* from the welcome */
    char number_event[EVENTS_MAX][8]; /* number -> event name */
    char settle_event[SETTLES_MAX][8];
    struct { char event[8]; uint64_t lease; uint32_t attempt; } leases[LEASES_MAX];
    uint32_t lease_count;
};

struct world {
    struct core *core;
    void *memory;
    struct core_config config;
    uint64_t now_ns, log_ms, committed, submitted;
    bool auto_commit, draining, slow_log; /* slow: what is fetched does not come yet */
    bool single_turns;                    /* what follows of itself waits for the next line */
    uint32_t next_connection, restarts;
    struct story_peer peers[PEERS_MAX];
    uint32_t peer_count;
    struct { char name[8]; uint64_t seq; } events[EVENTS_MAX];
    uint32_t event_count, publish_count, emit_count;
    uint32_t once;                    /* the event published last, when it may be seen before it is accepted */
    struct block *blocks[BLOCKS_MAX]; /* copies of what was submitted */
    uint32_t block_count;
    struct core_fetched fetched[32];
    uint32_t fetched_count;
    uint64_t trimmed_below, trim_wish;
    char said[SAID_MAX][SAID_BYTES]; /* since the line began */
    uint32_t said_count;
    uint64_t trace; /* hash of all that was ever said */
};

struct world *world_new(uint64_t secret);
void world_free(struct world *w);
struct story_peer *world_peer(struct world *w, const char *name); /* made when new */

/* One step with a packet of a peer (NULL: garbage), or without (peer NULL). */
void world_step(struct world *w, struct story_peer *peer, const struct packet *packet, bool with_packet);
void world_gone(struct world *w, struct story_peer *peer);
void world_commit(struct world *w, uint64_t number);
void world_fail(struct world *w);
void world_wait(struct world *w, uint64_t ms);
void world_trim(struct world *w, uint64_t position); /* as soon as the core lets go of it */
void world_stop(struct world *w, uint64_t ms); /* the process is stopped for so long, and finds no packet at once */
void world_crash(struct world *w);   /* all that was not committed is lost, and every connection */
void world_restart(struct world *w, bool from_snapshot);
void world_snapshot(struct world *w); /* keeps the slices of one whole snapshot for the restart after it */

uint64_t world_seq(const struct world *w, const char *event); /* 0: unknown */
const char *world_event_name(struct world *w, uint64_t seq, bool emit);

/* say.c */
void say(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_names(struct world *w, const struct core_out *out); /* learns the seq of events that were accepted */
void say_out(struct world *w, const struct core_out *out);

#endif
