/* The words for what an event waits for, as people see them. */
#include "proto/packet.h"

const char *wait_word(uint32_t wait)
{
    static const char *const words[WAIT_COUNT] = {
        [WAIT_NONE] = "nothing",        [WAIT_SETTLED] = "settled",   [WAIT_WORKING] = "working",
        [WAIT_COMMIT] = "commit",       [WAIT_CATCH_UP] = "catch_up", [WAIT_NO_WORKER] = "no_worker",
        [WAIT_NO_CREDIT] = "no_credit", [WAIT_PAUSED] = "paused",     [WAIT_BACK_OFF] = "back_off",
        [WAIT_ADOPTION] = "adoption",   [WAIT_ROOM] = "room",         [WAIT_EXPIRED] = "expired",
        [WAIT_DRAIN] = "drain",         [WAIT_RETRY] = "retry",       [WAIT_KEY] = "key",
        [WAIT_LIMIT] = "limit",         [WAIT_AFFINITY] = "affinity", [WAIT_DEAD] = "dead",
        [WAIT_DEAD_FULL] = "dead_letters_full", [WAIT_RETRY_BUDGET] = "retry_budget", [WAIT_DELAYED] = "delayed",
    };
    return wait < WAIT_COUNT ? words[wait] : "unknown";
}
