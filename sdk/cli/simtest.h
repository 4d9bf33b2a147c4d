/* weir simtest: a user's handler against late acks, crashes, duplicates and restarts, on the mock (weir/mock.h).
 *
 * A run publishes the subject's events and hands them to its handler until nothing is left; its outcome is how often each effect was done
 * and each topic emitted for each event. The first run has no fault and says what should happen; each seed's run has some, must end with
 * the same outcome, and is repeated by its seed. */
#ifndef WEIR_CLI_SIMTEST_H
#define WEIR_CLI_SIMTEST_H

#include <weir/mock.h>

enum { SIMTEST_EVENTS_MAX = 1000, SIMTEST_WHAT_BYTES = 280, SIMTEST_NOTE_BYTES = 240 };

/* What the shared object shows; NULL: it does not have that one. */
struct simtest_subject {
    void *object;
    weir_handler_fn *handler;
    void (*options)(weir_worker_options *options);
    bool (*event)(size_t number, weir_event *event);
    void *(*begin)(void);
    void (*end)(void *state);
};

/* How often one thing was done for one event. */
struct simtest_count {
    size_t event;
    char what[SIMTEST_WHAT_BYTES]; /* effect "charge" | emit to done.a */
    size_t times;
};

/* What happened, for people. event: that it came to a worker; -1: a fault. */
struct simtest_note {
    long event;
    char text[SIMTEST_NOTE_BYTES];
};

struct simtest_outcome {
    size_t events, deliveries, faults;
    char trouble[SIMTEST_NOTE_BYTES]; /* the run could not be judged, or an event is never settled; "" = fine */
    struct simtest_count *counts;
    size_t count_count, count_room;
    struct simtest_note *notes;
    size_t note_count, note_room;
};

/* simtest_run.c. faults: false = none. The outcome is to be freed. */
void simtest_run(const struct simtest_subject *subject, uint64_t seed, size_t events, bool faults, struct simtest_outcome *out_outcome);
void simtest_outcome_free(struct simtest_outcome *outcome);
void simtest_note(struct simtest_outcome *outcome, long event, const char *format, ...) __attribute__((format(printf, 3, 4)));
void simtest_count(struct simtest_outcome *outcome, size_t event, const char *kind, const char *name, size_t times);

/* simtest_faults.c: what goes wrong with one delivery, drawn before its handler is called */
enum simtest_moment { SIMTEST_BEFORE, SIMTEST_BEFORE_EFFECT, SIMTEST_AFTER_EFFECT, SIMTEST_AFTER };
enum simtest_fault { SIMTEST_NONE, SIMTEST_LATE, SIMTEST_CUT, SIMTEST_KILL, SIMTEST_RESTART };
struct simtest_plan {
    enum simtest_fault fault;
    enum simtest_moment moment;
    unsigned effect; /* which one, from 0 */
    bool sent;       /* what the worker had to send arrived; restart: the blocks being written were kept */
};
struct simtest_plan simtest_draw(uint64_t *random);
uint64_t simtest_random(uint64_t *random);
/* Does it. True: the worker is dead now. */
bool simtest_inflict(const struct simtest_plan *plan, weir_mock *mock, weir_worker *worker, uint32_t lease_ms);
/* "the process was killed after effect "charge"; what it had to send was lost". what: of the effect, or NULL. */
void simtest_describe(const struct simtest_plan *plan, const char *what, char out_text[SIMTEST_NOTE_BYTES]);

#endif
