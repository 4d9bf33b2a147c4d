/* A worker that answers each request at once: one partial, then the reply. For the way from a browser to a worker's first partial.
 *
 *   bench_answer ENDPOINT TOPIC      prints a line when it is connected; ends by SIGTERM */
#include <signal.h>
#include <stdio.h>
#include <weir/weir.h>

static weir_worker *worker;

static void on_signal(int signal_number)
{
    (void)signal_number;
    weir_worker_stop(worker);
}

static void on_event(weir_delivery *delivery, void *arg)
{
    (void)arg;
    weir_partial(delivery, "\"first\"", 7);
    weir_reply(delivery, "\"whole\"", 7);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bench_answer ENDPOINT TOPIC\n");
        return 2;
    }
    const char *const topics[] = { argv[2] };
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    options.endpoint = argv[1];
    options.group = "answer";
    options.topics = topics;
    options.topic_count = 1;
    options.connect_timeout_ms = 10000;
    weir_status status = weir_worker_open(&options, &worker);
    if (status != WEIR_OK) {
        fprintf(stderr, "bench_answer: %s\n", weir_status_text(status));
        return 1;
    }
    signal(SIGTERM, on_signal);
    puts("ready");
    fflush(stdout);
    status = weir_worker_run(worker, on_event, NULL);
    weir_worker_close(&worker);
    return status == WEIR_OK ? 0 : 1;
}
