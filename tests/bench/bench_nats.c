/* NATS JetStream: file storage, one replica, asynchronous publishes in a window, a pull consumer with explicit acks. The pull requests
 * are written by hand and kept in flight, as newer clients do: libnats' natsSubscription_Fetch waits for a whole batch or its time-out,
 * which would spoil JetStream's latency. The acks are JetStream's ordinary, unanswered ones. URL: nats://HOST:PORT. */
#include <nats/nats.h>

#include "tests/bench/bench.h"

enum { PULL_BATCH = 500, PULLS = 2 };

static bool failed(natsStatus status, const char *what)
{
    if (status == NATS_OK) return false;
    const char *detail = nats_GetLastError(NULL);
    fprintf(stderr, "nats: %s: %s (%s)\n", what, natsStatus_GetText(status), detail != NULL ? detail : "");
    return true;
}

/* libnats gathers what is sent for a moment; in an open loop that moment would count against JetStream, so it is told to send at once. */
static natsStatus open_nats(natsConnection **connection, const struct bench *bench)
{
    natsOptions *options = NULL;
    natsStatus status = natsOptions_Create(&options);
    if (status == NATS_OK) status = natsOptions_SetURL(options, bench->url);
    if (status == NATS_OK) status = natsOptions_SetSendAsap(options, bench->rate != 0);
    if (status == NATS_OK) status = natsConnection_Connect(connection, options);
    natsOptions_Destroy(options);
    return status;
}

static int publish(struct bench *bench)
{
    natsConnection *connection = NULL;
    jsCtx *js = NULL;
    jsOptions options;
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = bench->window;
    options.PublishAsync.StallWait = 20000; /* ms: when the window is full, wait and do not fail */
    if (failed(open_nats(&connection, bench), "connect")) return 1;
    if (failed(natsConnection_JetStream(&js, connection, &options), "jetstream")) return 1;
    bench_publisher_ready(bench);
    bool bad = false;
    while (!bad && bench->made < bench->until) {
        uint32_t due = bench_due(bench, bench->window);
        for (uint32_t i = 0; i < due && !bad; i++)
            bad = failed(js_PublishAsync(js, "bench.events", bench_make(bench), PAYLOAD_BYTES, NULL), "publish");
        if (due == 0) bench_sleep_until(bench_next_ns(bench));
    }
    if (!bad) bad = failed(js_PublishAsyncComplete(js, NULL), "publish complete");
    jsCtx_Destroy(js);
    natsConnection_Destroy(connection);
    return bad;
}

enum { MAKE_TRIES = 100, MAKE_AGAIN_MS = 20 };

/* Every worker asks for it, at the same moment: to all but one the server may say for a while that the subjects are taken. */
static natsStatus add_stream(jsCtx *js, jsStreamConfig *stream)
{
    natsStatus status = NATS_ERR;
    jsErrCode code = JSStreamSubjectOverlapErr;
    for (int i = 0; i < MAKE_TRIES && status != NATS_OK && code == JSStreamSubjectOverlapErr; i++) {
        if (i > 0) nats_Sleep(MAKE_AGAIN_MS);
        code = 0;
        status = js_AddStream(NULL, js, stream, NULL, &code);
    }
    return status;
}

/* Every worker asks for the same. */
static bool make_stream(natsConnection *connection, uint32_t unacked)
{
    jsCtx *js = NULL;
    jsStreamConfig stream;
    jsStreamConfig_Init(&stream);
    stream.Name = "BENCH";
    stream.Subjects = (const char *[1]){ "bench.events" };
    stream.SubjectsLen = 1;
    stream.Storage = js_FileStorage;
    stream.Replicas = 1;
    jsConsumerConfig consumer;
    jsConsumerConfig_Init(&consumer);
    consumer.Durable = "w";
    consumer.AckPolicy = js_AckExplicit;
    consumer.MaxAckPending = unacked;
    bool bad = failed(natsConnection_JetStream(&js, connection, NULL), "jetstream") ||
               failed(add_stream(js, &stream), "add stream") ||
               failed(js_AddConsumer(NULL, js, "BENCH", &consumer, NULL, NULL), "add consumer");
    jsCtx_Destroy(js);
    return !bad;
}

static bool pull(natsConnection *connection, const char *inbox)
{
    char request[64];
    snprintf(request, sizeof request, "{\"batch\":%d,\"expires\":60000000000}", PULL_BATCH);
    return !failed(natsConnection_PublishRequestString(connection, "$JS.API.CONSUMER.MSG.NEXT.BENCH.w", inbox, request), "pull");
}

static bool consume(struct bench *bench, natsConnection *connection, natsSubscription *subscription, const char *inbox)
{
    uint32_t asked = 0;
    while (!bench_done(bench)) {
        for (; asked <= PULL_BATCH * (PULLS - 1); asked += PULL_BATCH)
            if (!pull(connection, inbox)) return false;
        natsMsg *message = NULL;
        natsStatus status = natsSubscription_NextMsg(&message, subscription, 1000);
        if (status == NATS_TIMEOUT) continue;
        if (failed(status, "next")) return false;
        const char *reply = natsMsg_GetReply(message);
        if (reply == NULL) {
            fprintf(stderr, "nats: a pull request ended early\n");
            natsMsg_Destroy(message);
            return false;
        }
        asked--;
        bench_handle(bench, 0, natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message));
        bool bad = failed(natsConnection_PublishString(connection, reply, "+ACK"), "ack");
        natsMsg_Destroy(message);
        if (bad) return false;
        bench_acked(bench, 1);
    }
    return !failed(natsConnection_FlushTimeout(connection, 10000), "flush");
}

static int work(struct bench *bench)
{
    natsConnection *connection = NULL;
    natsSubscription *subscription = NULL;
    natsInbox *inbox = NULL;
    bool bad = failed(open_nats(&connection, bench), "connect") || !make_stream(connection, bench->window * bench->workers) ||
               failed(natsInbox_Create(&inbox), "inbox") ||
               failed(natsConnection_SubscribeSync(&subscription, connection, inbox), "subscribe");
    if (!bad) {
        bench_worker_ready(bench);
        bad = !consume(bench, connection, subscription, inbox);
    }
    natsSubscription_Destroy(subscription);
    natsInbox_Destroy(inbox);
    natsConnection_Destroy(connection);
    return bad;
}

int main(int argc, char **argv)
{
    return bench_main(argc, argv, &(struct bench_system){ .name = "nats", .publish = publish, .work = work });
}
