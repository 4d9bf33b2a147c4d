/* What publishers were answered: of each, its last window of numbers, as runs: number after number at place after place [P3]. */
#include "coordinator/core/publisher.h"
#include "coordinator/core/snapshot.h"
#include "coordinator/core/state.h"

static uint64_t publisher_key(const struct core *c, const uint8_t id[PUBLISHER_BYTES])
{
    return map_hash(c->config.secret, id, PUBLISHER_BYTES);
}

uint32_t publisher_find(const struct core *c, const uint8_t id[PUBLISHER_BYTES])
{
    uint32_t hint = c->publisher_hint; /* events of one packet have one publisher */
    if (hint && slab_is_taken(&c->publishers, hint) && memcmp(publisher_at(c, hint)->id, id, PUBLISHER_BYTES) == 0) return hint;
    uint32_t handle = map_get(&c->by_publisher, publisher_key(c, id));
    return handle && memcmp(publisher_at(c, handle)->id, id, PUBLISHER_BYTES) == 0 ? handle : 0;
}

/* The last run that begins at or before number, counted from 1; 0: none. */
static uint32_t run_at_or_before(const struct publisher *p, uint64_t number)
{
    uint32_t low = 0, high = p->run_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (p->runs[(p->run_first + middle) % PUBLISHER_RUNS_MAX].number <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct record_run *run_of(struct publisher *p, uint32_t index)
{
    return &p->runs[(p->run_first + index) % PUBLISHER_RUNS_MAX];
}

uint64_t publisher_answer(const struct publisher *p, uint64_t number)
{
    uint32_t at = run_at_or_before(p, number);
    if (number <= p->forgotten) return PUBLISHER_FORGOTTEN;
    if (at == 0) return PUBLISHER_NEVER;
    const struct record_run *run = &p->runs[(p->run_first + at - 1) % PUBLISHER_RUNS_MAX];
    if (number >= run->number + run->count) return PUBLISHER_NEVER;
    return run->position == 0 ? PUBLISHER_FORGOTTEN : run->position + (number - run->number);
}

/* The one that has been silent for longest makes room; its peer is then told `gone` for old numbers [R-PUB-6]. */
static void publisher_forget_oldest(struct core *c)
{
    uint32_t oldest = 0;
    for (uint32_t h = 1; h <= c->publishers.touched; h++)
        if (slab_is_taken(&c->publishers, h) && (!oldest || publisher_at(c, h)->used < publisher_at(c, oldest)->used)) oldest = h;
    snapshot_touch_publisher(c, oldest);
    map_remove(&c->by_publisher, publisher_key(c, publisher_at(c, oldest)->id));
    slab_free(&c->publishers, oldest);
}

static struct publisher *publisher_get(struct core *c, const uint8_t id[PUBLISHER_BYTES], uint64_t number)
{
    uint32_t handle = publisher_find(c, id);
    if (!handle) {
        bool full = publishers_are_full(c); /* then this one may have been forgotten, with the answers before this number */
        if (full) publisher_forget_oldest(c);
        handle = slab_take(&c->publishers);
        must(handle && map_put(&c->by_publisher, publisher_key(c, id), handle));
        memcpy(publisher_at(c, handle)->id, id, PUBLISHER_BYTES);
        if (full) publisher_at(c, handle)->forgotten = number - 1;
        publisher_at(c, handle)->saved = c->snapshot.number; /* new: not part of a snapshot under way */
    }
    c->publisher_hint = handle;
    snapshot_touch_publisher(c, handle);
    return publisher_at(c, handle);
}

/* Room for another run: of the two oldest the positions go (0), not that these numbers were taken, as long as no number between them is
 * missing: one that is may belong to a large event whose parts are under way. */
static void publisher_forget_run(struct publisher *p)
{
    struct record_run *first = run_of(p, 0), *second = run_of(p, 1);
    if (first->number + first->count == second->number && (uint64_t)first->count + second->count <= UINT32_MAX) {
        second->number = first->number;
        second->count += first->count;
        second->position = 0;
    } else {
        p->forgotten = first->number + first->count - 1;
    }
    p->run_first = (p->run_first + 1) % PUBLISHER_RUNS_MAX;
    p->run_count--;
}

/* A large event is accepted when its last part is there: numbers after its own may have been before [R-PART-2]. */
static bool took(struct publisher *p, uint64_t number, uint64_t position)
{
    bool newest = number > p->highest;
    p->used = position;
    if (newest)
        p->highest = number;
    else if (number <= p->forgotten)
        return true; /* so long under way that nobody will be told again */
    else if (publisher_answer(p, number) != PUBLISHER_NEVER)
        return false;
    uint32_t at = newest ? p->run_count : run_at_or_before(p, number);
    struct record_run *before = at > 0 ? run_of(p, at - 1) : NULL;
    if (before && before->position && before->number + before->count == number && before->position + before->count == position &&
        before->count < UINT32_MAX) {
        before->count++;
        return true;
    }
    if (p->run_count == PUBLISHER_RUNS_MAX) {
        publisher_forget_run(p);
        if (number <= p->forgotten) return true;
        at -= at > 0;
    }
    for (uint32_t i = p->run_count++; i > at; i--)
        *run_of(p, i) = *run_of(p, i - 1);
    *run_of(p, at) = (struct record_run){ .number = number, .position = position, .count = 1 };
    return true;
}

bool publisher_apply(struct core *c, const uint8_t id[PUBLISHER_BYTES], uint64_t number, uint64_t position)
{
    return took(publisher_get(c, id, number), number, position);
}

bool publisher_apply_all(struct core *c, struct span body)
{
    struct record_run runs[PUBLISHER_RUNS_MAX];
    struct record_publisher read;
    if (!record_publisher_read(body, runs, PUBLISHER_RUNS_MAX, &read) || read.id.size != PUBLISHER_BYTES) return false;
    struct publisher *p = publisher_get(c, read.id.data, 1);
    p->highest = read.highest;
    p->forgotten = read.forgotten;
    p->used = read.used;
    p->run_first = 0;
    p->run_count = read.run_count;
    memcpy(p->runs, runs, read.run_count * sizeof runs[0]);
    return true;
}
