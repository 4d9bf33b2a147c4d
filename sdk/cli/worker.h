/* What the two kinds of `weir worker` share: a group, and deliveries that are handed to a program. */
#ifndef WEIR_CLI_WORKER_H
#define WEIR_CLI_WORKER_H

#include "sdk/cli/cli.h"

struct cli_working {
    const struct cli *cli;
    weir_worker_options options; /* all but the callbacks */
    const char *command;         /* --exec */
    uint64_t exec_timeout_ms;    /* a command that takes longer is ended, its event tried again */
};

/* Each runs until a signal, or a refusal for good. */
int cli_work_exec(struct cli_working *working);  /* worker_exec.c: a command per event */
int cli_work_lines(struct cli_working *working); /* worker_lines.c: one long-lived pipe of JSON lines */

/* SIGINT and SIGTERM end weir_worker_run and weir_worker_next of this worker. NULL: they do nothing. */
void cli_stop_on_signal(weir_worker *worker);

#endif
