/* What the peers of a story do: a verb each. */
#ifndef WEIR_STORY_ACTS_H
#define WEIR_STORY_ACTS_H

#include "line.h"
#include "world.h"

void peer_acts(struct world *w, struct story_peer *p, const struct line *l); /* its second word */

/* group_acts.c */
void do_hello(struct world *w, struct story_peer *p, const struct line *l);
void do_manage(struct world *w, struct story_peer *p, const struct line *l);

#endif
