/* What an admin changes. Each action is decided and appended here and answered after the commit of its record [R-MANAGE-1]. */
#include "coordinator/core/manage.h"
#include "coordinator/core/blocks.h"
#include "coordinator/core/dead.h"
#include "coordinator/core/group.h"
#include "coordinator/core/group_change.h"
#include "coordinator/core/lookup.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/state.h"

static struct msg_answer *answer_new(struct core *c, uint32_t peer, uint64_t id)
{
    struct msg_answer *answer = arena_take_zeroed(&c->scratch, 1, sizeof *answer);
    must(answer);
    answer->id = id;
    out_item(c, peer, ITEM_ANSWER)->more = answer;
    return answer;
}

void manage_answer(struct core *c, uint32_t peer, uint64_t id, enum error_code code, const char *message)
{
    struct msg_answer *answer = answer_new(c, peer, id);
    answer->code = code;
    answer->message = span_text(message);
}

/* The answer is given when what stands in the log by now is committed. */
static void promise(struct core *c, struct ticket ticket)
{
    const struct slot *filling = filling_slot(c);
    ticket.kind = TICKET_ANSWER;
    ticket.block = filling && filling->block.record_count > 0 ? filling->block.number
                   : c->writing_count > 0                     ? c->next_block - 1
                                                              : c->committed_block;
    ticket_add(c, ticket);
}

void manage_done(struct core *c, uint32_t peer, uint64_t id, uint64_t place)
{
    promise(c, (struct ticket){ .peer = peer, .count = 1, .number = id, .seq = place });
}

void manage_paid(struct core *c, const struct ticket *ticket)
{
    struct msg_answer *answer = answer_new(c, ticket->peer, ticket->number);
    answer->seq = ticket->seq;
    answer->count = ticket->count;
    answer->more = ticket->duplicate;
}

static enum error_code seek(struct core *c, uint32_t peer, uint32_t group, const struct msg_manage *m, uint64_t *out_place,
                            const char **out_message)
{
    const struct group_spec *to = &m->group;
    bool ours = m->epoch.size == 0 || span_equal(m->epoch, span_of(c->epoch, EPOCH_BYTES));
    if (to->start > START_TIME) return *out_message = "a group goes to new, first, a seq or a time", CODE_BAD_REQUEST;
    if (to->start == START_SEQ && !ours) return *out_message = "the seq is of another log", CODE_GONE;
    if (to->start != START_TIME) return group_seek(c, group, to, out_place);
    struct group_spec later = { .name = to->name, .start = START_TIME, .start_at = to->start_at };
    struct lookup *lookup = lookup_begin(c, LOOKUP_SEEK, peer, group_at(c, group)->tenant, &later);
    if (!lookup) return *out_message = "too many look for a time", CODE_OVERLOADED;
    lookup->id = m->id;
    return CODE_OK;
}

static enum error_code change_group(struct core *c, uint32_t peer, uint32_t group, const struct msg_manage *m, uint64_t *out_place,
                                    const char **out_message)
{
    if (c->config.replay.on) return *out_message = "a replay changes nothing", CODE_UNSUPPORTED;
    switch (m->action) {
    case ACTION_GROUP_SET:
        return group_set(c, group, m, out_place, out_message);
    case ACTION_GROUP_PAUSE:
    case ACTION_GROUP_RESUME:
        return group_pause(c, group, m->action == ACTION_GROUP_PAUSE, out_place);
    case ACTION_GROUP_SEEK:
        return seek(c, peer, group, m, out_place, out_message);
    default:
        return group_delete(c, group, out_place, out_message);
    }
}

static void manage_group(struct core *c, uint32_t peer, uint32_t tenant, const struct msg_manage *m)
{
    uint32_t group = m->has_group ? group_find(c, tenant, m->group.name) : 0;
    uint64_t place = POSITION_END;
    const char *message = "";
    enum error_code code = CODE_NOT_FOUND;
    if (group)
        code = change_group(c, peer, group, m, &place, &message);
    else
        message = "no group is called so";
    if (code != CODE_OK)
        manage_answer(c, peer, m->id, code, message);
    else if (place != POSITION_END) /* else it is looked up */
        manage_done(c, peer, m->id, place);
}

static void manage_dead(struct core *c, uint32_t peer, uint32_t tenant, const struct msg_manage *m)
{
    uint32_t group = m->has_group ? group_find(c, tenant, m->group.name) : 0;
    struct dead_changes done = { 0 };
    const char *message = "no group is called so";
    enum error_code code = group ? dead_manage(c, group, m, &done, &message) : CODE_NOT_FOUND;
    if (code != CODE_OK)
        manage_answer(c, peer, m->id, code, message);
    else
        promise(c, (struct ticket){ .peer = peer, .count = done.count, .number = m->id, .duplicate = done.more });
}

void manage_take(struct core *c, uint32_t peer, const struct msg_manage *m)
{
    uint32_t tenant = peer_at(c, peer)->role == ROLE_ADMIN ? peer_tenant(c, peer, m->tenant) : 0;
    if (!tenant)
        manage_answer(c, peer, m->id, CODE_FORBIDDEN, "only an admin of the tenant may do that"); /* [R-MANAGE-2] */
    else if (m->action >= ACTION_GROUP_SET && m->action <= ACTION_GROUP_DELETE)
        manage_group(c, peer, tenant, m);
    else if (m->action == ACTION_DEAD_RETRY || m->action == ACTION_DEAD_DROP)
        manage_dead(c, peer, tenant, m);
    else
        manage_answer(c, peer, m->id, CODE_UNSUPPORTED, "this version does not serve it");
}
