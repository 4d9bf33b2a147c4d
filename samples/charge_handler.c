/* A handler with a fault, and how `weir simtest` finds it. Each order is paid once: the handler charges the card and acks. But a worker may
 * die between the two, and the order comes again: then the card is charged twice.
 *
 *     $ weir simtest build/lib/samples/charge_handler_faulty.so
 *     seed 1: event 0: effect charge was done 2 times, without faults 1: done twice
 *         event 0, attempt 1: at worker 1
 *         event 4, attempt 1: its process was killed before the handler; what it had to send was lost
 *         event 0, attempt 2: at worker 1
 *     …
 *     $ weir simtest build/lib/samples/charge_handler.so
 *     200 seeds, 1600 events, …: no effect done twice, no event lost
 *
 * What makes the difference is the key that the payment is made with: weir_delivery_token is the same on every attempt, so that whoever
 * keeps the accounts can tell a second try from a second payment. Built twice, with and without CHARGE_WITHOUT_KEY. */
#include <weir/mock.h>

/* In the worker itself this asks a payment service; here it says what it would do. */
static void charge_card(weir_delivery *delivery, const char *idempotency_key)
{
    weir_mock_effect(delivery, "charge", idempotency_key);
}

static void on_order(weir_delivery *delivery)
{
    weir_event receipt = WEIR_EVENT_INIT;
    const char *key = weir_delivery_token(delivery);
#ifdef CHARGE_WITHOUT_KEY
    key = NULL; /* the fault */
#endif
    charge_card(delivery, key);
    receipt.topic = "receipts.new";
    weir_emit(delivery, &receipt); /* stands in the log together with the ack, or not at all */
    weir_ack(delivery);
}

void weir_simtest_handler(weir_delivery *delivery, void *state)
{
    (void)state;
    on_order(delivery);
}

void weir_simtest_options(weir_worker_options *options)
{
    static const char *const orders[] = { "orders.>" };
    options->group = "charge";
    options->topics = orders;
    options->lease_ms = 10000;
}

bool weir_simtest_event(size_t number, weir_event *event)
{
    static const char *const customers[] = { "ada", "grace", "edsger" };
    event->topic = "orders.new";
    event->key = customers[number % 3];
    return true;
}
