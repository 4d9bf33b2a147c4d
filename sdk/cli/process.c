/* Child processes of the verbs that start some (replay, dev, bench). Every one asks the kernel to be ended with us, so that also a kill -9
 * of this command leaves nothing behind. */
#include "sdk/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_WAIT_MS = 30000, STOP_WAIT_MS = 10000, LOOK_EVERY_MS = 20 };

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

void cli_catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal }; /* no SA_RESTART: a blocking read ends */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void cli_stop(void)
{
    stopping = 1;
}

bool cli_stopping(void)
{
    return stopping != 0;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t cli_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t cli_wall_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000U;
}

/* In the child, between fork and exec: async-signal-safe calls only. */
static void become(char *const argv[], int log, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127); /* it died before the line above */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    if (log >= 0) {
        setpgid(0, 0); /* a Ctrl-C is for us alone; we end it in our order */
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    execvp(argv[0], argv);
    _exit(127);
}

int cli_spawn(struct cli_child *child, const char *name, char *const argv[], const char *log)
{
    int fd = -1;
    if (log) {
        fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0) return cli_fail("cannot write %s: %s", log, strerror(errno));
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) become(argv, fd, parent);
    if (fd >= 0) close(fd);
    if (pid < 0) return cli_fail("cannot start %s: %s", name, strerror(errno));
    *child = (struct cli_child){ .pid = pid, .name = name };
    if (log) snprintf(child->log, sizeof child->log, "%s", log);
    return CLI_OK;
}

int cli_spawn_sister(const struct cli *cli, struct cli_child *child, const char *program, char *const argv[], const char *log)
{
    char path[4096];
    char *copy[64] = { path };
    size_t count = 1;
    snprintf(path, sizeof path, "%s/%s", cli->directory, program);
    if (access(path, X_OK) != 0) return cli_fail("%s is missing: %s", path, strerror(errno));
    for (; argv[count] && count + 1 < sizeof copy / sizeof *copy; count++)
        copy[count] = argv[count];
    return cli_spawn(child, program, copy, log);
}

/* key=value or key="value" of the ready line */
static bool find_ready(const char *path, const char *key, char *out_value, size_t room)
{
    FILE *file = fopen(path, "re");
    if (!file) return false;
    char line[4096], wanted[64];
    bool found = false;
    snprintf(wanted, sizeof wanted, " %s=", key);
    while (!found && fgets(line, sizeof line, file)) {
        const char *value = strstr(line, "event=ready") ? strstr(line, wanted) : NULL;
        if (!value || !strchr(line, '\n')) continue;
        value += strlen(wanted);
        if (*value == '"') value++;
        size_t size = strcspn(value, "\" ,\r\n");
        if (size == 0 || size >= room) continue;
        memcpy(out_value, value, size);
        out_value[size] = '\0';
        found = true;
    }
    fclose(file);
    return found;
}

int cli_child_ready(struct cli_child *child, const char *key, char *out_value, size_t room)
{
    uint64_t deadline_ns = cli_now_ns() + (uint64_t)READY_WAIT_MS * 1000000U;
    int status = 0;
    while (!find_ready(child->log, key, out_value, room)) {
        if (cli_child_ended(child, &status)) {
            cli_show_log(child, 15);
            return cli_fail("%s ended instead of getting ready", child->name);
        }
        if (cli_stopping()) return CLI_FAILED;
        if (cli_now_ns() > deadline_ns) {
            cli_show_log(child, 15);
            return cli_fail("%s is not ready after %d s", child->name, READY_WAIT_MS / 1000);
        }
        poll(NULL, 0, LOOK_EVERY_MS);
    }
    return CLI_OK;
}

bool cli_child_ended(struct cli_child *child, int *out_status)
{
    if (child->pid == 0) return true;
    pid_t got = waitpid(child->pid, out_status, WNOHANG);
    if (got != child->pid) return false;
    child->pid = 0;
    return true;
}

void cli_child_stop(struct cli_child *child)
{
    if (child->pid == 0) return;
    int status = 0;
    uint64_t deadline_ns = cli_now_ns() + (uint64_t)STOP_WAIT_MS * 1000000U;
    kill(child->pid, SIGTERM);
    while (!cli_child_ended(child, &status)) {
        if (cli_now_ns() > deadline_ns) kill(child->pid, SIGKILL);
        poll(NULL, 0, LOOK_EVERY_MS);
    }
}

void cli_show_log(const struct cli_child *child, int lines)
{
    FILE *file = fopen(child->log, "re");
    if (!file) return;
    char line[4096];
    int total = 0;
    while (fgets(line, sizeof line, file))
        total++;
    rewind(file);
    for (int i = 0; fgets(line, sizeof line, file); i++)
        if (i >= total - lines) fprintf(stderr, "  %s: %s", child->name, line);
    fclose(file);
}
