/* Why an event became a dead letter, in the words of its header weir-reason. */
#include "proto/packet.h"

const char *dead_reason_word(uint32_t reason)
{
    static const char *const words[DEAD_REASONS] = {
        [DEAD_UNKNOWN] = "unknown",
        [DEAD_MAX_DELIVERIES] = "max_deliveries",
        [DEAD_MAX_DEATHS] = "max_deaths",
        [DEAD_REJECTED] = "rejected",
    };
    return words[reason < DEAD_REASONS ? reason : DEAD_UNKNOWN];
}
