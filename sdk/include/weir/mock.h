/* weir/mock.h: a coordinator in the process, for the tests of workers. A library of its own, libweir-mock, which holds all of libweir too:
 * link it in place of libweir (`pkg-config weir-mock`, weir::mock), and give handles the mock's endpoint. They are the same handles and the
 * same calls as against a real coordinator, and behind them stand the coordinator's own core, the wire's own packets and a log in memory.
 *
 * There is no socket, no thread and no real time. A call that waits makes everything happen that is due; when nothing is left it lets the
 * mock's clock jump to whatever comes next, up to its timeout (-1 is an hour here). So a lease of 30 seconds costs no second, and the same
 * seed gives the same run. A handle's callbacks come inside such calls. weir_worker_run returns WEIR_TIMED_OUT when there has been nothing
 * to do for an hour; `handlers` must be 1. A mock and its handles belong to one thread.
 *
 *     weir_mock_open(NULL, &mock);
 *     options.endpoint = weir_mock_endpoint(mock);                              of a worker and of a publisher
 *     weir_worker_open(&options, &worker);  weir_publisher_open(…, &publisher);
 *     weir_publish(publisher, &event, -1, NULL);
 *     weir_worker_next(worker, -1, &delivery);  my_handler(delivery, NULL);
 *     weir_worker_flush(worker, -1);                                            its settle is committed; on_settled was called
 *
 * What was emitted is read by a weir_subscriber on the same endpoint, replies by weir_request_next. */
#ifndef WEIR_MOCK_H
#define WEIR_MOCK_H

#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_mock weir_mock;

/* ---- Effects outside weir ---------------------------------------------------------------------------------------------------------- */

/* Stands in a test for something that a handler does outside weir: a payment, a mail, a row. `what` names it ("charge"). `key` is the
 * idempotency key that the outside is given with it: it does nothing the second time it sees the same `what` with the same key. NULL:
 * none, it is done each time. weir_delivery_token is such a key. Copied. In the handler of the delivery, also after its settle; with a
 * real coordinator behind the delivery it is nothing. Since 0.1. */
WEIR_API void weir_mock_effect(weir_delivery *delivery, const char *what, const char *key);

typedef struct weir_mock_done {
    const char *what, *key; /* key: "" without one */
    uint64_t seq;           /* of the event it was done for */
    uint32_t attempt;
    bool again; /* the outside had seen the key, and did nothing */
} weir_mock_done;

/* All calls of weir_mock_effect so far, in their order: lends them until the next one. Returns how many. Since 0.1. */
WEIR_API size_t weir_mock_effects(const weir_mock *mock, const weir_mock_done **out_effects);

typedef enum weir_mock_moment { WEIR_MOCK_BEFORE = 1, WEIR_MOCK_AFTER = 2 } weir_mock_moment;

/* In weir_mock_effect, before and after the effect: here a test can let time pass, cut, kill or restart. Since 0.1. */
typedef void weir_mock_effect_fn(weir_delivery *delivery, const char *what, weir_mock_moment moment, void *arg);

/* ---- The mock ------------------------------------------------------------------------------------------------------------------------ */

/* 0 or NULL = the default behind it. Since 0.1. */
typedef struct weir_mock_options {
    size_t size;       /* set by WEIR_MOCK_OPTIONS_INIT */
    uint64_t seed;     /* everything random in it; 1 */
    uint64_t start_ms; /* Unix: where its clock begins; 2026-01-01T00:00:00Z */
    weir_mock_effect_fn *on_effect;
    void *arg;
} weir_mock_options;

static inline weir_mock_options weir_mock_options_init(void)
{
    weir_mock_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    return o;
}
#define WEIR_MOCK_OPTIONS_INIT weir_mock_options_init()

/* Gives *out_mock; options may be NULL. WEIR_OK | WEIR_INVALID | WEIR_NO_MEMORY. Since 0.1. */
WEIR_API weir_status weir_mock_open(const weir_mock_options *options, weir_mock **out_mock);

/* Frees it and its log. Sets *mock to NULL; NULL inside is fine. WEIR_OK | WEIR_INVALID (a handle is open on it: nothing is done).
 * Since 0.1. */
WEIR_API weir_status weir_mock_close(weir_mock **mock);

/* For the options of handles, or WEIR_ENDPOINT; at most 64 at once, one more is WEIR_FULL. Lent until close. Since 0.1. */
WEIR_API const char *weir_mock_endpoint(const weir_mock *mock);

WEIR_API uint64_t weir_mock_time_ms(const weir_mock *mock); /* its clock, Unix. Since 0.1. */

/* Lets so much time pass; what comes due in it happens in its order. Not from a callback, but for on_effect. Since 0.1. */
WEIR_API void weir_mock_advance(weir_mock *mock, uint64_t ms);

/* ---- Faults ---------------------------------------------------------------------------------------------------------------------------
 * They happen at once and do not fail. Not from a callback, but for on_effect. */

/* The connection of a handle is lost, and made again as time passes. `sent`: what the handle had to send still arrives, and only the
 * answers are lost; else neither. Since 0.1. */
WEIR_API void weir_mock_cut(weir_mock *mock, const void *handle, bool sent);

/* As if the handle's process were killed: from now on nothing it does leaves it, its effects are none, nothing comes, and what waits on it
 * ends with WEIR_TIMED_OUT. It is still to be closed. `sent` as above. Since 0.1. */
WEIR_API void weir_mock_kill(weir_mock *mock, const void *handle, bool sent);

/* The coordinator is killed and starts again from its log; all connections are lost. `kept`: the blocks it was writing are there, though
 * nobody was told. Since 0.1. */
WEIR_API void weir_mock_restart(weir_mock *mock, bool kept);

/* ---- weir simtest HANDLER.so -----------------------------------------------------------------------------------------------------------
 *
 * Runs a handler in a shared object on a mock, once without a fault and then for each seed with some: time beyond the lease, lost
 * connections, killed processes, a coordinator that starts again, before the handler, around each weir_mock_effect, and after it. In the
 * end each event must have had the same effects and emits as without faults: more is an effect done twice, fewer an event lost.
 *
 * The object shows weir_simtest_handler, and the others if it wants. It is linked with nothing of weir: the functions are those of the
 * `weir` that loads it. What its handler does outside weir it does through functions of its own, of which the object has versions that call
 * weir_mock_effect. The handler settles each delivery before it returns. */
#define WEIR_SIMTEST __attribute__((visibility("default")))

WEIR_SIMTEST void weir_simtest_handler(weir_delivery *delivery, void *state);

/* Group, topics, leases … of the worker: changes what stands there (group "simtest", topics ">"). */
WEIR_SIMTEST void weir_simtest_options(weir_worker_options *options);

/* The number-th event to publish, from 0; false: there are no more. Changes what stands there (topic "simtest.event", data
 * {"n":number}). */
WEIR_SIMTEST bool weir_simtest_event(size_t number, weir_event *event);

/* What a worker's process has in its memory: made when one starts, ended when it dies, given to the handler as its state. (Static variables
 * outlive the deaths here; do not keep it there.) */
WEIR_SIMTEST void *weir_simtest_begin(void);
WEIR_SIMTEST void weir_simtest_end(void *state);

#ifdef __cplusplus
}
#endif

#endif
