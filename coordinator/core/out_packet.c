/* Items of one peer -> packets: columns are laid out in the step's scratch memory, bodies are lent from where they lie. A packet ends where
 * its bodies pass PACKET_OUT_BYTES; the items of one peer keep their order from packet to packet. */
#include "coordinator/core/group.h"
#include "coordinator/core/out.h"
#include "coordinator/core/peer.h"
#include "coordinator/core/state.h"

struct build {
    uint32_t count[ITEM_KINDS];
    uint32_t runs;       /* stretches of events of one subscription */
    uint64_t generation; /* of the peer's group, when its welcome told another; else 0 */
    uint32_t end;        /* the first item of the next packet; 0: none */
};

static void *take(struct core *c, size_t count, size_t size)
{
    void *memory = arena_take(&c->scratch, count * size + 1);
    must(memory);
    return memory;
}
#define TAKE(count, type) ((type *)take(c, (count), sizeof(type)))

/* The next item of `kind` from *at on (inclusive), up to end. */
static const struct item *next_of(const struct core *c, uint32_t *at, uint32_t end, enum item_kind kind)
{
    while (*at != end && c->items[*at].kind != kind)
        *at = c->items[*at].next;
    if (*at == end) return NULL;
    const struct item *item = &c->items[*at];
    *at = item->next;
    return item;
}
#define EACH(kind_, name_)                                                                                                                 \
    for (uint32_t at_ = first, once_ = 1; once_; once_ = 0)                                                                                \
        for (const struct item *name_; (name_ = next_of(c, &at_, b->end, kind_)) != NULL;)

static void measure(const struct core *c, uint32_t first, uint32_t bytes_max, struct build *b)
{
    uint64_t bytes = 0, run = 0;
    memset(b, 0, sizeof *b);
    uint32_t at = first;
    for (; at; at = c->items[at].next) {
        const struct item *item = &c->items[at];
        bool has_body = item->kind == ITEM_DELIVER || item->kind == ITEM_EVENT || item->kind == ITEM_PARTIAL || item->kind == ITEM_PART;
        if (has_body && bytes > 0 && bytes + item->body.size > bytes_max) break;
        if (has_body) bytes += item->body.size;
        if (item->kind == ITEM_EVENT && (b->count[ITEM_EVENT] == 0 || item->a != run)) {
            b->runs++;
            run = item->a;
        }
        b->count[item->kind]++;
    }
    b->end = at;
}

static void build_small(struct core *c, struct packet *p, uint32_t first, const struct build *b)
{
    struct msg_error *errors = TAKE(b->count[ITEM_ERROR], struct msg_error);
    struct msg_credit *credits = TAKE(b->count[ITEM_CREDIT], struct msg_credit);
    EACH(ITEM_WELCOME, i) p->welcome = i->more;
    EACH(ITEM_ERROR, i)
    errors[p->error_count++] = (struct msg_error){ .code = i->x, .about = i->y, .retry_ms = i->z, .id = i->a, .message = i->body };
    EACH(ITEM_HEARTBEAT, i)
    {
        struct msg_heartbeat *beat = TAKE(1, struct msg_heartbeat);
        beat->echo = i->a;
        p->heartbeat = beat;
    }
    EACH(ITEM_CREDIT, i)
    credits[p->credit_count++] =
        (struct msg_credit){ .kind = i->x, .tenant = i->body, .subscription = i->a, .events = i->b, .bytes = i->c };
    EACH(ITEM_DRAIN, i)
    {
        struct msg_drain *drain = TAKE(1, struct msg_drain);
        drain->reconnect_ms = i->x;
        p->drain = drain;
    }
    p->errors = errors;
    p->credits = credits;
}

static void build_answers(struct core *c, struct packet *p, uint32_t first, const struct build *b)
{
    struct msg_accepted *accepted = TAKE(b->count[ITEM_ACCEPTED], struct msg_accepted);
    struct msg_refused *refused = TAKE(b->count[ITEM_REFUSED], struct msg_refused);
    struct msg_settled *settled = TAKE(b->count[ITEM_SETTLED], struct msg_settled);
    struct msg_answer *answers = TAKE(b->count[ITEM_ANSWER], struct msg_answer);
    struct msg_cancel *cancels = TAKE(b->count[ITEM_CANCEL], struct msg_cancel);
    EACH(ITEM_ACCEPTED, i)
    accepted[p->accepted_count++] = (struct msg_accepted){ .first_number = i->a, .first_seq = i->b, .count = i->x, .duplicate = i->y };
    EACH(ITEM_REFUSED, i)
    refused[p->refused_count++] =
        (struct msg_refused){ .first_number = i->a, .count = i->x, .code = i->y, .retry_ms = i->z, .message = i->body };
    EACH(ITEM_SETTLED, i) settled[p->settled_count++] = (struct msg_settled){ .first_number = i->a, .count = i->x, .code = i->y };
    EACH(ITEM_ANSWER, i) answers[p->answer_count++] = *(const struct msg_answer *)i->more;
    EACH(ITEM_CANCEL, i) cancels[p->cancel_count++] = (struct msg_cancel){ .lease = i->a };
    p->accepted = accepted;
    p->refused = refused;
    p->settled = settled;
    p->answers = answers;
    p->cancels = cancels;
}

static void build_subscriptions(struct core *c, struct packet *p, uint32_t first, const struct build *b)
{
    struct msg_subscribed *subscribed = TAKE(b->count[ITEM_SUBSCRIBED], struct msg_subscribed);
    struct msg_caught_up *caught_up = TAKE(b->count[ITEM_CAUGHT_UP], struct msg_caught_up);
    struct msg_ended *ended = TAKE(b->count[ITEM_ENDED], struct msg_ended);
    EACH(ITEM_SUBSCRIBED, i)
    subscribed[p->subscribed_count++] = (struct msg_subscribed){ .subscription = i->a, .cursor = i->b, .gap = i->x };
    EACH(ITEM_CAUGHT_UP, i) caught_up[p->caught_up_count++] = (struct msg_caught_up){ .subscription = i->a, .cursor = i->b };
    EACH(ITEM_ENDED, i) ended[p->ended_count++] = (struct msg_ended){ .subscription = i->a, .cursor = i->b, .code = i->x, .more = i->y };
    p->subscribed = subscribed;
    p->caught_up = caught_up;
    p->ended = ended;
}

static void build_events(struct core *c, struct packet *p, struct span *pieces, uint32_t first, const struct build *b)
{
    uint32_t total = b->count[ITEM_EVENT], n = 0;
    if (total == 0) return;
    struct msg_events *runs = TAKE(b->runs, struct msg_events);
    uint64_t *seq = TAKE(total, uint64_t), *time_ms = TAKE(total, uint64_t), *cause = TAKE(total, uint64_t);
    uint64_t *firsts = TAKE(total, uint64_t);
    uint32_t *size = TAKE(total, uint32_t);
    EACH(ITEM_EVENT, i)
    {
        if (p->events_count == 0 || runs[p->events_count - 1].subscription != i->a)
            runs[p->events_count++] =
                (struct msg_events){ .subscription = i->a, .seq = seq + n, .time_ms = time_ms + n, .cause = cause + n, .size = size + n };
        struct msg_events *run = &runs[p->events_count - 1];
        seq[n] = i->b;
        time_ms[n] = i->c;
        cause[n] = i->d;
        firsts[n] = i->first;
        if (i->first) run->first = firsts + (n - run->count);
        size[n] = (uint32_t)i->body.size;
        pieces[p->piece_count++] = i->body;
        run->count++;
        n++;
    }
    p->events = runs;
}

static void build_deliver(struct core *c, struct packet *p, struct span *pieces, uint32_t first, const struct build *b)
{
    uint32_t total = b->count[ITEM_DELIVER], n = 0;
    if (total == 0) return;
    struct msg_deliver *deliver = TAKE(1, struct msg_deliver);
    uint64_t *lease = TAKE(total, uint64_t), *seq = TAKE(total, uint64_t), *time_ms = TAKE(total, uint64_t), *cause = TAKE(total, uint64_t);
    uint64_t *firsts = TAKE(total, uint64_t), caused = 0, again = 0;
    uint32_t *attempt = TAKE(total, uint32_t), *size = TAKE(total, uint32_t), *priority = TAKE(total, uint32_t), prioritised = 0;
    uint32_t *letter = TAKE(total, uint32_t), letters = 0;
    *deliver = (struct msg_deliver){ .lease = lease, .seq = seq, .time_ms = time_ms, .attempt = attempt, .size = size, .count = total };
    EACH(ITEM_DELIVER, i)
    {
        lease[n] = i->a;
        seq[n] = i->b;
        time_ms[n] = i->c;
        cause[n] = i->d;
        caused |= i->d;
        firsts[n] = i->first;
        again |= i->first;
        attempt[n] = i->x;
        priority[n] = i->z;
        prioritised |= i->z;
        letter[n] = i->letter;
        letters += i->letter;
        size[n++] = (uint32_t)i->body.size;
        deliver->lease_ms = i->y;
        pieces[p->piece_count++] = i->body;
    }
    if (caused) deliver->cause = cause;
    if (again) deliver->first = firsts;
    if (prioritised) deliver->priority = priority;
    if (letters) deliver->letter = letter;
    deliver->generation = b->generation;
    p->deliver = deliver;
}

static void build_revoke_and_partials(struct core *c, struct packet *p, struct span *pieces, uint32_t first, const struct build *b)
{
    uint32_t revoked = b->count[ITEM_REVOKE];
    if (revoked) {
        struct msg_revoke *revoke = TAKE(1, struct msg_revoke);
        uint64_t *lease = TAKE(revoked, uint64_t);
        uint32_t *code = TAKE(revoked, uint32_t);
        *revoke = (struct msg_revoke){ .lease = lease, .code = code };
        EACH(ITEM_REVOKE, i)
        {
            lease[revoke->count] = i->a;
            code[revoke->count++] = i->x;
        }
        p->revoke = revoke;
    }
    struct msg_partial *partials = TAKE(b->count[ITEM_PARTIAL], struct msg_partial);
    EACH(ITEM_PARTIAL, i)
    {
        partials[p->partial_count++] = (struct msg_partial){
            .subscription = i->a, .cause = i->b, .attempt = i->x, .index = i->y, .group = i->z, .size = (uint32_t)i->body.size
        };
        pieces[p->piece_count++] = i->body;
    }
    p->partials = partials;
}

static void build_parts(struct core *c, struct packet *p, struct span *pieces, uint32_t first, const struct build *b)
{
    struct msg_part *parts = TAKE(b->count[ITEM_PART], struct msg_part);
    EACH(ITEM_PART, i)
    {
        parts[p->part_count++] = (struct msg_part){
            .lease = i->a, .seq = i->b, .subscription = i->c, .index = i->x, .count = i->y, .size = (uint32_t)i->body.size
        };
        pieces[p->piece_count++] = i->body;
    }
    p->parts = parts;
}

static void assemble_peer(struct core *c, uint32_t handle)
{
    struct peer *peer = peer_at(c, handle);
    for (uint32_t first = peer->out_first; first;) {
        struct build build, *b = &build;
        measure(c, first, peer->packet_bytes, b);
        uint64_t generation = peer->group ? group_at(c, peer->group)->generation : 0;
        b->generation = generation != peer->generation ? generation : 0;
        struct packet *p = TAKE(1, struct packet);
        memset(p, 0, sizeof *p);
        struct span *pieces =
            TAKE(b->count[ITEM_EVENT] + b->count[ITEM_DELIVER] + b->count[ITEM_PARTIAL] + b->count[ITEM_PART], struct span);
        p->pieces = pieces;
        build_small(c, p, first, b);
        build_answers(c, p, first, b);
        build_subscriptions(c, p, first, b);
        build_events(c, p, pieces, first, b);
        build_deliver(c, p, pieces, first, b);
        build_revoke_and_partials(c, p, pieces, first, b);
        build_parts(c, p, pieces, first, b);
        struct core_out *out = out_add(c, CORE_SEND);
        out->connection = peer->connection;
        out->packet = p;
        first = b->end;
    }
    peer->said_ns = c->now_ns;
    peer->dirty = false;
    peer->out_first = peer->out_last = 0;
}

void out_assemble(struct core *c)
{
    for (uint32_t i = 0; i < c->dirty_count; i++)
        assemble_peer(c, c->dirty[i]);
    for (uint32_t i = 0; i < c->ending_count; i++) {
        struct peer *p = peer_at(c, c->ending[i]);
        if (p->forget) out_add(c, CORE_FORGET)->connection = p->connection;
        map_remove(&c->by_connection, p->connection);
        slab_free(&c->peers, c->ending[i]);
    }
    c->ending_count = 0;
}
