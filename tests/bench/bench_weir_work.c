/* The worker's side of bench_weir: one worker per party, each on a thread of its own, and what may go on beside them. */
#include <pthread.h>
#include <unistd.h>

#include "tests/bench/bench_weir.h"

struct party {
    struct bench *bench;
    weir_worker *worker;
    pthread_t thread;
    uint32_t number;
    bool beside; /* no party: a worker that acks and is not measured */
    uint64_t taken;
    int failed;
    char group[64], filter[64];
};

static struct party parties[BENCH_PARTIES_MAX], large;
static _Atomic uint32_t up, wanted_up;
static _Atomic bool over;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what bench_handle writes, where several workers call it */

static void stop_all(void)
{
    if (atomic_exchange(&over, true)) return;
    for (uint32_t i = 0; i < BENCH_PARTIES_MAX; i++)
        if (parties[i].worker != NULL) weir_worker_stop(parties[i].worker);
    if (large.worker != NULL) weir_worker_stop(large.worker);
}

/* One handler thread per party, so that a party's own counts need no lock. */
static void take(struct party *party, weir_delivery *delivery)
{
    if (weir_delivery_attempt(delivery) != 1 || party->taken == bench_how.take || ++party->taken < bench_how.take) return;
    (void)pthread_mutex_lock(&lock);
    party->bench->own->last_ns = bench_now_ns();
    (void)pthread_mutex_unlock(&lock);
    weir_worker_stop(party->worker);
}

static void measure(struct party *party, weir_delivery *delivery)
{
    const weir_event *event = weir_delivery_event(delivery);
    struct bench *bench = party->bench;
    bool alone = bench->parties == 1 && bench_how.churn_s == 0;
    if (event == NULL) return;
    if (!alone) (void)pthread_mutex_lock(&lock);
    bench_handle(bench, party->number, event->data, event->data_size);
    if (!alone) (void)pthread_mutex_unlock(&lock);
}

static void on_event(weir_delivery *delivery, void *arg)
{
    struct party *party = arg;
    if (bench_how.slow_ms != 0)
        (void)usleep(bench_how.slow_ms * 1000);
    else if (bench_how.take != 0)
        take(party, delivery);
    else if (!party->beside)
        measure(party, delivery);
    weir_ack(delivery);
}

static void on_settled(const weir_settled *settled, void *arg)
{
    struct party *party = arg;
    if (party->beside || bench_how.take != 0) return;
    if (settled->status == WEIR_OK) bench_acked(party->bench, 1);
    if (bench_done(party->bench)) stop_all();
}

static void on_state(weir_state state, const weir_error *error, void *arg)
{
    struct party *party = arg;
    (void)error;
    if (state != WEIR_STATE_UP || ++up != wanted_up) return;
    bench_worker_ready(party->bench);
    if (bench_how.slow_ms != 0) (void)!write(STDOUT_FILENO, "ready\n", 6);
}

static int open_worker(struct party *party)
{
    const char *const topics[] = { party->filter };
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    options.endpoint = party->bench->url;
    options.group = party->group;
    options.topics = topics;
    options.topic_count = 1;
    options.start = (weir_start)bench_how.start;
    options.ordering = (weir_ordering)bench_how.ordering;
    options.credit = bench_how.slow_ms != 0 ? 1 : BENCH_CREDIT;
    options.connect_timeout_ms = BENCH_WAIT_MS;
    options.on_state = on_state;
    options.on_settled = on_settled;
    options.arg = party;
    return bench_weir_failed(NULL, weir_worker_open(&options, &party->worker), "worker");
}

static void *run_worker(void *argument)
{
    struct party *party = argument;
    weir_status status = weir_worker_run(party->worker, on_event, party);
    party->failed = bench_weir_failed(party->worker, status, "run");
    return NULL;
}

static int start_worker(struct party *party)
{
    if (open_worker(party) != 0) return 1;
    if (pthread_create(&party->thread, NULL, run_worker, party) != 0) return 1;
    if (over) weir_worker_stop(party->worker); /* it was opened while all stopped */
    return 0;
}

static int end_worker(struct party *party)
{
    if (party->worker == NULL) return 0;
    (void)pthread_join(party->thread, NULL);
    weir_worker_close(&party->worker);
    return party->failed;
}

/* A worker of the first group that comes and goes. */
static int churn(struct bench *bench)
{
    int bad = 0;
    uint64_t next_ns = bench_now_ns();
    while (bad == 0 && !over) {
        struct party guest = { .bench = bench };
        memcpy(guest.group, parties[0].group, sizeof guest.group);
        memcpy(guest.filter, parties[0].filter, sizeof guest.filter);
        bad = start_worker(&guest);
        bench_sleep_until(next_ns += bench_how.churn_s * UINT64_C(1000000000));
        if (guest.worker != NULL) weir_worker_stop(guest.worker);
        if (bad == 0) bad = end_worker(&guest);
        bench_sleep_until(next_ns += bench_how.churn_s * UINT64_C(1000000000));
    }
    return bad;
}

static void name_party(struct bench *bench, struct party *party, uint32_t number)
{
    bool own_topic = bench->parties > 1 && bench_how.topics > 1;
    party->bench = bench;
    party->number = number;
    snprintf(party->group, sizeof party->group, bench->parties > 1 ? "%s-%u" : "%s", bench_how.group, number);
    snprintf(party->filter, sizeof party->filter, own_topic ? "%s.%u" : "%s", own_topic ? bench_how.topic : bench_how.filter, number);
}

int bench_weir_work(struct bench *bench)
{
    int bad = 0;
    wanted_up = bench->parties + (bench_how.large_bytes != 0);
    for (uint32_t i = 0; i < bench->parties && bad == 0; i++) {
        name_party(bench, &parties[i], i);
        bad = start_worker(&parties[i]);
    }
    if (bench_how.large_bytes != 0 && bad == 0) {
        large = (struct party){ .bench = bench, .beside = true, .group = "large", .filter = BENCH_LARGE_TOPIC };
        bad = start_worker(&large);
    }
    if (bench_how.churn_s != 0 && bad == 0) bad = churn(bench);
    if (bad != 0) stop_all();
    for (uint32_t i = 0; i < bench->parties; i++)
        bad = end_worker(&parties[i]) || bad;
    return end_worker(&large) || bad;
}
