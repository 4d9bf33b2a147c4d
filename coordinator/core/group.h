/* Groups: what of each priority is read, handed out and settled, and who works on it. */
#ifndef WEIR_CORE_GROUP_H
#define WEIR_CORE_GROUP_H

#include "coordinator/core/rates.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/retry_budget.h"
#include "coordinator/core/state.h"

enum {
    PENDS_MAX = 1 << 15,
    PEND_BYTES = 56,       /* of a pend, or of what a settle record has besides, or of the record of a dead letter that is over */
    HANDED_AHEAD_MIN = 16, /* positions; while a group catches up */
    HANDED_AHEAD_MAX = 1 << 16,
    HANDED_SWEEP = 1 << 16,     /* an idle group's floor follows the head at this distance */
    BACKOFF_MAX_MS = 60 * 1000, /* [R-LEASE-5] */
    DEATHS_MAX = 5,             /* [R-DEAD-2] */
};

struct raise { uint64_t block, handed; };

/* The events of one priority in a group: read, handed out and settled by themselves, so that one that goes first is found at once however
 * long the backlog of the others is. Positions of other priorities are to a level what events that do not match are. */
struct level {
    /* durable */
    uint64_t floor, handed;
    struct ranges settled;
    /* volatile */
    struct reader fresh, old;             /* old: what was handed out before a restart */
    uint64_t next_event;                  /* where `fresh` has found one while nobody could take it */
    bool live;                            /* fresh is at the head: only a block that touches the group wakes it */
    bool old_open;                        /* old is being read */
    uint64_t handed_wanted;               /* a raise that is pending; 0: none */
    uint64_t handed_at_start;             /* of a recovered level: what lies above was with nobody before the restart */
    uint64_t handed_more;                 /* where the reader, while it catches up, asks for the next one */
    uint64_t handed_sure;                 /* what is committed of `handed`; see level_handed */
    struct raise raises[CORE_SUBMITS_MAX + 1]; /* of the blocks after that, the oldest first */
    uint32_t raise_count;
    uint32_t pend_last;                   /* of the filling block: newest pend, chained by .before */
    uint32_t open;                        /* leased, failed or parked */
    struct list ready;                    /* keys whose first parked event may go on */
};

struct queue {
    struct list list; /* of failed events */
    uint32_t count;
};

struct group {
    /* durable */
    uint32_t id, tenant;
    struct group_options options; /* limit_by points into text */
    uint64_t generation;
    uint64_t paused_ms; /* log time since when nothing goes out; 0: not paused */
    struct level levels[PRIORITY_LEVELS];
    struct list failed_list;
    uint32_t failed_count;
    struct list dead_list; /* by place */
    uint32_t dead_count;
    uint32_t dead_large; /* with parts */
    uint32_t name_size, text_size, filter_count, old_filter_count;
    uint32_t saved;
    uint64_t filters_from; /* what lies below is matched by the old filters; those are kept until all of it is settled */
    uint16_t filter_offset[GROUP_FILTERS_MAX], filter_size[GROUP_FILTERS_MAX];
    uint16_t old_filter_offset[GROUP_FILTERS_MAX], old_filter_size[GROUP_FILTERS_MAX];
    uint8_t text[GROUP_TEXT_MAX], old_text[GROUP_TEXT_MAX];
    bool has_letters; /* its name leaves room for $dlq. before it */
    /* volatile */
    bool adopting;         /* old waits for adopt_until_ns */
    uint32_t reading_back; /* stages that are still to be read before anything goes out (read_back.c) */
    struct list parked_list;
    uint32_t parked;
    bool active; /* in core.active */
    bool waits_fetch;
    bool pending;     /* in core.pend_groups */
    bool touched_now; /* in the filling block's list */
    uint64_t adopt_until_ns;
    uint64_t created_block; /* of its record; 0: recovered */
    uint32_t ring;          /* a worker with credit */
    uint32_t workers, leased;
    uint32_t unread; /* leases that workers have claimed and that are still to be read back: each may be of any value */
    struct list leases;     /* by deadline: all have the same lease_ms */
    struct queue retry;     /* failed and due: as the budget allows */
    struct queue uncertain; /* the same of those outside the budget */
    struct queue dying;     /* failed once too often: to be written as dead letters */
    uint32_t returned;      /* leases given back unstarted, by their of_group.next */
    uint32_t next_pending;  /* groups with pends */
    uint64_t reopened;      /* the step in which it last looked at what was handed out before a restart */
    uint64_t trim_block;    /* in which it settles what it last lost with the window */
    uint32_t taken;         /* new events that were read: given out, parked, or over */
    uint32_t turns;         /* those given out; says which priority is asked first */
    uint32_t owed;          /* bit per priority whose turn has come and that is still to be given one */
    uint64_t replay_started_ns, replay_first_ms;
    bool replay_started;
    uint64_t delivered, acked, nacked, rejected, expired;
    struct group_rates rates;
    struct retry_budget budget;
};

/* What happened to a group since the last block was closed; becomes its one settle record [P5]. */
struct pend {
    uint32_t before;      /* the level's pend before this one, index + 1 */
    uint64_t first, last; /* settled range; or failed position in first */
    uint64_t due_ms;
    uint32_t attempts; /* > 0: a failure */
    uint32_t deaths, cause, note;
    uint32_t key; /* that the failure goes on to hold */
};

static inline struct group *group_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->groups, h);
}

static inline struct span group_name(const struct group *g)
{
    return span_of(g->text, g->name_size);
}
static inline struct span group_old_filter(const struct group *g, uint32_t i)
{
    return span_of(g->old_text + g->old_filter_offset[i], g->old_filter_size[i]);
}
static inline struct span group_filter(const struct group *g, uint32_t i)
{
    return span_of(g->text + g->filter_offset[i], g->filter_size[i]);
}

uint32_t group_find(const struct core *c, uint32_t tenant, struct span name);
uint32_t group_by_id(const struct core *c, uint32_t id);
void group_opened(struct core *c, uint32_t group, bool recovered); /* sets the volatile part */
void group_wake(struct core *c, uint32_t group);
void group_pend_settled(struct core *c, uint32_t group, uint32_t level, uint64_t first, uint64_t last);
void group_pend_failed(struct core *c, uint32_t group, uint32_t level, const struct record_failed *failure, uint32_t note, uint32_t key);
bool group_pends(const struct core *c, uint32_t group, uint32_t level, uint64_t position); /* settled or failed in a record to come */
/* The lowest such position from `from` on; UINT64_MAX: none. */
uint64_t group_pends_from(const struct core *c, uint32_t group, uint32_t level, uint64_t from);
/* Settled; or its dead letter is over. */
void group_event_over(struct core *c, uint32_t group, uint32_t level, uint32_t failed, uint64_t from, uint64_t position);
void group_touch(struct core *c, uint32_t group); /* the commit of the filling block wakes it */
uint32_t group_out(const struct group *g); /* events with workers, or perhaps with one since before the restart */
uint64_t level_handed(const struct core *c, struct level *level); /* committed: nothing above it goes out */
void level_raised(const struct core *c, struct level *level, uint64_t handed, uint64_t block);
void group_want_handed(struct core *c, uint32_t group, uint32_t level, uint64_t position);
void group_write_pending(struct core *c, uint32_t group); /* of this group alone, now */
void groups_write_pending(struct core *c);                /* one settle record per group and priority, into the filling block */
void groups_follow_head(struct core *c);
void groups_wake_waiting(struct core *c); /* a fetch has ended */
void groups_end_adoption(struct core *c);
void group_join(struct core *c, uint32_t group, uint32_t peer);
void group_leave(struct core *c, uint32_t peer);
void worker_ring_update(struct core *c, uint32_t peer); /* in the ring exactly while it has credit */
uint64_t group_backoff_ms(struct core *c, const struct group *g, uint32_t attempts);

#endif
