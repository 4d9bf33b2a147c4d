/* Handlers for the tests of `weir simtest`, chosen by FAULT: 0 none; 1 the event is acked before its effect is done, which a death in
 * between loses; 2 it is never settled. */
#include <stdlib.h>
#include <weir/mock.h>

struct memory {
    unsigned handled;
};

void *weir_simtest_begin(void)
{
    return calloc(1, sizeof(struct memory));
}

void weir_simtest_end(void *state)
{
    free(state);
}

void weir_simtest_handler(weir_delivery *delivery, void *state)
{
    struct memory *memory = state;
    char token[300];
    weir_event done = WEIR_EVENT_INIT;
    memory->handled++;
    strncpy(token, weir_delivery_token(delivery), sizeof token - 1);
    token[sizeof token - 1] = '\0';
    done.topic = "simtest.done";
    if (strcmp(weir_delivery_event(delivery)->topic, done.topic) == 0) { /* what was emitted comes too: the filter is > */
        weir_ack(delivery);
        return;
    }
    if (FAULT == 2) return;
    if (FAULT == 0) weir_mock_effect(delivery, "mail", token);
    weir_emit(delivery, &done);
    weir_ack(delivery);
    if (FAULT == 1) weir_mock_effect(delivery, "mail", token);
}
