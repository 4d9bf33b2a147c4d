/* A raw WebSocket client for many sockets in one process, so that what is measured is the gateway. No library: a handshake, frame
 * headers, and a look at each message's type are all it knows.
 *
 *   bench_sockets --port N --sockets S --topic T [--events M]  S subscribers of T and one publisher of M events: deliveries/s
 *   bench_sockets --port N --sockets S --topic T --idle        S idle subscribers; prints a line when all are subscribed, ends with stdin
 *   bench_sockets --port N --topic T --requests R              one socket, R requests one after another: time to first partial, to reply */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/payload.h"

enum { READ_BYTES = 1 << 20, EVENTS_PER_TURN = 256, OPENING_MAX = 200, PUBLISH_WINDOW = 256, FRAME_MAX = 1 << 16, WAIT_MS = 20000 };

enum state { CONNECTING, SHAKING, SUBSCRIBING, LIVE };

struct channel {
    int fd;
    enum state state;
    bool publishes;
    size_t rest_size;
    char *rest; /* an unfinished frame */
};

struct client {
    int epoll, port;
    const char *topic;
    uint64_t sockets, events, requests;
    bool idle;
    struct channel *channels;
    uint64_t opened, live, delivered, published, answered, partials, replies;
    char *read;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_sockets: %s (%s)\n", what, errno != 0 ? strerror(errno) : "no system error");
    exit(1);
}

/* ---- sending: small frames to a socket that is not full ---- */

static void send_all(int fd, const void *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t sent = send(fd, (const char *)data + at, size - at, MSG_NOSIGNAL);
        if (sent > 0)
            at += (size_t)sent;
        else if (errno == EAGAIN)
            poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, WAIT_MS);
        else if (errno != EINTR)
            die("send");
    }
}

/* A client must mask; a mask of zeros is one and leaves the text as it is. */
static void send_text(int fd, const char *text, size_t size)
{
    unsigned char head[14] = { 0x81 };
    size_t used = 2;
    if (size < 126) {
        head[1] = (unsigned char)(0x80 | size);
    } else {
        head[1] = 0x80 | 126;
        head[2] = (unsigned char)(size >> 8);
        head[3] = (unsigned char)size;
        used = 4;
    }
    if (size >= FRAME_MAX) die("frame too long");
    send_all(fd, head, used + 4);
    send_all(fd, text, size);
}

static void send_handshake(const struct client *client, int fd)
{
    char text[512];
    int size =
        snprintf(text, sizeof text,
                 "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: weir.v1.json\r\n\r\n",
                 client->port);
    send_all(fd, text, (size_t)size);
}

static void send_subscribe(const struct client *client, int fd)
{
    char text[256];
    int size = snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"%s\"}", client->topic);
    send_text(fd, text, (size_t)size);
}

static void send_publish(struct client *client, int fd, const char *type)
{
    char text[512], data[PAYLOAD_BYTES];
    payload_write(data, client->published++, now_ns());
    int size = snprintf(text, sizeof text, "{\"type\":\"%s\",\"id\":%llu,\"topic\":\"%s\",\"data\":%.*s}", type,
                        (unsigned long long)client->published, client->topic, PAYLOAD_BYTES, data);
    send_text(fd, text, (size_t)size);
}

/* ---- receiving ---- */

static bool has(const char *text, size_t size, const char *word)
{
    return memmem(text, size < 64 ? size : 64, word, strlen(word)) != NULL;
}

static void take_message(struct client *client, struct channel *channel, const char *text, size_t size)
{
    if (has(text, size, "\"type\":\"event\"")) {
        client->delivered++;
    } else if (has(text, size, "\"type\":\"partial\"")) {
        client->partials++;
    } else if (has(text, size, "\"type\":\"reply\"")) {
        client->replies++;
    } else if (has(text, size, "\"type\":\"ok\"")) {
        if (channel->state == SUBSCRIBING) {
            channel->state = LIVE;
            client->live++;
        } else {
            client->answered++;
        }
    } else if (!has(text, size, "\"type\":\"hello\"") && !has(text, size, "\"type\":\"slow_down\"") &&
               !has(text, size, "\"type\":\"speed_up\"")) {
        fprintf(stderr, "bench_sockets: %.*s\n", (int)size, text);
        die("an answer that is none of ours");
    }
}

/* A frame at `data`: its size with header, 0 if it is not all here. */
static size_t frame_at(const unsigned char *data, size_t size, size_t *out_head)
{
    if (size < 2) return 0;
    size_t head = 2, length = data[1];
    if (length == 126 && size >= 4) {
        head = 4;
        length = (size_t)data[2] << 8 | data[3];
    } else if (length == 127 && size >= 10) {
        head = 10;
        length = 0;
        for (int i = 2; i < 10; i++)
            length = length << 8 | data[i];
    } else if (length >= 126) {
        return 0;
    }
    *out_head = head;
    return head + length <= size ? head + length : 0;
}

static size_t take_frames(struct client *client, struct channel *channel, const char *data, size_t size)
{
    size_t at = 0, head = 0;
    if (channel->state == SHAKING) {
        const char *end = memmem(data, size, "\r\n\r\n", 4);
        if (end == NULL) return 0;
        if (memcmp(data, "HTTP/1.1 101", 12) != 0) die("the handshake was refused");
        at = (size_t)(end + 4 - data);
        channel->state = channel->publishes ? LIVE : SUBSCRIBING;
        if (channel->publishes)
            client->live++;
        else
            send_subscribe(client, channel->fd);
    }
    for (size_t frame; (frame = frame_at((const unsigned char *)data + at, size - at, &head)) != 0; at += frame) {
        int opcode = data[at] & 15;
        if (opcode == 8) die("the gateway closed a socket");
        if (opcode == 9) { /* ping -> pong of the same text, which is short and masked by zeros */
            unsigned char pong[6 + 125] = { 0x8A, (unsigned char)(0x80 | (frame - head)) };
            memcpy(pong + 6, data + at + head, frame - head);
            send_all(channel->fd, pong, 6 + frame - head);
        }
        if (opcode == 1) take_message(client, channel, data + at + head, frame - head);
    }
    return at;
}

static void read_channel(struct client *client, struct channel *channel)
{
    if (channel->rest_size > 0) memcpy(client->read, channel->rest, channel->rest_size);
    ssize_t got = recv(channel->fd, client->read + channel->rest_size, READ_BYTES - channel->rest_size, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) die("a socket ended");
    if (got < 0) return;
    size_t size = channel->rest_size + (size_t)got;
    size_t taken = take_frames(client, channel, client->read, size);
    channel->rest_size = size - taken;
    if (channel->rest_size > 0) {
        channel->rest = realloc(channel->rest, channel->rest_size);
        if (channel->rest == NULL) die("memory");
        memcpy(channel->rest, client->read + taken, channel->rest_size);
    }
}

static void open_next(struct client *client, bool publishes)
{
    struct channel *channel = &client->channels[client->opened++];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)client->port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    *channel = (struct channel){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .publishes = publishes };
    if (channel->fd < 0) die("socket");
    setsockopt(channel->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    if (connect(channel->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) die("connect");
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data = { .ptr = channel } };
    if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, channel->fd, &event) != 0) die("epoll_ctl");
}

/* One look at all sockets; how many had something. */
static int turn(struct client *client, int wait_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(client->epoll, events, EVENTS_PER_TURN, wait_ms);
    for (int i = 0; i < count; i++) {
        struct channel *channel = events[i].data.ptr;
        if (channel->state == CONNECTING && (events[i].events & (EPOLLOUT | EPOLLERR)) != 0) {
            channel->state = SHAKING;
            send_handshake(client, channel->fd);
            struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = channel } };
            epoll_ctl(client->epoll, EPOLL_CTL_MOD, channel->fd, &event);
        } else if ((events[i].events & EPOLLIN) != 0) {
            read_channel(client, channel);
        }
    }
    return count;
}

static void must_turn(struct client *client)
{
    errno = 0;
    if (turn(client, WAIT_MS) == 0) {
        fprintf(stderr, "bench_sockets: live %llu delivered %llu answered %llu partials %llu replies %llu\n",
                (unsigned long long)client->live, (unsigned long long)client->delivered, (unsigned long long)client->answered,
                (unsigned long long)client->partials, (unsigned long long)client->replies);
        die("nothing came for a long time");
    }
}

/* A bounded number is between connect and ok at any time, so that the listen queue never overflows. */
static void open_all(struct client *client, uint64_t subscribers, bool publisher)
{
    uint64_t want = subscribers + (publisher ? 1 : 0);
    while (client->live < want) {
        while (client->opened < want && client->opened - client->live < OPENING_MAX)
            open_next(client, client->opened == subscribers);
        must_turn(client);
    }
}

/* ---- the three measurements ---- */

static int fan_out(struct client *client)
{
    open_all(client, client->sockets, true);
    int publisher = client->channels[client->sockets].fd;
    uint64_t started = now_ns(), want = client->events * client->sockets;
    while (client->delivered < want || client->answered < client->events) {
        while (client->published < client->events && client->published - client->answered < PUBLISH_WINDOW &&
               client->published * client->sockets < client->delivered + PUBLISH_WINDOW * client->sockets)
            send_publish(client, publisher, "publish");
        must_turn(client);
    }
    double seconds = (double)(now_ns() - started) / 1e9;
    printf("{\"sockets\":%llu,\"events\":%llu,\"seconds\":%.4f,\"deliveries_per_s\":%.0f}\n", (unsigned long long)client->sockets,
           (unsigned long long)client->events, seconds, (double)want / seconds);
    return 0;
}

static int stay_idle(struct client *client)
{
    open_all(client, client->sockets, false);
    printf("{\"sockets\":%llu}\n", (unsigned long long)client->live);
    fflush(stdout);
    struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .fd = client->epoll, .events = POLLIN } };
    while (poll(fds, 2, -1) >= 0 && fds[0].revents == 0)
        if (fds[1].revents != 0) turn(client, 0);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int request(struct client *client)
{
    open_all(client, 0, true);
    uint64_t *first = calloc(client->requests, sizeof *first), *whole = calloc(client->requests, sizeof *whole);
    if (first == NULL || whole == NULL) die("memory");
    for (uint64_t i = 0; i < client->requests; i++) {
        uint64_t started = now_ns(), partials = client->partials;
        send_publish(client, client->channels[0].fd, "request");
        while (client->partials == partials && client->replies == i)
            must_turn(client);
        first[i] = now_ns() - started;
        while (client->replies == i)
            must_turn(client);
        whole[i] = now_ns() - started;
    }
    if (client->partials < client->requests) die("a reply came without a partial before it");
    qsort(first, client->requests, sizeof *first, by_size);
    qsort(whole, client->requests, sizeof *whole, by_size);
    uint64_t half = client->requests / 2, most = client->requests * 99 / 100;
    printf("{\"requests\":%llu,\"partial_p50_us\":%.1f,\"partial_p99_us\":%.1f,\"reply_p50_us\":%.1f,\"reply_p99_us\":%.1f}\n",
           (unsigned long long)client->requests, (double)first[half] / 1e3, (double)first[most] / 1e3, (double)whole[half] / 1e3,
           (double)whole[most] / 1e3);
    return 0;
}

static bool parse(struct client *client, int argc, char **argv)
{
    static const struct option options[] = { { "port", 1, NULL, 'p' },   { "sockets", 1, NULL, 's' },  { "topic", 1, NULL, 't' },
                                             { "events", 1, NULL, 'e' }, { "requests", 1, NULL, 'r' }, { "idle", 0, NULL, 'i' },
                                             { NULL, 0, NULL, 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p':
            client->port = atoi(optarg);
            break;
        case 's':
            client->sockets = strtoull(optarg, NULL, 10);
            break;
        case 't':
            client->topic = optarg;
            break;
        case 'e':
            client->events = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            client->requests = strtoull(optarg, NULL, 10);
            break;
        case 'i':
            client->idle = true;
            break;
        default:
            return false;
        }
    }
    return client->port != 0 && client->topic != NULL && (client->requests != 0 || client->sockets != 0);
}

int main(int argc, char **argv)
{
    struct client client = { .events = 1000 };
    if (!parse(&client, argc, argv)) {
        fprintf(stderr, "usage: bench_sockets --port N --topic T (--sockets N [--events N | --idle] | --requests N)\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    client.epoll = epoll_create1(0);
    client.channels = calloc(client.sockets + 1, sizeof *client.channels);
    client.read = malloc(READ_BYTES);
    if (client.epoll < 0 || client.channels == NULL || client.read == NULL) die("start");
    if (client.requests != 0) return request(&client);
    return client.idle ? stay_idle(&client) : fan_out(&client);
}
