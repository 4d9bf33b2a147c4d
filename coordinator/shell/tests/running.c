#include "coordinator/shell/tests/running.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "proto/codec.h"
#include "sdk/base/arena.h"

char directory[64];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/weir-coordinator-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

int remove_directory(void **state)
{
    (void)state;
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void start(struct coordinator *c, const char *const extra[])
{
    const char *argv[32] = { WEIR_COORDINATOR, "--data", directory, "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0" };
    size_t argc = 7;
    for (size_t i = 0; extra[i]; i++)
        argv[argc++] = extra[i];
    int ends[2];
    memset(c, 0, sizeof *c);
    assert_int_equal(pipe(ends), 0);
    c->pid = fork();
    assert_true(c->pid >= 0);
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 2);
        close(ends[0]);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    c->log = ends[0];
}

const char *await_line(struct coordinator *c, const char *text)
{
    for (;;) {
        char *found = strstr(c->lines, text);
        if (found && strchr(found, '\n')) return found;
        struct pollfd p = { .fd = c->log, .events = POLLIN };
        if (poll(&p, 1, DEADLINE_MS) != 1) fail_msg("'%s' did not come; so far: %s", text, c->lines);
        ssize_t n = read(c->log, c->lines + c->size, sizeof c->lines - 1 - c->size);
        if (n <= 0) return NULL;
        c->size += (size_t)n;
        c->lines[c->size] = 0;
    }
}

void await_ready(struct coordinator *c)
{
    const char *ready = await_line(c, "event=ready");
    if (!ready) fail_msg("it ended: %s", c->lines);
    assert_int_equal(sscanf(strstr(ready, "listen="), "listen=%127s http=%63s", c->listen, c->http), 2);
}

int await_end(struct coordinator *c)
{
    int status;
    while (await_line(c, "\x01no such text"))
        continue;
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    close(c->log);
    c->pid = 0;
    if (!WIFEXITED(status)) fail_msg("it died by signal %d: %s", WTERMSIG(status), c->lines);
    return WEXITSTATUS(status);
}

int stop(struct coordinator *c)
{
    kill(c->pid, SIGTERM);
    return await_end(c);
}

static uint8_t room[1 << 20];
static struct arena arena;
static zmq_msg_t head, body;
static bool have_frames;

void *dealer(void *context, const struct coordinator *c)
{
    int off = 0, wait_ms = DEADLINE_MS;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(socket, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    assert_int_equal(zmq_connect(socket, c->listen), 0);
    return socket;
}

void say(void *socket, const struct packet *packet)
{
    struct span bytes;
    arena_init(&arena, room, sizeof room);
    assert_int_equal(codec_encode(&arena, packet, &bytes), CODEC_OK);
    bool more = packet->piece_count > 0;
    assert_true(zmq_send(socket, bytes.data, bytes.size, more ? ZMQ_SNDMORE : 0) >= 0);
    if (more) assert_true(zmq_send(socket, packet->pieces[0].data, packet->pieces[0].size, 0) >= 0);
}

const struct packet *hear(void *socket)
{
    struct packet *packet;
    if (have_frames) {
        zmq_msg_close(&head);
        zmq_msg_close(&body);
    }
    have_frames = true;
    zmq_msg_init(&head);
    zmq_msg_init(&body);
    if (zmq_msg_recv(&head, socket, 0) < 0) fail_msg("no packet came: %s", zmq_strerror(errno));
    if (zmq_msg_more(&head)) assert_true(zmq_msg_recv(&body, socket, 0) >= 0);
    arena_init(&arena, room, sizeof room);
    assert_int_equal(
        codec_decode(&arena, span_of(zmq_msg_data(&head), zmq_msg_size(&head)), span_of(zmq_msg_data(&body), zmq_msg_size(&body)), &packet),
        CODEC_OK);
    return packet;
}

struct msg_hello hello_as(uint32_t role, const char *instance, const char *tenant)
{
    return (struct msg_hello){ .protocol = PROTOCOL_VERSION,
                               .role = role,
                               .name = span_text("test"),
                               .instance = span_of(instance, INSTANCE_BYTES),
                               .tenant = span_text(tenant) };
}

const uint8_t event_bytes[10] = { 0x0a, 4, 'd', 'o', 'c', 's', 0x42, 2, 'h', 'i' }; /* topic docs, data hi */
static const char publisher_id[] = "publisher-id-16b";

void publish(void *socket, uint64_t number)
{
    uint32_t size = sizeof event_bytes;
    struct span piece = span_of(event_bytes, sizeof event_bytes);
    struct msg_publish publish = { .first_number = number, .size = &size, .count = 1 };
    say(socket, &(struct packet){ .publishes = &publish, .publish_count = 1, .pieces = &piece, .piece_count = 1 });
}

void open_worker(void *socket)
{
    struct span filter = span_text("docs.>"), plain = span_text("docs");
    struct span filters[] = { plain, filter };
    struct msg_hello hello = hello_as(ROLE_WORKER, "worker-instance1", "dev");
    hello.has_group = true;
    hello.group = (struct group_spec){ .name = span_text("readers"), .filters = filters, .filter_count = 2, .start = START_FIRST };
    struct msg_credit credit = { .kind = CREDIT_DELIVER, .events = 100, .bytes = 1 << 20 };
    say(socket, &(struct packet){ .hello = &hello });
    const struct packet *packet;
    hear_until(socket, packet, packet->welcome || packet->error_count);
    assert_non_null(packet->welcome);
    say(socket, &(struct packet){ .credits = &credit, .credit_count = 1 });
}

void open_client(void *socket)
{
    struct msg_hello hello = hello_as(ROLE_CLIENT, "client-instance1", "dev");
    hello.publisher = span_of(publisher_id, PUBLISHER_BYTES);
    hello.first_unanswered = 1;
    say(socket, &(struct packet){ .hello = &hello });
    const struct packet *packet;
    hear_until(socket, packet, packet->welcome || packet->error_count);
    assert_non_null(packet->welcome);
}

void ack(void *socket, uint64_t number, uint64_t lease)
{
    uint32_t verb = VERB_ACK;
    struct msg_settle settle = { .first_number = number, .lease = &lease, .verb = &verb, .count = 1 };
    say(socket, &(struct packet){ .settle = &settle });
}

char answer[256 * 1024];

int get(const struct coordinator *c, const char *path)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(c->http, ':') + 1)) };
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    dprintf(fd, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    size_t size = 0;
    ssize_t n;
    while ((n = read(fd, answer + size, sizeof answer - 1 - size)) > 0)
        size += (size_t)n;
    answer[size] = 0;
    close(fd);
    sscanf(answer, "HTTP/1.1 %d", &status);
    return status;
}

/* Numbers are published ten times a second: waits until the line is there. */
void await_metric(const struct coordinator *c, const char *line)
{
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(get(c, "/metrics"), 200);
        if (strstr(answer, line)) return;
        poll(NULL, 0, 10);
    }
    fail_msg("'%s' is not in: %s", line, answer);
}
