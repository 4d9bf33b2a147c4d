/* It reads the numbers that the loop published and nothing else, so no request can hold the loop.
 * Healthy: the loop came round in the last five seconds (it does so every second). Ready: it serves and is not draining. */
#include "coordinator/shell/http.h"

#include "coordinator/shell/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ALIVE_WITHIN_S = 5, CONNECTIONS_MAX = 64, IDLE_TIMEOUT_S = 30 };

struct http {
    struct MHD_Daemon *daemon;
    struct stats_board *board;
    char address[NI_MAXHOST + 16];
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response, const char *type)
{
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
    return answer(connection, status, response, "text/plain; charset=utf-8");
}

static enum MHD_Result answer_metrics(struct MHD_Connection *connection, struct stats_board *board, const struct stats *stats)
{
    struct metrics metrics = { 0 };
    stats_write(stats, clock_monotonic_ns(), &metrics);
    stats_write_groups(board, &metrics);
    if (metrics.failed) {
        metrics_free(&metrics);
        return answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory\n");
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(metrics.size, metrics.data, MHD_RESPMEM_MUST_FREE);
    return answer(connection, MHD_HTTP_OK, response, METRICS_CONTENT_TYPE);
}

static enum MHD_Result serve(void *arg, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                             const char *upload, size_t *upload_size, void **request)
{
    (void)version;
    (void)upload;
    (void)request;
    struct http *http = arg;
    struct stats stats;
    if (*upload_size > 0) { /* a body that nobody wants is read and dropped */
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
    stats_read(http->board, &stats);
    uint64_t now_ns = clock_monotonic_ns();
    if (strcmp(url, "/metrics") == 0) return answer_metrics(connection, http->board, &stats);
    if (strcmp(url, "/healthz") == 0) {
        bool alive = !stats.ready || now_ns < stats.alive_ns + ALIVE_WITHIN_S * 1000000000ULL;
        return answer_text(connection, alive ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                           !alive        ? "the loop does not come round\n"
                           : stats.ready ? "ok\n"
                                         : "starting\n");
    }
    if (strcmp(url, "/readyz") == 0) {
        bool ready = stats.ready && !stats.draining;
        return answer_text(connection, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                           ready            ? "ok\n"
                           : stats.draining ? "draining\n"
                                            : "starting\n");
    }
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "/metrics /healthz /readyz\n");
}

/* A bound socket that listens, or -1. */
static int listen_on(const char *address, char *error, size_t error_size)
{
    char host[NI_MAXHOST];
    const char *colon = strrchr(address, ':'), *from = address;
    size_t size = (size_t)(colon - address);
    if (*from == '[' && size > 2) {
        from++;
        size -= 2;
    }
    snprintf(host, sizeof host, "%.*s", (int)size, from);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found;
    int code = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, colon + 1, &hints, &found);
    if (code != 0) {
        snprintf(error, error_size, "%s: %s", address, gai_strerror(code));
        return -1;
    }
    int on = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
        listen(fd, 128) != 0) {
        snprintf(error, error_size, "%s: %s", address, strerror(errno));
        if (fd >= 0) close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void find_address(struct http *http, int fd)
{
    struct sockaddr_storage real;
    socklen_t size = sizeof real;
    char host[NI_MAXHOST] = "", port[16] = "";
    if (getsockname(fd, (struct sockaddr *)&real, &size) != 0) return;
    getnameinfo((struct sockaddr *)&real, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(http->address, sizeof http->address, real.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

struct http *http_open(const char *address, struct stats_board *board, char *error, size_t error_size)
{
    struct http *http = calloc(1, sizeof *http);
    if (!http) return NULL;
    int fd = listen_on(address, error, error_size);
    if (fd < 0) {
        free(http);
        return NULL;
    }
    http->board = board;
    find_address(http, fd);
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, serve, http, MHD_OPTION_LISTEN_SOCKET, fd,
                                    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                                    (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
    if (!http->daemon) {
        snprintf(error, error_size, "%s: the HTTP thread does not start", address);
        close(fd);
        free(http);
        return NULL;
    }
    return http;
}

const char *http_address(const struct http *http)
{
    return http->address;
}

void http_close(struct http **http)
{
    if (!*http) return;
    MHD_stop_daemon((*http)->daemon);
    free(*http);
    *http = NULL;
}
