/* Reading back: after a restart a group finds what it had handed out, before anything goes out. */
#ifndef WEIR_CORE_READ_BACK_H
#define WEIR_CORE_READ_BACK_H

#include "coordinator/core/group.h"
#include "coordinator/core/lease.h"

struct turn;

enum { READ_STAGES = PRIORITY_LEVELS + 2 }; /* claimed ones that were dead letters, the priorities, others that were dead letters */
static inline bool is_unread(const struct group *g, uint32_t level)
{
    return g->reading_back >= level + 2;
}
void groups_read_back(struct core *c);
void read_back_end(struct core *c, uint32_t group); /* the group begins anew, or ends */
bool read_back_may_adopt(const struct core *c, const struct lease_terms *held);
bool read_back_late(struct core *c, struct turn *turn, struct span body); /* of an event past where it stopped: it is not new */

#endif
