/* What an admin changes. Each action is decided and appended here and answered after the commit of its record [R-MANAGE-1]. */
#include "coordinator/core/state.h"

static void answer(struct core *c, uint32_t peer, uint64_t id, enum error_code code, const char *message)
{
    struct msg_answer *answer = arena_take_zeroed(&c->scratch, 1, sizeof *answer);
    must(answer);
    answer->id = id;
    answer->code = code;
    answer->message = span_text(message);
    out_item(c, peer, ITEM_ANSWER)->more = answer;
}

void manage_take(struct core *c, uint32_t peer, const struct msg_manage *m)
{
    if (peer_at(c, peer)->role != ROLE_ADMIN || !peer_tenant(c, peer, m->tenant))
        answer(c, peer, m->id, CODE_FORBIDDEN, "only an admin of the tenant may do that"); /* [R-MANAGE-2] */
    else
        answer(c, peer, m->id, CODE_UNSUPPORTED, "this version does not serve it");
}
