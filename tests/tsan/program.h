/* The program weir-coordinator, all of it, on a thread of this process. Kind: tests. */
#ifndef WEIR_TESTS_PROGRAM_H
#define WEIR_TESTS_PROGRAM_H

#include <stddef.h>

struct program;

/* Runs it with --backend memory (directory NULL) or over the directory, and waits until it is ready. endpoint is lent until the stop.
 * NULL: it ended instead; what it said was passed on to stderr. One at a time. */
struct program *program_start(const char *endpoint, const char *directory);

const char *program_http(const struct program *program); /* "127.0.0.1:PORT" */

int program_stop(struct program **program); /* SIGTERM; its exit code */

#endif
