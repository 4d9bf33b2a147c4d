/* weir, through its public header alone: a publisher with the default window and a worker that acks each event in its handler. An event
 * counts as acked when its settle is answered, so as committed. URL: an endpoint of a coordinator. */
#include <weir/weir.h>

#include "tests/bench/bench.h"

enum { CREDIT = 4096, WAIT_MS = 60000 };

static weir_worker *worker; /* for the callbacks; one per process */

static int failed(const void *handle, weir_status status, const char *what)
{
    if (status == WEIR_OK) return 0;
    weir_error error;
    weir_last_error(handle, &error);
    fprintf(stderr, "weir: %s: %s (%s)\n", what, weir_status_text(status), error.detail);
    return 1;
}

static _Atomic uint64_t refused;

static void on_result(const weir_result *result, void *arg)
{
    (void)arg;
    if (result->status == WEIR_OK) return;
    if (refused == 0) fprintf(stderr, "weir: a publish was refused: %s\n", weir_status_text(result->status));
    refused += result->count;
}

static int publish(struct bench *bench)
{
    weir_publisher_options options = WEIR_PUBLISHER_OPTIONS_INIT;
    options.endpoint = bench->url;
    options.connect_timeout_ms = WAIT_MS;
    options.on_result = on_result;
    weir_publisher *publisher = NULL;
    if (failed(NULL, weir_publisher_open(&options, &publisher), "publisher")) return 1;
    bench->started_ns = bench_now_ns(); /* connecting is no part of it */
    weir_event event = WEIR_EVENT_INIT;
    event.topic = "bench.events";
    event.data_size = PAYLOAD_BYTES;
    int bad = 0;
    while (bad == 0 && bench->made < bench->events) {
        uint32_t due = bench_due(bench, bench->window);
        for (uint32_t i = 0; i < due && bad == 0; i++) {
            event.data = bench_make(bench);
            bad = failed(publisher, weir_publish_async(publisher, &event, WAIT_MS, NULL), "publish");
        }
        if (due == 0) bench_sleep_until(bench_next_ns(bench));
    }
    if (bad == 0) bad = failed(publisher, weir_publisher_flush(publisher, WAIT_MS), "flush");
    weir_publisher_close(&publisher);
    return bad != 0 || refused != 0;
}

static void on_event(weir_delivery *delivery, void *arg)
{
    const weir_event *event = weir_delivery_event(delivery);
    if (event != NULL) bench_handle(arg, event->data, event->data_size);
    weir_ack(delivery);
}

static void on_settled(const weir_settled *settled, void *arg)
{
    struct bench *bench = arg;
    if (settled->status == WEIR_OK) bench_acked(bench, 1);
    if (bench_done(bench)) weir_worker_stop(worker);
}

static void on_state(weir_state state, const weir_error *error, void *arg)
{
    struct bench *bench = arg;
    (void)error;
    if (state == WEIR_STATE_UP && !bench->shared->worker_ready) bench_worker_ready(bench);
}

static int work(struct bench *bench)
{
    const char *const topics[] = { "bench.events" };
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    options.endpoint = bench->url;
    options.group = "bench";
    options.topics = topics;
    options.topic_count = 1;
    options.start = WEIR_START_FIRST;
    options.credit = CREDIT;
    options.connect_timeout_ms = WAIT_MS;
    options.on_state = on_state;
    options.on_settled = on_settled;
    options.arg = bench;
    if (failed(NULL, weir_worker_open(&options, &worker), "worker")) return 1;
    int bad = failed(worker, weir_worker_run(worker, on_event, bench), "run");
    weir_worker_close(&worker);
    return bad;
}

int main(int argc, char **argv)
{
    return bench_main(argc, argv, &(struct bench_system){ .name = "weir", .publish = publish, .work = work });
}
