/* What peers do in a walk: each act sends what a peer may send, good or wrong, and remembers what the oracle needs of it. */
#include "tests/walk/world.h"

static const struct span filters[] = { { (const uint8_t *)"a.>", 3 }, { (const uint8_t *)"b.>", 3 } };

/* Tokens are 't' and a letter. */
static struct span token_text(uint32_t token)
{
    static const uint8_t letters[] = "tAtBtCtDtEtFtGtHtItJtKtLtMtNtOtPtQtRtStTtUtVtWtX";
    return token ? span_of(letters + 2 * (token - 1), 2) : (struct span){ 0 };
}

void do_hello(struct walk *w, uint32_t peer)
{
    struct walker *p = &w->peers[peer];
    uint64_t seq[HELD], first[HELD];
    uint32_t attempt[HELD], priority[HELD], letter[HELD];
    struct msg_hello hello = { .protocol = 1,
                               .role = peer < WORKERS  ? ROLE_WORKER
                                       : peer == ADMIN ? ROLE_ADMIN
                                                       : ROLE_CLIENT,
                               .instance = span_of(p->id, 16),
                               .publisher = span_of(p->id, 16),
                               .first_unanswered = 1,
                               .epoch = span_text(EPOCH),
                               .max_event_bytes = walker_takes_parts(w, p) ? 1 << 20 : 0,
                               .has_group = peer < WORKERS };
    hello.group =
        (struct group_spec){ .name = span_text("g"), .filters = filters, .filter_count = p->knows_b ? 2 : 1, .options = w->options };
    for (uint32_t i = 0; i < p->held_count; i++)
        seq[i] = p->held[i].seq, attempt[i] = p->held[i].attempt, priority[i] = p->held[i].priority, first[i] = p->held[i].first,
        letter[i] = p->held[i].letter;
    hello.held_seq = seq;
    hello.held_attempt = attempt;
    hello.held_priority = priority;
    hello.held_first = first;
    hello.held_letter = letter;
    hello.held_count = p->held_count;
    hello.held_generation = p->generation;
    if (p->connection) return;
    p->leaving = false;
    world_send(w, peer, &(struct packet){ .hello = &hello });
}

struct variant variant_of(uint32_t how)
{
    return (struct variant){ .token = how % 2 ? how : 0, .delay = how % 8 == 4 ? how : 0, .once = how % 4 == 2 };
}

/* A peer does not send an at_most_once event to another life of the core [R-ONCE-4]. */
static bool may_be_sent_again(const struct walk *w, const struct walker *p, uint64_t number)
{
    return p->once_of[number] == ONCE_NOT || p->position_of[number] != 0 || p->life_of[number] == w->life;
}

void do_publish(struct walk *w, uint32_t peer, uint32_t count, struct variant variant, bool again)
{
    struct walker *p = &w->peers[peer];
    uint8_t body[64 * 16];
    uint32_t sizes[16];
    struct event event = { .topic = span_text(count % 5 == 4 ? "b.x"
                                              : count % 2    ? "a.x"
                                                             : "a.y.z"),
                           .data = span_of("data", 4),
                           .priority = count % 3 == 2 ? count / 3 % 4 : 0 };
    if (!again && p->next_number + count >= NUMBERS) return;
    uint64_t first = p->next_number;
    if (again)
        first = first > count ? first - count : 1;
    else
        p->next_number += count;
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t said[2] = { peer, (uint32_t)(first + i) };
        if (!again && variant.token) p->token_of[first + i] = (uint8_t)((variant.token + i) % TOKENS + 1);
        if (!again) p->delay_of[first + i] = (uint8_t)variant.delay;
        if (!again && variant.once) p->once_of[first + i] = ONCE_SAID;
        if (!again) p->life_of[first + i] = w->life;
        if (again && !may_be_sent_again(w, p, first + i)) return;
        event.token = token_text(p->token_of[first + i]);
        event.delay_ms = 100 * p->delay_of[first + i];
        event.semantics = p->once_of[first + i] != ONCE_NOT ? EVENT_AT_MOST_ONCE : EVENT_AT_LEAST_ONCE;
        event.data = event.semantics ? span_of(said, sizeof said) : span_of("data", 4);
        event.key = span_of(&"abcd"[(count + i) % 4], (count + i) % 7 > 0);
        event.session = span_of(&"stuv"[count % 4], i % 5 > 0);
        sizes[i] = (uint32_t)event_encode(&event, NULL, 0, body + used);
        used += sizes[i];
    }
    struct msg_publish publish = { .first_number = first, .size = sizes, .count = count };
    if (again && p->sending.count && p->sending.number >= first && p->sending.number < first + count) return; /* that one is under way */
    if (first + count <= p->next_number)
        world_send(w, peer, &(struct packet){ .publishes = &publish, .publish_count = 1, .body = span_of(body, used) });
}

/* The next packets of a large event that is under way; else of a new one, or of the last one again. */
void do_large(struct walk *w, uint32_t peer, uint32_t how)
{
    static uint8_t room[PART_BYTES + 64];
    struct walker *p = &w->peers[peer];
    struct large_packet next;
    if (p->sending.count == 0) {
        bool again = how / 8 % 8 == 7 && p->sending.number > 0;
        if (!again && p->next_number + 1 >= NUMBERS) return;
        p->sending = (struct large_sending){ .number = again ? p->sending.number : p->next_number++,
                                             .count = 1 + how / 8 % 12,
                                             .delay = how % 32 == 7 ? 3 : 0 };
        p->life_of[p->sending.number] = w->life;
    }
    for (uint32_t i = 0; i <= how % 8 && p->sending.count > 0; i++) {
        world_make_room(w);
        if (p->sending.count == 0 || !p->ready) break; /* meanwhile it was forgotten */
        large_next(&p->sending, peer, how == 255, room, &next);
        world_send(w, peer, &next.packet);
    }
}

/* The parts of the emit of a settle to come, or not all of them. */
static void send_emit_parts(struct walk *w, uint32_t peer, uint64_t lease, uint32_t count, bool all)
{
    static uint8_t room[PART_BYTES + 64];
    struct large_sending sending = { .number = 1, .lease = lease, .count = count };
    struct large_packet next;
    while (sending.index + !all < count && w->peers[peer].ready) {
        large_next(&sending, peer, false, room, &next);
        world_send(w, peer, &next.packet);
        world_make_room(w);
    }
}

void do_settle(struct walk *w, uint32_t peer, uint32_t verb, uint32_t which, bool emit)
{
    struct walker *p = &w->peers[peer];
    if (!p->ready || p->held_count == 0) return;
    struct held held = p->held[which % p->held_count];
    uint32_t parts = emit && verb != VERB_NACK && which % 4 == 1 ? 1 + which / 12 % 3 : 0;
    send_emit_parts(w, peer, held.lease, parts, which % 16 != 1);
    if (!p->ready || p->held_count == 0 || p->held[which % p->held_count].lease != held.lease) return; /* it was taken meanwhile */
    struct event event = { .topic = span_text("a.out"),
                           .token = token_text(which % (2 * TOKENS) < TOKENS ? which % TOKENS + 1 : 0),
                           .data = span_of("emit", parts ? 0 : 4) };
    uint8_t body[64];
    uint32_t size = (uint32_t)event_encode(&event, NULL, 0, body), emits = 1;
    struct msg_settle settle = { .first_number = p->next_settle++, .lease = &held.lease, .verb = &verb, .count = 1 };
    if (p->settling_count < NUMBERS && verb != VERB_NACK) {
        p->settling[p->settling_count].number = settle.first_number;
        p->settling[p->settling_count].rejected = verb == VERB_REJECT;
        p->settling[p->settling_count++].seq = held.seq;
    }
    struct packet packet = { .settle = &settle };
    if (emit && verb != VERB_NACK) {
        settle.emits = &emits;
        settle.emit_size = &size;
        settle.emit_count = 1;
        settle.emit_parts = &parts;
        packet.body = span_of(body, size);
    }
    uint32_t known = oracle_event(w, held.seq);
    struct letter_seen *letter = letters_at(&w->letters, held.seq);
    if (known != UINT32_MAX && verb != VERB_NACK) w->events[known].tried = 1;
    if (letter && verb != VERB_NACK) letter->tried = true;
    if (which % 7 != 6)
        walker_let_go(p, held.seq);
    else
        p->held[which % p->held_count].settled = true; /* once more some day */
    world_send(w, peer, &packet);
}

void do_credit(struct walk *w, uint32_t peer, uint32_t more)
{
    struct walker *p = &w->peers[peer];
    p->credit += more;
    struct msg_credit credit = { .kind = peer < WORKERS ? CREDIT_DELIVER : CREDIT_EVENTS, .events = p->credit, .bytes = 1 << 30 };
    world_send(w, peer, &(struct packet){ .credits = &credit, .credit_count = 1 });
}

void do_subscribe(struct walk *w, uint32_t peer)
{
    struct walker *p = &w->peers[peer];
    if (p->subscribed) return;
    struct msg_subscribe m = {
        .subscription = 1, .filter = span_text("a.>"), .start = START_SEQ, .start_at = p->last_event, .epoch = span_text(EPOCH)
    };
    p->subscribed = true;
    world_send(w, peer, &(struct packet){ .subscribes = &m, .subscribe_count = 1 });
}

void do_lease(struct walk *w, uint32_t peer, bool extend, uint32_t which)
{
    struct walker *p = &w->peers[peer];
    if (!p->ready || p->held_count == 0) return;
    struct held held = p->held[which % p->held_count];
    uint32_t ms = 5000;
    struct msg_extend extension = { &held.lease, &ms, 1 };
    struct msg_release release = { &held.lease, 1 };
    if (!extend) walker_let_go(p, held.seq);
    world_send(w, peer, extend ? &(struct packet){ .extend = &extension } : &(struct packet){ .release = &release });
}

void do_leave(struct walk *w, uint32_t peer)
{
    struct msg_drain drain = { 0 };
    if (!w->peers[peer].ready) return;
    w->peers[peer].leaving = true;
    world_send(w, peer, &(struct packet){ .drain = &drain });
}

void do_gone(struct walk *w, uint32_t peer)
{
    world_step(w, &(struct core_in){ .gone = &w->peers[peer].connection, .gone_count = 1 });
    w->peers[peer].connection = 0;
    w->peers[peer].ready = w->peers[peer].subscribed = false;
}

/* All that was asked for is committed and answered. */
static void settle_down(struct walk *w)
{
    for (uint32_t i = 0; i < 8 || (i < 2000 && !w->answered); i++) {
        world_commit(w);
        world_wait(w, 1);
    }
}

uint32_t do_manage(struct walk *w, struct msg_manage *m)
{
    m->id = 1;
    m->has_group = true;
    m->group.name = span_text("g");
    if (!w->peers[ADMIN].connection) do_hello(w, ADMIN);
    w->answered = false;
    world_send(w, ADMIN, &(struct packet){ .manages = m, .manage_count = 1 });
    settle_down(w);
    if (!w->answered) broken(w, "a manage without an answer", m->action);
    return w->answer;
}

/* Of an event of the group, a delayed one, any place, or a session. */
void do_why(struct walk *w, uint32_t how)
{
    struct msg_query m = { .id = 1, .ask = ASK_WHY, .seq = 1 + how % 64 };
    if (how % 4 == 0 && w->event_count > 0) m.seq = w->events[how / 4 * 7 % w->event_count].first;
    if (how % 4 == 1 && w->event_count > 0) m.seq = w->events[w->event_count - 1 - how / 4 % w->event_count].seq;
    if (how % 4 == 2 && w->delay_count > 0) m.seq = w->delays[w->delay_count - 1 - how / 4 % w->delay_count].seq;
    if (how % 8 == 3) m.seq = 0, m.session = span_of(&"stuv"[how / 8 % 4], 1);
    if (!w->peers[ADMIN].connection) do_hello(w, ADMIN);
    w->answered = false;
    w->asked = m.seq;
    world_send(w, ADMIN, &(struct packet){ .queries = &m, .query_count = 1 });
    for (uint32_t i = 0; i < 2000 && !w->answered; i++) {
        if (i >= 64) world_commit(w); /* who waits for that may keep all blocks in memory but one */
        world_wait(w, 1);
    }
    if (!w->answered) broken(w, "a query without an answer", m.seq);
}

/* Nobody holds anything any more, but may think so. */
static void do_seek(struct walk *w, uint32_t how)
{
    settle_down(w);
    uint64_t place = w->event_count > 0 ? w->events[how % w->event_count].seq : 0;
    struct msg_manage m = { .action = ACTION_GROUP_SEEK, .group = { .start = START_SEQ, .start_at = place } };
    if (how % 4 == 0) m.group.start = START_FIRST;
    if (how % 4 == 1) m.group.start = START_TIME, m.group.start_at = w->log_ms - how;
    if (!w->group_exists || w->block_count + 64 >= BLOCKS) return;
    for (uint32_t i = 0; i < WORKERS; i++) {
        w->peers[i].settling_count = 0;
        for (uint32_t k = 0; k < w->peers[i].held_count; k++)
            w->peers[i].held[k].settled = true;
    }
    if (do_manage(w, &m) != CODE_OK) broken(w, "a seek that is refused", w->answer);
}

void do_resume(struct walk *w)
{
    w->paused = false; /* it goes on in the step that hears it */
    do_manage(w, &(struct msg_manage){ .action = ACTION_GROUP_RESUME });
}

static void do_delete(struct walk *w)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        if (w->peers[i].connection) world_step(w, &(struct core_in){ .gone = &w->peers[i].connection, .gone_count = 1 });
        w->peers[i].connection = 0;
        w->peers[i].ready = false;
    }
    do_manage(w, &(struct msg_manage){ .action = ACTION_GROUP_DELETE });
}

/* Of one event, or all that there are. */
static void change_letters(struct walk *w, uint32_t how, bool retry)
{
    struct msg_manage m = { .action = retry ? ACTION_DEAD_RETRY : ACTION_DEAD_DROP };
    if (how % 2 && w->letters.count > 0) m.seq = w->letters.all[how / 2 % w->letters.count].event;
    if (w->group_exists) do_manage(w, &m);
}

void change_group(struct walk *w, uint32_t how)
{
    static const uint32_t filters_field = 2;
    struct msg_manage m = {
        .action = ACTION_GROUP_SET, .group = { .filters = filters, .filter_count = how / 7 % 2 + 1 }, .set = &filters_field, .set_count = 1
    };
    switch (how % 7) {
    case 0:
        do_manage(w, &(struct msg_manage){ .action = ACTION_GROUP_PAUSE });
        break;
    case 1:
        do_resume(w);
        break;
    case 2:
        do_seek(w, how / 7);
        break;
    case 3:
        do_manage(w, &m);
        break;
    case 4:
        do_delete(w);
        break;
    default:
        change_letters(w, how / 7, how % 7 == 5);
    }
}
