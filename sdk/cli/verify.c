/* `weir verify`: reads a data directory and checks every block. The reading is the coordinator's, which alone links the log's engine: this
 * runs it in the mode that does nothing else. */
#include "sdk/cli/cli.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

int cli_verify(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    const struct cli_option none[] = { { NULL, CLI_FLAG, NULL, NULL } };
    struct cli_args args;
    int code = cli_parse(cli, verb, none, argc, argv, 1, 1, &args);
    if (code >= 0) return code;
    char *command[] = { "weir-coordinator", "--verify", "--data", args.items[0], cli->json ? "--log-format" : NULL, "json", NULL };
    struct cli_child child;
    int status = 0;
    code = cli_spawn_sister(cli, &child, "weir-coordinator", command, NULL);
    if (code != CLI_OK) return code;
    while (waitpid(child.pid, &status, 0) < 0)
        if (errno != EINTR) return cli_fail("lost the coordinator's process: %s", strerror(errno));
    if (!WIFEXITED(status)) return cli_fail("it was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? CLI_OK : CLI_FAILED;
}
