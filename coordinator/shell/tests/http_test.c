#include "coordinator/shell/http.h"
#include "tests/support/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct stats_board board = { .lock = PTHREAD_MUTEX_INITIALIZER };
static char answer[65536];

static int get(const struct http *http, const char *path)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(http_address(http), ':') + 1)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    size_t size = 0;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    dprintf(fd, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    for (ssize_t n; (n = read(fd, answer + size, sizeof answer - 1 - size)) > 0;)
        size += (size_t)n;
    answer[size] = 0;
    close(fd);
    sscanf(answer, "HTTP/1.1 %d", &status);
    return status;
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void a_coordinator_that_reads_its_log_lives_but_is_not_ready(void **state)
{
    (void)state;
    char error[256];
    struct stats stats = { 0 };
    stats_publish(&board, &stats);
    struct http *http = http_open("127.0.0.1:0", &board, error, sizeof error);
    assert_non_null(http);

    assert_int_equal(get(http, "/healthz"), 200);
    assert_non_null(strstr(answer, "starting"));
    assert_int_equal(get(http, "/readyz"), 503);
    assert_int_equal(get(http, "/metrics"), 200);
    assert_non_null(strstr(answer, "weir_coordinator_ready 0"));

    stats.ready = true;
    stats.alive_ns = monotonic_ns();
    stats_publish(&board, &stats);
    assert_int_equal(get(http, "/healthz"), 200);
    assert_int_equal(get(http, "/readyz"), 200);
    http_close(&http);
}

static void a_loop_that_does_not_come_round_is_not_healthy(void **state)
{
    (void)state;
    char error[256];
    struct stats stats = { .ready = true, .alive_ns = 1 /* since the machine began */ };
    stats_publish(&board, &stats);
    struct http *http = http_open("127.0.0.1:0", &board, error, sizeof error);
    assert_non_null(http);
    assert_int_equal(get(http, "/healthz"), 503);
    assert_non_null(strstr(answer, "the loop does not come round"));
    http_close(&http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_coordinator_that_reads_its_log_lives_but_is_not_ready),
        cmocka_unit_test(a_loop_that_does_not_come_round_is_not_healthy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
