/* What the contract tests drive: a log of either backend, blocks whose contents follow from their positions, and waiting with a deadline.
 */
#ifndef WEIR_TESTS_LOG_RIG_H
#define WEIR_TESTS_LOG_RIG_H

#include "coordinator/log/log.h"
#include "coordinator/log/log_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { RIG_BLOCKS = 24, RIG_SEEN_MAX = 4096, RIG_SUBMITS = 4 };

struct rig_seen {
    uint64_t number, first, last;
    bool from_snapshot;
};

struct rig {
    bool rocks;
    struct memory_disk *disk; /* memory */
    char directory[256];      /* RocksDB */
    struct log_config config;
    struct log *log;
    struct log_error error;
    uint64_t next_number, next_position;
    uint32_t body_bytes; /* added to every body */
    void *memory[RIG_BLOCKS];
    struct block blocks[RIG_BLOCKS]; /* used in turn */
    uint32_t next_block;
    struct rig_seen seen[RIG_SEEN_MAX]; /* by the last rig_recover; more are only counted */
    size_t seen_count;
    bool recovering;
    bool accept_bodies; /* do not check what the recovery gives */
    uint64_t refuse_at; /* the recovery's callback refuses this position; 0 = none */
};

struct rig *rig_new(bool rocks);
struct rig *rig_new_at(const char *directory);                                                /* RocksDB; rig_free removes it */
bool rig_accept(void *rig, const struct block *block, bool from_snapshot, uint64_t *out_bad); /* for log_recover: notes and checks */
/* Closes the log and removes the directory; it is kept when WEIR_TEST_KEEP is set, and when the test failed amid a recovery. */
void rig_free(struct rig *rig);
void rig_leave(struct rig *rig); /* the same, but leaves the directory */

void rig_open(struct rig *rig);     /* must succeed; takes numbers and positions up where the log ends */
bool rig_try_open(struct rig *rig); /* false: rig->error */
enum log_status rig_recover(struct rig *rig);
void rig_reopen(struct rig *rig); /* close, open, recover: all must succeed */

/* Fills a block as the next of the log, and submits it. */
uint64_t rig_submit(struct rig *rig);                                             /* returns its number */
void rig_await(struct rig *rig, enum log_event_kind kind, struct log_event *out); /* the next event must be of this kind */
void rig_commit(struct rig *rig, uint32_t count);                                 /* submits and awaits one after another */
void rig_skip(struct rig *rig, uint64_t positions);

/* The answer's block, checked against its positions; NULL when there is nothing. */
const struct block *rig_fetch(struct rig *rig, uint64_t position);
const struct block *rig_fetch_before(struct rig *rig, uint64_t position);
void rig_check_block(const struct rig *rig, const struct block *block);

void rig_snapshot(struct rig *rig, uint64_t position, uint32_t slices); /* and awaits it */
uint64_t rig_trim_place(struct rig *rig, uint64_t position);
uint64_t rig_trim(struct rig *rig, uint64_t position);                  /* returns the first position left */
uint64_t rig_last_position(const struct rig *rig);

/* While the log is closed. */
void rig_lose_newest(struct rig *rig, size_t blocks);
void rig_delete_through(struct rig *rig, uint64_t position); /* RocksDB only: every block that begins there or before */
void rig_damage(struct rig *rig, uint64_t position);         /* a byte of the block that begins there */
void rig_damage_snapshot(struct rig *rig);                   /* a byte of the newest */

/* rig->directory/name */
void rig_path(const struct rig *rig, const char *name, char *out, size_t size);

#endif
