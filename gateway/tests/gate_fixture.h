/* A core with an uplink that only writes down what it was asked, and a reader of the frames that clients get. */
#ifndef WEIR_GATEWAY_GATE_FIXTURE_H
#define WEIR_GATEWAY_GATE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gateway/core/gate.h"
#include "proto/event.h"

enum { CALLS_MAX = 256, TEXT_MAX = 1 << 21 };

struct fixture {
    struct gate *gate;
    void *memory;
    struct {
        uint64_t id, start_at, credit, limit;
        uint32_t start;
        char tenant[32], filter[64];
    } subscribed[CALLS_MAX];
    uint64_t unsubscribed[CALLS_MAX];
    uint64_t cancelled[CALLS_MAX];
    size_t subscribed_count, unsubscribed_count, cancelled_count;
    uint64_t granted; /* sum */
    uint64_t consumed;
    uint64_t numbers; /* the last number given */
    uint8_t event[70000];
    size_t event_size; /* the last event published */
    enum link_result publish_result;
    char text[TEXT_MAX]; /* what a client got, a line per frame */
    uint8_t output[GATE_OUTPUT_BYTES + GATE_FRAME_OUT_MAX];
    uint32_t partial_group;
    uint64_t again; /* the first seq of the one event that comes next; 0: it stands where it stood first */
};

extern struct fixture it; /* of the test at hand */
int open_default(void **state);
int close_it(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_default, close_it)

/* Small limits; change config before for others. */
struct gate_config fixture_config(void);
void fixture_open(struct fixture *f, const struct gate_config *config);
void fixture_close(struct fixture *f);
void connected(struct fixture *f); /* to the coordinator, again */

uint32_t client(struct fixture *f); /* a new connection; its hello is taken */
void say(struct fixture *f, uint32_t conn, const char *text);
const char *hear(struct fixture *f, uint32_t conn); /* all frames that wait, a line each */
/* Takes them without looking; returns the bytes. */
size_t swallow(struct fixture *f, uint32_t conn);

void subscribed(struct fixture *f, uint64_t id, uint64_t cursor, bool gap);
void caught_up(struct fixture *f, uint64_t id, uint64_t cursor);
void ended(struct fixture *f, uint64_t id, uint32_t code);
void ended_at(struct fixture *f, uint64_t id, uint32_t code, uint64_t cursor);
/* count events of topic `docs.x` with seqs from first on; data is the seq, or data. */
void events(struct fixture *f, uint64_t id, uint64_t first, size_t count, const char *data);
void answered(struct fixture *f, uint64_t id, uint64_t cause, uint32_t reply, uint32_t code, const char *data);
/* To the subscription that was made first. */
void partial(struct fixture *f, uint64_t cause, uint32_t attempt, uint32_t index, const char *data);
void accepted(struct fixture *f, uint64_t number, uint64_t seq);
void refused(struct fixture *f, uint64_t number, uint32_t code);
uint64_t last_subscription(const struct fixture *f);

void assert_has(const char *text, const char *part);
size_t lines(const char *text);
const char *seqs(const char *text); /* of the event frames in text, in order: "1 2 3"; lent until the next call */

#endif
