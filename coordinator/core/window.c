/* What leaves the log. The shell says how far it would like to trim; what must live on is written again at the log's end (held.c,
 * letter_carry.c). When that is committed the core lets go: nothing below is there any more, for readers of every kind, and each group
 * counts and announces what it has not settled of it. Only when that is committed, too, does core_let_go say so, and the shell drops the
 * blocks: a reader that came to a hole in the log would take it for positions that nobody ever had, and a start would find everybody behind
 * it. */
#include "coordinator/core/window.h"

#include "coordinator/core/blocks.h"
#include "coordinator/core/failed.h"
#include "coordinator/core/group.h"
#include "coordinator/core/held.h"
#include "coordinator/core/keys.h"
#include "coordinator/core/lease.h"
#include "coordinator/core/letter.h"
#include "coordinator/core/order.h"
#include "coordinator/core/publish.h"
#include "coordinator/core/read_back.h"
#include "coordinator/core/text.h"

/* An event on $sys.group.lost of the group's tenant: {"group":…,"first":…,"last":…}. Names hold no control characters. */
static void announce_lost(struct core *c, const struct group *g, uint64_t first, uint64_t last)
{
    uint8_t data[2 * NAME_MAX + 128], body[2 * NAME_MAX + 256];
    size_t size = text_put(data, 0, span_text("{\"group\":\""));
    for (uint32_t i = 0; i < g->name_size; i++) {
        if (g->text[i] == '"' || g->text[i] == '\\') data[size++] = '\\';
        data[size++] = g->text[i];
    }
    size = text_put(data, size, span_text("\",\"first\":"));
    size = text_put(data, text_put_number(data, size, first), span_text(",\"last\":"));
    size = text_put(data, text_put_number(data, size, last), span_text("}"));
    struct event event = { .topic = span_text("$sys.group.lost"),
                           .content_type = span_text("application/json"),
                           .data = span_of(data, size),
                           .time_ms = c->log_ms };
    must(event_encoded_size(&event, NULL, 0) <= sizeof body);
    struct span bytes = span_of(body, event_encode(&event, NULL, 0, body));
    publish_append(c, g->tenant, &event, bytes, NULL, 0, 0);
}

/* The lowest place on loan, per group and level: looked for once for all of them. NULL: there is no room for it in this step. */
static const uint64_t *lowest_on_loan(struct core *c)
{
    size_t count = (size_t)(c->groups.touched + 1) * PRIORITY_LEVELS;
    uint64_t *lowest = arena_take(&c->scratch, count * sizeof *lowest);
    for (size_t i = 0; lowest && i < count; i++)
        lowest[i] = UINT64_MAX;
    for (uint32_t h = 1; lowest && h <= c->leases.touched; h++) {
        if (!slab_is_taken(&c->leases, h)) continue;
        const struct lease *l = lease_at(c, h);
        bool from_letter = l->failed && failed_at(c, l->failed)->dead;
        uint64_t *its = &lowest[(size_t)l->group * PRIORITY_LEVELS + l->level];
        if (!from_letter && l->position < *its) *its = l->position;
    }
    return lowest;
}

static bool has_unsettled_before(const struct core *c, const struct group *g, uint32_t level, uint64_t position)
{
    const struct level *l = &g->levels[level];
    if (!l->live && l->fresh.cursor < position) return true;
    if ((g->adopting || l->old_open || is_unread(g, level)) && l->old.cursor < position && l->old.cursor <= l->old.end) return true;
    for (uint32_t f = g->failed_list.first; f; f = failed_at(c, f)->of_group.next)
        if (failed_at(c, f)->level == level && !failed_at(c, f)->dead && failed_at(c, f)->position < position) return true;
    for (uint32_t h = g->parked_list.first; h; h = parked_at(c, h)->of_group.next) {
        const struct parked *p = parked_at(c, h);
        if (p->level == level && p->position < position && !(p->failed && failed_at(c, p->failed)->dead)) return true;
    }
    for (uint32_t i = l->pend_last; i; i = c->pends[i - 1].before) /* failed by the record to come: no table knows of it */
        if (c->pends[i - 1].attempts > 0 && c->pends[i - 1].first < position) return true;
    return false;
}

void window_lost(struct core *c, uint32_t group, uint64_t position)
{
    announce_lost(c, group_at(c, group), position, position);
    c->stats.lost++;
}

static void level_trim(struct core *c, uint32_t handle, uint32_t level)
{
    struct level *l = &group_at(c, handle)->levels[level];
    uint64_t first_left = c->trimmed_below;
    order_trim(c, handle, level, first_left);
    group_pend_settled(c, handle, level, l->floor + 1, first_left - 1);
    if (l->fresh.cursor < first_left) l->fresh.cursor = first_left;
    if (l->fresh.from < first_left) l->fresh.from = first_left;
    if (l->old.cursor < first_left) l->old.cursor = l->old.from = first_left;
}

/* Said once, whatever priorities it is of. What was not read counts as not settled. */
static void group_trim(struct core *c, uint32_t handle, const uint64_t on_loan[PRIORITY_LEVELS])
{
    struct group *g = group_at(c, handle);
    uint64_t lost_from = c->trimmed_below;
    for (uint32_t k = 0; k < PRIORITY_LEVELS; k++) {
        uint64_t from = g->levels[k].floor + 1;
        if (from >= c->trimmed_below) continue;
        bool unsettled = on_loan[k] < c->trimmed_below || has_unsettled_before(c, g, k, c->trimmed_below);
        if (from < lost_from && unsettled) lost_from = from;
        level_trim(c, handle, k);
        c->trim_block = g->trim_block = c->next_block;
    }
    if (lost_from == c->trimmed_below) return;
    announce_lost(c, g, lost_from, c->trimmed_below - 1);
    c->stats.lost++;
}

/* Those that there is no room for now are told in a later step, from core.trim_group on. */
static void tell_groups(struct core *c)
{
    const uint64_t *on_loan = lowest_on_loan(c);
    if (!on_loan) return;
    for (uint32_t *h = &c->trim_group; *h <= c->groups.touched; ++*h) {
        if (!slab_is_taken(&c->groups, *h)) continue;
        if (!blocks_room_for_failure(c)) return;
        group_trim(c, *h, on_loan + (size_t)*h * PRIORITY_LEVELS);
    }
    c->trim_group = 0;
}

void window_begin(struct core *c, uint64_t trimmed_below)
{
    c->trimmed_below = trimmed_below;
    c->trim_group = trimmed_below > 0 && !c->config.replay.on ? 1 : 0;
}

void window_move(struct core *c, uint64_t trim_wish)
{
    bool carried = held_keep_from(c) >= trim_wish && letters_keep_from(c) >= trim_wish;
    if (trim_wish > c->trimmed_below && carried && c->trim_group == 0) window_begin(c, trim_wish);
    if (c->trim_group > 0) tell_groups(c);
}

uint64_t core_let_go(const struct core *c)
{
    return c->trim_group > 0 || c->trim_block > c->committed_block ? 0 : c->trimmed_below;
}
