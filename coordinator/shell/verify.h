/* `weir-coordinator --verify`: reads the whole log, says what it found, and ends. Kind: shell. */
#ifndef WEIR_COORDINATOR_VERIFY_H
#define WEIR_COORDINATOR_VERIFY_H

#include "coordinator/shell/config.h"

/* Prints one line on standard output, JSON with --log-format json. Returns the exit code. */
int verify_run(const struct config *config);

#endif
