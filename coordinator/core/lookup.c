/* Reading the log for somebody who waits for what is found: where a time begins (a worker's new group, a section of the configuration, an
 * admin's seek), what an event or a session waits for. There are few at once (LOOKUPS_MAX); each step goes on with all of them, within the
 * budget that readers share. */
#include "coordinator/core/lookup.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/group.h"
#include "coordinator/core/group_change.h"
#include "coordinator/core/hello.h"
#include "coordinator/core/manage.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/reader.h"
#include "coordinator/core/request.h"
#include "coordinator/core/seek.h"
#include "coordinator/core/state.h"
#include "coordinator/core/why.h"

static struct span copy_text(struct lookup *l, size_t *used, struct span text)
{
    struct span copy = span_of(l->text + *used, text.size);
    if (text.size) memcpy(l->text + *used, text.data, text.size);
    *used += text.size;
    return copy;
}

static void copy_spec(struct lookup *l, const struct group_spec *spec)
{
    size_t used = 0;
    l->spec = *spec;
    l->spec.name = copy_text(l, &used, spec->name);
    l->spec.options.limit_by = copy_text(l, &used, spec->options.limit_by);
    for (size_t i = 0; i < spec->filter_count; i++)
        l->filters[i] = copy_text(l, &used, spec->filters[i]);
    l->spec.filters = l->filters;
    must(used <= sizeof l->text);
}

struct lookup *lookup_begin(struct core *c, enum lookup_kind kind, uint32_t peer, uint32_t tenant, const struct group_spec *spec)
{
    for (uint32_t i = 0; i < LOOKUPS_MAX; i++) {
        struct lookup *l = &c->lookups[i];
        if (l->kind != LOOKUP_NONE) continue;
        l->kind = kind;
        l->peer = peer;
        l->peer_generation = peer ? slab_generation(&c->peers, peer) : 0;
        l->tenant = tenant;
        l->position = c->head;
        l->found = l->blocks = l->waits = 0;
        l->first = 0;
        l->searched = false;
        copy_spec(l, spec);
        seek_begin(&l->seek, SEEK_TIME, spec->start_at, c->trimmed_below > 0 ? c->trimmed_below : 1, c->head);
        c->lookup_count++;
        c->lookup_again = true;
        return l;
    }
    return NULL;
}

bool lookup_is_under_way(const struct core *c, uint32_t tenant, struct span name)
{
    for (uint32_t i = 0; c->lookup_count > 0 && i < LOOKUPS_MAX; i++) {
        const struct lookup *l = &c->lookups[i];
        if (l->kind == LOOKUP_CONFIGURED && l->tenant == tenant && span_equal(l->spec.name, name)) return true;
    }
    return false;
}

static bool peer_still_waits(const struct core *c, const struct lookup *l)
{
    return slab_is_taken(&c->peers, l->peer) && slab_generation(&c->peers, l->peer) == l->peer_generation &&
           peer_at(c, l->peer)->state != PEER_ENDING;
}

static void seek_group(struct core *c, const struct lookup *l)
{
    uint64_t place;
    uint32_t group = group_find(c, l->tenant, l->spec.name);
    if (group && group_seek(c, group, &l->spec, &place) == CODE_OK)
        manage_done(c, l->peer, l->id, place);
    else
        manage_answer(c, l->peer, l->id, CODE_NOT_FOUND, "no group is called so");
}

/* seek.low is the first event to read: the group begins after the position before it. */
static void found(struct core *c, struct lookup *l)
{
    l->spec.start = START_SEQ;
    l->spec.start_at = l->seek.low - 1;
    if (l->kind == LOOKUP_CONFIGURED && !group_find(c, l->tenant, l->spec.name))
        group_create(c, l->tenant, &l->spec);
    else if (l->kind == LOOKUP_HELLO && peer_still_waits(c, l))
        hello_go_on(c, l->peer, &l->spec);
    else if (l->kind == LOOKUP_SEEK && peer_still_waits(c, l))
        seek_group(c, l);
}

static void lookup_end(struct core *c, struct lookup *l)
{
    l->kind = LOOKUP_NONE;
    c->lookup_count--;
}

/* An answer needs room for nothing but itself. */
static void go_on_why(struct core *c, struct lookup *l)
{
    enum scan scan = SCAN_LATER;
    if (!peer_still_waits(c, l))
        scan = SCAN_EVENT;
    else if (out_has_room(c, 1) && scratch_has_room(c))
        scan = l->kind == LOOKUP_WHY ? why_event(c, l) : why_session(c, l);
    if (scan == SCAN_WAIT) reader_wait(c);
    if (scan == SCAN_LATER) c->lookup_again = true;
    if (scan == SCAN_EVENT) lookup_end(c, l);
}

static void go_on(struct core *c, struct lookup *l)
{
    if (l->kind == LOOKUP_WHY || l->kind == LOOKUP_WHY_SESSION) {
        go_on_why(c, l);
        return;
    }
    enum scan scan = reader_seek(c, &l->seek);
    if (scan == SCAN_WAIT)
        reader_wait(c);
    else if (scan == SCAN_LATER || !out_has_room(c, 8) || !blocks_room_for_failure(c))
        c->lookup_again = true;
    else {
        found(c, l);
        lookup_end(c, l);
    }
}

void lookups_step(struct core *c)
{
    c->lookup_again = false;
    for (uint32_t i = 0; c->lookup_count > 0 && i < LOOKUPS_MAX; i++)
        if (c->lookups[i].kind != LOOKUP_NONE) go_on(c, &c->lookups[i]);
}
