/* The real program running in a directory of its own, and a peer of it: a DEALER. For tests: whatever goes wrong fails the test. */
#ifndef WEIR_COORDINATOR_RUNNING_H
#define WEIR_COORDINATOR_RUNNING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <zmq.h>

#include "proto/packet.h"

enum { DEADLINE_MS = 30000, LINES_BYTES = 256 * 1024 };

struct coordinator {
    pid_t pid;
    int log; /* its stderr */
    char lines[LINES_BYTES];
    size_t size;
    char listen[128], http[64];
};

extern char directory[64]; /* --data of what is started */
int make_directory(void **state);
int remove_directory(void **state);

/* extra: more arguments, NULL at the end. */
void start(struct coordinator *c, const char *const extra[]);
const char *await_line(struct coordinator *c, const char *text); /* NULL: the program ended first */
void await_ready(struct coordinator *c);
int await_end(struct coordinator *c); /* the exit code */
int stop(struct coordinator *c);      /* SIGTERM; the exit code */

/* A peer's socket, connected; the context is the caller's. */
void *dealer(void *context, const struct coordinator *c);
void say(void *socket, const struct packet *packet);
/* The next packet; lent until the next call. */
const struct packet *hear(void *socket);

#define hear_until(socket, packet, condition)                                                                                              \
    do                                                                                                                                     \
        packet = hear(socket);                                                                                                             \
    while (!(condition))

struct msg_hello hello_as(uint32_t role, const char *instance, const char *tenant);

extern const uint8_t event_bytes[10]; /* topic docs, data hi */
void publish(void *socket, uint64_t number);
void open_worker(void *socket); /* of the group readers, from the first event on */
void open_client(void *socket);
void ack(void *socket, uint64_t number, uint64_t lease);

extern char answer[256 * 1024]; /* of the last get */
int get(const struct coordinator *c, const char *path);
void await_metric(const struct coordinator *c, const char *line);

#endif
