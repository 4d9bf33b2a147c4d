/* What a backend of the log is made of. Private to coordinator/log. log.c keeps the rules that hold for every backend (how many may be
 * under way, numbers that follow each other, one snapshot at a time); a backend does the work and reports through log_shared. */
#ifndef WEIR_LOG_OPS_H
#define WEIR_LOG_OPS_H

#include "coordinator/log/log_shared.h"

struct log_wanted { /* a fetch under way */
    uint64_t position;
    struct block *into;
    bool before; /* the last block that begins at or before position */
};

struct log_ops {
    enum log_status (*recover)(struct log *log, log_recover_block call, void *arg, struct log_error *error);
    void (*submit)(struct log *log, struct block *block);
    void (*fetch)(struct log *log, const struct log_wanted *wanted);
    void (*snapshot_begin)(struct log *log, uint64_t position);
    void (*snapshot_slice)(struct log *log, const struct block *slice);
    void (*snapshot_abandon)(struct log *log);
    void (*snapshot_end)(struct log *log, uint64_t last_number); /* counts once the block of that number is committed */
    void (*trim_place)(struct log *log, uint64_t position);
    void (*trim)(struct log *log, uint64_t position);
    void (*pump)(struct log *log);  /* NULL, or does what is due before a poll: for a backend without threads */
    void (*close)(struct log *log); /* waits, and frees the log */
};

enum log_snapshot_state { LOG_SNAPSHOT_NONE, LOG_SNAPSHOT_FILLING, LOG_SNAPSHOT_SAVING };

struct log { /* the first member of a backend's own struct */
    const struct log_ops *ops;
    struct log_config config; /* defaults filled in; directory is not kept */
    struct log_identity identity;
    struct log_shared shared;

    /* the caller's thread only */
    uint64_t next_number, next_position_min;
    uint32_t submits, fetches; /* under way */
    enum log_snapshot_state snapshot;
    bool recovered, placing, trimming;
    uint64_t trim_next; /* joined calls; 0 = none */
};

/* Fills the common part from the config, whose zeroes become defaults. False: out of memory or file handles. */
bool log_init(struct log *log, const struct log_ops *ops, const struct log_config *config);
/* After the store was opened: what is there. */
void log_starts_at(struct log *log, const struct log_tail *tail);
void log_free_common(struct log *log);

/* 16 hex digits of log id + restore count. */
void log_identity_epoch(struct log_identity *identity);

/* Writes the reason of a failed open or recovery. Returns the status. */
enum log_status log_refuse(struct log_error *error, enum log_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
