/* Positions have gaps (each start jumps ahead), so an answer may lie above what was asked; then nothing lies between, and the upper end
 * falls to it. */
#include "coordinator/core/seek.h"

void seek_begin(struct seek *seek, enum seek_by by, uint64_t target, uint64_t first_position, uint64_t last_position)
{
    *seek = (struct seek){ .by = by, .target = target, .low = first_position, .high = last_position + 1 };
}

static uint64_t middle(const struct seek *seek)
{
    return seek->low + (seek->high - seek->low) / 2;
}

bool seek_next(const struct seek *seek, uint64_t *out_position)
{
    if (seek->low >= seek->high) return false;
    *out_position = middle(seek);
    return true;
}

static bool is_before(const struct seek *seek, const struct block *block, uint32_t index)
{
    return seek->by == SEEK_TIME ? block->time_ms + block->records[index].time_delta_ms < seek->target : block->number < seek->target;
}

static uint32_t count_before(const struct seek *seek, const struct block *block)
{
    uint32_t low = 0, high = block->record_count;
    while (low < high) {
        uint32_t at = (low + high) / 2;
        if (is_before(seek, block, at))
            low = at + 1;
        else
            high = at;
    }
    return low;
}

void seek_take(struct seek *seek, const struct block *block)
{
    uint64_t asked = middle(seek);
    uint32_t before = block ? count_before(seek, block) : 0;
    if (!block)
        seek->high = asked;
    else if (before > 0 && before < block->record_count)
        seek->low = seek->high = block->first_position + before; /* the place is inside */
    else if (before > 0)
        seek->low = block_last_position(block) + 1;
    else
        seek->high = block->first_position < asked ? block->first_position : asked;
    if (seek->high < seek->low) seek->high = seek->low;
}
