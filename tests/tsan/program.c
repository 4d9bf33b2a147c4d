/* main() of weir-coordinator is compiled for this program under the name coordinator_main. It blocks SIGTERM and reads it from a signalfd,
 * so that one sent to its thread stops it and nobody else. Its lines come through a pipe. */
#include "tests/tsan/program.h"

#include "sdk/base/must.h"
#include "sdk/program/journal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int coordinator_main(int argc, char *argv[]);

enum { LINES_BYTES = 1 << 20, DEADLINE_MS = 30000 };

struct program {
    pthread_t thread;
    const char *endpoint, *directory;
    int code;
    int ends[2];
    char lines[LINES_BYTES];
    size_t size;
    char http[64];
};

static void *run(void *argument)
{
    struct program *p = argument;
    char *argv[16] = { "weir-coordinator", "--dev", "--listen", (char *)p->endpoint, "--http", "127.0.0.1:0" };
    int argc = 6;
    argv[argc++] = p->directory != NULL ? "--data" : "--backend";
    argv[argc++] = p->directory != NULL ? (char *)p->directory : "memory";
    p->code = coordinator_main(argc, argv);
    journal_set_fd(STDERR_FILENO);
    close(p->ends[1]);
    return NULL;
}

/* False: it has ended. */
static bool read_more(struct program *p)
{
    struct pollfd lines = { .fd = p->ends[0], .events = POLLIN };
    must(poll(&lines, 1, DEADLINE_MS) == 1 && p->size < sizeof p->lines - 1);
    ssize_t n = read(p->ends[0], p->lines + p->size, sizeof p->lines - 1 - p->size);
    if (n <= 0) return false;
    fwrite(p->lines + p->size, 1, (size_t)n, stderr);
    p->size += (size_t)n;
    p->lines[p->size] = '\0';
    return true;
}

static bool is_ready(struct program *p)
{
    const char *ready = strstr(p->lines, "event=ready");
    return ready != NULL && strchr(ready, '\n') != NULL && sscanf(strstr(ready, "http="), "http=%63s", p->http) == 1;
}

struct program *program_start(const char *endpoint, const char *directory)
{
    struct program *p = calloc(1, sizeof *p);
    must(p != NULL && pipe(p->ends) == 0);
    p->endpoint = endpoint;
    p->directory = directory;
    journal_set_fd(p->ends[1]);
    must(pthread_create(&p->thread, NULL, run, p) == 0);
    while (!is_ready(p)) {
        if (read_more(p)) continue;
        pthread_join(p->thread, NULL);
        close(p->ends[0]);
        free(p);
        return NULL;
    }
    return p;
}

const char *program_http(const struct program *program)
{
    return program->http;
}

int program_stop(struct program **program)
{
    struct program *p = *program;
    must(pthread_kill(p->thread, SIGTERM) == 0);
    while (read_more(p))
        continue;
    pthread_join(p->thread, NULL);
    int code = p->code;
    close(p->ends[0]);
    free(p);
    *program = NULL;
    return code;
}
