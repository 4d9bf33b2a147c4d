/* An administrator: pauses and resumes groups. What became of a change whose answer was lost it does not know, nor of one that was answered
 * and lost with the power: in the end it resumes all. */
#include <stdlib.h>

#include "tests/sim/sim.h"

struct admin {
    struct msg_manage manage; /* lent to the link until its answer */
    struct group_terms terms;
    uint32_t group, left;
    uint64_t next_ns;
    bool asked, in_the_end, may_be_paused[GROUPS_MAX];
};

static void init(struct peer *peer, struct link_options *options)
{
    struct admin *a = peer->app;
    options->role = ROLE_ADMIN;
    a->left = knob(peer->sim, KNOB_pauses);
    a->next_ns = peer->sim->now_ns + chance_between(&peer->random, 0, 3000) * NS_PER_MS;
    for (uint32_t i = 0; i < knob(peer->sim, KNOB_groups); i++)
        a->may_be_paused[i] = peer->lives > 1;
}

static uint32_t some_paused(const struct admin *a)
{
    uint32_t group = 0;
    while (group < GROUPS_MAX && !a->may_be_paused[group])
        group++;
    return group;
}

static void ask(struct peer *peer, uint32_t group, enum action action)
{
    struct admin *a = peer->app;
    group_terms(peer->sim, group, &a->terms);
    a->group = group;
    a->manage =
        (struct msg_manage){ .id = a->manage.id + 1, .action = action, .has_group = true, .group = { .name = a->terms.hello.name } };
    if (link_manage(peer->link, &a->manage) != LINK_OK) return;
    a->asked = true;
    if (action == ACTION_GROUP_PAUSE) a->may_be_paused[group] = true;
}

static bool has_the_end_before_it(const struct peer *peer)
{
    return peer->sim->healing && !((const struct admin *)peer->app)->in_the_end;
}

static void act(struct peer *peer)
{
    struct admin *a = peer->app;
    for (uint32_t i = 0; has_the_end_before_it(peer) && i < knob(peer->sim, KNOB_groups); i++)
        a->may_be_paused[i] = a->may_be_paused[i] || knob(peer->sim, KNOB_interval_ms);
    a->in_the_end = peer->sim->healing;
    uint32_t paused = some_paused(a);
    a->next_ns = peer->sim->now_ns + chance_between(&peer->random, 10, 4000) * NS_PER_MS;
    if (peer->sim->healing) a->left = 0;
    if (a->left == 0 && paused == GROUPS_MAX) return;
    if (paused < GROUPS_MAX && (a->left == 0 || chance(&peer->random, 60))) {
        ask(peer, paused, ACTION_GROUP_RESUME);
        return;
    }
    a->left--;
    ask(peer, random_below(&peer->random, knob(peer->sim, KNOB_groups)), ACTION_GROUP_PAUSE);
}

static void fact(struct peer *peer, const struct link_fact *fact)
{
    struct admin *a = peer->app;
    if (fact->kind == LINK_FACT_MANAGE_LOST) a->asked = false;
    if (fact->kind != LINK_FACT_ANSWER || fact->answer->id != a->manage.id) return;
    a->asked = false;
    bool done = fact->answer->code == CODE_OK || fact->answer->code == CODE_NOT_FOUND; /* that group was never made */
    if (a->manage.action == ACTION_GROUP_RESUME && done) a->may_be_paused[a->group] = false;
}

static bool is_idle(const struct peer *peer)
{
    const struct admin *a = peer->app;
    return !a->asked && a->left == 0 && some_paused(a) == GROUPS_MAX && !has_the_end_before_it(peer);
}

static uint64_t next_ns(const struct peer *peer)
{
    const struct admin *a = peer->app;
    bool later = a->asked || (a->left == 0 && some_paused(a) == GROUPS_MAX && !has_the_end_before_it(peer));
    return later ? NEVER : peer->sim->healing ? peer->sim->now_ns : a->next_ns;
}

const struct peer_kind admin_kind = { "m", sizeof(struct admin), init, fact, act, next_ns, is_idle, NULL };
