/* One run of the subject on a mock of its own. */
#include "sdk/cli/simtest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WORKERS = 2,
    FAULTS_PER_EVENT = 3,      /* so that no limit of attempts is met that the handler would not meet by itself */
    DELIVERIES_PER_EVENT = 64, /* more, after the last fault: it is never settled */
    LOOK_MS = 50,
    QUIET_MS = 15 * 60 * 1000,
};

struct life { /* of a worker's process */
    weir_worker *worker;
    void *state;
};

struct run {
    const struct simtest_subject *subject;
    struct simtest_outcome *out;
    bool faults;
    uint64_t random;
    weir_mock *mock;
    weir_publisher *publisher;
    struct life lives[WORKERS];
    uint64_t seqs[SIMTEST_EVENTS_MAX];
    uint8_t faults_of[SIMTEST_EVENTS_MAX];
    /* the delivery that is being handled */
    struct life *life;
    struct simtest_plan plan;
    size_t event;
    uint32_t attempt;
    unsigned effects;
    bool dead;
};

/* -- noting -- */

/* Memory for more; a run that cannot note what it sees ends the program. */
static void *grow(void *list, size_t *room, size_t item)
{
    void *grown;
    *room = *room != 0 ? *room * 2 : 64;
    grown = realloc(list, *room * item);
    if (grown == NULL) abort();
    return grown;
}

void simtest_note(struct simtest_outcome *outcome, long event, const char *format, ...)
{
    struct simtest_note *note;
    va_list arguments;
    if (outcome->note_count == outcome->note_room) outcome->notes = grow(outcome->notes, &outcome->note_room, sizeof *note);
    note = &outcome->notes[outcome->note_count++];
    note->event = event;
    va_start(arguments, format);
    (void)vsnprintf(note->text, sizeof note->text, format, arguments);
    va_end(arguments);
}

void simtest_count(struct simtest_outcome *outcome, size_t event, const char *kind, const char *name, size_t times)
{
    struct simtest_count wanted = { .event = event, .times = times };
    (void)snprintf(wanted.what, sizeof wanted.what, "%s %s", kind, name);
    for (size_t i = 0; i < outcome->count_count; i++) {
        struct simtest_count *count = &outcome->counts[i];
        if (count->event != event || strcmp(count->what, wanted.what) != 0) continue;
        count->times += times;
        return;
    }
    if (outcome->count_count == outcome->count_room)
        outcome->counts = grow(outcome->counts, &outcome->count_room, sizeof *outcome->counts);
    outcome->counts[outcome->count_count++] = wanted;
}

void simtest_outcome_free(struct simtest_outcome *outcome)
{
    free(outcome->counts);
    free(outcome->notes);
}

static void trouble(struct run *run, const char *what, weir_status status)
{
    const char *why = status != WEIR_OK ? weir_status_text(status) : "";
    if (run->out->trouble[0] == '\0')
        (void)snprintf(run->out->trouble, sizeof run->out->trouble, "%s%s%s", what, *why != '\0' ? ": " : "", why);
}

/* -- workers and events -- */

static void be_born(struct run *run, struct life *life)
{
    static const char *const everything[] = { ">" };
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    weir_status status;
    options.group = "simtest";
    options.topics = everything;
    options.topic_count = 1;
    options.backoff_ms = 100;
    if (run->subject->options != NULL) run->subject->options(&options);
    options.endpoint = weir_mock_endpoint(run->mock);
    options.handlers = 1;
    options.start = WEIR_START_FIRST;
    life->state = run->subject->begin != NULL ? run->subject->begin() : NULL;
    status = weir_worker_open(&options, &life->worker);
    if (status != WEIR_OK) trouble(run, "the worker's options", status);
}

static void die(struct run *run, struct life *life)
{
    weir_worker_close(&life->worker);
    if (run->subject->end != NULL) run->subject->end(life->state);
}

static void publish(struct run *run, size_t number)
{
    weir_event event = WEIR_EVENT_INIT;
    weir_result result = { .status = WEIR_OK };
    char data[32];
    weir_status status;
    event.topic = "simtest.event";
    event.data = data;
    event.data_size = (size_t)snprintf(data, sizeof data, "{\"n\":%zu}", number);
    if (run->subject->event != NULL && !run->subject->event(number, &event)) {
        run->out->events = number;
        return;
    }
    status = weir_publish(run->publisher, &event, -1, &result);
    if (status != WEIR_OK) trouble(run, "an event could not be published", status);
    run->seqs[number] = result.first_seq;
}

static bool find_event(const struct run *run, uint64_t seq, size_t *out_event)
{
    for (size_t i = 0; i < run->out->events; i++)
        if (run->seqs[i] == seq) {
            *out_event = i;
            return true;
        }
    return false;
}

/* -- one delivery -- */

/* delivery: NULL after the handler, when it is not ours any more. */
static void inflict(struct run *run, const weir_delivery *delivery, const char *what)
{
    char text[SIMTEST_NOTE_BYTES];
    simtest_describe(&run->plan, what, text);
    simtest_note(run->out, -1, "event %zu, attempt %u: %.200s", run->event, run->attempt, text);
    run->faults_of[run->event]++;
    run->out->faults++;
    run->dead = simtest_inflict(&run->plan, run->mock, run->life->worker, delivery != NULL ? weir_delivery_lease_ms(delivery) : 0);
    run->plan.fault = SIMTEST_NONE;
}

static void on_effect(weir_delivery *delivery, const char *what, weir_mock_moment moment, void *arg)
{
    struct run *run = arg;
    bool before = moment == WEIR_MOCK_BEFORE;
    if (before) run->effects++;
    if (run->plan.fault != SIMTEST_NONE && run->effects == run->plan.effect + 1 &&
        run->plan.moment == (before ? SIMTEST_BEFORE_EFFECT : SIMTEST_AFTER_EFFECT))
        inflict(run, delivery, what);
}

static void handle(struct run *run, struct life *life, weir_delivery *delivery)
{
    run->life = life;
    run->attempt = weir_delivery_attempt(delivery);
    run->plan = simtest_draw(&run->random);
    run->effects = 0;
    run->dead = false;
    run->out->deliveries++;
    if (!find_event(run, weir_delivery_seq(delivery), &run->event)) { /* what the handler emitted, and its group wants too */
        run->subject->handler(delivery, life->state);
        return;
    }
    simtest_note(run->out, (long)run->event, "event %zu, attempt %u: at worker %zu", run->event, run->attempt,
                 (size_t)(life - run->lives) + 1);
    if (!run->faults || run->faults_of[run->event] >= FAULTS_PER_EVENT) run->plan.fault = SIMTEST_NONE;
    if (run->plan.fault != SIMTEST_NONE && run->plan.moment == SIMTEST_BEFORE) inflict(run, delivery, NULL);
    if (!run->dead) run->subject->handler(delivery, life->state);
    if (run->plan.fault != SIMTEST_NONE && run->plan.moment == SIMTEST_AFTER) inflict(run, NULL, NULL);
    if (!run->dead) return;
    die(run, life);
    be_born(run, life);
}

/* -- the run -- */

static bool take_one(struct run *run, struct life *life, int timeout_ms)
{
    weir_delivery *delivery;
    if (run->out->trouble[0] != '\0' || weir_worker_next(life->worker, timeout_ms, &delivery) != WEIR_OK) return false;
    handle(run, life, delivery);
    return true;
}

/* Until no worker has had anything to do for a quarter of an hour. */
static void drain(struct run *run)
{
    size_t most = run->out->deliveries + run->out->events * DELIVERIES_PER_EVENT;
    for (bool any = true; any && run->out->deliveries < most;) {
        any = false;
        for (size_t i = 0; i < WORKERS; i++)
            while (run->out->deliveries < most && take_one(run, &run->lives[i], i == 0 ? QUIET_MS : LOOK_MS))
                any = true;
    }
    if (run->out->deliveries == most) trouble(run, "an event comes again and again and is never settled", WEIR_OK);
}

static void count_effects(struct run *run)
{
    const weir_mock_done *effects;
    size_t count = weir_mock_effects(run->mock, &effects), event;
    for (size_t i = 0; i < count; i++)
        if (!effects[i].again && find_event(run, effects[i].seq, &event)) simtest_count(run->out, event, "effect", effects[i].what, 1);
}

static void count_emits(struct run *run)
{
    static const char *const everything[] = { ">" };
    weir_subscriber_options options = WEIR_SUBSCRIBER_OPTIONS_INIT;
    weir_subscriber *subscriber;
    const weir_stored_event *stored;
    weir_status status;
    size_t event;
    options.endpoint = weir_mock_endpoint(run->mock);
    options.topics = everything;
    options.topic_count = 1;
    options.start = WEIR_START_FIRST;
    options.limit = UINT32_MAX;
    status = weir_subscriber_open(&options, &subscriber);
    if (status != WEIR_OK) {
        trouble(run, "the log could not be read", status);
        return;
    }
    while ((status = weir_subscriber_next(subscriber, -1, &stored)) == WEIR_OK)
        if (find_event(run, stored->cause_seq, &event)) simtest_count(run->out, event, "emit to", stored->event->topic, 1);
    if (status != WEIR_ENDED) trouble(run, "the log could not be read", status);
    weir_subscriber_close(&subscriber);
}

static bool begin(struct run *run, uint64_t seed)
{
    weir_mock_options mock = WEIR_MOCK_OPTIONS_INIT;
    weir_publisher_options publisher = WEIR_PUBLISHER_OPTIONS_INIT;
    weir_status status;
    mock.seed = simtest_random(&seed);
    mock.on_effect = on_effect;
    mock.arg = run;
    status = weir_mock_open(&mock, &run->mock);
    if (status == WEIR_OK) {
        publisher.endpoint = weir_mock_endpoint(run->mock);
        status = weir_publisher_open(&publisher, &run->publisher);
    }
    if (status != WEIR_OK) trouble(run, "the mock", status);
    return status == WEIR_OK;
}

void simtest_run(const struct simtest_subject *subject, uint64_t seed, size_t events, bool faults, struct simtest_outcome *out_outcome)
{
    static struct run run; /* large, and one at a time */
    *out_outcome = (struct simtest_outcome){ .events = events };
    run = (struct run){ .subject = subject, .out = out_outcome, .faults = faults, .random = seed };
    if (!begin(&run, seed)) return;
    for (size_t i = 0; i < WORKERS; i++)
        be_born(&run, &run.lives[i]);
    for (size_t i = 0; i < run.out->events && run.out->trouble[0] == '\0'; i++) {
        publish(&run, i);
        while (simtest_random(&run.random) % 2 != 0 && take_one(&run, &run.lives[simtest_random(&run.random) % WORKERS], LOOK_MS)) {
        }
    }
    drain(&run);
    if (run.out->trouble[0] == '\0') count_effects(&run);
    if (run.out->trouble[0] == '\0') count_emits(&run);
    for (size_t i = 0; i < WORKERS; i++)
        die(&run, &run.lives[i]);
    weir_publisher_close(&run.publisher);
    (void)weir_mock_close(&run.mock);
}
