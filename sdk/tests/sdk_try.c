/* What the SDK's tests share. */
#include "sdk/tests/sdk_try.h"

weir_publisher *try_publisher(struct fake *fake, weir_result_fn *on_result, void *arg)
{
    weir_publisher_options o = WEIR_PUBLISHER_OPTIONS_INIT;
    weir_publisher *publisher = NULL;
    o.endpoint = fake_endpoint(fake);
    o.connect_timeout_ms = LONG_MS;
    o.on_result = on_result;
    o.arg = arg;
    assert_int_equal(weir_publisher_open(&o, &publisher), WEIR_OK);
    return publisher;
}

weir_worker *try_worker(struct fake *fake, weir_settled_fn *on_settled, void *arg)
{
    static const char *const topics[] = { "a.>" };
    weir_worker_options o = WEIR_WORKER_OPTIONS_INIT;
    weir_worker *worker = NULL;
    o.endpoint = fake_endpoint(fake);
    o.connect_timeout_ms = LONG_MS;
    o.group = "g";
    o.topics = topics;
    o.topic_count = 1;
    o.on_settled = on_settled;
    o.arg = arg;
    assert_int_equal(weir_worker_open(&o, &worker), WEIR_OK);
    return worker;
}

weir_event try_event(const char *topic, const char *data)
{
    weir_event event = WEIR_EVENT_INIT;
    event.topic = topic;
    event.data = data;
    event.data_size = strlen(data);
    return event;
}
