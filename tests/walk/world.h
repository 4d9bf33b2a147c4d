/* What the files of a walk share: its world (world.c), its oracle (oracle_log.c, oracle_wire.c, with letters.c and large.c), and what peers
 * do (acts.c). */
#ifndef WEIR_WALK_WORLD_H
#define WEIR_WALK_WORLD_H

#include "coordinator/core/core.h"
#include "proto/event.h"
#include "tests/walk/large.h"
#include "tests/walk/letters.h"
#include "tests/walk/retries.h"

#define EPOCH "0123456789abcdef"

enum {
    PEERS = 6,
    ADMIN = 6,
    WORKERS = 3,
    EVENTS = 20000,
    HELD = 256,
    BLOCKS = 20000,
    NUMBERS = 8192,
    SLICES = 256,
    TOKENS = 24,
    MAX_DELIVERIES = 2,
    TOKEN_LIFE_MS = 8000,
    FULL_BYTES = 300 /* of a block, with every other tape */
};

struct held {
    uint64_t lease, seq, first;
    uint32_t attempt, priority;
    bool letter;
    bool settled; /* a settle was sent; it is kept to be sent once more, or claimed in a hello */
};

enum settled { SETTLED_NOT, SETTLED_BY_ACK, SETTLED_BY_REJECT };
enum once { ONCE_NOT, ONCE_SAID, ONCE_OFFERED };

struct walker {
    uint32_t connection;
    bool ready, leaving;
    uint8_t id[16];
    uint64_t next_number, next_settle, credit;
    uint64_t position_of[NUMBERS]; /* by number; 0 = no answer yet */
    uint8_t token_of[NUMBERS];     /* by number; 0 = none */
    uint8_t delay_of[NUMBERS];     /* by number: 100 ms each */
    uint8_t once_of[NUMBERS];      /* by number: not at_most_once, not offered yet, offered */
    uint32_t life_of[NUMBERS];     /* by number: the core's life that it was sent to first */
    struct held held[HELD];
    uint32_t held_count;
    struct {
        uint64_t number, seq;
        bool rejected;
    } settling[NUMBERS];
    uint32_t settling_count;
    uint64_t generation; /* of what is held */
    bool knows_b;        /* greets with the filters a.> and b.>, else with a.> */
    struct large_sending sending;
    struct large_receiving receiving;
    uint64_t last_event; /* of subscription 1 */
    bool subscribed;
};

struct walk {
    const uint8_t *tape;
    size_t size, at;
    struct core_config config;
    struct core *core;
    void *memory;
    size_t memory_size;
    uint64_t now_ns, log_ms, committed, submitted, trace;
    uint32_t next_connection, life;
    struct walker peers[PEERS + 1]; /* the last one is an admin */
    struct block *blocks[BLOCKS];
    uint32_t block_count;
    uint64_t head; /* of the committed blocks */
    struct core_fetched fetched[32];
    uint32_t fetched_count;
    struct snapshot {
        struct block *slices[SLICES];
        uint32_t count;
        uint64_t position;
    } saved, saving; /* the newest complete snapshot; the one under way */
    struct wanted {
        uint64_t seq, first;           /* first: where it stood first, if it came again */
        uint8_t settled, tried, ended; /* ended: settled in the log */
        char topic;
        uint8_t level, lane, word; /* lane: of its order, 0 = none; word: the second of its topic */
        uint8_t given;             /* the highest attempt that was delivered */
        bool uncertain;            /* its one failure was a restart */
    } * events;                    /* that the group wants; tried: a settle was sent, its outcome may be unknown */
    struct group_options options;  /* of the group */
    uint32_t event_count;
    struct {
        uint64_t seq, time_ms;
    } tokens[TOKENS + 1]; /* where each was accepted last */
    struct {
        uint64_t seq, due_ms;
        bool came;
    } * delays;
    uint32_t delay_count;
    struct letters letters;
    struct retries retries;
    uint64_t trim_wish /* 0 when it is fulfilled */, trimmed_below;
    /* as the newest record of the group says it */
    bool group_exists, paused, takes_b, took_b; /* took_b: below filters_from */
    uint64_t generation, filters_from, floor;
    bool answered; /* the admin's manage, or query */
    uint32_t answer;
    uint64_t asked; /* WHY: seq */
    const struct why_row *whys;
    size_t why_count;
};

/* world.c */
_Noreturn void broken(const struct walk *w, const char *promise, uint64_t number);
void world_begin(struct walk *w);
void world_step(struct walk *w, struct core_in *in);
void world_wait(struct walk *w, uint32_t ms);
void world_send(struct walk *w, uint32_t peer, const struct packet *packet);
void world_commit(struct walk *w);
void world_make_room(struct walk *w); /* while the block is full packets stay where they are, until the one before it is committed */
void world_restart(struct walk *w);   /* from the committed blocks */
void world_check_recovery(struct walk *w);
void world_end(struct walk *w);

/* oracle_log.c */
uint32_t oracle_event(const struct walk *w, uint64_t seq); /* its index; UINT32_MAX: the group does not want it */
bool oracle_is_over(struct walk *w, const struct wanted *event);
uint64_t oracle_needed_from(struct walk *w); /* nothing before it is open for the group, or a part of what is */
bool is_once(struct span bytes);
void oracle_check_token(struct walk *w, uint64_t seq, uint32_t token);
void oracle_committed(struct walk *w, const struct block *block, uint32_t index);

/* oracle_wire.c */
void walker_let_go(struct walker *p, uint64_t seq);
bool walker_takes_parts(const struct walk *w, const struct walker *p);
void oracle_saw_ends(struct walk *w, uint32_t peer, const struct packet *m); /* for all packets of a step, then: */
void oracle_saw(struct walk *w, uint32_t peer, const struct packet *m);
void oracle_step_ends(struct walk *w);

/* acts.c */
struct variant {
    uint32_t token, delay; /* 0: none */
    bool once;
};
void do_hello(struct walk *w, uint32_t peer);
void do_publish(struct walk *w, uint32_t peer, uint32_t count, struct variant variant, bool again);
void do_large(struct walk *w, uint32_t peer, uint32_t how);
void do_settle(struct walk *w, uint32_t peer, uint32_t verb, uint32_t which, bool emit);
void do_credit(struct walk *w, uint32_t peer, uint32_t more);
void do_subscribe(struct walk *w, uint32_t peer);
void do_lease(struct walk *w, uint32_t peer, bool extend, uint32_t which);
void do_leave(struct walk *w, uint32_t peer);
void do_gone(struct walk *w, uint32_t peer);
uint32_t do_manage(struct walk *w, struct msg_manage *m);
void do_resume(struct walk *w);
void do_why(struct walk *w, uint32_t how);
void change_group(struct walk *w, uint32_t how);
struct variant variant_of(uint32_t how);

#endif
