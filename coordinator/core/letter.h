/* Dead letters as they are written and read; and the notes on failures that go into them. */
#ifndef WEIR_CORE_LETTER_H
#define WEIR_CORE_LETTER_H

#include "coordinator/core/state.h"

struct group;

enum {
    NOTE_ERROR_MAX = 192,
    LETTER_ROUND_MAX = 1536, /* bytes of a dead letter around its event */
};

/* Who had a failed event last, and what it said: for the dead letter, with failures that may be the last one. */
struct note {
    uint8_t worker_size, error_size;
    uint8_t worker[NOTE_WORKER_MAX], error[NOTE_ERROR_MAX];
};

/* What a letter says. */
struct letter {
    struct span group, event;
    uint64_t time_ms, cause; /* of the event */
    uint32_t attempts, reason;
};

/* An event as it was given to the log first, be it in a dead letter. */
struct stored_event {
    struct span bytes;
    uint64_t first, time_ms, cause; /* first: 0 = where it stands */
};

static inline struct note *note_at(const struct core *c, uint32_t h)
{
    return slab_at(&c->notes, h);
}

uint32_t note_make(struct core *c, uint32_t peer, struct span error); /* 0: no room */
void note_forget(struct core *c, uint32_t *note);
enum dead_reason letter_verdict(const struct group *g, const struct record_failed *failure); /* DEAD_UNKNOWN: it goes out again */
bool letter_is_due(const struct core *c, uint32_t failed);
struct span letter_topic(struct span group, uint8_t room[NAME_MAX + 1]); /* empty: the name is too long */
bool letter_open(struct span bytes, struct letter *out);
struct span letter_around(struct core *c, struct span letter, struct span event); /* the same letter of this event, in scratch */
struct stored_event event_at(const struct block *block, uint32_t index);
void letters_write(struct core *c);

/* letter_carry.c */
void letters_carry(struct core *c, uint64_t trim_wish); /* to the end of the log, what the window is about to drop */
void letters_need(struct core *c, uint64_t from); /* a letter has its parts from there on; 0: none */
uint64_t letters_keep_from(const struct core *c);

#endif
