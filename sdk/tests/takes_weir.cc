// A C++ compiler takes the public headers, with its warnings on, and the shared library has what they declare.
#include <weir/admin.h>

#include <cstdio>

static void on_event(weir_delivery *delivery, void *)
{
    weir_ack(delivery);
}

int main()
{
    weir_worker_options o = WEIR_WORKER_OPTIONS_INIT;
    weir_worker *worker = nullptr;
    weir_event event = WEIR_EVENT_INIT;
    weir_error error;
    weir_status status = weir_worker_open(&o, &worker); // without a group
    if (status == WEIR_OK) status = weir_worker_run(worker, on_event, nullptr);
    weir_worker_close(&worker);
    weir_last_error(nullptr, &error);
    std::printf("%s: %s (%s)\n", weir_version(), error.word, error.detail);
    return status == WEIR_INVALID && event.size == sizeof event ? 0 : 1;
}
