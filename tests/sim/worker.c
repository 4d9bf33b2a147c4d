/* A worker: takes what it has credit for, works a while, and ends it well or badly. */
#include <stdlib.h>
#include <string.h>

#include "proto/event.h"
#include "tests/sim/sim.h"

enum { JOBS_MAX = 1024 /* those whose settle has no answer yet, too */, EMITS_EACH = 4 };
#define OUT_TOPIC "out.x"

enum job_state { JOB_FREE, JOB_WAITING, JOB_WORKING, JOB_SETTLING };
struct job {
    enum job_state state;
    uint32_t handle;
    uint64_t seq, due_ns;
    uint32_t attempt;
    uint32_t extends;
    struct answering answering;
    bool once;      /* the event is at_most_once */
    bool is_effect; /* itself an emit: leads to no more */
    uint8_t emits[EMITS_EACH * 1024];
    uint32_t emit_sizes[EMITS_EACH + 1];
    uint8_t *large_emits; /* the emits when one of them is large, else NULL */
    struct link_settle settle;
};
struct worker {
    struct group_terms group;
    struct job jobs[JOBS_MAX];
    uint32_t jobs_touched; /* those behind it were never used */
    uint32_t written;
};

static bool habit(const struct peer *peer, struct random *random, enum knob which)
{
    return !peer->sim->healing && chance(random, knob(peer->sim, which));
}

static void init(struct peer *peer, struct link_options *options)
{
    struct worker *w = peer->app;
    struct sim *sim = peer->sim;
    group_terms(sim, peer->of_kind % knob(sim, KNOB_groups), &w->group);
    options->role = ROLE_WORKER;
    options->group = w->group.hello;
    options->deliveries_credit = knob(sim, KNOB_credit);
    options->unstarted_ms = 3000;
    bool is_spare = peer->of_kind >= knob(sim, KNOB_groups); /* the first of a group takes all that there is */
    if (is_spare && knob(sim, KNOB_larges) && chance(&peer->random, 40)) options->event_bytes_max = LARGE_TAKEN;
}

static struct job *job_new(struct worker *w)
{
    for (uint32_t i = 0; i < w->jobs_touched; i++)
        if (w->jobs[i].state == JOB_FREE) return &w->jobs[i];
    return w->jobs_touched < JOBS_MAX ? &w->jobs[w->jobs_touched++] : NULL;
}

static void take(struct peer *peer, const struct link_fact *fact)
{
    struct worker *w = peer->app;
    const struct msg_deliver *m = fact->deliveries.columns;
    const uint8_t *at = fact->deliveries.body.data;
    for (size_t i = 0; i < m->count; at += m->size[i++]) {
        struct job *job = job_new(w);
        struct event event;
        if (!job) sim_fail(peer->sim, "simulator", "%s has %d jobs and needs more", peer->name, JOBS_MAX);
        job->state = JOB_WAITING;
        job->handle = fact->deliveries.handles[i];
        job->seq = m->seq[i];
        job->attempt = m->attempt[i];
        job->extends = 0;
        struct span whole = fact->deliveries.whole.size ? fact->deliveries.whole : span_of(at, m->size[i]);
        whole = large_heard(peer, m->seq[i], whole);
        bool good = event_scan(whole, &event) == EVENT_OK;
        job->once = good && event.semantics == EVENT_AT_MOST_ONCE;
        job->is_effect = good && span_equal(event.topic, span_text(OUT_TOPIC));
        job->due_ns = peer->sim->now_ns + chance_between(&peer->random, 0, 30) * NS_PER_MS;
        answer_begin(peer, &job->answering, peer->of_kind % knob(peer->sim, KNOB_groups) + 1, whole);
        job->answering.seq = m->seq[i];
        job->answering.attempt = m->attempt[i];
    }
}

static void fact(struct peer *peer, const struct link_fact *fact)
{
    struct worker *w = peer->app;
    if (fact->kind == LINK_FACT_DELIVERIES) take(peer, fact);
    for (uint32_t i = 0; fact->kind == LINK_FACT_SETTLED && i < w->jobs_touched; i++)
        if (w->jobs[i].state == JOB_SETTLING && &w->jobs[i] == fact->lease.user) w->jobs[i].state = JOB_FREE;
}

static void begin_work(struct peer *peer, struct job *job)
{
    if (habit(peer, &peer->random, KNOB_releases)) {
        (void)link_release(peer->link, job->handle);
        job->state = JOB_FREE;
        return;
    }
    if (link_start(peer->link, job->handle) != LINK_OK) {
        job->state = JOB_FREE;
        return;
    }
    uint64_t work_ms = peer->sim->healing ? 1 : chance_between(&peer->random, 1, knob(peer->sim, KNOB_work_ms));
    if (habit(peer, &peer->random, KNOB_hangs)) work_ms += 2 * knob(peer->sim, KNOB_lease_ms); /* its settle will be late */
    job->state = JOB_WORKING;
    job->due_ns = peer->sim->now_ns + work_ms * NS_PER_MS;
}

static void add_large_emit(struct peer *peer, struct job *job)
{
    struct worker *w = peer->app;
    struct large_event large;
    char text[64];
    size_t used = job->settle.emits.size;
    snprintf(text, sizeof text, "%s.%u emit %u of %llu/%u", peer->name, peer->lives, ++w->written, (unsigned long long)job->seq,
             job->attempt);
    large_event_write(peer->sim, &peer->random, OUT_TOPIC, text, &large);
    (void)large_event_known(peer->sim, OUT_TOPIC, &large);
    free(job->large_emits);
    job->large_emits = malloc(used + large.size);
    memcpy(job->large_emits, job->emits, used);
    memcpy(job->large_emits + used, large.bytes, large.size);
    free(large.bytes);
    job->settle.emits = span_of(job->large_emits, used + large.size);
    job->emit_sizes[job->settle.emit_count++] = (uint32_t)large.size;
}

static void write_emits(struct peer *peer, struct job *job)
{
    struct worker *w = peer->app;
    uint32_t count = 1 + random_below(&peer->random, EMITS_EACH);
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        char data[64];
        struct written written;
        snprintf(data, sizeof data, "%s.%u emit %u of %llu/%u", peer->name, peer->lives, ++w->written, (unsigned long long)job->seq,
                 job->attempt);
        event_write(peer->sim, &peer->random, AUTHOR_WORKER, chance(&peer->random, 80) ? OUT_TOPIC : "a.y.z", data, 0, &written);
        memcpy(job->emits + used, written.bytes, written.size);
        job->emit_sizes[i] = (uint32_t)written.size;
        used += written.size;
    }
    job->settle.emits = span_of(job->emits, used);
    job->settle.emit_sizes = job->emit_sizes;
    job->settle.emit_count = count;
    if (habit(peer, &peer->random, KNOB_larges)) add_large_emit(peer, job);
}

/* In the settle, so that it is committed with it; now and then the worker declines. */
static void write_answer(struct peer *peer, struct job *job)
{
    bool declines = chance(&peer->random, 10);
    job->settle.verb = declines ? VERB_REJECT : VERB_ACK;
    job->emit_sizes[0] = (uint32_t)answer_write(peer, &job->answering, declines ? EVENT_REPLY_ERROR : EVENT_REPLY_OK,
                                                ++((struct worker *)peer->app)->written, job->emits);
    job->settle.emits = span_of(job->emits, job->emit_sizes[0]);
    job->settle.emit_sizes = job->emit_sizes;
    job->settle.emit_count = 1;
}

static void end_work(struct peer *peer, struct job *job)
{
    if (job->answering.reply_to[0] && answer_piece(peer, job->handle, &job->answering)) {
        job->due_ns = peer->sim->now_ns + chance_between(&peer->random, 0, 200) * NS_PER_MS;
        return;
    }
    if (job->extends < 3 && habit(peer, &peer->random, KNOB_extends)) {
        uint32_t more_ms = knob(peer->sim, KNOB_lease_ms) + random_below(&peer->random, 2000);
        (void)link_extend(peer->link, job->handle, more_ms);
        job->extends++;
        job->due_ns = peer->sim->now_ns + chance_between(&peer->random, 1, more_ms) * NS_PER_MS;
        return;
    }
    job->settle = (struct link_settle){ .verb = VERB_ACK, .once = job->once, .user = job };
    if (habit(peer, &peer->random, KNOB_nacks)) {
        job->settle.verb = VERB_NACK;
        job->settle.delay_ms = chance(&peer->random, 50) ? random_below(&peer->random, 3000) : 0;
    } else if (job->answering.reply_to[0]) {
        write_answer(peer, job);
    } else if (habit(peer, &peer->random, KNOB_rejects)) {
        job->settle.verb = VERB_REJECT;
    } else if (!job->is_effect && habit(peer, &peer->random, KNOB_emits)) {
        write_emits(peer, job);
    }
    enum link_result result = link_settle(peer->link, job->handle, &job->settle);
    if (result == LINK_FULL) {
        job->due_ns = peer->sim->now_ns + 50 * NS_PER_MS;
        return;
    }
    job->state = result == LINK_OK ? JOB_SETTLING : JOB_FREE;
}

static void act(struct peer *peer)
{
    struct worker *w = peer->app;
    for (uint32_t i = 0; i < w->jobs_touched; i++) {
        struct job *job = &w->jobs[i];
        if (job->due_ns > peer->sim->now_ns) continue;
        if (job->state == JOB_WAITING)
            begin_work(peer, job);
        else if (job->state == JOB_WORKING)
            end_work(peer, job);
    }
}

static uint64_t next_ns(const struct peer *peer)
{
    const struct worker *w = peer->app;
    uint64_t next = NEVER;
    for (uint32_t i = 0; i < w->jobs_touched; i++)
        if ((w->jobs[i].state == JOB_WAITING || w->jobs[i].state == JOB_WORKING) && w->jobs[i].due_ns < next) next = w->jobs[i].due_ns;
    return next;
}

static bool is_idle(const struct peer *peer)
{
    const struct worker *w = peer->app;
    for (uint32_t i = 0; i < w->jobs_touched; i++)
        if (w->jobs[i].state != JOB_FREE) return false;
    return true;
}

static void end(struct peer *peer)
{
    struct worker *w = peer->app;
    for (uint32_t i = 0; i < w->jobs_touched; i++)
        free(w->jobs[i].large_emits);
}

const struct peer_kind worker_kind = { "w", sizeof(struct worker), init, fact, act, next_ns, is_idle, end };
