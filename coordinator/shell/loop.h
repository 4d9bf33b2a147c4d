/* The one thread that owns the core and the ROUTER: turn after turn until it is told to stop. Kind: shell. */
#ifndef WEIR_COORDINATOR_LOOP_H
#define WEIR_COORDINATOR_LOOP_H

#include "coordinator/shell/clock.h"
#include "coordinator/shell/stats.h"

struct loop;

struct loop_parts { /* all lent until loop_free */
    const struct config *config;
    struct core *core; /* started */
    struct router *router;
    struct store *store;
    const struct access *access;
    struct curve *curve; /* NULL: none */
    struct stats_board *board;
    struct log_clock clock;
    int signal_fd;      /* a signalfd with SIGTERM and SIGINT */
    struct stats stats; /* what the loop does not know by itself: term, epoch, … */
};

struct loop *loop_new(const struct loop_parts *parts); /* NULL: no memory */

/* Serves until SIGTERM, then drains. The exit code. When the log has failed it ends the process here: nobody may be told anything any more.
 */
int loop_run(struct loop *loop);
void loop_free(struct loop **loop);

#endif
