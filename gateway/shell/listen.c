/* Our own listening socket: libwebsockets' own sets no TCP_NODELAY on what it adopts, spins when descriptors run out, and cannot be closed
 * alone, which is what draining needs. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/shell/server_parts.h"

enum {
    BACKLOG = 4096,
    ACCEPTS_PER_TURN = 64,
    SEND_BUFFER = 64 * 1024, /* small, so that our own queue sees early that a client does not read */
    PAUSE_MS = 100,          /* after an accept that failed for want of descriptors */
};

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void on_accept_again(uv_timer_t *timer)
{
    struct server *server = timer->data;
    if (server->listener >= 0) uv_poll_start(&server->accepting, UV_READABLE, on_acceptable);
}

static void adopt(struct server *server, int fd)
{
    int one = 1;
    int size = SEND_BUFFER;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    lws_sock_file_fd_type descriptor = { .sockfd = fd };
    server->stats.accepted++;
    (void)lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP, descriptor, NULL,
                                     NULL); /* closes it when it fails */
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            adopt(server, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (server->stats.accept_failures++ == 0) journal_warning("accept_failed", "message=%s", strerror(errno));
            uv_poll_stop(&server->accepting);
            uv_timer_start(&server->accept_again, on_accept_again, PAUSE_MS, 0);
        }
        return;
    }
}

static void name_address(struct server *server)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[64];
    char port[8];
    if (getsockname(server->listener, (struct sockaddr *)&address, &size) != 0 ||
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    snprintf(server->address, sizeof server->address, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int bind_first(const struct addrinfo *list)
{
    int one = 1;
    for (; list != NULL; list = list->ai_next) {
        int fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, list->ai_addr, list->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
        int error = errno;
        close(fd);
        errno = error;
    }
    return -1;
}

bool listen_open(struct server *server)
{
    char host[256];
    const char *text = server->gateway->config->listen;
    const char *colon = strrchr(text, ':');
    bool bracketed = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(colon - text) - (bracketed ? 2 : 0), text + (bracketed ? 1 : 0));
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *list;
    int error = getaddrinfo(host, colon + 1, &hints, &list);
    if (error != 0) {
        journal_error("listen_failed", "listen=%s message=%s", text, gai_strerror(error));
        return false;
    }
    server->listener = bind_first(list);
    freeaddrinfo(list);
    if (server->listener < 0) {
        journal_error("listen_failed", "listen=%s message=%s", text, strerror(errno));
        return false;
    }
    name_address(server);
    uv_timer_init(&server->gateway->loop, &server->accept_again);
    uv_poll_init(&server->gateway->loop, &server->accepting, server->listener);
    server->accept_again.data = server;
    server->accepting.data = server;
    uv_poll_start(&server->accepting, UV_READABLE, on_acceptable);
    return true;
}

void listen_close(struct server *server)
{
    if (server->listener < 0) return;
    uv_poll_stop(&server->accepting);
    uv_timer_stop(&server->accept_again);
    uv_close((uv_handle_t *)&server->accepting, NULL);
    uv_close((uv_handle_t *)&server->accept_again, NULL);
    close(server->listener);
    server->listener = -1;
}
