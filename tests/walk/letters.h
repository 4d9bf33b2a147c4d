/* What the committed log says of dead letters, read by other code than the core's: part of the walk's oracle. */
#ifndef WEIR_WALK_LETTERS_H
#define WEIR_WALK_LETTERS_H

#include "proto/block.h"
#include "tests/walk/large.h"

enum letter_state { LETTER_LIES, LETTER_RETRIED, LETTER_OVER };

struct letter_seen {
    uint64_t event, place;
    enum letter_state state;
    bool old;          /* its group has begun anew since, so its event may come from its own place as well */
    uint32_t given;    /* the highest attempt that was delivered from this place */
    bool uncertain;    /* its one failure was a restart */
    bool tried, acked; /* a settle was sent by who got it from this place; its ack was answered */
};

struct letters {
    struct letter_seen all[4096]; /* each that there ever was */
    uint32_t count;
};

/* Takes a committed record. NULL, or what is broken. */
const char *letters_take(struct letters *letters, const struct block *block, uint32_t index, large_look *look, const void *log);
void letters_begin_generation(struct letters *letters);
void letters_forget(struct letters *letters); /* their group is deleted */

/* NULL: there is none. */
struct letter_seen *letters_at(struct letters *letters, uint64_t place);
struct letter_seen *letters_newest(struct letters *letters, uint64_t event);

#endif
