/* One simulated world: a coordinator on a virtual disk, peers on virtual wires, one virtual clock, and the oracle at the tap. One thread;
 * all that is decided comes from the seed. */
#ifndef WEIR_SIM_H
#define WEIR_SIM_H

#include <assert.h>
#include <setjmp.h>
#include <stdio.h>

#include "coordinator/core/core.h"
#include "coordinator/log/log_memory.h"
#include "sdk/link/link.h"
#include "tests/sim/chance.h"
#include "tests/sim/oracle.h"
#include "tests/sim/plan.h"

enum {
    PEERS_MAX = 32,
    CONNECTIONS_MAX = 256, /* with those that are over, but still have packets under way */
    FAULTS_MAX = 256,
    LATER_MAX = 64,
    WRITES_MAX = 2,
    TOLD_MAX = 8192,
    IN_HAND_MAX = 256,
    LIARS_MAX = 3,
    LEASES_SEEN = 64,
    LETTERS_SEEN = 32,
    GROUPS_MAX = 3,
    DECODE_BYTES = 16 << 20,
    DECODE_PACKET_BYTES = 4 << 20,
    ENCODE_BYTES = 8 << 20,
};
#define NS_PER_MS UINT64_C(1000000)
#define NEVER     UINT64_MAX
#define UNIX_MS   UINT64_C(1700000000000) /* log time = this + the clock */

struct sim;
struct peer;

/* ---- the wire ---- */
struct message {
    struct message *next;
    uint64_t due_ns;
    uint32_t head_size, body_size;
    uint8_t bytes[];
};
struct pipe {
    struct message *first, *last;
    uint32_t count;
};
struct connection {
    bool used;
    struct peer *peer;
    uint64_t takes;    /* the largest event, as its hello says: of this life of the peer */
    uint32_t number;   /* the coordinator's */
    uint64_t ready_ns; /* the handshake is done */
    struct pipe up, down;
    bool known;                          /* the coordinator has heard of it, and has not been told its end */
    bool broken;                         /* what is sent from now on is lost */
    bool forgotten;                      /* the coordinator has cut it: what still comes up is dropped */
    bool left;                           /* the peer has closed its end */
    uint64_t peer_news_ns, host_news_ns; /* when each learns of the break; NEVER */
};

/* ---- the coordinator ---- */
struct host {
    bool up;
    uint64_t start_ns, not_before_ns; /* when down: the next start; when up: of the next turn */
    void *memory;
    size_t memory_size;
    struct core *core;
    struct core_config config;
    struct memory_disk *disk;
    struct log *log;
    struct log_identity identity;
    bool failed, draining;
    uint64_t submitted, committed, window;
    uint64_t write_done_ns[WRITES_MAX]; /* of the blocks under way, the oldest first */
    uint32_t write_count;
    uint64_t sync_ns;  /* the next sync, where not each block is */
    uint32_t unsynced; /* blocks that were committed since the last one, at least */
    bool power_lost;
    uint64_t told_commit;         /* the last that the coordinator was told of */
    uint64_t told_turn[TOLD_MAX]; /* in which it was told of block N: at N % TOLD_MAX */
    struct {
        uint64_t due_ns;
        struct log_event event;
    } later[LATER_MAX]; /* answers of the disk under way */
    uint32_t later_count;
    uint32_t next_number;
    uint32_t gone[CONNECTIONS_MAX], gone_count;
    bool snapshot_open, snapshot_due;
    uint64_t snapshot_position;
    uint64_t trim_to, trim_wish, drop_below, drop_ns; /* a trim: asked of the log, of the core, and let go of */
    bool fail_next_write, fail_kept;
    uint64_t full_until_ns; /* no write fits on the disk */
    uint32_t bad_reads, slow_writes; /* so many of the next ones */
    uint64_t quiet_digest;
    bool has_quiet_digest;
    struct random random;
};

/* ---- peers ---- */
struct peer_kind {
    const char *letter;
    size_t app_size;
    void (*init)(struct peer *peer, struct link_options *options);
    void (*fact)(struct peer *peer, const struct link_fact *fact);
    void (*act)(struct peer *peer); /* calls on the link, as time has come */
    uint64_t (*next_ns)(const struct peer *peer);
    bool (*is_idle)(const struct peer *peer); /* nothing is asked or owed any more */
    void (*free)(struct peer *peer);
};
extern const struct peer_kind worker_kind, publisher_kind, subscriber_kind, admin_kind, auditor_kind, gateway_kind, requester_kind;

struct peer {
    struct sim *sim;
    const struct peer_kind *kind;
    uint32_t index, of_kind; /* in all, among its kind */
    char name[12];
    bool alive;
    uint64_t wake_ns;  /* stopped: until then; dead: born again then */
    uint64_t break_ns; /* its connection breaks then; 0: no such plan */
    uint32_t lives;
    struct random random;
    struct link *link;
    uint32_t link_connection; /* the link's number of `connection` */
    struct connection *connection;
    bool told_ready;
    uint64_t takes; /* the largest event */
    uint8_t instance[INSTANCE_BYTES], publisher[PUBLISHER_BYTES];
    void *app;
};

struct liar {
    char name[12];
    uint8_t id[INSTANCE_BYTES];
    struct random random;
    struct connection *connection;
    uint64_t next_ns, next_settle, next_number, credit, held[64];
    uint32_t held_count, written;
};

/* ---- faults ---- */
enum fault_kind {
    FAULT_BREAK,
    FAULT_STALL,
    FAULT_STOP,
    FAULT_KILL,
    FAULT_CRASH,
    FAULT_WRITE_FAILS,
    FAULT_SLOW_WRITE,
    FAULT_FULL_DISK,
    FAULT_SLOW_TURN,
    FAULT_BAD_READ,
    FAULT_SNAPSHOT,
    FAULT_TRIM,
    FAULT_DRAIN,
    FAULT_KINDS
};
struct fault {
    uint64_t at_ns;
    enum fault_kind kind;
    uint32_t nth;
};

struct tally {
    uint64_t seeds, simulated_ns, turns, packets, bytes, faults[FAULT_KINDS], starts;
    struct oracle_counts oracle;
};

struct sim {
    struct plan plan;
    uint64_t now_ns, begin_ns, heal_ns, deadline_ns;
    uint64_t trace; /* a hash of all that happened */
    bool healing;
    struct oracle *oracle;
    struct host host;
    struct connection connections[CONNECTIONS_MAX];
    struct peer peers[PEERS_MAX];
    uint32_t peer_count;
    struct liar liars[LIARS_MAX];
    uint32_t liar_count;
    struct larges *larges;             /* NULL: there are none */
    struct web *web;                   /* what is in front of the gateways */
    uint64_t leases_seen[LEASES_SEEN]; /* of deliveries to anybody: a ring, for who guesses well */
    uint32_t lease_count;
    struct fault faults[FAULTS_MAX];
    uint32_t fault_count, fault_next;
    struct random wire_random;
    struct arena decode, encode;
    void *memory;
    struct message *in_hand[IN_HAND_MAX]; /* taken from the wire and not done with: a verdict may come in between */
    uint32_t in_hand_count;
    uint64_t audited; /* the auditor has read the log up to here */
    struct {
        uint32_t group;
        uint64_t seq;
    } letters[LETTERS_SEEN]; /* dead ones that it has seen: a ring */
    uint32_t letter_count;
    bool audit_again, audited_again;
    uint32_t tokens_made; /* application tokens are t1, t2, … */
    struct tally tally;
    FILE *story;
    jmp_buf out;
    const char *check;
    char text[512];
};

/* run.c */
struct verdict {
    bool broken;
    char check[64], text[512];
    uint64_t trace;
    struct tally tally;
};
void sim_run(const struct plan *plan, FILE *story, struct verdict *out);
_Noreturn void sim_fail(struct sim *sim, const char *check, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sim_note(struct sim *sim, uint64_t value);
void sim_note_bytes(struct sim *sim, const void *bytes, size_t size);
extern struct sim *sim_current; /* whose must() it is that fails */
static inline uint32_t knob(const struct sim *sim, enum knob knob)
{
    return sim->plan.value[knob];
}
/* Not where a loss of power may undo what was answered, nor where there are requests: their pieces would begin anew. */
static inline bool may_come_again(const struct sim *sim)
{
    bool asks = knob(sim, KNOB_requesters) || (knob(sim, KNOB_gateways) && knob(sim, KNOB_requests));
    return !asks && !knob(sim, KNOB_interval_ms);
}
static inline uint32_t seeks_planned(const struct sim *sim)
{
    return may_come_again(sim) ? knob(sim, KNOB_seeks) : 0;
}
static inline uint32_t letters_planned(const struct sim *sim)
{
    return may_come_again(sim) && !knob(sim, KNOB_larges) ? knob(sim, KNOB_letters) : 0;
}
static inline uint64_t log_ms(const struct sim *sim)
{
    return UNIX_MS + sim->now_ns / NS_PER_MS;
}

/* wire.c */
struct connection *wire_open(struct sim *sim, struct peer *peer);
void wire_up(struct sim *sim, struct connection *connection, const struct packet *packet);
void wire_up_bytes(struct sim *sim, struct connection *connection, struct span head, struct span body);
void wire_down(struct sim *sim, struct connection *connection, const struct packet *packet);
struct connection *wire_find(struct sim *sim, uint32_t number);
struct message *wire_take(struct sim *sim, struct pipe *pipe); /* lent until wire_done */
void wire_done(struct sim *sim);
void wire_break(struct sim *sim, struct connection *connection, struct random *random);
void wire_stall(struct sim *sim, struct connection *connection, uint64_t ns);
void wire_leave(struct sim *sim, struct connection *connection, struct random *random, bool killed); /* the peer's end closes */
void wire_host_dies(struct sim *sim);
void wire_sweep(struct sim *sim); /* frees what both ends are done with */
void wire_free(struct sim *sim);
void pipe_put(struct sim *sim, struct pipe *pipe, struct span bytes);
struct message *pipe_take(struct pipe *pipe);    /* the caller frees it */
void pipe_cut(struct pipe *pipe, uint32_t kept); /* keeps the first `kept` */

/* host.c */
void host_init(struct sim *sim);
uint64_t host_next_ns(struct sim *sim);
void host_run(struct sim *sim);
void host_crash(struct sim *sim, struct random *random, uint64_t down_ns);
void host_check_recovery(struct sim *sim); /* at the end: what is on the disk makes the same state [P9] */
bool host_is_idle(const struct sim *sim);
void host_free(struct sim *sim);

/* disk.c: the log of the host */
void disk_open(struct sim *sim);
void disk_submit(struct sim *sim, struct block *block);
void disk_fetch(struct sim *sim, const struct core_out *out);
void disk_slice(struct sim *sim, const struct core_out *out);
void disk_crash(struct sim *sim, struct random *random);
uint64_t disk_next_ns(const struct sim *sim);
struct core_fetched;
size_t disk_poll(struct sim *sim, struct core_fetched *fetched, size_t room);
void disk_recover(struct sim *sim, struct core *core);
void disk_trim_place(struct sim *sim, uint64_t position); /* becomes the wish */
void disk_trim(struct sim *sim, uint64_t position);       /* when its time has come */

/* tap.c: what passes the coordinator's end of the wire, for the oracle and the story */
void tap_took(struct sim *sim, uint32_t connection, const struct packet *packet);
void tap_told_answers(struct sim *sim, uint32_t connection, const struct packet *packet);
void tap_told_events(struct sim *sim, uint32_t connection, const struct packet *packet);

struct oracle_partial piece_read(uint32_t attempt, uint32_t index, struct span data);

/* story.c: the same, for people; nothing without --trace */
void story_took(struct sim *sim, uint32_t connection, const struct packet *packet);
void story_told(struct sim *sim, uint32_t connection, const struct packet *packet);
void story_says(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* peer.c */
void peer_add(struct sim *sim, const struct peer_kind *kind);
uint64_t peer_next_ns(const struct peer *peer);
void peer_run(struct peer *peer);
void peer_kill(struct peer *peer, struct random *random, uint64_t down_ns);
void peer_free(struct peer *peer);

/* client.c: gateways and their clients */
void web_init(struct sim *sim);
uint64_t web_next_ns(const struct sim *sim);
void web_run(struct sim *sim);
const char *web_waits(const struct sim *sim); /* a client that is not served in full; NULL: none */
void web_free(struct sim *sim);
/* client_hear.c: a gateway says this for a client; the oracle learns which of the client's events it is */
void client_event_met(struct sim *sim, struct span bytes);

/* liar.c */
void liars_init(struct sim *sim);
uint64_t liars_next_ns(const struct sim *sim);
void liars_run(struct sim *sim);

/* events.c: what authors write */
const char *topic_pick(struct sim *sim, struct random *random);
const char *filter_pick(struct random *random);
bool filters_overlap(const char *a, const char *b); /* some topic fits both */
struct written {
    uint8_t bytes[1024];
    size_t size, data_size;
    uint32_t event; /* the oracle's number */
};
enum author { AUTHOR_PUBLISHER, AUTHOR_WORKER, AUTHOR_LIAR }; /* the last one's events are plain: others must not depend on them */
void event_write(struct sim *sim, struct random *random, enum author author, const char *topic, const char *data, uint64_t ttl_ms,
                 struct written *out);
/* answer.c: requests, and what workers say to them */
enum { INBOX_MAX = 64 };
void request_write(struct peer *peer, const char *topic, const char *inbox, uint32_t nth, struct written *out);
struct answering {            /* of a request that a worker has */
    char reply_to[INBOX_MAX]; /* empty: it is none */
    uint64_t seq;
    uint32_t event;                       /* the oracle's number */
    uint32_t attempt, group, index, left; /* of its pieces */
};
void answer_begin(struct peer *peer, struct answering *answering, uint32_t group, struct span bytes);
bool answer_piece(struct peer *peer, uint32_t handle, struct answering *answering); /* false: none is left */
size_t answer_write(struct peer *peer, const struct answering *answering, uint32_t reply, uint32_t nth, uint8_t *out);

/* large.c: events over 64 KiB */
enum { LARGE_TAKEN = 100 << 10 }; /* by some, at most */
void larges_init(struct sim *sim);
void larges_free(struct sim *sim);
enum { LARGE_NAME = 64 };
struct large_event {       /* the caller frees its bytes */
    char name[LARGE_NAME]; /* stands in its type, so that it is known without its data */
    uint8_t *bytes;
    size_t size, data_size;
};
void large_event_write(struct sim *sim, struct random *random, const char *topic, const char *text, struct large_event *out);
void large_is_named(struct sim *sim, const char *name, uint32_t event);
uint32_t large_event_known(struct sim *sim, const char *topic, const struct large_event *large); /* it is about to be sent */
void large_part(struct sim *sim, bool up, uint32_t connection, const struct msg_part *part, const uint8_t *bytes);
/* As its author wrote it, lent until the next of these calls: what a publish (lease 0) or an emit is; what is told in a delivery or to a
 * subscription; what the link gives to a program; what a dead letter holds. Small ones are as they are. */
struct span large_took(struct sim *sim, uint32_t connection, uint64_t lease, uint64_t number, struct span bytes);
/* All emits of a settle, joined; their sizes then are in *sizes. */
const uint8_t *large_emits(struct sim *sim, uint32_t connection, uint64_t lease, const uint8_t *bytes, const uint32_t **sizes,
                           uint32_t count);
struct large_place {
    uint64_t lease, subscription, seq;
};
struct span large_told(struct sim *sim, uint32_t connection, const struct large_place *place, struct span bytes);
struct span large_heard(struct peer *peer, uint64_t seq, struct span bytes);
void large_stored(struct sim *sim, const struct block *block); /* it is about to be written */
void large_host_crashes(struct sim *sim);
uint64_t large_may_trim(struct sim *sim, uint64_t position); /* so far, at most to there */
struct span large_copied(struct sim *sim, uint64_t seq, struct span bytes);

/* A group's terms, the same for all who name it: as a worker says them, and as the oracle knows them. The first points into the second. */
struct group_terms {
    struct group_spec hello;
    struct oracle_group_spec known;
    struct span filters[ORACLE_FILTERS_MAX];
};
void group_terms(const struct sim *sim, uint32_t group, struct group_terms *out);

/* faults.c */
void faults_plan(struct sim *sim);
void faults_run(struct sim *sim);
const char *fault_name(enum fault_kind kind);

#endif
