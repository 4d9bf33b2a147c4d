/* Look-ups: what somebody waits for while the log is read. */
#ifndef WEIR_CORE_LOOKUP_H
#define WEIR_CORE_LOOKUP_H

#include "coordinator/core/seek.h"
#include "coordinator/core/state.h"

enum {
    LOOKUPS_MAX = 64,
    WHY_EVENTS_MAX = 16, /* of a session, in one answer */
};

enum lookup_kind {
    LOOKUP_NONE,
    LOOKUP_HELLO,      /* its group begins at a time */
    LOOKUP_CONFIGURED, /* so does a configured one */
    LOOKUP_SEEK,
    LOOKUP_WHY,
    LOOKUP_WHY_SESSION /* its name is the spec's */
};
struct lookup {
    enum lookup_kind kind;
    uint32_t peer, peer_generation; /* who waits; 0: nobody */
    uint32_t tenant;
    uint64_t id;       /* of its manage or query */
    uint64_t position; /* WHY: of the event; WHY_SESSION: so far back it was looked for */
    uint64_t places[WHY_EVENTS_MAX];
    uint32_t found;  /* WHY_SESSION: of them */
    uint32_t waits;  /* for all of them to be in memory */
    uint32_t blocks; /* looked through */
    uint64_t first;  /* WHY: a delayed event that has come since: it is looked for by its first position; 0: not */
    bool searched;   /* so it was */
    struct seek seek;
    struct group_spec spec; /* its texts are copied into `text` */
    struct span filters[GROUP_FILTERS_MAX];
    uint8_t text[GROUP_TEXT_MAX];
};

/* NULL: too many */
struct lookup *lookup_begin(struct core *c, enum lookup_kind kind, uint32_t peer, uint32_t tenant, const struct group_spec *spec);
bool lookup_is_under_way(const struct core *c, uint32_t tenant, struct span name); /* for a configured group */
void lookups_step(struct core *c);

#endif
