/* What an admin does with a group's dead letters: has them delivered again, or drops them [R-DEAD-4]. */
#include "coordinator/core/blocks.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/group.h"
#include "coordinator/core/state.h"

enum { LETTERS_PER_CHANGE = 1024 };

/* A retried one will be a failed event, for which there must be room. */
static bool may_retry(const struct core *c, const struct group *g, uint32_t level, uint32_t others)
{
    uint32_t failed = c->failed.taken + c->failed_reserved + c->failed_pending + others;
    return failed < c->failed.capacity && g->levels[level].open + others + 4 < g->levels[level].settled.capacity;
}

/* Those that lie, as they are to be; `only` one, or as many as there is room for. */
static void choose(const struct core *c, const struct group *g, uint32_t only, bool retry, struct record_dead *rows,
                   struct dead_changes *out)
{
    for (uint32_t h = only ? only : g->dead_list.first; h; h = only ? 0 : dead_at(c, h)->of_group.next) {
        if (dead_at(c, h)->failed) continue;
        out->more = out->count == LETTERS_PER_CHANGE || (retry && !may_retry(c, g, dead_at(c, h)->level, out->count));
        if (out->more) return;
        rows[out->count] = dead_row(c, h);
        rows[out->count++].state = retry ? DEAD_RETRIED : DEAD_ENDED;
    }
}

enum error_code dead_manage(struct core *c, uint32_t group, const struct msg_manage *m, struct dead_changes *out, const char **out_message)
{
    bool retry = m->action == ACTION_DEAD_RETRY, ours = m->epoch.size == 0 || span_equal(m->epoch, span_of(c->epoch, EPOCH_BYTES));
    uint32_t only = m->seq && m->seq < POSITION_END && ours ? dead_find(c, group, m->seq) : 0;
    if (m->seq && !only) return *out_message = "the group has no dead letter of this event", CODE_NOT_FOUND;
    if (only && dead_at(c, only)->failed) return *out_message = "the event is being delivered again", CODE_CONFLICT;
    if (!blocks_have_room_in_turn(c, record_dead_letters_bound(LETTERS_PER_CHANGE)))
        return *out_message = "the block is full: try it again", CODE_OVERLOADED;
    struct record_dead *rows = arena_take(&c->scratch, LETTERS_PER_CHANGE * sizeof *rows);
    must(rows);
    choose(c, group_at(c, group), only, retry, rows, out);
    if (out->count == 0 && out->more) return *out_message = "there is no room for more failed events", CODE_OVERLOADED;
    if (out->count == 0) return CODE_OK;
    dead_change(c, group, rows, out->count);
    group_touch(c, group);
    *(retry ? &c->stats.dead_retried : &c->stats.dead_dropped) += out->count;
    return CODE_OK;
}
