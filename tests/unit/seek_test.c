/* seek.h: finds the edge in a log with gaps, by reading few blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/core/seek.h"

enum { BLOCKS_MAX = 64 };
static struct block log_blocks[BLOCKS_MAX];
static size_t block_count;
static struct record records[3] = { { .time_delta_ms = 0 }, { .time_delta_ms = 4 }, { .time_delta_ms = 8 } };

/* Blocks of 3 records; after every fourth a gap as a restart makes it. Opened at 1000, 1010, … */
static void fill(size_t count)
{
    uint64_t position = 1;
    block_count = count;
    for (size_t i = 0; i < count; i++) {
        log_blocks[i] =
            (struct block){ .number = i + 1, .first_position = position, .record_count = 3, .time_ms = 1000 + 10 * i, .records = records };
        position += 3 + (i % 4 == 3 ? 1 << 20 : 0);
    }
}

static uint64_t last_position(void)
{
    return block_count ? block_last_position(&log_blocks[block_count - 1]) : 0;
}

static const struct block *at_or_after(uint64_t position)
{
    for (size_t i = 0; i < block_count; i++)
        if (block_last_position(&log_blocks[i]) >= position) return &log_blocks[i];
    return NULL;
}

static uint64_t run(struct seek *seek, enum seek_by by, uint64_t target)
{
    uint64_t position;
    int reads = 0;
    seek_begin(seek, by, target, 1, last_position());
    while (seek_next(seek, &position)) {
        assert_true(++reads < 70);
        seek_take(seek, at_or_after(position));
    }
    return seek->low;
}

/* The answer by looking at every record: of the first that is not before, else behind the last. Inside a gap any position is as good. */
static uint64_t naive(enum seek_by by, uint64_t target)
{
    uint64_t low = 1;
    for (size_t i = 0; i < block_count; i++)
        for (size_t k = 0; k < 3; k++) {
            const struct block *b = &log_blocks[i];
            bool before = by == SEEK_TIME ? b->time_ms + b->records[k].time_delta_ms < target : b->number < target;
            if (before) low = b->first_position + k + 1;
        }
    return low;
}

static void every_edge_is_found_by_time_and_by_number(void **state)
{
    (void)state;
    for (size_t count = 0; count <= BLOCKS_MAX; count += count < 8 ? 1 : 7) {
        fill(count);
        for (size_t i = 0; i <= count + 1; i++) {
            struct seek seek;
            assert_int_equal(run(&seek, SEEK_NUMBER, i), naive(SEEK_NUMBER, i));
            for (uint64_t time = 1000 + 10 * i; time < 1010 + 10 * i; time++)
                assert_int_equal(run(&seek, SEEK_TIME, time), naive(SEEK_TIME, time));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edge_is_found_by_time_and_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
