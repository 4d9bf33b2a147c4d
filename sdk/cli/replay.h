/* Which stored events `weir replay` is to show. */
#ifndef WEIR_CLI_REPLAY_H
#define WEIR_CLI_REPLAY_H

#include "sdk/cli/cli.h"

struct replay_range {
    const char *filter, *session, *key, *speed; /* NULL: all; speed is never NULL */
    uint64_t from, until;                       /* positions, inclusive; 0: not given */
    uint64_t since_ms, until_ms;                /* Unix times, since inclusive, until not; 0: not given */
};

/* Reads the source's history over the wire into a file that a read-only coordinator takes as its source. CLI_OK also when nothing is there;
 * *out_count says how many events it holds. */
int cli_replay_fetch(const struct cli *cli, const struct replay_range *range, const char *endpoint, const char *path, uint64_t *out_count);

#endif
