/* What a replay shows, and when: the events that were asked for, at their distances in time, or each when the one before is settled. */
#include "coordinator/core/replay.h"
#include "coordinator/core/group.h"
#include "coordinator/core/state.h"
#include "proto/event.h"
#include "sdk/base/topic.h"

bool replay_wants(const struct core *c, const struct block *block, uint32_t index)
{
    const struct core_replay *r = &c->config.replay;
    struct event event;
    if (event_scan(block_body(block, &block->records[index]), &event) != EVENT_OK) return false;
    if (r->filter.size && !filter_matches(r->filter, event.topic)) return false;
    if (r->session.size && !span_equal(r->session, event.session)) return false;
    return r->key.size == 0 || span_equal(r->key, event.key);
}

bool replay_must_wait(struct core *c, struct group *g, const struct block *block, uint32_t index)
{
    const struct core_replay *r = &c->config.replay;
    if (r->step && g->leased > 0) return true; /* its settle wakes the group */
    if (r->speed_percent == 0) return false;
    uint64_t time_ms = block->time_ms + block->records[index].time_delta_ms;
    if (!g->replay_started) {
        g->replay_started = true;
        g->replay_started_ns = c->now_ns;
        g->replay_first_ms = time_ms;
    }
    uint64_t due_ns = g->replay_started_ns + (time_ms - g->replay_first_ms) * 100 / r->speed_percent * 1000000u;
    if (c->now_ns >= due_ns) return false;
    g->waits_fetch = true;
    if (due_ns < c->pace_ns) c->pace_ns = due_ns;
    return true;
}
