/* `weir worker --exec CMD`: a command per event. Its data is the command's standard input, the rest of it WEIR_… in the environment; exit 0
 * acks (with what it printed as the reply, if somebody asked), 75 asks for a retry, any other rejects. The lease is extended while it runs,
 * up to a limit; a command whose requester has left, or that takes too long, is ended with all its children. */
#include "sdk/cli/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OUTPUT_MAX = 8 << 20, OUTPUT_FIRST = 64 << 10, LOOK_MS = 100, KILL_AFTER_MS = 5000, EXIT_RETRY = 75, OWN_VARIABLES = 7 };

struct run {
    pid_t pid;
    int input, output; /* our ends; -1: closed */
    const char *data;  /* what is left to write */
    size_t data_left;
    char *printed;
    size_t printed_size, printed_room; /* room grows up to OUTPUT_MAX */
    bool too_much;
    enum { RUN_FREE, RUN_CANCELLED, RUN_TIMED_OUT } why;
    uint64_t kill_at_ns; /* 0: not told to end yet */
};

/* The parent's environment with our variables first: made before the fork, since malloc is not allowed after it. */
static char **make_environment(weir_delivery *delivery, const weir_event *event)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **all = calloc(count + OWN_VARIABLES + 1, sizeof *all);
    if (!all) abort();
    const char *values[OWN_VARIABLES] = { weir_delivery_event_id(delivery),
                                          event->topic,
                                          event->key,
                                          event->session,
                                          weir_delivery_token(delivery),
                                          NULL,
                                          weir_delivery_is_replay(delivery) ? "1" : "0" };
    static const char *const names[OWN_VARIABLES] = { "WEIR_EVENT", "WEIR_TOPIC",   "WEIR_KEY",   "WEIR_SESSION",
                                                      "WEIR_TOKEN", "WEIR_ATTEMPT", "WEIR_REPLAY" };
    for (size_t i = 0; i < OWN_VARIABLES; i++) {
        int written = values[i] ? asprintf(&all[i], "%s=%s", names[i], values[i])
                                : asprintf(&all[i], "%s=%u", names[i], weir_delivery_attempt(delivery));
        if (written < 0) abort();
    }
    size_t next = OWN_VARIABLES;
    for (size_t i = 0; i < count; i++) {
        bool ours = false;
        for (size_t j = 0; j < OWN_VARIABLES; j++)
            if (strncmp(environ[i], names[j], strlen(names[j])) == 0 && environ[i][strlen(names[j])] == '=') ours = true;
        if (!ours) all[next++] = environ[i];
    }
    return all;
}

static void free_environment(char **all)
{
    for (size_t i = 0; i < OWN_VARIABLES; i++)
        free(all[i]);
    free(all);
}

static bool start(struct run *run, const char *command, char **environment)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0) return false;
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)command, NULL };
    run->pid = fork();
    if (run->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        signal(SIGPIPE, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        execve("/bin/sh", argv, environment);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    run->input = in[1];
    run->output = out[0];
    if (run->pid < 0) {
        close(run->input);
        close(run->output);
        return false;
    }
    setpgid(run->pid, run->pid); /* whoever of the two comes first */
    fcntl(run->input, F_SETFL, O_NONBLOCK);
    fcntl(run->output, F_SETFL, O_NONBLOCK);
    return true;
}

static void close_end(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void write_some(struct run *run)
{
    ssize_t put = write(run->input, run->data, run->data_left);
    if (put > 0) {
        run->data += put;
        run->data_left -= (size_t)put;
    }
    bool gone = put < 0 && errno != EAGAIN && errno != EINTR; /* it does not read its input: its own affair */
    if (run->data_left == 0 || gone) close_end(&run->input);
}

static void read_some(struct run *run)
{
    char spill[4096];
    if (run->printed_size == run->printed_room && run->printed_room < OUTPUT_MAX) {
        run->printed_room = run->printed_room ? run->printed_room * 2 : OUTPUT_FIRST;
        run->printed = realloc(run->printed, run->printed_room);
        if (!run->printed) abort();
    }
    bool room = run->printed_size < run->printed_room;
    ssize_t got = room ? read(run->output, run->printed + run->printed_size, run->printed_room - run->printed_size) :
                         read(run->output, spill, sizeof spill);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) close_end(&run->output);
    if (got > 0 && room) run->printed_size += (size_t)got;
    if (got > 0 && !room) run->too_much = true;
}

/* Ends a command that nobody wants or that takes too long: SIGTERM to all of it, SIGKILL later. */
static void police(struct run *run, weir_delivery *delivery, uint64_t deadline_ns)
{
    uint64_t now = cli_now_ns();
    if (run->why == RUN_FREE) {
        if (weir_cancelled(delivery))
            run->why = RUN_CANCELLED;
        else if (now > deadline_ns)
            run->why = RUN_TIMED_OUT;
        else
            return;
        run->kill_at_ns = now + (uint64_t)KILL_AFTER_MS * 1000000U;
        kill(-run->pid, SIGTERM);
    } else if (now > run->kill_at_ns) {
        kill(-run->pid, SIGKILL);
    }
}

/* Feeds it and reads it until it has ended. What its own children hold open is not waited for. Returns waitpid's status. */
static int attend(struct run *run, weir_delivery *delivery, uint64_t deadline_ns)
{
    int status = 0, process = pidfd_open(run->pid, 0);
    bool ended = false;
    if (run->data_left == 0) close_end(&run->input);
    while (!ended) {
        struct pollfd fds[3] = { { .fd = run->input, .events = POLLOUT },
                                 { .fd = run->output, .events = POLLIN },
                                 { .fd = process, .events = POLLIN } };
        int ready = poll(fds, 3, LOOK_MS);
        if (ready > 0 && fds[0].revents) write_some(run);
        if (ready > 0 && fds[1].revents) read_some(run);
        police(run, delivery, deadline_ns);
        ended = waitpid(run->pid, &status, WNOHANG) == run->pid;
    }
    struct pollfd rest = { .fd = run->output, .events = POLLIN };
    while (run->output >= 0 && poll(&rest, 1, 0) > 0) {
        read_some(run);
        rest.fd = run->output;
    }
    close_end(&run->input);
    close_end(&run->output);
    close_end(&process);
    return status;
}

/* Settles by what became of the command; gives the word for it. */
static const char *settle(const struct run *run, weir_delivery *delivery, int status)
{
    char reason[64];
    weir_status settled = WEIR_OK;
    const char *word = "ack";
    if (run->why == RUN_TIMED_OUT) {
        word = "nack";
        settled = weir_nack(delivery, 0, "the command took too long");
    } else if (run->why == RUN_CANCELLED) {
        word = "reject";
        settled = weir_reject(delivery, "cancelled");
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && run->too_much) {
        word = "reject";
        settled = weir_reject(delivery, "the command printed over 8 MiB");
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        settled = weir_delivery_is_request(delivery) ? weir_reply(delivery, run->printed, run->printed_size) : weir_ack(delivery);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_RETRY) {
        word = "nack";
        settled = weir_nack(delivery, 0, "the command asked for a retry");
    } else {
        word = "reject";
        snprintf(reason, sizeof reason, WIFSIGNALED(status) ? "the command was ended by signal %d" : "the command ended with %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        settled = weir_reject(delivery, reason);
    }
    if (settled == WEIR_OK) return word;
    /* a reply that is too large, say: the event must not come back for ever */
    if (weir_reject(delivery, weir_status_text(settled)) != WEIR_OK) cli_fail("cannot settle: %s", weir_status_text(settled));
    return "reject";
}

static void tell(const struct cli *cli, json_t *line, const char *topic, const char *word, uint64_t took_ms)
{
    if (cli->json) {
        json_object_set_new(line, "settled", json_string(word));
        json_object_set_new(line, "took_ms", json_integer((json_int_t)took_ms));
        cli_json_print(line);
        return;
    }
    printf("%-6s %6llu ms  %s  %s\n", word, (unsigned long long)took_ms, topic, json_string_value(json_object_get(line, "event")));
    fflush(stdout);
    json_decref(line);
}

static void on_event(weir_delivery *delivery, void *arg)
{
    struct cli_working *working = arg;
    const weir_event *event = weir_delivery_event(delivery);
    if (!event) {
        weir_reject(delivery, "unreadable");
        return;
    }
    uint64_t began_ns = cli_now_ns();
    json_t *line = cli_event_json(event, weir_delivery_event_id(delivery), weir_delivery_seq(delivery), weir_delivery_time_ms(delivery));
    json_object_set_new(line, "attempt", json_integer(weir_delivery_attempt(delivery)));
    char *topic = strdup(event->topic); /* the settle takes the event */
    char **environment = make_environment(delivery, event);
    struct run run = { .data = event->data, .data_left = event->data_size };
    if (!topic) abort();
    const char *word = "nack";
    if (start(&run, working->command, environment)) {
        int status = attend(&run, delivery, began_ns + working->exec_timeout_ms * 1000000U);
        word = settle(&run, delivery, status);
    } else {
        cli_fail("cannot start a command: %s", strerror(errno));
        weir_nack(delivery, 0, "cannot start the command");
    }
    tell(working->cli, line, topic, word, (cli_now_ns() - began_ns) / 1000000U);
    free_environment(environment);
    free(run.printed);
    free(topic);
}

static void on_settled(const weir_settled *settled, void *arg)
{
    (void)arg;
    if (settled->status != WEIR_OK)
        cli_fail("the settle of seq %llu, attempt %u, was refused: %s", (unsigned long long)settled->seq, settled->attempt,
                 weir_status_text(settled->status));
}

int cli_work_exec(struct cli_working *working)
{
    working->options.on_settled = on_settled;
    working->options.auto_extend_ms = (uint32_t)working->exec_timeout_ms + KILL_AFTER_MS;
    weir_worker *worker = NULL;
    weir_status status = weir_worker_open(&working->options, &worker);
    if (status != WEIR_OK) return cli_report(working->cli, NULL, status);
    cli_stop_on_signal(worker);
    status = weir_worker_run(worker, on_event, working);
    int code = status == WEIR_OK || status == WEIR_CLOSED ? CLI_OK : cli_report(working->cli, worker, status);
    cli_stop_on_signal(NULL);
    weir_worker_close(&worker);
    return code;
}
