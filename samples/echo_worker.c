/* The smallest complete worker: answers a request with the data it came with, and acks every other event. Try it:
 *     weir request echo.hello '"is anybody there?"' */
#include <weir/weir.h>

#include <signal.h>
#include <stdio.h>

static weir_worker *worker;

static void on_signal(int number)
{
    (void)number;
    weir_worker_stop(worker);
}

static void on_event(weir_delivery *delivery, void *arg)
{
    (void)arg;
    const weir_event *event = weir_delivery_event(delivery);
    if (event != NULL && weir_delivery_is_request(delivery))
        weir_reply(delivery, event->data, event->data_size);
    else
        weir_ack(delivery);
}

int main(void)
{
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT; /* finds the coordinator by WEIR_ENDPOINT, else on this machine */
    options.group = "echo";
    options.topics = (const char *[]){ "echo.>" };
    options.topic_count = 1;
    weir_status status = weir_worker_open(&options, &worker);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (status == WEIR_OK) status = weir_worker_run(worker, on_event, NULL);
    if (status != WEIR_OK) fprintf(stderr, "echo_worker: %s\n", weir_status_text(status));
    weir_worker_close(&worker);
    return status == WEIR_OK ? 0 : 1;
}
