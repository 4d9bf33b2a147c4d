/* Redis Streams: XADD in a pipeline, XREADGROUP and XACK of what was read, as hiredis users write it. What it promises depends on the
 * server's appendfsync. URL: HOST:PORT. */
#include <hiredis/hiredis.h>
#include <poll.h>

#include "tests/bench/bench.h"

enum { READ_COUNT = 500 };

static redisContext *open_redis(const struct bench *bench)
{
    char host[128];
    int port = 0;
    if (sscanf(bench->url, "%127[^:]:%d", host, &port) != 2) return NULL;
    redisContext *redis = redisConnect(host, port);
    if (redis != NULL && redis->err != 0) {
        fprintf(stderr, "redis: %s\n", redis->errstr);
        redisFree(redis);
        return NULL;
    }
    return redis;
}

/* Takes the replies that have come; waits up to wait_ms for the first. -1: the connection or a command failed. */
static int take_replies(redisContext *redis, int wait_ms, uint32_t *open)
{
    struct pollfd fd = { .fd = redis->fd, .events = POLLIN };
    if (poll(&fd, 1, wait_ms) <= 0) return 0;
    if (redisBufferRead(redis) != REDIS_OK) return -1;
    for (;;) {
        void *reply = NULL;
        if (redisGetReplyFromReader(redis, &reply) != REDIS_OK) return -1;
        if (reply == NULL) return 0;
        bool bad = ((redisReply *)reply)->type == REDIS_REPLY_ERROR;
        if (bad) fprintf(stderr, "redis: %s\n", ((redisReply *)reply)->str);
        freeReplyObject(reply);
        if (bad) return -1;
        (*open)--;
    }
}

static int publish(struct bench *bench)
{
    redisContext *redis = open_redis(bench);
    if (redis == NULL) return 1;
    bench_publisher_ready(bench);
    uint32_t open = 0;
    int failed = 0;
    while (failed == 0 && (bench->made < bench->until || open > 0)) {
        uint32_t due = bench_due(bench, bench->window - open);
        for (uint32_t i = 0; i < due; i++, open++)
            redisAppendCommand(redis, "XADD bench * d %b", bench_make(bench), (size_t)PAYLOAD_BYTES);
        for (int done = 0; due > 0 && done == 0;)
            if (redisBufferWrite(redis, &done) != REDIS_OK) failed = 1;
        uint64_t next = bench_next_ns(bench), now = bench_now_ns();
        if (open == 0) {
            if (next != UINT64_MAX) bench_sleep_until(next);
            continue;
        }
        /* poll counts in ms: with less than one until the next event, sleep for it instead and look at the replies after */
        int wait_ms = open == bench->window || next == UINT64_MAX ? 1000 : next > now ? (int)((next - now) / 1000000u) : 0;
        if (wait_ms == 0 && next > now && next != UINT64_MAX && bench->rate != 0) bench_sleep_until(next);
        if (take_replies(redis, wait_ms, &open) != 0) failed = 1;
    }
    redisFree(redis);
    return failed;
}

/* Handles one reply of XREADGROUP: [[stream, [[id, [field, value]], …]]]; its ids go into one XACK. */
static int handle(struct bench *bench, redisContext *redis, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_NIL) return 0;
    if (reply->type != REDIS_REPLY_ARRAY) return -1;
    const redisReply *messages = reply->element[0]->element[1];
    const char *words[READ_COUNT + 3] = { "XACK", "bench", "g" };
    size_t sizes[READ_COUNT + 3] = { 4, 5, 1 };
    for (size_t i = 0; i < messages->elements; i++) {
        const redisReply *message = messages->element[i];
        const redisReply *value = message->element[1]->element[1];
        bench_handle(bench, 0, value->str, value->len);
        words[i + 3] = message->element[0]->str;
        sizes[i + 3] = message->element[0]->len;
    }
    redisReply *answer = redisCommandArgv(redis, (int)messages->elements + 3, words, sizes);
    if (answer == NULL || answer->type != REDIS_REPLY_INTEGER) return -1;
    bench_acked(bench, (uint64_t)answer->integer);
    freeReplyObject(answer);
    return 0;
}

static int work(struct bench *bench)
{
    redisContext *redis = open_redis(bench);
    if (redis == NULL) return 1;
    freeReplyObject(redisCommand(redis, "XGROUP CREATE bench g 0 MKSTREAM"));
    bench_worker_ready(bench);
    int failed = 0;
    while (failed == 0 && !bench_done(bench)) {
        redisReply *reply = redisCommand(redis, "XREADGROUP GROUP g %u COUNT %d BLOCK 5000 STREAMS bench >", bench->number, READ_COUNT);
        if (reply == NULL || handle(bench, redis, reply) != 0) {
            fprintf(stderr, "redis: %s\n", reply != NULL && reply->str != NULL ? reply->str : redis->errstr);
            failed = 1;
        }
        freeReplyObject(reply);
    }
    redisFree(redis);
    return failed;
}

int main(int argc, char **argv)
{
    return bench_main(argc, argv, &(struct bench_system){ .name = "redis", .publish = publish, .work = work });
}
