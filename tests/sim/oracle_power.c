/* The machine loses its power, and with it what was committed and not yet synced [durability interval, os]: everything above a place in the
 * log, as if it had never been. What is below stays; of what was answered since then nobody knows whether it still holds. */
#include "tests/sim/oracle_parts.h"

bool oracle_is_gone(const struct oracle *o, uint64_t seq)
{
    for (uint32_t i = 1; i <= o->gone.count; i++)
        if (seq >= o->gone.items[i].first && seq <= o->gone.items[i].last) return true;
    return false;
}

/* Whoever was not answered sends it again; whoever was does not. */
static void forget_event(struct oracle *o, struct known *known)
{
    if (known->again_seq && oracle_is_gone(o, known->again_seq)) {
        table_forget(&o->by_seq, known->again_seq);
        known->again_seq = known->again_ms = 0;
    }
    if (oracle_is_gone(o, known->log_seq)) known->log_seq = known->stamp_ms = 0;
    if (oracle_is_gone(o, known->repeat_seq)) known->repeat_seq = 0;
    if (known->born > o->born.count) known->born = o->born.count;
    if (!known->seq || !oracle_is_gone(o, known->seq)) return;
    table_forget(&o->by_seq, known->seq);
    known->gone_seq = known->seq;
    known->seq = 0;
    known->accepted = known->shown = known->heard = false;
    known->once_groups = 0;
}

static void forget_groups(struct oracle *o, uint64_t turn)
{
    for (uint32_t i = 1; i <= o->groups.count; i++) {
        struct group *g = &o->groups.items[i];
        g->paused = false; /* perhaps */
        g->resume_turn = o->turn;
    }
    while (o->born.count > 0 && o->groups.items[o->born.items[o->born.count]].born_turn >= turn)
        o->groups.items[o->born.items[o->born.count--]].exists = false;
}

/* One that was answered since then may be undone, or not. */
static void forget_settle(struct oracle *o, uint32_t index, uint64_t turn)
{
    struct settle *s = &o->settles.items[index];
    if (!s->ok || s->answered_turn < turn) return;
    s->ok = false;
    s->undone = true;
    struct place *p = s->lease ? &o->places.items[o->leases.items[s->lease].place] : NULL;
    if (!p || p->settled != index) return;
    p->settled = 0;
    p->maybe++;
}

/* That it went out at all may be forgotten, and how often it failed. A worker that lives may keep also what is not there any more: what it
 * makes of it counts [P10]. */
static void forget_place(struct oracle *o, struct place *p)
{
    p->attempt = 0;
    p->same_attempt = false;
    p->unsure = true;
    p->twice = p->twice || p->lease;
    p->not_before_ns = 0;
    if (p->lease) o->leases.items[p->lease].state = HOLDER_OVER;
}

static void forget_log(struct oracle *o)
{
    uint32_t kept = 0;
    while (o->log.count > 0 && oracle_is_gone(o, o->log.items[o->log.count].seq))
        o->log.count--;
    for (uint32_t i = 1; i <= o->repeats.count; i++)
        if (!oracle_is_gone(o, o->repeats.items[i].seq)) o->repeats.items[++kept] = o->repeats.items[i];
    o->repeats.count = kept;
}

void oracle_loses(struct oracle *o, uint64_t first, uint64_t last, uint64_t turn)
{
    *list_add(o->gone) = (struct gone){ first, last };
    forget_groups(o, turn);
    for (uint32_t i = 1; i <= o->settles.count; i++)
        forget_settle(o, i, turn);
    for (uint32_t i = 1; i <= o->places.count; i++)
        forget_place(o, &o->places.items[i]);
    for (uint32_t i = 1; i <= o->events.count; i++)
        forget_event(o, &o->events.items[i]);
    for (uint32_t i = 1; i <= o->requests.count; i++) {
        struct request *r = &o->requests.items[i];
        r->unsure = r->unsure || (r->first_answer && !o->events.items[r->first_answer].seq);
        if (r->unsure) r->first_answer = 0;
    }
    for (uint32_t i = 1; i <= o->pieces.count; i++)
        o->pieces.items[i] = (struct pieces){ 0 };
    forget_log(o);
    o->counts.power_losses++;
}
