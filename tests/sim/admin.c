/* An administrator: pauses and resumes groups, moves them to other places, and has dead letters delivered again or dropped. What became of
 * a change whose answer was lost it does not know, nor of a pause that was answered and lost with the power: in the end it resumes all, and
 * a move it asks for again until it is answered. */
#include <stdlib.h>

#include "tests/sim/sim.h"

struct admin {
    struct msg_manage manage; /* lent to the link until its answer */
    struct group_terms terms;
    uint32_t group, pauses_left, seeks_left, letters_left;
    uint64_t next_ns;
    bool asked, in_the_end, may_be_paused[GROUPS_MAX], may_have_moved[GROUPS_MAX];
};

static void init(struct peer *peer, struct link_options *options)
{
    struct admin *a = peer->app;
    options->role = ROLE_ADMIN;
    a->pauses_left = knob(peer->sim, KNOB_pauses);
    a->seeks_left = seeks_planned(peer->sim);
    a->letters_left = letters_planned(peer->sim);
    a->next_ns = peer->sim->now_ns + chance_between(&peer->random, 0, 3000) * NS_PER_MS;
    for (uint32_t i = 0; i < knob(peer->sim, KNOB_groups) && peer->lives > 1; i++) {
        a->may_be_paused[i] = true;
        a->may_have_moved[i] = a->seeks_left > 0;
    }
}

static uint32_t first_of(const bool *groups)
{
    uint32_t group = 0;
    while (group < GROUPS_MAX && !groups[group])
        group++;
    return group;
}

/* seq: the event of a dead letter; 0: of all, or the action is about none. */
static void ask(struct peer *peer, uint32_t group, enum action action, uint64_t seq)
{
    struct admin *a = peer->app;
    group_terms(peer->sim, group, &a->terms);
    a->group = group;
    a->manage = (struct msg_manage){
        .id = a->manage.id + 1, .action = action, .has_group = true, .group = { .name = a->terms.hello.name }, .seq = seq
    };
    if (action == ACTION_GROUP_SEEK) {
        static const uint32_t starts[] = { START_NEW, START_FIRST, START_SEQ };
        a->manage.group.start = starts[random_below(&peer->random, 3)];
        if (a->manage.group.start == START_SEQ) a->manage.group.start_at = chance_between(&peer->random, 0, peer->sim->audited);
    }
    if (link_manage(peer->link, &a->manage) != LINK_OK) return;
    a->asked = true;
    if (action == ACTION_GROUP_PAUSE) a->may_be_paused[group] = true;
    if (action == ACTION_GROUP_SEEK) a->may_have_moved[group] = true;
}

static void ask_for_letters(struct peer *peer)
{
    struct admin *a = peer->app;
    struct sim *sim = peer->sim;
    uint32_t seen = sim->letter_count < LETTERS_SEEN ? sim->letter_count : LETTERS_SEEN;
    if (seen == 0) return;
    uint32_t at = random_below(&peer->random, seen);
    bool all = chance(&peer->random, 20);
    a->letters_left--;
    enum action action = chance(&peer->random, 70) ? ACTION_DEAD_RETRY : ACTION_DEAD_DROP;
    ask(peer, sim->letters[at].group, action, all ? 0 : sim->letters[at].seq);
}

static bool has_the_end_before_it(const struct peer *peer)
{
    return peer->sim->healing && !((const struct admin *)peer->app)->in_the_end;
}

static bool has_nothing_left(const struct admin *a)
{
    return a->pauses_left == 0 && a->seeks_left == 0 && a->letters_left == 0 && first_of(a->may_be_paused) == GROUPS_MAX &&
           first_of(a->may_have_moved) == GROUPS_MAX;
}

static void act(struct peer *peer)
{
    struct admin *a = peer->app;
    for (uint32_t i = 0; has_the_end_before_it(peer) && i < knob(peer->sim, KNOB_groups); i++)
        a->may_be_paused[i] = a->may_be_paused[i] || knob(peer->sim, KNOB_interval_ms);
    a->in_the_end = peer->sim->healing;
    a->next_ns = peer->sim->now_ns + chance_between(&peer->random, 10, 4000) * NS_PER_MS;
    if (peer->sim->healing) a->pauses_left = a->seeks_left = a->letters_left = 0;
    if (has_nothing_left(a)) return;
    uint32_t paused = first_of(a->may_be_paused), moved = first_of(a->may_have_moved);
    bool letters = a->letters_left > 0 && ((a->pauses_left == 0 && a->seeks_left == 0) || chance(&peer->random, 50));
    bool seeks = a->seeks_left > 0 && (a->pauses_left == 0 || chance(&peer->random, 50));
    if (moved < GROUPS_MAX) {
        ask(peer, moved, ACTION_GROUP_SEEK, 0);
    } else if (paused < GROUPS_MAX && ((a->pauses_left == 0 && !seeks && !letters) || chance(&peer->random, 60))) {
        ask(peer, paused, ACTION_GROUP_RESUME, 0);
    } else if (letters) {
        ask_for_letters(peer);
    } else if (seeks) {
        a->seeks_left--;
        ask(peer, random_below(&peer->random, knob(peer->sim, KNOB_groups)), ACTION_GROUP_SEEK, 0);
    } else {
        a->pauses_left--;
        ask(peer, random_below(&peer->random, knob(peer->sim, KNOB_groups)), ACTION_GROUP_PAUSE, 0);
    }
}

static void fact(struct peer *peer, const struct link_fact *fact)
{
    struct admin *a = peer->app;
    if (fact->kind == LINK_FACT_MANAGE_LOST) a->asked = false;
    if (fact->kind != LINK_FACT_ANSWER || fact->answer->id != a->manage.id) return;
    a->asked = false;
    bool done = fact->answer->code == CODE_OK || fact->answer->code == CODE_NOT_FOUND; /* that group was never made */
    if (a->manage.action == ACTION_GROUP_RESUME && done) a->may_be_paused[a->group] = false;
    if (a->manage.action == ACTION_GROUP_SEEK && done) a->may_have_moved[a->group] = false;
}

static bool is_idle(const struct peer *peer)
{
    const struct admin *a = peer->app;
    return !a->asked && has_nothing_left(a) && !has_the_end_before_it(peer);
}

static uint64_t next_ns(const struct peer *peer)
{
    const struct admin *a = peer->app;
    bool later = a->asked || (has_nothing_left(a) && !has_the_end_before_it(peer));
    return later ? NEVER : peer->sim->healing ? peer->sim->now_ns : a->next_ns;
}

const struct peer_kind admin_kind = { "m", sizeof(struct admin), init, fact, act, next_ns, is_idle, NULL };
